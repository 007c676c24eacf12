"""What an EXR file is made of: headers, a table of offsets, chunks of packed pixels. Read warily, written as it was read.

Nothing here knows how pixels are packed. Attributes are bytes under a name, so those nobody knows come back as they were, and the
chunks of a part that is left alone are copied as they lie in the file.
"""
from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from impasto.errors import MediaError
from impasto.media.container import disk_errors

MAGIC = b"\x76\x2f\x31\x01"
LONG_NAMES, MULTI_PART = 0x400, 0x1000
MAX_PIXELS = 2**29  # 23,000 x 23,000; a header that says more is taken for a bomb
MAX_HEADER_BYTES = 2**26
MAX_PARTS = 4096
KINDS = ("uint32", "float16", "float32")  # numpy names by EXR's number
COMPRESSIONS = ("none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab", "htj2k256", "htj2k32")
_ROWS = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256, 256, 32)
ROWS_OF_A_CHUNK = dict(zip(COMPRESSIONS, _ROWS, strict=True))

Window = tuple[int, int, int, int]  # left, top, right, bottom, all inside
Attributes = dict[bytes, tuple[bytes, bytes]]  # name -> (type, value)


@dataclass(frozen=True)
class Channel:
    """One plane of numbers."""

    name: str
    kind: str  # of KINDS
    linear: bytes = bytes(4)
    sampling: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Part:
    """One picture of a file, as its header tells."""

    attributes: Attributes
    channels: tuple[Channel, ...]
    window: Window  # of the data
    compression: str
    tile: tuple[int, int] | None  # width, height
    levels: int  # 0: only the picture, 1: halved again and again, 2: also in each direction alone
    deep: bool
    name: str
    chunks: int  # of all levels; of the first one where the header does not count them

    @property
    def width(self) -> int:
        """Of the data window."""
        return self.window[2] - self.window[0] + 1

    @property
    def height(self) -> int:
        """Of the data window."""
        return self.window[3] - self.window[1] + 1

    def text(self, name: bytes) -> str:
        """A text attribute, or nothing."""
        kind, value = self.attributes.get(name, (b"", b""))
        return _text(value) if kind == b"string" else ""

    def numbers(self, name: bytes, form: str) -> tuple[float, ...]:
        """An attribute of numbers, or nothing if it is not there or has another size."""
        value = self.attributes.get(name, (b"", b""))[1]
        return struct.unpack(f"<{form}", value) if len(value) == struct.calcsize(f"<{form}") else ()

    @property
    def first_level_chunks(self) -> int:
        """How many chunks hold the picture itself, without its halvings."""
        if self.tile:
            return math.ceil(self.width / self.tile[0]) * math.ceil(self.height / self.tile[1])
        return math.ceil(self.height / ROWS_OF_A_CHUNK.get(self.compression, self.height))


@dataclass(frozen=True)
class Layout:
    """The headers of a file and where its chunks lie."""

    path: Path
    flags: int
    parts: tuple[Part, ...]
    offsets: tuple[NDArray[np.uint64], ...] = field(compare=False)
    size: int = 0  # of the file, in bytes
    changed_ns: int = 0

    @property
    def multi_part(self) -> bool:
        """Whether chunks say which part they belong to."""
        return bool(self.flags & MULTI_PART)

    def missing_chunks(self, part: int) -> int:
        """How many chunks of the picture itself were never written."""
        table = self.offsets[part][: self.parts[part].first_level_chunks]
        return int(np.count_nonzero((table == 0) | (table >= self.size)))

    def chunks(self, file: BinaryIO, part: int) -> Iterator[tuple[bytes, bytes] | None]:
        """Each chunk of a part in the table's order: its place, and its sizes with packed pixels; None for one not there."""
        deep, tiled = self.parts[part].deep, self.parts[part].tile is not None
        place, sizes = (16 if tiled else 4), (24 if deep else 4)
        for offset in self.offsets[part].tolist():
            if offset == 0:  # of an unfinished file
                yield None
                continue
            file.seek(offset + (4 if self.multi_part else 0))
            head = file.read(place + sizes)
            if len(head) < place + sizes or offset < len(MAGIC):
                raise MediaError("is damaged (a chunk lies outside the file): get it again or save it anew", self.path)
            size = sum(struct.unpack_from("<QQ", head, place)) if deep else struct.unpack_from("<i", head, place)[0]
            if not 0 <= size <= self.size - file.tell():
                raise MediaError("is damaged (a chunk is longer than the file): get it again or save it anew", self.path)
            yield head[:place], head[place:] + file.read(size)


def read_layout(path: Path) -> Layout:
    """Read the headers; refuse what is missing, misnamed, cut, or promises what cannot be."""
    with _told(path), path.open("rb") as file:
        state = path.stat()
        start = file.read(8)
        if not start:
            raise MediaError("is empty: get it again", path)
        if len(start) < 8 or not start.startswith(MAGIC):
            raise MediaError("is not an OpenEXR picture, whatever its name says: name it for what it is", path)
        flags = struct.unpack("<I", start[4:])[0]
        if flags & 0xFF != 2:
            raise MediaError(f"is OpenEXR of version {flags & 0xFF}, which nobody has made yet: save it anew", path)
        source = _Source(file, path, state.st_size)
        parts = _read_parts(source, flags)
        offsets = [_read_offsets(source, part, flags) for part in parts]
        return Layout(path, flags, tuple(parts), tuple(offsets), state.st_size, state.st_mtime_ns)


def write_headers(file: BinaryIO, parts: Sequence[Part], flags: int) -> list[int]:
    """Write the beginning of a file with empty tables of offsets; where each table stands."""
    file.write(MAGIC + struct.pack("<I", flags))
    for part in parts:
        for name, (kind, value) in part.attributes.items():
            file.write(name + b"\0" + kind + b"\0" + struct.pack("<i", len(value)) + value)
        file.write(b"\0")
    if flags & MULTI_PART:
        file.write(b"\0")
    tables = []
    for part in parts:
        tables.append(file.tell())
        file.write(bytes(8 * part.chunks))
    return tables


def channel_list(channels: Sequence[Channel]) -> bytes:
    """Channels as their attribute holds them, in the order that EXR wants: by name."""
    packed = b"".join(
        _bytes(each.name) + b"\0" + struct.pack("<i", KINDS.index(each.kind)) + each.linear + struct.pack("<ii", *each.sampling)
        for each in sorted(channels, key=lambda channel: _bytes(channel.name))
    )
    return packed + b"\0"


class _Source:
    """A file read front to back, which never gives less than was asked for."""

    def __init__(self, file: BinaryIO, path: Path, size: int) -> None:
        self.file, self.path, self.size = file, path, size

    def take(self, count: int) -> bytes:
        data = self.file.read(count) if 0 <= count <= self.size else b""
        if len(data) != count:
            raise MediaError("is cut short in its header: get the whole file", self.path)
        return data

    def name(self) -> bytes:
        """Text up to a zero, which format and readers bound at 255."""
        start = self.file.tell()
        ahead = self.file.read(256)
        name, zero, _ = ahead.partition(b"\0")
        if not zero and len(ahead) < 256:
            raise MediaError("is cut short in its header: get the whole file", self.path)
        if not zero:
            raise MediaError("is damaged (a name in its header has no end): get it again or save it anew", self.path)
        self.file.seek(start + len(name) + 1)
        return name


def _read_parts(source: _Source, flags: int) -> list[Part]:
    parts: list[Part] = []
    while attributes := _read_attributes(source):
        parts.append(_part(attributes, flags, source.path))
        if not flags & MULTI_PART:
            break
        if len(parts) > MAX_PARTS:
            raise MediaError(f"has more than {MAX_PARTS} parts: split it", source.path)
    if not parts:
        raise MediaError("has no picture in it: save it again", source.path)
    return parts


def _read_attributes(source: _Source) -> Attributes:
    attributes: Attributes = {}
    while name := source.name():
        kind = source.name()
        size = struct.unpack("<i", source.take(4))[0]
        attributes[name] = kind, source.take(size)
        if source.file.tell() > MAX_HEADER_BYTES:
            raise MediaError("has a header of more than 64 MB: save it without its baggage", source.path)
    return attributes


def _part(attributes: Attributes, flags: int, path: Path) -> Part:
    def value(name: bytes, kind: bytes, size: int) -> bytes:
        found = attributes.get(name, (b"", b""))
        if found[0] != kind or len(found[1]) < size:
            raise MediaError(f"is damaged (its header says nothing of {name.decode()}): get it again or save it anew", path)
        return found[1]

    number = value(b"compression", b"compression", 1)[0]
    compression = COMPRESSIONS[number] if number < len(COMPRESSIONS) else f"number {number}"
    kind = _text(attributes.get(b"type", (b"", b""))[1])
    tile, levels = None, 0
    if "tile" in kind or (not kind and flags & 0x200):
        width, height, mode = struct.unpack("<IIB", value(b"tiles", b"tiledesc", 9)[:9])
        tile, levels = (width, height), mode & 15
        if not (0 < width <= 2**16 and 0 < height <= 2**16 and levels <= 2):
            raise MediaError(f"is damaged (tiles of {width}x{height}): get it again or save it anew", path)
    window: Window = struct.unpack("<4i", value(b"dataWindow", b"box2i", 16)[:16])
    channels = tuple(_channels(value(b"channels", b"chlist", 1), path))
    name = _text(attributes.get(b"name", (b"", b""))[1])
    deep = "deep" in kind if kind else bool(flags & 0x800)
    part = Part(attributes, channels, window, compression, tile, levels, deep, name, 0)
    _check(part, path)
    counted = struct.unpack("<i", value(b"chunkCount", b"int", 4)[:4])[0] if flags & MULTI_PART else part.first_level_chunks
    return Part(**{**vars(part), "chunks": counted})


def _check(part: Part, path: Path) -> None:
    width, height = part.width, part.height
    if width < 1 or height < 1:
        raise MediaError(f"has no picture of {width}x{height} pixels in it: save it again", path)
    if width * height > MAX_PIXELS:
        raise MediaError(f"is {width}x{height} pixels, more than {MAX_PIXELS:,}: make it smaller", path)
    if max(map(abs, part.window)) >= 2**30:
        raise MediaError(f"begins at {part.window[0]},{part.window[1]}, where no picture is: save it again", path)


def _channels(packed: bytes, path: Path) -> Iterator[Channel]:
    rest, seen = packed, set()
    while rest[:1] not in (b"\0", b""):
        name, _, rest = rest.partition(b"\0")
        if len(rest) < 16 or name in seen:
            break
        kind, across, down = struct.unpack("<i4x2i", rest[:16])
        if kind not in range(3) or across < 1 or down < 1:
            break
        yield Channel(_text(name), KINDS[kind], rest[4:8], (across, down))
        seen.add(name)
        rest = rest[16:]
    if rest != b"\0" or not seen:
        raise MediaError("is damaged (its list of channels makes no sense): get it again or save it anew", path)


def _read_offsets(source: _Source, part: Part, flags: int) -> NDArray[np.uint64]:
    # Before anything is believed: a file that promises more chunks than it has bytes for is refused here, and costs nothing.
    if not 0 < part.chunks <= source.size // 8:
        size = f"{part.width}x{part.height}"
        raise MediaError(f"promises {size} pixels, for which it is far too short: get the whole file", source.path)
    return np.frombuffer(source.take(8 * part.chunks), "<u8")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Whatever the disk says about a path, in one line."""
    with disk_errors(path):
        if not path.is_file() and path.exists():
            raise MediaError(f"is {'a folder' if path.is_dir() else 'not a file'}: name a picture", path)
        yield
