"""Where a timeline's media lies on this machine, and what there is in it.

An edit names media by URL, by path, or (an EDL) only by clip name or reel. What lies where it is said to lie is taken; else the
folders given are searched by name.
"""
from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from impasto.errors import InputError
from impasto.frame import ClipInfo
from impasto.media import MOVIES, READERS, Reader, is_sequence, open_reader
from impasto.media.encoding import Decoding
from impasto.media.timecode import is_timecode, to_frames

Kind = Literal["movie", "sequence", "picture"]
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters and more: c: is a drive
_BRACKETS = re.compile(r"\[(-?\d+)-\d+\](?=\.\w+$)")  # shot.[1001-1020].exr
_PLACE = r"#+|@+|\*|%0?\d*d|\$F\d*"  # where the frame number stands in a pattern
_NUMBERED = re.compile(r"(.*?)(\d+)(\.\w+)")


@dataclass(frozen=True)
class Source:
    """What is known of a clip's media before its first frame is decoded."""

    path: Path
    kind: Kind
    numbers: Sequence[int]  # of the frames there are
    fps: Fraction  # 0: it has none of its own
    timecode: int | None = None  # of its first frame, counted in frames
    files: Mapping[int, Path] = field(default_factory=dict)  # of a sequence, by number
    info: ClipInfo | None = None

    @classmethod
    def survey(cls, path: Path) -> Source:
        """Open media for its header alone."""
        kind: Kind = "sequence" if is_sequence(path) else "movie" if path.suffix.lower() in MOVIES else "picture"
        with open_reader(path, Decoding(missing="skip")) as reader:
            info, numbers = reader.info, reader.numbers()
            files = _files_of(reader, numbers) if kind == "sequence" else {}
        text = str(info.tags.get("timecode", ""))
        timecode = to_frames(text, info.fps) if info.fps and is_timecode(text) else None
        return cls(path, kind, numbers, info.fps, timecode, files, info)

    @property
    def suffix(self) -> str:
        """The suffix of its files."""
        return next(iter(self.files.values()), self.path).suffix.lower()

    def state(self, numbers: Iterable[int]) -> str:
        """What tells that the files of these frames are as they were: their sizes and the times they were written."""
        files = [self.files[number] for number in numbers if number in self.files] or [self.path]
        stats = [file.stat() for file in files]
        return sha256(repr([(each.st_size, each.st_mtime_ns) for each in stats]).encode()).hexdigest()

    @property
    def stem(self) -> str:
        """Its name without suffix and frame number."""
        if self.kind == "sequence" and not self.path.is_dir():
            return re.split(rf"[._-]?(?:{_PLACE})", self.path.name)[0]
        return self.path.name if self.path.is_dir() else self.path.stem


@dataclass
class Shelves:
    """The folders that media is looked for in: beside the timeline, and those named with --media, with all that is in them."""

    home: Path
    folders: Sequence[Path] = ()
    _found: dict[str, set[Path]] | None = field(default=None, repr=False)

    def place_of(self, url: str, names: Iterable[str]) -> Path | None:
        """The media an edit means by a URL and, where nothing lies there, by its names; None if there is none."""
        for path in _readings(url):
            if _is_there(self.home / path):
                return self.home / path
        base = re.split(r"[\\/]", unquote(url))[-1]
        for name in dict.fromkeys([base, *names]):
            places = self._by_name().get(_key(name), set()) if name else set()
            if len(places) > 1:
                several = ", ".join(str(place) for place in sorted(places)[:4])
                raise InputError(f"{len(places)} files could be meant by '{name}' ({several}): name one folder with --media")
            if places:
                return next(iter(places))
        return None

    def _by_name(self) -> dict[str, set[Path]]:
        if self._found is None:
            self._found = {}
            for file in self._files():
                for name, place in _names(file):
                    self._found.setdefault(_key(name), set()).add(place)
        return self._found

    def _files(self) -> Iterator[Path]:
        if not self.folders:  # whoever names no folder may have the timeline on the desktop: only what lies beside it
            yield from (Path(entry.path) for entry in os.scandir(self.home) if _is_media(entry.name) and entry.is_file())
        for top in self.folders:
            for folder, inner, files in os.walk(top):
                inner[:] = sorted(name for name in inner if not name.startswith("."))
                yield from (Path(folder, name) for name in files if _is_media(name))


def _files_of(reader: Reader, numbers: Sequence[int]) -> dict[int, Path]:
    from impasto.media.sequence import SequenceReader

    assert isinstance(reader, SequenceReader), "a pattern or a folder is read as a sequence"
    return {number: reader.path_of(number) for number in numbers}


def is_relative(url: str) -> bool:
    """Whether a reference is told from the timeline's folder."""
    return bool(url) and not _SCHEME.match(url) and not os.path.isabs(url) and not re.match(r"[A-Za-z]:|\\\\", url)


def _readings(url: str) -> list[Path]:
    """The paths a URL can mean: writers differ in whether they escape what must be escaped."""
    url = _BRACKETS.sub(lambda found: "#" * len(found[1].lstrip("-")), url)
    if url.lower().startswith("file:"):
        rest = re.sub(r"^//(localhost)?(?=/)", "", url[5:])
        return [Path(unquote(rest)), Path(rest)]
    if not url or _SCHEME.match(url) or "\0" in url:
        return []
    return [Path(url), Path(unquote(url))]


def _is_there(path: Path) -> bool:
    if os.path.exists(path):
        return True
    if not is_sequence(path) or not os.path.isdir(path.parent):
        return False
    head, _, tail = re.sub(_PLACE, "\0", path.name).partition("\0")
    with os.scandir(path.parent) as entries:
        return any(re.fullmatch(f"{re.escape(head)}-?\\d+{re.escape(tail)}", entry.name) for entry in entries)


def _names(file: Path) -> Iterator[tuple[str, Path]]:
    """The names that a file answers to, and the media it stands for: one frame stands for its sequence."""
    found = _NUMBERED.fullmatch(file.name) if file.suffix.lower() not in MOVIES else None
    yield file.name, file
    if not found:
        yield file.stem, file
        return
    head, digits, tail = found.groups()
    pattern = file.with_name(f"{head}{'#' * len(digits)}{tail}")
    for name in (pattern.name, f"{head.rstrip('._-')}{tail}", head.rstrip("._-")):
        if name.strip("#"):
            yield name, pattern


def _key(name: str) -> str:
    return _BRACKETS.sub(lambda found: "#" * len(found[1].lstrip("-")), name).casefold()


def _is_media(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in READERS
