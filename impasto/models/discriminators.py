"""Critics: networks that tell the reference's patches from the generator's. They judge texture, never a whole composition."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class PatchCritic(nn.Module):
    """One logit per patch, at full size and at halved sizes: fine strokes and broad ones. Spectral norm keeps it gentle."""

    def __init__(self, width: int = 32, scales: int = 3) -> None:
        super().__init__()
        self.scales = nn.ModuleList([self._one(width) for _ in range(scales)])

    @staticmethod
    def _one(width: int) -> nn.Sequential:
        widths = [3, width, 2 * width, 4 * width]
        layers: list[nn.Module] = []
        for i, (enter, leave) in enumerate(pairwise(widths)):
            layers += [spectral_norm(nn.Conv2d(enter, leave, 4, stride=2 if i < 2 else 1)), nn.LeakyReLU(0.2)]
        return nn.Sequential(*layers, spectral_norm(nn.Conv2d(widths[-1], 1, 3)))

    def forward(self, x: Tensor) -> list[Tensor]:
        logits = []
        for i, judge in enumerate(self.scales):
            logits.append(judge(x if i == 0 else F.avg_pool2d(x, 2**i)))
        return logits
