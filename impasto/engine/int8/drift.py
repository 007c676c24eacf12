"""How far the style of a painting moves when it is painted in other numbers: its Gram statistics, before and after.

A style distance measures Gram matrices against those of a reference (losses/perceptual.py). By the triangle inequality no such
distance changes by more than the matrices themselves move, whatever the reference: so this needs none, and no torch either.
"""
from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from impasto.engine.trial import quiet_session
from impasto.frame import Pixels

if TYPE_CHECKING:
    from onnx import NodeProto

POOL = "pool"
# the layers of our own perception (models/perception.py) as they follow each other, and those whose statistics count
LAYERS = ("own11", "own12", POOL, "own21", "own22", POOL, "own31", "own32", "own33", "own34", POOL, "own41")
TAPS = ("own11", "own21", "own31", "own41")
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of photographs: what it sees is measured by them
Gram = NDArray[np.float64]
Values = Mapping[str, NDArray[np.float32]]


def style_drift(before: Pixels, after: Pixels) -> float:
    """The distance between the style statistics of two paintings [H,W,3] of bytes, as a share of the first's."""
    ours, theirs = _grams(before), _grams(after)
    moved = [np.square(b - a).sum() / np.square(a).sum() for a, b in zip(ours, theirs, strict=True)]
    return float(np.sqrt(np.mean(moved)))


def _grams(picture: Pixels) -> list[Gram]:
    """How strongly each two features appear together, tap by tap; a compressed tap is widened to its teacher's features."""
    session, weights = _perception()
    image = ((picture / 255 - MEAN) / SPREAD).astype(np.float32).transpose(2, 0, 1)[None]
    grams = []
    for tap, seen in zip(TAPS, session.run(list(TAPS), {"image": image}), strict=True):
        rows = seen[0].reshape(seen.shape[1], -1).T.astype(np.float64)
        if f"{tap}_aux.weight" in weights:
            rows = rows @ weights[f"{tap}_aux.weight"][:, :, 0, 0].T + weights[f"{tap}_aux.bias"]
        grams.append(rows.T @ rows / rows.size)
    return grams


@cache
def _perception() -> tuple[Any, Values]:
    """Our perception network under ONNX Runtime, and its weights."""
    from onnx import TensorProto, helper, numpy_helper

    weights = _read_safetensors(files("impasto.models").joinpath("own_perception.safetensors").read_bytes())
    nodes: list[NodeProto] = []
    value = "image"
    for number, layer in enumerate(LAYERS):
        if layer == POOL:
            nodes.append(helper.make_node("MaxPool", [value], [f"pooled{number}"], kernel_shape=[2, 2], strides=[2, 2]))
            value = f"pooled{number}"
            continue
        conv = helper.make_node("Conv", [value, f"{layer}.weight", f"{layer}.bias"], [f"{layer}.sum"], pads=[1] * 4)
        nodes += [conv, helper.make_node("Relu", [f"{layer}.sum"], [layer])]
        value = layer
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "h", "w"])
    ends = [helper.make_empty_tensor_value_info(tap) for tap in TAPS]
    stored = [numpy_helper.from_array(held, name) for name, held in weights.items()]
    graph = helper.make_graph(nodes, "perception", [image], ends, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return quiet_session(model.SerializeToString()), weights


def _read_safetensors(data: bytes) -> dict[str, NDArray[np.float32]]:
    """Our own file of halves; the library that reads any such file comes with torch."""
    start = 8 + int.from_bytes(data[:8], "little")
    told = {name: entry for name, entry in json.loads(data[8:start]).items() if name != "__metadata__"}
    return {
        name: np.frombuffer(data[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]], "<f2")
        .reshape(entry["shape"])
        .astype(np.float32)
        for name, entry in told.items()
    }
