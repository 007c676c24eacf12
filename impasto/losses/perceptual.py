"""Features against features: those of a teacher, of the generator itself, or of a critic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.models.perception import Features, sliced_wasserstein


def gram_style(features: dict[str, Features], targets: dict[str, Tensor]) -> Tensor:
    """Squared Gram difference to the reference over the reference's own square, averaged over the taps.

    Half per picture, half over the batch: per picture alone stamps the whole reference into every sky; over the batch alone
    lets single pictures go untouched. A target is one Gram [C,C] for all pictures or one for each [N,C,C].
    """
    errors = []
    for tap, target in targets.items():
        grams, goals = features[tap].gram(), target.view(-1, *target.shape[-2:])
        alone = ((grams - goals).square().sum((1, 2)) / goals.square().sum((1, 2))).mean()
        goal = goals.mean(0)
        together = (grams.mean(0) - goal).square().sum() / goal.square().sum()
        errors.append((alone + together) / 2)
    return torch.stack(errors).mean()


def sliced_style(ours: Mapping[str, Features], theirs: Mapping[str, Features], directions: int = 64) -> Tensor:
    """Sliced Wasserstein distance between the features of two batches: the whole distribution, where Gram sees two moments.

    Each tap is measured in units of their spread, so that no tap outweighs the others. The batches may differ in size.
    """
    errors = []
    for tap, reference in theirs.items():
        here, there = _columns(ours[tap].values), _columns(reference.values)
        count = min(len(here), len(there))
        here, there = _some(here, count), _some(there, count)
        along = F.normalize(torch.randn(here.shape[1], directions, device=here.device), dim=0)
        errors.append(sliced_wasserstein(here, there, along) / there.std(0).norm().clamp_min(1e-6))
    return torch.stack(errors).mean()


def _columns(values: Tensor) -> Tensor:
    """[N,C,h,w] -> [N*h*w,C]."""
    return values.float().permute(0, 2, 3, 1).flatten(0, 2)


def _some(rows: Tensor, count: int) -> Tensor:
    return rows if len(rows) == count else rows[torch.randperm(len(rows), device=rows.device)[:count]]


def perceptual(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> Tensor:
    """How far features [N,C,h,w] point elsewhere than others: unit columns, so their strength may change freely.

    The features may be the generator's own, a critic's, or a teacher's.
    """
    errors = []
    for here, there in zip(ours, theirs, strict=True):
        here, there = F.normalize(here.float(), dim=1), F.normalize(there.float(), dim=1)
        errors.append((here - there).square().sum(1).mean())
    return torch.stack(errors).mean()


def perceptual_content(painted: dict[str, Features], photo: dict[str, Features], taps: Sequence[str]) -> Tensor:
    """How far the painting's features point elsewhere than the photograph's: unit columns, so tone may change freely."""
    return perceptual([painted[tap].values for tap in taps], [photo[tap].values for tap in taps])


def feature_matching(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of a critic's features, layer by layer; theirs are a goal and get no gradient."""
    errors = [(here.float() - there.detach().float()).abs().mean() for here, there in zip(ours, theirs, strict=True)]
    return torch.stack(errors).mean()
