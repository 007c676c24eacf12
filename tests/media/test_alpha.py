"""Alpha is multiplied in and taken out again, and light that covers nothing stays light."""
from __future__ import annotations

import numpy as np
import pytest

from impasto.frame import Pixels
from impasto.media.alpha import premultiplied, spread, unpremultiplied


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_there_and_back_is_within_the_last_bits(dtype: type) -> None:
    dice = np.random.default_rng(0)
    alpha: Pixels = dice.random((32, 32)).astype(dtype)
    alpha[:4], alpha[4:8] = 0, 1
    rgb = (dice.random((32, 32, 3)) * 20).astype(dtype)
    colour = unpremultiplied(rgb, alpha)
    assert colour.dtype == np.float32
    assert np.array_equal(colour[:8], rgb[:8].astype(np.float32))
    assert np.array_equal(premultiplied(colour, alpha).astype(np.float16), rgb.astype(np.float16))


def test_an_edge_has_the_colour_of_what_it_borders() -> None:
    rgb, alpha = np.full((1, 5, 3), 0.8, np.float32), np.float32([[1, 0.75, 0.5, 0.25, 0.001]])
    assert np.allclose(unpremultiplied(rgb * alpha[..., np.newaxis], alpha), rgb)


@pytest.mark.parametrize("alpha", [0, -0.5, np.nan, np.inf])
def test_alpha_one_cannot_divide_by_passes_colour_as_it_is(alpha: float) -> None:
    fire, plane = np.full((2, 2, 3), 7, np.float16), np.full((2, 2), alpha, np.float16)
    assert np.array_equal(unpremultiplied(fire, plane), fire)
    assert np.array_equal(premultiplied(fire, plane), fire)


@pytest.mark.parametrize("alpha", [1e-8, 1e-12, 1e-38, 1e-45])
def test_alpha_next_to_nothing_makes_no_infinities(alpha: float) -> None:
    fire, plane = np.full((2, 2, 3), 60000, np.float32), np.full((2, 2), alpha, np.float32)
    assert np.array_equal(unpremultiplied(fire, plane), fire)
    assert np.array_equal(premultiplied(fire, plane), fire)


def test_the_least_alpha_of_a_half_covers_or_passes_alike_both_ways() -> None:
    plane = np.float16([[2**-24, 2**-23, 2**-14, 1e-3]])
    rgb = np.full((1, 4, 3), 0.25, np.float16) * plane[..., np.newaxis]
    assert np.array_equal(premultiplied(unpremultiplied(rgb, plane), plane).astype(np.float16), rgb)


def test_colour_is_spread_over_nothing_and_nowhere_else() -> None:
    alpha = np.zeros((64, 64), np.float32)
    alpha[20:40, 20:40] = 1
    rgb = np.zeros((64, 64, 3), np.float32)
    rgb[20:40, 20:40] = (0.5, 0.25, 4.0)
    rgb[2, 2] = (0, 0, 7)  # light that covers nothing
    found = spread(rgb, alpha)
    np.testing.assert_array_equal(found[20:40, 20:40], rgb[20:40, 20:40])
    np.testing.assert_array_equal(found[2, 2], rgb[2, 2])
    np.testing.assert_allclose(found[15, 30], (0.5, 0.25, 4.0), rtol=0.02)
    for whole in (np.ones((8, 8), np.float32), np.zeros((8, 8), np.float32)):
        picture = np.zeros((8, 8, 3), np.float32)
        assert spread(picture, whole) is picture
