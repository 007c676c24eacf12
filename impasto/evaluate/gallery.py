"""What is kept of a shot to be shown: the worst frames of every figure, and where in the picture each figure is bad on average.

Kept while frames stream by, so nothing has to be read twice; pictures are kept small, and a few of each figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.evaluate.figures import ROOMS, excess
from impasto.evaluate.where import THOUSANDTHS
from impasto.media.flow import Plane

Bytes = NDArray[np.uint8]  # [H,W,3]
Pair = tuple[Plane, Plane]  # source, painting
WATCHED = {
    "moving": ("flicker", "detail", "warp_short", "warp_long", "flicker_power", "sticking"),
    "picture": ("structure", "content", "style", "alien"),
}
EACH = 2  # worst frames of a figure
APART = 4  # frames; nearer ones show the same
SHOWN_PX, MAP_PX = 640, 320  # long sides of what is kept
CHANGE_GAIN = 5  # what changed is shown so many times stronger


@dataclass(frozen=True)
class Worst:
    """A frame that is among the worst in one figure."""

    frame: str
    place: int  # in the shot
    room: str
    name: str
    excess: float
    value: float
    source: Bytes
    output: Bytes
    difference: Bytes  # of a shot to the frame before, moved along the motion; of a picture to the source
    where: Plane | None  # [h,w]

    def severity(self, usual: float) -> float:
        """How bad it is beside what is plainly seen; a look changes every picture, so there only what is unusual counts."""
        return (self.excess - (usual if self.room == "picture" else 0)) / ROOMS[self.room][self.name].bad


@dataclass(frozen=True)
class Moment:
    """A frame as it passes."""

    frame: str
    place: int
    pair: Pair
    where: Plane | None
    changed: Plane | None  # to the frame before, where that is what counts

    def as_worst(self, room: str, name: str, much: float, value: float) -> Worst:
        """It as it is kept."""
        source, output = self.pair
        difference = np.abs(output - source)
        if self.changed is not None:
            strength = CHANGE_GAIN * np.sqrt(np.nan_to_num(self.changed) / THOUSANDTHS)
            difference = np.asarray(np.repeat(strength[..., None], 3, -1), np.float32)
        kept = None if self.where is None else shrunk(self.where, MAP_PX)
        shown = small(source), small(output), small(difference)
        return Worst(self.frame, self.place, room, name, much, value, *shown, where=kept)


class Gallery:
    """The worst frames of a shot, and its mean maps."""

    def __init__(self) -> None:
        self._worst: dict[tuple[str, str], list[Worst]] = {}
        self._excesses: dict[tuple[str, str], list[float]] = {}
        self._sums: dict[str, Plane] = {}
        self._counts: dict[str, Plane] = {}
        self._taken = 0
        self.middle: Bytes | None = None

    def take(self, row: Mapping[str, Any], pair: Pair, where: Mapping[str, Plane], changed: Plane | None) -> None:
        """The next frame: its figures, source and painting, its maps, and what changed in it."""
        for room, names in WATCHED.items():
            for name in names:
                much = excess(room, name, row.get(room, {}))
                if much is None:
                    continue
                self._excesses.setdefault((room, name), []).append(much)
                if self._is_worse((room, name), much):
                    moment = Moment(row["frame"], self._taken, pair, where.get(name), changed if room == "moving" else None)
                    self._keep(moment.as_worst(room, name, much, row[room][name]))
        for name, plane in where.items():
            self._add(name, plane)
        if self._taken & (self._taken - 1) == 0:  # 0, 1, 2, 4 ...: a frame from the midst, without knowing the end
            self.middle = small(pair[0])
        self._taken += 1

    def maps(self) -> dict[str, Plane]:
        """The mean map of each figure; NaN where nothing was ever judged."""
        return {name: _mean(total, self._counts[name]) for name, total in self._sums.items()}

    def worst(self) -> list[Worst]:
        """The worst frame of each figure, the worst first; then the second ones. A frame is there once, for its worst figure."""
        usual = {figure: float(np.mean(many)) for figure, many in self._excesses.items()}
        found: dict[str, Worst] = {}
        for part in (slice(1), slice(1, None)):
            some = [one for ones in self._worst.values() for one in ones[part]]
            for one in sorted(some, key=lambda one: -one.severity(usual[one.room, one.name])):
                found.setdefault(one.frame, one)
        return list(found.values())

    def _is_worse(self, figure: tuple[str, str], much: float) -> bool:
        kept = self._worst.get(figure, [])
        return len(kept) < EACH or much > kept[-1].excess

    def _keep(self, one: Worst) -> None:
        kept = self._worst.setdefault((one.room, one.name), [])
        near = [other for other in kept if abs(other.place - one.place) < APART]
        if any(other.excess >= one.excess for other in near):
            return
        kept[:] = sorted([other for other in kept if other not in near] + [one], key=lambda each: -each.excess)[:EACH]

    def _add(self, name: str, plane: Plane) -> None:
        total, count = _parts(plane, MAP_PX)
        self._sums[name] = self._sums.get(name, 0) + total
        self._counts[name] = self._counts.get(name, 0) + count


def shrunk(plane: Plane, px: int) -> Plane:
    """A map at most so long; its pixels are the means of what they cover and is judged."""
    return _mean(*_parts(plane, px))


def _parts(plane: Plane, px: int) -> tuple[Plane, Plane]:
    known = np.isfinite(plane)
    return _fit(np.where(known, plane, 0).astype(np.float32), px), _fit(known.astype(np.float32), px)


def _mean(total: Plane, count: Plane) -> Plane:
    return np.where(count > 0, total / np.maximum(count, 1e-6), np.nan).astype(np.float32)


def small(picture: Plane, px: int = SHOWN_PX) -> Bytes:
    """A picture as it is shown on a page."""
    return np.asarray(np.rint(_fit(picture, px).clip(0, 1) * 255), np.uint8)


def _fit(picture: Plane, px: int) -> Plane:
    height, width = picture.shape[:2]
    scale = min(1.0, px / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return picture if scale == 1 else np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
