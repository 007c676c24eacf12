"""A tier's graph whose convolutions compute in 8-bit integers, in ONNX's own words: QuantizeLinear, DequantizeLinear.

Any engine reads such a graph; one that knows 8-bit integers sees the pairs around a convolution and computes in them. Values are
stored in 256 steps between two bounds (ranges.py), weights in 255 steps about zero, each output channel with its own.
Never touched: convolutions that see the picture itself or make it, where every step would show and little is to be won.
"""
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from impasto.engine.fold import without_code
from impasto.engine.graph import constants_folded

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

CARRIES = ("Pad", "Relu")  # between a sum and the convolution that reads it
SHRUNK = np.linspace(1, 0.5, 26)  # how far the bounds of weights are tried to be drawn in
STEPS, SIGNED_STEPS = 255, 127

Bounds = tuple[float, float]
Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Outline:
    """What of a graph can be quantised."""

    model: ModelProto = field(repr=False)  # weights and code folded into constants
    layers: dict[str, str]  # convolutions by the value they make -> the value that they read, before it is padded
    sums: tuple[str, ...]  # values that are added up before a convolution reads them

    @property
    def values(self) -> list[str]:
        """Every value whose bounds must be known."""
        return list(dict.fromkeys([*self.layers.values(), *self.sums]))


def outlined(graph: bytes) -> Outline:
    """Look for the convolutions in a graph that may be quantised, from early to late."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(without_code(graph))
    weights = {held.name: numpy_helper.to_array(held) for held in model.graph.initializer}
    nodes = constants_folded(model.graph.node, weights)
    kept = [held for held in model.graph.initializer if any(held.name in node.input for node in nodes)]
    made = {output for node in nodes for output in node.output if node.op_type == "Constant"}
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(held for held in kept if held.name not in made)
    after, before = _reached(nodes, 1), _reached(reversed(nodes), -1)
    layers = {
        node.output[0]: _before(nodes, node.input[0], ("Pad",))
        for node in nodes
        if node.op_type == "Conv" and node.output[0] in after & before and node.input[1] in made
    }
    read = {_before(nodes, source, CARRIES) for source in layers.values()}
    sums = [name for node in nodes if node.op_type == "Add" and node.output[0] in read for name in node.input if name not in made]
    return Outline(model, layers, tuple(dict.fromkeys(sums)))


def quantised(outline: Outline, bounds: Mapping[str, Bounds], layers: Collection[str], sums: Collection[str]) -> bytes:
    """The graph with these layers and sums in 8-bit integers, and all others as they were."""
    import onnx

    model = onnx.ModelProto()
    model.CopyFrom(outline.model)
    held = {outline.layers[name] for name in layers} | set(sums)
    nodes, weights = list(model.graph.node), _constants(model)
    for node in nodes:
        if node.op_type == "Conv" and node.output[0] in layers:
            _read_held(nodes, node, outline.layers[node.output[0]])
            node.input[1] = _stored(node.input[1])
        elif node.op_type == "Add" and set(node.input) <= set(sums):
            node.input[:] = [_stored(name) for name in node.input]
    read = {name for node in nodes for name in node.input}
    written = [made for name, value in weights.items() if _stored(name) in read for made in _weight(name, value)]
    written += _value(outline.model.graph.input[0].name, bounds) if outline.model.graph.input[0].name in held else []
    for node in nodes:
        written.append(node)
        written += [made for name in node.output if name in held for made in _value(name, bounds)]
    used = {name for node in written for name in node.input} | {output.name for output in model.graph.output}
    del model.graph.node[:]
    model.graph.node.extend(node for node in written if used.intersection(node.output))
    return bytes(model.SerializeToString())


def _stored(name: str) -> str:
    """What a value is called after it has been through 8 bits."""
    return f"{name}.int8"


def _read_held(nodes: list[NodeProto], conv: NodeProto, source: str) -> None:
    """Let a convolution, or the padding before it, read its source through 8 bits."""
    makers = {output: node for node in nodes for output in node.output}
    reader = conv
    while reader.input[0] not in (source, _stored(source)):
        reader = makers[reader.input[0]]
    reader.input[0] = _stored(source)


def _value(name: str, bounds: Mapping[str, Bounds]) -> list[NodeProto]:
    """A value in 256 steps, and back."""
    low, high = bounds[name]
    scale = max(high - low, 1e-9) / STEPS
    zero = np.array(np.clip(round(-low / scale), 0, STEPS), np.uint8)
    from onnx import helper

    steps = [_constant(f"{name}.scale", np.array(scale, np.float32)), _constant(f"{name}.zero", zero)]
    there = helper.make_node("QuantizeLinear", [name, f"{name}.scale", f"{name}.zero"], [f"{name}.steps"])
    back = helper.make_node("DequantizeLinear", [f"{name}.steps", f"{name}.scale", f"{name}.zero"], [_stored(name)])
    return [*steps, there, back]


def _weight(name: str, value: Weights) -> list[NodeProto]:
    """Weights in 255 steps, each output channel with the bounds that cost it least, and back."""
    from onnx import helper

    flat = value.reshape(len(value), -1)
    top = np.abs(flat).max(1).clip(1e-9)[:, None] / SIGNED_STEPS
    tries = np.stack([top * share for share in SHRUNK])  # [tries,channels,1]
    steps = np.rint(flat / tries).clip(-SIGNED_STEPS, SIGNED_STEPS)
    best = np.square(steps * tries - flat).mean(2).argmin(0), np.arange(len(flat))
    stored, scales = steps[best].reshape(value.shape).astype(np.int8), tries[best][:, 0].astype(np.float32)
    nodes = [_constant(f"{name}.steps", stored), _constant(f"{name}.scale", scales)]
    nodes.append(_constant(f"{name}.zero", np.zeros(len(flat), np.int8)))
    nodes.append(helper.make_node("DequantizeLinear", [node.output[0] for node in nodes], [_stored(name)], axis=0))
    return nodes


def _constants(model: ModelProto) -> dict[str, Weights]:
    from onnx import numpy_helper

    return {n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in model.graph.node if n.op_type == "Constant"}


def _constant(name: str, value: NDArray[np.generic]) -> NodeProto:
    from onnx import helper, numpy_helper

    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value, name))


def _before(nodes: Iterable[NodeProto], name: str, carried: Collection[str]) -> str:
    """The value behind those that only carry it on."""
    makers = {output: node for node in nodes for output in node.output}
    while name in makers and makers[name].op_type in carried:
        name = makers[name].input[0]
    return name


def _reached(nodes: Iterable[NodeProto], way: int) -> set[str]:
    """Values made by convolutions with another convolution before them (way 1), or behind them (way -1)."""
    past, found = set[str](), set[str]()
    for node in nodes:
        ends = (node.input, node.output)[::way]
        if past.intersection(ends[0]):
            past.update(ends[1])
            found.update(node.output if node.op_type == "Conv" else ())
        if node.op_type == "Conv":
            past.update(ends[1])
    return found
