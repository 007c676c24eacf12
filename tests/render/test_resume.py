"""Renders that are stopped go on: killed at any moment, with files damaged in between, they end as if nothing had happened."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from impasto.errors import InputError
from impasto.job import Done, Progress
from impasto.render.job import RenderJob
from impasto.render.journal import work_folder
from tests.render.clips import hashes, left_over, write_movie, write_sequence

KILLED = Path(__file__).with_name("killed.py")
KILLS = 10


def job(source: Path, out: Path, look: str, **options: Any) -> RenderJob:
    given = {"style": look, "tier": "live", "engine": "onnx", **options}
    return RenderJob.build(inputs=[source], out=out, **given)


def render(source: Path, out: Path, look: str, **options: Any) -> Done:
    return job(source, out, look, **options).finish()


def stop_after(frames: int, wanted: RenderJob) -> None:
    """Run a job and leave it after so many frames, as Ctrl-C does."""
    steps = wanted.run()
    for step in steps:
        if isinstance(step, Progress) and step.stage == "painting" and step.done >= frames:
            break
    steps.close()  # type: ignore[attr-defined]


def kill_and_finish(seed: int, kills: int, words: list[str]) -> int:
    """How many runs were killed before the last one came to its end."""
    environment = {**os.environ, "PYTHONPATH": str(KILLED.parents[2])}
    command = [sys.executable, str(KILLED), str(seed), str(kills), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@pytest.mark.parametrize("kind", ["sequence", "movie"])
def test_kills_at_random_moments_leave_no_trace(tmp_path: Path, look: str, kind: str) -> None:
    if kind == "sequence":
        source, out, calm = write_sequence(tmp_path / "in", range(1, 301)), "out/p.####.png", "calm/p.####.png"
    else:
        source, out, calm = write_movie(tmp_path / "in.mkv", 700), "out.mkv", "calm.mkv"
    options = ["--style", look, "--tier", "live", "--engine", "onnx"]
    options += ["--codec", "ffv1", "--quality", "lossless"] if kind == "movie" else []
    killed = kill_and_finish(1, KILLS, ["render", str(source), "-o", str(tmp_path / out), *options])
    assert killed >= 3, "the runs were too quick to be killed"
    extra = {"codec": "ffv1", "quality": "lossless"} if kind == "movie" else {}
    render(source, tmp_path / calm, look, **extra)
    places = [tmp_path / path if kind == "movie" else (tmp_path / path).parent for path in (out, calm)]
    assert hashes(places[0]) == hashes(places[1])
    assert left_over(tmp_path) == []


def test_good_frames_are_not_painted_again(tmp_path: Path, look: str) -> None:
    source = write_sequence(tmp_path / "in", range(1, 21))
    stop_after(8, job(source, tmp_path / "out" / "p.####.png", look))
    there = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "out").glob("p.*.png")}
    assert 1 <= len(there) < 20
    done = render(source, tmp_path / "out" / "p.####.png", look)
    assert done.figures["resumed_frames"] == len(there)
    assert done.figures["frames"] == 20 - len(there)
    assert all((tmp_path / "out" / name).stat().st_mtime_ns == changed for name, changed in there.items())


def test_a_damaged_or_missing_frame_is_painted_again(tmp_path: Path, look: str) -> None:
    source, out = write_sequence(tmp_path / "in", range(1, 31)), tmp_path / "out" / "p.####.png"
    stop_after(26, job(source, out, look))
    there = sorted((tmp_path / "out").glob("p.*.png"))
    assert len(there) >= 3
    there[0].write_bytes(there[0].read_bytes()[:-7] + b"damaged")
    there[1].unlink()
    done = render(source, out, look)
    assert done.figures["resumed_frames"] == len(there) - 2
    render(source, tmp_path / "calm" / "p.####.png", look)
    assert hashes(tmp_path / "out") == hashes(tmp_path / "calm")


def test_a_frame_whose_source_changed_is_painted_again(tmp_path: Path, look: str) -> None:
    source, out = write_sequence(tmp_path / "in", range(1, 31)), tmp_path / "out" / "p.####.png"
    stop_after(20, job(source, out, look))
    assert (tmp_path / "out" / "p.0001.png").exists()
    shutil.copy(tmp_path / "in" / "shot.0009.png", tmp_path / "in" / "shot.0001.png")
    render(source, out, look)
    found = hashes(tmp_path / "out")
    assert found[1] == found[9]


def test_a_damaged_piece_of_a_movie_is_encoded_again(tmp_path: Path, look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.render.delivery.PIECE_FRAMES", 5)
    source, out = write_movie(tmp_path / "in.mkv", 30), tmp_path / "out.mkv"
    exact = {"codec": "ffv1", "quality": "lossless"}
    stop_after(24, job(source, out, look, **exact))
    pieces = sorted(work_folder(out).glob("piece-*.mkv"))
    assert len(pieces) >= 2
    pieces[0].write_bytes(pieces[0].read_bytes()[:-100])
    done = render(source, out, look, **exact)
    assert done.figures["resumed_frames"] == 5 * (len(pieces) - 1)
    render(source, tmp_path / "calm.mkv", look, **exact)
    assert hashes(out) == hashes(tmp_path / "calm.mkv")
    assert left_over(tmp_path) == []


def test_other_options_are_refused_by_name_and_fresh_starts_over(tmp_path: Path, look: str) -> None:
    source, out = write_sequence(tmp_path / "in", range(1, 16)), tmp_path / "out" / "p.####.png"
    stop_after(5, job(source, out, look))
    with pytest.raises(InputError, match=r"strength was 1\.0, is 0\.5.*add --fresh to start over"):
        render(source, out, look, strength=0.5)
    with pytest.raises(InputError, match="tier was live, is full"):
        render(source, out, look, tier="full")
    done = render(source, out, look, strength=0.5, fresh=True)
    assert done.figures["resumed_frames"] == 0
    assert len(hashes(tmp_path / "out")) == 15
    assert left_over(tmp_path) == []


def test_another_movie_under_the_same_name_is_refused(tmp_path: Path, look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.render.delivery.PIECE_FRAMES", 5)
    source, out = write_movie(tmp_path / "in.mkv", 20), tmp_path / "out.mkv"
    stop_after(15, job(source, out, look))
    write_movie(tmp_path / "other.mkv", 20, sound=False)
    os.replace(tmp_path / "other.mkv", source)
    with pytest.raises(InputError, match="contents was"):
        render(source, out, look)


def test_an_automatic_engine_stays_what_it_was(tmp_path: Path, look: str) -> None:
    source, out = write_sequence(tmp_path / "in", range(1, 16)), tmp_path / "out" / "p.####.png"
    stop_after(5, job(source, out, look, engine="onnx"))
    done = render(source, out, look, engine="auto")
    assert done.figures["engine"].startswith("onnx")


def test_a_second_run_names_the_first(tmp_path: Path, look: str) -> None:
    source, out = write_sequence(tmp_path / "in", range(1, 30)), tmp_path / "out" / "p.####.png"
    steps = job(source, out, look).run()
    next(step for step in steps if isinstance(step, Progress) and step.done >= 2)
    try:
        with pytest.raises(InputError, match=str(os.getpid())):
            render(source, out, look)
    finally:
        steps.close()  # type: ignore[attr-defined]
    assert len(hashes(tmp_path / "in")) == 29


def test_a_run_that_was_stopped_after_the_last_step_only_tidies_up(tmp_path: Path, look: str) -> None:
    from impasto.render.journal import Journal

    source, out = write_movie(tmp_path / "in.mkv", 6), tmp_path / "out.mkv"
    finish, Journal.finish = Journal.finish, lambda self: None  # type: ignore[method-assign]
    try:
        render(source, out, look)
    finally:
        Journal.finish = finish  # type: ignore[method-assign]
    assert work_folder(out).exists()
    done = render(source, out, look)
    assert done.figures["frames"] == 0
    assert left_over(tmp_path) == []


def test_a_movie_of_pictures_notices_that_one_changed(tmp_path: Path, look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.render.delivery.PIECE_FRAMES", 5)
    source, out = write_sequence(tmp_path / "in", range(1, 31)), tmp_path / "out.mkv"
    exact = {"codec": "ffv1", "quality": "lossless"}
    stop_after(24, job(source, out, look, **exact))
    shutil.copy(tmp_path / "in" / "shot.0030.png", tmp_path / "in" / "shot.0002.png")
    render(source, out, look, **exact)
    render(source, tmp_path / "calm.mkv", look, **exact)
    assert hashes(out) == hashes(tmp_path / "calm.mkv")


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path, look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.render.delivery.PIECE_FRAMES", 5)
    source, out = write_sequence(tmp_path / "in", range(1, 21)), tmp_path / "out.mkv"
    stop_after(12, job(source, out, look))
    out.write_bytes(b"precious")
    with pytest.raises(InputError, match="exists already"):
        render(source, out, look)
    assert out.read_bytes() == b"precious"


def test_another_rate_or_layer_is_refused_by_name(tmp_path: Path, look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.render.delivery.PIECE_FRAMES", 5)
    source, out = write_sequence(tmp_path / "in", range(1, 21)), tmp_path / "out.mkv"
    stop_after(12, job(source, out, look, fps=24))
    with pytest.raises(InputError, match="fps was 24, is 30"):
        render(source, out, look, fps=30)


def test_a_folder_that_was_half_removed_goes(tmp_path: Path, look: str) -> None:
    source, out = write_movie(tmp_path / "in.mkv", 6), tmp_path / "out.mkv"
    work_folder(out).mkdir()
    (work_folder(out) / "lock").touch()
    render(source, out, look)
    assert left_over(tmp_path) == []


def test_a_fresh_render_does_not_read_all_of_its_sources_first(
    tmp_path: Path, look: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from impasto.render import delivery

    read: list[Path] = []

    def counted(path: Path) -> str:
        read.append(path)
        return "0" * 32

    source = write_sequence(tmp_path / "in", range(1, 61))
    monkeypatch.setattr(delivery, "digest", counted)
    steps = job(source, tmp_path / "out" / "p.####.png", look).run()
    next(step for step in steps if isinstance(step, Progress) and step.stage == "painting")
    before_the_first = [path for path in read if path.parent == tmp_path / "in"]
    steps.close()  # type: ignore[attr-defined]
    assert len(before_the_first) < 30
