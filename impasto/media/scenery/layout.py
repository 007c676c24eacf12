"""Where everything stands: a seed becomes a scene."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from impasto.media.scenery import houses, land, shore, sky, trees
from impasto.media.scenery.figure import Walker
from impasto.media.scenery.light import Light, choose, developed
from impasto.media.scenery.noise import Field, child, fbm, smoothstep
from impasto.media.scenery.stage import EYE, FOCAL, TALL, Affine, Card, leaning, moved, turned
from impasto.media.scenery.water import Lake

FAR_SHORE, HEADLAND, BOAT, TREE = 300.0, 78.0, 46.0, 10.5  # metres


@dataclass(frozen=True)
class Scene:
    """A scene's cards in the order they are laid: behind the water, standing in it, on the bank, and before the walker."""

    light: Light
    horizon: float
    far: list[Card]
    afloat: list[Card]
    near: list[Card]
    front: list[Card]
    lake: Lake
    walker: Walker
    phase: float  # of the camera's move


@dataclass(frozen=True)
class Studio:
    """What every builder needs: light, chance, half the frame's width with room for the camera's moves, and pixels per unit."""

    light: Light
    rng: np.random.Generator
    half: float
    fine: float
    seed: int


def build(width: int, height: int, seed: int) -> Scene:
    """Make the scene of a seed for frames of this size."""
    rng = np.random.default_rng(seed)
    light = choose(seed, rng)
    scale = height / TALL
    horizon = TALL * float(rng.uniform(0.47, 0.53))
    half, fine = width / scale / 2, scale * 1.2
    extent = sky.Extent(half, horizon, TALL - horizon, fine)

    def studio() -> Studio:
        return Studio(light, child(rng), half, fine, seed)

    return Scene(
        light=light,
        horizon=horizon,
        far=[*_heavens(extent, light, child(rng)), *_distance(studio()), _sun_glow(extent, light)],
        afloat=_afloat(studio()),
        near=_near(studio(), horizon),
        front=[shore.reeds(light, child(rng), half + 260, shore.frame_bottom(horizon), fine)],
        lake=Lake(child(rng), light, float(rng.uniform(0.5, 1.0)) * (1.4 if light.name == "storm" else 1.0)),
        walker=Walker(child(rng), light, FOCAL / shore.BANK * fine, seed),
        phase=float(rng.uniform(0, 2 * np.pi)),
    )


def _heavens(extent: sky.Extent, light: Light, rng: np.random.Generator) -> list[Card]:
    low = sky.Bank(22, 105, 13, 190, 3.0, 80)
    high = sky.Bank(100, 370, 4 + round(3 * light.cover), 300 + 300 * light.cover, 7.0, 190)
    return [
        sky.sky(extent, light, child(rng)),
        sky.veil(extent, light, child(rng)),
        sky.cumulus(extent, light, child(rng), low),
        sky.cumulus(extent, light, child(rng), high),
    ]


def _distance(studio: Studio) -> list[Card]:
    """Mountains or not, hills, and the far shore with its village."""
    light, rng, fine = studio.light, studio.rng, studio.fine
    half, cards = studio.half + 60, []
    line = FOCAL * EYE / FAR_SHORE
    if studio.seed % 4 != 3:
        tall = float(rng.uniform(130, 230))
        for metres, high in ((9500.0, tall), (5200.0, tall * float(rng.uniform(0.4, 0.65)))):
            relief = land.mountains(light, rng, 2 * half, high, fine, metres)
            cards.append(land.card("mountains", relief, light, (-half, 3.0, metres, fine)))
    for metres, high, wooded in ((2200.0, float(rng.uniform(34, 70)), 0.45), (900.0, float(rng.uniform(22, 42)), 0.55)):
        relief = land.hills(light, rng, 2 * half, high, fine, metres, wooded=wooded)
        cards.append(land.card("hills", relief, light, (-half, 5.0 if metres > 1000 else line - 1, metres, fine)))
    relief = land.hills(light, rng, 2 * half, 10.0, fine, FAR_SHORE, slices=80)
    return [*cards, land.card("hills", relief, light, (-half, line, FAR_SHORE, fine)), *_village(studio, half, line)]


def _village(studio: Studio, half: float, line: float) -> list[Card]:
    """Houses about a church, and rows of trees along the far shore."""
    light, rng, fine = studio.light, studio.rng, studio.fine
    box = (-half, line - 110, half, line + 4)
    homes, woods = shore.Board("village", box, fine), shore.Board("trees", box, fine)
    middle = light.side * half * float(rng.uniform(-0.55, 0.1))
    homes.put(houses.church(float(rng.uniform(66, 92)) * fine, light, child(rng), FAR_SHORE), middle + 20, line - 3)
    places = middle + rng.normal(0, 105, int(rng.integers(8, 15)))
    for number, x in enumerate(places):
        high = float(rng.uniform(19, 31))
        homes.put(houses.house(high * fine, light, child(rng), FAR_SHORE), float(x), line - 5 + 6 * number / len(places))
    for x in np.sort(rng.uniform(-half, half, 46)):
        kind = str(rng.choice(["oak", "poplar", "birch", "pine", "bush"], p=[0.3, 0.2, 0.15, 0.15, 0.2]))
        high = float(rng.uniform(16, 40)) * (0.4 if kind == "bush" else 1.0) * (0.6 if abs(x - middle) < 90 else 1.0)
        woods.put(trees.tree(kind, high * fine, light, child(rng), FAR_SHORE), float(x), line + float(rng.uniform(-4, 0.5)))
    return [homes.card(FAR_SHORE - 2), woods.card(FAR_SHORE - 4)]


def _sun_glow(extent: sky.Extent, light: Light) -> Card:
    """The sun's glare spills over whatever stands before it."""
    x, up = light.sun_at
    strength = 0.34 * float(smoothstep(320, 60, up)) * (1.0 if light.stars == 0 else 0.5)
    card = shore.halo(x, -up, np.inf, 300, extent.fineness * 0.5, strength=strength)
    tint = developed(light.glow * 1.2) / developed(shore.LAMPLIGHT)
    return replace(card, pixels=card.pixels * np.append(tint, 1).astype(np.float32))


def _afloat(studio: Studio) -> list[Card]:
    """A headland with a cottage under trees, and a boat."""
    light, rng, fine = studio.light, studio.rng, studio.fine
    side, line = light.side, FOCAL * EYE / HEADLAND
    relief, span = _headland(studio)
    left = side * studio.half - span / 2 - side * float(rng.uniform(40, 130))
    ground = land.card("hills", relief, light, (left, line, HEADLAND, fine))
    box = (left - 40, line - 240, left + span + 40, line + 6)
    homes, woods = shore.Board("houses", box, fine), shore.Board("trees", box, fine)
    profile = relief.height.max(axis=0)

    def rise(x: float) -> float:
        return line - max(0.0, float(profile[int(np.clip((x - left) * fine, 0, len(profile) - 1))])) * 0.8

    home = left + span * (0.5 - side * 0.1)
    for x in np.sort(rng.uniform(left + span * 0.14, left + span * 0.86, 13))[:: int(side)]:
        kind = str(rng.choice(["oak", "pine", "poplar", "birch"]))
        tall = float(rng.uniform(58, 125)) * (0.75 if abs(x - home) < 70 else 1.0)
        woods.put(trees.tree(kind, tall * fine, light, child(rng), HEADLAND), float(x), rise(float(x)) + 1)
    for dx in (-52.0, 0.0, 64.0)[: int(rng.integers(2, 4))]:
        homes.put(houses.house(float(rng.uniform(52, 74)) * fine, light, child(rng), HEADLAND), home + dx, rise(home + dx) + 3)
    front = shore.Board("trees", box, fine)
    for x in rng.uniform(left + span * 0.1, left + span * 0.9, 9):
        bush = trees.tree("bush", float(rng.uniform(11, 24)) * fine, light, child(rng), HEADLAND)
        front.put(bush, float(x), rise(float(x)) * 0.45 + line * 0.55)
    strength, y = 0.36 * min(1.3, light.lamps), rise(home) - 24
    glows = [shore.halo(home + dx, y, HEADLAND - 3, 62, fine, strength=strength) for dx in (-20.0, 40.0)]
    return [woods.card(HEADLAND), ground, homes.card(HEADLAND - 1), front.card(HEADLAND - 2), *glows, _boat(studio)]


def _headland(studio: Studio) -> tuple[land.Relief, float]:
    """A tongue of land, its ends under water."""
    span = 560.0
    relief = land.hills(studio.light, studio.rng, span, 34.0, studio.fine, HEADLAND, wooded=0.05, slices=120)
    across = np.linspace(-1, 1, relief.height.shape[1], dtype=np.float32)
    ragged = 0.10 * fbm(studio.rng, (1, len(across)), (9, 1), 4)[0]
    shape = smoothstep(1.0, 0.45, np.abs(across) + ragged)
    height: Field = (relief.height + 5) * shape - 5 * (1 - shape)
    return replace(relief, height=height.astype(np.float32), rise=2.0, metres=(HEADLAND, HEADLAND + 20)), span


def _boat(studio: Studio) -> Card:
    light, rng = studio.light, studio.rng
    x, line = -light.side * float(rng.uniform(20, 220)), FOCAL * EYE / BOAT
    board = shore.Board("boat", (x - 110, line - 190, x + 110, line + 6), studio.fine)
    board.put(shore.boat(float(rng.uniform(110, 150)) * studio.fine, light, child(rng), BOAT), x, line + 1.5)
    return replace(board.card(BOAT), motion=_rocking(x, line, float(rng.uniform(0, 6))))


def _rocking(x: float, line: float, phase: float) -> Callable[[float], Affine]:
    def motion(seconds: float) -> Affine:
        roll = 0.028 * np.sin(1.3 * seconds + phase)
        sail = 26 * np.sin(0.11 * seconds + phase) + 1.2 * np.sin(0.9 * seconds)
        return moved(x + sail, line + 0.7 * np.sin(1.7 * seconds + phase)) @ turned(roll) @ moved(-x, -line)

    return motion


def _swaying(x: float, foot: float, amount: float, phase: float) -> Callable[[float], Affine]:
    def motion(seconds: float) -> Affine:
        lean = amount * (np.sin(0.9 * seconds + phase) + 0.4 * np.sin(2.1 * seconds))
        return moved(x, foot) @ leaning(lean) @ moved(-x, -foot)

    return motion


def _near(studio: Studio, horizon: float) -> list[Card]:
    """The bank, an old tree that frames the view, and a lamp by the path."""
    light, rng, fine = studio.light, studio.rng, studio.fine
    half, bottom = studio.half + 190, shore.frame_bottom(horizon)
    foot, x = FOCAL * shore.EYE_OVER_BANK / TREE, -light.side * (studio.half - float(rng.uniform(150, 280)))
    tall = float(rng.uniform(560, 700))
    board = shore.Board("tree", (x - 480, foot - 760, x + 480, foot + 20), fine)
    kind = "old pine" if light.season == "winter" else "old birch" if studio.seed % 3 == 1 else "old oak"
    board.put(trees.tree(kind, tall * fine, light, child(rng), TREE), x, foot)
    tree = replace(board.card(shore.BANK - 0.1), motion=_swaying(x, foot, 0.004, float(rng.uniform(0, 6))))
    lamp_x, lamp_foot, high = light.side * float(rng.uniform(150, 330)), FOCAL * shore.EYE_OVER_BANK / 9.6, 372.0
    post = shore.Board("lamp", (lamp_x - 60, lamp_foot - 400, lamp_x + 60, lamp_foot + 6), fine)
    post.put(houses.lamp_post(high * fine, light, 9.6), lamp_x, lamp_foot)
    growth = _growth(studio, half, [(x, foot, 120.0), (lamp_x, lamp_foot, 40.0)])
    strength = 0.55 * min(1.4, light.lamps)
    glow = shore.halo(lamp_x, lamp_foot - high * 0.9, shore.BANK - 0.25, 190, fine, strength=strength)
    # They stand on the bank's card, so they move with it as if it were one piece: a hair nearer, to lie before it.
    standing = [tree, post.card(shore.BANK - 0.15), growth.card(shore.BANK - 0.2), glow]
    return [shore.bank(light, child(rng), half, bottom, fine), *standing]


def _growth(studio: Studio, half: float, feet: list[tuple[float, float, float]]) -> shore.Board:
    """Bushes and boulders along the bank, and grass about the feet of what stands there: x, y and width."""
    light, rng, fine = studio.light, studio.rng, studio.fine
    board = shore.Board("growth", (-half, -60.0, half, shore.PATH), fine)
    for x in rng.uniform(-half, half, 5):
        board.put(shore.stone(light, child(rng), float(rng.uniform(26, 70)), fine), float(x), float(rng.uniform(196, 236)))
    for x in light.side * half * rng.uniform(-1.0, -0.25, 4):
        tall = float(rng.uniform(46, 105))
        board.put(trees.tree("bush", tall * fine, light, child(rng), shore.BANK), float(x), float(rng.uniform(186, 222)))
        feet.append((float(x), 226.0, tall * 1.3))
    for x, y, wide in feet:
        for shift in (-0.3, 0.0, 0.35):
            board.put(shore.tufts(light, child(rng), 34, wide * 0.8 + 14, fine), x + shift * wide, y + 7)
    return board
