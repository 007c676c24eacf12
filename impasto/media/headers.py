"""What a picture's header says besides its values, and how it is laid back: profile, resolution, film data, free attributes."""
from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from impasto.frame import exact_rate

# Attributes that describe the file they came from and not the picture: another file must not repeat them.
_OF_THE_FILE = (
    "oiio:", "jpeg:", "png:", "tiff:", "webp:", "ICCProfile", "thumbnail", "Exif:Pixel", "Exif:Orientation",
    "dpx:ImageDescriptor", "dpx:Packing", "dpx:Version", "dpx:DittoKey", "dpx:EndOf", "dpx:RawData", "dpx:EncryptKey",
)  # fmt: skip
_SET_ANEW = {"Orientation", "planarconfig", "compression", "XResolution", "YResolution", "ResolutionUnit"}
_OWN = {"dpx:": (".dpx",)}  # attributes that mean something in one format alone


def frame_tags(spec: oiio.ImageSpec, turned: bool) -> dict[str, Any]:
    """What travels with a frame: icc (bytes), dpi (x, y), and the harmless rest as name -> (type, value)."""
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


def clip_facts(spec: oiio.ImageSpec) -> dict[str, Any]:
    """What is worth knowing of the whole clip: bits, and for film its timecode and what the values stand for."""
    bits = spec.get_int_attribute("oiio:BitsPerSample")
    plain = {"uint8": 8, "half": "half", "float": "float"}
    facts: dict[str, Any] = {"bits": plain.get(str(spec.format), bits if bits in (10, 12) else 16)}
    for tag, name in (("timecode", "dpx:TimeCode"), ("transfer", "dpx:Transfer"), ("colorimetric", "dpx:Colorimetric")):
        if text := spec.get_string_attribute(name):
            facts[tag] = text
    return facts


def frame_rate(spec: oiio.ImageSpec) -> Fraction:
    """Frames per second where the header has them, else 0."""
    for name in ("dpx:FrameRate", "dpx:TemporalFrameRate"):
        rate = spec.get_float_attribute(name, 0.0)
        if math.isfinite(rate) and 0 < rate <= 1000:
            return exact_rate(rate)
    return Fraction(0)


def lay_back(spec: oiio.ImageSpec, tags: dict[str, Any], path: Path) -> None:
    """Put what travelled with a frame into the header of a file that is to be written."""
    for name, (kind, value) in tags.get("attributes", {}).items():
        if not name.startswith(tuple(_OWN)) or path.suffix.lower() in _OWN[name[:4]]:
            spec.attribute(name, kind, value)
    icc = fitting_profile(tags, spec.nchannels)
    if icc:
        spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(icc)}]"), np.frombuffer(icc, np.uint8))
    if "dpi" in tags:
        spec.attribute("XResolution", float(tags["dpi"][0]))
        spec.attribute("YResolution", float(tags["dpi"][1]))
        spec.attribute("ResolutionUnit", "in")


def fitting_profile(tags: dict[str, Any], channels: int) -> bytes:
    """The ICC profile, if it can describe so many channels: a grey one cannot describe the colours painted over it."""
    icc: bytes = tags.get("icc", b"")
    return icc if (icc[16:20] == b"GRAY") == (channels <= 2) else b""
