"""Which frame of a shot to paint next: the one least like any that is painted, and worst in what was measured.

    find_next(rows, contents, painted=["1", "24"])

A learnt shot is good near its painted frames. What lies far from them in content is where a look has to guess; where the figures
are bad as well, it guessed wrong. Both are shares of the shot: 1 is its farthest frame, 1 its worst.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import InputError, MediaError
from impasto.evaluate.figures import ROOMS, excess
from impasto.job import counted
from impasto.media.ranges import Frames, runs, say
from impasto.media.sequence import Pattern, find_frames

JUDGES = (("picture", "structure"), ("picture", "content"), ("moving", "detail"), ("moving", "flicker"), ("moving", "warp_short"))
NEAR = 2  # frames on either side: one bad frame by itself is a flicker, not a place that lacks a painting
THEN = 2  # more are named for who paints several
ALIKE = 0.01  # content distance at which a painting would tell hardly anything new
SHARE = 0.25  # of a frame's cells that tell how far it is from another: a hand that moves is a small part of it
NAMED = 3
HALF = 0.5
Contents = NDArray[np.float32]


@dataclass(frozen=True)
class Next:
    """A frame to paint, and why."""

    frame: str
    nearest: str  # the painted frame that is most like it
    distance: float  # of their contents, 0..2
    typical: float  # the shot's median distance from a painted frame
    badness: float  # share of the shot's frames that are painted better
    faults: tuple[tuple[str, str, float, float], ...] = ()  # room, figure, this frame's, the shot's mean
    then: tuple[str, ...] = ()
    painted: tuple[str, ...] = ()

    @property
    def alike(self) -> bool:
        """Whether even this frame is much like a painted one."""
        return self.distance < ALIKE

    @property
    def told(self) -> str:
        """It in words."""
        far = f"content {self.distance:.3f} from frame {self.nearest}, the shot's median is {self.typical:.3f}"
        parts = [f"paint frame {self.frame} next: least like any painted frame ({far})"]
        if self.badness >= HALF:
            parts.append(f"painted worse than {self.badness:.0%} of the frames")
        parts += [f"with {self._faults()}"] if self.faults else []
        more = f"; then {', '.join(self.then)}" if self.then else ""
        return ", ".join(parts) + more + ("; little would be gained: every frame is like a painted one" if self.alike else "")

    def _faults(self) -> str:
        told = [f"{ROOMS[room][name].words} {ours:.2f} (mean {mean:.2f})" for room, name, ours, mean in self.faults]
        return " and ".join(told)

    def as_json(self) -> dict[str, Any]:
        """It for programs."""
        faults = [{"figure": f"{room}.{name}", "value": ours, "mean": mean} for room, name, ours, mean in self.faults]
        known = {"frame": self.frame, "nearest_painted": self.nearest, "distance": self.distance, "alike": self.alike}
        shares = {"median_distance": self.typical, "worse_than": self.badness, "faults": faults}
        return known | shares | {"then": list(self.then), "painted": list(self.painted), "words": self.told}


def painted_frames(text: str, frames: Sequence[str]) -> list[str]:
    """The frames that are painted already: ranges as 1,24, or a folder of pictures called by their numbers."""
    numbers = [int(name) for name in frames]
    place = Path(text)
    if not place.is_dir():
        return [str(number) for number in Frames.parse(text).chosen(numbers)]
    try:
        found = list(find_frames(place))
    except MediaError:
        found = [number for file in sorted(place.iterdir()) if (number := _number(file)) is not None]
    inside = sorted(set(found) & set(numbers))
    if not inside:
        there = say(runs(sorted(found))) if found else "none with a number"
        raise InputError(f"--painted {text}: holds no frame of {say(runs(numbers))}: its pictures are {there}")
    return [str(number) for number in inside]


def _number(file: Path) -> int | None:
    pattern = Pattern.of(file)
    return pattern.number_of(file.name) if pattern else None


def find_next(rows: Sequence[Mapping[str, Any]], contents: Mapping[str, NDArray[np.float32]], painted: Sequence[str]) -> Next:
    """The frame to paint next; `contents` are what the frames show, as unit vectors of their cells [cells,D]."""
    missing = [name for name in painted if name not in contents]
    if missing or not painted:
        raise InputError(
            f"--painted: {counted(len(missing), 'frame')} ({', '.join(missing[:4])}) not among those measured: leave out --every"
        )
    names = list(contents)
    if len(painted) == len(names):
        raise InputError("--painted: names every frame: there is none left to paint")
    shown = np.stack([contents[name] for name in names])  # [n,cells,D]
    bad = _badness(rows, names)
    far, nearest = _distances(shown, names, painted)
    at, *others = _least_served(shown, names, painted, bad)
    then = tuple(names[place] for place in others if far[place] >= ALIKE)
    share, typical = float((bad < bad[at]).mean()), float(np.median(far))
    return Next(names[at], nearest[at], float(far[at]), typical, share, _faults(rows, names[at]), then, tuple(painted))


def _least_served(shown: Contents, names: Sequence[str], painted: Sequence[str], bad: NDArray[np.float64]) -> list[int]:
    """The places of the frame to paint next and of those after it, each as if the ones before were painted."""
    found: list[int] = []
    for _ in range(min(1 + THEN, len(names) - len(painted))):
        far, _ = _distances(shown, names, [*painted, *(names[place] for place in found)])
        # the mean of both as a product, so that a painted frame is never named however bad it is
        found.append(int(np.argmax(np.sqrt(far / max(float(far.max()), 1e-9) * (0.05 + bad)))))
    return found


def _distances(shown: Contents, names: Sequence[str], keys: Sequence[str]) -> tuple[NDArray[np.float32], list[str]]:
    """How far each frame is from the nearest painted one, and which that is."""
    most = max(1, round(shown.shape[1] * SHARE))
    columns = []
    for key in keys:
        cells = 1 - (shown * shown[names.index(key)]).sum(-1)  # [n,cells]
        columns.append(np.sort(cells, 1)[:, -most:].mean(1).clip(0))
    distances = np.stack(columns, 1)  # [n,keys]
    return distances.min(1), [keys[place] for place in distances.argmin(1)]


def _badness(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> NDArray[np.float64]:
    """Each frame's rank among all, over every figure that judges, 0..1; its neighbours' counted in."""
    of = {row["frame"]: row for row in rows}
    ranks = []
    for room, name in JUDGES:
        values = np.array([_excess(of[frame], room, name) for frame in names], np.float64)
        if np.isfinite(values).sum() < 2:
            continue
        known = np.where(np.isfinite(values), values, np.nanmedian(values))
        smooth = np.convolve(np.pad(known, NEAR, mode="edge"), np.ones(2 * NEAR + 1) / (2 * NEAR + 1), "valid")
        ranks.append((smooth[:, None] > smooth[None]).mean(1) + 0.5 * (smooth[:, None] == smooth[None]).mean(1))
    return np.mean(ranks, 0) if ranks else np.ones(len(names))


def _excess(row: Mapping[str, Any], room: str, name: str) -> float:
    found = excess(room, name, row.get(room, {}))
    return float("nan") if found is None else found


def _faults(rows: Sequence[Mapping[str, Any]], frame: str) -> tuple[tuple[str, str, float, float], ...]:
    """The figures in which the frame is worse than the mean, the worst first."""
    found = []
    for room, name in JUDGES:
        values = {row["frame"]: row[room][name] for row in rows if name in row.get(room, {})}
        costs = {row["frame"]: _excess(row, room, name) for row in rows if row["frame"] in values}
        if frame not in values or len(values) < 2:
            continue
        mean, cost, spread = (
            float(each(list(of.values()))) for each, of in ((np.mean, values), (np.mean, costs), (np.std, costs))
        )
        if costs[frame] > cost + HALF * spread and f"{values[frame]:.2f}" != f"{mean:.2f}":
            found.append(((costs[frame] - cost) / spread, (room, name, values[frame], mean)))
    return tuple(fault for _, fault in sorted(found, reverse=True)[:NAMED])
