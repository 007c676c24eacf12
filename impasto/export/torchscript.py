"""TorchScript for Nuke: one tensor in, one out, any size; needs torch."""
from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from impasto.engine.pytorch import rebuilt
from impasto.export.network import Network
from impasto.export.trial import Paint

TRACED_PX = 64


class AnySize(nn.Module):
    """A network that takes pictures of any size, and values beyond 0..1, as a compositor hands them over."""

    def __init__(self, network: nn.Module, planes: int, stride: int, scale: int) -> None:
        super().__init__()
        self.network = network
        self.planes, self.stride, self.scale = planes, stride, scale
        self.strength = 1.0  # a custom knob in Nuke: CatFileCreator finds attributes by their names

    def forward(self, image: Tensor) -> Tensor:
        """[N,C,H,W] -> [N,3,scale*H,scale*W]; channels beyond those it knows, such as alpha, are left out."""
        height, width = image.size(2), image.size(3)
        down, across = (-height) % self.stride, (-width) % self.stride
        seen = image[:, : self.planes].clamp(0.0, 1.0)
        if down + across > 0:
            seen = nn.functional.pad(seen, [0, across, 0, down], mode="replicate")
        painted: Tensor = self.network(seen)
        if self.scale == 1 and self.strength != 1.0:
            painted = seen[:, :3] + (painted - seen[:, :3]) * self.strength
        return painted[:, :, : height * self.scale, : width * self.scale]


def save(network: Network, path: Path) -> None:
    """Write the network as TorchScript."""
    side = network.told.stride * TRACED_PX
    example = torch.rand(1, network.planes, side, side + network.told.stride)
    with _quiet(), torch.no_grad():
        plain = rebuilt(network.graph, network.told)
        traced = torch.jit.trace(plain, example, check_trace=False)  # type: ignore[no-untyped-call]
        whole = torch.jit.script(AnySize(traced, network.planes, network.told.stride, network.told.scale).eval())
        torch.jit.save(whole, str(path))


def painter(path: Path) -> Paint:
    """The way to paint with what was written."""
    with _quiet():
        loaded = torch.jit.load(str(path))  # type: ignore[no-untyped-call]

    def paint(image: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(loaded(torch.from_numpy(image)).numpy())

    return paint


@contextmanager
def _quiet() -> Iterator[None]:
    """Nuke reads TorchScript and nothing newer: that torch calls it old is no news to the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
