"""Picture against picture, pixel by pixel."""

from __future__ import annotations

import torch
from torch import Tensor

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
