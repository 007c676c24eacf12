"""Judges of whole pictures: one verdict each, an eye for sameness, and features brought to one scale."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="judges are torch modules (extra 'learn')")

from impasto.models.judges import FeatureJudge, PixelJudge, spread_of_group  # noqa: E402  torch must be known to be there first


@pytest.mark.parametrize("size", [16, 64])
def test_one_verdict_per_picture(size: int) -> None:
    judge = PixelJudge(size, width=2, widest=8)
    assert judge(torch.rand(3, 3, size, size)).shape == (3, 1)


def test_the_spread_of_a_group_by_hand() -> None:
    same = torch.ones(4, 2, 3, 3)
    assert float(spread_of_group(same).max()) == pytest.approx(1e-4, rel=1e-3)
    two = torch.cat([torch.zeros(2, 1, 2, 2), torch.ones(2, 1, 2, 2)])
    out = spread_of_group(two)
    assert out.shape == (4, 1, 2, 2)
    assert float(out.mean()) == pytest.approx(0.5, abs=1e-3), "two at 0 and two at 1 deviate by 0.5"
    assert spread_of_group(torch.rand(5, 2, 2, 2)).shape == (5, 1, 2, 2), "a count that no group of four divides"


def test_a_judge_with_an_eye_for_sameness_has_another_channel() -> None:
    with_eye, without = (PixelJudge(16, 2, 8, spread=spread) for spread in (True, False))
    assert with_eye.last.in_channels == without.last.in_channels + 1


def test_features_of_any_loudness_are_judged_alike() -> None:
    torch.manual_seed(0)
    quiet = {"tap": torch.randn(8, 6, 8, 8)}
    loud = {"tap": quiet["tap"] * 100 + 40}
    judges = []
    for features in (quiet, loud):
        torch.manual_seed(1)
        judges.append(FeatureJudge(features, width=4).eval())
    (one,), (other,) = judges[0](quiet), judges[1](loud)
    assert one.shape == (8, 1, 1, 1)
    assert torch.allclose(one, other, atol=1e-2)
