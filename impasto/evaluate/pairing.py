"""Which frames of a source and of a painting belong together, and how both are read: as a screen shows them, at one size.

    pairs = open_pairs(source, output, side=512)
    for name, photo, painted in pairs.read(): ...      # two [H,W,3] float32 in 0..1 of one size

Two pictures are one pair. Two movies or sequences are a shot: frames in order where there are as many, else by their numbers. Two
folders that are not each one shot are a heap of pictures: by the names of their files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo, Frame
from impasto.job import counted
from impasto.media import MOVIES, is_sequence, list_pictures, open_reader
from impasto.media.alpha import unpremultiplied
from impasto.media.colour import AUTO, open_colour
from impasto.media.encoding import Decoding
from impasto.media.flow import Plane
from impasto.media.oklab import as_float
from impasto.media.ranges import Frames
from impasto.media.sequence import Pattern, find_frames

Pair = tuple[str, Plane, Plane]  # what the frame is called, source, painting
Size = tuple[int, int]  # width, height
READING = Decoding(missing="skip")
MOST_NAMED = 4


@dataclass(frozen=True)
class Pairs:
    """Frames of a source and their paintings, to be read one after the other."""

    source: Path
    output: Path
    side: int
    numbers: Sequence[tuple[int, int]] = ()  # of a shot: frame of the source, frame of the painting
    files: Sequence[tuple[Path, Path]] = ()  # of pictures that have nothing to do with each other
    unpainted: int = 0  # pictures of the source without a painting

    @property
    def moving(self) -> bool:
        """Whether they are a shot."""
        return len(self.numbers) > 1

    @property
    def paintings(self) -> list[int | Path]:
        """Which frame, or file, of the painting each pair shows."""
        return [painted for _, painted in self.numbers] or [painting for _, painting in self.files]

    def __len__(self) -> int:
        return len(self.numbers) or len(self.files)

    def read(self) -> Iterator[Pair]:
        """Every pair, in order, at the size it is measured."""
        for photo, painting in self.files:
            yield photo.name, *together(as_shown(photo), as_shown(painting), self.side)
        if not self.numbers:
            return
        with open_reader(self.source, READING) as source, open_reader(self.output, READING) as output:
            ours, theirs = zip(*self.numbers, strict=True)
            for frame, painted in zip(source.read(ours), output.read(theirs), strict=True):
                seen = _shown(frame, source.info, self.source), _shown(painted, output.info, self.output)
                yield str(frame.number), *together(*seen, self.side)


def open_pairs(source: Path, output: Path, frames: str = "all", side: int = 0) -> Pairs:
    """Pair the frames of a source and of its painting; `frames` are those of the source that the painting shows."""
    shots = [is_shot(place) for place in (source, output)]
    if all(shots):
        return _paired_shot(source, output, frames, side)
    if source.is_dir() and output.is_dir():
        return _paired_heap(source, output, side)
    if any(shots) or source.is_dir() or output.is_dir():
        one, many = (output, source) if shots[0] or source.is_dir() else (source, output)
        raise InputError(f"{one}: is one picture, and {many} is several: name two pictures, two folders or two shots")
    with open_reader(source) as ours, open_reader(output) as theirs:
        check_sizes((ours.info.width, ours.info.height), (theirs.info.width, theirs.info.height), source, output)
    return Pairs(source, output, side, files=[(source, output)])


def few(pairs: Pairs, places: Sequence[int]) -> Pairs:
    """Some of the pairs, by their places."""
    numbers = [pairs.numbers[place] for place in places] if pairs.numbers else ()
    files = [pairs.files[place] for place in places] if pairs.files else ()
    return replace(pairs, numbers=numbers, files=files)


def is_shot(place: Path) -> bool:
    """Whether it is a movie or a sequence; of folders, one whose pictures are numbered without a gap and of one size."""
    if not place.is_dir():
        return is_sequence(place) or place.suffix.lower() in MOVIES
    try:
        files = find_frames(place)
    except MediaError:
        return False
    numbers = list(files)
    gapless = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return gapless and all(Pattern.of(file) for file in files.values()) and len({_size(file) for file in files.values()}) == 1


def check_sizes(ours: Size, theirs: Size, source: Path, output: Path) -> int:
    """By what whole factor the painting is larger (or, below 1, smaller: -2 is half the size); else it is refused."""
    up, down = (max(1, round(one[0] / other[0])) for one, other in ((theirs, ours), (ours, theirs)))
    factor, small, large = (up, ours, theirs) if up >= down else (-down, theirs, ours)
    if any(abs(few * abs(factor) - many) >= max(1, abs(factor)) for few, many in zip(small, large, strict=True)):
        sizes = f"{theirs[0]}x{theirs[1]}, and {source} {ours[0]}x{ours[1]}"
        raise InputError(f"{output}: is {sizes}: give a painting of the source's size, or so many whole times larger or smaller")
    return factor


def together(source: Plane, output: Plane, side: int) -> tuple[Plane, Plane]:
    """Both at the smaller one's size, and no longer than `side` (0: any length)."""
    height, width = (min(many) for many in zip(source.shape[:2], output.shape[:2], strict=True))
    scale = min(1.0, side / max(height, width)) if side else 1.0
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return resized(source, size), resized(output, size)


def fitted(picture: Plane, side: int) -> Plane:
    """A picture with its long side at so many pixels, if it is longer."""
    return together(picture, picture, side)[0]


def resized(picture: Plane, size: Size) -> Plane:
    """A picture made smaller by the average of what each pixel covers."""
    same = (picture.shape[1], picture.shape[0]) == size
    return picture if same else np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def as_shown(path: Path) -> Plane:
    """A picture as a screen shows it, float32 in 0..1."""
    with open_reader(path) as reader:
        return _shown(next(iter(reader)), reader.info, path)


def _shown(frame: Frame, info: ClipInfo, path: Path) -> Plane:
    rgb, suffix = frame.rgb(), path.suffix.lower()
    if frame.tags.get("premultiplied") and frame.alpha is not None:
        rgb = unpremultiplied(rgb, frame.alpha)
    seen = as_float(open_colour(AUTO, AUTO, info, suffix, suffix).to_working(rgb))
    return np.nan_to_num(seen, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)


def _size(file: Path) -> Size:
    with open_reader(file) as reader:
        return reader.info.width, reader.info.height


def _paired_shot(source: Path, output: Path, frames: str, side: int) -> Pairs:
    with open_reader(source, READING) as ours, open_reader(output, READING) as theirs:
        check_sizes((ours.info.width, ours.info.height), (theirs.info.width, theirs.info.height), source, output)
        wanted, painted = Frames.parse(frames).chosen(ours.numbers()), list(theirs.numbers())
        if len(wanted) == len(painted):
            return Pairs(source, output, side, numbers=list(zip(wanted, painted, strict=True)))
        # Movies are counted from 1 wherever they were cut from: their numbers say nothing of each other
        known, cut = (painted, _is_movie(output)) if frames == "all" else (wanted, False)
        if cut or not set(known) <= set(ours.numbers()) & set(painted):
            is_here = f"{counted(len(painted), 'frame')}, and of {source} {len(wanted)} are wanted"
            raise InputError(f"{output}: has {is_here}: say which of the source's frames it shows, as --frames 24-48")
        return Pairs(source, output, side, numbers=[(number, number) for number in known])


def _is_movie(place: Path) -> bool:
    return place.suffix.lower() in MOVIES and not is_sequence(place)


def _paired_heap(source: Path, output: Path, side: int) -> Pairs:
    photos, paintings = ({file.stem: file for file in list_pictures(place)} for place in (source, output))
    pairs = [(photo, paintings[stem]) for stem, photo in photos.items() if stem in paintings]
    strangers = [file.name for stem, file in paintings.items() if stem not in photos]
    if strangers or not pairs:
        more = f" and {len(strangers) - MOST_NAMED} more" if len(strangers) > MOST_NAMED else ""
        which = (
            f"{', '.join(strangers[:MOST_NAMED])}{more} is called like no picture" if strangers else "holds no painting of any"
        )
        raise InputError(f"{output}: {which} in {source}: a painting is paired with the picture of its name")
    for photo, painting in pairs:
        check_sizes(_size(photo), _size(painting), photo, painting)
    return Pairs(source, output, side, files=pairs, unpainted=len(photos) - len(pairs))
