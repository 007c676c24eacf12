"""Limits that a painting must keep: `flicker=2`, `warp_short=1.5x` (of the source's), `flicker.worst=6` (no frame beyond it).

A limit is the most a figure may be, or the least where more is better; of a figure that should be 1, how far it may be from 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from impasto.errors import InputError
from impasto.evaluate.figures import ROOMS, SOURCE, Figure

Row = Mapping[str, float]
NEEDS = {
    "style": "needs to know what to be like: name it with --style",
    "flow": "compares with known motion: name it with --flow",
    "truth": "compares with the truth: name it with --truth",
    "vmaf": "is measured with --vmaf alone: add it",
}
WRITTEN = re.compile(r"(?:(picture|moving|set)\.)?([a-z_]+)(\.worst)?=([-+]?[0-9]*\.?[0-9]+)(x?)", re.ASCII)


@dataclass(frozen=True)
class Limit:
    """One limit."""

    text: str  # as it was written
    room: str
    name: str
    value: float
    worst: bool = False  # for every frame, else for the mean
    of_source: bool = False  # so many times the source's

    @property
    def figure(self) -> Figure:
        """What it limits."""
        return ROOMS[self.room][self.name]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one as a user writes it."""
        found = WRITTEN.fullmatch(text.strip().replace(" ", ""))
        if found is None:
            raise InputError(f"--limit {text}: cannot be read: write a figure and a number, as flicker=2 or warp_short=1.5x")
        room, name, worst, value, times = found.groups()
        rooms = [each for each, figures in ROOMS.items() if name in figures and room in (None, each)]
        if not rooms:
            raise InputError(f"--limit {text}: no figure is called so: there are {_names()}")
        if len(rooms) > 1:
            raise InputError(f"--limit {text}: pictures and shots both have a {name}: write picture.{name}= or moving.{name}=")
        if times and (ROOMS[rooms[0]][name].better == "one" or name in AGAINST_SOURCE):
            raise InputError(f"--limit {text}: {name} is against the source already: write {name}={value}")
        if worst and rooms[0] == "set":
            raise InputError(f"--limit {text}: is of all pictures together, and has no worst: leave .worst out")
        if times and not ROOMS[rooms[0]][name].has_source:
            raise InputError(f"--limit {text}: the source has no {name} of its own: give the limit without x")
        return cls(text, rooms[0], name, float(value), bool(worst), bool(times))

    def bound(self, row: Row) -> float:
        """The number that may not be passed."""
        return self.value * row.get(self.name + SOURCE, math.inf) if self.of_source else self.value

    def keeps(self, row: Row) -> bool:
        """Whether figures that have this one keep it."""
        ours, bound = row[self.name], self.bound(row)
        if self.figure.better == "one":
            return abs(ours - 1) <= bound
        return ours <= bound if self.figure.better == "lower" else ours >= bound


AGAINST_SOURCE = ("flicker",)


@dataclass(frozen=True)
class Verdict:
    """How a limit was kept."""

    limit: Limit
    value: float | None  # the mean, or the worst frame's; None: no frame has it
    bound: float
    kept: bool
    beyond: tuple[str, ...] = ()  # frames whose own figure is

    @property
    def short(self) -> str:
        """It in a few words: flicker=2 (3.1)."""
        return f"{self.limit.text} ({'not measured' if self.value is None else f'{self.value:.3g}'})"

    @property
    def told(self) -> str:
        """It in words."""
        figure, limit = self.limit.figure, self.limit
        if self.value is None:
            return f"{limit.text}: could not be measured"
        direction = {"lower": "at most", "higher": "at least", "one": "off from 1 by at most"}[figure.better]
        where = f" in frame {self.beyond[0]}" if limit.worst and self.beyond else ""
        more = f"; beyond it {_listed(self.beyond)}" if self.beyond and not limit.worst else ""
        value, bound = (
            f"{number:.{figure.decimals + 1}g}" if number < 1 else f"{number:.{figure.decimals}f}"
            for number in (self.value, self.bound)
        )
        return f"{limit.text}: {figure.words}{where} is {value}, wanted {direction} {bound}{more}"

    def as_json(self) -> dict[str, Any]:
        """It for programs."""
        name = f"{self.limit.room}.{self.limit.name}"
        found = {"limit": self.limit.text, "figure": name, "value": self.value, "bound": self.bound, "kept": self.kept}
        return found | {"frames_beyond": list(self.beyond)}


def parse_limits(texts: Sequence[str], moving: bool, given: Collection[str]) -> list[Limit]:
    """All limits of a job; one on what will not be measured is refused: `given` are the options that figures need."""
    limits = [Limit.parse(text) for text in texts]
    for limit in limits:
        if limit.room == "moving" and not moving:
            raise InputError(f"--limit {limit.text}: is of shots, and these are pictures: leave it out, or name a shot")
        if limit.figure.needs and limit.figure.needs not in given:
            raise InputError(f"--limit {limit.text}: {NEEDS[limit.figure.needs]}")
    return limits


def judged(limits: Sequence[Limit], means: Mapping[str, Row], rows: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    """How each limit was kept. What no frame has is let pass, unless nothing of the shot could be followed at all."""
    return [_judged(limit, means.get(limit.room, {}), rows) for limit in limits]


def _judged(limit: Limit, means: Row, rows: Sequence[Mapping[str, Any]]) -> Verdict:
    if limit.name not in means:
        return Verdict(limit, None, limit.value, bool(set(means) - {"followed"}))
    own = [(row["frame"], row[limit.room]) for row in rows if limit.name in row.get(limit.room, {})]
    beyond = [(name, row) for name, row in own if not limit.keeps(row)]
    if not limit.worst:
        return Verdict(limit, means[limit.name], limit.bound(means), limit.keeps(means), tuple(name for name, _ in beyond))
    ranked = sorted(own, key=lambda one: _badness(limit, one[1]), reverse=True)
    worst = ranked[0][1]
    names = tuple(name for name, _ in sorted(beyond, key=lambda one: _badness(limit, one[1]), reverse=True))
    return Verdict(limit, worst[limit.name], limit.bound(worst), not beyond, names)


def _badness(limit: Limit, row: Row) -> float:
    signed = limit.figure.fault(row[limit.name])
    return signed / max(limit.bound(row), 1e-9) if limit.of_source and limit.figure.better == "lower" else signed


def _listed(names: Sequence[str]) -> str:
    some = ", ".join(names[:5])
    return f"in frame {some}" if len(names) == 1 else f"in {len(names)} frames ({some}{' ...' if len(names) > 5 else ''})"


def _names() -> str:
    both = set(ROOMS["picture"]) & set(ROOMS["moving"])
    return ", ".join(f"{room}.{name}" if name in both else name for room, figures in ROOMS.items() for name in figures)
