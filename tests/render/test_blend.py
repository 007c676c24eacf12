"""Blending: the ends are the looks themselves, the middle lies between, and looks that do not fit are refused."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from impasto.engine.export import read_weights
from impasto.errors import InputError
from impasto.render.blend import BlendJob
from impasto.styles.package import StyleFile
from tests.fakes import BLUE, GREEN, RED, colour_reader, write_coded_style, write_tiny_style


@pytest.fixture
def looks(tmp_path: Path) -> tuple[Path, Path]:
    """Two looks whose live networks have other weights: the stand-ins count them in the order of the tiers."""
    return write_tiny_style(tmp_path / "one.style", ("live", "full")), write_tiny_style(tmp_path / "two.style", ("full", "live"))


def blend(looks: tuple[Path, Path], out: Path, weight: float) -> StyleFile:
    done = BlendJob(first=str(looks[0]), second=str(looks[1]), out=out, weight=weight).finish()
    assert done.path == out
    return StyleFile.open(out).check()


@pytest.mark.parametrize("end", [0, 1])
def test_the_ends_are_the_looks_themselves(looks: tuple[Path, Path], tmp_path: Path, end: int) -> None:
    ours = read_weights(blend(looks, tmp_path / "x.style", end).graph("live"))
    theirs = read_weights(StyleFile.open(looks[end]).graph("live"))
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_the_middle_lies_between(looks: tuple[Path, Path], tmp_path: Path) -> None:
    style = blend(looks, tmp_path / "x.style", 0.25)
    ours, one, two = (read_weights(s.graph("live")) for s in (style, *map(StyleFile.open, looks)))
    for name, value in ours.items():
        assert np.allclose(value, 0.75 * one[name] + 0.25 * two[name], atol=1e-3), name
    assert style.card.name == "x"
    assert "--weight 0.25" in style.card.training.command


def test_looks_by_code_that_both_have_are_blended_too(tmp_path: Path) -> None:
    one = write_coded_style(tmp_path / "one.style", colour_reader(), varies=True, red=RED, green=GREEN)
    two = write_coded_style(tmp_path / "two.style", red=BLUE)
    style = blend((one, two), tmp_path / "x.style", 0.25)
    assert style.card.tiers["full"].codes == {"red": [0.75 * a + 0.25 * b for a, b in zip(RED, BLUE, strict=True)]}
    assert not style.card.varies, "only one of them does"
    assert style.card.encoder_sha256 == "", "it would read codes for a network that is not there"


def test_looks_of_other_shapes_and_existing_files_are_refused(looks: tuple[Path, Path], tmp_path: Path) -> None:
    other = write_tiny_style(tmp_path / "other.style", ("mini",))
    with pytest.raises(InputError, match="no network of one shape"):
        blend((looks[0], other), tmp_path / "x.style", 0.5)
    (tmp_path / "y.style").write_text("mine")
    with pytest.raises(InputError, match="--overwrite"):
        blend(looks, tmp_path / "y.style", 0.5)
    assert (tmp_path / "y.style").read_text() == "mine"
