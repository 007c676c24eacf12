"""A code worked into the weights: of a network of many looks, one look as a plain network.

A code lays a gain and a shift on every channel that leaves some convolutions (FiLM, see models/blocks.py). A convolution with
other weights does the same, and has no code: such a network is one like those that were never taught more than one look.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from impasto.engine.graph import constants_folded, planes_of
from impasto.engine.trial import greatest_difference, left, trial_of
from impasto.styles.ends import CODE, Ends

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

FILM = "film."  # what weights are called that turn a code into gains and shifts
EACH_CHANNEL_ALONE = ("Pad", "AveragePool", "DepthToSpace")  # a gain or shift may as well come before these
SIDE_BY_SIDE = b"CRD"  # how a shuffle's sub-pixels of one channel must lie
STEPS = 1.0  # how far, in 1/255, storing the new weights may move the picture

Plane = NDArray[np.float32]


def without_code(graph: bytes) -> bytes:
    """The same graph with its own code worked into its weights; the graph itself where it has none, or uses it otherwise."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(graph)
    known = {held.name: numpy_helper.to_array(held) for held in model.graph.initializer if _is_of_code(held.name)}
    if CODE not in known:
        return graph
    before = {node.output[0] for node in constants_folded(model.graph.node) if node.op_type == "Constant"}
    nodes = constants_folded(model.graph.node, known)
    coded = {node.output[0] for node in nodes if node.op_type == "Constant"} - before
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    weights = [held for held in model.graph.initializer if not _is_of_code(held.name)]
    del model.graph.initializer[:]
    model.graph.initializer.extend(weights)
    if not _worked_in(model.graph, coded):
        return graph
    plain = bytes(model.SerializeToString())
    entering = trial_of(Ends(planes=planes_of(model)))
    return plain if greatest_difference(left(plain, entering), left(graph, entering)) * 255 <= STEPS else graph


def _is_of_code(name: str) -> bool:
    return name == CODE or name.startswith(FILM)


def _worked_in(graph: GraphProto, coded: set[str]) -> bool:
    """Take every gain and shift that came of the code into the convolution before it; False where one cannot be."""
    from onnx import numpy_helper

    constants = {n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in graph.node if n.op_type == "Constant"}
    weights = {held.name: numpy_helper.to_array(held).astype(np.float32) for held in graph.initializer}
    for node in [node for node in graph.node if coded.intersection(node.input)]:
        given, value = sorted(node.input, key=coded.__contains__)
        each = constants[value]
        named, repeated = _convolution_before(graph, given, weights)
        if node.op_type not in ("Mul", "Add") or not named or each.shape != (1, each.size, 1, 1):
            return False
        _take(weights, named, node.op_type, each.reshape(-1).repeat(repeated))
        _bypass(graph, node, given)
    for held in graph.initializer:
        stored = numpy_helper.to_array(held).dtype
        held.CopyFrom(numpy_helper.from_array(weights[held.name].astype(stored), held.name))
    used = {name for node in graph.node for name in node.input}
    kept = [node for node in graph.node if node.op_type != "Constant" or node.output[0] in used]
    del graph.node[:]
    graph.node.extend(kept)
    return True


def _take(weights: dict[str, Plane], named: tuple[str, ...], how: str, each: Plane) -> None:
    """A gain or a shift of a convolution's channels as other weights of it."""
    weight, bias = named
    if how == "Mul":
        weights[weight] = weights[weight] * each[:, None, None, None]
        weights[bias] = weights[bias] * each
    else:
        weights[bias] = weights[bias] + each


def _convolution_before(graph: GraphProto, name: str, weights: Mapping[str, Plane]) -> tuple[tuple[str, ...], int]:
    """The weight and bias of the convolution whose channels come out under this name, and how often each of them does.

    None of them where there is no such convolution, or where what it makes, or is made with, is used elsewhere too.
    """
    makers, repeated = {output: node for node in graph.node for output in node.output}, 1
    node = makers.get(name)
    while node is not None and node.op_type in EACH_CHANNEL_ALONE and _users(graph, node.output[0]) == 1:
        if node.op_type == "DepthToSpace":
            options = {attribute.name: attribute for attribute in node.attribute}
            if "mode" not in options or options["mode"].s != SIDE_BY_SIDE:
                return (), 1
            repeated *= options["blocksize"].i ** 2
        node = makers.get(node.input[0])
    if node is None or node.op_type != "Conv" or len(node.input) != 3 or _users(graph, node.output[0]) != 1:
        return (), 1
    casts = [makers[each].input[0] if each in makers and makers[each].op_type == "Cast" else each for each in node.input[1:]]
    sound = all(each in weights and _users(graph, each) == 1 for each in casts)
    return (tuple(casts) if sound else ()), repeated


def _users(graph: GraphProto, name: str) -> int:
    return [*(each for node in graph.node for each in node.input), *(output.name for output in graph.output)].count(name)


def _bypass(graph: GraphProto, node: NodeProto, given: str) -> None:
    """Take a node out; those who used what it made use what it was given."""
    for other in graph.node:
        other.input[:] = [given if name == node.output[0] else name for name in other.input]
    graph.node.remove(node)
