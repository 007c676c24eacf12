"""Pieces that generators are built from. None of them looks at a whole frame: no instance norm, no per-frame statistics."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from pydantic import BaseModel
from torch import Tensor, nn


class Painter(nn.Module, ABC):
    """What every generator is: [N,3,H,W] in 0..1 -> the same, painted; H and W are multiples of `stride`."""

    stride: int
    settings: BaseModel

    @property
    @abstractmethod
    def receptive_field(self) -> int:
        """How many input pixels across one output pixel can depend on."""

    @abstractmethod
    def features(self, x: Tensor) -> list[Tensor]:
        """What the generator itself sees, from early to late: PatchNCE compares these."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Paint."""


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))). The second convolution starts near zero, so a deep trunk starts as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(width, width, 3, padding=1)
        self.leave = nn.Conv2d(width, width, 3, padding=1)
        nn.init.kaiming_normal_(self.enter.weight, nonlinearity="relu")
        nn.init.normal_(self.leave.weight, std=1e-3)
        blank(self.enter)
        blank(self.leave)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.leave(torch.relu(self.enter(x)))
        return out


class DoubleSize(nn.Module):
    """Twice the size by convolution and pixel shuffle; ICNR start, so that no checkerboard is there to unlearn."""

    def __init__(self, width: int, out: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, 4 * out, kernel, padding=kernel // 2)
        with torch.no_grad():  # the four sub-pixels of a channel start with one kernel: the shuffle starts as nearest-neighbour
            one = nn.init.kaiming_normal_(torch.empty(out, width, kernel, kernel), nonlinearity="relu")
            self.conv.weight.copy_(one.repeat_interleave(4, dim=0))
        blank(self.conv)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.pixel_shuffle(self.conv(x), 2)


def blank(conv: nn.Conv2d, last: int = 0, value: float = 0.0) -> None:
    """Set the biases to nothing, and the last few to a value."""
    assert conv.bias is not None
    with torch.no_grad():
        conv.bias.zero_()
        conv.bias[len(conv.bias) - last :] = value


KEEP_AT_START = 3.0  # sigmoid(3) = 0.95: a fresh generator is nearly the identity, so learning starts near the picture


def mix_with_input(x: Tensor, head: Tensor) -> Tensor:
    """The picture from a 4-channel head: three of paint, one of how much of the photograph's own pixels stays.

    A residual alone cannot take fine photographic detail away at a quarter of the size; a gate can.
    """
    paint, gate = head[:, :3], torch.sigmoid(head[:, 3:])
    return (gate * x + paint).clamp(0, 1)


MARGIN = 8  # px of repeated edge laid around the picture, so that what a convolution does at its zeros falls outside


def with_margin(x: Tensor) -> Tensor:
    """The picture with its edge repeated around it (mirroring would refuse pictures smaller than the margin)."""
    return nn.functional.pad(x, (MARGIN,) * 4, mode="replicate")


def without_margin(x: Tensor) -> Tensor:
    """The inverse of `with_margin`."""
    return x[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN]


def stacked_field(layers: list[tuple[int, int]]) -> int:
    """Receptive field in input pixels of a stack of (kernel, stride); a stride below 1 is written as its negative (x2 = -2)."""
    field, jump = 1.0, 1.0
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump = jump * stride if stride > 0 else jump / -stride
    return int(field + 0.5) + 2  # the shuffle's sub-pixels sit up to a pixel beside the centre
