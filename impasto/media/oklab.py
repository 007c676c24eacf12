"""Colour as the eye sorts it: lightness, green to red, blue to yellow (OKLab), out of stored pixels and back into them.

Stored values are taken for sRGB. Values outside 0..1 have a place here too: the curves go on straight below 0 and rise above 1.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from impasto.frame import Pixels

TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
FROM_CONES, FROM_LAB = np.linalg.inv(TO_CONES), np.linalg.inv(TO_LAB)
KNEE_STORED, KNEE_LINEAR = 0.04045, 0.0031308  # below it sRGB is a straight line
BAND_PIXELS = 1 << 15
NEARLY_NOTHING = 1e-6


def in_bands(recolour: Callable[..., Pixels], *pictures: Pixels) -> Pixels:
    """What a function of single pixels makes of pictures of one size, in half the time: bands of rows fit the cache."""
    height, width = pictures[0].shape[:2]
    rows = max(1, BAND_PIXELS // width)
    done = np.empty_like(pictures[0])
    for top in range(0, height, rows):
        done[top : top + rows] = recolour(*(np.ascontiguousarray(picture[top : top + rows]) for picture in pictures))
    return done


def transformed(colours: Pixels, matrix: Pixels) -> Pixels:
    """Each colour [H,W,3] by a matrix [3,3], or [3,4] with a shift."""
    return np.asarray(cv2.transform(colours, matrix.astype(np.float32)))


def as_float(pixels: Pixels) -> Pixels:
    """Stored values as float32, 0..1."""
    if np.issubdtype(pixels.dtype, np.integer):
        return np.multiply(pixels, np.float32(1 / np.iinfo(pixels.dtype).max), dtype=np.float32)
    return pixels.astype(np.float32, copy=False)


def as_stored(values: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Float values as they are stored: integers rounded and held in range, floats as they are."""
    if not np.issubdtype(dtype, np.integer):
        return values.astype(dtype, copy=False)
    most = np.iinfo(dtype).max
    return np.rint(np.clip(values * np.float32(most), 0, most)).astype(dtype)


def to_linear(pixels: Pixels) -> Pixels:
    """Stored values as light, float32."""
    if pixels.dtype == np.uint8:
        steps = np.arange(256, dtype=np.uint8)[None]
        return np.asarray(cv2.LUT(pixels, _light(as_float(steps))))
    return _light(as_float(pixels))


def from_linear(light: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Light as stored values."""
    curved = 1.055 * _power(np.maximum(light, KNEE_LINEAR), 1 / 2.4) - np.float32(0.055 + KNEE_STORED)
    return as_stored(curved + np.float32(12.92) * np.minimum(light, KNEE_LINEAR), dtype)


def to_oklab(light: Pixels) -> Pixels:
    """Light [H,W,3] as lightness and the two axes of colour."""
    return transformed(np.cbrt(transformed(light, TO_CONES)), TO_LAB)


def from_oklab(lab: Pixels) -> Pixels:
    """The light that looks like this; it may lie outside what a screen can show."""
    cones = transformed(lab, FROM_LAB)
    return transformed(cones * cones * cones, FROM_CONES)


def showable(light: Pixels, lightness: Pixels, beside: Pixels) -> Pixels:
    """Light drawn towards the grey of its lightness until a screen can show it: hue stays, and nothing is cut off.

    Where `beside` goes beyond 0..1 the light may go as far.
    """
    grey = lightness * lightness * lightness
    least, most = extremes(light)
    bottom, top = extremes(beside)
    over = (most - grey) / np.maximum(np.maximum(top, 1) - grey, NEARLY_NOTHING)
    under = (grey - least) / np.maximum(grey - np.minimum(bottom, 0), NEARLY_NOTHING)
    keep = 1 / np.maximum(np.maximum(over, under), 1)
    return np.asarray(grey[..., None] + (light - grey[..., None]) * keep[..., None])


def _light(values: Pixels) -> Pixels:
    above = _power((np.maximum(values, KNEE_STORED) + np.float32(0.055)) / np.float32(1.055), 2.4)
    return above - np.float32(KNEE_LINEAR) + np.minimum(values, KNEE_STORED) / np.float32(12.92)


def _power(values: Pixels, exponent: float) -> Pixels:
    return np.asarray(cv2.pow(values, exponent))


def extremes(light: Pixels) -> tuple[Pixels, Pixels]:
    """The least and the most of the three channels, each [H,W]."""
    red, green, blue = (light[..., channel] for channel in range(3))  # twenty times as fast as min(axis=2)
    return np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
