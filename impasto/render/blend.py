"""`impasto styles blend`: a look between looks, by mixing their networks' weights.

It works for looks that were learnt one from another, or from one start: their weights are still about the same things. Whether
they are is seen in the weights themselves, for a card knows only the file that its look was learnt from. Looks of one network
differ by a code; it is worked into the weights first, and then mixing the weights is the same as mixing the codes.
"""
from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from impasto.errors import InputError
from impasto.job import Done, Job, Progress, option
from impasto.render.shares import Share, read_shares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from impasto.styles.card import Card, Tier, TierName
    from impasto.styles.package import StyleFile

BASE = "base"  # the recipe of networks that paint nothing yet
T = TypeVar("T")
AKIN = 0.5  # cosine of kernels: looks of one start have 0.86 and more after long trainings, others 0.06 at most


class BlendJob(Job):
    """Mix looks that grew from one start into a new style file."""

    command: ClassVar[str] = "styles blend"
    help: ClassVar[str] = "Mix looks that grew from one start into a new style file."

    looks: list[str] = option(
        help="looks, each with its share: NAME:0.6, FILE:0.6, of a style of many STYLE#LOOK:0.6; without shares equal parts",
        argument=True,
        min_length=1,
    )
    out: Path = option(help="the style file to write", flag="-o/--out")
    overwrite: bool = option(False, "replace the style file if it exists")

    def run(self) -> Iterator[Progress | Done]:
        """Mix the tiers that all have, paint a preview, write the file."""
        from impasto.engine.dream import paint_grid
        from impasto.engine.export import paint_preview
        from impasto.media.landing import check_output
        from impasto.styles.package import write_style

        if self.out.suffix != ".style":
            raise InputError(f"{self.out}: a look is written as a .style file")
        check_output(self.out, self.overwrite)
        shares, note = read_shares(self.looks)
        if note:
            yield Progress("reading", note=note)
        parts = [Part.open(share) for share in shares]
        if len(parts) == 1 and "#" not in shares[0].look:
            raise InputError(f"'{shares[0].look}' is one look: name two or more to blend, as in a.style:0.6 b.style:0.4")
        tiers, left_out = _shared_tiers(parts)
        for fault in left_out:
            yield Progress("mixing", note=fault)
        graphs = {}
        for tier in tiers:
            yield Progress("mixing", note=tier)
            graphs[tier] = mixed([(part.graph(tier), part.part) for part in coloured_first(parts, tier)])
        card = blended_card(parts, tiers, graphs, self.out.stem)
        best = card.tiers[card.finest]
        paint = paint_grid if best.noise else paint_preview
        write_style(self.out, card, {str(tier): graph for tier, graph in graphs.items()}, paint(graphs[card.finest], best))
        how = "by codes" if len({part.style.hash for part in parts}) == 1 else "by weights"
        told = " and ".join(f"{part.part:.0%} {part.name}" for part in parts)
        yield Done(self.out, f"mixed {told} {how} ({', '.join(tiers)}) into {self.out}", {"tiers": list(tiers), "how": how})


@dataclass
class Part:
    """One look of a blend, and its share."""

    style: StyleFile
    words: str  # as it was asked for
    part: float
    name: str
    made: dict[TierName, bytes] = field(default_factory=dict)

    @classmethod
    def open(cls, share: Share) -> Part:
        """Find the look's style and open it."""
        from impasto.render.looks import parted
        from impasto.styles.library import find
        from impasto.styles.package import StyleFile

        name, look = parted(share.look)
        style = StyleFile.open(find(name))
        return cls(style, share.look, share.part, f"{style.card.name}#{look}" if look else style.card.name)

    def graph(self, tier: TierName) -> bytes:
        """The network of this one look: of a network of many, with the look's code worked into the weights."""
        from impasto.engine.fold import without_code
        from impasto.engine.graph import with_code
        from impasto.render.looks import find_look

        if tier not in self.made:
            graph = self.style.graph(tier)
            if not self.style.card.tiers[tier].noise:
                code = find_look(self.words, tier).code
                graph = without_code(with_code(graph, code) if code else graph)
            self.made[tier] = graph
        return self.made[tier]


def coloured_first(parts: Sequence[Part], tier: TierName) -> list[Part]:
    """Looks of paper and ink last: a mix is shaped like its first, and has colours if one of its looks has."""
    return sorted(parts, key=lambda part: part.style.card.tiers[tier].settings.get("inks") is not None)


def mixed(graphs: Sequence[tuple[bytes, float]]) -> bytes:
    """A graph whose weights are the sum of those of graphs of one shape, each by its share; stored as the first stores them."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    model, weights = onnx.load_from_string(graphs[0][0]), [(_weights(graph), part) for graph, part in graphs]
    for held in model.graph.initializer:
        between = np.sum([part * each[held.name] for each, part in weights], axis=0)
        held.CopyFrom(numpy_helper.from_array(between.astype(numpy_helper.to_array(held).dtype), held.name))
    return bytes(model.SerializeToString())


def likeness(one: bytes, other: bytes) -> float:
    """How much two networks agree: the cosine between all their kernels; 0 where they are of different shapes."""
    import numpy as np

    ours, theirs = _weights(one), _weights(other)
    if {name: value.shape for name, value in ours.items()} != {name: value.shape for name, value in theirs.items()}:
        return 0.0
    kernels = [name for name, value in ours.items() if value.ndim > 1] or list(ours)
    a, b = (np.concatenate([weights[name].ravel() for name in kernels]) for weights in (ours, theirs))
    lengths = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 0.0


def _weights(graph: bytes) -> dict[str, NDArray[np.float32]]:
    from impasto.engine.export import read_weights

    return read_weights(graph)


def _shared_tiers(parts: Sequence[Part]) -> tuple[list[TierName], list[str]]:
    """The tiers in which all looks grew from one start, and why others are left out."""
    first, *others = parts
    every = dict.fromkeys(tier for part in parts for tier in part.style.card.tiers)
    faults = {tier: fault for tier in every if (fault := _fault_of(tier, first, others))}
    shared = [tier for tier in every if tier not in faults]
    if shared:
        return shared, [f"{tier} is left out: {fault}" for tier, fault in faults.items()]
    strange = next((fault for tier, fault in faults.items() if all(tier in part.style.card.tiers for part in parts)), "")
    fault = strange or "they have no network of one kind in common"
    shown = shlex.join(word for part in parts for word in ("--style", f"{part.words}:{part.part:.3g}"))
    raise InputError(f"cannot be mixed by weights: {fault}; `impasto render SHOT -o OUT {shown}` blends their pictures instead")


def _fault_of(tier: TierName, first: Part, others: Sequence[Part]) -> str:
    def kind(part: Part) -> tuple[Any, ...]:
        held = part.style.card.tiers[tier]
        return held.generator, held.scale, held.guides, held.noise

    for part in (first, *others):
        if tier not in part.style.card.tiers:
            return f"{part.name} has no such network"
    for other in others:
        if kind(first) != kind(other) or likeness(first.graph(tier), other.graph(tier)) < AKIN:
            return f"{first.name} and {other.name} did not grow from one start, and their weights are about different things"
    return ""


def blended_card(parts: Sequence[Part], tiers: Sequence[TierName], graphs: Mapping[TierName, bytes], name: str) -> Card:
    """The card of the look with the largest share (a base is no look) under a new name; credits of all, and the shares told."""
    from hashlib import sha256

    from impasto.styles.card import NamedHash, slug

    first, *others = sorted(parts, key=lambda part: (part.style.card.training.recipe == BASE, -part.part))
    card, record = first.style.card, first.style.card.training
    cards = [card, *(part.style.card for part in others)]
    start = NamedHash(name=first.style.path.name, sha256=sha256(first.style.path.read_bytes()).hexdigest())
    words = " ".join(f"{part.name}:{part.part:.3g}" for part in parts)
    told: dict[str, Any] = {"command": f"impasto styles blend {words} -o {name}.style", "start": start, "figures": {}}
    told["references"] = _once(reference for each in cards for reference in each.training.references)
    for count in ("steps", "minutes", "images"):
        told[count] = {tier: number for tier, number in getattr(record, count).items() if tier in tiers}
    changes: dict[str, Any] = {"name": slug(name), "title": name, "licence": _licences(cards)}
    changes |= {"varies": False, "encoder_sha256": ""}  # an encoder would misread for the blend
    changes["description"] = ", ".join(f"{part.part:.0%} {_titled(part)}" for part in parts) + "."
    shapes = {tier: coloured_first(parts, tier)[0].style.card.tiers[tier] for tier in tiers}
    changes["tiers"] = {tier: _plain_tier(shape, graphs[tier]) for tier, shape in shapes.items()}
    changes["credits"] = _once(credit for card in cards for credit in card.credits)
    return card.model_copy(update={**changes, "training": record.model_copy(update=told)})


def _plain_tier(tier: Tier, graph: bytes) -> Tier:
    """What the card says of a tier that holds one look."""
    from impasto.styles.ends import CODE

    weights = _weights(graph)
    settings = {**tier.settings, **({CODE: 0} if CODE in tier.settings and CODE not in weights else {})}
    count = sum(value.size for name, value in weights.items() if name != CODE)
    return tier.model_copy(update={"codes": {}, "settings": settings, "parameters": count})


def _titled(part: Part) -> str:
    looks = part.name.partition("#")[2]
    return f"{part.style.card.title} ({looks})" if looks else part.style.card.title


def _licences(cards: Sequence[Card]) -> str:
    """All their terms at once, as an SPDX expression."""
    terms = _once(card.licence for card in cards)
    return terms[0] if len(terms) == 1 else " AND ".join(f"({term})" if " OR " in term else term for term in terms)


def _once(things: Iterable[T]) -> list[T]:
    """Each thing once, in the order in which they first come."""
    found: list[T] = []
    for thing in things:
        if thing not in found:
            found.append(thing)
    return found
