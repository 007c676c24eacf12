"""The bench from file to file: real renders of real clips, each in a process of its own."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from impasto.bench.job import BenchJob, shot_table
from impasto.bench.shot import ShotRow, make_clip
from impasto.errors import ImpastoError
from impasto.media import open_reader
from tests.fakes import write_tiny_style


def test_every_tier_and_size_is_rendered_and_told(tmp_path: Path) -> None:
    look = str(write_tiny_style(tmp_path / "tiny.style"))
    figures = BenchJob.build(style=look, shots=True, tier="live", sizes="64x64,96x64", frames=5).finish().figures
    rows = json.loads(json.dumps(figures))["shots"]
    assert [(row["tier"], row["size"], row["frames"]) for row in rows] == [("live", "64x64", 5), ("live", "96x64", 5)]
    for row in rows:
        assert row["fps"] > 0
        assert 20 < row["peak_mib"] < 5000
        assert 0 < row["overlap"] <= 1.01
        assert 0 < row["first_frame_seconds"] < 60


def test_a_shot_of_ones_own(tmp_path: Path) -> None:
    look = str(write_tiny_style(tmp_path / "tiny.style"))
    make_clip(str(tmp_path / "mine.mp4"), 64, 64, 3)
    with open_reader(tmp_path / "mine.mp4") as reader:
        assert reader.info.frames == 3
    rows = BenchJob.build(style=look, shot=tmp_path / "mine.mp4", tier="live").finish().figures["shots"]
    assert [(row["source"], row["frames"]) for row in rows] == [("mine.mp4", 3)]
    with pytest.raises(ImpastoError, match=r"gone\.mp4: no such file"):
        BenchJob.build(style=look, shot=tmp_path / "gone.mp4", tier="live").finish()


def test_the_table_of_shots() -> None:
    row = ShotRow("live", "openvino bf16 on cpu", "a.mp4", "1280x720", 96, 17.2, 0.5, 5.1, 1.2, 0.93, 0.6, 420)
    head, line = shot_table([row]).splitlines()
    assert head.split()[:4] == ["network", "engine", "shot", "size"]
    assert line.split()[-6:] == ["0.50", "5.10", "1.20", "0.93", "0.60", "420"]
