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
from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np

from impasto.media.flow import Mask, Plane, Step, carried, follow

LONG = 8  # frames between the two of the long warp error
THOUSANDTHS = 1000  # warp errors are told in these
FINE_PX, SMOOTH_PX = 2.0, 4.0  # a blur of the one takes fine detail away; flicker is sought in what the other leaves
LEAST_FOLLOWED = 0.15  # of the picture; less is a cut
LEAST_PLACES = 0.01  # of the picture that must be still, or fast, for a figure of still or fast places
STILL_PX, STILL_CHANGE = 0.2, 2 / 255  # the source is still where it moves no more than this and its smooth part changes no more
FAST_PX = 2.0  # fine detail that moves so far no longer covers itself
QUIET = 1e-6  # rounding's share in the variance of a smooth picture: below it no source can be told from a still one
NO_DETAIL = 1e-10  # variance of fine detail in a source that has none
Row = dict[str, float]
AGAINST = ("detail", "flicker")  # the painting's own figure over the source's


class Steadiness:
    """Watches a shot and its painting frame by frame; nothing older than the long warp error needs is kept."""

    def __init__(self) -> None:
        self._source: deque[Plane] = deque(maxlen=LONG + 1)
        self._output: deque[Plane] = deque(maxlen=LONG + 1)
        self._before: Step | None = None

    def take(self, source: Plane, output: Plane) -> Row:
        """The next frame and its painting; what can be said of them."""
        self._source.append(source)
        self._output.append(output)
        if len(self._source) < 2:
            return {}
        near, before = _followed(source, self._source[-2]), self._before
        far = _followed(source, self._source[0]) if len(self._source) == LONG + 1 else None
        row: Row = {}
        if near:
            row |= _judged(self._source, self._output, near)
        if far:
            row["warp_long"], row["warp_long_source"] = (warp_error(f[-1], f[0], far) for f in (self._output, self._source))
        if near and before:
            row |= _flicker_power(self._source, self._output, still(self._source, near, before))
        row |= _sticking(self._source, self._output, near, far)
        self._before = near
        return row | _against(row)


def _followed(now: Plane, before: Plane) -> Step | None:
    """The step between two frames, unless there is a cut between them."""
    step = follow(now, before)
    return step if step.share >= LEAST_FOLLOWED else None


def _judged(source: Sequence[Plane], output: Sequence[Plane], step: Step) -> Row:
    """What two neighbouring frames say."""
    row = {"followed": step.share}
    row["warp_short"], row["warp_short_source"] = (warp_error(f[-1], f[-2], step) for f in (output, source))
    if _fine(source[-1])[step.followed].var() > NO_DETAIL:
        row["detail_output"], row["detail_source"] = (moves_along(f[-1], f[-2], step) for f in (output, source))
    row["flicker_output"], row["flicker_source"] = (pumping(f[-1], f[-2], step) for f in (output, source))
    return row


def _sticking(source: Sequence[Plane], output: Sequence[Plane], near: Step | None, far: Step | None) -> Row:
    """Over the long step where enough can be followed, for slow shots hardly move from frame to frame; else over the short."""
    for step, before in ((far, 0), (near, -2)):
        if step is None:
            continue
        fast = step.followed & (step.speed >= FAST_PX)
        if fast.mean() >= LEAST_PLACES:
            told = [sticking(frames[-1], frames[before], step, fast) for frames in (output, source)]
            return dict(zip(("sticking", "sticking_source"), told, strict=True))
    return {}


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


# ---- the figures of two frames


def warp_error(now: Plane, before: Plane, step: Step) -> float:
    """Mean squared difference of a frame and the earlier one moved along the source's flow, in thousandths."""
    return THOUSANDTHS * float(np.square(now - carried(before, step.flow))[step.followed].mean())


def moves_along(now: Plane, before: Plane, step: Step) -> float:
    """Correlation of a frame's fine detail with the earlier frame's, moved along the flow: 1 moves with the picture."""
    return _correlation(_fine(now)[step.followed], carried(_fine(before), step.flow)[step.followed])


def pumping(now: Plane, before: Plane, step: Step) -> float:
    """Warp error of the smooth part of the picture over its variance."""
    here, there = _blurred(now, SMOOTH_PX), carried(_blurred(before, SMOOTH_PX), step.flow)
    return float(np.square(here - there)[step.followed].mean() / (here[step.followed].var() + 1e-9))


def sticking(now: Plane, before: Plane, step: Step, fast: Mask) -> float:
    """How much more a frame's fine detail is like the earlier frame's at the same place of the screen than paint that moves is.

    Soft or long strokes cover themselves for a while even where they move: so much is taken off.
    """
    fine = _fine(before)
    moved, there = carried(fine, step.flow)[fast], fine[fast]
    return _correlation(_fine(now)[fast], there) - _correlation(moved, there)


def flicker_power(frames: Sequence[Plane], where: Mask) -> float:
    """What shakes from frame to frame at rest: the last three frames' second difference; of white noise its variance, x 1000."""
    shaken = frames[-1] - 2 * frames[-2] + frames[-3]
    return THOUSANDTHS * float(np.square(shaken)[where].mean()) / 6  # 1 + 4 + 1


def still(source: Sequence[Plane], step: Step, before: Step) -> Mask:
    """Where the source has been at rest for three frames."""
    smooth = [_blurred(frame, FINE_PX) for frame in (source[-1], source[-2], source[-3])]
    changed = np.abs(smooth[0] - 2 * smooth[1] + smooth[2]).max(-1)
    return np.asarray((step.speed < STILL_PX) & (before.speed < STILL_PX) & (changed < STILL_CHANGE), np.bool_)


def _flicker_power(source: Sequence[Plane], output: Sequence[Plane], where: Mask) -> Row:
    if where.mean() < LEAST_PLACES:
        return {}
    return {"flicker_power": flicker_power(list(output), where), "flicker_power_source": flicker_power(list(source), where)}


def _correlation(here: Plane, there: Plane) -> float:
    return float((here * there).sum() / np.sqrt(np.square(here).sum() * np.square(there).sum() + 1e-12))


def _fine(picture: Plane) -> Plane:
    return picture - _blurred(picture, FINE_PX)


def _blurred(picture: Plane, px: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), px), np.float32)
