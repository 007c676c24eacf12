"""A run folder knows the pictures it was learnt from, and is not resumed on others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn.material.data import Material, Pictures  # noqa: E402
from impasto.learn.material.known import FILE, check_known, remember  # noqa: E402


def material(photos: str, **references: str) -> Material:
    """Pictures of these names and hashes."""
    found = [Pictures([np.zeros((1, 1, 3), np.uint8)] * len(some), list(some), [], list(some.values()))
             for some in (references, dict(pair.split("=") for pair in photos.split()))]  # fmt: skip
    return Material(*found, None, 0, torch.device("cpu"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "live").mkdir()
    (tmp_path / "live/step-00000003.checkpoint").touch()
    remember(tmp_path, material("p=1 q=2", a="3", b="4"))
    return tmp_path


def test_the_same_pictures_go_on(run: Path) -> None:
    check_known(run, material("q=2 p=1", b="4", a="3"))


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (material("p=1 q=2", a="5", b="4"), "(a is another picture now)"),
        (material("p=1 q=7", a="3", b="4"), "(q is another picture now)"),
        (material("p=1", a="3", b="4", c="6"), "(q is missing, c is new)"),
        (material("x=1 y=2", a="5", b="6"), "(a is another picture now, b is another picture now, p is missing and 3 more)"),
    ],
)
def test_others_are_refused_by_name(run: Path, now: Material, told: str) -> None:
    with pytest.raises(InputError) as caught:
        check_known(run, now)
    assert f"{run}: was learnt from other pictures so far {told}; put the pictures back" in str(caught.value)
    assert "--run" in str(caught.value)


def test_who_has_no_checkpoint_or_no_list_is_not_bound(run: Path) -> None:
    other = material("z=9", a="9")
    (run / "live/step-00000003.checkpoint").unlink()
    check_known(run, other)
    (run / "live/step-00000003.checkpoint").touch()
    (run / FILE).unlink()
    check_known(run, other)


def test_a_damaged_list_is_one_line(run: Path) -> None:
    (run / FILE).write_text("{ damaged")
    with pytest.raises(InputError, match="is damaged; remove it"):
        check_known(run, material("p=1", a="3"))
