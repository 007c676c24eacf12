"""Which frames of a clip are meant: ranges as 1001-1100x2,1150 and trims by frame number, time or timecode.

    Frames.parse("1001-1100x2,1150").chosen(numbers)   # each once, rising
    chosen(numbers, start="12.5s", end="0:20", fps=Fraction(24))

Ranges: `all`, one frame `7`, `1-10`, every other one `1-10x2`, open ends `1001-` and `-1010`, several parted by commas.
So -1010 means all up to 1010; below zero one writes `-5--1`, and `-3--3` for the one frame -3.

Trims: a frame number or a timecode is the first and the last frame wanted. A time (12.5s, 2m3s, 0:12.5, 00:00:12.500) counts
from the clip's first frame: --start takes the first frame that is not before it, --end the last one that is.
"""
from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Self

from impasto.errors import InputError
from impasto.media.timecode import is_drop, is_timecode, to_frames, to_text, told

MOST_RUNS = 12  # that a message lists
_PIECE = re.compile(r"(?:(-?\d{1,12})?(-)(-?\d{1,12})?(?:x(\d{1,9}))?|(\d{1,12}))", re.ASCII)
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)", re.ASCII)
_UNITS = re.compile(r"(?=\d)(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}", re.ASCII)


class Span(NamedTuple):
    """Frames from one to another, both included; None is an open end."""

    first: int | None
    last: int | None
    step: int = 1


@dataclass(frozen=True)
class Frames:
    """Frames asked for by number; without spans it is all of them."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ranges as a user writes them."""
        plain = re.sub(r"\s+", "", text)
        return cls() if plain == "all" else cls(tuple(_span(piece, text) for piece in plain.split(",")))

    def chosen(self, numbers: Sequence[int]) -> list[int]:
        """Those of the rising numbers that are meant; what is asked for by name and is not there is a fault."""
        if not self.spans:
            return list(numbers)
        if absent := [gap for span in self.spans for gap in _absent(span, numbers)]:
            told = say(absent)
            verb = "does" if re.fullmatch(r"-?\d+", told) else "do"
            raise InputError(f"{_frames(told)} {verb} not exist: there are {say(runs(numbers))}")
        return sorted({number for span in self.spans for number in _within(span, numbers)})


def chosen(
    numbers: Sequence[int],
    frames: str = "all",
    start: str = "",
    end: str = "",
    *,
    fps: Fraction = Fraction(0),
    timecode: str = "",
    times: Sequence[Fraction] = (),
) -> list[int]:
    """The frames that are left of a clip by --frames, --start and --end.

    `times` are the seconds from the first frame of each; without them frames are even, by `fps`. `timecode` is the first frame's.
    """
    clock = Clock(numbers, fps, timecode, times)
    first = clock.place(start) if start else 0
    last = clock.place(end, is_end=True) if end else len(numbers)
    picked = Frames.parse(frames).chosen(numbers)
    kept = [] if first >= last else picked[bisect_left(picked, numbers[first]) : bisect_right(picked, numbers[last - 1])]
    if not kept:
        asked = [f"--{name} {text}" for name, text in (("frames", frames), ("start", start), ("end", end)) if text]
        raise InputError(f"no frame is left by {' '.join(asked)}: there are {say(runs(numbers))}")
    return kept


@dataclass(frozen=True)
class Clock:
    """The frames of a clip, and when they are shown."""

    numbers: Sequence[int]
    fps: Fraction = Fraction(0)
    timecode: str = ""
    times: Sequence[Fraction] = ()

    def place(self, text: str, is_end: bool = False) -> int:
        """The index of the first frame from there on; as an end, the index after the last frame wanted."""
        text = text.strip()
        if _NUMBER.fullmatch(text):
            return self._number(int(text), text, is_end)
        if is_timecode(text):
            return self._number(self.numbers[0] + self._frames_in(text), text, is_end)
        return self._time(seconds(text), text, is_end)

    def _number(self, number: int, text: str, is_end: bool) -> int:
        if not self.numbers[0] <= number <= self.numbers[-1]:
            what = "frame" if text == str(number) else "timecode"
            raise InputError(f"{what} {text} is not in this clip: it has {self._extent(what)}")
        return bisect_right(self.numbers, number) if is_end else bisect_left(self.numbers, number)

    def _time(self, moment: Fraction, text: str, is_end: bool) -> int:
        if not self.times and self.fps <= 0:
            raise InputError(f"time {text} needs frames per second, and this clip has none: give a frame number")
        shown = self.times or [(number - self.numbers[0]) / self.fps for number in self.numbers]
        duration = shown[-1] + (1 / self.fps if self.fps > 0 else 0)
        if moment > duration or (moment > shown[-1] and not is_end):
            raise InputError(f"time {text} is not in this clip: it lasts {told(duration)} s")
        return bisect_left(shown, moment)

    def _frames_in(self, text: str) -> int:
        """How many frames after the first one a timecode stands, in the count of the clip's own."""
        if not is_timecode(self.timecode):
            raise InputError(f"timecode {text} cannot be found, for this clip has none: give a frame number or a time")
        drop = is_drop(self.timecode)
        *clock, frame = re.split("[:;]", text)
        offset = to_frames(":".join(clock) + (";" if drop else ":") + frame, self.fps) - to_frames(self.timecode, self.fps)
        day = to_frames(to_text(-1, self.fps, drop), self.fps) + 1
        return offset if offset > -day // 2 else offset + day

    def _extent(self, what: str) -> str:
        if what == "frame":
            return say(runs(self.numbers))
        begin, length = to_frames(self.timecode, self.fps), self.numbers[-1] - self.numbers[0]
        return f"{self.timecode} to {to_text(begin + length, self.fps, is_drop(self.timecode))}"


def seconds(text: str) -> Fraction:
    """The time that is meant by 12.5s, 2m3s, 0:12.5 or 00:00:12.500."""
    if found := _CLOCK.fullmatch(text):
        hours, minutes, rest = Fraction(found[1] or 0), Fraction(found[2]), Fraction(found[3])
        if rest < 60 and (found[1] is None or minutes < 60):
            return hours * 3600 + minutes * 60 + rest
    elif found := _UNITS.fullmatch(text):
        return Fraction(found[1] or 0) * 3600 + Fraction(found[2] or 0) * 60 + Fraction(found[3] or 0)
    raise InputError(f"'{text}' is no place in a clip: give a frame number, a time (12.5s, 0:12.5) or a timecode (01:00:10:12)")


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Rising numbers as stretches without a gap: first and last of each."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found


def say(stretches: Sequence[tuple[int, int]]) -> str:
    """Stretches in few words: 1013-1015, 1020."""
    told = [f"{first}" if first == last else f"{first}-{last}" for first, last in stretches[:MOST_RUNS]]
    left = sum(last - first + 1 for first, last in stretches[MOST_RUNS:])
    return ", ".join(told) + (f" and {left} more" if left else "")


def _span(piece: str, text: str) -> Span:
    found = _PIECE.fullmatch(piece)
    if not found or piece == "-":
        raise InputError(f"frames '{text}' cannot be read: write 'all' or ranges such as 1001-1100x2,1150 (open: 1001-, -1010)")
    if found[5]:
        return Span(int(found[5]), int(found[5]))
    first, last = (int(end) if end else None for end in (found[1], found[3]))
    step = int(found[4] or 1)
    if step == 0:
        raise InputError(f"frames '{text}' step by 0: step by 1 or more")
    if first is not None and last is not None and first > last:
        raise InputError(f"frames '{text}' run backwards in {piece}: write {last}-{first}")
    return Span(first, last, step)


def _absent(span: Span, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """What of a span lies outside the clip. Gaps inside it were told of when the clip was opened."""
    low, high = numbers[0], numbers[-1]
    first, last = low if span.first is None else span.first, high if span.last is None else span.last
    if first > last or (first == last and first not in numbers):  # an open end that lies outside, or one frame in a gap
        return [(last, last)] if span.first is None else [(first, first)]
    before = [(first, min(last, low - 1))] if first < low else []
    return before + ([(max(first, high + 1), last)] if last > high else [])


def _within(span: Span, numbers: Sequence[int]) -> list[int]:
    low = numbers[0] if span.first is None else span.first
    high = numbers[-1] if span.last is None else span.last
    inside = numbers[bisect_left(numbers, low) : bisect_right(numbers, high)]
    return [number for number in inside if (number - low) % span.step == 0]


def _frames(told: str) -> str:
    return f"frame {told}" if re.fullmatch(r"-?\d+", told) else f"frames {told}"

