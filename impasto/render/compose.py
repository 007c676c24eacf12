"""Paintings over a picture through mattes, and the window that is worth painting.

Only colour is mixed, so multiplied with alpha or not makes no difference; what a matte leaves out keeps its very bits.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.frame import Pixels


class Window(NamedTuple):
    """A part of a picture: picture[window] is it."""

    rows: slice
    columns: slice


def compose(source: Pixels, layers: Sequence[tuple[Pixels, NDArray[np.float32]]]) -> Pixels:
    """Lay paintings [H,W,C] over the source in order, each through its matte [H,W]; no paint gives the source itself."""
    result = source
    for painted, matte in layers:
        window = bounds(matte)
        if window is None:
            continue
        result = result.copy() if result is source else result
        result[window] = _over(result[window], painted[window], matte[window])
    return result


def bounds(matte: NDArray[np.float32], halo: int = 0, stride: int = 1) -> Window | None:
    """The smallest window that, painted alone, equals the painting of the whole wherever the matte is not 0; None: it is nowhere.

    It starts at multiples of the stride and ends at one or at the picture's edge, as the windows of tiles.py do.
    """
    rows, columns = (np.flatnonzero(matte.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return None
    spans = [_span(used, length, halo, stride) for used, length in zip((rows, columns), matte.shape, strict=True)]
    return Window(*spans)


def paint_within(paint: Callable[[Pixels], Pixels], rgb: Pixels, window: Window) -> Pixels:
    """The picture with only this window painted; what lies outside it is the picture's own."""
    if rgb[window].shape == rgb.shape:
        return paint(rgb)
    result = rgb.copy()
    result[window] = paint(np.ascontiguousarray(rgb[window]))
    return result


def _span(used: NDArray[np.intp], length: int, halo: int, stride: int) -> slice:
    start = max(int(used[0]) - halo, 0) // stride * stride
    end = -(-(int(used[-1]) + 1 + halo) // stride) * stride
    return slice(start, min(end, length))


def _over(below: Pixels, painted: Pixels, matte: NDArray[np.float32]) -> Pixels:
    share = matte[..., np.newaxis]
    with np.errstate(invalid="ignore", over="ignore"):  # an infinity times 0 is none of these where the matte is 0 or 1
        mixed = below.astype(np.float32) * (1 - share) + painted.astype(np.float32) * share
        if np.issubdtype(below.dtype, np.integer):
            return (mixed + 0.5).astype(below.dtype)  # never beyond both, and exact at 0 and 1
        mixed = mixed.astype(below.dtype)
    return np.where(share == 0, below, np.where(share == 1, painted, mixed))
