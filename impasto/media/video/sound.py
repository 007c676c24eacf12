"""What goes with a picture: the sound, subtitles, chapters, attachments and names of the clips it was made from.

A take is a stretch of a clip. Its packets are moved to where the picture went and are otherwise left alone, so sound that is
copied is the same bit for bit, as far before or behind the picture as it was.
"""
from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo
from impasto.media.timecode import advance, is_timecode
from impasto.media.video.container import SOUND_DEMUXERS, faults, open_movie, timeline
from impasto.media.video.recode import Recoder

FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi"}
# Of the file they come from, not of what it shows.
_OF_THE_FILE = {"encoder", "major_brand", "minor_version", "compatible_brands", "timecode", "duration", "vendor_id", "alpha_mode"}
Timed = tuple[Fraction, "Packet[Stream]"]  # quoted, as PyAV knows the brackets in its type stubs alone


@dataclass(frozen=True)
class Take:
    """A stretch of a clip, in seconds from its first frame, and where in the movie its picture begins."""

    source: Path
    start: Fraction
    end: Fraction
    at: Fraction


@dataclass(frozen=True)
class Stretch:
    """Tracks of one kind out of one file, and the time of the movie they are moved to."""

    path: Path
    kind: str  # "audio" or "subtitle"
    shift: Fraction  # from the file's own time to the movie's
    first: Fraction | None  # of the movie's time: what begins before it is left out
    last: Fraction | None  # and what begins from here on

    def holds(self, time: Fraction) -> bool:
        """Whether what begins at this time of the movie belongs to the stretch."""
        return (self.first is None or time >= self.first) and (self.last is None or time < self.last)


def check_sound(takes: Sequence[Take], target: Path, sound: str = "copy") -> None:
    """Refuse, before any work, sound and subtitles that this movie cannot hold."""
    with Companions(takes, target, sound):
        pass


class Companions:
    """The tracks that go with a picture, from the files the takes name; open while a movie is written."""

    def __init__(self, takes: Sequence[Take], target: Path, sound: str = "copy", end: Fraction | None = None) -> None:
        self.takes, self.target, self.sound = takes, target, sound
        self._end = end  # of the picture
        self.suffix = target.suffix.lower()
        self.written: dict[int, list[int]] = {}  # by index of an output stream: packets and bytes of sound
        self._open = ExitStack()
        self._stretches: list[Stretch] = []
        self._templates: dict[str, list[Stream]] = {"audio": [], "subtitle": []}
        self._tracks: dict[str, list[Stream]] = {"audio": [], "subtitle": []}
        self._recoders: list[Recoder] = []
        self._first: InputContainer | None = None

    def __enter__(self) -> Self:
        try:
            if self.takes:
                self._first = self._open.enter_context(open_movie(self.takes[0].source))
            self._stretches = self._planned()
            for stretch in self._stretches:
                self._admit(stretch)
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def _planned(self) -> list[Stretch]:
        stretches = []
        for place, take in enumerate(self.takes):
            line = timeline(take.source)
            shift = take.at - take.start - line.begin
            # The first take begins with its clip and the last one ends with it? Then sound may reach beyond the picture.
            first = None if place == 0 and take.start <= 0 else take.at
            whole_end = place == len(self.takes) - 1 and take.end > line.time(len(line) - 1)
            last = None if whole_end else take.at + take.end - take.start
            stretches += [Stretch(take.source, kind, shift, first, last) for kind in ("audio", "subtitle")]
        if self.sound in ("copy", "encode"):
            return stretches
        stretches = [stretch for stretch in stretches if stretch.kind == "subtitle"]
        if self.sound == "none":
            return stretches
        end = self.takes[-1].at + self.takes[-1].end - self.takes[-1].start if self.takes else self._end
        return [Stretch(Path(self.sound), "audio", Fraction(0), Fraction(0), end), *stretches]

    def _admit(self, stretch: Stretch) -> None:
        """Look at a stretch's tracks: they fit into the movie, and go on where those of the stretch before ended."""
        with ExitStack() as opened:
            tracks = _tracks(opened.enter_context(open_movie(stretch.path, SOUND_DEMUXERS)), stretch.kind)
            known = self._templates[stretch.kind]
            encoded = stretch.kind == "audio" and self.sound == "encode"
            if stretch.kind == "audio" and not tracks and self.sound not in ("copy", "encode"):
                raise MediaError("holds no sound: name a file with sound", stretch.path)
            for track in tracks:
                if not encoded and not _fits(track, self.suffix):
                    raise MediaError(_remedy(track, self.suffix), stretch.path)
            if known and tracks and not encoded and [_nature(track) for track in known] != [_nature(track) for track in tracks]:
                what = "sound differs" if stretch.kind == "audio" else "subtitles differ"
                raise MediaError(f"its {what} from what goes before and cannot follow: use --sound encode or none", stretch.path)
            if len(tracks) > len(known):
                self._templates[stretch.kind] = tracks
                self._open.push(opened.pop_all())

    @property
    def sound_rate(self) -> int:
        """Samples a second of the first track of sound; 0 where there is none."""
        return next((track.rate for track in self._templates["audio"] if isinstance(track, AudioStream)), 0)

    @property
    def metadata(self) -> dict[str, str]:
        """Title, date and the like of the first clip."""
        return _lasting(self._first.metadata) if self._first else {}

    @property
    def names_of_picture(self) -> dict[str, str]:
        """Language and title of the first clip's picture."""
        return _lasting(self._first.streams.video[0].metadata) if self._first and self._first.streams.video else {}

    def timecode(self, like: ClipInfo) -> str:
        """The timecode of the movie's first frame, or nothing."""
        text = str(like.tags.get("timecode", ""))
        if not is_timecode(text):
            return ""
        skipped = 0
        if self.takes:
            line = timeline(self.takes[0].source)
            skipped = bisect_left(range(len(line)), self.takes[0].start, key=line.time)
        with suppress(InputError):  # a count this rate does not have
            return advance(text, skipped, like.fps)
        return ""

    def describe(self, output: OutputContainer) -> None:
        """Make the tracks in the movie, before its first packet."""
        for kind, templates in self._templates.items():
            for template in templates:
                if kind == "audio" and self.sound == "encode":
                    recoder = Recoder(output, cast(AudioStream, template), self.suffix)
                    self._recoders.append(recoder)
                    track: Stream = recoder.track
                else:
                    track = output.add_stream_from_template(template, opaque=True)
                track.metadata.update(_lasting(template.metadata))
                track.disposition = template.disposition
                self._tracks[kind].append(track)
        chapters = [chapter for take in self.takes for chapter in _chapters(take)]
        if chapters and self.suffix != ".avi":
            for number, chapter in enumerate(chapters, 1):
                chapter["id"] = number
            output.set_chapters(chapters)
        if self._first and self.suffix == ".mkv":
            for stream in self._first.streams.attachments:
                output.add_attachment(stream.metadata.get("filename", "attachment"), stream.mimetype or "", stream.data)

    def flows(self) -> list[Iterator[Timed]]:
        """The packets with their times in the movie, a flow for sound and one for subtitles, each rising."""
        return [self._flow(kind) for kind, tracks in self._tracks.items() if tracks]

    def _flow(self, kind: str) -> Iterator[Timed]:
        recoders = self._recoders if kind == "audio" else []
        for stretch in self._stretches:
            if stretch.kind == kind:
                yield from self._recoded(stretch) if recoders else self._copied(stretch)
        for recoder in recoders:
            yield from recoder.finish()

    def _copied(self, stretch: Stretch) -> Iterator[Timed]:
        """Packets as they are, moved in time."""
        with _demuxing(stretch) as (container, tracks):
            tracks = tracks[: len(self._tracks[stretch.kind])]
            with faults(stretch.path):
                for packet in container.demux(*tracks):
                    start = packet.pts if packet.pts is not None else packet.dts
                    if start is None or not packet.size:
                        continue
                    time = start * packet.time_base + stretch.shift
                    if not stretch.holds(time):
                        continue
                    moved = round(stretch.shift / packet.time_base)
                    packet.pts = start + moved
                    packet.dts = (start if packet.dts is None else packet.dts) + moved
                    packet.stream = self._tracks[stretch.kind][tracks.index(packet.stream)]
                    if stretch.kind == "audio":
                        count = self.written.setdefault(packet.stream.index, [0, 0])
                        count[:] = count[0] + 1, count[1] + packet.size
                    yield time, packet

    def _recoded(self, stretch: Stretch) -> Iterator[Timed]:
        """Sound decoded, cut to the sample, and encoded anew."""
        with _demuxing(stretch) as (container, tracks):
            voices = dict(zip(tracks, self._recoders, strict=False))
            for recoder in voices.values():
                recoder.begin(stretch.shift, stretch.first, stretch.last)
            with faults(stretch.path):
                for packet in container.demux(*voices):
                    for frame in cast(list[av.AudioFrame], packet.decode()):
                        yield from voices[packet.stream].take(frame)
            for recoder in voices.values():
                yield from recoder.pause()


@contextmanager
def _demuxing(stretch: Stretch) -> Iterator[tuple[InputContainer, list[Stream]]]:
    """A stretch's file, open at its beginning, with all but its tracks passed over."""
    with open_movie(stretch.path, SOUND_DEMUXERS) as container:
        tracks = _tracks(container, stretch.kind)
        for other in container.streams:
            if other not in tracks:
                other.discard = Discard.all
        yield container, tracks


def _tracks(container: InputContainer, kind: str) -> list[Stream]:
    return [stream for stream in container.streams if stream.type == kind]


def _fits(track: Stream, suffix: str) -> bool:
    """Whether a container takes a track as it is; its muxer is asked."""
    if track.codec_context is None:
        return False
    try:
        with av.open(io.BytesIO(), "w", format=FORMATS[suffix]) as output:
            output.add_stream_from_template(track, opaque=True)
            output.start_encoding()
    except (ValueError, av.FFmpegError):
        return False
    return True


def _remedy(track: Stream, suffix: str) -> str:
    name = track.codec_context.name if track.codec_context else "of an unknown kind"
    if track.type == "audio":
        return f"its sound ({name}) does not fit into a {suffix}: use --sound encode, or write a .mkv"
    other = ".mp4 or .mov" if name == "mov_text" else ".mkv"
    return f"its subtitles ({name}) do not fit into a {suffix}: write a {other}"


def _nature(track: Stream) -> tuple[Any, ...]:
    """What must agree for one track to follow another."""
    context = track.codec_context
    if isinstance(track, AudioStream):
        return context.name, track.rate, track.layout.name, track.format.name, context.extradata
    return (context.name,)


def _lasting(metadata: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in metadata.items() if name.lower() not in _OF_THE_FILE}


def _chapters(take: Take) -> Iterator[Any]:
    """The chapters of a stretch, cut to it and moved with it."""
    with open_movie(take.source) as container:
        line = timeline(take.source)
        for chapter in container.chapters():
            base = chapter["time_base"] or Fraction(1, 1000)
            start, end = (max(take.start, min(take.end, chapter[edge] * base - line.begin)) for edge in ("start", "end"))
            if start < end:
                shift = take.at - take.start
                moved = {"start": round((start + shift) * 1000), "end": round((end + shift) * 1000)}
                yield {**chapter, **moved, "time_base": Fraction(1, 1000)}
