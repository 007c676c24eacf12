"""The contest of generator and critic as recipes hold it: whose weights move when, and what one step comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from impasto.learn.run.health import recall_of
from impasto.learn.run.loop import Outcome
from impasto.losses import Family, adversarial

HINGE = adversarial("hinge")


@contextmanager
def frozen(critic: nn.Module) -> Iterator[None]:
    """The generator's loss needs no gradient of the critic's weights."""
    critic.requires_grad_(False)
    try:
        yield
    finally:
        critic.requires_grad_(True)


def verdicts(critic: nn.Module, real: Tensor, painted: Tensor, family: Family = HINGE) -> tuple[Tensor, dict[str, float]]:
    """The critic's loss on real pictures and on painted ones as they are now, and how well it tells them apart."""
    found, fake = critic(real), critic(painted.detach())
    return told(family.critic(found, fake), found, fake, family)


def told(loss: Tensor, real: Sequence[Tensor], fake: Sequence[Tensor], family: Family = HINGE) -> tuple[Tensor, dict[str, float]]:
    """A critic's loss with its figures for the curves."""
    right = {"told_apart": family.told_apart(real, fake), "recall": recall_of(real, fake, family.middle)}
    return loss, {"critic": float(loss.detach()), **right}


def outcome(
    losses: Mapping[str, Tensor],
    weights: Mapping[str, float],
    critic: tuple[Tensor, Mapping[str, float]],
    painted: Tensor,
) -> Outcome:
    """The generator's losses, each times its weight, beside the critic's."""
    loss, figures = critic
    parts = {name: float(value.detach()) for name, value in losses.items()} | dict(figures)
    total = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
    return Outcome(total, loss, parts, painted)
