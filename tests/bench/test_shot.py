"""The bench from file to file: real renders of real clips, each in a process of its own."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from impasto.bench.job import BenchJob
from impasto.bench.shot import make_clip
from impasto.bench.tables import in_words
from impasto.errors import ImpastoError
from impasto.media import open_reader
from tests.fakes import write_tiny_style


def test_every_tier_and_size_is_rendered_and_told(tmp_path: Path) -> None:
    look = str(write_tiny_style(tmp_path / "tiny.style"))
    figures = BenchJob.build(style=look, parts="shots", tier="live", sizes="64x64,96x64", frames=5).finish().figures
    rows = json.loads(json.dumps(figures))["shots"]
    assert [(row["tier"], row["size"], row["frames"]) for row in rows] == [("live", "64x64", 5), ("live", "96x64", 5)]
    for row in rows:
        assert row["fps"] > 0
        assert 20 < row["peak_mib"] < 5000
        assert 0 < row["overlap"] <= 1.01
        assert row["cpu_seconds"] > 0 < row["wall_seconds"]
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


def test_a_row_of_a_shot_in_words() -> None:
    row = {"tier": "live", "engine": "openvino bf16 on cpu", "source": "a.mp4", "size": "1280x720", "frames": 96, "fps": 17.2}
    row |= {"read_seconds": 0.5, "paint_seconds": 5.1, "write_seconds": 1.2, "overlap": 0.93, "first_frame_seconds": 0.6}
    told = in_words("shots", {**row, "peak_mib": 420})
    assert told.startswith("live, openvino bf16 on cpu, a.mp4, 1280x720, 96 frames, 17.20 fps")
    assert "7 % lost" in told
