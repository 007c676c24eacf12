"""Losses: zero where they should be, growing where they should, and pushing the right way."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="losses work on torch tensors (extra 'learn')")

from impasto import losses  # noqa: E402  torch must be known to be there first
from impasto.learn.data import random_motion  # noqa: E402
from impasto.models.perception import Features  # noqa: E402


def motion(size: int = 48, count: int = 2, seed: int = 0) -> losses.Motion:
    return losses.Motion(**random_motion(count, size, np.random.default_rng(seed)))


def test_hinge_knows_its_margins() -> None:
    sure, unsure = [torch.full((2, 1, 3, 3), 2.0)], [torch.zeros(2, 1, 3, 3)]
    assert losses.hinge_critic(sure, [-sure[0]]) == 0
    assert losses.hinge_critic(unsure, unsure) == 2
    assert losses.hinge_generator(sure) == -2
    assert losses.told_apart(sure, [-sure[0]]) == 1
    assert losses.told_apart([-sure[0]], sure) == 0


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


def test_a_look_that_moves_with_the_picture_is_steady_and_a_screen_fixed_one_is_not() -> None:
    moves = motion()
    smooth = torch.nn.functional.interpolate(torch.rand(2, 3, 6, 6), (48, 48), mode="bicubic", align_corners=True)
    grid = ((torch.arange(48)[:, None] + torch.arange(48)) // 2 % 2).float() * 0.2
    with_picture = losses.steadiness(1 - smooth, 1 - moves.move(smooth), moves)
    on_screen = losses.steadiness(smooth + grid, moves.move(smooth) + grid, moves)
    pumping = losses.steadiness(smooth, moves.move(smooth) * 0.9, moves)
    assert with_picture < 0.005
    assert on_screen > 10 * with_picture
    assert pumping > 10 * with_picture


def test_half_of_the_motions_shift_by_whole_pixels_exactly() -> None:
    moves = motion(count=1)
    x = torch.rand(1, 3, 48, 48)
    moved = moves.move(x)
    inside = moves.inside.bool().expand_as(x)
    values = set(x.flatten().mul(1e4).round().int().tolist())
    near = [v in values for v in moved[inside].mul(1e4).round().int().tolist()]
    assert np.mean(near) > 0.95


def test_film_changes_light_but_not_beyond_the_range() -> None:
    moves = motion()
    filmed = moves.film(torch.rand(2, 3, 48, 48))
    assert filmed.min() >= 0
    assert filmed.max() <= 1


def test_patch_nce_prefers_its_own_place() -> None:
    keys = torch.nn.functional.normalize(torch.randn(2, 16, 8), dim=2)
    assert losses.patch_nce(keys, keys) < losses.patch_nce(keys.roll(1, 1), keys)


def test_patch_style_is_zero_for_the_same_patches_elsewhere() -> None:
    directions = torch.nn.functional.normalize(torch.randn(147, 16), dim=0)
    x = torch.rand(1, 3, 31, 31)
    assert losses.patch_style(x, x, directions) == 0
    assert losses.patch_style(x, x * 0.2, directions) > 0.1
