"""Colours as the eye parts them (CIE Lab, D65), and the palette of a body of art."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

# sRGB (linear) -> XYZ, each row over the white point's X, Y, Z: white comes to (1,1,1)
XYZ_OF_RGB = (
    (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883),
)
KNEE = (6 / 29) ** 3


def to_lab(x: Tensor) -> Tensor:
    """sRGB [N,3,H,W] in 0..1 -> L 0..100, a, b; values beyond 0..1 count as their nearest. Its gradient is finite everywhere."""
    with torch.autocast(x.device.type, enabled=False):
        x = x.float().clamp(0, 1)
        linear = torch.where(x <= 0.04045, x / 12.92, ((x.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4)
        xyz = torch.einsum("ij,njhw->nihw", torch.tensor(XYZ_OF_RGB, device=x.device), linear)
        curved = torch.where(xyz > KNEE, xyz.clamp_min(KNEE) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    fx, fy, fz = curved.unbind(1)
    return torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], 1)


def lab_colour(ours: Tensor, theirs: Tensor, lightness: float = 0.0, smooth_px: int = 1) -> Tensor:
    """Mean |difference| in a and b (and L, times `lightness`) over 100 between two pictures of one size.

    Averaged over squares of `smooth_px` first, a line may be drawn in ink without being asked for its colour.
    """
    return _lab_error(to_lab(ours), to_lab(theirs), lightness, smooth_px)


def _lab_error(ours: Tensor, theirs: Tensor, lightness: float, smooth_px: int) -> Tensor:
    if smooth_px > 1:
        ours, theirs = F.avg_pool2d(ours, smooth_px), F.avg_pool2d(theirs, smooth_px)
    error = (ours - theirs).abs().mean((0, 2, 3)) / 100
    return error[1] + error[2] + lightness * error[0]


@dataclass(frozen=True)
class Palette:
    """How the colours of photographs must turn to spread as an artist's do: one straight map of Lab for all pictures.

    It is the least change that takes mean and covariance of one to the other (linear optimal transport). Being one map for
    every pixel of every picture, it cannot chase the mixed colours of many works from region to region. Several palettes lie
    side by side, one for each picture of a batch or one for all.
    """

    turn: Tensor  # [K,3,3]
    start: Tensor  # [K,3,1,1] mean of the photographs in Lab
    goal: Tensor  # [K,3,1,1] mean of the art

    @classmethod
    def between(cls, photos: Tensor, art: Tensor) -> Palette:
        """From samples of both, [N,3,H,W] in sRGB."""
        here, there = (to_lab(x).permute(0, 2, 3, 1).flatten(0, 2) for x in (photos, art))
        root = _root(_spread(here))
        back = torch.linalg.inv(root)
        turn = back @ _root(root @ _spread(there) @ root) @ back
        return cls(turn[None], here.mean(0)[None, :, None, None], there.mean(0)[None, :, None, None])

    @classmethod
    def side_by_side(cls, palettes: Sequence[Palette]) -> Palette:
        """Several as one, in order."""
        return cls(*(torch.cat([getattr(p, part) for p in palettes]) for part in ("turn", "start", "goal")))

    def of(self, which: Tensor) -> Palette:
        """The palettes of a batch, by their numbers [N]."""
        return Palette(self.turn[which], self.start[which], self.goal[which])

    def apply(self, lab: Tensor, share: float = 1.0) -> Tensor:
        """Lab [N,3,H,W], turned by a share of the way."""
        turned = torch.einsum("nij,njhw->nihw", self.turn.expand(len(lab), 3, 3), lab - self.start) + self.goal
        return lab.lerp(turned, share)

    def distance(self, painted: Tensor, photo: Tensor, share: float, smooth_px: int = 4, lightness: float = 0.0) -> Tensor:
        """How far a painting's colours (its light only with `lightness`) are from the photograph's, turned towards the art's."""
        return _lab_error(to_lab(painted), self.apply(to_lab(photo), share), lightness, smooth_px)


def _spread(rows: Tensor) -> Tensor:
    return torch.cov(rows.T) + torch.eye(3, device=rows.device)  # at least one unit each way: grey art must not divide by nothing


def _root(matrix: Tensor) -> Tensor:
    """The symmetric square root."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
    return root
