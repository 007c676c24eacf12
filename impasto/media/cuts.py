"""Where shots begin: cuts, fades through black or white, and dissolves, found while frames stream by.

    for shot in find_cuts(reader):
        print(shot.first, shot.last, shot.kind)

Two frames belong together if motion leads from one to the other: small, evenly lit copies of them are aligned by optical flow
and compared. So pans, hand-held cameras, grain and flicker are no cuts; and what is gone after a few frames, a flash or someone
who passes close by, is none either.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.frame import Frame

Kind = Literal["start", "cut", "fade", "dissolve"]
Plane = NDArray[np.uint8]  # [h,w]

WIDTH, HEIGHT = 96, 54  # what frames are compared at
UNLIKE = 0.27  # 0: the same picture, 1: nothing in common. Steps inside a shot are hardly ever above it, cuts hardly ever below
ALIKE = 0.22
LEAST_SEEN = 0.2  # of a frame, that motion leads into the other
PEAK = 2.2  # times what is usual around it: a step in a whip pan is no cut
NEAR = 4  # frames on either side that say what is usual
AHEAD = 7  # frames that are looked at before a cut is believed, and so the longest flash
PLAIN, DIM = 6.0, 8.0  # spread of values, of 255: below PLAIN there is nothing to align, below DIM grain must not count
DARK, BRIGHT = 20.0, 235.0  # black and white, to a fade
SUDDEN = 0.7  # of its contrast a picture has left when black comes suddenly
LONG_BLANK = 12  # frames of black after which even the same place is another shot
WINDOWS = (16, 32, 64)  # frames within which a dissolve is looked for
EVERY = 4  # frames
KNOWN_AFTER = max(WINDOWS) + EVERY + AHEAD + 1  # frames after which nothing changes where a shot begins
STRANGE, PARTLY = 0.32, 0.15  # a dissolve's ends to each other, and its middle to both: no motion leads there
MIX_ERROR = 0.2  # of what lies between, against the two ends mixed
FADED = 0.35  # of its contrast a picture has left in the midst of a fade
FLASH = 24.0  # of 255: the mean light of two neighbours of one shot is hardly ever so far apart


@dataclass(frozen=True)
class Shot:
    """The numbers of a shot's first and last frame, and how it begins. Of a dissolve each shot has half."""

    first: int
    last: int
    kind: Kind


def find_cuts(frames: Iterable[Frame]) -> Iterator[Shot]:
    """The shots of a clip in order, each as soon as its end is known. Black between two belongs to the first."""
    watch = _Watch()
    for frame in frames:
        yield from watch.take(_Look(frame))
    yield from watch.end()


def goes_on(before: Frame, after: Frame) -> bool:
    """Whether two neighbours are of one shot and in one light: no cut, no flash, no black or white on one side alone.

    It looks at nothing but the two, and so is stricter than find_cuts: the fastest steps within a shot count as cuts too.
    """
    one, other = _Look(before), _Look(after)
    if one.blank != other.blank or abs(one.level - other.level) > FLASH:
        return False
    return _difference(one, other) < UNLIKE


class _Look:
    """What is kept of a frame: a small copy."""

    def __init__(self, frame: Frame) -> None:
        self.number = frame.number
        self.colours = _small(frame)  # [54,96,3] uint8
        self.luma: Plane = np.asarray(cv2.cvtColor(self.colours, cv2.COLOR_RGB2GRAY), np.uint8)
        mean, spread = cv2.meanStdDev(self.luma)
        self.level, self.spread = float(mean[0, 0]), float(spread[0, 0])
        self.step = 0.0  # from the frame before

    @cached_property
    def even(self) -> Plane:
        """The luma at one brightness and contrast, whatever the light."""
        gain = 48 / max(self.spread, DIM)
        even = np.clip(self.luma * gain + (128 - gain * self.level), 0, 255)
        return np.asarray(even, np.uint8)

    @cached_property
    def planes(self) -> NDArray[np.float32]:
        """What is compared [54,96,4]: even luma, its detail alone (many pictures are bright above and dark below), colour."""
        luma = self.even.astype(np.float32)
        colour = np.asarray(cv2.cvtColor(self.colours, cv2.COLOR_RGB2YCrCb)[..., 1:], np.float32)
        return np.dstack([luma, luma - np.asarray(cv2.GaussianBlur(luma, (0, 0), 4)), colour])

    @cached_property
    def values(self) -> NDArray[np.float32]:
        """The colours of a few large pixels about their mean, as one row."""
        few = np.asarray(cv2.resize(self.colours, (12, 7), interpolation=cv2.INTER_AREA), np.float32)
        return np.asarray(few - few.mean(axis=(0, 1)), np.float32).ravel()

    @property
    def blank(self) -> bool:
        """Whether it is black or white all over."""
        return self.spread < PLAIN and not DARK < self.level < BRIGHT


class _Watch:
    """The last looks, and the shot that is running. A look is judged when those after it are known."""

    def __init__(self) -> None:
        self._line: deque[_Look] = deque(maxlen=max(WINDOWS) + AHEAD + 2)
        self._passed = 0  # looks that left the line; a place counts from the first of the clip
        self._next = 0  # the place to be judged
        self._first, self._begun = 0, 0  # the running shot's first frame: its number, its place
        self._kind: Kind = "start"
        self._until = -1  # the place where a flash ends
        self._blanks = 0  # looks of black, up to here
        self._visible: _Look | None = None  # the last look with something on it

    def take(self, look: _Look) -> Iterator[Shot]:
        """Judge the look that is now known well enough."""
        if self._line:
            look.step = _difference(self._line[-1], look)
        else:
            self._first = look.number
        self._passed += len(self._line) == self._line.maxlen
        self._line.append(look)
        if self._after - self._next > AHEAD:
            yield from self._judge()

    def end(self) -> Iterator[Shot]:
        """Judge the looks that have little after them, and close the last shot."""
        while self._next < self._after:
            yield from self._judge()
        if self._line:
            yield Shot(self._first, self._line[-1].number, self._kind)

    @property
    def _after(self) -> int:
        """The place after the last look."""
        return self._passed + len(self._line)

    def _at(self, place: int) -> _Look:
        return self._line[place - self._passed]

    def _looks(self, start: int, stop: int) -> list[_Look]:
        return [self._at(place) for place in range(max(start, self._passed), min(stop, self._after))]

    def _begin(self, place: int, kind: Kind) -> Iterator[Shot]:
        """A shot begins here, so one ends."""
        yield Shot(self._first, self._at(place - 1).number, self._kind)
        self._first, self._kind, self._begun = self._at(place).number, kind, place

    def _judge(self) -> Iterator[Shot]:
        place, self._next = self._next, self._next + 1
        look = self._at(place)
        if look.blank:
            self._blanks += 1
            return
        kind: Kind | None = None
        if self._blanks:
            kind = self._from_blank(place)
            self._blanks, self._until = 0, place + NEAR  # what comes out of black or white comes in steps
        else:
            cut = self._is_cut(place)
            kind = "cut" if cut else None
            if cut or place % EVERY == 0 or place + 1 == self._after:
                yield from self._dissolve(place - cut)
        if kind:
            yield from self._begin(place, kind)
        if look.spread >= PLAIN or self._visible is None:
            self._visible = look

    def _from_blank(self, place: int) -> Kind | None:
        """What lies between what was seen before the black and what comes out of it."""
        visible = self._visible
        if visible is None:
            return None
        after = [look for look in self._looks(place, place + AHEAD + 1) if look.spread >= DIM] or [self._at(place)]
        if self._blanks < LONG_BLANK and min(_difference(visible, look) for look in after) < UNLIKE:
            return None
        entry = place - self._blanks
        before = self._looks(max(self._begun, entry - NEAR), entry)
        goes = bool(before) and before[-1].spread >= SUDDEN * max(look.spread for look in before)
        comes = self._at(place).spread >= SUDDEN * max(look.spread for look in after)
        return "cut" if goes and comes else "fade"

    def _is_cut(self, place: int) -> bool:
        """Whether this look has nothing to do with the one before, and neither have those that follow."""
        look = self._at(place)
        if place == 0 or place <= self._until or look.step < UNLIKE:
            return False
        around = self._looks(place - NEAR, place) + self._looks(place + 1, place + 1 + NEAR)
        if around and look.step < PEAK * median(one.step for one in around):
            return False
        if any(later.blank for later in around):  # on the way into black or white, which is judged when it is over
            return False
        earlier = self._looks(max(self._begun, place - AHEAD), place)[::-1]
        for later in range(place, min(place + 1 + AHEAD, self._after)):
            if any(_difference(one, self._at(later)) < ALIKE for one in earlier):
                self._until = later
                return False
        return True

    def _dissolve(self, place: int) -> Iterator[Shot]:
        """A dissolve that ended here or a little before."""
        for window in WINDOWS:
            start = place - window
            if start < max(self._begun, self._passed):
                return
            looks = self._looks(start, place + 1)
            middle = _mixed(looks) if max(look.step for look in looks[1:]) < UNLIKE else None
            if middle:
                faded = looks[middle].spread < FADED * min(looks[0].spread, looks[-1].spread)
                yield from self._begin(start + middle, "fade" if faded else "dissolve")
                return


def _small(frame: Frame) -> NDArray[np.uint8]:
    """A frame as [54,96,3] bytes. Whole steps first: they are several times faster."""
    pixels = frame.rgb()
    step = max(1, min(pixels.shape[0] // HEIGHT, pixels.shape[1] // WIDTH))
    rows, columns = pixels.shape[0] // step, pixels.shape[1] // step
    if pixels.dtype == np.float16:
        pixels = pixels[::step, ::step].astype(np.float32)
    elif step > 1:
        pixels = cv2.resize(pixels[: rows * step, : columns * step], (columns, rows), interpolation=cv2.INTER_AREA)
    small = cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    if small.dtype == np.uint8:
        return np.asarray(small, np.uint8)
    light = small / 65535.0 if small.dtype == np.uint16 else np.sqrt(np.nan_to_num(small).clip(0, 1))  # floats are linear light
    return (light * 255).astype(np.uint8)


def _difference(one: _Look, other: _Look) -> float:
    """How much of a look is not in the other one, wherever it moved: 0 to 1, and a little over."""
    if one.spread < PLAIN or other.spread < PLAIN:
        return float(cv2.norm(one.colours, other.colours, cv2.NORM_L1)) / one.colours.size / 96
    flow = _flow().calc(other.even, one.even, None)
    x, y = _X + flow[..., 0], _Y + flow[..., 1]
    seen = (x >= 0) & (x <= WIDTH - 1) & (y >= 0) & (y <= HEIGHT - 1)
    if seen.mean() < LEAST_SEEN:
        return 1.0
    moved, still = np.asarray(cv2.remap(one.planes, x, y, cv2.INTER_LINEAR))[seen], other.planes[seen]
    moved, still = moved - moved.mean(axis=0), still - still.mean(axis=0)  # [pixels,4]
    both, alone = (moved * still).sum(axis=0), np.maximum((moved**2).sum(axis=0), (still**2).sum(axis=0))
    grain = len(still) * _GRAIN
    unlike = 1 - (both + grain) / np.sqrt(((moved**2).sum(axis=0) + grain) * ((still**2).sum(axis=0) + grain))
    weights = np.minimum(1, alone / (4 * grain)) * _WEIGHTS  # what is nearly flat says little, as colour in black and white
    return float((unlike * weights).sum() / weights.sum())


def _mixed(looks: list[_Look]) -> int | None:
    """Where in a row of looks the second picture outweighs the first, if what lies between is the two of them mixed."""
    first, last = looks[0], looks[-1]
    strange = _difference(first, last)
    if min(first.spread, last.spread) < DIM or strange < STRANGE:
        return None
    ends = np.stack([first.values, last.values], axis=1)
    rows = np.stack([look.values for look in looks], axis=1)
    shares, *_ = np.linalg.lstsq(ends, rows, rcond=None)  # [2,looks]
    shares = np.abs(shares)
    share = shares[1] / np.maximum(shares.sum(axis=0), 1e-3)
    edge, between = max(2, len(looks) // 8), (share > 0.15) & (share < 0.85)
    if share[:edge].max() > 0.12 or share[-edge:].min() < 0.88 or between.sum() < 2:
        return None
    error = np.square(rows - ends @ shares).sum(axis=0) / (np.square(rows).sum(axis=0) + len(rows) * DIM**2)
    if np.median(error[between]) > MIX_ERROR * min(1, (strange - STRANGE) / STRANGE):  # the more alike, the better it must fit
        return None
    even = looks[int(np.argmax(shares[1] * last.spread >= shares[0] * first.spread))]  # as much to be seen of both
    if min(_difference(first, even), _difference(even, last)) < PARTLY:
        return None
    return int(np.argmax(share >= 0.5))


def _flow() -> Any:
    """The optical flow: a new one, since it keeps pictures to itself and threads must not share it."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow.setFinestScale(0)
    return flow


_X, _Y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
_GRAIN = np.array([3.0, 9.0, 12.0, 12.0], np.float32)  # the energy of grain in each plane, of one pixel
_WEIGHTS = np.array([1.0, 1.0, 0.5, 0.5], np.float32)
