"""The card of a look: what it is called, who made what it learnt from, which graphs it has, and how it was trained."""
from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, NoReturn, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from impasto.errors import StyleError
from impasto.styles.archive import AGAIN, GRAPHS, shown
from impasto.styles.ends import LONGEST_CODE

SCHEMA: Final = "style.1"
# From an older schema's label to a function that turns such a card into one of the next schema. Steps are taken until SCHEMA.
UPGRADES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}

TierName = Annotated[str, Field(pattern=f"^({'|'.join(GRAPHS)})$")]
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
MOST_FAULTS_TOLD = 3
LONGEST_NUMBER = 30
LARGEST_SCALE = 4
MOST_GUIDES, MOST_CODES = 16, 10_000
LONGEST_CODE_NAME = 100


def _one_line(value: object) -> object:
    """Characters that could steer a terminal or turn text around become spaces: a card is printed as it is."""
    return UNSEEN.sub(" ", value) if isinstance(value, str) else value


def _is_date(value: str) -> str:
    date.fromisoformat(value)
    return value


Text = Annotated[str, BeforeValidator(_one_line), Field(max_length=65_536)]
Hash = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]  # empty: not known, or not filled in yet
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=200)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]  # a generator's or recipe's name, never a path
# A look among those of one network, as it is typed after STYLE#: none of the letters that part such words
CodeName = Annotated[str, Field(pattern=r"^\w([\w .+-]*[\w+-])?$", max_length=LONGEST_CODE_NAME)]
Code = Annotated[list[float], Field(min_length=1, max_length=LONGEST_CODE)]
Licence = Annotated[str, Field(pattern=r"^[A-Za-z0-9.+() -]+$", max_length=200)]
Scalar = bool | int | float | Text | None
Settings = dict[Text, Scalar | list[Scalar | list[Scalar]]]
Day = Annotated[str, AfterValidator(_is_date)]


class Part(BaseModel):
    """Base of the card's parts: nothing unknown, nothing converted on the quiet, no number that is not finite."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    later: ClassVar[tuple[str, ...]] = ()  # fields that early cards lack; stored only where they say something

    @model_serializer(mode="wrap")
    def _as_early_cards_where_it_can(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unsaid = {name for name in self.later if getattr(self, name) == type(self).model_fields[name].default}
        return {name: value for name, value in dump(self).items() if name not in unsaid}


class Tier(Part):
    """One of the look's graphs, and what must be known to run or fine-tune it."""

    generator: Word
    settings: Settings = {}
    stride: int = Field(ge=1, le=64)  # width and height must be multiples of it
    receptive_field: int = Field(ge=1, le=8192)  # input pixels across one output pixel may depend on
    parameters: int = Field(ge=0, le=1 << 26)
    graph_sha256: Hash = ""
    scale: int = Field(1, ge=1, le=LARGEST_SCALE)  # painted is so many times larger than image
    guides: dict[Word, Annotated[int, Field(ge=1, le=64)]] = Field({}, max_length=MOST_GUIDES)  # planes that follow RGB, in order
    codes: dict[CodeName, Code] = Field({}, max_length=MOST_CODES)  # looks of this network, by name
    noise: int = Field(0, ge=0, le=LONGEST_CODE)  # how many numbers it draws a picture from; 0: it paints a picture

    later: ClassVar[tuple[str, ...]] = ("scale", "guides", "codes", "noise")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len({len(code) for code in self.codes.values()}) > 1:
            raise ValueError("its codes differ in length")
        if self.noise and (self.scale != 1 or self.guides or self.codes):
            raise ValueError("a network that draws from noise has no scale, guides or codes")
        return self


class Credit(Part):
    """A work the look was learnt from."""

    work: Text
    author: Text = ""
    licence: Text = ""
    source: Text = ""


class NamedHash(Part):
    """A file that went into the training, told apart by what is in it."""

    name: Text
    sha256: Hash
    licence: Text = ""


class TrainingRecord(Part):
    """How the look came to be, well enough to do it again."""

    command: Text
    recipe: Word
    settings: Settings = {}
    seed: int = Field(ge=0)
    steps: dict[TierName, int] = {}
    minutes: dict[TierName, float] = {}
    images: dict[TierName, int] = {}  # pictures that were shown to the generator
    references: list[NamedHash] = Field([], max_length=10_000)
    photos: int = Field(0, ge=0)
    photos_sha256: Hash = ""  # of the list of the photographs' hashes
    teachers: list[NamedHash] = Field([], max_length=100)
    start: NamedHash | None = None  # the look it went on from; its own card says how that came to be
    date: Day
    impasto: Text
    torch: Text = ""
    figures: dict[Text, float] = {}  # what was measured on the finished look


class Card(Part):
    """What card.json says."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=True)

    label: Literal["style.1"] = Field(SCHEMA, alias="schema")
    name: Name
    title: Text
    description: Text = ""
    tiers: dict[TierName, Tier] = Field(min_length=1)
    licence: Licence  # an SPDX expression
    credits: list[Credit] = Field([], max_length=10_000)
    training: TrainingRecord
    preview_sha256: Hash = ""
    varies: bool = False  # any code drawn from a unit normal is a variation of the look
    encoder_sha256: Hash = ""  # of encoder.onnx, where the look has one

    later: ClassVar[tuple[str, ...]] = ("varies", "encoder_sha256")

    @property
    def finest(self) -> TierName:
        """The tier that is meant where none is named."""
        return next(tier for tier in GRAPHS if tier in self.tiers)


def code_name(text: str) -> str:
    """A name for a look among others, from what a file or a folder is called."""
    plain = re.sub(r"[^\w .+-]+", "-", text)[:LONGEST_CODE_NAME].strip(" .+-")
    return plain or "look"


def slug(text: str) -> str:
    """A name that is safe as a file and as a word on the command line."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "look"


def read_card(data: bytes, where: str | Path) -> Card:
    """The card in these bytes; an older one is brought up to date first."""
    try:
        values = json.loads(
            data.decode(), object_pairs_hook=_no_doubles, parse_constant=_refuse, parse_float=_finite, parse_int=_short
        )
    except RecursionError:
        raise StyleError(f"card.json is nested too deeply: {AGAIN}", where) from None
    except ValueError as error:
        raise StyleError(f"card.json is not sound JSON ({_first_line(error)}): {AGAIN}", where) from None
    values = _upgraded(values, where)
    try:
        return Card.model_validate(values)
    except ValidationError as error:
        raise StyleError(f"card.json: {_faults(error)}", where) from None


def card_bytes(card: Card) -> bytes:
    """The card as it is stored: the same card gives the same bytes."""
    return json.dumps(card.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False, allow_nan=False).encode()


def _upgraded(values: object, where: str | Path) -> object:
    if not isinstance(values, dict) or not isinstance(values.get("schema"), str):
        raise StyleError(f"card.json does not say its schema; expected {SCHEMA}", where)
    seen: set[str] = set()
    while values["schema"] in UPGRADES and values["schema"] not in seen:
        seen.add(values["schema"])
        values = UPGRADES[values["schema"]](values)
    if values["schema"] != SCHEMA:
        label = shown(str(values["schema"]))
        raise StyleError(f"has schema {label}, and this impasto knows {SCHEMA}: upgrade impasto (pip install -U impasto)", where)
    return values


def _no_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return values


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is beyond what can be held")
    return number


def _short(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


def _faults(error: ValidationError) -> str:
    """The first faults as one line; a stranger's values are not repeated."""
    told = []
    for fault in error.errors(include_input=False, include_url=False):
        place = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        told.append(f"{shown(place)[1:-1] or 'card'}: {_first_line(ValueError(message))}")
    more = f" and {len(told) - MOST_FAULTS_TOLD} more" if len(told) > MOST_FAULTS_TOLD else ""
    return "; ".join(told[:MOST_FAULTS_TOLD]) + more
