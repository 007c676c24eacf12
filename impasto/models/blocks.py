"""Pieces that generators are built from. None of them looks at a whole frame: no instance norm, no per-frame statistics."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import cast

import torch
from pydantic import BaseModel
from torch import Tensor, nn

Film = tuple[Tensor, Tensor]  # gain and shift, each [N,channels,1,1]
Rgb = tuple[float, float, float]


class Painter(nn.Module, ABC):
    """What every generator is: [N,3,H,W] in 0..1 -> the same, painted; H and W are multiples of `stride`.

    In training mode the painting may leave 0..1; in eval mode it does not.
    """

    stride: int
    learning_rate: float  # the fastest that learns without upsets
    settings: BaseModel
    scale: int = 1  # the painting is so many times larger than the picture
    guides: Mapping[str, int] = {}  # planes that follow RGB in the input, by name, in order

    @property
    @abstractmethod
    def receptive_field(self) -> int:
        """How many input pixels across one output pixel can depend on."""

    @abstractmethod
    def features(self, x: Tensor, code: Tensor | None = None) -> list[Tensor]:
        """What the generator itself sees, from early to late: PatchNCE compares these."""

    @abstractmethod
    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """Paint; a code [N,k] takes the place of the generator's own, for generators that have one."""

    def films(self, code: Tensor | None, count: int) -> Sequence[Film | None]:
        """What the code, or the generator's own, does to each of its `count` modulated layers."""
        film = getattr(self, "film", None)
        if not isinstance(film, Modulation):
            return [None] * count
        own = cast(Tensor, self.code)  # a buffer; a parameter while one look is learnt from many
        films: Sequence[Film] = film(own[None] if code is None else code)
        return films


def conv(enter: int, leave: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that repeats the edge. Zeros there would tell it where the frame ends, and it would paint a frame."""
    return nn.Conv2d(enter, leave, kernel, stride, padding=(kernel - stride + 1) // 2, padding_mode="replicate")


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))). The second convolution starts near zero, so a deep trunk starts as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = conv(width, width, 3)
        self.leave = conv(width, width, 3)
        nn.init.kaiming_normal_(self.enter.weight, nonlinearity="relu")
        nn.init.normal_(self.leave.weight, std=1e-3)
        blank(self.enter)
        blank(self.leave)

    def forward(self, x: Tensor, film: Film | None = None) -> Tensor:
        inner = self.enter(x) if film is None else tinted(self.enter(x), film)
        out: Tensor = x + self.leave(torch.relu(inner))
        return out


class Modulation(nn.Module):
    """A code as a gain and a shift for every channel of several layers (FiLM): no statistics of the picture are taken.

    It starts without effect, and a code of zeros never has one: so weights learnt without a code mean the same with one.
    """

    def __init__(self, code: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = [2 * width for width in widths]
        self.weight = nn.Parameter(torch.zeros(sum(self.widths), code))

    def forward(self, code: Tensor) -> list[Film]:
        every = nn.functional.linear(code, self.weight)[:, :, None, None]  # [N,2*channels,1,1]
        parts = torch.split(every, self.widths, 1)
        return [(part[:, : part.shape[1] // 2], part[:, part.shape[1] // 2 :]) for part in parts]


def tinted(x: Tensor, film: Film | None) -> Tensor:
    """The features with a code's gain and shift laid on them."""
    return x if film is None else x * (1 + film[0]) + film[1]


class DoubleSize(nn.Module):
    """Twice the size by convolution and pixel shuffle, without a checkerboard.

    It starts without one (ICNR), and the mean over 2x2 pixels takes out whatever the sub-pixels learn to differ by where the
    features are constant: a shuffle that is asked for texture likes to answer with a fixed grid.
    """

    def __init__(self, width: int, out: int, kernel: int = 3, gain: float = 1.0) -> None:
        super().__init__()
        self.conv = conv(width, 4 * out, kernel)
        with torch.no_grad():  # the four sub-pixels of a channel start with one kernel: the shuffle starts as nearest-neighbour
            one = nn.init.kaiming_normal_(torch.empty(out, width, kernel, kernel), nonlinearity="relu") * gain
            self.conv.weight.copy_(one.repeat_interleave(4, dim=0))
        blank(self.conv)

    def forward(self, x: Tensor) -> Tensor:
        shuffled = nn.functional.pixel_shuffle(self.conv(x), 2)
        return nn.functional.avg_pool2d(nn.functional.pad(shuffled, (1, 0, 1, 0), mode="reflect"), 2, stride=1)


def blank(conv: nn.Conv2d, last: int = 0, value: float = 0.0) -> None:
    """Set the biases to nothing, and the last few to a value."""
    assert conv.bias is not None
    with torch.no_grad():
        conv.bias.zero_()
        conv.bias[len(conv.bias) - last :] = value


def silent(conv: nn.Conv2d) -> nn.Conv2d:
    """The convolution, adding nothing until it has learnt to."""
    nn.init.zeros_(conv.weight)
    blank(conv)
    return conv


DOUBLE = [(3, -2), (3, 1)]  # a DoubleSize as layers of a receptive field; its mean reaches to one side only, so it counts as 3
KEEP_AT_START = 3.0  # sigmoid(3) = 0.95: a fresh generator is nearly the identity, so learning starts near the picture


def mix_with_input(x: Tensor, head: Tensor, training: bool, inks: tuple[Rgb, Rgb] | None = None) -> Tensor:
    """The picture from a 4-channel head: three of paint, one of how much of the photograph's own pixels stays.

    A residual alone cannot take fine photographic detail away at a quarter of the size; a gate can. While learning, values
    may leave 0..1: a clamp has no gradient out there, and a net that once painted all black would stay black.
    """
    paint, gate = head[:, :3], torch.sigmoid(head[:, 3:])
    mixed = gate * x + paint
    if inks:
        return in_inks(mixed, training, *inks)
    return mixed if training else mixed.clamp(0, 1)


def in_inks(picture: Tensor, training: bool, paper: Rgb, ink: Rgb) -> Tensor:
    """How much ink each pixel takes, laid on paper: whatever the gate lets in of the photograph, its colours stay out."""
    start, along = picture.new_tensor(paper), picture.new_tensor(ink) - picture.new_tensor(paper)
    toward = along / (along @ along)
    share = nn.functional.conv2d(picture, toward[None, :, None, None], -(toward @ start)[None])
    return nn.functional.conv2d(share if training else share.clamp(0, 1), along[:, None, None, None], start)


def stacked_field(layers: list[tuple[int, int]]) -> int:
    """Receptive field in input pixels of a stack of (kernel, stride); a stride below 1 is written as its negative (x2 = -2)."""
    field, jump = 1.0, 1.0
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump = jump * stride if stride > 0 else jump / -stride
        if stride < 0:
            field += jump  # a shuffle's sub-pixels sit beside the centre of what they were made from
    return math.ceil(field)
