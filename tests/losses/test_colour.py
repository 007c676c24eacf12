"""Lab against another library, and the palette map."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="losses work on torch tensors (extra 'learn')")

from impasto import losses  # noqa: E402  torch must be known to be there first


def test_lab_is_what_opencv_says() -> None:
    rgb = np.random.default_rng(0).uniform(0, 1, (32, 32, 3)).astype(np.float32)
    theirs = torch.from_numpy(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)).permute(2, 0, 1)[None]
    ours = losses.to_lab(torch.from_numpy(rgb).permute(2, 0, 1)[None])
    assert (ours - theirs).abs().max() < 0.6  # opencv interpolates in a table
    assert (ours - theirs).abs().mean() < 0.1


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [((1, 0, 0), (53.24, 80.09, 67.20)), ((0, 1, 0), (87.73, -86.18, 83.18)), ((0, 0, 1), (32.30, 79.19, -107.86))],
)
def test_the_primaries_are_where_the_tables_say(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    ours = losses.to_lab(torch.tensor(rgb, dtype=torch.float32).view(1, 3, 1, 1)).flatten().tolist()
    assert ours == pytest.approx(lab, abs=0.02)


def test_white_is_white_and_black_is_black() -> None:
    white, black = (losses.to_lab(torch.full((1, 3, 1, 1), v)).flatten().tolist() for v in (1.0, 0.0))
    assert white == pytest.approx([100, 0, 0], abs=0.01)
    assert black == pytest.approx([0, 0, 0], abs=0.01)


def test_its_gradient_is_finite_from_black_to_white() -> None:
    x = torch.linspace(-0.1, 1.1, 120).view(1, 1, -1, 1).repeat(1, 3, 1, 1).requires_grad_(True)
    losses.to_lab(x).square().sum().backward()
    assert torch.isfinite(x.grad).all()
    assert x.grad.abs().max() > 0


def test_lab_colour_sees_colour_and_light_apart() -> None:
    x = torch.full((1, 3, 8, 8), 0.5)
    darker, redder = x * 0.6, x + torch.tensor([0.2, 0, 0]).view(1, 3, 1, 1)
    assert losses.lab_colour(darker, x) == pytest.approx(0, abs=1e-4)
    assert losses.lab_colour(darker, x, lightness=1.0) > 0.1
    assert losses.lab_colour(redder, x) > 0.1


def test_a_thin_line_is_not_asked_for_its_colour() -> None:
    red = torch.tensor([0.8, 0.3, 0.3]).view(1, 3, 1, 1).expand(1, 3, 16, 16).clone()
    lined = red.clone()
    lined[..., ::8] = red.mean(1, keepdim=True)[..., ::8]
    assert losses.lab_colour(lined, red, smooth_px=8) <= losses.lab_colour(lined, red) + 1e-6


def colours(mean: float, spread: float, seed: int) -> torch.Tensor:
    noise = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    return (mean + spread * noise).clamp(0, 1)


def test_a_palette_takes_one_spread_of_colours_to_another() -> None:
    photos = colours(0.5, 0.1, 0)
    art = colours(0.5, 0.05, 1) * torch.tensor([1.0, 0.7, 0.4]).view(1, 3, 1, 1)
    palette = losses.Palette.between(photos, art)
    moved, goal = palette.apply(losses.to_lab(photos)), losses.to_lab(art)
    ours, theirs = (torch.cov(lab.permute(1, 0, 2, 3).flatten(1)) for lab in (moved, goal))
    assert torch.allclose(moved.mean((0, 2, 3)), goal.mean((0, 2, 3)), atol=0.05)
    assert (ours - theirs).abs().max() < 0.1 * theirs.abs().max()
    assert palette.distance(art, photos, share=0.0) > 0
    still = losses.Palette.between(photos, photos)
    assert still.distance(photos, photos, share=1.0) == pytest.approx(0, abs=1e-3)


def test_grey_art_is_a_palette_too() -> None:
    palette = losses.Palette.between(colours(0.5, 0.2, 0), losses.grey(colours(0.5, 0.2, 1)).expand(-1, 3, -1, -1))
    moved = palette.apply(losses.to_lab(colours(0.5, 0.2, 2)))
    assert moved[:, 1:].abs().mean() < 2
    assert torch.isfinite(moved).all()


def test_each_picture_of_a_batch_may_have_its_palette() -> None:
    photos = colours(0.5, 0.1, 0)
    warm, cold = (colours(0.5, 0.1, 1) * torch.tensor(tint).view(1, 3, 1, 1) for tint in ([1.0, 0.8, 0.5], [0.5, 0.8, 1.0]))
    both = losses.Palette.side_by_side([losses.Palette.between(photos, art) for art in (warm, cold)])
    moved = both.of(torch.tensor([1, 0, 0, 1])).apply(losses.to_lab(photos))
    assert moved[0, 2].mean() < moved[1, 2].mean()  # b: blue below, yellow above
    assert moved[3, 2].mean() < moved[2, 2].mean()
