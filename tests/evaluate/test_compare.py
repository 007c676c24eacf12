"""Versions are ranked in the direction of each figure, named apart, painted where they are looks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the network runs in torch (extra 'learn')")

from impasto import cli
from impasto.errors import InputError, StyleError
from impasto.evaluate.compare import mean_places, ranked, table
from impasto.evaluate.painting import is_look, versions
from tests.evaluate.shots import noisy, pan, written

MEANS = {
    "a": {"picture": {"psnr": 30.0, "content": 0.2, "detail": 0.7, "colour": 0.1}, "moving": {"end_point": 3.0}},
    "b": {"picture": {"psnr": 20.0, "content": 0.1, "detail": 1.2, "colour": 0.1}, "moving": {"end_point": 1.0}},
    "c": {"picture": {"psnr": 25.0, "content": 0.3, "detail": 2.0}, "moving": {"end_point": 2.0}},
}


def test_places_follow_what_is_wanted() -> None:
    places = ranked(MEANS)
    assert places == {
        ("picture", "psnr"): {"a": 1, "b": 3, "c": 2},
        ("picture", "content"): {"a": 2, "b": 1, "c": 3},
        ("picture", "detail"): {"a": 2, "b": 1, "c": 3},
    }, "colour is not known of all, the flow's error is nobody's"
    assert mean_places(places) == pytest.approx({"a": 5 / 3, "b": 5 / 3, "c": 8 / 3})
    assert ranked({name: {"picture": {"ssim": 0.5}} for name in "ab"})["picture", "ssim"] == {"a": 1, "b": 1}


def test_the_table_marks_the_best() -> None:
    line = next(line for line in table(MEANS).splitlines() if line.startswith("PSNR"))
    assert line.split()[2:5] == ["30.0*", "20.0", "25.0"]


def test_a_look_is_a_style_file_or_a_word(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    looks = [Path(word) for word in ("great-wave", "x/y.style", "many.style#rain", "many#rain")]
    assert all(is_look(place) for place in looks)
    others = (str(tmp_path / "frames"), "a.png", "shot.####.png", "shot####.png", "no/where")
    assert not any(is_look(Path(word)) for word in others)


def test_names_tell_versions_apart(tmp_path: Path) -> None:
    names = [version.name for version in versions([tmp_path / "one/shot.mov", tmp_path / "two/shot.mov"])]
    assert names == ["one/shot", "two/shot"]
    with pytest.raises(InputError, match="is named twice"):
        versions([tmp_path, tmp_path])
    with pytest.raises(StyleError, match="no look has this name"):
        versions([Path("grate-wave")])


def test_a_painting_and_a_look_stand_side_by_side(tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, noise, page = written(tmp_path / "s", pan(2)), written(tmp_path / "noise", noisy(pan(2))), tmp_path / "two.html"
    words = ["evaluate", str(source), str(noise), str(tiny_style), "--compare", "--report", str(page), "--json"]
    assert cli.main(words) == 0, capsys.readouterr().err
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    both = answer["figures"]["versions"]
    assert set(both) == {"noise", tiny_style.stem}
    assert both["noise"]["mean"]["picture"]["psnr"] == pytest.approx(26, abs=0.5)
    assert answer["figures"]["places"]["picture.psnr"]
    assert page.read_text("utf-8").count("data:image/jpeg") == 6


def test_pictures_with_gaps_in_their_numbers_are_painted_one_by_one(
    tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heap = written(tmp_path / "heap", pan(4))
    (heap / "f.0002.png").unlink()
    assert cli.main(["evaluate", str(heap), str(tiny_style), "--json"]) == 0, capsys.readouterr().err
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]["frames"] == 3
