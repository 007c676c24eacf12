"""tools/steadiness.py and tools/baseline.py: every way of every look is measured once, and the baseline is no look."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto import plugins
from tests.evaluate.shots import pan, texture

pytest.importorskip("torch", reason="the baseline is a torch network (extra 'learn')")

from tools import baseline, library, steadiness  # they import torch


@pytest.fixture
def place(tmp_path: Path, tiny_style: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A look and a short clip; the plate stays, for its vectors, small and short."""
    (tmp_path / "data" / "clip").mkdir(parents=True)
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "tiny.style").write_bytes(tiny_style.read_bytes())
    for number, frame in enumerate(pan(3)):
        Image.fromarray(np.rint(frame * 255).astype(np.uint8)).save(tmp_path / "data" / "clip" / f"f.{number:04d}.png")
    for name, value in (("CLIPS", {"plate": "", "pan": "clip"}), ("FRAMES", 3), ("SIDE", 128), ("BASELINE_OF", "tiny")):
        monkeypatch.setattr(steadiness, name, value)
    monkeypatch.setattr(steadiness, "MARGIN_PX", 16)
    return tmp_path


def run(place: Path, *words: str) -> None:
    where = {"--data": "data", "--styles": "styles", "--figures": "s.json", "--yardstick": "none.py", "--baseline": "b.weights"}
    steadiness.main([*(part for name, at in where.items() for part in (name, str(place / at))), *words])


def trained(place: Path, steps: int = 2) -> Path:
    art, weights = place / "art.png", place / "b.weights"
    Image.fromarray(np.rint(texture(96, 96, 4) * 255).astype(np.uint8)).save(art)
    photos = place / "photos"
    photos.mkdir()
    for seed in (1, 2):
        Image.fromarray(np.rint(texture(200, 240, seed) * 255).astype(np.uint8)).save(photos / f"{seed}.png")
    baseline.main([str(art), "-o", str(weights), "--photos", str(photos), "--steps", str(steps)])
    return weights


@pytest.mark.slow
def test_all_ways_are_measured_told_and_kept(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(baseline, "CROP_PX", 64)
    trained(place)
    capsys.readouterr()
    run(place, "--tier", "live")
    clips = json.loads((place / "s.json").read_text())["looks"]["tiny"]["live"]["clips"]
    assert set(clips["plate"]) == {"off", "flow", "vectors", "baseline"}
    assert set(clips["pan"]) == {"off", "flow", "baseline"}
    assert clips["pan"]["flow"]["warp_short"] < clips["pan"]["off"]["warp_short"]
    told = capsys.readouterr()
    assert {row.count("|") for row in told.out.split("\n\n")[0].splitlines()} == {len(steadiness.HEAD) + 1}
    run(place, "--tier", "live")
    again = capsys.readouterr()
    assert (again.out, again.err) == (told.out, ""), "what was measured is not measured again"


def test_the_baseline_looks_at_the_whole_frame_and_is_offered_nowhere(place: Path) -> None:
    """Its norm is of the frame: what changes in one corner changes the paint in another. That is why it flickers."""
    weights = place / "w.safetensors"
    baseline.save_file(baseline.Baseline().state_dict(), weights)
    paint, picture = baseline.painter(weights), texture(96, 126)
    other = picture.copy()
    other[:30, :30] = 1
    assert paint(picture).shape == picture.shape
    assert np.abs(paint(other) - paint(picture))[-8:, -8:].max() > 1e-3
    assert not any("baseline" in plugins.names(room) for room in plugins.ROOMS)
    assert all(style.card.name != "baseline" for style in library.looks_in(library.SHIPPED))
