"""brush: the `full` tier. An encoder-decoder that also works at full size, where the edge of a stroke is decided."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto.models.blocks import (
    DOUBLE,
    KEEP_AT_START,
    DoubleSize,
    Film,
    Modulation,
    Painter,
    ResidualBlock,
    Rgb,
    blank,
    conv,
    mix_with_input,
    silent,
    stacked_field,
    tinted,
)


class Settings(BaseModel):
    """Widths at full, half and quarter size, and the depth of the trunk; the defaults have about 1M parameters."""

    model_config = ConfigDict(extra="forbid")
    width: int = Field(default=24, ge=1, le=1024)
    blocks: int = Field(default=5, ge=0, le=64)
    code: int = 0  # length of a code that chooses among looks or variations
    guides: int = 0  # planes that follow RGB in the input
    inks: tuple[Rgb, Rgb] | None = None  # paper and ink, of a look that has no other colours


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
        if settings.code:
            self.register_buffer("code", torch.zeros(settings.code))
            self.film = Modulation(settings.code, [4 * width] * settings.blocks + [2 * width, width])
        if settings.guides:
            self.guide_in = silent(conv(settings.guides, width, 3))

    @property
    def receptive_field(self) -> int:
        return stacked_field([(3, 1), (4, 2), (4, 2), *[(3, 1)] * (2 * self.settings.blocks), *DOUBLE, *DOUBLE, (3, 1)])

    def features(self, x: Tensor, code: Tensor | None = None) -> list[Tensor]:
        half = self.half_in(self._seen(x)).relu()
        early = self.quarter_in(half).relu()
        return [half, early, self._thought(early, self.films(code, len(self.trunk) + 2))]

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        films = self.films(code, len(self.trunk) + 2)
        whole = self._seen(x)
        half = self.half_in(whole).relu()
        quarter = self._thought(self.quarter_in(half).relu(), films)
        half = tinted(self.half_out(quarter), films[-2]).relu() + half
        whole = tinted(self.whole_out(half), films[-1]).relu() + whole
        return mix_with_input(x[:, :3], self.head(whole), self.training, self.settings.inks)

    def _seen(self, x: Tensor) -> Tensor:
        seen: Tensor = self.whole_in(x[:, :3] - 0.5)
        return (seen + self.guide_in(x[:, 3:]) if self.settings.guides else seen).relu()

    def _thought(self, x: Tensor, films: Sequence[Film | None]) -> Tensor:
        for block, film in zip(self.trunk, films[: len(self.trunk)], strict=True):
            x = block(x, film)
        return x
