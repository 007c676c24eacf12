"""How pictures are spoilt: always a picture again, the same for the same random numbers, and truly worse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from impasto.learn.material.wear import HOLE, Light, compressed, grainy, holed, shrunk, uncoloured
from tests.learn.material.test_filters import scene

WAYS: dict[str, Callable[[Light, np.random.Generator], Light]] = {
    "shrunk": lambda whole, rng: shrunk(whole, 2, rng),
    "grainy": lambda whole, rng: grainy(whole, 0.12, rng),
    "holed": holed,
    "uncoloured": uncoloured,
}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("seed", range(6))
def test_it_stays_a_picture_and_hangs_on_the_random_numbers_alone(name: str, seed: int) -> None:
    whole = scene(seed)
    kept = whole.copy()
    spoilt, again = (WAYS[name](whole, np.random.default_rng(seed)) for _ in range(2))
    assert spoilt.dtype == np.float32
    assert 0 <= spoilt.min() <= spoilt.max() <= 1
    assert np.array_equal(spoilt, again)
    assert np.array_equal(whole, kept)


@pytest.mark.parametrize("scale", [2, 4])
def test_shrinking_keeps_the_picture_in_its_place(scale: int) -> None:
    whole = scene(height=128, width=160)
    small = shrunk(whole, scale, np.random.default_rng(0))
    assert small.shape == (128 // scale, 160 // scale, 3)
    means = whole.reshape(128 // scale, scale, 160 // scale, scale, 3).mean((1, 3))
    here, beside = np.abs(small - means).mean(), np.abs(small[:, 1:] - means[:, :-1]).mean()
    assert here < 0.6 * beside


def test_holes_are_where_their_plane_says_and_nowhere_else() -> None:
    whole = scene()
    given = holed(whole, np.random.default_rng(3))
    assert given.shape == (*whole.shape[:2], 4)
    hole = given[..., 3] == 1
    assert set(np.unique(given[..., 3])) == {0, 1}
    assert 0 < hole.mean() < 0.6
    assert (given[..., :3][hole] == HOLE).all()
    assert np.array_equal(given[..., :3][~hole], whole[~hole])


def test_black_and_white_has_no_colour_left() -> None:
    grey = uncoloured(scene(), np.random.default_rng(0))
    assert np.ptp(grey, axis=2).max() == 0


def test_noise_is_as_strong_as_was_asked_for() -> None:
    whole = np.full((96, 96, 3), 0.5, np.float32)
    spread = [float((grainy(whole, 0.1, np.random.default_rng(seed)) - whole).std()) for seed in range(12)]
    assert min(spread) > 0.005
    assert max(spread) < 0.2
    assert max(float((grainy(whole, 0.01, np.random.default_rng(s)) - whole).std()) for s in range(12)) < min(0.02, max(spread))


def test_a_jpeg_of_low_quality_loses_more() -> None:
    whole = scene()
    losses = [float(np.abs(compressed(whole, quality) - whole).mean()) for quality in (95, 30)]
    assert 0 < losses[0] < losses[1]
