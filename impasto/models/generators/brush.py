"""brush: the `full` tier. An encoder-decoder that also works at full size, where the edge of a stroke is decided."""

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
    """Widths at full, half and quarter size, and the depth of the trunk; the defaults have about 1M parameters."""

    model_config = ConfigDict(extra="forbid")
    width: int = 24
    blocks: int = 5


class Generator(Painter):
    """Thinks at a quarter of the size, decides edges at full size."""

    settings: Settings
    stride = 4
    learning_rate = 6e-4

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.whole_in = conv(3, width, 3)
        self.half_in = conv(width, 2 * width, 4, 2)
        self.quarter_in = conv(2 * width, 4 * width, 4, 2)
        self.trunk = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(settings.blocks)))
        self.half_out = DoubleSize(4 * width, 2 * width)
        self.whole_out = DoubleSize(2 * width, width)
        self.head = conv(width, 4, 3)
        nn.init.trunc_normal_(self.head.weight, std=0.003)
        blank(self.head, 1, KEEP_AT_START)

    @property
    def receptive_field(self) -> int:
        return stacked_field([(3, 1), (4, 2), (4, 2), *[(3, 1)] * (2 * self.settings.blocks), *DOUBLE, *DOUBLE, (3, 1)])

    def features(self, x: Tensor) -> list[Tensor]:
        half = self.half_in(self.whole_in(x - 0.5).relu()).relu()
        early = self.quarter_in(half).relu()
        return [half, early, self.trunk(early)]

    def forward(self, x: Tensor) -> Tensor:
        whole = self.whole_in(x - 0.5).relu()
        half = self.half_in(whole).relu()
        quarter = self.trunk(self.quarter_in(half).relu())
        half = self.half_out(quarter).relu() + half
        whole = self.whole_out(half).relu() + whole
        return mix_with_input(x, self.head(whole), self.training)
