"""tools/library.py: every look that paints is measured and laid out; measuring one keeps the figures of the others."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.styles.card import NamedHash
from impasto.styles.package import StyleFile, write_style
from tests.evaluate.shots import pan, texture

pytest.importorskip("torch", reason="the figures are worked out in torch (extra 'learn')")

from tools import library  # it imports torch


@pytest.fixture
def place(tmp_path: Path, tiny_style: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two looks, one of which has its reference in the data; a photograph and a short clip."""
    data, styles = tmp_path / "data", tmp_path / "styles"
    (data / "clip").mkdir(parents=True)
    styles.mkdir()
    for number, frame in enumerate(pan(3), 1):
        saved(frame, data / "clip" / f"f.{number:04d}.png")
    saved(texture(64, 96), data / "cat.png")
    art = saved(texture(64, 64, 4), data / "art.png")
    reference = NamedHash(name="art.png", sha256=sha256(art.read_bytes()).hexdigest())
    add(styles, tiny_style, "ours", reference)
    add(styles, tiny_style, "ruled", reference, recipe="restore")
    for which in ("PHOTOGRAPHS", "SHOWN"):
        monkeypatch.setattr(library, which, {"animal": "cat.png"})
    monkeypatch.setattr(library, "CLIPS", {"pan": "clip"})
    return tmp_path


def saved(picture: np.ndarray, path: Path) -> Path:
    Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(path)
    return path


def add(styles: Path, tiny: Path, name: str, reference: NamedHash, recipe: str = "one_image") -> None:
    style = StyleFile.open(tiny)
    training = style.card.training.model_copy(update={"references": [reference], "recipe": recipe})
    card = style.card.model_copy(update={"name": name, "training": training})
    write_style(styles / f"{name}.style", card, {str(t): style.graph(t) for t in card.tiers}, style.preview)


def run(place: Path, *words: str) -> dict[str, dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]]]:
    where = ["--data", place / "data", "--styles", place / "styles", "--figures", place / "l.json", "--sheet", place / "l.jpg"]
    library.main([*map(str, where), *words])
    found: dict[str, dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]]] = json.loads((place / "l.json").read_text())[
        "looks"
    ]
    return found


def test_all_looks_are_measured_and_laid_out(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    looks = run(place)
    assert set(looks) == {"ours", "ruled"}
    means = looks["ours"]["tiers"]["live"]["mean"]
    assert means["picture"]["style"] > 0
    assert means["moving"]["warp_short"] > 0
    assert "style" not in looks["ruled"]["tiers"]["live"]["mean"]["picture"], "a look made by rule has no picture to be like"
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert {len(row) for row in rows} == {len(library.HEAD)}
    assert [row[0] for row in rows[2:]] == ["| ours", "| ours", "| ruled", "| ruled"]
    with Image.open(place / "l.jpg") as sheet:
        assert sheet.size == (library.LABEL + 240 + 8, 3 * 184 + 4)


def earlier(place: Path, name: str, **changed: str) -> None:
    """As if a look had been measured before."""
    tiers = StyleFile.open(place / "styles" / f"{name}.style").card.tiers
    picture = {"content": 0.1, "structure": 0.9, "detail": 1.0, "colour": 0.0}
    told = {
        t: {"graph_sha256": tier.graph_sha256, "mean": {"picture": picture, "moving": {}}} | changed for t, tier in tiers.items()
    }
    (place / "l.json").write_text(json.dumps({"looks": {name: {"title": "as it was", "recipe": "restore", "tiers": told}}}))


def test_measuring_one_look_keeps_the_others(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    earlier(place, "ruled")
    looks = run(place, "--only", "ours")
    assert looks["ruled"]["title"] == "as it was"
    assert "style" in looks["ours"]["tiers"]["full"]["mean"]["picture"]
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_figures_of_a_look_that_has_changed_are_left_out(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    earlier(place, "ruled", graph_sha256="0" * 64)
    assert library.kept(place / "l.json", library.looks_in(place / "styles")) == {}
    assert "ruled: has changed since it was measured" in capsys.readouterr().err


def test_a_look_that_is_not_there_is_said(place: Path) -> None:
    with pytest.raises(SystemExit, match="no look that paints is called theirs"):
        run(place, "--only", "theirs")


def test_a_look_that_enlarges_is_left_out(place: Path) -> None:
    shutil.copy(library.SHIPPED / "enlarge.style", place / "styles")
    assert [style.card.name for style in library.looks_in(place / "styles")] == ["ours", "ruled"]
