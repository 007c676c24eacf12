"""From frames to painted frames: reader -> engine -> strength -> writer. It knows nothing of files' formats or of engines."""
from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from impasto.engine import open_engine
from impasto.errors import InputError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.job import Done, Progress
from impasto.media import open_reader, open_writer
from impasto.render.tiles import paint_whole_or_tiled

if TYPE_CHECKING:
    from impasto.engine import Engine
    from impasto.styles.card import TierName
    from impasto.styles.package import StyleFile


class Brush:
    """Paints frames with one tier of one look. An engine is opened for each depth that turns up, if any paint is wanted."""

    def __init__(self, style: StyleFile, tier: TierName, engine: str, precision: str, tile: str, strength: float) -> None:
        self.style, self.tier, self.engine = style, tier, engine
        self.precision, self.tile, self.strength = precision, tile, strength
        self.seconds: list[float] = []  # of each frame, painting alone
        self._opened: dict[bool, Engine] = {}

    def prepare(self, deep: bool, source: str = "") -> None:
        """Open the engine for a source of 8 bits or of more (deep); refuse a precision that would lose the depth."""
        if self.strength == 0 or deep in self._opened:
            return
        if deep and self.precision not in ("auto", "fp32"):
            raise InputError(f"{source}: has more than 8 bits, which are painted in fp32: leave --precision {self.precision} out")
        self._opened[deep] = open_engine(self.style, self.tier, self.engine, self.precision, deep=deep)

    def like(self, info: ClipInfo) -> ClipInfo:
        """What painted frames of such a source are: grey becomes colour, all else stays."""
        return info if self.strength == 0 else replace(info, channels=info.channels + 2 if info.channels < 3 else info.channels)

    def paint(self, frame: Frame) -> Frame:
        """The frame, painted; number, alpha and tags stay. Strength 0 hands the very frame back."""
        if self.strength == 0:
            return frame
        start = perf_counter()
        rgb = frame.rgb()
        engine, tier = self._opened[rgb.dtype != np.uint8], self.style.card.tiers[self.tier]
        painted = paint_whole_or_tiled(engine, to_engine(rgb), self.tile, tier.stride, tier.receptive_field)
        painted = from_engine(painted, rgb.dtype)
        if self.strength < 1:
            painted = mix(rgb, painted, self.strength)
        self.seconds.append(perf_counter() - start)
        return frame.with_rgb(painted)

    def record(self) -> dict[str, Any]:
        """What it painted with, for the job's figures."""
        engines = [f"{engine.name} {engine.precision} on {engine.device}" for engine in self._opened.values()]
        after_first = self.seconds[1:] or self.seconds  # an engine prepares itself on the first frame of a size
        fps = round(1 / median(after_first), 2) if after_first else None
        made = {"style": self.style.card.name, "style_hash": self.style.hash, "tier": self.tier, "strength": self.strength}
        return {**made, "engine": ", ".join(engines) or "none", "paint_fps": fps}


def paint(errands: list[tuple[Path, Path]], brush: Brush, overwrite: bool) -> Iterator[Progress | Done]:
    """Paint every source into its target, one frame at a time."""
    start, frames = perf_counter(), 0
    yield Progress("painting", 0, len(errands), "picture")
    for number, (source, target) in enumerate(errands, 1):
        with closing(paint_clip(source, target, brush, overwrite)) as painted:
            for _ in painted:
                frames += 1
        yield Progress("painting", number, len(errands), "picture", number / (perf_counter() - start))
    seconds = perf_counter() - start
    figures = {**brush.record(), "pictures": len(errands), "frames": frames, "seconds": round(seconds, 3)}
    figures["fps"] = round(frames / seconds, 2)
    out = errands[0][1] if len(errands) == 1 else errands[0][1].parent
    count = f"{len(errands)} pictures" if len(errands) > 1 else f"{errands[0][0].name}"
    yield Done(out, f"painted {count} in {seconds:.1f} s ({figures['fps']} frames/s) -> {out}", figures)


def paint_clip(source: Path, target: Path, brush: Brush, overwrite: bool) -> Generator[int, None, None]:
    """Paint one source into its target, yielding each frame's number; the target appears when all of it is written."""
    with open_reader(source) as reader, open_writer(target, brush.like(reader.info), overwrite) as writer:
        for frame in reader:
            writer.write(brush.paint(frame))
            yield frame.number


def to_engine(rgb: Pixels) -> Pixels:
    """Native colour as an engine takes it: bytes as they are, deeper integers as float32 in 0..1."""
    if rgb.dtype == np.uint8:
        return rgb
    if np.issubdtype(rgb.dtype, np.integer):
        return rgb.astype(np.float32) / np.iinfo(rgb.dtype).max
    return rgb.astype(np.float32)


def from_engine(painted: Pixels, dtype: np.dtype[Any]) -> Pixels:
    """Back from the engine's storage to the native one."""
    if painted.dtype == dtype:
        return painted
    return (painted * np.iinfo(dtype).max + 0.5).astype(dtype) if np.issubdtype(dtype, np.integer) else painted.astype(dtype)


def mix(rgb: Pixels, painted: Pixels, strength: float) -> Pixels:
    """Between the picture (0) and the painting (1), in native values."""
    between = rgb.astype(np.float32) * (1 - strength) + painted.astype(np.float32) * strength
    return np.rint(between).astype(rgb.dtype) if np.issubdtype(rgb.dtype, np.integer) else between.astype(rgb.dtype)
