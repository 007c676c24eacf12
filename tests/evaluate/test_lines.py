"""Edges and lines: there, moved, gone, made up; of pictures that were drawn for it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from impasto.evaluate.lines import edges, lines
from impasto.media.flow import Plane
from tests.evaluate.shots import noisy, texture

BLANK = np.full((160, 200), 0.5, np.float32)


def drawn(*ends: tuple[int, int, int, int], on: Plane = BLANK) -> Plane:
    """Bold lines from end to end."""
    plane = on.copy()
    for x, y, to_x, to_y in ends:
        cv2.line(plane, (x, y), (to_x, to_y), 0.9, 4, cv2.LINE_AA)
    return plane


SOURCE = drawn((20, 30, 180, 40), (40, 10, 60, 150), (100, 150, 190, 70))


def test_all_of_them_are_there_whatever_the_tone() -> None:
    for same in (SOURCE, 1 - SOURCE, 0.4 + 0.2 * SOURCE):
        assert edges(SOURCE, same) == pytest.approx(1, abs=0.03)
        assert lines(SOURCE, same) == pytest.approx(1, abs=0.03)


def test_one_of_two_lines_is_half() -> None:
    two, one = drawn((20, 40, 180, 40), (20, 120, 180, 120)), drawn((20, 40, 180, 40))
    assert lines(two, one) == pytest.approx(0.5, abs=0.03)
    kept = edges(two, one)
    assert kept is not None
    assert kept == pytest.approx(2 / 3, abs=0.05), "half of them are kept, and nothing is wrong"
    assert edges(one, two) == pytest.approx(kept, abs=0.05), "what was made up costs as much"


def test_what_moved_or_turned_is_gone() -> None:
    level = drawn((20, 40, 180, 40), (20, 120, 180, 120))
    assert lines(level, np.roll(level, 9, 0)) < 0.1
    assert edges(level, np.roll(level, 9, 0)) == pytest.approx(0, abs=0.05)
    level, turned = drawn((20, 80, 180, 80)), drawn((40, 20, 160, 140))
    assert lines(level, turned) < 0.1


def test_another_picture_keeps_no_more_edges_than_chance() -> None:
    one, other = (texture(160, 200, seed)[..., 0] for seed in (1, 2))
    assert edges(one, other) == pytest.approx(0, abs=0.12)
    assert edges(SOURCE, BLANK) == lines(SOURCE, BLANK) == 0


def test_a_blank_source_has_none() -> None:
    assert edges(BLANK, SOURCE) is None
    assert lines(BLANK, SOURCE) is None


def test_grain_draws_no_lines() -> None:
    grained = noisy([np.repeat(SOURCE[..., None], 3, -1)], 0.04)[0][..., 0]
    assert lines(SOURCE, grained) > 0.8
