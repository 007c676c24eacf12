"""Live pictures in: cameras, screens and network streams, through the devices and protocols of ffmpeg.

    camera, camera:1, camera:NAME, /dev/video0     a camera: v4l2 on Linux, avfoundation on macOS, dshow on Windows
    x11grab::0.0, v4l2:/dev/video2, dshow:...      any of ffmpeg's devices, by its name
    rtsp://..., rtmp://..., udp://..., srt://...   a stream

What is live has no length and no second chance: frames come when they come, and each carries the moment it was caught.
"""
from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.codec.context import Flags, ThreadType
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.scoped import ScopedReader
from impasto.media.video.container import video_of
from impasto.media.video.yuv import layout_of, signal_of, to_rgb

CAUGHT = "caught"  # the tag that holds the moment a frame was caught, in seconds of the monotonic clock
DEVICES = ("v4l2", "avfoundation", "dshow", "x11grab", "gdigrab")
CAMERAS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
STREAMS = ("rtsp", "rtsps", "rtmp", "rtmps", "udp", "rtp", "tcp", "srt", "http", "https")
OPENING_SECONDS, SILENT_SECONDS = 10.0, 3.0  # a stream that says nothing for so long is lost
USUAL_RATE = Fraction(25)  # of what does not say
FASTEST = 240  # frames per second; more is a container's tick, not a rate
MOST_AWAITED = 64  # packets whose frames a decoder may hold back
_NEAR = {"fflags": "nobuffer", "flags": "low_delay", "probesize": "500000", "analyzeduration": "500000"}


@dataclass(frozen=True)
class Feed:
    """Where live pictures come from."""

    name: str  # as it may be shown: without a password
    address: str
    device: str = ""  # which of ffmpeg's; empty: a stream

    @classmethod
    def parse(cls, text: str) -> Feed | None:
        """Read a camera, device or stream; None: it is a file."""
        head, colon, rest = text.partition(":")
        if head == "camera" and (not colon or rest):
            return cls(text, *_camera(rest or "0"))
        if re.fullmatch(r"/dev/video\d+", text):
            return cls(text, text, "v4l2")
        if head in DEVICES and rest:
            return cls(text, rest, head)
        scheme, mark, _ = text.partition("://")
        if not mark:
            return None
        if scheme.lower() not in STREAMS:
            raise InputError(f"{without_password(text)}: nothing is read as '{scheme}': use one of {', '.join(STREAMS)}")
        return cls(without_password(text), text)


def _camera(which: str) -> tuple[str, str]:
    """A camera's address and device on this system."""
    device = CAMERAS.get(sys.platform, "v4l2")
    if device == "v4l2" and which.isdecimal():
        return f"/dev/video{which}", device
    return (f"video={which}" if device == "dshow" else which), device


def cameras() -> dict[str, str]:
    """The cameras that Linux knows of: their names by path. Elsewhere ffmpeg's devices have to be asked by hand."""
    found = {}
    for folder in sorted(Path("/sys/class/video4linux").glob("video*"), key=lambda path: int(path.name[5:])):
        with suppress(OSError):
            found[f"/dev/{folder.name}"] = (folder / "name").read_text("utf-8", "replace").strip()
    return found


class Capture(ScopedReader):
    """A camera or a stream that runs."""

    def __init__(
        self, feed: Feed, size: tuple[int, int] | None = None, fps: float | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.feed, self._now, self._count = feed, now, 0
        with _told(feed, "opened"):
            self._container = _opened(feed, size, fps)
        try:
            self._stream = video_of(self._container, Path(feed.name))
            self._stream.codec_context.thread_type = ThreadType.SLICE  # threads by frame would hold frames back
            self._stream.codec_context.flags |= Flags.low_delay
        except BaseException:
            self.close()
            raise
        rate = self._stream.average_rate or self._stream.guessed_rate or USUAL_RATE
        told = rate if 1 <= rate <= FASTEST else USUAL_RATE
        self.info = ClipInfo(self._stream.width, self._stream.height, 0, Fraction(fps).limit_denominator(1001) if fps else told)

    def __iter__(self) -> Iterator[Frame]:
        """Frames of 8 bits as they come, each with the moment it was caught."""
        caught: dict[int | None, float] = {}
        with _told(self.feed, "read"):
            for packet in self._container.demux(self._stream):
                caught[packet.pts] = self._stamp(packet)
                for frame in packet.decode():
                    at = caught.pop(frame.pts, self._now())
                    self._count += 1
                    yield Frame(_bytes_of(frame, self._stream), self._count, {CAUGHT: at})
                while len(caught) > MOST_AWAITED:
                    del caught[next(iter(caught))]

    def _stamp(self, packet: Packet[VideoStream]) -> float:
        """When a packet was caught: as Linux's driver says, whose clock is ours; else now."""
        now = self._now()
        if self.feed.device == "v4l2" and packet.pts is not None and packet.time_base is not None:
            told = float(packet.pts * packet.time_base)
            if 0 <= now - told < 1:
                return told
        return now

    def close(self) -> None:
        """Let go of the device or the stream."""
        self._container.close()


def _opened(feed: Feed, size: tuple[int, int] | None, fps: float | None) -> InputContainer:
    waiting = (OPENING_SECONDS, SILENT_SECONDS)
    if not feed.device:
        options = {**_NEAR, "protocol_whitelist": f"{','.join(STREAMS)},tls,crypto"}
        if feed.address.lower().startswith("rtsp"):
            options["rtsp_transport"] = "tcp"  # UDP loses packets, and a lost one tears a second of picture
        return av.open(feed.address, options=options, timeout=waiting)
    wanted = {"video_size": f"{size[0]}x{size[1]}"} if size else {}
    wanted |= {"framerate": f"{fps:g}"} if fps else {}
    if feed.device == "v4l2":
        with suppress(av.FFmpegError):  # uncompressed, most cameras are slow beyond 640x480
            return av.open(feed.address, format="v4l2", options={**wanted, "input_format": "mjpeg"}, timeout=waiting)
    return av.open(feed.address, format=feed.device, options=wanted, timeout=waiting)


def _bytes_of(frame: av.VideoFrame, stream: VideoStream) -> Pixels:
    """A decoded frame as RGB of 8 bits."""
    if layout_of(frame.format.name) is None:
        raise MediaError(f"sends {frame.format.name} values, which impasto does not read: choose another format", Path("stream"))
    signal = signal_of(frame, stream.codec_context.name)
    rgb = to_rgb(frame, signal)[..., :3]
    return rgb if rgb.dtype == "uint8" else (rgb >> 8).astype("uint8")


def without_password(address: str) -> str:
    """An address as it may be shown and logged."""
    return re.sub(r"(?<=://)[^/@]*@", "***@", address)


@contextmanager
def _told(feed: Feed, doing: str) -> Iterator[None]:
    """Turn what ffmpeg raises into one line about this camera or stream."""
    try:
        yield
    except (av.FFmpegError, ValueError) as error:
        reason = str(getattr(error, "strerror", None) or error).strip().splitlines()[0].lower()
        what = "is it plugged in, and free" if feed.device else "is it on the air, and the address right"
        if isinstance(error, av.error.ExitError):  # we gave up waiting
            reason = "nothing comes"
        fault = "sends nothing any more" if doing == "read" and reason == "nothing comes" else f"cannot be {doing} ({reason})"
        raise MediaError(f"{fault}: {what}?", feed.name) from None
