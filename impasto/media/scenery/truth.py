"""What is true between neighbouring frames: where every pixel goes, what gets hidden, who covers what, how far away it is.

A pixel belongs to the front-most thing that covers more than half of it, and moves with that thing. On water it moves with the
reflection it shows, through the waves of both moments; where waves tear reflections apart there is no such motion, and `steady`
is False. It is False, too, where the walker's shadow crosses the ground: there colours change though nothing moves.
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.media.scenery.noise import Field
from impasto.media.scenery.shot import Shot
from impasto.media.scenery.stage import FOCAL, Affine, Layer, moved
from impasto.media.scenery.water import Surface

Mask = NDArray[np.bool_]  # [H,W]
HALF = 0.5
WATER = "water"
SAME_SLOPE = 0.008  # a facet that tilts more from frame to frame changes its colour


@dataclass(frozen=True)
class Truth:
    """What is known of a frame n beyond its colours."""

    forward: Field  # [H,W,2] pixels: where each pixel of n lies in n+1, less where it lies now
    backward: Field  # [H,W,2] the same toward n-1
    hidden_forward: Mask  # not to be seen in n+1: covered, or out of the frame
    hidden_backward: Mask  # not to be seen in n-1
    steady: Mask  # colours travel with the motion
    mattes: dict[str, Field]  # [H,W] how much of each pixel each thing makes up; they add up to 1
    depth: Field  # [H,W] metres along the view, inf for the sky


@dataclass(frozen=True)
class Moment:
    """One shot as whose pixel is whose."""

    shot: Shot
    owner: NDArray[np.int32]  # [H,W] index into keys
    mirror_owner: NDArray[np.int32]  # [h,W] of the mirrored scene in the water's rows
    keys: list[str]


def moment(shot: Shot) -> Moment:
    """Find the owner of every pixel."""
    keys = [*shot.places, WATER]
    number = {key: n for n, key in enumerate(keys)}
    owner = np.zeros((shot.view.height, shot.view.width), np.int32)
    _claim(owner, shot.behind, number, 0)
    mirror_owner = np.zeros((0, shot.view.width), np.int32)
    if shot.surface is not None and shot.waterline is not None:
        top, rows = shot.surface.top, len(shot.waterline)
        owner[top : top + rows][shot.waterline[..., 0] > HALF] = number[WATER]
        mirror_owner = np.zeros((rows, shot.view.width), np.int32)
        _claim(mirror_owner, shot.mirrored, number, top)
    _claim(owner, shot.before, number, 0)
    return Moment(shot, owner, mirror_owner, keys)


def _claim(owner: NDArray[np.int32], layers: list[Layer], number: dict[str, int], top: int) -> None:
    for layer in layers:
        height, width = layer.pixels.shape[:2]
        window = owner[layer.top - top : layer.top - top + height, layer.left : layer.left + width]
        window[layer.pixels[..., 3] > HALF] = number[layer.key]


def compare(here: Moment, after: Moment, before: Moment) -> Truth:
    """The truth of a moment, from its neighbours."""
    forward, calm_forward = _motion(here, after)
    backward, calm_backward = _motion(here, before)
    steady = calm_forward & calm_backward
    for one in (here, after, before):
        _unsettle(steady, one.shot)
    return Truth(
        forward=forward,
        backward=backward,
        hidden_forward=_hidden(here, after, forward),
        hidden_backward=_hidden(here, before, backward),
        steady=steady,
        mattes=mattes(here.shot),
        depth=_depth(here),
    )


def _motion(here: Moment, there: Moment) -> tuple[Field, Mask]:
    """Where each pixel goes, and whether its colour goes with it."""
    height, width = here.owner.shape
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    maps = _maps(here.shot.places, there.shot.places, _periods(here.shot), here.shot.view.width)
    x, y = _through(np.stack([*maps, np.eye(3)]), here.owner, xs, ys)
    calm = np.ones((height, width), np.bool_)
    surface = here.shot.surface
    if surface is not None:
        rows = slice(surface.top, surface.top + len(surface.slope))
        wet = here.owner[rows] == len(here.keys) - 1
        flow_x, flow_y, follows = _reflected(here, there, xs[rows], ys[rows])
        x[rows][wet], y[rows][wet] = flow_x[wet], flow_y[wet]
        calm[rows][wet] = follows[wet]
    return np.dstack([x - xs, y - ys]).astype(np.float32), calm


def _periods(shot: Shot) -> dict[str, float]:
    return {layer.key: layer.period for layer in [*shot.behind, *shot.mirrored, *shot.before] if layer.period}


def _maps(here: dict[str, Affine], there: dict[str, Affine], periods: dict[str, float], width: int) -> list[Affine]:
    """For each thing the map from its place on this screen to its place on the other."""
    maps = []
    for key, place in here.items():
        back = np.linalg.inv(place)
        # A picture that repeats may have started over between the moments: of its copies, follow the nearest.
        copies = [there[key] @ moved(n * periods.get(key, 0.0), 0) @ back for n in ((-1, 0, 1) if key in periods else (0,))]
        maps.append(min(copies, key=lambda one: abs(float(one[0] @ [width / 2, 0, 1]) - width / 2)))
    return maps


def _through(maps: Affine, owner: NDArray[np.int32], x: Field, y: Field) -> tuple[Affine, Affine]:
    """Each point through its owner's map."""
    one = maps[:, :2][owner]
    return one[..., 0, 0] * x + one[..., 0, 1] * y + one[..., 0, 2], one[..., 1, 0] * x + one[..., 1, 1] * y + one[..., 1, 2]


def _reflected(here: Moment, there: Moment, x: Field, y: Field) -> tuple[Affine, Affine, Mask]:
    """Where a reflection goes: from the pixel to what it mirrors, on to where that is then, and back through the waves of then.

    Where this does not settle, the pixel moves with the plane of the water, and its colour does not follow.
    """
    surface, other = here.shot.surface, there.shot.surface
    flat_x, flat_y = _with_the_plane(here, there, x, y)
    if surface is None or other is None:
        return flat_x, flat_y, np.zeros(x.shape, np.bool_)
    mirrored_x, mirrored_y = x + surface.offset[..., 0], y + surface.offset[..., 1]
    owner = _fetch(here.mirror_owner, mirrored_x, mirrored_y - surface.top)
    maps = np.stack(_maps(here.shot.mirror_places, there.shot.mirror_places, _periods(here.shot), here.shot.view.width))
    aim_x, aim_y = _through(maps, owner, mirrored_x, mirrored_y)
    at_x, at_y, miss = _settled(other, (aim_x, aim_y), (x + aim_x - mirrored_x, y + aim_y - mirrored_y))
    # A torn reflection shows one thing in several places: only where the way back leads home is there one motion.
    home_x, home_y, _ = _settled(surface, (mirrored_x, mirrored_y), (at_x + mirrored_x - aim_x, at_y + mirrored_y - aim_y))
    settled = (miss < 0.1) & (np.hypot(home_x - x, home_y - y) < 0.25)
    lands_on = _fetch(there.mirror_owner, aim_x, aim_y - other.top)
    alike = np.abs(surface.slope - _bilinear(other.slope, at_x, at_y - other.top)) < SAME_SLOPE
    inside = (aim_y > other.top) & (aim_y < other.top + len(other.slope) - 1) & (mirrored_y > surface.top)
    follows = settled & (lands_on == owner) & alike & inside
    return np.where(settled, at_x, flat_x), np.where(settled, at_y, flat_y), follows


def _settled(surface: Surface, aim: tuple[Field, Field], start: tuple[Field, Field]) -> tuple[Field, Field, Field]:
    """The pixels that show the mirrored points `aim` through the waves, sought from `start`; and by how much they miss."""
    x, y = start
    miss = np.full(x.shape, np.inf)
    for _ in range(24):
        offset = _waves(surface, x, y)
        miss_x, miss_y = aim[0] - offset[..., 0] - x, aim[1] - offset[..., 1] - y
        miss = np.hypot(miss_x, miss_y)
        x, y = x + 0.5 * miss_x, y + 0.5 * miss_y
    return x, y, miss


def _with_the_plane(here: Moment, there: Moment, x: Field, y: Field) -> tuple[Affine, Affine]:
    """Where the water's plane itself goes at each pixel."""
    surface, camera, other = here.shot.surface, here.shot.view.camera, there.shot.view.camera
    assert surface is not None
    right = surface.across * surface.metres / FOCAL + camera.right - other.right
    metres = surface.metres + camera.forward - other.forward
    lens = there.shot.view.lens()
    u = FOCAL * right / metres
    v = surface.down * surface.metres / metres + FOCAL * (other.up - camera.up) / metres
    return lens[0, 0] * u + lens[0, 1] * v + lens[0, 2], lens[1, 0] * u + lens[1, 1] * v + lens[1, 2]


def _waves(surface: Surface, x: Field, y: Field) -> Field:
    return np.dstack([_bilinear(surface.offset[..., n], x, y - surface.top) for n in range(2)])


def _bilinear(field: Field, x: Field, y: Field) -> Field:
    at = x.astype(np.float32), y.astype(np.float32)
    return np.asarray(cv2.remap(np.ascontiguousarray(field), *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _fetch(field: NDArray[np.int32], x: Field, y: Field) -> NDArray[np.int32]:
    """The nearest value; outside, the border's."""
    height, width = field.shape
    return field[np.clip(np.rint(y), 0, height - 1).astype(np.int64), np.clip(np.rint(x), 0, width - 1).astype(np.int64)]


def _hidden(here: Moment, there: Moment, flow: Field) -> Mask:
    height, width = here.owner.shape
    x, y = np.arange(width) + flow[..., 0], np.arange(height)[:, None] + flow[..., 1]
    outside = (x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)
    return np.asarray(outside | (_fetch(there.owner, x, y) != here.owner), np.bool_)


def _unsettle(steady: Mask, shot: Shot) -> None:
    if shot.shadow:
        dark, left, top = shot.shadow
        steady[top : top + dark.shape[0], left : left + dark.shape[1]] &= dark < 0.02


def mattes(shot: Shot) -> dict[str, Field]:
    """How much of each pixel each named thing makes up."""
    size = (shot.view.height, shot.view.width)
    found: dict[str, Field] = {}

    def lay(name: str, alpha: Field, left: int, top: int) -> None:
        window = (slice(top, top + alpha.shape[0]), slice(left, left + alpha.shape[1]))
        for matte in found.values():
            matte[window] *= 1 - alpha
        found.setdefault(name, np.zeros(size, np.float32))[window] += alpha

    for layer in shot.behind:
        lay(layer.name, layer.pixels[..., 3], layer.left, layer.top)
    if shot.surface is not None and shot.waterline is not None:
        lay(WATER, np.ascontiguousarray(np.broadcast_to(shot.waterline[..., 0], shot.surface.slope.shape)), 0, shot.surface.top)
    for layer in shot.before:
        lay(layer.name, layer.pixels[..., 3], layer.left, layer.top)
    return {name: matte for name, matte in found.items() if matte.max() > 0}


def _depth(here: Moment) -> Field:
    metres = {layer.key: layer.depth for layer in [*here.shot.behind, *here.shot.before]}
    depth = np.array([metres.get(key, np.inf) for key in here.keys], np.float32)[here.owner]
    surface = here.shot.surface
    if surface is not None:
        rows = slice(surface.top, surface.top + len(surface.slope))
        wet = here.owner[rows] == len(here.keys) - 1
        depth[rows][wet] = surface.metres[wet]
    return depth
