"""How deep values are stored: which depth a format is given, and values of one depth as those of another.

8 bits are bytes; 10, 12 and 16 bits are uint16 over the full range, so 10 bits are 1024 of its values; half and float are 0..1
and beyond. What a depth can hold stays as it is; the rest is rounded to the nearest, without dither.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from impasto.errors import MediaError
from impasto.frame import Pixels
from impasto.media.encoding import Bits

Depth = Literal["8", "10", "12", "16", "half", "float"]

RISING: tuple[Depth, ...] = ("8", "10", "12", "16", "half", "float")
HELD: dict[str, tuple[Depth, ...]] = {
    ".png": ("8", "16"),
    ".jpg": ("8",),
    ".jpeg": ("8",),
    ".webp": ("8",),
    ".tif": ("8", "16", "half", "float"),
    ".tiff": ("8", "16", "half", "float"),
    ".dpx": ("8", "10", "12", "16"),
}
DTYPES: dict[Depth, str] = {"8": "uint8", "10": "uint16", "12": "uint16", "16": "uint16", "half": "float16", "float": "float32"}
_OF_DTYPE: dict[str, Depth] = {"uint8": "8", "uint16": "16", "float16": "half", "float32": "float"}
_HALF_MAX = 65504.0


def choose_depth(path: Path, dtype: str, told: Any, wanted: Bits) -> Depth:
    """The depth that a file of this suffix gets: what is wanted, or that of the source, or the next that the format has.

    `told` is what the source says of itself (10 or 12 bits lie in uint16 too).
    """
    held = HELD[path.suffix.lower()]
    if wanted != "auto":
        if wanted not in held:
            raise MediaError(f"a {path.suffix} file holds {' or '.join(held)} bits, not {wanted}: choose one of those", path)
        return wanted
    source = _OF_DTYPE[dtype]
    if source == "16" and str(told) in ("10", "12"):
        source = "10" if str(told) == "10" else "12"
    deep_enough = [depth for depth in held if RISING.index(depth) >= RISING.index(source)]
    return deep_enough[0] if deep_enough else held[-1]


def stored(pixels: Pixels, depth: Depth) -> Pixels:
    """Values of any depth as those of another; the array itself where nothing changes."""
    if DTYPES[depth] in ("float16", "float32"):
        return _floats(pixels, DTYPES[depth])
    if np.issubdtype(pixels.dtype, np.floating):
        return _from_unit(pixels, depth)
    if depth == "8":
        return pixels if pixels.dtype == np.uint8 else ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    wide = pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * np.uint16(257)
    return wide if depth == "16" else _spread((wide.astype(np.uint32) * _steps(depth) + 32767) // 65535, depth)


def _floats(pixels: Pixels, dtype: str) -> Pixels:
    if pixels.dtype == dtype:
        return pixels
    if np.issubdtype(pixels.dtype, np.integer):
        return (pixels.astype(np.float32) / np.iinfo(pixels.dtype).max).astype(dtype)
    if dtype == "float32":
        return pixels.astype(np.float32)
    # The brightest a half can be is no infinity.
    return np.where(np.isfinite(pixels), pixels.clip(-_HALF_MAX, _HALF_MAX), pixels).astype(np.float16)


def _from_unit(pixels: Pixels, depth: Depth) -> Pixels:
    unit = np.nan_to_num(pixels.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    levels: Pixels = np.rint(unit * _steps(depth))
    return levels.astype(np.uint8) if depth == "8" else _spread(levels.astype(np.uint32), depth)


def _spread(levels: Pixels, depth: Depth) -> Pixels:
    """Levels of so many bits over the full range of uint16, as decoders do: the upper bits are repeated below."""
    bits = int(depth)
    return (levels << (16 - bits) | levels >> (2 * bits - 16)).astype(np.uint16)


def _steps(depth: Depth) -> int:
    return (1 << int(depth)) - 1
