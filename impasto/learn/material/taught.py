"""Looks that are learnt from their style files: what each paints is what is to be painted.

Such a look's pictures are photographs it has painted, so that encoder and critic see it like any other; and for any photograph
in training its network is asked, so that lines come where it puts them and not only as it draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from impasto.errors import InputError
from impasto.learn.material.data import Picture, Pictures, resize, to_tensor
from impasto.learn.painters import open_painter
from impasto.learn.run.devices import on_device
from impasto.models.blocks import Painter
from impasto.styles.card import Credit, Tier
from impasto.styles.package import StyleFile

SUFFIX = ".style"


@dataclass(frozen=True)
class Taught:
    """A look that comes as a style file: its name, its network, and whom to name for it."""

    name: str
    painter: Painter
    hash: str
    credits: list[Credit]

    def pictures(self, photos: Sequence[Picture], side: int) -> Pictures:
        """The look as pictures: photographs that it has painted."""
        shown = [_painted(self.painter, resize(photo, side)) for photo in photos]
        sizes = [(picture.shape[1], picture.shape[0]) for picture in shown]
        return Pictures(shown, [f"{self.name}{SUFFIX}"] * len(shown), sizes, [self.hash] * len(shown))


def open_taught(place: Path, device: torch.device) -> Taught:
    """The look of a style file, by its finest tier."""
    style = StyleFile.open(place)
    name = "full" if "full" in style.card.tiers else next(iter(style.card.tiers))
    why = unfit(style.card.tiers[name])
    if why:
        raise InputError(f"{place}: {why}, so it cannot be one look among others: leave it out")
    return Taught(style.card.name, on_device(open_painter(style, name), device), style.hash, list(style.card.credits))


def unfit(tier: Tier) -> str:
    """Why a tier cannot be asked to paint any photograph in its one look; nothing where it can."""
    if tier.codes:
        return f"holds {len(tier.codes)} looks itself"
    if tier.guides:
        return f"needs guides ({', '.join(tier.guides)})"
    if tier.noise:
        return "makes pictures out of noise"
    return "makes pictures larger" if tier.scale > 1 else ""


@torch.inference_mode()
def _painted(painter: Painter, photo: Picture) -> Picture:
    """The photograph as the look paints it; its sides become multiples of the stride."""
    height, width = (side // painter.stride * painter.stride for side in photo.shape[:2])
    device = next(painter.parameters()).device
    painted = painter(on_device(to_tensor([photo[:height, :width]]), device))[0]
    picture: Picture = (painted.permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()
    return picture
