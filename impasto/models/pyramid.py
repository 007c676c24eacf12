"""A trunk that looks far at little cost: halved several times on the way down, doubled on the way up, with a bridge at each size.

Generators of their own build on it: what repairs a picture or colours it must see a whole face or sky, yet cut at full size.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from impasto.models.blocks import DOUBLE, DoubleSize, ResidualBlock, conv

REACH = 2  # a cubic kernel looks two pixels to each side


class Pyramid(nn.Module):
    """Planes [N,planes,H,W] -> features [N,widths[0]] at the first level's size: the whole, or half where `from_half`."""

    def __init__(self, planes: int, widths: Sequence[int], blocks: int, from_half: bool = False) -> None:
        super().__init__()
        self.layers: list[tuple[int, int]] = [(4, 2) if from_half else (3, 1)]  # for the receptive field
        first = conv(planes, widths[0], 4, 2) if from_half else conv(planes, widths[0], 3)
        self.down = nn.ModuleList([first, *(conv(wide, deep, 4, 2) for wide, deep in pairwise(widths))])
        self.trunk = nn.Sequential(*(ResidualBlock(widths[-1]) for _ in range(blocks)))
        self.up = nn.ModuleList([DoubleSize(deep, wide) for wide, deep in pairwise(widths)])
        steps = len(widths) - 1
        self.layers += [(4, 2)] * steps + [(3, 1)] * (2 * blocks) + DOUBLE * steps
        self.stride = 2 ** (steps + from_half)

    def forward(self, x: Tensor) -> Tensor:
        levels = self.levels(x)
        out: Tensor = self.trunk(levels[-1])
        for grow, bridge in zip(reversed(self.up), reversed(levels[:-1]), strict=True):
            out = grow(out).relu() + bridge
        return out

    def levels(self, x: Tensor) -> list[Tensor]:
        """What is seen on the way down, from the first size to the smallest."""
        seen: list[Tensor] = []
        for look in self.down:
            x = look(x).relu()
            seen.append(x)
        return seen


class Cubic(nn.Module):
    """Planes `scale` times larger by a fixed cubic kernel: a convolution and a shuffle, so alike in every engine and tile."""

    def __init__(self, planes: int, scale: int) -> None:
        super().__init__()
        self.planes, self.scale = planes, scale
        line = torch.from_numpy(cubic_lines(scale))  # [scale,5]
        kernel = line[:, None, :, None] * line[None, :, None, :]
        self.register_buffer("kernel", kernel.reshape(scale**2, 1, 2 * REACH + 1, 2 * REACH + 1).repeat(planes, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (REACH,) * 4, mode="replicate")
        return F.pixel_shuffle(F.conv2d(padded, self.get_buffer("kernel"), groups=self.planes), self.scale)


def cubic_lines(scale: int) -> NDArray[np.float32]:
    """[scale,5]: for each new pixel within an old one, what it takes of that and of two neighbours each way (Keys, a = -1/2)."""
    places = (np.arange(scale) + 0.5) / scale - 0.5
    away = np.abs(places[:, None] - np.arange(-REACH, REACH + 1))
    near = 1.5 * away**3 - 2.5 * away**2 + 1
    far = -0.5 * away**3 + 2.5 * away**2 - 4 * away + 2
    return np.where(away < 1, near, np.where(away < 2, far, 0)).astype(np.float32)
