"""What int8 is calibrated on and judged by: the plate in several lights, and the trial picture.

Calibrated for a look and not for a shot, frames are painted alike wherever they stand and whatever else is rendered; and it
serves photographs as well as photographs themselves do (docs/precision.md).
"""
from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from impasto.engine.trial import trial_picture
from impasto.frame import Pixels

SIZE = (384, 224)
FRAMES = (0, 60, 120, 200)
LIGHTS = (0.5, 0.8, 1.3, 2.2)  # exponents: from a bright frame to a dark one
JUDGED_FRAME, JUDGED_SIZE = 160, (192, 320)  # a frame that is not calibrated on, and the larger part of it


@cache
def plate_pictures() -> tuple[Pixels, ...]:
    """Pictures [H,W,3] of bytes to calibrate on."""
    from impasto.media.plate import Plate

    plate = Plate(*SIZE)
    frames = [plate.frame(number).rgb for number in FRAMES]
    lit = [np.roll(_lit(frame, light), turn, 2) for turn, (frame, light) in enumerate(zip(frames, LIGHTS, strict=True))]
    return (*frames[::2], *lit, np.rint(trial_picture()[0].transpose(1, 2, 0) * 255).astype(np.uint8))


@cache
def judged_pictures() -> tuple[Pixels, ...]:
    """Pictures of two sizes that are not calibrated on."""
    from impasto.media.plate import Plate

    frame = Plate(*SIZE, seed=1).frame(JUDGED_FRAME).rgb
    height, width = JUDGED_SIZE
    return frame[:height, :width], np.ascontiguousarray(_lit(frame, 1.6)[-height // 2 :, -width // 2 :, ::-1])


def with_guides(pictures: Sequence[Pixels], planes: int) -> list[Pixels]:
    """Pictures with so many planes of guides behind the colour, as good as any: shifted copies of the colour."""
    grown = []
    for picture in pictures:
        guides = [np.roll(picture[:, :, number % 3], 29 * (number + 1), 1) for number in range(planes)]
        grown.append(np.dstack([picture, *guides]) if guides else picture)
    return grown


def _lit(picture: Pixels, exponent: float) -> Pixels:
    return np.rint(255 * (picture / 255) ** exponent).astype(np.uint8)
