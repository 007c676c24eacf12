"""Mattes of objects by name, as renderers leave them in an EXR (Cryptomatte 1.2).

Each pixel holds pairs: an id, and how much of the pixel that object covers, the largest first. An id is the hash of the
object's name, its bits stored as a float; the header tells which kinds of objects there are (by object, by material ...)
and, in a manifest, their names. A manifest beside the file is read only from the file's own folder.
"""
from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.errors import MediaError
from impasto.media.exr.container import Layout, Window, read_layout
from impasto.media.exr.reader import Planes

MOST_BYTES_OF_A_MANIFEST = 2**26
MOST_NAMES = 12  # that a message lists
FEW = 64  # ids; sorting the picture costs more than comparing it that often
_ENTRY = re.compile(r"cryptomatte/([^/]+)/(name|hash|conversion|manifest|manif_file)")
# Which channels of a layer are an id and its coverage, under each of the spellings in use.
_PAIRS = (("r", "g"), ("red", "green"), ("b", "a"), ("blue", "alpha"))


class Plane(NamedTuple):
    """Where a channel lies."""

    part: int
    channel: str  # as the file names it
    kind: str  # uint32 | float16 | float32


@dataclass(frozen=True)
class Kind:
    """One way a file tells its objects apart, such as CryptoObject or CryptoMaterial."""

    name: str
    ids: dict[str, int] | None  # by name; None: the file has no manifest
    ranks: tuple[tuple[Plane, Plane], ...]  # ids and their coverage

    def id_of(self, name: str) -> int:
        """The id of an object; one that the manifest lacks has the id of its name, though it may be nowhere in the picture."""
        known = (self.ids or {}).get(name)
        return name_to_id(name) if known is None else known


def object_names(path: str | Path) -> dict[str, list[str]]:
    """The names of the objects of each kind that a file has; a kind without a manifest has none to tell."""
    return {kind.name: sorted(kind.ids or ()) for kind in _kinds(Path(path)).values()}


def choose_objects(path: str | Path, wanted: str) -> tuple[str, list[str]]:
    """The kind and the names that are meant by OBJECT, OBJECT+OBJECT or KIND/OBJECT, if the file has them."""
    path = Path(path)
    kinds = _kinds(path)
    first, _, rest = wanted.partition("/")
    if first in kinds and rest:
        kinds, wanted = {first: kinds[first]}, rest
    for kind in kinds.values():
        names = _split(wanted, kind)
        if kind.ids is None or all(name in kind.ids for name in names):
            return kind.name, names
    known = sorted({name for kind in kinds.values() for name in kind.ids or ()})
    missing = [name for name in wanted.split("+") if name not in known] or [wanted]
    raise MediaError(f"Cryptomatte {_some([*kinds], ' or ')} has no '{_some(missing[:1])}': {_suggest(missing[0], known)}", path)


def matte(path: str | Path, kind: str, names: Sequence[str]) -> NDArray[np.float32]:
    """How much of each pixel [H,W] these objects cover, 0..1. A name that the file does not know covers nothing."""
    path = Path(path)
    found = _kind_named(kind, path)
    ids = np.array(sorted({found.id_of(name) for name in names}), np.uint32)
    planes = _read_planes(path, [plane for rank in found.ranks for plane in rank])
    covered = np.zeros(planes[0].shape, np.float32)
    for keys, coverage in zip(planes[::2], planes[1::2], strict=True):
        if coverage.any():  # later ranks are mostly empty
            np.add(covered, coverage, out=covered, where=_among(keys, ids))
    return np.nan_to_num(covered, copy=False, nan=0, posinf=0, neginf=0).clip(0, 1, out=covered)


def window_of(path: str | Path, kind: str) -> Window:
    """Where the pixels of a matte lie: the data window of its part, which need not be that of the picture."""
    path = Path(path)
    window: Window = read_layout(path).parts[_kind_named(kind, path).ranks[0][0].part].window
    return window


def _among(keys: NDArray[np.float32], ids: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Where one of these ids is. Bits are compared, for as floats 0 would equal -0."""
    bits = np.ascontiguousarray(keys).view(np.uint32)
    if len(ids) > FEW:
        return np.isin(bits, ids)
    hit = np.zeros(bits.shape, bool)
    for each in ids:
        hit |= bits == each
    return hit


def murmur3(data: bytes, seed: int = 0) -> int:
    """MurmurHash3, the 32-bit variant for x86."""
    mask, state = 0xFFFFFFFF, seed

    def scramble(block: int) -> int:
        block = block * 0xCC9E2D51 & mask
        return (block << 15 | block >> 17) * 0x1B873593 & mask

    whole = len(data) & ~3
    for start in range(0, whole, 4):
        state ^= scramble(int.from_bytes(data[start : start + 4], "little"))
        state = ((state << 13 | state >> 19) * 5 + 0xE6546B64) & mask
    state ^= scramble(int.from_bytes(data[whole:], "little")) ^ len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & mask
    state = (state ^ state >> 13) * 0xC2B2AE35 & mask
    return state ^ state >> 16


def name_to_id(name: str) -> int:
    """The bits of the float that stands for a name: its hash, kept from being a NaN, an infinity or a denormal."""
    bits = murmur3(name.encode("utf-8", "surrogateescape"))
    return bits ^ 1 << 23 if bits >> 23 & 0xFF in (0, 0xFF) else bits


def _split(wanted: str, kind: Kind) -> list[str]:
    """Names joined by +, unless the whole is a name itself."""
    return [wanted] if kind.ids and wanted in kind.ids else [name for name in wanted.split("+") if name]


def _kinds(path: Path) -> dict[str, Kind]:
    entries: dict[str, dict[str, str]] = {}
    for part in read_layout(path).parts:
        for raw in part.attributes:
            entry = _ENTRY.fullmatch(raw.decode("utf-8", "replace"))
            if entry:
                entries.setdefault(entry[1], {}).setdefault(entry[2], part.text(raw))
    planes = _list_planes(path)
    kinds = [_kind(facts, planes, path) for facts in entries.values() if facts.get("name")]
    if not kinds:
        raise MediaError("has no Cryptomatte: render it with one, or give a matte of another kind", path)
    return {kind.name: kind for kind in kinds}


def _kind_named(name: str, path: Path) -> Kind:
    kinds = _kinds(path)
    if name not in kinds:
        raise MediaError(f"has no Cryptomatte '{_some([name])}': {_suggest(name, [*kinds])}", path)
    return kinds[name]


def _kind(facts: dict[str, str], planes: dict[str, Plane], path: Path) -> Kind:
    name = facts["name"]
    told = facts.get("hash", "MurmurHash3_32"), facts.get("conversion", "uint32_to_float32")
    if told != ("MurmurHash3_32", "uint32_to_float32"):
        raise MediaError(f"Cryptomatte '{_some([name])}' is made with {_some(told)}, unknown here: render it anew", path)
    ranks = _ranks(name, planes)
    if not ranks:
        raise MediaError(f"names a Cryptomatte '{_some([name])}' but holds no channels of it: render it anew", path)
    if any(key.kind != "float32" for key, _ in ranks):
        raise MediaError(f"holds Cryptomatte '{_some([name])}' in halves, which lose its ids: save it as 32-bit float", path)
    return Kind(name, _manifest(facts, path), ranks)


def _ranks(name: str, planes: dict[str, Plane]) -> tuple[tuple[Plane, Plane], ...]:
    """The pairs of a kind, in order: two in each of the layers NAME00, NAME01 ... (NAME alone is a preview for people)."""
    layers: dict[int, dict[str, Plane]] = {}
    for full, plane in planes.items():
        rest = re.fullmatch(r"(\d+)\.(\w+)", full[len(name) :]) if full.startswith(name) else None
        if rest:
            layers.setdefault(int(rest[1]), {})[rest[2].lower()] = plane
    pairs = [(layers[number], pair) for number in sorted(layers) for pair in _PAIRS]
    return tuple((layer[key], layer[covers]) for layer, (key, covers) in pairs if key in layer and covers in layer)


def _manifest(facts: dict[str, str], path: Path) -> dict[str, int] | None:
    text = facts.get("manifest", "")
    if not text and facts.get("manif_file"):
        text = _sidecar(facts["manif_file"], path)
    if not text:
        return None
    try:
        return _parse(text)
    except (ValueError, RecursionError):
        raise MediaError("has a Cryptomatte manifest that makes no sense: render it anew", path) from None


@lru_cache(maxsize=8)  # the frames of a shot mostly repeat it
def _parse(text: str) -> dict[str, int]:
    entries = json.loads(text)
    if not isinstance(entries, dict) or not all(isinstance(value, str) for value in entries.values()):
        raise ValueError("no table of names")
    return {name: int(value, 16) & 0xFFFFFFFF for name, value in entries.items()}


def _sidecar(name: str, path: Path) -> str:
    folder = path.parent.resolve()
    try:
        file = (folder / name).resolve()
        if not file.is_relative_to(folder):
            raise MediaError(f"wants its manifest from {_some([name])}, outside its own folder: put it beside the picture", path)
        if file.stat().st_size > MOST_BYTES_OF_A_MANIFEST:
            raise MediaError(f"has a manifest of more than 64 MB in {_some([name])}: render it anew", path)
        return file.read_text("utf-8")
    except FileNotFoundError:
        return ""  # names can still be hashed
    except (OSError, ValueError):
        raise MediaError(f"has its manifest in {_some([name])}, which cannot be read: put it beside the picture", path) from None


def _list_planes(path: Path) -> dict[str, Plane]:
    """Every channel of a file by its whole name; where two parts hold the same name it is the first one's."""
    planes: dict[str, Plane] = {}
    for number, part in enumerate(read_layout(path).parts):
        for channel in part.channels:
            plane = Plane(number, channel.name, channel.kind)
            planes.setdefault(channel.name, plane)
            if part.name:
                planes.setdefault(f"{part.name}.{channel.name}", plane)
    return planes


def _read_planes(path: Path, wanted: Sequence[Plane]) -> list[NDArray[Any]]:
    """These planes [H,W], bit by bit as they are stored."""
    layout, found = read_layout(path), dict[Plane, NDArray[Any]]()
    for number in sorted({plane.part for plane in wanted}):
        _check(layout, number)
        here = [plane for plane in wanted if plane.part == number]
        with closing(Planes(layout, number)) as planes:
            pixels = planes.read([plane.channel for plane in here], 0, layout.parts[number].height)
        found |= dict(zip(here, pixels, strict=True))
    windows = {layout.parts[plane.part].window for plane in wanted}
    if len(windows) > 1:
        told = " and ".join(",".join(map(str, window)) for window in sorted(windows))
        raise MediaError(f"holds what belongs together in data windows {told}: save it with one", path)
    return [found[plane] for plane in wanted]


def _check(layout: Layout, number: int) -> None:
    part, total = layout.parts[number], layout.parts[number].first_level_chunks
    if part.deep:
        raise MediaError("is a deep picture, of many values for each pixel: flatten it first", layout.path)
    if any(channel.sampling != (1, 1) for channel in part.channels):
        raise MediaError("stores some channels at a lower resolution: save it without subsampling", layout.path)
    if missing := layout.missing_chunks(number):
        raise MediaError(f"is unfinished ({missing} of its {total} blocks are missing): render or copy it again", layout.path)


def _suggest(name: str, choices: Sequence[str]) -> str:
    """The end of a message about a name that is not there: what may have been meant, or what there is."""
    within = [choice for choice in choices if name.lower() in choice.lower()]
    close = within[:3] or get_close_matches(name, choices[:10_000], 3)
    return f"did you mean {_some(close, ' or ')}?" if close else f"choose one of {_some(choices)}"


def _some(names: Sequence[str], join: str = ", ") -> str:
    """Names in one line, the first of them if there are many."""
    told = [name.encode("unicode_escape").decode()[:60] for name in names[:MOST_NAMES]]  # a file may call itself anything
    return join.join(told) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
