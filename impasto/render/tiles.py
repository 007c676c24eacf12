"""Exact tiles: a big picture painted in pieces that equals the picture painted whole, in every 8-bit value.

A generator sees no further than its receptive field. So a window is painted that is larger than the piece wanted from it by a
halo of half that field, and the piece is cut from its middle. Windows begin at multiples of the stride, lie inside the
picture, so that its true border is where the generator meets a border, and have one size, so that an engine prepares once.
An engine on several devices paints as many windows at the same time.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from math import ceil, isqrt
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from impasto.engine import Engine
from impasto.errors import EngineError, InputError
from impasto.frame import Pixels
from impasto.render.belt import abreast

SMALLEST_TILE_PX = 16
MOST_MEMORY = 384 << 20  # bytes; larger windows paint a tenth faster at best, and 4K is to fit into 1.5 GB in all
MEMORY_IF_UNKNOWN = 1 << 30
TEST_TILE_PX = 32
BOUND_STEPS = 1.0  # in 1/255: what a tiled picture may differ from the whole one
_verdicts: WeakKeyDictionary[Engine, dict[tuple[int, int, str], float]] = WeakKeyDictionary()


class Span(NamedTuple):
    """One window along one axis: where it starts, and which pixels of the picture are taken from it."""

    start: int
    keep: slice


def paint_whole_or_tiled(engine: Engine, pixels: Pixels, tile: int | str, stride: int, receptive_field: int) -> Pixels:
    """Paint one picture [H,W,C]. `tile` is auto (whole if memory allows), off, or the side of a tile in pixels.

    The answer is [H,W,3], or a whole number of times larger where the generator enlarges.
    """
    halo = halo_px(stride, receptive_field)
    side = tile_px(engine, pixels, tile, halo)
    if side == 0 or max(pixels.shape[:2]) <= side:
        return _one(engine, pixels)
    self_test(engine, stride, receptive_field, str(pixels.dtype), pixels.shape[2])
    return _tiled(engine, pixels, side, halo, stride)


def halo_px(stride: int, receptive_field: int) -> int:
    """How far around a tile the picture must be known: half the receptive field, rounded up to the stride."""
    return ceil(receptive_field / 2 / stride) * stride


def tile_px(engine: Engine, pixels: Pixels, tile: int | str, halo: int) -> int:
    """The side of the tiles for this picture in pixels; 0: paint it whole."""
    if tile == "off":
        return 0
    if tile != "auto":
        if not str(tile).isdecimal() or int(tile) < SMALLEST_TILE_PX:
            raise InputError(f"tile is '{tile}': give auto, off or a size in pixels, {SMALLEST_TILE_PX} or more")
        return int(tile)
    affordable = min(free_memory() // 2, MOST_MEMORY) / engine.bytes_per_pixel
    height, width = pixels.shape[:2]
    if height * width <= affordable:
        return 0
    return max(isqrt(int(affordable / engine.at_once)) - 2 * halo, SMALLEST_TILE_PX)  # as many are held as are painted at once


def self_test(engine: Engine, stride: int, receptive_field: int, dtype: str = "uint8", channels: int = 3) -> float:
    """How far tiles are from the whole with this engine, in 1/255: 0 when all values are equal. Asked once per engine.

    An engine may add up in another order in windows of another size; more than 1/255 from that means a wrong receptive field.
    """
    known = _verdicts.setdefault(engine, {})
    key = (stride, receptive_field, dtype)
    if key not in known:
        halo = halo_px(stride, receptive_field)
        side = 2 * (halo + TEST_TILE_PX) - 1  # two windows each way, and an edge that is no multiple of the stride
        picture = np.random.default_rng(0).integers(0, 256, (side, side, channels), dtype=np.uint8)
        picture = picture if dtype == "uint8" else (picture / 255).astype(dtype)
        tiled = _tiled(engine, picture, TEST_TILE_PX, halo, stride)
        known[key] = float(np.abs(_one(engine, picture).astype(np.float64) - tiled).max()) * (1 if dtype == "uint8" else 255)
    steps = known[key]
    if not steps <= BOUND_STEPS:
        raise EngineError(f"tiles differ from the whole picture by {steps:.1f}/255: paint it whole with --tile off", engine.name)
    return steps


def spans(length: int, side: int, halo: int, stride: int) -> tuple[int, list[Span]]:
    """Cut one axis into windows of one size, no larger than `side` and two halos: that size, and the windows."""
    padded = ceil(length / stride) * stride
    side = ceil(side / stride) * stride
    if padded <= side + 2 * halo:
        return padded, [Span(0, slice(0, length))]
    count = ceil((padded - 2 * halo) / side)
    step = ceil((padded - 2 * halo) / count / stride) * stride  # even shares: no window much emptier than the others
    window = step + 2 * halo
    starts = [min(i * step, padded - window) for i in range(count)]
    ends = [start + window - halo for start in starts[:-1]] + [length]
    return window, [Span(*pair) for pair in zip(starts, map(slice, [0, *ends[:-1]], ends), strict=True)]


def _tiled(engine: Engine, pixels: Pixels, side: int, halo: int, stride: int) -> Pixels:
    def paint(each: tuple[Span, Span, Pixels]) -> tuple[Span, Span, int, Pixels]:
        row, column, window = each
        tile = _one(engine, window)
        return row, column, tile.shape[0] // window.shape[0], tile

    painted: Pixels | None = None
    for (top, rows), (left, columns), scale, tile in abreast(paint, _windows(pixels, side, halo, stride), engine.at_once):
        if painted is None:
            painted = np.empty((pixels.shape[0] * scale, pixels.shape[1] * scale, 3), tile.dtype)
        kept = tile[_larger(rows, scale, top), _larger(columns, scale, left)]
        painted[_larger(rows, scale), _larger(columns, scale)] = kept
    assert painted is not None, "a picture has at least one window"
    return painted


def _larger(part: slice, scale: int, start: int = 0) -> slice:
    """Where a part of the picture, told from `start` on, lies in one that is larger."""
    return slice((part.start - start) * scale, (part.stop - start) * scale)


def _one(engine: Engine, pixels: Pixels) -> Pixels:
    painted: Pixels = engine.paint(pixels[None])[0]
    return painted


def _windows(pixels: Pixels, side: int, halo: int, stride: int) -> Iterator[tuple[Span, Span, Pixels]]:
    height, down = spans(pixels.shape[0], side, halo, stride)
    width, across = spans(pixels.shape[1], side, halo, stride)
    for row in down:
        for column in across:
            yield row, column, pixels[row.start : row.start + height, column.start : column.start + width]


def free_memory() -> int:
    """Bytes that may be taken without harm, as far as the system tells."""
    free = MEMORY_IF_UNKNOWN
    with suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) << 10
    with suppress(OSError, ValueError):  # a container's own limit, where there is one
        group = Path("/sys/fs/cgroup")
        limit, used = ((group / name).read_text() for name in ("memory.max", "memory.current"))
        free = min(free, int(limit) - int(used))
    return max(free, 0)
