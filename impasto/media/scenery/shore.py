"""What lies near: the bank with its path, grass and flowers, reeds before the lens, and a boat."""
from __future__ import annotations

import numpy as np

from impasto.media.scenery.land import greens
from impasto.media.scenery.light import Colour, Light, developed, linear
from impasto.media.scenery.noise import Field, fbm, lerp, smoothstep
from impasto.media.scenery.stage import FOCAL, TALL, Card
from impasto.media.scenery.trees import Easel, Sprite, grass

BANK = 8.5  # metres: where the path runs
EYE_OVER_BANK = 1.82  # metres from the bank's ground up to the camera
PATH = FOCAL * EYE_OVER_BANK / BANK  # units below the horizon
LAMPLIGHT = linear("ffae58") * np.float32(2)
FLOWERS = ("f4f0e0", "e8c83a", "c84a58", "8a6ac8", "e88a4a")


class Board:
    """A card in the making: sprites are put on it by their feet, in units."""

    def __init__(self, name: str, box: tuple[float, float, float, float], fine: float) -> None:
        """box: left, top, right, bottom in units."""
        self.name, self.fine = name, fine
        self.left, self.top = box[0], box[1]
        self.pixels = np.zeros((round((box[3] - box[1]) * fine), round((box[2] - box[0]) * fine), 4), np.float32)

    def put(self, sprite: Sprite, x: float, y: float) -> None:
        """Stand a sprite's foot at (x, y)."""
        left, top = round((x - self.left) * self.fine - sprite.foot[0]), round((y - self.top) * self.fine - sprite.foot[1])
        height, width = sprite.pixels.shape[:2]
        rows, columns = self.pixels.shape[:2]
        cut = sprite.pixels[max(0, -top) : max(0, rows - top), max(0, -left) : max(0, columns - left)]
        under = self.pixels[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
        under *= 1 - cut[..., 3:]
        under += cut

    def card(self, depth: float) -> Card:
        """The board cut to what was painted."""
        rows, columns = (np.flatnonzero(self.pixels[..., 3].any(axis=axis)) for axis in (1, 0))
        assert len(rows), f"nothing was painted on {self.name}"
        top, left = max(0, int(rows[0]) - 1), max(0, int(columns[0]) - 1)
        cut = np.ascontiguousarray(self.pixels[top : rows[-1] + 2, left : columns[-1] + 2])
        return Card(self.name, cut, self.left + left / self.fine, self.top + top / self.fine, self.fine, depth)


def bank(light: Light, rng: np.random.Generator, half: float, bottom: float, fine: float) -> Card:
    """The near shore: turf and a trodden path in perspective, then grass blade by blade, from back to front."""
    top = 120.0
    width, height = round(2 * half * fine), round((bottom - top) * fine)
    y = (np.arange(height, dtype=np.float32) / fine + top)[:, None] * np.ones((1, width), np.float32)
    x = (np.arange(width, dtype=np.float32) / fine - half)[None] * np.ones((height, 1), np.float32)
    edge = np.clip(178 + 26 * fbm(rng, (1, width), (7, 1), 4)[0] - 34 * light.side * x[0] / half, 126, 236)
    ground, path = _ground(light, rng, x, y)
    easel = Easel(width, height, 2)
    grown = np.repeat(np.repeat(ground, 2, axis=0), 2, axis=1)
    inside = np.repeat(np.repeat(y > edge[None], 2, axis=0), 2, axis=1)
    easel.canvas[..., :3], easel.canvas[..., 3] = grown * inside[..., None], inside
    _grow(easel, light, rng, edge, path, (top, fine))
    return Card("bank", easel.finished(light, BANK), -half, top, fine, BANK)


def _ground(light: Light, rng: np.random.Generator, x: Field, y: Field) -> tuple[Colour, Field]:
    """Turf and path as lit; and how much each pixel is path."""
    metres = FOCAL * EYE_OVER_BANK / y
    right = x * metres / FOCAL
    _, _, meadow, dry = greens(light)
    patches, pebbles = fbm(rng, x.shape, (26, 12), 5, 0.6), fbm(rng, x.shape, (190, 90), 4, 0.7)
    wander = 0.16 * np.sin(right * 0.7 + rng.uniform(0, 6)) + 0.07 * patches
    path = smoothstep(0.72, 0.48, np.abs(metres - BANK + 0.1 - wander))
    earth = lerp(linear("8a6f52"), linear("c9ad84"), smoothstep(-1.5, 1.5, pebbles + 0.6 * patches)[..., None])
    if light.season == "winter":
        earth = lerp(earth, linear("d5dbe4"), smoothstep(-0.4, 0.8, patches)[..., None])
    turf = lerp(meadow * 0.55, dry * 0.7, smoothstep(-0.6, 2.0, patches)[..., None])
    albedo = lerp(turf, earth, path[..., None])
    bumps = np.gradient(pebbles * 0.5 + patches, axis=1) * light.side * 1.2
    facing = np.clip(0.5 + bumps, 0.05, 1.0) * (1 - 0.4 * smoothstep(0.0, 1.2, fbm(rng, x.shape, (5, 3), 3)))
    return light.shaded(np.asarray(albedo, np.float32), np.asarray(facing, np.float32), 0.9), np.asarray(path, np.float32)


def _grow(
    easel: Easel, light: Light, rng: np.random.Generator, edge: Field, path: Field, place: tuple[float, float]
) -> None:
    """Grass where nobody walks, tall by the water, with flowers in it."""
    top, fine = place
    height, width = path.shape
    count = min(17000, height * width // 3)
    columns, rows = rng.random(count) * (width - 1), np.sort(rng.random(count)) * (height - 1)
    at = rows.astype(int), columns.astype(int)
    y = rows / fine + top
    beside = y - edge[at[1]]
    keep = (beside > -2) & (rng.random(count) > path[at] * 1.1)
    columns, y, beside, rows = columns[keep], y[keep], beside[keep], rows[keep]
    metres = FOCAL * EYE_OVER_BANK / y
    by_water = np.exp(-np.clip(beside, 0, None) / 14)
    tall = (0.10 + 0.13 * rng.random(len(y)) + 0.34 * by_water * rng.random(len(y))) * FOCAL / metres * fine
    tall *= 0.75 + 0.4 * smoothstep(-0.8, 1.2, fbm(rng, (height, width), (17, 5), 3)[rows.astype(int), columns.astype(int)])
    tall *= 1 - 0.55 * path[rows.astype(int), columns.astype(int)]
    patches = fbm(rng, (height, width), (14, 6), 3)[rows.astype(int), columns.astype(int)]
    colours = blades(light, rng, patches)
    flowers = rng.random(len(y)) < np.clip(0.05 * (patches + 0.4), 0, 0.1) * (light.season in ("spring", "summer"))
    roots = np.stack([columns, rows], axis=1)
    code = str(rng.choice(FLOWERS)), str(rng.choice(FLOWERS))
    start = 0
    for index in [*np.flatnonzero(flowers), len(roots)]:
        grass(easel, light, rng, roots[start:index], tall[start:index], colours[start:index])
        if index < len(roots):
            _flower(easel, light, roots[index], float(tall[index]), code[index % 2])
        start = index


def tufts(light: Light, rng: np.random.Generator, high: float, wide: float, fine: float) -> Sprite:
    """A clump of grass, to hide where things stand in the ground."""
    width, height = round(wide * fine) + 8, round(high * 1.2 * fine) + 4
    easel = Easel(width, height)
    count = round(wide * 0.9)
    place = np.clip(rng.normal(0.5, 0.2, count), 0.06, 0.94)
    roots = np.stack([place * width, height - 2 - 5 * fine * rng.random(count)], axis=1)
    roots = roots[np.argsort(roots[:, 1])]
    tall = high * fine * rng.uniform(0.35, 1.0, count) * (1 - np.abs(place - 0.5) * 1.2)
    grass(easel, light, rng, roots, tall, blades(light, rng, rng.standard_normal(count).astype(np.float32)))
    return Sprite(easel.finished(light, BANK), (width / 2, height - 5.0 * fine))


def stone(light: Light, rng: np.random.Generator, wide: float, fine: float) -> Sprite:
    """A boulder, cut by many small facets, mossy on top."""
    width, height = round(wide * fine) + 6, round(wide * 0.7 * fine) + 6
    easel = Easel(width, height)
    x, y = np.meshgrid(np.linspace(-1.1, 1.1, width * easel.super), np.linspace(1.15, -0.25, height * easel.super))
    rough = fbm(rng, x.shape, (5, 4), 5, 0.6)
    body = (1 - np.square(x) - np.square(np.clip(y, 0, None)) + 0.12 * rough).astype(np.float32)
    swell = np.sqrt(np.clip(body, 0.0, None)) + 0.05 * rough
    nx, ny = -np.gradient(swell, axis=1) * width * 1.3, np.gradient(swell, axis=0) * height * 1.6
    size = np.sqrt(nx * nx + ny * ny + 1)
    sun = light.toward_sun()
    facing = (nx * sun[0] + ny * sun[1] + sun[2]) / size
    moss = smoothstep(0.25, 0.8, ny / size + 0.25 * rough)[..., None]
    albedo = lerp(linear("5c5852"), linear("a39a8c"), smoothstep(-1.5, 1.5, rough)[..., None])
    albedo = lerp(albedo, greens(light)[2] * 0.8, moss * 0.7)
    inside = (body > 0) & (y > -0.12 + 0.05 * rough)
    easel.canvas[..., :3] = light.shaded(np.asarray(albedo, np.float32), facing.astype(np.float32), 0.75) * inside[..., None]
    easel.canvas[..., 3] = inside
    return Sprite(easel.finished(light, BANK), (width / 2, height - 4.0 * fine))


def blades(light: Light, rng: np.random.Generator, patches: Field) -> Colour:
    """The lit colour of so many blades, greener or drier from patch to patch."""
    dark, bright, meadow, dry = greens(light)
    many = len(patches)
    albedo = lerp(dark, meadow, rng.random((many, 1)))
    albedo = lerp(albedo, dry, smoothstep(0.2, 2.4, patches + 0.7 * rng.standard_normal(many))[:, None])
    albedo = lerp(albedo, bright, 0.4 * rng.random((many, 1)))
    facing = np.clip(rng.normal(0.45, 0.3, many), 0.02, 1.2)
    return light.shaded(np.asarray(albedo, np.float32), facing.astype(np.float32), 0.75)


def _flower(easel: Easel, light: Light, root: Field, tall: float, code: str) -> None:
    size = max(0.4, tall * 0.085)
    middle = np.array([root[0], root[1] - tall])
    angles = np.linspace(0, 2 * np.pi, 7)[:-1]
    colour = light.face(code, 0.55, 0.8)
    ring = np.stack([np.cos(angles), 0.75 * np.sin(angles)], axis=1)
    easel.shape((middle + ring * size).astype(np.float32), colour)
    easel.shape((middle + ring * size * 0.35).astype(np.float32), colour * np.float32(0.45))


def reeds(light: Light, rng: np.random.Generator, half: float, bottom: float, fine: float) -> Card:
    """Tall stems before the lens, dark against the light, in the corners where they frame the picture."""
    width, high = round(2 * half * fine), 250.0
    easel = Easel(width, round(high * fine), 2)
    count = 230
    corner = np.where(rng.random(count) < 0.62, -light.side, light.side)
    ends = corner * half * np.clip(1 - np.abs(rng.normal(0, 0.26, count)), 0.1, 1)
    columns = (ends + half) * fine
    tall = (rng.random(count) ** 1.5 * 0.72 + 0.16) * high * fine * smoothstep(0.12, 0.75, np.abs(ends) / half)
    colours = blades(light, rng, rng.standard_normal(count).astype(np.float32)) * np.float32(0.5)
    roots = np.stack([columns, np.full(count, high * fine - 1)], axis=1)
    grass(easel, light, rng, roots, tall, colours, spread=0.22)
    for index in np.flatnonzero(rng.random(count) < 0.12):
        _plume(easel, light, rng, (float(columns[index]), high * fine), float(tall[index]) * 1.15)
    return Card("reeds", easel.finished(light, 4.0), -half, bottom - high, fine, 5.2)


def _plume(easel: Easel, light: Light, rng: np.random.Generator, root: tuple[float, float], tall: float) -> None:
    lean = tall * rng.normal(0.08, 0.12)
    tip = (root[0] + lean, root[1] - tall)
    stem = light.face("7a6a48", 0.3, 0.6)
    easel.limb(root, tip, (tall * 0.014, tall * 0.008), stem)
    for _ in range(70):
        t = rng.random()
        x, y = tip[0] - lean * 0.25 * t + rng.normal() * tall * 0.014, tip[1] + tall * 0.24 * t
        colour = light.face("b89a6c", rng.random(), 0.7)
        easel.limb((x, y), (x + rng.normal() * tall * 0.02, y - tall * 0.03), (tall * 0.009, tall * 0.003), colour)


def boat(tall_px: float, light: Light, rng: np.random.Generator, metres: float) -> Sprite:
    """A sailing boat with two sails; its foot is the middle of the waterline."""
    width, height = int(tall_px * 1.0) + 8, int(tall_px * 1.08) + 8
    easel = Easel(width, height, 4)
    x, line, t = width / 2, height - 3.0, tall_px
    hull, wood = str(rng.choice(["2d5a7a", "8a3028", "e8e4da", "3a6a52"])), "6a4a34"
    for step in range(12):  # planks from the waterline up, each wider and lighter
        low, high = step / 12, (step + 1.1) / 12
        colour = light.face(hull, 0.25 + 0.4 * low, 0.7 + 0.3 * low)
        stern = [(x - t * (0.30 + 0.10 * v), line - t * 0.15 * v) for v in (low, high)]
        bow = [(x + t * (0.34 + 0.13 * v), line - t * 0.19 * v) for v in (high, low)]
        easel.shape(np.array([*stern, *bow], np.float32), colour)
    easel.limb((x - t * 0.4, line - t * 0.15), (x + t * 0.47, line - t * 0.19), (t * 0.02,) * 2, light.face(wood, 0.7))
    easel.limb((x, line - t * 0.15), (x, line - t), (t * 0.018, t * 0.01), light.face(wood, 0.4))
    cloth = str(rng.choice(["f2e6d0", "e2c39a", "b5482e"]))
    for head, tack, clew in (((-0.02, 0.97), (-0.02, 0.22), (-0.40, 0.24)), ((0.02, 0.90), (0.02, 0.26), (0.42, 0.22))):
        _sail(easel, light, np.array([x, line]) + np.array([head, tack, clew]) * [t, -t], cloth)
    return Sprite(easel.finished(light, metres), (x, line))


def _sail(easel: Easel, light: Light, corners: Field, code: str) -> None:
    """Cloth in strips from the mast outward, bellied by the wind; corners: head, tack, clew."""
    head, tack, clew = corners
    for strip in range(14):
        u, v = strip / 14, min(1.0, (strip + 1.05) / 14)
        belly = [np.array([0.0, 0.05 * np.ptp([tack[1], head[1]]) * np.sin(np.pi * w)]) for w in (u, v)]
        tops, feet = [head + (clew - head) * 0.06 * w for w in (u, v)], [lerp(tack, clew, w) for w in (u, v)]
        points = np.array([tops[0], feet[0] + belly[0], feet[1] + belly[1], tops[1]], np.float32)
        turn = 0.75 - 0.55 * abs(u - (0.35 if light.side > 0 else 0.65)) * 2
        easel.shape(points, light.face(code, turn, 0.75 - 0.2 * (strip % 4 == 0)))


def halo(x: float, y: float, depth: float, radius: float, fine: float, *, strength: float) -> Card:
    """The glow around a lamp: light that is added, with no body of its own (its alpha is 0)."""
    side = max(8, round(2 * radius * fine * 0.5))
    at = np.linspace(-1, 1, side, dtype=np.float32)
    away = np.hypot(at[:, None], at[None])
    fall = np.clip(1 - away, 0, 1) ** 2 * (0.30 + 0.7 * np.exp(-away * 9))
    pixels = np.zeros((side, side, 4), np.float32)
    pixels[..., :3] = fall[..., None] * developed(LAMPLIGHT) * np.float32(strength)
    return Card("glow", pixels, x - radius, y - radius, side / (2 * radius), depth)


def frame_bottom(horizon: float) -> float:
    """How far below the horizon cards must reach to fill the frame wherever the camera goes."""
    return TALL - horizon + 60
