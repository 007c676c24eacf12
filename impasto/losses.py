"""Every loss: small functions of tensors, to be added up by a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.models.perception import Features, sliced_wasserstein


def hinge_critic(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """The critic's hinge loss: real patches above 1, painted ones below -1, averaged over scales."""
    pairs = [F.relu(1 - r.float()).mean() + F.relu(1 + f.float()).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(pairs).mean()


def hinge_generator(fake: Sequence[Tensor]) -> Tensor:
    """The generator's side of the hinge loss: the critic's mean verdict, raised."""
    return -torch.stack([f.float().mean() for f in fake]).mean()


@torch.no_grad()
def told_apart(real: Sequence[Tensor], fake: Sequence[Tensor]) -> float:
    """How much of the patches the critic names rightly: 0.5 is guessing."""
    right = [(r > 0).float().mean() / 2 + (f < 0).float().mean() / 2 for r, f in zip(real, fake, strict=True)]
    return float(torch.stack(right).mean())


def gram_style(features: dict[str, Features], targets: dict[str, Tensor]) -> Tensor:
    """Squared Gram difference to the reference over the reference's own square, averaged over the taps.

    Half per picture, half over the batch: per picture alone stamps the whole reference into every sky; over the batch alone
    lets single pictures go untouched.
    """
    errors = []
    for tap, target in targets.items():
        grams, size = features[tap].gram(), target.square().sum()
        alone = (grams - target).square().sum((1, 2)).mean() / size
        together = (grams.mean(0) - target).square().sum() / size
        errors.append((alone + together) / 2)
    return torch.stack(errors).mean()


def perceptual_content(painted: dict[str, Features], photo: dict[str, Features], taps: Sequence[str]) -> Tensor:
    """How far the painting's features point elsewhere than the photograph's: unit columns, so tone may change freely."""
    errors = []
    for tap in taps:
        ours, theirs = (F.normalize(side[tap].values.float(), dim=1) for side in (painted, photo))
        errors.append((ours - theirs).square().sum(1).mean())
    return torch.stack(errors).mean()


@dataclass(frozen=True)
class Motion:
    """A smooth random motion of the picture, and a change of light that must not change the paint."""

    grid: Tensor  # [N,H,W,2] for grid_sample
    inside: Tensor  # [N,1,H,W] 1 where the source of a pixel lies well inside the picture
    gain: Tensor  # [N,1,1,1]
    bias: Tensor  # [N,3,1,1]
    noise: Tensor  # [N,3,H,W]

    def move(self, x: Tensor) -> Tensor:
        """Where the motion takes the picture."""
        return F.grid_sample(x, self.grid, mode="bicubic", padding_mode="reflection", align_corners=False)

    def film(self, x: Tensor) -> Tensor:
        """The picture as the next frame would show it: moved, a little lighter or darker, with fresh grain."""
        return (self.move(x) * self.gain + self.bias + self.noise).clamp(0, 1)


def steadiness(painted: Tensor, painted_next: Tensor, motion: Motion) -> Tensor:
    """L1 between the moved painting and the painting of the moved picture, plus thrice its 8-px average (slow flicker)."""
    difference = (motion.move(painted) - painted_next) * motion.inside
    share = motion.inside.mean().clamp_min(0.05)
    return (difference.abs().mean() + 3 * F.avg_pool2d(difference, 8).abs().mean()) / share


def patch_nce(queries: Tensor, keys: Tensor, temperature: float = 0.07) -> Tensor:
    """Each place of the painting [N,n,C] must know its own place of the photograph [N,n,C] among the others."""
    logits = queries @ keys.transpose(1, 2) / temperature  # [N,n,n]
    target = torch.arange(logits.shape[1], device=logits.device).expand(logits.shape[:2])
    return F.cross_entropy(logits.flatten(0, 1), target.flatten())


def patch_style(painted: Tensor, reference: Tensor, directions: Tensor, size: int = 7) -> Tensor:
    """Sliced Wasserstein distance between raw patches of two batches of the same shape; needs no teacher."""
    ours = F.unfold(painted.float(), size, stride=3).transpose(1, 2).flatten(0, 1)
    theirs = F.unfold(reference.float(), size, stride=3).transpose(1, 2).flatten(0, 1)
    return sliced_wasserstein(ours, theirs, directions)
