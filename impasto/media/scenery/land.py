"""Mountains, hills and shores: a field of heights, lit and shadowed, seen once from the front and kept as a card."""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from impasto.media.scenery.light import Colour, Light, developed, linear
from impasto.media.scenery.noise import Field, blur, fbm, lerp, ridged, smoothstep
from impasto.media.scenery.stage import Card

SUPER = 2  # the view is made so many times finer than the card, which smooths every edge

# season -> dark leaf, light leaf, meadow, dry field
GREENS = {
    "spring": ("2f4f20", "86a43c", "7fa046", "b7b564"),
    "summer": ("243f1e", "66843a", "6f8a3e", "c2a456"),
    "autumn": ("4a3c1e", "b97a30", "8a8244", "bf9c58"),
    "winter": ("2c382c", "5c6a58", "dfe4ea", "c9cdd2"),
}


@dataclass(frozen=True)
class Relief:
    """A piece of land as [D,W] fields, front slice first: heights in units, and what the surface is made of."""

    height: Field
    albedo: Colour  # [D,W,3]
    run: float  # units of depth from slice to slice
    rise: float  # units by which the last slice's ground lies higher on the screen than the first's
    metres: tuple[float, float]


def greens(light: Light) -> tuple[Colour, Colour, Colour, Colour]:
    """The colours of leaves and fields in this season."""
    dark, bright, meadow, dry = (linear(code) for code in GREENS[light.season])
    return dark, bright, meadow, dry


def lit(relief: Relief, light: Light, fine: float, steeper: float = 1.5) -> Colour:
    """The colour of every point of the land: sun, cast shadows, sky and the air before it."""
    h = relief.height
    across = np.gradient(h, axis=1).astype(np.float32) * fine
    away = np.gradient(h, axis=0).astype(np.float32) / relief.run
    sun = light.toward_sun()
    across, away = across * steeper, away * steeper  # painters exaggerate relief, and so does the low sun
    size = np.sqrt(across * across + away * away + 1)
    facing = (-across * sun[0] + sun[1] + away * sun[2]) / size
    hollow = np.clip((h - blur(h, 9 * fine)) / (10 + 0.04 * float(h.max())), -0.5, 0.5)
    colour = light.shaded(relief.albedo, facing, 0.8 + 0.6 * hollow + 0.3 / size, 1 - 0.9 * _shadow(h, light, fine))
    metres = np.linspace(*relief.metres, len(h), dtype=np.float32)[:, None]
    return light.through_air(colour, metres)


def _shadow(h: Field, light: Light, fine: float) -> Field:
    """What the land itself keeps from the sun, marching along the rows from the sun's side."""
    fall = np.arange(h.shape[1], dtype=np.float32) * np.float32(0.42 / fine)
    rows = h[:, ::-1] if light.side > 0 else h
    covered = np.maximum.accumulate(rows + fall, axis=1) - fall - rows
    covered = covered[:, ::-1] if light.side > 0 else covered
    return np.asarray(blur(smoothstep(0.5, 7.0, covered).astype(np.float32), 0.7 * fine), np.float32)


def seen(relief: Relief, colour: Colour, top: float, bottom: float, fine: float) -> Field:
    """The land as rows from `top` to `bottom` units above its first slice's ground: [H,W,4], alpha multiplied in.

    Land below 0 is under water and is not seen.
    """
    slices, columns = relief.height.shape
    width, height = columns * SUPER, round((top - bottom) * fine) * SUPER
    ground = np.linspace(0, relief.rise, slices, dtype=np.float32)[:, None]
    level = np.where(relief.height >= 0, relief.height + ground, -1e4).astype(np.float32)
    rows = cv2.resize((top - level) * np.float32(fine * SUPER), (width, slices), interpolation=cv2.INTER_LINEAR)
    place = _first_seen(np.asarray(rows, np.float32), height)
    xs = np.broadcast_to((np.arange(width, dtype=np.float32) - 0.5) / SUPER, place.shape)
    picture = cv2.remap(colour, np.ascontiguousarray(xs), np.maximum(place, 0), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    visible = ((place >= 0) & (place <= slices - 1)).astype(np.float32)
    out = np.dstack([developed(np.asarray(picture, np.float32)) * visible[..., None], visible])
    return np.asarray(cv2.resize(out, (columns, height // SUPER), interpolation=cv2.INTER_AREA), np.float32)


def _first_seen(level: Field, height: int) -> Field:
    """For each pixel of each column the slice, with fraction, that the eye meets first; beyond the last where it meets none."""
    slices, width = level.shape
    top = np.minimum.accumulate(level, axis=0)
    rows = np.clip(np.ceil(top), 0, height).astype(np.int64)
    counts = np.bincount((rows * width + np.arange(width)).ravel(), minlength=(height + 1) * width).reshape(height + 1, width)
    # A slice is in front of row y's surface while its running top lies below y.
    index = slices - np.cumsum(counts, axis=0)[:height]
    this, before = np.clip(index, 0, slices - 1), np.clip(index - 1, 0, slices - 1)
    column = np.arange(width)[None]
    low, high = level[before, column], level[this, column]
    y = np.arange(height, dtype=np.float32)[:, None]
    part = np.clip((low - y) / np.maximum(low - high, 1e-3), 0, 1)
    place = np.where(index == 0, 0, index - 1 + part)
    return np.where(index >= slices, np.float32(slices + 1), place).astype(np.float32)


def card(name: str, relief: Relief, light: Light, place: tuple[float, float, float, float]) -> Card:
    """The land as a card. place: left edge and ground line in units, depth in metres, pixels per unit."""
    left, ground, depth, fine = place
    top = float((relief.height + np.linspace(0, relief.rise, len(relief.height))[:, None]).max()) + 3
    pixels = seen(relief, lit(relief, light, fine), top, 0.0, fine)
    return Card(name, pixels, left, ground - top, fine, depth)


def mountains(
    light: Light, rng: np.random.Generator, width: float, tall: float, fine: float, metres: float, *, slices: int = 260
) -> Relief:
    """A range of rock with snow on its shoulders and woods about its feet."""
    size = (slices, round(width * fine))
    run = tall * 3.0 / slices
    cells = (width / (tall * 1.25), 2.2)
    sharp = ridged(rng, size, cells, 8, 0.58)
    broad = fbm(rng, size, (cells[0] * 0.5, 1.0), 3)
    away = np.linspace(0, 1, slices, dtype=np.float32)[:, None]
    swell = np.clip(smoothstep(0.0, 0.75, away) * (0.62 + 0.30 * broad), 0, None)
    height = swell * (0.34 + 1.1 * sharp)
    height = height / np.quantile(height, 0.998) * tall * smoothstep(0, 0.1, away) + 2 * away
    rough = fbm(rng, size, (width / 26, 18), 5, 0.6)
    height = (height + rough * 0.012 * tall * away).astype(np.float32)
    albedo = _rock(light, rng, height / tall, rough, run, fine)
    return Relief(np.maximum(height, 0.1), albedo, run, tall * 0.1, (metres * 0.8, metres))


def _rock(light: Light, rng: np.random.Generator, high: Field, rough: Field, run: float, fine: float) -> Colour:
    dark, _, meadow, _ = greens(light)
    strata = np.sin(high * 70 + rough * 3.5) * 0.5 + 0.5
    rock = lerp(linear("5d5550"), linear("9a8b7c"), (0.22 * strata + 0.28 * (rough + 1))[..., None])
    steep = np.hypot(np.gradient(high, axis=1) * fine, np.gradient(high, axis=0) / run) * 100
    patches = fbm(rng, high.shape, (24, 9), 5, 0.6)
    woods = smoothstep(0.5, 0.28, high + 0.07 * patches)[..., None]
    green = lerp(dark, meadow * 0.7, smoothstep(-0.3, 1.2, patches)[..., None])
    line = 0.42 if light.season == "winter" else 0.62
    snow = smoothstep(line, line + 0.10, high + 0.06 * patches) * smoothstep(3.4, 1.6, steep)
    return np.asarray(lerp(lerp(rock, green, woods * 0.9), linear("f4f6fa"), snow[..., None]), np.float32)


def hills(
    light: Light,
    rng: np.random.Generator,
    width: float,
    tall: float,
    fine: float,
    metres: float,
    *,
    wooded: float = 0.5,
    slices: int = 300,
) -> Relief:
    """Rounded land: woods whose crowns stand out, meadows, and fields with hedges."""
    size = (slices, round(width * fine))
    run = tall * 3.2 / slices
    away = np.linspace(0, 1, slices, dtype=np.float32)[:, None]
    swell = fbm(rng, size, (width / (tall * 5), 1.6), 4, 0.42)
    height = np.clip(0.42 + 0.34 * swell, 0.03, None) * smoothstep(-0.02, 0.8, away) * tall
    patches = fbm(rng, size, (width / 110, 4.5), 4, 0.55)
    woods = smoothstep(0.05, 0.22, patches + (wooded - 0.5) * 3)
    crowns = np.clip(1.1 - np.abs(fbm(rng, size, (width / 9, 34), 3, 0.55)), 0, None)
    albedo = _fields(light, rng, size, width, woods * crowns)
    albedo = lerp(albedo, _leaves(light, rng, size, width, crowns), woods[..., None])
    height = height + woods * (crowns * 0.5 + 0.5) * tall * 0.085 * smoothstep(0, 0.12, away)
    return Relief(height.astype(np.float32), np.asarray(albedo, np.float32), run, tall * 0.12, (metres * 0.8, metres * 1.3))


def _leaves(light: Light, rng: np.random.Generator, size: tuple[int, int], width: float, crowns: Field) -> Colour:
    dark, bright, meadow, _ = greens(light)
    kinds = fbm(rng, size, (width / 16, 22), 3, 0.7)
    colour = lerp(dark, bright, smoothstep(-1.6, 2.2, kinds + crowns)[..., None])
    return np.asarray(lerp(colour, meadow, 0.15) * (0.45 + 0.6 * crowns[..., None]), np.float32)


def _fields(light: Light, rng: np.random.Generator, size: tuple[int, int], width: float, shade: Field) -> Colour:
    """Patches of different crops, each ploughed its own way, with hedges along their borders."""
    _, _, meadow, dry = greens(light)
    bend = [fbm(rng, size, (width / 300, 2), 3) for _ in range(2)]
    x = np.arange(size[1], dtype=np.float32)[None] / size[1] * np.float32(width / 85) + 0.35 * bend[0]
    z = np.arange(size[0], dtype=np.float32)[:, None] / size[0] * np.float32(6) + 0.35 * bend[1] + 0.2 * x
    crops = rng.random((64, 64)).astype(np.float32)
    crop = crops[np.floor(z).astype(int) % 64, np.floor(x).astype(int) % 64]
    furrow = np.sin((x * np.cos(crop * 9) + z * np.sin(crop * 9)) * 60) * 0.07
    border = np.minimum(np.abs(x - np.round(x)), np.abs(z - np.round(z)))
    hedge = smoothstep(0.07, 0.03, border)
    colour = lerp(meadow, dry, smoothstep(0.35, 0.8, crop)[..., None]) * (0.75 + 0.5 * crop[..., None] + furrow[..., None])
    return np.asarray(lerp(colour, greens(light)[0], 0.75 * hedge[..., None]) * (1 - 0.3 * shade[..., None]), np.float32)
