"""mapped: a style-based noise network. A mapping network turns the vector into a style, which steers every convolution.

Differs from StyleGAN2: no random noise per pixel (the same vector must give the same picture everywhere), and the average style
that truncation pulls towards is a learnt weight, so that it follows the moving average like all others.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from impasto.models.dreamer import SLOPE, SMALLEST_PX, TINY, Dreamer, DreamerSettings, Gentle, curved, doubled, even_length, wide

CALM = 0.3  # a fresh network dreams grey clouds: from wild colours it takes long to come back


class Settings(DreamerSettings):
    """Those of every dreamer, and the depth of the mapping; the defaults have 0.9M parameters."""

    mapping: int = Field(3, ge=1)


class Generator(Dreamer):
    """Better pictures than dcgan, and smoother walks; twice the time."""

    settings: Settings
    learning_rate = 2e-3

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        widths, style = settings.widths(), settings.noise
        self.mapping = nn.ModuleList([Gentle(style, style, rate=0.1) for _ in range(settings.mapping)])
        self.centre = nn.Parameter(torch.zeros(style))
        self.start = nn.Parameter(torch.randn(1, widths[0], SMALLEST_PX, SMALLEST_PX))
        self.first = StyledConv(widths[0], widths[0], style)
        self.growing = nn.ModuleList([StyledConv(a, b, style) for a, b in pairwise(widths)])
        self.settling = nn.ModuleList([StyledConv(b, b, style) for b in widths[1:]])
        self.to_rgb = nn.ModuleList([StyledConv(width, 3, style, last=True) for width in widths])

    def style(self, noise: Tensor) -> Tensor:
        """[N,noise] -> [N,noise]: a vector without the unit normal's shape, in which directions may come to mean something."""
        style = even_length(noise)
        for layer in self.mapping:
            style = curved(layer(style))
        return style

    def off_centre(self, noise: Tensor) -> Tensor:
        """Squared distance of the learnt average style from that of these vectors."""
        apart: Tensor = self.centre - self.style(noise).detach().mean(0)
        return apart.square().mean()

    def forward(self, noise: Tensor) -> Tensor:
        style = self.centre + self.truncation * (self.style(noise) - self.centre)
        x = self.first(self.start, style)  # one start for all: the styles of the batch spread it
        picture: Tensor = self.to_rgb[0](x, style)
        for grow, settle, to_rgb in zip(self.growing, self.settling, self.to_rgb[1:], strict=True):
            x = settle(grow(doubled(x), style), style)
            picture = doubled(picture) + to_rgb(x, style)
        picture = picture * 0.5 + 0.5
        return picture if self.training else picture.clamp(0, 1)


class StyledConv(nn.Module):
    """A convolution whose input channels are scaled by the style, and whose output channels are scaled back to one size.

    The scaling back is worked out from the weights and the style, not from the picture: statistics of a picture flicker.
    """

    def __init__(self, enter: int, leave: int, style: int, last: bool = False) -> None:
        super().__init__()
        self.kernel, self.last = (1 if last else 3), last
        self.weight = nn.Parameter(torch.randn(leave, enter, self.kernel, self.kernel))
        self.bias = nn.Parameter(torch.zeros(leave))
        self.scales = Gentle(style, enter, start=1.0)
        self.gain = (CALM if last else 1) / (enter * self.kernel**2) ** 0.5

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        scales = self.scales(style)  # [N,enter]
        weight = self.weight * self.gain
        out = F.conv2d(x * scales[:, :, None, None].to(x.dtype), weight, padding=self.kernel // 2)
        if not self.last:
            out = out * self._even(wide(scales), wide(weight))[:, :, None, None].to(out.dtype)
        out = out + self.bias[:, None, None].to(out.dtype)
        return out if self.last else F.leaky_relu(out, SLOPE) * 2**0.5

    def _even(self, scales: Tensor, weight: Tensor) -> Tensor:
        """[N,leave]: one over the length of each output channel's scaled kernel."""
        power = weight.square().sum((2, 3))  # [leave,enter]
        return (scales.square() @ power.T + TINY).rsqrt()
