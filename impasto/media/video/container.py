"""A movie file before its frames are decoded: opened safely, and told when each of its frames is shown.

Only files are opened, and only by the demuxers of the formats named here: a playlist that calls itself .mp4 reaches no network.
"""
from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from impasto.errors import MediaError
from impasto.media.container import disk_errors

DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,nut"
SOUND_DEMUXERS = f"{DEMUXERS},wav,w64,aiff,flac,mp3,ogg,aac,ac3,eac3"


@contextmanager
def faults(path: Path, doing: str = "read", frame: int | None = None) -> Iterator[None]:
    """Turn what ffmpeg raises into one line about this file."""
    try:
        yield
    except av.FFmpegError as error:
        hint = "get it again or save it anew" if doing == "read" else "is the disk full?"
        raise MediaError(f"cannot be {doing} ({_reason(error)}): {hint}", path, frame) from None
    except MemoryError:
        raise MediaError(f"cannot be {doing}: a frame is more than fits into memory", path, frame) from None


def open_movie(path: Path, demuxers: str = DEMUXERS) -> InputContainer:
    """Open a movie for demuxing; what is none is refused in one line."""
    _look(path)
    try:
        options = {"protocol_whitelist": "file", "format_whitelist": demuxers}
        return av.open(f"file:{path}", container_options=options, metadata_errors="replace")
    except av.FFmpegError as error:
        raise MediaError(_why(path, error), path) from None


def video_of(container: InputContainer, path: Path) -> VideoStream:
    """The stream that is the picture: the first that is no cover."""
    pictures = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not pictures:
        what = "holds sound but no picture" if container.streams.audio else "has no video track"
        raise MediaError(f"{what}: name a file with a video track", path)
    stream = next((stream for stream in pictures if stream.disposition & Disposition.default), pictures[0])
    if stream.codec_context is None:
        raise MediaError("is stored by a codec this build of ffmpeg does not know: save it as H.264 or ProRes", path)
    return stream


@dataclass(frozen=True)
class Timeline:
    """When the frames are shown, in ticks, rising; and where decoding can begin."""

    tick: Fraction
    shown: list[int]
    keys: list[tuple[int, int]]  # (shown, decoded) of each key frame, rising
    exact: bool  # whether decoded frames can be told apart by the tick they carry
    begin: Fraction  # when the picture begins, in seconds of the file's own time, to which sound keeps too

    def __len__(self) -> int:
        return len(self.shown)

    def time(self, place: int) -> Fraction:
        """Seconds from the first frame."""
        return (self.shown[place] - self.shown[0]) * self.tick

    def place(self, ticks: int | None) -> int | None:
        """Which frame is shown at this tick; None if none is."""
        if ticks is None:
            return None
        place = bisect_left(self.shown, ticks)
        return place if place < len(self.shown) and self.shown[place] == ticks else None

    def key_before(self, place: int) -> tuple[int, int]:
        """The last key frame at or before a frame: its place, and the tick to jump to."""
        shown, decoded = self.keys[max(bisect_right(self.keys, (self.shown[place], 2**63)) - 1, 0)]
        return bisect_left(self.shown, shown), decoded


def timeline(path: Path) -> Timeline:
    """The timeline of a movie, from its packets, none of which is decoded. A file that did not change is looked at once."""
    _look(path)
    stat = path.stat()
    return _timeline(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=16)
def _timeline(path: Path, _changed: int, size: int) -> Timeline:
    with open_movie(path) as container, faults(path):
        stream = video_of(container, path)
        promised = [entry.pos + entry.size for entry in stream.index_entries] if "mp4" in container.format.name else []
        missing = sum(end > size for end in promised)
        if _promised_size(path) > size:
            raise MediaError("is cut short: get the whole file", path)
        if missing:
            raise MediaError(f"is cut short, {missing} of its {len(promised)} frames are missing: get the whole file", path)
        for other in container.streams:
            if other is not stream:
                other.discard = Discard.all  # so that their data is not even read
        found = _packets(container, stream)
        tick = stream.time_base or Fraction(1, 1000)
        uncounted = container.format.name == "avi"
    if all(hidden for _, _, _, hidden in found):
        raise MediaError("has no frames: get it again or save it anew", path)
    line = _ordered(found, tick)
    # An AVI's pictures lie from its beginning on; the times ffmpeg makes up for them are late by what the decoder holds back.
    return replace(line, begin=Fraction(0)) if uncounted else line


def _packets(container: InputContainer, stream: VideoStream) -> list[tuple[int | None, int | None, bool, bool]]:
    """Shown, decoded, key frame and hidden, of each packet from the first key frame on."""
    found: list[tuple[int | None, int | None, bool, bool]] = []
    for packet in container.demux(stream):
        if packet.size and (found or packet.is_keyframe):
            found.append((packet.pts, packet.dts, packet.is_keyframe, packet.is_discard))
    return found


def _ordered(found: list[tuple[int | None, int | None, bool, bool]], tick: Fraction) -> Timeline:
    timed = ((shown, decoded, key, hidden) for shown, decoded, key, hidden in found if shown is not None)
    complete = [(shown, shown if decoded is None else decoded, key, hidden) for shown, decoded, key, hidden in timed]
    start = complete[0][0] if complete else 0  # what is shown before the first key frame leans on frames that are not there
    shown = sorted(ticks for ticks, _, _, hidden in complete if not hidden and ticks >= start)
    if shown and len(complete) == len(found) and all(a < b for a, b in pairwise(shown)):
        keys = sorted((ticks, decoded) for ticks, decoded, key, _ in complete if key)
        return Timeline(tick, shown, keys, True, shown[0] * tick)
    # No or doubtful times, as in AVI: decoding counts frames, and shows them in the order and at the pace they are decoded.
    decoded = [ticks for _, ticks, _, hidden in found if ticks is not None and not hidden]
    if len(decoded) != len(found) or any(a >= b for a, b in pairwise(decoded)):
        decoded = list(range(len(found)))
    return Timeline(tick, decoded, [(decoded[0], decoded[0])], False, decoded[0] * tick)


def _look(path: Path) -> None:
    """Refuse what is no file, or an empty one."""
    with disk_errors(path):
        if path.is_dir():
            raise MediaError("is a folder: name a movie in it", path)
        if path.stat().st_size == 0:
            raise MediaError("is empty: get it again", path)
        if not path.is_file():
            raise MediaError("is not a file: name a movie", path)
        with path.open("rb"):
            pass


def _promised_size(path: Path) -> int:
    """How long the file's own header says it is; 0 where it does not say. MP4 and MOV tell by their index."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:4] == b"RIFF":
        return 8 + int.from_bytes(head[4:8], "little")
    segment = head.find(b"\x18\x53\x80\x67")
    if head[:4] != b"\x1aE\xdf\xa3" or segment < 0 or len(head) < segment + 12:
        return 0
    length = 9 - head[segment + 4].bit_length()
    body = int.from_bytes(head[segment + 4 : segment + 4 + length], "big") & (2 ** (7 * length) - 1)
    return 0 if body == 2 ** (7 * length) - 1 else segment + 4 + length + body  # all ones: recorded live, nobody knows


def _why(path: Path, error: av.FFmpegError) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    if head[4:8] in (b"ftyp", b"mdat", b"free", b"wide", b"skip"):
        return "has no index, so it was cut short or never finished: get the whole file"
    if head[:4] in (b"RIFF", b"\x1aE\xdf\xa3"):
        return f"is damaged ({_reason(error)}): get it again or save it anew"
    kind = "text" if b"\x00" not in head else "data of another kind"
    return f"is {kind}, not a movie impasto reads: save it as MP4, MOV, MKV, WebM or AVI"


def _reason(error: Exception) -> str:
    text = str(getattr(error, "strerror", None) or error).strip() or "no reason given"
    return text.splitlines()[0].lower()
