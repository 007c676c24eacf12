"""Colour that alpha is multiplied into, as EXR stores it, and colour on its own, as it is painted.

Where alpha is 0 or next to it, and where it is no number one could divide by, colour is passed as it is: light that covers
nothing stays light.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from impasto.frame import Pixels

LEAST = 1e-7  # of alpha that covers: below it stands a float's rounding, and dividing by it makes infinities


def unpremultiplied(rgb: Pixels, alpha: Pixels) -> Pixels:
    """Colour [H,W,3] by itself, as float32; alpha is [H,W]."""
    covering = _covering(alpha)
    return np.asarray(rgb, np.float32) / np.where(covering, alpha, 1).astype(np.float32)[..., np.newaxis]


def premultiplied(rgb: Pixels, alpha: Pixels) -> Pixels:
    """Colour [H,W,3] as it covers what lies under it, as float32."""
    covering = _covering(alpha)
    return np.asarray(rgb, np.float32) * np.where(covering, alpha, 1).astype(np.float32)[..., np.newaxis]


def _covering(alpha: Pixels) -> NDArray[np.bool_]:
    return np.isfinite(alpha) & (np.asarray(alpha, np.float32) >= np.float32(LEAST))
