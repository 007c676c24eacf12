"""Pieces put together to a movie: pictures as they were encoded, at their true times, and beside them what goes with them.

Sound, subtitles, chapters, attachments, names and timecode come from the sources, bit for bit, moved to where the picture went.
What a container has no room for at all (chapters in an AVI, attachments outside of Matroska) stays behind; sound and subtitles
never do, they are refused before work begins. Memory does not grow with the length, besides the times themselves.
"""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from heapq import merge
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from impasto.errors import MediaError
from impasto.frame import ClipInfo
from impasto.media.landing import Landing
from impasto.media.video.container import faults, open_movie, video_of
from impasto.media.video.sound import FORMATS, Companions, Take, Timed, check_sound

__all__ = ["Take", "check_sound", "check_times", "join"]
FINEST = 1_000_000  # ticks a second; times that need finer ones are rounded to these
TAGGED = ("prores", "dnxhd")  # their four letters say which kind they are
STILL_RATE = Fraction(24)


def join(
    pieces: Sequence[Path], times: Sequence[Fraction], takes: Sequence[Take], target: Path, like: ClipInfo,
    *, sound: str = "copy", overwrite: bool = False,
) -> None:  # fmt: skip
    """Put pieces together: frame k is shown at times[k]; the takes' sound and subtitles go with it."""
    order = _order_of(pieces)
    if len(order) != len(times):
        raise MediaError(f"has {len(times)} frames to hold, and its pieces have {len(order)}: render it anew", target)
    landing = Landing(target, overwrite)
    try:
        end = times[-1] - times[0] + 1 / (like.fps or STILL_RATE)
        with faults(target, "written"), Companions(takes, target, sound, end) as companions:
            _write(pieces, order, times, companions, landing.temporary, like)
        landing.commit(lambda temporary: _verify(temporary, target, len(times), companions))
    finally:
        landing.abort()


def _order_of(pieces: Sequence[Path]) -> list[int]:
    """For each packet, as they lie in the pieces, which frame of the movie it is."""
    order: list[int] = []
    for piece in pieces:
        with open_movie(piece) as container, faults(piece):
            shown = [packet.pts for packet in container.demux(video_of(container, piece)) if packet.size]
        places = {ticks: place for place, ticks in enumerate(sorted(cast(list[int], shown)))}
        order += [len(order) + places[cast(int, ticks)] for ticks in shown]
    return order


def _write(
    pieces: Sequence[Path], order: list[int], times: Sequence[Fraction], companions: Companions, place: Path, like: ClipInfo
) -> None:
    suffix = place.suffix.lower()
    # Where sound begins is told by the movie's own clock, which by default is too coarse for samples.
    clock = {"movie_timescale": str(companions.sound_rate)} if companions.sound_rate else {}
    options = {"movflags": "faststart", **clock} if suffix in (".mp4", ".mov") else {}
    tick, ticks = _ticks_of(times, suffix, like, place)
    with av.open(f"file:{place}", "w", format=FORMATS[suffix], container_options=options) as output:
        output.metadata.update(companions.metadata)
        with open_movie(pieces[0]) as first:
            picture = _picture_stream(output, video_of(first, pieces[0]), like, suffix)
        picture.metadata.update(companions.names_of_picture)
        if timecode := companions.timecode(like):
            (output if suffix in (".mkv", ".webm") else picture).metadata["timecode"] = timecode
        companions.describe(output)
        picture.time_base = tick
        step = max(1, round(1 / (like.fps or STILL_RATE) / tick))
        pictures = _pictures(pieces, order, ticks, picture, tick, step)
        for _, packet in merge(pictures, *companions.flows(), key=lambda each: each[0]):
            output.mux_one(packet)


def _picture_stream(output: OutputContainer, template: VideoStream, like: ClipInfo, suffix: str) -> VideoStream:
    picture = output.add_stream_from_template(template, opaque=True)
    context = picture.codec_context
    context.framerate = like.fps or STILL_RATE
    context.sample_aspect_ratio = like.tags.get("pixel_aspect", Fraction(1))
    name = template.codec_context.name
    if "alpha_mode" in template.metadata:
        context.pix_fmt = "yuva420p"  # the muxer goes by it, though the decoder has told of colour alone
    if suffix in (".mp4", ".mov") and name == "hevc":
        context.codec_tag = "hvc1"  # without it Apple's players do not open the file
    elif suffix == ".mov" and name in TAGGED:
        context.codec_tag = template.codec_context.codec_tag
    return picture


def check_times(times: Sequence[Fraction], target: Path, like: ClipInfo) -> None:
    """Refuse frame times that this movie cannot hold."""
    step = 1 / (like.fps or STILL_RATE)
    if target.suffix.lower() == ".avi" and any(abs(time - times[0] - n * step) > step / 2 for n, time in enumerate(times)):
        raise MediaError("an AVI shows all frames equally long, and these are not: write a .mkv or .mp4", target)


def _ticks_of(times: Sequence[Fraction], suffix: str, like: ClipInfo, place: Path) -> tuple[Fraction, list[int]]:
    """The clock of the movie's picture, and when each frame is shown by it."""
    check_times(times, place, like)
    if suffix == ".avi":
        return 1 / (like.fps or STILL_RATE), list(range(len(times)))
    finest = math.lcm(*{time.denominator for time in times}, (like.fps or STILL_RATE).numerator)
    if suffix in (".mkv", ".webm"):
        finest = 1000  # they know no finer clock
    tick = Fraction(1, finest if finest <= FINEST else FINEST)
    ticks = [round(time / tick) for time in times]
    for one, other in pairwise(range(len(ticks))):
        ticks[other] = max(ticks[other], ticks[one] + 1)  # frames closer than the clock can tell
    return tick, ticks


def _pictures(
    pieces: Sequence[Path], order: list[int], ticks: list[int], picture: VideoStream, tick: Fraction, step: int
) -> Iterator[Timed]:
    """The pieces' packets. What is decoded before it is shown is decoded when the frame that many places before is shown."""
    ahead = max(place - frame for place, frame in enumerate(order))
    packets, headers = 0, None
    for piece in pieces:
        with open_movie(piece) as container, faults(piece):
            stream = video_of(container, piece)
            if headers not in (None, bytes(stream.codec_context.extradata or b"")):
                raise MediaError("was encoded otherwise than the piece before it: use --fresh to render anew", piece)
            headers = bytes(stream.codec_context.extradata or b"")
            for packet in container.demux(stream):
                if not packet.size:
                    continue
                frame, due = order[packets], packets - ahead
                following = ticks[frame + 1] if frame + 1 < len(ticks) else ticks[frame] + step
                packet.pts, packet.duration = ticks[frame], following - ticks[frame]
                packet.dts = ticks[due] if due >= 0 else ticks[0] + due * step
                packet.time_base, packet.stream = tick, picture
                packets += 1
                yield packet.dts * tick, cast("Packet[Stream]", packet)


def _verify(temporary: Path, target: Path, frames: int, companions: Companions) -> None:
    """Every frame is there, and all of the sound."""
    found: dict[int, list[int]] = {index: [0, 0] for index in companions.written}
    with open_movie(temporary) as container, faults(temporary):
        pictures = video_of(container, temporary).index
        count = 0
        for packet in container.demux():
            count += packet.stream_index == pictures and packet.size > 0
            if packet.stream_index in found and packet.size:
                have = found[packet.stream_index]
                have[:] = have[0] + 1, have[1] + packet.size
    if count != frames:
        raise MediaError(f"was not written rightly ({count} frames, meant {frames}): is the disk full?", target)
    for index, written in companions.written.items():  # PCM comes back in other portions, AAC may shed its headers
        if written[0] != found[index][0] and written[1] != found[index][1]:
            raise MediaError("was not written rightly (some of its sound is missing): is the disk full?", target)
