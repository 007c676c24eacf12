"""Knobs: off is exact, curves hold their keys, colours keep their hue, strokes grow, a palette is measured once."""
from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.frame import Pixels
from impasto.media.oklab import as_float, as_stored, from_linear, from_oklab, to_linear, to_oklab
from impasto.render.knobs import Curve, Palette, keep_colour, scaled

STORAGES = ["uint8", "uint16", "float32"]


def picture(seed: int = 0, dtype: str = "uint8", size: tuple[int, int] = (48, 64)) -> Pixels:
    coarse = np.random.default_rng(seed).random((6, 8, 3), np.float32)
    large = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return as_stored(large, np.dtype(dtype))


@pytest.mark.parametrize("text", ["0.7", " .7 ", "7e-1"])
def test_a_number_is_a_curve_that_stays(text: str) -> None:
    curve = Curve.parse(text)
    assert (curve.constant, curve.at(-5), curve.at(10**6)) == (0.7, 0.7, 0.7)


def test_a_curve_holds_its_keys_and_is_straight_between() -> None:
    curve = Curve.parse("1024:1, 1001:0,1048 : .5")
    assert [curve.at(frame) for frame in (1, 1001, 1024, 1048, 9999)] == [0, 0, 1, 0.5, 0.5]
    assert curve.at(1012) == pytest.approx(11 / 23)
    assert curve.constant is None


def test_a_curve_of_one_value_is_constant() -> None:
    assert Curve.parse("1:0.5, 20:0.5").constant == 0.5


@given(st.dictionaries(st.integers(-(10**6), 10**6), st.floats(0, 1), min_size=1, max_size=5))
def test_a_curve_is_read_back_from_its_text(keys: dict[int, float]) -> None:
    curve = Curve.parse(", ".join(f"{frame}:{value!r}" for frame, value in keys.items()))
    again = Curve.parse(str(curve))
    assert all(again.at(frame) == curve.at(frame) == value for frame, value in keys.items())


@pytest.mark.parametrize(
    "text",
    ["", "much", "1001", "1.5:1", "1:0,,2:1", "1:0 2:1", "1:", ":1", "nan", "1:nan", "inf", "1:2", "-0.1", "1e999", "1:0,1:1"],
)
def test_what_is_no_curve_is_told_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^'.*' (is no curve|has the value|has two values).*: \w") as caught:
        Curve.parse(text)
    assert "\n" not in str(caught.value)


def test_the_range_of_a_curve_is_named() -> None:
    with pytest.raises(ValueError, match=r"value 5: choose from 0.25 to 4"):
        Curve.parse("1:1, 2:5", 0.25, 4)


@pytest.mark.parametrize("dtype", STORAGES)
def test_colour_comes_back_from_oklab(dtype: str) -> None:
    pixels = picture(dtype=dtype)
    back = from_linear(from_oklab(to_oklab(to_linear(pixels))), pixels.dtype)
    assert np.abs(back.astype(np.float64) - pixels).max() <= (1e-4 if dtype == "float32" else 1)


def test_values_beyond_the_screen_come_back_too() -> None:
    pixels = np.float32([[[-0.2, 0.0, 1.0], [3.0, 0.5, 12.0]]])
    np.testing.assert_allclose(from_linear(to_linear(pixels), pixels.dtype), pixels, rtol=1e-4, atol=1e-5)


def test_known_colours_lie_where_oklab_puts_them() -> None:
    lab = to_oklab(to_linear(np.uint8([[[255, 255, 255], [255, 0, 0], [0, 0, 255]]])))[0]
    np.testing.assert_allclose(lab, [[1, 0, 0], [0.628, 0.2249, 0.1258], [0.452, -0.0325, -0.3115]], atol=2e-3)


@pytest.mark.parametrize("dtype", STORAGES)
def test_keep_colour_takes_lightness_from_the_painting_and_hue_from_the_source(dtype: str) -> None:
    source, painted = picture(1, dtype), picture(2, dtype)
    kept = keep_colour(source, painted, 1.0)
    assert kept.dtype == painted.dtype
    was, wanted, got = (to_oklab(to_linear(each)) for each in (painted, source, kept))
    assert np.abs(got[..., 0] - was[..., 0]).max() < 0.06, "where colour must give way, lightness gives a little"
    assert np.abs(got[..., 0] - was[..., 0]).mean() < 0.006
    wanted_hue, got_hue = (np.arctan2(lab[..., 2], lab[..., 1]) for lab in (wanted, got))
    clear = (np.hypot(wanted[..., 1], wanted[..., 2]) > 0.05) & (np.hypot(got[..., 1], got[..., 2]) > 0.05)
    turned = np.abs(np.angle(np.exp(1j * (wanted_hue - got_hue))))[clear]
    assert turned.max() < 0.5
    assert np.median(turned) < 0.05


def test_keep_colour_off_is_the_painting_itself() -> None:
    painted = picture(2)
    assert keep_colour(picture(1), painted, 0) is painted


def test_keep_colour_of_the_source_is_the_source() -> None:
    source = picture(1)
    assert np.abs(keep_colour(source, source, 1.0).astype(int) - source).max() <= 1


def test_keep_colour_has_no_steps() -> None:
    """A saturated colour under a painting that goes from black to white: neighbours stay neighbours."""
    source = np.broadcast_to(np.float32([0.1, 0.2, 0.95]), (1, 512, 3))
    painted = np.broadcast_to(np.linspace(0, 1, 512, dtype=np.float32)[None, :, None], (1, 512, 3))
    kept = keep_colour(source, painted, 1.0)
    assert np.abs(np.diff(kept, axis=1)).max() < 0.02
    assert kept.min() > -1e-3
    assert kept.max() < 1.001


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.25, 4), st.sampled_from(STORAGES))
def test_scaled_keeps_size_storage_and_flat_colour(height: int, width: int, scale: float, dtype: str) -> None:
    flat = as_stored(np.full((height, width, 3), 0.4, np.float32), np.dtype(dtype))
    painted = scaled(lambda pixels: pixels, scale)(flat)
    assert painted.dtype == flat.dtype
    assert painted.shape == flat.shape
    np.testing.assert_allclose(painted, flat, atol=1e-5 if dtype == "float32" else 1)


@pytest.mark.parametrize(("scale", "inner"), [(2, (16, 20)), (0.5, (62, 82)), (4, (8, 10))])
def test_scaled_strokes_are_painted_at_another_size(scale: float, inner: tuple[int, int]) -> None:
    shapes = []

    def paint(pixels: Pixels) -> Pixels:
        shapes.append(pixels.shape[:2])
        return pixels

    scaled(paint, scale)(np.zeros((31, 41, 3), np.uint8))
    assert shapes == [inner]


def test_scale_one_is_the_painter_itself() -> None:
    assert scaled(np.copy, 1) is np.copy


def test_enlarged_strokes_are_crisp_and_do_not_ring() -> None:
    edge = np.repeat(np.repeat(np.uint8([[60] * 8 + [200] * 8]), 16, axis=0)[..., None], 3, axis=2)
    painted = scaled(lambda _: edge, 4)(np.zeros((64, 64, 3), np.uint8))
    assert painted.min() >= 60
    assert painted.max() <= 200
    plain = cv2.resize(edge, (64, 64), interpolation=cv2.INTER_LINEAR)
    assert np.diff(painted[32, :, 0].astype(int)).max() > np.diff(plain[32, :, 0].astype(int)).max()


@pytest.mark.parametrize("dtype", STORAGES)
def test_a_palette_gives_the_pictures_mean_and_spread(dtype: str) -> None:
    painted, wanted = (picture(3, dtype) / 2).astype(dtype), picture(4) // 3 + 100
    mapped = Palette.measure([painted], wanted).apply(painted)
    before, after, goal = (to_oklab(to_linear(each)).reshape(-1, 3) for each in (painted, mapped, wanted))
    assert np.abs(after.mean(0) - goal.mean(0)).max() < 0.25 * np.abs(before.mean(0) - goal.mean(0)).max()
    assert np.abs(np.cov(after.T) - np.cov(goal.T)).max() < 0.5 * np.abs(np.cov(before.T) - np.cov(goal.T)).max()


def test_a_palette_is_the_same_for_every_frame() -> None:
    palette = Palette.measure([picture(3), picture(5)], picture(4))
    whole = palette.apply(picture(3))
    np.testing.assert_array_equal(palette.apply(picture(3)[:7, :9]), whole[:7, :9])


def test_a_palette_flips_nothing_and_flattens_nothing() -> None:
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (2, 256, 3)).copy()
    bright = np.full((16, 16, 3), 240, np.uint8)
    bright[::2] = 20
    mapped = Palette.measure([ramp // 4 + 96], bright).apply(ramp)  # the strongest stretch there is
    lightness = to_oklab(to_linear(mapped))[0, :, 0]
    assert (np.diff(lightness) > -2e-3).all()
    assert len(np.unique(mapped[0, 96:160, 0])) > 40


def test_a_colourless_painting_takes_a_palette() -> None:
    grey = np.repeat(picture(1)[..., :1], 3, axis=2)
    mapped = Palette.measure([grey], picture(4)).apply(grey)
    assert np.isfinite(as_float(mapped)).all()


def test_palette_off_is_the_painting_itself_and_half_lies_between() -> None:
    painted, palette = picture(3), Palette.measure([picture(3)], picture(4))
    assert palette.apply(painted, 0) is painted
    all_of_it, half = (as_float(palette.apply(painted, amount)).mean(axis=(0, 1)) for amount in (1, 0.5))
    none = as_float(painted).mean(axis=(0, 1))
    assert (np.abs(half - none) < np.abs(all_of_it - none) + 0.02).all()
