"""Painted frames two or four times larger, by a look that has learnt to (`--super-resolve`): the last thing before the file.

The network sees what a screen shows. Light beyond white, and what is no number, is enlarged plainly and laid back over it; so is
alpha.
"""
from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from impasto.errors import InputError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.alpha import premultiplied, spread, unpremultiplied
from impasto.media.colour import Colour
from impasto.render.brush import Brush
from impasto.render.stored import from_engine, to_engine
from impasto.styles.library import typed


class Enlarger:
    """Enlarges the frames of one clip, which are painted and in their target's colours already."""

    def __init__(self, brush: Brush, colour: Colour) -> None:
        self.brush, self.scale = brush, brush.scale
        self.colour = Colour(colour.target, colour.target)

    def info(self, info: ClipInfo) -> ClipInfo:
        """What the enlarged frames are."""
        return replace(info, width=info.width * self.scale, height=info.height * self.scale, channels=max(info.channels, 3))

    def frame(self, frame: Frame) -> Frame:
        """The frame enlarged; an EXR's header is told by how much."""
        rgb, alpha = frame.rgb(), frame.alpha
        joined = bool(frame.tags.get("premultiplied")) and alpha is not None
        if joined and alpha is not None:
            rgb = unpremultiplied(rgb, alpha)
        larger = self._colour(rgb, alpha if joined else None)
        tags = {**frame.tags, "resized": Fraction(1, self.scale)} if "exr" in frame.tags else frame.tags
        if alpha is None:
            return replace(frame, pixels=larger, tags=tags)
        cover = plainly(alpha[..., None], self.scale)[..., 0]
        if joined:
            there = (cover != 0) | (plainly(frame.rgb(), self.scale) != 0).any(axis=2)
            larger = np.where(there[..., None], premultiplied(larger, cover), 0).astype(larger.dtype)
        return replace(frame, pixels=np.dstack([larger, cover]), tags=tags)

    def _colour(self, rgb: Pixels, alpha: Pixels | None) -> Pixels:
        if rgb.shape[2] == 1:
            rgb = np.repeat(rgb, 3, axis=2)
        if self.colour.plain:
            return self.brush.paint(np.ascontiguousarray(rgb))
        seen = self.colour.to_working(rgb if alpha is None else spread(rgb, alpha))
        painted = self.brush.paint(np.ascontiguousarray(seen))
        stored = self.colour.from_working(painted, plainly(rgb, self.scale))
        return stored.astype(rgb.dtype) if rgb.dtype.kind == "f" else from_engine(to_engine(stored), rgb.dtype)

    def identity(self, deep: bool) -> dict[str, Any]:
        """All of it that painted values depend on."""
        return {"super_resolve": self.brush.identity(deep)}


def check_enlarges(brush: Brush) -> None:
    """Refuse a look that enlarges nothing."""
    if brush.scale == 1:
        told = f"{brush.style.card.name} leaves a picture's size as it is, so it cannot be used for --super-resolve"
        raise InputError(f"{told}: name a look that enlarges, or paint with --style {typed(brush.style)}")


def plainly(pixels: Pixels, scale: int) -> Pixels:
    """The pixels [H,W,C] larger, without a network; what is no finite number stays what it is, and where it is."""
    size = pixels.shape[1] * scale, pixels.shape[0] * scale
    values = pixels.astype(np.float32)
    finite = np.isfinite(values)
    larger = cv2.resize(np.where(finite, values, 0), size, interpolation=cv2.INTER_LINEAR).reshape(size[1], size[0], -1)
    if not finite.all():
        larger = np.where(_repeated(finite, scale), larger, _repeated(values, scale))
    return np.rint(larger).astype(pixels.dtype) if pixels.dtype.kind in "ui" else larger.astype(pixels.dtype)


def _repeated(values: Any, scale: int) -> Any:
    return values.repeat(scale, axis=0).repeat(scale, axis=1)
