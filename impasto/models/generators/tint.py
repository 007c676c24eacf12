"""tint: the colours of a picture that has none. It sees the luma alone and keeps it: what it adds is chroma, at half the size.

It names one of many colours per place instead of painting a mean of all that it might be, for such means are brown. The answer
is drawn towards the likeliest colours (an annealed mean) and desaturated where the luma leaves no room for it, so the picture
stays as sharp and as bright as it came.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto.models.blocks import Painter, blank, conv, stacked_field
from impasto.models.pyramid import Cubic, Pyramid

LUMA = (0.2126, 0.7152, 0.0722)
BLUE, RED = 1.8556, 1.5748  # what Cb and Cr of 1 add to blue and to red
RINGS = ((0.03, 8), (0.07, 12), (0.13, 16), (0.21, 16), (0.32, 12))  # radius in the plane of Cb and Cr, colours on it
WARMTH = 0.4  # below 1: likely colours count for more than their share
TINY = 1e-4


class Settings(BaseModel):
    """Width at half the size (it doubles at each halving, up to four times), and the depth at a sixteenth."""

    model_config = ConfigDict(extra="forbid")
    width: int = Field(24, ge=1, le=1024)
    blocks: int = Field(8, ge=0, le=64)


class Generator(Painter):
    """[N,3,H,W] -> the same luma in colour."""

    settings: Settings
    stride = 16
    learning_rate = 1e-3

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.pyramid = Pyramid(1, [width, 2 * width, 4 * width, 4 * width], settings.blocks, from_half=True)
        colours = palette()
        self.register_buffer("palette", colours.T[:, :, None, None].contiguous())  # [2,K,1,1]
        self.head = conv(width, len(colours), 3)
        nn.init.trunc_normal_(self.head.weight, std=0.01)
        blank(self.head)
        self.cubic = Cubic(2, 2)

    @property
    def receptive_field(self) -> int:
        return stacked_field([*self.pyramid.layers, (3, 1), (5, -2)])

    def features(self, x: Tensor, code: Tensor | None = None) -> list[Tensor]:
        return self.pyramid.levels(luma(x) - 0.5)

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        return self.coloured(x, self.votes(x))

    def votes(self, x: Tensor) -> Tensor:
        """[N,K,H/2,W/2]: for each colour of the palette, how much speaks for it."""
        votes: Tensor = self.head(self.pyramid(luma(x) - 0.5))
        return votes

    def coloured(self, x: Tensor, votes: Tensor) -> Tensor:
        """The picture's luma in the colours that were voted for."""
        share = torch.softmax(votes.float() / WARMTH, 1).to(votes.dtype)
        return with_chroma(luma(x), self.cubic(F.conv2d(share, self.get_buffer("palette").to(share.dtype))))


def palette() -> Tensor:
    """[K,2]: Cb and Cr of the colours that may be named, grey first, then rings of rising saturation."""
    colours = [(0.0, 0.0)]
    for i, (radius, count) in enumerate(RINGS):
        angles = [math.tau * (k + i % 2 / 2) / count for k in range(count)]
        colours += [(radius * math.cos(a), radius * math.sin(a)) for a in angles]
    return torch.tensor(colours)


def luma(x: Tensor) -> Tensor:
    """[N,1,H,W]: how bright, as a black-and-white picture shows it."""
    return LUMA[0] * x[:, :1] + LUMA[1] * x[:, 1:2] + LUMA[2] * x[:, 2:3]


def with_chroma(bright: Tensor, chroma: Tensor) -> Tensor:
    """RGB of a luma [N,1,H,W] and Cb, Cr [N,2,H,W]; chroma is weakened where RGB would leave 0..1, and the luma stays."""
    blue, red = BLUE * chroma[:, :1], RED * chroma[:, 1:2]
    green = -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1]
    above = torch.maximum(torch.maximum(red, green), blue).clamp_min(TINY)
    below = torch.maximum(torch.maximum(-red, -green), -blue).clamp_min(TINY)
    room = torch.minimum((1 - bright) / above, bright / below).clamp(0, 1)
    return (bright + room * torch.cat([red, green, blue], 1)).clamp(0, 1)
