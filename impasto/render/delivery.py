"""Where painted frames go: into files of their own, or into the pieces of a movie that are joined at the end.

Every finished part is made in the journal's folder, promised to the journal, and then given its name, so a killed render goes on
where it was.
"""
from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from impasto.errors import MediaError
from impasto.media import open_reader, open_writer
from impasto.media.encoding import DEFAULT, Encoding
from impasto.media.landing import check_output, sync
from impasto.media.timecode import advance, is_timecode
from impasto.media.video import SegmentWriter, codecs
from impasto.media.video.join import Take, join
from impasto.render.journal import digest

if TYPE_CHECKING:
    from impasto.frame import ClipInfo, Frame
    from impasto.render.errands import Errand
    from impasto.render.journal import Journal

PIECE_FRAMES = 120  # of a movie: what a kill can cost, against a key frame more and an encoder that starts anew
KNOWN = 64  # pictures whose content is remembered: more than a window of neighbours


@dataclass(frozen=True)
class Manner:
    """How results are stored and what happens to what is there already."""

    encoding: Encoding = DEFAULT
    sound: str = "copy"
    overwrite: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class Part:
    """What is finished and kept at once: the places of its frames, the file it becomes, the pictures it was made from."""

    name: str
    places: range
    path: Path
    sources: tuple[Path, ...] = ()  # the pictures it is made from; a movie's content is known to the journal as a whole

    def source_digest(self) -> str:
        """The content of its sources."""
        together = hashlib.blake2b(digest_size=16)
        for source in dict.fromkeys(self.sources):
            fact = source.stat() if source.exists() else None  # a missing one is told by digest
            together.update((_digest(source, fact.st_size, fact.st_mtime_ns) if fact else digest(source)).encode())
        return together.hexdigest() if self.sources else ""


@lru_cache(KNOWN)
def _digest(source: Path, size: int, changed_ns: int) -> str:
    """The content of a picture that several neighbours are made from, read once."""
    return digest(source)


class Delivery(Protocol):
    """Takes painted frames by their place, in order where `threads` is 1."""

    threads: int
    parts: list[Part]

    def take(self, place: int, frame: Frame) -> None:
        """Store a frame; a part that is complete with it is noted in the journal."""

    def finish(self) -> None:
        """Everything was taken: give the result its name."""

    def abort(self) -> None:
        """Let go of what is half done."""


class Files:
    """Each frame in a file of its own."""

    threads = 2  # packing a PNG takes longer than decoding one

    def __init__(self, errand: Errand, like: ClipInfo, manner: Manner, journal: Journal) -> None:
        self.like, self.encoding, self.journal = like, manner.encoding, journal
        sources = picture_sources(errand)
        assert len(set(errand.files)) == errand.length, "every frame has a file of its own"
        self.parts = [
            Part(file.name, range(place, place + 1), file, sources[place])
            for place, file in enumerate(errand.files)
        ]

    def take(self, place: int, frame: Frame) -> None:
        """Write the frame aside, promise it, give it its name."""
        part = self.parts[place]
        staged = self.journal.folder / part.name
        with named(staged, part.path), open_writer(staged, self.like, overwrite=True, encoding=self.encoding) as writer:
            writer.write(frame)
        self.journal.promise(part.name, digest(staged), source=part.source_digest())
        os.replace(staged, part.path)
        sync(part.path.parent)

    def finish(self) -> None:
        """Every file has its name already."""

    def abort(self) -> None:
        """The journal's folder keeps nothing that is not promised."""


class Movie:
    """Pieces of a fixed number of frames, joined with the sound of the sources."""

    threads = 1

    def __init__(self, errand: Errand, like: ClipInfo, manner: Manner, journal: Journal) -> None:
        self.errand, self.manner, self.journal = errand, manner, journal
        # join() counts on from the source's timecode by what its takes leave out; where there are none, that is done here.
        self.like = like if takes(errand) else replace(like, tags={**like.tags, "timecode": first_timecode(errand)})
        starts = range(0, errand.length, PIECE_FRAMES)
        sources = picture_sources(errand)
        self.parts = [
            Part(
                f"piece-{number:05d}",
                range(start, min(start + PIECE_FRAMES, errand.length)),
                journal.folder / f"piece-{number:05d}.mkv",
                tuple(source for each in sources[start : start + PIECE_FRAMES] for source in each),
            )
            for number, start in enumerate(starts)
        ]
        self._writer: SegmentWriter | None = None

    def take(self, place: int, frame: Frame) -> None:
        """Encode the frame into its piece; a piece that is complete is promised and kept."""
        part = self.parts[place // PIECE_FRAMES]
        with named(part.path, self.errand.target):
            if self._writer is None:
                self._writer = SegmentWriter(part.path, self.like, self.manner.encoding, True, target=self.errand.target)
            self._writer.write(frame)
            if place < part.places[-1]:
                return
            writer, self._writer = self._writer, None
            with writer:
                pass  # leaving closes it: synced, verified, under its name
        self.journal.promise(part.name, digest(part.path), source=part.source_digest())

    def finish(self) -> None:
        """Join the pieces, lay the sound beside them, give the movie its name."""
        staged = self.journal.folder / f"joined{self.errand.target.suffix}"
        pieces = [part.path for part in self.parts]
        times, sound = frame_times(self.errand), self.manner.sound
        with named(staged, self.errand.target):
            join(pieces, times, takes(self.errand), staged, self.like, sound=sound, overwrite=True)
        check_output(self.errand.target, self.manner.overwrite)  # something may have come there meanwhile
        self.journal.promise("joined", digest(staged))
        os.replace(staged, self.errand.target)
        sync(self.errand.target.parent)

    def abort(self) -> None:
        """Drop the piece that is half done."""
        if self._writer is not None:
            self._writer.abort()


@contextmanager
def named(staged: Path, final: Path) -> Iterator[None]:
    """What is wrong with a file that is made aside is told of the one it becomes."""
    try:
        yield
    except MediaError as error:
        if error.path != staged:
            raise
        raise MediaError(str(error).partition(": ")[2], final, error.frame) from None


def picture_sources(errand: Errand) -> list[tuple[Path, ...]]:
    """The pictures that each frame is made from; none for a frame of a movie."""
    found: list[tuple[Path, ...]] = []
    for clip in errand.clips:
        files = clip.around or [(file,) for file in clip.files]
        found += files or [() if clip.kind == "movie" else (clip.source,)] * len(clip.numbers)
    return found


def frame_times(errand: Errand) -> list[Fraction]:
    """When each frame that comes out is shown: as in its source where none is left out, else evenly."""
    times: list[Fraction] = []
    rate, begin = errand.info.fps, Fraction(0)
    for clip in errand.clips:
        if clip.times and clip.whole:
            times += [begin + time - clip.times[0] for time in clip.times]
        else:
            times += [begin + Fraction(place) / rate for place in range(len(clip.numbers))]
        begin = times[-1] + 1 / clip.rate
    return times


def first_timecode(errand: Errand) -> str:
    """The timecode of the first frame that comes out; nothing where its source has none."""
    clip = errand.clips[0]
    text = str(clip.info.tags.get("timecode", ""))
    if not is_timecode(text):
        return ""
    places = clip.numbers[0] - clip.everyone[0] if clip.kind == "sequence" else clip.everyone.index(clip.numbers[0])
    return advance(text, places, clip.rate)


def takes(errand: Errand) -> list[Take]:
    """The stretches of the sources whose sound goes with the picture."""
    found, begin = [], Fraction(0)
    for clip in errand.clips:
        if clip.times and clip.whole:
            found.append(Take(clip.source, clip.times[0], clip.times[-1] + 1 / clip.rate, begin))
            begin += clip.times[-1] - clip.times[0] + 1 / clip.rate
        else:
            begin += len(clip.numbers) / errand.info.fps
    return found


def silent(errand: Errand) -> Sequence[Path]:
    """The movies whose sound cannot follow, because frames are left out between."""
    return [clip.source for clip in errand.clips if clip.times and not clip.whole]


def left_behind(errand: Errand, like: ClipInfo) -> str:
    """Which layers of an EXR do not come along, because the result is of another size; in words, empty if all do."""
    clip, target = errand.clips[0], (errand.files or [errand.target])[0]
    same_size = (like.width, like.height) == (clip.info.width, clip.info.height)
    if same_size or clip.suffix != ".exr" or target.suffix.lower() != ".exr":
        return ""
    with open_reader((clip.files or [clip.source])[0], clip.reading) as reader:
        source = next(iter(reader)).tags["exr"]
    painted = {(source.layer.part, name) for name in source.layer.channels}
    parts = enumerate(source.layout().parts)
    others = [channel.name for number, part in parts for channel in part.channels if (number, channel.name) not in painted]
    named = ", ".join(others[:6]) + (f" and {len(others) - 6} more" if len(others) > 6 else "")
    return f"{errand.target}: of another size than its source, so these channels stay behind: {named}" if others else ""


def lessened(like: ClipInfo, target: Path, encoding: Encoding) -> str:
    """What a movie's codec does not keep of the source's depth and colour resolution, in words; empty if it keeps all."""
    choice = codecs.choose(target, like, encoding)
    bits, chroma = int(like.tags.get("bits", choice.bits)), str(like.tags.get("chroma", choice.chroma))
    lost = [f"{choice.bits} of {bits} bits"] if choice.bits < min(bits, 12) and encoding.bits == "auto" else []
    lost += [f"chroma {choice.chroma} of {chroma}"] if choice.chroma < chroma and encoding.chroma == "auto" else []
    return f"{target}: {choice.codec} keeps {' and '.join(lost)}: --codec and --chroma choose otherwise" if lost else ""
