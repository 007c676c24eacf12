"""int8: what is quantised, how near it stays, what happens where it does not, and that it is made once."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from impasto.engine import int8, load_engine, open_engine
from impasto.engine.export import parity
from impasto.engine.int8 import as_int8
from impasto.engine.int8.drift import style_drift
from impasto.engine.int8.quantise import outlined, quantised
from impasto.engine.int8.ranges import best_bounds, bounds_of
from impasto.engine.trial import trial_picture
from impasto.frame import Pixels
from impasto.styles.package import StyleFile
from tests.fakes import noise, tiny_tier, write_tiny_style

WIDTH = 8


def deep_graph(gain: float = 1.0) -> bytes:
    """A generator with a residual block between a stem and a head; `gain` makes one channel drown the others."""
    random = np.random.default_rng(0)
    shapes = {"stem": (WIDTH, 3, 4, 4), "enter": (WIDTH, WIDTH, 3, 3), "leave": (WIDTH, WIDTH, 3, 3), "head": (48, WIDTH, 3, 3)}
    weights = {f"{name}.weight": random.normal(0, np.prod(s[1:]) ** -0.5, s).astype(np.float32) for name, s in shapes.items()}
    weights["stem.weight"][0] *= gain
    weights["enter.weight"][:, 0] /= gain
    weights["leave.weight"][0] *= gain
    weights["head.weight"][:, 0] /= gain
    weights |= {f"{name}.bias": np.zeros(shape[0], np.float32) for name, shape in shapes.items()}

    def conv(name: str, enter: str, leave: str, **how: object) -> onnx.NodeProto:
        return helper.make_node("Conv", [enter, f"{name}.weight", f"{name}.bias"], [leave], **how)

    nodes = [
        conv("stem", "image", "small", strides=[4, 4]),
        conv("enter", "small", "inner", pads=[1] * 4),
        helper.make_node("Relu", ["inner"], ["curved"]),
        conv("leave", "curved", "residue", pads=[1] * 4),
        helper.make_node("Add", ["small", "residue"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["bent"]),
        conv("enter", "bent", "again", pads=[1] * 4),
        conv("head", "again", "wide", pads=[1] * 4),
        helper.make_node("DepthToSpace", ["wide"], ["paint"], blocksize=4, mode="CRD"),
        helper.make_node("Sigmoid", ["paint"], ["painted"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, "h", "w"]) for name in ("image", "painted")]
    stored = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "deep", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def photo(size: int = 64) -> Pixels:
    return np.rint(trial_picture(size)[0].transpose(1, 2, 0) * 255).astype(np.uint8)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(int8, "plate_pictures", lambda: (photo(), photo(96)[:, ::-1]))
    monkeypatch.setattr(int8, "judged_pictures", lambda: (photo(48), np.ascontiguousarray(photo(80)[::-1])))
    monkeypatch.setattr(int8, "_place", lambda key: tmp_path / "cache" / f"{key}.json")


def test_the_ends_stay_and_what_lies_between_is_quantised() -> None:
    outline = outlined(deep_graph())
    assert outline.layers == {"inner": "small", "residue": "curved", "again": "bent"}
    assert outline.sums == ("small", "residue")
    bounds = bounds_of(outline, [trial_picture(64)])
    made = onnx.load_from_string(quantised(outline, bounds, list(outline.layers), outline.sums))
    onnx.checker.check_model(made, full_check=True)
    kinds = [node.op_type for node in made.graph.node]
    assert kinds.count("QuantizeLinear") == 4, "each value once, however many read it"
    constants = [node for node in made.graph.node if node.op_type == "Constant"]
    weights = {node.output[0]: numpy_helper.to_array(node.attribute[0].t) for node in constants}
    assert {name for name, value in weights.items() if value.dtype == np.int8 and value.ndim == 4} == {
        "enter.weight.steps", "leave.weight.steps",
    }  # fmt: skip
    reads = {node.output[0]: list(node.input) for node in made.graph.node}
    assert reads["sum"] == ["small.int8", "residue.int8"]
    assert reads["wide"][:2] == ["again", "head.weight"]


def test_engines_paint_it_alike_and_near_fp32() -> None:
    tier, found = tiny_tier(b""), as_int8(deep_graph(), tiny_tier(b""))
    assert found.sound
    truth = load_engine("onnx").open(deep_graph(), tier, "fp32")
    ours = load_engine("openvino").open(found.graph, tier, "int8")
    theirs = load_engine("onnx").open(found.graph, tier, "fp32")
    picture = photo(72)
    assert (ours.precision, 38 <= parity(truth, ours, picture).psnr_db < 70) == ("int8", True)
    assert parity(theirs, ours, picture).psnr_db > 45, "the graph means the same to an engine that knows nothing of int8"


def test_bounds_are_drawn_in_where_the_greatest_values_are_rare() -> None:
    usual = np.random.default_rng(0).normal(0, 1, 100_000).astype(np.float32)
    low, high = best_bounds(np.append(usual, [-100, 100]).astype(np.float32))
    assert -90 < low < 0 < high < 90
    assert best_bounds(np.abs(usual))[0] == 0
    assert best_bounds(np.zeros(10, np.float32)) == (0, 0)


def test_what_8_bits_would_harm_is_said_and_painted_otherwise(tmp_path: Path) -> None:
    found = as_int8(deep_graph(gain=3000), tiny_tier(b""))
    assert found.graph == b""
    assert "38 are asked for" in found.fault or "style" in found.fault
    style = StyleFile.open(write_tiny_style(tmp_path / "tiny.style"))  # a stem and a head, and nothing between
    engine = open_engine(style, "live", "openvino", "int8")
    assert engine.precision == load_engine("openvino").auto_precision(deep=False)


def test_layers_that_hurt_are_left_out_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "MOST_DRIFT", 1.0)
    every = as_int8(deep_graph(), tiny_tier(b""))
    assert every.kept == ()
    monkeypatch.setattr(int8, "LEAST_DB", every.psnr_db + 0.01)
    monkeypatch.setattr(int8, "_remembered", lambda key: None)
    some = as_int8(deep_graph(), tiny_tier(b""))
    assert some.psnr_db > every.psnr_db
    assert set(some.kept) >= {"small", "residue"}


def test_it_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = as_int8(deep_graph(), tiny_tier(b""))
    tried: list[bytes] = []
    real = int8._tried
    monkeypatch.setattr(int8, "_tried", lambda graph, tier, shot: tried.append(graph) or real(graph, tier, shot))
    assert as_int8(deep_graph(), tiny_tier(b"")) == found
    assert not tried
    as_int8(deep_graph(), tiny_tier(b""), [noise(32, 32)])
    assert len(tried) == 1, "another shot is another calibration"
    for file in (tmp_path / "cache").glob("*.onnx"):
        file.write_bytes(file.read_bytes()[:-1])
    assert as_int8(deep_graph(), tiny_tier(b"")) == found, "what is damaged is made anew"
    assert len(tried) == 2


def test_the_style_drifts_as_far_as_torch_says() -> None:
    torch = pytest.importorskip("torch", reason="the perception is a torch module (extra 'learn')")
    from impasto.models.perception import TAPS, Perception

    one = photo(64)
    other = np.clip(one.astype(int) + noise(64, 64) // 8, 0, 255).astype(np.uint8)
    see = Perception.own()
    with torch.inference_mode():
        seen = [see(torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1)))[None].float() / 255, TAPS) for p in (one, other)]
        grams = [[features[tap].gram()[0] for tap in TAPS] for features in seen]
    moved = [float((b - a).square().sum() / a.square().sum()) for a, b in zip(*grams, strict=True)]
    assert style_drift(one, other) == pytest.approx(np.sqrt(np.mean(moved)), rel=1e-3)
    assert style_drift(one, one) == 0
