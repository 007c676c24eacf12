"""Folding pixel formats into a graph, and telling its memory beforehand."""
from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from impasto.engine.graph import bytes_per_pixel, fold_pixels
from tests.fakes import noise, tiny_graph


def paint_plainly(pixels: np.ndarray) -> np.ndarray:
    image = pixels.astype(np.float32) / (255 if pixels.dtype == np.uint8 else 1)
    (painted,) = ReferenceEvaluator(onnx.load_from_string(tiny_graph())).run(None, {"image": image.transpose(0, 3, 1, 2)})
    return painted.transpose(0, 2, 3, 1)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_folded_graph_paints_pixels_as_they_lie(dtype: str) -> None:
    model = onnx.load_from_string(fold_pixels(tiny_graph(), dtype))
    onnx.checker.check_model(model, full_check=True)
    pixels = noise(8, 12)[None]
    pixels = pixels if dtype == "uint8" else (pixels / 255).astype(np.float32)
    (painted,) = ReferenceEvaluator(model).run(None, {"pixels": pixels})
    assert painted.dtype == dtype
    plain = paint_plainly(pixels)
    assert np.abs(painted - (np.rint(plain * 255) if dtype == "uint8" else plain)).max() <= (1 if dtype == "uint8" else 1e-5)


def test_memory_is_what_lives_at_once() -> None:
    # widest moment of the tiny graph: image (3 values a pixel), wide (48 per 16 pixels) and paint (3), each of 4 bytes
    assert bytes_per_pixel(tiny_graph()) == pytest.approx(1.25 * 4 * 9)
