"""What looks made by rule do with tones: blurs that stay within a margin, curves, ramps, soft steps. All smooth, all local."""

from __future__ import annotations

from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]  # [H,W,3] or [H,W], 0..1
MARGIN_PX = 32  # how far a filter looks; that far from an edge it sees too little
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def held(x: NDArray[np.floating]) -> Light:
    """As a picture: float32 in 0..1."""
    return np.asarray(x, np.float32).clip(0, 1)


def luma_of(x: Light) -> Light:
    """How light it looks, [H,W]."""
    return np.asarray(x @ LUMA, np.float32)


def most(x: Light) -> Light:
    """The strongest of the planes, [H,W]: many times quicker than `max` over an axis of three."""
    return np.asarray(reduce(np.maximum, np.moveaxis(x, 2, 0)), np.float32)


def blur(x: Light, sigma: float) -> Light:
    """A Gaussian blur that never looks further than half the margin."""
    side = 2 * min(MARGIN_PX // 2, int(2.5 * sigma + 0.5)) + 1
    blurred = cv2.GaussianBlur(x, (side, side), sigma, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float32).reshape(x.shape)


def screen(x: Light, light: NDArray[np.floating]) -> Light:
    """Light upon light, as on film: it never passes white."""
    return held(1 - (1 - x) * (1 - np.clip(light, 0, 1)))


def glow(x: Light, above: float, sigma: float) -> Light:
    """What is brighter than a level, scattered around: [H,W,1] as a factor for the colour of the glow."""
    bright = held((most(x) - above) / (1 - above))
    return blur(np.asarray(bright**1.5, np.float32), sigma)[..., None]


def s_curve(x: Light, amount: float) -> Light:
    """More contrast in the middle, black and white as they were."""
    x = x.clip(0, 1)
    return np.asarray(x + amount * (x * x * (3 - 2 * x) - x), np.float32)


def saturated(x: NDArray[np.floating], gain: float) -> Light:
    """Further from grey of the same luma, or nearer to it."""
    luma = np.asarray(x @ LUMA)[..., None]
    return held(luma + gain * (x - luma))


def repainted(colour: Light, tone: Light, vivid: float) -> Light:
    """A colour as light as a given tone [H,W]; `vivid` strengthens pale colours most, and none leaves the range or turns."""
    luma = luma_of(colour)
    chroma = colour - luma[..., None]
    pale = np.exp(-2.5 * most(np.abs(chroma)))
    chroma = chroma * (((tone + 0.08) / (luma + 0.08)).clip(0.4, 1.7) * (1 + (vivid - 1) * pale))[..., None]
    room = np.minimum((1 - tone) / (most(chroma) + 1e-4), tone / (most(-chroma) + 1e-4))
    return held(tone[..., None] + chroma * np.minimum(room, 1)[..., None])


def mix(low: NDArray[np.floating], high: NDArray[np.floating], share: NDArray[np.floating]) -> NDArray[np.floating]:
    """From the one at 0 to the other at 1."""
    return low * (1 - share) + high * share


def ramp(x: Light, stops: tuple[tuple[float, tuple[float, float, float]], ...]) -> Light:
    """A tone [H,W] as colour, by stops along it."""
    places = [place for place, _ in stops]
    return np.stack([np.interp(x, places, [colour[i] for _, colour in stops]) for i in range(3)], axis=2).astype(np.float32)


def smooth_step(x: NDArray[np.floating], low: float, high: float) -> Light:
    """0 below the one level, 1 above the other, a soft rise between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def stepped(x: Light, steps: int, riser: float = 0.3) -> Light:
    """A tone in a few steps with soft risers, so that film grain does not make it boil."""
    scaled = x.clip(0, 1) * steps
    base = np.floor(scaled)
    return np.asarray((base + smooth_step(scaled - base, 0.5 - riser / 2, 0.5 + riser / 2)) / steps, np.float32).clip(0, 1)
