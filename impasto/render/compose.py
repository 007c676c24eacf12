"""Paintings over a picture through mattes: mattes softened; paint laid through them; the window worth painting.

Only colour is mixed, so multiplied with alpha or not makes no difference; what a matte leaves out keeps its very bits.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.frame import Pixels
from impasto.media.windows import Area

SNAP = 2.0**-17  # half a step of 16 bits: what a blur leaves of a plain 0 or 1 is one again
REACH = 1.5  # times the feather: how far it looks
SIZES_PX = 32  # windows are multiples of about this


class Window(NamedTuple):
    """A part of a picture: picture[window] is it."""

    rows: slice
    columns: slice


def compose(source: Pixels, layers: Sequence[tuple[Pixels, NDArray[np.float32]]]) -> Pixels:
    """Lay paintings [H,W,C] over the source in order, each through its matte [H,W]; no paint gives the source itself."""
    result = source
    for painted, matte in layers:
        used = _used(matte)
        if used is None:
            continue
        result = result.copy() if result is source else result
        result[used] = _over(result[used], painted[used], matte[used])
    return result


def finish(plane: NDArray[np.float32], invert: bool, feather_px: float) -> NDArray[np.float32]:
    """A matte as it is wanted: within 0..1, inverted, its edge softened by a Gaussian that reaches about feather_px far."""
    plane = np.nan_to_num(plane, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    if invert:
        plane = 1 - plane
    if feather_px > 0:
        side = 2 * ceil(REACH * feather_px) + 1
        plane = cv2.GaussianBlur(plane, (side, side), feather_px / 2, borderType=cv2.BORDER_REPLICATE).astype(np.float32)
        plane[plane < SNAP] = 0
        plane[plane > 1 - SNAP] = 1
    return plane


def around(data: Area, shown: Area, feather_px: float) -> Area:
    """A data window and what a feather sees around it of what is shown, so that a window that moves takes no part in it."""
    reach, (left, top, right, bottom) = ceil(REACH * feather_px), data
    return (
        max(left - reach, min(left, shown[0])),
        max(top - reach, min(top, shown[1])),
        min(right + reach, max(right, shown[2])),
        min(bottom + reach, max(bottom, shown[3])),
    )


def bounds(matte: NDArray[np.float32], halo: int, stride: int) -> Window | None:
    """A small window that, painted alone, equals the painting of the whole wherever the matte is not 0; None: it is nowhere.

    It starts at multiples of the stride and ends at one or at the picture's edge, as the windows of tiles.py do. Its size is
    rounded up, for an engine prepares itself for each size anew, and things move.
    """
    used = _used(matte)
    if used is None:
        return None
    return Window(*(_span(part, length, halo, stride) for part, length in zip(used, matte.shape, strict=True)))


def paint_within(paint: Callable[[Pixels], Pixels], rgb: Pixels, window: Window) -> Pixels:
    """The picture with only this window painted; what lies outside it is the picture's own. Guides may follow its colour."""
    if rgb[window].shape == rgb.shape:
        return paint(rgb)
    result = rgb[..., :3].copy()
    result[window] = paint(np.ascontiguousarray(rgb[window]))
    return result


def _used(matte: NDArray[np.float32]) -> Window | None:
    rows, columns = (np.flatnonzero(matte.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return None
    return Window(*(slice(int(used[0]), int(used[-1]) + 1) for used in (rows, columns)))


def _span(used: slice, length: int, halo: int, stride: int) -> slice:
    start = max(used.start - halo, 0) // stride * stride
    step = ceil(SIZES_PX / stride) * stride
    size = ceil((min(used.stop + halo, length) - start) / step) * step
    if start + size <= length:
        return slice(start, start + size)
    return slice(max(length - size, 0) // stride * stride, length)


def _over(below: Pixels, painted: Pixels, matte: NDArray[np.float32]) -> Pixels:
    share = matte[..., np.newaxis]
    if share.min() == 1:
        return painted
    with np.errstate(invalid="ignore", over="ignore"):  # an infinity times 0 is none of these where the matte is 0 or 1
        mixed = below.astype(np.float32) * (1 - share) + painted.astype(np.float32) * share
        if np.issubdtype(below.dtype, np.integer):
            return (mixed + 0.5).astype(below.dtype)  # never beyond both, and exact at 0 and 1
        mixed = mixed.astype(below.dtype)
    return np.where(share == 0, below, np.where(share == 1, painted, mixed))
