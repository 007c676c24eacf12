"""Critics: what they answer, what they can see, and that spectral norm holds them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="critics are torch networks (extra 'learn')")

from impasto.models.discriminators import HeadCritic, PatchCritic, TemporalCritic  # noqa: E402  torch must be known to be there


def learns(critic: torch.nn.Module, real: torch.Tensor, fake: torch.Tensor, steps: int = 40) -> float:
    """How far apart the critic holds two kinds of picture after some steps."""
    optimiser = torch.optim.Adam(critic.parameters(), 5e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        gap = torch.stack([(f.mean() - r.mean()) for r, f in zip(critic(real), critic(fake), strict=True)]).mean()
        gap.backward()
        optimiser.step()
    return -float(gap.detach())


def test_a_patch_critic_answers_at_each_scale() -> None:
    critic = PatchCritic(4, scales=3)
    logits = critic(torch.rand(2, 3, 128, 128))
    assert [tuple(x.shape[:2]) for x in logits] == [(2, 1)] * 3
    assert logits[0].shape[2] > logits[1].shape[2] > logits[2].shape[2] >= 1
    assert len(critic.features(torch.rand(1, 3, 128, 128))) == 9


@pytest.mark.parametrize("channels", [1, 6])
def test_a_patch_critic_judges_grey_and_stacked_pictures(channels: int) -> None:
    assert PatchCritic(4, 1, channels=channels)(torch.rand(1, channels, 32, 32))[0].shape[1] == 1


def test_a_patch_critic_judges_texture_and_not_places() -> None:
    """Its verdict on a patch is the same wherever in the picture the patch lies."""
    torch.manual_seed(0)
    critic, x = PatchCritic(4, 1).eval(), torch.rand(1, 3, 48, 48)
    with torch.no_grad():
        here, shifted = critic(x)[0], critic(x.roll((4, 8), (2, 3)))[0]
    assert torch.allclose(here[..., :-1, :-2], shifted[..., 1:, 2:], atol=1e-5)


def test_a_label_changes_the_verdict() -> None:
    torch.manual_seed(0)
    critic, x = PatchCritic(4, 2, labels=3).eval(), torch.rand(1, 3, 64, 64)
    first, again, other = (critic(x, torch.tensor([look])) for look in (0, 0, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(not torch.allclose(a, b) for a, b in zip(first, other, strict=True))
    with pytest.raises(AssertionError, match="which one"):
        critic(x)


def test_spectral_norm_holds_the_slope() -> None:
    """However large the weights grow, a verdict moves no faster than its layers' norms (1 each, 0.2..1 for the leaks) allow."""
    torch.manual_seed(0)
    critic = PatchCritic(4, 1)
    with torch.no_grad():
        for p in critic.parameters():
            p.mul_(100)
    for _ in range(20):
        critic(torch.rand(1, 3, 32, 32))  # power iterations
    x = torch.rand(1, 3, 32, 32, requires_grad=True)
    critic.eval()(x)[0].sum().backward()
    assert x.grad.norm() < 60


def test_a_temporal_critic_looks_at_frames_at_its_strides() -> None:
    critic = TemporalCritic(4, strides=(1, 2, 4), channels=1)
    assert critic.frames == [0, 2, 3, 4, 5, 6, 8]
    clip = torch.tensor(critic.frames, dtype=torch.float32).view(1, 1, -1, 1, 1)
    assert [stack.flatten().tolist() for stack in critic.stacks(clip)] == [[3, 4, 5], [2, 4, 6], [0, 4, 8]]
    logits = critic(torch.rand(2, 1, 7, 48, 48))
    assert len(logits) == 3
    assert all(len(x) == 2 for x in logits)
    assert len(critic.features(torch.rand(1, 1, 7, 48, 48))) == 9


def test_a_temporal_critic_tells_movement_that_no_single_frame_shows() -> None:
    """Both kinds are the same noise frame by frame; in one it moves smoothly, in the other it is new each time."""
    torch.manual_seed(0)
    sheet = torch.rand(4, 1, 32, 48)
    smooth = torch.stack([sheet[..., i : i + 32] for i in range(3)], 2)
    jumps = torch.stack([sheet[..., i : i + 32] for i in (0, 9, 4)], 2)
    assert learns(TemporalCritic(4, strides=(1,), channels=1), smooth, jumps, steps=20) > 0.05


def test_a_head_critic_gives_one_verdict_on_composition() -> None:
    torch.manual_seed(0)
    bright_left, bright_right = torch.zeros(8, 3, 32, 32), torch.zeros(8, 3, 32, 32)
    bright_left[..., :16], bright_right[..., 16:] = 1, 1
    critic = HeadCritic(32, 4)
    assert critic(bright_left)[0].shape == (8, 1)
    assert learns(critic, bright_left, bright_right) > 0.1
    assert [f.shape[2] for f in critic.features(bright_left)] == [16, 8, 4]


def test_a_head_critic_sees_a_batch_of_one_idea() -> None:
    torch.manual_seed(0)
    many = torch.rand(6, 3, 16, 16)
    critic = HeadCritic(16, 4, spectral=False).eval()
    alone = critic(many[:1])[0]
    among = critic(many)[0][:1]
    assert not torch.allclose(alone, among), "the spread of the batch is seen"
    assert torch.allclose(critic(many[:1].expand(6, -1, -1, -1))[0], alone, atol=1e-2), "a batch of one idea has none"


def test_a_head_critic_may_know_labels() -> None:
    torch.manual_seed(0)
    critic, x = HeadCritic(16, 4, labels=2).eval(), torch.rand(2, 3, 16, 16)
    assert not torch.allclose(critic(x, torch.tensor([0, 0]))[0], critic(x, torch.tensor([1, 1]))[0])
