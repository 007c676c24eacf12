"""Motion that a renderer wrote into an EXR, as pixels of the frame: where each one goes to, and where it came from.

    channels = find_vectors(path, "auto")     # which are there, and by whose convention
    motion = read_vectors(path, channels)     # motion.ahead, motion.back: [H,W,2] pixels, y downward, or None

- nuke: forward.u/v is the way to the next frame, backward.u/v the way to the one before; pixels, v upward. One is enough.
- blender: the pass Vector; X and Y are the way to the frame before, Z and W the way from the next one; pixels, y upward.

The names may stand behind those of a part or a layer (beauty.forward.u, ViewLayer.Vector.X). What is not finite is no motion.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from impasto.errors import MediaError
from impasto.media.exr.container import Part, read_layout
from impasto.media.exr.reader import Planes
from impasto.media.flow import Plane
from impasto.media.windows import Windows

Convention = Literal["auto", "nuke", "blender"]
Two = tuple[str, str]  # the channels across and up
MOST_NAMED = 20  # channels in a message
ELSE = "name another file with --vectors, or take --steady flow"


@dataclass(frozen=True)
class Known:
    """How a convention calls the ways ahead and back, and by what each counts."""

    ahead: Two
    back: Two
    ahead_sign: int  # -1: it is told as the way from there to here


CONVENTIONS = {
    "nuke": Known(("forward.u", "forward.v"), ("backward.u", "backward.v"), 1),
    "blender": Known(("Vector.Z", "Vector.W"), ("Vector.X", "Vector.Y"), -1),
}


@dataclass(frozen=True)
class VectorChannels:
    """Where the motion of a file lies."""

    convention: str
    part: int
    ahead: Two | None
    back: Two | None

    def __str__(self) -> str:
        """As it is said to the user."""
        pairs = [f"{across} and {up}" for across, up in (two for two in (self.ahead, self.back) if two)]
        return f"{', '.join(pairs)} (as {self.convention.capitalize()} writes them)"


@dataclass(frozen=True)
class Motion:
    """The motion of one frame [H,W,2] in pixels of its data window, y downward; None: it is not told."""

    ahead: Plane | None
    back: Plane | None
    windows: Windows


def written(ahead: Plane, back: Plane, convention: str) -> dict[str, Plane]:
    """The motion of a frame (pixels, y downward) as the channels of a convention."""
    known, channels = CONVENTIONS[convention], dict[str, Plane]()
    for two, flow, sign in ((known.ahead, ahead, known.ahead_sign), (known.back, back, 1)):
        channels |= {two[0]: sign * flow[..., 0], two[1]: -sign * flow[..., 1]}
    return channels


def find_vectors(path: Path, convention: Convention = "auto", otherwise: str = ELSE) -> VectorChannels:
    """The motion channels of an EXR; the first convention that it has, if none is named. `otherwise`: what a user may do."""
    if path.suffix.lower() != ".exr":
        raise MediaError("holds no motion vectors, only an EXR can: give one with --vectors, or take --steady flow", path)
    parts = read_layout(path).parts
    names = list(CONVENTIONS) if convention == "auto" else [convention]
    for name in names:
        if found := next(_found(parts, name), None):
            return found
    wanted = " or ".join(f"{', '.join((*CONVENTIONS[name].ahead, *CONVENTIONS[name].back))} ({name})" for name in names)
    there = [channel.name for part in parts for channel in part.channels]
    more = f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else ""
    told = f"has no motion vectors {wanted}; it has {', '.join(there[:MOST_NAMED])}{more}"
    raise MediaError(f"{told}: {otherwise}", path)


def read_vectors(path: Path, channels: VectorChannels) -> Motion:
    """The motion of one file, by channels that were found in another of its sequence."""
    layout = read_layout(path)
    part = layout.parts[channels.part] if channels.part < len(layout.parts) else None
    wanted = [name for two in (channels.ahead, channels.back) if two for name in two]
    if part is None or not set(wanted) <= {channel.name for channel in part.channels}:
        raise MediaError(f"lacks the motion vectors that its first frame has ({', '.join(wanted)}): render it again", path)
    planes = Planes(layout, channels.part)
    try:
        found = dict(zip(wanted, planes.read(wanted, 0, part.height), strict=True))
    finally:
        planes.close()

    def laid(two: Two | None, sign: int) -> Plane | None:
        if two is None:
            return None
        flow = np.dstack([found[name].astype(np.float32) for name in two]) * np.array([sign, -sign], np.float32)
        return np.where(np.isfinite(flow).all(-1, keepdims=True), flow, np.float32(0))

    sign = CONVENTIONS[channels.convention].ahead_sign
    shown = part.numbers(b"displayWindow", "4i") or part.window
    windows = Windows(part.window, (int(shown[0]), int(shown[1]), int(shown[2]), int(shown[3])))
    return Motion(laid(channels.ahead, sign), laid(channels.back, 1), windows)


def _found(parts: Sequence[Part], convention: str) -> Iterator[VectorChannels]:
    known = CONVENTIONS[convention]
    for number, part in enumerate(parts):
        names = [channel.name for channel in part.channels] if not part.deep else []
        ahead, back = (_both(two, names, part.name) for two in (known.ahead, known.back))
        if ahead or back:
            yield VectorChannels(convention, number, ahead, back)


def _both(two: Two, names: Sequence[str], part: str) -> Two | None:
    """The channels whose names end so; in a part that bears the first half of the name, the second half is enough."""
    found = []
    for wanted in two:
        ends = (wanted.lower(), f".{wanted.lower()}")
        called = (name for name in names if name.lower() == ends[0] or name.lower().endswith(ends[1]))
        in_part = (name for name in names if f"{part}.{name}".lower().endswith(ends) and part)
        found.append(next(called, None) or next(in_part, None))
    return (found[0], found[1]) if found[0] and found[1] else None
