"""The container of a look: a small zip, read by fixed names, with every length checked before it is believed.

A style file comes from a stranger, so it is not opened with zipfile, which lists as many members as a file claims and reads
where the file points. Here the members must be known by name, lie one after the other and fill the file exactly: then nothing
can overlap, hide between members, or stand before or after them. Two passes over at most six headers are all it takes.
"""
from __future__ import annotations

import io
import os
import secrets
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from impasto.errors import StyleError

MIB = 1 << 20
CARD, PREVIEW, ENCODER = "card.json", "preview.png", "encoder.onnx"
GRAPHS = {"full": "graph.full.onnx", "live": "graph.live.onnx", "mini": "graph.mini.onnx"}  # the finest first
LIMITS = {CARD: MIB, **dict.fromkeys(GRAPHS.values(), 64 * MIB), PREVIEW: 8 * MIB, ENCODER: 16 * MIB}
LONGEST_DIRECTORY = 64 * 1024
LONGEST_FILE = sum(LIMITS.values()) + MIB
AGAIN = "get it again from its maker"

ENTRY, LOCAL, END = Struct("<4s6H3I5H2I"), Struct("<4s5H3I2H"), Struct("<4s4H2IH")
ENTRY_MARK, LOCAL_MARK, END_MARK = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
ENCRYPTED, STREAMED, HARMLESS_FLAGS = 0x1, 0x8, 0x806  # harmless: how hard deflate tried, and that names are UTF-8
FOLDER_ATTRIBUTE = 0x10
LONGEST_TOLD = 60


@dataclass(frozen=True)
class Member:
    """Where a member's bytes lie in the file, and what they must come to."""

    name: str
    start: int  # of its local header
    packed: int
    size: int
    crc: int
    deflated: bool
    head: int = 0  # length of its local header


def shown(text: str | bytes) -> str:
    """A stranger's text as one short line of plain characters, for messages; protobuf gives bytes where text is not UTF-8."""
    plain = ascii(text)
    return plain if len(plain) <= LONGEST_TOLD else f"{plain[:LONGEST_TOLD]}...{plain[-1]}"


def read_members(path: Path) -> dict[str, Member]:
    """The members of a style file by name, none of them read yet; the layout is proven sound."""
    with _opened(path) as (file, length):
        count, start, size = _end_of_archive(file, length, path)
        listed = _listed(_exactly(file, start, size, path), count, path)
        found: dict[str, Member] = {}
        place = 0
        for member in sorted(listed, key=lambda m: m.start):
            if member.start != place:
                fault = "overlap" if member.start < place else "leave a gap that could hide something"
                raise StyleError(f"its members {fault}: {AGAIN}", path)
            found[member.name] = _with_local_header(file, member, path)
            place += found[member.name].head + member.packed
        if place != start:
            fault = "overlaps" if place > start else "lies apart from"
            raise StyleError(f"its list of members {fault} the last member: {AGAIN}", path)
        return found


def read_member(path: Path, member: Member) -> bytes:
    """One member's bytes; never more than the size that was checked."""
    with _opened(path) as (file, _):
        data = _exactly(file, member.start + member.head, member.packed, path)
    if member.deflated:
        data = _inflated(data, member, path)
    if zlib.crc32(data) != member.crc:
        raise StyleError(f"{member.name} is damaged (its checksum differs): {AGAIN}", path)
    return data


def pack(members: Mapping[str, bytes]) -> bytes:
    """A zip of these members; the same members give the same bytes, on any machine."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # weights hardly deflate, and zlib's bytes vary by version
        for name in LIMITS:
            if name in members:
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.create_system, info.external_attr = 3, (stat.S_IFREG | 0o644) << 16
                archive.writestr(info, members[name])
    return buffer.getvalue()


def replace_file(path: Path, data: bytes, verify: Callable[[Path], object]) -> None:
    """Put `data` at `path`: written beside it, on disk, verified, and only then renamed into place."""
    beside = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.part")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        verify(beside)
        beside.replace(path)
        _sync_folder(path.parent)
    except StyleError as error:
        raise StyleError(str(error).removeprefix(f"{beside}: "), path) from error
    except OSError as error:
        raise StyleError(f"cannot be written: {error.strerror or error}", path) from error
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file and its length; what the system has against it becomes a StyleError."""
    try:
        if path.is_dir():
            raise StyleError("is a folder, not a style file", path)
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            raise StyleError("is not a plain file", path)
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            if length > LONGEST_FILE:
                raise StyleError(f"is {length / MIB:.0f} MiB long, and a style file has at most {LONGEST_FILE // MIB}", path)
            yield file, length
    except FileNotFoundError:
        raise StyleError("no such file: `impasto styles list` names the looks at hand", path) from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise StyleError(f"cannot be read: {getattr(error, 'strerror', None) or error}", path) from error


def _exactly(file: BinaryIO, start: int, length: int, path: Path) -> bytes:
    file.seek(start)
    data = file.read(length)
    if len(data) != length:
        raise StyleError(f"is cut short: {AGAIN}", path)
    return data


def _end_of_archive(file: BinaryIO, length: int, path: Path) -> tuple[int, int, int]:
    """How many members there are, and where the list of them starts and how long it is."""
    if length == 0:
        raise StyleError(f"is empty: {AGAIN}", path)
    tail_length = min(length, 0xFFFF + END.size)
    tail = _exactly(file, length - tail_length, tail_length, path)
    if len(tail) < END.size or tail[-END.size :][:4] != END_MARK:
        if 0 <= tail.rfind(END_MARK) < len(tail) - END.size:
            raise StyleError(f"has data after its end: {AGAIN}", path)
        raise StyleError(f"is no style file, or was cut short (the end of a zip is missing): {AGAIN}", path)
    _, disk, first_disk, here, count, size, start, note = END.unpack(tail[-END.size :])
    if note:
        raise StyleError(f"has data after its end: {AGAIN}", path)
    if count > len(LIMITS) or here != count:
        told = f"{count:,}" if count < 0xFFFF else f"{count:,} or more"  # 65,535 is as far as this number goes
        raise StyleError(f"lists {told} members; a style file has {len(LIMITS)} at most", path)
    if disk or first_disk or size > LONGEST_DIRECTORY:
        raise StyleError(f"its list of members is malformed: {AGAIN}", path)
    if start + size != length - END.size:
        fault = "has data before its start" if start + size < length - END.size else "is cut short"
        raise StyleError(f"{fault}: {AGAIN}", path)
    return count, start, size


def _listed(directory: bytes, count: int, path: Path) -> list[Member]:
    """The members as the list at the end of the file names them."""
    members: list[Member] = []
    at = 0
    for _ in range(count):
        if len(directory) - at < ENTRY.size or directory[at : at + 4] != ENTRY_MARK:
            raise StyleError(f"its list of members is malformed: {AGAIN}", path)
        values = ENTRY.unpack_from(directory, at)
        name_length, extra_length, note_length = values[10:13]
        name = directory[at + ENTRY.size : at + ENTRY.size + name_length].decode("utf-8", "replace")
        at += ENTRY.size + name_length + extra_length + note_length
        _check_name(name, [m.name for m in members], path)
        _check_kind(name, values[3], values[4], values[15], path)
        member = Member(name, values[16], values[8], values[9], values[7], values[4] == zipfile.ZIP_DEFLATED)
        _check_size(member, path)
        members.append(member)
    if at != len(directory):
        raise StyleError(f"its list of members is malformed: {AGAIN}", path)
    return members


def _check_name(name: str, before: list[str], path: Path) -> None:
    if name in before:
        raise StyleError(f"holds {name} twice: {AGAIN}", path)
    if name in LIMITS:
        return
    if name.casefold() in LIMITS:
        raise StyleError(f"has a member {shown(name)}, which some systems take for {name.casefold()}: {AGAIN}", path)
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or ":" in parts[0]:
        raise StyleError(f"has a member {shown(name)}, a path that leads out of the file: do not trust it", path)
    raise StyleError(f"has a member {shown(name)}; a style file holds only {', '.join(LIMITS)}", path)


def _check_kind(name: str, flags: int, method: int, attributes: int, path: Path) -> None:
    kind = stat.S_IFMT(attributes >> 16)
    if kind not in (0, stat.S_IFREG) or attributes & FOLDER_ATTRIBUTE:
        what = "a symbolic link" if kind == stat.S_IFLNK else "no plain file"
        raise StyleError(f"its member {name} is {what}: do not trust it", path)
    if flags & ENCRYPTED:
        raise StyleError(f"its member {name} is encrypted, and style files never are: {AGAIN}", path)
    if flags & ~HARMLESS_FLAGS:
        how = "in a stream, without its length" if flags & STREAMED else "in an unknown way"
        raise StyleError(f"its member {name} was packed {how}: {AGAIN}, or pack it anew with a plain zip tool", path)
    if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise StyleError(f"its member {name} is compressed by unknown method {method}: pack it anew, stored or deflated", path)


def _check_size(member: Member, path: Path) -> None:
    limit = LIMITS[member.name]
    if member.size > limit:
        told = f"{member.size / MIB:.1f} MiB; at most {limit // MIB} are allowed"
        raise StyleError(f"its member {member.name} would be {told}", path)
    longest = member.size + member.size // 100 + 1024 if member.deflated else member.size  # deflate hardly ever grows
    if member.packed > longest or (not member.deflated and member.packed != member.size):
        raise StyleError(f"its member {member.name} lies about its size: {AGAIN}", path)


def _with_local_header(file: BinaryIO, member: Member, path: Path) -> Member:
    """The member with the length of its own header, which must say what the list says."""
    values = LOCAL.unpack(_exactly(file, member.start, LOCAL.size, path))
    mark, _, flags, method, _, _, crc, packed, size, name_length, extra_length = values
    name = _exactly(file, member.start + LOCAL.size, name_length, path)
    said = (mark, name, crc, packed, size, method == zipfile.ZIP_DEFLATED, flags & ~HARMLESS_FLAGS)
    if said != (LOCAL_MARK, member.name.encode(), member.crc, member.packed, member.size, member.deflated, 0):
        raise StyleError(f"its member {member.name} is described in two ways that differ: {AGAIN}", path)
    head = LOCAL.size + name_length + extra_length
    return Member(member.name, member.start, member.packed, member.size, member.crc, member.deflated, head)


def _inflated(data: bytes, member: Member, path: Path) -> bytes:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        whole = unpacker.decompress(data, member.size + 1)
    except zlib.error:
        raise StyleError(f"{member.name} is damaged (it does not unpack): {AGAIN}", path) from None
    if len(whole) != member.size or not unpacker.eof or unpacker.unused_data:
        raise StyleError(f"its member {member.name} lies about its size: {AGAIN}", path)
    return whole


def _sync_folder(folder: Path) -> None:
    """Make the rename last through a power cut, where the system lets folders be synced."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
