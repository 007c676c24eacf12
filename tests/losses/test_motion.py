"""What a moving picture must keep: zero where it should be, growing where it should."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="losses work on torch tensors (extra 'learn')")

from impasto import losses  # noqa: E402  torch must be known to be there first
from impasto.learn.material.data import random_motion  # noqa: E402


def motion(size: int = 48, count: int = 2, seed: int = 0) -> losses.Motion:
    return losses.Motion(**random_motion(count, size, np.random.default_rng(seed)))


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


def test_a_flow_fetches_what_was_elsewhere() -> None:
    before = torch.rand(1, 3, 12, 16)
    now = before.roll(3, -1)  # what is at x now was at x - 3
    flow = torch.zeros(1, 2, 12, 16)
    flow[:, 0] = -3
    assert torch.allclose(losses.warp_by_flow(before, flow)[..., 3:], now[..., 3:], atol=1e-5)
    up = torch.zeros(1, 2, 12, 16)
    up[:, 1] = 2
    assert torch.allclose(losses.warp_by_flow(before, up)[..., :-2, :], before[..., 2:, :], atol=1e-5)


def test_warp_consistency_counts_only_what_both_frames_show() -> None:
    before = torch.rand(1, 3, 12, 16)
    now = before.roll(3, -1)
    flow, seen = torch.zeros(1, 2, 12, 16), torch.ones(1, 1, 12, 16)
    flow[:, 0] = -3
    seen[..., :3] = 0
    assert losses.warp_consistency(now, before, flow, seen) == pytest.approx(0, abs=1e-6)
    assert losses.warp_consistency(now + 0.25, before, flow, seen) == pytest.approx(0.25, abs=1e-5)
    assert losses.warp_consistency(now, before, flow, torch.zeros_like(seen)) == 0


def test_frame_difference_asks_for_the_films_own_change() -> None:
    filmed = (torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4))
    assert losses.frame_difference((filmed[0] + 0.3, filmed[1] + 0.3), filmed) == pytest.approx(0, abs=1e-6)
    assert losses.frame_difference((filmed[0], filmed[1] + 0.1), filmed) == pytest.approx(0.1, abs=1e-5)
