"""What is made ready paints without a wait, in the size of its inner scale, and comes out in the picture's own."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from impasto.errors import InputError, MediaError
from impasto.frame import Frame
from impasto.live.easel import Easel, mixed, resized
from impasto.live.setting import Setting
from tests.fakes import noise
from tests.live.stage import INFO, Clock, Flat

RED = Setting(style="red")


def made(looks: list[Flat]) -> Easel:
    def opened(name: str) -> Flat:
        looks.append(Flat(Clock(), (255, 0, 0), [0.0]))
        return looks[-1]

    return Easel(opened, INFO)


def test_each_scale_is_a_brush_of_its_own_and_warm() -> None:
    looks: list[Flat] = []
    easel = made(looks)
    easel.make_ready(RED, 0)
    easel.make_ready(RED, 4)
    easel.make_ready(RED, 4)
    assert [look.shapes for look in looks] == [[(36, 64, 3)], [(18, 32, 3)]]
    assert easel.is_ready(RED, 4)
    assert not easel.is_ready(RED, 1)
    assert easel.paint(Frame(noise(36, 64)), RED, 4).shape == (36, 64, 3)


def test_no_paint_is_the_very_picture() -> None:
    easel, frame = made([]), Frame(noise(36, 64))
    easel.make_ready(RED, 0)
    assert easel.paint(frame, RED.changed({"strength": 0}), 0) is frame.pixels


def test_a_picture_is_a_matte(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("mattes")
    half = np.zeros((36, 64), np.uint8)
    half[:, 32:] = 255
    Image.fromarray(half).save(folder / "half.png")
    Image.fromarray(half[:, :20]).save(folder / "small.png")
    easel, frame = made([]), Frame(noise(36, 64))
    there = RED.changed({"matte": str(folder / "half.png")})
    easel.make_ready(there, 0)
    painted = easel.paint(frame, there, 0)
    assert (painted[:, :32] == frame.pixels[:, :32]).all()
    assert (painted[:, 32:] == (255, 0, 0)).all()
    easel.keep([])
    small = RED.changed({"matte": str(folder / "small.png")})
    with pytest.raises(MediaError, match="make them one size"):
        easel.make_ready(small, 0)
    assert not easel.is_ready(small, 0)


@pytest.mark.parametrize("matte", ["alpha", "layer:mask", "matte.####.png", "matte.mov"])
def test_mattes_that_have_no_frame_for_a_cameras_are_refused(matte: str) -> None:
    with pytest.raises(InputError, match="does not go with live pictures"):
        made([]).make_ready(RED.changed({"matte": matte}), 0)


def test_sizes_and_shares() -> None:
    picture = noise(36, 64)
    assert resized(picture, 36, 64) is picture
    assert resized(picture, 18, 32).shape == (18, 32, 3)
    assert mixed(picture, picture[::-1], 1).base is picture
    assert np.abs(mixed(picture, 255 - picture, 0.5).astype(int) - 127.5).max() <= 1
