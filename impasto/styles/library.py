"""The looks at hand: those shipped with impasto and those the user installed, found by name.

A name is a file's: `great-wave` is `great-wave.style` in the user's folder or, else, among the shipped ones.
"""
from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import StyleError
from impasto.styles.archive import replace_file, shown
from impasto.styles.package import SUFFIX, StyleFile

FOLDER_VARIABLE = "IMPASTO_STYLES"
SHIPPED = Path(__file__).parent / "shipped"
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Entry:
    """One look of the library."""

    name: str
    path: Path
    shipped: bool


def user_folder() -> Path:
    """Where installed looks lie: $IMPASTO_STYLES, or the system's place for a user's data."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("impasto", appauthor=False) / "styles"


def entries() -> list[Entry]:
    """Every look that a name finds, sorted by name; an installed one stands before a shipped one of the same name."""
    found = {entry.name: entry for entry in [*_looks(SHIPPED, True), *_looks(user_folder(), False)]}
    return [found[name] for name in sorted(found)]


def find(name_or_path: str | Path) -> Path:
    """The style file meant by a path or by the name of a look."""
    text = str(name_or_path)
    path = Path(name_or_path)
    is_path = isinstance(name_or_path, Path) or path.suffix == SUFFIX or "/" in text or os.sep in text
    if is_path and os.path.exists(path):  # opening it says what is wrong, if it is a folder or the like
        return path
    known = {entry.name: entry.path for entry in entries()}
    if not is_path and text in known:
        return known[text]
    missing = "no such file" if is_path else "no look has this name"
    raise StyleError(f"{missing}{_hint(path.stem if is_path else text, list(known))}", _told(text))


def typed(style: StyleFile) -> str:
    """What to type for a look that is open: its name where that finds it, else its file."""
    known = {entry.name: entry.path for entry in entries()}
    name = style.card.name
    return name if name in known and os.path.exists(style.path) and known[name].samefile(style.path) else str(style.path)


def install(path: str | Path, overwrite: bool = False) -> Entry:
    """Check a style file to its last weight and copy it into the user's folder under the name on its card."""
    style = StyleFile.open(path).check()
    name = style.card.name
    target = user_folder() / f"{name}{SUFFIX}"
    present = next((entry for entry in entries() if entry.name == name), None)
    if present and not overwrite:
        kind = "shipped with impasto" if present.shipped else "installed"
        raise StyleError(f"a look named {name} is {kind} already; --overwrite puts this one in its place", path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        data = style.path.read_bytes()
    except OSError as error:
        raise StyleError(f"cannot be installed in {target.parent}: {error.strerror or error}", path) from error

    def is_the_same(copy: Path) -> None:
        if StyleFile.open(copy).check().hash != style.hash:
            raise StyleError("changed while it was being installed: try again", copy)

    replace_file(target, data, is_the_same)
    return Entry(name, target, shipped=False)


def remove(name: str) -> Path:
    """Delete an installed look and return where it was; shipped ones stay."""
    known = {entry.name: entry for entry in entries()}
    if name not in known:
        raise StyleError(f"no look has this name{_hint(name, list(known))}", _told(name))
    if known[name].shipped:
        raise StyleError("is shipped with impasto and stays; only installed looks can be removed", name)
    try:
        known[name].path.unlink()
    except OSError as error:
        raise StyleError(f"cannot be removed: {error.strerror or error}", known[name].path) from error
    return known[name].path


def _looks(folder: Path, shipped: bool) -> list[Entry]:
    """The style files of a folder; other files and odd names are no looks."""
    try:
        files = list(folder.iterdir())
    except OSError:  # not there, or not for us: then it holds no looks
        return []
    return [Entry(f.stem, f, shipped) for f in files if f.suffix == SUFFIX and NAME.fullmatch(f.stem) and f.is_file()]


def _told(text: str) -> str:
    """What the user typed, as one line."""
    return text if text and text.isprintable() else shown(text)


def _hint(wanted: str, known: list[str]) -> str:
    """What the user may have meant, and what there is."""
    if not known:
        return "; no looks are installed: give the path of a .style file"
    close = difflib.get_close_matches(wanted.lower(), known, n=1, cutoff=0.5)
    meant = f": did you mean {close[0]}?" if close else ":"
    return f"{meant} looks at hand are {', '.join(known)}"
