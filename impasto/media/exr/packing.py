"""Planes of numbers into the packed chunks of an EXR, bit by bit as they are.

OpenImageIO packs, but takes one type of number for all channels. Where types are mixed, and where it makes no difference, the
bytes of a row are given to it as one wide channel of halves: these compressions see bytes and no numbers. PIZ sees numbers.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from impasto.errors import MediaError
from impasto.frame import Pixels
from impasto.media.exr.container import KINDS, read_layout

OF_BYTES = ("none", "rle", "zips", "zip")
OIIO_NAMES = dict(zip(KINDS, ("uint", "half", "float"), strict=True))


def lossless(compression: str, kinds: Sequence[str]) -> str:
    """The compression to write with: the source's own where it gives back every bit of such channels, else zip."""
    return compression if compression in OF_BYTES or (compression == "piz" and len(set(kinds)) == 1) else "zip"


def pack(planes: Sequence[Pixels], compression: str, tile: tuple[int, int] | None, scratch: Path) -> list[bytes]:
    """Sizes and packed pixels of the chunks that hold these rows, left to right; planes [rows,W] in the file's order."""
    height, width = planes[0].shape
    if compression in OF_BYTES:
        edges = [*range(0, width, tile[0] if tile else width), width]
        stripes = [plane[:, left:right] for left, right in pairwise(edges) for plane in planes]
        rows = np.concatenate([np.ascontiguousarray(stripe).view(np.uint16) for stripe in stripes], axis=1)
        wider = rows.shape[1] // width
        array, kind = rows.view(np.float16)[..., np.newaxis], "half"
    else:
        wider, array, kind = 1, np.stack(planes, axis=2), OIIO_NAMES[str(planes[0].dtype)]
    spec = oiio.ImageSpec(array.shape[1], height, array.shape[2], kind)
    spec.channelnames = tuple(f"c{index:06d}" for index in range(array.shape[2]))
    spec.attribute("compression", compression)
    if tile:
        spec.tile_width, spec.tile_height, spec.tile_depth = tile[0] * wider, tile[1], 1
    _write(scratch, spec, array)
    layout = read_layout(scratch)
    with scratch.open("rb") as file:
        return [body for chunk in layout.chunks(file, 0) if chunk for body in chunk[1:]]


def _write(scratch: Path, spec: oiio.ImageSpec, array: Pixels) -> None:
    output = oiio.ImageOutput.create(str(scratch))
    if output is None or not output.open(str(scratch), spec):
        raise MediaError(f"cannot be packed ({complaint(oiio if output is None else output)})", scratch)
    done = output.write_image(array)
    fault = "" if done else complaint(output)
    if not (output.close() and done):
        raise MediaError(f"cannot be written ({fault or complaint(output)}): is the disk full?", scratch)


def complaint(library: Any) -> str:
    """What OpenImageIO, or one of its objects, complains of, short; its words may quote a damaged file's bytes."""
    try:
        message: str = library.geterror().strip()
    except UnicodeDecodeError:
        message = "its header is no text"
    return re.sub(r"^EXR Error \(.*?\): ", "", message.splitlines()[0])[:300] if message else "no reason given"
