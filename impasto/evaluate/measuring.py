"""One evaluation under way: frames are read once, each is measured, and what is told in the end is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import repeat
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
from impasto.evaluate.reference import evenly, find_references
from impasto.evaluate.report import table
from impasto.evaluate.sets import MOST, Crowd
from impasto.evaluate.steadiness import Row, Steadiness, summary
from impasto.evaluate.vmaf import Vmaf, ffmpeg_with_vmaf, judges
from impasto.job import Progress, counted
from impasto.media.flow import Plane, Step

if TYPE_CHECKING:
    from impasto.evaluate.job import EvaluateJob

ABOUT_THE_MOTION = ("followed", "end_point")  # figures that say nothing of the painting


class Measuring:
    """One painting's measuring; faults of what was asked for are told before the first frame is read."""

    def __init__(self, job: EvaluateJob, output: Path, called: Path) -> None:
        """`output` is where the painting lies, `called` what was named: the same, or the look that it was painted in."""
        self._job, self._called = job, called
        self.pairs: Pairs = open_pairs(job.source, output, job.frames, job.side)
        self._truth = open_pairs(job.truth, output, side=job.side) if job.truth else None
        numbers = [ours for ours, _ in self.pairs.numbers]
        if not self.pairs.moving and (job.flow or job.painted):
            raise InputError(f"--{'flow' if job.flow else 'painted'}: is for shots, and these are pictures: leave it out")
        if job.vmaf:
            ffmpeg_with_vmaf()
        given = {"style": job.style, "flow": job.flow, "truth": job.truth, "vmaf": job.vmaf}
        self._limits = parse_limits(job.limit, self.pairs.moving, [name for name, value in given.items() if value])
        self._painted = painted_frames(job.painted, [str(number) for number in numbers]) if job.painted else []
        self._flows = open_flows(job.flow, numbers) if job.flow else None
        files = find_references(job.style, job.references, MOST) if job.style else []
        self._eye = Eye([fitted(as_shown(file), job.side) for file in evenly(files)])
        self._crowd = Crowd(files, job.side)
        self._watch = Steadiness(given=self._flows is not None, maps=job.report is not None)
        self.gallery = Gallery()
        self._vmafs: list[Vmaf] = []
        self._contents: dict[str, NDArray[np.float32]] = {}
        self._before: Plane | None = None
        self.rows: list[dict[str, Any]] = []
        self.means: dict[str, Row] = {}
        self._verdicts: list[Verdict] = []
        self._next: Next | None = None

    def frames(self) -> Iterator[Progress]:
        """Measure one pair after the other, then what all of them are together."""
        began, total = time.monotonic(), len(self.pairs)
        truths = self._truths()
        wanted = {"vmaf": self._job.vmaf, "vmaf_truth": self._job.vmaf and self._truth is not None}
        with judges(*(name for name, is_wanted in wanted.items() if is_wanted)) as self._vmafs:
            for name, source, output in self.pairs.read():
                self._take(name, source, output, next(truths))
                rate = len(self.rows) / max(1e-6, time.monotonic() - began)
                unit, left = "frame" if self.pairs.moving else "picture", (total - len(self.rows)) / rate
                yield Progress("measuring", len(self.rows), total, unit, rate, seconds_left=left)
            for vmaf in self._vmafs if self.pairs.moving else ():
                vmaf.tell()
        self.means = means_of(self.rows)
        together = self._crowd.figures(self._eye)
        self.means |= {"set": together} if together else {}

    def _truths(self) -> Iterator[tuple[Plane, Plane] | None]:
        """For each pair the truth and the painting, at the size at which those two are measured."""
        if self._truth is None:
            yield from repeat(None)
            return
        measured = set(self.pairs.paintings)
        for painting, (_, truth, output) in zip(self._truth.paintings, self._truth.read(), strict=True):
            if painting in measured:
                yield truth, output

    def _take(self, name: str, source: Plane, output: Plane, truth: tuple[Plane, Plane] | None) -> None:
        row: dict[str, Any] = {"frame": name}
        if len(self.rows) % self._job.every == 0:
            row["picture"] = self._eye.judge(source, output)
            self._crowd.take(self._eye)
            if truth:
                row["picture"] |= self._eye.against_truth(*truth)
            if self._painted:
                self._contents[name] = self._eye.content(source)
        if self.pairs.moving:
            row["moving"] = self._watch.take(source, output, self._step(source))
            self._before = source
        if self._job.report:
            self.gallery.take(row, (source, output), self._watch.where, self._watch.changed)
        self.rows.append(row)
        for vmaf in self._vmafs:
            vmaf.take(row, {"vmaf": (source, output), "vmaf_truth": truth}[vmaf.name])
            if not self.pairs.moving:  # a shot is told of as a whole, for VMAF looks at motion
                vmaf.tell()

    def _step(self, source: Plane) -> Step | None:
        """The known motion to this frame from the one before."""
        if self._flows is None or self._before is None:
            return None
        before, now = (ours for ours, _ in self.pairs.numbers[len(self.rows) - 1 : len(self.rows) + 1])
        return self._flows.step(before, now, (self._before, source))

    def told(self) -> tuple[dict[str, Any], str]:
        """All figures, and what is said of them."""
        means = self.means
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
        first = f"{self._called}: {counted(len(pairs), 'frame' if pairs.moving else 'picture')} against {pairs.source}"
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
        from impasto.evaluate.page.build import Findings, page
        from impasto.media.landing import write_text

        job = self._job
        found = Findings(
            source=job.source,
            output=self._called,
            moving=self.pairs.moving,
            side=job.side,
            rows=self.rows,
            means=self.means,
            gallery=self.gallery,
            verdicts=self._verdicts,
            next=self._next,
            style=job.style,
            flow=str(job.flow or ""),
            truth=str(job.truth or ""),
        )
        write_text(path, page(found), job.overwrite)


def means_of(rows: Sequence[dict[str, Any]]) -> dict[str, Row]:
    """The means of the frames' figures, as pictures and in motion."""
    means = {room: summary([row[room] for row in rows if room in row]) for room in ("picture", "moving")}
    return {room: found for room, found in means.items() if found}
