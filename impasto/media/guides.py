"""Guide layers: what a renderer or a rotoscoper knows of a frame (depth, normals, motion, who is where), as planes beside RGB.

A guide is named as `depth=depth.####.exr`, or `normals=beauty.####.exr:normals` for one layer of an EXR. A network that learnt
with guides needs them when it paints, so how a file becomes numbers is one rule for both, and looks at one frame alone:

- whole numbers are fractions of their greatest (0..1): an 8-bit 128 is 0.502, and so is a 16-bit 32896;
- floats x become sign(x) * log2(1 + |x|) / 4: normals and 0..1 layers stay within +-0.25, 15 pixels of motion or metres of
  depth come to 1, and a half's greatest, 65504, to 4. NaN counts as 0, infinity as 65504;
- grey is one plane, colour three; alpha is none;
- it is laid over the frame as a matte is, by the display windows of both, in the shot's size or another of its shape; where it
  has no pixels it is 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.errors import InputError, MediaError
from impasto.frame import Frame
from impasto.media import Reader, open_reader
from impasto.media.encoding import Decoding
from impasto.media.windows import Windows, extent, fits, lying_on, place

Planes = NDArray[np.float32]  # [H,W,n]
GREATEST = 65504.0  # of a half float
UNITS = 4.0
_NAMED = re.compile(r"([a-z][a-z0-9_-]*)=(.+)", re.ASCII | re.IGNORECASE | re.DOTALL)
_LAYERED = re.compile(r"(.+\.exr):([^/\\:]+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Guide:
    """A guide layer as the user names it."""

    name: str
    path: Path
    layer: str = ""  # of an EXR

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read name=path or name=path.exr:LAYER."""
        named = _NAMED.fullmatch(text)
        if named is None:
            raise InputError(f"--guide {text}: has no name: write it as depth=depth.####.exr")
        return cls(named[1], *file_and_layer(named[2]))

    @property
    def decoding(self) -> Decoding:
        """How it is read; gaps are left out, for not every frame of a shot must have them."""
        return Decoding(missing="skip", layer=self.layer, beside=f"{self.name}={self.path}:")

    def open(self) -> Reader:
        """Open its frames."""
        return open_reader(self.path, self.decoding)


def file_and_layer(text: str) -> tuple[Path, str]:
    """Read PATH or PATH.exr:LAYER."""
    layered = _LAYERED.fullmatch(text)
    return (Path(layered[1]), layered[2]) if layered else (Path(text), "")


def parse_guides(texts: Sequence[str]) -> list[Guide]:
    """Read all guides of a job; no two may have one name."""
    guides = [Guide.parse(text) for text in texts]
    names = [guide.name for guide in guides]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--guide {name}: is named twice: give each guide a name of its own")
    return guides


def plane(frame: Frame) -> Planes:
    """A frame of a guide as the planes [H,W,n] that a network sees; n is 1 for grey, 3 for colour."""
    pixels = frame.pixels[..., : 1 if frame.pixels.shape[2] <= 2 else 3]
    if np.issubdtype(pixels.dtype, np.integer):
        return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    values = np.nan_to_num(pixels.astype(np.float32), nan=0.0, posinf=GREATEST, neginf=-GREATEST).clip(-GREATEST, GREATEST)
    return np.asarray(np.sign(values) * np.log2(1 + np.abs(values)) / UNITS, np.float32)


def fitted(planes: Planes, own: Windows, shot: Windows, size: tuple[int, int], path: Path) -> Planes:
    """The planes over the data window of the frame they go with, in its size (a proxy is smaller); 0 where they have none."""
    check_fits(own, shot, path)
    area = lying_on(own, shot)
    if area != shot.data:
        planes = place(_sized(planes, extent(area)), area, shot.data)
    return _sized(planes, size)


def check_fits(own: Windows, shot: Windows, path: Path) -> None:
    """Refuse what shows another shape of picture than the shot does."""
    if not fits(own, shot):
        there, wanted = ("{}x{}".format(*extent(windows.shown)) for windows in (own, shot))
        raise MediaError(f"is {there}, and the shot is {wanted}: give it the shot's size, or its aspect", path)


def _sized(planes: Planes, size: tuple[int, int]) -> Planes:
    if planes.shape[1::-1] == size:
        return planes
    interpolation = cv2.INTER_AREA if planes.shape[0] > size[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(planes, size, interpolation=interpolation), np.float32).reshape(size[1], size[0], -1)
