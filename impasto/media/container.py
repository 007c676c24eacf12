"""Looks at a picture file before any decoder does: is it there, is it what it is called, is it whole.

A decoder meets only files that passed here, so most damage and every misnamed file ends in one line that says how to mend it.
"""
from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from impasto.errors import MediaError

PNG = b"\x89PNG\r\n\x1a\n"
DPX = {b"SDPX": ">", b"XPDS": "<"}  # the byte order of all that follows
# What a file begins with -> what it is. The empty name marks what the decoders take.
_BEGINNINGS: list[tuple[bytes, str]] = [
    (PNG, ""),
    (b"\xff\xd8\xff", ""),
    (b"II*\x00", ""),
    (b"MM\x00*", ""),
    (b"II+\x00", ""),
    (b"MM\x00+", ""),
    *((beginning, "") for beginning in DPX),
    (b"GIF8", "a GIF"),
    (b"%!PS", "a PostScript drawing (EPS)"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript drawing (EPS)"),
    (b"%PDF", "a PDF"),
    (b"BM", "a BMP"),
    (b"8BPS", "a Photoshop document"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"PK\x03\x04", "a zip archive"),
]
_MOST_PNG_SHRINKS = 1032  # deflate cannot pack tighter
_AT_ONCE = 1 << 20  # bytes read at a time, however long a chunk is
_CHANNELS_OF_PNG = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def check_container(path: Path) -> None:
    """Refuse what is missing, misnamed, cut or damaged; pass what a decoder may look at."""
    with disk_errors(path):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise MediaError("is a folder: name a picture in it", path)
        if not stat.S_ISREG(mode):
            raise MediaError("is not a file: name a picture", path)
        with path.open("rb") as file:
            _check_beginning(file, path)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """What the disk says of a file that is read, in one line."""
    try:
        yield
    except FileNotFoundError:
        raise MediaError("no such file: is the name spelt right?", path) from None
    except OSError as error:
        raise MediaError(f"cannot be read: {(error.strerror or str(error)).lower()}", path) from None
    except ValueError as error:  # a NUL in the name
        raise MediaError(f"cannot be a file's name: {error}", path) from None


def _check_beginning(file: BinaryIO, path: Path) -> None:
    head = file.read(1024)
    if not head:
        raise MediaError("is empty: get it again", path)
    kind = _kind(head)
    if kind:
        raise MediaError(f"is {kind}, not a picture impasto reads: save it as PNG, JPEG or TIFF", path)
    if head.startswith(PNG):
        file.seek(len(PNG))
        _check_png(file, path)
    if head[:4] in DPX:
        _check_dpx(head, path)


def _kind(head: bytes) -> str:
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ""
    if head[4:8] == b"ftyp":
        return "a HEIF picture or a film"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml")) and (b"<svg" in text or b"svg" in text):
        return "an SVG drawing"
    return "text" if b"\x00" not in head and all(byte >= 9 for byte in head) and _decodes(head) else "data of an unknown kind"


def _decodes(head: bytes) -> bool:
    return bool(head.decode("utf-8", "ignore").strip()) and len(head.decode("utf-8", "ignore").encode()) > len(head) - 4


def _check_png(file: BinaryIO, path: Path) -> None:
    """Walk the chunks: every checksum right, an end at the end, and no header that promises more than the data can hold."""
    header, packed, palette = b"", 0, False
    while True:
        name, length, body = _png_chunk(file, path)
        if not header:
            header = _png_header(name, body, path)
        packed += length if name == b"IDAT" else 0
        palette = palette or name == b"PLTE"
        if name == b"IEND":
            break
    _check_promise(header, packed, palette, path)


def _png_chunk(file: BinaryIO, path: Path) -> tuple[bytes, int, bytes]:
    """The next chunk, proved whole: its name, its length, and how it begins."""
    start = file.read(8)
    if len(start) < 8:
        raise MediaError("is cut short: get the whole file", path)
    length, name = struct.unpack(">I4s", start)
    body = piece = file.read(min(length, _AT_ONCE))
    left, checksum = length - len(body), zlib.crc32(name + body)
    while piece and left:
        piece = file.read(min(left, _AT_ONCE))
        left, checksum = left - len(piece), zlib.crc32(piece, checksum)
    told = file.read(4)
    if left or len(told) != 4:
        raise MediaError("is cut short: get the whole file", path)
    if checksum.to_bytes(4, "big") != told:
        raise MediaError("is damaged (a checksum does not fit): get it again or save it anew", path)
    return name, length, body


def _png_header(name: bytes, body: bytes, path: Path) -> bytes:
    if name != b"IHDR" or len(body) != 13 or body[9] not in _CHANNELS_OF_PNG:
        raise MediaError("has no PNG header: get it again or save it anew", path)
    width, height = struct.unpack(">II", body[:8])
    if width == 0 or height == 0:
        raise MediaError(f"says it is {width}x{height} pixels, which is no picture: save it again", path)
    return body


def _check_promise(header: bytes, packed: int, palette: bool, path: Path) -> None:
    width, height, bits, kind = struct.unpack(">IIBB", header[:10])
    if kind == 3 and not palette:
        raise MediaError("has no palette though its header promises one: save it again", path)
    if width * height * _CHANNELS_OF_PNG[kind] * bits // 8 > (packed + 64) * _MOST_PNG_SHRINKS:
        raise MediaError(f"says it is {width}x{height} pixels but holds far too little for that: get it again", path)


def _check_dpx(head: bytes, path: Path) -> None:
    """A header that is whole, of a depth that is known, and no more promised than the file can hold."""
    if len(head) < 1024:
        raise MediaError("is cut short: get the whole file", path)
    order = DPX[head[:4]]
    width, height = struct.unpack_from(f"{order}II", head, 772)
    descriptor, bits, encoding = head[800], head[803], struct.unpack_from(f"{order}H", head, 806)[0]
    if bits not in (8, 10, 12, 16):
        raise MediaError(f"holds {bits} bits per value: save it with 8, 10, 12 or 16", path)
    channels = {50: 3, 51: 4, 52: 4}.get(descriptor, 1)  # of others at least one
    if encoding == 0 and width * height * channels * bits // 8 > path.stat().st_size:
        raise MediaError(f"says it is {width}x{height} pixels but holds too little for that: get the whole file", path)
