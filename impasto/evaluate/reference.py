"""The pictures that a painting should be like: named as they are, or found by what a look's card says it learnt from.

A style file holds no picture it learnt from, only their names and hashes. `--style great-wave --references FOLDER` looks for them
there, by what is in the files; `--style wave.jpg` needs no such search.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from impasto.errors import InputError
from impasto.job import counted
from impasto.media import PICTURES, list_pictures
from impasto.styles.card import Card
from impasto.styles.library import find
from impasto.styles.package import StyleFile

MOST = 12  # pictures of a look that learnt from many, evenly from all of them
BY_RULE = ("restore", "pairs")  # what such a look learnt from are photographs, or pairs: nothing to be like
MOST_NAMED = 3
Thing = TypeVar("Thing")


def find_references(style: str, folder: Path | None, most: int = MOST) -> list[Path]:
    """The pictures that are meant by a picture, a folder of pictures, or a look and the folder they lie in."""
    place = Path(style)
    if place.is_dir():
        return _of_folder(place, most)
    if place.suffix.lower() in PICTURES:
        return [place]
    card = StyleFile.open(find(style)).card
    fault = why_none(card)
    if fault:
        raise InputError(f"{card.name}: {fault}: name a picture, as --style wave.jpg, or leave --style out")
    if folder is None:
        held = f"a look holds no picture, and this one learnt from {_named(card)}"
        raise InputError(f"{card.name}: {held}: name the folder with --references, or the picture itself, as --style wave.jpg")
    found = search(card, folder, most)
    if not found:
        raise InputError(f"{folder}: holds nothing that {card.name} learnt from ({_named(card)}): name the folder that does")
    return found


def why_none(card: Card) -> str:
    """Why there is no picture that all paintings of a look should be like; empty where there is."""
    if card.training.recipe in BY_RULE:
        return f"was learnt by the recipe {card.training.recipe}, from no picture that it should be like"
    if any(len(tier.codes) > 1 for tier in card.tiers.values()):
        return "holds many looks"
    return "" if card.training.references else "does not say what it learnt from"


def search(card: Card, folder: Path, most: int = MOST) -> list[Path]:
    """The pictures that a look learnt from, wherever in a folder they lie and whatever they are called there."""
    wanted = [reference.sha256 for reference in card.training.references if reference.sha256]
    wanted = evenly(wanted, most)
    names = {reference.name for reference in card.training.references}
    found: dict[str, Path] = {}
    files = (file for file in folder.rglob("*") if file.suffix.lower() in PICTURES and file.is_file())
    for file in sorted(files, key=lambda file: (file.name not in names, file)):  # most are found by their names at once
        content = sha256(file.read_bytes()).hexdigest()
        if content in wanted:
            found.setdefault(content, file)
        if len(found) == len(set(wanted)):
            break
    return [found[content] for content in dict.fromkeys(wanted) if content in found]


def evenly(all_of_them: Sequence[Thing], most: int = MOST) -> list[Thing]:
    """At most so many, from all over."""
    count = len(all_of_them)
    return [all_of_them[i * count // most] for i in range(most)] if count > most else list(all_of_them)


def _of_folder(folder: Path, most: int) -> list[Path]:
    files = list_pictures(folder)
    if not files:
        raise InputError(f"{folder}: holds no pictures that a painting could be like: name another folder, or a picture")
    return evenly(files, most)


def _named(card: Card) -> str:
    names = [reference.name for reference in card.training.references]
    return ", ".join(_first(names)) + (f" and {counted(len(names) - MOST_NAMED, 'other')}" if len(names) > MOST_NAMED else "")


def _first(names: Iterable[str]) -> list[str]:
    return list(names)[:MOST_NAMED]
