"""Pieces that dreamers are built from: networks that make a picture out of a vector of noise.

Everything in the picture comes from the vector: no random numbers inside, no statistics of a batch. So the same vector gives
the same picture, alone or among others, on every engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

SMALLEST_PX = 4  # every dreamer starts from a picture of 4x4 and doubles it
SLOPE = 0.2
TINY = 1e-6


class DreamerSettings(BaseModel):
    """Size of the picture, length of the vector, and widths: `width` at full size, doubled with each halving up to `widest`."""

    model_config = ConfigDict(extra="forbid")
    size: int = Field(64, ge=16, le=256)
    noise: int = Field(64, ge=2, le=1024)
    width: int = Field(16, ge=1, le=1024)
    widest: int = Field(128, ge=1, le=1024)

    def sides(self) -> list[int]:
        """The sizes that the picture grows through: 4, 8 ... `size`."""
        sides = [SMALLEST_PX]
        while sides[-1] < self.size:
            sides.append(2 * sides[-1])
        return sides

    def widths(self) -> list[int]:
        """The channels at each of these sizes."""
        return [min(self.widest, self.width * self.size // side) for side in self.sides()]


class Dreamer(nn.Module, ABC):
    """What every noise network is: [N,noise] drawn from a unit normal -> pictures [N,3,size,size] in 0..1.

    In training mode the pictures may leave 0..1; in eval mode they do not. The buffer `truncation` (1: none) pulls pictures
    towards the average one; in a graph it is an initializer that whoever opens the graph may replace.
    """

    settings: DreamerSettings
    learning_rate: float  # the fastest that learns without upsets
    stride = 1
    truncation: Tensor

    def __init__(self, settings: DreamerSettings) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("truncation", torch.ones(1))

    @property
    def noise(self) -> int:
        """Length of the vector."""
        return self.settings.noise

    @property
    def size(self) -> int:
        """Side of the picture in pixels."""
        return self.settings.size

    @property
    def receptive_field(self) -> int:
        """Every pixel depends on the whole vector."""
        return self.settings.size

    @abstractmethod
    def forward(self, noise: Tensor) -> Tensor:
        """Dream."""

    def off_centre(self, noise: Tensor) -> Tensor:
        """How far the average picture that truncation pulls towards is from the true average; a loss for those that learn it."""
        return noise.new_zeros(())


def is_power_of_two(number: int) -> bool:
    """Whether a size can be reached by doubling."""
    return number & (number - 1) == 0


def even_length(x: Tensor) -> Tensor:
    """The vector at every place [N,C,...], scaled so that the mean of its squares is 1: over channels, never over places."""
    return x * (wide(x).square().mean(1, keepdim=True) + TINY).rsqrt().to(x.dtype)


def wide(x: Tensor) -> Tensor:
    """The same in at least float32: sums of squares need the digits."""
    return x if x.dtype == torch.float64 else x.float()


def curved(x: Tensor) -> Tensor:
    """Leaky ReLU that keeps the size of what goes through it."""
    return F.leaky_relu(x, SLOPE) * 2**0.5


def doubled(x: Tensor) -> Tensor:
    """Twice the size, smoothly."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Gentle(nn.Module):
    """A fully connected layer whose weights are stored `1/rate` times larger, so that it learns `rate` times as fast."""

    def __init__(self, enter: int, leave: int, rate: float = 1.0, start: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(leave, enter) / rate)
        self.bias = nn.Parameter(torch.full((leave,), start / rate))
        self.gain, self.rate = rate / enter**0.5, rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.gain, self.bias * self.rate)
