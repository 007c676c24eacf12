"""What a file to be written will be: its headers, what is painted into it, and what is taken from the source."""
from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from impasto.errors import MediaError
from impasto.frame import Pixels
from impasto.media.encoding import Encoding
from impasto.media.exr.container import COMPRESSIONS, LONG_NAMES, Attributes, Channel, Layout, Part, Window, channel_list
from impasto.media.exr.layers import check_place
from impasto.media.exr.packing import lossless
from impasto.media.exr.reader import Source
from impasto.media.primaries import Chromaticities

_SUFFIXES = {1: "Y", 2: "YA", 3: "RGB", 4: "RGBA"}
_DEPTHS = {"half": "float16", "float": "float32"}
_SHORT_NAME = 31
# What else says in which colours a part's values are: true no more once they are in others.
_COLOUR_WORDS = (b"colorInteropID", b"colorSpace", b"colorspace", b"oiio:ColorSpace", b"acesImageContainerFlag")
_OF_THE_FULL_SIZE = (b"tiles", b"preview", b"chunkCount")  # what the header of a proxy, or of a larger picture, has no use for


@dataclass(frozen=True)
class Plan:
    """A file before its pixels are there."""

    parts: tuple[Part, ...]
    number: int  # of the part that is painted
    painted: tuple[str, ...]  # channels, in the order of the pixels
    flags: int
    multi_part: bool
    premultiply: bool  # the pixels come with alpha not multiplied in
    layout: Layout | None = None  # of the source

    @property
    def part(self) -> Part:
        """The part that is painted."""
        return self.parts[self.number]

    @property
    def untouched(self) -> list[str]:
        """The channels of the painted part that are taken from the source."""
        return [channel.name for channel in self.part.channels if channel.name not in self.painted]


def plain(pixels: Pixels, size: tuple[int, int], fps: Fraction, encoding: Encoding, tags: dict[str, Any]) -> Plan:
    """A picture from elsewhere: one part, half floats unless wanted otherwise, zip."""
    width, height = size
    kind = _DEPTHS.get(encoding.bits, "float32" if pixels.dtype == "float32" and encoding.bits == "auto" else "float16")
    names = tuple(_SUFFIXES[pixels.shape[2]])
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes: Attributes = {
        b"compression": (b"compression", bytes(1)),
        b"dataWindow": (b"box2i", window),
        b"displayWindow": (b"box2i", window),
        b"lineOrder": (b"lineOrder", bytes(1)),
        b"pixelAspectRatio": (b"float", struct.pack("<f", tags.get("pixel_aspect", 1))),
        b"screenWindowCenter": (b"v2f", bytes(8)),
        b"screenWindowWidth": (b"float", struct.pack("<f", 1)),
    }
    if fps:
        attributes[b"framesPerSecond"] = b"rational", struct.pack("<iI", fps.numerator, fps.denominator)
    part = Part(attributes, (), (0, 0, width - 1, height - 1), "zip", None, 0, False, "", 0)
    part = _with_channels(part, [Channel(name, kind) for name in names], tags)
    return Plan((part,), 0, names, 2, False, _multiplies(pixels, tags))


def replacing(source: Source, pixels: Pixels, size: tuple[int, int], encoding: Encoding, tags: dict[str, Any]) -> Plan:
    """The source's own file with one layer painted, or with a layer more."""
    path = source.path
    layout = source.layout()
    part = layout.parts[source.layer.part]
    if size != (part.width, part.height):
        raise MediaError(f"is {size[0]}x{size[1]}, its source {part.width}x{part.height}: other layers cannot follow", path)
    painted = _painted(source, layout, pixels.shape[2])
    before = {channel.name: channel for channel in part.channels}
    gone = set() if source.to_layer else set(source.layer.channels)
    if taken := [name for name in painted if name in before and name not in gone]:
        raise MediaError(f"would lose the channel {taken[0]!a} that is there already: name a new layer with --to-layer", path)
    fresh = _fresh(source, part, painted, encoding)
    changed = _with_channels(part, [*(channel for channel in part.channels if channel.name not in gone), *fresh], tags)
    parts = tuple(changed if each is part else each for each in layout.parts)
    number, flags = source.layer.part, layout.flags | _long(painted)
    return Plan(parts, number, painted, flags, layout.multi_part, _multiplies(pixels, tags), layout)


def resized(source: Source, pixels: Pixels, size: tuple[int, int], encoding: Encoding, tags: dict[str, Any]) -> Plan:
    """The painted layer alone, in another size, under the source's header; the other layers are of the size they were.

    The tag `resized` says how many of the source's pixels make one: 2 is a proxy of half the size, 1/2 is twice as large.
    """
    layout, factor = source.layout(), Fraction(tags["resized"])
    part = layout.parts[source.layer.part]
    if size != (wanted := (-(-part.width // factor), -(-part.height // factor))):
        how = f"{factor.denominator} times as large" if factor < 1 else f"at a proxy of {factor}"
        expected = f"{wanted[0]}x{wanted[1]} {how}"
        raise MediaError(f"is {size[0]}x{size[1]}, its source {expected}: its header cannot follow", source.path)
    attributes = {
        name: value
        for name, value in part.attributes.items()
        if name not in _OF_THE_FULL_SIZE and not name.startswith(b"cryptomatte/")
    }
    data, shown = _resized_windows(part, factor)
    attributes |= {b"dataWindow": (b"box2i", struct.pack("<4i", *data)), b"displayWindow": (b"box2i", struct.pack("<4i", *shown))}
    attributes[b"lineOrder"] = b"lineOrder", b"\0"
    if b"type" in attributes:
        attributes[b"type"] = b"string", b"scanlineimage"
    painted = _painted(source, layout, pixels.shape[2])
    alone = replace(part, attributes=attributes, window=data, tile=None, levels=0)
    alone = _with_channels(alone, _fresh(source, part, painted, encoding), tags)
    return Plan((alone,), 0, painted, 2 | layout.flags & LONG_NAMES | _long(painted), False, _multiplies(pixels, tags))


def _resized_windows(part: Part, factor: Fraction) -> tuple[Window, Window]:
    """Data and display window divided by a factor: a pixel begun counts whole."""
    full = [int(edge) for edge in part.numbers(b"displayWindow", "4i") or part.window]
    left, top = full[0] // factor, full[1] // factor
    width, height = (-(-(full[side + 2] + 1 - full[side]) // factor) for side in (0, 1))
    across, down = left - (full[0] - part.window[0]) // factor, top - (full[1] - part.window[1]) // factor
    data = across, down, across - (-part.width // factor) - 1, down - (-part.height // factor) - 1
    return data, (left, top, left + width - 1, top + height - 1)


def _fresh(source: Source, part: Part, painted: Sequence[str], encoding: Encoding) -> list[Channel]:
    """The painted channels, in the depth that is wanted or that was there."""
    before = {channel.name: channel for channel in part.channels}
    kinds = {name: _DEPTHS.get(encoding.bits, before[source.layer.channels[0]].kind) for name in painted}
    if encoding.bits == "auto":
        kinds |= {name: before[name].kind for name in painted if name in before}
    return [replace(before.get(name, Channel(name, kind)), kind=kind) for name, kind in kinds.items()]


def _long(names: Sequence[str]) -> int:
    return LONG_NAMES if any(len(name.encode("utf-8", "surrogateescape")) > _SHORT_NAME for name in names) else 0


def _painted(source: Source, layout: Layout, count: int) -> tuple[str, ...]:
    """The names of the channels that the pixels become: those they came from, or a new layer's."""
    if not source.to_layer and count == len(source.layer.channels):
        return source.layer.channels
    if not source.to_layer:
        check_place(source.layer, layout.parts, source.path)
    prefix = f"{source.to_layer}." if source.to_layer else source.layer.prefix  # grey that became colour needs new names too
    return tuple(prefix + suffix for suffix in _SUFFIXES[count])


def _with_channels(part: Part, channels: Sequence[Channel], tags: dict[str, Any]) -> Part:
    """The part with these channels, packed so that every bit of them comes back; all else in its header stays."""
    channels = tuple(sorted(channels, key=lambda channel: channel.name.encode("utf-8", "surrogateescape")))
    compression = lossless(part.compression, [channel.kind for channel in channels])
    attributes = dict(part.attributes)
    attributes[b"channels"] = b"chlist", channel_list(channels)
    attributes[b"compression"] = b"compression", bytes([COMPRESSIONS.index(compression)])
    if attributes.get(b"lineOrder") == (b"lineOrder", b"\1"):  # bottom up: rows come from the top here
        attributes[b"lineOrder"] = b"lineOrder", b"\0"
    if part.levels:  # halvings of the picture as it was would show it unpainted
        kind, value = attributes[b"tiles"]
        attributes[b"tiles"] = kind, value[:8] + bytes([value[8] & 0xF0])
    if "chromaticities" in tags:
        _tell_colours(attributes, tags["chromaticities"])
    part = replace(part, attributes=attributes, channels=channels, compression=compression, levels=0)
    part = replace(part, chunks=part.first_level_chunks)
    if b"chunkCount" in attributes:
        attributes[b"chunkCount"] = b"int", struct.pack("<i", part.chunks)
    return part


def _tell_colours(attributes: Attributes, chromaticities: Chromaticities | None) -> None:
    """Say which primaries the values have, or nothing of their colours; what the header says rightly stays."""
    told = None if chromaticities is None else (b"chromaticities", struct.pack("<8f", *chromaticities))
    if told is not None and attributes.get(b"chromaticities") == told:
        return
    for name in (b"chromaticities", *_COLOUR_WORDS):
        attributes.pop(name, None)
    if told is not None:
        attributes[b"chromaticities"] = told


def _multiplies(pixels: Pixels, tags: dict[str, Any]) -> bool:
    return pixels.shape[2] in (2, 4) and not tags.get("premultiplied", False)
