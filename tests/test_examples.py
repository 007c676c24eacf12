"""The examples run, and prove what they say they prove."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def film(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(ROOT / "examples/film.py"), *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("wrong", [("--size", "640x"), ("--frames", "1"), ("--frames", "some"), ("--style", "nope")])
def test_bad_words_are_told_in_one_line(tmp_path: Path, wrong: tuple[str, str]) -> None:
    done = film(str(tmp_path / "film"), *wrong)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert wrong[1] in done.stderr
    assert not (tmp_path / "film").exists()


def test_only_the_picture_of_a_film_shot_changes(tmp_path: Path) -> None:
    done = film(str(tmp_path / "film"), "--size", "96x64", "--frames", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed: B G R" in done.stdout
    assert "untouched, by hash: depth.Z" in done.stdout
    assert sorted(file.name for file in (tmp_path / "film/painted").iterdir()) == [f"shot.{n}.exr" for n in (1001, 1002, 1003)]
