"""Between which bounds a value is stored in 256 steps: those that cost least, seen on pictures painted in fp32.

The greatest value ever seen makes wide steps for all others. Bounds drawn in make finer steps and cut off what is rare.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from impasto.engine.int8.quantise import STEPS, Bounds, Outline
from impasto.engine.trial import quiet_session
from impasto.styles.ends import IMAGE

Picture = NDArray[np.float32]  # [1,3+guides,H,W] in 0..1
TAKEN = 20_000  # values of each kind from each picture
BINS = 2048
DRAWN_IN = np.linspace(1, 0.35, 14)


def bounds_of(outline: Outline, pictures: Sequence[Picture]) -> dict[str, Bounds]:
    """The best bounds of every value that may be quantised."""
    import onnx
    from onnx import helper

    model = onnx.ModelProto()
    model.CopyFrom(outline.model)
    inner = [name for name in outline.values if name != IMAGE]
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in inner)
    session = quiet_session(model.SerializeToString())
    seen: dict[str, list[NDArray[np.float32]]] = {name: [] for name in outline.values}
    for picture in pictures:
        values = dict(zip(inner, session.run(inner, {IMAGE: picture}), strict=True)) | {IMAGE: picture}
        for name, kept in seen.items():
            kept.append(_some(values[name]))
    return {name: best_bounds(np.concatenate(kept)) for name, kept in seen.items()}


def best_bounds(values: NDArray[np.float32]) -> Bounds:
    """The bounds, zero among them, between which 256 steps keep these values best."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    counts, edges = np.histogram(values, BINS)
    centres = (edges[1:] + edges[:-1]) / 2
    tries = [(low * below, high * above) for below in (DRAWN_IN if low < 0 else (1.0,)) for above in DRAWN_IN]
    return min(tries, key=lambda bounds: _cost(centres, counts, bounds))


def _cost(centres: NDArray[np.float64], counts: NDArray[np.int64], bounds: Bounds) -> float:
    """The squared error of values so often, stored between these bounds."""
    low, high = bounds
    scale = max(high - low, 1e-9) / STEPS
    zero = round(-low / scale)
    back = ((np.rint(centres / scale) + zero).clip(0, STEPS) - zero) * scale
    return float(np.square(back - centres) @ counts)


def _some(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A fixed draw of values, with the least and the greatest."""
    flat = values.ravel()
    drawn = flat[np.random.default_rng(0).integers(0, flat.size, TAKEN)]
    return np.append(drawn, [flat.min(), flat.max()]).astype(np.float32)
