"""Changes made alike to true pictures and to dreamt ones before a critic sees them, so that few pictures last longer.

The critic cannot learn the few true pictures by heart, and because every change lets gradients through, the generator does
not learn to make it. Random numbers come from torch, whose seed the loop sets for every step.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SHIFT = 0.125  # of the side
HOLE = 0.4


def augmented(x: Tensor) -> Tensor:
    """[N,3,H,W] with other colours, moved, and with a hole; each picture its own way."""
    return with_hole(moved(recoloured(x)))


def recoloured(x: Tensor) -> Tensor:
    """Lighter or darker, greyer or more colourful, with less or more contrast."""
    light, colour, contrast = (_each(x) for _ in range(3))
    x = x + (light - 0.5) * 0.6
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (2 * colour)
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (contrast + 0.5)


def moved(x: Tensor) -> Tensor:
    """Shifted by up to an eighth of the side; what comes in is grey."""
    count, _, height, width = x.shape
    reach = max(1, round(height * SHIFT))
    down, across = (torch.randint(0, 2 * reach + 1, (count,), device=x.device) for _ in range(2))
    padded = F.pad(x - 0.5, (reach,) * 4) + 0.5
    rows = down[:, None] + torch.arange(height, device=x.device)  # [N,H]
    columns = across[:, None] + torch.arange(width, device=x.device)  # [N,W]
    one = torch.arange(count, device=x.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[one, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def with_hole(x: Tensor) -> Tensor:
    """A grey square somewhere, partly outside at times."""
    count, _, height, width = x.shape
    half = HOLE * height / 2
    centre = torch.rand(count, 2, 1, 1, device=x.device) * height
    rows = torch.arange(height, device=x.device).view(1, -1, 1) + 0.5
    columns = torch.arange(width, device=x.device).view(1, 1, -1) + 0.5
    inside = ((rows - centre[:, 0]).abs() < half) & ((columns - centre[:, 1]).abs() < half)
    return torch.where(inside[:, None], torch.full_like(x, 0.5), x)


def _each(x: Tensor) -> Tensor:
    return torch.rand(len(x), 1, 1, 1, device=x.device)
