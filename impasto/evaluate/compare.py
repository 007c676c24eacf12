"""Several paintings of one source, each measured alike, side by side: who is best in which figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from impasto.evaluate.figures import OUTPUT, ROOMS, SOURCE
from impasto.evaluate.gallery import small
from impasto.evaluate.measuring import Measuring
from impasto.evaluate.painting import Version, paint
from impasto.evaluate.pairing import few
from impasto.evaluate.report import in_columns
from impasto.job import Progress, counted

if TYPE_CHECKING:
    from impasto.evaluate.job import EvaluateJob
    from impasto.evaluate.page.compare import Shown

Means = Mapping[str, Mapping[str, float]]  # of one version: room -> figure -> value
Places = dict[tuple[str, str], dict[str, int]]  # (room, figure) -> version -> 1 for the best
UNRANKED = ("end_point",)  # says nothing of the painting
ALIKE = 1e-9
SHOWN, SHOWN_PX = 4, 480  # frames on the page, and how long they are there


class Comparison:
    """The versions of one painting under way, and what they come to."""

    def __init__(self, job: EvaluateJob, named: Sequence[Version], folder: Path) -> None:
        self._job, self._named, self._folder = job, named, folder
        self.measured: dict[str, Measuring] = {}

    def run(self) -> Iterator[Progress]:
        """Paint what is to be painted, measure all."""
        for version in self._named:
            place = version.place
            for step in paint(version, self._job, self._folder):
                if isinstance(step, Path):
                    place = step
                else:
                    yield step
            task = self.measured[version.name] = Measuring(self._job, place, version.place)
            for progress in task.frames():
                yield Progress(f"measuring {version.name}", *_shown(progress))

    @property
    def means(self) -> dict[str, Means]:
        """Of each version."""
        return {name: task.means for name, task in self.measured.items()}

    def told(self) -> tuple[dict[str, Any], str]:
        """All figures, and what is said of them."""
        places = ranked(self.means)
        each = {name: {**task.told()[0], "place": mean_places(places)[name]} for name, task in self.measured.items()}
        figures = {"versions": each, "places": {f"{room}.{name}": by for (room, name), by in places.items()}}
        first = next(iter(self.measured.values()))
        count = counted(len(first.pairs), "frame" if first.pairs.moving else "picture")
        return figures, f"{counted(len(each), 'version')} of {self._job.source}, {count}; * is best\n{table(self.means)}"

    def write_page(self, path: Path) -> None:
        """Write what people look at."""
        from impasto.evaluate.page.compare import Standings, page
        from impasto.media.landing import write_text

        places = ranked(self.means)
        found = Standings(
            source=self._job.source,
            side=self._job.side,
            means=self.means,
            places=places,
            mean_places=mean_places(places),
            rows={name: task.rows for name, task in self.measured.items()},
            shown=list(self._shown()),
            style=self._job.style,
        )
        write_text(path, page(found), self._job.overwrite)

    def _shown(self) -> Iterator[Shown]:
        """A few frames, read again of every version; pairs that not all of them have are left out."""
        from impasto.evaluate.page.compare import Shown

        count = min(len(task.pairs) for task in self.measured.values())
        wanted = sorted({place * (count - 1) // max(1, SHOWN - 1) for place in range(SHOWN)})
        chosen = {name: list(few(task.pairs, wanted).read()) for name, task in self.measured.items()}
        for number, (frame, source, _) in enumerate(next(iter(chosen.values()))):
            painted = {name: small(pairs[number][2], SHOWN_PX) for name, pairs in chosen.items()}
            yield Shown(frame, small(source, SHOWN_PX), painted)

    def faults(self) -> list[str]:
        """The limits that versions did not keep."""
        return [f"{name}: {failed}" for name, task in self.measured.items() if (failed := task.failed())]


def ranked(means: Mapping[str, Means]) -> Places:
    """The place of each version in every figure that all of them have; those that are alike share one."""
    places: Places = {}
    for room, figures in ROOMS.items():
        for name, figure in figures.items():
            values = {version: found[room][name] for version, found in means.items() if name in found.get(room, {})}
            if len(values) == len(means) and name not in UNRANKED:
                faults = {version: figure.fault(value) for version, value in values.items()}
                places[room, name] = {
                    version: 1 + sum(other < fault - ALIKE for other in faults.values()) for version, fault in faults.items()
                }
    return places


def mean_places(places: Places) -> dict[str, float]:
    """The mean place of each version over all figures."""
    by = list(places.values())
    return {version: float(np.mean([each[version] for each in by])) for version in (by[0] if by else {})}


def table(means: Mapping[str, Means]) -> str:
    """One line a figure, one column a version, the best of each marked."""
    places, versions = ranked(means), list(means)
    of_source = next(iter(means.values()))
    rows = [["", *versions, "source", "wanted"]]
    for room, figures in ROOMS.items():
        for name, figure in figures.items():
            if not any(name in found.get(room, {}) for found in means.values()):
                continue
            best = places.get((room, name), {})
            ours = {version: means[version].get(room, {}).get(name) for version in versions}
            values = [_value(value, figure.decimals, best.get(version) == 1) for version, value in ours.items()]
            found = of_source.get(room, {})
            theirs = None if name + OUTPUT in found else found.get(name + SOURCE)
            rows.append([figure.words, *values, _value(theirs, figure.decimals, False), figure.wanted])
    standing = mean_places(places)
    rows.append(["mean place", *(f"{standing[version]:.1f} " for version in versions), "", "1: best in all; no figure is beauty"])
    return in_columns(rows)


def _value(value: float | None, decimals: int, best: bool) -> str:
    return "" if value is None else f"{value:.{decimals}f}{'*' if best else ' '}"


def _shown(progress: Progress) -> tuple[int, int, str, float]:
    return progress.done, progress.total, progress.unit, progress.rate
