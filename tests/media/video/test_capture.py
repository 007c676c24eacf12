"""Cameras and streams: what is meant by their names, what is said when they are not there, and a stream that comes and goes."""
from __future__ import annotations

import socket
import sys
import threading
import time
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo, Frame
from impasto.media.video import capture
from impasto.media.video.broadcast import Broadcast, Target
from impasto.media.video.capture import CAUGHT, Capture, Feed, cameras, without_password


@pytest.mark.parametrize(
    ("text", "address", "device"),
    [
        ("camera", "/dev/video0", "v4l2"),
        ("camera:2", "/dev/video2", "v4l2"),
        ("/dev/video7", "/dev/video7", "v4l2"),
        ("x11grab::0.0", ":0.0", "x11grab"),
        ("dshow:video=Cam", "video=Cam", "dshow"),
        ("rtsp://a/b", "rtsp://a/b", ""),
        ("udp://127.0.0.1:5000", "udp://127.0.0.1:5000", ""),
    ],
)
def test_names(text: str, address: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    found = Feed.parse(text)
    assert found is not None
    assert (found.address, found.device) == (address, device)


@pytest.mark.parametrize(("platform", "address"), [("darwin", "Cam"), ("win32", "video=Cam"), ("linux", "Cam")])
def test_a_camera_by_name_elsewhere(platform: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    found = Feed.parse("camera:Cam")
    assert found is not None
    assert found.address == address


@pytest.mark.parametrize("text", ["shot.mp4", "plate/shot.####.exr", "C:/shot.mov", "/dev/video", "camera.mp4"])
def test_files_are_no_feeds(text: str) -> None:
    assert Feed.parse(text) is None


def test_passwords_are_not_shown() -> None:
    assert without_password("rtsp://me:secret@host:554/a@b") == "rtsp://***@host:554/a@b"
    with pytest.raises(InputError, match=r"ftp://\*\*\*@host"):
        Feed.parse("ftp://me:secret@host")
    feed = Feed.parse("rtsp://me:secret@127.0.0.1:1/x")
    assert feed is not None
    with pytest.raises(MediaError, match=r"rtsp://\*\*\*@127.0.0.1:1/x: cannot be opened \(connection refused\)"):
        Capture(feed)


def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(MediaError, match=r"camera:97: cannot be opened .*is it plugged in, and free"):
        Capture(Feed("camera:97", "/dev/video97", "v4l2"))
    assert all(path.startswith("/dev/video") for path in cameras())


@pytest.mark.slow
def test_a_stream_is_caught_as_it_comes_and_its_end_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent and received here, over UDP: colours as they were, moments that rise, and a line when nothing comes any more."""
    monkeypatch.setattr(capture, "SILENT_SECONDS", 0.5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address = f"udp://127.0.0.1:{free.getsockname()[1]}"
    like, picture, over = ClipInfo(96, 64, 0, Fraction(25)), np.full((64, 96, 3), (200, 40, 30), np.uint8), threading.Event()

    def send() -> None:
        with Broadcast(Target.parse(f"{address}?pkt_size=1316"), like) as stream:
            for number in range(250):
                stream.write(Frame(picture, number, {CAUGHT: number / 25}))
                if over.wait(0.01):
                    return

    sender = threading.Thread(target=send)
    sender.start()
    frames: list[Frame] = []

    def receive(stream: Capture) -> None:
        for frame in stream:
            frames.append(frame)
            if len(frames) == 10:
                over.set()

    with Capture(Feed(address, address)) as stream, pytest.raises(MediaError, match="sends nothing any more: is it on the air"):
        receive(stream)
    sender.join()
    assert stream.info.width == 96
    assert np.abs(frames[0].pixels.astype(int) - picture).max() <= 6
    assert all(one.tags[CAUGHT] <= other.tags[CAUGHT] <= time.monotonic() for one, other in pairwise(frames))
