"""Is this ONNX graph only a network of pictures? What a style file's graph must satisfy before any engine sees it.

Engines trust a graph: they follow external data to other files, load operators by name, and give as much memory as a graph
asks for. So a graph is first measured byte by byte, then parsed, and then only known operators between its two ends (see ends.py)
may be in it, with weights that are as many as they say and finite, and no value in between larger than a picture warrants.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.errors import StyleError
from impasto.styles.archive import MIB, shown
from impasto.styles.ends import CODE, IMAGE, LONGEST_CODE, NOISE, PAINTED, Ends

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, ValueInfoProto

LARGEST = 64 * MIB
MOST_STRUCTURE = MIB  # all that is not raw weights; a network of 2000 nodes has a third of it
TOO_MUCH = f"its graph has more than {MOST_STRUCTURE // MIB} MiB beside its weights: export it without notes"
MOST_NODES = 2000
OPSETS = range(13, 24)
GREATEST_INT = 1 << 31
MOST_INTS = 64
MOST_DIMENSIONS = 8
VALUES_PER_PIXEL = 512  # the widest value a graph may compute, in numbers per pixel of its image
MUST_BE_POSITIVE = {"strides", "dilations", "kernel_shape", "group", "blocksize", "num_outputs"}

# What exporters make of convolutional networks. No operator with a graph inside (If, Loop, Scan), none that makes large values
# from small ones by itself (Expand, Tile, Range, ConstantOfShape, random numbers), none that looks at a whole frame's statistics.
OPERATOR_TABLE = """
layers:     Conv ConvTranspose Gemm MatMul AveragePool MaxPool BatchNormalization
curves:     Relu LeakyRelu PRelu Elu Celu Selu Gelu Sigmoid HardSigmoid HardSwish Mish Softplus Softsign Tanh Erf Softmax
arithmetic: Add Sub Mul Div Pow Sqrt Reciprocal Exp Log Abs Neg Sign Floor Ceil Round Sin Cos Clip Min Max Sum Mean
choice:     Where Equal Greater GreaterOrEqual Less LessOrEqual Not And Or
places:     Concat Slice Split Gather DepthToSpace SpaceToDepth Reshape Flatten Transpose Squeeze Unsqueeze Resize Pad
kinds:      Cast Constant Identity Shape Size QuantizeLinear DequantizeLinear
"""
OPERATORS = {name for line in OPERATOR_TABLE.splitlines() for name in line.partition(":")[2].split()}
# What sums up a whole picture is for an encoder, which reads one picture and paints none, and for what draws from noise, which
# sees no frame at all: in a painter it would flicker, and tiles would differ from the whole.
SUMMARIES = {"ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL2", "ReduceMax", "ReduceMin"}
SUMMARIES |= {"GlobalAveragePool", "GlobalMaxPool"}
ONE_FOR_ALL = {"Expand"}  # what is drawn from noise may start from one learnt value for all pictures


def check_graph(data: bytes, where: str | Path, ends: Ends = Ends()) -> int:  # noqa: B008  frozen
    """Raise a StyleError that names the fault unless these bytes are a sound ONNX graph between these ends.

    Returns the length of the code that it makes, or takes as its weight "code"; 0 without one.
    """
    if len(data) > LARGEST:
        raise StyleError(f"a graph has {len(data) / MIB:.1f} MiB; at most {LARGEST // MIB} are allowed", where)
    _check_kind(data, where)
    _check_structure(memoryview(data), where)
    import onnx

    with _mapped("is not an ONNX graph", where):
        model = onnx.load_model_from_string(data)
    _check_model(model, where)
    _check_ends(model.graph, ends, where)
    _check_weights(model.graph, ends, where)
    _check_nodes(model.graph, _operators(ends), where)
    with _mapped("has a graph that ONNX finds wrong", where):
        onnx.checker.check_model(model)
    left = _check_sizes(model, ends, where)
    return left[1] if ends.leaving == CODE else _code_length(model.graph, where)


# ---- bytes


def _check_kind(data: bytes, where: str | Path) -> None:
    """Name what is commonly put in a graph's place."""
    kind = "" if data else "nothing"
    if data[:1] == b"\x80" and data[1:2] <= b"\x05":
        kind = "a pickle"
    elif data[:2] == b"PK":
        kind = "a zip"
    if kind:
        raise StyleError(f"holds {kind} where an ONNX graph should be: export the generator as ONNX", where)


def _check_structure(data: memoryview, where: str | Path) -> None:
    """Refuse a graph with too much beside its weights, before parsing gives every two bytes of it an object of its own."""
    graph_field, initializer_field, raw_data_field = 7, 5, 9
    weights = 0

    def refuse_if_too_much(at: int) -> None:
        if at - weights > MOST_STRUCTURE:
            raise StyleError(TOO_MUCH, where)

    for number, start, end in _fields(data, 0, len(data), where):
        refuse_if_too_much(start)
        for part, part_start, part_end in _fields(data, start, end, where) if number == graph_field else ():
            if part == initializer_field:
                inner = _fields(data, part_start, part_end, where)
                weights += sum(last - first for field, first, last in inner if field == raw_data_field)
            refuse_if_too_much(part_start)
    refuse_if_too_much(len(data))


def _fields(data: memoryview, at: int, end: int, where: str | Path) -> Iterator[tuple[int, int, int]]:
    """(number, start, end) of each field of the protobuf message in data[at:end]; gives up after too many."""
    for _ in range(MOST_STRUCTURE // 2):
        if at >= end:
            return
        key, start = _varint(data, at, end, where)
        length = {1: 8, 5: 4}.get(key & 7)
        if key & 7 == 0:
            length = _varint(data, start, end, where)[1] - start
        elif key & 7 == 2:
            length, start = _varint(data, start, end, where)
        if length is None or start + length > end or key >> 3 == 0:
            raise StyleError(f"is not an ONNX graph (its bytes make no sense at {at}): export the generator again", where)
        at = start + length
        yield key >> 3, start, at
    raise StyleError(TOO_MUCH, where)


def _varint(data: memoryview, at: int, end: int, where: str | Path) -> tuple[int, int]:
    value = 0
    for shift, byte in enumerate(data[at : min(at + 10, end)]):
        value |= (byte & 127) << 7 * shift
        if byte < 128:
            return value, at + shift + 1
    raise StyleError(f"is not an ONNX graph (its bytes make no sense at {at}): export the generator again", where)


# ---- the parsed graph


def _check_model(model: ModelProto, where: str | Path) -> None:
    if model.functions or model.training_info:
        raise StyleError("its graph brings functions of its own, and a style file holds no code", where)
    domains = [entry.domain for entry in model.opset_import]
    foreign = [domain for domain in domains if domain not in ("", "ai.onnx")]
    if foreign:
        raise StyleError(f"its graph needs the custom operators of {shown(foreign[0])}; only standard ONNX is allowed", where)
    versions = [entry.version for entry in model.opset_import]
    if len(versions) != 1 or versions[0] not in OPSETS:
        told = ", ".join(str(version) for version in versions[:4]) or "none"
        raise StyleError(f"its graph is of opset {told}; export it with one from {OPSETS[0]} to {OPSETS[-1]}", where)
    graph = model.graph
    for kind, count in (("nodes", len(graph.node)), ("weights", len(graph.initializer))):
        if count > MOST_NODES:
            raise StyleError(f"its graph has {count} {kind}; at most {MOST_NODES} are allowed", where)
    if graph.sparse_initializer:
        raise StyleError("its graph has sparse weights: export it with plain ones", where)


def _operators(ends: Ends) -> set[str]:
    """The operators that a graph between these ends may use."""
    if ends.leaving == CODE:
        return OPERATORS | SUMMARIES
    return OPERATORS | SUMMARIES | ONE_FOR_ALL if ends.entering == NOISE else OPERATORS


def _check_ends(graph: GraphProto, ends: Ends, where: str | Path) -> None:
    for kind, expected, found in (("input", ends.entering, graph.input), ("output", ends.leaving, graph.output)):
        if [end.name for end in found] != [expected]:
            told = ", ".join(shown(end.name) for end in found[:4]) or "none"
            raise StyleError(f"its graph must have one {kind}, '{expected}', and has {told}", where)
    if not _is_open(graph.input[0], ends.open_shape):
        raise StyleError(f"its graph's '{ends.entering}' must be float32 {ends.told}", where)
    if not _is_float(graph.output[0]):
        raise StyleError(f"its graph's '{ends.leaving}' must be float32", where)


def _code_length(graph: GraphProto, where: str | Path) -> int:
    """The length of the weight that holds a painter's code; 0 if it has none."""
    for tensor in graph.initializer:
        if tensor.name == CODE:
            if len(tensor.dims) != 1 or not 1 <= tensor.dims[0] <= LONGEST_CODE or not _holds_floats(tensor):
                raise StyleError(f"its weight '{CODE}' must be one row of 1 to {LONGEST_CODE} numbers: export it again", where)
            return int(tensor.dims[0])
    return 0


def _holds_floats(tensor: TensorProto) -> bool:
    from onnx import TensorProto

    return tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)


def _is_float(value: ValueInfoProto) -> bool:
    from onnx import TensorProto

    return value.type.WhichOneof("value") == "tensor_type" and value.type.tensor_type.elem_type == TensorProto.FLOAT


def _is_open(value: ValueInfoProto, wanted: list[int | None]) -> bool:
    dimensions = value.type.tensor_type.shape.dim
    fixed = [d.dim_value if d.WhichOneof("value") == "dim_value" else None for d in dimensions[:5]]
    return _is_float(value) and fixed == wanted


def _check_weights(graph: GraphProto, ends: Ends, where: str | Path) -> None:
    names = {ends.entering}
    for tensor in graph.initializer:
        if not tensor.name or tensor.name in names:
            raise StyleError(f"its graph has two weights named {shown(tensor.name)}", where)
        names.add(tensor.name)
        _check_tensor(tensor, where)


def _check_tensor(tensor: TensorProto, where: str | Path) -> None:
    """A weight must be in the file, of a plain type, as large as it says, and finite."""
    import numpy as np
    from onnx import TensorProto, numpy_helper

    name = shown(tensor.name)
    if tensor.data_location != TensorProto.DEFAULT or tensor.external_data or tensor.HasField("segment"):
        raise StyleError(f"its weight {name} lies in another file: export the graph with all weights inside", where)
    sizes: dict[int, tuple[int, Sized]] = {  # bytes of a raw value, and the field that holds values which are not raw
        TensorProto.FLOAT: (4, tensor.float_data), TensorProto.FLOAT16: (2, tensor.int32_data),
        TensorProto.DOUBLE: (8, tensor.double_data), TensorProto.INT64: (8, tensor.int64_data),
        TensorProto.INT32: (4, tensor.int32_data), TensorProto.INT8: (1, tensor.int32_data),
        TensorProto.UINT8: (1, tensor.int32_data), TensorProto.BOOL: (1, tensor.int32_data),
    }  # fmt: skip
    if tensor.data_type not in sizes:
        raise StyleError(f"its weight {name} is of kind {tensor.data_type}, which is not allowed: export it as float", where)
    if len(tensor.dims) > MOST_DIMENSIONS or any(not 0 <= length < GREATEST_INT for length in tensor.dims):
        raise StyleError(f"its weight {name} has an impossible shape", where)
    size, typed = sizes[tensor.data_type]
    held = len(tensor.raw_data) / size if tensor.HasField("raw_data") else len(typed)
    if held != prod(tensor.dims):
        raise StyleError(f"its weight {name} claims {prod(tensor.dims):.9g} values and has {held:.9g}: export it again", where)
    with _mapped(f"has a weight {name} that cannot be read", where):
        finite = bool(np.isfinite(numpy_helper.to_array(tensor)).all())
    if not finite:
        raise StyleError(f"its weight {name} is not finite (NaN or infinity): train the look again", where)


def _check_nodes(graph: GraphProto, allowed: set[str], where: str | Path) -> None:
    for node in graph.node:
        if node.domain not in ("", "ai.onnx"):
            told = f"{shown(node.op_type)} of {shown(node.domain)}"
            raise StyleError(f"its graph uses the custom operator {told}; only standard ONNX is allowed", where)
        if node.op_type not in allowed:
            raise StyleError(f"its graph uses the operator {shown(node.op_type)}, which a picture network may not", where)
        for attribute in node.attribute:
            _check_attribute(attribute, node.op_type, where)


def _check_attribute(attribute: AttributeProto, operator: str, where: str | Path) -> None:
    """Attributes hold numbers, text or small tensors: no graphs, and no numbers that an engine would stumble over."""
    from math import isfinite

    from onnx import AttributeProto

    told = f"its graph's {operator} has an attribute {shown(attribute.name)}"
    plain = {AttributeProto.FLOAT, AttributeProto.INT, AttributeProto.STRING, AttributeProto.TENSOR}
    lists = {AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS}
    graphs = attribute.graphs or attribute.HasField("g") or attribute.HasField("sparse_tensor") or attribute.ref_attr_name
    if graphs or attribute.type not in plain | lists:
        raise StyleError(f"{told} that holds a graph or something else that is not allowed", where)
    if attribute.HasField("t"):
        _check_tensor(attribute.t, where)
    numbers = [*attribute.ints[: MOST_INTS + 1], attribute.i]
    least = 1 if attribute.name in MUST_BE_POSITIVE else -GREATEST_INT
    given = numbers if attribute.type == AttributeProto.INT else numbers[:-1]
    if len(numbers) > MOST_INTS + 1 or any(abs(n) >= GREATEST_INT for n in numbers) or any(n < least for n in given):
        raise StyleError(f"{told} with an impossible number", where)
    if not all(isfinite(value) for value in [*attribute.floats, attribute.f]):
        raise StyleError(f"{told} that is not finite (NaN or infinity)", where)


# ---- how large the values get


def _check_sizes(model: ModelProto, ends: Ends, where: str | Path) -> list[int]:
    """Follow the shapes for two sizes of what enters: each must be known ahead and bearable; returns that of what leaves."""
    from onnx import shape_inference

    weights = sum(prod(tensor.dims) for tensor in model.graph.initializer)
    leaves: list[list[int]] = []
    for trial in ends.trials:
        with _mapped("has a graph whose sizes do not fit together", where):
            inferred = shape_inference.infer_shapes(_sized(model, ends, trial), check_type=True, strict_mode=True, data_prop=True)
        known = _shapes([*inferred.graph.value_info, *inferred.graph.output])
        left = known.get(ends.leaving)
        fault = ends.fault_of(trial, left)
        most = VALUES_PER_PIXEL * ends.pixels(trial, left) + weights
        for node in model.graph.node:
            for name in filter(None, node.output):
                shape = known.get(name)
                if shape is None or not all(0 <= length < GREATEST_INT for length in shape):
                    raise StyleError(f"its graph's {node.op_type} makes {shown(name)}, whose size cannot be told ahead", where)
                if prod(shape) > most:
                    large = PAINTED if ends.entering == NOISE else IMAGE
                    raise StyleError(f"its graph's {node.op_type} makes {shown(name)}, far larger than its {large}", where)
        _check_channels(model.graph, known | {ends.entering: trial}, where)
        if fault or left is None:
            raise StyleError(f"its graph's {fault}", where)
        leaves.append(left)
    if ends.one_size and len({tuple(left[1:]) for left in leaves}) > 1:
        raise StyleError(f"its graph's '{ends.leaving}' is of another size for another '{ends.entering}'", where)
    return leaves[0]


def _check_channels(graph: GraphProto, known: dict[str, list[int]], where: str | Path) -> None:
    """A convolution's weights must fit what comes in and what goes out; ONNX itself leaves that to the engines."""
    shapes = {**known, **{tensor.name: list(tensor.dims) for tensor in graph.initializer}}
    for node in graph.node:
        if node.op_type not in ("Conv", "ConvTranspose"):
            continue
        entering, weight, bias = (shapes.get(name) for name in [*node.input, "", ""][:3])
        if not entering or not weight or len(entering) < 3 or len(weight) != len(entering):
            raise StyleError(f"its graph's {node.op_type} has weights of the wrong shape: export the generator again", where)
        group = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
        ends = [weight[1] * group, weight[0]]  # channels in, out
        ends = ends if node.op_type == "Conv" else ends[::-1]
        if entering[1] != ends[0] or weight[0] % group or (bias is not None and bias != [ends[1]]):
            told = f"{shown(node.input[1])}, {weight}, for {entering[1]} channels"
            raise StyleError(f"its graph's {node.op_type} has weights of the wrong shape ({told}): export it again", where)


def _sized(model: ModelProto, ends: Ends, trial: list[int]) -> ModelProto:
    """A copy of the model for one size of what enters, without what it claims of its values and the bulk of its weights."""
    import onnx

    sized = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    sized.graph.name = "trial"
    sized.graph.node.extend(model.graph.node)
    for tensor in model.graph.initializer:
        weight = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        if prod(tensor.dims) <= MOST_INTS:  # small ones may be sizes for Reshape, Resize, Slice ...
            sized.graph.initializer.append(tensor)
        else:
            sized.graph.input.append(weight)
    sized.graph.input.append(onnx.helper.make_tensor_value_info(ends.entering, onnx.TensorProto.FLOAT, trial))
    sized.graph.output.append(onnx.helper.make_tensor_value_info(ends.leaving, onnx.TensorProto.FLOAT, None))
    return sized


def _shapes(values: Iterable[ValueInfoProto]) -> dict[str, list[int]]:
    """The shapes of the values that are known entirely."""
    found = {}
    for value in values:
        dimensions = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(d.HasField("dim_value") for d in dimensions):
            found[value.name] = [d.dim_value for d in dimensions]
    return found


@contextmanager
def _mapped(fault: str, where: str | Path) -> Iterator[None]:
    """The edge to onnx and protobuf: they raise whatever comes, and all of it means that the graph is wrong."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise StyleError(f"{fault} ({ascii(reason)[1:-1]}): export the generator again", where) from error
