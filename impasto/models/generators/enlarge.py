"""enlarge: a picture two or four times larger. The cubic enlargement, and what a network adds to it.

It thinks at the size of the picture it is given and starts as the cubic enlargement itself, so nothing is lost by it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto.models.blocks import DOUBLE, DoubleSize, Painter, ResidualBlock, blank, conv, stacked_field
from impasto.models.pyramid import Cubic


class Settings(BaseModel):
    """How much larger, width and depth; the defaults have 0.10M parameters."""

    model_config = ConfigDict(extra="forbid")
    scale: Literal[2, 4] = 2
    width: int = Field(32, ge=1, le=1024)
    blocks: int = Field(4, ge=0, le=64)
    head: int = Field(16, ge=1, le=1024)


class Generator(Painter):
    """[N,3,H,W] -> [N,3,scale*H,scale*W]. Stateless, any size, no grid: the shuffle is the one without a checkerboard."""

    settings: Settings
    stride = 1
    learning_rate = 1e-3

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings, self.scale = settings, settings.scale
        width, head = settings.width, settings.head
        self.cubic = Cubic(3, settings.scale)
        self.enter = conv(3, width, 3)
        self.trunk = nn.Sequential(*(ResidualBlock(width) for _ in range(settings.blocks)))
        middle = [width] * (self._doublings - 1)
        self.grow = nn.ModuleList([DoubleSize(e, o) for e, o in zip([width, *middle], [*middle, head], strict=True)])
        self.head = conv(head, 3, 3)  # after the shuffle's mean, so that it can sharpen what that softens
        nn.init.trunc_normal_(self.head.weight, std=0.003)
        blank(self.head)

    @property
    def _doublings(self) -> int:
        return self.settings.scale // 2

    @property
    def receptive_field(self) -> int:
        return stacked_field([(3, 1), *[(3, 1)] * (2 * self.settings.blocks), *DOUBLE * self._doublings, (3, 1)])

    def features(self, x: Tensor, code: Tensor | None = None) -> list[Tensor]:
        early = self.enter(x - 0.5).relu()
        return [early, self.trunk(early)]

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        seen = self.features(x)[-1]
        for grow in self.grow:
            seen = grow(seen).relu()
        larger: Tensor = self.cubic(x) + self.head(seen)
        return larger if self.training else larger.clamp(0, 1)
