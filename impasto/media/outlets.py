"""Where the rows of a picture go: through OpenImageIO row by row, or, for WebP, through Pillow all at once.

OpenImageIO cannot keep colour under alpha 0 in a WebP; Pillow can.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import OpenImageIO as oiio

from impasto.errors import MediaError
from impasto.frame import Pixels
from impasto.media.depths import DTYPES, Depth
from impasto.media.encoding import Chroma, Encoding, Quality
from impasto.media.headers import fitting_profile, lay_back
from impasto.media.landing import Landing

JPEG_QUALITY: dict[Quality, int] = {"lossless": 100, "high": 95, "medium": 85, "draft": 70}
WEBP_QUALITY: dict[Quality, int] = {"medium": 90, "draft": 75}  # the others are without loss
PNG_EFFORT: dict[Quality, int] = {"draft": 1}  # else 4, which takes less than half the time of the usual 6 for 4% more bytes
SUBSAMPLING: dict[Chroma, str] = {"auto": "4:4:4", "444": "4:4:4", "422": "4:2:2", "420": "4:2:0"}
Shape = tuple[int, int, int]  # height, width, channels


class Outlet(Protocol):
    """Takes the rows of one picture from the top down, in the storage they get."""

    def put(self, rows: Pixels, top: int) -> None:
        """Take the rows from `top` on."""

    def finish(self) -> None:
        """All rows were put: complete the file."""

    def drop(self) -> None:
        """Let go of the file as it is."""


def open_outlet(landing: Landing, shape: Shape, depth: Depth, tags: dict[str, Any], encoding: Encoding) -> Outlet:
    """Begin a picture at the landing's temporary place."""
    if landing.path.suffix.lower() == ".webp":
        return _WebP(landing, shape, tags, encoding)
    return _Lines(landing, _spec(landing.path, shape, depth, tags, encoding))


class _Lines:
    """Rows are encoded as they come."""

    def __init__(self, landing: Landing, spec: oiio.ImageSpec) -> None:
        self._path = landing.path
        self._output: oiio.ImageOutput | None = oiio.ImageOutput.create(str(landing.temporary))
        self._check(self._output is not None and self._output.open(str(landing.temporary), spec))

    def put(self, rows: Pixels, top: int) -> None:
        """Take the rows from `top` on."""
        assert self._output is not None, "put() comes before finish()"
        self._check(self._output.write_scanlines(top, top + len(rows), 0, rows))

    def finish(self) -> None:
        """Complete the file."""
        assert self._output is not None, "finish() comes once"
        self._check(self._output.close())
        self._output = None

    def drop(self) -> None:
        """Let go of the file as it is."""
        if self._output is not None:
            self._output.close()
            self._output = None

    def _check(self, done: bool) -> None:
        if not done:
            fault = "" if self._output is None else self._output.geterror()
            raise MediaError(f"cannot be written ({first_line(fault or oiio.geterror())}): is the disk full?", self._path)


class _WebP:
    """Rows are gathered: the encoder wants them all."""

    def __init__(self, landing: Landing, shape: Shape, tags: dict[str, Any], encoding: Encoding) -> None:
        self._landing, self._tags, self._quality = landing, tags, encoding.quality
        self._pixels = np.empty(shape, np.uint8)

    def put(self, rows: Pixels, top: int) -> None:
        """Take the rows from `top` on."""
        self._pixels[top : top + len(rows)] = rows

    def finish(self) -> None:
        """Encode the picture."""
        from PIL import Image

        lossless = self._quality not in WEBP_QUALITY
        # For a lossless picture `quality` is effort: more takes many times as long and saves a few percent.
        quality = WEBP_QUALITY.get(self._quality, 40)
        icc = fitting_profile(self._tags, self._pixels.shape[2])
        try:
            picture = Image.fromarray(self._pixels)
            picture.save(self._landing.temporary, "WEBP", lossless=lossless, quality=quality, exact=True, icc_profile=icc)
        except (OSError, ValueError, MemoryError) as error:
            raise MediaError(f"cannot be written ({first_line(str(error))}): is the disk full?", self._landing.path) from None

    def drop(self) -> None:
        """Nothing is open."""


def first_line(message: str) -> str:
    """The first line of what a library says."""
    return message.strip().splitlines()[0] if message.strip() else "no reason given"


def _spec(path: Path, shape: Shape, depth: Depth, tags: dict[str, Any], encoding: Encoding) -> oiio.ImageSpec:
    height, width, channels = shape
    spec = oiio.ImageSpec(width, height, channels, DTYPES[depth].replace("float16", "half").replace("float32", "float"))
    spec.attribute("oiio:UnassociatedAlpha", 1)
    if channels in (2, 4):
        spec.alpha_channel = channels - 1
    lay_back(spec, tags, path)
    suffix = path.suffix.lower()
    if suffix in (".jpg", ".jpeg"):
        spec.attribute("Compression", f"jpeg:{JPEG_QUALITY[encoding.quality]}")
        spec.attribute("jpeg:subsampling", SUBSAMPLING[encoding.chroma])
    elif suffix == ".png":
        spec.attribute("png:compressionLevel", PNG_EFFORT.get(encoding.quality, 4))
    elif suffix == ".dpx":
        spec.attribute("oiio:BitsPerSample", int(depth))
    elif suffix in (".tif", ".tiff"):
        spec.attribute("Compression", "lzw" if encoding.quality == "draft" else "zip")
        spec.attribute("tiff:half", int(depth == "half"))
    return spec
