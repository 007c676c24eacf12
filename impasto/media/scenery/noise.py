"""Smooth random fields, the same in look at every resolution: octaves are drawn on grids of counted cells, never of pixels."""
from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]  # float32 in all that is kept; smaller sums may be float64
FINEST_PX = 1.6  # cells smaller than this would only alias


def child(rng: np.random.Generator) -> np.random.Generator:
    """Dice of its own for one thing: how often it throws them, which may depend on the resolution, changes nothing else."""
    return np.random.default_rng(int(rng.integers(2**62)))


def fbm(
    rng: np.random.Generator,
    size: tuple[int, int],
    cells: tuple[float, float],
    octaves: int = 6,
    gain: float = 0.5,
    *,
    wrap: bool = False,
) -> Field:
    """A [H,W] field of mean 0 and spread about 1; `cells` counts its largest features across and down.

    `wrap` closes it sideways.
    """
    height, width = size
    total = np.zeros(size, np.float32)
    weight, squares = 1.0, 0.0
    for octave in range(octaves):
        across, down = max(1, round(cells[0] * 2**octave)), max(1, round(cells[1] * 2**octave))
        grid = rng.standard_normal((down + 4, across + 4), np.float32)  # drawn even if not used: later numbers must not shift
        squares += weight * weight
        if width / across >= FINEST_PX and height / down >= FINEST_PX:
            total += weight * _stretched(grid, size, (across, down), wrap)
        weight *= gain
    return total / np.float32(np.sqrt(squares) * 0.7)


def _stretched(grid: Field, size: tuple[int, int], cells: tuple[int, int], wrap: bool) -> Field:
    """A grid of random numbers as a smooth field; the border cells keep the ends from flattening."""
    (height, width), (across, down) = size, cells
    if wrap:
        grid[:, -4:] = grid[:, :4]
    xs = np.arange(width, dtype=np.float32) * np.float32(across / width) + 1
    ys = np.arange(height, dtype=np.float32) * np.float32(down / height) + 1
    return sample(sample(grid, xs, axis=1), ys, axis=0)


def sample(grid: Field, at: Field, axis: int) -> Field:
    """Values between grid lines along one axis, by the cubic B-spline: smooth to the second derivative."""
    base = np.floor(at).astype(np.int64)
    t = at - base
    weights = [(1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6]
    shape = (-1, 1) if axis == 0 else (1, -1)
    last = grid.shape[axis] - 1
    total: Field = np.zeros(1, np.float32)
    for offset, weight in enumerate(weights):
        total = total + np.take(grid, np.clip(base + offset - 1, 0, last), axis) * weight.reshape(shape).astype(np.float32)
    return total


def ridged(
    rng: np.random.Generator, size: tuple[int, int], cells: tuple[float, float], octaves: int = 7, gain: float = 0.5
) -> Field:
    """A [H,W] field of 0..1 with sharp crests, as of mountains: finer crests grow only on the higher ones."""
    total, weight, top = np.zeros(size, np.float32), 1.0, 0.0
    above = np.ones(size, np.float32)
    for octave in range(octaves):
        one = fbm(rng, size, (cells[0] * 2**octave, cells[1] * 2**octave), 1)
        crest = np.square(np.clip(1 - np.abs(one) * 0.75, 0, 1))
        total += weight * crest * above
        above = np.clip(crest * 1.6 * above, 0, 1)
        top += weight
        weight *= gain
    return total / np.float32(top)


def smoothstep(low: float, high: float, value: Any) -> Any:
    """0 below `low`, 1 above `high`, and an even S between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def lerp(one: Any, other: Any, amount: Any) -> Any:
    """Between two values."""
    return one + (other - one) * amount


def blur(field: Field, sigma: float) -> Field:
    """The field, softened."""
    if sigma < 0.2:
        return field
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma), np.float32)


def warped(field: Field, dx: Field, dy: Field, *, wrap: bool = False) -> Field:
    """The field with every point fetched from (dx, dy) pixels away."""
    height, width = field.shape[:2]
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_REFLECT_101
    return np.asarray(cv2.remap(field, xs + dx, ys + dy, cv2.INTER_LINEAR, borderMode=border), np.float32)
