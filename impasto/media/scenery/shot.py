"""One moment of a scene: every card and every part of the walker placed before the camera, then painted from back to front."""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from impasto.media.scenery.layout import FAR_SHORE, Scene
from impasto.media.scenery.noise import Field, blur
from impasto.media.scenery.shore import BANK, PATH
from impasto.media.scenery.stage import EYE, FOCAL, Affine, Card, Layer, View, cover, moved, project, scaled
from impasto.media.scenery.water import Surface

WALKER = BANK - 0.3  # metres
WATER_ENDS = 250.0  # units below the horizon on the bank's card: below that the bank hides all water


@dataclass(frozen=True)
class Shot:
    """What lies on the screen at one moment, back to front: what is behind the water, the water, and what is before it."""

    view: View
    behind: list[Layer]
    before: list[Layer]
    walker_at: int  # the place in `before` of the walker's first part
    mirrored: list[Layer]  # rows counted from the water's first
    surface: Surface | None
    waterline: Field | None  # [h,W] how much of each pixel is water
    shadow: tuple[Field, int, int] | None  # the walker's: [h,w] with its corner
    places: dict[str, Affine]  # every thing's map to the screen, seen or not
    mirror_places: dict[str, Affine]


def take(scene: Scene, view: View, seconds: float) -> Shot:
    """Place everything for one moment."""
    standing = [*scene.far, *scene.afloat]
    places = {f"{card.name} {n}": card.to_screen(view, seconds) for n, card in enumerate([*standing, *scene.near, *scene.front])}
    keys = list(places)
    parts = _walker(scene, view, seconds)
    first, shore, last = _water_rows(view)
    mirrors = {key: card.to_screen(view, seconds, mirrored=True) for key, card in zip(keys, standing, strict=False)}
    rows = (0, view.height)
    split = [len(scene.far), len(standing), len(standing) + len(scene.near)]
    behind = _seen(scene.far, keys[: split[0]], places, view, (0, shore))
    afloat = _seen(scene.afloat, keys[split[0] : split[1]], places, view, rows)
    near = _seen(scene.near, keys[split[1] : split[2]], places, view, rows)
    front = _seen(scene.front, keys[split[2] :], places, view, rows)
    surface = scene.lake.surface(view, seconds, first, last) if last > first else None
    return Shot(
        view=view,
        behind=behind,
        before=[*afloat, *near, *parts, *front],
        walker_at=len(afloat) + len(near),
        mirrored=_seen(standing, keys, mirrors, view, (first, last)) if surface else [],
        surface=surface,
        waterline=_waterline(surface, view) if surface else None,
        shadow=_shadow(scene, view, seconds),
        places=places | {key: to_screen for key, to_screen, _ in _parts(scene, view, seconds)},
        mirror_places=mirrors,
    )


def _seen(cards: list[Card], keys: list[str], places: dict[str, Affine], view: View, rows: tuple[int, int]) -> list[Layer]:
    """The cards that touch the given rows of the frame."""
    layers = []
    for card, key in zip(cards, keys, strict=False):
        found = project(card.pixels, places[key], rows, view.width)
        if found:
            period = card.period * card.fineness
            layers.append(Layer(key, card.name, card.depth - view.camera.forward, *found, places[key], period))
    return layers


def _water_rows(view: View) -> tuple[int, int, int]:
    """The first row that may show water, the row where all of it does, and the row from which the bank hides it."""
    ends = np.array([[0, view.width], [0, 0], [1, 1]], np.float64)
    first = view.place(FAR_SHORE) @ (ends + np.array([[-view.width / 2], [FOCAL * EYE / FAR_SHORE], [0]]))
    last = view.place(BANK) @ (ends + np.array([[-view.width / 2], [WATER_ENDS], [0]]))
    top = int(np.clip(np.floor(first[1].min()) - 3, 0, view.height))
    shore, bottom = (int(np.clip(np.ceil(edge[1].max()) + 3, top, view.height)) for edge in (first, last))
    return top, shore, bottom


def _waterline(surface: Surface, view: View) -> Field:
    """The far edge of the water, softened over a pixel."""
    shore = FOCAL * (EYE + view.camera.up) / (FAR_SHORE - view.camera.forward)
    return np.asarray(np.clip((surface.down - shore) * np.float32(view.scale) + 0.5, 0, 1)[..., None], np.float32)


def _ground(view: View) -> Affine:
    """From metres about the middle of the path, y down, to the screen."""
    return view.place(WALKER) @ moved(0, PATH) @ scaled(FOCAL / BANK, FOCAL / BANK)


def _parts(scene: Scene, view: View, seconds: float) -> list[tuple[str, Affine, Field]]:
    ground = _ground(view)
    return [(f"walker {part.name}", ground @ to_metres, part.pixels) for part, to_metres in scene.walker.posed(seconds)]


def _walker(scene: Scene, view: View, seconds: float) -> list[Layer]:
    layers = []
    for key, to_screen, pixels in _parts(scene, view, seconds):
        found = project(pixels, to_screen, (0, view.height), view.width)
        if found:
            layers.append(Layer(key, "walker", WALKER - view.camera.forward, *found, to_screen))
    return layers


def _shadow(scene: Scene, view: View, seconds: float) -> tuple[Field, int, int] | None:
    """The walker's long shadow on the ground, where it dims the bank: [h,w] and its corner."""
    light = scene.light
    lying = np.array([[1, light.side * 1.15, 0], [0, 0.12, 0], [0, 0, 1]], np.float64)
    ground = _ground(view) @ lying @ np.linalg.inv(_ground(view))
    found = [project(np.ascontiguousarray(pixels[..., 3:]), ground @ to_screen, (0, view.height), view.width)
             for _, to_screen, pixels in _parts(scene, view, seconds)]
    pieces = [piece for piece in found if piece]
    if not pieces:
        return None
    left, top = min(piece[1] for piece in pieces), min(piece[2] for piece in pieces)
    right = max(piece[1] + piece[0].shape[1] for piece in pieces)
    bottom = max(piece[2] + piece[0].shape[0] for piece in pieces)
    dark = np.zeros((bottom - top, right - left), np.float32)
    for alpha, x, y in pieces:
        window = dark[y - top : y - top + alpha.shape[0], x - left : x - left + alpha.shape[1]]
        np.maximum(window, alpha[..., 0], out=window)
    sun, sky = float(light.sun.mean()), float(light.shade.mean())
    return blur(dark, 1.6 * view.scale) * np.float32(0.62 * sun / (sun + 2 * sky)), left, top


def paint(shot: Shot, scene: Scene) -> Field:
    """The picture [H,W,3], 0..1 and a little over."""
    view = shot.view
    canvas = np.zeros((view.height, view.width, 3), np.float32)
    for layer in shot.behind:
        cover(canvas, layer.pixels, layer.left, layer.top)
    if shot.surface is not None and shot.waterline is not None:
        rows = canvas[shot.surface.top : shot.surface.top + len(shot.waterline)]
        mirror = np.zeros_like(rows)
        for layer in shot.mirrored:
            cover(mirror, layer.pixels, layer.left, layer.top - shot.surface.top)
        rows += (scene.lake.painted(shot.surface, mirror) - rows) * shot.waterline
    for number, layer in enumerate(shot.before):
        if number == shot.walker_at and shot.shadow:
            _darken(canvas, shot)
        cover(canvas, layer.pixels, layer.left, layer.top)
    return canvas


def _darken(canvas: Field, shot: Shot) -> None:
    """Lay the walker's shadow on the bank, and on nothing else."""
    assert shot.shadow is not None
    dark, left, top = shot.shadow
    for layer in shot.before:
        if layer.name == "bank":
            on_bank = np.zeros(canvas.shape[:2], np.float32)
            height, width = layer.pixels.shape[:2]
            on_bank[layer.top : layer.top + height, layer.left : layer.left + width] = layer.pixels[..., 3]
            dark = dark * on_bank[top : top + dark.shape[0], left : left + dark.shape[1]]
    window = canvas[top : top + dark.shape[0], left : left + dark.shape[1]]
    window *= 1 - dark[..., None] * np.array([1.0, 0.92, 0.78], np.float32)  # shadows keep the sky's blue


def bloom(canvas: Field, scale: float) -> None:
    """Let the brightest lights spill over in the lens, in place."""
    height, width = canvas.shape[:2]
    small = cv2.resize(canvas, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    bright = np.clip(small - 0.86, 0, 0.5)
    spread = blur(bright, 2.2 * scale) * 0.5 + blur(bright, 7 * scale) * 0.6
    canvas += cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR)
