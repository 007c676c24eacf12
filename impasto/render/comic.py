"""The dynamic comic: drawings that hold, lines that boil no more than they are asked to, and tones laid in dots or hatching.

    drawn = boiled(painted, 0.5, key, seed=0)               # `key`: the frame that was drawn; every drawing has its own hand
    drawn = screened(drawn, Comic(screen="frame"), None)    # or along a flow to the drawing on which the screen was laid

Which frames are drawn, and which show a drawing again, drawings.py knows. All sizes go with the picture's height, so that a proxy
looks as the shot will.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, pi
from typing import Literal

import cv2
import numpy as np

from impasto.frame import Pixels
from impasto.media.flow import LUMA, Plane, carried
from impasto.media.oklab import as_float, as_stored

Screen = Literal["off", "frame", "object"]
Marks = Literal["dots", "hatching"]
SWAYS = ((0.05, 0.0022), (0.016, 0.0007))  # how far apart a hand sways, and how far, at an amount of 1; of the height
MARK = 1 / 110  # of the height, from mark to mark
SMALLEST_PX = 3.0  # no finer screen can be seen as one
LIGHT, CROSSED, DARK, BLACK = 0.55, 0.30, 0.12, 0.04  # tones: screens begin, hatching is crossed, all is fullest, black is black
FULLEST = 0.55  # of a dark tone, that its marks cover
INK = 0.35  # of a tone's light is left in its marks; between them it is lighter by as much, so that the tone keeps its place
LAID_FOR = 12  # frames; then a screen that goes along is laid anew, before it is stretched out of shape
TURN = np.float32(2 * pi)
SOFT = 0.35  # of the way between two marks, over which a tone is seen: finer lines keep their black


@dataclass(frozen=True)
class Comic:
    """What is set."""

    step: int = 1  # frames that show one drawing
    boil: float = 0.0
    screen: Screen = "off"
    marks: Marks = "dots"
    mark_size: float = 1.0

    @property
    def by_shots(self) -> bool:
        """Whether it must be known where shots begin."""
        return self.step > 1 or self.screen == "object"

    @property
    def reach(self) -> int:
        """How many frames before it a frame may be drawn from."""
        return self.step - 1 + (LAID_FOR - self.step if self.screen == "object" else 0)

    @property
    def drawn_on(self) -> bool:
        """Whether anything is done to the paintings themselves."""
        return self.boil > 0 or self.screen != "off"


PLAIN = Comic()


def boiled(painted: Pixels, amount: float, drawing: int, seed: int) -> Pixels:
    """The painting as another hand drew it: lines sway a little, and otherwise for each drawing. 0 hands it back."""
    if amount == 0:
        return painted
    random = np.random.default_rng([seed, abs(drawing), drawing < 0])
    height, width = painted.shape[:2]
    sway = sum(_sway((height, width), share * height, amount * reach * height, random) for share, reach in SWAYS)
    moved = carried(as_float(painted), np.asarray(sway, np.float32))
    return as_stored(moved.clip(0, 1), painted.dtype)


def _sway(size: tuple[int, int], apart: float, reach: float, random: np.random.Generator) -> Plane:
    """Smooth movement [H,W,2] in pixels that is another every so far; its spread is `reach`."""
    cell = max(2, round(apart))
    down, across = (ceil(side / cell) + 3 for side in size)
    knots = random.standard_normal((down, across, 2), np.float32)
    smooth = cv2.resize(knots, (across * cell, down * cell), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth[cell : cell + size[0], cell : cell + size[1]] * reach, np.float32)


def screened(painted: Pixels, comic: Comic, moved: Plane | None) -> Pixels:
    """The painting with its darker tones in marks; `moved` [H,W,2] leads from each pixel to its place on the screen."""
    if comic.screen == "off":
        return painted
    picture, height = as_float(painted), painted.shape[0]
    apart = max(SMALLEST_PX, MARK * comic.mark_size * height)
    tone = np.asarray(cv2.GaussianBlur(picture @ LUMA, (0, 0), SOFT * apart), np.float32)
    cover = FULLEST * _rise(tone, LIGHT, DARK) * _rise(tone, BLACK, DARK)
    ink = _inked(tone, cover, _turned(picture.shape, moved, apart), comic.marks)
    paper = (1 - cover * INK) / (1 - cover)
    inked = picture * (paper + (INK - paper) * ink)[..., None]
    return as_stored(np.minimum(inked, np.maximum(picture, 1)), painted.dtype)


def _inked(tone: Plane, cover: Plane, turns: tuple[Plane, Plane, float], marks: Marks) -> Plane:
    """How much of each pixel is under ink: a screen is a relief 0..1, and ink is what lies below `cover`."""
    one, other, soft = turns
    if marks == "dots":
        return _below(np.float32(0.5) - (np.cos(one * TURN) + np.cos(other * TURN)) / 4, cover, soft)
    crossed = FULLEST * _rise(tone, CROSSED, DARK) * _rise(tone, BLACK, DARK)
    hatched = [_below(2 * np.abs(turn - np.rint(turn)), share, soft) for turn, share in ((one, cover), (other, crossed))]
    return np.maximum(*hatched)


def _below(relief: Plane, cover: Plane, soft: float) -> Plane:
    return _rise(relief, cover + soft / 2, cover - soft / 2) * _rise(cover, 0, soft)


def _turned(size: tuple[int, ...], moved: Plane | None, apart: float) -> tuple[Plane, Plane, float]:
    """Where on the screen each pixel lies, in marks along both its slanted ways; and how much of a relief is one pixel."""
    across, down = np.meshgrid(np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32))
    if moved is not None:
        across, down = across + moved[..., 0], down + moved[..., 1]
    pace = np.float32(1 / (apart * 2**0.5))
    return (across + down) * pace, (across - down) * pace, 2 / apart


def _rise(values: Plane, low: Plane | float, high: Plane | float) -> Plane:
    """0 at low, 1 at high, smooth between; low may be the larger one."""
    share = ((values - low) / np.subtract(high, low)).clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
