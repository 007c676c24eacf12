"""Whether the edges and the straight lines of a picture are still there, and no others.

Both are free of tone, contrast and sign: an edge is where lightness changes most, for either picture by its own measure. Pictures
come as their lightness [H,W] (likeness.py), which is dear to work out.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.media.flow import Mask, Plane

EDGE_PX = 1.5  # blur under which edges are looked for: the finest strokes are none
STRONGEST, WEAKEST = 92, 80  # percentiles of the slope: edges begin above the one and go on above the other
NEAR_PX = 2.0  # so far an edge may lie from where it was
LONG_SHARE = 1 / 20  # of the long side; what is shorter is no line
DIRECTIONS = 18  # that lines are sorted into; a line may turn to the next one, by 10 to 20 degrees
LEAST_SLOPE = 40.0  # 1% of lightness from one side of an edge to the other: no eye sees less
Lines = NDArray[np.float32]  # [n,4]: x and y of both ends


def edges(source: Plane, output: Plane) -> float | None:
    """How far the edges of two pictures are the same: 1 all of them, 0 as few as chance brings. None: the source has none.

    The harmonic mean of two shares, each less what chance would bring: of the painting's edges that lie on the source's, and
    of the source's that lie on one of the painting's.
    """
    theirs, ours = _edges(source), _edges(output)
    if not theirs.any():
        return None
    if not ours.any():
        return 0.0
    right, kept = _beyond_chance(ours, theirs), _beyond_chance(theirs, ours)
    return 2 * right * kept / (right + kept) if right > 0 and kept > 0 else 0.0


def lines(source: Plane, output: Plane) -> float | None:
    """The share of the source's straight lines that the painting still draws there and that way. None: the source has none."""
    shortest = max(source.shape) * LONG_SHARE
    theirs = _lines(source, shortest)
    if not len(theirs):
        return None
    drawn = _drawn(_lines(output, shortest / 2), output.shape)  # strokes break a line: halves of it will do
    places, direction = _sampled(theirs)
    column, row = (np.rint(at).astype(int).clip(0, side - 1) for at, side in zip(places.T, source.shape[::-1], strict=True))
    beside = [(direction + turned) % DIRECTIONS for turned in (-1, 0, 1)]
    return float(np.max([drawn[each, row, column] for each in beside], 0).mean())


def _edges(lightness: Plane) -> Mask:
    smooth = cv2.GaussianBlur(lightness, (0, 0), EDGE_PX)
    across, down = (np.rint(cv2.Sobel(smooth, cv2.CV_32F, *way) * 4096).clip(-32767, 32767) for way in ((1, 0), (0, 1)))
    weak, strong = np.percentile(np.abs(across) + np.abs(down), (WEAKEST, STRONGEST))  # the slope as Canny measures it
    low, high = (max(float(slope), LEAST_SLOPE) for slope in (weak, strong))
    return np.asarray(cv2.Canny(across.astype(np.int16), down.astype(np.int16), low, high)) > 0


def _beyond_chance(these: Mask, those: Mask) -> float:
    """The share of these edges that lie near one of those, less chance: 0 where no more do than would anywhere."""
    near = cv2.distanceTransform((~those).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= NEAR_PX
    chance = float(near.mean())
    return (float(near[these].mean()) - chance) / max(1 - chance, 1e-6)


def _lines(lightness: Plane, shortest: float) -> Lines:
    smooth = cv2.GaussianBlur(lightness, (0, 0), 1.0)
    low, high = float(smooth.min()), float(smooth.max())
    as_bytes = np.rint((smooth - low) * (255 / max(high - low, 0.02))).astype(np.uint8)
    found = cv2.createLineSegmentDetector().detect(as_bytes)[0]
    lines = np.zeros((0, 4), np.float32) if found is None else np.asarray(found, np.float32).reshape(-1, 4)
    long = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]) >= shortest
    return np.asarray(lines[long], np.float32)


def _sampled(lines: Lines) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Places along all lines, about a pixel apart [n,2], and the direction of each one's line [n]."""
    starts, ends = lines[:, :2], lines[:, 2:]
    counts = np.ceil(np.hypot(*(ends - starts).T)).astype(int) + 1
    which = np.repeat(np.arange(len(lines)), counts)
    way = np.concatenate([np.linspace(0, 1, count, dtype=np.float32) for count in counts])[:, None]
    return starts[which] + way * (ends - starts)[which], _direction(lines)[which]


def _direction(lines: Lines) -> NDArray[np.int64]:
    angles = np.arctan2(lines[:, 3] - lines[:, 1], lines[:, 2] - lines[:, 0]) % np.pi
    return np.asarray(angles / np.pi * DIRECTIONS, np.int64) % DIRECTIONS


def _drawn(lines: Lines, size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Where lines of each direction pass [DIRECTIONS,H,W]."""
    planes = np.zeros((DIRECTIONS, *size), np.uint8)
    for ends, direction in zip(np.rint(lines).astype(int).tolist(), _direction(lines), strict=True):
        cv2.line(planes[direction], ends[:2], ends[2:], 1, round(2 * NEAR_PX + 1))
    return planes
