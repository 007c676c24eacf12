"""Light of any strength through looks that were learnt on photographs, and back.

    display = to_display(light)            # 0..1 as a look wants it: sRGB up to a knee, a shoulder above it
    light = from_display(painted, light)   # the painting, as bright as the source was

Below the knee the way there is the sRGB curve and nothing else. Above it each colour is dimmed by a factor that follows from the
source alone, and the painting is brightened by that same factor: what was not painted comes back as it was, a painted lamp of 20
shines with 20.0 times what the paint reflects, and paint brighter than the source never explodes.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]  # of any shape; 1.0 is white paper
KNEE = 0.85  # in sRGB
BRIGHTEST = 65504.0  # a half can hold no more, and it meets 1.0
BLOCK = 2**15


def encode(light: NDArray[Any]) -> Light:
    """Light as sRGB stores it; the curve goes on above 1, and below 0 is nothing."""
    light = np.fmax(np.asarray(light, np.float32), np.float32(0))
    curve = _curve_up(np.maximum(light, np.float32(0.003)))  # a power of 0 is nothing the line has not, and slow
    with np.errstate(over="ignore"):  # of the line far beyond its end, where nobody looks
        return np.where(light <= np.float32(0.0031308), light * np.float32(12.92), curve)


def decode(stored: NDArray[Any]) -> Light:
    """What `encode` stored, as light."""
    stored = np.asarray(stored, np.float32)
    line = stored * np.float32(1 / 12.92)
    return np.where(stored <= np.float32(0.04045), line, _curve_down(np.maximum(stored, np.float32(0.04))))


def to_display(light: NDArray[Any], knee: float = KNEE) -> Light:
    """Light in 0..1 as a look wants to see it; what is no number is black. A knee of 1 cuts what is brighter than white."""
    return _in_blocks(lambda block: _to_display(block, knee), light)


def from_display(painted: NDArray[Any], light: NDArray[Any] | None = None, knee: float = KNEE) -> Light:
    """A painting of `to_display(light)` as light. Where the source was no finite number it stays what it was."""
    if light is None:
        return _in_blocks(_from_paint, painted)
    return _in_blocks(lambda block, source: _from_display(block, source, knee), painted, light)


def _to_display(light: Light, knee: float) -> Light:
    return _bent(encode(np.minimum(light, np.float32(BRIGHTEST))), knee)


def _bent(stored: Light, knee: float) -> Light:
    """The shoulder: what is stored above the knee, in the room between it and 1."""
    if knee < 1:
        room, bend = np.float32(1 - knee), np.float32(_bend(knee))
        above = np.maximum(stored - np.float32(knee), np.float32(0))
        above *= bend / room
        np.log1p(above, out=above)
        above *= room / bend
        stored = np.minimum(stored, np.float32(knee))
        stored += above
    return np.minimum(stored, np.float32(1))


def _from_display(painted: Light, light: Light, knee: float) -> Light:
    found = _from_paint(painted)
    edge = decode(np.asarray(knee))
    if not light.max() <= edge:  # NaN goes this way too
        # Below the knee stands the knee itself, whose factor is 1: cheaper than to choose.
        bright = np.fmin(np.fmax(light, edge), np.float32(1e38))
        found *= bright / _curve_down(_bent(_curve_up(np.minimum(bright, np.float32(BRIGHTEST))), knee))
    found += np.fmin(light, np.float32(0))  # light below nothing is a colour that no display shows: it is laid back
    finite = np.isfinite(light)
    if not finite.all():
        np.copyto(found, light, where=~finite)
    return found


def _curve_up(light: Light) -> Light:
    stored: Light = np.power(light, np.float32(1 / 2.4))
    stored *= np.float32(1.055)
    stored -= np.float32(0.055)
    return stored


def _curve_down(stored: Light) -> Light:
    light: Light = np.power((stored + np.float32(0.055)) * np.float32(1 / 1.055), np.float32(2.4))
    return light


def _from_paint(painted: Light) -> Light:
    return decode(np.clip(painted, np.float32(0), np.float32(1)))


def _in_blocks(change: Callable[..., Light], *arrays: NDArray[Any]) -> Light:
    """The change of arrays of one shape, piece by piece, so that what lies between its steps stays in the processor's cache."""
    flat = [np.ascontiguousarray(array).reshape(-1) for array in arrays]
    found = np.empty(flat[0].size, np.float32)
    for start in range(0, found.size, BLOCK):
        found[start : start + BLOCK] = change(*(array[start : start + BLOCK].astype(np.float32, copy=False) for array in flat))
    return found.reshape(arrays[0].shape)


@cache
def _bend(knee: float) -> float:
    """How sharply the shoulder turns, so that it leaves the knee without a kink and meets 1.0 at the brightest light."""
    far, bend = (1.055 * math.pow(BRIGHTEST, 1 / 2.4) - 0.055 - knee) / (1 - knee), 8.0
    for _ in range(30):  # bend = log(1 + bend * far) has one solution above 0, and this finds it
        bend = math.log1p(bend * far)
    return bend
