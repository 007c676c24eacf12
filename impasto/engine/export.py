"""From a trained generator to the graph that a style file holds, and back; and how far two engines are apart.

In the graph every weight is an initializer under its name in the generator's state_dict, so that fine-tuning can read it.
Weights are stored in fp16 with a cast behind each where that moves the picture by no more than 1/255, else in fp32.
"""
from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Sequence
from importlib import import_module
from io import BytesIO
from math import inf, log10
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.engine.graph import IMAGE, PAINTED
from impasto.errors import EngineError
from impasto.frame import Pixels

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto
    from torch import nn

    from impasto.engine import Engine
    from impasto.styles.package import Tier

OPSET = 17
IR = 8  # the file format of that opset's time: old engines read it too
FP16_STEPS = 1.0  # how far, in 1/255, fp16 weights may move the picture
TRIAL_PX = 192
PREVIEW_SIZE = (512, 288)


def export_graph(generator: nn.Module) -> bytes:
    """The generator as an ONNX graph ("image" -> "painted", any n, h, w), checked against the generator itself."""
    import torch

    network = copy.deepcopy(generator).cpu().float().eval()
    names = list(network.state_dict())
    picture = trial_picture()
    with torch.inference_mode():
        truth = network(torch.from_numpy(picture)).numpy()
    model = _tidied(_traced(network), names)
    for graph in (_with_half_weights(model), bytes(model.SerializeToString())):
        if _steps_apart(_painted(graph, picture), truth) <= FP16_STEPS:
            return graph
    raise EngineError("the exported graph does not paint what the generator paints", "export")


def read_weights(graph: bytes) -> dict[str, NDArray[np.float32]]:
    """The weights in a graph as float32 under their state_dict names."""
    import onnx
    from onnx import numpy_helper

    found = onnx.load_from_string(graph).graph.initializer
    return {weight.name: numpy_helper.to_array(weight).astype(np.float32) for weight in found}


def paint_preview(graph: bytes, tier: Tier) -> bytes:
    """The preview of a look as a PNG: the same frame of the procedural plate for all, so that looks can be compared."""
    from PIL import Image

    from impasto.engine import load_engine
    from impasto.media.plate import Plate

    frame = Plate(*PREVIEW_SIZE, 24, 0).frame(0).rgb
    painted = load_engine("onnx").open(graph, tier, "fp32").paint(frame[None])[0]
    buffer = BytesIO()
    Image.fromarray(painted).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


class Parity(NamedTuple):
    """How far two pictures of the same thing are apart."""

    steps: float  # the greatest difference, in 1/255
    psnr_db: float


def parity(one: Engine, other: Engine, pixels: Pixels) -> Parity:
    """Paint [H,W,3] or [N,H,W,3] with two engines and compare."""
    batch = pixels if pixels.ndim == 4 else pixels[None]
    scale = 1.0 if batch.dtype == np.uint8 else 255.0
    apart = (one.paint(batch).astype(np.float64) - other.paint(batch).astype(np.float64)) * scale
    power = float(np.mean(apart**2))
    return Parity(float(np.abs(apart).max()), inf if power == 0 else 10 * log10(255**2 / power))


def trial_picture(size: int = TRIAL_PX) -> NDArray[np.float32]:
    """A fixed picture [1,3,size,size] with what graphs stumble over: ramps, hard edges, noise at several scales, black, white."""
    rng = np.random.default_rng(7)
    down, across = np.mgrid[0:size, 0:size].astype(np.float32) / size
    ramps = np.stack([across, down, 1 - across])
    noise = np.zeros_like(ramps)
    for scale in (1, 4, 16):
        grain = rng.random((3, -(-size // scale), -(-size // scale)), dtype=np.float32)
        noise += np.kron(grain, np.ones((1, scale, scale), np.float32))[:, :size, :size] / 3
    picture = np.where(down > 0.5, noise, ramps)
    picture[:, size // 8 : size // 4, size // 8 : size // 4] = 0
    picture[:, size // 8 : size // 4, -size // 4 :] = 1
    return picture[None].astype(np.float32)


def _traced(network: nn.Module) -> ModelProto:
    import onnx
    import torch

    axes = {0: "n", 2: "h", 3: "w"}
    example = torch.zeros(1, 3, TRIAL_PX, TRIAL_PX)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "traced.onnx"
        # the older exporter needs no further library and a tenth of the time; two warnings say that it is old, the third that
        # it leaves constants to be folded, which is done below
        warnings.filterwarnings("ignore", "You are using the legacy TorchScript-based ONNX export", DeprecationWarning)
        warnings.filterwarnings("ignore", "The feature will be removed", DeprecationWarning)
        warnings.filterwarnings("ignore", "Constant folding - Only steps=1 can be constant folded", UserWarning)
        torch.onnx.export(
            network, (example,), path, dynamo=False, opset_version=OPSET, do_constant_folding=False,
            input_names=[IMAGE], output_names=[PAINTED], dynamic_axes={IMAGE: axes, PAINTED: axes},
        )  # fmt: skip
        return onnx.load(path)


def _tidied(model: ModelProto, names: list[str]) -> ModelProto:
    """One initializer per weight under its own name, and nothing that tells of the machine or the time of the export."""
    from onnx import helper

    values = {weight.name: weight for weight in model.graph.initializer}
    for node in list(model.graph.node):  # the exporter stores equal weights once and lets the others point at them
        if node.op_type == "Identity" and node.output[0] in names and node.input[0] in values:
            values[node.output[0]] = copy.deepcopy(values[node.input[0]])
            values[node.output[0]].name = node.output[0]
            model.graph.node.remove(node)
    if set(values) != set(names):
        raise EngineError(f"weights lost their names on export: {', '.join(sorted(set(values) ^ set(names)))}", "export")
    nodes = _folded(model.graph.node)
    for node in nodes:
        node.doc_string = ""
        del node.metadata_props[:]
    weights = [values[name] for name in names]
    graph = helper.make_graph(nodes, "impasto", model.graph.input, model.graph.output, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="impasto")


def _folded(nodes: Sequence[NodeProto]) -> list[NodeProto]:
    """The nodes without those that only compute constants, such as the dozen that the exporter makes of one padding."""
    from onnx import helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    constants: dict[str, NDArray[np.generic]] = {}
    kept = []
    for node in nodes:
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        elif node.input and all(name in constants for name in node.input):
            alone = helper.make_graph([node], "alone", [], [helper.make_empty_tensor_value_info(name) for name in node.output])
            alone.initializer.extend(numpy_helper.from_array(constants[name], name) for name in node.input)
            model = helper.make_model(alone, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
            constants |= {n: np.asarray(v) for n, v in zip(node.output, ReferenceEvaluator(model).run(None, {}), strict=True)}
        else:
            kept.append(node)
    wanted = [name for node in kept for name in node.input if name in constants]
    made = [helper.make_node("Constant", [], [n], value=numpy_helper.from_array(constants[n])) for n in dict.fromkeys(wanted)]
    return made + kept


def _with_half_weights(model: ModelProto) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    small = copy.deepcopy(model)
    weights = [(weight.name, numpy_helper.to_array(weight)) for weight in small.graph.initializer]
    for node in small.graph.node:
        node.input[:] = [f"{name}.fp32" if name in dict(weights) else name for name in node.input]
    with np.errstate(over="ignore"):  # a weight beyond fp16 becomes infinite, and the picture's check then refuses the graph
        halves = [numpy_helper.from_array(value.astype(np.float16), name) for name, value in weights]
    casts = [helper.make_node("Cast", [name], [f"{name}.fp32"], to=TensorProto.FLOAT) for name, _ in weights]
    nodes = [*casts, *small.graph.node]
    del small.graph.initializer[:], small.graph.node[:]
    small.graph.initializer.extend(halves)
    small.graph.node.extend(nodes)
    return bytes(small.SerializeToString())


def _painted(graph: bytes, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    session = import_module("onnxruntime").InferenceSession(graph, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {IMAGE: picture})[0], np.float32)


def _steps_apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    steps = float(np.abs(one - other).max()) * 255
    return steps if np.isfinite(steps) else inf
