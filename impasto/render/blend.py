"""`impasto styles blend`: a look between two looks, by mixing their networks' weights.

It works for looks that were learnt one from another (or from one start): their weights are still about the same things.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from impasto.errors import InputError
from impasto.job import Done, Job, Progress, option

if TYPE_CHECKING:
    from impasto.styles.card import Card, Tier, TierName
    from impasto.styles.package import StyleFile


class BlendJob(Job):
    """Mix two looks of one ancestor into a new style file."""

    command: ClassVar[str] = "styles blend"
    help: ClassVar[str] = "Mix two looks of one ancestor into a new style file."

    first: str = option(help="name of a look, or a style file", argument=True)
    second: str = option(help="the other one", argument=True)
    out: Path = option(help="the style file to write", flag="-o/--out")
    weight: float = option(0.5, "how much of the second look: 0 is the first, 1 is the second", ge=0, le=1)
    overwrite: bool = option(False, "replace the style file if it exists")

    def run(self) -> Iterator[Progress | Done]:
        """Mix the tiers that both have, paint a preview, write the file."""
        from impasto.engine.dream import paint_grid
        from impasto.engine.export import paint_preview
        from impasto.media.landing import check_output
        from impasto.styles.library import find
        from impasto.styles.package import StyleFile, write_style

        if self.out.suffix != ".style":
            raise InputError(f"{self.out}: a look is written as a .style file")
        check_output(self.out, self.overwrite)
        one, other = (StyleFile.open(find(name)) for name in (self.first, self.second))
        graphs: dict[str, bytes] = {}
        for tier in _shared_tiers(one, other):
            yield Progress("mixing", note=tier)
            graphs[tier] = mixed(one.graph(tier), other.graph(tier), self.weight)
        card = blended_card(one, other, self.weight, self.out.stem)
        best = card.tiers[card.finest]
        paint = paint_grid if best.noise else paint_preview
        write_style(self.out, card, graphs, paint(graphs[card.finest], best))
        yield Done(self.out, f"mixed {one.card.name} and {other.card.name} into {self.out}", {"tiers": list(graphs)})


def mixed(one: bytes, other: bytes, weight: float) -> bytes:
    """A graph whose weights lie between those of two graphs of the same shape, stored as the first one stores them."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    model, beside = onnx.load_from_string(one), onnx.load_from_string(other)
    theirs = {held.name: numpy_helper.to_array(held).astype(np.float32) for held in beside.graph.initializer}
    for held in model.graph.initializer:
        ours = numpy_helper.to_array(held)
        between = (1 - weight) * ours.astype(np.float32) + weight * theirs[held.name]
        held.CopyFrom(numpy_helper.from_array(between.astype(ours.dtype), held.name))
    return bytes(model.SerializeToString())


def blended_card(one: StyleFile, other: StyleFile, weight: float, name: str) -> Card:
    """The second look's card under a new name, with both credits and the weights told."""
    from hashlib import sha256

    from impasto.styles.card import NamedHash

    tiers = {tier: _blended_tier(one.card.tiers[tier], other.card.tiers[tier], weight) for tier in _shared_tiers(one, other)}
    words = f"impasto styles blend {one.path.name} {other.path.name} -o {name}.style --weight {weight:g}"
    start = NamedHash(name=one.path.name, sha256=sha256(one.path.read_bytes()).hexdigest())
    training = other.card.training.model_copy(update={"command": words, "start": start, "figures": {}})
    credits = [*other.card.credits, *(credit for credit in one.card.credits if credit not in other.card.credits)]
    description = f"{1 - weight:.0%} {one.card.title}, {weight:.0%} {other.card.title}."
    changes = {"name": name, "title": name, "description": description, "credits": credits, "training": training, "tiers": tiers}
    changes |= {"varies": one.card.varies and other.card.varies, "encoder_sha256": ""}  # one's encoder misreads for the blend
    return other.card.model_copy(update=changes)


def _blended_tier(one: Tier, other: Tier, weight: float) -> Tier:
    """The second look's tier; of looks chosen by code, those that both have, between the two."""
    codes = {
        name: [(1 - weight) * a + weight * b for a, b in zip(code, other.codes[name], strict=True)]
        for name, code in one.codes.items()
        if name in other.codes
    }
    return other.model_copy(update={"codes": codes})


def _shared_tiers(one: StyleFile, other: StyleFile) -> list[TierName]:
    def kind(style: StyleFile, tier: TierName) -> tuple[object, ...]:
        held = style.card.tiers[tier]
        return held.generator, held.settings, held.scale, held.guides, held.noise

    shared = [tier for tier in one.card.tiers if tier in other.card.tiers and kind(one, tier) == kind(other, tier)]
    if not shared:
        names = f"{one.card.name} and {other.card.name}"
        raise InputError(f"{names} have no network of one shape in common; blend looks of one start")
    return shared
