"""Which way forms run in a picture, and what follows them: smoothing along the flow, lines, dabs of a brush.

The flow comes from the picture around each pixel and strokes go both ways along it, so it has no sign to flip and no start.
Where the picture has no direction strokes shrink to points instead of wandering.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from impasto.learn.material.filters.tones import Light, blur, held, luma_of, most, smooth_step

NOISE = 1.5e-4  # squared slope that grain has: below it there is no direction


class Flow(NamedTuple):
    """The direction along which the picture changes least, [H,W] each; `sure` is 0 where it has none, 1 along an edge."""

    x: Light
    y: Light
    sure: Light


def flow_of(luma: Light, sigma: float) -> Flow:
    """By the mean of slopes over sigma, opposite slopes counting alike."""
    soft = blur(luma, 0.8)
    gx = cv2.Scharr(soft, cv2.CV_32F, 1, 0, scale=1 / 32)
    gy = cv2.Scharr(soft, cv2.CV_32F, 0, 1, scale=1 / 32)
    xx, xy, yy = np.moveaxis(blur(np.dstack([gx * gx, gx * gy, gy * gy]), sigma), 2, 0)
    across = 0.5 * cv2.phase(xx - yy, 2 * xy)  # the phase is 0..2 pi of the doubled angle
    sure = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (xx + yy + NOISE)
    return Flow(-np.sin(across), np.cos(across), np.asarray(sure, np.float32))


def along(x: Light, flow: Flow, rounds: int = 3, shortest: float = 0.25) -> Light:
    """Smoothed along the flow, over 1, 2, 4 .. pixels both ways: it goes round bends since each round bends anew."""
    length = shortest + (1 - shortest) * flow.sure
    dx, dy = flow.x * length, flow.y * length
    for i in range(rounds):
        step = np.float32(2**i)
        x = np.asarray(x + moved(x, step * dx, step * dy) + moved(x, -step * dx, -step * dy), np.float32) * np.float32(1 / 3)
    return x


def moved(x: Light, dx: Light, dy: Light) -> Light:
    """What lies so many pixels away from each pixel."""
    height, width = dx.shape
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    taken = cv2.remap(x, columns + dx, rows + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(taken, np.float32).reshape(x.shape)


def lines(luma: Light, flow: Flow, width_px: float, low: float, high: float) -> Light:
    """Pen lines on the dark side of edges, 0..1: what is not a line along the flow, such as grain, averages out of it."""
    difference = along(blur(luma, 0.8 * width_px) - blur(luma, 0.5 * width_px), flow)
    return smooth_step(_standing_out(difference, 0.35), low, high)


def _standing_out(x: Light, share: float) -> Light:
    """Less where there is much of it all around: of grass and foliage one draws a few blades."""
    return np.asarray(x - share * blur(np.abs(x), 6), np.float32)


def dabs(x: Light, flow: Flow, reach_px: float, drawn: float = 0.6, even: float = 4e-4) -> Light:
    """Each pixel takes the mean of those dabs around it that are most even: flat patches, sharp edges, no texture.

    Dabs are soft and are weighed, not chosen, so nothing jumps when the picture moves by a part of a pixel. `drawn` is how much
    longer they are along the flow than across."""
    spread = blur(np.dstack([x, np.einsum("hwc,hwc->hw", x, x)]), 0.5 * reach_px)
    unrest = spread[..., 3] - np.einsum("hwc,hwc->hw", spread[..., :3], spread[..., :3])
    both = np.dstack([spread[..., :3], unrest.clip(0, None)])
    longer = 1 + drawn * flow.sure
    total, ones = np.zeros_like(both), np.ones_like(unrest)
    for eighth in range(8):
        to = reach_px * math.cos(eighth * math.pi / 4) * longer
        by = reach_px * math.sin(eighth * math.pi / 4) / longer
        seen = moved(both, to * flow.x - by * flow.y, to * flow.y + by * flow.x)
        weight = even / (even + seen[..., 3])
        seen[..., 3] = ones
        weight *= weight
        total += seen * cv2.merge([weight] * 4)  # quicker than [..., None]
    return held(total[..., :3] / total[..., 3:])


def kept(patches: Light, photo: Light, low: float, high: float, size_px: float = 1.0) -> Light:
    """What is small and strong comes back onto patches that swallowed it: eyes, letters, whiskers."""
    lost = blur(photo, 0.6) - patches
    strong = _standing_out(blur(most(np.abs(lost)), size_px), 0.65)
    return held(patches + lost * smooth_step(strong, low, high)[..., None])


def calmed(patches: Light, sigma: float, even: float) -> Light:
    """What differs by less than about `even` runs into one area; edges stay (a guided filter, the guide being its own luma)."""
    luma = luma_of(patches)[..., None]
    means = blur(np.dstack([patches, luma]), sigma)
    products = blur(np.dstack([patches * luma, luma * luma]), sigma)
    middle, guide = means[..., :3], means[..., 3:]
    slope = (products[..., :3] - middle * guide) / (products[..., 3:] - guide * guide + even * even)
    follow = np.asarray(slope, np.float32)
    rest = middle - follow * guide
    return held(blur(follow, sigma) * luma + blur(rest, sigma))


def texture(luma: Light, sigma: float = 1.6, least: float = 0.010) -> Light:
    """The picture's own fine texture, lifted to one strength everywhere, about -1..1: nothing where there is none."""
    fine = luma - blur(luma, sigma)
    return np.asarray(np.tanh(fine / (least + 1.5 * blur(np.abs(fine), 4))), np.float32)


def combed(x: Light, across: float, down: float, reach_px: int) -> Light:
    """Smoothed along one fixed direction, as the strokes of a hand that hatches."""
    kernel = np.zeros((2 * reach_px + 1, 2 * reach_px + 1), np.float32)
    for t in np.linspace(-1, 1, 8 * reach_px + 1):
        kernel[round(reach_px * (1 + t * down)), round(reach_px * (1 + t * across))] += np.cos(t * np.pi / 2) ** 2
    return np.asarray(cv2.filter2D(x, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101), np.float32)
