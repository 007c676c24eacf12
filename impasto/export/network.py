"""What is exported: one network of a look, its look worked into the weights, in one number format."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from impasto.engine import coded_graph
from impasto.errors import InputError
from impasto.frame import Pixels
from impasto.render.looks import Look

if TYPE_CHECKING:
    from onnx import ModelProto

    from impasto.styles.package import Tier


@dataclass(frozen=True)
class Network:
    """One tier of a look, to be written for another program."""

    look: Look
    tier: str
    precision: str
    frames: Sequence[Pixels] = field(default=(), repr=False)  # that int8 is calibrated on beside our own

    @property
    def name(self) -> str:
        """What its files are called."""
        words = "".join(letter if letter.isalnum() else "-" for letter in self.look.name)
        return f"{words}-{self.tier}" + (f"-{self.precision}" if self.precision == "int8" else "")

    @property
    def told(self) -> Tier:
        """What the card says of it."""
        return self.look.style.card.tiers[self.tier]

    @property
    def planes(self) -> int:
        """How many planes go in: colour and guides."""
        return 3 + sum(self.told.guides.values())

    @cached_property
    def graph(self) -> bytes:
        """Its graph in fp32, as the style file holds it, with the look that was asked for."""
        return coded_graph(self.look.style, self.tier, self.look.code)

    @cached_property
    def model(self) -> ModelProto:
        """Its graph as others like it: weights plain, no code, in 8-bit integers where that was asked for."""
        import onnx

        from impasto.engine.int8 import as_int8
        from impasto.engine.int8.quantise import outlined

        if self.precision != "int8":
            return outlined(self.graph).model
        found = as_int8(self.graph, self.told, self.frames)
        if found.fault:
            raise InputError(f"{self.look.name} cannot be exported in int8: {found.fault}; choose --precision fp32")
        return onnx.load_from_string(found.graph)

    @property
    def figures(self) -> dict[str, Any]:
        """What it is, for programs."""
        return {"style": self.look.name, "tier": self.tier, "style_hash": self.look.style.hash, "stride": self.told.stride}
