"""swift: the `live` tier. A stride-4 stem, a trunk at a quarter of the size, and a two-step shuffle back.

All the thinking happens on 1/16 of the pixels, which is what makes 720p on two cores possible.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from impasto.models.blocks import (
    DOUBLE,
    KEEP_AT_START,
    DoubleSize,
    Painter,
    ResidualBlock,
    blank,
    conv,
    mix_with_input,
    stacked_field,
)


class Settings(BaseModel):
    """Widths and depth; the defaults have 0.37M parameters."""

    model_config = ConfigDict(extra="forbid")
    width: int = 48
    blocks: int = 8
    head: int = 16


class Generator(Painter):
    """Thinks at a quarter of the size."""

    settings: Settings
    stride = 4
    learning_rate = 1e-3

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        # 8x8 windows that overlap by half: a stem whose windows only touch would see 4-px blocks, and paint them
        self.stem = conv(3, settings.width, 8, 4)
        self.trunk = nn.Sequential(*(ResidualBlock(settings.width) for _ in range(settings.blocks)))
        self.to_half = DoubleSize(settings.width, settings.head)
        self.to_whole = DoubleSize(settings.head, 4, gain=0.05)
        blank(self.to_whole.conv, 4, KEEP_AT_START)  # the last four are the gate's sub-pixels

    @property
    def receptive_field(self) -> int:
        return stacked_field([(8, 4), *[(3, 1)] * (2 * self.settings.blocks), *DOUBLE, *DOUBLE])

    def features(self, x: Tensor) -> list[Tensor]:
        early = self.stem(x - 0.5).relu()
        middle = self.trunk[: len(self.trunk) // 2](early)
        return [early, middle, self.trunk[len(self.trunk) // 2 :](middle)]

    def forward(self, x: Tensor) -> Tensor:
        small = self.trunk(self.stem(x - 0.5).relu())
        return mix_with_input(x, self.to_whole(self.to_half(small).relu()), self.training)
