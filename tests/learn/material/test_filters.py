"""Filters that teach looks: pictures stay pictures, nothing hangs on chance or place, and each moves colours its own way."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from impasto.learn.material.filters import FILTERS, LUMA, MARGIN_PX, Light


def scene(seed: int = 0, height: int = 120, width: int = 150, texture: float = 0.03) -> Light:
    """Soft coloured forms, some lamps, and fine texture."""
    rng = np.random.default_rng(seed)
    forms = cv2.resize(rng.random((6, 8, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    picture = forms * 0.8 + rng.normal(0, texture, forms.shape).astype(np.float32)
    picture[20:28, 40:48] = 1
    return np.asarray(picture.clip(0, 1), np.float32)


def flat(*colour: float) -> Light:
    return np.broadcast_to(np.array(colour, np.float32), (64, 64, 3)).copy()


def edge(low: float = 0.2, high: float = 0.8) -> Light:
    picture = flat(low, low, low)
    picture[:, 32:] = high
    return picture


def ramp() -> Light:
    tones = np.linspace(0, 1, 256, dtype=np.float32)[None, :, None]
    return np.asarray(np.repeat(tones, 64, axis=0) * np.ones(3, np.float32), np.float32)


def share_of_risers(tones: Light) -> float:
    """How much of the way from the darkest to the lightest the steepest quarter makes."""
    steps = np.sort(np.diff(tones))
    return float(steps[-len(steps) // 4 :].sum() / steps.sum())


def shifted(picture: Light, by_px: float) -> Light:
    """Moved by part of a pixel, without loss."""
    height, width = picture.shape[:2]
    turn = np.fft.fftfreq(height)[:, None] + np.fft.fftfreq(width)[None]
    planes = np.fft.ifft2(np.fft.fft2(picture, axes=(0, 1)) * np.exp(-2j * np.pi * by_px * turn)[..., None], axes=(0, 1)).real
    return np.asarray(planes, np.float32)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_a_pure_function_of_pictures(name: str) -> None:
    photo = scene()
    kept = photo.copy()
    seen = FILTERS[name](photo)
    assert seen.shape == photo.shape
    assert seen.dtype == np.float32
    assert 0 <= seen.min() <= seen.max() <= 1
    assert np.array_equal(photo, kept), "the photograph is left as it was"
    assert np.array_equal(seen, FILTERS[name](photo))
    assert np.abs(seen - photo).mean() > 0.02


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_black_and_white_stay_finite_and_even(name: str, level: float) -> None:
    seen = FILTERS[name](flat(level, level, level))
    assert np.isfinite(seen).all()
    assert np.ptp(seen, axis=(0, 1)).max() < 1e-3, "a flat picture has no lines, dots or noise in it"


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_knows_no_place_on_the_screen(name: str) -> None:
    """A moved picture is filtered to the moved filtering, so a network without a sense of place can learn it."""
    photo = scene(height=150, width=170)
    down, across = 5, 9
    whole, moved = FILTERS[name](photo), FILTERS[name](np.ascontiguousarray(photo[down:, across:]))
    inner = slice(MARGIN_PX, -MARGIN_PX)
    apart = np.abs(whole[down:, across:][inner, inner] - moved[inner, inner])
    assert apart.max() < 2e-3


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_steady_under_half_a_pixel(name: str) -> None:
    """Half a pixel of motion moves what is drawn by half a pixel: no line jumps, no tone boils."""
    photo = cv2.GaussianBlur(scene(height=150, width=170), (0, 0), 1.0)  # as sharp as a lens leaves it
    photo = np.asarray(0.1 + 0.8 * photo, np.float32)
    still, moved = FILTERS[name](photo), FILTERS[name](shifted(photo, 0.5))
    inner = slice(MARGIN_PX, -MARGIN_PX)
    apart = np.abs(shifted(still, 0.5) - moved)[inner, inner]
    unmoved = np.abs(still - moved)[inner, inner]
    assert apart.mean() < 0.5 * unmoved.mean()
    assert np.quantile(apart, 0.999) < 0.12


@pytest.mark.parametrize("name", FILTERS)
def test_light_stays_in_order(name: str) -> None:
    """Whatever the look, what was much lighter is not darker afterwards."""
    tones = [float(FILTERS[name](flat(v, v, v))[32, 32] @ LUMA) for v in (0.05, 0.35, 0.65, 0.95)]
    assert tones == sorted(tones)
    assert tones[-1] - tones[0] > 0.1


def test_noir_is_black_and_white_with_more_contrast() -> None:
    photo = scene()
    seen = FILTERS["noir"](photo)
    assert np.ptp(seen, axis=2).max() == 0
    assert seen[..., 0].std() > (photo @ LUMA).std()


def test_retro_fades_blacks_and_warms_lights() -> None:
    black, white = (FILTERS["retro"](flat(v, v, v))[32, 32] for v in (0.0, 1.0))
    assert black.min() > 0.08
    assert white[0] > white[2] + 0.1


def test_film_parts_shadows_from_lights() -> None:
    dark, light = (FILTERS["film"](flat(v, v, v))[32, 32] for v in (0.2, 0.65))
    assert dark[2] > dark[0]
    assert light[0] > light[2]


def test_a_lamp_glows_red_on_film() -> None:
    night = flat(0.1, 0.1, 0.1)
    night[28:36, 28:36] = 1
    beside = FILTERS["film"](night)[32, 40] - FILTERS["film"](flat(0.1, 0.1, 0.1))[32, 40]
    assert beside[0] > 0.02
    assert beside[0] > 2 * beside[2]


def test_neon_darkens_the_day_and_sends_warm_to_magenta_and_cool_to_cyan() -> None:
    assert FILTERS["neon"](flat(0.4, 0.4, 0.4)).mean() < 0.3
    warm, cool = FILTERS["neon"](flat(0.8, 0.55, 0.35))[32, 32], FILTERS["neon"](flat(0.35, 0.55, 0.8))[32, 32]
    assert warm[0] > warm[1]
    assert warm[2] > warm[1]
    assert cool[1] > warm[1]


def test_blueprint_draws_white_lines_on_blue() -> None:
    seen = FILTERS["blueprint"](edge())
    assert seen[32, 28:36].min(axis=1).max() > 0.8, "where forms end there is a line"
    paper = seen[32, 5]
    assert paper[2] > 2 * paper[0]


def test_halftone_prints_few_tones_on_warm_paper() -> None:
    paper = FILTERS["halftone"](flat(1, 1, 1))[32, 32]
    assert paper[0] > paper[2]
    luma = np.sort(FILTERS["halftone"](ramp())[32] @ LUMA)
    assert share_of_risers(luma) > 0.6, "a quarter of a ramp makes most of the way from black to white"


def test_flat_and_comic_keep_few_tones() -> None:
    even = share_of_risers(np.sort(ramp()[32] @ LUMA))
    for name in ("flat", "comic"):
        assert share_of_risers(np.sort(FILTERS[name](ramp())[32] @ LUMA)) > 1.5 * even


@pytest.mark.parametrize("name", ["pencil", "ink", "comic"])
def test_drawings_put_dark_lines_where_forms_end(name: str) -> None:
    seen = FILTERS[name](edge()) @ LUMA
    line = seen[32, 26:38].min()
    assert line < seen[32, 5] - 0.03, "darker than the darker side"
    assert seen[32, 5] < seen[32, 58] - 0.1


def test_pencil_and_ink_leave_white_paper_and_no_colour() -> None:
    for name in ("pencil", "ink"):
        assert FILTERS[name](flat(1, 1, 1))[32, 32].min() > 0.9
        assert np.ptp(FILTERS[name](scene()), axis=2).max() < 0.06


def test_pencil_hatches_along_one_slant() -> None:
    """What grain there is in an even grey becomes strokes: along them it changes less than across."""
    grain = np.random.default_rng(3).normal(0, 0.02, (96, 96, 1)).astype(np.float32)
    seen = FILTERS["pencil"](np.asarray((0.5 + grain).clip(0, 1) * np.ones(3, np.float32), np.float32)) @ LUMA
    rising, falling = np.abs(seen[3:, :-3] - seen[:-3, 3:]).mean(), np.abs(seen[3:, 3:] - seen[:-3, :-3]).mean()
    assert rising < 0.85 * falling


@pytest.mark.parametrize("name", ["flat", "watercolour", "oil"])
def test_patches_swallow_texture_and_keep_edges(name: str) -> None:
    rough = edge()
    rough += np.random.default_rng(1).normal(0, 0.02, rough.shape).astype(np.float32)
    seen = FILTERS[name](rough.clip(0, 1))
    areas = seen[20:44, 44:60] @ LUMA
    assert areas.std() < (0.35 if name == "flat" else 1.2) * 0.02
    across = (seen @ LUMA)[32]
    assert across[36] - across[28] > 0.7 * (across[50] - across[12])


def test_watercolour_has_no_black_and_rims_its_washes() -> None:
    assert FILTERS["watercolour"](flat(0, 0, 0))[32, 32].mean() > 0.08
    across = (FILTERS["watercolour"](edge(0.45, 0.9)) @ LUMA)[32]
    assert across[24:32].min() < across[8:16].mean() - 0.005


def test_oil_is_lit_from_the_upper_left() -> None:
    thread = flat(0.5, 0.5, 0.5)
    thread[30:33] = 0.62
    seen = (FILTERS["oil"](thread) @ LUMA)[:, 32]
    assert seen[27:31].max() > seen[32:37].max(), "the ridge is lighter on its upper side"
