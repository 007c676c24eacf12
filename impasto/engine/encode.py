"""A picture as a code: run a style's encoder, which reads a look from any picture."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.engine import engine_errors, load_engine
from impasto.errors import EngineError, InputError
from impasto.frame import Pixels
from impasto.styles.ends import IMAGE

LONG_SIDE_PX = 256  # strokes are read at one size, whatever the size of the scan
SHORTEST_SIDE_PX = 32


def read_code(encoder: bytes, rgb: Pixels) -> tuple[float, ...]:
    """The code that an encoder's graph reads from [H,W,3] of bytes, deeper integers, or floats in 0..1."""
    image = as_encoders_see(rgb)
    with engine_errors("encoder"):
        code = _run(encoder, image)
    if not np.isfinite(code).all():
        raise EngineError("it makes no finite code of this picture: take another", "encoder")
    return tuple(float(value) for value in code[0])


def as_encoders_see(rgb: Pixels) -> NDArray[np.float32]:
    """[H,W,3] as [1,3,h,w] float32 in 0..1, its long side 256 px; a strip keeps a short side that layers can halve."""
    import cv2

    white = np.iinfo(rgb.dtype).max if np.issubdtype(rgb.dtype, np.integer) else 1
    height, width = rgb.shape[:2]
    long = max(height, width)
    size = [max(SHORTEST_SIDE_PX, round(side * LONG_SIDE_PX / long)) for side in (width, height)]
    how = cv2.INTER_AREA if long > LONG_SIDE_PX else cv2.INTER_CUBIC
    sized = cv2.resize(np.nan_to_num(rgb[..., :3].astype(np.float32)) / white, size, interpolation=how).clip(0, 1)
    return np.ascontiguousarray(sized.transpose(2, 0, 1)[None].astype(np.float32))


def _run(encoder: bytes, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Under whichever library is here, in fp32."""
    for name in ("onnx", "openvino"):
        try:
            module: Any = load_engine(name)
        except InputError:
            continue
        if name == "onnx":
            return np.asarray(module.open_session(encoder).run(None, {IMAGE: image})[0], np.float32)
        core = module.library().Core()
        compiled = core.compile_model(core.read_model(encoder), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return np.asarray(compiled([image])[0], np.float32)
    raise InputError("reading a look from a picture needs ONNX Runtime: pip install onnxruntime")
