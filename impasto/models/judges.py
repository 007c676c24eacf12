"""Critics of whole pictures, for networks that dream: one verdict per picture, on its pixels or on a frozen network's features.

A patch critic would be content with texture anywhere; what is dreamt must also be composed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from impasto.models.perception import Perception

SLOPE = 0.2
SMALLEST_PX = 4
ALIKE_GROUP = 4  # pictures whose spread is looked at together


class PixelJudge(nn.Module):
    """[N,3,S,S] -> one logit. Residual halvings down to 4x4, then a fully connected head.

    With `spread` it also sees how much the pictures of a group differ: a generator that makes the same picture for every
    vector is found out.
    """

    def __init__(self, size: int, width: int = 16, widest: int = 128, spread: bool = True) -> None:
        super().__init__()
        sides = [size]
        while sides[-1] > SMALLEST_PX:
            sides.append(sides[-1] // 2)
        widths = [min(widest, width * size // side) for side in sides]
        self.spread = spread
        self.enter = nn.Conv2d(3, widths[0], 3, padding=1)
        self.halvings = nn.ModuleList([_Halving(a, b) for a, b in pairwise(widths)])
        self.last = nn.Conv2d(widths[-1] + spread, widths[-1], 3, padding=1)
        self.head = nn.Linear(widths[-1] * SMALLEST_PX**2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.enter(x * 2 - 1), SLOPE)
        for halving in self.halvings:
            x = halving(x)
        if self.spread:
            x = torch.cat([x, spread_of_group(x)], 1)
        logit: Tensor = self.head(F.leaky_relu(self.last(x), SLOPE).flatten(1))
        return logit


class _Halving(nn.Module):
    """Half the size; what the two convolutions find is added to the plainly halved input."""

    def __init__(self, enter: int, leave: int) -> None:
        super().__init__()
        self.keep = nn.Conv2d(enter, leave, 1, bias=False)
        self.see = nn.Conv2d(enter, enter, 3, padding=1)
        self.halve = nn.Conv2d(enter, leave, 4, 2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        found = F.leaky_relu(self.halve(F.leaky_relu(self.see(x), SLOPE)), SLOPE)
        out: Tensor = (found + self.keep(F.avg_pool2d(x, 2))) * 0.5**0.5
        return out


def spread_of_group(x: Tensor, group: int = ALIKE_GROUP) -> Tensor:
    """[N,C,H,W] -> [N,1,H,W]: the mean standard deviation among each group of pictures, as one more channel."""
    count, _, height, width = x.shape
    group = min(group, count)
    while count % group:
        group -= 1
    groups = x.float().view(group, count // group, *x.shape[1:])
    deviation = (groups.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))  # [N/group]
    return deviation.repeat(group)[:, None, None, None].expand(count, 1, height, width).to(x.dtype)


class FeatureJudge(nn.Module):
    """Verdicts on what a frozen network sees: a small head per tap, one logit per place.

    The features are brought to one scale, measured once on true pictures; spectral norm keeps the heads gentle.
    """

    def __init__(self, features: Mapping[str, Tensor], width: int = 64) -> None:
        super().__init__()
        self.taps = tuple(features)
        self.heads = nn.ModuleDict({tap: _Head(value.shape[1], value.shape[2], width) for tap, value in features.items()})
        for tap, value in features.items():
            self.register_buffer(f"mean_{tap}", value.float().mean((0, 2, 3), keepdim=True))
            self.register_buffer(f"scale_{tap}", 1 / (value.float().std((0, 2, 3), keepdim=True) + 1e-3 * value.float().std()))

    def forward(self, features: Mapping[str, Tensor]) -> list[Tensor]:
        verdicts = []
        for tap in self.taps:
            even = (features[tap] - self.get_buffer(f"mean_{tap}")) * self.get_buffer(f"scale_{tap}")
            verdicts.append(self.heads[tap](even))
        return verdicts


class _Head(nn.Sequential):
    """Mix the channels, then halve down to 4x4."""

    def __init__(self, enter: int, side: int, width: int) -> None:
        layers: list[nn.Module] = [spectral_norm(nn.Conv2d(enter, width, 1)), nn.LeakyReLU(SLOPE)]
        while side > SMALLEST_PX:
            layers += [spectral_norm(nn.Conv2d(width, width, 4, 2, padding=1)), nn.LeakyReLU(SLOPE)]
            side //= 2
        super().__init__(*layers, spectral_norm(nn.Conv2d(width, 1, min(side, SMALLEST_PX))))


class Bench(nn.Module):
    """All judges of one training: on pixels, on a perception's features, or on both. The perception is not among its weights."""

    def __init__(self, pixels: PixelJudge | None, seen: FeatureJudge | None, perception: Perception | None) -> None:
        super().__init__()
        self.pixels, self.seen = pixels, seen
        self._perceive = [perception]  # in a list: it is frozen, and no part of what is saved

    def forward(self, x: Tensor) -> list[Tensor]:
        verdicts = [] if self.pixels is None else [self.pixels(x)]
        if self.seen is not None:
            assert self._perceive[0] is not None, "features are judged where there is a perception"
            verdicts += self.seen(tap_values(self._perceive[0], x, self.seen.taps))
        return verdicts


def tap_values(perception: Perception, x: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
    """The raw features of pictures at these taps, those that the perception has."""
    return {tap: found.values for tap, found in perception(x, taps).items()}
