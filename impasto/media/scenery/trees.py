"""Trees, reeds and grass: clumps of single leaves over grown branches, each leaf lit by where it sits."""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from impasto.media.scenery.land import greens
from impasto.media.scenery.light import Colour, Light, developed, linear
from impasto.media.scenery.noise import Field, lerp

SUPER = 3  # leaves are drawn so many times larger, then averaged


@dataclass(frozen=True)
class Kind:
    """A kind of tree: its crown's proportions, and how its leaves hang."""

    crown: tuple[float, float]  # width and height of the crown as parts of the tree's height
    clumps: int
    clump: float  # radius of a clump as part of the crown's width
    leaf: float  # length of a leaf as part of the tree's height
    trunk: float  # thickness as part of the height
    bark: str
    pointed: float = 0.0  # 0: a round crown, 1: a cone
    tint: float = 0.0  # toward the bright leaf colour


KINDS = {
    "oak": Kind((0.86, 0.70), 62, 0.145, 0.016, 0.045, "4a3d30"),
    "birch": Kind((0.44, 0.78), 52, 0.17, 0.013, 0.020, "c9c4b6", 0.45, 0.35),
    "poplar": Kind((0.22, 0.90), 54, 0.28, 0.012, 0.026, "54483a", 0.30, 0.15),
    "pine": Kind((0.46, 0.86), 120, 0.085, 0.017, 0.030, "4b382c", 1.0, -0.25),
    "old oak": Kind((1.0, 0.66), 130, 0.105, 0.0075, 0.040, "4a3d30"),
    "old birch": Kind((0.52, 0.80), 120, 0.105, 0.0068, 0.020, "c9c4b6", 0.45, 0.35),
    "old pine": Kind((0.50, 0.88), 230, 0.07, 0.010, 0.030, "4b382c", 1.0, -0.25),
    "bush": Kind((1.30, 0.92), 44, 0.15, 0.034, 0.03, "4a3d30"),
}


@dataclass(frozen=True)
class Sprite:
    """A painted thing with alpha multiplied in; its foot stands at (x, y) pixels."""

    pixels: Field  # [H,W,4]
    foot: tuple[float, float]


class Easel:
    """A float canvas [H,W,4] in linear light on which shapes are drawn larger and averaged down.

    Coordinates are final pixels.
    """

    def __init__(self, width: int, height: int, super_: int = SUPER) -> None:
        self.canvas = np.zeros((height * super_, width * super_, 4), np.float32)
        self.super = super_

    def shape(self, points: Field, colour: Colour) -> None:
        """Fill a convex polygon [N,2]."""
        scaled = np.rint(points * (16 * self.super)).astype(np.int32)
        cv2.fillConvexPoly(self.canvas, scaled, (float(colour[0]), float(colour[1]), float(colour[2]), 1.0), cv2.LINE_8, 4)

    def shapes(self, polygons: Field, colours: Colour) -> None:
        """Fill many convex polygons [K,N,2], each in its colour [K,3], in their order."""
        scaled = np.rint(polygons * (16 * self.super)).astype(np.int32)
        inks = np.concatenate([colours, np.ones((len(colours), 1), np.float32)], axis=1).tolist()
        for points, ink in zip(scaled, inks, strict=True):
            cv2.fillConvexPoly(self.canvas, points, ink, cv2.LINE_8, 4)

    def outline(self, points: Field, colour: Colour) -> None:
        """Fill any polygon [N,2]."""
        scaled = np.rint(points * (16 * self.super)).astype(np.int32)
        cv2.fillPoly(self.canvas, [scaled], (float(colour[0]), float(colour[1]), float(colour[2]), 1.0), cv2.LINE_8, 4)

    def limb(self, start: tuple[float, float], end: tuple[float, float], thick: tuple[float, float], colour: Colour) -> None:
        """A tapering bar with flat ends."""
        along = np.array([end[0] - start[0], end[1] - start[1]])
        across = np.array([-along[1], along[0]]) / max(1e-6, float(np.hypot(*along))) / 2
        ends = [start - across * thick[0], start + across * thick[0], end + across * thick[1], end - across * thick[1]]
        self.shape(np.array(ends, np.float32), colour)

    def finished(self, light: Light, metres: float) -> Field:
        """The picture for the screen, alpha multiplied in, behind so much air."""
        height, width = self.canvas.shape[0] // self.super, self.canvas.shape[1] // self.super
        drawn = self.canvas[..., 3] > 0
        self.canvas[drawn, :3] = developed(light.through_air(self.canvas[drawn, :3], metres))
        return np.asarray(cv2.resize(self.canvas, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def tree(kind_name: str, tall_px: float, light: Light, rng: np.random.Generator, metres: float) -> Sprite:
    """One tree, so many pixels tall."""
    kind = KINDS[kind_name]
    width, height = int(tall_px * (kind.crown[0] * 1.25 + 0.1)) + 8, int(tall_px * 1.1) + 8
    easel = Easel(width, height)
    foot = (width / 2, height - 3.0)
    clumps = _clumps(kind, foot, tall_px, rng)[:: int(np.clip(20 / tall_px, 1, 6))]  # a few pixels need no hundred leaves
    _branches(easel, kind, foot, clumps, tall_px, light=light, rng=rng)
    bare = light.season == "winter" and kind_name not in ("pine", "old pine", "bush")
    if bare:
        _twigs(easel, kind, clumps, light, rng)
    else:
        _leaves(easel, kind, clumps, tall_px, light, rng)
    return Sprite(easel.finished(light, metres), foot)


def _clumps(kind: Kind, foot: tuple[float, float], tall: float, rng: np.random.Generator) -> Field:
    """Where leaves gather: [N,5] of x, y, z (to the viewer), radius, and how deep inside the crown."""
    wide, high = kind.crown[0] * tall / 2, kind.crown[1] * tall / 2
    middle = foot[1] - tall + high
    direction = rng.standard_normal((kind.clumps, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    reach = rng.random(kind.clumps) ** 0.4 * 0.86
    x, y, z = (direction * reach[:, None]).T
    narrow = 1 - kind.pointed * (1 - y) / 2 * 0.9  # y -1 is the top
    radius = kind.clump * 2 * wide * rng.uniform(0.7, 1.25, kind.clumps) * (0.45 + 0.55 * narrow)
    lean = wide * 0.08 * rng.standard_normal()
    place = [foot[0] + x * wide * narrow + lean * (1 - y) / 2, middle + y * high, z * wide * narrow, radius, reach]
    return np.array(place).T[np.argsort(z)]


def _branches(
    easel: Easel, kind: Kind, foot: tuple[float, float], clumps: Field, tall: float, *, light: Light, rng: np.random.Generator
) -> None:
    """A trunk, and from it a bough to every clump."""
    bark = light.face(kind.bark, 0.35, 0.8)
    dark = light.face(kind.bark, 0.0, 0.7)
    top = (float(np.median(clumps[:, 0])), foot[1] - tall * 0.86)
    thick = kind.trunk * tall
    knots = [(foot[0] + (top[0] - foot[0]) * t + thick * 0.35 * rng.standard_normal() * (t > 0), foot[1] + (top[1] - foot[1]) * t)
             for t in np.linspace(0, 1, 7)]
    for x, y, _, radius, _ in clumps:
        knot = int(np.clip(np.interp((foot[1] - y - radius) / (tall * 0.86), [0, 1], [1, 5]), 1, 5))
        easel.limb(knots[knot], (float(x), float(y)), (thick * 0.32, thick * 0.1), dark)
    for foot_side in (-1.0, -0.45, 0.4, 1.0):  # roots
        start = (foot[0] + foot_side * thick * 0.25, foot[1] - thick * 1.1)
        easel.limb(start, (foot[0] + foot_side * thick * 0.85, foot[1] + thick * 0.1), (thick * 0.5, thick * 0.2), dark)
    for number in range(6):
        widths = (thick * (1.15 - number / 6), thick * (1.0 - number / 6 * 1.02))
        easel.limb(knots[number], knots[number + 1], widths, dark)
        shift = light.side * thick * 0.2
        lit_ends = [(x + shift, y) for x, y in knots[number : number + 2]]
        easel.limb(lit_ends[0], lit_ends[1], (widths[0] * 0.5, widths[1] * 0.5), bark)
    for _ in range(170 if kind.trunk > 0.018 and thick > 2 else 0):  # bark: ridges that run up the trunk, lit or dark
        t, side = rng.random() * 0.6, rng.uniform(-0.5, 0.5)
        place = t * 6
        x = float(np.interp(place, range(7), [knot[0] for knot in knots])) + side * thick * (1.05 - t)
        lit = float(np.clip(0.5 + side * light.side + 0.3 * rng.standard_normal(), 0, 1))
        y = foot[1] - tall * 0.86 * t
        end = (x + rng.normal() * thick * 0.05, y - thick * rng.uniform(0.3, 0.9))
        easel.limb((x, y), end, (thick * 0.06, thick * 0.03), lerp(dark, bark, lit) * np.float32(rng.uniform(0.6, 1.25)))


def _leaves(easel: Easel, kind: Kind, clumps: Field, tall: float, light: Light, rng: np.random.Generator) -> None:
    """Leaves on the outside of every clump, back clumps first; light falls by the clump's side, the crown's side, and depth."""
    dark, bright, _, _ = greens(light)
    middle, size = clumps[:, :3].mean(0), clumps[:, :3].std(0).max() * 2
    length = max(1.1, kind.leaf * tall)
    for x, y, z, radius, inside in clumps:
        count = int(np.clip((radius / length) ** 2 * 9, 14, 220))
        normal = rng.standard_normal((count, 3))
        normal[:, 2] = np.abs(normal[:, 2]) * 0.9
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        normal = normal[np.argsort(normal[:, 2])]
        at = np.array([x, y]) + normal[:, :2] * radius * rng.uniform(0.55, 1.08, (count, 1))
        of_crown = (np.array([x, y, z]) - middle) / size
        facing = (normal * 0.65 + of_crown * 0.75) * [1, -1, 1] @ light.toward_sun()
        open_sky = np.clip(0.45 + 0.35 * inside - 0.30 * (normal[:, 1] + of_crown[1]), 0.12, 1.3)
        hue = np.clip(0.42 + kind.tint + 0.22 * rng.standard_normal(count) + 0.25 * of_crown[0] * light.side, 0, 1)
        albedo = lerp(dark, bright, hue.astype(np.float32)[:, None])
        # Leaves let light through: those turned from the sun glow a little.
        lit = np.clip(facing, 0.05, None) + 0.16 * np.clip(-facing, 0, None)
        colour = light.shaded(albedo.astype(np.float32), lit.astype(np.float32), open_sky.astype(np.float32))
        easel.shapes(_diamonds(at, rng.uniform(0, np.pi, count), length * rng.uniform(0.7, 1.3, count), kind.pointed), colour)


def _diamonds(at: Field, turn: Field, length: Field, pointed: float) -> Field:
    """Small diamonds [K,4,2] for leaves; needles hang and are thin."""
    if pointed > 0.9:
        turn = 0.25 * (turn - np.pi / 2) + np.where(np.cos(turn) > 0, np.pi * 0.35, np.pi * 0.65)
    along = np.stack([np.cos(turn), np.sin(turn)], axis=1) * length[:, None]
    across = along[:, ::-1] * [-1, 1] * (0.22 if pointed > 0.9 else 0.42)
    return np.stack([at - along * 0.6, at + across, at + along * 0.7, at - across], axis=1).astype(np.float32)


def _twigs(easel: Easel, kind: Kind, clumps: Field, light: Light, rng: np.random.Generator) -> None:
    """What is left in winter: twigs that fan out, some with snow on them."""
    bark, snow = linear(kind.bark) * 0.6, linear("e8eef6")
    for x, y, _, radius, _ in clumps:
        for _ in range(26):
            turn, length = rng.uniform(-np.pi, 0), radius * rng.uniform(0.5, 1.4)
            end = (float(x + np.cos(turn) * length), float(y + np.sin(turn) * length * 1.1))
            albedo = snow if rng.random() < 0.22 else bark
            colour = light.shaded(albedo[None], np.array([0.3 + 0.3 * np.cos(turn) * light.side], np.float32), 0.8)[0]
            easel.limb((float(x), float(y)), end, (radius * 0.045, radius * 0.012), colour)


def grass(
    easel: Easel, light: Light, rng: np.random.Generator, roots: Field, tall: Field, colours: Colour, *, spread: float = 0.35
) -> None:
    """Blades bent by the wind; roots [N,2] from back to front, heights [N] in pixels, colours [N,3] as they are lit."""
    lean = rng.normal(0.12 * light.side, spread, len(roots)) * tall
    wide = np.maximum(0.5, tall * 0.045)
    x, y = roots.T
    half_x, half_y = x + lean * 0.35, y - tall * 0.6

    def polygons(*corners: tuple[Field, Field]) -> Field:
        return np.stack([np.stack(corner, axis=1) for corner in corners], axis=1).astype(np.float32)

    low = polygons((x - wide, y), (x + wide, y), (half_x + wide * 0.7, half_y), (half_x - wide * 0.7, half_y))
    tip = (x + lean, y - tall)
    high = polygons((half_x - wide * 0.7, half_y), (half_x + wide * 0.7, half_y), tip, tip)
    both = np.stack([low, high], axis=1).reshape(-1, 4, 2)
    easel.shapes(both, np.stack([colours * np.float32(0.78), colours], axis=1).reshape(-1, 3))
