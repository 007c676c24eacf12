"""Grain: what was put on a scene is found again, and what is laid on a painting is like it and new in every frame."""
from __future__ import annotations

import cv2
import numpy as np
import pytest

from impasto.frame import Pixels
from impasto.media.oklab import as_float, as_stored
from impasto.media.plate import Plate
from impasto.render.grain import LEVELS, REACH_PX, Grain

ALONE = tuple(tuple(row) for row in np.pad([[1.0]], REACH_PX).tolist())
FLAT = Grain(((0.02,) * LEVELS,) * 3, ALONE, ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
NOTHING = [np.zeros((64, 64, 3), np.uint8), np.full((5, 7, 3), 90, np.uint8), np.full((64, 64, 3), 65535, np.uint16)]


@pytest.fixture(scope="module")
def plate() -> Pixels:
    return Plate(640, 360, seed=3).frame(5).rgb


def grainy(picture: Pixels, sigma: float, seed: int, blur: float = 0.0, alike: bool = False) -> Pixels:
    """The picture with grain of a spread in 8-bit steps."""
    noise = np.random.default_rng(seed).standard_normal((*picture.shape[:2], 1 if alike else 3), np.float32)
    if blur:
        noise = cv2.GaussianBlur(noise, (0, 0), blur).reshape(noise.shape)
        noise /= noise.std()
    return as_stored(as_float(picture) + noise * np.float32(sigma / 255), picture.dtype)


@pytest.mark.parametrize(("sigma", "blur"), [(2, 0), (5, 0), (10, 0), (5, 0.7), (5, 1.0)])
def test_known_grain_on_the_plate_is_found(plate: Pixels, sigma: float, blur: float) -> None:
    grain = Grain.measure([grainy(plate, sigma, seed, blur) for seed in range(3)])
    found = np.array(grain.spread) * 255
    share = [((as_float(plate)[..., c] * LEVELS).astype(int) == level).mean() for c in range(3) for level in range(LEVELS)]
    seen = np.array(share).reshape(3, LEVELS) > 0.03
    assert np.abs(found / sigma - 1)[seen].max() < 0.2
    beside = np.exp(-1 / (4 * blur**2)) if blur else 0
    assert abs(grain.clump[REACH_PX][REACH_PX + 1] - beside) < 0.7 / sigma


def test_grain_by_brightness_is_found() -> None:
    ramp = np.repeat(np.linspace(30, 225, 384, dtype=np.float32)[None, :, None], 256, axis=0).repeat(3, axis=2)
    noise = np.random.default_rng(0).standard_normal(ramp.shape, np.float32)
    frame = np.rint(ramp + noise * (2 + 6 * ramp / 255)).astype(np.uint8)
    found = np.array(Grain.measure([frame]).spread)[1] * 255
    centres = (np.arange(LEVELS) + 0.5) / LEVELS
    np.testing.assert_allclose(found[1:-1], (2 + 6 * centres)[1:-1], rtol=0.2)


def test_grain_that_is_alike_in_all_channels_is_laid_alike(plate: Pixels) -> None:
    grain = Grain.measure([grainy(plate, 6, seed, alike=True) for seed in range(2)])
    assert grain.alike[0][2] > 0.9
    laid = as_float(grain.lay(np.full((64, 64, 3), 0.5, np.float32), 1)) - 0.5
    assert np.corrcoef(laid[..., 0].ravel(), laid[..., 2].ravel())[0, 1] > 0.85


def test_bars_do_not_hide_the_grain_between_them(plate: Pixels) -> None:
    shot = [np.pad(grainy(plate, 5, seed), ((90, 90), (0, 0), (0, 0)), constant_values=16) for seed in range(3)]
    assert np.median(Grain.measure(shot).spread) * 255 == pytest.approx(5, rel=0.2)


def test_a_clean_scene_has_hardly_any_grain(plate: Pixels) -> None:
    assert np.array(Grain.measure([plate]).spread).max() * 255 < 1


@pytest.mark.parametrize(("size", "seed"), [((640, 360), 0), ((320, 180), 2), ((192, 128), 0), ((192, 128), 3)])
def test_a_clean_shot_full_of_detail_has_none_and_grain_on_it_is_found(size: tuple[int, int], seed: int) -> None:
    scene = Plate(*size, seed=seed)
    frames = [scene.frame(number).rgb for number in (0, 10, 20, 30, 40)]
    assert np.array(Grain.measure(frames).spread).max() * 255 < 0.7
    found = np.array(Grain.measure([grainy(frame, 5, number) for number, frame in enumerate(frames)]).spread) * 255
    assert np.abs(found / 5 - 1).max() < 0.25


@pytest.mark.parametrize("blur", [0.0, 0.8])
def test_what_is_laid_is_like_what_was_measured(blur: float) -> None:
    flat = np.full((256, 256, 3), 128, np.uint8)
    first = Grain.measure([grainy(flat, 6, seed, blur) for seed in range(3)])
    again = Grain.measure([first.lay(flat, number) for number in range(3)])
    level = LEVELS // 2
    np.testing.assert_allclose(np.array(again.spread)[:, level], np.array(first.spread)[:, level], rtol=0.1)
    np.testing.assert_allclose(again.clump, first.clump, atol=0.1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_grain_is_new_in_each_frame_and_the_same_when_asked_again(dtype: str) -> None:
    picture = as_stored(np.full((40, 50, 3), 0.5, np.float32), np.dtype(dtype))
    one, two, other = FLAT.lay(picture, 1), FLAT.lay(picture, 2), FLAT.lay(picture, 1, seed=7)
    np.testing.assert_array_equal(FLAT.lay(picture, 1), one)
    assert (one.dtype, one.shape) == (picture.dtype, picture.shape)
    for each in (two, other):
        assert abs(np.corrcoef(as_float(one).ravel(), as_float(each).ravel())[0, 1]) < 0.1
    assert as_float(one).std() == pytest.approx(0.02, rel=0.1)
    assert as_float(FLAT.lay(picture, 1, amount=0.5)).std() == pytest.approx(0.01, rel=0.1)


def test_black_and_white_stay_and_the_picture_is_neither_lifted_nor_dimmed() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 256, dtype=np.float32)[:, None, None], (256, 512, 3)).copy()
    laid = FLAT.lay(ramp, 1)
    np.testing.assert_array_equal(laid[[0, -1]], ramp[[0, -1]])
    np.testing.assert_allclose(laid.mean(axis=1), ramp.mean(axis=1), atol=0.004)
    beyond = np.full((4, 4, 3), 3.0, np.float32)
    np.testing.assert_array_equal(FLAT.lay(beyond, 1), beyond)


def test_off_is_the_very_object() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    assert FLAT.lay(picture, 1, amount=0) is picture
    assert Grain(((0.0,) * LEVELS,) * 3, FLAT.clump, FLAT.alike).lay(picture, 1) is picture


@pytest.mark.parametrize("picture", NOTHING, ids=["black", "tiny", "white"])
def test_where_nothing_can_be_measured_nothing_is_laid(picture: Pixels) -> None:
    assert Grain.measure([picture]).lay(picture, 1) is picture


def test_frames_larger_than_the_sheet_and_numbers_below_zero() -> None:
    laid = FLAT.lay(np.full((8, 2100, 3), 128, np.uint8), -3, seed=-1)
    assert laid.shape == (8, 2100, 3)
    assert laid[:, 2000:].std() > 2
