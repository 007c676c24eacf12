"""What of a list of jobs has been done: kept beside the list, so that a list that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from impasto.errors import InputError, MediaError
from impasto.job import Done, Job
from impasto.media import is_sequence
from impasto.media.landing import write_text
from impasto.media.sequence import find_frames


class Ledger:
    """Jobs that are done, by everything they were told and the files they read as they are now."""

    def __init__(self, path: Path, fresh: bool = False) -> None:
        self.path = path
        self.entries: dict[str, dict[str, Any]] = {}
        if not fresh and path.exists():
            try:
                self.entries = dict(json.loads(path.read_text("utf-8"))["done"])
            except (OSError, ValueError, KeyError, TypeError):
                raise InputError(f"{path}: is not a record of jobs that were done; --fresh begins a new one") from None

    def done(self, job: Job) -> Done | None:
        """How the job ended, if it was done before and its result is still there."""
        entry = self.entries.get(_name_of(job))
        if not entry or (entry["path"] and not _is_there(Path(entry["path"]))):
            return None
        return Done(Path(entry["path"]) if entry["path"] else None, entry["summary"], entry["figures"])

    def note(self, job: Job, done: Done) -> None:
        """Write down that a job is done."""
        figures = json.loads(json.dumps(done.figures, default=str))
        self.entries[_name_of(job)] = {"path": str(done.path or ""), "summary": done.summary, "figures": figures}
        write_text(self.path, json.dumps({"done": self.entries}, indent=1, ensure_ascii=False), overwrite=True)

    def owns(self, folder: Path) -> bool:
        """Whether a job of this list wrote into the folder."""
        return any(entry["path"] and Path(entry["path"]).is_relative_to(folder) for entry in self.entries.values())


def _is_there(path: Path) -> bool:
    """Whether a result still lies where it was written; of a sequence, any of it."""
    try:
        return bool(find_frames(path)) if is_sequence(path) else path.exists()
    except MediaError:
        return False


def _name_of(job: Job) -> str:
    told = [job.to_json(), *(f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in _files(job))]
    return sha256("\n".join(told).encode()).hexdigest()


def _files(job: Job) -> Iterator[tuple[Path, Any]]:
    """The files that a job reads, as far as its fields name them; what it writes changes by its own doing."""
    for name, value in job:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, Path) and name != "out":
                with suppress(OSError, ValueError):
                    yield each, each.stat()
