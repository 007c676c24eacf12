"""Picture against picture."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="losses work on torch tensors (extra 'learn')")

from impasto import losses  # noqa: E402  torch must be known to be there first


def test_l1_and_l2_by_hand_and_under_a_matte() -> None:
    ours, theirs = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)
    assert losses.pixels(ours, theirs) == 0.5
    assert losses.pixels(ours, theirs, power=2) == 0.25
    theirs[..., 0, 0] = 1
    matte = torch.zeros(1, 1, 2, 2)
    matte[..., 0, 0] = 1
    assert losses.pixels(ours, theirs, weight=matte) == 1
    assert losses.pixels(ours, theirs, weight=torch.zeros(1, 1, 2, 2)) == 0


def test_identity_and_cycle_ask_for_the_picture_back() -> None:
    x = torch.rand(1, 3, 4, 4)
    for loss in (losses.identity, losses.cycle):
        assert loss(x, x) == 0
        assert loss(x + 0.1, x) == pytest.approx(0.1, abs=1e-6)


def test_total_variation_by_hand() -> None:
    step = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    assert losses.total_variation(step) == 1  # 1 across, 0 down
    assert losses.total_variation(torch.full((1, 3, 5, 5), 0.3)) == 0


def test_grey_is_one_plane_and_keeps_greys() -> None:
    x = torch.full((2, 3, 4, 4), 0.25)
    assert torch.allclose(losses.grey(x), torch.full((2, 1, 4, 4), 0.25))
    green, blue = torch.zeros(1, 3, 1, 1), torch.zeros(1, 3, 1, 1)
    green[:, 1], blue[:, 2] = 1, 1
    assert losses.grey(green) > losses.grey(blue)


def test_ssim_by_hand() -> None:
    x = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    assert losses.ssim(x, x) == pytest.approx(1)
    dark, light = torch.full((1, 3, 9, 9), 0.2), torch.full((1, 3, 9, 9), 0.6)
    assert losses.ssim(dark, light) == pytest.approx((2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4), abs=1e-3)
    noise = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(1))
    assert losses.ssim(x, noise) < losses.ssim(x, 0.9 * x + 0.1 * noise) < 1
    one, two = x[..., :7, :7], noise[..., :7, :7]  # one window: the formula over all its pixels
    a, b = (y.flatten(2) for y in (one, two))
    spread = a.var(2, correction=0) + b.var(2, correction=0)
    both = ((a - a.mean(2, keepdim=True)) * (b - b.mean(2, keepdim=True))).mean(2)
    means = a.mean(2), b.mean(2)
    like = (2 * means[0] * means[1] + 1e-4) * (2 * both + 9e-4)
    by_hand = (like / ((means[0] ** 2 + means[1] ** 2 + 1e-4) * (spread + 9e-4))).mean()
    assert losses.ssim(one, two) == pytest.approx(float(by_hand), abs=1e-4)
