"""What is painted with at a moment, and how it is changed while it runs: by keys, by lines of JSON, by a page.

    {"style": "turner"}                          another look
    {"blend_with": "turner", "blend": 0.3}       three tenths of a second look mixed in
    {"strength": 0.6, "matte": "skin,invert"}    less paint, and none on faces and hands

The names are those of the command's options. An order names what it changes and leaves the rest.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from impasto.errors import InputError
from impasto.job import faults_in_words

STEP = 0.1  # of strength and blend, for one key
MATTES = ("", "skin", "skin,invert")  # those that a key goes through
KEYS = "1-9 look, n p next and previous look, + - strength, [ ] share of the second look, m matte, space paint off and on, q end"


class Setting(BaseModel):
    """Looks and how they are laid on."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    style: str
    blend_with: str = ""
    blend: float = Field(0.5, ge=0, le=1)
    strength: float = Field(1.0, ge=0, le=1)
    matte: str = ""

    def changed(self, order: Mapping[str, Any]) -> Self:
        """The setting after an order; one that makes no sense is refused in one line."""
        try:
            return type(self).model_validate(self.model_dump() | dict(order))
        except ValidationError as error:
            raise InputError(f"this order cannot be followed: {faults_in_words(error, type(self))}") from None

    @property
    def looks(self) -> list[str]:
        """Every look that is at hand, seen or not."""
        return [look for look in dict.fromkeys([self.style, self.blend_with]) if look]

    @property
    def shares(self) -> dict[str, float]:
        """The looks that are seen, and how much of the paint each is."""
        if self.strength == 0:
            return {}
        if not self.blend_with or self.blend == 0 or self.blend_with == self.style:
            return {self.style: 1.0}
        return {self.style: 1 - self.blend, self.blend_with: self.blend} if self.blend < 1 else {self.blend_with: 1.0}


def order_of_key(key: str, setting: Setting, looks: Sequence[str]) -> dict[str, Any]:
    """What a key asks for; nothing, if it is no key of ours."""
    if key.isdecimal() and 1 <= int(key) <= len(looks):
        return {"style": looks[int(key) - 1]}
    if key in ("n", "p") and looks:
        at = looks.index(setting.style) if setting.style in looks else -1
        return {"style": looks[(at + (1 if key == "n" else -1)) % len(looks)]}
    if key in ("+", "=", "-"):
        return {"strength": _stepped(setting.strength, -STEP if key == "-" else STEP)}
    if key in ("[", "]"):
        return {"blend": _stepped(setting.blend, -STEP if key == "[" else STEP)}
    if key == "m":
        at = MATTES.index(setting.matte) if setting.matte in MATTES else -1
        return {"matte": MATTES[(at + 1) % len(MATTES)]}
    return {"strength": 0.0 if setting.strength else 1.0} if key == " " else {}


def _stepped(value: float, step: float) -> float:
    return round(min(max(value + step, 0.0), 1.0), 3)
