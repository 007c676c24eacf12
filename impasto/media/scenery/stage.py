"""The multiplane stage: painted cards at known depths, seen by a moving camera. Placing a card is one affine map."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.media.scenery.noise import Field

Affine = NDArray[np.float64]  # [3,3], last row 0 0 1
FOCAL = 1300.0  # units: a normal lens
EYE = 2.6  # metres the camera stands above the water
TALL = 720.0  # units of the frame's height


def moved(x: float, y: float) -> Affine:
    """A shift."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def scaled(x: float, y: float) -> Affine:
    """A scaling about the origin."""
    return np.array([[x, 0, 0], [0, y, 0], [0, 0, 1]], np.float64)


def turned(angle: float) -> Affine:
    """A rotation about the origin, clockwise on the screen, in radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float64)


def leaning(amount: float) -> Affine:
    """A shear: what stands above the origin goes sideways by so much of its height."""
    return np.array([[1, -amount, 0], [0, 1, 0], [0, 0, 1]], np.float64)


@dataclass(frozen=True)
class Camera:
    """Where the camera is at one moment, in metres off its mean place, and how it looks, in units and radians."""

    right: float
    up: float
    forward: float
    pan: float
    tilt: float
    roll: float

    @classmethod
    def at(cls, seconds: float, phase: float) -> Camera:
        """The move of every scene: a slow track to and fro with a rise, a push and the least roll."""
        t = seconds * 2 * np.pi
        return cls(
            right=1.05 * np.sin(t / 13 + phase),
            up=0.14 * np.sin(t / 9 + 1 + phase),
            forward=0.34 * np.sin(t / 17 + 2 * phase),
            pan=9 * np.sin(t / 11 + 0.5 + phase),
            tilt=4 * np.sin(t / 8 + 2),
            roll=0.004 * np.sin(t / 10 + phase),
        )


@dataclass(frozen=True)
class View:
    """A camera before a frame of so many pixels."""

    width: int
    height: int
    camera: Camera
    horizon: float  # units from the frame's top

    @property
    def scale(self) -> float:
        """Pixels per unit."""
        return self.height / TALL

    def lens(self) -> Affine:
        """From units about the horizon to the centres of pixels; pan, tilt and roll are in it, so everything shares it."""
        s, middle = self.scale, TALL / 2
        roll = moved(0, middle - self.horizon) @ turned(self.camera.roll) @ moved(0, self.horizon - middle)
        to_pixels = moved(self.width / 2 - 0.5, self.horizon * s - 0.5) @ scaled(s, s)
        return to_pixels @ roll @ moved(self.camera.pan, self.camera.tilt)

    def place(self, depth: float, mirrored: bool = False) -> Affine:
        """From units on a card at that depth to pixels; mirrored is how the card looks in the water."""
        flip = scaled(1, 1)
        if np.isinf(depth):
            return self.lens() @ (scaled(1, -1) if mirrored else flip)
        if mirrored:
            flip = moved(0, 2 * FOCAL * EYE / depth) @ scaled(1, -1)
        near = depth - self.camera.forward
        nearer = moved(-FOCAL * self.camera.right / near, FOCAL * self.camera.up / near) @ scaled(depth / near, depth / near)
        return self.lens() @ nearer @ flip


def still(seconds: float) -> Affine:
    """The motion of what does not move."""
    return np.eye(3)


@dataclass(frozen=True)
class Card:
    """A painted plane facing the camera: colour with alpha multiplied in, values for the screen."""

    name: str  # the matte it belongs to
    pixels: Field  # [H,W,4], 0..1
    left: float  # units of the first column's and row's outer edge
    top: float
    fineness: float  # pixels per unit
    depth: float  # metres, inf for the sky
    motion: Callable[[float], Affine] = still  # seconds -> where its units have gone by itself
    period: float = 0.0  # units after which its picture repeats sideways; the motion then starts over

    def to_screen(self, view: View, seconds: float, mirrored: bool = False) -> Affine:
        """From the card's pixels to the screen's."""
        to_units = moved(self.left, self.top) @ scaled(1 / self.fineness, 1 / self.fineness) @ moved(0.5, 0.5)
        return view.place(self.depth, mirrored) @ self.motion(seconds) @ to_units


@dataclass(frozen=True)
class Layer:
    """A card, or a part of one, as it lies on the screen at one moment."""

    key: str  # the same thing has the same key in every frame
    name: str  # the matte it belongs to
    depth: float
    pixels: Field  # [h,w,4], alpha multiplied in
    left: int
    top: int
    to_screen: Affine  # from its own pixels to the screen's
    period: float = 0.0  # pixels of its own


def project(pixels: Field, to_screen: Affine, rows: tuple[int, int], width: int) -> tuple[Field, int, int] | None:
    """The pixels as seen through an affine map, cut to what falls between two rows of the screen; None if nothing does."""
    height_in, width_in = pixels.shape[:2]
    corners = to_screen @ np.array([[-1, width_in, -1, width_in], [-1, -1, height_in, height_in], [1, 1, 1, 1]], np.float64)
    left, right = max(0, int(np.floor(corners[0].min()))), min(width, int(np.ceil(corners[0].max())) + 1)
    top, bottom = max(rows[0], int(np.floor(corners[1].min()))), min(rows[1], int(np.ceil(corners[1].max())) + 1)
    if right <= left or bottom <= top:
        return None
    back = np.linalg.inv(to_screen) @ moved(left, top)
    size = (right - left, bottom - top)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(pixels, back[:2], size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(seen, np.float32).reshape(size[1], size[0], -1), left, top


def cover(canvas: Field, pixels: Field, left: int, top: int) -> None:
    """Lay pixels with alpha multiplied in over a canvas [H,W,3], in place."""
    height, width = pixels.shape[:2]
    under = canvas[top : top + height, left : left + width]
    under *= 1 - pixels[..., 3:]
    under += pixels[..., :3]
