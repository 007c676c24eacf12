"""EvaluateJob: a source and its painting in, figures out: what was kept, how near the look is, and how steady the shot.

Several paintings or looks are compared, a look is put under attack, and of a training's folder its critic is told of.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from impasto.errors import InputError, LimitError, MissingExtra
from impasto.job import Done, Job, Progress, counted, option

if TYPE_CHECKING:
    from impasto.evaluate.compare import Comparison
    from impasto.evaluate.measuring import Measuring

PAGES = (".html", ".htm")
ATTACKS = ("fgsm", "pgd", "noise", "compression", "gamma")


class EvaluateJob(Job):
    """Measure a painting against its source and a reference."""

    command: ClassVar[str] = "evaluate"
    help: ClassVar[str] = "Measure a painting against its source: what it keeps, how near the look is, how steady it is."

    source: Path = option(help="what was painted: a picture, a folder, a shot; or the run folder of a training", argument=True)
    output: list[Path] = option([], "its painting, likewise, or a look to paint it in now; several are compared", argument=True)
    compare: bool = option(False, "set several paintings or looks side by side and rank them in every figure")
    style: str = option(
        "", "what it should look like: a picture, a folder of pictures, or a look whose pictures lie in --references"
    )
    references: Path | None = option(None, "folder in which the pictures that a look learnt from are looked for")
    truth: Path | None = option(None, "what the painting should have become, where that is known, likewise")
    frames: str = option("all", "which frames of the source the painting shows, as 1001-1100; a video counts from 1")
    side: int = option(512, "long side at which is measured, in pixels; 0 takes pictures as they are", ge=0, le=16384)
    every: int = option(1, "measure every so many frames as pictures; motion is measured in all", ge=1)
    tier: Literal["auto", "live", "full", "mini"] = option("auto", "which network of a look paints; auto: its finest")
    vmaf: bool = option(False, "measure VMAF too (extra quality)")
    flow: Path | None = option(None, "folder with the source's known motion: .flo files, EXRs with motion, or a plate's truth")
    attack: list[str] = option(
        [], f"OUTPUT is a look: how far a tiny change of the source moves its painting: {', '.join(ATTACKS)} (repeatable)"
    )
    eps: float = option(2.0, "the most that fgsm, pgd and noise change a value by, in 1/255", gt=0, le=255)
    limit: list[str] = option(
        [], "what must be kept, as flicker=2, warp_short=1.5x (of the source's) or flicker.worst=6; repeatable"
    )
    painted: str = option("", "frames that are painted already, as 1,24 or a folder: says which one to paint next")
    report: Path | None = option(None, "write a page for people: curves, maps, worst frames (.html)")
    overwrite: bool = option(False, "replace a report that is there already")

    def run(self) -> Iterator[Progress | Done]:
        """What was asked for, by what was named."""
        need_torch()
        self._check_asked()
        if not self.output:
            yield self._of_run()
        elif self.attack:
            yield from self._attack()
        elif len(self.output) > 1 or self.compare:
            yield from self._compare()
        else:
            yield from self._measure()

    def _measure(self) -> Iterator[Progress | Done]:
        """Pair the frames, measure each, tell the means and whether the limits are kept."""
        from impasto.evaluate.measuring import Measuring
        from impasto.evaluate.painting import easel, paint, versions

        yield Progress("opening")
        with easel() as folder:
            (version,) = versions(self.output)
            place = version.place
            for step in paint(version, self, folder):
                if isinstance(step, Path):
                    place = step
                else:
                    yield step
            task = Measuring(self, place, version.place)
            yield from task.frames()
            figures, said = yield from self._told(task)
        yield Done(self.output[0], said, figures, task.failed())

    def _compare(self) -> Iterator[Progress | Done]:
        from impasto.evaluate.compare import Comparison
        from impasto.evaluate.painting import easel, versions

        yield Progress("opening")
        with easel() as folder:
            task = Comparison(self, versions(self.output), folder)
            yield from task.run()
            figures, said = yield from self._told(task)
        faults = task.faults()
        failed = LimitError(f"{counted(len(faults), 'version')} beyond limits: {'; '.join(faults)}") if faults else None
        yield Done(self.report, said, figures, failed)

    def _told(self, task: Measuring | Comparison) -> Generator[Progress, None, tuple[dict[str, Any], str]]:
        """The figures and what is said of them; the report is written if one is wanted."""
        figures, said = task.told()
        if self.report:
            yield Progress("writing the report")
            task.write_page(self.report)
            said += f"\nreport in {self.report}"
        return figures, said

    def _attack(self) -> Iterator[Progress | Done]:
        from impasto.evaluate.attack import Siege
        from impasto.evaluate.painting import look_file

        yield Progress("opening")
        found, said = {}, []
        for place in self.output:
            siege = Siege(self, look_file(place))
            yield from siege.run()
            found[str(place)], told = siege.told()
            said.append(told)
        figures = next(iter(found.values())) if len(found) == 1 else {"looks": found}
        yield Done(None, "\n\n".join(said), figures)

    def _of_run(self) -> Done:
        from impasto.evaluate.critic import is_run, told_of

        if not is_run(self.source):
            how = "name its painting, or a look to paint it in; only a run folder of learn stands alone"
            raise InputError(f"{self.source}: {how}")
        said, figures = told_of(self.source)
        return Done(self.source, said, {"critic": figures})

    def _check_asked(self) -> None:
        from impasto.evaluate.painting import is_look

        for name in self.attack:
            if name not in ATTACKS:
                raise InputError(f"--attack {name}: there is none of that name: choose among {', '.join(ATTACKS)}")
        for place in self.output if self.attack else ():
            if not is_look(place) or "#" in str(place):
                raise InputError(f"--attack: {place} is no look by itself: name a style file, or a look by its name")
        others = ("report", "limit", "style", "truth", "vmaf", "flow", "painted")
        given = [f"--{name}" for name in others if getattr(self, name)]
        if given and (self.attack or not self.output):
            alone = "--attack" if self.attack else f"{self.source}: a run folder"
            raise InputError(f"{alone}: has figures of its own: leave {', '.join(given)} out")
        if self.attack and not self.output:
            raise InputError("--attack: which look? Name it after the source, as in evaluate shot.mov great-wave --attack pgd")
        if self.compare and len(self.output) < 2:
            raise InputError("--compare: name two paintings or looks, or more, as in evaluate shot.mov a.mov b.mov --compare")
        if self.painted and len(self.output) > 1:
            raise InputError("--painted: says what to paint next for one painting: name one")
        self._check_report()

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
