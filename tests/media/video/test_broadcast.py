"""Live outputs: what is meant by their names, what keeps them from being written, and what is left when they end or fail."""
from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo, Frame
from impasto.media import open_reader
from impasto.media.video.broadcast import Broadcast, Target
from impasto.media.video.capture import CAUGHT

LIKE = ClipInfo(96, 64, 0, Fraction(25))
PICTURE = np.full((64, 96, 3), (200, 40, 30), np.uint8)


def caught(at: float) -> Frame:
    return Frame(PICTURE, 0, {CAUGHT: at})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a.mp4", "mp4"),
        ("a.MOV", "mov"),
        ("live/a.m3u8", "hls"),
        ("/dev/video10", "v4l2"),
        ("rtmp://host/live/key", "flv"),
        ("udp://127.0.0.1:1?pkt_size=1316", "mpegts"),
        ("rtsp://me:secret@host/x", "rtsp"),
    ],
)
def test_names(text: str, kind: str) -> None:
    found = Target.parse(text)
    assert found.format == kind
    assert found.address == text
    assert "secret" not in found.name


def test_what_is_no_place(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="nothing live is written there"):
        Target.parse("out.png")
    with pytest.raises(InputError, match=r"ftp://\*\*\*@x: nothing is sent as 'ftp'"):
        Target.parse("ftp://me@x")
    with pytest.raises(MediaError, match="there is no folder"):
        Target.parse(str(tmp_path / "none" / "a.mp4")).check(False)
    with pytest.raises(MediaError, match="modprobe v4l2loopback video_nr=98"):
        Target.parse("/dev/video98").check(False)


def test_nothing_is_replaced_unless_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"mine")
    with pytest.raises(MediaError, match="--overwrite"):
        Target.parse(str(path)).check(False)
    with Broadcast(Target.parse(str(path)), LIKE, True) as movie:
        movie.write(caught(1.0))
    assert path.read_bytes() != b"mine"


def test_frames_are_shown_at_the_moment_they_were_caught(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with Broadcast(Target.parse(str(path)), LIKE) as movie:
        for at in (7.0, 7.04, 7.5, 7.5, 7.48, 7.6):  # two at once, and one that came late: still one after the other
            movie.write(caught(at))
    with open_reader(path) as reader:
        times = [float(time) for time in reader.times()]  # type: ignore[attr-defined]
        assert np.abs(next(iter(reader)).pixels.astype(int) - PICTURE).max() <= 3
        assert reader.info.tags["colour"].matrix == 1
    assert times == pytest.approx([0, 0.04, 0.5, 0.5, 0.5, 0.6], abs=1e-3)
    assert all(np.diff(times) > 0)


def test_a_fault_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> None:
        with Broadcast(Target.parse(str(tmp_path / "a.mkv")), LIKE) as movie:
            movie.write(caught(0.0))
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_hls_is_a_playlist_and_pieces_that_play(tmp_path: Path) -> None:
    with Broadcast(Target.parse(str(tmp_path / "live.m3u8")), LIKE) as stream:
        for number in range(110):
            stream.write(caught(number / 25))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["live.m3u8", "live0.ts", "live1.ts", "live2.ts"]
    with av.open(str(tmp_path / "live.m3u8")) as played:
        assert sum(1 for _ in played.decode(video=0)) == 110


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(MediaError, match=r"live/x: cannot be opened \(connection refused\): does its server run"):
        Broadcast(Target.parse("rtmp://127.0.0.1:1/live/x"), LIKE)
    with pytest.raises(MediaError, match="is it a v4l2loopback device"):
        Broadcast(Target("/dev/video98", "/dev/video98", "v4l2"), LIKE)
