"""Networks that repair: enlargement against another library, luma that is kept, holes that alone are painted."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from torch.nn import functional as F  # noqa: E402  torch must be known to be there first

from impasto.models.generators import enlarge, mend, tint  # noqa: E402
from impasto.models.pyramid import REACH, Cubic, cubic_lines  # noqa: E402
from tests.fakes import lively  # noqa: E402


@pytest.mark.parametrize("scale", [2, 4])
def test_the_fixed_kernel_is_the_cubic_one(scale: int) -> None:
    """As torch's antialiased resize, which takes the same curve where a picture grows."""
    x = torch.rand(2, 3, 12, 15)
    expected = F.interpolate(x, scale_factor=scale, mode="bicubic", antialias=True)
    inner = slice(REACH * scale, -REACH * scale)
    torch.testing.assert_close(Cubic(3, scale)(x)[..., inner, inner], expected[..., inner, inner], rtol=0, atol=1e-5)


def test_the_kernel_keeps_flat_pictures_flat() -> None:
    assert abs(cubic_lines(4).sum(1) - 1).max() < 1e-6
    assert abs(Cubic(1, 2)(torch.full((1, 1, 5, 7), 0.3)) - 0.3).max() < 1e-6


@pytest.mark.parametrize("scale", [2, 4])
def test_enlarge_starts_as_the_cubic_enlargement(scale: int) -> None:
    painter = enlarge.Generator(enlarge.Settings(scale=scale)).eval()
    x = torch.rand(1, 3, 9, 14)
    with torch.inference_mode():
        larger, plain = painter(x), painter.cubic(x).clamp(0, 1)
    assert larger.shape == (1, 3, 9 * scale, 14 * scale)
    assert (larger - plain).abs().mean() < 0.01


def test_a_scale_that_is_not_offered_is_refused() -> None:
    with pytest.raises(ValueError, match="2 or 4"):
        enlarge.Settings.model_validate({"scale": 3})


def test_tint_keeps_the_luma_whatever_it_learnt() -> None:
    painter = lively(tint.Generator(tint.Settings(width=8, blocks=1)))
    x = torch.rand(2, 3, 32, 48)
    x[:, :, :4], x[:, :, -4:] = 0, 1
    with torch.inference_mode():
        coloured = painter(x)
        same = painter(tint.luma(x).expand(-1, 3, -1, -1))
    torch.testing.assert_close(tint.luma(coloured), tint.luma(x), rtol=0, atol=1e-5)
    torch.testing.assert_close(coloured, same, rtol=0, atol=1e-5)  # it sees no colour that is there
    assert (coloured - tint.luma(x)).abs().mean() > 0.01


def test_chroma_and_luma_make_the_colour_again() -> None:
    from impasto.learn.material.chroma import chroma

    x = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(tint.with_chroma(tint.luma(x), chroma(x)), x, rtol=0, atol=1e-5)


def test_mend_paints_holes_and_nothing_else() -> None:
    painter = lively(mend.Generator(mend.Settings(width=8, blocks=1, hole=1)))
    assert painter.guides == {"hole": 1}
    x = torch.rand(1, 4, 24, 32)
    x[:, 3] = 0
    x[:, 3, 8:16, 8:16] = 1
    with torch.inference_mode():
        painted = painter(x)
    outside = x[:, 3:] == 0
    assert torch.equal(painted[outside.expand(-1, 3, -1, -1)], x[:, :3][outside.expand(-1, 3, -1, -1)])
    assert (painted - x[:, :3])[:, :, 8:16, 8:16].abs().mean() > 0.01


@pytest.mark.parametrize("scale", [2, 4])
def test_an_enlarging_graph_paints_what_the_generator_paints(scale: int) -> None:
    from impasto.engine.export import export_graph

    assert export_graph(lively(enlarge.Generator(enlarge.Settings(scale=scale, width=8, blocks=1))))
