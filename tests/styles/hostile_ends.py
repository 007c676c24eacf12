"""Lies about what goes into a graph and what comes out: scale, guides, codes, noise, and encoders."""
from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, load_from_string, numpy_helper

from tests.fakes import coded_graph, colour_reader
from tests.styles.making import entry, inverting_graph, parts, zip_of

Shape = list[int | str]
Make = Callable[[], bytes]


def graph_of(
    enter: tuple[str, Shape], leave: tuple[str, Shape], nodes: Sequence[NodeProto], weights: Sequence[TensorProto] = ()
) -> bytes:
    """A graph with any two ends."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (enter, leave)]
    graph = helper.make_graph(list(nodes), "ends", ends[:1], ends[1:], list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def drawing(side: int = 8, numbers: int = 4, entering: Shape | None = None, **weights: np.ndarray) -> bytes:
    """noise [n,numbers] -> painted [n,3,side,side], by one multiplication."""
    held = {"w": np.full((numbers, 3 * side * side), 0.1, np.float32), "shape": np.array([-1, 3, side, side], np.int64)}
    nodes = [
        helper.make_node("MatMul", ["noise", "w"], ["flat"]), helper.make_node("Reshape", ["flat", "shape"], ["wide"]),
        helper.make_node("Sigmoid", ["wide"], ["painted"]),
    ]  # fmt: skip
    stored = [numpy_helper.from_array(value, name) for name, value in (held | weights).items()]
    return graph_of(("noise", entering or ["n", numbers]), ("painted", ["n", 3, side, side]), nodes, stored)


def doubling(times: float = 2.0) -> bytes:
    """painted as image, enlarged."""
    scales = numpy_helper.from_array(np.array([1, 1, times, times], np.float32), "scales")
    nodes = [helper.make_node("Resize", ["image", "", "scales"], ["painted"], mode="nearest")]
    return graph_of(("image", ["n", 3, "h", "w"]), ("painted", ["n", 3, "a", "b"]), nodes, [scales])


def guided(planes: int) -> bytes:
    """painted as the first three of the planes that enter."""
    bounds = [numpy_helper.from_array(np.array([value], np.int64), name) for name, value in (("a", 0), ("b", 3), ("axis", 1))]
    nodes = [helper.make_node("Slice", ["image", "a", "b", "axis"], ["painted"])]
    return graph_of(("image", ["n", planes, "h", "w"]), ("painted", ["n", 3, "h", "w"]), nodes, bounds)


def look(graph: bytes, encoder: bytes | None = None, tier: dict[str, Any] | None = None, **card: Any) -> bytes:
    """A style file of one graph, with the hashes right, whatever its card says else."""
    told, _, preview = parts(graph=graph)
    values = json.loads(told["data"])
    values["tiers"]["full"] |= tier or {}
    values |= {"encoder_sha256": sha256(encoder).hexdigest()} if encoder is not None else {}
    beside = [entry("encoder.onnx", encoder)] if encoder is not None else []
    return zip_of([entry("card.json", json.dumps(values | card).encode()), entry("graph.full.onnx", graph), preview, *beside])


def changed(graph: bytes, change: Callable[[ModelProto], object]) -> bytes:
    """A graph after a change to it."""
    model = load_from_string(graph)
    change(model)
    return bytes(model.SerializeToString())


def reader(*nodes: NodeProto, weights: Sequence[TensorProto] = ()) -> Make:
    """A look with an encoder of these nodes."""
    encoder = graph_of(("image", ["n", 3, "h", "w"]), ("code", ["n", 3]), nodes, weights)
    return lambda: look(coded_graph(), encoder)


def _code(values: np.ndarray) -> Make:
    """A look whose graph has such a code."""

    def change(model: ModelProto) -> None:
        held = next(weight for weight in model.graph.initializer if weight.name == "code")
        held.CopyFrom(numpy_helper.from_array(values, "code"))

    return lambda: look(changed(coded_graph(), change))


MEAN = helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0)
FLAT = numpy_helper.from_array(np.array([0, -1], np.int64), "flat")
WALL = np.array([-1, 3, 1, 4096], np.int64)
MANY = {f"look-{n}": [0.0] for n in range(10_001)}

ENDS: dict[str, tuple[Make, str]] = {
    # scale
    "scale beyond what is painted": (lambda: look(doubling(), tier={"scale": 3}), "'painted' is not 3 times the size of its"),
    "scale that is not told": (lambda: look(doubling()), "'painted' is not of the size of its 'image'"),
    "scale told and none painted": (lambda: look(inverting_graph(), tier={"scale": 2}), "'painted' is not 2 times the size"),
    "scale of a thousand": (lambda: look(doubling(1000), tier={"scale": 1000}), "scale: Input should be less than or equal to 4"),
    "scale of nothing": (lambda: look(doubling(), tier={"scale": 0}), "scale: Input should be greater than or equal to 1"),
    "scale and a half": (lambda: look(doubling(1.5), tier={"scale": 1.5}), "scale: Input should be a valid int"),
    # guides
    "guides that the graph lacks": (lambda: look(inverting_graph(), tier={"guides": {"depth": 1}}), r"\[n,4,h,w\]"),
    "guides that are not told": (lambda: look(guided(5)), r"must be float32 \[n,3,h,w\] with n, h and w left open"),
    "guides told too few": (lambda: look(guided(6), tier={"guides": {"motion": 2}}), r"must be float32 \[n,5,h,w\]"),
    "guide of a thousand planes": (lambda: look(guided(1003), tier={"guides": {"depth": 1000}}), "depth: Input should be l"),
    "guide of no planes": (lambda: look(guided(3), tier={"guides": {"depth": 0}}), "guides.depth: Input should be greater"),
    "guide that is a path": (lambda: look(guided(4), tier={"guides": {"../depth": 1}}), "guides.*String should match"),
    "guides without end": (
        lambda: look(guided(3), tier={"guides": {f"g{n}": 64 for n in range(99)}}), "guides: Dictionary should have at most 16",
    ),
    # codes
    "codes for a graph that takes none": (
        lambda: look(inverting_graph(), tier={"codes": {"red": [1.0]}}), "have 1 numbers, and its graph takes no code",
    ),
    "codes of another length": (
        lambda: look(coded_graph(), tier={"codes": {"red": [1.0] * 5}}), "have 5 numbers, and its graph takes codes of 3",
    ),
    "codes that differ in length": (
        lambda: look(coded_graph(), tier={"codes": {"red": [1.0] * 3, "blue": [1.0]}}), "its codes differ in length",
    ),
    "code of nothing": (lambda: look(coded_graph(), tier={"codes": {"red": []}}), "codes.red: List should have at least 1"),
    "code without end": (lambda: look(coded_graph(), tier={"codes": {"red": [0] * 5000}}), "codes.red: List should have at most"),
    "code of words": (lambda: look(coded_graph(), tier={"codes": {"red": ["rm", "-rf", "/"]}}), "codes.red.0: Input should be"),
    "code named like a path": (lambda: look(coded_graph(), tier={"codes": {"../red": [0] * 3}}), "codes.*String should match"),
    "code named like a matte": (lambda: look(coded_graph(), tier={"codes": {"a@b": [0] * 3}}), "codes.*String should match"),
    "code named like a blend": (lambda: look(coded_graph(), tier={"codes": {"a:1,b": [0] * 3}}), "codes.*String should match"),
    "code that steers a terminal": (lambda: look(coded_graph(), tier={"codes": {"a\x1b[2J": [0] * 3}}), "codes.*String should"),
    "codes without end": (lambda: look(coded_graph(), tier={"codes": MANY}), "codes: Dictionary should have at most 10000"),
    "code of two rows in the graph": (_code(np.zeros((2, 3), np.float32)), "its weight 'code' must be one row"),
    "code of nothing in the graph": (_code(np.zeros(0, np.float32)), "(its weight 'code' must be one row|do not fit|wrong)"),
    "code of whole numbers in the graph": (_code(np.zeros(3, np.int64)), "its weight 'code' must be one row"),
    "code that is not finite": (_code(np.full(3, np.nan, np.float32)), "its weight 'code' is not finite"),
    "varies and cannot": (lambda: look(inverting_graph(), varies=True), "says that it varies, and no graph of it takes a code"),
    "varies perhaps": (lambda: look(coded_graph(), varies="perhaps"), "varies: Input should be a valid bool"),
    # noise
    "noise that is not told": (lambda: look(drawing()), "must have one input, 'image', and has 'noise'"),
    "noise told of a painter": (lambda: look(inverting_graph(), tier={"noise": 8}), "one input, 'noise', and has 'image'"),
    "noise of another length": (lambda: look(drawing(), tier={"noise": 5}), r"'noise' must be float32 \[n,5\] with n left open"),
    "noise of one picture": (lambda: look(drawing(entering=[1, 4]), tier={"noise": 4}), r"\[n,4\] with n left open"),
    "noise below nothing": (lambda: look(drawing(), tier={"noise": -4}), "noise: Input should be greater than or equal to 0"),
    "noise and guides": (lambda: look(drawing(), tier={"noise": 4, "guides": {"depth": 1}}), "no scale, guides or codes"),
    "noise that paints in grey": (
        lambda: look(drawing(shape=np.array([-1, 1, 24, 8], np.int64)), tier={"noise": 4}),
        "'painted' is not a picture of at most 2048 px for each 'noise'",
    ),
    "noise that paints all in one": (
        lambda: look(drawing(shape=np.array([1, 3, -1, 8], np.int64)), tier={"noise": 4}), "(not a picture|of another size|far)",
    ),
    "noise that paints a wall": (
        lambda: look(drawing(shape=WALL, w=np.zeros((4, 3 * 4096), np.float32)), tier={"noise": 4}),
        "'painted' is not a picture of at most 2048 px",
    ),
    "noise that swells": (
        lambda: look(
            graph_of(
                ("noise", ["n", 4]), ("painted", ["n", 3, 8, 8]),
                [
                    helper.make_node("Reshape", ["noise", "four"], ["small"]),
                    helper.make_node("Expand", ["small", "vast"], ["wide"]),
                    helper.make_node("ReduceMean", ["wide"], ["mean"], axes=[1, 2, 3], keepdims=1),
                    helper.make_node("Expand", ["mean", "size"], ["painted"]),
                ],
                [
                    numpy_helper.from_array(np.array(value, np.int64), name)
                    for name, value in (("four", [-1, 4, 1, 1]), ("vast", [1, 4, 50_000, 50_000]), ("size", [1, 3, 8, 8]))
                ],
            ),
            tier={"noise": 4},
        ),
        "far larger than its painted",
    ),
    # summaries of a whole picture, where none may be
    "a painter that looks at the whole frame": (
        lambda: look(graph_of(
            ("image", ["n", 3, "h", "w"]), ("painted", ["n", 3, "h", "w"]),
            [helper.make_node("ReduceMean", ["image"], ["m"], axes=[2, 3]), helper.make_node("Sub", ["image", "m"], ["painted"])],
        )),
        "operator 'ReduceMean', which a picture network may not",
    ),
    "a painter that pools the whole frame": (
        lambda: look(graph_of(
            ("image", ["n", 3, "h", "w"]), ("painted", ["n", 3, "h", "w"]),
            [helper.make_node("GlobalAveragePool", ["image"], ["m"]), helper.make_node("Sub", ["image", "m"], ["painted"])],
        )),
        "operator 'GlobalAveragePool', which a picture network may not",
    ),
    # encoders
    "encoder that is not on the card": (
        lambda: zip_of([*parts(), entry("encoder.onnx", colour_reader())]), "holds encoder.onnx, which its card does not name",
    ),
    "encoder that is missing": (lambda: look(coded_graph(), encoder_sha256="0" * 64), "encoder.onnx, named by its card, is m"),
    "encoder that was swapped": (
        lambda: look(coded_graph(), colour_reader(), encoder_sha256="0" * 64), "encoder.onnx is not the one its card names",
    ),
    "encoder that is a pickle": (lambda: look(coded_graph(), b"\x80\x04."), "holds a pickle where an ONNX graph should be"),
    "encoder that is nothing": (lambda: look(coded_graph(), b""), "holds nothing where an ONNX graph should be"),
    "encoder that paints": (lambda: look(coded_graph(), inverting_graph()), "must have one output, 'code', and has 'painted'"),
    "encoder for a graph without a code": (
        lambda: look(inverting_graph(), colour_reader()), "encoder.onnx makes codes of a length that no graph of it takes",
    ),
    "encoder that makes a picture of a code": (
        reader(helper.make_node("Relu", ["image"], ["code"])), "'code' is not one row of at most 4096 numbers",
    ),
    "encoder whose code grows with the picture": (
        reader(helper.make_node("Reshape", ["image", "flat"], ["code"]), weights=[FLAT]), "'code' is not one row of at most 4096",
    ),
    "encoder with an operator of its own": (
        reader(MEAN, helper.make_node("RunShell", ["mean"], ["code"])), "operator 'RunShell', which a picture network may not",
    ),
    "encoder that draws lots": (
        reader(MEAN, helper.make_node("RandomNormalLike", ["mean"], ["code"])), "operator 'RandomNormalLike'",
    ),
    "encoder that is not finite": (
        lambda: look(coded_graph(), changed(colour_reader(), lambda model: model.graph.initializer[0].CopyFrom(
            numpy_helper.from_array(np.array(np.inf, np.float32), "grey")))),
        "its weight 'grey' is not finite",
    ),
}  # fmt: skip
