"""How values are held: in a file, in a frame, in an engine; and windows of them."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media import MOVIES, open_reader
from impasto.media.alpha import unpremultiplied
from impasto.media.colour import AUTO, open_colour
from impasto.media.encoding import Encoding

Window = tuple[int, int, int, int]  # left, top, right, bottom; may reach beyond the picture


def to_engine(rgb: Pixels) -> Pixels:
    """Colour as an engine takes it: bytes as they are, deeper integers as float32 in 0..1, floats held to that."""
    if rgb.dtype == np.uint8:
        return rgb
    if np.issubdtype(rgb.dtype, np.integer):
        return rgb.astype(np.float32) / np.iinfo(rgb.dtype).max
    seen = np.nan_to_num(rgb[..., :3].astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    return seen if rgb.shape[2] == 3 else np.dstack([seen, rgb[..., 3:]])


def from_engine(painted: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Back from the engine's storage to another."""
    if painted.dtype == dtype:
        return painted
    return (painted * np.iinfo(dtype).max + 0.5).astype(dtype) if np.issubdtype(dtype, np.integer) else painted.astype(dtype)


def held_as(colour: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Colour of any storage in another; integers are 0..1 of their range."""
    if colour.dtype == dtype:
        return colour
    if colour.dtype.kind == "f" and dtype.kind == "f":
        most = float(np.finfo(dtype).max)  # beyond a half's largest there is only infinity, which is for what was infinite
        return np.where(np.isinf(colour), colour, colour.clip(-most, most)).astype(dtype)
    return from_engine(to_engine(colour) if colour.dtype.kind == "f" else unit(colour), dtype)


def unit(colour: Pixels) -> Pixels:
    """Integers as floats in 0..1."""
    return colour.astype(np.float32) / np.iinfo(colour.dtype).max


def with_colour(frame: Frame, rgb: Pixels) -> Frame:
    """The frame with other colour, whose storage its alpha takes on too."""
    alpha = frame.alpha
    if alpha is None:
        return replace(frame, pixels=rgb)
    return replace(frame, pixels=np.dstack([rgb, held_as(alpha[..., np.newaxis], rgb.dtype)]))


def windowed(pixels: Pixels, window: Window) -> Pixels:
    """What lies in a window; where it reaches beyond the picture there is nothing."""
    left, top, right, bottom = window
    shown = np.zeros((bottom - top, right - left, pixels.shape[2]), pixels.dtype)
    height, width = pixels.shape[:2]
    rows, columns = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    if rows.start < rows.stop and columns.start < columns.stop:
        shown[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = pixels[rows, columns]
    return shown


def as_shown(path: Path) -> Pixels:
    """A picture as a screen shows it."""
    with open_reader(path) as reader:
        info, frame = reader.info, next(iter(reader))
    suffix, rgb = path.suffix.lower(), frame.rgb()
    if frame.tags.get("premultiplied") and frame.alpha is not None:
        rgb = unpremultiplied(rgb, frame.alpha)
    return open_colour(AUTO, AUTO, info, suffix, suffix).to_working(rgb)


def is_deep(target: Path, info: ClipInfo, encoding: Encoding) -> bool:
    """Whether a result holds more than 8 bits."""
    if target.suffix.lower() in MOVIES:
        from impasto.media.video import codecs

        return codecs.choose(target, info, encoding).bits > 8
    return target.suffix.lower() == ".exr" or encoding.bits not in ("auto", "8")
