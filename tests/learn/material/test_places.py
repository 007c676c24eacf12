"""What of a folder is learnt from: not what is hidden there, nor what a training laid there itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasto.learn.material.places import folders_in, overlooked, pictures_in, walk


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def named(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_the_preview_beside_a_look_is_no_work(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("a.png", "look.style", "look.preview.png", "b.preview.png")))
    assert named(pictures_in(tmp_path)) == ["a.png", "b.preview.png"], "only beside a look it is one"


@pytest.mark.parametrize("kept", ["live/step-00000003.checkpoint", "full/best.checkpoint", "live/curve.jsonl"])
def test_a_run_folder_holds_no_works(tmp_path: Path, kept: str) -> None:
    run = tmp_path / "look.run"
    touch(tmp_path / "a.png", run / "job.json", run / kept, run / "live/sheet-000003.png")
    assert folders_in(tmp_path) == []
    assert list(walk(tmp_path)) == [tmp_path]


def test_a_search_holds_no_works(tmp_path: Path) -> None:
    touch(tmp_path / "look.run/search.sqlite", tmp_path / "look.run/trial-000/look.preview.png")
    assert folders_in(tmp_path) == []


def test_empty_and_hidden_folders_are_no_looks(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("ink/a.png", "oil/early/a.png", ".thumbs/a.png", "__MACOSX/a.png", "notes/a.txt")))
    (tmp_path / "empty").mkdir()
    assert named(folders_in(tmp_path)) == ["ink", "oil"]
    assert named(list(walk(tmp_path / "oil"))) == ["oil", "early"]


def test_a_folder_that_leads_into_itself_ends(tmp_path: Path) -> None:
    touch(tmp_path / "ink/a.png")
    (tmp_path / "ink/again").symlink_to(tmp_path)
    assert len(list(walk(tmp_path))) == 3


def test_pictures_of_other_kinds_are_told_of_wherever_they_lie(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("a.png", "b.gif", "deep/c.HEIC", "deep/readme.txt", ".d.bmp")))
    assert overlooked(tmp_path) == [
        f"{tmp_path / 'b.gif'}: .gif is not read here: save it as PNG, JPEG or TIFF",
        f"{tmp_path / 'deep/c.HEIC'}: .HEIC is not read here: save it as PNG, JPEG or TIFF",
    ]
