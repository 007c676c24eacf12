"""Places of a picture against places: PatchNCE, and the distribution of raw patches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.models.blocks import Painter
from impasto.models.perception import sliced_wasserstein


def patch_nce(queries: Tensor, keys: Tensor, temperature: float = 0.07) -> Tensor:
    """Each place of the painting [N,n,C] must know its own place of the photograph [N,n,C] among the others."""
    logits = queries @ keys.transpose(1, 2) / temperature  # [N,n,n]
    target = torch.arange(logits.shape[1], device=logits.device).expand(logits.shape[:2])
    return F.cross_entropy(logits.flatten(0, 1), target.flatten())


def structure_lost(painted: Tensor, photo: Tensor, window: int = 9) -> Tensor:
    """1 - the mean correlation of what two grey pictures [N,1,H,W] show within windows: 0 when all forms are kept.

    Tone and contrast may change freely; flat windows of the photograph, where there is nothing to keep, count little.
    """
    ours, theirs = painted.float(), photo.float()
    near = [F.avg_pool2d(x, window, stride=window // 2) for x in (ours, theirs, ours * theirs, ours.square(), theirs.square())]
    covariance, ours_spread, theirs_spread = (near[2] - near[0] * near[1], near[3] - near[0] ** 2, near[4] - near[1] ** 2)
    alike = covariance / (ours_spread.clamp_min(0) * theirs_spread.clamp_min(0) + 1e-8).sqrt()
    weight = theirs_spread.clamp_min(0).sqrt()
    return 1 - (alike * weight).sum() / weight.sum().clamp_min(1e-8)


def patch_style(painted: Tensor, reference: Tensor, directions: Tensor, size: int = 7) -> Tensor:
    """Sliced Wasserstein distance between raw patches of two batches of the same shape; needs no teacher."""
    ours = F.unfold(painted.float(), size, stride=3).transpose(1, 2).flatten(0, 1)
    theirs = F.unfold(reference.float(), size, stride=3).transpose(1, 2).flatten(0, 1)
    return sliced_wasserstein(ours, theirs, directions)


class PatchNCE(nn.Module):
    """PatchNCE on a generator's own features, through two-layer projections that learn with it."""

    def __init__(self, generator: Painter, width: int = 64, places: int = 256) -> None:
        super().__init__()
        first = next(generator.parameters())
        planes = 3 + sum(generator.guides.values())
        with torch.no_grad():
            widths = [f.shape[1] for f in generator.features(torch.zeros(1, planes, 32, 32, device=first.device))]
        self.heads = nn.ModuleList([nn.Sequential(nn.Linear(w, width), nn.ReLU(), nn.Linear(width, width)) for w in widths])
        self.places = places

    def forward(self, queries: list[Tensor], keys: list[Tensor]) -> Tensor:
        terms = []
        for head, query, key in zip(self.heads, queries, keys, strict=True):
            size = query.shape[2] * query.shape[3]
            chosen = torch.randperm(size, device=query.device)[: self.places]
            ours, theirs = (head(f.flatten(2)[:, :, chosen].transpose(1, 2)) for f in (query, key))
            terms.append(patch_nce(F.normalize(ours.float(), dim=2), F.normalize(theirs.float(), dim=2).detach()))
        return torch.stack(terms).mean()
