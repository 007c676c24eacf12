"""Single pictures in and out: PNG, JPEG and TIFF both ways, WebP in. 8 and 16 bits, grey or colour, with or without alpha.

Values are never touched: alpha is not multiplied in, and colour under alpha 0 survives. EXIF orientation is applied on
reading, so pixels are upright and the tag is not written again. The ICC profile is kept byte for byte, resolution and EXIF
are carried along. JPEG is written at quality 95 without colour subsampling; it cannot carry alpha, and a picture that has
alpha is refused rather than flattened on a background nobody chose.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import OpenImageIO as oiio

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.container import check_container
from impasto.media.encoding import DEFAULT, Encoding
from impasto.media.landing import Landing

MAX_PIXELS = 2**29  # 23,000 x 23,000; a header that says more is taken for a bomb
JPEG_QUALITY = 95
JPEG = (".jpg", ".jpeg")

# Attributes that describe the file they came from and not the picture: another file must not repeat them.
_OF_THE_FILE = ("oiio:", "jpeg:", "png:", "tiff:", "webp:", "ICCProfile", "thumbnail", "Exif:Pixel", "Exif:Orientation")
_SET_ANEW = {"Orientation", "planarconfig", "compression", "XResolution", "YResolution", "ResolutionUnit"}

# EXIF orientation -> what makes the stored rows upright.
_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: p[::-1].swapaxes(0, 1),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: p.swapaxes(0, 1)[::-1],
}


def open_reader(path: Path) -> StillReader:
    """Open a picture and read its header."""
    return StillReader(path)


def open_writer(path: Path, like: ClipInfo, overwrite: bool = False, encoding: Encoding = DEFAULT) -> StillWriter:
    """Open a place for one picture."""
    return StillWriter(path, like, overwrite)


class StillReader:
    """One picture as a clip of one frame."""

    def __init__(self, path: Path) -> None:
        check_container(path)
        self.path = path
        self._input = _open(path)
        spec = self._input.spec()
        try:
            self._check(spec)
        except MediaError:
            self.close()
            raise
        self._orientation = spec.get_int_attribute("Orientation", 1)
        turned = self._orientation >= 5
        width, height = (spec.height, spec.width) if turned else (spec.width, spec.height)
        self.info = ClipInfo(width, height, depth=str(spec.format), channels=spec.nchannels)

    def _check(self, spec: oiio.ImageSpec) -> None:
        if spec.width < 1 or spec.height < 1 or spec.depth > 1:
            raise MediaError(f"has no picture of {spec.width}x{spec.height} pixels in it: save it again", self.path)
        if spec.width * spec.height > MAX_PIXELS:
            raise MediaError(f"is {spec.width}x{spec.height} pixels, more than {MAX_PIXELS:,}: make it smaller", self.path)
        spaces = {spec.get_string_attribute(name) for name in ("jpeg:ColorSpace", "tiff:ColorSpace")}
        if spaces & {"CMYK", "YCCK", "color separated"}:
            raise MediaError("is CMYK, inks rather than light: convert it to RGB first", self.path)
        if str(spec.format) not in ("uint8", "uint16"):
            raise MediaError(f"holds {spec.format} values: save it with 8 or 16 bits", self.path)
        if not 1 <= spec.nchannels <= 4:
            raise MediaError(f"has {spec.nchannels} channels: save it as grey or RGB, with or without alpha", self.path)

    def numbers(self) -> Sequence[int]:
        """A still is frame 0."""
        return (0,)

    def read(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """The picture, if it is asked for."""
        return (frame for frame in self if frame.number in numbers)

    def __iter__(self) -> Iterator[Frame]:
        spec, size = self._input.spec(), f"{self.info.width}x{self.info.height}"
        try:
            pixels = self._input.read_image(0, 0, 0, spec.nchannels, spec.format)
        except MemoryError:
            raise MediaError(f"is {size} pixels, more than fits into memory: make it smaller", self.path) from None
        fault = self._input.geterror()
        # libjpeg tells of a cut file in a warning and fills the rest with grey; stray bytes between markers are harmless.
        if pixels is None or (fault and "extraneous bytes" not in fault):
            raise MediaError(f"is damaged ({_first_line(fault)}): get it again or save it anew", self.path)
        upright = _UPRIGHT[self._orientation](pixels) if self._orientation in _UPRIGHT else pixels
        yield Frame(np.ascontiguousarray(upright), 0, _tags(spec, turned=self._orientation >= 5))

    def close(self) -> None:
        """Let go of the file."""
        self._input.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class StillWriter:
    """Writes one picture; it has its name once it is whole."""

    def __init__(self, path: Path, like: ClipInfo, overwrite: bool) -> None:
        if path.suffix.lower() in JPEG and like.channels in (2, 4):
            raise MediaError("a JPEG cannot carry the alpha of this picture: write a .png", path)
        self._landing = Landing(path, overwrite)
        self._written: tuple[int, int, int] | None = None

    def write(self, frame: Frame) -> None:
        """Take the picture."""
        path = self._landing.path
        assert self._written is None, f"{path} takes one picture"
        pixels = _storable(frame.pixels, path)
        spec = _spec(pixels, frame.tags, path)
        output = oiio.ImageOutput.create(str(self._landing.temporary))
        done = output is not None and output.open(str(self._landing.temporary), spec) and output.write_image(pixels)
        fault = "" if output is None else output.geterror()
        if not (output is not None and output.close() and done):
            raise MediaError(f"cannot be written ({_first_line(fault or oiio.geterror())}): is the disk full?", path)
        height, width, channels = pixels.shape
        self._written = (width, height, channels)

    def close(self) -> None:
        """Finish: sync, verify, and give the file its name."""
        assert self._written is not None, f"no picture was written to {self._landing.path}"
        self._landing.commit(self._verify)

    def _verify(self, temporary: Path) -> None:
        with StillReader(temporary) as reader:
            found = (reader.info.width, reader.info.height, reader.info.channels)
        if found != self._written:
            raise MediaError(f"was not written rightly (found {found}, meant {self._written}): try again", self._landing.path)

    def abort(self) -> None:
        """Leave nothing behind."""
        self._landing.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is None:
                self.close()
        finally:
            self.abort()


def _open(path: Path) -> oiio.ImageInput:
    config = oiio.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)
    opened = oiio.ImageInput.open(str(path), config)
    if opened is None:
        raise MediaError(f"cannot be read ({_first_line(oiio.geterror())}): get it again or save it anew", path)
    return opened


def _tags(spec: oiio.ImageSpec, turned: bool) -> dict[str, Any]:
    """What the writer lays back: icc (bytes), dpi (x, y), and the harmless rest as name -> (type, value)."""
    tags: dict[str, Any] = {}
    profile = spec.getattribute("ICCProfile")
    if profile is not None:
        tags["icc"] = np.asarray(profile, np.uint8).tobytes()
    dpi = [spec.get_float_attribute(name, 0.0) for name in ("XResolution", "YResolution")]
    if min(dpi) > 0 and spec.get_string_attribute("ResolutionUnit") != "none":
        to_inch = 2.54 if spec.get_string_attribute("ResolutionUnit") in ("cm", "m") else 1.0
        tags["dpi"] = tuple(value * to_inch for value in (dpi[::-1] if turned else dpi))
    tags["attributes"] = {
        found.name: (found.type, found.value)
        for found in spec.extra_attribs
        if not found.name.startswith(_OF_THE_FILE) and found.name not in _SET_ANEW
    }
    return tags


def _spec(pixels: Pixels, tags: dict[str, Any], path: Path) -> oiio.ImageSpec:
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, str(pixels.dtype))
    spec.attribute("oiio:UnassociatedAlpha", 1)
    if channels in (2, 4):
        spec.alpha_channel = channels - 1
    for name, (kind, value) in tags.get("attributes", {}).items():
        spec.attribute(name, kind, value)
    icc: bytes = tags.get("icc", b"")
    if icc and (icc[16:20] == b"GRAY") == (channels <= 2):  # a grey profile cannot describe the colours painted over it
        spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(icc)}]"), np.frombuffer(icc, np.uint8))
    if "dpi" in tags:
        spec.attribute("XResolution", float(tags["dpi"][0]))
        spec.attribute("YResolution", float(tags["dpi"][1]))
        spec.attribute("ResolutionUnit", "in")
    if path.suffix.lower() in JPEG:
        spec.attribute("Compression", f"jpeg:{JPEG_QUALITY}")
        spec.attribute("jpeg:subsampling", "4:4:4")
    elif path.suffix.lower() != ".png":
        spec.attribute("Compression", "zip")
    return spec


def _storable(pixels: Pixels, path: Path) -> Pixels:
    """The values as this format holds them; only what it cannot hold is rounded."""
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = np.rint(pixels.astype(np.float32).clip(0, 1) * 65535).astype(np.uint16)
    if path.suffix.lower() in JPEG and pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(pixels)


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0] if message.strip() else "no reason given"
