"""EvaluateJob: a source and its painting in, figures out: what was kept, how near the look is, and how steady the shot."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from impasto.errors import InputError, MissingExtra
from impasto.job import Done, Job, Progress, option

PAGES = (".html", ".htm")


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
    flow: Path | None = option(None, "folder with the source's known motion: .flo files, EXRs with motion, or a plate's truth")
    limit: list[str] = option(
        [], "what must be kept, as flicker=2, warp_short=1.5x (of the source's) or flicker.worst=6; repeatable"
    )
    painted: str = option("", "frames that are painted already, as 1,24 or a folder: says which one to paint next")
    report: Path | None = option(None, "write a page for people: curves, maps, worst frames (.html)")
    overwrite: bool = option(False, "replace a report that is there already")

    def run(self) -> Iterator[Progress | Done]:
        """Pair the frames, measure each, tell the means and whether the limits are kept."""
        need_torch()
        self._check_report()
        yield Progress("opening")
        from impasto.evaluate.measuring import Measuring

        task = Measuring(self)
        yield from task.frames()
        figures, said = task.told()
        if self.report:
            yield Progress("writing the report")
            task.write_page(self.report)
            said += f"\nreport in {self.report}"
        yield Done(self.output, said, figures, task.failed())

    def _check_report(self) -> None:
        if self.report is None:
            return
        from impasto.media.landing import check_output

        if self.report.suffix.lower() not in PAGES:
            raise InputError(f"--report {self.report}: is written as a page: name it .html")
        check_output(self.report, self.overwrite)


def need_torch() -> None:
    """Refuse to begin where what sees pictures is not installed."""
    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise MissingExtra("evaluating", "learn")
