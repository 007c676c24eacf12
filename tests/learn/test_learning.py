"""`for progress in impasto.learn(...)`: progress comes, a style is left; with a place to write to, the call does the work."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="learning needs the extra 'learn'")

import impasto
from impasto.job import Done, Progress
from impasto.learn.job import TrainJob
from impasto.learn.learning import Learning
from impasto.styles.package import StyleFile


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tiny_style: Path) -> list[int]:
    """A training of five steps that take no time; the list tells how many were taken."""
    taken: list[int] = []

    def run(job: TrainJob):
        for step in range(5):
            taken.append(step)
            yield Progress("learning live", step, 5)
        job.out.write_bytes(tiny_style.read_bytes())
        yield Done(job.out, "learnt")

    monkeypatch.setattr(TrainJob, "run", run)
    return taken


def test_it_yields_progress_and_returns_the_style(quick: list[int], tiny_style: Path) -> None:
    learning = impasto.learn("art/", shot="plate.mp4", minutes=10)
    assert isinstance(learning, Learning)
    assert quick == []
    assert [progress.done for progress in learning] == [0, 1, 2, 3, 4]
    assert learning.style.hash == StyleFile.open(tiny_style).hash
    assert learning.style.graph("live")  # the file is there as long as the program


def test_a_generator_can_take_the_style_from_it(quick: list[int]) -> None:
    def around():
        style = yield from impasto.learning("painting.jpg")
        yield style

    *progress, style = around()
    assert len(progress) == 5
    assert isinstance(style, StyleFile)


def test_with_a_place_to_write_to_the_call_does_the_work(quick: list[int], tmp_path: Path) -> None:
    done = impasto.learn("painting.jpg", tmp_path / "look.style", minutes=10)
    assert isinstance(done, Done)
    assert len(quick) == 5
    assert (tmp_path / "look.style").is_file()


def test_learning_can_write_to_a_place_and_be_closed(quick: list[int], tmp_path: Path) -> None:
    learning = impasto.learning("painting.jpg", tmp_path / "look.style")
    next(learning)
    learning.close()
    assert quick == [0]
    assert not (tmp_path / "look.style").exists()
    with pytest.raises(impasto.InputError, match="closed before it was done"):
        learning.finish()
    with pytest.raises(impasto.InputError, match="closed before it was done"):
        _ = learning.style


def test_one_path_is_a_list_of_one() -> None:
    learning = impasto.learning("painting.jpg", photos="photos", teacher=Path("none"), set="batch=1")
    assert learning.job.photos == [Path("photos")]
    assert learning.job.teacher == [Path("none")]
    assert learning.job.set == ["batch=1"]


def test_asking_for_the_style_learns_it_first(quick: list[int]) -> None:
    assert isinstance(impasto.learn("painting.jpg").style, StyleFile)
    assert len(quick) == 5


def test_a_wrong_option_is_told_at_once() -> None:
    with pytest.raises(impasto.InputError, match="unknown field 'colour'"):
        impasto.learn("painting.jpg", colour="blue")
