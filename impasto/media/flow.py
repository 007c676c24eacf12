"""Where the picture of a source goes from frame to frame, and which pixels can be followed there.

The flow is found in the source alone (dense inverse search), so that a painting cannot be judged by motion that it made up. A
pixel counts where the way there and back leads home and where no edge of a moving thing runs, as published for stylised video.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]  # [H,W]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
HOME_SHARE, HOME_PX2 = 0.01, 0.5  # what there and back may miss home by: share of both lengths squared, plus pixels squared
HALF = 0.5
EDGE_SHARE, EDGE_PX2 = 0.01, 0.002  # how much the flow may change from pixel to pixel, likewise


@dataclass(frozen=True)
class Step:
    """Between two frames: on the pixels of the later one, unless it leads ahead."""

    flow: Plane  # [H,W,2] pixels: where each pixel lies in the other frame, less where it lies in this one
    followed: Mask  # seen in both frames, and not at the edge of something that moves otherwise
    ahead: bool = False  # laid on the earlier frame and leads to the later one, as files often tell it

    def ends(self, earlier: Plane, later: Plane) -> tuple[Plane, Plane]:
        """The picture on whose pixels the step lies, and the one it leads to."""
        return (earlier, later) if self.ahead else (later, earlier)

    @property
    def share(self) -> float:
        """How much of the picture can be followed."""
        return float(self.followed.mean())

    @property
    def speed(self) -> Plane:
        """[H,W] pixels that each pixel moved."""
        return np.asarray(np.sqrt(_square(self.flow)), np.float32)


def follow(now: Plane, before: Plane) -> Step:
    """How `now` came from `before`, two frames [H,W,3] in 0..1."""
    here, there = _grey(now), _grey(before)
    finder = _finder(min(here.shape))
    back = finder.calc(here, there, None)
    return Step(back, followed(back, finder.calc(there, here, None)))


def way(here: Plane, there: Plane) -> Plane:
    """Where each pixel of one picture [H,W,3] in 0..1 lies in another, less where it lies here: [H,W,2] pixels."""
    return np.asarray(_finder(min(here.shape[:2])).calc(_grey(here), _grey(there), None), np.float32)


def enlarged(flow: Plane, size: tuple[int, int]) -> Plane:
    """The flow of a smaller picture, laid over one of this width and height, in its pixels."""
    height, width = flow.shape[:2]
    if (width, height) == size:
        return flow
    larger = cv2.resize(flow, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger * np.array([size[0] / width, size[1] / height]), np.float32)


def leads_home(there: Plane, back: Plane) -> Mask:
    """Where motion that is known leads to a pixel whose own motion leads back; edges are sharp in it, so none is left out."""
    returned = nearest(back, there)
    home = _square(returned + there) <= HOME_SHARE * (_square(returned) + _square(there)) + HOME_PX2
    return np.asarray(home & _inside(there), np.bool_)


def followed(back: Plane, forward: Plane) -> Mask:
    """Which pixels of the later frame can be followed: `back` is its flow to the earlier one, `forward` that one's to it."""
    returned = carried(forward, back)
    home = _square(returned + back) <= HOME_SHARE * (_square(returned) + _square(back)) + HOME_PX2
    return np.asarray(home & settled(back), np.bool_)


def settled(back: Plane) -> Mask:
    """Which pixels of a flow stay inside the picture and lie at no edge of something that moves otherwise."""
    slopes = sum(np.square(slope) for part in (0, 1) for slope in np.gradient(back[..., part]))
    smooth = slopes <= EDGE_SHARE * _square(back) + EDGE_PX2
    return np.asarray(smooth & _inside(back), np.bool_)


def _inside(flow: Plane) -> Mask:
    height, width = flow.shape[:2]
    x, y = np.arange(width) + flow[..., 0], np.arange(height)[:, None] + flow[..., 1]
    return np.asarray((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1), np.bool_)


def joined(first: Step, then: Step) -> Step:
    """Two steps as one: `first` from a frame to another, `then` from there on in the same direction."""
    both = first.followed & (carried(then.followed.astype(np.float32), first.flow) > HALF)
    return Step(first.flow + carried(then.flow, first.flow), np.asarray(both, np.bool_), first.ahead)


def end_point_error(found: Step, known: Step) -> float:
    """How far the flow found leads from where the known one does, in pixels, on average over what the known one follows."""
    return float(np.sqrt(_square(found.flow - known.flow))[known.followed].mean()) if known.followed.any() else 0.0


def carried(before: Plane, flow: Plane) -> Plane:
    """The earlier picture [H,W,C] as the later frame would show it."""
    return np.asarray(cv2.remap(before, *_places(flow), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


def nearest(field: Plane, flow: Plane) -> Plane:
    """What a field says at the very pixel that each one goes to: motion must not be mixed across an edge."""
    across, down = (np.rint(places) for places in _places(flow))
    return np.asarray(cv2.remap(field, across, down, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _places(flow: Plane) -> tuple[Plane, Plane]:
    height, width = flow.shape[:2]
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return across + flow[..., 0], down + flow[..., 1]


def _square(flow: Plane) -> Plane:
    across, down = flow[..., 0], flow[..., 1]  # a sum over so short an axis takes five times as long
    return np.asarray(across * across + down * down, np.float32)


def _grey(picture: Plane) -> NDArray[np.uint8]:
    return np.asarray((picture @ LUMA).clip(0, 1) * 255, np.uint8)


def _finder(side: int) -> Any:
    """The search; its coarsest patches of 8 pixels must fit a small picture."""
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    if side < 64:
        finder.setFinestScale(0)
    return finder
