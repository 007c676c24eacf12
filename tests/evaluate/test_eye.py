"""The network's figures rank what they must: the source, its reference, noise, another picture."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the network runs in torch (extra 'learn')")

from impasto.evaluate.eye import Eye
from impasto.media.flow import Plane
from tests.evaluate.shots import noisy, texture

PICTURE = texture(96, 128)


def stripes() -> Plane:
    """A look that is nothing like the picture: bold lines in two colours."""
    across = (np.arange(128) // 4 % 2)[None, :, None]
    return np.asarray(np.where(across, (0.9, 0.85, 0.7), (0.1, 0.2, 0.5)) * np.ones((96, 1, 1)), np.float32)


@pytest.fixture(scope="module")
def eye() -> Eye:
    return Eye([stripes()])


def test_the_source_has_all_its_content(eye: Eye) -> None:
    row = eye.judge(PICTURE, PICTURE)
    assert row["content"] == pytest.approx(0, abs=1e-4)
    assert row["style"] == row["style_source"] > 0.3
    assert row["detail"] == 1


def test_the_reference_is_like_itself(eye: Eye) -> None:
    row = eye.judge(PICTURE, stripes())
    assert row["style"] == pytest.approx(0, abs=1e-3)
    assert row["sliced"] == pytest.approx(0, abs=1e-5)
    assert row["alien"] < 0.02 < row["alien_source"]
    assert row["palette"] == pytest.approx(0, abs=1e-6)
    assert row["detail_reference"] == pytest.approx(1)
    assert row["content"] > 0.4


def test_halfway_is_between(eye: Eye) -> None:
    half = eye.judge(PICTURE, (PICTURE + stripes()) / 2)
    for figure in ("style", "sliced", "alien", "palette"):
        assert 0 < half[figure] < half[f"{figure}_source"]
    assert 0 < half["content"] < eye.judge(PICTURE, stripes())["content"]


def test_noise_is_alien(eye: Eye) -> None:
    strange = eye.judge(stripes(), noisy([stripes()], 0.3)[0].clip(0, 1))
    assert strange["alien"] > strange["alien_source"] + 0.05


def test_a_picture_has_one_figure(eye: Eye) -> None:
    assert eye.judge(PICTURE, 1 - PICTURE) == eye.judge(PICTURE, 1 - PICTURE)


def test_without_a_reference_nothing_is_said_of_style() -> None:
    row = Eye().judge(PICTURE, PICTURE)
    assert set(row) == {"psnr", "ssim", "ms_ssim", "structure", "edges", "lines", "content", "detail", "colour"}


def test_several_references_are_one_look() -> None:
    both = Eye([stripes(), PICTURE])
    assert both.judge(PICTURE, stripes())["style"] > 0.05, "one of two pictures is half of the look"
    assert both.judge(PICTURE, stripes())["alien"] < 0.02


def test_the_truth_is_what_it_should_have_become(eye: Eye) -> None:
    row = eye.against_truth(PICTURE, PICTURE)
    assert row == pytest.approx(
        {"psnr_truth": 100, "ssim_truth": 1, "ms_ssim_truth": 1, "content_truth": 0, "colour_truth": 0}, abs=1e-4
    )
    assert eye.against_truth(PICTURE, noisy([PICTURE])[0])["psnr_truth"] == pytest.approx(26, abs=0.2), "noise of .05"
