"""From what a client asks to a Job: the same fields as on the command line, and only files that the store knows.

A client never names a path of this machine. What a job reads is `shot:ID`, `job:ID/FILE` (a result of another job) or the name of
a look; what it writes lies in its own folder. So text that could leave the store is refused, wherever in a field it stands.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import create_model

from impasto.commands import job_class_of
from impasto.errors import InputError
from impasto.job import Job
from impasto.serve.jobs import Order

# What the service takes, and the names of what is written where the client names none. Left out are commands that follow paths
# which lie in what they read (timeline), and those that work on the machine itself.
ORDERS: dict[str, dict[str, str]] = {
    "render": {"out": "."},
    "learn": {"out": "look.style"},
    "evaluate": {"report": "report.html"},
    "generate": {"out": "."},
    "styles sheet": {"out": "sheet.png"},
    "styles blend": {"out": "blend.style"},
}
WRITTEN = {"out", "report", "folder"}  # fields that say where results go
OPENED = {"sound", "vectors", "super_resolve", "painted"}  # texts that are files where they are no words
NEVER_OPENED = {"title", "author", "licence", "look_licence", "colour_in", "colour_out"}
REFERENCE = re.compile(r"\b(?:shot|job):[0-9a-f]{16}(?:/[\w-][\w./-]*)?")
WHOLE = re.compile(r"^((?:shot|job):[0-9a-f]{16})(?:/(.+))?$")
WORD = re.compile(r"(?!.*\.\.)[\w][\w .,@#%$*()+=-]*")  # no separator, no drive, no protocol
PathOf = Callable[[str], Path]


def read_order(body: Mapping[str, Any], path_of: PathOf, title: str = "", priority: int = 0) -> Order:
    """A job as a client sent it, judged: a saved job file with references for paths."""
    asked = dict(body)
    command = str(asked.pop("job", ""))
    build(command, asked, path_of, Path("/nowhere"))
    uses = sorted({found[0].partition("/")[0] for text in _texts(asked) for found in REFERENCE.finditer(text)})
    return Order(command, asked, tuple(uses), title or command, priority)


def build(command: str, asked: Mapping[str, Any], path_of: PathOf, folder: Path) -> Job:
    """The Job itself, which reads what the references stand for and writes into the folder."""
    if command not in ORDERS:
        raise InputError(f"job is '{command}': choose one of {', '.join(ORDERS)}")
    job_class = job_class_of(command)
    values: dict[str, Any] = {**ORDERS[command], **asked}
    for name in values.keys() & job_class.model_fields.keys():
        kind = _kind(name, job_class.model_fields[name].annotation)
        if kind != "plain" and values[name] is not None:
            values[name] = _mapped(values[name], partial(RESOLVE[kind], name, path_of, folder))
    if "overwrite" in job_class.model_fields:
        values["overwrite"] = True  # in a folder of its own there is nothing but what an earlier try has left
    return job_class.build(**values)


def schema() -> dict[str, Any]:
    """What a client may send, for the API's description: one object per command, with the fields of its Job."""
    kinds = []
    for command, written in ORDERS.items():
        job_class = job_class_of(command)
        fields: dict[str, Any] = {name: (str, default) for name, default in written.items()} | {"job": (Literal[command], ...)}
        model = create_model(f"{job_class.__name__} order", __base__=job_class, **fields)
        told = model.model_json_schema()
        told["properties"].pop("overwrite", None)
        kinds.append(told)
    return {"oneOf": kinds}


# ---- texts that may be files


def _kind(name: str, annotation: Any) -> str:
    """What a field holds: `written` and `read` paths, `text` that may hold one, or `plain` values."""
    if name in WRITTEN:
        return "written"
    if get_origin(annotation) in (list, Union, UnionType):
        kinds = {_kind(name, each) for each in get_args(annotation)} - {"plain"}
        return kinds.pop() if kinds else "plain"
    if annotation is Path or (annotation is str and name in OPENED):
        return "read"
    return "text" if annotation is str and name not in NEVER_OPENED else "plain"


def _written(name: str, path_of: PathOf, folder: Path, text: str) -> Path:
    if text in ("", "."):
        return folder
    if not WORD.fullmatch(text):
        raise InputError(f"{name} is '{text}': results lie in the job's own folder, so this is a file's name and no path")
    return folder / text


def _read(name: str, path_of: PathOf, folder: Path, text: str) -> str:
    if WHOLE.fullmatch(text):
        return str(path_of(text))
    if text and not WORD.fullmatch(text):
        raise InputError(f"{name} is '{text}': files are named as shot:ID or job:ID/FILE; add a shot first")
    return text


def _text(name: str, path_of: PathOf, folder: Path, text: str) -> str:
    for part in REFERENCE.split(text):
        if re.search(r"[/\\\x00-\x1f\x7f]|\.\.|~", part):
            raise InputError(f"{name} is '{text}': files are named as shot:ID or job:ID/FILE; add a shot first")
    return REFERENCE.sub(lambda found: str(path_of(found[0])), text)


RESOLVE: dict[str, Callable[[str, PathOf, Path, str], str | Path]] = {"written": _written, "read": _read, "text": _text}


def _mapped(value: Any, change: Callable[[str], Any]) -> Any:
    if isinstance(value, list):
        return [_mapped(each, change) for each in value]
    return change(value) if isinstance(value, str) else value


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping | list):
        return [text for each in (value.values() if isinstance(value, Mapping) else value) for text in _texts(each)]
    return [value] if isinstance(value, str) else []
