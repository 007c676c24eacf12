"""Frame against frame: what a moving picture must keep."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Motion:
    """A smooth random motion of the picture, and a change of light that must not change the paint."""

    grid: Tensor  # [N,H,W,2] for grid_sample
    inside: Tensor  # [N,1,H,W] 1 where the source of a pixel lies well inside the picture
    gain: Tensor  # [N,1,1,1]
    bias: Tensor  # [N,3,1,1]
    noise: Tensor  # [N,3,H,W]

    def move(self, x: Tensor) -> Tensor:
        """Where the motion takes the picture."""
        return F.grid_sample(x, self.grid, mode="bicubic", padding_mode="reflection", align_corners=False)

    def film(self, x: Tensor) -> Tensor:
        """The picture as the next frame would show it: moved, a little lighter or darker, with fresh grain."""
        return (self.move(x) * self.gain + self.bias + self.noise).clamp(0, 1)


def steadiness(painted: Tensor, painted_next: Tensor, motion: Motion) -> Tensor:
    """L1 between the moved painting and the painting of the moved picture, plus thrice its 8-px average (slow flicker)."""
    difference = (motion.move(painted) - painted_next) * motion.inside
    share = motion.inside.mean().clamp_min(0.05)
    return (difference.abs().mean() + 3 * F.avg_pool2d(difference, 8).abs().mean()) / share


def warp_by_flow(previous: Tensor, flow: Tensor) -> Tensor:
    """The previous frame [N,C,H,W] as the present one shows it; flow [N,2,H,W] says, in pixels, where each came from."""
    height, width = flow.shape[2:]
    down, across = (torch.arange(n, dtype=torch.float32, device=flow.device) for n in (height, width))
    x = (across + flow[:, 0] + 0.5) * 2 / width - 1
    y = (down[:, None] + flow[:, 1] + 0.5) * 2 / height - 1
    return F.grid_sample(previous.float(), torch.stack([x, y], -1), padding_mode="border", align_corners=False)


def warp_consistency(painted: Tensor, previous: Tensor, flow: Tensor, seen: Tensor) -> Tensor:
    """L1 between a painted frame and the one before it, moved by the flow, where `seen` [N,1,H,W] says that both show a place."""
    error = (painted.float() - warp_by_flow(previous, flow)).abs() * seen
    return error.sum() / (seen.sum() * painted.shape[1]).clamp_min(1)


def frame_difference(painted: tuple[Tensor, Tensor], filmed: tuple[Tensor, Tensor]) -> Tensor:
    """From frame to frame the painting must change as the film does, and no more: L1 of the two changes. Needs no flow."""
    return ((painted[1] - painted[0]).float() - (filmed[1] - filmed[0]).float()).abs().mean()
