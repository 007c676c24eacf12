"""Bright light goes through a display-referred look and comes back as bright as it was."""
from __future__ import annotations

import numpy as np
import PyOpenColorIO as ocio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.media.shoulder import KNEE, Light, decode, encode, from_display, to_display

EVERY_HALF = np.arange(65536, dtype=np.uint16).view(np.float16)
LIT = EVERY_HALF[:0x7C00]  # from 0 to 65504


def test_every_half_comes_back_as_it_was() -> None:
    back = from_display(to_display(EVERY_HALF), EVERY_HALF).astype(np.float16)
    same = (back == EVERY_HALF) | (np.isnan(back) & np.isnan(EVERY_HALF))
    assert same.all()


def test_brighter_light_is_seen_brighter_up_to_the_brightest() -> None:
    seen = to_display(LIT)
    assert seen[0] == 0
    assert seen[-1] == 1
    assert (np.diff(seen) > 0).all()


def test_below_the_knee_light_is_seen_as_a_png_of_it() -> None:
    light = LIT[LIT.astype(np.float32) <= decode(np.asarray(KNEE))].astype(np.float32)
    config = ocio.Config.CreateFromFile("ocio://cg-config-latest")
    processor = config.getProcessor("Linear Rec.709 (sRGB)", "sRGB Encoded Rec.709 (sRGB)").getDefaultCPUProcessor()
    expected = np.repeat(light[:, np.newaxis], 3, axis=1)
    processor.applyRGB(expected)
    assert np.abs(to_display(light) - expected[:, 0]).max() < 2e-5


def test_the_shoulder_leaves_the_knee_without_a_kink() -> None:
    near = decode(np.linspace(KNEE - 1e-3, KNEE + 1e-3, 21, dtype=np.float32))
    slopes = np.diff(to_display(near).astype(np.float64))
    assert slopes.max() / slopes.min() < 1.1


@pytest.mark.parametrize("lamp", [1.0, 4.0, 20.0, 1000.0])
def test_a_lamp_keeps_its_energy_under_paint(lamp: float) -> None:
    light = np.full((64, 64, 3), lamp, np.float32)
    strokes = np.random.default_rng(0).normal(0, 0.04, light.shape)
    painted = np.clip(to_display(light) + strokes, 0, 1)
    assert from_display(painted, light).mean() == pytest.approx(lamp, rel=0.03)


def test_darker_paint_on_a_lamp_is_darker_but_still_a_lamp() -> None:
    light, seen = np.full(3, 20, np.float32), to_display(np.full(3, 20, np.float32))
    found = from_display(seen * np.float32([1, 0.9, 0.5]), light)
    assert found[0] > found[1] > found[2] > 1


def test_paint_brighter_than_the_source_does_not_explode() -> None:
    assert from_display(np.ones(3, np.float32), np.float32([0, 0.1, 0.5])).max() <= 1.0001


def test_what_is_no_number_stays_itself_and_is_painted_black() -> None:
    odd = np.float32([np.nan, np.inf, -np.inf, -2.0, 0.5])
    seen = to_display(odd)
    assert seen.tolist() == [0, 1, 0, 0, pytest.approx(0.7354, abs=1e-4)]
    found = from_display(np.full(5, 0.5, np.float32), odd)
    assert np.isnan(found[0])
    assert found[1:3].tolist() == [np.inf, -np.inf]
    assert np.isfinite(found[3:]).all()
    assert np.allclose(from_display(seen, odd)[3:], odd[3:], rtol=1e-5)


def test_a_knee_of_one_cuts_what_is_brighter_than_white() -> None:
    light = np.float32([0.2, 1.0, 3.0])
    assert np.allclose(to_display(light, knee=1), np.minimum(encode(light), 1))
    assert np.allclose(from_display(to_display(light, knee=1), light, knee=1), light, rtol=1e-5)


def test_paint_without_a_source_is_plain_srgb() -> None:
    values = np.linspace(0, 1, 50, dtype=np.float32)
    assert np.allclose(encode(from_display(values)), values, atol=1e-6)


@given(st.lists(st.floats(0, 65504, width=16), min_size=1, max_size=40), st.floats(0.5, 0.95))
def test_any_knee_gives_light_back(values: list[float], knee: float) -> None:
    light: Light = np.asarray(values, np.float32)
    assert np.allclose(from_display(to_display(light, knee), light, knee), light, rtol=2**-12, atol=1e-7)
