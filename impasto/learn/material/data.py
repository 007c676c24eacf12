"""What a look is learnt from: pictures decoded once, and crops of them that depend on the seed and the step alone.

A batch is a pure function of (seed, step), so a resumed training sees exactly what an undisturbed one would have seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.errors import InputError, MediaError
from impasto.frame import Frame, Pixels
from impasto.learn.material import cutouts
from impasto.learn.material.places import overlooked, pictures_in, walk
from impasto.learn.run.devices import Precision, is_quick
from impasto.media import MOVIES, Reader, is_sequence, open_reader
from impasto.media.alpha import unpremultiplied
from impasto.media.colour import AUTO, open_colour
from impasto.media.encoding import Decoding
from impasto.models.perception import Perception

if TYPE_CHECKING:
    from pydantic import BaseModel

    from impasto.learn.job import TrainJob

Picture = NDArray[np.uint8]  # [H,W,3]
SHOT_FRAMES = 200  # of a shot that joins the photographs
MOST_SIDE_PX = 8192  # the largest working size; a teacher's features of a larger picture fit into no memory
SMALLEST_PX = 32  # a picture of a folder with a shorter side has no texture to show
PLATE_SCENES, PLATE_FRAMES = 8, 6  # stand-in photographs when the user has none


@dataclass
class Pictures:
    """Decoded pictures with their names and hashes, and the files that could not be read."""

    images: list[Picture]
    names: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)  # width and height as they came
    hashes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def list_hash(self) -> str:
        """One hash that stands for the whole list."""
        return hashlib.sha256("\n".join(sorted(self.hashes)).encode()).hexdigest()


@dataclass
class Material:
    """Everything that a recipe learns from."""

    references: Pictures
    photos: Pictures
    perception: Perception | None
    seed: int
    device: torch.device
    precision: Precision = field(default="auto", kw_only=True)  # by keyword, so that recipes can add fields of their own

    @property
    def quick(self) -> bool:
        """Whether to compute in bfloat16."""
        return is_quick(self.precision, self.device)

    def autocast(self) -> torch.autocast:
        """What a recipe's step runs under: bfloat16 where it was asked for or pays."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.quick)


def to_uint8(pixels: Pixels) -> Picture:
    """RGB of any depth as 8 bits."""
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    top = 65535.0 if pixels.dtype == np.uint16 else 1.0
    return np.rint(pixels.astype(np.float32).clip(0, top) * (255 / top)).astype(np.uint8)


def resize(image: Picture, long_side: int) -> Picture:
    """The picture with its long side at `long_side` pixels."""
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return np.asarray(resized, np.uint8)


def read_pictures(
    paths: Iterable[Path], long_side: int, smallest_px: int = 0, *, flat: bool = True, as_is: bool = False
) -> Pictures:
    """Decode pictures at a working size; what cannot be read, is too small or is there already is listed, not fatal.

    Without `flat`, what is of one colour is left out too. With `as_is`, transparent pictures keep their whole extent.
    """
    found, known = Pictures([]), dict[str, str]()
    for path in paths:
        try:
            picture, (width, height) = _decoded(path, long_side, as_is)
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        except (MediaError, OSError) as error:
            found.refused.append(str(error))
            continue
        if min(height, width) < smallest_px:
            found.refused.append(f"{path}: {width}x{height} pixels are too few to learn from")
        elif not flat and is_flat(picture):
            found.refused.append(f"{path}: is one flat colour; there is no look in it to learn")
        elif content in known:
            found.refused.append(f"{path}: is the same picture as {known[content]}")
        else:
            known[content] = path.name
            found.images.append(picture)
            found.sizes.append((width, height))
            found.names.append(path.name)
            found.hashes.append(content)
    return found


def _decoded(path: Path, long_side: int, as_is: bool) -> tuple[Picture, tuple[int, int]]:
    """A picture at its working size and how large it came; of one with transparent parts, what can be seen."""
    with open_reader(path) as reader:
        frame = next(iter(reader))
        rgb = to_uint8(as_seen(frame, reader, path))
    rgb = rgb if rgb.shape[2] == 3 else rgb.repeat(3, axis=2)
    cover = None if frame.alpha is None else to_uint8(frame.alpha[..., None])[..., 0]
    if cover is None or cover.min() == 255:
        return resize(rgb, long_side), (rgb.shape[1], rgb.shape[0])
    if cover.max() < cutouts.SEEN:
        raise MediaError("is transparent all over: there is nothing in it to learn from", path)
    if as_is:
        return resize(cutouts.flattened(rgb, cover), long_side), (rgb.shape[1], rgb.shape[0])
    rgb, cover = (plane[cutouts.box(cover)] for plane in (rgb, cover))
    whole = resize(cutouts.filled(rgb, cover), long_side)
    return whole, (rgb.shape[1], rgb.shape[0])


def is_flat(picture: Picture) -> bool:
    """Whether a picture is of one colour, but for noise that nobody sees."""
    return bool(picture.std((0, 1)).max() < 2)


def left_out(pictures: Pictures) -> str:
    """In brackets, how many files could not be learnt from, and the first of them; nothing where there are none."""
    return f" ({len(pictures.refused)} left out, the first: {pictures.refused[0]})" if pictures.refused else ""


def alike(pictures: Pictures, side: int = 16, steps: float = 3.0) -> list[str]:
    """Pairs of pictures that show nearly the same (one scaled or saved anew): they would count twice."""
    views = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in pictures.images]
    small = np.stack([np.asarray(view, np.float32).ravel() for view in views])
    told = []
    for number, name in enumerate(pictures.names[1:], 1):
        near = np.abs(small[:number] - small[number]).mean(axis=1)
        if near.min() < steps:
            told.append(f"{name} shows nearly what {pictures.names[int(near.argmin())]} does; both are learnt from")
    return told


def gather(
    job: TrainJob, settings: BaseModel, perception: Perception | None, device: torch.device, photographs: bool = True
) -> Material:
    """What most recipes learn from: the references, and photographs to paint."""
    references = gather_references(job.references, getattr(settings, "style_side", 512))
    photos = gather_photos(job.places(), getattr(settings, "photo_side", 512) * 5 // 4) if photographs else Pictures([])
    return Material(references, photos, perception, job.seed, device)


def gather_references(places: Sequence[Path], long_side: int, as_is: bool = False) -> Pictures:
    """The pictures that were named, and those in folders and lists; one that was named and cannot be read is an error."""
    named = [place for place in places if not place.is_dir() and place.suffix != ".txt"]
    for path in named:
        if not path.is_file():
            raise InputError(f"{path}: no such picture")
    found = read_pictures(named, long_side, as_is=as_is)
    if found.refused:
        raise InputError(found.refused[0])
    many = [place for place in places if place not in named]
    if many:
        more = _gathered(many, long_side, "works", flat=as_is, as_is=as_is)
        for name in ("images", "names", "sizes", "hashes", "refused"):
            getattr(found, name).extend(getattr(more, name))
    return found


def gather_photos(places: Sequence[Path], long_side: int, as_is: bool = False) -> Pictures:
    """All pictures below the folders, in the lists and of the shots; with no place given, frames of the procedural plate.

    A list is a text file with one picture's path (from the working folder) per line, for those who must say exactly what
    trained their look.
    """
    return _gathered(places, long_side, "photographs", flat=True, as_is=as_is) if places else plate_photos(long_side)


def _gathered(places: Sequence[Path], long_side: int, wanted: str, *, flat: bool, as_is: bool) -> Pictures:
    paths: list[Path] = []
    shots: list[Path] = []
    unread: list[str] = []
    for place in places:
        if place.suffix.lower() in MOVIES or (is_sequence(place) and not place.is_dir()):
            shots.append(place)
        elif place.is_dir():
            paths += [path for folder in walk(place) for path in pictures_in(folder)]
            unread += overlooked(place)
        elif place.suffix == ".txt" and place.is_file():
            paths += _listed(place)
        elif place.is_file():
            paths.append(place)
        else:
            raise InputError(f"{place}: no such folder of {wanted} or picture, nor a .txt list of pictures, nor a shot")
    found = read_pictures(paths, long_side, SMALLEST_PX, flat=flat, as_is=as_is)
    found.refused += unread
    for shot in shots:
        _join_frames(found, shot, long_side)
    if not found.images:
        where = ", ".join(map(str, places))
        raise InputError(f"{where}: no readable picture in there{left_out(found)}; give a folder of {wanted} to learn from")
    return found


def open_shot(path: Path) -> Reader:
    """Open a shot to learn from: a movie, a sequence or a folder; frames that are missing are gone on without."""
    if not path.exists() and not is_sequence(path):
        raise InputError(f"{path}: no such shot; give a movie, a folder of frames, or a pattern as in shot.####.png")
    return open_reader(path, Decoding(missing="skip"))


def even_numbers(numbers: Sequence[int], most: int) -> list[int]:
    """At most so many of the numbers, evenly spread from the first to the last."""
    if len(numbers) <= most:
        return list(numbers)
    return [numbers[int(i)] for i in np.linspace(0, len(numbers) - 1, most).round()]


def as_seen(frame: Frame, reader: Reader, path: Path) -> Pixels:
    """Colour of a frame as looks see it when a shot is rendered: as a screen shows it, without the alpha multiplied into it."""
    files = getattr(reader, "files", None)  # of a sequence
    suffix = (files()[0] if files else path).suffix.lower()
    rgb = frame.rgb()
    if frame.tags.get("premultiplied") and frame.alpha is not None:
        rgb = unpremultiplied(rgb, frame.alpha)
    return open_colour(AUTO, AUTO, reader.info, suffix, suffix).to_working(rgb)


def _join_frames(photos: Pictures, shot: Path, long_side: int) -> None:
    """Frames of a shot as photographs, evenly spread over it."""
    with open_shot(shot) as reader:
        for frame in reader.read(even_numbers(reader.numbers(), SHOT_FRAMES)):
            seen = to_uint8(as_seen(frame, reader, shot))
            photos.images.append(resize(seen, long_side))
            photos.sizes.append((seen.shape[1], seen.shape[0]))
            photos.names.append(f"{shot.name}, frame {frame.number}")
            photos.hashes.append(hashlib.sha256(seen.tobytes()).hexdigest())


def _listed(place: Path) -> list[Path]:
    try:
        lines = [line.strip() for line in place.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError:
        raise InputError(f"{place}: is not a list of pictures: write one path per line, in UTF-8") from None
    return [Path(line) for line in lines if line and not line.startswith("#")]


def plate_photos(long_side: int) -> Pictures:
    """Frames of several procedural scenes: enough to learn from when there is not one photograph at hand."""
    from impasto.media.plate import Plate

    photos = Pictures([])
    for seed in range(PLATE_SCENES):
        plate = Plate(long_side, long_side * 9 // 16, 24, seed)
        for number in range(0, PLATE_FRAMES * 20, 20):
            rgb = plate.frame(number).rgb
            photos.images.append(rgb)
            photos.sizes.append((plate.width, plate.height))
            photos.names.append(f"plate {seed}, frame {number}")
            photos.hashes.append(hashlib.sha256(rgb.tobytes()).hexdigest())
    return photos


def rng_at(seed: int, step: int, stream: str) -> np.random.Generator:
    """Random numbers that depend on the seed, the step and a name only."""
    return np.random.default_rng([seed, step, *stream.encode()])


def crop(image: Picture, size: int, rng: np.random.Generator, zoom: tuple[float, float]) -> Picture:
    """A random square of the picture at a random zoom, mirrored half of the time."""
    height, width = image.shape[:2]
    taken = size / rng.uniform(*zoom)
    taken = int(min(taken, height, width))
    top, left = rng.integers(height - taken + 1), rng.integers(width - taken + 1)
    square = image[top : top + taken, left : left + taken]
    if taken != size:
        square = np.asarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA if taken > size else cv2.INTER_CUBIC))
    return square[:, ::-1] if rng.random() < 0.5 else square


def to_tensor(images: Sequence[Picture]) -> Tensor:
    """[H,W,3] uint8 pictures of one size -> [N,3,H,W] in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))).float() / 255


def random_crops(pictures: Pictures, count: int, size: int, rng: np.random.Generator, zoom: tuple[float, float]) -> Tensor:
    """[count,3,size,size] crops of pictures drawn at random."""
    chosen = rng.integers(len(pictures.images), size=count)
    return to_tensor([crop(pictures.images[i], size, rng, zoom) for i in chosen])


def random_motion(count: int, size: int, rng: np.random.Generator) -> dict[str, Tensor]:
    """Smooth random motions of a square picture and small changes of light, as the tensors of a `losses.Motion`.

    Half of them are whole-pixel shifts, which need no interpolation and so tell of a grid; the others also turn, zoom and bend.
    """
    axis = (torch.arange(size, dtype=torch.float32) + 0.5) * 2 / size - 1
    still = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).expand(count, size, size, 2)
    grids = []
    for i in range(count):
        shift = rng.integers(-16, 17, 2) if i % 2 == 0 else rng.uniform(-16, 16, 2)
        grid = still[i] + torch.from_numpy(shift.astype(np.float32)) * 2 / size
        if i % 2 == 1:
            angle, zoom = np.deg2rad(rng.uniform(-2, 2)), rng.uniform(0.96, 1.04)
            turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            bend = torch.from_numpy(rng.normal(0, 3.0 / size, (1, 2, 4, 4)).astype(np.float32))
            bend = torch.nn.functional.interpolate(bend, (size, size), mode="bicubic", align_corners=True)[0].permute(1, 2, 0)
            grid = grid @ torch.from_numpy(turn.astype(np.float32)) + bend
        grids.append(grid)
    grid = torch.stack(grids)
    inside = grid.abs().amax(-1) < 1
    noise = rng.normal(0, 1, (count, 3, size, size)) * rng.uniform(0, 0.012, (count, 1, 1, 1))
    return {
        "grid": grid,
        "inside": inside[:, None].float(),
        "gain": torch.from_numpy(rng.uniform(0.96, 1.04, (count, 1, 1, 1)).astype(np.float32)),
        "bias": torch.from_numpy(rng.uniform(-0.015, 0.015, (count, 3, 1, 1)).astype(np.float32)),
        "noise": torch.from_numpy(noise.astype(np.float32)),
    }
