"""What a training's weights do while it goes on."""

from __future__ import annotations

import pytest

from impasto.learn.contest import SETTLES, settled

WEIGHTS = {"gram": 40.0, "content": 2.0, "steady": 14.0, "adversary": 2.5, "nearest": 8.0}


def test_a_look_settles_in_its_second_half() -> None:
    begin, end = SETTLES
    assert settled(WEIGHTS, 2.0, begin) == WEIGHTS
    assert settled(WEIGHTS, 2.0, 1.0) == {"gram": 20.0, "content": 4.0, "steady": 28.0, "adversary": 5.0, "nearest": 8.0}
    halfway = settled(WEIGHTS, 2.0, (begin + end) / 2)
    assert halfway["content"] == pytest.approx(2.0 * 2**0.5)
    assert halfway["gram"] == pytest.approx(40.0 / 2**0.5)


def test_a_look_that_need_not_settle_is_left_alone() -> None:
    assert settled(WEIGHTS, 1.0, 0.9) == WEIGHTS
