"""The doctor tells what works, what does not, and how to get it; a broken library does not keep him from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from impasto import doctor, plugins
from impasto.doctor import DoctorJob


def test_the_report_names_every_engine_and_extra() -> None:
    done = DoctorJob().finish()
    assert set(done.figures["engines"]) == set(plugins.names("engines"))
    assert set(done.figures["extras"]) == {"learn", "search", "studio", "live", "scale", "timeline", "quality", "text"}
    assert done.figures["engines"]["openvino"]["works"]
    assert done.figures["machine"]["cores"] >= 1
    assert ".png" in done.figures["media"]["writes"]
    for name in (*done.figures["engines"], *done.figures["extras"]):
        assert name in done.summary
    assert done.figures["media"]["cameras"] is None or "cameras for 'impasto live'" in done.summary
    assert json.loads(json.dumps(done.figures)) == done.figures


def test_what_is_missing_comes_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in ("ray", "pillow") else known(name))
    monkeypatch.setattr(plugins.load("engines", "onnx"), "available", lambda: "it is not installed: pip install onnxruntime")

    def broken(deep: bool) -> str:
        raise OSError("libsomething.so: cannot open")

    monkeypatch.setattr(plugins.load("engines", "openvino"), "auto_precision", broken)
    done: Any = DoctorJob().finish()
    assert "- scale     pip install 'impasto[scale]'" in done.summary
    assert "- pillow is missing: pip install pillow" in done.summary
    assert "- onnx      it is not installed: pip install onnxruntime" in done.summary
    assert "- openvino  OSError: libsomething.so: cannot open" in done.summary
