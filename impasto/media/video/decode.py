"""Movies decoded: what a clip is, judged by its first frame, and its frames from any place on."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.stream import Discard
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Pixels
from impasto.media.video.container import Timeline, faults, open_movie, timeline, video_of
from impasto.media.video.yuv import WEIGHTS, layout_of, signal_of

MAX_PIXELS = 2**28  # 16,384 x 16,384; a header that says more is taken for a bomb
Turn = tuple[int, int, int, int]  # the signs of the display matrix: a pixel goes to x' = a x + c y, y' = b x + d y
STRAIGHT: Turn = (1, 0, 0, 1)
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # ffmpeg's own decoders leave it out


@dataclass(frozen=True)
class Stored:
    """How frames lie in the file; a frame that differs belongs to another clip."""

    width: int
    height: int
    pix_fmt: str
    turn: Turn


def survey(path: Path) -> tuple[ClipInfo, Stored]:
    """What a movie is; its first frame is decoded to know. A file that did not change is looked at once."""
    line = timeline(path)
    stat = path.stat()
    return _survey(path, stat.st_mtime_ns, stat.st_size, len(line))


@lru_cache(maxsize=16)
def _survey(path: Path, _changed: int, _size: int, length: int) -> tuple[ClipInfo, Stored]:
    with open_movie(path) as container:
        stream = video_of(container, path)
        if stream.width * stream.height > MAX_PIXELS:
            raise MediaError(f"is {stream.width}x{stream.height} pixels, more than {MAX_PIXELS:,}: make it smaller", path)
        first = next(_frames(container, stream, path), None)
        if first is None:
            raise MediaError("has no frame that can be decoded: get it again or save it anew", path)
        stored = Stored(first.width, first.height, first.format.name, _turn_of(first))
        layout = layout_of(first.format.name)
        if layout is None:
            raise MediaError(f"holds {first.format.name} values, which impasto does not read: save it as ProRes or H.264", path)
        tags = _tags(container, stream, first)
        if not layout.rgb and tags["colour"].matrix not in WEIGHTS:
            matrix = tags["colour"].matrix
            raise MediaError(f"has colours by matrix {matrix}, which impasto does not know: convert it to BT.709", path)
        size = (first.width, first.height) if stored.turn[0] else (first.height, first.width)
        fps = stream.average_rate or stream.guessed_rate or Fraction(0)
        return ClipInfo(*size, length, fps, layout.depth, 4 if layout.alpha else 3, tags), stored


def _tags(container: InputContainer, stream: VideoStream, first: av.VideoFrame) -> dict[str, Any]:
    """What a writer lays back."""
    layout = layout_of(first.format.name)
    assert layout is not None
    tags: dict[str, Any] = {"bits": layout.bits, "colour": signal_of(first, stream.codec_context.name)}
    tags |= {"codec": stream.codec_context.name, "interlaced": first.interlaced_frame}
    if not layout.rgb and layout.channels > 1:
        tags["chroma"] = layout.chroma
    aspect = stream.sample_aspect_ratio
    if aspect and aspect != 1:
        tags["pixel_aspect"] = aspect if _turn_of(first)[0] else 1 / aspect
    if timecode := _timecode(container, stream):
        tags["timecode"] = timecode
    return tags


def _timecode(container: InputContainer, stream: VideoStream) -> str:
    """Where the clip's timecode begins, from wherever its container keeps it."""
    places = [stream.metadata, *(other.metadata for other in container.streams), container.metadata]
    return next((text for place in places for name, text in place.items() if name.lower() == "timecode"), "")


def frames_from(path: Path, line: Timeline, place: int) -> Iterator[tuple[int, av.VideoFrame]]:
    """Frames with their places, from the key frame before a place on."""
    start, ticks = line.key_before(place)
    with open_movie(path) as container:
        stream = video_of(container, path)
        if start > 0:
            container.seek(ticks, stream=stream)
        trusted = start == 0
        for at, frame in _placed(container, stream, path, line):
            if not trusted and at > place:
                break
            trusted = True
            yield at, frame
    if not trusted:  # the jump led too far: the file's index lies
        yield from _from_the_start(path, line)


def _from_the_start(path: Path, line: Timeline) -> Iterator[tuple[int, av.VideoFrame]]:
    with open_movie(path) as container:
        yield from _placed(container, video_of(container, path), path, line)


def _placed(container: InputContainer, stream: VideoStream, path: Path, line: Timeline) -> Iterator[tuple[int, av.VideoFrame]]:
    at = -1
    for frame in _frames(container, stream, path):
        found = line.place(frame.pts) if line.exact else at + 1
        if found is not None:
            at = found
            yield at, frame


def _frames(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[av.VideoFrame]:
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    decoder = _decoder_of(stream)
    count = 0
    packets = container.demux(stream)
    while True:
        with faults(path, frame=count + 1):
            packet = next(packets, None)
            frames = decoder.decode(packet if packet is not None and packet.size else None) if packet is not None else []
        if packet is None:
            return
        for frame in frames:
            count += 1
            yield frame


def _decoder_of(stream: VideoStream) -> VideoCodecContext:
    decoder = stream.codec_context
    if stream.metadata.get("alpha_mode") == "1" and decoder.name in _WITH_ALPHA:
        decoder = cast(VideoCodecContext, av.CodecContext.create(_WITH_ALPHA[decoder.name], "r"))
    decoder.thread_type = ThreadType.AUTO
    return decoder


def _turn_of(frame: av.VideoFrame) -> Turn:
    """What makes the stored rows upright, to the nearest right angle."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return STRAIGHT
    a, b, _, c, d = (int(value) for value in np.frombuffer(memoryview(cast(SideData, matrix)), "<i4")[:5])
    lying = abs(b) + abs(c) > abs(a) + abs(d)
    one, other = (b, c) if lying else (a, d)
    signs = (-1 if one < 0 else 1, -1 if other < 0 else 1)
    return (0, signs[0], signs[1], 0) if lying else (signs[0], 0, 0, signs[1])


def upright(pixels: Pixels, turn: Turn) -> Pixels:
    """Rows and columns as they are to be seen."""
    a, b, c, d = turn
    if b or c:
        pixels = cv2.transpose(pixels)
    across, down = a + c < 0, b + d < 0
    if across or down:
        pixels = cv2.flip(pixels, -1 if across and down else int(across))
    return pixels
