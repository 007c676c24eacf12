"""dcgan: the plain noise network. The vector becomes a picture of 4x4, and transposed convolutions double it up to size.

Where the classic has batch norm, every pixel's features are scaled to one length: no picture depends on its neighbours.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from impasto.models.dreamer import SLOPE, SMALLEST_PX, Dreamer, DreamerSettings, even_length


class Settings(DreamerSettings):
    """Those of every dreamer; the defaults have 0.5M parameters."""


class Generator(Dreamer):
    """Quick to learn and small; good for textures and simple things."""

    learning_rate = 1e-3

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        widths = settings.widths()
        self.enter = nn.Linear(settings.noise, widths[0] * SMALLEST_PX**2)
        self.stages = nn.ModuleList([_doubling(a, b) for a, b in pairwise(widths)])
        self.leave = nn.Conv2d(widths[-1], 3, 3, padding=1, padding_mode="replicate")

    def forward(self, noise: Tensor) -> Tensor:
        x = self.enter(noise * self.truncation).unflatten(1, (-1, SMALLEST_PX, SMALLEST_PX))
        for stage in self.stages:
            x = stage(nn.functional.leaky_relu(even_length(x), SLOPE))
        return torch.sigmoid(self.leave(nn.functional.leaky_relu(even_length(x), SLOPE)))


def _doubling(enter: int, leave: int) -> nn.ConvTranspose2d:
    layer = nn.ConvTranspose2d(enter, leave, 4, 2, 1)
    nn.init.normal_(layer.weight, std=(2 / (4 * enter)) ** 0.5)  # four of the kernel's sixteen taps reach each pixel
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
