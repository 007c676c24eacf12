"""What only the OpenVINO engine does: keep quiet, compile per shape and forget the rest, and bf16."""
from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from types import SimpleNamespace

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


def test_the_first_call_of_the_binding_is_made_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that made it together hung for ever, one with Python's lock and one with the binding's."""
    monkeypatch.setattr(openvino, "_begun", set())
    inside, most = [], []

    class Request:
        def infer(self, *given: object, **options: object) -> None:
            inside.append(self)
            most.append(len(inside))
            time.sleep(0.05)
            inside.remove(self)

        def get_output_tensor(self, place: int) -> SimpleNamespace:
            return SimpleNamespace(data=noise(8, 8)[None])

    engine, free = open_tiny(), Queue[Request]()
    monkeypatch.setattr(engine, "_free", lambda *key: free)
    for _ in range(2):
        free.put(Request())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(engine.paint, [noise(8, 8)[None]] * 2))
        assert most == [1, 1], "the first of all alone, and whoever came with it after it"
        both = threading.Barrier(2)
        list(pool.map(lambda picture: (both.wait(20), engine.paint(picture)), [noise(8, 8)[None]] * 2))
    assert max(most) == 2, "the others side by side"


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


def test_two_painters_may_begin_at_once() -> None:
    """In a process of its own: what the library fills in when it is first asked is filled in once."""
    code = (
        "import threading\nfrom impasto.engine.openvino import library\n"
        "types, gate = library().Type, threading.Barrier(4)\n"
        "def ask():\n    gate.wait()\n    types.u8.to_dtype()\n"
        "for one in [threading.Thread(target=ask) for _ in range(4)]: one.start()\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
