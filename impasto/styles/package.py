"""The .style file: one file that holds a look, and no code.

It is a zip of `card.json` (what the look is, see card.py), one ONNX graph per tier (see graph.py for what is allowed in one),
`preview.png`, and for a look that reads looks from pictures `encoder.onnx`. The card names the hashes of the others,
so the hash of the card stands for the whole look.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from impasto.errors import StyleError
from impasto.styles.archive import (
    AGAIN,
    CARD,
    ENCODER,
    GRAPHS,
    LIMITS,
    MIB,
    PREVIEW,
    Member,
    pack,
    read_member,
    read_members,
    replace_file,
)
from impasto.styles.card import Card, Credit, NamedHash, Tier, TrainingRecord, card_bytes, read_card
from impasto.styles.ends import ENCODER_ENDS, Ends
from impasto.styles.graph import check_graph
from impasto.styles.preview import check_preview

__all__ = ["Card", "Credit", "NamedHash", "StyleFile", "Tier", "TrainingRecord", "check_graph", "write_style"]

SUFFIX = ".style"


@dataclass(frozen=True)
class StyleFile:
    """An opened look: card and preview are read and checked, graphs are when asked for."""

    path: Path
    card: Card
    preview: bytes = field(repr=False)
    hash: str  # of the card, and through it of everything in the file
    members: Mapping[str, Member] = field(repr=False)

    @classmethod
    def open(cls, path: str | Path) -> StyleFile:
        """Open a style file, or say in a StyleError what is wrong with it."""
        path = Path(path)
        members = read_members(path)
        missing = [name for name in (CARD, PREVIEW) if name not in members]
        if missing:
            raise StyleError(f"has no {' and no '.join(missing)}: it is no style file, or {AGAIN}", path)
        stored = read_member(path, members[CARD])
        card = read_card(stored, path)
        named, held = {GRAPHS[tier] for tier in card.tiers}, members.keys() - {CARD, PREVIEW}
        named |= {ENCODER} if card.encoder_sha256 else set()
        if named != held:
            odd = sorted(named ^ held)[0]
            fault = f"its {odd}, named by its card, is missing" if odd in named else f"holds {odd}, which its card does not name"
            raise StyleError(f"{fault}: {AGAIN}", path)
        preview = read_member(path, members[PREVIEW])
        _check_hash(PREVIEW, preview, card.preview_sha256, path)
        check_preview(preview, path)
        return cls(path, card, preview, sha256(stored).hexdigest(), members)

    def graph(self, tier: str) -> bytes:
        """The ONNX graph of a tier, proven sound and what the card says of it."""
        return self._graph(tier)[0]

    def encoder(self) -> bytes:
        """The ONNX graph that reads a code from a picture, proven sound."""
        return self._encoder()[0]

    def code_length(self, tier: str) -> int:
        """How many numbers a code of this tier has; 0 if its network takes none."""
        return self._graph(tier)[1]

    def check(self) -> StyleFile:
        """Read and check every graph too; returns itself."""
        lengths = {tier: self._graph(tier)[1] for tier in self.card.tiers}
        taken = set(lengths.values()) - {0}
        if self.card.varies and not taken:
            raise StyleError(f"its card says that it varies, and no graph of it takes a code: {AGAIN}", self.path)
        if self.card.encoder_sha256 and self._encoder()[1] not in taken:
            raise StyleError(f"{ENCODER} makes codes of a length that no graph of it takes: {AGAIN}", self.path)
        return self

    def _graph(self, tier: str) -> tuple[bytes, int]:
        """A tier's graph, and how long a code it takes."""
        if tier not in self.card.tiers:
            raise StyleError(f"has no tier '{tier}': choose one of {', '.join(self.card.tiers)}", self.path)
        told = self.card.tiers[tier]
        data = read_member(self.path, self.members[GRAPHS[tier]])
        _check_hash(GRAPHS[tier], data, told.graph_sha256, self.path)
        length = check_graph(data, self.path, Ends.of(told))
        expected = {len(code) for code in told.codes.values()}
        if expected - {length}:
            takes = f"takes codes of {length}" if length else "takes no code"
            raise StyleError(f"the codes of its tier '{tier}' have {expected.pop()} numbers, and its graph {takes}", self.path)
        return data, length

    def _encoder(self) -> tuple[bytes, int]:
        """The encoder's graph, and how long the codes are that it makes."""
        if ENCODER not in self.members:
            raise StyleError("reads no looks from pictures (it has no encoder): choose a look that does", self.path)
        data = read_member(self.path, self.members[ENCODER])
        _check_hash(ENCODER, data, self.card.encoder_sha256, self.path)
        return data, check_graph(data, self.path, ENCODER_ENDS)


def write_style(
    path: str | Path, card: Card, graphs: Mapping[str, bytes], preview_png: bytes, encoder: bytes | None = None
) -> Path:
    """Write a look and return its path; the hashes on the card are filled in, and what is written is read back and checked.

    A file that is there already is replaced. The same input gives the same bytes.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise StyleError(f"a look is written as a {SUFFIX} file", path)
    if set(graphs) != set(card.tiers):
        raise StyleError(f"the card has the tiers {', '.join(card.tiers)}, the graphs are {', '.join(graphs) or 'none'}", path)
    stamped = {tier: card.tiers[tier].model_copy(update={"graph_sha256": _hash(graphs[tier])}) for tier in card.tiers}
    hashes = {"preview_sha256": _hash(preview_png), "encoder_sha256": _hash(encoder) if encoder is not None else ""}
    card = card.model_copy(update={"tiers": stamped, **hashes})
    members = {CARD: card_bytes(card), PREVIEW: preview_png, **{GRAPHS[tier]: graphs[tier] for tier in card.tiers}}
    members |= {ENCODER: encoder} if encoder is not None else {}
    for name, data in members.items():
        if len(data) > LIMITS[name]:
            raise StyleError(f"its {name} has {len(data) / MIB:.1f} MiB; at most {LIMITS[name] // MIB} are allowed", path)
    replace_file(path, pack(members), lambda beside: StyleFile.open(beside).check())
    return path


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()


def _check_hash(name: str, data: bytes, expected: str, path: Path) -> None:
    if _hash(data) != expected:
        raise StyleError(f"{name} is not the one its card names (their hashes differ): {AGAIN}", path)
