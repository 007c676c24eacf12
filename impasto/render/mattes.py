"""Where a look is laid on: `--style STYLE@MATTE[,invert][,feather=12]`, and the mattes themselves, frame by frame.

A matte is 0 where the picture stays and 1 where the look is. It comes from

    a file                a picture (held), a sequence (goes by the frame's number), a video (by the frame's place in the shot)
    FILE:CHANNEL          R, G, B, A or Y (luminance) of any file; of an EXR any channel, or a layer's luminance
    alpha                 the picture's own alpha
    layer:NAME            a channel, or a layer's luminance, of the EXR that is painted
    crypto:OBJECT         objects of its Cryptomatte: OBJECT+OBJECT, KIND/OBJECT
    skin                  what is likely skin, as the picture is coloured

Of a file without a CHANNEL it is the alpha if that changes anywhere in the first, middle or last frame, else the luminance.
Values are taken as they are stored. Inverting comes first, then the feather.
"""
from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf
from os.path import exists, isdir, isfile
from pathlib import Path
from typing import Literal, Self, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media import MOVIES, READERS, Reader, is_sequence, open_reader
from impasto.media.encoding import Decoding
from impasto.render.skin import likely_skin

Plane = NDArray[np.float32]  # [H,W] in 0..1
Origin = Literal["file", "alpha", "layer", "crypto", "skin"]
CHOICES = "a picture, sequence or video, FILE:CHANNEL, alpha, layer:NAME, crypto:OBJECT or skin"
MOST_FEATHER_PX = 1000.0
REC_709 = np.array([0.2126, 0.7152, 0.0722])
SNAP = 2.0**-17  # half a step of 16 bits: what a blur leaves of a plain 0 or 1 is one again
FAR = 32  # frames; a longer way forward is jumped


@dataclass(frozen=True)
class MatteSpec:
    """A matte in words."""

    origin: Origin
    name: str = ""  # the file, the layer, the objects
    channel: str = ""  # of a file
    invert: bool = False
    feather_px: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read MATTE[,invert][,feather=PX]."""
        what, invert, feather = text, False, 0.0
        while found := re.fullmatch(r"(.*),\s*(invert|feather=([^,]*))\s*", what, re.DOTALL):
            what, word = found[1], found[2]
            invert = invert or word == "invert"
            feather = _pixels(found[3]) if word != "invert" else feather
        head, colon, name = what.partition(":")
        if what in ("alpha", "skin") or (colon and name and head in ("layer", "crypto")):
            return cls(_origin(head), name, "", invert, feather)
        file, channel = _file_and_channel(what)
        return cls("file", file, channel, invert, feather)


@dataclass(frozen=True)
class StyleUse:
    """A look and where it is laid on; without a matte it is everywhere."""

    style: str
    matte: MatteSpec | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read STYLE[@MATTE]. A file's name may hold an @, that of the style as well as that of the matte."""
        places = [place for place, letter in enumerate(text) if letter == "@"]
        if not places or isfile(text):
            return cls(text)
        place = next((place for place in places if isfile(text[:place])), places[0])
        if not text[:place]:
            raise InputError(f"'{text}' names no style: write STYLE@MATTE")
        return cls(text[:place], MatteSpec.parse(text[place + 1 :]))


class Matte:
    """A matte along a shot. Where a frame is a proxy, smaller than the shot is, the matte and its feather shrink along."""

    def __init__(self, spec: MatteSpec, info: ClipInfo, source: Source) -> None:
        self.spec, self._size, self._source = spec, (info.height, info.width), source
        self._last: tuple[int, Plane] | None = None

    def at(self, frame: Frame, display: Pixels | None = None) -> Plane:
        """The matte of a frame. `display`: its colour as a screen shows it, where its own values are something else."""
        key = self._source.key(frame)
        if self._last is None or self._last[0] != key:
            height, width = frame.pixels.shape[:2]
            plane = self._source.plane(frame, display)
            if plane.shape == self._size != (height, width):
                plane = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
            if plane.shape != (height, width):
                raise _of_another_size(self._source.path, plane.shape, (height, width), frame.number)
            self._last = key, finish(plane, self.spec.invert, self.spec.feather_px * height / self._size[0])
        return self._last[1]

    def close(self) -> None:
        """Let go of its file."""
        self._source.close()


class Source:
    """Where planes come from. This one asks a function of the frame itself."""

    def __init__(self, path: Path, take: Callable[[Frame, Pixels | None], Plane]) -> None:
        self.path, self._take = path, take

    def key(self, frame: Frame) -> int:
        """What the plane depends on; for the same key it is the same."""
        return frame.number

    def plane(self, frame: Frame, display: Pixels | None) -> Plane:
        """The plane as it is stored, before it is inverted and feathered."""
        return self._take(frame, display)

    def close(self) -> None:
        """Let go of its file."""


class Clip(Source):
    """Planes of a file: a still is held, a sequence goes by numbers, a video by places in the shot."""

    def __init__(self, spec: MatteSpec, info: ClipInfo, numbers: Sequence[int]) -> None:
        self.path, self._shot = Path(spec.name), numbers
        layer, self._channel = _layer_and_channel(self.path, spec.channel)
        self._reader = open_reader(self.path, Decoding("skip", layer))
        self._numbers = self._reader.numbers()
        self._frames: Iterator[Frame] = iter(())
        self._next = inf
        try:
            found = self._reader.info
            if (found.width, found.height) != (info.width, info.height):
                raise _of_another_size(self.path, (found.height, found.width), (info.height, info.width))
            self._channel = self._channel or _telling_channel(self._reader)
        except MediaError:
            self.close()
            raise

    def key(self, frame: Frame) -> int:
        """The number of the matte's own frame."""
        number, there = frame.number, self._numbers
        if is_sequence(self.path):
            if number not in there:
                told = f"this matte has {len(there)} frames from {there[0]} to {there[-1]}, not this one: make it or leave it out"
                raise MediaError(told, self.path, number)
            return number
        if self.path.suffix.lower() not in MOVIES:
            return there[0]
        place = bisect_left(self._shot, number)
        if place >= len(there):
            raise MediaError(f"this matte ends after {len(there)} frames, before the shot: make it longer", self.path, number)
        return there[place]

    def plane(self, frame: Frame, display: Pixels | None) -> Plane:
        """The channel of the matte's frame."""
        return channel_of(self._frame(self.key(frame)), self._channel, self.path)

    def _frame(self, number: int) -> Frame:
        if not self._next <= number <= self._next + FAR:
            self._frames = self._reader.read([each for each in self._numbers if each >= number])
        for frame in self._frames:
            if frame.number == number:
                self._next = number + 1
                return frame
        raise MediaError("this matte ends before its own end: get it again or save it anew", self.path, number)

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()


def open_matte(spec: MatteSpec, info: ClipInfo, source: Path, numbers: Sequence[int]) -> Matte:
    """Open a matte for a shot: what it is like (not a proxy of it), where it comes from, and the numbers of all its frames."""
    if spec.origin == "file":
        return Matte(spec, info, Clip(spec, info, numbers))
    if spec.origin == "alpha" and info.channels not in (2, 4):
        raise MediaError("has no alpha that could be a matte: choose another, or a picture that has one", source)
    if spec.origin in ("layer", "crypto") and source.suffix.lower() in READERS and source.suffix.lower() != ".exr":
        raise MediaError(f"has no layers, so no matte {spec.origin}:{spec.name}: only an EXR has them", source)
    take: dict[Origin, Callable[[Frame, Pixels | None], Plane]] = {
        "alpha": lambda frame, _: channel_of(frame, "A", source),
        "layer": lambda frame, _: _layer(_path_of(frame, source), spec.name),
        "crypto": Objects(source, spec.name),
        "skin": lambda frame, display: likely_skin(_as_shown(frame) if display is None else display),
    }
    return Matte(spec, info, Source(source, take[spec.origin]))


class Objects:
    """Cryptomatte's objects along a shot: they must be known to its first frame; later ones may have lost them."""

    def __init__(self, source: Path, wanted: str) -> None:
        self.source, self.wanted = source, wanted
        self._chosen: tuple[str, list[str]] | None = None

    def __call__(self, frame: Frame, _: Pixels | None) -> Plane:
        """How much of each pixel they cover."""
        from impasto.media.cryptomatte import choose_objects, matte

        path = _path_of(frame, self.source)
        self._chosen = self._chosen or choose_objects(path, self.wanted)
        return matte(path, *self._chosen)


def finish(plane: NDArray[np.float32], invert: bool, feather_px: float) -> Plane:
    """A matte as it is wanted: within 0..1, inverted, its edge softened by a Gaussian that reaches about feather_px far."""
    plane = np.nan_to_num(plane, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    if invert:
        plane = 1 - plane
    if feather_px > 0:
        side = 2 * ceil(1.5 * feather_px) + 1
        plane = cv2.GaussianBlur(plane, (side, side), feather_px / 2, borderType=cv2.BORDER_REPLICATE).astype(np.float32)
        plane[plane < SNAP] = 0
        plane[plane > 1 - SNAP] = 1
    return plane


def channel_of(frame: Frame, channel: str, path: Path) -> Plane:
    """One channel of a frame as 0..1: R, G, B, A or Y (luminance, by Rec. 709; a grey keeps its value to the last bit)."""
    plane: Pixels
    if channel == "Y":
        plane = frame.pixels[..., 0] if frame.pixels.shape[2] <= 2 else frame.rgb().astype(np.float64) @ REC_709
    elif channel == "A" and frame.alpha is not None:
        plane = frame.alpha
    elif channel in ("R", "G", "B"):
        plane = frame.rgb()[..., "RGB".index(channel)]
    else:
        there = "R, G, B, Y" + (", A" if frame.alpha is not None else "")
        raise MediaError(f"has no channel '{channel}': choose one of {there}", path)
    white = np.iinfo(frame.pixels.dtype).max if np.issubdtype(frame.pixels.dtype, np.integer) else 1
    return plane.astype(np.float32) / np.float32(white)


def _layer_and_channel(path: Path, channel: str) -> tuple[str, str]:
    """What is asked of the reader, and what is taken of its frames (nothing: what tells something)."""
    if path.suffix.lower() == ".exr":
        return ("", channel) if channel in ("", "Y") else (channel, "Y")
    return ("", channel) if channel in ("", "R", "G", "B", "A", "Y") or not is_sequence(path) else (channel, "Y")


def _telling_channel(reader: Reader) -> str:
    """A if alpha tells something. One answer for the whole clip, so that no frame depends on which others are painted."""
    if reader.info.channels not in (2, 4):
        return "Y"
    numbers = reader.numbers()
    probes = sorted({numbers[0], numbers[len(numbers) // 2], numbers[-1]})
    planes = (frame.alpha for frame in reader.read(probes))
    return "A" if any(alpha is not None and alpha.min() != alpha.max() for alpha in planes) else "Y"


def _as_shown(frame: Frame) -> Pixels:
    """The colour about as a screen shows it: floats are taken for light."""
    rgb = frame.rgb()
    if np.issubdtype(rgb.dtype, np.integer):
        return rgb
    shown: Pixels = np.nan_to_num(rgb.astype(np.float32), nan=0.0).clip(0, 1) ** np.float32(1 / 2.2)
    return shown


def _layer(path: Path, name: str) -> Plane:
    from impasto.media import exr

    with exr.open_reader(path, name) as reader:
        return channel_of(next(iter(reader)), "Y", path)


def _path_of(frame: Frame, source: Path) -> Path:
    """The very file that a frame came from, which of a sequence only its frames know."""
    path: Path = getattr(frame.tags.get("exr"), "path", source)
    return path


def _file_and_channel(text: str) -> tuple[str, str]:
    file, colon, channel = text.rpartition(":")
    if colon and channel and (Path(file).suffix.lower() in READERS or isdir(file)) and not exists(text):
        text = file
    else:
        channel = ""
    known = Path(text).suffix.lower() in READERS or exists(text)
    if not text or not (known or "/" in text or "\\" in text):
        raise InputError(f"'{text}' is no matte: give {CHOICES}, then ,invert and ,feather=PX if wanted")
    return text, channel


def _pixels(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MOST_FEATHER_PX:
        raise InputError(f"feather is '{text}': give a number of pixels from 0 to {MOST_FEATHER_PX:.0f}")
    return value


def _origin(word: str) -> Origin:
    return next(origin for origin in get_args(Origin) if origin == word)


def _of_another_size(path: Path, size: Sequence[int], wanted: Sequence[int], frame: int | None = None) -> MediaError:
    told = f"this matte is {size[1]}x{size[0]}, but the picture is {wanted[1]}x{wanted[0]}: make them one size"
    return MediaError(told, path, frame)
