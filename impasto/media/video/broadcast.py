"""Live pictures out: a movie, a network stream, HLS, a virtual camera. Each frame is shown at the moment it was caught.

    painted.mp4 .mov .mkv                    H.264 that has its name once it is finished and proved readable
    live/stream.m3u8                         HLS: a playlist and the last pieces of some seconds
    rtmp://..., rtsp://..., udp://..., srt://...   H.264 for a server or a player
    /dev/video10                             a virtual camera (v4l2loopback), which other programs see as one

Encoding is quick rather than small, and gives each frame away as soon as it has it.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from os.path import exists
from pathlib import Path
from typing import Any, cast

import av
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo, Frame
from impasto.media.landing import Landing, check_output
from impasto.media.scoped import ScopedWriter
from impasto.media.video.capture import CAUGHT, without_password
from impasto.media.video.container import timeline
from impasto.media.video.yuv import BT709

FILES = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
STREAMS = {"rtmp": "flv", "rtmps": "flv", "rtsp": "rtsp", "udp": "mpegts", "tcp": "mpegts", "srt": "mpegts"}
TICK = Fraction(1, 90_000)  # MPEG's own
PIECE_SECONDS, PIECES_LISTED = 2, 6
WAITING_SECONDS = 5.0  # for a server that does not answer
_QUICK = {"preset": "ultrafast", "tune": "zerolatency"}
_HLS = {"hls_time": f"{PIECE_SECONDS}", "hls_list_size": f"{PIECES_LISTED}", "hls_flags": "delete_segments+independent_segments"}


@dataclass(frozen=True)
class Target:
    """Where live pictures go."""

    name: str  # as it may be shown: without a password
    address: str
    format: str

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read a movie's path, a playlist's, a virtual camera's, or a stream's address."""
        scheme, mark, _ = text.partition("://")
        if mark:
            if scheme.lower() not in STREAMS:
                raise InputError(f"{without_password(text)}: nothing is sent as '{scheme}': use {', '.join(STREAMS)} or ws")
            return cls(without_password(text), text, STREAMS[scheme.lower()])
        if re.fullmatch(r"/dev/video\d+", text):
            return cls(text, text, "v4l2")
        suffix = Path(text).suffix.lower()
        if suffix == ".m3u8":
            return cls(text, text, "hls")
        if suffix not in FILES:
            where = f"{', '.join(FILES)}, .m3u8, /dev/videoN or an address ({'://, '.join([*STREAMS, 'ws'])}://)"
            raise MediaError(f"nothing live is written there: use {where}", text)
        return cls(text, text, FILES[suffix])

    @property
    def is_file(self) -> bool:
        """Whether it is a movie, which is made once; everything else can be opened again."""
        return self.format in FILES.values()

    def check(self, overwrite: bool) -> None:
        """Refuse a place that cannot be written to, before anything is caught."""
        if self.is_file or self.format == "hls":
            check_output(self.address, overwrite)
        elif self.format == "v4l2" and not exists(self.address):
            made = f"sudo modprobe v4l2loopback video_nr={self.address.removeprefix('/dev/video')} exclusive_caps=1"
            raise MediaError(f"there is no such virtual camera: make it with '{made}'", self.address)


class Broadcast(ScopedWriter):
    """Sends frames of one size; of a movie, `close` gives it its name and `abort` leaves nothing behind."""

    def __init__(self, target: Target, like: ClipInfo, overwrite: bool = False) -> None:
        self.target, self.like = target, like
        self.count = 0
        self._first: float | None = None
        self._last = -1
        self._landing = Landing(Path(target.address), overwrite) if target.is_file else None
        try:
            with _told(target, "opened"):
                self._open()
        except BaseException:
            self.abort()
            raise

    def _open(self) -> None:
        target, like = self.target, self.like
        address = f"file:{self._landing.temporary}" if self._landing else target.address
        options = _HLS if target.format == "hls" else {}
        self._container = av.open(address, "w", format=target.format, container_options=options, timeout=WAITING_SECONDS)
        codec, coding = ("rawvideo", {}) if target.format == "v4l2" else ("libx264", self._coding())
        stream = cast(VideoStream, self._container.add_stream(codec, rate=like.fps, options=coding))
        stream.width, stream.height, stream.pix_fmt = like.width, like.height, "yuv420p"
        context = stream.codec_context
        context.time_base = TICK
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = ColorRange.MPEG
        self._stream = stream
        self._container.start_encoding()

    def _coding(self) -> dict[str, str]:
        every = str(round(self.like.fps * PIECE_SECONDS))
        held = {"crf": "18"} if self.target.is_file else {"crf": "23", "maxrate": "8M", "bufsize": "8M"}
        return {**_QUICK, **held, "g": every, "keyint_min": every, "sc_threshold": "0"}

    def write(self, frame: Frame) -> None:
        """Send the next frame."""
        at: float = frame.tags[CAUGHT]
        self._first = at if self._first is None else self._first
        ticks = max(round((at - self._first) / TICK), self._last + 1)
        coded = av.VideoFrame.from_ndarray(frame.pixels, "rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        coded.pts, coded.time_base = ticks, TICK
        with _told(self.target, "written to"):
            self._container.mux(self._stream.encode(coded))
        self._last = ticks
        self.count += 1

    def close(self) -> None:
        """Finish; a movie is synced, proved readable, and gets its name."""
        with _told(self.target, "finished"):
            if self.count:
                self._container.mux(self._stream.encode(None))
            self._container.close()
        if self._landing and self.count:
            self._landing.commit(self._verify)

    def _verify(self, temporary: Path) -> None:
        found = len(timeline(temporary))
        if found != self.count:
            raise MediaError(f"was not written rightly ({found} frames, meant {self.count}): is the disk full?", self.target.name)

    def abort(self) -> None:
        """Leave no half-written movie behind."""
        container: Any = getattr(self, "_container", None)
        if container is not None:
            with suppress(av.FFmpegError):
                container.close()
        if self._landing:
            self._landing.abort()


@contextmanager
def _told(target: Target, doing: str) -> Iterator[None]:
    """Turn what ffmpeg raises into one line about this output."""
    try:
        yield
    except (av.FFmpegError, ValueError) as error:
        reason = str(getattr(error, "strerror", None) or error).strip().splitlines()[0].lower()
        on_disk = target.is_file or target.format == "hls"
        device = "is it a v4l2loopback device that takes this size?" if target.format == "v4l2" else "does its server run?"
        raise MediaError(f"cannot be {doing} ({reason}): {'is the disk full?' if on_disk else device}", target.name) from None
