"""Movies in and out: frames upright, in RGB, at the depth they have, each with its time.

A clip that says nothing of its colour is taken for BT.709 from 720 rows on and for BT.601 below, limited range, as players do.
What is written says what it is, and is converted by the matrix it names. Encoding happens in pieces that are joined without
encoding them again (join.py), so a long render can be stopped and goes on.
"""
from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
from av.packet import Packet
from av.video.stream import VideoStream

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame
from impasto.media.encoding import DEFAULT, Encoding
from impasto.media.landing import Landing, check_output
from impasto.media.scoped import ScopedReader, ScopedWriter
from impasto.media.video import codecs
from impasto.media.video.container import faults, timeline
from impasto.media.video.decode import frames_from, survey, upright
from impasto.media.video.join import join
from impasto.media.video.yuv import from_rgb, layout_of, to_rgb

WORTH_JUMPING = 8  # over fewer frames decoding is as quick
STILL_RATE = Fraction(24)  # of what has no rate of its own


def open_reader(path: Path) -> VideoReader:
    """Open a movie and see what it is."""
    return VideoReader(path)


def open_writer(path: Path, like: ClipInfo, overwrite: bool = False, encoding: Encoding = DEFAULT) -> VideoWriter:
    """Open a place for a movie without sound."""
    return VideoWriter(path, like, overwrite, encoding)


class VideoReader(ScopedReader):
    """A movie, frame by frame. Frames count from 1, in the order they are shown."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._timeline = timeline(path)
        info, self._stored = survey(path)
        self.info = replace(info, tags=dict(info.tags))

    def numbers(self) -> Sequence[int]:
        """From 1 to the last."""
        return range(1, len(self._timeline) + 1)

    def times(self) -> list[Fraction]:
        """When each frame is shown, in seconds from the first."""
        return [self._timeline.time(place) for place in range(len(self._timeline))]

    def read(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """These frames; over a wide gap it jumps to the key frame before the next one."""
        frames: Iterator[tuple[int, av.VideoFrame]] = iter(())
        at = -WORTH_JUMPING - 1
        for place in (number - 1 for number in numbers):
            if self._timeline.key_before(place)[0] > at + WORTH_JUMPING:
                frames = frames_from(self.path, self._timeline, place)
            found = next((found for found in frames if found[0] >= place), None)
            if found is None or found[0] > place:
                promised = f"though {len(self._timeline)} frames are promised"
                raise MediaError(f"cannot be decoded here, {promised}: get it again", self.path, place + 1)
            at, decoded = found
            yield self._frame(place, decoded)

    def __iter__(self) -> Iterator[Frame]:
        return self.read(self.numbers())

    def _frame(self, place: int, decoded: av.VideoFrame) -> Frame:
        stored = self._stored
        if (decoded.width, decoded.height, decoded.format.name) != (stored.width, stored.height, stored.pix_fmt):
            now = f"{decoded.width}x{decoded.height} {decoded.format.name}"
            was = f"{stored.width}x{stored.height} {stored.pix_fmt}"
            raise MediaError(f"changes from {was} to {now} here: split it into two clips", self.path, place + 1)
        if decoded.is_corrupt:
            raise MediaError("is damaged here: get it again, or leave this frame out with --frames", self.path, place + 1)
        with faults(self.path, frame=place + 1):
            pixels = upright(to_rgb(decoded, self.info.tags["colour"]), stored.turn)
        return Frame(pixels, place + 1, {"time": self._timeline.time(place)})

    def close(self) -> None:
        """Nothing is held open between reads."""



class SegmentWriter(ScopedWriter):
    """Encodes frames, one after the other at an even rate, into a piece of the movie `target`, for join() to put together."""

    def __init__(
        self, path: Path, like: ClipInfo, encoding: Encoding = DEFAULT, overwrite: bool = False, *, target: Path | None = None
    ) -> None:
        self.path, self.like = path, like
        self.choice = codecs.choose(target or path, like, encoding)
        self.count = 0
        self._begun = False  # whether the encoder has given anything away
        self._landing = Landing(path, overwrite)
        try:
            with faults(path, "written"):
                self._open()
        except BaseException:
            self._landing.abort()
            raise

    def _open(self) -> None:
        choice, rate = self.choice, self.like.fps or STILL_RATE
        os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder would tell its life story on stderr
        self._container = av.open(f"file:{self._landing.temporary}", "w", format=choice.container)
        stream = cast(VideoStream, self._container.add_stream(choice.encoder, rate=rate, options=choice.options))
        stream.width, stream.height, stream.pix_fmt = self.like.width, self.like.height, choice.pix_fmt
        layout = layout_of(choice.pix_fmt)
        assert layout is not None
        context = stream.codec_context
        context.time_base = self._tick = 1 / rate
        context.color_primaries, context.color_trc = choice.signal.primaries, choice.signal.transfer
        context.colorspace, context.color_range = choice.signal.codes(layout)
        context.sample_aspect_ratio = self.like.tags.get("pixel_aspect", Fraction(1))
        self._stream = stream

    def write(self, frame: Frame) -> None:
        """Encode the next frame."""
        height, width = frame.pixels.shape[:2]
        if (width, height) != (self.like.width, self.like.height):
            size = f"{self.like.width}x{self.like.height}"
            raise MediaError(f"is {size}, and frame {frame.number} is {width}x{height}: give it a movie of its own", self.path)
        with faults(self.path, "written"):
            coded = from_rgb(frame.pixels, self.choice.pix_fmt, self.choice.signal)
            coded.pts, coded.time_base = self.count, self._tick
            packets = self._stream.encode(coded)
            self._container.mux(packets)
        self.count += 1
        self._begun = self._begun or bool(packets)

    def close(self) -> None:
        """Finish: flush the encoder, sync, verify, and give the piece its name."""
        assert self.count, f"no frame was written to {self.path}"
        with faults(self.path, "written"):
            last = self._stream.encode(None)
            guessed = self.choice.encoder == "libx265" and not self._begun
            self._container.mux(_decodable(last) if guessed else last)
            self._container.close()
        self._landing.commit(self._verify)

    def _verify(self, temporary: Path) -> None:
        found = len(timeline(temporary))
        if found != self.count:
            raise MediaError(f"was not written rightly ({found} frames, meant {self.count}): is the disk full?", self.path)

    def abort(self) -> None:
        """Leave nothing behind."""
        with suppress(av.FFmpegError):
            self._container.close()
        self._landing.abort()



class VideoWriter(ScopedWriter):
    """A movie without sound, in one piece. Frames that carry times keep them, others come evenly."""

    def __init__(self, path: Path, like: ClipInfo, overwrite: bool, encoding: Encoding) -> None:
        check_output(path, overwrite)
        self.path, self.like, self.overwrite = path, like, overwrite
        self._times: list[Fraction | None] = []
        piece = path.with_name(f".{path.stem[:80]}.piece-{secrets.token_hex(4)}.mkv")
        self._piece = SegmentWriter(piece, like, encoding, target=path)

    def write(self, frame: Frame) -> None:
        """Encode the next frame."""
        self._piece.write(frame)
        time = frame.tags.get("time")
        self._times.append(None if time is None else Fraction(time))

    def close(self) -> None:
        """Finish: sync, verify, and give the movie its name."""
        try:
            self._piece.close()
            join([self._piece.path], self._true_times(), [], self.path, self.like, overwrite=self.overwrite)
        finally:
            self.abort()

    def _true_times(self) -> list[Fraction]:
        known = [time for time in self._times if time is not None]
        if len(known) == len(self._times) and all(one < other for one, other in pairwise(known)):
            return [time - known[0] for time in known]
        rate = self.like.fps or STILL_RATE
        return [place / rate for place in range(len(self._times))]

    def abort(self) -> None:
        """Leave nothing behind."""
        self._piece.abort()
        with suppress(OSError):
            self._piece.path.unlink(missing_ok=True)



def _decodable(packets: Sequence[Packet[VideoStream]]) -> Sequence[Packet[VideoStream]]:
    """All packets of a movie, in the order of decoding, with times of decoding that are no later than those of showing.

    x265 makes them up from memory it has never written to where a movie is shorter than what it looks ahead.
    """
    late = max((place - (packet.pts or 0) for place, packet in enumerate(packets)), default=0)
    for place, packet in enumerate(packets):
        packet.dts = place - late
    return packets
