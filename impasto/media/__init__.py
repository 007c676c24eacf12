"""Pictures, sequences and clips in and out. What a path is, its suffix says: one table, and one module for each format.

Nothing here loads a media library before a path is opened.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from os.path import isdir, isfile  # unlike Path.is_dir, they have no opinion on names no disk can hold
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from impasto.errors import MediaError
from impasto.media.encoding import DEFAULT, PLAIN, Decoding, Encoding

if TYPE_CHECKING:  # numpy comes with frames, and whoever only asks for a command's help needs none
    from impasto.frame import ClipInfo, Frame

STILLS, EXR, VIDEO = "impasto.media.stills", "impasto.media.exr", "impasto.media.video"
PICTURES = dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".dpx"), STILLS) | {".exr": EXR}
MOVIES = dict.fromkeys((".mp4", ".mov", ".mkv", ".webm", ".avi"), VIDEO)
WRITERS = READERS = PICTURES | MOVIES


class Reader(Protocol):
    """Frames out of a file. Opening reads the header alone, so a bad path fails before work begins."""

    info: ClipInfo

    def numbers(self) -> Sequence[int]:
        """The number of every frame there is, rising: a sequence has those of its files, a video counts from 1, a still is 0."""

    def read(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """These frames, which rise too; what lies before and between them is passed over as cheaply as the format allows."""

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Let go of the file."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class Writer(Protocol):
    """Frames into a file that appears under its name when it is complete and proved readable, and not before."""

    def write(self, frame: Frame) -> None:
        """Take the next frame."""

    def close(self) -> None:
        """Finish: sync, verify, and give the file its name."""

    def abort(self) -> None:
        """Leave nothing behind."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def open_reader(path: str | Path, decoding: Decoding = PLAIN) -> Reader:
    """Open a picture, a clip, or a sequence (a pattern or a folder) for reading; a suffix chooses the format."""
    path = Path(path)
    if is_sequence(path):
        from impasto.media.sequence import SequenceReader

        return SequenceReader(path, decoding)
    module = _module(path, READERS, "read")
    if path.suffix.lower() == ".exr":
        exr: Reader = module.open_reader(path, decoding.layer, decoding.to_layer, decoding.beside)
        return exr
    if decoding.layer or decoding.to_layer:
        what = f":{decoding.layer}" if decoding.beside else "--layer and --to-layer"
        raise MediaError(f"has no layers, only an EXR has: leave {what} out", path)
    reader: Reader = module.open_reader(path)
    return reader


def is_sequence(path: str | Path) -> bool:
    """Whether a path stands for many pictures: a folder, or a pattern as in shot.####.png, shot.%04d.png, shot.$F4.png, *.png."""
    return isdir(path) or (bool(re.search(r"[#@*?]|%0?\d*d|\$F\d*", Path(path).name)) and not isfile(path))


def open_writer(path: str | Path, like: ClipInfo, overwrite: bool = False, encoding: Encoding = DEFAULT) -> Writer:
    """Open a picture, a clip or a pattern for writing frames as `like` describes them; a suffix chooses the format."""
    path = Path(path)
    if is_sequence(path):
        from impasto.media.sequence import SequenceWriter

        return SequenceWriter(path, like, overwrite, encoding)
    writer: Writer = writer_for(path).open_writer(path, like, overwrite, encoding)
    return writer


def writer_for(path: str | Path) -> ModuleType:
    """The module that writes files with this suffix; an unknown suffix is refused here, before work begins."""
    return _module(Path(path), WRITERS, "written")


def list_pictures(folder: str | Path) -> list[Path]:
    """The pictures that lie in a folder, in the order a person counts (frame 2 before frame 10)."""
    folder = Path(folder)
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() in PICTURES and not file.name.startswith(".")]
    except OSError as error:
        raise MediaError(f"cannot be listed as a folder of pictures: {(error.strerror or str(error)).lower()}", folder) from None
    return sorted((file for file in files if file.is_file()), key=counting_order)


def counting_order(path: Path) -> tuple[list[tuple[bool, int, str]], str]:
    """What to sort files by so that frame 2 comes before frame 10."""
    parts = re.findall(r"\d+|\D+", path.name)
    # Digits that int() does not know (superscripts, say) stay text.
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part.lower()) for part in parts], path.name


def _module(path: Path, table: dict[str, str], verb: str) -> ModuleType:
    module = table.get(path.suffix.lower())
    if module is None:
        what = f"'{path.suffix}' files cannot be {verb}" if path.suffix else f"has no suffix, so it cannot be {verb}"
        raise MediaError(f"{what}: use one of {', '.join(table)}", path)
    return import_module(module)
