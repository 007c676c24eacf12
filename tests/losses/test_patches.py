"""Places of a picture: PatchNCE, raw patches, lost structure."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="losses work on torch tensors (extra 'learn')")

from impasto import losses  # noqa: E402  torch must be known to be there first
from impasto.models.generators.swift import Generator, Settings  # noqa: E402


def test_patch_nce_prefers_its_own_place() -> None:
    keys = torch.nn.functional.normalize(torch.randn(2, 16, 8), dim=2)
    assert losses.patch_nce(keys, keys) < losses.patch_nce(keys.roll(1, 1), keys)


def test_patch_style_is_zero_for_the_same_patches_elsewhere() -> None:
    directions = torch.nn.functional.normalize(torch.randn(147, 16), dim=0)
    x = torch.rand(1, 3, 31, 31)
    assert losses.patch_style(x, x, directions) == 0
    assert losses.patch_style(x, x * 0.2, directions) > 0.1


def test_patch_nce_by_hand() -> None:
    """Two orthogonal places at temperature 1: -log(e / (e + 1)) each."""
    keys = torch.eye(2)[None]
    assert losses.patch_nce(keys, keys, temperature=1.0) == pytest.approx(float(torch.log1p(torch.tensor(-1.0).exp())), rel=1e-6)


def test_a_generators_own_features_know_their_places() -> None:
    torch.manual_seed(0)
    generator = Generator(Settings(width=8, blocks=2, head=8))
    nce, photo = losses.PatchNCE(generator, width=16, places=64), torch.rand(1, 3, 64, 64)
    features = generator.features(photo)
    turned = [f.flip(-1, -2) for f in features]
    assert nce(features, features) < nce(turned, features)
    assert len(list(nce.parameters())) == 4 * len(features)


def test_structure_is_lost_by_other_forms_and_not_by_other_tones() -> None:
    torch.manual_seed(0)
    photo = torch.nn.functional.interpolate(torch.rand(1, 1, 12, 12), (72, 72), mode="bicubic").clamp(0, 1)
    assert losses.structure_lost(photo * 0.4 + 0.3, photo) == pytest.approx(0, abs=1e-3)
    assert losses.structure_lost(1 - photo, photo) == pytest.approx(2, abs=1e-3)
    assert losses.structure_lost(photo.flip(-1), photo) > 0.5
