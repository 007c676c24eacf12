"""Words -> jobs, errors -> exit codes. No work is done here.

The options of a command are made from the fields of its Job, whose module is imported only when the command is called.
"""
from __future__ import annotations

import inspect
import json
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from typer.core import TyperGroup

from impasto import __version__
from impasto.commands import COMMANDS, GROUPS, job_class_of
from impasto.errors import ImpastoError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from typer._click.core import Command, Context

    from impasto.job import Done, Job

ABOUT = "Learn a look, paint a shot."
ENDINGS = (
    "Exit codes: 0 done, 1 failed, 2 bad input, 3 engine failed, 4 training failed, 5 beyond a limit, 130 stopped. "
    "Ctrl-C stops cleanly."
)


class Stopped(BaseException):
    """The user or the system asked to stop. Not an Exception, so that no handler on the way mistakes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}; nothing half-written is left behind")
        self.exit_code = 128 + number


class LazyGroup(TyperGroup):
    """A group that lists stand-ins and builds a command from its Job only when that command is called."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        words = " ".join([*ctx.command_path.split()[1:], name or ""])
        return name, command_for(words) if words in COMMANDS else command, rest


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    args = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        with _stoppable():
            return int(typer.main.get_command(_app())(args=args, prog_name="impasto", standalone_mode=False) or 0)
    except BrokenPipeError:  # whoever read our output has left; writing its remains at exit would fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Exception, Stopped) as error:
        if os.environ.get("IMPASTO_DEBUG"):
            import traceback

            traceback.print_exc()
        message, code = _explain(error)
        print(f"impasto: {message}", file=sys.stderr)
        if "--json" in args:
            print(json.dumps({"ok": False, "error": message, "exit_code": code}, ensure_ascii=False))
        return code


def command_for(words: str) -> Command:
    """The command of these words, its options made from the fields of its Job."""
    job_class = job_class_of(words)
    app = typer.Typer(add_completion=False)
    app.command(words.split()[-1], help=job_class.help, epilog=ENDINGS)(_caller(job_class))
    return typer.main.get_command(app)


def _app() -> typer.Typer:
    app = typer.Typer(name="impasto", cls=LazyGroup, help=ABOUT, epilog=ENDINGS, pretty_exceptions_enable=False)
    app.callback()(_root)
    groups = {name: typer.Typer(cls=LazyGroup, help=line) for name, line in GROUPS.items()}
    for words, (_, line) in COMMANDS.items():
        *group, name = words.split()
        owner = groups[group[0]] if group else app
        owner.command(name, help=line)(_stand_in)
    for name, group_app in groups.items():
        app.add_typer(group_app, name=name)
    return app


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"impasto {__version__}")
        raise typer.Exit


VERSION = typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_tell_version)


def _root(version: Annotated[bool, VERSION] = False) -> None:
    """Only there to carry the option."""


def _stand_in() -> None:
    raise AssertionError("a stand-in was called: LazyGroup replaces it by the command itself")


# ---- a Job's fields as options


def _caller(job_class: type[Job]) -> Callable[..., int]:
    """A function whose signature is the Job's fields, for typer to read."""

    def call(json: bool, dry_run: bool, save: Path | None, **values: Any) -> int:
        job = job_class.build(**{name: value for name, value in values.items() if value is not None})
        if save is not None:
            from impasto.saved.files import save_jobs

            save_jobs(save, [job], overwrite=bool(values.get("overwrite")))
        return _carry_out(job, json, dry_run)

    own = [_parameter(name, field) for name, field in job_class.model_fields.items()]
    own.append(_flag("json", "Progress as text to stderr, one line of JSON as the last on stdout."))
    own.append(_flag("dry_run", "Print the resolved job and do nothing."))
    own.append(_flag("save", "Write the job to this file (TOML), for `impasto run`; then do it.", Path | None, None))
    call.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]  # what inspect.signature reads first
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in own}
    return call


def _flag(name: str, help: str, kind: Any = bool, default: Any = False) -> inspect.Parameter:
    said = Annotated[kind, typer.Option(f"--{name.replace('_', '-')}", help=help)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=said, default=default)


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    kind = _word_type(field.annotation)
    low, high = _range(field)
    default = inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True)
    if extra.get("argument"):
        shown: Any = typer.Argument(help=field.description, metavar=name.upper().removesuffix("S"), min=low, max=high)
    else:
        spelling = spelling_of(name, field)
        switch = f"/--no-{name.replace('_', '-')}" if kind is bool and default is True else ""
        shown = typer.Option(*spelling[:-1], spelling[-1] + switch, help=field.description, min=low, max=high)
    if isinstance(default, Path) or (kind is str and default is not None and default is not inspect.Parameter.empty):
        default = str(default)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, shown], default=default)


def spelling_of(name: str, field: FieldInfo) -> list[str]:
    """How an option is written on the command line: its own flag, or its name with dashes."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return str(extra.get("flag") or f"--{name.replace('_', '-')}").split("/")


def _word_type(annotation: Any) -> Any:
    """The type that typer reads a field as; what it has no word for arrives as text and is the Job's to judge."""
    if get_origin(annotation) is Annotated:
        return _word_type(get_args(annotation)[0])
    if get_origin(annotation) is list:
        return list[_word_type(get_args(annotation)[0])]  # type: ignore[misc]  # a type made at run time
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return (_word_type(kinds[0]) if len(kinds) == 1 else str) | None
    return annotation if annotation in (bool, int, float, Path) or get_origin(annotation) is Literal else str


def _range(field: FieldInfo) -> tuple[float | None, float | None]:
    low = next((each.ge for each in field.metadata if hasattr(each, "ge")), None)
    return low, next((each.le for each in field.metadata if hasattr(each, "le")), None)


# ---- carrying a job out


def _carry_out(job: Job, as_json: bool, dry_run: bool) -> int:
    if dry_run:
        print(json.dumps({"ok": True, "job": json.loads(job.to_json())}) if as_json else job.to_json())
        return 0
    from impasto.show import follow

    steps = job.run()
    try:
        with _ending(job):
            done = follow(steps, sys.stderr, bars=not as_json and sys.stderr.isatty())
    finally:
        if isinstance(steps, types.GeneratorType):
            steps.close()
    print(_line(done) if as_json else done.summary)
    if done.failed is None:
        return 0
    print(f"impasto: {_flat(str(done.failed))}", file=sys.stderr)
    return done.failed.exit_code


def _line(done: Done) -> str:
    answer: dict[str, Any] = {"ok": done.failed is None, "path": done.path, "summary": done.summary, "figures": done.figures}
    if done.failed is not None:
        answer |= {"error": _flat(str(done.failed)), "exit_code": done.failed.exit_code}
    return json.dumps(answer, default=str, ensure_ascii=False)


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGINT and SIGTERM raise Stopped once; a second one ends the process the hard way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: types.FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Stopped(number)

    asked = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in asked}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _ending(job: Job) -> Iterator[None]:
    """A job that has no end of its own is asked to come to one by the first signal; a second one stops it like any other."""
    before: dict[int, Any] = {}

    def ask(number: int, frame: types.FrameType | None) -> None:
        for each, handler in before.items():
            signal.signal(each, handler)
        if not job.stop():
            before[number](number, frame)

    if threading.current_thread() is threading.main_thread():
        asked = [number for number in (signal.SIGINT, signal.SIGTERM) if callable(signal.getsignal(number))]
        before |= {number: signal.signal(number, ask) for number in asked}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _explain(error: BaseException) -> tuple[str, int]:
    """What to say of an error, in one line, and the exit code."""
    if isinstance(error, typer.TyperException):  # a usage error
        context = getattr(error, "ctx", None)
        words = context.command_path if context else "impasto"
        return f"{_flat(error.format_message()).rstrip('.')} (see {words} --help)", error.exit_code
    if isinstance(error, ImpastoError | Stopped):
        return _flat(str(error)), error.exit_code
    if isinstance(error, MemoryError):
        return "out of memory: try --tile 512, a smaller picture, or close other programs", 1
    if isinstance(error, OSError) and error.strerror:  # the machine's own word: disk full, too many open files
        return f"{f'{error.filename}: ' if error.filename else ''}{error.strerror.lower()}", 1
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"internal error, our bug and not yours: {_flat(what)}; IMPASTO_DEBUG=1 shows where", 1


def _flat(text: str) -> str:
    return " ".join(text.split())
