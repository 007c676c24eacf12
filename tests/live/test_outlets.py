"""Outlets: the newest frames, how late they were, what is lost and found again, files that are finished."""
from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from impasto.errors import MediaError
from impasto.frame import Frame
from impasto.live import outlets
from impasto.live.flow import Delays, Newest
from impasto.live.outlets import Outlet, open_outlet
from impasto.media import open_reader
from impasto.media.video.capture import CAUGHT
from tests.fakes import noise
from tests.live.stage import INFO


def caught(number: int, at: float) -> Frame:
    return Frame(noise(36, 64, number), number, {CAUGHT: at})


def until(what: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.005)


def test_the_newest_push_the_oldest_out() -> None:
    newest = Newest[int](2)
    for number in range(5):
        newest.put(number)
    assert (newest.take(), newest.take(), newest.take(0.0), newest.missed) == (3, 4, None, 3)
    newest.put(9)
    newest.close()
    assert not newest.over
    assert (newest.take(), newest.take(), newest.over) == (9, None, True)


def test_delays_are_counted_and_not_kept() -> None:
    delays = Delays()
    assert delays.figures() == {"p50_ms": None, "p99_ms": None}
    for number in range(1000):
        delays.add(number / 1000)
    assert delays.quantile(0.5) == pytest.approx(500, abs=2)
    assert delays.quantile(0.99) == pytest.approx(990, abs=2)
    delays.add(-1)
    delays.add(1e9)


def test_a_movie_keeps_the_moments_and_has_its_name_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    outlet = open_outlet(str(path), INFO, False, print)
    outlet.start()
    times = [5.0, 5.04, 5.13, 5.14, 5.3]
    for number, at in enumerate(times):
        outlet.put(caught(number, at))
        until(lambda wanted=number: outlet.written > wanted)  # type: ignore[misc]
    assert not path.exists()
    outlet.finish()
    with open_reader(path) as reader:
        assert [float(time) for time in reader.times()] == pytest.approx([at - 5 for at in times], abs=1e-4)  # type: ignore[attr-defined]
    assert outlet.figures()["frames"] == 5
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_frame_no_movie_is_left(tmp_path: Path) -> None:
    outlet = open_outlet(str(tmp_path / "out.mkv"), INFO, False, print)
    outlet.start()
    outlet.finish()
    assert list(tmp_path.iterdir()) == []


class Server:
    """Takes frames; goes away after two, and comes back at the third try."""

    def __init__(self) -> None:
        self.opened, self.taken = 0, list[int]()

    def open(self) -> Server:
        self.opened += 1
        if 1 < self.opened < 4:
            raise MediaError("cannot be opened: does its server run?", "rtmp://x")
        return self

    def write(self, frame: Frame) -> None:
        if self.opened == 1 and len(self.taken) == 2:
            raise MediaError("cannot be written to: does its server run?", "rtmp://x")
        self.taken.append(frame.number)

    def close(self) -> None: ...
    def abort(self) -> None: ...


def test_a_server_that_goes_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlets, "FIRST_WAIT_SECONDS", 0.01)
    server, notes = Server(), list[str]()
    outlet = Outlet("rtmp://x", server.open, again=True, say=notes.append)
    outlet.start()
    for number in range(2):
        outlet.put(caught(number, 0.0))
        until(lambda wanted=number: len(server.taken) > wanted)  # type: ignore[misc]
    for number in range(2, 40):
        outlet.put(caught(number, 0.0))
        time.sleep(0.005)
    outlet.finish()
    assert server.taken[-1] == 39
    assert all(one < other for one, other in pairwise(server.taken))
    assert notes == ["rtmp://x: cannot be written to: does its server run? Trying again", "rtmp://x: there again"]
    assert outlet.failed is None


def test_a_disk_that_is_full_ends_the_file_and_no_more() -> None:
    class Full(Server):
        def write(self, frame: Frame) -> None:
            raise MediaError("cannot be written to: is the disk full?", "out.mp4")

    notes: list[str] = []
    outlet = Outlet("out.mp4", Full().open, again=False, say=notes.append)
    outlet.start()
    for number in range(9):
        outlet.put(caught(number, 0.0))
    until(lambda: outlet.failed is not None)
    outlet.finish()
    assert notes == ["out.mp4: cannot be written to: is the disk full?"]


def test_pictures_come_out_as_they_went_in(tmp_path: Path) -> None:
    flat = np.full((36, 64, 3), (200, 40, 30), np.uint8)
    outlet = open_outlet(str(tmp_path / "out.mov"), INFO, False, print)
    outlet.start()
    outlet.put(Frame(flat, 1, {CAUGHT: 0.0}))
    until(lambda: outlet.written == 1)
    outlet.finish()
    with open_reader(tmp_path / "out.mov") as reader:
        assert np.abs(next(iter(reader)).pixels.astype(int) - flat).max() <= 3
