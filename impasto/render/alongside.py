"""Files that go along with a shot, as mattes and guides do.

A still is held, a sequence goes by the frame's number, a video by the frame's place in the shot.
"""
from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame
from impasto.media import MOVIES, Reader, is_sequence, open_reader
from impasto.media.encoding import Decoding
from impasto.media.ranges import runs, say
from impasto.render.journal import WHOLE_BYTES, digest_of_source

FAR = 32  # frames; a longer way forward is jumped


class Alongside:
    """Finds the frame of another file that belongs to a frame of the shot, whose numbers are all known."""

    def __init__(self, path: Path, decoding: Decoding, shot: Sequence[int], what: str) -> None:
        self.path, self.what, self._shot = path, what, shot
        self.reader: Reader = open_reader(path, decoding)
        self._numbers = self.reader.numbers()
        self._frames: Iterator[Frame] = iter(())
        self._next = inf

    @property
    def info(self) -> ClipInfo:
        """What its frames are."""
        return self.reader.info

    def check(self, shown: Sequence[int]) -> None:
        """Refuse a file that lacks any of these frames of the shot, before one is painted."""
        if is_sequence(self.path):
            there = set(self._numbers)
            if missing := [number for number in shown if number not in there]:
                lacks = f"this {self.what} lacks {'frame' if len(missing) == 1 else 'frames'} {say(runs(missing))} of the shot"
                raise MediaError(f"{lacks}: make what is missing, or choose other frames with --frames", self.path)
        elif shown:
            self.number(shown[-1])

    def number(self, shown: int) -> int:
        """The number of its own frame that goes with a frame of the shot."""
        there = self._numbers
        if is_sequence(self.path):
            if shown not in there:
                run = f"this {self.what} has {len(there)} frames from {there[0]} to {there[-1]}"
                raise MediaError(f"{run}, not this one: make it or leave it out", self.path, shown)
            return shown
        if self.path.suffix.lower() not in MOVIES:
            return there[0]
        place = bisect_left(self._shot, shown)
        if place >= len(there):
            told = f"this {self.what} ends after {len(there)} frames, before the shot: make it longer"
            raise MediaError(told, self.path, shown)
        return there[place]

    def frame(self, shown: int) -> Frame:
        """Its frame that goes with a frame of the shot."""
        number = self.number(shown)
        if not self._next <= number <= self._next + FAR:
            self._frames = self.reader.read([each for each in self._numbers if each >= number])
        for frame in self._frames:
            if frame.number == number:
                self._next = number + 1
                return frame
        raise MediaError(f"this {self.what} ends before its own end: get it again or save it anew", self.path, number)

    def close(self) -> None:
        """Let go of the file."""
        self.reader.close()


def content(path: Path) -> str:
    """What such a file holds, as a digest, so that a changed one is noticed.

    Of a sequence beyond 256 MiB it tells names, sizes and times alone.
    """
    if not is_sequence(path):
        return digest_of_source(path)
    found, files = hashlib.blake2b(digest_size=16), files_of(path)
    facts = [_stat(file) for file in files]
    small = sum(size for size, _ in facts) <= WHOLE_BYTES
    for file, fact in zip(files, facts, strict=True):
        found.update(f"{file.name}\0{digest_of_source(file) if small else fact}\0".encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def files_of(source: Path) -> Sequence[Path]:
    """The files of a shot, or of what goes along with one, in order."""
    if not is_sequence(source):
        return [source]
    from impasto.media.sequence import find_frames

    return list(find_frames(source).values())


def _stat(file: Path) -> tuple[int, int]:
    """Size and time of a file."""
    try:
        found = file.stat()
    except OSError as error:
        raise MediaError(f"cannot be read: {(error.strerror or str(error)).lower()}", file) from None
    return found.st_size, found.st_mtime_ns
