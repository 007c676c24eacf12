"""FID, KID, precision and recall: against values worked out by hand and against torchmetrics."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the figures are worked out in torch (extra 'learn')")

from impasto.evaluate.metrics import features_of, fid, kid, precision_recall, standardise  # noqa: E402


def cloud(count: int, width: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=random, dtype=torch.double) * scale + shift


def test_fid_of_two_normal_distributions_by_hand() -> None:
    """Means 3 apart, deviations 1 and 2 in one dimension: 9 + 1 + 4 - 2 * sqrt(1 * 4) = 10."""
    line = torch.linspace(-1, 1, 1001, dtype=torch.double)[:, None]
    line = line / line.std()
    assert fid(line, 2 * line + 3) == pytest.approx(10, rel=1e-6)
    assert fid(line, line) == pytest.approx(0, abs=1e-9)


def test_fid_is_the_same_as_torchmetrics() -> None:
    pytest.importorskip("torchmetrics", reason="torchmetrics is the oracle (extra 'quality')")
    from torchmetrics.image.fid import _compute_fid

    one, other = cloud(200, 6, 0), cloud(150, 6, 1, shift=0.3, scale=1.4)
    theirs = _compute_fid(one.mean(0), torch.cov(one.T), other.mean(0), torch.cov(other.T))
    assert fid(one, other) == pytest.approx(float(theirs), rel=1e-6)


def test_kid_by_hand() -> None:
    """Features of width 1: k(x, y) = (xy + 1)^3. Ours 0 and 1, theirs 1 and 2."""
    ours, theirs = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])
    within = (0 + 1) ** 3 + (2 + 1) ** 3  # one pair in each set, both ways: the mean is the value itself
    between = ((0 + 1) ** 3 * 2 + (1 + 1) ** 3 + (2 + 1) ** 3) / 4
    assert kid(ours, theirs) == pytest.approx(within - 2 * between)


def test_kid_is_the_same_as_torchmetrics() -> None:
    pytest.importorskip("torchmetrics", reason="torchmetrics is the oracle (extra 'quality')")
    from torchmetrics.image.kid import poly_mmd

    one, other = cloud(40, 5, 0), cloud(40, 5, 1, shift=0.5)
    assert kid(one, other) == pytest.approx(float(poly_mmd(one, other)), rel=1e-6)


def test_kid_of_one_distribution_is_about_nothing_and_grows_with_distance() -> None:
    base = cloud(400, 8, 0)
    near, far = (kid(cloud(400, 8, 1, shift=shift), base) for shift in (0.2, 1.0))
    assert abs(kid(cloud(400, 8, 2), base)) < 0.05 < near < far


def test_precision_and_recall_tell_what_is_wrong() -> None:
    whole = cloud(300, 3, 0)
    half = whole[whole[:, 0] > 0] + 0.01  # nothing odd, but half of it is missing
    precision, recall = precision_recall(half, whole)
    assert precision > 0.95
    assert 0.3 < recall < 0.75
    assert precision_recall(whole + 100, whole) == (0, 0)
    assert precision_recall(whole, whole) == (1, 1)


def test_reach_by_hand() -> None:
    """Theirs 0, 1, 10: each one's nearest is 1, 1 and 9 away. Of ours, 1.5 lies within reach, 2.5 of 10 only, 25 of none."""
    theirs = torch.tensor([[0.0], [1.0], [10.0]])
    assert precision_recall(torch.tensor([[1.5], [2.5], [25.0]]), theirs, neighbours=1)[0] == pytest.approx(2 / 3)


def test_standardising_takes_loudness_out() -> None:
    ours, theirs = cloud(50, 4, 0, shift=1), cloud(60, 4, 1)
    plain, loud = standardise(ours, theirs), standardise(ours * 1000 + 5, theirs * 1000 + 5)
    assert torch.allclose(plain[0], loud[0], atol=1e-6)
    assert kid(*plain) == pytest.approx(kid(*loud), rel=1e-6)


def test_features_without_a_network_see_colour_and_contrast() -> None:
    grey, red = torch.full((1, 3, 32, 32), 0.5), torch.zeros(1, 3, 32, 32)
    red[:, 0] = 1
    noisy = (grey + 0.2 * torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    flat, coloured, rough = (features_of(x, None)[0] for x in (grey, red, noisy))
    assert (flat - coloured).abs().max() > 0.4
    assert (flat - rough).abs().max() > 0.1


def test_features_of_a_network_are_means_of_its_taps(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from impasto.models.perception import Perception
    from tests.models.test_perception import write_folded

    perception = Perception([write_folded(tmp_path / "t.safetensors")])
    pictures = torch.rand(3, 3, 32, 32)
    found = features_of(pictures, perception, ("relu2_1", "relu3_1"))
    assert found.shape == (3, 12 + 16)
    by_hand = perception(pictures[:1], ("relu2_1",))["relu2_1"].values.mean((2, 3)).double()
    assert torch.allclose(found[:1, :12], by_hand, atol=1e-4)


def test_a_set_is_what_it_is_itself(tmp_path: Path) -> None:
    from PIL import Image

    from impasto.evaluate.eye import Eye
    from impasto.evaluate.sets import FEWEST, Crowd
    from tests.evaluate.shots import noisy, texture

    pictures = [texture(48, 64, seed) for seed in range(FEWEST)]
    files = [tmp_path / f"{number}.png" for number in range(FEWEST)]
    for file, picture in zip(files, pictures, strict=True):
        Image.fromarray((picture * 255).round().astype("uint8")).save(file)
    eye, crowd, few = Eye(), Crowd(files, 0), Crowd(files[1:], 0)
    for picture in pictures:
        eye.judge(noisy([picture], 0.2)[0], picture)
        crowd.take(eye)
        few.take(eye)
    found = crowd.figures(eye)
    assert found["fid"] < 0.1 < found["fid_source"]
    assert (found["precision"], found["recall"]) == (1, 1)
    assert found["precision_source"] < 0.5, "grained pictures are none of them"
    assert few.figures(eye) == {}
