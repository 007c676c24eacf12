"""The sky: its gradient and sun, high thin cloud, and banks of cumulus whose light is marched through a small volume."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.media.scenery.light import Colour, Light, developed
from impasto.media.scenery.noise import Field, fbm, lerp, smoothstep, warped
from impasto.media.scenery.stage import Affine, Card, moved

MARGIN = 40.0  # units the camera's pan, tilt and roll can reach beyond the frame
PERIOD = 2400.0  # units after which clouds that drift repeat; more than two frames wide
SLICES = 26


@dataclass(frozen=True)
class Extent:
    """What a scene must fill: half its width and its height above the horizon in units, and pixels per unit on cards."""

    half: float
    above: float
    below: float
    fineness: float


@dataclass(frozen=True)
class Bank:
    """A layer of cumulus: where it lies above the horizon, and how big its heaps are."""

    low: float
    high: float
    heaps: int
    width: float
    speed: float  # units per second
    thickness: float


def sky(frame: Extent, light: Light, rng: np.random.Generator) -> Card:
    """The gradient from zenith to horizon with the sun in it; opaque, behind everything."""
    half, top = frame.half + MARGIN, -frame.above - MARGIN
    fine = frame.fineness * 0.5  # nothing in it is sharp
    width, height = round(2 * half * fine), round((frame.above + 2 * MARGIN) * fine)
    x, y = np.meshgrid((np.arange(width) + 0.5) / fine - half, (np.arange(height) + 0.5) / fine + top)
    up = np.clip(-y, 0, None).astype(np.float32)
    colour = lerp(light.horizon, light.middle, smoothstep(0, 170, up)[..., None])
    colour = lerp(colour, light.zenith, smoothstep(70, 460, up)[..., None])
    colour = colour + _sunlight(light, (x - light.sun_at[0]).astype(np.float32), up)
    uneven = fbm(rng, (height, width), (5, 3), 4)
    colour = colour * (1 + 0.025 * uneven[..., None])
    if light.stars > 0:
        colour = colour + _stars(rng, (height, width), up, light.stars)
    pixels = np.dstack([developed(colour), np.ones((height, width), np.float32)])
    return Card("sky", pixels, -half, top, fine, np.inf)


def _sunlight(light: Light, across: Field, up: Field) -> Colour:
    """The glow of the air before the sun, and its disc."""
    distance = np.hypot(across, (up - light.sun_at[1]) * 1.25)
    low = smoothstep(260, 20, light.sun_at[1])
    wide = np.exp(-np.hypot(across / 2.1, up - light.sun_at[1]) / 120)
    glow = light.glow * (0.62 * wide + 0.8 * np.exp(-distance / 42))[..., None] * (0.35 + 0.65 * low)
    strength = 6.0 if light.stars == 0 else 0.0
    disc = np.clip(light.sun, 0, 4) * (strength * (smoothstep(15, 11, distance) + 0.35 * np.exp(-distance / 11)))[..., None]
    return np.asarray(glow + disc, np.float32)


def _stars(rng: np.random.Generator, size: tuple[int, int], up: Field, amount: float) -> Colour:
    sown = np.zeros(size, np.float32)
    count = 260
    rows, columns = rng.random(count), rng.random(count)
    sown[(rows * size[0]).astype(int), (columns * size[1]).astype(int)] = rng.pareto(2.0, count).astype(np.float32)
    spread = cv2.GaussianBlur(np.clip(sown, 0, 6), (0, 0), 0.55)
    return np.asarray((spread * smoothstep(140, 330, up) * amount)[..., None] * np.ones(3, np.float32), np.float32)


def drifting(speed: float) -> Callable[[float], Affine]:
    """A motion along the sky; after PERIOD units the clouds are where they were."""

    def motion(seconds: float) -> Affine:
        return moved(float(np.mod(speed * seconds, PERIOD)) - PERIOD, 0)

    return motion


def veil(frame: Extent, light: Light, rng: np.random.Generator) -> Card:
    """High thin cloud, combed by the wind."""
    low, high = 60.0, frame.above + MARGIN
    fine = frame.fineness * 0.6
    width, height = round(PERIOD * fine), round((high - low) * fine)
    base = fbm(rng, (height, width), (7, 5), 7, 0.62, wrap=True)
    comb = fbm(rng, (height, width), (5, 3), 3, wrap=True) * 46 * fine
    streaks = warped(fbm(rng, (height, width), (9, 16), 7, 0.6, wrap=True), comb * 2, comb * 0.5, wrap=True)
    amount = smoothstep(0.2, 2.1, streaks + 0.5 * base + light.cover) * 0.62
    up = np.linspace(high, low, height, dtype=np.float32)[:, None]
    amount = amount * smoothstep(low, low + 90, up)
    colour = lerp(light.sun * 0.34 + light.shade * 0.5, light.horizon * 1.15, 0.5) * np.ones((height, width, 1), np.float32)
    return _clouds("clouds", colour, amount, frame, (high, fine), 5.0 * light.side)


def cumulus(frame: Extent, light: Light, rng: np.random.Generator, bank: Bank) -> Card:
    """A bank of heaped clouds, lit through and through."""
    fine = frame.fineness * 0.5
    high = bank.high + 30
    size = (round((high - bank.low + 30) * fine), round(PERIOD * fine))
    density = _heaps(rng, size, bank, fine, high)
    shade = _shade(density, light, fine * bank.thickness / SLICES)
    colour, amount = _seen(density, shade, light, fine * bank.thickness / SLICES)
    full = (size[1] * 2, size[0] * 2)
    colour, amount = (np.asarray(cv2.resize(one, full, interpolation=cv2.INTER_CUBIC), np.float32) for one in (colour, amount))
    cells = (PERIOD / 22, (high - bank.low) / 22)
    frayed = [fbm(rng, (full[1], full[0]), cells, 5, 0.7, wrap=True) * (4.2 * fine) for _ in range(2)]
    colour, amount = warped(colour, *frayed, wrap=True), warped(amount, *frayed, wrap=True)
    far = smoothstep(bank.low + 190, bank.low - 20, np.linspace(high, bank.low - 30, full[1], dtype=np.float32))[:, None, None]
    colour = lerp(colour, light.horizon * 0.92, far * 0.4)
    return _clouds("clouds", colour, np.clip(amount, 0, 1), frame, (high, fine * 2), bank.speed * light.side)


def _heaps(rng: np.random.Generator, size: tuple[int, int], bank: Bank, fine: float, high: float) -> Field:
    """Where cloud is: balls heaped on flat bases, eaten into by noise of three dimensions. [D,H,W]"""
    height, width = size
    shape = np.full((SLICES, height, width), -1.0, np.float32)
    for number in range(bank.heaps):
        wide = bank.width * rng.uniform(0.45, 1.45)
        middle = (number + rng.uniform(-0.4, 0.4)) / bank.heaps * PERIOD
        base = bank.low + (bank.high - bank.low) * 0.5 * rng.random() ** 1.5
        tall = min(0.42 * wide, bank.high - base) * rng.uniform(0.6, 1.0)
        columns = np.arange(int((middle - wide) * fine), int((middle + wide) * fine) + 1)
        rows = np.arange(height, dtype=np.float32)
        one = _heap(rng, (wide * fine, tall * fine, fine * middle, fine * (high - base)), rows, columns)
        one -= (smoothstep(-7 * fine, 15 * fine, rows - fine * (high - base)) * 1.5)[None, :, None]
        inside = np.ix_(np.arange(SLICES), np.arange(height), np.mod(columns, width))
        shape[inside] = np.maximum(shape[inside], one)
    noise = _noise3(rng, size, bank)
    for k in range(SLICES):  # melt the balls into one another before the noise eats into them
        shape[k] = cv2.GaussianBlur(np.maximum(shape[k], -0.9), (0, 0), 0.022 * bank.width * fine)
    return np.clip(np.minimum(shape, 0.5) * 1.6 + 0.46 * noise - 0.30, 0, 0.8)


def _heap(rng: np.random.Generator, place: tuple[float, float, float, float], rows: Field, columns: NDArray[np.int64]) -> Field:
    """One cloud alone: big balls low and in the middle, small ones on top of them and out at the ends."""
    wide, tall, middle, base = place
    shape = np.full((SLICES, len(rows), len(columns)), -1.0, np.float32)
    depth = np.linspace(-1, 1, SLICES, dtype=np.float32)
    for _ in range(46):
        across = float(np.clip(rng.normal(0, 0.42), -0.95, 0.95))
        lift = float(rng.random() ** 1.4) * (1 - abs(across)) ** 0.8
        radius = wide * rng.uniform(0.05, 0.16) * (1.15 - 0.7 * max(lift, abs(across)))
        x, y, z = middle + across * wide * 0.6, base - radius * 0.45 - lift * tall, float(rng.uniform(-0.6, 0.6))
        left, right = np.searchsorted(columns, [x - 1.5 * radius, x + 1.5 * radius])
        top, bottom = np.searchsorted(rows, [y - 1.5 * radius, y + 1.5 * radius])
        square = ((columns[left:right] - x) / radius)[None, None, :] ** 2 + ((rows[top:bottom] - y) / radius)[None, :, None] ** 2
        square = square + ((depth - z) / max(0.15, 2.6 * radius / wide))[:, None, None] ** 2
        window = shape[:, top:bottom, left:right]
        np.maximum(window, (1 - square).astype(np.float32), out=window)
    return shape


def _noise3(rng: np.random.Generator, size: tuple[int, int], bank: Bank) -> Field:
    """Noise that changes from slice to slice as smoothly as across: two fields turned into each other."""
    height, width = size
    turn = np.linspace(0, 1, SLICES, dtype=np.float32)[:, None, None] * np.float32(2 * np.pi)
    total = np.zeros((SLICES, height, width), np.float32)
    cells, weight = bank.width * 0.2, 1.0
    for octave in range(6):
        grid = (PERIOD / cells, (bank.high - bank.low + 60) / cells)
        one, other = (fbm(rng, size, grid, 1, wrap=True) for _ in range(2))
        angle = turn * (0.5 * 2**octave)
        total += weight * (one * np.cos(angle) + other * np.sin(angle))
        cells, weight = cells / 2, weight * 0.66
    return total


def _shade(density: Field, light: Light, thick: float) -> Field:
    """How much cloud lies between each point and the sun; the sun stands beside, above and before the bank."""
    toward = np.array([light.side * 0.8, -0.62, 0.42])
    step = moved(-toward[0] / toward[2] * thick, -toward[1] / toward[2] * thick)[:2]
    shade = np.zeros_like(density)
    for k in range(1, len(density)):
        above = shade[k - 1] + density[k - 1] * np.float32(thick / toward[2])
        shade[k] = cv2.warpAffine(above, step, above.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return shade


def _seen(density: Field, shade: Field, light: Light, thick: float) -> tuple[Colour, Field]:
    """Front to back through the volume: colour with alpha not multiplied in, and alpha."""
    size = density.shape[1:]
    through = np.ones(size, np.float32)
    colour = np.zeros((*size, 3), np.float32)
    open_sky = smoothstep(0.0, 0.9, 1 - np.linspace(0, 1, size[0], dtype=np.float32))[:, None]
    for one, dark in zip(density, shade, strict=True):
        amount = 1 - np.exp(-one * np.float32(thick * 0.5))
        # Light that is scattered many times reaches deep: the second, slower term.
        direct = 0.7 * np.exp(-0.45 * dark) + 0.3 * np.exp(-0.07 * dark)
        ambient = 0.5 + 0.45 * open_sky
        here = direct[..., None] * (light.sun * 0.52) + ambient[..., None] * (light.shade * 0.8)
        colour += (through * amount)[..., None] * here
        through *= 1 - amount
    seen = 1 - through
    return colour / np.maximum(seen, 1e-3)[..., None], smoothstep(0.02, 0.85, seen).astype(np.float32)


def _clouds(name: str, colour: Colour, amount: Field, frame: Extent, place: tuple[float, float], speed: float) -> Card:
    """A card twice as wide as the period needs, so that at any moment it fills the frame."""
    high, fine = place
    pixels = np.dstack([developed(colour) * amount[..., None], amount]).astype(np.float32)
    copies = 1 + int(np.ceil((2 * frame.half + 2 * MARGIN) / PERIOD))
    pixels = np.tile(pixels, (1, copies, 1))
    used = round((PERIOD + 2 * frame.half + 2 * MARGIN) * fine)
    return Card(name, np.ascontiguousarray(pixels[:, :used]), -frame.half - MARGIN, -high, fine, np.inf, drifting(speed), PERIOD)
