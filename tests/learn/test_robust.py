"""A step under attack: its grain is the worst within reach, and only where a loss hangs on it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn.robust import REACH, check_grain, robust  # noqa: E402
from impasto.learn.run.contract import Networks, Outcome  # noqa: E402

PAINTER = torch.nn.Conv2d(3, 3, 3, padding=1, bias=False)
NETWORKS = Networks(PAINTER, torch.nn.Identity())


def batch() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    drawn = {name: torch.rand(2, 3, 8, 8, generator=random) for name in ("photo", "noise")}
    return drawn | {"noise": drawn["noise"] * 0.01, "inside": torch.ones(2, 1, 8, 8)}


def apart(networks: Networks, batch: dict[str, torch.Tensor], progress: float) -> Outcome:
    """How far the painting of a picture with grain is from that without; from `progress` 0.5 on."""
    painted = networks.generator(batch["photo"])
    loss = (networks.generator(batch["photo"] + batch["noise"]) - painted).square().mean() * (progress > 0.5)
    held = painted.square().mean()
    return Outcome(loss + held if progress > 0.5 else held, held, {}, painted)


def test_the_grain_that_hurts_lies_within_reach_and_hurts_more_than_chance() -> None:
    seen = []

    def take(networks: Networks, batch: dict[str, torch.Tensor], progress: float) -> Outcome:
        seen.append(batch["noise"].detach())
        return apart(networks, batch, progress)

    given = batch()
    chance = given["noise"] + REACH * (torch.randint(0, 2, given["noise"].shape) * 2 - 1)
    worst = robust(take)(NETWORKS, given, 1.0)
    assert float((seen[1] - given["noise"]).abs().max()) == pytest.approx(REACH, rel=1e-4)
    assert worst.generator > apart(NETWORKS, given | {"noise": chance}, 1.0).generator
    worst.generator.backward()
    assert PAINTER.weight.grad is not None, "the network learns from it"


def test_where_no_loss_hangs_on_grain_the_step_is_the_recipes_own() -> None:
    own, under = apart(NETWORKS, batch(), 0.0), robust(apart)(NETWORKS, batch(), 0.0)
    assert own.generator == under.generator


def test_a_recipe_that_holds_nothing_still_is_refused() -> None:
    check_grain("one_image", batch())
    with pytest.raises(InputError, match="--robust: recipe noise as it is set here teaches no steadiness"):
        check_grain("noise", {"noise": torch.zeros(2, 64), "real": torch.zeros(2, 3, 8, 8)})
