"""The frames around the one that is painted, as the brushes see them, and their paintings; each is made once.

What is kept is the window of `--steady-window` and one result, whatever the clip's length.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from impasto.frame import Frame, Pixels
from impasto.media.flow import carried
from impasto.media.oklab import as_float
from impasto.render.steady import Seen, Steady, Tie, mixed

THOUSANDTHS = 1000  # warp errors are told in these


@dataclass(frozen=True)
class Canvas(Seen):
    """A frame before it is painted."""

    alone: Pixels  # colour without the alpha that is multiplied into it
    whole: Pixels  # the same as a screen shows it; `picture` is what lies between the bars


@dataclass
class Gain:
    """What steadying came to, and what it took."""

    seconds: list[float] = field(default_factory=list)  # of each frame
    shares: list[float] = field(default_factory=list)  # of each frame, that was mixed with neighbours
    before: list[float] = field(default_factory=list)  # warp error to the frame before, of the paintings as they are
    after: list[float] = field(default_factory=list)  # and of those that come out

    def figures(self) -> dict[str, float]:
        """Their means."""
        told = {"seconds": self.seconds, "share": self.shares, "warp_before": self.before, "warp_after": self.after}
        return {name: round(float(np.mean(values)), 4) for name, values in told.items() if values}


class Company:
    """Paints a frame in the company of its neighbours."""

    def __init__(self, steady: Steady, see: Callable[[Frame], Canvas], paint: Callable[[int, Canvas], Pixels]) -> None:
        self.gain = Gain()
        self._steady, self._see, self._paint = steady, see, paint
        self._canvases: dict[int, Canvas] = {}
        self._painted: dict[tuple[int, int], Pixels] = {}  # by layer and number
        self._ties: list[Tie] = []
        self._present = 0
        self._last: tuple[int, Pixels] | None = None  # number and result of the frame before, of the first layer

    def gather(self, frames: Sequence[Frame], number: int) -> Canvas:
        """Take in a frame and its neighbours, and let go of all others; the frame as the brushes see it."""
        self._canvases = {frame.number: self._canvases.get(frame.number) or self._see(frame) for frame in frames}
        self._painted = {key: painted for key, painted in self._painted.items() if key[1] in self._canvases}
        began = perf_counter()
        self._ties = self._steady.ties(list(self._canvases.values()), number)
        self.gain.seconds.append(perf_counter() - began)
        self._present = number
        return self._canvases[number]

    def painted(self, layer: int) -> Pixels:
        """The present frame's painting by one layer, steadied by those around it."""
        numbers = sorted({self._present, *(tie.number for tie in self._ties)})
        found = {number: self._one(layer, number) for number in numbers}
        began = perf_counter()
        result = mixed(found[self._present], [(found[tie.number], tie) for tie in self._ties])
        self.gain.seconds[-1] += perf_counter() - began
        if layer == 0:
            self._weigh(found, result)
        return result

    def _one(self, layer: int, number: int) -> Pixels:
        if (layer, number) not in self._painted:
            self._painted[layer, number] = self._paint(layer, self._canvases[number])
        return self._painted[layer, number]

    def _weigh(self, found: dict[int, Pixels], result: Pixels) -> None:
        """Note how steady the frame is against the one before, with and without its company."""
        weights = [tie.weight for tie in self._ties]
        self.gain.shares.append(float((np.sum(weights, axis=0) > 0).mean()) if weights else 0.0)
        before = next((tie for tie in self._ties if tie.number < self._present), None)
        if before is not None and self._last is not None and self._last[0] == before.number:
            self.gain.before.append(_apart(found[self._present], found[before.number], before))
            self.gain.after.append(_apart(result, self._last[1], before))
        self._last = self._present, result


def _apart(now: Pixels, before: Pixels, tie: Tie) -> float:
    """Warp error, in thousandths, where the two are tied."""
    moved: Any = carried(as_float(before), tie.flow)
    square = np.square(as_float(now) - moved).mean(axis=-1)
    return THOUSANDTHS * float((square * tie.weight).sum() / tie.weight.sum())
