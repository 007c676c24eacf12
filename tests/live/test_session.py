"""Frames in, frames out: changes without a gap, a budget that is kept, and each turn of it said once."""
from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from impasto.errors import InputError
from impasto.frame import Frame
from impasto.live.session import Session
from impasto.live.setting import Setting
from impasto.media.video.capture import CAUGHT
from tests.live.stage import COLOURS, INFO, Stage


def test_a_look_is_taken_up_once_it_is_warm_and_not_before() -> None:
    stage = Stage()
    stage.session.change({"style": "blue"})
    assert (stage.paint(warming=False) == COLOURS["red"]).all()
    assert stage.session.state()["warming"]
    stage.session.warm()
    assert (stage.paint() == COLOURS["blue"]).all()
    assert not stage.session.state()["warming"]


def test_what_is_no_longer_needed_goes() -> None:
    stage = Stage()
    for look in ("blue", "green", "red"):
        stage.session.change({"style": look})
        stage.paint(3)
    assert {look for look, _ in stage.easel._brushes} == {"red"}
    assert len(stage.easel._brushes) == 2  # at its scale, and at the next smaller one
    assert stage.opened == ["red", "red", "blue", "blue", "green", "green", "red", "red"]


def test_blend_and_strength_change_at_once() -> None:
    stage = Stage(setting=Setting(style="red", blend_with="blue", blend=0.25))
    assert stage.paint()[0, 0].tolist() == pytest.approx([191, 0, 64], abs=1)
    stage.session.change({"blend": 1, "strength": 0.5})
    assert stage.paint(warming=False)[0, 0].tolist() == pytest.approx([64, 64, 192], abs=1)
    stage.session.change({"strength": 0})
    assert (stage.paint(warming=False) == 128).all()
    assert set(stage.opened) == {"red", "blue"}


def test_a_look_that_cannot_be_opened_changes_nothing() -> None:
    stage = Stage()
    stage.session.change({"style": "grey"})
    assert (stage.paint(3) == COLOURS["red"]).all()
    assert stage.notes == ["no look grey; going on with red"]
    assert stage.session.setting.style == "red"
    with pytest.raises(InputError, match="strength"):
        stage.session.change({"strength": -1})


def test_a_matte_that_moves_is_refused_and_skin_is_not() -> None:
    stage = Stage()
    stage.session.change({"matte": "shot.mp4"})
    stage.paint(2)
    assert "does not go with live pictures" in stage.notes[0]
    stage.session.change({"matte": "skin,invert"})
    assert (stage.paint(2) == COLOURS["red"]).all()  # grey is no skin


def test_under_load_the_scale_goes_down_and_comes_up_and_is_said_once() -> None:
    stage = Stage(cost=0.02)
    stage.paint(50)
    assert stage.notes == []
    stage.cost[0] = 0.06
    assert stage.paint(100).shape == (36, 64, 3)
    assert stage.session.state()["scale"] < 1
    assert stage.session.state()["paint_ms"] < 40
    assert len(stage.notes) == 1
    assert "a frame takes longer than 40 ms" in stage.notes[0]
    stage.cost[0] = 0.01
    stage.paint(500)
    assert stage.session.state()["scale"] == 1
    assert stage.notes[-1] == "painting at 100% of the size: there is room again in 40 ms"


def test_the_next_smaller_scale_is_ready_before_it_is_needed() -> None:
    stage = Stage(cost=0.045)
    stage.paint(30, warming=False)
    assert stage.session.state()["scale"] < 1


def test_dropping_is_said_when_it_begins_and_when_it_ends() -> None:
    stage = Stage()
    grey = Frame(np.full((36, 64, 3), 128, np.uint8), 0, {CAUGHT: 0.0})
    for offered in (3, 3, 1, 1):
        for _ in range(60):
            for _ in range(offered):
                stage.session.offer(grey)
            stage.session._waiting.take()
            stage.paint()
    assert len(stage.notes) == 2
    assert "frames come faster than they are painted" in stage.notes[0]
    assert stage.notes[1] == "no frame is dropped any more"


def test_threads_paint_what_is_offered_and_end() -> None:
    stage = Stage()
    before = threading.active_count()
    taken: list[Frame] = []
    session = Session(stage.easel, Setting(style="red"), 25, taken.append)
    session.start()
    for number in range(5):
        session.offer(Frame(np.zeros((INFO.height, INFO.width, 3), np.uint8), number, {CAUGHT: 0.0}))
        time.sleep(0.02)
    session.close()
    assert threading.active_count() == before
    assert session.error is None
    assert len(taken) + session.dropped == 5
    assert taken[-1].number == 4


def test_what_goes_wrong_in_its_threads_is_told() -> None:
    stage = Stage()

    def broken(frame: Frame) -> None:
        raise RuntimeError("no more")

    session = Session(stage.easel, Setting(style="red"), 25, broken)
    session.start()
    session.offer(Frame(np.zeros((INFO.height, INFO.width, 3), np.uint8), 1, {CAUGHT: 0.0}))
    session.close()
    assert isinstance(session.error, RuntimeError)
