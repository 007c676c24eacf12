"""How paint is laid on, and with which looks: what a user sets, before anything is opened."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.errors import InputError
from impasto.media.colour import AUTO
from impasto.media.guides import Guide
from impasto.render.comic import PLAIN, Comic
from impasto.render.knobs import Curve
from impasto.render.mattes import MatteSpec
from impasto.render.projection import Projection, Stereo
from impasto.render.steady import OFF, Steadying
from impasto.styles.library import typed

if TYPE_CHECKING:
    from impasto.render.brush import Brush

ALWAYS = Curve(((0, 1.0),))


@dataclass(frozen=True)
class Touch:
    """How the paint is laid on. Every default is off, and off is exact."""

    strength: Curve = ALWAYS
    keep_colour: float = 0.0
    scale: float = 1.0
    palette: Path | None = None
    denoise: float = 0.0
    enhance: float = 0.0
    grain: float = 0.0
    seed: int = 0
    letterbox: bool = False
    proxy: int = 1
    projection: Projection = "flat"
    stereo: Stereo = "none"
    super_resolve: Brush | None = None
    guides: tuple[Guide, ...] = ()
    steady: Steadying = OFF
    comic: Comic = PLAIN
    colour_in: str = AUTO
    colour_out: str = AUTO

    @property
    def alone(self) -> bool:
        """Whether a pixel's painting depends on no more around it than the generator sees: then bands of rows are exact."""
        plain = (self.scale, self.palette, self.denoise, self.enhance, self.grain, self.proxy) == (1.0, None, 0.0, 0.0, 0.0, 1)
        flat = self.projection == "flat" and self.stereo == "none"
        return plain and flat and not (self.letterbox or self.super_resolve or self.guides or self.comic.drawn_on)


@dataclass(frozen=True)
class Layer:
    """A brush and where it paints; without a matte everywhere."""

    brush: Brush
    matte: MatteSpec | None = None


def check_layers(layers: Sequence[Layer]) -> None:
    """Refuse looks that would hide each other wholly."""
    for style, scale in ((layer.brush.style, layer.brush.scale) for layer in layers):
        if scale != 1:
            told = f"{style.card.name} makes pictures {scale} times larger, which is no look"
            raise InputError(f"{told}: use --super-resolve {typed(style)}")
    for number, layer in enumerate(layers[1:], 1):
        if layer.matte is None:
            names = ", ".join(each.brush.name for each in layers)
            mend = "give it a matte (STYLE@MATTE), or all of them shares (STYLE:0.6), which mixes their paintings"
            place = f"{layer.brush.name} (number {number + 1}) covers everything below it"
            raise InputError(f"--style names {len(layers)} looks ({names}), and {place}: {mend}")
