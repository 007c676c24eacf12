"""Each family against hand values, each penalty against a critic whose slope is known."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="losses work on torch tensors (extra 'learn')")

from impasto import losses  # noqa: E402  torch must be known to be there first
from impasto.models.discriminators import PatchCritic  # noqa: E402


def test_hinge_knows_its_margins() -> None:
    sure, unsure = [torch.full((2, 1, 3, 3), 2.0)], [torch.zeros(2, 1, 3, 3)]
    assert losses.hinge_critic(sure, [-sure[0]]) == 0
    assert losses.hinge_critic(unsure, unsure) == 2
    assert losses.hinge_generator(sure) == -2
    assert losses.told_apart(sure, [-sure[0]]) == 1
    assert losses.told_apart([-sure[0]], sure) == 0


def logits(*values: float) -> list[torch.Tensor]:
    return [torch.tensor(values).view(1, 1, 1, -1)]


REAL, FAKE = (1.5, 0.25), (-2.0, 0.5)
SOFT = torch.nn.functional.softplus
BY_HAND = {  # critic, generator
    "hinge": ((0 + 0.75) / 2 + (0 + 1.5) / 2, -(-2.0 + 0.5) / 2),
    "lsgan": (((0.25 + 0.5625) / 2 + (4 + 0.25) / 2) / 2, (9 + 0.25) / 2),
    "bce": (float(SOFT(-torch.tensor(REAL)).mean() + SOFT(torch.tensor(FAKE)).mean()), float(SOFT(-torch.tensor(FAKE)).mean())),
    "wgan": (-0.75 - 0.875, 0.75),
    "relativistic": (
        float((SOFT(-0.75 - torch.tensor(REAL)).mean() + SOFT(torch.tensor(FAKE) - 0.875).mean()) / 2),
        float((SOFT(0.875 - torch.tensor(FAKE)).mean() + SOFT(torch.tensor(REAL) + 0.75).mean()) / 2),
    ),
}


@pytest.mark.parametrize("name", losses.FAMILIES)
def test_a_family_by_hand(name: str) -> None:
    family = losses.adversarial(name)
    critic, generator = BY_HAND[name]
    assert family.critic(logits(*REAL), logits(*FAKE)) == pytest.approx(critic, rel=1e-5)
    assert family.generator(logits(*FAKE), logits(*REAL)) == pytest.approx(generator, rel=1e-5)


@pytest.mark.parametrize("name", losses.FAMILIES)
def test_both_sides_pull_apart(name: str) -> None:
    """The critic raises real and lowers fake; the generator raises fake. Scales are averaged, whatever their sizes."""
    family = losses.adversarial(name)
    real, fake = ([torch.full((2, 1, n, n), 0.3, requires_grad=True) for n in (5, 3)] for _ in range(2))
    family.critic(real, fake).backward()
    assert all((r.grad < 0).all() and (f.grad > 0).all() for r, f in zip(real, fake, strict=True))
    for f in fake:
        f.grad = None
    family.generator(fake, real).backward()
    assert all((f.grad < 0).all() for f in fake)


@pytest.mark.parametrize("name", losses.FAMILIES)
def test_told_apart_is_one_for_a_sure_critic_and_half_for_a_guessing_one(name: str) -> None:
    family = losses.adversarial(name)
    assert family.told_apart(logits(2, 3), logits(-2, -1)) == 1
    assert family.told_apart(logits(2, -2), logits(2, -2)) == 0.5


def test_a_family_that_compares_must_be_told_of_real_pictures() -> None:
    with pytest.raises(AssertionError, match="real logits"):
        losses.adversarial("relativistic").generator(logits(*FAKE))


def test_the_penalties_know_a_slope() -> None:
    """A critic that sums 3 * x over 12 values has slope 3 * sqrt(12) everywhere."""
    real, fake = torch.rand(4, 3, 2, 2), torch.rand(4, 3, 2, 2)

    def critic(x: torch.Tensor) -> list[torch.Tensor]:
        return [3 * x.flatten(1).sum(1, keepdim=True)]

    slope = 3 * 12**0.5
    assert losses.gradient_penalty(critic, real, fake) == pytest.approx((slope - 1) ** 2, rel=1e-5)
    assert losses.r1(critic, real) == pytest.approx(slope**2 / 2, rel=1e-5)


def test_the_penalties_teach_the_critic() -> None:
    torch.manual_seed(0)
    critic, x = PatchCritic(4, 1), torch.rand(2, 3, 32, 32)
    for penalty in (losses.gradient_penalty(critic, x, 1 - x), losses.r1(critic, x)):
        grads = torch.autograd.grad(penalty, [p for p in critic.parameters() if p.dim() > 1], allow_unused=True)
        assert any(g is not None and g.abs().max() > 0 for g in grads)


def test_noise_gradient_by_hand_and_by_autograd() -> None:
    """Pictures that are their one noise value times 2 everywhere have a mean that climbs by 2."""
    noise = torch.randn(3, 1, requires_grad=True)
    painted = (2 * noise)[:, :, None, None].expand(3, 3, 4, 4)
    assert losses.noise_gradient(painted, noise) == pytest.approx(4)
    assert losses.noise_gradient(painted.sin(), noise).requires_grad
