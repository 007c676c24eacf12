"""The programs that a look is exported for. A new one is a function and a row of TARGETS.

A function writes its files into a folder that is there and empty, and says how to paint with what it wrote: the very files are
tried (trial.py) before they get their names.
"""
from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from impasto.errors import MissingExtra
from impasto.export import readme
from impasto.export.network import Network
from impasto.export.trial import Paint

OPSET = 15  # the newest that Unity's importer takes; no operation of ours changed from there to the one style files are stored in
LARGEST_PX = (2160, 3840)  # height and width that an engine of TensorRT is built for


class Written(NamedTuple):
    """What a target came to."""

    paint: Paint
    readme: str


class Target(NamedTuple):
    """One row: who writes it, and the number formats that it knows."""

    write: Callable[[Network, Path], Written]
    precisions: tuple[str, ...]
    tier: str = ""  # that is meant where none is named; else the finest of the look


def write_onnx(network: Network, folder: Path) -> Written:
    """One .onnx file of an opset that game engines take."""
    path = folder / f"{network.name}.onnx"
    path.write_bytes(_portable(network))
    return Written(_onnx_painter(path), readme.of_onnx(network, path.name, OPSET))


def write_openvino(network: Network, folder: Path) -> Written:
    """OpenVINO's two files, .xml and .bin."""
    from impasto.engine.openvino import HINTS, library

    core, path = library().Core(), folder / f"{network.name}.xml"
    model = core.read_model(_portable(network))
    library().save_model(model, str(path), compress_to_fp16=False)
    hint = HINTS["fp32" if network.precision == "fp32" else "bf16"]
    compiled = core.compile_model(core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": hint})
    return Written(lambda image: np.asarray(compiled([image])[0]), readme.of_openvino(network, path.name, hint))


def write_torchscript(network: Network, folder: Path) -> Written:
    """A .pt file that Nuke's CatFileCreator turns into a .cat file."""
    if find_spec("torch") is None:
        raise MissingExtra("export --to torchscript", "learn")
    from impasto.export.torchscript import painter, save

    path = folder / f"{network.name}.pt"
    save(network, path)
    return Written(painter(path), readme.of_torchscript(network, path.name))


def write_tensorrt_script(network: Network, folder: Path) -> Written:
    """An .onnx file and a script that builds an engine of it, on the card that is to run it."""
    path, script = folder / f"{network.name}.onnx", folder / f"build-{network.name}.sh"
    path.write_bytes(_portable(network))
    script.write_text(readme.tensorrt_script(network, path.name, LARGEST_PX), "utf-8")
    script.chmod(0o755)
    text = readme.of_tensorrt(network, path.name, script.name)
    if network.precision == "bf16":  # there may be no such card here: the number format is tried where there is one
        return Written(_bf16_painter(network), text)
    return Written(_onnx_painter(path), text)


def write_web(network: Network, folder: Path) -> Written:
    """A static page that paints in the visitor's browser."""
    from impasto.export.web import painter, save

    path = save(network, folder)
    return Written(painter(network, path), readme.of_web(network, path.stat().st_size))


TARGETS = {
    "onnx": Target(write_onnx, ("fp32", "int8")),
    "openvino": Target(write_openvino, ("fp32", "bf16", "int8")),
    "torchscript": Target(write_torchscript, ("fp32",)),
    "tensorrt-script": Target(write_tensorrt_script, ("fp32", "bf16")),
    "web": Target(write_web, ("fp32",), tier="live"),
}


def _portable(network: Network) -> bytes:
    """The graph with its weights as initializers, where every importer looks for them, and the opset that all of them know."""
    import onnx

    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    constants = [node for node in model.graph.node if node.op_type == "Constant"]
    for node in constants:
        held = model.graph.initializer.add()
        held.CopyFrom(node.attribute[0].t)
        held.name = node.output[0]
        model.graph.node.remove(node)
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    model.doc_string = f"{network.look.style.card.title}, {network.tier}; licence {network.look.style.card.licence}"
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _onnx_painter(path: Path) -> Paint:
    from impasto.engine.onnx import open_session

    session = open_session(path.read_bytes())
    return lambda image: np.asarray(session.run(None, {session.get_inputs()[0].name: image})[0])


def _bf16_painter(network: Network) -> Paint:
    from impasto.engine import load_engine

    name = "openvino" if load_engine("openvino").auto_precision(deep=False) == "bf16" else "pytorch"
    engine = load_engine(name).open(network.graph, network.told, "bf16")
    return lambda image: engine.paint(np.ascontiguousarray(image.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)
