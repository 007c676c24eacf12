"""Tiny looks made by hand for the tests of this room: a graph that inverts colours, a card, a preview, and zips of any kind."""
from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from impasto.styles.card import card_bytes
from impasto.styles.package import Card, Credit, NamedHash, Tier, TrainingRecord, write_style

Entry = dict[str, Any]


def inverting_model() -> ModelProto:
    """painted = clip(1 - image), by a 1x1 convolution with fp16 weights and casts, as real looks have them."""
    weight = numpy_helper.from_array((-np.eye(3, dtype=np.float16)).reshape(3, 3, 1, 1), "head.weight")
    bias = numpy_helper.from_array(np.ones(3, np.float16), "head.bias")
    nodes = [
        helper.make_node("Cast", ["head.weight"], ["weight.fp32"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["head.bias"], ["bias.fp32"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["zero"], value=numpy_helper.from_array(np.float32(0))),
        helper.make_node("Constant", [], ["one"], value=numpy_helper.from_array(np.float32(1))),
        helper.make_node("Conv", ["image", "weight.fp32", "bias.fp32"], ["inverse"], kernel_shape=[1, 1]),
        helper.make_node("Clip", ["inverse", "zero", "one"], ["painted"]),
    ]
    return model_of(nodes, [weight, bias])


def model_of(nodes: Sequence[NodeProto], weights: Sequence[TensorProto] = ()) -> ModelProto:
    """A model from "image" to "painted" of these nodes and weights."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, "h", "w"]) for name in ("image", "painted")]
    graph = helper.make_graph(list(nodes), "impasto", ends[:1], ends[1:], list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def inverting_graph() -> bytes:
    """The inverting model as the bytes a style file holds."""
    return bytes(inverting_model().SerializeToString())


def changed(change: Callable[[ModelProto], object]) -> bytes:
    """The inverting graph after a change to it."""
    model = inverting_model()
    change(model)
    return bytes(model.SerializeToString())


def png(width: int = 8, height: int = 6, extra: bytes = b"") -> bytes:
    """A grey PNG; `extra` chunks stand before its pixels."""
    header = chunk(b"IHDR", struct.pack(">II5B", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes((width + 1) * height)))
    return b"\x89PNG\r\n\x1a\n" + header + extra + pixels + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def card(name: str = "inverse", tiers: Sequence[str] = ("full",)) -> Card:
    """A card with everything on it."""
    tier = Tier(generator="brush", settings={"width": 24}, stride=4, receptive_field=96, parameters=12)
    record = TrainingRecord(
        command="impasto learn wave.jpg -o inverse.style", recipe="one_image", settings={"batch": 4, "gram": 3.0}, seed=1,
        steps={"full": 100}, minutes={"full": 1.5}, references=[NamedHash(name="wave.jpg", sha256="0" * 64)], photos=3,
        teachers=[NamedHash(name="vgg19", sha256="1" * 64, licence="CC-BY-4.0")], date="2025-01-31", impasto="0.1.0",
        torch="2.13.0", figures={"style": 0.375},
    )  # fmt: skip
    return Card(
        name=name, title="Inverse", description="White is black.", tiers=dict.fromkeys(tiers, tier), licence="CC0-1.0",
        credits=[Credit(work="The Great Wave", author="Hokusai", licence="public domain", source="a museum")], training=record,
    )  # fmt: skip


def style(folder: Path, name: str = "inverse", tiers: Sequence[str] = ("full",)) -> Path:
    """A sound style file in a folder."""
    return write_style(folder / f"{name}.style", card(name, tiers), dict.fromkeys(tiers, inverting_graph()), png())


def entry(name: str, data: bytes, **fields: Any) -> Entry:
    """One member for `zip_of`; any field of its headers can be told to lie, `local_...` only in its own header."""
    return {"name": name, "data": data, **fields}


def zip_of(entries: Sequence[Entry], before: bytes = b"", after: bytes = b"", gap: bytes = b"", **end: Any) -> bytes:
    """A zip written field by field, so that each can be wrong. An entry with `at` points there and stores nothing itself."""
    body, directory = bytearray(), bytearray()
    for member in entries:
        name, data, method, flags = member["name"].encode(), member["data"], member.get("method", 0), member.get("flags", 0)
        stored = member.get("stored", _deflated(data) if method == 8 else data)
        crc, packed, size = member.get("crc", zlib.crc32(data)), member.get("packed", len(stored)), member.get("size", len(data))
        at, attributes = member.get("at", len(body)), member.get("attributes", 0o100644 << 16)
        if "at" not in member:
            local = member.get("local_name", member["name"]).encode()
            sizes = packed, member.get("local_size", size), len(local), 0
            body += struct.pack("<4s5H3I2H", b"PK\3\4", 20, flags, method, 0, 33, crc, *sizes) + local + stored
        head = 788, 20, flags, method, 0, 33, crc, packed, size, len(name), 0, 0, 0, 0, attributes, at
        directory += struct.pack("<4s6H3I5H2I", b"PK\1\2", *head) + name
    body += gap
    directory *= end.get("repeat", 1)
    count, note = end.get("count", len(entries)), end.get("note", b"")
    place = end.get("disk", 0), end.get("disk", 0), count, count, len(directory), len(body), len(note)
    return before + bytes(body) + bytes(directory) + struct.pack("<4s4H2IH", b"PK\5\6", *place) + note + after


def parts(graph: bytes | None = None, preview: bytes | None = None, **values: Any) -> list[Entry]:
    """The members of a style file, with the hashes on the card right; `values` replace what the card says."""
    graph, preview = inverting_graph() if graph is None else graph, png() if preview is None else preview
    told = json.loads(card_bytes(card()))
    told["tiers"]["full"]["graph_sha256"], told["preview_sha256"] = sha256(graph).hexdigest(), sha256(preview).hexdigest()
    text = json.dumps(told | values).encode()
    return [entry("card.json", text), entry("graph.full.onnx", graph), entry("preview.png", preview)]


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()
