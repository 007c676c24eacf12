"""A table of shots: each in its own look, what is done is done, what fails holds nobody up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import InputError
from impasto.job import Done
from impasto.saved.batch import BatchJob
from impasto.saved.table import read_table


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Three pictures, one of them a sequence of two."""
    random = np.random.default_rng(5)
    for name in ("a.png", "b.png", "walk.0001.png", "walk.0002.png"):
        Image.fromarray(random.integers(0, 256, (16, 24, 3), np.uint8)).save(tmp_path / name)
    return tmp_path


def table(folder: Path, *lines: str) -> Path:
    (folder / "shots.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder / "shots.csv"


def run(folder: Path, path: Path, **options: object) -> Done:
    return BatchJob.build(table=path, out=folder / "out", **options).finish()


def test_every_shot_is_painted_as_its_line_says_and_once(shots: Path, tiny_style: Path) -> None:
    lines = [
        "shot,name,style,strength,frames",
        f"{shots}/a.png,,{tiny_style},0,",
        f"{shots}/walk.####.png,steps,{tiny_style},,1-2",
    ]
    path = table(shots, *lines)
    done = run(shots, path)
    out = shots / "out"
    assert np.array_equal(np.asarray(Image.open(out / "a" / "a.png")), np.asarray(Image.open(shots / "a.png")))  # strength 0
    assert sorted(file.name for file in (out / "steps").iterdir()) == ["walk.0001.png", "walk.0002.png"]
    assert done.summary.startswith("rendered 2 shots")
    page = (out / "index.html").read_text("utf-8")
    assert page.count('class="pair"') == 2
    assert 'http-equiv="refresh"' not in page  # nothing is waited for any more

    assert run(shots, path).summary.startswith("rendered 0 shots, 2 done before")
    Image.new("RGB", (24, 16), "red").save(shots / "a.png")  # a newer version of the shot was delivered
    again = run(shots, path)
    assert again.summary.startswith("rendered 1 shot, 1 done before")
    assert np.asarray(Image.open(out / "a" / "a.png"))[0, 0].tolist() == [255, 0, 0]


def test_what_a_line_leaves_empty_is_as_in_the_common_job(shots: Path, tiny_style: Path) -> None:
    (shots / "look.toml").write_text(f'job = "render"\ninputs = "x"\nout = "y"\nstyle = "{tiny_style}"\nstrength = 0.25\n')
    path = table(shots, "shot,strength", f"{shots}/a.png,", f"{shots}/b.png,1")
    jobs = read_table(path, shots / "out", BatchJob.build(table=path, out="o", common=shots / "look.toml").common_fields())
    assert [(shot.job.strength, shot.job.style) for shot in jobs] == [("0.25", [str(tiny_style)]), ("1", [str(tiny_style)])]


def test_a_shot_that_fails_holds_nobody_up_and_the_command_fails(shots: Path, tiny_style: Path) -> None:
    (shots / "out" / "a").mkdir(parents=True)
    (shots / "out" / "a" / "a.png").write_text("somebody's")
    done = run(shots, table(shots, "shot,style", f"{shots}/a.png,{tiny_style}", f"{shots}/b.png,{tiny_style}"))
    assert (shots / "out" / "b" / "b.png").exists()
    assert (shots / "out" / "a" / "a.png").read_text() == "somebody's"
    assert done.failed is not None
    assert "a: " in str(done.failed)
    assert done.failed.exit_code == 2
    assert "failed" in (shots / "out" / "index.html").read_text("utf-8")


def test_all_faults_of_all_lines_are_told_before_anything_is_painted(shots: Path, tiny_style: Path) -> None:
    lines = [
        "shot,name,style,tier",
        f"{shots}/none.png,,{tiny_style},",
        f"{shots}/a.png,x,nobody,",
        f"{shots}/b.png,../x,{tiny_style},live",
    ]
    with pytest.raises(InputError) as fault:
        run(shots, table(shots, *lines, f"{shots}/b.png,y,{tiny_style},fast"))
    assert all(f"line {number}" in str(fault.value) for number in (2, 3, 4, 5))
    assert not (shots / "out").exists()


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["style", "x"], "no column 'shot'"),
        (["shot,colour", "a.png,x"], "'colour' is not known"),
        (["shot,style", "a.png,x,y"], "more cells"),
        (["shot,style"], "has no shots"),
        (["shot,style", ",x"], "has no shot"),
    ],
)
def test_a_table_that_is_none_is_refused(shots: Path, lines: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        run(shots, table(shots, *lines))
