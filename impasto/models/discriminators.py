"""Critics: networks that tell real pictures from painted ones.

All answer with a list of logits and with `features`, what they saw on the way. `PatchCritic` judges texture at several scales
and never a whole composition; `TemporalCritic` judges how texture moves; `HeadCritic` judges a whole small picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

STRIDES = (1, 2, 4)  # in frames
STACK = 3  # frames that a temporal critic sees at once


class PatchCritic(nn.Module):
    """One logit per patch, at full size and at halved sizes: fine strokes and broad ones. Spectral norm keeps it gentle.

    `channels` is 1 for grey pictures, 6 for pictures stacked on what they were painted from. With `labels`, a patch is also
    judged by how well it goes with its label (projection): one critic for many looks.
    """

    def __init__(self, width: int = 32, scales: int = 3, channels: int = 3, labels: int = 0) -> None:
        super().__init__()
        self.scales = nn.ModuleList([_patch_judge(width, channels) for _ in range(scales)])
        self.looks = nn.ModuleList([spectral_norm(nn.Embedding(labels, 4 * width)) for _ in range(scales if labels else 0)])

    def forward(self, x: Tensor, labels: Tensor | None = None) -> list[Tensor]:
        return [self._verdict(i, seen[-1], labels) for i, seen in enumerate(self._seen(x))]

    def features(self, x: Tensor) -> list[Tensor]:
        """What each scale saw on the way to its logits, from fine to broad."""
        return [layer for seen in self._seen(x) for layer in seen]

    def _seen(self, x: Tensor) -> list[list[Tensor]]:
        return [_layers(judge, x if i == 0 else F.avg_pool2d(x, 2**i)) for i, judge in enumerate(self.scales)]

    def _verdict(self, scale: int, seen: Tensor, labels: Tensor | None) -> Tensor:
        judge = self.scales[scale]
        assert isinstance(judge, nn.Sequential)
        verdict: Tensor = judge[-1](seen)
        if not len(self.looks):
            return verdict
        assert labels is not None, "a critic of many looks must be told which one"
        look: Tensor = self.looks[scale](labels)  # [N,C]
        fits = (seen * look[:, :, None, None]).mean(1, keepdim=True)
        return verdict + fits[:, :, 1:-1, 1:-1]  # the last convolution takes a pixel off each side


class TemporalCritic(nn.Module):
    """Whether texture moves as the reference's does: stacks of three frames, a judge for each stride between them."""

    def __init__(self, width: int = 24, strides: Sequence[int] = STRIDES, channels: int = 3) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.judges = nn.ModuleList([_motion_judge(width, channels) for _ in self.strides])

    @property
    def frames(self) -> list[int]:
        """Which frames of a run of 2 * the longest stride + 1 are looked at: no others need be painted."""
        middle = max(self.strides)
        return sorted({middle, *(middle - s for s in self.strides), *(middle + s for s in self.strides)})

    def stacks(self, clip: Tensor) -> list[Tensor]:
        """A clip [N,C,T,H,W] of `frames` -> one stack [N,C,3,H,W] for each stride."""
        place, middle = {frame: i for i, frame in enumerate(self.frames)}, max(self.strides)
        return [clip[:, :, [place[middle - s], place[middle], place[middle + s]]] for s in self.strides]

    def forward(self, clip: Tensor) -> list[Tensor]:
        return [judge(stack) for judge, stack in zip(self.judges, self.stacks(clip), strict=True)]

    def features(self, clip: Tensor) -> list[Tensor]:
        """What each judge saw on the way to its logits."""
        pairs = zip(self.judges, self.stacks(clip), strict=True)
        return [layer for judge, stack in pairs for layer in _layers(judge, stack)]


class HeadCritic(nn.Module):
    """One logit for a whole square picture of `side` pixels, by a fully connected head over what the convolutions saw.

    The head also sees how much the batch differs within itself, so that a generator with one idea is caught. Without
    spectral norm it wants R1 or a gradient penalty.
    """

    def __init__(self, side: int, width: int = 32, channels: int = 3, labels: int = 0, *, spectral: bool = True) -> None:
        super().__init__()
        assert side >= 8, "a whole picture of less than 8 pixels"
        assert side & (side - 1) == 0, "the side is halved down to 4"
        held = spectral_norm if spectral else _as_is
        halvings = side.bit_length() - 3
        widths = [channels, *(min(width * 2**i, 8 * width) for i in range(halvings))]
        layers: list[nn.Module] = []
        for enter, leave in pairwise(widths):
            layers += [held(nn.Conv2d(enter, leave, 4, 2, padding=1)), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.hidden = held(nn.Linear(16 * (widths[-1] + 1), 4 * width))
        self.verdict = held(nn.Linear(4 * width, 1))
        self.looks = held(nn.Embedding(labels, 4 * width)) if labels else None

    def forward(self, x: Tensor, labels: Tensor | None = None) -> list[Tensor]:
        seen = self.body(x)
        spread = _spread(seen).expand(len(seen), 1, *seen.shape[2:])
        thought = F.leaky_relu(self.hidden(torch.cat([seen, spread], 1).flatten(1)), 0.2)
        verdict: Tensor = self.verdict(thought)
        if self.looks is not None:
            assert labels is not None, "a critic of many looks must be told which one"
            verdict = verdict + (thought * self.looks(labels)).mean(1, keepdim=True)
        return [verdict]

    def features(self, x: Tensor) -> list[Tensor]:
        """What the convolutions saw, from fine to broad."""
        return _layers(self.body, x, keep_last=True)


def _patch_judge(width: int, channels: int) -> nn.Sequential:
    widths = [channels, width, 2 * width, 4 * width]
    layers: list[nn.Module] = []
    for i, (enter, leave) in enumerate(pairwise(widths)):
        layers += [spectral_norm(nn.Conv2d(enter, leave, 4, stride=2 if i < 2 else 1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(widths[-1], 1, 3)))


def _motion_judge(width: int, channels: int) -> nn.Sequential:
    """Three frames become one by two convolutions over two frames each; what is left is judged as a picture."""
    return nn.Sequential(
        spectral_norm(nn.Conv3d(channels, width, (2, 4, 4), (1, 2, 2))), nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv3d(width, 2 * width, (2, 4, 4), (1, 2, 2))), nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv3d(2 * width, 4 * width, (1, 4, 4))), nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv3d(4 * width, 1, (1, 3, 3))),
    )  # fmt: skip


def _layers(judge: nn.Module, x: Tensor, *, keep_last: bool = False) -> list[Tensor]:
    """What comes out of each activation; the last convolution's verdict is left out unless it is one of them."""
    assert isinstance(judge, nn.Sequential)
    seen: list[Tensor] = []
    for layer in list(judge)[: None if keep_last else -1]:
        x = layer(x)
        if isinstance(layer, nn.LeakyReLU):
            seen.append(x)
    return seen


def _spread(seen: Tensor) -> Tensor:
    """How much the pictures of a batch differ, [1,1,1,1]: the mean standard deviation of their features."""
    if len(seen) == 1:
        return seen.new_zeros(1, 1, 1, 1)
    return (seen.float().var(0, correction=0) + 1e-8).sqrt().mean().to(seen.dtype)[None, None, None, None]


def _as_is(module: nn.Module) -> nn.Module:
    return module
