"""What only the OpenVINO engine does: keep quiet, compile per shape and forget the rest, and bf16."""
from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from impasto.engine import openvino
from impasto.errors import InputError
from tests.fakes import noise, tiny_graph, tiny_tier

has_bf16 = pytest.mark.skipif(not openvino._has_bf16(), reason="this processor does not compute in bf16")


def open_tiny(precision: str = "fp32") -> openvino.OpenVinoEngine:
    graph = tiny_graph()
    return openvino.open(graph, tiny_tier(graph), precision)


def test_loading_it_sends_no_usage_events() -> None:
    code = (
        "import sys; from impasto.engine import openvino as engine; ov = engine.library(); ov.Core(); "
        "told = [m for m in sys.modules if m.startswith('openvino_telemetry')]; print(told)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_shape_is_compiled_once_and_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_tiny()
    for side in (32, 32, 30):  # 30 grows to 32
        engine.paint(noise(side, side)[None])
    assert len(engine._requests) == 1
    for side in range(4, 4 * (openvino.SHAPES_KEPT + 4), 4):
        engine.paint(noise(side, side)[None])
    assert len(engine._requests) == openvino.SHAPES_KEPT
    monkeypatch.setattr(openvino, "PIXELS_KEPT", 64 * 64)
    engine.paint(noise(64, 64)[None])
    assert list(engine._requests) == [("uint8", (1, 64, 64, 3))], "a big picture pushes the others out"


def test_the_least_used_shape_goes_first() -> None:
    engine = open_tiny()
    sides = [4 * n for n in range(1, openvino.SHAPES_KEPT + 1)]
    for side in [*sides, sides[0], 100]:
        engine.paint(noise(side, side)[None])
    assert {shape[1] for _, shape in engine._requests} == {sides[0], *sides[2:], 100}


@has_bf16
def test_bf16_stays_near_fp32() -> None:
    pixels = noise(64, 96)[None]
    exact, near = open_tiny("fp32").paint(pixels).astype(int), open_tiny("bf16").paint(pixels).astype(int)
    assert 0 < np.abs(exact - near).max() <= 3, "bf16 was asked for, and is another thing than fp32"


def test_bf16_without_the_hardware_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "_has_bf16", lambda: False)
    assert openvino.auto_precision(deep=False) == "fp32"
    with pytest.raises(InputError, match="choose precision fp32"):
        open_tiny("bf16")
