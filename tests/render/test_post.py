"""Post: off is exact, noise goes and edges stay, no halos, bars are found and left alone, samples come from all over a clip."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.oklab import as_float, as_stored
from impasto.render.post import Letterbox, denoise, enhance, proxy, proxy_info, samples

STORAGES = ["uint8", "uint16", "float32"]


def scene(seed: int = 0, size: tuple[int, int] = (96, 128)) -> Pixels:
    """Soft colours with hard edges in them, float32."""
    random = np.random.default_rng(seed)
    soft = cv2.resize(random.random((4, 5, 3), np.float32) * 0.6 + 0.2, size[::-1], interpolation=cv2.INTER_CUBIC)
    soft[size[0] // 3 : size[0] // 2, size[1] // 4 : size[1] // 2] = [0.15, 0.2, 0.6]
    return np.asarray(soft.clip(0, 1))


@pytest.mark.parametrize("function", [denoise, enhance])
@pytest.mark.parametrize("dtype", STORAGES)
def test_off_is_the_very_object_and_on_keeps_the_storage(function: Callable[[Pixels, float], Pixels], dtype: str) -> None:
    pixels = as_stored(scene(), np.dtype(dtype))
    before = pixels.copy()
    assert function(pixels, 0) is pixels
    done = function(pixels, 0.5)
    assert (done.dtype, done.shape) == (pixels.dtype, pixels.shape)
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("function", [denoise, enhance])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2), (37, 53)])
def test_tiny_and_odd_pictures_are_no_trouble(function: Callable[[Pixels, float], Pixels], size: tuple[int, int]) -> None:
    flat = np.full((*size, 3), 77, np.uint8)
    np.testing.assert_array_equal(function(flat, 1.0), flat)


@pytest.mark.parametrize("function", [denoise, enhance])
def test_light_beyond_white_stays_beyond(function: Callable[[Pixels, float], Pixels]) -> None:
    bright = np.full((32, 32, 3), 4.0, np.float32)
    bright[:16] = -0.5
    np.testing.assert_allclose(function(bright, 1.0)[[0, 31]], bright[[0, 31]], atol=1e-4)


def test_denoise_takes_noise_and_leaves_edges() -> None:
    clean = scene()
    noisy = clean + np.random.default_rng(1).standard_normal(clean.shape, np.float32) * np.float32(0.03)
    done = denoise(noisy, 0.7)
    assert np.square(done - clean).mean() < 0.35 * np.square(noisy - clean).mean()
    sharp, still = (np.abs(np.diff(each[40].mean(axis=1))) for each in (clean, done))
    assert still[sharp.argmax()] > 0.8 * sharp.max()


def test_denoise_takes_colour_noise_more_than_grey_noise() -> None:
    noise = np.random.default_rng(2).standard_normal((96, 96, 3), np.float32) * np.float32(0.02)
    grey = np.repeat(noise[..., :1], 3, axis=2)
    coloured = noise - (noise @ np.float32([0.299, 0.587, 0.114]))[..., None]
    left = [denoise(0.5 + each, 0.4).std(axis=(0, 1)).mean() / each.std() for each in (grey, coloured)]
    assert left[1] < 0.8 * left[0]


def test_enhance_makes_faint_detail_clearer_and_strong_edges_do_not_ring() -> None:
    faint = np.full((64, 64, 3), 0.5, np.float32)
    faint += 0.01 * np.sin(np.arange(64, dtype=np.float32))[:, None]
    assert enhance(faint, 1.0).std() > 1.5 * faint.std()
    step = np.full((64, 64, 3), 0.25, np.float32)
    step[:, 32:] = 0.75
    done = enhance(step, 1.0)
    assert done.min() > 0.25 - 0.09
    assert done.max() < 0.75 + 0.09
    np.testing.assert_allclose(done[:, [0, 63]], step[:, [0, 63]], atol=0.02)


def boxed(top: int, bottom: int, left: int, right: int, level: int = 16) -> list[Pixels]:
    """Three samples of a shot with bars."""
    shot = []
    for seed in range(3):
        frame = np.full((90, 160, 3), level, np.uint8)
        picture = as_stored(scene(seed, (90 - top - bottom, 160 - left - right)), np.dtype(np.uint8))
        frame[top : 90 - bottom, left : 160 - right] = picture
        shot.append(frame)
    return shot


@given(st.integers(0, 25), st.integers(0, 25), st.integers(0, 40), st.integers(0, 40), st.sampled_from([0, 16]))
def test_bars_are_found_to_the_pixel(top: int, bottom: int, left: int, right: int, level: int) -> None:
    assert Letterbox.find(boxed(top, bottom, left, right, level)) == Letterbox(top, left, 90 - top - bottom, 160 - left - right)


def test_bars_with_a_codecs_noise_are_found() -> None:
    random = np.random.default_rng(0)
    shot = [frame + random.integers(0, 3, frame.shape, np.uint8) for frame in boxed(12, 12, 0, 0)]
    assert Letterbox.find(shot) == Letterbox(12, 0, 66, 160)


def test_deep_bars_are_found() -> None:
    assert Letterbox.find([as_float(frame) for frame in boxed(12, 12, 0, 0)]) == Letterbox(12, 0, 66, 160)


def test_a_black_frame_among_the_samples_is_no_matter() -> None:
    assert Letterbox.find([*boxed(12, 12, 0, 0, 0), np.zeros((90, 160, 3), np.uint8)]).height == 66


def night(stars: bool) -> Pixels:
    frame = np.zeros((90, 160, 3), np.uint8)
    frame[60:, 40:70] = 90  # a lit house
    frame[70:] = 120
    if stars:
        frame[5:40:9, 3::23] = 200
    return frame


DARK, LIGHT = np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 200, np.uint8)


@pytest.mark.parametrize("frame", [night(False), night(True), DARK, LIGHT], ids=["night", "stars", "dark", "light"])
def test_a_night_sky_is_no_bar(frame: Pixels) -> None:
    assert Letterbox.find([frame] * 3) == Letterbox(0, 0, 90, 160)


def test_what_changes_in_time_or_is_light_is_no_bar() -> None:
    fading = boxed(12, 12, 0, 0, 0)
    fading[1][:12] = 20
    assert Letterbox.find(fading).top == 0
    assert Letterbox.find(boxed(12, 12, 0, 0, 60)) == Letterbox(0, 0, 90, 160)


class Clip:
    """A reader whose frames are as light as their place."""

    info = ClipInfo(4, 2)

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers

    def numbers(self) -> Sequence[int]:
        """All there are."""
        return self._numbers

    def read(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """Those, rising, each once."""
        assert list(numbers) == sorted(set(numbers))
        for number in numbers:
            yield Frame(np.full((2, 4, 1), number % 256, np.uint8), number)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [(range(1, 101), [11, 31, 51, 71, 91]), ([7], [7]), (range(3), [0, 1, 2]), ([10, 20, 30, 40, 50], [10, 20, 30, 40, 50])],
)
def test_samples_come_from_all_over_the_clip(numbers: Sequence[int], expected: list[int]) -> None:
    taken = samples(Clip(numbers))
    assert [int(frame.pixels[0, 0, 0]) for frame in taken] == expected
    assert [frame.number for frame in taken] == expected


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.sampled_from(STORAGES))
def test_a_proxy_has_the_size_its_info_says(height: int, width: int, channels: int, factor: int, dtype: str) -> None:
    pixels = as_stored(np.full((height, width, channels), 0.5, np.float32), np.dtype(dtype))
    small = proxy(Frame(pixels, 7, {"icc": b"x"}), factor)
    info = proxy_info(ClipInfo(width, height, 3, Fraction(24), dtype, channels), factor)
    assert small.pixels.shape == (info.height, info.width, channels)
    assert (small.number, small.tags, str(small.pixels.dtype)) == (7, {"icc": b"x"}, dtype)
    np.testing.assert_allclose(small.pixels, pixels[: info.height, : info.width], atol=1e-5 if dtype == "float32" else 0)


def test_proxy_one_is_the_frame_itself() -> None:
    frame = Frame(np.zeros((5, 5, 3), np.uint8))
    assert proxy(frame, 1) is frame


def test_hidden_colour_does_not_bleed_into_a_proxy() -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:, ::2] = [200, 100, 50, 255]
    pixels[:, 1::2] = [0, 255, 0, 0]
    np.testing.assert_array_equal(proxy(Frame(pixels), 2).pixels, np.broadcast_to(np.uint8([200, 100, 50, 128]), (2, 2, 4)))
