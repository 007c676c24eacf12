"""Where in a frame a painting is unsteady: for each figure of a shot a map [H,W], whose mean is the figure; NaN is not judged.

`here` is the frame on whose pixels the step lies, `there` the one it leads to. What a painting's map has more than the source's
is the painting's fault.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from impasto.media.flow import Mask, Plane, Step, carried

FINE_PX, SMOOTH_PX = 2.0, 4.0  # a blur of the one takes fine detail away; flicker is sought in what the other leaves
FAINT = 1e-6  # keeps what has no detail at all from dividing by nothing
THOUSANDTHS = 1000  # warp errors are told in these


def warped(here: Plane, there: Plane, step: Step) -> Plane:
    """Squared difference to the other frame moved along the source's flow, in thousandths."""
    return _only(THOUSANDTHS * np.square(here - carried(there, step.flow)).mean(-1), step.followed)


def left_behind(here: Plane, there: Plane, step: Step) -> Plane:
    """Fine detail that does not move with the picture: its mean is 1 less the correlation with the detail that was moved."""
    ours, theirs = fine(here), carried(fine(there), step.flow)
    ours, theirs = (each / (_power(each, step.followed) + FAINT) for each in (ours, theirs))
    half = np.square(ours - theirs).mean(-1) / 2  # of two of power 1: half of 1 + 1 - 2 times the correlation
    return _only(half, step.followed)


def pumped(here: Plane, there: Plane, step: Step) -> Plane:
    """Squared difference of the smooth part of the picture over its variance."""
    ours, theirs = blurred(here, SMOOTH_PX), carried(blurred(there, SMOOTH_PX), step.flow)
    variance = float(ours[step.followed].var()) + 1e-9
    return _only(np.square(ours - theirs).mean(-1) / variance, step.followed)


def stuck(here: Plane, there: Plane, step: Step) -> Plane:
    """How much more fine detail is like what lay at the same place of the screen than paint that moves is.

    Soft or long strokes cover themselves for a while even where they move: so much is taken off.
    """
    ours, theirs = fine(here), fine(there)
    moved = carried(theirs, step.flow)
    return _only(_agreement(ours, theirs, step.followed) - _agreement(moved, theirs, step.followed), step.followed)


def shaken(frames: Sequence[Plane], places: Mask) -> Plane:
    """What shakes from frame to frame at rest: the second difference of three frames; of white noise its variance, x 1000."""
    difference = frames[2] - 2 * frames[1] + frames[0]
    return _only(THOUSANDTHS * np.square(difference).mean(-1) / 6, places)  # 1 + 4 + 1


def fine(picture: Plane) -> Plane:
    """Its fine detail."""
    return picture - blurred(picture, FINE_PX)


def blurred(picture: Plane, px: float) -> Plane:
    """Without detail finer than so many pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), px), np.float32)


def _agreement(ours: Plane, theirs: Plane, places: Mask) -> Plane:
    """What each pixel adds to the correlation of two pictures over some places, whose mean there is the correlation."""
    power = (_power(ours, places) + FAINT) * (_power(theirs, places) + FAINT)
    return np.asarray((ours * theirs).mean(-1) / power, np.float32)


def _power(picture: Plane, places: Mask) -> float:
    return float(np.sqrt(np.square(picture[places]).mean()))


def _only(values: Plane, places: Mask) -> Plane:
    return np.where(places, values, np.nan).astype(np.float32)
