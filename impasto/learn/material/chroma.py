"""Colours to be named: which of tint's palette a place of a picture has, and how rare each is among photographs.

Most of any photograph is nearly grey. Unless rare colours count for more, a network learns that brown is never far wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.learn.material.data import Picture, resize, to_tensor
from impasto.models.generators.tint import BLUE, RED, luma

SPREAD = 0.03  # how far a colour also counts as its neighbours
EVEN = 0.5  # the share of an even mix in what counts as usual: 0 would make the rarest colour count without bound
SAMPLE_PX = 64


def chroma(x: Tensor) -> Tensor:
    """[N,3,H,W] -> Cb and Cr, [N,2,H,W]."""
    bright = luma(x)
    return torch.cat([(x[:, 2:3] - bright) / BLUE, (x[:, :1] - bright) / RED], 1)


def soft_votes(colours: Tensor, palette: Tensor) -> Tensor:
    """Cb and Cr [N,2,H,W] as shares [N,K,H,W] of the palette's colours [2,K,1,1]: mostly the nearest, its neighbours a little."""
    apart = (colours[:, :, None] - palette[None]).square().sum(1)  # [N,K,H,W]
    return torch.softmax(-apart / (2 * SPREAD**2), 1)


def rarity(pictures: Sequence[Picture], palette: Tensor) -> Tensor:
    """[K]: how much each colour should count, so that rare ones are learnt too; 1 on the average place of the pictures."""
    shares = [soft_votes(chroma(to_tensor([resize(picture, SAMPLE_PX)])), palette).mean((0, 2, 3)) for picture in pictures]
    usual = torch.stack(shares).mean(0)
    weight = 1 / ((1 - EVEN) * usual + EVEN / len(usual))
    return weight / (usual * weight).sum()


def votes_loss(votes: Tensor, target: Tensor, palette: Tensor, weight: Tensor) -> Tensor:
    """Cross entropy of votes [N,K,h,w] to the colours of a picture [N,3,2h,2w], each place by the rarity of what it should be."""
    with torch.no_grad():
        wanted = soft_votes(chroma(F.avg_pool2d(target, 2)), palette)
        worth = (wanted * weight[None, :, None, None]).sum(1)  # [N,h,w]
    return (-(wanted * F.log_softmax(votes.float(), 1)).sum(1) * worth).mean()


def saturation(x: Tensor) -> Tensor:
    """How colourful pictures [N,3,H,W] are on the mean: the length of Cb and Cr."""
    return chroma(x).square().sum(1).clamp_min(1e-12).sqrt().mean()
