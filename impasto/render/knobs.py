"""What a painting can be turned by: a value that changes over time, the source's colours, the strokes' size, another palette.

Each is off by default, and off is exact. Nothing here looks at the frame it works on as a whole: what is measured is measured
once for a shot, so that frame N alone is frame N of the sequence.
"""
from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, isqrt
from typing import Self

import cv2
import numpy as np

from impasto.frame import Pixels
from impasto.media.oklab import from_linear, from_oklab, in_bands, showable, to_linear, to_oklab, transformed

Paint = Callable[[Pixels], Pixels]  # [H,W,3] -> [H,W,3] of one storage
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
SMALLEST_SCALE, LARGEST_SCALE = 0.25, 4.0
EDGE_WIDTH = 0.6  # of an edge in an enlarged picture, in pixels of the small one: what sharpening takes back
SAMPLE_PIXELS = 1 << 16  # of one picture; more change no statistics
WEAKEST_GAIN, STRONGEST_GAIN = 0.25, 3.0  # of a palette: beyond it noise and the edges of codecs' blocks come to light
BEND = 0.2  # of a palette's range of lightness, at each end: what would go beyond it is bent, not cut
OUTLIERS = 0.003  # share of a picture's pixels that do not count as its darkest or lightest
GREY_VARIANCE = 1e-5  # what a colourless picture is taken to have, so that nothing is divided by zero


@dataclass(frozen=True)
class Curve:
    """A value over time: straight from key to key, held before the first and after the last."""

    keys: tuple[tuple[int, float], ...]  # frame and value, frames rising

    @classmethod
    def parse(cls, text: str, low: float = 0.0, high: float = 1.0) -> Self:
        """Read '0.7' or '1001:0, 1024:1'; whatever else it says, or a value outside low..high, is a ValueError."""
        keys = {0: float(text)} if re.fullmatch(NUMBER, text.strip()) else _parse_keys(text)
        for value in keys.values():
            if not (isfinite(value) and low <= value <= high):
                raise ValueError(f"'{text}' has the value {value:g}: choose from {low:g} to {high:g}")
        return cls(tuple(sorted(keys.items())))

    def at(self, frame: int) -> float:
        """The value at a frame."""
        after = bisect_right(self.keys, frame, key=lambda key: key[0])
        if after in (0, len(self.keys)):
            return self.keys[min(after, len(self.keys) - 1)][1]
        (first, start), (last, end) = self.keys[after - 1 : after + 1]
        share = (frame - first) / (last - first)
        return start * (1 - share) + end * share

    @property
    def constant(self) -> float | None:
        """The value, where it is the same all the time."""
        values = {value for _, value in self.keys}
        return values.pop() if len(values) == 1 else None

    def __str__(self) -> str:
        """As it is written on the command line."""
        return ", ".join(f"{frame}:{value!r}" for frame, value in self.keys) if self.constant is None else repr(self.constant)


def _parse_keys(text: str) -> dict[int, float]:
    keys: dict[int, float] = {}
    for part in text.split(","):
        found = re.fullmatch(rf"\s*([+-]?\d+)\s*:\s*({NUMBER})\s*", part)
        if found is None:
            raise ValueError(f"'{text}' is no curve: write a number, or FRAME:VALUE pairs as in '1001:0, 1024:1'")
        frame = int(found[1])
        if frame in keys:
            raise ValueError(f"'{text}' has two values for frame {frame}: leave one out")
        keys[frame] = float(found[2])
    return keys


def keep_colour(source: Pixels, painted: Pixels, amount: float) -> Pixels:
    """The painting's lightness in the source's colours, as far as `amount` says. 0 hands the painting back."""
    if amount == 0:
        return painted

    def recolour(painted: Pixels, source: Pixels) -> Pixels:
        light = to_linear(painted)
        lab, wanted = to_oklab(light), to_oklab(to_linear(source))
        lab[..., 1:] += (wanted[..., 1:] - lab[..., 1:]) * np.float32(amount)
        return from_linear(showable(from_oklab(lab), lab[..., 0], light), painted.dtype)

    return in_bands(recolour, painted, source)


def scaled(paint: Paint, scale: float) -> Paint:
    """A painter whose strokes are `scale` times as big: it paints a smaller or a larger picture. 1 is the painter itself."""
    assert SMALLEST_SCALE <= scale <= LARGEST_SCALE, "strokes are a quarter to four times as big"
    if scale == 1:
        return paint

    def paint_scaled(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        inner = max(1, round(height / scale)), max(1, round(width / scale))
        return _resized(paint(_resized(pixels, *inner)), height, width)

    return paint_scaled


def _resized(pixels: Pixels, height: int, width: int) -> Pixels:
    if pixels.shape[:2] == (height, width):
        return pixels
    pixels = np.ascontiguousarray(pixels)
    if height <= pixels.shape[0] and width <= pixels.shape[1]:
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
    return _enlarged(pixels, height, width)


def _enlarged(pixels: Pixels, height: int, width: int) -> Pixels:
    """Larger and still crisp: sharpened, but never beyond the values around a pixel, so no edge rings."""
    size, around = (width, height), np.ones((3, 3), np.uint8)
    lowest = cv2.resize(cv2.erode(pixels, around), size, interpolation=cv2.INTER_LINEAR)
    highest = cv2.resize(cv2.dilate(pixels, around), size, interpolation=cv2.INTER_LINEAR)
    large = cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_LANCZOS4)
    factor = max(height / pixels.shape[0], width / pixels.shape[1])
    sharpening = min(1.0, factor - 1)
    soft = cv2.GaussianBlur(large, (0, 0), EDGE_WIDTH * factor)
    crisp = cv2.addWeighted(large, 1 + sharpening, soft, -sharpening, 0).clip(lowest, highest)
    return np.asarray(crisp if pixels.dtype == np.float32 else np.rint(crisp).astype(pixels.dtype))


@dataclass(frozen=True)
class Palette:
    """How a shot's painted colours become a picture's: one affine map of OKLab, the same for every frame."""

    rows: tuple[tuple[float, float, float, float], ...]  # three, of the map [3,4]
    ends: tuple[float, float]  # the darkest and the lightest there is in the picture

    @classmethod
    def measure(cls, painted: Sequence[Pixels], picture: Pixels) -> Self:
        """The map that gives samples of a painted shot the mean and the spread of a picture's colours.

        Of all such maps it is the one that moves colours least (Monge and Kantorovich), so none flips to its opposite.
        """
        assert painted, "a palette needs samples of the shot"
        ours, theirs = _colours(painted), _colours([picture])
        root, root_inverse = _power(_spread(ours), 0.5), _power(_spread(ours), -0.5)
        matrix = root_inverse @ _power(root @ _spread(theirs) @ root, 0.5) @ root_inverse
        gains, axes = np.linalg.eigh(matrix)
        matrix = axes * gains.clip(WEAKEST_GAIN, STRONGEST_GAIN) @ axes.T
        shift = theirs.mean(axis=0) - matrix @ ours.mean(axis=0)
        darkest, lightest = np.quantile(theirs[:, 0], [OUTLIERS, 1 - OUTLIERS]).tolist()
        return cls(tuple((a, b, c, d) for a, b, c, d in np.column_stack([matrix, shift]).tolist()), (darkest, lightest))

    def apply(self, pixels: Pixels, amount: float = 1.0) -> Pixels:
        """The pixels in the picture's colours, as far as `amount` says. 0 hands them back."""
        if amount == 0:
            return pixels

        def recolour(pixels: Pixels) -> Pixels:
            light = to_linear(pixels)
            lab = to_oklab(light)
            moved = transformed(lab, np.array(self.rows))
            moved[..., 0] = self._held(moved[..., 0], lab[..., 0])
            lab += (moved - lab) * np.float32(amount)
            return from_linear(showable(from_oklab(lab), lab[..., 0], light), pixels.dtype)

        return in_bands(recolour, pixels)

    def _held(self, lightness: Pixels, before: Pixels) -> Pixels:
        """Lightness bent to end where the picture's does; light that was beyond black or white before stays beyond."""
        lowest, highest = self.ends
        bend = np.float32(max(BEND * (highest - lowest), 1e-3))
        over = np.maximum(lightness - (np.float32(highest) + np.maximum(before - 1, 0) - bend), 0)
        under = np.maximum(np.float32(lowest) + np.minimum(before, 0) + bend - lightness, 0)
        return np.asarray(lightness - _beyond_bend(over, bend) + _beyond_bend(under, bend))


def _beyond_bend(distance: Pixels, bend: np.float32) -> Pixels:
    return np.asarray(distance + bend * np.expm1(-distance / bend))


def _colours(pictures: Sequence[Pixels]) -> Pixels:
    """Pixels from all over the pictures in OKLab, [N,3]."""
    steps = [max(1, isqrt(picture.shape[0] * picture.shape[1] // SAMPLE_PIXELS)) for picture in pictures]
    spread = [np.ascontiguousarray(picture[::step, ::step]) for picture, step in zip(pictures, steps, strict=True)]
    return np.concatenate([to_oklab(to_linear(picture)).reshape(-1, 3) for picture in spread]).astype(np.float64)


def _spread(colours: Pixels) -> Pixels:
    away = colours - colours.mean(axis=0)
    return np.asarray(away.T @ away / len(away) + GREY_VARIANCE * np.eye(3))


def _power(matrix: Pixels, exponent: float) -> Pixels:
    values, axes = np.linalg.eigh(matrix)
    return np.asarray(axes * values**exponent @ axes.T)
