"""Hostile and broken style files, made by code: each kind with a word of the message it must be refused with."""
from __future__ import annotations

import copy
import json
import pickle
import random
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto, helper, numpy_helper

from tests.styles.hostile_ends import ENDS
from tests.styles.making import Entry, changed, chunk, entry, inverting_graph, model_of, parts, png, zip_of

Kinds = dict[str, tuple[Callable[[], bytes], str]]
MIB = 1 << 20


def _with(index: int, **fields: Any) -> Callable[[], bytes]:
    """A sound style file but for fields of one member's headers; 0 is the card, 1 the graph, 2 the preview."""

    def make() -> bytes:
        members = parts()
        members[index] |= fields
        return zip_of(members)

    return make


def _and(*more: Entry, **end: Any) -> Callable[[], bytes]:
    return lambda: zip_of([*parts(), *more], **end)


def _overlap() -> bytes:
    """Many members in one place: the way to make kilobytes unpack to terabytes."""
    card, graph, preview = parts()
    return zip_of([card, graph, {**preview, "name": "graph.live.onnx", "data": graph["data"], "at": 0}, preview])


def _bomb(size: int, told: int) -> bytes:
    members = parts(graph=bytes(size))
    members[1] |= {"method": 8, "size": told}
    return zip_of(members)


def _many_entries(count: int, told: int) -> bytes:
    return zip_of([entry("card.json", b"{}")], repeat=count, count=told)


ZIPS: Kinds = {
    "empty": (lambda: b"", "is empty"),
    "text": (lambda: b"a look, honestly\n" * 50, "is no style file, or was cut short"),
    "one byte": (lambda: b"P", "is no style file, or was cut short"),
    "cut in half": (lambda: (data := zip_of(parts()))[: len(data) // 2], "was cut short"),
    "cut by a byte": (lambda: zip_of(parts())[:-1], "was cut short"),
    "middle missing": (lambda: (data := zip_of(parts()))[:99] + data[300:], "is cut short"),
    "trailing data": (_and(after=b"#!/bin/sh\n"), "data after its end"),
    "comment": (_and(note=b"look at me"), "data after its end"),
    "data before": (_and(before=b"MZ\x90\x00"), "data before its start"),
    "no members": (lambda: zip_of([]), "has no card.json and no preview.png"),
    "climbing name": (_and(entry("../../.bashrc", b"x")), "leads out of the file"),
    "climbing name, backslashes": (_and(entry("..\\..\\start.bat", b"x")), "leads out of the file"),
    "absolute name": (_and(entry("/etc/passwd", b"x")), "leads out of the file"),
    "drive name": (_and(entry("C:\\card.json", b"x")), "leads out of the file"),
    "folder name": (_and(entry("inner/card.json", b"{}")), "holds only card.json"),
    "empty name": (_and(entry("", b"x")), "leads out of the file"),
    "zero byte in name": (_and(entry("card.json\0.png", b"x")), "holds only card.json"),
    "new line in name": (_and(entry("card\nimpasto: all is well", b"x")), r"'card\\nimpasto"),
    "very long name": (_and(entry("a" * 60_000, b"x")), "holds only card.json"),
    "nested zip": (lambda: zip_of([*parts(), entry("more.zip", zip_of(parts()))]), "holds only card.json"),
    "pickle beside": (_and(entry("data.pkl", pickle.dumps(print))), "holds only card.json"),
    "symbolic link": (_with(1, attributes=0o120777 << 16, data=b"/etc/passwd"), "is a symbolic link"),
    "device": (_with(1, attributes=0o060777 << 16), "is no plain file"),
    "folder member": (_with(2, attributes=0x10), "is no plain file"),
    "doubled name": (lambda: zip_of([*parts(), parts()[0]]), "holds card.json twice"),
    "case-folded name": (_and(entry("Card.JSON", b"{}")), "which some systems take for card.json"),
    "encrypted": (_with(1, flags=1), "is encrypted"),
    "streamed": (_with(1, flags=8), "in a stream"),
    "unknown flag": (_with(1, flags=0x40), "in an unknown way"),
    "bzip2": (_with(1, method=12, stored=b"BZh9"), "unknown method 12"),
    "sixty members": (_and(*(entry(f"{n}", b"") for n in range(60))), "lists 63 members"),
    "count lies low": (_and(count=2), "malformed"),
    "count lies high": (_and(count=5), "malformed"),
    "many disks": (_and(disk=1), "malformed"),
    "list too long": (lambda: _many_entries(2000, 5), "malformed"),
    "card too large": (_with(0, method=8, size=2 * MIB), r"would be 2\.0 MiB; at most 1"),
    "graph too large": (_with(1, method=8, size=4095 * MIB), r"would be 4095\.0 MiB; at most 64"),
    "preview too large": (_with(2, method=8, size=9 * MIB), r"would be 9\.0 MiB; at most 8"),
    "unpacks to more than it says": (lambda: _bomb(100_000, 5000), "graph.full.onnx lies about its size"),
    "unpacks to less than it says": (lambda: _bomb(1000, 2000), "graph.full.onnx lies about its size"),
    "packed larger than unpacked": (_with(1, method=8, stored=bytes(90_000)), "lies about its size"),
    "stored size lies": (_with(1, size=17), "lies about its size"),
    "two sizes": (_with(1, local_size=17), "described in two ways"),
    "two names": (_with(1, local_name="graph.evil.onnx"), "described in two ways"),
    "overlap": (_overlap, "overlap"),
    "gap": (_and(gap=b"hidden" * 9), "lies apart from the last member"),
    "points beyond the end": (_with(1, at=1 << 30), "members (overlap|leave a gap)"),
    "wrong checksum": (_with(1, crc=7), "damaged [(]its checksum differs"),
    "broken deflate": (_with(1, method=8, stored=b"\xff" * 40), "does not unpack"),
    "no card": (lambda: zip_of(parts()[1:]), "has no card.json"),
    "no preview": (lambda: zip_of(parts()[:2]), "has no preview.png"),
    "graph missing": (lambda: zip_of([parts()[0], parts()[2]]), "graph.full.onnx, named by its card, is missing"),
    "graph not on the card": (_and(entry("graph.live.onnx", b"x")), "holds graph.live.onnx, which its card does not name"),
    "graph swapped": (lambda: zip_of([*parts()[::2], parts(graph=b"other")[1]]), "graph.full.onnx is not the one its card names"),
    "preview swapped": (lambda: zip_of([*parts()[:2], parts(preview=png(9, 9))[2]]), "preview.png is not the one its card names"),
}


def _card(**values: Any) -> Callable[[], bytes]:
    return lambda: zip_of(parts(**values))


def _card_text(text: bytes) -> Callable[[], bytes]:
    return lambda: zip_of([entry("card.json", text), *parts()[1:]])


def _tier(**values: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        tier = json.loads(parts()[0]["data"])["tiers"]["full"]
        return zip_of(parts(tiers={"full": tier | values}))

    return make


CARDS: Kinds = {
    "card is text": (_card_text(b"name = look"), "not sound JSON"),
    "card is empty": (_card_text(b""), "not sound JSON"),
    "card is a list": (_card_text(b"[]"), "does not say its schema"),
    "card is not UTF-8": (_card_text(b'{"schema": "\xff"}'), "not sound JSON"),
    "card is UTF-16": (_card_text('{"schema": "style.1"}'.encode("utf-16")), "not sound JSON"),
    "card is a pickle": (_card_text(pickle.dumps({"schema": "style.1"})), "not sound JSON"),
    "card nested deeply": (_card_text(b'{"schema":' + b"[" * 400_000), "nested too deeply"),
    "card with doubled keys": (_card_text(b'{"schema": "style.1", "schema": "style.2"}'), "a key stands twice"),
    "card with NaN": (_card_text(b'{"schema": "style.1", "name": NaN}'), "NaN is not a number"),
    "card with an endless number": (_card_text(b'{"schema": "style.1", "name": 1e999}'), "beyond what can be held"),
    "card with a huge whole number": (_card_text(b'{"schema": ' + b"9" * 5000 + b"}"), "5000 digits"),
    "no schema": (_card_text(b"{}"), "does not say its schema"),
    "schema is a number": (_card(schema=1), "does not say its schema"),
    "unknown schema": (_card(schema="style.2"), "upgrade impasto"),
    "unknown key": (_card(run_me="rm -rf"), "run_me: Extra inputs"),
    "name is a path": (_card(name="../../evil"), "name: String should match"),
    "name is a number": (_card(name=3), "name: Input should be a valid string"),
    "licence missing": (_card(licence=""), "licence: String should match"),
    "no tiers": (_card(tiers={}), "tiers: Dictionary should have at least 1"),
    "unknown tier": (_card(tiers={"giant": {}}), "tiers.giant"),
    "tiers a list": (_card(tiers=[1]), "tiers: Input should be a valid dictionary"),
    "generator is a dotted path": (_tier(generator="os.system"), "generator: String should match"),
    "stride zero": (_tier(stride=0), "stride: Input should be greater"),
    "stride as text": (_tier(stride="4"), "stride: Input should be a valid integer"),
    "receptive field huge": (_tier(receptive_field=10**12), "receptive_field: Input should be less"),
    "parameters negative": (_tier(parameters=-1), "parameters: Input should be greater"),
    "settings nested": (_tier(settings={"a": {"b": 1}}), "settings.a"),
    "hash of another kind": (_tier(graph_sha256="../x"), "graph_sha256: String should match"),
    "hash empty": (_tier(graph_sha256=""), "graph.full.onnx is not the one its card names"),
    "many faults": (_card(a=1, b=2, c=3, d=4, e=5), "and 2 more"),
}


def _preview(data: bytes) -> Callable[[], bytes]:
    return lambda: zip_of(parts(preview=data))


def _headed(header: bytes) -> Callable[[], bytes]:
    return _preview(png()[:8] + chunk(b"IHDR", header) + png()[33:])


PREVIEWS: Kinds = {
    "preview is text": (_preview(b"a picture, honestly"), "preview.png is not a PNG"),
    "preview is empty": (_preview(b""), "preview.png is not a PNG"),
    "preview is a zip": (_preview(zip_of([])), "preview.png is not a PNG"),
    "preview is only a signature": (_preview(png()[:8]), "cut short or out of order"),
    "preview cut short": (_preview(png()[:-14]), "preview.png is cut short"),
    "preview without its end": (_preview(png()[:-12]), "cut short or out of order"),
    "preview with data after": (_preview(png() + b"more"), "data after its end"),
    "preview with a bad checksum": (_preview(png()[:30] + b"\0" + png()[31:]), "a checksum differs"),
    "preview too wide": (_preview(png(4000, 2)), "preview.png is 4000x2"),
    "preview 0x0": (_preview(png(0, 0)), "preview.png is 0x0"),
    "preview 65535x65535": (_headed(struct.pack(">II5B", 65535, 65535, 8, 2, 0, 0, 0)), "preview.png is 65535x65535"),
    "preview of odd pixels": (_headed(struct.pack(">II5B", 8, 6, 7, 5, 0, 0, 0)), "kind of pixel"),
    "preview with short header": (_headed(b"\0\0\0\1"), "malformed header"),
    "preview with a text bomb": (_preview(png(extra=chunk(b"zTXt", b"x\0\0" + bytes(5000)))), "carries 'zTXt'"),
    "preview of many chunks": (_preview(png(extra=chunk(b"IDAT", b"") * 5000)), "more than 4096 chunks"),
}


def _graph(data: Callable[[], bytes]) -> Callable[[], bytes]:
    return lambda: zip_of(parts(graph=data()))


def _model(change: Callable[[ModelProto], object]) -> Callable[[], bytes]:
    return _graph(lambda: changed(change))


def _nodes(*nodes: NodeProto, weights: Sequence[TensorProto] = ()) -> Callable[[], bytes]:
    return _graph(lambda: bytes(model_of(nodes, weights).SerializeToString()))


def _op(kind: str, inputs: Sequence[str] = ("image",), weights: Sequence[TensorProto] = (), **fields: Any) -> Callable[[], bytes]:
    return _nodes(helper.make_node(kind, inputs, ["painted"], **fields), weights=weights)


def _convolution(**fields: Any) -> Callable[[], bytes]:
    return _op("Conv", ("image", "w"), (_floats("w", [3, 3, 1, 1], [0.0] * 9),), **fields)


def _floats(name: str, shape: Sequence[int], values: Sequence[float]) -> TensorProto:
    return helper.make_tensor(name, TensorProto.FLOAT, shape, values)


def _ints(name: str, *values: int) -> TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def _subgraph() -> GraphProto:
    return helper.make_graph([helper.make_node("Constant", [], ["y"], value_float=1.0)], "inner", [], [
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [])])  # fmt: skip


def _outside(model: ModelProto) -> None:
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../../../etc/passwd")


def _half_outside(model: ModelProto) -> None:
    model.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")


def _outside_constant(model: ModelProto) -> None:
    model.graph.node[2].attribute[0].t.data_location = TensorProto.EXTERNAL


def _function(model: ModelProto) -> None:
    model.functions.append(helper.make_function("f", "F", ["x"], ["y"], [], [helper.make_opsetid("", 17)]))


def _raw(value: float) -> Callable[[ModelProto], None]:
    def change(model: ModelProto) -> None:
        model.graph.initializer[1].raw_data = np.array([1, value, 1], np.float16).tobytes()

    return change


def _dims(*dims: int) -> Callable[[ModelProto], None]:
    def change(model: ModelProto) -> None:
        model.graph.initializer[0].dims[:] = dims

    return change


def _doubling(count: int) -> list[NodeProto]:
    """Concat of a value with itself, again and again: a kilobyte of graph that wants all the memory there is."""
    names = ["image", *(f"a{n}" for n in range(count))]
    nodes = [helper.make_node("Concat", [one, one], [two], axis=1) for one, two in pairwise(names)]
    return [*nodes, helper.make_node("Slice", [names[-1], "zero", "three", "axis"], ["painted"])]


SLICE = (_ints("zero", 0), _ints("three", 3), _ints("axis", 1))
SCALES = _floats("scales", [4], [1, 1, 1e6, 1e6])
EYE = _floats("w", [3, 3, 1, 1], [0.0] * 9)

GRAPHS: Kinds = {
    "graph is empty": (_graph(lambda: b""), "holds nothing where an ONNX graph"),
    "graph is a pickle": (_graph(lambda: pickle.dumps(print)), "holds a pickle where an ONNX graph"),
    "graph is a torch file": (_graph(lambda: zip_of([entry("a/data.pkl", b"\x80\x02.")])), "holds a zip where an ONNX graph"),
    "graph is text": (_graph(lambda: b"import os; os.system('true')\n" * 20), "not an ONNX graph"),
    "graph is noise": (_graph(lambda: random.Random(1).randbytes(100_000)), "not an ONNX graph"),
    "graph is safetensors": (_graph(lambda: struct.pack("<Q", 1 << 60) + b"{}"), "not an ONNX graph"),
    "graph cut short": (_graph(lambda: inverting_graph()[:-40]), "not an ONNX graph"),
    "graph of another message": (_graph(lambda: EYE.SerializeToString()), "(not an ONNX graph|opset none)"),
    "graph nested deeply": (_graph(lambda: _deep(3000)), "(not an ONNX graph|beside its weights)"),
    "100,000 nodes": (_graph(lambda: _many_nodes(100_000)), "(100000 nodes|beside its weights)"),
    "2,001 nodes": (_nodes(*(helper.make_node("Relu", ["image"], [f"r{n}"]) for n in range(2001))), "has 2001 nodes"),
    "2,001 weights": (_op("Relu", weights=[_floats(f"w{n}", [1], [0.0]) for n in range(2001)]), "has 2001 weights"),
    "external data": (_model(_outside), "lies in another file"),
    "external data, not declared": (_model(_half_outside), "lies in another file"),
    "external data in a constant": (_model(_outside_constant), "lies in another file"),
    "custom operator": (_op("RunShell", domain="com.evil"), "custom operator 'RunShell' of 'com.evil'"),
    "custom domain": (_model(lambda m: m.opset_import.add(domain="com.evil", version=1)), "custom operators of 'com.evil'"),
    "own function": (_model(_function), "brings functions of its own"),
    "training part": (_model(lambda m: m.training_info.add()), "brings functions of its own"),
    "unknown operator": (_op("MakeCoffee"), "operator 'MakeCoffee', which a picture network may not"),
    "operator that is no text": (_graph(lambda: _replaced(b"A" * 100, b"\xff" * 100)), r"operator b'\\xff"),
    "loop": (_op("Loop", ("image", "", "image"), body=_subgraph()), "operator 'Loop'"),
    "condition": (_op("If", then_branch=_subgraph(), else_branch=_subgraph()), "operator 'If'"),
    "graph in an attribute": (_op("Relu", hidden=_subgraph()), "that holds a graph"),
    "graph hidden under a number": (_model(lambda m: m.graph.node[4].attribute[0].g.CopyFrom(_subgraph())), "that holds a graph"),
    "instance norm": (_op("InstanceNormalization"), "operator 'InstanceNormalization'"),
    "old opset": (_model(lambda m: setattr(m.opset_import[0], "version", 9)), "is of opset 9"),
    "opset of the future": (_model(lambda m: setattr(m.opset_import[0], "version", 999)), "is of opset 999"),
    "two opsets": (_model(lambda m: m.opset_import.add(domain="", version=13)), "is of opset 17, 13"),
    "no opset": (_model(lambda m: m.ClearField("opset_import")), "is of opset none"),
    "no file format version": (_model(lambda m: m.ClearField("ir_version")), "ONNX finds wrong"),
    "dims claim too much": (_model(_dims(3, 3, 1000, 1000)), "claims 9000000 values and has 9"),
    "dims claim too little": (_model(_dims(3, 1, 1, 1)), "claims 3 values and has 9"),
    "dims beyond counting": (_model(_dims(*[2**31 - 1] * 8)), "claims 4.5"),
    "dims negative": (_model(_dims(-3, -3, 1, 1)), "impossible shape"),
    "dims enormous": (_model(_dims(2**62, 1)), "impossible shape"),
    "dims many": (_model(_dims(*[1] * 900)), "impossible shape"),
    "half a value": (_model(lambda m: setattr(m.graph.initializer[1], "raw_data", b"\0\0\0")), "claims 3 values and has 1.5"),
    "NaN weight": (_model(_raw(float("nan"))), "'head.bias' is not finite"),
    "infinite weight": (_model(_raw(float("inf"))), "'head.bias' is not finite"),
    "NaN constant": (_op("Add", ("image", "c"), (_floats("c", [1], [float("nan")]),)), "'c' is not finite"),
    "NaN attribute": (_op("LeakyRelu", alpha=float("nan")), "'alpha' that is not finite"),
    "weight of text": (_op("Relu", weights=[helper.make_tensor("t", TensorProto.STRING, [1], [b"x"])]), "of kind 8"),
    "weight of complex numbers": (_op("Relu", weights=[helper.make_tensor("t", TensorProto.COMPLEX64, [1], [1j])]), "of kind 14"),
    "sparse weight": (_model(lambda m: m.graph.sparse_initializer.add()), "sparse weights"),
    "weight twice": (_model(lambda m: m.graph.initializer.append(m.graph.initializer[0])), "two weights named 'head.weight'"),
    "weight named image": (_op("Relu", weights=[_floats("image", [1], [0.0])]), "two weights named 'image'"),
    "weight without a name": (_op("Relu", weights=[_floats("", [1], [0.0])]), "two weights named ''"),
    "weight missing": (_model(lambda m: m.graph.initializer.pop()), "ONNX finds wrong"),
    "two inputs": (_model(lambda m: m.graph.input.append(m.graph.output[0])), "must have one input, 'image'"),
    "no input": (_model(lambda m: m.graph.ClearField("input")), "must have one input, 'image', and has none"),
    "input of another name": (_model(lambda m: setattr(m.graph.input[0], "name", "x\n")), r"one input, 'image', and has 'x\\n'"),
    "two outputs": (_model(lambda m: m.graph.output.append(m.graph.output[0])), "must have one output, 'painted'"),
    "input of fixed size": (_model(lambda m: _fix(m)), "with n, h and w left open"),
    "input of four channels": (_model(lambda m: setattr(_tensor(m.graph.input[0]).shape.dim[1], "dim_value", 4)), "left open"),
    "input of bytes": (_model(lambda m: setattr(_tensor(m.graph.input[0]), "elem_type", TensorProto.UINT8)), "left open"),
    "output of bytes": (_model(lambda m: setattr(_tensor(m.graph.output[0]), "elem_type", TensorProto.UINT8)), "must be float32"),
    "output that is no tensor": (_model(lambda m: m.graph.output[0].ClearField("type")), "must be float32"),
    "output computed by nothing": (_model(lambda m: m.graph.node.pop()), "ONNX finds wrong"),
    "circle": (
        _nodes(helper.make_node("Add", ["b", "image"], ["painted"]), helper.make_node("Relu", ["painted"], ["b"])),
        "ONNX finds wrong",
    ),
    "stride zero in a graph": (_convolution(strides=[0, 0]), "'strides' with an impossible number"),
    "group zero": (_convolution(group=0), "'group' with an impossible number"),
    "block of zero": (_op("DepthToSpace", blocksize=0), "'blocksize' with an impossible number"),
    "padding enormous": (_convolution(pads=[2**40] * 4), "'pads' with an impossible number"),
    "padding large": (_convolution(pads=[2**20] * 4), "far larger than its image"),
    "attribute of many numbers": (_convolution(pads=[0] * 1000), "'pads' with an impossible number"),
    "enlarging a millionfold": (_op("Resize", ("image", "", "scales"), (SCALES,)), "(far larger|cannot be told ahead)"),
    "doubling twelve times": (_nodes(*_doubling(12), weights=SLICE), "far larger than its image"),
    "doubling a thousand times": (_nodes(*_doubling(1000), weights=SLICE), "(far larger|sizes do not fit|cannot be told)"),
    "every pixel with every other": (
        _nodes(
            helper.make_node("Reshape", ["image", "column"], ["c"]), helper.make_node("Reshape", ["image", "row"], ["r"]),
            helper.make_node("MatMul", ["c", "r"], ["painted"]), weights=[_ints("column", -1, 1), _ints("row", 1, -1)],
        ),
        "far larger than its image",
    ),
    "painted half as large": (_op("Resize", ("image", "", "s"), (_floats("s", [4], [1, 1, 0.5, 0.5]),)), "not of the size of"),
    "painted of one size": (_op("Reshape", ("image", "s"), (_ints("s", 1, 3, 64, 128),)), "(not of the size|sizes do not fit)"),
    "size from the picture itself": (
        _nodes(
            helper.make_node("Cast", ["image"], ["s"], to=TensorProto.INT64),
            helper.make_node("Reshape", ["image", "s"], ["painted"]),
        ),
        "(cannot be told ahead|sizes do not fit)",
    ),
    "channels that do not fit": (_op("Conv", ("image", "w"), (_floats("w", [3, 5, 1, 1], [0.0] * 15),)), "wrong shape"),
    "channels that do not fit, up": (_op("ConvTranspose", ("image", "w"), (_floats("w", [2, 1, 1, 1], [0, 0]),)), "wrong shape"),
    "group of another kind": (_convolution(group=0.0), "ONNX finds wrong"),
    "groups that do not fit": (_convolution(group=3), "wrong shape"),
    "bias that does not fit": (_op("Conv", ("image", "w", "b"), (EYE, _floats("b", [2], [0, 0]))), "wrong shape"),
    "weights of three dimensions": (_op("Conv", ("image", "w"), (_floats("w", [3, 3, 1], [0.0] * 9),)), "wrong shape|do not fit"),
}  # fmt: skip


def _replaced(old: bytes, new: bytes) -> bytes:
    """A graph of one operator called `old`, those bytes replaced: protobuf itself would not write what is not UTF-8."""
    return bytes(model_of([helper.make_node(old.decode(), ["image"], ["painted"])]).SerializeToString()).replace(old, new)


def _tensor(value: ValueInfoProto) -> TypeProto.Tensor:
    return value.type.tensor_type


def _fix(model: ModelProto) -> None:
    for dimension, length in zip(model.graph.input[0].type.tensor_type.shape.dim, (1, 3, 64, 64), strict=True):
        dimension.dim_value = length


def _many_nodes(count: int) -> bytes:
    node = helper.make_node("Relu", ["image"], ["painted"]).SerializeToString()
    return _wrapped(7, (b"\x0a" + _varint(len(node)) + node) * count)


def _deep(levels: int) -> bytes:
    """A graph in an attribute of a node of a graph, and so on; fields 6, 5 and 1 of those messages."""
    data = b""
    for _ in range(levels):
        data = _wrapped(1, _wrapped(5, _wrapped(6, data)))
    return _wrapped(7, data)


def _wrapped(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


# Files that would take all the memory or time there is; each is opened in a process of its own, which counts what it took
BOMBS: Kinds = {
    "1,000,000 members": (lambda: _many_entries(1_000_000, 0xFFFF), "65,535 or more members"),
    "1,000,000 members, count lies": (lambda: _many_entries(1_000_000, 3), "malformed"),
    "deflate bomb of 500 MiB": (lambda: _bomb(500 * MIB, 60 * MIB), "lies about its size"),
    "64 MiB of empty nodes": (_graph(lambda: _wrapped(7, b"\x0a\0" * (31 * MIB))), "beside its weights"),
    "8 MiB of empty graphs": (_graph(lambda: b"\x3a\0" * (4 * MIB)), "beside its weights"),
    "8 MiB of empty weights": (_graph(lambda: _wrapped(7, b"\x2a\0" * (4 * MIB))), "beside its weights"),
    "8 MiB of dimensions": (_graph(lambda: _wrapped(7, _wrapped(5, _wrapped(1, b"\1" * (8 * MIB))))), "beside its weights"),
    "64 MiB of false weights": (_graph(lambda: _wrapped(7, _wrapped(5, b"\x49" + bytes(8)) * (5 * MIB))), "beside its weights"),
    "8 MiB of notes": (_graph(lambda: _wrapped(6, b"a" * (8 * MIB))), "beside its weights"),
    "64 MiB of weights, one of them NaN": (lambda: zip_of(parts(graph=_large(float("nan")))), "is not finite"),
    "8 MiB of noise": (_graph(lambda: random.Random(2).randbytes(8 * MIB)), "not an ONNX graph"),
    "1 MiB of card": (_card_text(b'{"schema":"style.1","a":[' + b"[]," * 300_000 + b"[]]}"), "name: Field required"),
    "1 MiB of faults": (_card_text(b'{"schema":"style.1"' + b"".join(b',"%d":0' % n for n in range(90_000)) + b"}"), "and 9"),
}


def _large(value: float) -> bytes:
    """A convolution over very many channels, 60 MiB of weights, the last of them `value`."""
    weight = np.zeros((2560, 3, 64, 64), np.float16)
    weight[-1, -1, -1, -1] = value
    nodes = [
        helper.make_node("Cast", ["w"], ["w.fp32"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["image", "w.fp32"], ["wide"]),
        helper.make_node("Slice", ["wide", "zero", "three", "axis"], ["painted"]),
    ]
    return bytes(model_of(nodes, [numpy_helper.from_array(weight, "w"), *copy.deepcopy(SLICE)]).SerializeToString())


def corpus() -> Iterator[tuple[str, Callable[[], bytes], str]]:
    """Every hostile file but the bombs: its kind, how to make it, and what the refusal must say."""
    for kinds in (ZIPS, CARDS, PREVIEWS, GRAPHS, ENDS):
        for kind, (make, fault) in kinds.items():
            yield kind, make, fault
