"""A job: everything one command needs, as data, and the run that carries it out.

The CLI, the Python API, the HTTP service and a saved job file all build the same Job from the same fields.
`run()` is a generator: it yields Progress and, last, one Done. Closing it stops the work cleanly.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from impasto.errors import ImpastoError, InputError


@dataclass(frozen=True)
class Progress:
    """How far a job is: `done` of `total` `unit`s (total 0: not known), at `rate` units per second."""

    stage: str
    done: int = 0
    total: int = 0
    unit: str = "frame"
    rate: float = 0.0
    note: str = ""
    seconds_left: float | None = None
    figures: dict[str, float] = field(default_factory=dict)  # what the note tells, for programs


@dataclass(frozen=True)
class Done:
    """How a job ended: what it wrote and the figures worth telling."""

    path: Path | None
    summary: str
    figures: dict[str, Any] = field(default_factory=dict)
    failed: ImpastoError | None = None  # done, and yet not as it was asked for: its exit code becomes the command's


def option(
    default: Any = ...,
    help: str = "",
    *,
    flag: str = "",
    argument: bool = False,
    **limits: Any,
) -> Any:
    """One option, one line: default, help, range (ge, le, ...), and how the CLI spells it where the field's name does not say.

    `flag` gives an own spelling ("-o/--out"); `argument` makes it positional. Fixed choices are the field's Literal type.
    """
    extra: dict[str, str | bool] = {"flag": flag, "argument": argument}
    return Field(default, description=help, json_schema_extra={k: v for k, v in extra.items() if v}, **limits)


def counted(count: int, thing: str) -> str:
    """So many things, in words: 1 frame, 2 frames."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


class Job(BaseModel):
    """Base of every job. A subclass adds fields (made with `option`) and `run`."""

    model_config = ConfigDict(extra="forbid")
    command: ClassVar[str] = ""
    help: ClassVar[str] = ""

    @field_validator("*", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any, about: ValidationInfo) -> Any:
        """Where several are taken, one path or word may be given as it is."""
        several = get_origin(cls.model_fields[str(about.field_name)].annotation) is list
        return [value] if several and isinstance(value, str | Path) else value

    def run(self) -> Iterator[Progress | Done]:
        """Do the work, yielding Progress and, last, one Done."""
        raise TypeError(f"{type(self).__name__} has no run()")

    def stop(self) -> bool:
        """Asked to end, from any thread or a signal: whether `run` comes to its Done by itself; else it is closed."""
        return False

    def finish(self) -> Done:
        """Run to the end and return what came of it; for callers who need no progress."""
        last = deque(self.run(), maxlen=1)
        assert last and isinstance(last[0], Done), f"{type(self).__name__}.run() ended without Done"
        return last[0]

    @classmethod
    def build(cls, **values: Any) -> Self:
        """Make a job from loose values; every fault is gathered into one InputError."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise InputError(faults_in_words(error, cls)) from None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a job that `to_json` wrote."""
        import json

        try:
            values = json.loads(text)
        except ValueError as error:
            raise InputError(f"the job is not JSON: {error}") from None
        if not isinstance(values, dict) or values.pop("job", cls.command) != cls.command:
            raise InputError(f"this is not a '{cls.command}' job")
        return cls.build(**values)

    def to_json(self) -> str:
        """The resolved job as JSON, with the command's name under "job"."""
        import json

        return json.dumps({"job": self.command, **self.model_dump(mode="json")}, indent=1)


def faults_in_words(error: ValidationError, cls: type[BaseModel]) -> str:
    """Everything that was wrong with the fields of a model, in one line."""
    faults = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            faults.append(f"unknown field '{name}': known are {', '.join(cls.model_fields)}")
        elif fault["type"] == "missing":
            faults.append(f"{name} is missing")
        else:
            message = fault["msg"].removeprefix("Value error, ")
            faults.append(f"{name} is {fault['input']!r}: {message[0].lower()}{message[1:]}")
    return "; ".join(faults)
