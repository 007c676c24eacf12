"""How a running job is shown: bars with speed and time left on a terminal, sparse lines of text anywhere else."""
from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TextIO

from impasto.job import Done, Progress

SECONDS_BETWEEN_LINES = 5.0


def follow(steps: Iterator[Progress | Done], stream: TextIO, bars: bool) -> Done:
    """Run a job to its end, showing its progress, and return what came of it."""
    done: Done | None = None
    for step in _with_bars(steps, stream) if bars else _with_lines(steps, stream):
        done = step if isinstance(step, Done) else done
    assert done is not None, "a job ended without Done"
    return done


def describe(step: Progress) -> str:
    """One progress report as a line of text."""
    parts = [_amount(step)] if step.total or step.done else []
    if step.rate:
        parts.append(f"{step.rate:.3g} {step.unit}s/s")
    left = _seconds_left(step)
    if left is not None:
        parts.append(f"{_clock(left)} left")
    if step.note:
        parts.append(step.note)
    return f"{step.stage}: {', '.join(parts)}" if parts else step.stage


def _with_lines(steps: Iterator[Progress | Done], stream: TextIO) -> Iterator[Progress | Done]:
    last_stage, last_time = "", 0.0
    for step in steps:
        if isinstance(step, Progress):
            now = time.monotonic()
            ended = step.total > 0 and step.done >= step.total
            if step.stage != last_stage or _is_event(step) or ended or now - last_time >= SECONDS_BETWEEN_LINES:
                print(describe(step), file=stream, flush=True)
                last_stage, last_time = step.stage, now
        yield step


def _with_bars(steps: Iterator[Progress | Done], stream: TextIO) -> Iterator[Progress | Done]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[figures]}", markup=False))
    with Bars(*columns, console=Console(file=stream)) as bars:
        stage, bar = "", None
        for step in steps:
            if isinstance(step, Progress) and _is_event(step):
                bars.console.print(Text(describe(step)))
            elif isinstance(step, Progress):
                if step.stage != stage or bar is None:
                    stage, bar = step.stage, bars.add_task(step.stage, total=step.total or None, figures="")
                figures = describe(step).removeprefix(step.stage).removeprefix(": ")
                bars.update(bar, completed=step.done, total=step.total or None, figures=figures)
            yield step


def _is_event(step: Progress) -> bool:
    return bool(step.note) and not step.done and not step.total


def _amount(step: Progress) -> str:
    plural = "" if max(step.done, step.total) == 1 else "s"
    return f"{step.done}/{step.total} {step.unit}{plural}" if step.total else f"{step.done} {step.unit}{plural}"


def _seconds_left(step: Progress) -> float | None:
    if step.seconds_left is not None:
        return step.seconds_left
    return (step.total - step.done) / step.rate if step.rate and step.total > step.done else None


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
