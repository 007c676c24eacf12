"""How steady a painted shot is, frame by frame: does the paint move with the picture, and does it flicker?

    watch = Steadiness()
    rows = [watch.take(source, painted) for source, painted in frames]   # [H,W,3] float32 in 0..1, in order
    summary(rows)

Motion is the source's (media/flow.py). Every figure of the painting stands beside the same figure of the source: film has grain,
water and cuts of its own, for which no painting is to blame. A figure that a frame cannot give (the first has no frame before it;
across a cut nothing can be followed) is missing from its row. docs/evaluating.md says what each figure means.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce

import numpy as np

from impasto.evaluate import where
from impasto.media.flow import Mask, Plane, Step, end_point_error, follow, joined

LONG = 8  # frames between the two of the long warp error
LEAST_FOLLOWED = 0.15  # of the picture; less is a cut
LEAST_PLACES = 0.01  # of the picture that must be still, or fast, for a figure of still or fast places
STILL_PX, STILL_CHANGE = 0.2, 2 / 255  # the source is still where it moves no more than this and its smooth part changes no more
FAST_PX = 2.0  # fine detail that moves so far no longer covers itself
QUIET = 1e-6  # rounding's share in the variance of a smooth picture: below it no source can be told from a still one
NO_DETAIL = 1e-10  # variance of fine detail in a source that has none
Row = dict[str, float]
Way = Callable[[Plane, Plane, Step], Plane]
AGAINST = ("detail", "flicker")  # the painting's own figure over the source's


class Steadiness:
    """Watches a shot and its painting frame by frame; nothing older than the long warp error needs is kept."""

    def __init__(self, given: bool = False, maps: bool = False) -> None:
        """`given`: every step's motion is handed over, or it has none; `maps`: say where in the frame each figure is bad."""
        self._source: deque[Plane] = deque(maxlen=LONG + 1)
        self._output: deque[Plane] = deque(maxlen=LONG + 1)
        self._steps: deque[Step | None] = deque(maxlen=LONG)
        self._given, self._mapped = given, maps
        self.where: dict[str, Plane] = {}  # of the last frame: [H,W] how much worse than the source, NaN where nothing is judged
        self.changed: Plane | None = None  # of the last frame's painting: [H,W] its warp error over one frame

    def take(self, source: Plane, output: Plane, step: Step | None = None) -> Row:
        """The next frame and its painting; what can be said of them."""
        self._source.append(source)
        self._output.append(output)
        self.where, self.changed = {}, None
        if len(self._source) < 2:
            return {}
        near = step if self._given else _followed(source, self._source[-2])
        self._steps.append(near)
        far, before = self._far(), self._steps[-2] if len(self._steps) > 1 else None
        row: Row = {}
        if near:
            row |= self._judged(near)
            row |= _against_found(self._source, self._output, near) if self._given else {}
        if far:
            row |= self._both("warp_long", where.warped, far, 0)
        if near and before:
            row |= self._at_rest(near, before)
        row |= self._sticking(near, far)
        return row | _against(row)

    def _far(self) -> Step | None:
        """From this frame to the eighth before it; of known motion, its steps one after the other."""
        if len(self._source) <= LONG:
            return None
        if not self._given:
            return _followed(self._source[-1], self._source[0])
        steps = [step for step in self._steps if step is not None]
        if len(steps) < LONG:
            return None
        return reduce(joined, steps if steps[0].ahead else steps[::-1])

    def _judged(self, step: Step) -> Row:
        """What two neighbouring frames say."""
        row = {"followed": step.share} | self._both("warp_short", where.warped, step, -2)
        here, _ = step.ends(self._source[-2], self._source[-1])
        if self._mapped:
            self.changed = where.warped(*step.ends(self._output[-2], self._output[-1]), step)
        if where.fine(here)[step.followed].var() > NO_DETAIL:
            lost = self._both("detail", where.left_behind, step, -2)
            row |= {"detail_output": 1 - lost["detail"], "detail_source": 1 - lost["detail_source"]}
        shaken = self._both("flicker", where.pumped, step, -2)
        return row | {"flicker_output": shaken["flicker"], "flicker_source": shaken["flicker_source"]}

    def _sticking(self, near: Step | None, far: Step | None) -> Row:
        """Over the long step where enough can be followed, for slow shots hardly move in one frame; else over the short."""
        for step, before in ((far, 0), (near, -2)):
            if step is not None:
                fast = step.followed & (step.speed >= FAST_PX)
                if fast.mean() >= LEAST_PLACES:
                    return self._both("sticking", where.stuck, Step(step.flow, fast, step.ahead), before)
        return {}

    def _at_rest(self, near: Step, before: Step) -> Row:
        places = still(self._source, near, before)
        if places.mean() < LEAST_PLACES:
            return {}
        return self._told("flicker_power", *(where.shaken(list(frames)[-3:], places) for frames in (self._output, self._source)))

    def _both(self, name: str, way: Way, step: Step, before: int) -> Row:
        """A figure of the painting and of the source, between the last frame and an earlier one."""
        if not step.followed.any():
            return {name: 0.0, name + "_source": 0.0}
        return self._told(name, *(way(*step.ends(f[before], f[-1]), step) for f in (self._output, self._source)))

    def _told(self, name: str, ours: Plane, theirs: Plane) -> Row:
        """The means of the two maps; where the painting is worse than the source."""
        if self._mapped:
            self.where[name] = ours - theirs
        return {name: float(np.nanmean(ours)), name + "_source": float(np.nanmean(theirs))}


def _followed(now: Plane, before: Plane) -> Step | None:
    """The step between two frames, unless there is a cut between them."""
    step = follow(now, before)
    return step if step.share >= LEAST_FOLLOWED else None


def _against_found(source: Sequence[Plane], output: Sequence[Plane], known: Step) -> Row:
    """How far the flow that would have been found is from the known one, and what it would have measured."""
    here, there = known.ends(source[-2], source[-1])
    found = follow(here, there)
    row = {"end_point": end_point_error(found, known)}
    if found.followed.any():
        found = Step(found.flow, found.followed, known.ahead)
        for name, frames in (("warp_found", output), ("warp_found_source", source)):
            row[name] = warp_error(frames[-1], frames[-2], found)
    return row


def _against(row: Mapping[str, float]) -> Row:
    """The painting's figures against the source's."""
    told = {}
    if "detail_output" in row:
        told["detail"] = row["detail_output"] / max(row["detail_source"], 1e-3)
    if "flicker_output" in row:
        told["flicker"] = (row["flicker_output"] + QUIET) / (row["flicker_source"] + QUIET)
    return told


def summary(rows: Iterable[Mapping[str, float]]) -> Row:
    """The means over the frames that have each figure; what is told against the source is the mean's, not the mean of ratios."""
    rows = list(rows)
    names = dict.fromkeys(name for row in rows for name in row)
    means = {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}
    return means | _against(means)


def warp_error(now: Plane, before: Plane, step: Step) -> float:
    """Mean squared difference of a frame and another one moved along the source's flow, in thousandths."""
    return float(np.nanmean(where.warped(*step.ends(before, now), step)))


def still(source: Sequence[Plane], step: Step, before: Step) -> Mask:
    """Where the source has been at rest for three frames."""
    smooth = [where.blurred(frame, where.FINE_PX) for frame in (source[-1], source[-2], source[-3])]
    changed = np.abs(smooth[0] - 2 * smooth[1] + smooth[2]).max(-1)
    return np.asarray((step.speed < STILL_PX) & (before.speed < STILL_PX) & (changed < STILL_CHANGE), np.bool_)
