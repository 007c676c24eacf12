"""Painter against critic: five families by name, and penalties that keep either side gentle.

A critic answers with a list of logits, one tensor per scale it looks at; every function here takes such lists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Logits = Sequence[Tensor]
Critic = Callable[[Tensor], Logits]


@dataclass(frozen=True)
class Family:
    """A pair of opposed losses. Each is a function of one scale's real and fake logits; scales are averaged."""

    critic_of: Callable[[Tensor, Tensor], Tensor]
    generator_of: Callable[[Tensor, Tensor], Tensor]
    middle: float | None = 0.0  # logits above it say "real"; None: only the difference of real and fake says anything
    needs_real: bool = False  # whether the generator's side looks at real logits too

    def critic(self, real: Logits, fake: Logits) -> Tensor:
        """The critic's loss."""
        return torch.stack([self.critic_of(r.float(), f.float()) for r, f in zip(real, fake, strict=True)]).mean()

    def generator(self, fake: Logits, real: Logits | None = None) -> Tensor:
        """The generator's loss; a family that needs_real must be told how the critic finds real pictures."""
        assert real is not None or not self.needs_real, "this family compares with real logits"
        others = fake if real is None else real
        return torch.stack([self.generator_of(f.float(), r.float()) for f, r in zip(fake, others, strict=True)]).mean()

    def told_apart(self, real: Logits, fake: Logits) -> float:
        """How much of the patches the critic names rightly: 0.5 is guessing."""
        if self.middle is not None:
            return told_apart(real, fake, self.middle)
        middles = [(r.float().mean() + f.float().mean()) / 2 for r, f in zip(real, fake, strict=True)]
        rights = [told_apart([r], [f], float(m.detach())) for r, f, m in zip(real, fake, middles, strict=True)]
        return sum(rights) / len(rights)


def _hinge(real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def _least_squares(real: Tensor, fake: Tensor) -> Tensor:
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def _vanilla(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def _relative(better: Tensor, worse: Tensor) -> Tensor:
    """Each logit against the mean of the other side: pictures need no partners."""
    return (F.softplus(worse.mean() - better).mean() + F.softplus(worse - better.mean()).mean()) / 2


FAMILIES: dict[str, Family] = {
    "hinge": Family(_hinge, lambda fake, real: -fake.mean()),
    "lsgan": Family(_least_squares, lambda fake, real: (fake - 1).square().mean(), middle=0.5),
    "bce": Family(_vanilla, lambda fake, real: F.softplus(-fake).mean()),
    "wgan": Family(lambda real, fake: fake.mean() - real.mean(), lambda fake, real: -fake.mean(), middle=None),
    "relativistic": Family(_relative, _relative, middle=None, needs_real=True),
}


def adversarial(name: str) -> Family:
    """The family called `name`."""
    return FAMILIES[name]


def hinge_critic(real: Logits, fake: Logits) -> Tensor:
    """The critic's hinge loss: real patches above 1, painted ones below -1, averaged over scales."""
    return FAMILIES["hinge"].critic(real, fake)


def hinge_generator(fake: Logits) -> Tensor:
    """The generator's side of the hinge loss: the critic's mean verdict, raised."""
    return FAMILIES["hinge"].generator(fake)


@torch.no_grad()
def told_apart(real: Logits, fake: Logits, middle: float = 0.0) -> float:
    """How much of the patches the critic names rightly: 0.5 is guessing."""
    right = [(r > middle).float().mean() / 2 + (f < middle).float().mean() / 2 for r, f in zip(real, fake, strict=True)]
    return float(torch.stack(right).mean())


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """WGAN-GP: between a real and a painted picture the critic's verdict must rise by 1 per unit of distance."""
    share = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)
    lengths: Tensor = _slopes(critic, share * real + (1 - share) * fake).norm(dim=1)
    return (lengths - 1).square().mean()


def r1(critic: Critic, real: Tensor) -> Tensor:
    """Half the squared slope of the verdict at real pictures: the critic must be flat where it should be content."""
    return _slopes(critic, real).square().sum(1).mean() / 2


def noise_gradient(painted: Tensor, noise: Tensor) -> Tensor:
    """How steeply the pictures hang on their noise: mean squared gradient of their mean over the noise [N,...].

    The pictures must have been painted from a noise that requires a gradient.
    """
    slope: Tensor = torch.autograd.grad(painted.float().flatten(1).mean(1).sum(), noise, create_graph=True)[0]
    return slope.float().flatten(1).square().sum(1).mean()


def _slopes(critic: Critic, pictures: Tensor) -> Tensor:
    """Gradients [N,pixels] of each picture's verdict: the mean of its patches, averaged over scales. In full precision."""
    with torch.autocast(pictures.device.type, enabled=False):
        pictures = pictures.detach().float().requires_grad_(True)
        verdicts = torch.stack([logits.flatten(1).mean(1) for logits in critic(pictures)]).mean(0)
        slopes: Tensor = torch.autograd.grad(verdicts.sum(), pictures, create_graph=True)[0]
    return slopes.flatten(1)
