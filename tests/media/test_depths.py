"""Depths: what can be held stays, the rest goes to the nearest."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from impasto.media.depths import HELD, RISING, Depth, choose_depth, stored


def test_up_and_down_again_is_the_same() -> None:
    eight = np.arange(256, dtype=np.uint8)
    for depth in RISING[1:]:
        assert np.array_equal(stored(stored(eight, depth), "8"), eight), depth
    sixteen = np.arange(65536).astype(np.uint16)
    assert np.array_equal(stored(stored(sixteen, "float"), "16"), sixteen)
    for depth in ("10", "12"):
        levels = stored(sixteen, depth)
        assert len(np.unique(levels)) == 1 << int(depth)
        assert np.array_equal(stored(levels, depth), levels)
        assert np.array_equal(stored(stored(levels, "float"), depth), levels)


@pytest.mark.parametrize(("depth", "steps"), [("8", 255), ("10", 1023), ("12", 4095), ("16", 65535)])
def test_going_down_goes_to_the_nearest(depth: Depth, steps: int) -> None:
    unit = np.random.default_rng(0).random(20_000, np.float32)
    from_floats, from_integers = stored(unit, depth), stored(np.rint(unit * 65535).astype(np.uint16), depth)
    largest = 255 if depth == "8" else 65535
    for found in (from_floats, from_integers):
        assert np.abs(np.rint(found / largest * steps) - unit * steps).max() <= 0.5 + steps / 65535


def test_what_is_no_number_or_beyond_ends_at_the_ends() -> None:
    wild = np.array([np.nan, np.inf, -np.inf, -3, 7], np.float32)
    for depth in ("8", "10", "16"):
        top = 255 if depth == "8" else 65535
        assert stored(wild, depth).tolist() == [0, top, 0, 0, top]
    half = stored(np.array([np.nan, np.inf, 1e9, -1e9], np.float32), "half")
    assert np.isnan(half[0])
    assert half[1:].tolist() == [np.inf, 65504, -65504]


def test_what_needs_no_change_is_not_copied() -> None:
    for dtype, depth in (("uint8", "8"), ("uint16", "16"), ("float16", "half"), ("float32", "float")):
        pixels = np.ones(3, dtype)
        assert stored(pixels, depth) is pixels


def test_every_format_has_a_depth_for_every_source() -> None:
    for suffix in HELD:
        for dtype in ("uint8", "uint16", "float16", "float32"):
            assert choose_depth(Path(f"a{suffix}"), dtype, None, "auto") in HELD[suffix]
