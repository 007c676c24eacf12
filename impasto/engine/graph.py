"""Work on a tier's ONNX graph that needs no engine: fold pixel formats into it, choose a look of it, tell what memory it takes.

A tier's graph is "image" float32 [n,3+guides,h,w] in 0..1 -> "painted" [n,3,h*scale,w*scale]. Engines want pixels as they lie
in frames. A look of a network of many is a code, the weight "code": engines never know of it.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from impasto.errors import InputError
from impasto.styles.ends import CODE, IMAGE, PAINTED

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

OPSET = 17
IR = 8  # the file format of that opset's time: old engines read it too
PIXELS, PAINTED_PIXELS = "pixels", "painted_pixels"
Values = NDArray[np.generic]
PROBE_PX = 64  # side of the picture at which memory is counted
WORKSPACE = 1.25  # engines keep copies in other layouts: measured, they take 0.4 to 1.4 times what the graph itself needs


def fold_pixels(graph: bytes, dtype: str) -> bytes:
    """The same graph with `pixels` [n,h,w,3+guides] of uint8 or float32 going in and `painted_pixels` [n,h,w,3] coming out."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load_from_string(graph)
    kind = TensorProto.UINT8 if dtype == "uint8" else TensorProto.FLOAT
    if dtype == "uint8":
        enter, leave = _from_bytes(), _to_bytes()
    else:
        enter, leave = _turn(PIXELS, IMAGE, 0), _turn(PAINTED, PAINTED_PIXELS, 1)
    inner, planes = list(model.graph.node), planes_of(model)
    del model.graph.node[:], model.graph.input[:], model.graph.output[:]
    model.graph.node.extend([*enter, *inner, *leave])
    model.graph.input.append(helper.make_tensor_value_info(PIXELS, kind, ["n", "h", "w", planes]))
    model.graph.output.append(helper.make_tensor_value_info(PAINTED_PIXELS, kind, ["n", "painted_h", "painted_w", 3]))
    return bytes(model.SerializeToString())


def planes_of(model: ModelProto) -> int:
    """How many planes a graph's image has: colour and guides."""
    return int(model.graph.input[0].type.tensor_type.shape.dim[1].dim_value)


def with_code(graph: bytes, values: Sequence[float]) -> bytes:
    """The same graph with another code as its own: another look, a blend, a variation."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(graph)
    held = next((weight for weight in model.graph.initializer if weight.name == CODE), None)
    if held is None or list(held.dims) != [len(values)]:
        takes = f"takes codes of {held.dims[0]} numbers" if held is not None else "takes no code"
        raise InputError(f"a code of {len(values)} numbers does not fit the network, which {takes}")
    # kept in fp32, whatever the other weights are stored in: a half has a cast behind it, and a cast from fp32 loses nothing
    held.CopyFrom(numpy_helper.from_array(np.asarray(values, np.float32), CODE))
    return bytes(model.SerializeToString())


def constants_folded(nodes: Sequence[NodeProto], known: Mapping[str, Values] | None = None) -> list[NodeProto]:
    """The nodes without those that only compute constants, such as the dozen that the exporter makes of one padding.

    `known`: what more is constant, such as weights that are to go.
    """
    from onnx import numpy_helper

    constants, kept = dict(known or {}), []
    for node in nodes:
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        elif node.input and all(name in constants for name in node.input):
            constants |= _computed(node, constants)
        else:
            kept.append(node)
    wanted = dict.fromkeys(name for node in kept for name in node.input if name in constants)
    return [_constant(name, constants[name]) for name in wanted] + kept


def _computed(node: NodeProto, constants: Mapping[str, Values]) -> dict[str, Values]:
    from onnx import helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    alone = helper.make_graph([node], "alone", [], [helper.make_empty_tensor_value_info(name) for name in node.output])
    alone.initializer.extend(numpy_helper.from_array(constants[name], name) for name in node.input)
    model = helper.make_model(alone, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    return {name: np.asarray(value) for name, value in zip(node.output, ReferenceEvaluator(model).run(None, {}), strict=True)}


def _turn(source: str, target: str, way: int) -> list[NodeProto]:
    """Channels last -> first (way 0) or first -> last (way 1)."""
    from onnx import helper

    return [helper.make_node("Transpose", [source], [target], perm=[(0, 3, 1, 2), (0, 2, 3, 1)][way])]


def _from_bytes() -> list[NodeProto]:
    from onnx import TensorProto, helper

    return [
        _number("pixels_white", 255),
        helper.make_node("Cast", [PIXELS], ["pixels_float"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["pixels_float", "pixels_white"], ["pixels_unit"]),
        *_turn("pixels_unit", IMAGE, 0),
    ]


def _to_bytes() -> list[NodeProto]:
    from onnx import TensorProto, helper

    return [
        _number("painted_black", 0),
        _number("painted_white", 255),
        helper.make_node("Mul", [PAINTED, "painted_white"], ["painted_scaled"]),
        helper.make_node("Round", ["painted_scaled"], ["painted_whole"]),  # half to even, as numpy and torch do
        helper.make_node("Clip", ["painted_whole", "painted_black", "painted_white"], ["painted_safe"]),
        helper.make_node("Cast", ["painted_safe"], ["painted_bytes"], to=TensorProto.UINT8),
        *_turn("painted_bytes", PAINTED_PIXELS, 1),  # bytes are turned: a quarter of what floats would move
    ]


def _number(name: str, value: float) -> NodeProto:
    return _constant(name, np.array(value, np.float32))


def _constant(name: str, value: Values) -> NodeProto:
    from onnx import helper, numpy_helper

    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value, name))


def bytes_per_pixel(graph: bytes) -> float:
    """An estimate of the memory that painting takes, per pixel of the picture, in fp32."""
    import onnx

    model = onnx.load_from_string(graph)
    for size, dim in zip((1, planes_of(model), PROBE_PX, PROBE_PX), model.graph.input[0].type.tensor_type.shape.dim, strict=True):
        dim.dim_value = size
    del model.graph.value_info[:]
    sizes = _activation_bytes(onnx.shape_inference.infer_shapes(model, data_prop=True))
    return WORKSPACE * _peak_bytes(model.graph.node, sizes) / PROBE_PX**2


def _activation_bytes(model: ModelProto) -> dict[str, float]:
    """Bytes of every tensor that grows with the picture; constants and weights do not count."""
    sizes = {}
    for value in [*model.graph.input, *model.graph.value_info, *model.graph.output]:
        dims = [d.dim_value for d in value.type.tensor_type.shape.dim]
        if len(dims) == 4 and dims[0] == 1 and min(dims[2:]) >= PROBE_PX // 16:
            sizes[value.name] = 4.0 * float(np.prod(dims))
    return sizes


def _peak_bytes(nodes: Sequence[NodeProto], sizes: dict[str, float]) -> float:
    """Walk the graph in order; a tensor lives from its making to its last use."""
    last_use = {name: i for i, node in enumerate(nodes) for name in node.input}
    alive, peak = {IMAGE}, 0.0
    for i, node in enumerate(nodes):
        alive.update(node.output)
        peak = max(peak, sum(sizes.get(name, 0.0) for name in alive))
        alive = {name for name in alive if last_use.get(name, -1) > i or name == PAINTED}
    return peak
