"""EXR files made by hand, so that they can hold anything, and be wrong in any way."""
from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from impasto.frame import Pixels

HALF, FLOAT, UINT = "float16", "float32", "uint32"
KINDS = (UINT, HALF, FLOAT)


@dataclass
class Made:
    """One part: planes by channel name, stored without compression."""

    planes: Mapping[str, Pixels]
    origin: tuple[int, int] = (0, 0)
    display: tuple[int, int, int, int] | None = None
    tile: tuple[int, int] | None = None
    attributes: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    window: tuple[int, int, int, int] | None = None  # a lie about the size

    def header(self) -> bytes:
        height, width = next(iter(self.planes.values())).shape
        left, top = self.origin
        window = self.window or (left, top, left + width - 1, top + height - 1)
        kinds = {name: KINDS.index(str(self.planes[name].dtype)) for name in sorted(self.planes)}
        channels = b"".join(name.encode() + b"\0" + struct.pack("<i4xii", kind, 1, 1) for name, kind in kinds.items())
        attributes = {
            "channels": ("chlist", channels + b"\0"),
            "compression": ("compression", b"\0"),
            "dataWindow": ("box2i", struct.pack("<4i", *window)),
            "displayWindow": ("box2i", struct.pack("<4i", *(self.display or window))),
            "lineOrder": ("lineOrder", b"\0"),
            "pixelAspectRatio": ("float", struct.pack("<f", 1)),
            "screenWindowCenter": ("v2f", bytes(8)),
            "screenWindowWidth": ("float", struct.pack("<f", 1)),
            **({"tiles": ("tiledesc", struct.pack("<IIB", *self.tile, 0))} if self.tile else {}),
            **self.attributes,
        }
        return b"".join(
            name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
            for name, (kind, value) in attributes.items()
        )

    def chunks(self) -> list[bytes]:
        height, width = next(iter(self.planes.values())).shape
        if self.tile is None:
            return [struct.pack("<i", self.origin[1] + y) + self._sized(y, y + 1, 0, width) for y in range(height)]
        across, down = self.tile
        return [
            struct.pack("<4i", x // across, y // down, 0, 0) + self._sized(y, min(y + down, height), x, min(x + across, width))
            for y in range(0, height, down)
            for x in range(0, width, across)
        ]

    def _sized(self, top: int, bottom: int, left: int, right: int) -> bytes:
        body = b"".join(self.planes[name][y, left:right].tobytes() for y in range(top, bottom) for name in sorted(self.planes))
        return struct.pack("<i", len(body)) + body


def exr(*parts: Made, flags: int = 0) -> bytes:
    """The bytes of a file with these parts."""
    several = len(parts) > 1
    flags |= 2 | (0x1000 if several else 0x200 if parts[0].tile else 0)
    kinds = [("tiledimage" if part.tile else "scanlineimage") for part in parts]
    headers = []
    for part, kind in zip(parts, kinds, strict=True):
        if several:
            more = {"type": ("string", kind.encode()), "chunkCount": ("int", struct.pack("<i", len(part.chunks())))}
            part = Made(**{**vars(part), "attributes": {**more, **part.attributes}})
        headers.append(part.header() + b"\0")
    start = b"\x76\x2f\x31\x01" + struct.pack("<I", flags) + b"".join(headers) + (b"\0" if several else b"")
    owners = [struct.pack("<i", number) if several else b"" for number in range(len(parts))]
    chunks = [owner + chunk for owner, part in zip(owners, parts, strict=True) for chunk in part.chunks()]
    at, tables = len(start) + 8 * len(chunks), b""
    for chunk in chunks:
        tables += struct.pack("<Q", at)
        at += len(chunk)
    return start + tables + b"".join(chunks)


def text(value: str) -> tuple[str, bytes]:
    """A text attribute."""
    return "string", value.encode()


def noise(kind: str, size: tuple[int, int] = (20, 30), seed: int = 0) -> Pixels:
    """Any bits at all: NaN of every kind and infinities among them."""
    item = np.dtype(kind).itemsize
    bits = np.random.default_rng(seed).integers(0, 2 ** (8 * item), size, np.uint64)
    return bits.astype(f"u{item}").view(kind)


def light(names: Sequence[str], kind: str = HALF, size: tuple[int, int] = (20, 30)) -> dict[str, Pixels]:
    """Planes of smooth light, some of it bright."""
    ramp = np.linspace(0, 3, size[0] * size[1], dtype=np.float32).reshape(size)
    return {name: (ramp + index / 8).astype(kind) for index, name in enumerate(names)}
