"""Likely skin: found in any tone and exposure, not found in what only comes near it, and steady."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from impasto.frame import Pixels
from impasto.render.skin import likely_skin

PORTRAITS = Path(__file__).parents[3] / "shared/data/photos/portraits_acani"
SKIN = {"light": (194, 150, 130), "dark": (115, 82, 68), "pale": (233, 196, 180), "deep": (66, 46, 38), "tanned": (178, 122, 96)}
OTHER = {
    "grass": (80, 120, 50),
    "sky": (130, 170, 220),
    "sand": (194, 178, 128),
    "grey": (128, 128, 128),
    "yellow wood": (181, 133, 72),
    "red paint": (190, 25, 25),
    "violet": (120, 70, 150),
    "white": (250, 250, 250),
    "black": (12, 8, 6),
}


def patch(colour: tuple[int, ...], side: int = 120) -> Pixels:
    """A face's worth of a colour on grey, with a little noise."""
    image = np.full((240, 320, 3), 110.0)
    cv2.ellipse(image, (160, 120), (side // 3, side // 2), 0, 0, 360, colour, -1)
    noisy = image + np.random.default_rng(0).normal(0, 1.5, image.shape)
    return noisy.clip(0, 255).astype(np.uint8)


def inside(plane: NDArray[np.float32]) -> float:
    return float(plane[100:140, 145:175].mean())


@pytest.mark.parametrize("colour", SKIN.values(), ids=SKIN)
@pytest.mark.parametrize("exposure", [0.75, 1.0, 1.1])
def test_skin_of_every_tone_in_more_or_less_light(colour: tuple[int, ...], exposure: float) -> None:
    plane = likely_skin(patch(tuple(round(min(each * exposure, 250)) for each in colour)))
    assert inside(plane) > 0.75
    assert plane[:40].max() == 0, "and not around it"


@pytest.mark.parametrize("colour", OTHER.values(), ids=OTHER)
def test_what_is_no_skin(colour: tuple[int, ...]) -> None:
    assert inside(likely_skin(patch(colour))) < 0.15


def test_rough_things_of_that_colour_are_no_skin() -> None:
    rough = patch(SKIN["light"]) * np.random.default_rng(1).uniform(0.5, 1.3, (240, 320, 1))
    assert inside(likely_skin(rough.clip(0, 255).astype(np.uint8))) < 0.3


def test_specks_are_left_out_and_eyes_taken_in() -> None:
    image = patch(SKIN["light"])
    cv2.circle(image, (160, 120), 4, (60, 90, 120), -1)  # an eye
    cv2.circle(image, (40, 40), 3, SKIN["light"], -1)
    plane = likely_skin(image)
    assert plane[120, 160] > 0.7
    assert plane[30:50, 30:50].max() < 0.1


def test_what_else_is_in_the_frame_does_not_matter() -> None:
    alone, together = patch(SKIN["dark"]), patch(SKIN["dark"])
    together[:, 260:] = (255, 80, 20)
    assert np.array_equal(likely_skin(alone)[:, :220], likely_skin(together)[:, :220])


def test_grain_does_not_make_it_flicker() -> None:
    image = cv2.resize(patch(SKIN["tanned"]), (1280, 960)).astype(np.float32)
    random = np.random.default_rng(2)
    takes = [likely_skin((image + random.normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8)) for _ in range(2)]
    assert np.abs(takes[0] - takes[1]).mean() < 0.005
    assert np.abs(takes[0] - takes[1]).max() < 0.35


@pytest.mark.parametrize("dtype", ["uint16", "float32", "float16"])
def test_every_storage_is_judged_alike(dtype: str) -> None:
    image = patch(SKIN["light"])
    deep = image.astype(np.uint16) * 257 if dtype == "uint16" else (image / 255).astype(dtype)
    assert np.abs(likely_skin(deep) - likely_skin(image)).max() < 0.02


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 2), (301, 1999)])
def test_every_size(size: tuple[int, int]) -> None:
    plane = likely_skin(np.full((*size, 3), SKIN["light"], np.uint8))
    assert plane.shape == size
    assert plane.dtype == np.float32
    assert 0.9 < plane.min() <= plane.max() <= 1


@pytest.mark.skipif(not PORTRAITS.is_dir(), reason="the shared photographs are not beside this checkout")
@pytest.mark.parametrize("name", ["picture_1", "picture_12", "picture_16", "picture_28"])
def test_faces_in_photographs(name: str) -> None:
    image = cv2.imread(str(PORTRAITS / f"{name}.jpg"))
    plane = likely_skin(image[..., ::-1])
    height, width = plane.shape
    assert plane[int(0.35 * height) : int(0.55 * height), int(0.45 * width) : int(0.65 * width)].mean() > 0.65
