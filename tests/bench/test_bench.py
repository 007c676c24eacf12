"""The bench measures what it says, and says it as rows and as a table."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from impasto.bench.job import BenchJob, table
from impasto.bench.network import Row
from impasto.bench.peer import PEER, open_peer, peer_graph
from impasto.engine import load_engine
from impasto.errors import InputError
from impasto.job import Done, Progress
from tests.fakes import write_tiny_style


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny_style(tmp_path_factory.mktemp("looks") / "tiny.style"))


def test_every_tier_engine_precision_and_size_gets_a_row(look: str) -> None:
    job = BenchJob.build(style=look, engine="openvino", sizes="64x48,96x64", seconds=0)
    steps = list(job.run())
    done = steps[-1]
    assert isinstance(done, Done)
    rows = json.loads(json.dumps(done.figures))["rows"]
    engine = load_engine("openvino")
    precisions = sorted({engine.auto_precision(deep) for deep in (True, False)})
    cases = [(PEER, "fp32"), *((tier, precision) for tier in ("live", "full") for precision in precisions)]
    assert [(row["tier"], row["precision"], row["size"]) for row in rows] == [(*c, s) for c in cases for s in ("64x48", "96x64")]
    assert all(row["ms"] >= row["best_ms"] > 0 and row["fps"] == pytest.approx(1000 / row["ms"], rel=0.02) for row in rows)
    assert all(10 < row["peak_mib"] < 100_000 for row in rows)
    progress = [step for step in steps if isinstance(step, Progress) and step.total]
    assert [step.done for step in progress] == list(range(1, len(rows) + 1))
    assert {step.total for step in progress} == {len(rows)}


def test_ratios_are_to_the_peer_of_the_same_size(look: str) -> None:
    rows = BenchJob.build(style=look, tier="live", engine="onnx", sizes="64x48,96x64", seconds=0).finish().figures["rows"]
    peer, ours = rows[:2], rows[2:]
    assert [row["times_peer"] for row in peer] == [None, None]
    assert [row["times_peer"] for row in ours] == pytest.approx(
        [theirs["ms"] / our["ms"] for theirs, our in zip(peer, ours, strict=True)], rel=0.02
    )
    assert ours[0]["times_peer"] > 1, "a network of five thousand weights is faster than one of 1.68 million"


def test_without_a_peer_there_are_no_ratios(look: str) -> None:
    rows = BenchJob.build(style=look, tier="full", engine="onnx", sizes="32x32", seconds=0, peer=False).finish().figures["rows"]
    assert [(row["tier"], row["engine"], row["times_peer"]) for row in rows] == [("full", "onnx", None)]


def test_the_peer_has_the_shape_the_field_knows() -> None:
    model = onnx.load_from_string(peer_graph())
    onnx.checker.check_model(model, full_check=True)
    floats = [weight for weight in model.graph.initializer if weight.data_type == onnx.TensorProto.FLOAT]
    parameters = sum(int(np.prod(weight.dims)) for weight in floats)
    doublings = 2 * 4  # the factors of the two doublings are no parameters
    assert parameters - doublings == 1_679_235
    painted = open_peer().paint(np.random.default_rng(0).integers(0, 256, (1, 48, 64, 3), dtype=np.uint8))
    assert painted.shape == (1, 48, 64, 3)
    assert painted.std() > 1, "it computes something"


def test_the_table_is_aligned() -> None:
    rows = [
        Row(PEER, "onnx", "fp32", "cpu", "640x360", 1234.5, 1200.0, 0.81, 900),
        Row("live", "openvino", "bf16", "cpu", "1920x1080", 9.87, 9.5, 101.3, 88, 125.08),
    ]
    lines = table(rows).splitlines()
    assert lines[0].split() == ["network", "engine", "precision", "size", "ms", "best", "ms", "fps", "peak", "MiB", "x", "peer"]
    assert lines[2].split() == ["live", "openvino", "bf16", "1920x1080", "9.9", "9.5", "101.30", "88", "125.08"]
    assert lines[1].index("1234.5") + len("1234.5") == lines[2].index("9.9") + len("9.9")


@pytest.mark.parametrize("sizes", ["", "720", "0x10", "10x", "axb", "64x48,", "64x48;32x32", "-5x5"])
def test_a_size_that_is_none_is_refused(sizes: str) -> None:
    with pytest.raises(InputError, match="is not a size: write for instance 1280x720"):
        BenchJob.build(sizes=sizes)


def test_what_is_not_there_is_refused_before_measuring(look: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no tier 'mini': choose one of live, full"):
        BenchJob.build(style=look, tier="mini").finish()
    with pytest.raises(InputError, match="has precision int8"):
        BenchJob.build(style=look, engine="onnx", precision="int8").finish()
    with pytest.raises(InputError, match="no such file"):
        BenchJob.build(style=str(tmp_path / "gone.style")).finish()
    monkeypatch.setattr("impasto.styles.library.entries", list)
    with pytest.raises(InputError, match="no look to measure with: give one with --style FILE"):
        BenchJob.build().finish()


def test_its_module_loads_nothing_heavy() -> None:
    heavy = {"numpy", "onnx", "openvino", "onnxruntime", "torch"}
    code = f"import sys, impasto.bench.job; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
