"""A painted layer goes back among the others: what was not painted is taken from the source, bit by bit.

The channels beside the painted ones are unpacked and packed again, by strips of rows; other parts are copied as they lie there.
"""
from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import numpy as np

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.alpha import premultiplied
from impasto.media.encoding import DEFAULT, Encoding
from impasto.media.exr.container import ROWS_OF_A_CHUNK, Channel, Layout, read_layout, write_headers
from impasto.media.exr.packing import pack
from impasto.media.exr.plan import plain, replacing, resized
from impasto.media.exr.reader import Planes, Source
from impasto.media.landing import Landing
from impasto.media.scoped import ScopedWriter

STRIP_BYTES = 2**26  # of unpacked pixels at a time
HALF_MAX = 65504.0


class ExrWriter(ScopedWriter):
    """Writes one picture, whole or by rows from the top; it has its name once it is whole."""

    def __init__(self, path: Path, like: ClipInfo, overwrite: bool = False, encoding: Encoding = DEFAULT) -> None:
        self._like, self._encoding = like, encoding
        self._landing = Landing(path, overwrite)
        self._scratch = TemporaryDirectory(prefix="impasto-")
        self._file: BinaryIO | None = None
        self._source: Planes | None = None
        self._row = 0
        self._waiting: list[Pixels] = []  # rows that do not fill a strip yet

    def write(self, frame: Frame) -> None:
        """Take the picture."""
        self._like = replace(self._like, width=frame.pixels.shape[1], height=frame.pixels.shape[0])
        self.write_rows(frame.pixels, frame.tags)

    def write_rows(self, pixels: Pixels, tags: dict[str, Any]) -> None:
        """Take the next rows of the picture, [rows,W,C]; all calls bring the same tags."""
        with _told(self._landing.path):
            if self._file is None:
                self._begin(pixels, tags)
            self._waiting.append(pixels)
            self._pack_strips()
            # The caller may use its memory anew; what waits is kept apart from it.
            self._waiting = [rows.copy() for rows in self._waiting]

    def close(self) -> None:
        """Finish: what was not painted, the table of offsets; then sync, verify, and give the file its name."""
        with _told(self._landing.path):
            self._pack_strips(last=True)
            plan, file = self._plan, self._file
            assert file is not None and self._row == plan.part.height, f"{self._row} of {plan.part.height} rows were written"
            if plan.layout:
                self._copy_other_parts(plan.layout, file)
            for table, offsets in zip(self._tables, self._offsets, strict=True):
                file.seek(table)
                file.write(np.asarray(offsets, "<u8").tobytes())
            file.close()
        self._landing.commit(self._verify)

    def abort(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):  # what could not be written cannot be flushed either
            if self._file is not None:
                self._file.close()
        if self._source is not None:
            self._source.close()
        self._scratch.cleanup()
        self._landing.abort()

    def _begin(self, pixels: Pixels, tags: dict[str, Any]) -> None:
        source: Source | None = tags.get("exr")
        size = (self._like.width, self._like.height)
        if source is None:
            aspect = {"pixel_aspect": self._like.tags.get("pixel_aspect", 1)}
            self._plan = plain(pixels, size, self._like.fps, self._encoding, {**tags, **aspect})
        else:
            plan_of = resized if tags.get("resized", 1) != 1 else replacing
            self._plan = plan_of(source, pixels, size, self._encoding, tags)
        plan = self._plan
        if plan.layout and plan.untouched:
            self._source = Planes(plan.layout, plan.number)
        self._file = self._landing.temporary.open("r+b")
        self._tables = write_headers(self._file, plan.parts, plan.flags)
        self._offsets: list[list[int]] = [[] for _ in plan.parts]

    def _pack_strips(self, last: bool = False) -> None:
        """Pack what waits, as far as it fills strips; all of it at the end."""
        part, waiting = self._plan.part, sum(len(rows) for rows in self._waiting)
        step = part.tile[1] if part.tile else ROWS_OF_A_CHUNK[part.compression]
        a_row = part.width * sum(np.dtype(channel.kind).itemsize for channel in part.channels)
        strip = step * max(1, STRIP_BYTES // (a_row * step))
        last = last or self._row + waiting == part.height
        while waiting >= strip or (last and waiting):
            rows, self._waiting = _take(self._waiting, min(strip, waiting))
            self._pack(rows)
            waiting -= len(rows)

    def _pack(self, pixels: Pixels) -> None:
        plan, top, bottom = self._plan, self._row, self._row + len(pixels)
        found = dict(zip(plan.painted, _planes(pixels, plan.premultiply), strict=True))
        if self._source is not None:
            found |= dict(zip(plan.untouched, self._source.read(plan.untouched, top, bottom), strict=True))
        planes = [_stored(found[channel.name], channel) for channel in plan.part.channels]
        part, file = plan.part, self._file
        assert file is not None
        step = part.tile[1] if part.tile else ROWS_OF_A_CHUNK[part.compression]
        across = -(-part.width // part.tile[0]) if part.tile else 1
        for index, body in enumerate(pack(planes, part.compression, part.tile, Path(self._scratch.name) / "strip.exr")):
            down, column = divmod(index, across)
            row = top // step + down
            place = struct.pack("<4i", column, row, 0, 0) if part.tile else struct.pack("<i", part.window[1] + row * step)
            self._put(plan.number, place + body, file)
        self._row = bottom

    def _put(self, part: int, chunk: bytes | None, file: BinaryIO) -> None:
        self._offsets[part].append(0 if chunk is None else file.tell())
        if chunk is not None:
            file.write((struct.pack("<i", part) if self._plan.multi_part else b"") + chunk)

    def _copy_other_parts(self, layout: Layout, file: BinaryIO) -> None:
        with layout.path.open("rb") as source:
            for number in range(len(layout.parts)):
                for chunk in layout.chunks(source, number) if number != self._plan.number else ():
                    self._put(number, None if chunk is None else chunk[0] + chunk[1], file)

    def _verify(self, temporary: Path) -> None:
        """Headers are as meant, no block is missing, and the last ones can be unpacked."""
        found, plan = read_layout(temporary), self._plan
        as_meant = [part.attributes for part in found.parts] == [part.attributes for part in plan.parts]
        if not as_meant or found.missing_chunks(plan.number):
            raise MediaError("was not written rightly: try again", self._landing.path)
        planes = Planes(found, plan.number)
        try:
            planes.read(plan.painted, plan.part.height - 1, plan.part.height)
        finally:
            planes.close()



def _take(waiting: list[Pixels], count: int) -> tuple[Pixels, list[Pixels]]:
    """The first rows of what waits, and the rest."""
    rows = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
    return rows[:count], [rows[count:]] if len(rows) > count else []


def _planes(pixels: Pixels, premultiply: bool) -> list[Pixels]:
    if premultiply:
        colour, alpha = _unit(pixels[..., :-1]), _unit(pixels[..., -1])
        pixels = np.dstack([premultiplied(colour, alpha), alpha])
    return list(np.moveaxis(pixels, 2, 0))


def _stored(plane: Pixels, channel: Channel) -> Pixels:
    """Values as the channel holds them; only what it cannot hold is changed."""
    if plane.dtype == channel.kind:
        return plane
    plane = _unit(plane)
    if channel.kind == "float16":  # the brightest a half can be is no infinity
        plane = np.where(np.isfinite(plane), plane.clip(-HALF_MAX, HALF_MAX), plane)
    return plane.astype(channel.kind)


def _unit(values: Pixels) -> Pixels:
    """Integers as fractions of their greatest; floats as they are."""
    return values.astype(np.float32) / np.iinfo(values.dtype).max if np.issubdtype(values.dtype, np.integer) else values


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Whatever the disk says while a file is written, in one line."""
    try:
        yield
    except OSError as error:
        raise MediaError(f"cannot be written: {(error.strerror or str(error)).lower()}", path) from None
    except MemoryError:
        raise MediaError("cannot be written: it does not fit into memory", path) from None
