"""`impasto batch shots.csv -o out/`: a whole sequence of shots, each in its own look."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import ClassVar

from impasto.errors import ImpastoError, InputError
from impasto.job import Done, Job, Progress, counted, option
from impasto.saved.files import read_jobs
from impasto.saved.ledger import Ledger
from impasto.saved.page import Ended, seen, write_page
from impasto.saved.table import Shot, read_table

PAGE, LEDGER = "index.html", "batch.done.json"


class BatchJob(Job):
    """Render every shot of a table, each as its line says."""

    command: ClassVar[str] = "batch"
    help: ClassVar[str] = "Render every shot of a table, each in its own look, with one page that shows them all."

    table: Path = option(
        help="a CSV file: a column 'shot', others named as options of render (style, tier, frames)", argument=True
    )
    out: Path = option(help="the folder for results, one folder in it for each shot", flag="-o/--out")
    common: Path | None = option(None, "a render job file (as --save writes it): what it says holds where a line says nothing")
    fresh: bool = option(False, "render every shot anew, though some were done before")

    def run(self) -> Iterator[Progress | Done]:
        """Judge all lines, then render one shot after the other; one that fails does not hold up the others."""
        yield Progress("reading the table")
        shots = read_table(self.table, self.out, self.common_fields())
        self.out.mkdir(parents=True, exist_ok=True)
        ledger, ended = Ledger(self.out / LEDGER, self.fresh), list[Ended]()
        for number, shot in enumerate(shots):
            yield Progress("shots", number, len(shots), "shot", note=shot.name)
            ended.append((yield from self._render(shot, ledger)))
            write_page(self.out / PAGE, self.table, ended, shots)
        yield self._done(ended)

    def common_fields(self) -> dict[str, object]:
        """What holds for every line that says nothing else."""
        if self.common is None:
            return {}
        jobs = read_jobs(self.common)
        if len(jobs) > 1 or jobs[0].command != "render":
            raise InputError(f"{self.common}: is no render: lines of a table are rendered, and this is to say how")
        return jobs[0].model_dump(exclude_unset=True, exclude={"inputs", "out"})

    def _render(self, shot: Shot, ledger: Ledger) -> Generator[Progress, None, Ended]:
        """One shot. What was done before is not done again; what an older version of the shot left is replaced."""
        before = ledger.done(shot.job)
        if before is not None:
            return Ended(shot, before, *seen(shot, before), again=False)
        folder = self.out / shot.name
        folder.mkdir(exist_ok=True)
        anew = {"overwrite": shot.job.overwrite or self.fresh or ledger.owns(folder), "fresh": shot.job.fresh or self.fresh}
        try:
            for step in shot.job.model_copy(update=anew).run():
                if isinstance(step, Done):
                    ledger.note(shot.job, step)
                    return Ended(shot, step, *seen(shot, step))
                yield step
        except ImpastoError as error:
            yield Progress("shots", note=f"{shot.name} failed: {error}")
            return Ended(shot, fault=error)
        raise AssertionError("a render ended without Done")

    def _done(self, ended: list[Ended]) -> Done:
        faults = [each for each in ended if each.fault is not None]
        again = sum(each.again for each in ended) - len(faults)
        kept = len(ended) - len(faults) - again
        told = f"rendered {counted(again, 'shot')}" + (f", {kept} done before" if kept else "")
        figures = {"shots": {each.shot.name: each.figures() for each in ended}}
        failed = None
        if faults:
            told += f", {len(faults)} failed"
            failed = _failure([f"{each.shot.name}: {each.fault}" for each in faults], faults[0].fault)
        return Done(self.out / PAGE, f"{told} -> {self.out / PAGE}", figures, failed)


def _failure(told: list[str], first: ImpastoError | None) -> ImpastoError:
    """All that failed as one error, which ends the command as the first would have."""
    error = ImpastoError("; ".join(told))
    error.exit_code = first.exit_code if first else ImpastoError.exit_code
    return error
