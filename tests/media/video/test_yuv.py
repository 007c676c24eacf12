"""Planes and RGB: the numbers are those of the standards, and nothing drifts from copy to copy."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.media.video.yuv import Signal, from_rgb, layout_of, narrow, narrow_into, to_rgb, widen
from tests.media.video.movies import apart, chart, psnr

MATRICES = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}


def plane(frame, index: int, depth: str):
    values = np.frombuffer(memoryview(frame.planes[index]), depth).reshape(frame.planes[index].height, -1)
    return values[:, : frame.planes[index].width].astype(np.float64)


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", ["yuv444p", "yuv444p10le", "yuv444p12le"])
def test_the_numbers_are_those_of_the_standard(matrix: int, full: bool, name: str) -> None:
    layout = layout_of(name)
    assert layout is not None
    picture = chart(dtype=np.uint8 if layout.bits == 8 else np.uint16)
    red, green, blue = np.moveaxis(picture / np.iinfo(picture.dtype).max, -1, 0)
    weight_red, weight_blue = MATRICES[matrix]
    luma = weight_red * red + (1 - weight_red - weight_blue) * green + weight_blue * blue
    chroma = (blue - luma) / (2 - 2 * weight_blue), (red - luma) / (2 - 2 * weight_red)
    step, whole = 2 ** (layout.bits - 8), 2**layout.bits - 1
    wanted = [luma * whole if full else luma * 219 * step + 16 * step]
    wanted += [each * (whole if full else 224 * step) + 128 * step for each in chroma]
    coded = from_rgb(picture, name, Signal(matrix=matrix, full=full))
    for index in range(3):
        assert np.abs(plane(coded, index, layout.depth) - wanted[index].clip(0, whole)).max() <= 0.6  # rounded once


@pytest.mark.parametrize("name", ["yuv444p", "yuvj444p", "yuv444p10le", "yuv444p12le", "yuv444p16le", "yuva444p10le"])
def test_a_colour_comes_back(name: str) -> None:
    layout = layout_of(name)
    assert layout is not None
    picture = chart(dtype=np.uint8 if layout.bits == 8 else np.uint16)
    mean, most = apart(to_rgb(from_rgb(picture, name, Signal()), Signal())[..., :3], picture)
    step = 2 ** (8 - layout.bits)
    assert mean <= 0.5 * step
    assert most <= 2.01 * step


@pytest.mark.parametrize("name", ["gbrp", "bgr0", "gbrp16le", "bgra", "gbrap16le"])
def test_rgb_is_left_alone(name: str) -> None:
    layout = layout_of(name)
    assert layout is not None
    picture = chart(dtype=np.uint8 if layout.bits == 8 else np.uint16)
    if layout.alpha:
        picture = np.dstack([picture, picture[..., 0]])
    np.testing.assert_array_equal(to_rgb(from_rgb(picture, name, Signal()), Signal()), picture)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([(2, 2), (2, 1), (1, 2)]), st.integers(0, 99))
def test_narrowing_undoes_widening(width: int, height: int, shared: tuple[int, int], seed: int) -> None:
    across, down = shared
    coarse = np.random.default_rng(seed).integers(4000, 60000, (-(-height // down), -(-width // across)), np.uint16)
    fine = widen(coarse, (width, height), across, down)
    assert fine.shape == (height, width)
    back = narrow(fine, across, down, 16).astype(int)
    inside = np.abs(back - coarse)[1:-2, 1:-2]  # at the rim there is nothing beyond to go by
    assert inside.size == 0 or inside.max() <= 2


def test_chroma_stands_beside_the_left_pixel() -> None:
    ramp = np.tile(np.arange(64, dtype=np.uint16) * 512, (8, 1))
    np.testing.assert_allclose(narrow(ramp, 2, 1, 16)[4, 4:28], np.arange(4, 28) * 1024, atol=2)
    np.testing.assert_allclose(widen(np.ascontiguousarray(ramp), (128, 8), 2, 1)[4, 8:100], np.arange(8, 100) * 256, atol=2)


def test_a_second_copy_in_420_stays() -> None:
    first = to_rgb(from_rgb(chart(320, 240), "yuv420p", Signal()), Signal())
    assert psnr(to_rgb(from_rgb(first, "yuv420p", Signal()), Signal()), first) > 44


def test_no_value_leaves_its_bits() -> None:
    noise = np.random.default_rng(0).choice([0, 65535], (64, 64, 3)).astype(np.uint16)
    for name in ("yuv420p10le", "yuv422p12le"):
        layout = layout_of(name)
        assert layout is not None
        assert max(plane(from_rgb(noise, name, Signal(full=True)), index, "uint16").max() for index in range(3)) < 2**layout.bits


@pytest.mark.parametrize("name", ["gbrpf32le", "xyz12le", "rgb565le", "gray32le"])
def test_what_holds_no_plain_numbers_is_known(name: str) -> None:
    assert layout_of(name) is None


PACKED = ["nv12", "p010le", "uyvy422", "rgb24", "rgba", "rgb48le", "pal8", "ya8", "yuv422p10be", "gray10le"]


@pytest.mark.parametrize("name", PACKED)
def test_packed_formats_are_unpacked_to_their_kind(name: str) -> None:
    layout = layout_of(name)
    assert layout is not None
    unpacked = layout_of(layout.planar)
    assert unpacked is not None
    assert unpacked == layout


@pytest.mark.parametrize("name", ["yuv420p", "yuv420p10le", "yuv422p", "yuv411p", "yuv410p"])
@pytest.mark.parametrize(("height", "width"), [(64, 48), (61, 33), (7, 10)])
def test_narrowing_in_bands_is_narrowing_the_whole(
    name: str, height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = layout_of(name)
    assert layout is not None
    plane = np.random.default_rng(0).integers(0, 2**layout.bits, (height, width)).astype(layout.depth)
    whole = narrow(plane, layout.across, layout.down, layout.bits)
    banded = np.zeros_like(whole)
    monkeypatch.setattr("impasto.media.video.yuv.BAND_ROWS", 5)
    narrow_into(banded, plane, layout)
    np.testing.assert_array_equal(banded, whole)
