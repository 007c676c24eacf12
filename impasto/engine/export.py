"""From a trained generator to the graph that a style file holds, and back; and how far two engines are apart.

In the graph every weight is an initializer under its name in the generator's state_dict, so that fine-tuning can read it, and
so that a look's code can be put in place of another. Weights are stored in fp16 with a cast behind each where that moves the
picture by no more than 1/255, else in fp32.
"""
from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from math import inf, log10
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.engine.graph import IR, OPSET, constants_folded, with_code
from impasto.engine.trial import greatest_difference, left, trial_codes, trial_of
from impasto.errors import EngineError
from impasto.frame import Pixels
from impasto.styles.ends import CODE, ENCODER_ENDS, NOISE, Ends

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import nn

    from impasto.engine import Engine
    from impasto.styles.package import Tier

FP16_STEPS = 1.0  # how far, in 1/255, fp16 weights may move the picture
FP16_OF_CODE = 0.01  # how far fp16 weights may move an encoder's code, as a share of its greatest number
PREVIEW_SIZE = (512, 288)


def export_graph(generator: nn.Module) -> bytes:
    """The generator as an ONNX graph (see styles/ends.py), checked against the generator itself, with another code too."""
    import torch

    network = copy.deepcopy(generator).cpu().float().eval()
    ends = ends_of(network)
    entering, names = trial_of(ends), list(network.state_dict())
    codes = trial_codes({name: weight.numpy() for name, weight in network.state_dict().items()}, CODE)
    with torch.inference_mode():
        entered = torch.from_numpy(entering)
        truths = [network(entered).numpy(), *(network(entered, torch.tensor([code])).numpy() for code in codes)]
    model = _tidied(_traced(network, ends), names)
    for graph in (_with_half_weights(model), bytes(model.SerializeToString())):
        coded = [graph, *(with_code(graph, code) for code in codes)]
        apart = max(greatest_difference(left(g, entering), t) for g, t in zip(coded, truths, strict=True))
        if apart * 255 <= FP16_STEPS:
            return graph
    raise EngineError("the exported graph does not paint what the generator paints", "export")


def export_encoder(encoder: nn.Module) -> bytes:
    """An encoder [N,3,H,W] -> [N,k] as an ONNX graph ("image" -> "code"), checked against the encoder itself in two sizes."""
    import torch

    network = copy.deepcopy(encoder).cpu().float().eval()
    picture = trial_of(ENCODER_ENDS)
    pictures = [picture, np.ascontiguousarray(picture[:, :, :128, 16:])]
    with torch.inference_mode():
        truths = [network(torch.from_numpy(each)).numpy() for each in pictures]
    model = _tidied(_traced(network, ENCODER_ENDS), list(network.state_dict()))
    for graph in (_with_half_weights(model), bytes(model.SerializeToString())):
        apart = max(greatest_difference(left(graph, p), t) for p, t in zip(pictures, truths, strict=True))
        if apart <= FP16_OF_CODE * max(1.0, *(float(np.abs(truth).max()) for truth in truths)):
            return graph
    raise EngineError("the exported graph does not read what the encoder reads", "export")


def ends_of(generator: nn.Module) -> Ends:
    """What goes into a generator and what comes out, as it says itself."""
    noise = getattr(generator, "noise", 0)
    if noise:
        return Ends(NOISE, planes=noise)
    guides: Mapping[str, int] = getattr(generator, "guides", {})
    planes = sum(guides.values()) or getattr(getattr(generator, "settings", None), "guides", 0)
    return Ends(planes=3 + planes, scale=getattr(generator, "scale", 1))


def read_weights(graph: bytes) -> dict[str, NDArray[np.float32]]:
    """The weights in a graph as float32 under their state_dict names."""
    import onnx
    from onnx import numpy_helper

    found = onnx.load_from_string(graph).graph.initializer
    return {weight.name: numpy_helper.to_array(weight).astype(np.float32) for weight in found}


def paint_preview(graph: bytes, tier: Tier) -> bytes:
    """The preview of a look as a PNG: the same frame of the procedural plate for all, so that looks can be compared.

    Of many looks in one network it is the first; guides are left black; one that enlarges begins with a smaller plate.
    """
    from PIL import Image

    from impasto.engine import load_engine

    graph = with_code(graph, next(iter(tier.codes.values()))) if tier.codes else graph
    width, height = (side // tier.scale for side in PREVIEW_SIZE)
    frame = _plate_frame(width, height)
    guides = np.zeros((height, width, sum(tier.guides.values())), np.uint8)
    painted = load_engine("onnx").open(graph, tier, "fp32").paint(np.concatenate([frame, guides], 2)[None])[0]
    buffer = BytesIO()
    Image.fromarray(painted).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


@cache
def _plate_frame(width: int, height: int) -> NDArray[np.uint8]:
    from impasto.media.plate import Plate

    return Plate(width, height, 24, 0).frame(0).rgb


class Parity(NamedTuple):
    """How far two pictures of the same thing are apart."""

    steps: float  # the greatest difference, in 1/255
    psnr_db: float


def parity(one: Engine, other: Engine, pixels: Pixels) -> Parity:
    """Paint [H,W,3] or [N,H,W,3] with two engines and compare."""
    batch = pixels if pixels.ndim == 4 else pixels[None]
    return difference(one.paint(batch), other.paint(batch))


def difference(one: Pixels, other: Pixels) -> Parity:
    """How far two paintings are apart, of bytes or of floats in 0..1."""
    scale = 1.0 if one.dtype == np.uint8 else 255.0
    apart = (one.astype(np.float64) - other.astype(np.float64)) * scale
    power = float(np.mean(apart**2))
    return Parity(float(np.abs(apart).max()), inf if power == 0 else 10 * log10(255**2 / power))


def _traced(network: nn.Module, ends: Ends) -> ModelProto:
    import onnx
    import torch

    example = torch.zeros(trial_of(ends).shape)
    entering = {0: "n"} if ends.entering == NOISE else {0: "n", 2: "h", 3: "w"}
    leaving = {0: "n"} if ends.one_size else {0: "n", 2: "painted_h", 3: "painted_w"}
    leaving = entering if ends == Ends() else leaving
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "traced.onnx"
        # the older exporter needs no further library and a tenth of the time; two warnings say that it is old, the third that
        # it leaves constants to be folded, which is done below
        warnings.filterwarnings("ignore", "You are using the legacy TorchScript-based ONNX export", DeprecationWarning)
        warnings.filterwarnings("ignore", "The feature will be removed", DeprecationWarning)
        warnings.filterwarnings("ignore", "Constant folding - Only steps=1 can be constant folded", UserWarning)
        torch.onnx.export(
            network, (example,), path, dynamo=False, opset_version=OPSET, do_constant_folding=False,
            input_names=[ends.entering], output_names=[ends.leaving],
            dynamic_axes={ends.entering: entering, ends.leaving: leaving},
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
    nodes = constants_folded(model.graph.node)
    for node in nodes:
        node.doc_string = ""
        del node.metadata_props[:]
    weights = [values[name] for name in names]
    graph = helper.make_graph(nodes, "impasto", model.graph.input, model.graph.output, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="impasto")


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
