"""Sequences: pictures with a number in their name, as one clip. Read ahead and written behind in threads, in order.

A sequence is named by a pattern (shot.####.png, shot.%04d.png, shot.$F4.png, shot.@@@@.png; the number of marks is the padding
when it is written, any padding is read), by *.png and the like, or by its folder. Frame numbers are those of the files.
"""
from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from fileseq.constants import PAD_STYLE_HASH1
from fileseq.filesequence import FileSequence
from fileseq.utils import pad

from impasto import media
from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame
from impasto.media.encoding import DEFAULT, PLAIN, Decoding, Encoding
from impasto.media.landing import check_output
from impasto.media.ranges import say
from impasto.media.scoped import ScopedReader, ScopedWriter

THREADS = min(4, os.cpu_count() or 1)
AHEAD_BYTES = 128 << 20  # of frames that wait; one always may, however large it is
MOST_RUNS = 6  # that a message lists
_MARKS = re.compile(r"#+|@+|%0?\d*d|\$F\d*")
_WILD = re.compile(r"[*?]")
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)", re.ASCII | re.DOTALL)  # the last number of a name is the frame's


@dataclass(frozen=True)
class Pattern:
    """How the files of a sequence are called: head, number, tail."""

    folder: Path
    head: str
    tail: str
    padding: int = 0  # digits of a number; 0: the name has no place for one

    @classmethod
    def parse(cls, path: str | Path) -> Self:
        """Read a pattern, or a name with * and ?."""
        path = Path(path)
        marks = list(_MARKS.finditer(path.name))
        if len(marks) > 1:
            raise MediaError("has more than one place for the frame number: keep one, as in shot.####.png", path)
        if not marks:
            literal = _WILD.split(path.name)
            return cls(path.parent, literal[0], literal[-1])
        # Only the marks are fileseq's: given the whole name, it takes the 2 of take2.####.png for a range of frames.
        padding = FileSequence.getPaddingNum(marks[0][0], pad_style=PAD_STYLE_HASH1)
        return cls(path.parent, path.name[: marks[0].start()], path.name[marks[0].end() :], padding)

    @classmethod
    def of(cls, file: Path) -> Self | None:
        """The pattern of the sequence that a file belongs to; None if its name has no number."""
        head, number, tail = _parted(file.name)
        return None if number is None else cls(file.parent, head, tail, len(_digits(file.name)))

    @property
    def text(self) -> Path:
        """The pattern as it is written."""
        return self.folder / f"{self.head}{'#' * self.padding}{self.tail}"

    @property
    def stem(self) -> str:
        """What the sequence is called without numbers: that of its files, or of its folder."""
        return self.head.rstrip("._- ") or self.folder.name or "frames"

    def path(self, number: int) -> Path:
        """The file of a frame."""
        if not self.padding:
            where = self.folder / f"{self.head}*{self.tail}"
            raise MediaError(f"has no place for the frame number: write {self.stem}.####{Path('x' + self.tail).suffix}", where)
        return self.folder / f"{self.head}{pad(number, self.padding)}{self.tail}"

    def number_of(self, name: str) -> int | None:
        """The number in a file's name, if it is one of these."""
        inner = name[len(self.head) : len(name) - len(self.tail)]
        fits = name.startswith(self.head) and name.endswith(self.tail) and re.fullmatch(r"-?\d+", inner, re.ASCII)
        return int(inner) if fits else None


def find_frames(path: str | Path) -> dict[int, Path]:
    """The files that a pattern or a folder means, by rising frame number."""
    path = Path(path)
    if path.is_dir():
        return _sorted(_of_folder(_pictures_in(path), path), path)
    names = _pictures_in(path.parent)
    if _MARKS.search(path.name):
        pattern = Pattern.parse(path)
        found = [(number, name) for name in names if (number := pattern.number_of(name)) is not None]
    else:
        wanted = re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in path.name), re.DOTALL)
        found = _of_folder([name for name in names if wanted.fullmatch(name)], path)
    if not found:
        raise MediaError("no such frames: is the name spelt right?", path)
    return _sorted(found, path)


class SequenceReader(ScopedReader):
    """The frames of a sequence, decoded a little ahead of whoever takes them."""

    def __init__(self, path: str | Path, decoding: Decoding = PLAIN) -> None:
        self.path, self._decoding = Path(path), decoding
        self._files = find_frames(path)
        self._there = list(self._files)
        if decoding.missing == "error":
            self.check_gaps(self._there[0], self._there[-1])
        self._first = self._there[0]
        with media.open_reader(self._files[self._first], decoding) as reader:
            self.info = replace(reader.info, frames=len(self.numbers()))

    def check_gaps(self, first: int, last: int) -> None:
        """Refuse a sequence that lacks frames between these two."""
        there = [number for number in self._there if first <= number <= last]
        gaps = [(before + 1, after - 1) for before, after in pairwise(there) if after - before > 1]
        if gaps:
            verb = "frame {} is" if len(gaps) == 1 and gaps[0][0] == gaps[0][1] else "frames {} are"
            ways = "--missing hold repeats the frame before, --missing skip goes on without"
            raise MediaError(f"{verb.format(say(gaps))} missing: add them, or {ways}", self.path)

    def files(self) -> list[Path]:
        """Every file there is."""
        return list(self._files.values())

    def numbers(self) -> Sequence[int]:
        """The number of every frame; gaps that are held count as frames."""
        return range(self._there[0], self._there[-1] + 1) if self._decoding.missing == "hold" else self._there

    def path_of(self, number: int) -> Path:
        """The file that a frame comes from; in a gap that is held, the one before."""
        assert number in self.numbers(), f"{self.path} has no frame {number}"
        return self._files[self._there[bisect_right(self._there, number) - 1]]

    def read(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """These frames, which rise too; only their files are opened."""
        with ThreadPoolExecutor(THREADS, "impasto-decode") as pool:
            waiting: deque[tuple[int, Path, Future[Frame]]] = deque()
            try:
                for number in numbers:
                    path = self.path_of(number)
                    held = waiting and waiting[-1][1] == path
                    waiting.append((number, path, waiting[-1][2] if held else pool.submit(self._load, path)))
                    if len(waiting) >= _depth(self.info):
                        yield _taken(waiting)
                while waiting:
                    yield _taken(waiting)
            finally:
                pool.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[Frame]:
        return self.read(self.numbers())

    def _load(self, path: Path) -> Frame:
        with media.open_reader(path, self._decoding) as reader:
            if _shape(reader.info) != _shape(self.info):
                one = f"a sequence is of one kind, and frame {self._first} is {_told(self.info)}"
                raise MediaError(f"is {_told(reader.info)}: {one}", path)
            return next(iter(reader))

    def close(self) -> None:
        """Every file is closed as soon as its frame is there."""



class SequenceWriter(ScopedWriter):
    """Each frame in a file of its own, encoded behind whoever gives them; every file has its name once it is whole."""

    def __init__(self, path: str | Path, like: ClipInfo, overwrite: bool = False, encoding: Encoding = DEFAULT) -> None:
        if Path(path).is_dir():
            raise MediaError("is a folder: name the frames in it by a pattern, as in frame.####.png", path)
        self._pattern = Pattern.parse(path)
        self._write: Callable[[Path], Any] = lambda file: media.open_writer(file, like, overwrite, encoding)
        self._depth, self._waiting = _depth(like), deque[Future[None]]()
        probe = self._pattern.path(0)
        if probe.suffix.lower() not in media.PICTURES:
            raise MediaError(f"a sequence is of pictures, not of {probe.suffix} files: use {', '.join(media.PICTURES)}", path)
        self._made_folder = not self._pattern.folder.exists()
        if self._made_folder:
            check_output(self._pattern.folder)  # that its parent takes it
        else:
            media.open_writer(probe, like, overwrite=True, encoding=encoding).abort()
        self._pool = ThreadPoolExecutor(THREADS, "impasto-encode")

    def write(self, frame: Frame) -> None:
        """Take a frame; its number names the file. What went wrong with an earlier one is raised here."""
        if self._made_folder:
            self._pattern.folder.mkdir(exist_ok=True)
        while self._waiting and (len(self._waiting) >= self._depth or self._waiting[0].done()):
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._land, frame))

    def _land(self, frame: Frame) -> None:
        with self._write(self._pattern.path(frame.number)) as writer:
            writer.write(frame)

    def close(self) -> None:
        """Wait until every frame has its name."""
        while self._waiting:
            self._waiting.popleft().result()
        self._pool.shutdown()

    def abort(self) -> None:
        """Drop the frames that are not begun; those that are whole stay."""
        self._pool.shutdown(cancel_futures=True)
        if self._made_folder:
            with suppress(OSError):  # it holds frames, or was never made
                self._pattern.folder.rmdir()



def open_writer(path: Path, like: ClipInfo, overwrite: bool = False, encoding: Encoding = DEFAULT) -> SequenceWriter:
    """Open a place for a sequence; its pattern says how the files are called."""
    return SequenceWriter(path, like, overwrite, encoding)


def _pictures_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [
                entry.name
                for entry in entries
                if os.path.splitext(entry.name)[1].lower() in media.PICTURES and entry.name[0] != "." and entry.is_file()
            ]
    except FileNotFoundError:
        raise MediaError("no such folder: is the name spelt right?", folder) from None
    except OSError as error:
        raise MediaError(f"cannot be listed as a folder of pictures: {(error.strerror or str(error)).lower()}", folder) from None


def _of_folder(names: list[str], path: Path) -> list[tuple[int, str]]:
    """The one sequence that lies among these files; pictures without any numbers are counted from 1."""
    if not names:
        raise MediaError("holds no pictures: name another folder, or a file", path)
    runs: dict[tuple[str, str], list[tuple[int, str]]] = {}
    plain = []
    for name in names:
        head, number, tail = _parted(name)
        if number is None:
            plain.append(name)
        else:
            runs.setdefault((head, tail), []).append((number, name))
    if len(runs) == 1 and not plain:
        return next(iter(runs.values()))
    if not runs:
        return list(enumerate(sorted(plain, key=lambda name: media.counting_order(Path(name))), 1))
    told = [f"{head}{'#' * len(_digits(run[0][1]))}{tail}" if len(run) > 1 else run[0][1] for (head, tail), run in runs.items()]
    told = sorted(told + plain)
    more = f" and {len(told) - MOST_RUNS} more" if len(told) > MOST_RUNS else ""
    raise MediaError(f"holds more than one sequence ({', '.join(told[:MOST_RUNS])}{more}): name one by its pattern", path)


def _parted(name: str) -> tuple[str, int | None, str]:
    """Head, number and tail of a file's name. A minus is a sign only after another mark, or at the very beginning."""
    stem, suffix = os.path.splitext(name)
    found = _NUMBERED.fullmatch(stem)
    if not found:
        return stem, None, suffix
    head, digits, rest = found.groups()
    if re.search(r"(^|[._-])-$", head):
        return head[:-1], -int(digits), rest + suffix
    return head, int(digits), rest + suffix


def _digits(name: str) -> str:
    found = _NUMBERED.fullmatch(os.path.splitext(name)[0])
    assert found, f"{name} has a number"
    return found[2]


def _sorted(found: Iterable[tuple[int, str]], path: Path) -> dict[int, Path]:
    folder = path if path.is_dir() else path.parent
    files: dict[int, Path] = {}
    for number, name in sorted(found):
        if number in files:
            raise MediaError(f"has frame {number} twice, as {files[number].name} and {name}: take one of them away", path)
        files[number] = folder / name
    return files


def _taken(waiting: deque[tuple[int, Path, Future[Frame]]]) -> Frame:
    number, _, future = waiting.popleft()
    return replace(future.result(), number=number)


def _depth(info: ClipInfo) -> int:
    """How many frames may wait."""
    a_frame = info.width * info.height * info.channels * np.dtype(info.depth).itemsize
    return max(1, min(2 * THREADS, AHEAD_BYTES // max(1, a_frame)))


def _shape(info: ClipInfo) -> tuple[object, ...]:
    """What all frames have in common. The data window of an EXR may change from frame to frame, not the display window."""
    size = info.tags.get("display_window", (info.width, info.height))
    return size, info.channels, info.depth, info.tags.get("bits")


def _told(info: ClipInfo) -> str:
    return f"{info.width}x{info.height} with {info.channels} channels of {info.tags.get('bits', info.depth)}"
