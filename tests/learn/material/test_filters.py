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
    edge = flat(0.2, 0.2, 0.2)
    edge[:, 32:] = 0.8
    seen = FILTERS["blueprint"](edge)
    assert seen[32, 28:36].min(axis=1).max() > 0.8, "where forms end there is a line"
    paper = seen[32, 5]
    assert paper[2] > 2 * paper[0]


def test_halftone_prints_few_tones_on_warm_paper() -> None:
    paper = FILTERS["halftone"](flat(1, 1, 1))[32, 32]
    assert paper[0] > paper[2]
    ramp = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[None, :, None], 64, axis=0) * np.ones(3, np.float32)
    luma = np.sort(FILTERS["halftone"](ramp)[32] @ LUMA)
    assert (np.diff(luma) < 0.001).mean() > 0.5, "most of a ramp, whose own steps are 0.004, lies on treads"
