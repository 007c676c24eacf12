"""How much of the machine a network uses: its arithmetic per second, as a share of what plain convolutions reach here."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from impasto.bench.network import Case, Size, measured
from impasto.bench.peers import Layers

WIDTHS = (64, 128, 256)  # of convolutions that are known to suit processors
SIDE, DEEP = 96, 8
GIGA = 1e9


@dataclass
class RoofRow:
    """What a network does of what could be done."""

    tier: str
    precision: str
    size: str
    gflop: float  # of one frame, in its convolutions
    gflops: float  # per second
    peak_gflops: float  # of plain convolutions, in the same run
    share: float


def roof_rows(cases: list[Case], size: Size, seconds: float) -> Iterator[RoofRow]:
    """Each case at one size, against the peak of its precision."""
    peaks: dict[str, float] = {}
    for case in cases:
        peaks[case.precision] = peaks.get(case.precision) or peak(case.precision, seconds)
        row = next(measured(case.tier, case.open(), [size], seconds, case.planes))
        work = operations(case.graph(), *size) / GIGA
        speed, best = work * 1000 / row.best_ms, peaks[case.precision]
        figures = (round(work, 2), round(speed, 1), round(best, 1), round(speed / best, 3))
        yield RoofRow(case.tier, case.precision, row.size, *figures)


def peak(precision: str, seconds: float) -> float:
    """The most operations per second, in billions, that plain 3x3 convolutions reach under OpenVINO."""
    from impasto.engine import load_engine
    from impasto.styles.card import Tier

    best = 0.0
    for width in WIDTHS:
        graph = plain_graph(width)
        told = {"generator": "plain", "stride": 1, "receptive_field": 2 * DEEP + 1, "parameters": 0, "graph_sha256": "0" * 64}
        tier = Tier.model_validate(told)
        row = next(measured("plain", load_engine("openvino").open(graph, tier, precision), [(SIDE, SIDE)], seconds / len(WIDTHS)))
        best = max(best, operations(graph, SIDE, SIDE) / row.best_ms * 1000 / GIGA)
    return best


def plain_graph(width: int) -> bytes:
    """Nothing but 3x3 convolutions from so many channels to as many, and the least that a picture asks for at both ends."""
    from onnx import helper

    layers = Layers()
    x = layers.conv("image", 3, width, 1, norm=False)
    for _ in range(DEEP):
        weights = [layers.kernels(width, width, 3), layers.each(width, 0)]
        x = layers.add("Relu", [layers.add("Conv", [x, *weights], pads=[1, 1, 1, 1])])
    layers.nodes.append(helper.make_node("Sigmoid", [layers.conv(x, width, 3, 1, norm=False, relu=False)], ["painted"]))
    ends = [helper.make_tensor_value_info(end, 1, ["n", 3, "h", "w"]) for end in ("image", "painted")]
    graph = helper.make_graph(layers.nodes, "plain", ends[:1], ends[1:], layers.weights)
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())


def operations(graph: bytes, width: int, height: int) -> float:
    """How many additions and multiplications a graph's convolutions make of one picture."""
    import onnx

    model = onnx.load_from_string(graph)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, size in zip(dims, (1, dims[1].dim_value, height, width), strict=True):
        dim.dim_value = size
    del model.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {held.name: list(held.dims) for held in inferred.initializer}
    for value in [*inferred.input, *inferred.value_info, *inferred.output]:
        shapes[value.name] = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    done = 0.0
    for node in inferred.node:
        if node.op_type in ("Conv", "ConvTranspose"):  # one gathers for each pixel that leaves, the other scatters what enters
            places = shapes[node.output[0] if node.op_type == "Conv" else node.input[0]]
            done += 2.0 * prod(places) * prod(shapes[node.input[1]][1:])
    return done
