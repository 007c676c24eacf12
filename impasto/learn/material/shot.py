"""A shot and the few frames of it that somebody painted: matched by number, with their mattes and guide layers.

Everything is decoded once. Of the frames that nobody painted an even selection is kept, as many as fit into a bounded memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from impasto.errors import InputError, MediaError
from impasto.frame import Frame
from impasto.learn.material.cutouts import SEEN, filled
from impasto.learn.material.data import Material, Picture, Pictures, as_seen, even_numbers, open_shot, to_uint8
from impasto.learn.material.places import pictures_in
from impasto.media import PICTURES, Reader, is_sequence, open_reader
from impasto.media.encoding import Decoding
from impasto.media.guides import Guide, check_fits, file_and_layer, fitted, parse_guides, plane
from impasto.media.ranges import runs, say
from impasto.media.sequence import Pattern
from impasto.media.windows import Windows, extent, fits, lying_on, place
from impasto.models.perception import Perception

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

MOST_BYTES = 1 << 30  # of decoded frames
SMALLEST_PX = 64
Planes = NDArray[np.float16]  # [H,W,n]
Matte = NDArray[np.uint8]  # [H,W]


@dataclass
class View:
    """A frame of the shot as a generator sees it; 255 in the matte is what counts of it."""

    number: int
    seen: Picture
    guides: Planes
    matte: Matte


@dataclass
class Key(View):
    """A frame that somebody painted."""

    painted: Picture


@dataclass
class ShotMaterial(Material):
    """What keyframes are learnt from. `photos` are the pictures of `views`, under the names of their frames."""

    shot: Path = Path()
    keys: list[Key] = field(default_factory=list)
    views: list[View] = field(default_factory=list)  # those that nobody painted
    guides: dict[str, int] = field(default_factory=dict)  # name -> planes


def gather_shot(job: TrainJob, most: int, perception: Perception | None, device: torch.device) -> ShotMaterial:
    """Read painted frames, their frames in the shot, up to `most` others, mattes and guides; whatever does not fit is a fault."""
    if job.shot is None:
        raise InputError("recipe keyframes needs the shot that the painted frames belong to: give it with --shot")
    files = numbered(job.references)
    with open_shot(job.shot) as reader:
        there, windows = reader.numbers(), Windows.of(reader.info)  # all is learnt in the data window of the first frame
        size = extent(windows.data)
        _check_numbers(files, there, job.shot)
        if min(size) < SMALLEST_PX:
            raise MediaError(f"is {_told(size)}, and patches need {SMALLEST_PX} pixels each way", job.shot)
        fits = max(1, MOST_BYTES // (size[0] * size[1] * 3))
        others = even_numbers([number for number in there if number not in files], min(most, fits))
        wanted = sorted([*files, *others])
        frames = {f.number: _seen(f, reader, job.shot, windows) for f in reader.read(wanted)}
    guides, planes = read_guides(parse_guides(job.guide), wanted, windows)
    mattes = read_mattes(job.matte, wanted, list(files), windows)
    views = [View(number, frames[number], guides[number], mattes[number]) for number in others if number in mattes]
    references, keys = Pictures([]), []
    for number, path in files.items():
        painted, cover = _read_painted(path, windows, references)
        counts = np.minimum(mattes[number], cover)
        if counts.max() < SEEN:
            raise InputError(f"{path}: is transparent where --matte is white, so nothing of it is learnt: is it the right one?")
        shown = np.where(cover[..., None] < SEEN, frames[number], painted)  # where nobody painted, sheets show the frame
        keys.append(Key(number, frames[number], guides[number], counts, shown))
    photos = _as_photos(views, size, job.shot)
    return ShotMaterial(references, photos, perception, job.seed, device, job.shot, keys, views, planes)


def _seen(frame: Frame, reader: Reader, shot: Path, windows: Windows) -> Picture:
    """A frame as looks see it, in the data window that all frames are learnt in."""
    own = Windows.of(reader.info, frame.tags)
    return place(to_uint8(as_seen(frame, reader, shot)), own.data, windows.data)


def told_by_name(places: Sequence[Path]) -> list[tuple[Path, int | None]]:
    """Pictures, folders standing for those in them, each with the last number in its name."""
    files = [file for each in places for file in (pictures_in(each) if each.is_dir() else [each])]
    patterns = [(file, Pattern.of(file)) for file in files]
    return [(file, pattern.number_of(file.name) if pattern else None) for file, pattern in patterns]


def numbered(places: Sequence[Path]) -> dict[int, Path]:
    """Painted frames by the last number in their names."""
    found: dict[int, Path] = {}
    for path, number in told_by_name(places):
        if number is None:
            raise InputError(
                f"{path}: has no frame number in its name; name it by the frame it is painted on, as in {path.stem}.0024.png"
            )
        if number in found:
            raise InputError(f"{path}: is frame {number}, and so is {found[number]}; the last number of a name is its frame")
        if not path.is_file():
            raise InputError(f"{path}: no such picture")
        found[number] = path
    if not found:
        raise InputError(
            f"{', '.join(map(str, places))}: no painted frame in there; give one at least, named by its frame number"
        )
    return dict(sorted(found.items()))


def _check_numbers(files: dict[int, Path], there: Sequence[int], shot: Path) -> None:
    for number, path in files.items():
        if number not in there:
            raise InputError(
                f"{path}: frame {number} is not in {shot}, which has {say(runs(there))}; rename the painting by its frame"
            )


def read_guides(
    guides: Sequence[Guide], numbers: Sequence[int], shot: Windows
) -> tuple[dict[int, Planes], dict[str, int]]:
    """The planes of these frames, all guides side by side, and how many planes each guide has."""
    found: dict[int, list[Planes]] = {number: [] for number in numbers}
    size = extent(shot.data)
    planes: dict[str, int] = {}
    for guide in guides:
        with guide.open() as reader:
            for number, frame in _frames_of(reader.numbers(), reader.read, numbers, guide.path):
                taken = fitted(plane(frame), Windows.of(reader.info, frame.tags), shot, size, guide.path)
                found[number].append(taken.astype(np.float16))
                planes[guide.name] = taken.shape[2]
    nothing = np.zeros((size[1], size[0], 0), np.float16)
    return {number: np.concatenate([nothing, *each], axis=2) for number, each in found.items()}, planes


def read_mattes(path: Path | None, numbers: Sequence[int], needed: Sequence[int], shot: Windows) -> dict[int, Matte]:
    """What counts of these frames: the matte's alpha where it has one, else its brightness; without a matte, everything.

    A single picture is for all frames. Of a sequence the needed frames must be there; others that are not are left out.
    Of an EXR it may be one layer, as FILE:LAYER.
    """
    if path is None:
        everything = np.full(extent(shot.data)[::-1], 255, np.uint8)
        return dict.fromkeys(numbers, everything)
    found: dict[int, Matte] = {}
    path, layer = file_and_layer(str(path))
    with open_reader(path, Decoding(missing="skip", layer=layer, beside=f"--matte {path}:")) as reader:
        if not is_sequence(path) and path.suffix.lower() in PICTURES:
            matte = _matte(next(iter(reader)), reader, path, shot)
            found = dict.fromkeys(numbers, matte)
        else:
            there = [number for number in numbers if number in reader.numbers() or number in needed]
            for number, frame in _frames_of(reader.numbers(), reader.read, there, path):
                found[number] = _matte(frame, reader, path, shot)
    for number in needed:
        if found[number].max() < 128:
            raise MediaError(
                f"is black in frame {number}, so nothing of the painting would be learnt: is it the right one?", path
            )
    return {number: matte for number, matte in found.items() if matte.max() >= 128}


def _matte(frame: Frame, reader: Reader, path: Path, shot: Windows) -> Matte:
    """A matte over the shot's data window; 0 where it has no pixels."""
    values = frame.alpha if frame.alpha is not None else frame.pixels[..., :3].mean(2).astype(frame.pixels.dtype)
    matte = to_uint8(values[..., None])[..., 0]
    own = Windows.of(reader.info, frame.tags)
    check_fits(own, shot, path)
    area = lying_on(own, shot)
    return place(np.asarray(cv2.resize(matte, extent(area), interpolation=cv2.INTER_LINEAR), np.uint8), area, shot.data)


def _frames_of(there: Sequence[int], read: object, wanted: Sequence[int], path: Path) -> Iterator[tuple[int, Frame]]:
    """The wanted frames of a layer that goes along with the shot."""
    missing = [number for number in wanted if number not in there]
    if missing:
        raise MediaError(f"has no frame {say(runs(missing))}, which the shot has: add it, or number both alike", path)
    assert callable(read)
    frames: Iterable[Frame] = read(wanted)
    yield from zip(wanted, frames, strict=True)


def _read_painted(path: Path, shot: Windows, references: Pictures) -> tuple[Picture, Matte]:
    """A painted frame over the shot's data window, and where it is painted; what it was is noted for the card."""
    with open_reader(path) as reader:
        frame, own = next(iter(reader)), Windows.of(reader.info)
        painted = to_uint8(as_seen(frame, reader, path))
    if not fits(own, shot):
        there, wanted = (_told(extent(windows.shown)) for windows in (own, shot))
        raise InputError(f"{path}: is {there}, and the shot is {wanted}; paint over the shot's own frames, uncropped")
    area = lying_on(own, shot)
    cover = np.full(painted.shape[:2], 255, np.uint8) if frame.alpha is None else to_uint8(frame.alpha[..., None])[..., 0]
    if cover.max() < SEEN:
        raise MediaError("is transparent all over, so nothing of it would be learnt: is it the right one?", path)
    painted, cover = resize_to(filled(painted, cover), extent(area)), resize_to(cover, extent(area))
    references.images.append(painted)
    references.sizes.append(extent(own.data))
    references.names.append(path.name)
    references.hashes.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return place(painted, area, shot.data), place(cover, area, shot.data)


def resize_to(picture: Picture, size: tuple[int, int]) -> Picture:
    """The picture at this width and height."""
    if picture.shape[1::-1] == tuple(size):
        return picture
    interpolation = cv2.INTER_AREA if picture.shape[1] > size[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.uint8)


def _as_photos(views: Sequence[View], size: tuple[int, int], shot: Path) -> Pictures:
    hashes = [hashlib.sha256(view.seen.tobytes()).hexdigest() for view in views]
    names = [f"{shot.name}, frame {view.number}" for view in views]
    return Pictures([view.seen for view in views], names, [size] * len(views), hashes)


def _told(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
