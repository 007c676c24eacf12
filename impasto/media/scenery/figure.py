"""One who walks: rigid painted parts on joints, so that where every thread of the coat goes is known.

Lengths are metres; a part's own frame has its joint at the origin, y down along the limb, and the walker faces +x.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from impasto.media.scenery.light import Colour, Light, developed, linear
from impasto.media.scenery.noise import Field, fbm, lerp, smoothstep
from impasto.media.scenery.stage import Affine, moved, scaled, turned

STRIDE = 1.12  # metres in one full cycle of both legs
STANDS = 0.6  # the part of the cycle in which a foot bears
SPEED = 1.04  # metres per second
REACH = 6.4  # metres from the middle where the walker turns back, out of sight
THIGH, SHIN, UPPER, FORE = 0.43, 0.42, 0.29, 0.26
ANKLE = 0.075  # metres above the ground
HIP = 0.88  # above the ground
SHOULDER = 0.50  # above the hip

COATS = ("b8322a", "2f5d8c", "d8a12c", "3d7a5a", "7a3f6e")
TROUSERS = ("2d3446", "4a3b30", "55585e")
SCARVES = ("f0e2c4", "e2b33c", "5fa3b8", "d9683a")
HAIRS = ("2a1c14", "6b4226", "b98a4a", "8a8680")
SKINS = ("f0c8a4", "d8a57c", "a8714a", "7a4c32")


@dataclass(frozen=True)
class Part:
    """A rigid painted piece: [H,W,4] with alpha multiplied in, and the map from its pixels to its own metres."""

    name: str
    pixels: Field
    to_metres: Affine


Shape = Callable[[Field, Field], Field]  # signed distance in metres, negative inside


class Walker:
    """The figure: made once, posed for any moment."""

    def __init__(self, rng: np.random.Generator, light: Light, fine: float, seed: int) -> None:
        """`fine` is pixels per metre of the parts' pictures; neighbouring seeds wear different coats."""
        self.light, self.fine, self.rng = light, fine, rng
        self.start = float(rng.uniform(-1.9, -0.9)) * light.side
        pick = {name: str(rng.choice(codes)) for name, codes in
                {"trousers": TROUSERS, "scarf": SCARVES, "hair": HAIRS, "skin": SKINS}.items()}
        self.pick = pick | {"coat": COATS[seed % len(COATS)]}
        self._make(self.pick)

    def _make(self, pick: dict[str, str]) -> None:
        """Paint every part, once for each way the walker can face."""
        self.parts: dict[tuple[str, float], Part] = {}
        for way in (1.0, -1.0):
            for name, shape, colour, box in _wardrobe(pick):
                self.parts[name, way] = self._paint(name, shape, colour, box, way)
            self.parts["head", way] = self._head(pick, way)

    def _paint(self, name: str, shape: Shape, code: str, box: tuple[float, float, float, float], way: float) -> Part:
        x, y, to_metres = self._grid(box)
        distance = shape(x, y)
        cells = ((box[2] - box[0]) * 26, (box[3] - box[1]) * 12)
        cloth = fbm(np.random.default_rng(len(name)), x.shape, cells, 5, 0.6)
        folds = np.sin((x * 1.4 - y * 0.55) * 46 + 2.2 * cloth) * smoothstep(0.02, 0.2, y - box[1]) * 0.10
        albedo = linear(code) * (1 + 0.14 * cloth + folds)[..., None]
        if name.endswith("fore"):
            albedo = lerp(albedo, linear(self.pick["skin"]), smoothstep(FORE + 0.012, FORE + 0.022, y)[..., None])
        dim = np.float32(0.62 if name.startswith("far") else 1.0)
        along = 0.15 if name.endswith(("thigh", "shin", "upper", "fore")) else 0.6
        return Part(name, self._shaded(distance, np.asarray(albedo * dim, np.float32), way, along=along), to_metres)

    def _grid(self, box: tuple[float, float, float, float]) -> tuple[Field, Field, Affine]:
        left, top, right, bottom = box
        width, height = int((right - left) * self.fine) + 2, int((bottom - top) * self.fine) + 2
        x = ((np.arange(width) + 0.5) / self.fine + left).astype(np.float32)
        y = ((np.arange(height) + 0.5) / self.fine + top).astype(np.float32)
        xs, ys = np.meshgrid(x, y)
        return xs, ys, moved(left, top) @ scaled(1 / self.fine, 1 / self.fine) @ moved(0.5, 0.5)

    def _shaded(self, distance: Field, albedo: Colour, way: float, form: Field | None = None, along: float = 1.0) -> Field:
        """Round the flat shape: its surface bulges to the viewer and leans away at the rim (of `form`, if that is another).

        `along` says how much it rounds toward the ends as well; limbs hardly do, or their joints would look like beads.
        """
        depth = np.clip(-(distance if form is None else form), 0, 0.075) / 0.075
        bulge = np.sqrt(np.clip(1 - np.square(1 - depth), 0, 1)) * 0.075
        soft = cv2.GaussianBlur(bulge.astype(np.float32), (0, 0), max(0.6, 0.012 * self.fine))
        nx, ny = -np.gradient(soft, axis=1) * self.fine, -np.gradient(soft, axis=0) * self.fine * along
        size = np.sqrt(nx * nx + ny * ny + 1)
        sun = self.light.toward_sun()
        facing = (nx * way * sun[0] - ny * sun[1] + sun[2]) / size
        sky = 0.62 - 0.34 * ny / size
        colour = self.light.shaded(albedo, facing.astype(np.float32), sky.astype(np.float32), 0.85)
        alpha = np.clip(0.5 - distance * self.fine, 0, 1)
        return np.dstack([developed(colour) * alpha[..., None], alpha]).astype(np.float32)

    def _head(self, pick: dict[str, str], way: float) -> Part:
        """A face turned a little to the viewer, hair, and a scarf wound under the chin."""
        x, y, to_metres = self._grid((-0.17, -0.34, 0.19, 0.09))
        skull = np.minimum(_ellipse(x, y, (0.012, -0.15), (0.092, 0.118)), _ellipse(x, y, (0.03, -0.088), (0.062, 0.066)))
        nose = _capsule(x, y, ((0.088, -0.150), (0.104, -0.120)), (0.010, 0.014))
        neck = _capsule(x, y, ((-0.005, -0.08), (-0.012, 0.06)), (0.052, 0.062))
        ear = _ellipse(x, y, (-0.03, -0.135), (0.018, 0.028))
        crown = _ellipse(x, y, (-0.012, -0.188), (0.112, 0.10))
        back = _ellipse(x, y, (-0.058, -0.135), (0.072, 0.125))
        form = np.minimum(crown, back)
        parting = y + 0.205 - 1.9 * np.square(x - 0.02) - 0.25 * (0.06 - x) * (x < 0.06)
        hair = np.minimum(np.maximum(crown, parting), np.maximum(back, x + 0.026))
        scarf = np.minimum(_capsule(x, y, ((-0.075, 0.018), (0.07, -0.004)), (0.048, 0.044)),
                           _capsule(x, y, ((-0.06, 0.045), (0.055, 0.038)), (0.034, 0.036)))
        flesh = np.minimum(np.minimum(skull, nose), neck)
        albedo = np.broadcast_to(linear(pick["skin"]), (*x.shape, 3)).copy()
        for spot, code, strength in _features(x, y):
            albedo = lerp(albedo, linear(code), (strength * smoothstep(0.5 / self.fine, -0.5 / self.fine, spot))[..., None])
        cheek = smoothstep(0.03, 0.0, _ellipse(x, y, (0.045, -0.10), (0.012, 0.01)))
        albedo = lerp(albedo, linear("c96a52"), 0.3 * cheek[..., None])
        picture = self._shaded(flesh, np.asarray(albedo, np.float32), way)
        strands = fbm(np.random.default_rng(3), x.shape, (30, 7), 4, 0.7)
        for layer, over, code, grain in ((ear, ear, "skin", 0.0), (hair, form, "hair", 0.4), (scarf, scarf, "scarf", 0.2)):
            colour = linear(pick[code]) * (1 + grain * strands)[..., None].clip(0.3, 1.9)
            _over(picture, self._shaded(layer, np.asarray(colour, np.float32), way, over))
        return Part("head", picture, to_metres)

    def at(self, seconds: float) -> tuple[float, float, float]:
        """Where the walker is: metres from the middle, which way it faces, and how far it has walked."""
        walked = SPEED * seconds
        lap = np.mod(walked + REACH + self.start * self.light.side, 4 * REACH)
        x = lap - REACH if lap < 2 * REACH else 3 * REACH - lap
        way = 1.0 if lap < 2 * REACH else -1.0
        return float(x) * self.light.side, way * self.light.side, walked

    def posed(self, seconds: float) -> list[tuple[Part, Affine]]:
        """Every part from the farthest to the nearest, with the map from its pixels to metres about the foot on the ground."""
        x, way, walked = self.at(seconds)
        joints = _pose(walked / STRIDE)
        flip = moved(x, 0) @ scaled(way, 1)
        return [(self.parts[name, way], flip @ joints[name] @ self.parts[name, way].to_metres) for name in ORDER]


ORDER = ("far_upper", "far_fore", "far_shoe", "far_shin", "far_thigh", "shoe", "shin", "thigh", "tail", "torso", "bag", "head",
         "upper", "fore")


def _over(under: Field, top: Field) -> None:
    under *= 1 - top[..., 3:]
    under += top


def _ellipse(x: Field, y: Field, at: tuple[float, float], radii: tuple[float, float]) -> Field:
    scaled_to_one = np.hypot((x - at[0]) / radii[0], (y - at[1]) / radii[1])
    return np.asarray((scaled_to_one - 1) * min(radii), np.float32)


def _capsule(x: Field, y: Field, ends: tuple[tuple[float, float], tuple[float, float]], radii: tuple[float, float]) -> Field:
    (ax, ay), (bx, by) = ends
    dx, dy = bx - ax, by - ay
    along = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.asarray(np.hypot(x - ax - along * dx, y - ay - along * dy) - lerp(radii[0], radii[1], along), np.float32)


def _features(x: Field, y: Field) -> list[tuple[Field, str, float]]:
    """Eyes, brows, mouth and the shade under nose and jaw: signed distance, colour, strength."""
    return [
        (_ellipse(x, y, (0.064, -0.150), (0.015, 0.0085)), "f6f1ea", 0.9),
        (_ellipse(x, y, (0.068, -0.150), (0.0075, 0.0085)), "2a1d18", 1.0),
        (_capsule(x, y, ((0.044, -0.157), (0.078, -0.159)), (0.003, 0.003)), "3a2318", 0.9),
        (_capsule(x, y, ((0.040, -0.173), (0.082, -0.177)), (0.0045, 0.004)), "3a2318", 0.8),
        (_ellipse(x, y, (0.013, -0.150), (0.011, 0.0075)), "3a2a22", 0.75),
        (_capsule(x, y, ((-0.004, -0.170), (0.024, -0.174)), (0.0045, 0.004)), "3a2318", 0.7),
        (_capsule(x, y, ((0.054, -0.090), (0.084, -0.083)), (0.004, 0.005)), "a8483e", 0.85),
        (_ellipse(x, y, (0.095, -0.106), (0.014, 0.006)), "8a5040", 0.5),
        (_capsule(x, y, ((-0.03, -0.05), (0.05, -0.028)), (0.014, 0.010)), "7a4030", 0.35),
    ]


def _wardrobe(pick: dict[str, str]) -> list[tuple[str, Shape, str, tuple[float, float, float, float]]]:
    """Every part but the head: name, shape, colour, and the box it lies in."""
    coat, trousers = pick["coat"], pick["trousers"]

    def bone(length: float, thick: float, thin: float) -> Shape:
        return lambda x, y: _capsule(x, y, ((0, 0), (0, length)), (thick, thin))

    def shoe(x: Field, y: Field) -> Field:
        foot = np.minimum(_capsule(x, y, ((-0.03, 0.03), (0.13, 0.05)), (0.05, 0.034)), _ellipse(x, y, (0, 0), (0.05, 0.06)))
        return np.asarray(np.maximum(foot, y - 0.075))

    def torso(x: Field, y: Field) -> Field:
        chest = _capsule(x, y, ((0.0, -0.44), (0.01, 0.0)), (0.135, 0.115))
        return np.asarray(np.minimum(chest, _ellipse(x, y, (0.0, -0.47), (0.15, 0.09))))

    def tail(x: Field, y: Field) -> Field:
        skirt = _capsule(x, y, ((0.0, -0.05), (-0.02, 0.40)), (0.13, 0.215))
        return np.asarray(np.maximum(skirt, y - 0.37 - 0.006 * np.sin(x * 34)))

    def bag(x: Field, y: Field) -> Field:
        strap = np.abs(_capsule(x, y, ((-0.10, 0.02), (0.08, -0.5)), (0.004, 0.004))) - 0.012
        body = np.maximum(np.abs(x + 0.10) - 0.105, np.abs(y - 0.10) - 0.085) - 0.02
        return np.asarray(np.minimum(strap, body))

    limbs: list[tuple[str, Shape, str, tuple[float, float, float, float]]] = []
    for side in ("far_", ""):
        limbs += [
            (side + "thigh", bone(THIGH, 0.092, 0.068), trousers, (-0.12, -0.12, 0.12, THIGH + 0.1)),
            (side + "shin", bone(SHIN, 0.066, 0.048), trousers, (-0.1, -0.1, 0.1, SHIN + 0.08)),
            (side + "shoe", shoe, "3a2418", (-0.1, -0.08, 0.19, 0.1)),
            (side + "upper", bone(UPPER, 0.068, 0.056), coat, (-0.1, -0.1, 0.1, UPPER + 0.08)),
            (side + "fore", _forearm, coat, (-0.1, -0.1, 0.1, FORE + 0.16)),
        ]
    return [*limbs, ("tail", tail, coat, (-0.27, -0.2, 0.25, 0.42)), ("torso", torso, coat, (-0.19, -0.6, 0.19, 0.14)),
            ("bag", bag, "7a5232", (-0.24, -0.55, 0.14, 0.23))]


def _forearm(x: Field, y: Field) -> Field:
    sleeve, hand = _capsule(x, y, ((0, 0), (0, FORE)), (0.056, 0.045)), _ellipse(x, y, (0.005, FORE + 0.05), (0.036, 0.055))
    return np.asarray(np.minimum(sleeve, hand))


def _pose(cycle: float) -> dict[str, Affine]:
    """The joints at one moment of the stride."""
    height = HIP - 0.018 * float(np.cos(4 * np.pi * cycle))
    hip = moved(0, -height)
    joints: dict[str, Affine] = {}
    for side, turn in (("", cycle), ("far_", cycle + 0.5)):
        joints |= {side + name: joint for name, joint in _leg(hip, height, float(np.mod(turn, 1))).items()}
    body = hip @ turned(0.045)
    for side, turn in (("", cycle), ("far_", cycle + 0.5)):
        swing = float(np.cos(2 * np.pi * turn))  # arms go against legs
        upper = body @ moved(-0.01, -SHOULDER + 0.03) @ turned(0.40 * swing)
        joints |= {side + "upper": upper, side + "fore": upper @ moved(0, UPPER) @ turned(-0.32 + 0.2 * swing)}
    sway = 0.05 * np.sin(4 * np.pi * cycle)
    head = body @ moved(0.015, -SHOULDER - 0.075) @ turned(-0.04 + 0.25 * sway)
    return joints | {"torso": body, "bag": body @ turned(sway * 0.6), "tail": body @ turned(0.05 + sway), "head": head}


def _leg(hip: Affine, height: float, turn: float) -> dict[str, Affine]:
    """A leg in its stride: while it stands the foot stays where it is on the ground, and the knee follows from hip and ankle."""
    reach = STANDS * STRIDE / 2
    if turn < STANDS:
        x, swing = reach - turn * STRIDE, 0.0
    else:
        swing = (turn - STANDS) / (1 - STANDS)
        x = -reach + 2 * reach * float(smoothstep(0, 1, swing))
    heel = float(smoothstep(0.36, STANDS, turn)) * (1 - float(smoothstep(0.1, 0.75, swing)))
    toe = float(smoothstep(0.55, 1.0, swing)) + (1 - float(smoothstep(0, 0.1, turn)) if turn < STANDS else 0.0)
    y = height - ANKLE - 0.085 * heel - 0.09 * float(np.sin(np.pi * swing))
    far = min(float(np.hypot(x, y)), THIGH + SHIN - 1e-3)
    # The law of cosines: two bones between hip and ankle, the knee in front.
    ahead = np.arccos((THIGH**2 + far**2 - SHIN**2) / (2 * THIGH * far))
    bend = np.pi - np.arccos((THIGH**2 + SHIN**2 - far**2) / (2 * THIGH * SHIN))
    lean = float(np.arctan2(x, y) + ahead)
    thigh = hip @ turned(-lean)
    shin = thigh @ moved(0, THIGH) @ turned(bend)
    shoe = shin @ moved(0, SHIN) @ turned(lean - bend) @ turned(0.62 * heel - 0.28 * toe)
    return {"thigh": thigh, "shin": shin, "shoe": shoe}
