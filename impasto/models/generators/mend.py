"""mend: a picture as it would be without noise, or without the holes in it. It works at full size and sees far.

With `hole`, a plane follows RGB that is 1 where the picture is missing; only there is anything painted.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto.models.blocks import KEEP_AT_START, Painter, blank, conv, mix_with_input, stacked_field
from impasto.models.pyramid import Pyramid


class Settings(BaseModel):
    """Width at full size (it doubles at each halving), and the depth at an eighth of it."""

    model_config = ConfigDict(extra="forbid")
    width: int = Field(12, ge=1, le=1024)
    blocks: int = Field(6, ge=0, le=64)
    hole: Literal[0, 1] = 0


class Generator(Painter):
    """[N,3,H,W], or [N,4,H,W] with the hole's plane -> [N,3,H,W]."""

    settings: Settings
    stride = 8
    learning_rate = 8e-4

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.guides = {"hole": 1} if settings.hole else {}
        widths = [settings.width * 2**level for level in range(4)]
        self.pyramid = Pyramid(3 + settings.hole, widths, settings.blocks)
        self.head = conv(settings.width, 4, 3)
        nn.init.trunc_normal_(self.head.weight, std=0.003)
        blank(self.head, 1, KEEP_AT_START)

    @property
    def receptive_field(self) -> int:
        return stacked_field([*self.pyramid.layers, (3, 1)])

    def features(self, x: Tensor, code: Tensor | None = None) -> list[Tensor]:
        return self.pyramid.levels(x - 0.5)

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        picture, hole = x[:, :3], x[:, 3:]
        painted = mix_with_input(picture, self.head(self.pyramid(x - 0.5)), self.training)
        return picture + hole * (painted - picture) if self.settings.hole else painted
