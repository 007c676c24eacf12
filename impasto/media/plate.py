"""The procedural plate: an animated scene with a moving camera, made from a seed, that knows its own motion.

    plate = Plate(1280, 720, fps=24, seed=0)
    plate.frame(7).rgb                        # [H,W,3] uint8
    plate.frame(7, truth=True).truth.forward  # [H,W,2]: where each pixel goes in frame 8

A frame depends on the seed, the size, the rate and its number alone: frame 7 by itself is frame 7 of the sequence, bit for bit.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from impasto.media.scenery.layout import build
from impasto.media.scenery.noise import Field, smoothstep
from impasto.media.scenery.shot import Shot, bloom, paint, take
from impasto.media.scenery.stage import Camera, View
from impasto.media.scenery.truth import Truth, compare, moment

SMALLEST, LARGEST = 16, 8192


@dataclass(frozen=True)
class PlateFrame:
    """One frame, and what is true of it where that was asked for."""

    number: int
    rgb: NDArray[np.uint8]  # [H,W,3]
    truth: Truth | None = None


class Plate:
    """A scene; making it takes a few seconds, each frame a fraction of one."""

    def __init__(self, width: int, height: int, fps: float = 24.0, seed: int = 0, *, grain: float = 0.0) -> None:
        """`grain` is the spread of film grain in 8-bit steps; plates are clean unless it is given."""
        assert SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST and fps > 0, "a plate needs a size and a rate"
        self.width, self.height, self.fps, self.seed, self.grain = width, height, fps, seed, grain
        self._scene = build(width, height, seed)
        self._vignette = _vignette(width, height)
        # Rounding to 8 bits would show as bands in the sky; this noise of one step hides them.
        self._dither = np.random.default_rng(seed).random((height, width, 3), np.float32)

    def frame(self, number: int, truth: bool = False) -> PlateFrame:
        """Frame `number`; with `truth` also its motion, occlusions, mattes and depth, which takes several times longer."""
        shot = self._shot(number)
        rgb = self._exposed(paint(shot, self._scene), number)
        if not truth:
            return PlateFrame(number, rgb)
        after, before = moment(self._shot(number + 1)), moment(self._shot(number - 1))
        return PlateFrame(number, rgb, compare(moment(shot), after, before))

    def _shot(self, number: int) -> Shot:
        seconds = number / self.fps
        view = View(self.width, self.height, Camera.at(seconds, self._scene.phase), self._scene.horizon)
        return take(self._scene, view, seconds)

    def _exposed(self, canvas: Field, number: int) -> NDArray[np.uint8]:
        """What the lens and the film make of it, in 8 bits."""
        bloom(canvas, self.height / 720)
        canvas *= self._vignette
        canvas *= 255
        if self.grain:
            rng = np.random.default_rng([self.seed, number & 0xFFFFFFFF])
            canvas += rng.standard_normal(canvas.shape[:2], np.float32)[..., None] * np.float32(self.grain)
        canvas += self._dither
        return np.clip(canvas, 0, 255).astype(np.uint8)


def _vignette(width: int, height: int) -> Field:
    """A lens is a little darker in its corners."""
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return np.asarray(1 - 0.20 * smoothstep(0.55, 1.45, np.hypot(x, y))[..., None], np.float32)
