"""Pictures out of noise: run a tier's graph that takes vectors instead of pictures.

The vector of picture number i under a seed depends on these two alone: the first 16 pictures are the same whether 16 are made
or 100. Graphs run in fp32, one vector at a time, so that no picture depends on which others were made with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from impasto.engine import engine_errors, load_engine
from impasto.errors import InputError
from impasto.frame import Pixels

if TYPE_CHECKING:
    from impasto.styles.package import StyleFile, Tier

Vectors = NDArray[np.float32]  # [n,noise]
Dream = Callable[[Vectors], Pixels]  # -> [n,H,W,3] uint8
ENGINES = ("onnx", "openvino")
TRUNCATION = "truncation"  # the initializer that pulls pictures towards the average one
PREVIEW_SIDE_PX = 512
PREVIEW_COLUMNS = 4


def vectors_of(seed: int, numbers: Sequence[int], length: int) -> Vectors:
    """The vectors [n,length] of the pictures with these numbers, drawn from a unit normal."""
    drawn = [np.random.default_rng([seed, number]).standard_normal(length, np.float32) for number in numbers]
    return np.stack(drawn) if drawn else np.empty((0, length), np.float32)


def open_dream(style: StyleFile, tier: str, engine: str = "onnx", truncation: float = 1.0) -> Dream:
    """Make one tier of a style ready to turn vectors into pictures."""
    if tier not in style.card.tiers:
        raise InputError(f"style {style.card.name} has no tier '{tier}': choose one of {', '.join(style.card.tiers)}")
    if not style.card.tiers[tier].noise:
        raise InputError(f"style {style.card.name} paints pictures and dreams none: use it with 'impasto render'")
    return dream_of(style.graph(tier), engine, truncation, style.card.name)


def dream_of(graph: bytes, engine: str = "onnx", truncation: float = 1.0, name: str = "") -> Dream:
    """The same of a bare graph."""
    if truncation != 1:
        graph = truncated(graph, truncation, name)
    with engine_errors(engine, name):
        run = _onnx(graph) if engine == "onnx" else _openvino(graph)

    def dream(vectors: Vectors) -> Pixels:
        with engine_errors(engine, name):
            pictures = [run(vector[None]) for vector in vectors.astype(np.float32)]
        painted = np.concatenate(pictures).clip(0, 1).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(np.rint(painted * 255).astype(np.uint8))

    return dream


def truncated(graph: bytes, truncation: float, name: str = "") -> bytes:
    """The graph with pictures pulled towards the average one: 1 as they are, 0 all the same."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(graph)
    for weight in model.graph.initializer:
        if weight.name == TRUNCATION:
            value = np.full(list(weight.dims), truncation, numpy_helper.to_array(weight).dtype)
            weight.CopyFrom(numpy_helper.from_array(value, TRUNCATION))
            return bytes(model.SerializeToString())
    raise InputError(f"style {name} knows no truncation: leave it at 1")


def paint_grid(graph: bytes, tier: Tier, columns: int = PREVIEW_COLUMNS, rows: int = PREVIEW_COLUMNS, seed: int = 0) -> bytes:
    """The preview of a look that dreams, as a PNG: the first pictures of a seed, side by side."""
    from PIL import Image

    pictures = dream_of(graph)(vectors_of(seed, range(columns * rows), tier.noise))
    sheet = Image.fromarray(grid_of(pictures, columns))
    times = max(1, PREVIEW_SIDE_PX // max(sheet.size))
    buffer = BytesIO()
    sheet.resize((sheet.width * times, sheet.height * times), Image.Resampling.NEAREST).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def grid_of(pictures: Pixels, columns: int) -> Pixels:
    """Pictures [n,H,W,3] side by side, row by row, on white: [rows*H,columns*W,3]."""
    count, height, width, _ = pictures.shape
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height, width, 3), 255, pictures.dtype)
    sheet[:count] = pictures
    return sheet.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)


def walk(stops: Vectors, count: int) -> Iterator[Vectors]:
    """`count` vectors on a closed way through the stops [m,k], at constant speed: each [1,k].

    From stop to stop the way follows the sphere, for a straight line would lead through its middle, where no picture was
    ever learnt; the lengths of the vectors go over evenly. A longer stretch gets more of the vectors.
    """
    angles = [_angle(one, other) for one, other in zip(stops, np.roll(stops, -1, 0), strict=True)]
    ends = np.cumsum(angles)
    for at in np.arange(count) * ends[-1] / count:
        stretch = min(int(np.searchsorted(ends, at, side="right")), len(stops) - 1)
        share = 1 - (ends[stretch] - at) / angles[stretch]
        yield _between(stops[stretch], stops[(stretch + 1) % len(stops)], share)[None]


def _angle(one: NDArray[Any], other: NDArray[Any]) -> float:
    cosine = float(one @ other) / float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.arccos(np.clip(cosine, -1, 1)))


def _between(one: NDArray[Any], other: NDArray[Any], share: float) -> Vectors:
    angle = _angle(one, other)
    if angle < 1e-6:
        return np.asarray(one, np.float32)
    lengths = np.linalg.norm(one), np.linalg.norm(other)
    mixed = (np.sin((1 - share) * angle) * one / lengths[0] + np.sin(share * angle) * other / lengths[1]) / np.sin(angle)
    return np.asarray(mixed * ((1 - share) * lengths[0] + share * lengths[1]), np.float32)


def _onnx(graph: bytes) -> Callable[[Vectors], NDArray[np.float32]]:
    from impasto.styles.ends import NOISE

    session = load_engine("onnx").open_session(graph)  # type: ignore[attr-defined]  # what that file has beside the contract
    return lambda vectors: np.asarray(session.run(None, {NOISE: vectors})[0], np.float32)


def _openvino(graph: bytes) -> Callable[[Vectors], NDArray[np.float32]]:
    library = load_engine("openvino").library()  # type: ignore[attr-defined]  # what that file has beside the contract
    core = library.Core()
    model = core.read_model(graph)
    length = model.input(0).get_partial_shape()[1].get_length()
    model.reshape([1, length])
    request = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()

    def run(vectors: Vectors) -> NDArray[np.float32]:
        request.infer([vectors])
        return np.array(request.get_output_tensor(0).data)

    return run
