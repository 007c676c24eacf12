"""A page that paints in the visitor's browser: nothing is fetched from elsewhere, and no picture leaves it.

Its scripts (page/) paint what models/generators/swift.py paints; look.js holds the weights as network.js reads them.
"""
from __future__ import annotations

import base64
import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto import __version__
from impasto.engine.export import read_weights
from impasto.engine.fold import without_code
from impasto.errors import InputError
from impasto.export.network import Network
from impasto.export.trial import Paint

PAGE = Path(__file__).parent / "page"
PAGE_FILES = (".html", ".css", ".js", ".json")
GENERATOR = "swift"
SAMPLE_PX = (640, 360)
STORED = np.dtype("<f2")
Weights = dict[str, NDArray[np.float32]]


def save(network: Network, folder: Path) -> Path:
    """Write the page; look.js, whose path comes back, is what differs from one look to another."""
    _refuse_what_it_cannot_paint(network)
    for file in PAGE.iterdir():
        if file.suffix in PAGE_FILES:
            shutil.copyfile(file, folder / file.name)
    card, weights = network.look.style.card, read_weights(without_code(network.graph))
    told = {
        "title": card.title, "name": network.name, "licence": card.licence, "version": __version__,
        "settings": _settings(network, weights),
        "weights": base64.b64encode(b"".join(_packed(weights, name).tobytes() for name in _convolutions(weights))).decode(),
    }  # fmt: skip
    path = folder / "look.js"
    path.write_text(_script("LOOK", told), "ascii")
    (folder / "sample.js").write_text(_script("SAMPLE", _sample()), "ascii")
    return path


def painter(network: Network, path: Path) -> Paint:
    """The way to paint with the weights that were written: in the look's own graph, under ONNX Runtime."""
    import onnx
    from onnx import numpy_helper

    from impasto.engine.onnx import open_session

    model = onnx.load_from_string(without_code(network.graph))
    weights = _read_back(path, read_weights(bytes(model.SerializeToString())))
    for held in model.graph.initializer:
        stored = numpy_helper.to_array(held).dtype
        held.CopyFrom(numpy_helper.from_array(weights[held.name].astype(stored), held.name))
    session = open_session(model.SerializeToString())
    return lambda image: np.asarray(session.run(None, {session.get_inputs()[0].name: image})[0])


def _refuse_what_it_cannot_paint(network: Network) -> None:
    """The scripts know one kind of network, without planes that only a render can give."""
    told, which = network.told, f"{network.look.name}, network {network.tier}"
    if told.generator != GENERATOR:
        raise InputError(f"{which}: a page paints with {GENERATOR} networks (tiers live, mini), and this is {told.generator}")
    if network.planes > 3:
        raise InputError(f"{which}: it paints by guides ({', '.join(told.guides)}), and a browser has none; choose another look")


def _settings(network: Network, weights: Weights) -> dict[str, Any]:
    """The network's shape as its weights have it."""
    return {
        "width": len(weights["stem.bias"]),
        "blocks": sum(name.endswith("enter.bias") for name in weights),
        "head": weights["to_whole.conv.weight"].shape[1],
        "inner": network.told.stride // 4,
        "inks": network.told.settings.get("inks"),
    }


def _convolutions(weights: Weights) -> list[str]:
    """Their names, in the order in which a picture passes them."""
    return [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]


def _packed(weights: Weights, name: str) -> NDArray[np.float16]:
    """A convolution [leave,enter,k,k] as [leave/4,k,k,enter,4], channels filled up to fours, and its biases."""
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    leave, enter = (filled - count for filled, count in zip(_filled(weight, name), weight.shape, strict=False))
    weight = np.pad(weight, [(0, leave), (0, enter), (0, 0), (0, 0)])
    fours = weight.reshape(-1, 4, *weight.shape[1:]).transpose(0, 3, 4, 2, 1)
    with np.errstate(over="ignore"):  # a weight beyond fp16 becomes infinite, and the trial then refuses the page
        return np.concatenate([fours.ravel(), np.pad(bias, (0, leave))]).astype(STORED)


def _filled(weight: NDArray[np.float32], name: str) -> tuple[int, int]:
    """How many channels leave and enter, filled up to fours; a shuffle makes one channel of four, and wants four of those."""
    leave, enter = weight.shape[:2]
    fours = 16 if name == "to_half.conv" else 4
    return leave + -leave % fours, enter if name == "stem" else enter + -enter % 4


def _read_back(path: Path, like: Weights) -> Weights:
    """The weights of a written page under their names, in the shapes of these."""
    told = json.loads(path.read_text("ascii").partition("=")[2].rstrip(";\n"))
    halves, weights = np.frombuffer(base64.b64decode(told["weights"]), STORED).astype(np.float32), Weights()
    for name in _convolutions(like):
        leave, enter, kernel, _ = like[f"{name}.weight"].shape
        down, across = _filled(like[f"{name}.weight"], name)
        count = down * kernel * kernel * across
        weight = halves[:count].reshape(-1, kernel, kernel, across, 4).transpose(0, 4, 3, 1, 2)
        weights[f"{name}.weight"] = weight.reshape(down, across, kernel, kernel)[:leave, :enter]
        weights[f"{name}.bias"] = halves[count : count + leave]
        halves = halves[count + down :]
    return weights


def _script(name: str, value: object) -> str:
    """A value as a script: pages opened as files may load scripts and nothing else."""
    return f"const {name} = {json.dumps(value)};\n"


def _sample() -> str:
    """A frame of the procedural plate to begin with, as an address that holds the picture."""
    from PIL import Image

    from impasto.media.plate import Plate

    buffer = BytesIO()
    Image.fromarray(Plate(*SAMPLE_PX, 24, 0).frame(0).rgb).save(buffer, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
