"""The contest of generator and critic as recipes hold it: whose weights move when, and what one step comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from impasto.learn.run.health import recall_of
from impasto.learn.run.loop import Outcome
from impasto.losses import Family, adversarial

HINGE = adversarial("hinge")
STEADY_FROM = 0.1  # of the training, full weight from here on: at once, the steadiest look is a flat sheet of paper
TEXTURE_FROM = 0.1  # likewise: at once, it stamps the texture before there are forms to lay it on
SETTLES = (0.45, 0.65)  # of the training: from here to there the weights move to those that a look settles by


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


def eased_in(settings: BaseModel, terms: set[str], progress: float) -> dict[str, float]:
    """The weight of each term now: steadiness and the teacher's texture terms come in while the adversary already leads."""
    weights: dict[str, float] = settings.model_dump(include=terms)
    weights["steady"] *= min(1.0, progress / STEADY_FROM)
    weights["gram"] *= min(1.0, 0.25 + progress / TEXTURE_FROM)
    weights["nearest"] *= min(1.0, progress / TEXTURE_FROM)
    return weights


def settled(weights: dict[str, float], factor: float, progress: float) -> dict[str, float]:
    """The same weights at first, and at the end those by which a strong look calms down: broad forms of paint come only where
    texture leads, and faces, quiet skies and steadiness only where it then follows."""
    begin, end = SETTLES
    now = factor ** min(1.0, max(0.0, (progress - begin) / (end - begin)))
    times = {"content": now, "steady": now, "adversary": now, "gram": 1 / now}
    return {name: weight * times.get(name, 1.0) for name, weight in weights.items()}
