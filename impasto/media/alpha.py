"""Colour that alpha is multiplied into, as EXR stores it, and colour on its own, as it is painted.

Where alpha is 0 or next to it, and where it is no number one could divide by, colour is passed as it is: light that covers
nothing stays light.
"""
from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.frame import Pixels

LEAST = 1e-7  # of alpha that covers: below it stands a float's rounding, and dividing by it makes infinities
SPREAD_SHRINK, SPREAD_PX = 4, 6.0  # colour is spread over nothing by a blur of so many pixels in a picture so much smaller
FAINTEST = 1e-4  # weight of what is too far away to be spread


def unpremultiplied(rgb: Pixels, alpha: Pixels) -> Pixels:
    """Colour [H,W,3] by itself, as float32; alpha is [H,W]."""
    covering = _covering(alpha)
    return np.asarray(rgb, np.float32) / np.where(covering, alpha, 1).astype(np.float32)[..., np.newaxis]


def premultiplied(rgb: Pixels, alpha: Pixels) -> Pixels:
    """Colour [H,W,3] as it covers what lies under it, as float32."""
    covering = _covering(alpha)
    return np.asarray(rgb, np.float32) * np.where(covering, alpha, 1).astype(np.float32)[..., np.newaxis]


def spread(rgb: Pixels, alpha: Pixels) -> Pixels:
    """Colour by itself [H,W,3], with what lies beside it where there is nothing at all: a brush then sees no edge of the world.

    It reaches some dozen pixels. What covers nothing and yet is light stays as it is.
    """
    nothing = (alpha == 0) & (rgb == 0).all(axis=2)
    if not nothing.any() or nothing.all():
        return rgb
    weight = np.nan_to_num(np.asarray(alpha, np.float32)).clip(0, 1)
    light = np.nan_to_num(np.asarray(rgb, np.float32), posinf=0, neginf=0) * weight[..., np.newaxis]
    height, width = alpha.shape
    small = max(1, width // SPREAD_SHRINK), max(1, height // SPREAD_SHRINK)
    shrunk = [cv2.resize(each, small, interpolation=cv2.INTER_AREA) for each in (light, weight)]
    blurred = [cv2.GaussianBlur(each, (0, 0), SPREAD_PX) for each in shrunk]
    beside, near = (cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR) for each in blurred)
    filling = nothing & (near > FAINTEST)
    result = np.array(rgb, np.float32)
    result[filling] = beside[filling] / near[filling][:, np.newaxis]
    return result


def _covering(alpha: Pixels) -> NDArray[np.bool_]:
    return np.isfinite(alpha) & (np.asarray(alpha, np.float32) >= np.float32(LEAST))
