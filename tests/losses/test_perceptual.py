"""Features against features: Gram, sliced Wasserstein, unit columns, matching."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="losses work on torch tensors (extra 'learn')")

from impasto import losses  # noqa: E402  torch must be known to be there first
from impasto.models.discriminators import PatchCritic  # noqa: E402
from impasto.models.perception import Features  # noqa: E402


def test_gram_style_is_zero_on_the_reference_and_one_on_black() -> None:
    taps = {"relu1_1": Features(torch.rand(1, 4, 8, 8))}
    targets = {"relu1_1": taps["relu1_1"].gram()[0]}
    assert losses.gram_style(taps, targets) == pytest.approx(0, abs=1e-9)
    assert losses.gram_style({"relu1_1": Features(torch.zeros(1, 4, 8, 8))}, targets) == pytest.approx(1)


def test_content_ignores_tone_and_sees_structure() -> None:
    photo = {"relu3_1": Features(torch.rand(1, 8, 6, 6))}
    brighter = {"relu3_1": Features(photo["relu3_1"].values * 3)}
    other = {"relu3_1": Features(torch.rand(1, 8, 6, 6))}
    assert losses.perceptual_content(brighter, photo, ["relu3_1"]) == pytest.approx(0, abs=1e-6)
    assert losses.perceptual_content(other, photo, ["relu3_1"]) > 0.05


def test_a_gram_for_each_picture_may_be_the_target() -> None:
    values = torch.rand(2, 4, 8, 8)
    taps = {"relu1_1": Features(values)}
    own = taps["relu1_1"].gram()
    assert losses.gram_style(taps, {"relu1_1": own}) == pytest.approx(0, abs=1e-9)
    crossed, same = losses.gram_style(taps, {"relu1_1": own.flip(0)}), losses.gram_style(taps, {"relu1_1": own[:1]})
    assert crossed > 0, "each picture has its own goal"
    by_hand = (own[1] - own[0]).square().sum() / own[0].square().sum() / 2
    together = (own.mean(0) - own[0]).square().sum() / own[0].square().sum()
    assert same == pytest.approx(float((by_hand + together) / 2), rel=1e-5)


def test_sliced_style_knows_the_distribution_and_not_the_places() -> None:
    torch.manual_seed(0)
    values = torch.randn(2, 6, 16, 16)
    elsewhere = values.flatten(2)[:, :, torch.randperm(256)].view_as(values)
    here = {"relu1_1": Features(values)}
    assert losses.sliced_style({"relu1_1": Features(elsewhere)}, here) == pytest.approx(0, abs=1e-6)
    shifted = [losses.sliced_style({"relu1_1": Features(values + by)}, here) for by in (0.1, 0.5)]
    assert 0 < shifted[0] < shifted[1]


def test_sliced_style_tells_what_mean_and_covariance_cannot() -> None:
    torch.manual_seed(0)
    round_ = torch.randn(4, 1, 64, 64)
    coin = torch.randn(4, 1, 64, 64).sign()  # same mean, same spread
    near = losses.sliced_style({"relu1_1": Features(torch.randn(2, 1, 64, 64))}, {"relu1_1": Features(round_)})
    assert losses.sliced_style({"relu1_1": Features(coin)}, {"relu1_1": Features(round_)}) > 10 * near


def test_perceptual_is_zero_for_what_points_the_same_way_and_two_for_the_opposite_square() -> None:
    features = [torch.randn(1, 5, 3, 3), torch.randn(1, 2, 4, 4)]
    assert losses.perceptual(features, [3 * f for f in features]) == pytest.approx(0, abs=1e-6)
    assert losses.perceptual(features, [-f for f in features]) == pytest.approx(4, abs=1e-5)  # |u - (-u)|^2


def test_feature_matching_is_l1_and_moves_only_ours() -> None:
    ours, theirs = torch.zeros(1, 2, 2, 2, requires_grad=True), torch.ones(1, 2, 2, 2, requires_grad=True)
    loss = losses.feature_matching([ours], [theirs])
    loss.backward()
    assert loss == 1
    assert ours.grad is not None
    assert theirs.grad is None


def test_a_critics_features_are_matched_as_well() -> None:
    critic, x = PatchCritic(4, 1).eval(), torch.rand(1, 3, 64, 64)
    seen = critic.features(x)
    assert losses.feature_matching(seen, critic.features(x)) == 0
    assert losses.feature_matching(seen, critic.features(x * 0.5)) > 0
