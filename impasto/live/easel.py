"""Looks made ready to paint: opened and warmed up beside the one that paints, so that a change leaves no gap.

A look at an inner scale is a brush of its own, with an engine of its own: an engine prepares itself for each size of picture, and
keeps everybody waiting while it does.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from impasto.errors import InputError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.live.pace import SCALES
from impasto.live.setting import Setting
from impasto.media import MOVIES, is_sequence
from impasto.render.compose import compose
from impasto.render.mattes import Matte, MatteSpec, open_matte

Ready = tuple[str, int]  # a look, and the level of its inner scale
LIVE_MATTES = ("skin", "file")  # a picture is held; what moves by itself has no frame for each of a camera's


class Paints(Protocol):
    """What a look does to a picture [H,W,3] of bytes."""

    def paint(self, pixels: Pixels) -> Pixels: ...


class Easel:
    """Paints frames of one size in what it was made ready for. One thread paints while another makes ready."""

    def __init__(self, open_look: Callable[[str], Paints], info: ClipInfo) -> None:
        self._open, self._info = open_look, info
        self._brushes: dict[Ready, Paints] = {}
        self._mattes: dict[str, Matte] = {}

    def is_ready(self, setting: Setting, level: int) -> bool:
        """Whether a frame can be painted so without a wait."""
        brushes = all((look, level) in self._brushes for look in setting.looks)
        return brushes and (not setting.matte or setting.matte in self._mattes)

    def make_ready(self, setting: Setting, level: int) -> None:
        """Open what is missing, and warm it up on a grey picture. What cannot be opened is refused in one line."""
        if setting.matte and setting.matte not in self._mattes:
            self._mattes = {**self._mattes, setting.matte: self._matte(setting.matte)}
        for look in setting.looks:
            if (look, level) not in self._brushes:
                brush = self._open(look)
                brush.paint(self._grey(level))
                self._brushes = {**self._brushes, (look, level): brush}

    def keep(self, settings: Iterable[tuple[Setting, int]]) -> None:
        """Let go of everything but what these need."""
        wanted = list(settings)
        needed = {(look, level) for setting, level in wanted for look in setting.looks}
        self._brushes = {ready: brush for ready, brush in self._brushes.items() if ready in needed}
        mattes = {setting.matte for setting, _ in wanted}
        gone = {name: matte for name, matte in self._mattes.items() if name not in mattes}
        self._mattes = {name: matte for name, matte in self._mattes.items() if name in mattes}
        for matte in gone.values():
            matte.close()

    def paint(self, frame: Frame, setting: Setting, level: int) -> Pixels:
        """The frame's picture as the setting paints it; the very picture where there is no paint."""
        seen, brushes = frame.pixels, self._brushes
        shares = list(setting.shares.items())
        if not shares:
            return seen
        small = resized(seen, *self._inner(level))
        painted = brushes[shares[0][0], level].paint(small)
        for look, share in shares[1:]:
            painted = mixed(painted, brushes[look, level].paint(small), share)
        painted = mixed(seen, resized(painted, *seen.shape[:2]), setting.strength)
        return compose(seen, [(painted, self._mattes[setting.matte].at(frame))]) if setting.matte else painted

    def _inner(self, level: int) -> tuple[int, int]:
        """Height and width of what a brush sees."""
        return round(self._info.height * SCALES[level]), round(self._info.width * SCALES[level])

    def _matte(self, text: str) -> Matte:
        spec = MatteSpec.parse(text)
        moves = is_sequence(spec.name) or Path(spec.name).suffix.lower() in MOVIES
        if spec.origin not in LIVE_MATTES or moves:
            raise InputError(f"matte '{text}' does not go with live pictures: use skin, or a picture's file")
        matte = open_matte(spec, self._info, Path("live"), [])
        matte.at(Frame(self._grey(0)))  # what does not fit is said now, and not to the painter
        return matte

    def _grey(self, level: int) -> Pixels:
        return np.full((*self._inner(level), 3), 128, np.uint8)


def resized(pixels: Pixels, height: int, width: int) -> Pixels:
    """The picture in another size, quickly; in its own it is the very picture."""
    if pixels.shape[:2] == (height, width):
        return pixels
    how = cv2.INTER_AREA if height < pixels.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=how))


def mixed(one: Pixels, other: Pixels, share: float) -> Pixels:
    """Between two pictures of bytes: 0 is the one, 1 the other."""
    return other if share == 1 else np.asarray(cv2.addWeighted(one, 1 - share, other, share, 0))
