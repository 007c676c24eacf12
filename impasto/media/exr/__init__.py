"""EXR in and out, as film uses it: one layer is painted, everything else comes back as it was.

The picture is the data window, overscan included. Values are what the file holds: scene-linear halves or floats, NaN and infinity
among them, colour multiplied by alpha. Layers, parts (deep ones too) and attributes that are not painted come back bit by bit.
What changes: lossy compressions become zip, for packing untouched layers anew would wear them; so does PIZ where halves
and floats are mixed in a part. Files stored bottom up are written top down. Halvings (mipmaps) of a painted part are left out.
"""
from __future__ import annotations

from pathlib import Path

from impasto.frame import ClipInfo
from impasto.media.encoding import DEFAULT, Encoding
from impasto.media.exr import layers
from impasto.media.exr.container import read_layout
from impasto.media.exr.reader import ExrReader
from impasto.media.exr.writer import ExrWriter


def open_reader(path: Path, layer: str = "", to_layer: str = "", beside: str = "") -> ExrReader:
    """Open one layer: the picture, or the one named. `to_layer` sends the painting into a new layer beside it.

    `beside` is of a file that goes along with the shot: how a user asks for one of its layers.
    """
    return ExrReader(path, layer, to_layer, beside)


def check_place(path: Path, layer: str = "") -> None:
    """Refuse a layer whose place a painting cannot take: a single channel, which others read under its own name."""
    parts = read_layout(path).parts
    layers.check_place(layers.find_layer(parts, layer, path), parts, path)


def open_writer(path: Path, like: ClipInfo, overwrite: bool = False, encoding: Encoding = DEFAULT) -> ExrWriter:
    """Open a place for one picture. A frame from an EXR brings along what was not painted; any other becomes a plain EXR."""
    return ExrWriter(path, like, overwrite, encoding)
