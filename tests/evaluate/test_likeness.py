"""What is kept of a picture: against values worked out by hand and pictures that must rank one after the other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from impasto.evaluate.likeness import Palette, colour_distance, fine_detail, ms_ssim, psnr, ssim, structure
from impasto.media.flow import Plane
from tests.evaluate.shots import noisy, texture

PICTURE = texture(96, 128)


def blurred(picture: Plane, px: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), px), np.float32)


def plain(*colour: float) -> Plane:
    return np.full((64, 64, 3), colour, np.float32)


def test_psnr_by_hand() -> None:
    assert psnr(plain(0.5, 0.5, 0.5), plain(0.6, 0.6, 0.6)) == pytest.approx(20, abs=1e-4)
    assert psnr(PICTURE, PICTURE) == 100


def test_ssim_is_one_for_the_same_and_less_the_more_is_lost() -> None:
    assert ssim(PICTURE, PICTURE) == pytest.approx(1, abs=1e-4)
    found = [ssim(PICTURE, blurred(PICTURE, px)) for px in (0.8, 2, 6)]
    assert 1 > found[0] > found[1] > found[2] > 0
    assert ssim(PICTURE, 1 - PICTURE) < 0


def test_ssim_is_the_same_as_torchmetrics() -> None:
    pytest.importorskip("torchmetrics", reason="torchmetrics is the oracle (extra 'quality')")
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure

    pair = [(picture @ np.array([0.299, 0.587, 0.114], np.float32))[None, None] for picture in (blurred(PICTURE, 1), PICTURE)]
    theirs = structural_similarity_index_measure(*map(torch.from_numpy, pair), data_range=1.0)
    assert ssim(PICTURE, blurred(PICTURE, 1)) == pytest.approx(float(theirs), abs=0.01)


def test_ssim_of_five_scales_is_the_same_as_torchmetrics() -> None:
    pytest.importorskip("torchmetrics", reason="torchmetrics is the oracle (extra 'quality')")
    import torch
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    large = texture(288, 384)
    pair = [(picture @ np.array([0.299, 0.587, 0.114], np.float32))[None, None] for picture in (blurred(large, 2), large)]
    theirs = multiscale_structural_similarity_index_measure(*map(torch.from_numpy, pair), data_range=1.0)
    assert ms_ssim(large, blurred(large, 2)) == pytest.approx(float(theirs), abs=0.02)


def test_ssim_of_five_scales_forgives_what_is_fine() -> None:
    assert ms_ssim(PICTURE, PICTURE) == pytest.approx(1, abs=1e-4)
    assert ms_ssim(PICTURE, 1 - PICTURE) == 0
    assert ms_ssim(PICTURE, blurred(PICTURE, 2)) > ssim(PICTURE, blurred(PICTURE, 2))


def test_structure_is_free_of_tone_and_contrast() -> None:
    assert structure(PICTURE, PICTURE) == pytest.approx(1, abs=1e-3)
    assert structure(PICTURE, 0.3 + 0.5 * PICTURE) > 0.97
    assert structure(PICTURE, PICTURE**0.6) > 0.95
    assert structure(PICTURE, 1 - PICTURE) < -0.85


def test_structure_that_is_lost_moved_or_made_up_costs() -> None:
    assert structure(PICTURE, np.full_like(PICTURE, 0.5)) < 0.2
    assert abs(structure(PICTURE, texture(96, 128, seed=5))) < 0.3
    assert structure(PICTURE, np.roll(PICTURE, 6, 1)) < 0.6
    assert structure(np.full_like(PICTURE, 0.5), PICTURE) < 0.2


def test_two_blank_pictures_have_the_same_shapes() -> None:
    assert structure(plain(0.2, 0.2, 0.2), plain(0.7, 0.7, 0.7)) == 1


def test_detail_grows_with_noise_and_goes_with_blur() -> None:
    own = fine_detail(PICTURE)
    assert fine_detail(noisy([PICTURE], 0.1)[0]) > 2 * own
    assert fine_detail(blurred(PICTURE, 3)) < 0.2 * own
    assert fine_detail(plain(0.5, 0.5, 0.5)) == 0


def test_black_and_white_are_one_apart() -> None:
    assert colour_distance(plain(0, 0, 0), plain(1, 1, 1)) == pytest.approx(1, abs=3e-3)
    assert colour_distance(PICTURE, PICTURE) == 0


def test_strokes_are_no_other_colour() -> None:
    lines = PICTURE.copy()
    lines[::2] *= 0.8
    lines[1::2] *= 1.2
    assert colour_distance(PICTURE, lines) < 0.02 < 0.1 < colour_distance(PICTURE, PICTURE[..., ::-1] * 0.5)


def test_a_palette_knows_no_place() -> None:
    shuffled = np.random.default_rng(0).permutation(PICTURE.reshape(-1, 3)).reshape(PICTURE.shape)
    assert Palette(PICTURE).distance(Palette(shuffled)) < 0.01
    assert Palette(PICTURE).distance(Palette(PICTURE)) == 0


def test_a_palette_is_as_far_as_its_colours() -> None:
    """Black to white is one step of 1 in OKLab; half of the colours moved is half the way."""
    dark, light = plain(0, 0, 0), plain(1, 1, 1)
    assert Palette(dark).distance(Palette(light)) == pytest.approx(1, abs=0.15)
    half = np.concatenate([dark, light])
    assert Palette(half).distance(Palette(light)) == pytest.approx(Palette(dark).distance(Palette(light)) / 2, rel=0.05)
    assert Palette(dark, light).distance(Palette(half)) < 0.05
