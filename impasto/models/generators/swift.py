"""swift: the `live` tier. A stride-4 stem, a trunk at a quarter of the size, and a two-step shuffle back.

All the thinking happens on 1/16 of the pixels, which is what makes 720p on two cores possible. With an inner scale of 2 it thinks
about a picture of half the size and lays its paint on the whole one, whose own detail the gate lets through: the `mini` tier.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
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
    """Widths and depth; the defaults have 0.37M parameters."""

    model_config = ConfigDict(extra="forbid")
    width: int = Field(default=48, ge=1, le=1024)
    blocks: int = Field(default=8, ge=0, le=64)
    head: int = Field(default=16, ge=1, le=1024)
    inner: int = Field(default=1, ge=1, le=4)  # so many times smaller is the picture that is thought about
    code: int = 0  # length of a code that chooses among looks or variations
    guides: int = 0  # planes that follow RGB in the input
    inks: tuple[Rgb, Rgb] | None = None  # paper and ink, of a look that has no other colours


class Generator(Painter):
    """Thinks at a quarter of the size, or of the inner one."""

    settings: Settings
    learning_rate = 1e-3

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.stride = 4 * settings.inner
        # 8x8 windows that overlap by half: a stem whose windows only touch would see 4-px blocks, and paint them
        self.stem = conv(3, settings.width, 8, 4)
        self.trunk = nn.Sequential(*(ResidualBlock(settings.width) for _ in range(settings.blocks)))
        self.to_half = DoubleSize(settings.width, settings.head)
        self.to_whole = DoubleSize(settings.head, 4, gain=0.05)
        blank(self.to_whole.conv, 4, KEEP_AT_START)  # the last four are the gate's sub-pixels
        if settings.code:
            self.register_buffer("code", torch.zeros(settings.code))
            self.film = Modulation(settings.code, [settings.width] * settings.blocks + [settings.head])
        if settings.guides:
            self.guide_stem = silent(conv(settings.guides, settings.width, 8, 4))

    @property
    def receptive_field(self) -> int:
        inner = self.settings.inner
        smaller, larger = ([(inner, inner)], [(3, 1), (1, -inner)]) if inner > 1 else ([], [])
        return stacked_field([*smaller, (8, 4), *[(3, 1)] * (2 * self.settings.blocks), *DOUBLE, *DOUBLE, *larger])

    def features(self, x: Tensor, code: Tensor | None = None) -> list[Tensor]:
        early, films = self._seen(x), self.films(code, len(self.trunk) + 1)
        half = len(self.trunk) // 2
        middle = self._thought(early, films, 0, half)
        return [early, middle, self._thought(middle, films, half, len(self.trunk))]

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        films = self.films(code, len(self.trunk) + 1)
        small = self._thought(self._seen(x), films, 0, len(self.trunk))
        wide = tinted(self.to_half(small), films[-1]).relu()
        head = self.to_whole(wide)
        if self.settings.inner > 1:
            head = F.interpolate(head, scale_factor=float(self.settings.inner), mode="bilinear", align_corners=False)
        return mix_with_input(x[:, :3], head, self.training, self.settings.inks)

    def _seen(self, x: Tensor) -> Tensor:
        x = F.avg_pool2d(x, self.settings.inner) if self.settings.inner > 1 else x
        seen: Tensor = self.stem(x[:, :3] - 0.5)
        return (seen + self.guide_stem(x[:, 3:]) if self.settings.guides else seen).relu()

    def _thought(self, x: Tensor, films: Sequence[Film | None], first: int, end: int) -> Tensor:
        for i in range(first, end):
            x = self.trunk[i](x, films[i])
        return x
