"""What a recipe and the loop hand each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from impasto.learn.run.feed import Batch

Logits = Sequence[Tensor]


@dataclass
class Networks:
    """What learns: the generator, helpers that learn with it, and the critic that learns against it."""

    generator: Any  # an nn.Module: a Painter, or whatever the recipe paints with
    critic: nn.Module
    helpers: nn.Module = field(default_factory=nn.Module)


@dataclass
class Outcome:
    """What one step came to: the two losses, each part for the curves, and pictures to look at.

    `told_apart` (and `recall`) among the parts tell the loop how the critic judges. Where a batch does not call its pictures by
    the usual names (watch.py), `source` and `reference` say what was painted from and what it should be like.
    """

    generator: Tensor
    critic: Tensor
    parts: dict[str, float]
    painted: Tensor
    source: Tensor | None = None
    reference: Tensor | None = None


StepFunction = Callable[[Networks, Batch, float], Outcome]
