"""What a graph is tried on after it was exported: a picture with what graphs stumble over, guides, noise, codes."""
from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.styles.ends import NOISE, Ends

Values = NDArray[np.float32]
TRIAL_PX = 192
TRIAL_DRAWN = 3  # vectors of noise


def trial_of(ends: Ends) -> Values:
    """What enters a graph with these ends on trial: [1,planes,TRIAL_PX,TRIAL_PX], or [TRIAL_DRAWN,numbers] of noise."""
    if ends.entering == NOISE:
        return np.random.default_rng(7).standard_normal((TRIAL_DRAWN, ends.planes), np.float32)
    picture = trial_picture()
    if ends.planes == 3:
        return picture
    guides = [np.roll(picture[:, number % 3], 29 * (number + 1), 2) for number in range(ends.planes - 3)]
    return np.concatenate([picture, np.stack(guides, 1)], 1)


def trial_codes(weights: Mapping[str, Values], name: str) -> list[list[float]]:
    """Codes that a painter is tried with beside its own: one drawn from a unit normal. None if it takes none."""
    if name not in weights:
        return []
    return [np.random.default_rng(7).standard_normal(len(weights[name])).round(4).tolist()]


def trial_picture(size: int = TRIAL_PX) -> Values:
    """A fixed picture [1,3,size,size] with what graphs stumble over: ramps, hard edges, noise at several scales, black, white."""
    rng = np.random.default_rng(7)
    down, across = np.mgrid[0:size, 0:size].astype(np.float32) / size
    ramps = np.stack([across, down, 1 - across])
    noise = np.zeros_like(ramps)
    for scale in (1, 4, 16):
        grain = rng.random((3, -(-size // scale), -(-size // scale)), dtype=np.float32)
        noise += np.kron(grain, np.ones((1, scale, scale), np.float32))[:, :size, :size] / 3
    picture = np.where(down > 0.5, noise, ramps)
    picture[:, size // 8 : size // 4, size // 8 : size // 4] = 0
    picture[:, size // 8 : size // 4, -size // 4 :] = 1
    return picture[None].astype(np.float32)


def greatest_difference(one: Values, other: Values) -> float:
    """How far two arrays are apart at most; infinite if they are of another shape or not finite."""
    if one.shape != other.shape:
        return inf
    apart = float(np.abs(one - other).max())
    return apart if np.isfinite(apart) else inf


def quiet_session(graph: bytes) -> Any:
    """A session of ONNX Runtime on the processor, which says nothing but errors."""
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    return runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def left(graph: bytes, entering: Values) -> Values:
    """What leaves a graph when this enters."""
    session = quiet_session(graph)
    return np.asarray(session.run(None, {session.get_inputs()[0].name: entering})[0], np.float32)
