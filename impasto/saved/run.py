"""`impasto run job.toml`: jobs that were saved, or written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from impasto.errors import InputError
from impasto.job import Done, Job, Progress, counted, option
from impasto.saved.files import read_jobs
from impasto.saved.ledger import Ledger


class RunJob(Job):
    """Carry out the jobs of a file."""

    command: ClassVar[str] = "run"
    help: ClassVar[str] = "Carry out the jobs of a file: those that --save wrote, a plan, or your own."

    file: Path = option(help="a job file (TOML)", argument=True)
    fresh: bool = option(False, "begin with the first step, though some were done before")

    def run(self) -> Iterator[Progress | Done]:
        """One step after the other; those done before are passed over, and the first that fails ends the run."""
        jobs = read_jobs(self.file)
        if any(isinstance(job, RunJob) for job in jobs):
            raise InputError(f"{self.file}: a job file cannot run another; write its steps here")
        if len(jobs) == 1:
            yield from jobs[0].run()
            return
        ledger, ended = Ledger(self.file.with_suffix(".done.json"), self.fresh), list[Done]()
        for number, job in enumerate(jobs, 1):
            yield Progress(f"step {number} of {len(jobs)}: {job.command}")
            done = ledger.done(job)
            if done is None:
                for step in job.run():
                    if isinstance(step, Done):
                        done = step
                    else:
                        yield step
                assert done is not None, f"{job.command} ended without Done"
                if done.failed is None:
                    ledger.note(job, done)
            ended.append(done)
            if done.failed is not None:
                break
        told = "; ".join(done.summary for done in ended)
        figures = {
            "steps": [{"job": job.command, "path": done.path, **done.figures} for job, done in zip(jobs, ended, strict=False)]
        }
        yield replace(ended[-1], summary=f"{counted(len(ended), 'step')}: {told}", figures=figures)
