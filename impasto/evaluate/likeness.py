"""What a painting keeps of a picture, and what it makes of its colours: figures that need no network.

Every function takes pictures [H,W,3], float32 in 0..1 as a screen shows them, and returns one number. Blurs are in pixels of the
picture as it is measured (512 on the long side unless asked otherwise). docs/evaluating.md says what each figure means.
"""

from __future__ import annotations

import cv2
import numpy as np

from impasto.media.flow import LUMA, Plane
from impasto.media.oklab import to_linear, to_oklab

SAME_DB = 100.0  # of pictures that do not differ: a figure must stay a number
WINDOW_PX = 1.5  # of structural similarity, as published
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # the finest first: how much each counts, as published
SMALLEST_PX = 16  # a picture of a scale with a shorter side is not looked at
STEADY_LUMA, STEADY_CONTRAST = 0.01**2, 0.03**2  # likewise: what keeps flat places from dividing by nothing
SHAPE_PX, NEAR_PX = 2.0, 6.0  # shapes are what a blur of the one leaves; they are compared over the other
FLAT = 0.004**2  # variance of lightness that no eye sees
COLOUR_SHARE = 1 / 64  # of the long side: a blur that takes strokes away and leaves areas of colour
PIXELS, RANKS, DIRECTIONS = 1 << 14, 1024, 48  # of a picture that stand for its palette; of those; along which they are compared


def psnr(source: Plane, output: Plane) -> float:
    """Peak signal to noise ratio, dB."""
    error = float(np.square(source - output).mean())
    return SAME_DB if error <= 10 ** (-SAME_DB / 10) else -10 * float(np.log10(error))


def ssim(source: Plane, output: Plane) -> float:
    """Structural similarity of the luma, 1 for the same picture."""
    light, shape = _similarity(output @ LUMA, source @ LUMA)
    return float((light * shape).mean())


def ms_ssim(source: Plane, output: Plane) -> float:
    """Structural similarity over five scales, each half as large as the one before; light counts at the coarsest alone.

    A picture too small for five scales is seen at as many as it has, which then count for all.
    """
    ours, theirs = output @ LUMA, source @ LUMA
    count = min(len(SCALES), max(1, int(np.log2(min(ours.shape) / SMALLEST_PX)) + 1))
    weights = np.asarray(SCALES[:count]) / sum(SCALES[:count])
    product = 1.0
    for scale, weight in enumerate(weights, 1):
        light, shape = _similarity(ours, theirs)
        alike = float((light * shape).mean() if scale == count else shape.mean())
        product *= max(alike, 0.0) ** weight
        ours, theirs = _halved(ours), _halved(theirs)
    return float(product)


def structure(source: Plane, output: Plane) -> float:
    """How far the shapes are where they were: local correlation of blurred lightness, from -1 (a negative) to 1.

    Correlation leaves tone and contrast free, which a look may change. A place counts by the contrast that either picture has
    there, so shapes that were lost and shapes that were invented both cost.
    """
    ours, theirs = (_blurred(lightness(picture), SHAPE_PX) for picture in (output, source))
    (_, our_spread), (_, their_spread), shared = _local(ours, theirs, NEAR_PX)
    agreement = (shared + FLAT) / np.sqrt((our_spread + FLAT) * (their_spread + FLAT))
    weight = np.sqrt(our_spread) + np.sqrt(their_spread)
    return float((agreement * weight).sum() / max(float(weight.sum()), 1e-9)) if weight.max() ** 2 > FLAT else 1.0


def lightness(picture: Plane) -> Plane:
    """How light each place looks [H,W]: OKLab's L."""
    return np.ascontiguousarray(_lab(picture)[..., 0])


def fine_detail(picture: Plane) -> float:
    """How much fine detail a picture has: mean absolute Laplacian of its luma."""
    luma = np.asarray(picture @ LUMA, np.float32)
    return float(np.abs(cv2.Laplacian(luma, cv2.CV_32F, borderType=cv2.BORDER_REFLECT_101)).mean())


def colour_distance(source: Plane, output: Plane) -> float:
    """Mean distance in OKLab of the areas of colour: strokes are blurred away first. Black and white are 1 apart."""
    px = max(source.shape[:2]) * COLOUR_SHARE
    ours, theirs = (to_oklab(_blurred(to_linear(picture), px)) for picture in (output, source))
    return float(np.sqrt(np.square(ours - theirs).sum(-1)).mean())


class Palette:
    """The colours of some pictures together, wherever they lie; to be compared with those of another."""

    def __init__(self, *pictures: Plane) -> None:
        towards = np.random.default_rng(0).normal(size=(3, DIRECTIONS))
        colours = np.concatenate([_lab(_some(picture, PIXELS // len(pictures)))[0] for picture in pictures])
        along = np.sort(colours @ (towards / np.linalg.norm(towards, axis=0)), 0)  # [pixels,DIRECTIONS]
        self._ranks = along[np.linspace(0, len(along) - 1, RANKS).astype(int)]

    def distance(self, other: Palette) -> float:
        """How far colours must move on average, in OKLab, to turn one palette into the other; 0 for the same colours."""
        # a random direction sees half of a distance in three dimensions on average
        return 2 * float(np.abs(self._ranks - other._ranks).mean())


def _some(picture: Plane, most: int) -> Plane:
    """About so many of its pixels [1,n,3], from a fixed draw: evenly spaced ones would follow its rows."""
    pixels = picture.reshape(-1, 3)
    return pixels[np.random.default_rng(0).integers(0, len(pixels), min(most, len(pixels)))][None]


def _lab(picture: Plane) -> Plane:
    return np.asarray(to_oklab(to_linear(picture)), np.float32)


def _halved(plane: Plane) -> Plane:
    """Half as large, by the means of 2 x 2."""
    height, width = (side // 2 * 2 for side in plane.shape)
    return np.asarray(cv2.resize(plane[:height, :width], (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.float32)


def _similarity(ours: Plane, theirs: Plane) -> tuple[Plane, Plane]:
    """How alike light and shape are in a window about each pixel."""
    (our_mean, our_spread), (their_mean, their_spread), shared = _local(ours, theirs, WINDOW_PX)
    light = (2 * our_mean * their_mean + STEADY_LUMA) / (our_mean**2 + their_mean**2 + STEADY_LUMA)
    return light, (2 * shared + STEADY_CONTRAST) / (our_spread + their_spread + STEADY_CONTRAST)


Moments = tuple[Plane, Plane]  # local mean and variance


def _local(ours: Plane, theirs: Plane, px: float) -> tuple[Moments, Moments, Plane]:
    """Mean and variance of both and what they share, in a window about each pixel."""
    one, other = (_moments(each, px) for each in (ours, theirs))
    return one, other, _blurred(ours * theirs, px) - one[0] * other[0]


def _moments(plane: Plane, px: float) -> Moments:
    mean = _blurred(plane, px)
    return mean, np.maximum(_blurred(plane * plane, px) - mean * mean, 0)


def _blurred(picture: Plane, px: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), px), np.float32)
