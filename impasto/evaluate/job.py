"""EvaluateJob: a source and its painting in, figures out: what was kept, how near the look is, and how steady the shot."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from impasto.errors import MissingExtra
from impasto.job import Done, Job, Progress, counted, option

if TYPE_CHECKING:
    from impasto.evaluate.eye import Eye
    from impasto.evaluate.pairing import Pairs

Row = dict[str, float]


class EvaluateJob(Job):
    """Measure a painting against its source and a reference."""

    command: ClassVar[str] = "evaluate"
    help: ClassVar[str] = "Measure a painting against its source: what it keeps, how near the look is, how steady it is."

    source: Path = option(help="what was painted: a picture, a folder, a sequence or a movie", argument=True)
    output: Path = option(help="its painting, likewise", argument=True)
    style: str = option(
        "", "what it should look like: a picture, a folder of pictures, or a look whose pictures lie in --references"
    )
    references: Path | None = option(None, "folder in which the pictures that a look learnt from are looked for")
    frames: str = option("all", "which frames of the source the painting shows, as 1001-1100; a video counts from 1")
    side: int = option(512, "long side at which is measured, in pixels; 0 takes pictures as they are", ge=0, le=16384)
    every: int = option(1, "measure every so many frames as pictures; motion is measured in all", ge=1)

    def run(self) -> Iterator[Progress | Done]:
        """Pair the frames, measure each, tell the means."""
        need_torch()
        yield Progress("opening")
        from impasto.evaluate.pairing import open_pairs

        pairs = open_pairs(self.source, self.output, self.frames, self.side)
        rows: list[dict[str, Any]] = []
        yield from self._measured(pairs, self._eye(), rows)
        means = means_of(rows)
        figures = {"frames": len(pairs), "side": self.side, "mean": means, "per_frame": rows}
        yield Done(self.output, _told(pairs, means), figures)

    def _eye(self) -> Eye:
        from impasto.evaluate.eye import Eye
        from impasto.evaluate.pairing import as_shown, fitted
        from impasto.evaluate.reference import find_references

        files = find_references(self.style, self.references) if self.style else []
        return Eye([fitted(as_shown(file), self.side) for file in files])

    def _measured(self, pairs: Pairs, eye: Eye, rows: list[dict[str, Any]]) -> Iterator[Progress]:
        from impasto.evaluate.steadiness import Steadiness

        watch, began = Steadiness(), time.monotonic()
        for number, (name, source, output) in enumerate(pairs.read()):
            row: dict[str, Any] = {"frame": name}
            if number % self.every == 0:
                row["picture"] = eye.judge(source, output)
            if pairs.moving:
                row["moving"] = watch.take(source, output)
            rows.append(row)
            rate = len(rows) / max(1e-6, time.monotonic() - began)
            unit, left = "frame" if pairs.moving else "picture", (len(pairs) - len(rows)) / rate
            yield Progress("measuring", len(rows), len(pairs), unit, rate, seconds_left=left)


def need_torch() -> None:
    """Refuse to begin where what sees pictures is not installed."""
    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise MissingExtra("evaluating", "learn")


def means_of(rows: Sequence[dict[str, Any]]) -> dict[str, Row]:
    """The means of the frames' figures, as pictures and in motion."""
    from impasto.evaluate.steadiness import summary

    means = {room: summary([row[room] for row in rows if room in row]) for room in ("picture", "moving")}
    return {room: found for room, found in means.items() if found}


def _told(pairs: Pairs, means: dict[str, Row]) -> str:
    from impasto.evaluate.report import table

    lines = [f"{pairs.output}: {counted(len(pairs), 'frame' if pairs.moving else 'picture')} against {pairs.source}"]
    if pairs.unpainted:
        lines[0] += f"; {counted(pairs.unpainted, 'picture')} of the source without a painting"
    if pairs.moving and not any(name != "followed" for name in means.get("moving", {})):
        lines.append("nothing could be followed from frame to frame: are these pictures of one shot?")
    return "\n".join([*lines, table(means)])
