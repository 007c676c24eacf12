"""What travels through the house: frames with their native values, and what is known about the clip they come from."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

# [H,W,C] of uint8 | uint16 | float16 | float32; C is 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA (alpha not multiplied in)
Pixels = NDArray[Any]


def exact_rate(fps: float) -> Fraction:
    """The rate that is meant by a rounded one: 23.976 is 24000/1001."""
    nearest = Fraction(round(fps * 1.001) * 1000, 1001)
    return nearest if abs(float(nearest) - fps) < 0.001 else Fraction(fps).limit_denominator(1001)


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a source before its first frame is decoded."""

    width: int
    height: int
    frames: int = 1
    fps: Fraction = Fraction(0)  # 0: a still or a sequence without a rate
    depth: str = "uint8"  # numpy name of the native storage
    channels: int = 3
    tags: dict[str, Any] = field(default_factory=dict)  # of the clip as a whole: "bits", "colour", "timecode" ..., for the writer


@dataclass(frozen=True)
class Frame:
    """One picture in its native storage, upright, with what must be carried along to the output."""

    pixels: Pixels
    number: int = 0
    tags: dict[str, Any] = field(default_factory=dict)  # "icc": bytes, "time": seconds ..., whatever the writer lays back

    @property
    def alpha(self) -> Pixels | None:
        """The alpha plane [H,W], or None."""
        return self.pixels[..., -1] if self.pixels.shape[2] in (2, 4) else None

    def rgb(self) -> Pixels:
        """The colour as [H,W,3] in native values; grey is repeated."""
        if self.pixels.shape[2] <= 2:
            return np.repeat(self.pixels[..., :1], 3, axis=2)
        return self.pixels[..., :3]

    def with_rgb(self, rgb: Pixels) -> Frame:
        """The same frame with other colour; alpha, number and tags stay."""
        assert rgb.dtype == self.pixels.dtype and rgb.shape[:2] == self.pixels.shape[:2], "with_rgb keeps storage and size"
        alpha = self.alpha
        return replace(self, pixels=rgb if alpha is None else np.dstack([rgb, alpha]))
