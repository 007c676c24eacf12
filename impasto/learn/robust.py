"""`--robust`: a look learns to hold still under the smallest changes that would move its paint most, not only under chance ones.

Every recipe that knows steadiness paints a picture twice: as it is, and as the next frame would show it, with fresh grain. Here
that grain is no longer chance: one step against the loss (the fast gradient sign method) makes it the grain that hurts, by two
values in 255. Nothing else of a step hangs on the grain, so steadiness alone is attacked, and no recipe need know.
"""

from __future__ import annotations

import torch

from impasto.errors import InputError
from impasto.learn.run.contract import Networks, Outcome, StepFunction
from impasto.learn.run.feed import Batch

REACH = 2 / 255  # what an eye does not see, and what `evaluate --attack` tries by itself
GRAIN, MOVED = "noise", "inside"  # of a batch: the grain of a `losses.Motion`, and what tells it from a vector to dream from


def robust(take: StepFunction, reach: float = REACH) -> StepFunction:
    """The same step, its grain the worst that lies within reach."""

    def taken(networks: Networks, batch: Batch, progress: float) -> Outcome:
        grain = batch[GRAIN].detach().requires_grad_()
        with torch.enable_grad():
            loss = take(networks, {**batch, GRAIN: grain}, progress).generator
            (uphill,) = torch.autograd.grad(loss, grain, allow_unused=True)
        if uphill is None:  # steadiness has not come in yet
            return take(networks, batch, progress)
        return take(networks, {**batch, GRAIN: (grain + reach * uphill.sign()).detach()}, progress)

    return taken


def check_grain(recipe: str, batch: Batch) -> None:
    """Refuse a recipe, or settings of it, that hold nothing still."""
    if MOVED not in batch or GRAIN not in batch:
        how = "leave --robust out, or steady the look afterwards: learn LOOK --steady SHOT --robust"
        raise InputError(f"--robust: recipe {recipe} as it is set here teaches no steadiness: {how}")
