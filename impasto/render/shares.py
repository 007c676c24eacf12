"""Several looks, each with its share: LOOK:0.6 LOOK:0.4. Without shares they are equal; what they add up to is made 1."""
from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from impasto.errors import InputError
from impasto.render.looks import WEIGHTED, names_a_file

SLACK = 1e-6


class Share(NamedTuple):
    """A look, as it is asked for, and how much of the whole it is."""

    look: str
    part: float


def read_shares(texts: Sequence[str]) -> tuple[list[Share], str]:
    """The looks with their shares, which add up to 1, and what the user should hear of that."""
    terms = [_term(text) for text in texts]
    bare = [look for look, weight in terms if weight is None]
    if len(bare) == len(terms):
        return [Share(look, 1 / len(terms)) for look in bare], ""
    if bare:
        raise InputError(f"'{bare[0]}' has no share and others have: write one after each, as in {bare[0]}:0.5, or after none")
    weights = [weight for _, weight in terms if weight is not None]
    whole = sum(weights)
    if not isfinite(whole) or whole <= 0:
        raise InputError(f"the shares {', '.join(texts)} come to {whole:g}: they must come to more than 0")
    found = [Share(look, weight / whole) for (look, _), weight in zip(terms, weights, strict=True)]
    told = ", ".join(f"{share.part:.3g}" for share in found)
    return found, "" if abs(whole - 1) < SLACK else f"the shares add up to {whole:g}, so they are taken as {told}"


def _term(text: str) -> tuple[str, float | None]:
    """LOOK or LOOK:SHARE. After STYLE#A:0.3,B:0.7 stands no share: the last number there is that of B."""
    found = None if names_a_file(text) or "," in text.partition("#")[2] else WEIGHTED.fullmatch(text)
    return (found[1].strip(), float(found[2])) if found else (text, None)
