"""A table of shots: a CSV file with a line for each, whose columns are fields of the render."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin

from impasto.errors import InputError, MediaError
from impasto.render.checks import Faults
from impasto.render.job import RenderJob

SHOT, NAME = "shot", "name"  # the two columns that are no fields
SEPARATOR = ";"
UNFIT = re.compile(r"[^\w .+-]|^\.+$")


@dataclass(frozen=True)
class Shot:
    """One line: what it is called, and its render."""

    name: str
    job: RenderJob


def read_table(path: Path, folder: Path, common: Mapping[str, Any]) -> list[Shot]:
    """The shots of a table, each judged; what a line leaves empty is as in `common`. All faults of all lines are told at once."""
    shots, lines = list[Shot](), dict[str, int]()
    with Faults.gathering() as faults:
        for number, line in _lines(path):
            try:
                shot = _shot(line, folder, common)
                if shot.name in lines:
                    raise InputError(f"is called {shot.name} as line {lines[shot.name]} is: give one of them another {NAME}")
                lines[shot.name] = number
                shot.job.surveyed()
                shots.append(shot)
            except InputError as error:
                faults.add(f"{path.name}, line {number}: {error}")
    if not shots:
        raise InputError(
            f"{path}: has no shots; the first line names the columns ({SHOT}, style, ...), each other line is a shot"
        )
    return shots


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The lines that hold something, by their number in the file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", skipinitialspace=True)
            found = [(reader.line_num, line) for line in reader]
            columns = list(reader.fieldnames or [])
    except OSError as error:
        raise MediaError(f"cannot be read: {(error.strerror or str(error)).lower()}", path) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a table of comma-separated values: {error}") from None
    strange = [column for column in columns if column not in {SHOT, NAME, *RenderJob.model_fields} - {"inputs"}]
    if SHOT not in columns or strange:
        fault = f"column '{strange[0]}' is not known" if strange else f"there is no column '{SHOT}'"
        raise InputError(
            f"{path}: {fault}; columns are {SHOT}, {NAME}, and fields of a render such as style, tier, strength, frames"
        )
    long = next((number for number, line in found if "" in line), None)
    if long:
        raise InputError(f"{path}, line {long}: has more cells than there are columns; a text with commas stands in quotes")
    told = ((number, {name: (text or "").strip() for name, text in line.items()}) for number, line in found)
    return [(number, line) for number, line in told if any(line.values())]


def _shot(line: Mapping[str, str], folder: Path, common: Mapping[str, Any]) -> Shot:
    if not line[SHOT]:
        raise InputError(f"has no {SHOT}: name a movie, a picture or a sequence")
    name = line.get(NAME) or _stem(line[SHOT])
    if UNFIT.search(name):
        raise InputError(f"'{name}' cannot be a folder's name: give the shot a {NAME} of letters, digits and dashes")
    own = {column: _value(column, text) for column, text in line.items() if text and column not in (SHOT, NAME)}
    out = folder / name / own.pop("out", "")
    return Shot(name, RenderJob.build(**{**common, **own, "inputs": [line[SHOT]], "out": out}))


def _stem(shot: str) -> str:
    """What a shot is called: a sequence by its name without the number."""
    path = Path(shot)
    return re.sub(r"[._-]*(#+|%\d*d|\$F\d?|@+).*", "", path.name).removesuffix(path.suffix) or path.parent.name


def _value(column: str, text: str) -> Any:
    """A cell as the field takes it: several words are parted by a semicolon."""
    field = RenderJob.model_fields[column]
    return [part.strip() for part in text.split(SEPARATOR)] if get_origin(field.annotation) is list else text
