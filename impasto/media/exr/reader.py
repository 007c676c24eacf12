"""One layer of an EXR as a clip of one frame, whole or by rows."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.exr.container import Layout, Part, read_layout
from impasto.media.exr.layers import Layer, find_layer
from impasto.media.exr.packing import OIIO_NAMES, complaint
from impasto.media.scoped import OneFrame

FINEST_ASPECT = 1000  # a header's 1.3333333 is 4/3


@dataclass(frozen=True)
class Source:
    """Where a frame comes from, light enough to travel with it: the writer takes all that was not painted from there."""

    path: Path
    layer: Layer
    to_layer: str  # the name of a new layer for the painting; empty: it takes the place of what was painted
    size: int  # of the file, in bytes
    changed_ns: int

    def layout(self) -> Layout:
        """The source's headers, if it is the file it was."""
        layout = read_layout(self.path)
        if (layout.size, layout.changed_ns) != (self.size, self.changed_ns):
            raise MediaError("was changed while it was painted: begin again", self.path)
        return layout


class ExrReader(OneFrame):
    """One layer as a frame. Values are as stored: scene-linear, colour multiplied by alpha (tag `premultiplied`)."""

    def __init__(self, path: Path, layer: str = "", to_layer: str = "", beside: str = "") -> None:
        layout = read_layout(path)
        found = find_layer(layout.parts, layer, path, beside)
        self.path = path
        kinds = self._check(found, layout)
        there = [channel.name for channel in layout.parts[found.part].channels]
        if to_layer and any(name.startswith(f"{to_layer}.") for name in there):
            raise MediaError(f"has a layer '{to_layer}' already: give --to-layer a name of its own", path)
        self.layer, part = found, layout.parts[found.part]
        self.planes = Planes(layout, found.part)
        # Colour and alpha of two precisions become one array, without loss.
        self._kind = kinds[0] if len(set(kinds)) == 1 else "float32"
        source = Source(path, found, to_layer, layout.size, layout.changed_ns)
        facts = _facts(part)
        windows = {name: facts[name] for name in ("data_window", "display_window")}  # they may move within a sequence
        self.tags: dict[str, Any] = {"exr": source, "premultiplied": True, **windows}  # of the frame
        self.info = ClipInfo(part.width, part.height, 1, _fps(part), self._kind, len(found.channels), facts)

    def _check(self, layer: Layer, layout: Layout) -> list[str]:
        channels = {channel.name: channel for channel in layout.parts[layer.part].channels}
        chosen = [channels[name] for name in layer.channels]
        if any(channel.sampling != (1, 1) for channel in channels.values()):
            raise MediaError("stores some channels at a lower resolution: save it as RGB without subsampling", self.path)
        if any(channel.kind == "uint32" for channel in chosen):
            raise MediaError(f"holds whole numbers in {' '.join(layer.channels)!a}, no colour: choose another layer", self.path)
        if missing := layout.missing_chunks(layer.part):
            total = layout.parts[layer.part].first_level_chunks
            raise MediaError(f"is unfinished ({missing} of its {total} blocks are missing): render or copy it again", self.path)
        return [channel.kind for channel in chosen]

    def __iter__(self) -> Iterator[Frame]:
        yield Frame(self.rows(0, self.info.height), 0, dict(self.tags))

    def rows(self, top: int, bottom: int) -> Pixels:
        """Rows [top,bottom) of the data window."""
        names = self.layer.channels
        places = [self.planes.index[name] for name in names]
        if places == list(range(places[0], places[0] + len(places))):
            return self.planes.block(top, bottom, places[0], places[-1] + 1, self._kind)
        return np.stack([plane.astype(self._kind, copy=False) for plane in self.planes.read(names, top, bottom)], axis=2)

    def close(self) -> None:
        """Let go of the file."""
        self.planes.close()



class Planes:
    """The channels of one part, each in its own kind of number, bit by bit."""

    def __init__(self, layout: Layout, part: int) -> None:
        self.path, self.number, self.part = layout.path, part, layout.parts[part]
        opened = oiio.ImageInput.open(str(layout.path))
        if opened is None:
            raise MediaError(f"cannot be read ({complaint(oiio)}): get it again or save it anew", layout.path)
        self._input = opened
        if not opened.seek_subimage(part, 0):
            fault = complaint(opened)
            self.close()
            raise MediaError(f"cannot be read ({fault}): get it again or save it anew", layout.path)
        self.index = {name: place for place, name in enumerate(_names(opened.spec(), layout.path))}
        if set(self.index) != {channel.name for channel in self.part.channels}:
            self.close()
            raise MediaError("has channel names that no reader agrees on: rename them", layout.path)

    def read(self, names: Sequence[str], top: int, bottom: int) -> list[Pixels]:
        """These channels of rows [top,bottom), each [rows,W]."""
        kinds = {channel.name: channel.kind for channel in self.part.channels}
        found: dict[str, Pixels] = {}
        for kind in {kinds[name] for name in names}:  # one pass each, as every single channel asked for unpacks all of them
            places = {name: self.index[name] for name in names if kinds[name] == kind}
            first = min(places.values())
            block = self.block(top, bottom, first, max(places.values()) + 1, kind)
            found |= {name: block[..., place - first] for name, place in places.items()}
        return [found[name] for name in names]

    def block(self, top: int, bottom: int, first: int, last: int, kind: str) -> Pixels:
        """Rows [top,bottom) of channels [first,last) in OpenImageIO's order, as [rows,W,C]; those of this kind are exact."""
        left, above, right, below = self.part.window
        form = oiio.TypeDesc(OIIO_NAMES[kind])
        try:
            if self.part.tile:
                step = self.part.tile[1]
                begin, end = top // step * step, min(-(-bottom // step) * step, below + 1 - above)
                place = (self.number, 0, left, right + 1, above + begin, above + end, 0, 1, first, last, form)
                pixels = self._input.read_tiles(*place)
                pixels = pixels if pixels is None else pixels.reshape(end - begin, right + 1 - left, last - first)
                pixels = pixels if pixels is None else pixels[top - begin : bottom - begin]
            else:
                pixels = self._input.read_scanlines(self.number, 0, above + top, above + bottom, 0, first, last, form)
        except MemoryError:
            size = f"{self.part.width}x{self.part.height}"
            raise MediaError(f"is {size} pixels, more than fits into memory: make it smaller", self.path) from None
        if pixels is None:
            raise MediaError(f"is damaged ({complaint(self._input)}): get it again or save it anew", self.path)
        return pixels

    def close(self) -> None:
        """Let go of the file."""
        self._input.close()


def _names(spec: oiio.ImageSpec, path: Path) -> tuple[str, ...]:
    try:
        names: tuple[str, ...] = spec.channelnames
        return names
    except UnicodeDecodeError:
        raise MediaError("has channels whose names are no text: rename them", path) from None


def _fps(part: Part) -> Fraction:
    rate = part.numbers(b"framesPerSecond", "iI")
    return Fraction(int(rate[0]), int(rate[1])) if rate and rate[0] > 0 and rate[1] else Fraction(0)


def _facts(part: Part) -> dict[str, Any]:
    """What others may want to know of the clip: windows, colour, time."""
    facts: dict[str, Any] = {"data_window": part.window, "display_window": part.numbers(b"displayWindow", "4i") or part.window}
    if chromaticities := part.numbers(b"chromaticities", "8f"):
        facts["chromaticities"] = chromaticities
    for name in (b"colorInteropID", b"colorSpace", b"colorspace", b"oiio:ColorSpace"):
        if text := part.text(name):
            facts.setdefault("colorspace", text)
    if timecode := part.numbers(b"timeCode", "II"):
        facts["timecode"] = _timecode(int(timecode[0]))
    aspect = part.numbers(b"pixelAspectRatio", "f")
    if aspect and 0.01 < aspect[0] < 100 and (told := Fraction(aspect[0]).limit_denominator(FINEST_ASPECT)) != 1:
        facts["pixel_aspect"] = told
    return facts


def _timecode(packed: int) -> str:
    """SMPTE's digits, four bits each, with flags between them."""
    hours, minutes, seconds, frames = (
        10 * (packed >> shift + 4 & tens) + (packed >> shift & 15) for shift, tens in ((24, 3), (16, 7), (8, 7), (0, 3))
    )
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if packed & 0x40 else ':'}{frames:02d}"
