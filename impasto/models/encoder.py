"""From a picture to a code: convolutions at falling sizes, and what they see on average.

Statistics over a whole picture have no place in a generator, where they would flicker from frame to frame. Here they are what is
wanted: the picture is a reference that is read once, and its code then stays the same for the whole shot.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAST_SPREAD = 1e-5  # under the root: a flat picture has no spread, and a root no slope at nought


class StyleEncoder(nn.Module):
    """[N,3,H,W] in 0..1 -> codes [N,length]: the mean and the spread of the colours and of each layer's features.

    `bounded` codes have a mean of 0 and a spread of 1, so a picture unlike all others still gets a code of a known length.
    """

    def __init__(self, length: int, width: int = 24, bounded: bool = True) -> None:
        super().__init__()
        widths = [3, width, 2 * width, 2 * width, 3 * width]
        self.layers = nn.ModuleList([nn.Conv2d(enter, leave, 4, 2, 1) for enter, leave in pairwise(widths)])
        counted = 2 * sum(widths)
        self.level = Level(counted)
        self.enter = nn.Linear(counted, 4 * width)
        self.leave = nn.Linear(4 * width, length)
        self.bounded = bounded

    def forward(self, x: Tensor) -> Tensor:
        seen = x - 0.5
        told = [summary(seen)]
        for layer in self.layers:
            seen = F.leaky_relu(layer(seen), 0.2)
            told.append(summary(seen))
        code: Tensor = self.leave(F.leaky_relu(self.enter(self.level(torch.cat(told, 1))), 0.2))
        return levelled(code.float()) if self.bounded else code


class Level(nn.Module):
    """Numbers of all sizes at one size, each with a gain and a shift of its own."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(count))
        self.bias = nn.Parameter(torch.zeros(count))

    def forward(self, x: Tensor) -> Tensor:
        return levelled(x) * self.weight + self.bias


def levelled(x: Tensor) -> Tensor:
    """Rows [N,k] with a mean of 0 and a spread of 1; spelt out, for a style file holds only operators that it knows."""
    centred = x - x.mean(1, keepdim=True)
    return centred / (centred.square().mean(1, keepdim=True) + LEAST_SPREAD).sqrt()


def summary(features: Tensor) -> Tensor:
    """[N,C,h,w] -> [N,2C]: each channel's mean and spread."""
    features = features.float()
    mean = features.mean((2, 3))
    spread = ((features - mean[:, :, None, None]).square().mean((2, 3)) + LEAST_SPREAD).sqrt()
    return torch.cat([mean, spread], 1)
