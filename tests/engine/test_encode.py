"""A picture as a code: prepared in one way, read the same by every library."""
from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from impasto.engine import encode
from impasto.engine.encode import as_encoders_see, read_code
from impasto.errors import EngineError, InputError
from tests.fakes import colour_reader, noise


@pytest.mark.parametrize(("height", "width", "expected"), [(600, 1200, (128, 256)), (40, 20, (256, 128)), (3, 900, (32, 256))])
def test_the_long_side_is_256(height: int, width: int, expected: tuple[int, int]) -> None:
    image = as_encoders_see(noise(height, width))
    assert (image.shape, image.dtype) == ((1, 3, *expected), np.float32)
    assert image.min() >= 0
    assert image.max() <= 1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_depth_does_not_matter(dtype: str) -> None:
    white = np.iinfo(dtype).max if dtype != "float32" else 1
    picture = np.broadcast_to(np.array([1.0, 0.0, 0.5]), (30, 50, 3))
    code = read_code(colour_reader(), (picture * white).astype(dtype))
    np.testing.assert_allclose(code, [3, -3, 0], atol=0.03)


def test_libraries_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    if not importlib.util.find_spec("openvino"):
        pytest.skip("OpenVINO is not installed")
    picture, load = noise(60, 90), encode.load_engine
    code = read_code(colour_reader(), picture)

    def only_openvino(name: str) -> object:
        if name == "onnx":
            raise InputError("not here")
        return load(name)

    monkeypatch.setattr(encode, "load_engine", only_openvino)
    np.testing.assert_allclose(read_code(colour_reader(), picture), code, atol=1e-4)


def test_a_code_that_is_not_finite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "_run", lambda graph, image: np.array([[np.nan]], np.float32))
    with pytest.raises(EngineError, match="no finite code of this picture"):
        read_code(b"", noise(8, 8))
