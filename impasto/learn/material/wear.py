"""What becomes of a good picture: the named ways to spoil one, so that a network can learn the way back.

Each takes a picture [H,W,3] as float32 in 0..1 and random numbers, and answers with another such picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]  # [H,W,3] in 0..1, or [H,W]
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
HOLE = 0.5  # what stands where the picture is missing
SHRINKS = (cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LINEAR)


def shrunk(whole: Light, scale: int, rng: np.random.Generator) -> Light:
    """The picture `scale` times smaller, as cameras, editors and the web make them: a little soft, a little noisy, often JPEG."""
    sigma = rng.uniform(0, 0.35 * scale)
    soft = cv2.GaussianBlur(whole, (0, 0), sigma) if sigma > 0.2 else whole
    size = whole.shape[1] // scale, whole.shape[0] // scale
    small = np.asarray(cv2.resize(soft, size, interpolation=SHRINKS[rng.integers(len(SHRINKS))]), np.float32)
    if rng.random() < 0.5:
        small += rng.normal(0, rng.uniform(0, 0.015), small.shape).astype(np.float32)
    if rng.random() < 0.5:
        small = compressed(small, int(rng.integers(55, 98)))
    return small.clip(0, 1)


def compressed(picture: Light, quality: int) -> Light:
    """What is left of the picture after it was a JPEG of that quality."""
    stored = cv2.imencode(".jpg", np.rint(picture.clip(0, 1) * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.float32) / np.float32(255)


def grainy(whole: Light, most: float, rng: np.random.Generator) -> Light:
    """The picture with noise: of a sensor (in each colour, pixel by pixel) or of film (grey, clumped, strongest in mid-tones)."""
    strength = rng.uniform(0.1, 1) * most
    noise: Light = rng.normal(0, 1, whole.shape).astype(np.float32)
    if rng.random() < 0.5:
        noise *= rng.uniform(0.5, 1.5, 3).astype(np.float32)
    else:
        grain = cv2.GaussianBlur(noise[..., :1], (0, 0), rng.uniform(0.4, 1.1))
        clumped = grain.astype(np.float32) / max(1e-6, float(grain.std()))
        noise = clumped[..., None] * (np.float32(0.4) + np.float32(2.4) * whole * (1 - whole))
    return np.asarray((whole + strength * noise).clip(0, 1), np.float32)


def holed(whole: Light, rng: np.random.Generator) -> Light:
    """[H,W,4]: the picture with scratches, dust, wires and blotches cut out, and the plane that is 1 there."""
    hole = np.zeros(whole.shape[:2], np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        HOLES[rng.integers(len(HOLES))](hole, rng)
    missing = hole.astype(np.float32)[..., None]
    return np.concatenate([whole * (1 - missing) + HOLE * missing, missing], axis=2)


def _scratch(hole: NDArray[np.uint8], rng: np.random.Generator) -> None:
    height, width = hole.shape
    steps = np.cumsum(rng.normal(0, 0.8, 9)) + rng.uniform(0, width)
    points = np.stack([steps, np.linspace(-1, height, 9)], axis=1).astype(np.int32)
    cv2.polylines(hole, [points], False, 1, int(rng.integers(1, 4)))


def _dust(hole: NDArray[np.uint8], rng: np.random.Generator) -> None:
    height, width = hole.shape
    for _ in range(int(rng.integers(2, 10))):
        centre = int(rng.integers(width)), int(rng.integers(height))
        axes = int(rng.integers(1, 5)), int(rng.integers(1, 8))
        cv2.ellipse(hole, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)


def _wire(hole: NDArray[np.uint8], rng: np.random.Generator) -> None:
    height, width = hole.shape
    ends = rng.uniform(-0.1, 1.1, (2, 2)) * (width, height)
    start, end = ([int(x), int(y)] for x, y in ends)
    cv2.line(hole, start, end, 1, int(rng.integers(2, 8)))


def _blotch(hole: NDArray[np.uint8], rng: np.random.Generator) -> None:
    height, width = hole.shape
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    radii = rng.uniform(0.04, 0.16, 9) * min(height, width)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None] + rng.uniform(0, 1, 2) * (width, height)
    cv2.fillPoly(hole, [points.astype(np.int32)], 1)


HOLES = (_scratch, _dust, _wire, _blotch)


def uncoloured(whole: Light, rng: np.random.Generator) -> Light:
    """The picture in black and white, as one of many stocks would show it: its tone curve and a little grain differ."""
    luma = whole @ LUMA
    curve = luma ** rng.uniform(0.8, 1.25) * rng.uniform(0.85, 1.05) + rng.uniform(0, 0.05)
    grain = rng.normal(0, rng.uniform(0, 0.02), luma.shape).astype(np.float32)
    return np.repeat((curve + grain).clip(0, 1).astype(np.float32)[..., None], 3, axis=2)
