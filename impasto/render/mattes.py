"""Where a look is laid on: `--style STYLE@MATTE[,invert][,feather=12]`, and the mattes themselves, frame by frame.

A matte is 0 where the picture stays and 1 where the look is. It comes from

    a file                a picture (held), a sequence (goes by the frame's number), a video (by the frame's place in the shot)
    FILE:CHANNEL          R, G, B, A or Y (luminance) of any file; of an EXR any channel, or a layer's luminance
    alpha                 the picture's own alpha
    layer:NAME            a channel, or a layer's luminance, of the EXR that is painted
    crypto:OBJECT         objects of its Cryptomatte: OBJECT+OBJECT, KIND/OBJECT
    skin                  what is likely skin, as the picture is coloured

Looks without mattes that are to be mixed (`--style A:0.6 --style B:0.4`) are laid one over the other through even mattes, so
that each comes to its share.

Of a file without a CHANNEL it is the alpha if that changes anywhere in the first, middle or last frame, else the luminance.
Values are taken as they are stored. Inverting comes first, then the feather.

A matte and its picture show the same display window, in one size; their data windows may be smaller, larger or move, each for
itself. Beyond its data window a matte is 0.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os.path import exists, isdir
from pathlib import Path
from typing import Literal, Self, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media import READERS, Reader, is_sequence
from impasto.media.encoding import Decoding
from impasto.media.windows import Area, Windows, extent, lying_on, place
from impasto.render.alongside import Alongside, content, files_of
from impasto.render.compose import around, finish
from impasto.render.looks import names_a_file
from impasto.render.shares import read_shares
from impasto.render.skin import likely_skin

Plane = NDArray[np.float32]  # [H,W] in 0..1
Placed = tuple[Plane, Area | None]  # and where it lies in the shot's space; None: it has the frame's very pixels
Take = Callable[[Frame, Pixels | None], Placed]
Origin = Literal["file", "alpha", "layer", "crypto", "skin", "even"]
CHOICES = "a picture, sequence or video, FILE:CHANNEL, alpha, layer:NAME, crypto:OBJECT or skin"
MOST_FEATHER_PX = 1000.0
REC_709 = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True)
class MatteSpec:
    """A matte in words."""

    origin: Origin
    name: str = ""  # the file, the layer, the objects; of an even matte its value
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

    def content(self) -> str:
        """What the matte's file holds, as a digest; nothing where the shot itself is the matte."""
        return content(Path(self.name)) if self.origin == "file" else ""


@dataclass(frozen=True)
class StyleUse:
    """A look and where it is laid on; without a matte it is everywhere."""

    style: str  # or STYLE#LOOK, which looks.py reads
    matte: MatteSpec | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read STYLE[#LOOK][@MATTE]. A file's name may hold an @, that of a style or picture as well as that of the matte."""
        places = [place for place, letter in enumerate(text) if letter == "@"]
        if not places or names_a_file(text):
            return cls(text)
        place = next((place for place in places if names_a_file(text[:place])), places[0])
        if not text[:place]:
            raise InputError(f"'{text}' names no style: write STYLE@MATTE")
        return cls(text[:place], MatteSpec.parse(text[place + 1 :]))


def read_uses(texts: Sequence[str]) -> tuple[list[StyleUse], str]:
    """What is laid where, from the lowest up, and what the user should hear: STYLE@MATTE, or STYLE:SHARE of looks to be mixed."""
    uses = [StyleUse.parse(text) for text in texts]
    everywhere = [use for use in uses if use.matte is None]
    if len(everywhere) < 2:  # a number after one look is its own: STYLE#LOOK:0.6
        return uses, ""
    shares, note = read_shares([use.style for use in everywhere])
    if all(share.look == use.style for share, use in zip(shares, everywhere, strict=True)):
        return uses, ""  # what covers what is judged where layers are
    if everywhere != uses[: len(everywhere)]:
        raise InputError(f"--style {shares[-1].look}: looks with shares come first, and those with mattes go over their mix")
    laid, sum_so_far = list[StyleUse](), 0.0
    for share in shares:
        if share.part <= 0:
            raise InputError(f"--style {share.look}: its share is {share.part:g}, and a picture takes more than 0 of each look")
        sum_so_far += share.part
        laid.append(StyleUse(share.look, MatteSpec("even", f"{share.part / sum_so_far:.6g}") if laid else None))
    return [*laid, *uses[len(laid) :]], note


class Matte:
    """A matte along a shot. Where a frame is a proxy, smaller than the shot is, the matte and its feather shrink along."""

    def __init__(self, spec: MatteSpec, info: ClipInfo, source: Source) -> None:
        self.spec, self._info, self._source = spec, info, source
        self._last: tuple[tuple[int, Area], Plane] | None = None

    def at(self, frame: Frame, display: Pixels | None = None) -> Plane:
        """The matte of a frame. `display`: its colour as a screen shows it, where its own values are something else."""
        data = Windows.of(self._info, frame.tags).data
        key = self._source.key(frame), data
        if self._last is None or self._last[0] != key:
            self._last = key, self._made(frame, display, data)
        return self._last[1]

    def _made(self, frame: Frame, display: Pixels | None, data: Area) -> Plane:
        spec, (height, width) = self.spec, frame.pixels.shape[:2]
        plane, area = self._source.plane(frame, display)
        if area is None:
            return finish(plane, spec.invert, spec.feather_px * max(height, width) / max(extent(data)))
        if plane.shape[::-1] != extent(area):
            raise _of_another_size(self._source.path, plane.shape[::-1], extent(area), frame.number)
        stage = around(data, Windows.of(self._info).shown, spec.feather_px)
        plane = place(finish(place(plane, area, stage), spec.invert, spec.feather_px), stage, data)
        if plane.shape == (height, width):
            return plane
        return cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)

    def check_frames(self, numbers: Sequence[int]) -> None:
        """Refuse a matte that lacks one of these frames."""
        self._source.check_frames(numbers)

    def close(self) -> None:
        """Let go of its file."""
        self._source.close()


class Source:
    """Where planes come from. This one asks a function of the frame itself."""

    def __init__(self, path: Path, take: Take) -> None:
        self.path, self._take = path, take

    def key(self, frame: Frame) -> int:
        """What the plane depends on; for the same key it is the same."""
        return frame.number

    def plane(self, frame: Frame, display: Pixels | None) -> Placed:
        """The plane as it is stored, before it is inverted and feathered, and where it lies."""
        return self._take(frame, display)

    def check_frames(self, numbers: Sequence[int]) -> None:
        """Refuse planes that lack one of these frames; a frame's own has all."""

    def close(self) -> None:
        """Let go of its file."""


class Clip(Source):
    """Planes of a file that goes along with the shot."""

    def __init__(self, spec: MatteSpec, info: ClipInfo, numbers: Sequence[int]) -> None:
        self.path = Path(spec.name)
        layer, self._channel = _layer_and_channel(self.path, spec.channel)
        self._file = Alongside(self.path, Decoding("skip", layer, beside=f"@{self.path}:"), numbers, "matte")
        self._shot = Windows.of(info)
        try:
            own, shown = Windows.of(self._file.info).shown, self._shot.shown
            if extent(own) != extent(shown):
                raise _of_another_size(self.path, extent(own), extent(shown))
            self._channel = self._channel or _telling_channel(self._file.reader)
            _check_channel(self._channel, self._file.info.channels, self.path)
        except MediaError:
            self.close()
            raise

    def key(self, frame: Frame) -> int:
        """The number of the matte's own frame."""
        return self._file.number(frame.number)

    def plane(self, frame: Frame, display: Pixels | None) -> Placed:
        """The channel of the matte's frame, its display window laid over that of the shot."""
        found = self._file.frame(frame.number)
        return channel_of(found, self._channel, self.path), lying_on(Windows.of(self._file.info, found.tags), self._shot)

    def check_frames(self, numbers: Sequence[int]) -> None:
        """Refuse a file that lacks one of these frames."""
        self._file.check(numbers)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def open_matte(spec: MatteSpec, info: ClipInfo, source: Path, numbers: Sequence[int]) -> Matte:
    """Open a matte for a shot: what it is like (not a proxy of it), where it comes from, and the numbers of all its frames.

    What the matte names must be there, in the shot's first file if it is its own layer or object.
    """
    if spec.origin == "file":
        return Matte(spec, info, Clip(spec, info, numbers))
    if spec.origin == "even":
        share = float(spec.name)
        return Matte(spec, info, Source(source, lambda frame, _: (np.full(frame.pixels.shape[:2], share, np.float32), None)))
    if spec.origin == "alpha" and info.channels not in (2, 4):
        raise MediaError("has no alpha that could be a matte: choose another, or a picture that has one", source)
    if spec.origin in ("layer", "crypto"):
        first = files_of(source)[0]
        if first.suffix.lower() != ".exr":
            raise MediaError(f"has no layers, so no matte {spec.origin}:{spec.name}: only an EXR has them", source)
        take = _layer if spec.origin == "layer" else _objects
        return Matte(spec, info, Source(source, take(first, spec.name)))
    if spec.origin == "alpha":
        return Matte(spec, info, Source(source, lambda frame, _: (channel_of(frame, "A", source), None)))
    return Matte(spec, info, Source(source, lambda frame, seen: (likely_skin(_as_shown(frame) if seen is None else seen), None)))


def _layer(first: Path, name: str) -> Take:
    """A layer of each frame's own file, which the first file must have."""
    from impasto.media import exr

    def take(path: Path) -> Placed:
        with exr.open_reader(path, name, beside="@layer:") as reader:
            return channel_of(next(iter(reader)), "Y", path), reader.info.tags["data_window"]

    exr.open_reader(first, name, beside="@layer:").close()
    return lambda frame, _: take(_path_of(frame, first))


def _objects(first: Path, wanted: str) -> Take:
    """Objects of each frame's own Cryptomatte: they must be known to the first file; later ones may have lost them."""
    from impasto.media.cryptomatte import choose_objects, matte, window_of

    kind, names = choose_objects(first, wanted)

    def take(path: Path) -> Placed:
        return matte(path, kind, names), window_of(path, kind)

    return lambda frame, _: take(_path_of(frame, first))


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
        raise _no_channel(channel, frame.pixels.shape[2], path)
    white = np.iinfo(frame.pixels.dtype).max if np.issubdtype(frame.pixels.dtype, np.integer) else 1
    return plane.astype(np.float32) / np.float32(white)


def _check_channel(channel: str, channels: int, path: Path) -> None:
    if channel not in ("R", "G", "B", "Y") and (channel != "A" or channels not in (2, 4)):
        raise _no_channel(channel, channels, path)


def _no_channel(channel: str, channels: int, path: Path) -> MediaError:
    return MediaError(f"has no channel '{channel}': choose one of R, G, B, Y{', A' * (channels in (2, 4))}", path)


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
    told = f"this matte is {size[0]}x{size[1]}, but the picture is {wanted[0]}x{wanted[1]}: make them one size"
    return MediaError(told, path, frame)
