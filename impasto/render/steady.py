"""Steadier paintings: each is mixed with those of its neighbours, moved to where the present frame shows the same place.

    steady = Steady(Steadying("flow", 2), numbers)
    company = [steady.known(frame, picture), ...]        # the present frame and its neighbours, rising
    ties = steady.ties(company, 1004)                    # how each neighbour is laid on the present frame, and where it counts
    painted = mixed(paintings[1004], [(paintings[tie.number], tie) for tie in ties])

Only the source says what may be mixed: a pixel of a neighbour counts where the way there and back leads home, and as far as both
frames show the same light there. Nothing is carried on from one result to the next, so a frame depends on the frames around it
and on no others: it can be rendered alone, and a render that goes on makes the same frames. Across cuts, flashes, and gaps in the
numbers nothing is mixed.
"""
from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np

from impasto.frame import Frame, Pixels
from impasto.media.cuts import goes_on
from impasto.media.flow import Plane, carried, enlarged, followed, leads_home, way
from impasto.media.oklab import as_float, as_stored
from impasto.media.vectors import Convention
from impasto.render.post import Box

Manner = Literal["off", "flow", "vectors"]
MOST_FRAMES = 8  # on each side
LIVE_FRAMES = 2  # before the present one, where none after it may be waited for
LONGEST_PX = 1024  # long side at which flow is sought
QUIET_PX = 1.0  # a blur of the source in which flow is sought: grain moves nothing
REST_PX, MOVES_PX, REGION_PX = 0.15, 0.35, 8.0  # what on average moves less is at rest, and what moves more, moves
LIGHT_PX, LIGHT = 1.5, 8 / 255  # the source is compared without so fine a grain; so far apart a neighbour counts 1/e
SOFT_PX = 1.0  # edges of what counts
FINE_PX, LOCAL_PX, MOST_CRISP = 2.0, 8.0, 1.5  # fine detail that a mean made weaker is made as strong again, up to so much
LEAST = 1e-3  # of a pixel's weight


@dataclass(frozen=True)
class Steadying:
    """What is set."""

    manner: Manner = "off"
    window: int = 2  # frames on each side; 0: the two before
    vectors: str = ""  # a sequence with motion; empty: the source's own channels
    convention: Convention = "auto"

    def around(self, numbers: Sequence[int], number: int) -> Sequence[int]:
        """The numbers of a frame and of its neighbours, of all that a clip has; the frame alone where this is off."""
        if self.manner == "off":
            return [number]
        place = bisect_left(numbers, number)
        before, after = (self.window, self.window) if self.window else (LIVE_FRAMES, 0)
        return numbers[max(0, place - before) : place + after + 1]


OFF = Steadying()


@dataclass(frozen=True)
class Seen:
    """A frame of the source as the brush sees it."""

    frame: Frame
    picture: Pixels  # [H,W,3]
    box: Box | None  # what of the frame it is; None: all

    @property
    def number(self) -> int:
        """The frame's number."""
        return self.frame.number

    @property
    def colour(self) -> Plane:
        """In 0..1."""
        return np.asarray(np.nan_to_num(as_float(self.picture)).clip(0, 1), np.float32)

    @cached_property
    def quiet(self) -> Plane:
        """What flow is sought in: of large pictures a smaller copy."""
        height, width = self.picture.shape[:2]
        scale = min(1.0, LONGEST_PX / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = self.colour if scale == 1 else cv2.resize(self.colour, size, interpolation=cv2.INTER_AREA)
        return _blurred(np.asarray(small, np.float32), QUIET_PX)

    @cached_property
    def light(self) -> Plane:
        """What is compared: without grain."""
        return _blurred(self.colour, LIGHT_PX)


@dataclass(frozen=True)
class Tie:
    """How a neighbour is laid on the present frame."""

    number: int
    flow: Plane  # [H,W,2] where each pixel lies there
    weight: Plane  # [H,W] 0..1: how much it counts


class Motions:
    """Motion between two frames, found by optical flow."""

    exact = False  # edges of things that move are blurred in it

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], Plane] = {}  # by the two frames' numbers, at the size at which it was sought

    def between(self, chain: Sequence[Seen]) -> Plane | None:
        """Where each pixel of the first frame lies in the last; what lies between may help."""
        here, there = chain[0], chain[-1]
        pair, (height, width) = (here.number, there.number), here.picture.shape[:2]
        if pair not in self._found:
            self._found[pair] = rested(way(here.quiet, there.quiet))
        return enlarged(self._found[pair], (width, height))

    def forget(self, numbers: Iterable[int]) -> None:
        """Keep nothing but what concerns these frames."""
        kept = set(numbers)
        self._found = {pair: flow for pair, flow in self._found.items() if set(pair) <= kept}


def rested(flow: Plane) -> Plane:
    """The flow with what grain makes of a place at rest taken out: moved by fractions of a pixel, fine paint would shimmer."""
    wide = _blurred(flow, REGION_PX)
    speed = cv2.magnitude(wide[..., 0], wide[..., 1])
    return np.asarray(flow * ((speed - REST_PX) / (MOVES_PX - REST_PX)).clip(0, 1)[..., None], np.float32)


class Steady:
    """Ties frames of a clip; what is known of a few neighbours is kept, and no more."""

    def __init__(self, settings: Steadying, numbers: Sequence[int], motions: Motions | None = None) -> None:
        self.settings, self.motions = settings, motions or Motions()
        self._step = min((after - before for before, after in pairwise(numbers)), default=1)
        self._goes_on: dict[tuple[int, int], bool] = {}

    def ties(self, company: Sequence[Seen], number: int) -> list[Tie]:
        """Ties of the frame of this number to the rest of its company, nearest first."""
        place = next(at for at, seen in enumerate(company) if seen.number == number)
        self._forget({seen.number for seen in company})
        chains = [list(company[place : place + many + 1]) for many in range(1, len(company) - place)]
        chains += [list(company[place - many : place + 1])[::-1] for many in range(1, place + 1)]
        ties = (self._tie(chain) for chain in sorted(chains, key=len))
        return [tie for tie in ties if tie is not None]

    def _tie(self, chain: Sequence[Seen]) -> Tie | None:
        here, there = chain[0], chain[-1]
        if not all(self._joined(*pair) for pair in pairwise(chain)):
            return None
        flow, back = self.motions.between(chain), self.motions.between(chain[::-1])
        if flow is None or back is None:
            return None
        seen = leads_home(flow, back) if self.motions.exact else followed(flow, back)
        apart = np.maximum.reduce(cv2.split(cv2.absdiff(here.light, carried(there.light, flow))))
        weight = seen * np.exp(-np.square(apart / np.float32(LIGHT)))
        weight = np.minimum(weight, cv2.GaussianBlur(weight.astype(np.float32), (0, 0), SOFT_PX))
        weight = np.where(weight > LEAST, weight, 0).astype(np.float32)
        return Tie(there.number, flow, weight) if weight.any() else None

    def _joined(self, one: Seen, other: Seen) -> bool:
        """Whether nothing parts two neighbours."""
        first, then = sorted((one, other), key=lambda seen: seen.number)
        pair = first.number, then.number
        if pair not in self._goes_on:
            alike = first.picture.shape == then.picture.shape and pair[1] - pair[0] == self._step
            self._goes_on[pair] = alike and goes_on(first.frame, then.frame)
        return self._goes_on[pair]

    def _forget(self, numbers: set[int]) -> None:
        self._goes_on = {pair: joined for pair, joined in self._goes_on.items() if set(pair) <= numbers}
        self.motions.forget(numbers)


def mixed(painted: Pixels, others: Sequence[tuple[Pixels, Tie]]) -> Pixels:
    """A painting and those of its neighbours as one; where none counts it keeps its very bits."""
    if not others:
        return painted
    present = as_float(painted)
    change, total = np.zeros_like(present), np.ones(present.shape[:2], np.float32)
    for other, tie in others:
        change += tie.weight[..., None] * (carried(as_float(other), tie.flow) - present)
        total += tie.weight
    mean = np.asarray(present + change / total[..., None], np.float32)
    result = np.clip(mean + _crisp(mean, present) * np.minimum(total - 1, 1)[..., None], 0, 1)
    return np.where((total > 1)[..., None], as_stored(result, painted.dtype), painted)


def _crisp(mean: Plane, present: Plane) -> Plane:
    """What a mean of paintings lacks of the fine detail that one has: the sum of what does not agree is weaker."""
    fine = mean - _blurred(mean, FINE_PX)
    had, has = (_blurred(_power(each), LOCAL_PX) for each in (present - _blurred(present, FINE_PX), fine))
    gain = np.sqrt(had / (has + 1e-6)).clip(1, MOST_CRISP) - 1
    return np.asarray(gain[..., None] * fine, np.float32)


def _power(picture: Plane) -> Plane:
    red, green, blue = cv2.split(picture * picture)
    return np.asarray(red + green + blue, np.float32)


def _blurred(picture: Plane, px: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), px), np.float32)


def in_company(frames: Iterator[Frame], wanted: Mapping[int, Sequence[int]]) -> Iterator[tuple[int, list[Frame]]]:
    """Each wanted frame's number and its company, as frames come by; of all that passed, only what is still wanted is held."""
    held: dict[int, Frame] = {}
    todo = list(wanted.items())
    until = {each: number for number, company in todo for each in company}
    for frame in frames:
        held[frame.number] = frame
        while todo and todo[0][1][-1] <= frame.number:
            number, company = todo.pop(0)
            yield number, [held[each] for each in company]
            held = {each: kept for each, kept in held.items() if until[each] > number}


