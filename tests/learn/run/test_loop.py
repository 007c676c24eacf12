"""The loop's promises: it learns, resumes exactly, survives numbers that are not finite, and never keeps a sick checkpoint."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError, TrainingError  # noqa: E402  torch must be known to be there first
from impasto.learn.run.loop import Batch, Networks, Outcome, Pace, Training  # noqa: E402


def networks() -> Networks:
    torch.manual_seed(0)
    return Networks(torch.nn.Conv2d(3, 3, 1), torch.nn.Conv2d(3, 1, 3))


def batch_at(step: int) -> Batch:
    draw = torch.Generator().manual_seed(step)
    return {"photo": torch.rand(2, 3, 8, 8, generator=draw), "number": torch.tensor(step)}


def invert(nets: Networks, batch: Batch, progress: float) -> Outcome:
    """The generator learns to invert; the critic learns to answer 1."""
    painted = nets.generator(batch["photo"])
    miss = (painted - (1 - batch["photo"])).square().mean()
    critic = (nets.critic(painted.detach()) - 1).square().mean()
    return Outcome(miss, critic, {"miss": float(miss.detach())}, painted)


def training(folder: Path, steps: int, take=invert) -> Training:
    pace = Pace(steps=steps, generator_rate=0.05, checkpoint_seconds=1e9)
    return Training(networks(), batch_at, take, pace, folder=folder, label="live")


def weights(run: Training) -> list[torch.Tensor]:
    return [p.detach().clone() for p in (*run.average.parameters(), *run.networks.generator.parameters())]


def test_it_learns(tmp_path: Path) -> None:
    run = training(tmp_path, 300)
    first = float(invert(run.networks, batch_at(0), 0).generator.detach())
    list(run.run())
    assert run.step == 300
    assert run.parts["miss"] < first / 20


def test_a_killed_training_resumes_to_the_same_weights(tmp_path: Path) -> None:
    whole = training(tmp_path / "whole", 40)
    list(whole.run())
    killed = training(tmp_path / "killed", 40)
    killed.resume()
    for _ in range(17):
        killed._one()
    killed.save()
    for _ in range(5):  # work after the last checkpoint is lost in a kill
        killed._one()
    again = training(tmp_path / "killed", 40)
    list(again.run())
    assert again.step == 40
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(again), strict=True))


def test_closing_the_run_leaves_a_checkpoint_that_resumes(tmp_path: Path) -> None:
    pace = Pace(minutes=5, checkpoint_seconds=1e9)
    run = Training(networks(), batch_at, invert, pace, folder=tmp_path, label="live")
    steps = run.run()
    next(steps)
    steps.close()
    again = training(tmp_path, 10)
    assert again.resume()
    assert again.step == run.step > 0


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    run = training(tmp_path, 100)
    for _ in range(3):
        run._one()
    run.save()
    for _ in range(3):
        run._one()
    newest = run.save()
    assert newest is not None
    newest.write_bytes(newest.read_bytes()[:100])
    again = training(tmp_path, 100)
    assert again.resume()
    assert again.step == 3


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    run = training(tmp_path, 10)
    run._one()
    run.save()
    wider = Networks(torch.nn.Conv2d(3, 3, 3), torch.nn.Conv2d(3, 1, 3))
    other = Training(wider, batch_at, invert, Pace(steps=1), folder=tmp_path, label="live")
    with pytest.raises(InputError, match="another training"):
        other.resume()


def sick_at(bad: set[int]):
    def take(nets: Networks, batch: Batch, progress: float) -> Outcome:
        outcome = invert(nets, batch, progress)
        if int(batch["number"]) in bad:
            outcome = dataclasses.replace(outcome, generator=outcome.generator * float("nan"))
        return outcome

    return take


def test_a_step_that_is_not_finite_changes_nothing(tmp_path: Path) -> None:
    run = training(tmp_path, 30, sick_at({3}))
    for _ in range(3):
        run._one()
    before = weights(run)
    healthy, outcome = run._one()
    assert (healthy, outcome, run.skipped) == (False, None, 1)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(run), strict=True))


def test_a_critic_that_is_sick_holds_the_generator_too(tmp_path: Path) -> None:
    def take(nets: Networks, batch: Batch, progress: float) -> Outcome:
        outcome = invert(nets, batch, progress)
        root = (nets.critic(outcome.painted.detach()) * 0).abs().sqrt().sum()  # finite, but its gradient is not
        return dataclasses.replace(outcome, critic=outcome.critic + root)

    run = training(tmp_path, 30, take)
    before = weights(run)
    assert run._one() == (False, None)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(run), strict=True))


def test_several_sick_steps_go_back_and_take_other_batches(tmp_path: Path) -> None:
    run = training(tmp_path, 60, sick_at(set(range(20, 40))))
    for _ in range(20):
        run._one()
    run.save()
    list(run.run())
    assert run.returns == 1
    assert run.step == 60
    assert all(torch.isfinite(w).all() for w in weights(run))


def test_a_training_that_stays_sick_ends_and_keeps_the_healthy_checkpoint(tmp_path: Path) -> None:
    run = training(tmp_path, 60)
    for _ in range(10):
        run._one()
    run.save()
    sick = training(tmp_path, 60, sick_at(set(range(10, 10**6))))
    with pytest.raises(TrainingError, match="last healthy checkpoint"):
        list(sick.run())
    again = training(tmp_path, 60)
    assert again.resume()
    assert again.step == 10
    assert all(torch.isfinite(w).all() for w in weights(again))


def test_only_the_last_two_checkpoints_stay(tmp_path: Path) -> None:
    run = training(tmp_path, 60)
    for _ in range(5):
        run._one()
        run.save()
    assert [p.name for p in sorted(tmp_path.glob("*.checkpoint"))] == ["step-00000004.checkpoint", "step-00000005.checkpoint"]
    assert not list(tmp_path.glob("*.writing"))


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    (tmp_path / "step-00000009.checkpoint").write_bytes(b"no checkpoint")
    told = [step.note for step in training(tmp_path, 3).run()]
    assert any("step-00000009.checkpoint" in note for note in told)
