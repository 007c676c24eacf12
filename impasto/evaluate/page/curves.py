"""A figure over the frames of a shot, as a drawing (SVG); its values go along for the page's script, which tells them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from impasto.evaluate.figures import OUTPUT, ROOMS, SOURCE

WIDTH, HEIGHT = 560, 168
LEFT, RIGHT, TOP, BELOW = 46, 10, 10, 22  # margins
LEAST_SPAN = 0.25  # of its height that a drawing shows: what hardly changes should look so
MOST_POINTS = 1200  # of a line; more cannot be seen
Values = list[float | None]


@dataclass(frozen=True)
class Curve:
    """One figure over the frames: the painting's, the source's where it has one, and the limit where one was given."""

    room: str
    name: str
    frames: list[str]
    ours: Values
    theirs: Values
    limit: float | None = None

    @property
    def decimals(self) -> int:
        """With how many its values are told."""
        return max(2, ROOMS[self.room][self.name].decimals + 1)

    def as_json(self) -> dict[str, Any]:
        """Its values, for the page's script."""
        known: Values = [round(value, 5) if value is not None else None for value in self.ours]
        source: Values = [round(value, 5) if value is not None else None for value in self.theirs]
        box = {"left": LEFT, "right": WIDTH - RIGHT, "width": WIDTH, "low": self._ends()[0], "high": self._ends()[1]}
        return {"frames": self.frames, "ours": known, "theirs": source, "decimals": self.decimals, "box": box}

    def _ends(self) -> tuple[float, float]:
        """The least and the greatest value that is drawn; from 0 where that is near."""
        values = [value for value in [*self.ours, *self.theirs, self.limit] if value is not None]
        low, high = min(values), max(values)
        low = 0.0 if 0 < low < 0.6 * high else low
        lacking = max(0.0, LEAST_SPAN * max(abs(low), abs(high), 1e-3) - (high - low))
        room = (high - low + lacking) * 0.06 + lacking / 2
        return (low - room if low else 0.0), high + room

    def draw(self) -> str:
        """The drawing."""
        low, high = self._ends()
        inner = [_line(self.theirs, low, high, "theirs"), _line(self.ours, low, high, "ours")]
        if self.limit is not None:
            at = _y(self.limit, low, high)
            inner.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        cross = '<g class="cross" hidden><line y1="{}" y2="{}"/><circle class="ours" r="3.5"/><circle class="theirs" r="3"/></g>'
        drawn = "".join([*_grid(low, high), *_numbers(self.frames), *inner, cross.format(TOP, HEIGHT - BELOW)])
        return f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{self.name}">{drawn}</svg>'


def curve_of(room: str, name: str, rows: Sequence[Mapping[str, Any]], limit: float | None) -> Curve | None:
    """The curve of a figure; None where fewer than two frames have it."""
    found = [(row["frame"], row[room]) for row in rows if room in row]
    found = found[:: max(1, math.ceil(len(found) / MOST_POINTS))]
    ours: Values = [row.get(name + OUTPUT, row.get(name)) for _, row in found]
    if sum(value is not None for value in ours) < 2:
        return None
    theirs: Values = [row.get(name + SOURCE) for _, row in found]
    return Curve(room, name, [frame for frame, _ in found], ours, theirs, limit)


def overlaid(room: str, name: str, versions: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Curves of several versions in one drawing, the source's behind them; empty where not all of them have one."""
    curves = [curve for rows in versions.values() if (curve := curve_of(room, name, rows, None))]
    if len(curves) < len(versions):
        return ""
    ends = [curve._ends() for curve in curves]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    lines = [_line(curve.ours, low, high, f"v{number}") for number, curve in enumerate(curves)]
    drawn = "".join([*_grid(low, high), *_numbers(curves[0].frames), _line(curves[0].theirs, low, high, "theirs"), *lines])
    return f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}">{drawn}</svg>'


def _y(value: float, low: float, high: float) -> float:
    return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BELOW)


def _x(place: int, count: int) -> float:
    return LEFT + place / max(1, count - 1) * (WIDTH - LEFT - RIGHT)


def _line(values: Values, low: float, high: float, kind: str) -> str:
    """A path with gaps where frames have no value; a value alone becomes a dot."""
    parts, run = [], []
    for place, value in enumerate([*values, None]):
        if value is not None:
            run.append((_x(place, len(values)), _y(value, low, high)))
        elif run:
            run = run if len(run) > 1 else [*run, (run[0][0] + 0.1, run[0][1])]
            parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run))
            run = []
    return f'<path class="{kind}" d="{"".join(parts)}"/>' if parts else ""


def _grid(low: float, high: float) -> list[str]:
    step = _round_step((high - low) / 3)
    first = math.ceil(low / step)
    lines = []
    for number in range(first, math.floor(high / step) + 1):
        value = number * step
        at = _y(value, low, high)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{at + 3.5:.1f}" text-anchor="end">{value:.6g}</text>')
    return lines


def _round_step(step: float) -> float:
    """1, 2 or 5 times a power of ten, not below."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return power * next(times for times in (1, 2, 5, 10) if times * power >= step * 0.999)


def _numbers(frames: Sequence[str]) -> list[str]:
    """A few frames' numbers below."""
    places = sorted({round(part * (len(frames) - 1) / 4) for part in range(5)}) if len(frames) > 5 else [*range(len(frames))]
    ends = {places[0]: "start", places[-1]: "end"}  # the first and the last are whole, too
    where = [f'x="{_x(place, len(frames)):.1f}" y="{HEIGHT - 6}" text-anchor="{ends.get(place, "middle")}"' for place in places]
    return [f"<text {at}>{_short(frames[place])}</text>" for at, place in zip(where, places, strict=True)]


def _short(name: str) -> str:
    return escape(name if len(name) <= 14 else name[:12] + "…")
