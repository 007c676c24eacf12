"""Picture against picture, pixel by pixel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SSIM_PX, SSIM_C1, SSIM_C2 = 7, 0.01**2, 0.03**2
LUMA = (0.299, 0.587, 0.114)


def pixels(painted: Tensor, target: Tensor, power: int = 1, weight: Tensor | None = None) -> Tensor:
    """Mean |difference|^power to a target or to a reference, where the weight (a matte, broadcast) says it counts."""
    error = (painted.float() - target.float()).abs()
    error = error.square() if power == 2 else error
    if weight is None:
        return error.mean()
    weight = weight.float().expand_as(error)
    return (error * weight).sum() / weight.sum().clamp_min(1e-6)


def identity(kept: Tensor, art: Tensor) -> Tensor:
    """What is painted already must stay as it is: L1 between the art and the generator's painting of it."""
    return pixels(kept, art)


def cycle(returned: Tensor, photo: Tensor) -> Tensor:
    """There and back again must be where one was: L1 between the photograph and what the way back makes of its painting."""
    return pixels(returned, photo)


def total_variation(x: Tensor) -> Tensor:
    """Mean absolute difference of neighbours, down and across."""
    down, across = x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]
    return down.float().abs().mean() + across.float().abs().mean()


def grey(x: Tensor) -> Tensor:
    """[N,3,H,W] -> [N,1,H,W]: what a texture is seen in when colours must not matter."""
    return (x * torch.tensor(LUMA, dtype=x.dtype, device=x.device)[:, None, None]).sum(1, keepdim=True)


def ssim(ours: Tensor, theirs: Tensor, stride: int = 1) -> Tensor:
    """Structural similarity of pictures [N,C,H,W] in 0..1, 1 being the same, over even windows of 7 px, one every `stride` px.

    The published window is a wider Gaussian; means are many times cheaper and rank pictures alike.
    """
    with torch.autocast(ours.device.type, enabled=False):  # variances are small differences of large numbers
        one, two = ours.float(), theirs.float()
        mean1, mean2, squares, both = (F.avg_pool2d(x, SSIM_PX, stride) for x in (one, two, one * one + two * two, one * two))
        of_means = mean1.square() + mean2.square()
        like = (2 * mean1 * mean2 + SSIM_C1) * (2 * (both - mean1 * mean2) + SSIM_C2)
        return (like / ((of_means + SSIM_C1) * (squares - of_means + SSIM_C2))).mean()
