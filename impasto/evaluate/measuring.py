"""One evaluation under way: frames are read once, each is measured, and what is told in the end is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import InputError, LimitError
from impasto.evaluate.eye import Eye
from impasto.evaluate.gallery import Gallery
from impasto.evaluate.given import open_flows
from impasto.evaluate.limits import Verdict, judged, parse_limits
from impasto.evaluate.next_key import Next, find_next, painted_frames
from impasto.evaluate.pairing import Pairs, as_shown, fitted, open_pairs
from impasto.evaluate.reference import find_references
from impasto.evaluate.report import table
from impasto.evaluate.steadiness import Row, Steadiness, summary
from impasto.job import Progress, counted
from impasto.media.flow import Plane, Step

if TYPE_CHECKING:
    from impasto.evaluate.job import EvaluateJob

ABOUT_THE_MOTION = ("followed", "end_point")  # figures that say nothing of the painting


class Measuring:
    """A job's measuring; faults of what was asked for are told before the first frame is read."""

    def __init__(self, job: EvaluateJob) -> None:
        self._job = job
        self.pairs: Pairs = open_pairs(job.source, job.output, job.frames, job.side)
        numbers = [ours for ours, _ in self.pairs.numbers]
        if not self.pairs.moving and (job.flow or job.painted):
            raise InputError(f"--{'flow' if job.flow else 'painted'}: is for shots, and these are pictures: leave it out")
        self._limits = parse_limits(job.limit, self.pairs.moving, bool(job.style), bool(job.flow))
        self._painted = painted_frames(job.painted, [str(number) for number in numbers]) if job.painted else []
        self._flows = open_flows(job.flow, numbers) if job.flow else None
        files = find_references(job.style, job.references) if job.style else []
        self._eye = Eye([fitted(as_shown(file), job.side) for file in files])
        self._watch = Steadiness(given=self._flows is not None, maps=job.report is not None)
        self._gallery = Gallery()
        self._contents: dict[str, NDArray[np.float32]] = {}
        self._before: Plane | None = None
        self.rows: list[dict[str, Any]] = []
        self._verdicts: list[Verdict] = []
        self._next: Next | None = None

    def frames(self) -> Iterator[Progress]:
        """Measure one pair after the other."""
        began, total = time.monotonic(), len(self.pairs)
        for name, source, output in self.pairs.read():
            self._take(name, source, output)
            rate = len(self.rows) / max(1e-6, time.monotonic() - began)
            unit, left = "frame" if self.pairs.moving else "picture", (total - len(self.rows)) / rate
            yield Progress("measuring", len(self.rows), total, unit, rate, seconds_left=left)

    def _take(self, name: str, source: Plane, output: Plane) -> None:
        row: dict[str, Any] = {"frame": name}
        if len(self.rows) % self._job.every == 0:
            row["picture"] = self._eye.judge(source, output)
            if self._painted:
                self._contents[name] = self._eye.content(source)
        if self.pairs.moving:
            row["moving"] = self._watch.take(source, output, self._step(source))
            self._before = source
        if self._job.report:
            self._gallery.take(row, (source, output), self._watch.where, self._watch.changed)
        self.rows.append(row)

    def _step(self, source: Plane) -> Step | None:
        """The known motion to this frame from the one before."""
        if self._flows is None or self._before is None:
            return None
        before, now = (ours for ours, _ in self.pairs.numbers[len(self.rows) - 1 : len(self.rows) + 1])
        return self._flows.step(before, now, (self._before, source))

    def told(self) -> tuple[dict[str, Any], str]:
        """All figures, and what is said of them."""
        means = means_of(self.rows)
        self._verdicts = judged(self._limits, means, self.rows)
        self._next = find_next(self.rows, self._contents, self._painted) if self._painted else None
        figures: dict[str, Any] = {"frames": len(self.pairs), "side": self._job.side, "mean": means, "per_frame": self.rows}
        lines = [*self._opening(means), table(means)]
        if self._limits:
            figures |= {"limits": [verdict.as_json() for verdict in self._verdicts], "kept": self.failed() is None}
            lines += [f"{'kept' if verdict.kept else 'NOT KEPT'}: {verdict.told}" for verdict in self._verdicts]
        if self._next:
            figures["next"] = self._next.as_json()
            lines.append(self._next.told)
        return figures, "\n".join(lines)

    def _opening(self, means: dict[str, dict[str, float]]) -> list[str]:
        pairs = self.pairs
        first = f"{pairs.output}: {counted(len(pairs), 'frame' if pairs.moving else 'picture')} against {pairs.source}"
        if pairs.unpainted:
            first += f"; {counted(pairs.unpainted, 'picture')} of the source without a painting"
        lines = [first]
        if self._flows:
            lines.append(self._known())
        if pairs.moving and not set(means.get("moving", {})) - set(ABOUT_THE_MOTION):
            lines.append("nothing could be followed from frame to frame: are these pictures of one shot?")
        return lines

    def _known(self) -> str:
        known = sum("followed" in row.get("moving", {}) for row in self.rows)
        return f"motion from {self._job.flow} for {known} of {len(self.rows) - 1} steps; the others are not judged"

    def failed(self) -> LimitError | None:
        """The limits that were not kept, as one fault."""
        lost = [verdict.short for verdict in self._verdicts if not verdict.kept]
        return LimitError(f"{len(lost)} of {counted(len(self._verdicts), 'limit')} not kept: {', '.join(lost)}") if lost else None

    def write_page(self, path: Path) -> None:
        """Write what people look at."""
        from impasto.evaluate.page.build import Findings, write_page

        job, means = self._job, means_of(self.rows)
        found = Findings(
            source=job.source,
            output=job.output,
            moving=self.pairs.moving,
            side=job.side,
            rows=self.rows,
            means=means,
            gallery=self._gallery,
            verdicts=self._verdicts,
            next=self._next,
            style=job.style,
            flow=str(job.flow or ""),
        )
        write_page(path, found, job.overwrite)


def means_of(rows: Sequence[dict[str, Any]]) -> dict[str, Row]:
    """The means of the frames' figures, as pictures and in motion."""
    means = {room: summary([row[room] for row in rows if room in row]) for room in ("picture", "moving")}
    return {room: found for room, found in means.items() if found}
