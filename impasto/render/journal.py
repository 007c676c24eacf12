"""What a render has finished, kept beside its output, so that a run that was stopped goes on where it was.

    with Journal.open(target, identity) as journal:
        todo = [part for part in parts if not journal.good(part.name, part.path)]
        ...  # make a part under a temporary name, then, before it gets its final one:
        journal.promise(part.name, digest(temporary))
        journal.finish()

A part is promised before it is named: whatever bears a final name is known, so a kill at any moment loses no finished part and
leaves no file that nobody owns. Nothing here asks the clock: a file is good if its content is what was promised.
"""
from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from impasto.errors import MediaError
from impasto.media.landing import sync
from impasto.render.lock import LOCK, hold

NOTES = "journal.jsonl"
FORMAT = 1  # of the notes
WHOLE_BYTES, BLOCK_BYTES, BLOCKS = 256 << 20, 1 << 20, 256  # of a source: read whole up to here, beyond that in samples
LONGEST_NAME = 120  # bytes; a disk holds 255
SHOWN_LETTERS = 40


@dataclass(frozen=True)
class Record:
    """What is known of a part; without a digest it is only known to be ours."""

    digest: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


class Journal:
    """The notes of one render, held by one run at a time."""

    def __init__(self, target: Path, folder: Path, lock: int) -> None:
        self.target, self.folder = target, folder
        self._lock = lock  # a handle; -1 once it is let go
        self._records: dict[str, Record] = {}
        self._length = 0  # of the notes, in whole lines
        self._one_at_a_time = Lock()  # parts are finished by several threads

    @classmethod
    def open(cls, target: str | Path, identity: dict[str, Any], *, fresh: bool = False) -> Journal:
        """Take the output for this run and see what is there; refuse if another run holds it or it was begun otherwise.

        `identity` is everything the result depends on. `fresh` starts over: parts inside the work folder go, files that have
        their final names stay until they are made anew, and remain known as ours.
        """
        target = Path(target)
        folder = work_folder(target)
        with _mapped(target):
            journal = cls(target, folder, hold(target, folder))
            try:
                journal._begin(json.loads(json.dumps(identity, default=str)), fresh)
            except BaseException:
                journal.close()
                raise
        return journal

    @staticmethod
    def identity_before(target: str | Path) -> dict[str, Any] | None:
        """What an unfinished render of this output was begun with; None if there is none."""
        with suppress(OSError):
            header, _, _ = _read(work_folder(Path(target)))
            return header.get("identity") if header else None
        return None

    @staticmethod
    def delivered(target: str | Path, name: str) -> bool:
        """Whether an earlier run made the file at the target, as this part, and was stopped before it could tidy up."""
        with suppress(OSError):
            _, records, _ = _read(work_folder(Path(target)))
            promised = records[name].digest if name in records else ""
            return bool(promised) and _hashed(Path(target)) == promised
        return False

    @classmethod
    def tidy(cls, target: str | Path) -> None:
        """Remove a work folder whose run was stopped while it removed it."""
        folder = work_folder(Path(target))
        if folder.is_dir() and not (folder / NOTES).exists():
            with suppress(MediaError):  # another run is about to begin there
                cls(Path(target), folder, hold(Path(target), folder)).finish()

    def _begin(self, identity: dict[str, Any], fresh: bool) -> None:
        header, self._records, self._length = _read(self.folder)
        if header and not fresh:
            self._check(header, identity)
        if fresh or not self._records:
            self._records = {name: Record() for name in self._records}
            self._start_notes(identity)
        kept = {name for name, record in self._records.items() if record.digest}
        for file in self.folder.iterdir():  # what a killed run left half done
            if file.name not in (LOCK, NOTES) and not {file.name, file.stem} & kept:
                _remove(file)

    def _check(self, header: dict[str, Any], identity: dict[str, Any]) -> None:
        if header.get("format") != FORMAT:
            raise MediaError("an unfinished render of it is by another version of impasto: --fresh starts over", self.target)
        differences = _differences(header.get("identity", {}), identity)
        if differences and self._records:  # else there is nothing to lose
            remedy = "run the same command as then to go on, or add --fresh to start over"
            raise MediaError(f"an unfinished render of it differs, {'; '.join(differences)}: {remedy}", self.target)

    def _start_notes(self, identity: dict[str, Any]) -> None:
        lines: list[dict[str, Any]] = [{"format": FORMAT, "identity": identity}, *({"part": name} for name in self._records)]
        data = b"".join(_line(line) for line in lines)
        new = self.folder / f"{NOTES}.new"
        new.write_bytes(data)
        sync(new)
        os.replace(new, self.folder / NOTES)
        sync(self.folder)
        sync(self.folder.parent)
        self._length = len(data)

    def owns(self, name: str) -> bool:
        """Whether the file of this part, if there is one, was made by this render."""
        return name in self._records

    def facts(self, name: str) -> dict[str, Any]:
        """What was noted beside the promise of this part."""
        return self._records[name].facts if name in self._records else {}

    def good(self, name: str, path: Path, source_digest: str = "") -> bool:
        """Whether the part is there, with the content that was promised, made from the source as it is now."""
        record = self._records.get(name)
        if record is None or not record.digest:
            return False
        fits = not source_digest or record.facts.get("source", "") == source_digest
        with suppress(OSError):
            if fits and _hashed(path) == record.digest:
                return True
        self._records[name] = Record()
        return False

    def promise(self, name: str, digest: str, **facts: Any) -> None:
        """Note, on the disk, that this part is made and about to get its name."""
        data = _line({"part": name, "digest": digest, **({"facts": facts} if facts else {})})
        with self._one_at_a_time, _mapped(self.target), open(self.folder / NOTES, "r+b", buffering=0) as notes:
            try:
                notes.seek(self._length)
                written = 0
                while written < len(data):
                    written += notes.write(data[written:])
                os.fsync(notes.fileno())
            except OSError:
                notes.truncate(self._length)
                raise
            self._length += len(data)
            self._records[name] = Record(digest, facts)

    def finish(self) -> None:
        """Everything is delivered: the work folder goes."""
        try:
            with _mapped(self.target):
                for file in self.folder.iterdir():
                    if file.name not in (LOCK, NOTES):
                        _remove(file)
                (self.folder / NOTES).unlink(missing_ok=True)  # while they are there, a run knows what the rest is
            # The lock goes last and is let go after it: who gets it then finds that it bears no name, and begins again.
            with suppress(OSError):
                (self.folder / LOCK).unlink()
                self.folder.rmdir()
        finally:
            self._let_go()

    def close(self) -> None:
        """Leave the output to the next run; nothing of ours stays if nothing was promised."""
        if self._lock < 0:
            return
        if self._records:
            self._let_go()
            return
        with suppress(MediaError):
            self.finish()

    def _let_go(self) -> None:
        os.close(self._lock)
        self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def work_folder(target: Path) -> Path:
    """The hidden folder beside an output that holds the notes of its render; every spelling of a pattern has the same."""
    target = Path(os.path.abspath(target))
    name = re.sub(r"#+|@+|%0?\d*d|\$F\d*", "_", target.name)
    if len(name.encode()) > LONGEST_NAME:
        name = f"{name[:20]}-{hashlib.blake2b(name.encode(), digest_size=8).hexdigest()}"
    return target.with_name(f".{name}.impasto")


def digest(path: str | Path) -> str:
    """The content of a file as a hash."""
    with _readable(Path(path)):
        return _hashed(Path(path))


def digest_of_source(path: str | Path) -> str:
    """The content of a source as a hash; of more than 256 MiB its size and 256 MiB spread evenly, first and last included."""
    path = Path(path)
    with _readable(path), open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size <= WHOLE_BYTES:
            return _hashed(path)
        found = hashlib.blake2b(str(size).encode(), digest_size=16)
        for block in range(BLOCKS):
            file.seek((size - BLOCK_BYTES) * block // (BLOCKS - 1))
            found.update(file.read(BLOCK_BYTES))
        return found.hexdigest()


def _hashed(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _read(folder: Path) -> tuple[dict[str, Any] | None, dict[str, Record], int]:
    """The header, what is promised, and the length of the whole lines; a last line that was cut off by a kill is not one."""
    try:
        data = (folder / NOTES).read_bytes()
    except FileNotFoundError:
        return None, {}, 0
    length = data.rfind(b"\n") + 1
    lines = [_parsed(line) for line in data[:length].splitlines()]
    if not lines or "format" not in lines[0]:
        return None, {}, 0
    records: dict[str, Record] = {}
    for line in lines[1:]:
        name, promised, facts = line.get("part"), line.get("digest", ""), line.get("facts", {})
        if isinstance(name, str) and isinstance(promised, str) and isinstance(facts, dict):
            records[name] = Record(promised, facts)
    return lines[0], records, length


def _parsed(line: bytes) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(line)
        return found if isinstance(found, dict) else {}
    return {}  # a damaged line: its part is made again


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values, default=str).encode() + b"\n"


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs, in words."""
    told = []
    for key in [*now, *(key for key in before if key not in now)]:
        old, new = before.get(key), now.get(key)
        if old != new:
            was, is_ = _shown(old), _shown(new)
            told.append(f"{key} was {was}, is {is_}" if was != is_ else f"{key} changed")
    return told


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return _shown(", ".join(_shown(item) for item in value))
    if value is None or value == "":
        return "none"
    text = str(value)
    if re.fullmatch(r"[0-9a-f]{32,}", text):  # a hash: its beginning tells it apart
        return text[:8]
    return text if len(text) <= SHOWN_LETTERS else f"{text[: SHOWN_LETTERS - 3]}..."


def _remove(file: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file, ignore_errors=True)
    else:
        file.unlink(missing_ok=True)


@contextmanager
def _mapped(target: Path) -> Iterator[None]:
    """What the system says of the work folder, in one line about the output."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise MediaError(f"its progress cannot be noted: {reason}; mend that and run again, it goes on", target) from None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MediaError(f"cannot be read: {(error.strerror or str(error)).lower()}", path) from None
