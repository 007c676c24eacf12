"""The scale goes down before frames are late, comes up when there is room, and does not swing."""
from __future__ import annotations

import pytest

from impasto.live.pace import MOST_PATIENCE_SECONDS, PATIENCE_SECONDS, SCALES, Pace

BUDGET = 0.04


def run(pace: Pace, cost: float, seconds: float) -> tuple[Pace, list[int]]:
    """Paint for a while on a machine that takes `cost` seconds for a frame of full size; the levels it came to."""
    levels = [pace.level]
    for _ in range(round(seconds / BUDGET)):
        pace = pace.after(cost * pace.scale**2)
        if pace.level != levels[-1]:
            levels.append(pace.level)
    return pace, levels


def test_frames_in_time_are_painted_in_full() -> None:
    assert run(Pace(BUDGET), 0.02, 10)[1] == [0]


def test_one_hiccup_changes_nothing() -> None:
    pace, _ = run(Pace(BUDGET), 0.02, 1)
    for _ in range(20):
        pace = pace.after(0.3)
        for _ in range(5):
            pace = pace.after(0.02)
    assert pace.level == 0


def test_the_scale_goes_down_at_once_and_as_far_as_it_must() -> None:
    pace, levels = run(Pace(BUDGET), 0.1, 1)
    assert len(levels) == 2
    assert 0.1 * pace.scale**2 < BUDGET


def test_it_goes_down_before_frames_are_late() -> None:
    assert run(Pace(BUDGET), 0.95 * BUDGET, 1)[0].level > 0


def test_where_nothing_helps_it_stays_at_the_smallest() -> None:
    assert run(Pace(BUDGET), 10.0, 5)[0].level == len(SCALES) - 1


def test_it_comes_up_again_step_by_step() -> None:
    slow, _ = run(Pace(BUDGET), 0.1, 1)
    pace, levels = run(slow, 0.01, 30)
    assert pace.level == 0
    assert levels == list(range(slow.level, -1, -1))


def test_a_machine_at_its_limit_does_not_swing() -> None:
    """In full it takes too long, one step smaller it has just room: each try to come up is a longer wait apart."""
    pace, tries, patience = Pace(BUDGET), 0, []
    for number in range(round(600 / BUDGET)):
        cost = 1.02 * BUDGET if pace.level == 0 else 0.5 * BUDGET
        before, pace = pace, pace.after(cost)
        tries += before.level > pace.level
        patience += [pace.patience] if before.level != pace.level else []
        assert pace.level <= 1, number
    assert tries < 20
    assert max(patience) == pytest.approx(MOST_PATIENCE_SECONDS, rel=0.1)
    assert patience[0] == PATIENCE_SECONDS
