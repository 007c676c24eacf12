"""The bench measures what it says, and says it as rows and as a table."""
from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from impasto.bench.chart import draw
from impasto.bench.job import BenchJob
from impasto.bench.network import Row
from impasto.bench.page import grown
from impasto.bench.peers import PEER, PEERS, open_peer, peer_graph
from impasto.bench.roofline import operations, plain_graph
from impasto.bench.tables import table
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
    rows = json.loads(json.dumps(done.figures))["network"]
    engine = load_engine("openvino")
    precisions = sorted({engine.auto_precision(deep) for deep in (True, False)})
    shape = ["mini"] if importlib.util.find_spec("torch") else []  # the look has none, so it is measured as a shape
    cases = [(PEER, "fp32"), *((tier, precision) for tier in ("live", "full", *shape) for precision in precisions)]
    assert [(row["tier"], row["precision"], row["size"]) for row in rows] == [(*c, s) for c in cases for s in ("64x48", "96x64")]
    assert all(row["p99_ms"] >= row["ms"] >= row["best_ms"] > 0 for row in rows)
    assert all(row["fps"] == pytest.approx(1000 / row["ms"], rel=0.02) for row in rows)
    assert all(10 < row["peak_mib"] < 100_000 for row in rows)
    progress = [step for step in steps if isinstance(step, Progress) and step.done]
    assert [step.done for step in progress] == list(range(1, len(rows) + 1))


def test_ratios_are_to_the_peer_of_the_same_size(look: str) -> None:
    rows = BenchJob.build(style=look, tier="live", engine="onnx", sizes="64x48,96x64", seconds=0).finish().figures["network"]
    peer, ours = rows[:2], rows[2:]
    assert [row["times_peer"] for row in peer] == [None, None]
    assert [row["times_peer"] for row in ours] == pytest.approx(
        [theirs["ms"] / our["ms"] for theirs, our in zip(peer, ours, strict=True)], rel=0.02
    )
    assert ours[0]["times_peer"] > 1, "a network of five thousand weights is faster than one of 1.68 million"


def test_without_a_peer_there_are_no_ratios(look: str) -> None:
    job = BenchJob.build(style=look, tier="full", engine="onnx", sizes="32x32", seconds=0, peer=False)
    rows = job.finish().figures["network"]
    assert [(row["tier"], row["engine"], row["times_peer"]) for row in rows] == [("full", "onnx", None)]


@pytest.mark.parametrize(
    ("name", "weights"), [(PEER, 1_679_235), ("animegan", 991_363), ("few-shot-patch", 3_269_827), ("cyclegan", 11_388_675)]
)
def test_the_peers_have_the_shapes_the_field_knows(name: str, weights: int) -> None:
    model = onnx.load_from_string(peer_graph(name))
    onnx.checker.check_model(model, full_check=True)
    floats = [weight for weight in model.graph.initializer if weight.data_type == onnx.TensorProto.FLOAT]
    factors = 4 * sum(node.op_type == "Resize" for node in model.graph.node)  # of doublings: they are no parameters
    assert sum(int(np.prod(weight.dims)) for weight in floats) - factors == weights
    painted = open_peer(name).paint(np.random.default_rng(0).integers(0, 256, (1, 48, 64, 3), dtype=np.uint8))
    assert painted.shape == (1, 48, 64, 3)
    assert painted.std() > 1, "it computes something"


def test_the_table_is_aligned() -> None:
    rows = [
        Row(PEER, "onnx", "fp32", "cpu", "640x360", 1234.5, 1200.0, 1300.0, 0.81, 900),
        Row("live", "openvino", "bf16", "cpu", "1920x1080", 9.87, 9.5, 12.34, 101.3, 88, 125.08),
    ]
    title, *lines = table("network", [asdict(row) for row in rows]).splitlines()
    assert title == "network:"
    assert lines[0].split()[:6] == ["network", "engine", "precision", "size", "ms", "p50"]
    assert lines[2].split() == ["live", "openvino", "bf16", "1920x1080", "9.9", "12.3", "9.5", "101.30", "88", "125.08"]
    assert lines[1].index("1234.5") + len("1234.5") == lines[2].index("9.9") + len("9.9")


@pytest.mark.parametrize("sizes", ["", "720", "0x10", "10x", "axb", "64x48,", "64x48;32x32", "-5x5"])
def test_a_size_that_is_none_is_refused(sizes: str) -> None:
    with pytest.raises(InputError, match="is not a size: write for instance 1280x720"):
        BenchJob.build(sizes=sizes)


def test_parts_are_kept_and_replaced_one_by_one(look: str, tmp_path: Path) -> None:
    out, how = tmp_path / "speed.json", {"style": look, "tier": "live", "engine": "onnx", "seconds": 0}
    BenchJob.build(parts="peers", sizes="32x32", out=out, **how).finish()
    peers = json.loads(out.read_text())["peers"]
    assert [row["tier"] for row in peers] == [*PEERS, "live"]
    assert [row["times_peer"] for row in peers] == pytest.approx([peers[0]["ms"] / row["ms"] for row in peers], rel=0.02)
    done = BenchJob.build(parts="network", sizes="32x32,64x32", out=out, **how).finish()
    assert done.path == out
    kept = json.loads(out.read_text())
    assert kept["peers"] == peers, "what was not asked for stays as it was"
    page = out.with_suffix(".md").read_text()
    assert "## The network alone" in page
    assert "## Beside shapes that the field knows" in page
    assert "](speed.png)" in page
    with Image.open(out.with_suffix(".png")) as chart:
        assert chart.size[0] > 500
    out.write_text("[]")
    with pytest.raises(InputError, match="holds no figures of impasto bench"):
        BenchJob.build(parts="network", out=out, **how).finish()


def test_a_chart_of_nothing_is_one_too() -> None:
    assert draw({}).startswith(b"\x89PNG")


def test_the_roofline_counts_what_convolutions_do() -> None:
    inner = 8 * 2 * 16 * 16 * 64 * 64 * 9
    ends = 2 * (2 * 16 * 16 * 64 * 3)
    assert operations(plain_graph(64), 16, 16) == inner + ends
    grown_up = peer_graph("cyclegan")
    assert operations(grown_up, 128, 64) == pytest.approx(2 * operations(grown_up, 64, 64))


def test_cost_and_memory_over_length_in_a_sentence() -> None:
    rows = [{"size": "64x64", "frames": 10 * n, "cpu_seconds": 1 + 2.0 * n, "peak_mib": 300 + n} for n in (1, 2, 4)]
    told = grown([*rows, {**rows[0], "size": "128x64", "cpu_seconds": 99}])
    assert "each further 1,000 frames cost 200 seconds of a core" in told
    assert "0.0 % off the line" in told
    assert "40 frames take +3 MiB beside 10" in told


@pytest.mark.parametrize("parts", ["", "speed", "network,speed"])
def test_a_part_that_is_none_is_refused(parts: str) -> None:
    with pytest.raises(InputError, match="is no part: choose among network, peers"):
        BenchJob.build(parts=parts)


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
