"""Is this preview a plain PNG of a sane size? Told from its chunks alone: no picture library is loaded to read a card."""
from __future__ import annotations

import zlib
from pathlib import Path
from struct import Struct

from impasto.errors import StyleError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = Struct(">II5B")
LONGEST_SIDE_PX = 2048
MOST_CHUNKS = 4096
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # bits per value, by kind of colour
# No text chunks: they are compressed, can grow a thousandfold, and say nothing the card does not say
CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs", b"bKGD"}


def check_preview(data: bytes, where: str | Path) -> tuple[int, int]:
    """Width and height of the preview, or a StyleError that names its fault."""
    if not data.startswith(SIGNATURE):
        raise StyleError("preview.png is not a PNG: save the preview as PNG and pack it again", where)
    kinds = _chunks(data, where)
    if kinds[:1] != [b"IHDR"] or kinds[-1:] != [b"IEND"] or b"IDAT" not in kinds or kinds.count(b"IHDR") != 1:
        raise StyleError("preview.png is cut short or out of order: save the preview again", where)
    unknown = [kind for kind in kinds if kind not in CHUNKS]
    if unknown:
        raise StyleError(f"preview.png carries {ascii(unknown[0])[1:]}, which a preview may not: save it without metadata", where)
    if int.from_bytes(data[8:12], "big") != HEADER.size:
        raise StyleError("preview.png has a malformed header: save the preview again", where)
    width, height, depth, colour, method, filtering, interlace = HEADER.unpack_from(data, 16)
    if not (1 <= width <= LONGEST_SIDE_PX and 1 <= height <= LONGEST_SIDE_PX):
        raise StyleError(f"preview.png is {width}x{height}; each side must be 1 to {LONGEST_SIDE_PX} pixels", where)
    if depth not in DEPTHS.get(colour, ()) or method or filtering or interlace > 1:
        raise StyleError("preview.png has a kind of pixel that PNG does not know: save the preview again", where)
    return width, height


def _chunks(data: bytes, where: str | Path) -> list[bytes]:
    """The kinds of the chunks in order, each proven whole by its checksum."""
    kinds: list[bytes] = []
    at = len(SIGNATURE)
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 8 + length
        if end + 4 > len(data):
            raise StyleError("preview.png is cut short: save the preview again", where)
        if zlib.crc32(memoryview(data)[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise StyleError("preview.png is damaged (a checksum differs): save the preview again", where)
        kinds.append(kind)
        if len(kinds) > MOST_CHUNKS:
            raise StyleError(f"preview.png has more than {MOST_CHUNKS} chunks: save the preview again", where)
        at = end + 4
        if kind == b"IEND" and at != len(data):
            raise StyleError("preview.png has data after its end: save the preview again", where)
    return kinds
