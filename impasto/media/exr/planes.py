"""Channels of any names into a plain EXR: what knows more of a frame than its colours, as a scene that knows its motion."""
from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenImageIO as oiio

from impasto.errors import MediaError
from impasto.frame import Pixels
from impasto.media.exr.container import read_layout
from impasto.media.exr.packing import complaint
from impasto.media.landing import Landing


def write_planes(path: Path, planes: Mapping[str, Pixels], fps: Fraction = Fraction(0), overwrite: bool = False) -> None:
    """Write planes [H,W] as float channels of these names; the file has its name once it is whole."""
    stacked = np.stack([plane.astype(np.float32) for plane in planes.values()], axis=2)
    spec = oiio.ImageSpec(stacked.shape[1], stacked.shape[0], stacked.shape[2], "float")
    spec.channelnames = tuple(planes)
    spec.attribute("compression", "zip")
    if fps:
        spec.attribute("FramesPerSecond", oiio.TypeDesc("rational"), (fps.numerator, fps.denominator))
    landing = Landing(path, overwrite)
    try:
        output = oiio.ImageOutput.create(str(landing.temporary))
        if output is None or not (output.open(str(landing.temporary), spec) and output.write_image(stacked) and output.close()):
            raise MediaError(f"cannot be written ({complaint(oiio if output is None else output)}): is the disk full?", path)
        landing.commit(lambda made: _verify(made, planes, path))
    finally:
        landing.abort()


def _verify(made: Path, planes: Mapping[str, Pixels], path: Path) -> None:
    found = read_layout(made)
    if {channel.name for channel in found.parts[0].channels} != set(planes) or found.missing_chunks(0):
        raise MediaError("was not written rightly: try again", path)
