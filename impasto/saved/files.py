"""A job as a text that people read and change: TOML, with the names of its fields.

    job = "render"                 one job

    [[steps]]                      or several, carried out one after the other
    job = "learn"

Paths are meant as on the command line: from the folder one stands in.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from impasto.commands import COMMANDS, job_class_of
from impasto.errors import InputError, MediaError
from impasto.job import Job
from impasto.media.landing import write_text

STEPS = "steps"
CONTROL = re.compile("[\x7f-\x9f]")  # what JSON leaves as it is and TOML does not allow


def save_jobs(path: Path, jobs: Sequence[Job], overwrite: bool = False, note: str = "") -> None:
    """Write jobs to a file; it gets its name once it is whole."""
    write_text(path, as_toml(jobs, note), overwrite, _readable)


def _readable(path: Path) -> None:
    read_jobs(path)


def as_toml(jobs: Sequence[Job], note: str = "") -> str:
    """Jobs as text: what was said of them, and nothing that goes without saying."""
    lines = [f"# {line}".rstrip() for line in note.splitlines()]
    for job in jobs:
        lines += [*([f"\n[[{STEPS}]]"] if len(jobs) > 1 else []), f"# {job.help}", f"job = {_toml(job.command)}"]
        lines += [f"{name} = {_toml(value)}" for name, value in job.model_dump(mode="json", exclude_defaults=True).items()]
    return "\n".join(lines).lstrip("\n") + "\n"


def read_jobs(path: Path) -> list[Job]:
    """The jobs of a file; every fault of every job is told in one line."""
    jobs, faults = list[Job](), list[str]()
    steps = _steps(path)
    for number, values in enumerate(steps, 1):
        where = f"step {number}: " if len(steps) > 1 else ""
        try:
            jobs.append(job_of(values))
        except InputError as error:
            faults.append(f"{where}{error}")
    if faults:
        raise InputError(f"{path}: {'; '.join(faults)}")
    return jobs


def job_of(values: Mapping[str, Any]) -> Job:
    """A job from its name and fields."""
    given = dict(values)
    command = given.pop("job", None)
    if command not in COMMANDS:
        what = f"'{command}' is no job" if command else "a job needs its name"
        raise InputError(f'{what}: say job = "render", or another of {", ".join(COMMANDS)}')
    job_class = job_class_of(str(command))
    return job_class.build(**{name: _as_asked(job_class, name, value) for name, value in given.items()})


def _as_asked(job_class: type[Job], name: str, value: Any) -> Any:
    """A number where the field takes text, as the command line would have given it."""
    field = job_class.model_fields.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if field is not None and field.annotation is str and is_number else value


def _steps(path: Path) -> list[dict[str, Any]]:
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise MediaError(f"cannot be read: {(error.strerror or str(error)).lower()}", path) from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not text; a job file is TOML, as --save writes it") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: is not TOML: {error}; texts and paths stand in quotes") from None
    steps = told.pop(STEPS, None)
    if steps is None:
        return [told]
    if told:
        raise InputError(f"{path}: {', '.join(told)} stand before the first [[{STEPS}]]: a value belongs to one of the steps")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise InputError(f"{path}: steps are written as [[{STEPS}]], one for each job")
    return steps


def _toml(value: Any) -> str:
    """A value as TOML; JSON's numbers, texts and lists are TOML too, but for a few characters."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(str(name))} = {_toml(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    text = json.dumps(value, ensure_ascii=False)
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
