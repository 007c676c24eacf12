"""Pictures too large to be held: read, painted and written in bands of rows, with the very values of one painted whole.

A generator sees no further than its receptive field, so a band is painted with a halo of rows above and below it, as a tile is.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Pixels
from impasto.render.tiles import free_memory, halo_px, spans

GIB = 1 << 30
# What is beyond one of these is painted in bands, however much memory is free. An 8K frame of floats with alpha is not.
MOST_WHOLE_PIXELS, MOST_WHOLE_BYTES = 1 << 26, 3 << 30
BAND_PIXELS = 1 << 23  # of a band without its halo
HELD = 3.0  # times a picture is held while it is painted whole: as read, painted, and on the way between
FLOATS = 2 * 3 * 4  # bytes per pixel of what engines take and give where there are more than 8 bits


class RowReader(Protocol):
    """What can be read by rows."""

    info: ClipInfo
    tags: dict[str, Any]  # of the frame

    def rows(self, top: int, bottom: int) -> Pixels:
        """Rows [top,bottom) of the picture."""


class RowWriter(Protocol):
    """What can be written by rows, from the top."""

    def write_rows(self, pixels: Pixels, tags: dict[str, Any]) -> None:
        """Take the next rows."""


def memory_needed(info: ClipInfo) -> int:
    """How many bytes it takes to hold a picture while it is painted whole, the engine's own memory left aside."""
    size = np.dtype(info.depth).itemsize * info.channels
    return int(info.width * info.height * (size * HELD + (FLOATS if info.depth != "uint8" else 0)))


def needs_regions(info: ClipInfo) -> bool:
    """Whether a picture is too large to be held: in half of the memory that is free, or at all."""
    return info.width * info.height > MOST_WHOLE_PIXELS or memory_needed(info) > min(free_memory() // 2, MOST_WHOLE_BYTES)


def check_fits(info: ClipInfo, by_rows: bool, path: Path) -> None:
    """Refuse a picture that can neither be held nor be read by rows, and say what it would take."""
    needed, free = memory_needed(info), free_memory()
    if needed > free and not by_rows:
        told = f"needs about {needed / GIB:.1f} GiB of memory, and {free / GIB:.1f} are free"
        raise MediaError(f"is {info.width}x{info.height} pixels and {told}: save it as TIFF or EXR, which are read by rows", path)


def paint_by_rows(
    reader: RowReader,
    writer: RowWriter,
    paint: Callable[[Pixels], Pixels],
    stride: int,
    receptive_field: int,
    band: int = 0,
) -> Iterator[int]:
    """Paint a picture band by band, yielding how many rows are done; `paint` takes and gives [rows,W,C].

    A `band` has so many rows (0: as fit).

    Every row is read once, from the top down: going back would unpack a file's strips anew.
    """
    height, width = reader.info.height, reader.info.width
    halo = halo_px(stride, receptive_field)
    window, bands = spans(height, max(stride, band or BAND_PIXELS // width), halo, stride)
    rows, top = reader.rows(0, min(window, height)), 0
    for start, keep in bands:
        bottom = top + len(rows)
        if start > top:
            rows = np.concatenate([rows[start - top :], reader.rows(bottom, min(start + window, height))])
            top = start
        writer.write_rows(np.ascontiguousarray(paint(rows)[keep.start - start : keep.stop - start]), reader.tags)
        yield keep.stop
