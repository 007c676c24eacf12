"""A file stands in for a camera at its own pace; a camera that is lost is opened again; no more frames come than asked for."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame
from impasto.live.sources import Browser, Camera, File, Pump, fitted, open_source, thinned
from impasto.media import open_writer
from impasto.media.video.capture import CAUGHT, Feed
from tests.fakes import noise
from tests.live.stage import INFO, Clock

GO = Event()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames in a quarter of a second, each of another grey."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with open_writer(path, ClipInfo(64, 36, 4, replace(INFO).fps * 16 / 25)) as writer:
        for number in range(4):
            writer.write(Frame(np.full((36, 64, 3), 50 * number + 20, np.uint8), number))
    return path


def test_a_movie_comes_at_its_own_pace(clip: Path) -> None:
    clock = Clock()
    frames = list(File(clip, clock=clock).frames(GO))
    assert [frame.tags[CAUGHT] - 100 for frame in frames] == pytest.approx([0, 1 / 16, 2 / 16, 3 / 16])
    assert [round(frame.pixels.mean(), -1) for frame in frames] == [20, 70, 120, 170]


def test_it_goes_round_without_a_hole(clip: Path) -> None:
    frames = list(islice(File(clip, loop=True, clock=Clock()).frames(GO), 10))
    assert np.diff([frame.tags[CAUGHT] for frame in frames]) == pytest.approx(1 / 16)
    assert [frame.number for frame in frames] == list(range(1, 11))
    assert round(frames[4].pixels.mean(), -1) == 20


def test_what_is_read_too_slowly_is_played_later_not_faster(clip: Path) -> None:
    clock, times = Clock(), list[float]()
    for frame in File(clip, clock=clock).frames(GO):
        times.append(frame.tags[CAUGHT])
        clock.time += 2.0 if len(times) == 2 else 0.0
    assert np.diff(times) == pytest.approx([1 / 16, 2.0, 1 / 16])


def test_a_picture_is_held_and_deep_ones_are_seen_as_bytes(tmp_path: Path) -> None:
    Image.fromarray(np.full((37, 65), 30_000, np.uint16)).save(tmp_path / "deep.png")
    source = File(tmp_path / "deep.png", clock=Clock())
    frame, again = islice(source.frames(GO), 2)
    assert frame.pixels.shape == (36, 64, 3)  # streams share a colour between two pixels
    assert frame.pixels.dtype == np.uint8
    assert (frame.pixels == 117).all()
    assert again.tags[CAUGHT] - frame.tags[CAUGHT] == pytest.approx(1 / 24)


def test_a_stop_is_heeded_in_the_middle(clip: Path) -> None:
    stop = Event()
    frames = File(clip, loop=True).frames(stop)
    next(frames)
    stop.set()
    assert list(frames) == []


class Flaky:
    """A camera that gives two frames and is lost."""

    info = ClipInfo(65, 36, 0, INFO.fps)

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def __iter__(self) -> Iterator[Frame]:
        for _ in range(2):
            yield Frame(noise(36, 65), 0, {CAUGHT: self.clock.time})
        raise MediaError("cannot be read (gone): is it plugged in, and free?", "camera")

    def __enter__(self) -> Flaky:
        return self

    def __exit__(self, *_: object) -> None: ...


def test_a_camera_that_is_lost_is_tried_again_and_it_is_said_once() -> None:
    clock, notes, tries = Clock(), list[str](), list[float]()

    def opened(feed: Feed, *_: Any) -> Any:
        tries.append(clock.time)
        if 1 < len(tries) < 5:
            raise MediaError("cannot be opened (no such device): is it plugged in, and free?", feed.name)
        return Flaky(clock)

    camera = Camera(Feed("camera", "/dev/video0", "v4l2"), say=notes.append, open_feed=opened, clock=clock)
    frames = list(islice(camera.frames(GO), 4))
    assert [frame.number for frame in frames] == [1, 2, 3, 4]
    assert frames[0].pixels.shape == (36, 64, 3)
    assert np.diff(tries) == pytest.approx([1, 2, 4, 5])
    assert notes == ["camera: cannot be read (gone): is it plugged in, and free? Trying again", "camera: there again"]


def test_a_camera_must_be_there_at_the_start() -> None:
    with pytest.raises(MediaError, match="camera:97: cannot be opened"):
        open_source("camera:97", None, None, loop=False, say=print)


def test_a_browsers_frames_are_brought_to_size() -> None:
    clock = Clock()
    source = Browser((64, 36), 10, clock)
    source.catch(noise(90, 160))
    frame = next(source.frames(GO))
    assert frame.pixels.shape == (36, 64, 3)
    assert frame.tags[CAUGHT] == clock.time


def test_frames_are_thinned_evenly() -> None:
    frames = [Frame(noise(2, 2), number, {CAUGHT: number / 60}) for number in range(60)]
    kept = [frame.number for frame in thinned(iter(frames), 25)]
    assert len(kept) in (25, 26)
    assert set(np.diff(kept)) == {2, 3}
    assert len(list(thinned(iter(frames), 60))) == 60


def test_a_source_that_fails_is_told_where_it_is_watched(clip: Path) -> None:
    taken: list[Frame] = []

    class Broken(File):
        def frames(self, stop: Event) -> Iterator[Frame]:
            yield from islice(super().frames(stop), 1)
            raise MediaError("is damaged here", "clip.mp4")

    pump = Pump(Broken(clip), taken.append, 16)
    pump._thread.join()
    pump.stop()
    assert pump.over
    assert len(taken) == 1
    assert "damaged" in str(pump.error)


def test_fitting_cuts_an_odd_edge_and_resizes_the_rest() -> None:
    picture = noise(37, 65)
    assert (fitted(picture, INFO) == picture[:36, :64]).all()
    assert fitted(noise(72, 128), INFO).shape == (36, 64, 3)
