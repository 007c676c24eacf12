"""Where pixels lie: data and display windows, as an EXR has them, and how what goes along with a shot is laid over it.

Whatever is laid over a shot shows what the shot shows: the two display windows lie upon each other, wherever each begins. The
data windows may be smaller, larger or move, each for itself. A file without windows shows all there is.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from impasto.frame import ClipInfo, Pixels

Area = tuple[int, int, int, int]  # left, top, right, bottom; the last two are within, as in an EXR's windows
MOST_UNLIKE = 0.01  # that two aspects may be and still count as one


@dataclass(frozen=True)
class Windows:
    """Where a frame has pixels, and what of them is shown."""

    data: Area
    shown: Area

    @classmethod
    def of(cls, info: ClipInfo, tags: dict[str, Any] | None = None) -> Self:
        """Those of a frame with these tags, or of its clip; a file that has none shows all there is, from 0 on."""
        told, all_there_is = info.tags | (tags or {}), (0, 0, info.width - 1, info.height - 1)
        return cls(told.get("data_window") or all_there_is, told.get("display_window") or all_there_is)


def lying_on(own: Windows, shot: Windows) -> Area:
    """Where the data lies in the shot's space if both show the same, in whole pixels of the shot.

    Of a picture that shows all there is in the very size of the shot's data, not of its display, it is the shot's data window.
    """
    if own.data == own.shown and extent(own.data) == extent(shot.data) != extent(shot.shown):
        return shot.data
    begins, ends = [], []
    for side in (0, 1):
        times = extent(shot.shown)[side] / extent(own.shown)[side]
        begins.append(shot.shown[side] + round((own.data[side] - own.shown[side]) * times))
        ends.append(shot.shown[side] + round((own.data[side + 2] + 1 - own.shown[side]) * times) - 1)
    return begins[0], begins[1], max(ends[0], begins[0]), max(ends[1], begins[1])


def fits(own: Windows, shot: Windows) -> bool:
    """Whether a picture can be laid over a shot: what it shows has the shot's shape, or it has the size of the shot's data."""
    whole = own.data == own.shown and extent(own.data) == extent(shot.data)
    return whole or same_aspect(extent(own.shown), extent(shot.shown))


def place(plane: Pixels, area: Area, onto: Area) -> Pixels:
    """What [H,W] or [H,W,n] over one area is over another: 0 beyond its own; the same area gets it as it is."""
    if area == onto:
        return plane
    width, height = extent(onto)
    placed = np.zeros((height, width, *plane.shape[2:]), plane.dtype)
    left, top = max(area[0], onto[0]), max(area[1], onto[1])
    right, bottom = min(area[2], onto[2]) + 1, min(area[3], onto[3]) + 1
    if left < right and top < bottom:
        there = plane[top - area[1] : bottom - area[1], left - area[0] : right - area[0]]
        placed[top - onto[1] : bottom - onto[1], left - onto[0] : right - onto[0]] = there
    return placed


def extent(area: Area) -> tuple[int, int]:
    """Width and height of an area."""
    return area[2] + 1 - area[0], area[3] + 1 - area[1]


def same_aspect(one: tuple[int, int], two: tuple[int, int]) -> bool:
    """Whether two sizes (width, height) are of one shape, but for rounding to whole pixels."""
    ratio = one[0] * two[1] / (one[1] * two[0])
    rounding = 1 / min(*one, *two)
    return abs(ratio - 1) <= max(MOST_UNLIKE, rounding)
