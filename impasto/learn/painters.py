"""A tier of a style file as the network that was exported, to teach, to start from, to be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from impasto import plugins
from impasto.engine.export import read_weights
from impasto.models.blocks import Painter
from impasto.styles.card import TierName

if TYPE_CHECKING:
    from impasto.styles.package import StyleFile


def open_painter(style: StyleFile, name: TierName) -> Painter:
    """One tier of a look as the network that was exported."""
    tier = style.card.tiers[name]
    room: Any = plugins.load("generators", tier.generator)
    painter: Painter = room.Generator(room.Settings(**tier.settings))
    weights = read_weights(style.graph(name))
    painter.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in weights.items()})
    return painter.eval().requires_grad_(False)
