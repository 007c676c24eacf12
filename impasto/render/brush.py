"""The brush: one tier of one look, ready to paint colours as a screen shows them. Where and how it is laid on, hand.py knows."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from impasto.engine import coded_graph, open_engine
from impasto.engine.devices import ANYWHERE, Device
from impasto.errors import InputError
from impasto.frame import Pixels
from impasto.render.looks import Look
from impasto.render.projection import Projection, Stereo, projected
from impasto.render.stored import from_engine, to_engine
from impasto.render.tiles import paint_whole_or_tiled

if TYPE_CHECKING:
    from impasto.engine import Engine
    from impasto.styles.card import TierName
    from impasto.styles.package import StyleFile

Paint = Callable[[Pixels], Pixels]


class Brush:
    """One tier of one look, auto being the finest it has. An engine is opened for each depth that turns up."""

    def __init__(
        self, look: StyleFile | Look, tier: TierName, engine: str = "auto", precision: str = "auto", tile: str = "auto"
    ) -> None:
        self.look = look if isinstance(look, Look) else Look(look)
        style = self.look.style
        tier = style.card.finest if tier == "auto" else tier
        if tier not in style.card.tiers:
            raise InputError(f"style {style.card.name} has no tier '{tier}': choose one of {', '.join(style.card.tiers)}")
        self.style, self.tier, self.tile = style, tier, tile
        self.engine, self.precision = engine, precision
        self.devices: Sequence[Device] = (ANYWHERE,)
        self.opened: dict[bool, Engine] = {}  # by whether it paints more than 8 bits

    @property
    def name(self) -> str:
        """The look it paints, in a word."""
        return self.look.name

    @property
    def stride(self) -> int:
        """Windows of a picture start at multiples of this."""
        return self.style.card.tiers[self.tier].stride

    @property
    def scale(self) -> int:
        """How many times larger the painting is than the picture."""
        return self.style.card.tiers[self.tier].scale

    @property
    def guides(self) -> dict[str, int]:
        """What it wants to see beside the colour: planes by name, in order."""
        return dict(self.style.card.tiers[self.tier].guides)

    @property
    def receptive_field(self) -> int:
        """How far across the generator sees, in pixels."""
        return self.style.card.tiers[self.tier].receptive_field

    @property
    def at_once(self) -> int:
        """How many frames it paints at the same time, when as many threads ask."""
        return max((engine.at_once for engine in self.opened.values()), default=1)

    def prepare(self, deep: bool, source: str = "") -> Engine:
        """Open the engine for pictures of 8 bits or of more (deep); refuse a precision that would lose the depth."""
        if deep and self.precision not in ("auto", "fp32"):
            raise InputError(f"{source}: has more than 8 bits, which are painted in fp32: leave --precision {self.precision} out")
        if deep not in self.opened:
            how = (self.engine, self.precision, deep, self.look.code, self.devices)
            self.opened[deep] = open_engine(self.style, self.tier, *how)
        return self.opened[deep]

    @property
    def note(self) -> str:
        """What the user should hear of how it paints."""
        instead = [engine.precision for engine in self.opened.values() if engine.precision != "int8"]
        if self.precision != "int8" or not instead:
            return ""
        from impasto.engine.int8 import as_int8

        fault = as_int8(coded_graph(self.style, self.tier, self.look.code), self.style.card.tiers[self.tier]).fault
        return f"{self.name}: painted in {instead[0]} and not in int8: {fault}"

    def paint(self, pixels: Pixels) -> Pixels:
        """Paint [H,W,3] of bytes, deeper integers or floats in 0..1; the answer is stored the same way.

        Planes of guides may follow the colour; then all of it is float32, and theirs are taken as they are.
        """
        engine = self.prepare(pixels.dtype != np.uint8)
        painted = paint_whole_or_tiled(engine, to_engine(pixels), self.tile, self.stride, self.receptive_field)
        return from_engine(painted, pixels.dtype)

    def projected(self, projection: Projection, stereo: Stereo) -> Paint:
        """The way to paint pictures that are not seen flat."""
        return projected(self.paint, projection, stereo, self.stride, self.receptive_field)

    def identity(self, deep: bool) -> dict[str, Any]:
        """All of it that painted values depend on."""
        engine = self.prepare(deep)
        return {**self.look.identity, "tier": self.tier, "engine": engine.name, "precision": engine.precision}
