"""Houses, a church and a lamp: walls, tiled roofs, and windows that burn when it grows dark."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from impasto.media.scenery.light import Colour, Light, linear
from impasto.media.scenery.noise import Field, lerp
from impasto.media.scenery.trees import Easel, Sprite

WALLS = ("e9dcc3", "d9b48a", "c98a6a", "e6e0d4", "b9c0b4", "d8c06e", "a8553f")
ROOFS = ("8a4030", "6d3a30", "4e5560", "7b5a44", "9a4a30")
LAMP = linear("ffb45a")


@dataclass(frozen=True)
class House:
    """The measures of one house in pixels; the gable faces the viewer, the long side recedes to the sun's or the other side."""

    gable: float
    side: float  # how wide the receding wall looks; negative: to the left
    wall: float
    roof: float
    walls: str
    tiles: str
    floors: int
    timbered: bool


class Mason:
    """Draws walls in linear light, each plane by how it faces the sun."""

    def __init__(self, easel: Easel, light: Light, rng: np.random.Generator) -> None:
        self.easel, self.light, self.rng = easel, light, rng
        sun = light.toward_sun()
        self.front = float(max(0.0, sun[2])) * 0.8
        self.flank = {1: float(max(0.0, sun[0])), -1: float(max(0.0, -sun[0]))}

    def colour(self, code: str, facing: float, sky: float = 0.9) -> Colour:
        """A surface of this colour, as lit."""
        return self.light.face(code, facing, sky)

    def wall(self, points: list[tuple[float, float]], code: str, facing: float) -> None:
        """A plane with stains, courses of stone or plaster that came off, from its four corners: top left, clockwise."""
        base = self.colour(code, facing)
        corners = np.array(points, np.float32)
        self.easel.outline(corners, base)
        for _ in range(70):
            u, v = self.rng.random(2)
            size = 0.02 + 0.07 * self.rng.random()
            self._patch(corners, (u, v, u + size, v + size * 0.6), base * float(self.rng.normal(1.0, 0.09)))
        for v in (0.86, 0.92, 0.97):
            self._patch(corners, (0, v, 1, 1), base * (1.55 - 0.8 * v))

    def roof(self, points: list[tuple[float, float]], code: str, facing: float) -> None:
        """Courses of tiles, no two of one colour."""
        corners = np.array(points, np.float32)
        tall = float(np.abs(corners[3, 1] - corners[0, 1]))
        rows, columns = max(3, int(tall / 3.2)), max(4, int(np.ptp(corners[:, 0]) / 4.5))
        snow = linear("eef2f8") if self.light.season == "winter" else linear(code)
        base = self.light.shaded(lerp(linear(code), snow, 0.85)[None], np.array([facing], np.float32), 1.1)[0]
        for row in range(rows):
            for column in range(columns):
                shift = 0.5 * (row % 2)
                left, top = (column + shift - 0.5) / columns, row / rows
                tone = float(self.rng.normal(1.0, 0.13) * (0.86 + 0.24 * (row % 2)))
                self._patch(corners, (left, top, left + 1 / columns, top + 1.15 / rows), base * tone)

    def window(self, corners: Field, at: tuple[float, float], size: tuple[float, float], facing: float) -> None:
        """A frame, panes that burn or mirror the sky, a sill, and sometimes shutters."""
        (u, v), (w, h) = at, size
        lit = self.rng.random() < 0.25 + 0.45 * min(1.0, self.light.lamps)
        glass = LAMP * np.float32(self.light.lamps * self.rng.uniform(0.7, 1.9)) if lit else self.light.zenith * np.float32(0.35)
        if self.rng.random() < 0.5:
            shutter = self.colour(str(self.rng.choice(["4d6a5a", "7a3b30", "3f5878"])), facing)
            for left in (u - w * 0.98, u + w * 0.52):
                self._patch(corners, (left, v - h / 2, left + w * 0.46, v + h / 2), shutter)
        self._patch(corners, (u - w * 0.58, v - h * 0.58, u + w * 0.58, v + h * 0.58), self.colour("e8e0d0", facing * 0.9))
        for i in range(2):
            for j in range(3):
                left, top = u - w / 2 + i * w * 0.53, v - h / 2 + j * h * 0.345
                fade = 1.15 - 0.2 * j if lit else 0.7 + 0.3 * (2 - j)
                self._patch(corners, (left, top, left + w * 0.47, top + h * 0.31), glass * np.float32(fade))
        self._patch(corners, (u - w * 0.7, v + h * 0.58, u + w * 0.7, v + h * 0.7), self.colour("b8ab98", facing))

    def _patch(self, corners: Field, box: tuple[float, float, float, float], colour: Colour) -> None:
        u0, v0, u1, v1 = box
        self.easel.outline(np.array([_inside(corners, *p) for p in ((u0, v0), (u1, v0), (u1, v1), (u0, v1))]), colour)

    def windows(self, points: list[tuple[float, float]], columns: int, floors: int, facing: float) -> None:
        """Rows of windows on a wall."""
        corners = np.array(points, np.float32)
        for floor in range(floors):
            for column in range(columns):
                at = ((column + 0.5) / columns, (floor + 0.42) / floors * 0.92)
                self.window(corners, at, (0.34 / columns, 0.46 / floors), facing)


def _inside(corners: Field, u: float, v: float) -> Field:
    """The point at (u, v) between four corners: top left, clockwise."""
    top, bottom = lerp(corners[0], corners[1], min(u, 1.0)), lerp(corners[3], corners[2], min(u, 1.0))
    return np.asarray(lerp(top, bottom, min(v, 1.0)), np.float32)


def house(tall_px: float, light: Light, rng: np.random.Generator, metres: float) -> Sprite:
    """One house, so many pixels from its foot to the ridge."""
    plan = House(
        gable=tall_px * rng.uniform(0.55, 0.75),
        side=tall_px * rng.uniform(0.6, 1.1) * (1 if rng.random() < 0.5 else -1),
        wall=tall_px * 0.60,
        roof=tall_px * 0.40,
        walls=str(rng.choice(WALLS)),
        tiles=str(rng.choice(ROOFS)),
        floors=2 if rng.random() < 0.6 else 1,
        timbered=bool(rng.random() < 0.3),
    )
    width, height = int(plan.gable + abs(plan.side) + tall_px * 0.3) + 6, int(tall_px * 1.3) + 6
    easel = Easel(width, height, 3)
    left = tall_px * 0.12 + (abs(plan.side) if plan.side < 0 else 0) + 3
    _build(Mason(easel, light, rng), plan, left, height - 2.0)
    return Sprite(easel.finished(light, metres), (left + plan.gable / 2 + plan.side / 2, height - 2.0))


def _build(mason: Mason, plan: House, left: float, ground: float) -> None:
    right, eaves, ridge = left + plan.gable, ground - plan.wall, ground - plan.wall - plan.roof
    way = 1 if plan.side > 0 else -1
    near, far = (right, right + plan.side) if way > 0 else (left, left + plan.side)
    back = plan.wall * 0.06  # the far end lies a little higher, as seen from a standing height
    flank = [(near, eaves), (far, eaves - back * 0.3), (far, ground - back), (near, ground)]
    flank = flank if way > 0 else [flank[1], flank[0], flank[3], flank[2]]
    mason.wall(flank, plan.walls, mason.flank[way] * 0.9)
    mason.windows(flank, 3, plan.floors, mason.flank[way])
    middle = left + plan.gable / 2
    front = [(left, eaves), (right, eaves), (right, ground), (left, ground)]
    gable = np.array([(left, eaves), (middle, ridge), (right, eaves)], np.float32)
    mason.easel.outline(gable, mason.colour(plan.walls, mason.front))
    mason.wall(front, plan.walls, mason.front)
    if plan.timbered:
        _timber(mason, plan, front, (middle, ridge))
    mason.windows(front, 2, plan.floors, mason.front)
    attic = np.array([(left, ridge), (right, ridge), (right, eaves), (left, eaves)], np.float32)
    mason.window(attic, (0.5, 0.7), (0.13, 0.3), 0.3)
    _chimney(mason, (middle + plan.side * 0.65, ridge), plan.roof)
    _roof(mason, plan, (left, right, eaves, ridge), (middle, way))


def _roof(mason: Mason, plan: House, box: tuple[float, float, float, float], turn: tuple[float, int]) -> None:
    left, right, eaves, ridge = box
    middle, way = turn
    over = plan.gable * 0.07
    near, far = (right + over, right + plan.side + over) if way > 0 else (left - over, left + plan.side - over)
    slope = [(middle, ridge - over), (middle + plan.side, ridge - over), (far, eaves + over), (near, eaves + over)]
    slope = slope if way > 0 else [slope[1], slope[0], slope[3], slope[2]]
    mason.roof(slope, plan.tiles, 0.35 + 0.6 * mason.flank[way])
    edge = mason.colour("5a4636", mason.front)
    for end in (left - over, right + over):
        mason.easel.limb((middle, ridge - over), (end, eaves + over), (over * 0.8, over * 0.8), edge)


def _timber(mason: Mason, plan: House, front: list[tuple[float, float]], peak: tuple[float, float]) -> None:
    beam, thick = mason.colour("4a3526", mason.front), plan.gable * 0.045
    (left, eaves), (right, _), (_, ground), _ = front
    for t in (0.0, 0.5, 1.0):
        x = left + (right - left) * t
        mason.easel.limb((x, eaves), (x, ground), (thick, thick), beam)
    for y in (eaves, (eaves + ground) / 2):
        mason.easel.limb((left, y), (right, y), (thick, thick), beam)
    mason.easel.limb((left, ground), ((left + right) / 2, (eaves + ground) / 2), (thick, thick), beam)
    mason.easel.limb(peak, (peak[0], eaves), (thick, thick), beam)


def _chimney(mason: Mason, at: tuple[float, float], tall: float) -> None:
    x, y = at
    wide = tall * 0.22
    top, foot = y - tall * 0.3, y + tall * 0.5
    mason.wall([(x - wide, top), (x, top), (x, foot), (x - wide, foot)], "8d5a48", mason.front)
    mason.wall([(x, top), (x + wide * 0.6, top), (x + wide * 0.6, foot), (x, foot)], "8d5a48", mason.flank[1])


def church(tall_px: float, light: Light, rng: np.random.Generator, metres: float) -> Sprite:
    """A tower with a spire beside a nave."""
    width, height = int(tall_px * 0.95) + 8, int(tall_px * 1.06) + 8
    easel = Easel(width, height, 3)
    mason = Mason(easel, light, rng)
    ground, tower = height - 2.0, tall_px * 0.17
    left, eaves = 6.0 + tower * 0.2, ground - tall_px * 0.55
    nave = [(left + tower, ground - tall_px * 0.26), (left + tall_px * 0.74, ground - tall_px * 0.26),
            (left + tall_px * 0.74, ground), (left + tower, ground)]
    mason.wall(nave, "d8ccb4", mason.front)
    mason.windows(nave, 4, 1, mason.front)
    roof = [(left + tower, ground - tall_px * 0.42), (left + tall_px * 0.68, ground - tall_px * 0.42),
            (left + tall_px * 0.77, ground - tall_px * 0.25), (left + tower, ground - tall_px * 0.25)]
    mason.roof(roof, "5a3c34", 0.55)
    front = [(left, eaves), (left + tower, eaves), (left + tower, ground), (left, ground)]
    mason.wall(front, "d8ccb4", mason.front)
    flank = [(left + tower, eaves), (left + tower * 1.35, eaves), (left + tower * 1.35, ground), (left + tower, ground)]
    mason.wall(flank, "d8ccb4", mason.flank[1])
    mason.windows(front, 1, 4, mason.front)
    peak = (left + tower * 0.68, ground - tall_px)
    easel.shape(np.array([(left - 2, eaves), peak, (left + tower, eaves)], np.float32), mason.colour("4e5560", mason.front))
    turned_away = np.array([(left + tower, eaves), peak, (left + tower * 1.38, eaves)], np.float32)
    easel.shape(turned_away, mason.colour("4e5560", mason.flank[1]))
    return Sprite(easel.finished(light, metres), (left + tall_px * 0.35, ground))


def lamp_post(tall_px: float, light: Light, metres: float) -> Sprite:
    """An iron post with a lantern."""
    width, height = int(tall_px * 0.3) + 8, int(tall_px * 1.05) + 8
    easel = Easel(width, height, 4)
    mason = Mason(easel, light, np.random.default_rng(0))
    x, ground, top = width / 2, height - 2.0, height - 2.0 - tall_px
    iron, edge = mason.colour("2a2c30", 0.2), mason.colour("77706a", 0.6)
    thick = tall_px * 0.018
    for start, end, wide in ((1.0, 0.96, 3.4), (0.97, 0.86, 2.2), (0.86, 0.14, 1.0), (0.5, 0.485, 1.7), (0.2, 0.18, 1.9)):
        easel.limb((x, ground - tall_px * (1 - start)), (x, top + tall_px * end), (thick * wide, thick * wide * 0.9), iron)
        shift = light.side * thick * wide * 0.28
        easel.limb((x + shift, ground - tall_px * (1 - start)), (x + shift, top + tall_px * end), (thick * wide * 0.2,) * 2, edge)
    wide, low, high = tall_px * 0.05, top + tall_px * 0.145, top + tall_px * 0.045
    glass = LAMP * np.float32(0.35 + 2.4 * light.lamps)
    easel.shape(np.array([(x - wide, high), (x + wide, high), (x + wide * 0.6, low), (x - wide * 0.6, low)], np.float32), glass)
    for a, b in ((-1, -0.6), (0, 0), (1, 0.6)):
        easel.limb((x + wide * a, high), (x + wide * b, low), (thick * 0.4, thick * 0.4), iron)
    easel.shape(np.array([(x - wide * 1.2, high), (x, top), (x + wide * 1.2, high)], np.float32), iron)
    easel.limb((x, top - tall_px * 0.02), (x, top + 2), (thick * 0.5, thick * 0.8), iron)
    return Sprite(easel.finished(light, metres), (x, ground))
