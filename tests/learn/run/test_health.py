"""Health by hand: verdicts, the eased critic, pictures that are alike, patience."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.evaluate.critic import verdicts  # noqa: E402  torch must be known to be there first
from impasto.learn.run import checkpoints, health  # noqa: E402
from impasto.learn.run.pace import Pace, is_drawn, schedule  # noqa: E402


def test_verdicts_from_counts() -> None:
    real, fake = torch.tensor([2.0, 1.0, 3.0, -1.0]), torch.tensor([-1.0, -2.0, 1.0, -3.0])  # 3 of 4 found, 1 of 4 fools
    recall = health.recall_of([real], [fake])
    found = verdicts(recall, (recall + 0.75) / 2)
    assert found == pytest.approx({"accuracy": 0.75, "precision": 0.75, "recall": 0.75, "f1": 0.75})


def test_recall_above_the_middle_of_both_sides() -> None:
    assert health.recall_of([torch.tensor([5.0, 9.0])], [torch.tensor([1.0, 3.0])], middle=None) == 1
    assert health.recall_of([torch.tensor([5.0, 9.0])], [torch.tensor([1.0, 3.0])], middle=6.0) == 0.5


def test_a_critic_that_never_errs_is_eased_to_a_fifth() -> None:
    assert [health.critic_strength(x) for x in (0.5, 0.92, 0.96, 1.0)] == pytest.approx([1, 1, 0.6, 0.2])
    fares = health.Health()
    for _ in range(400):
        fares.follow(1.0)
    assert fares.strength < 0.21


def test_alike_is_relative_to_what_was_painted_from() -> None:
    torch.manual_seed(0)
    source = torch.rand(3, 3, 1, 1).expand(3, 3, 16, 16)
    assert not health.are_alike(source, source)
    assert health.are_alike(source[:1].expand(3, -1, -1, -1), source)
    assert not health.are_alike(source[:1].expand(3, -1, -1, -1), source[:1].expand(3, -1, -1, -1))  # a shot that stands still
    assert health.are_alike(source * 0, None)
    assert not health.are_alike(source[:1], None)  # nothing to compare with


def test_patience_ends_it_and_what_is_not_finite_is_never_best() -> None:
    fares = health.Health()
    assert fares.compare(1, "d", math.nan, 2, True) == (False, [])
    assert fares.compare(2, "d", 0.5, 2, True) == (True, [])
    assert fares.compare(3, "d", 0.6, 2, True) == (False, [])
    best, told = fares.compare(4, "d", 0.5, 2, True)
    assert not best
    assert "step 2" in told[0]
    assert fares.ended == told[0]


def test_the_schedule_warms_up_holds_and_falls() -> None:
    assert [schedule(0, 0), schedule(500, 0.4), schedule(500, 0.75), schedule(500, 1.0)] == pytest.approx([0.01, 1, 0.5, 0.02])


def test_looks_and_curve_points_hang_on_the_step_alone() -> None:
    assert [s for s in range(1, 400) if Pace(steps=400).is_look(s)][:3] == [16, 32, 48]
    assert Pace(steps=403).is_look(403), "short ones too have a figure at their end"
    assert Pace(steps=10, look_every=250).is_look(10)
    assert Pace(minutes=3).is_look(50)
    assert is_drawn(999)
    assert not is_drawn(1001)
    assert is_drawn(1010)
    assert not is_drawn(20_010)


def test_a_sick_optimiser_is_no_healthy_state() -> None:
    state = {"net": {"w": torch.ones(2)}, "optimiser": {"state": {0: {"exp_avg": torch.tensor([1.0, math.inf])}}}}
    assert not checkpoints.is_healthy(state)
    state["optimiser"]["state"][0]["exp_avg"] = torch.ones(2, dtype=torch.bfloat16)
    assert checkpoints.is_healthy(state)
