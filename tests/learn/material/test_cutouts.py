"""Pictures with transparent parts: what can be seen stays, what cannot becomes more of the same."""

from __future__ import annotations

import numpy as np

from impasto.learn.material import cutouts
from tests.fakes import noise


def test_the_box_is_as_small_as_what_can_be_seen() -> None:
    cover = np.zeros((20, 30), np.uint8)
    cover[4:9, 7], cover[8, 7:12], cover[0, 0] = 255, 200, 90
    assert cutouts.box(cover) == (slice(4, 9), slice(7, 12))


def test_what_is_hidden_mirrors_what_is_seen() -> None:
    picture, cover = noise(30, 40, seed=1), np.full((30, 40), 255, np.uint8)
    cover[:, 25:] = 0
    full = cutouts.filled(picture, cover)
    np.testing.assert_array_equal(full[:, :25], picture[:, :25])
    np.testing.assert_array_equal(full[:, 25:39], picture[:, 10:24][:, ::-1])


def test_no_hidden_value_gets_through_a_round_hole_or_from_far_away() -> None:
    down, across = np.mgrid[:60, :60]
    for seen in (np.hypot(down - 30, across - 30) > 12, np.hypot(down - 5, across - 5) < 4):
        picture = np.where(seen[..., None], np.uint8(40) + noise(60, 60, seed=2) // 2, 255).astype(np.uint8)
        full = cutouts.filled(picture, seen.astype(np.uint8) * 255)
        assert full.max() < 255
        assert full[~seen].std() > 5, "texture, and no flat sheet"


def test_without_holes_nothing_changes() -> None:
    picture = noise(8, 9, seed=1)
    assert cutouts.filled(picture, np.full((8, 9), 128, np.uint8)) is picture
