"""Small stand-ins for what is big: a network of a few weights, an engine without one, a look that paints in a blink."""
from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, load_from_string, numpy_helper
from PIL import Image

from impasto.frame import Pixels
from impasto.styles.package import Card, Tier, TrainingRecord, write_style

if TYPE_CHECKING:
    from impasto.models.blocks import Painter

TINY_STRIDE = 4
TINY_FIELD = 18  # 8 for the stem, 8 more for the 3x3 that follows at a quarter of the size, 2 for where sub-pixels sit


class Inverter:
    """An engine that paints the negative, and remembers the shapes of what it was given."""

    name = "inverter"
    precision = "fp32"
    device = "none"
    at_once = 1
    bytes_per_pixel = 24.0

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def paint(self, batch: Pixels) -> Pixels:
        """White becomes black."""
        self.shapes.append(batch.shape)
        white = 255 if batch.dtype == np.uint8 else 1
        return (white - batch).astype(batch.dtype)


def tiny_graph(seed: int = 0) -> bytes:
    """A generator of four layers as a tier's graph: stem, one convolution, shuffle, and the input mixed in."""
    random = np.random.default_rng(seed)
    shapes = {"stem.weight": (8, 3, 8, 8), "stem.bias": (8,), "leave.weight": (48, 8, 3, 3), "leave.bias": (48,)}
    spread = {name: 1.5 / np.prod(shape[1:]) ** 0.5 for name, shape in shapes.items()}
    weights = {name: random.normal(0, spread[name], shape).astype(np.float32) for name, shape in shapes.items()}
    nodes = [
        helper.make_node("Conv", ["image", "stem.weight", "stem.bias"], ["small"], strides=[4, 4], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["small"], ["curved"]),
        helper.make_node("Conv", ["curved", "leave.weight", "leave.bias"], ["wide"], pads=[1, 1, 1, 1]),
        helper.make_node("DepthToSpace", ["wide"], ["paint"], blocksize=4, mode="CRD"),
        helper.make_node("Add", ["image", "paint"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["painted"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, "h", "w"]) for name in ("image", "painted")]
    stored = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "tiny", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


RED, GREEN, BLUE = [3.0, -3.0, -3.0], [-3.0, 3.0, -3.0], [-3.0, -3.0, 3.0]  # codes of `coded_graph`


def coded_graph(seed: int = 0) -> bytes:
    """A `tiny_graph` with a code of three numbers, which tints what it paints: so what a code does can be foretold."""
    model = load_from_string(tiny_graph(seed))
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(3, np.float16), "code"))
    tint = [
        helper.make_node("Cast", ["code"], ["code.fp32"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["as_colour"], value=numpy_helper.from_array(np.array([1, 3, 1, 1], np.int64))),
        helper.make_node("Reshape", ["code.fp32", "as_colour"], ["tint"]),
        helper.make_node("Add", ["sum", "tint"], ["tinted"]),
    ]
    last = model.graph.node.pop()
    model.graph.node.extend([*tint, helper.make_node(last.op_type, ["tinted"], ["painted"])])
    return bytes(model.SerializeToString())


def colour_reader() -> bytes:
    """An encoder for `coded_graph`: how far each colour's mean over the picture is above grey, six times."""
    numbers = {"grey": np.float32(0.5), "six": np.float32(6)}
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Sub", ["mean", "grey"], ["above"]),
        helper.make_node("Mul", ["above", "six"], ["code"]),
    ]
    ends = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"]),
        helper.make_tensor_value_info("code", TensorProto.FLOAT, ["n", 3]),
    ]
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in numbers.items()]
    graph = helper.make_graph(nodes, "reader", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def write_coded_style(path: Path, encoder: bytes | None = None, varies: bool = False, **codes: list[float]) -> Path:
    """Write a style of a `coded_graph`, whose looks are the codes given by name."""
    graph = coded_graph()
    tier = tiny_tier(graph).model_copy(update={"codes": codes})
    return write_style(path, _card(path.stem, {"full": tier}, varies=varies), {"full": graph}, a_preview(), encoder)


def tiny_tier(graph: bytes) -> Tier:
    """What a card says of `tiny_graph`."""
    digest = sha256(graph).hexdigest()
    return Tier(generator="tiny", stride=TINY_STRIDE, receptive_field=TINY_FIELD, parameters=5096, graph_sha256=digest)


def write_tiny_style(path: Path, tiers: tuple[str, ...] = ("live", "full")) -> Path:
    """Write a look of `tiny_graph`s, one with other weights per tier."""
    graphs = {tier: tiny_graph(seed) for seed, tier in enumerate(tiers)}
    card = _card(path.stem, {tier: tiny_tier(graph) for tier, graph in graphs.items()})
    return write_style(path, card, graphs, a_preview())


def _card(name: str, tiers: dict[str, Tier], **more: object) -> Card:
    record = TrainingRecord(command="made by hand", recipe="none", seed=0, date="2026-01-01", impasto="0")
    told = {"name": name, "title": "A tiny look", "licence": "Apache-2.0", "tiers": tiers, "training": record}
    return Card.model_validate(told | more)


def a_preview() -> bytes:
    """A picture that may stand in a style file."""
    preview = BytesIO()
    Image.new("RGB", (8, 8), (40, 80, 120)).save(preview, "PNG")
    return preview.getvalue()


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A picture [height,width,3] of random bytes: whatever an engine gets wrong shows in it."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def lively(generator: Painter, seed: int = 0) -> Painter:
    """The generator with weights as strong as trained ones: fresh ones paint almost nothing, and so would hide faults."""
    import torch

    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in generator.named_parameters():
            spread = 0.1 if weight.ndim == 1 else (1.2 / weight[0].numel()) ** 0.5 * (0.5 if "leave" in name else 1)
            weight.copy_(torch.randn(weight.shape, generator=random) * spread)
    return generator.eval()
