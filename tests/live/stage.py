"""Stand-ins: looks that paint one colour in a time that is told, on a clock that only they move."""
from __future__ import annotations

from fractions import Fraction
from threading import Event

import numpy as np

from impasto.errors import InputError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.live.easel import Easel
from impasto.live.session import Session
from impasto.live.setting import Setting
from impasto.media.video.capture import CAUGHT

INFO = ClipInfo(64, 36, 0, Fraction(25))
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, stop: Event) -> bool:
        self.time += max(seconds, 0.0)
        return stop.is_set()


class Flat:
    """A look of one colour; a frame of full size takes `cost` seconds."""

    def __init__(self, clock: Clock, colour: tuple[int, int, int], cost: list[float]) -> None:
        self.clock, self.colour, self.cost = clock, colour, cost
        self.shapes: list[tuple[int, ...]] = []

    def paint(self, pixels: Pixels) -> Pixels:
        self.shapes.append(pixels.shape)
        self.clock.time += self.cost[0] * pixels.shape[0] * pixels.shape[1] / (INFO.width * INFO.height)
        return np.full_like(pixels, self.colour)


class Stage:
    """A session whose threads never run: a test paints and warms up itself."""

    def __init__(self, cost: float = 0.0, setting: Setting | None = None) -> None:
        self.clock, self.cost = Clock(), [cost]
        self.opened: list[str] = []
        self.notes: list[str] = []
        self.frames: list[Frame] = []
        self.easel = Easel(self._open, INFO)
        first = setting or Setting(style="red")
        self.session = Session(self.easel, first, 25, self.frames.append, self.notes.append, self.clock.now)
        self.session.warm()

    def _open(self, look: str) -> Flat:
        if look not in COLOURS:
            raise InputError(f"no look {look}")
        self.opened.append(look)
        return Flat(self.clock, COLOURS[look], self.cost)

    def paint(self, frames: int = 1, warming: bool = True) -> Pixels:
        """Paint so many grey frames, 25 a second; the last painting."""
        for number in range(frames):
            began = self.clock.time
            self.session.step(Frame(np.full((36, 64, 3), 128, np.uint8), number, {CAUGHT: began}))
            self.clock.time = max(self.clock.time, began + 0.04)
            if warming:
                self.session.warm()
        painted: Pixels = self.frames[-1].pixels
        return painted
