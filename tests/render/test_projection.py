"""Projections: a 360 degree picture has no seam, a pole is no edge, and what one eye sees the other does not."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.engine import Engine, open_engine
from impasto.errors import InputError
from impasto.frame import Pixels
from impasto.render.projection import Stereo, check_stereo, paint_around, projected, surrounded
from impasto.styles.library import find
from impasto.styles.package import StyleFile

STRIDE, FIELD = 4, 24


def network(pixels: Pixels) -> Pixels:
    """As generators are: a strided layer, two that look about, back to size, zeros beyond the edge.

    It scrambles what it sees, so that one value more or less anywhere in its field changes what comes out.
    """
    height, width = pixels.shape[:2]
    whole = np.pad(pixels.astype(np.int64), ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)))
    rows, columns = whole.shape[0] // STRIDE, whole.shape[1] // STRIDE
    weights = np.arange(1, STRIDE * STRIDE + 1).reshape(1, STRIDE, 1, STRIDE, 1)
    small = (whole.reshape(rows, STRIDE, columns, STRIDE, 3) * weights).sum(axis=(1, 3)) % 251 + 1
    for _ in range(2):
        near = np.pad(small, ((1, 1), (1, 1), (0, 0)))
        small = sum((3 * y + x + 2) * near[y : y + rows, x : x + columns] for y in range(3) for x in range(3)) % 251 + 1
    large = small.repeat(STRIDE, axis=0).repeat(STRIDE, axis=1)[:height, :width]
    return ((large + pixels) % 256).astype(np.uint8)


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def around(pixels: Pixels) -> Pixels:
    return paint_around(network, pixels, STRIDE, FIELD)


@given(st.integers(1, 40), st.integers(1, 20).map(lambda n: n * STRIDE), st.integers(-5, 25).map(lambda n: n * STRIDE))
def test_turning_the_picture_turns_the_painting(height: int, width: int, turn: int) -> None:
    picture = noise(height, width)
    assert np.array_equal(around(np.roll(picture, turn, axis=1)), np.roll(around(picture), turn, axis=1))


def test_flat_pictures_have_edges() -> None:
    """What the test above would miss, were the network to see nothing of its surroundings."""
    picture = noise(32, 64)
    flat = projected(network, "flat", "none", STRIDE, FIELD)
    assert np.array_equal(flat(picture), network(picture))
    assert not np.array_equal(flat(np.roll(picture, 8, axis=1)), np.roll(flat(picture), 8, axis=1))


@pytest.mark.parametrize("width", [61, 62, 63, 101, 13, 3])
def test_a_width_askew_to_the_stride_has_no_seam_either(width: int) -> None:
    picture = noise(40, width)
    painted = around(picture)
    assert painted.shape == picture.shape
    again = network(surrounded(picture, 16, 16 + width))[16:56, 16:]  # walked around twice, without an edge between
    assert np.array_equal(painted[:, width - 1], again[:, width - 1])
    assert np.array_equal(painted[:, 0], again[:, width]), "the first column continues the last"


def test_over_the_pole_lies_the_other_side() -> None:
    picture = noise(6, 8)
    wide = surrounded(picture, 2, 3)
    assert wide.shape == (10, 13, 3)
    assert np.array_equal(wide[2:8, 2:10], picture)
    assert np.array_equal(wide[1, 2:10], np.roll(picture[0], 4, axis=0))
    assert np.array_equal(wide[0, 2:10], np.roll(picture[1], 4, axis=0))
    assert np.array_equal(wide[8, 2:10], np.roll(picture[5], 4, axis=0))
    assert np.array_equal(wide[2:8, :2], picture[:, 6:])
    assert np.array_equal(wide[2:8, 10:], picture[:, :3])
    turned = np.roll(picture[::-1], 4, axis=1)  # a picture smaller than its surroundings: over both poles, and back
    tall = surrounded(picture, 14, 0)[:, 14:]
    assert np.array_equal(tall, np.concatenate([turned[-2:], picture, turned, picture, turned, picture, turned[:2]]))


@pytest.mark.parametrize("stereo", ["side-by-side", "top-bottom"])
@pytest.mark.parametrize("projection", ["flat", "equirect"])
def test_each_eye_is_painted_as_if_it_were_alone(stereo: Stereo, projection: str) -> None:
    axis = 1 if stereo == "side-by-side" else 0
    left, right = noise(24, 48, 1), noise(24, 48, 2)
    paint = projected(network, projection, stereo, STRIDE, FIELD)  # type: ignore[arg-type]
    alone = projected(network, projection, "none", STRIDE, FIELD)  # type: ignore[arg-type]
    painted = paint(np.concatenate([left, right], axis))
    assert np.array_equal(painted, np.concatenate([alone(left), alone(right)], axis))


@pytest.mark.parametrize(("stereo", "size", "expected"), [
    ("side-by-side", (48, 31), "side-by-side needs an even width, this picture is 31x48: crop it"),
    ("top-bottom", (47, 32), "top-bottom needs an even height, this picture is 32x47"),
    ("top-bottom", (0, 32), "top-bottom needs an even height"),
])  # fmt: skip
def test_a_picture_that_is_no_two_eyes_is_refused(stereo: Stereo, size: tuple[int, int], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        projected(network, "flat", stereo, STRIDE, FIELD)(noise(*size))
    check_stereo("none", 31, 47)


@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
def test_deep_pictures_keep_their_storage(dtype: type) -> None:
    picture = noise(20, 30).astype(dtype)
    painted = paint_around(lambda pixels: pixels, picture, STRIDE, FIELD)
    assert painted.dtype == dtype
    assert np.allclose(painted, picture)


@pytest.fixture(scope="module")
def great_wave() -> tuple[Engine, int, int]:
    style = StyleFile.open(find("great-wave"))
    tier = style.card.tiers["live"]
    return open_engine(style, "live", "openvino", "fp32"), tier.stride, tier.receptive_field


@pytest.mark.parametrize("width", [128, 126])
def test_the_shipped_look_meets_itself(great_wave: tuple[Engine, int, int], width: int) -> None:
    engine, stride, field = great_wave
    x, y = np.arange(width), np.arange(48)[:, None]
    light = 128 + 60 * np.sin(2 * np.pi * x / width * 2) + 50 * np.cos(y / 9)  # smooth, also where its edges meet
    picture = np.repeat(light[..., None], 3, axis=2).astype(np.uint8)
    paint = projected(lambda pixels: engine.paint(pixels[None])[0], "equirect", "none", stride, field)
    painted = paint(picture)
    turn = 12 * stride
    turned = np.roll(paint(np.roll(picture, turn, axis=1)), -turn, axis=1)
    assert width % stride or np.abs(painted.astype(int) - turned).max() <= 1, "a sum in another order may round otherwise"
    steps = np.abs(np.diff(painted.astype(int), axis=1, append=painted[:, :1])).mean(axis=(0, 2))
    assert steps[-1] <= np.percentile(steps, 95) + 1, "the seam is no larger a step than others"
