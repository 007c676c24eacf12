"""Which look of a style is meant: `--style STYLE#LOOK`, and `--variation N`.

    STYLE#NAME                a look that the network knows by name
    STYLE#NAME:0.3,NAME:0.7   a blend; below 0 leads away from a look, above 1 beyond it, and the sum need not be 1
    STYLE#NAME,NAME           equal parts
    STYLE#PICTURE             the look of any picture, where the style has an encoder; in a blend too
    --variation N             of a look that varies: N is the seed, 0 the look itself

A network of many looks takes a code, a row of numbers; all of the above only choose that row.
"""
from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from os.path import isfile
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import InputError
from impasto.styles.card import Tier
from impasto.styles.library import find
from impasto.styles.package import StyleFile

Code = tuple[float, ...]
WEIGHTED = re.compile(r"(.+):\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*", re.DOTALL)
MOST_NAMED = 24
SLACK = 1e-6


@dataclass(frozen=True)
class Look:
    """A style as it is to be painted with: of a network of many looks, which."""

    style: StyleFile
    words: str = ""  # which one, as it was asked for; empty: the network's own
    code: Code = ()
    pictures: tuple[Path, ...] = ()  # that it was read from
    note: str = ""  # what the user should hear

    @property
    def name(self) -> str:
        """The look in a word."""
        return f"{self.style.card.name}#{self.words}" if self.words else self.style.card.name

    @property
    def files(self) -> list[Path]:
        """Every file that was read."""
        return [self.style.path, *self.pictures]

    @property
    def identity(self) -> dict[str, Any]:
        """All of it that painted values depend on. A style of one look says no more than it ever did."""
        digest = sha256(np.array(self.code, "<f4").tobytes()).hexdigest()[:16]
        return {"style": self.style.hash} | ({"look": self.words, "code": digest} if self.code else {})


def told_apart(looks: Sequence[Look]) -> list[str]:
    """A word for each look by which it differs from all others, whatever they are called."""
    return [":".join(str(value) for name, value in look.identity.items() if name != "look") for look in looks]


def find_look(text: str, tier: str, variation: int = 0) -> Look:
    """The look that is meant by STYLE, STYLE#NAME, STYLE#BLEND or STYLE#PICTURE, for one of its networks; auto is the finest."""
    name, words = parted(text)
    style = StyleFile.open(find(name))
    tier = style.card.finest if tier == "auto" else tier
    told = _tier(style, tier)
    if words:
        return _asked(style, told, words)
    if variation and style.card.varies:
        length = style.code_length(tier)
        if not length:
            raise InputError(f"style {style.card.name}: its network '{tier}' has no variations: choose another --tier")
        drawn = np.random.default_rng(variation).standard_normal(length)
        return Look(style, f"variation {variation}", tuple(float(value) for value in drawn))
    if told.codes:
        first, *others = told.codes
        note = f"{first}, the first of {len(told.codes)} looks; STYLE#NAME chooses: {_few(others)}" if others else ""
        return Look(style, first, tuple(told.codes[first]), note=note)
    return Look(style)


def parted(text: str) -> tuple[str, str]:
    """STYLE and LOOK of STYLE#LOOK. The style's file may have a # in its name."""
    places = [place for place, letter in enumerate(text) if letter == "#"]
    if not places or isfile(text):
        return text, ""
    place = next((place for place in places if isfile(text[:place])), places[0])
    style, words = text[:place], text[place + 1 :].strip()
    if not style or not words:
        raise InputError(f"'{text}' names no {'look' if style else 'style'}: write STYLE#LOOK, as in many.style#monet")
    return style, words


def names_a_file(text: str) -> bool:
    """Whether STYLE or STYLE#PICTURE ends where the name of a file does."""
    return isfile(text) or ("#" in text and isfile(text[text.index("#") + 1 :]))


def check_variation(looks: Sequence[Look], variation: int) -> None:
    """Refuse a variation that no look would show."""
    if variation and not any(look.words == f"variation {variation}" for look in looks):
        names = ", ".join(look.name for look in looks)
        varying = [look.style.card.name for look in looks if look.style.card.varies]
        if varying:
            raise InputError(f"--variation: {names} is named already: write {varying[0]} alone to see its variations")
        raise InputError(f"--variation: {names} does not vary: take a look that the recipe fusion learnt, or leave it out")


def _tier(style: StyleFile, tier: str) -> Tier:
    known = {str(name): told for name, told in style.card.tiers.items()}
    if tier not in known:
        raise InputError(f"style {style.card.name} has no tier '{tier}': choose one of {', '.join(known)}")
    if known[tier].noise:
        told = f"style {style.card.name} draws pictures from noise and paints none"
        raise InputError(f"{told}: impasto generate {style.path.name} -o pictures/")
    return known[tier]


def _asked(style: StyleFile, tier: Tier, words: str) -> Look:
    """The look in words: one, or several with their weights."""
    if not tier.codes and not style.card.encoder_sha256:
        more = "; its variations are chosen by --variation" if style.card.varies else ""
        raise InputError(f"style {style.card.name} has one look and none by the name of '{words}': leave '#{words}' out{more}")
    if words in tier.codes:
        return Look(style, words, tuple(tier.codes[words]))
    terms = [(words, None)] if isfile(words) else [_term(part, words) for part in words.split(",")]
    given = [weight for _, weight in terms if weight is not None]
    if given and len(given) < len(terms):
        raise InputError(f"'{words}': give each of the looks a weight, or none of them, as in monet:0.3,turner:0.7")
    weights = given or [1 / len(terms)] * len(terms)
    codes = [np.array(_code(style, tier, name)) for name, _ in terms]
    if len({len(code) for code in codes}) > 1:
        raise InputError(f"style {style.card.name}: its encoder does not fit this network: choose another --tier")
    blend = sum(weight * code for weight, code in zip(weights, codes, strict=True))
    note = "" if abs(sum(weights) - 1) < SLACK else f"the weights of {words} add up to {sum(weights):g}"
    pictures = tuple(Path(name) for name, _ in terms if name not in tier.codes)
    return Look(style, words, tuple(float(value) for value in np.atleast_1d(blend)), pictures, note)


def _term(part: str, words: str) -> tuple[str, float | None]:
    """NAME or NAME:WEIGHT."""
    if not part.strip():
        raise InputError(f"'{words}': a look is missing beside a comma: write monet:0.3,turner:0.7")
    found = None if isfile(part) else WEIGHTED.fullmatch(part)
    if found is None:
        return part.strip(), None
    weight = float(found[2])
    if not isfinite(weight):
        raise InputError(f"'{words}': {found[2]} is too large for a weight")
    return found[1].strip(), weight


def _code(style: StyleFile, tier: Tier, name: str) -> Code:
    if name in tier.codes:
        return tuple(tier.codes[name])
    reads = bool(style.card.encoder_sha256)
    if reads and isfile(name):
        from impasto.engine.encode import read_code

        return read_code(style.encoder(), _picture(Path(name)))
    if reads and Path(name).suffix:
        raise InputError(f"style {style.card.name} reads looks from pictures, and there is no file {name}: check its path")
    close = difflib.get_close_matches(name.lower(), list(tier.codes), n=1, cutoff=0.5)
    meant = f": did you mean {close[0]}?" if close else ":"
    choices = [f" it has {_few(list(tier.codes))}"] if tier.codes else []
    choices += [" any picture's file will do"] if reads else []
    raise InputError(f"style {style.card.name} has no look '{name}'{meant}{';'.join(choices)}")


def _picture(path: Path) -> Any:
    """The first frame, as a screen shows it."""
    from impasto.media import open_reader
    from impasto.render.stored import from_engine, to_engine

    with open_reader(path) as reader:
        return from_engine(to_engine(next(iter(reader)).rgb()), np.dtype(np.uint8))


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
