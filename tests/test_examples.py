"""The examples run, and prove what they say they prove."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_only_the_picture_of_a_film_shot_changes(tmp_path: Path) -> None:
    words = [sys.executable, str(ROOT / "examples/film.py"), str(tmp_path / "film"), "--size", "96x64", "--frames", "3"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed: B G R" in done.stdout
    assert "untouched, by hash: depth.Z" in done.stdout
    assert sorted(file.name for file in (tmp_path / "film/painted").iterdir()) == [f"shot.{n}.exr" for n in (1001, 1002, 1003)]
