"""Tiled equals whole: in every value, at every size."""
from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.engine import Engine, load_engine
from impasto.engine.devices import Device
from impasto.errors import EngineError, InputError
from impasto.frame import Pixels
from impasto.render import tiles
from impasto.render.tiles import halo_px, paint_whole_or_tiled, self_test, spans, tile_px
from tests.fakes import TINY_FIELD, TINY_STRIDE, Inverter, noise, tiny_graph, tiny_tier

HALO = halo_px(TINY_STRIDE, TINY_FIELD)


@cache
def tiny(engine: str) -> Engine:
    graph = tiny_graph()
    return load_engine(engine).open(graph, tiny_tier(graph), "fp32")


def paint_in_tiles(engine: Engine, pixels: Pixels, tile: int | str) -> Pixels:
    return paint_whole_or_tiled(engine, pixels, tile, TINY_STRIDE, TINY_FIELD)


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 150), width=st.integers(1, 150), tile=st.integers(16, 80), seed=st.integers(0, 99))
def test_tiled_equals_whole(height: int, width: int, tile: int, seed: int) -> None:
    pixels = noise(height, width, seed)
    whole = tiny("onnx").paint(pixels[None])[0]
    assert np.array_equal(paint_in_tiles(tiny("onnx"), pixels, tile), whole)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (3, 200), (200, 3), (97, 131), (128, 64)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_odd_and_small_pictures_too(size: tuple[int, int], dtype: str) -> None:
    pixels = noise(*size) if dtype == "uint8" else (noise(*size) / 255).astype(np.float32)
    painted = paint_in_tiles(tiny("openvino"), pixels, 32)
    assert painted.dtype == dtype
    assert np.array_equal(painted, tiny("openvino").paint(pixels[None])[0])


@given(
    length=st.integers(1, 3000),
    side=st.integers(16, 600),
    stride=st.sampled_from([1, 2, 4, 8]),
    field=st.integers(1, 200),
)
def test_windows_cover_the_axis_and_see_far_enough(length: int, side: int, stride: int, field: int) -> None:
    halo = halo_px(stride, field)
    window, cut = spans(length, side, halo, stride)
    padded = -(-length // stride) * stride
    assert [span.keep.start for span in cut] == [0, *(span.keep.stop for span in cut[:-1])], "each pixel is taken once"
    assert cut[-1].keep.stop == length
    assert window <= side + stride + 2 * halo or len(cut) == 1
    for span in cut:
        assert span.start % stride == 0
        assert 0 <= span.start <= padded - window, "windows lie inside the picture"
        assert span.keep.start < span.keep.stop
        assert span.start == 0 or span.keep.start - span.start >= halo
        assert span.start + window == padded or span.start + window - span.keep.stop >= halo
    assert all(one.start < other.start for one, other in pairwise(cut))


def test_windows_have_one_size() -> None:
    engine = Inverter()
    pixels = noise(170, 203)
    assert np.array_equal(paint_in_tiles(engine, pixels, 32), 255 - pixels)
    fitted = {tuple(-(-side // TINY_STRIDE) * TINY_STRIDE for side in shape[1:3]) for shape in engine.shapes[-30:]}
    assert len(fitted) == 1, "an engine prepares for one size of window only"


@pytest.mark.parametrize("engine", ["openvino", "onnx"])
def test_tiles_on_several_devices_are_the_same_bits(engine: str) -> None:
    graph, pixels = tiny_graph(), noise(170, 203)
    shared = load_engine(engine).open(graph, tiny_tier(graph), "fp32", Device("cpu", 2))
    assert np.array_equal(paint_in_tiles(shared, pixels, 32), tiny(engine).paint(pixels[None])[0])


def test_off_and_small_pictures_are_painted_whole() -> None:
    engine = Inverter()
    paint_in_tiles(engine, noise(90, 300), "off")
    paint_in_tiles(engine, noise(90, 300), "auto")
    paint_in_tiles(engine, noise(90, 300), 300)
    assert engine.shapes == [(1, 90, 300, 3)] * 3


def test_auto_takes_what_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, pixels = Inverter(), noise(400, 400)
    monkeypatch.setattr(tiles, "free_memory", lambda: 2 * 24 * 400 * 400)
    assert tile_px(engine, pixels, "auto", HALO) == 0
    monkeypatch.setattr(tiles, "free_memory", lambda: 2 * 24 * 200 * 200)
    assert tile_px(engine, pixels, "auto", HALO) == 200 - 2 * HALO
    monkeypatch.setattr(tiles, "free_memory", lambda: 0)
    assert tile_px(engine, pixels, "auto", HALO) == tiles.SMALLEST_TILE_PX


def test_free_memory_is_a_plausible_number() -> None:
    assert 1 << 20 < tiles.free_memory() < 1 << 50


@pytest.mark.parametrize("tile", ["", "big", "-64", "1.5", 0, 15, -3])
def test_a_tile_that_is_none_is_refused(tile: int | str) -> None:
    with pytest.raises(InputError, match=f"tile is '{tile}': give auto, off or a size in pixels, 16 or more"):
        paint_in_tiles(Inverter(), noise(20, 20), tile)


class Vignette(Inverter):
    """An engine that looks at the whole frame, as no generator may: it darkens away from the middle, by a little or a lot."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def paint(self, batch: Pixels) -> Pixels:
        """The negative of half the picture, darker in its right half."""
        painted = super().paint(batch // 2)
        painted[:, :, batch.shape[2] // 2 :] -= self.steps
        return painted


def test_the_self_test_finds_an_engine_that_sees_the_frame() -> None:
    assert self_test(Vignette(0), TINY_STRIDE, TINY_FIELD) == 0
    assert self_test(Vignette(1), TINY_STRIDE, TINY_FIELD) == 1, "within the bound, and told"
    with pytest.raises(EngineError, match=r"tiles differ from the whole picture by 9\.0/255: paint it whole with --tile off"):
        paint_in_tiles(Vignette(9), noise(200, 200), 32)


def test_the_self_test_is_made_once_per_engine_and_depth() -> None:
    engine = Inverter()
    for _ in range(2):
        self_test(engine, TINY_STRIDE, TINY_FIELD)
    once = len(engine.shapes)
    assert once == 5, "the whole, and four windows"
    self_test(engine, TINY_STRIDE, TINY_FIELD, "float32")
    assert len(engine.shapes) == 2 * once


def test_an_engine_that_paints_nan_is_found_out() -> None:
    class Broken(Inverter):
        def paint(self, batch: Pixels) -> Pixels:
            return np.full_like(batch, np.nan)

    with pytest.raises(EngineError, match="tiles differ"):
        self_test(Broken(), TINY_STRIDE, TINY_FIELD, "float32")
