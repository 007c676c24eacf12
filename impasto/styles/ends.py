"""What goes into a style file's graph and what comes out: a picture painted, a picture drawn from noise, or a picture read.

    a tier              "image" [n,3+guides,h,w]  ->  "painted" [n,3,scale*h,scale*w]
    a tier with noise   "noise" [n,noise]         ->  "painted" [n,3,h,w], of one size
    the encoder         "image" [n,3,h,w]         ->  "code" [n,k]
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto.styles.card import Tier

IMAGE, NOISE, PAINTED, CODE = "image", "noise", "painted", "code"
LONGEST_CODE = 4096
LONGEST_DRAWN_PX = 2048  # a side of what a graph draws from noise
TRIAL_SIZES = ((1, 64, 128), (2, 256, 320))  # n, h, w; multiples of every stride, so that painted must come out as large
TRIAL_COUNTS = (1, 2)


@dataclass(frozen=True)
class Ends:
    """The two ends of a graph. The plain ones are those of a look that paints a picture in its own size."""

    entering: str = IMAGE
    leaving: str = PAINTED
    planes: int = 3  # of an image: colour and the guides that follow; of noise: how many numbers
    scale: int = 1

    @classmethod
    def of(cls, tier: Tier) -> Ends:
        """What the card says of a tier's graph."""
        return cls(NOISE, planes=tier.noise) if tier.noise else cls(planes=3 + sum(tier.guides.values()), scale=tier.scale)

    @property
    def open_shape(self) -> list[int | None]:
        """The shape of what enters, None where any length must do."""
        return [None, self.planes] if self.entering == NOISE else [None, self.planes, None, None]

    @property
    def told(self) -> str:
        """What must enter, in words."""
        if self.entering == NOISE:
            return f"[n,{self.planes}] with n left open"
        return f"[n,{self.planes},h,w] with n, h and w left open"

    @property
    def trials(self) -> list[list[int]]:
        """Shapes of what enters that every sound graph takes."""
        if self.entering == NOISE:
            return [[n, self.planes] for n in TRIAL_COUNTS]
        return [[n, self.planes, height, width] for n, height, width in TRIAL_SIZES]

    def fault_of(self, entered: list[int], left: list[int] | None) -> str:
        """What is wrong with the shape that leaves when such a shape has entered; "" if nothing is."""
        n = entered[0]
        if self.leaving == CODE:
            sound = left is not None and len(left) == 2 and left[0] == n and 1 <= left[1] <= LONGEST_CODE
            return "" if sound else f"'{CODE}' is not one row of at most {LONGEST_CODE} numbers for each '{IMAGE}'"
        if self.entering == NOISE:
            sound = left is not None and len(left) == 4 and left[:2] == [n, 3] and min(left[2:]) >= 1
            sound = sound and max(left[2:] if left else [0]) <= LONGEST_DRAWN_PX
            return "" if sound else f"'{PAINTED}' is not a picture of at most {LONGEST_DRAWN_PX} px for each '{NOISE}'"
        wanted = [n, 3, entered[2] * self.scale, entered[3] * self.scale]
        size = "of the size" if self.scale == 1 else f"{self.scale} times the size"
        return "" if left == wanted else f"'{PAINTED}' is not {size} of its '{IMAGE}'"

    @property
    def one_size(self) -> bool:
        """Whether what leaves has one size, whatever the size of what entered."""
        return self.entering == NOISE or self.leaving == CODE

    def pixels(self, entered: list[int], left: list[int] | None) -> int:
        """How many pixels a trial is about: what its values in between may be measured by."""
        if self.entering == NOISE:
            return left[0] * left[2] * left[3] if left and len(left) == 4 else 0
        return entered[0] * entered[2] * entered[3] * self.scale**2


ENCODER_ENDS = Ends(leaving=CODE)
