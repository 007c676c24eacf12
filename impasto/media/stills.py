"""Single pictures in and out: PNG, JPEG, TIFF, WebP and DPX. Grey or colour, with or without alpha, of any depth the format has.

Values are never touched: alpha is not multiplied in, and colour under alpha 0 survives. EXIF orientation is applied on
reading, so pixels are upright and the tag is not written again. The ICC profile is kept byte for byte, resolution, EXIF and
a DPX's film data are carried along. JPEG is written without colour subsampling; it cannot carry alpha, and a picture that has
alpha is refused rather than flattened on a background nobody chose. WebP is written without loss, unless less will do.

Both ways work by rows from the top as well, so that a picture need not fit into memory.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.container import check_container
from impasto.media.depths import choose_depth, stored
from impasto.media.dpx import LastAlpha
from impasto.media.encoding import DEFAULT, Encoding
from impasto.media.headers import clip_facts, frame_rate, frame_tags
from impasto.media.landing import Landing
from impasto.media.outlets import Outlet, first_line, open_outlet
from impasto.media.scoped import OneFrame, ScopedWriter

MAX_PIXELS = 2**29  # 23,000 x 23,000; a header that says more is taken for a bomb
JPEG = (".jpg", ".jpeg")
MOST_PX = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500, ".dpx": 65535}  # each way
CHANNELS = {".webp": (3, 4), ".dpx": (1, 3, 4)}  # of formats that do not have them all
_DTYPES = {"uint8": "uint8", "uint16": "uint16", "half": "float16", "float": "float32"}

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
    return StillWriter(path, like, overwrite, encoding)


class StillReader(OneFrame):
    """One picture as a clip of one frame, whole or by rows."""

    def __init__(self, path: Path) -> None:
        check_container(path)
        self.path = path
        self._input = _open(path)
        spec = self._spec = self._input.spec()
        try:
            self._check(spec)
        except MediaError:
            self.close()
            raise
        self._orientation = spec.get_int_attribute("Orientation", 1)
        self._turned = self._orientation >= 5
        self._whole: Pixels | None = None
        self._last_alpha = LastAlpha(path) if self._input.format_name() == "dpx" and spec.nchannels == 4 else None
        self.by_rows = not self._turned and self._input.format_name() != "webp"  # whether rows need less memory than the picture
        width, height = (spec.height, spec.width) if self._turned else (spec.width, spec.height)
        depth = _DTYPES[str(spec.format)]
        self.info = ClipInfo(width, height, 1, frame_rate(spec), depth, spec.nchannels, clip_facts(spec))
        self.tags: dict[str, Any] = frame_tags(spec, self._turned)  # of the frame

    def _check(self, spec: oiio.ImageSpec) -> None:
        if spec.width < 1 or spec.height < 1 or spec.depth > 1:
            raise MediaError(f"has no picture of {spec.width}x{spec.height} pixels in it: save it again", self.path)
        if spec.width * spec.height > MAX_PIXELS:
            raise MediaError(f"is {spec.width}x{spec.height} pixels, more than {MAX_PIXELS:,}: make it smaller", self.path)
        spaces = {spec.get_string_attribute(name) for name in ("jpeg:ColorSpace", "tiff:ColorSpace")}
        if spaces & {"CMYK", "YCCK", "color separated"}:
            raise MediaError("is CMYK, inks rather than light: convert it to RGB first", self.path)
        if str(spec.format) not in _DTYPES:
            raise MediaError(f"holds {spec.format} values: save it with 8 or 16 bits, or as half or 32-bit float", self.path)
        if not 1 <= spec.nchannels <= 4:
            raise MediaError(f"has {spec.nchannels} channels: save it as grey or RGB, with or without alpha", self.path)

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(self.rows(0, self.info.height), 0, dict(self.tags))

    def rows(self, top: int, bottom: int) -> Pixels:
        """Rows [top,bottom) of the upright picture, [rows,W,C]; cheapest when asked for from the top down."""
        if self.by_rows:
            flipped = self._orientation in (3, 4)
            height = self.info.height
            found = self._stored(height - bottom, height - top) if flipped else self._stored(top, bottom)
            return self._upright(found)
        if self._whole is None:
            self._whole = self._upright(self._stored(0, self._spec.height))
        return self._whole[top:bottom]

    def _upright(self, pixels: Pixels) -> Pixels:
        turn = _UPRIGHT.get(self._orientation)
        return np.ascontiguousarray(turn(pixels) if turn else pixels)

    def _stored(self, top: int, bottom: int) -> Pixels:
        spec, image = self._spec, self._input
        try:
            if spec.tile_width:
                step = spec.tile_height
                begin, end = top // step * step, min(-(-bottom // step) * step, spec.height)
                place = (spec.x, spec.x + spec.width, spec.y + begin, spec.y + end, 0, 1, 0, spec.nchannels)
                pixels = image.read_tiles(*place, spec.format)
                pixels = None if pixels is None else pixels[top - begin : bottom - begin]
            else:
                pixels = image.read_scanlines(spec.y + top, spec.y + bottom, 0, 0, spec.nchannels, spec.format)
        except MemoryError:
            size = f"{spec.width}x{spec.height}"
            raise MediaError(f"is {size} pixels, more than fits into memory: make it smaller", self.path) from None
        fault = image.geterror()
        # libjpeg tells of a cut file in a warning and fills the rest with grey; stray bytes between markers are harmless.
        if pixels is None or (fault and "extraneous bytes" not in fault):
            raise MediaError(f"is damaged ({first_line(fault)}): get it again or save it anew", self.path)
        if self._last_alpha and self._last_alpha.needed:
            self._last_alpha.mend(pixels, top)
        return pixels

    def close(self) -> None:
        """Let go of the file."""
        self._input.close()



class StillWriter(ScopedWriter):
    """Writes one picture, whole or by rows from the top; it has its name once it is whole."""

    def __init__(self, path: Path, like: ClipInfo, overwrite: bool = False, encoding: Encoding = DEFAULT) -> None:
        check_writable(path, like, encoding)
        self._like, self._encoding = like, encoding
        self._landing = Landing(path, overwrite)
        self._outlet: Outlet | None = None
        self._rows, self._channels = 0, 0

    def write(self, frame: Frame) -> None:
        """Take the picture."""
        assert self._outlet is None, f"{self._landing.path} takes one picture"
        self._like = replace(self._like, width=frame.pixels.shape[1], height=frame.pixels.shape[0])
        self.write_rows(frame.pixels, frame.tags)

    def write_rows(self, pixels: Pixels, tags: dict[str, Any]) -> None:
        """Take the next rows of the picture, [rows,W,C]; all calls bring the same tags."""
        path = self._landing.path
        pixels = _with_channels(pixels, path)
        if self._outlet is None:
            self._depth = choose_depth(path, str(pixels.dtype), self._like.tags.get("bits"), self._encoding.bits)
            self._channels = pixels.shape[2]
            shape = (self._like.height, self._like.width, self._channels)
            self._outlet = open_outlet(self._landing, shape, self._depth, tags, self._encoding)
        self._outlet.put(np.ascontiguousarray(stored(pixels, self._depth)), self._rows)
        self._rows += len(pixels)

    def close(self) -> None:
        """Finish: sync, verify, and give the file its name."""
        assert self._outlet is not None, f"no picture was written to {self._landing.path}"
        assert self._rows == self._like.height, f"{self._rows} of {self._like.height} rows were written to {self._landing.path}"
        self._outlet.finish()
        self._landing.commit(self._verify)

    def _verify(self, temporary: Path) -> None:
        try:
            with StillReader(temporary) as reader:
                found = (reader.info.width, reader.info.height, reader.info.channels)
        except MediaError:
            raise MediaError("was not written rightly: is the disk full?", self._landing.path) from None
        meant = (self._like.width, self._like.height, self._channels)
        if found != meant:
            raise MediaError(f"was not written rightly (found {found}, meant {meant}): try again", self._landing.path)

    def abort(self) -> None:
        """Leave nothing behind."""
        if self._outlet is not None:
            self._outlet.drop()
        self._landing.abort()



def check_writable(path: Path, like: ClipInfo, encoding: Encoding = DEFAULT) -> None:
    """Refuse what a format of this suffix cannot hold: alpha, a depth, a size."""
    suffix = path.suffix.lower()
    if suffix in JPEG and like.channels in (2, 4):
        raise MediaError("a JPEG cannot carry the alpha of this picture: write a .png", path)
    choose_depth(path, like.depth, like.tags.get("bits"), encoding.bits)
    most = MOST_PX.get(suffix)
    if most and max(like.width, like.height) > most:
        size = f"{like.width}x{like.height}"
        raise MediaError(f"a {suffix} file is at most {most} pixels each way, and this is {size}: write a .tif", path)


def _with_channels(pixels: Pixels, path: Path) -> Pixels:
    """Grey as colour, where the format has no grey (or none with alpha)."""
    held = CHANNELS.get(path.suffix.lower(), (1, 2, 3, 4))
    if pixels.shape[2] in held:
        return pixels
    return np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)


def _open(path: Path) -> oiio.ImageInput:
    config = oiio.ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)
    opened = oiio.ImageInput.open(str(path), config)
    if opened is None:
        raise MediaError(f"cannot be read ({first_line(oiio.geterror())}): get it again or save it anew", path)
    return opened
