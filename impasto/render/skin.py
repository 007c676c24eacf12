"""A soft matte of what is likely skin, to hold faces and hands back from a look: `--style NAME@skin,invert,feather=8`.

It goes by colour, smoothness and size, and knows no faces. Blood gives skin of every tone, dark or pale, a narrow range of
hues: how red it is to green, and green to blue, changes with the light but hardly with the tone. So it takes pale wood and
terracotta, warm fur, bread, pink cloth, sunset skies and walls in warm light for skin too, and misses skin in coloured light,
blown out, graded to grey, or small in the frame. Nothing is measured over the frame as a whole: a face stays in the matte
whatever comes into the shot beside it.
"""
from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.frame import Pixels

Plane = NDArray[Any]  # float32 [H,W]
LIGHT = np.array([0.3, 0.5, 0.2], np.float32)
WORKING_PX = 288  # the shorter side of the picture that is judged
DARK = np.float32(0.03)  # keeps the noise of black from having a hue


def likely_skin(rgb: Pixels) -> Plane:
    """How likely each pixel is skin, 0..1 as [H,W]; colour [H,W,3] as a screen shows it, of bytes, 16 bits, or floats in 0..1."""
    height, width = rgb.shape[:2]
    shrink = max(min(height, width) / WORKING_PX, 1.0)
    size = max(round(width / shrink), 1), max(round(height / shrink), 1)
    if np.issubdtype(rgb.dtype, np.floating):
        rgb = np.nan_to_num(rgb.astype(np.float32))
    small = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    small *= np.float32(1 / np.iinfo(rgb.dtype).max if np.issubdtype(rgb.dtype, np.integer) else 1)
    sure, perhaps = by_colour(cv2.GaussianBlur(small, (5, 5), 1.0))  # grain has colours, and they flicker
    likely = grown_together(sure * smooth(small), perhaps)
    return cv2.resize(likely, (width, height), interpolation=cv2.INTER_LINEAR)


def by_colour(rgb: Plane) -> tuple[Plane, Plane]:
    """How well colours [H,W,3] in 0..1 fit skin by themselves, and how well beside it, where it lies in shade or shines."""
    red, green, blue = cv2.split(cv2.log(rgb.clip(0, 1) + DARK))
    light = rgb @ LIGHT
    warm, yellow = red - green, green - blue
    # Wood, sand and leaves are more yellow than red, dyed cloth is often less.
    sure = step(warm, 0.085, 0.17) * (1 - step(warm, 0.6, 0.85)) * step(light, 0.06, 0.16)
    sure *= step(yellow + 0.25 * warm, -0.03, 0.07) * (1 - step(yellow - 0.8 * warm, 0.02, 0.16))
    perhaps = step(warm, 0.02, 0.1) * (1 - step(warm, 1.1, 1.5)) * (1 - step(yellow - 1.1 * warm, 0.04, 0.2))
    return sure, perhaps


def smooth(rgb: Plane) -> Plane:
    """How free of fine texture a colour's neighbourhood is; skin is smooth, but for its edges."""
    light = cv2.log(rgb @ LIGHT + 2 * DARK)
    rough = np.abs(light - cv2.blur(light, (3, 3)))
    return 1 - step(cv2.blur(rough, (9, 9)), 0.035, 0.075)


def grown_together(sure: Plane, perhaps: Plane) -> Plane:
    """The matte without specks, but with what skin surrounds, such as eyes and lips, and with what may be skin beside it."""
    around = cv2.GaussianBlur(sure, (0, 0), WORKING_PX / 48)
    beside = step(around, 0.2, 0.5)
    grown: Plane = np.maximum(np.maximum(sure, perhaps) * beside, step(around, 0.5, 0.75))
    return grown


def step(values: Plane, low: float, high: float) -> Plane:
    """0 up to low, 1 from high on, smooth between."""
    share: Plane = ((values - np.float32(low)) * np.float32(1 / (high - low))).clip(0, 1)
    eased: Plane = share * share * (3 - 2 * share)
    return eased
