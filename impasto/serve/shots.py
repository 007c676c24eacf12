"""Shots: material that jobs read. Uploaded in pieces that can be resumed, or named by a path under an allowed root."""
from __future__ import annotations

import fcntl
import hmac
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import IO, Any

from impasto.errors import ImpastoError
from impasto.media import READERS, is_sequence
from impasto.media.landing import sync
from impasto.serve.orders import WHOLE
from impasto.serve.problems import Problem
from impasto.serve.store import Row, Store, new_id

TAKEN = {*READERS, ".style", ".flo", ".wav", ".aif", ".aiff", ".flac", ".mp3", ".m4a"}  # text is not: it may name files
MOST_FILES = 20_000
PART = ".part"
GIB = 2**30
Probe = Callable[[Path], dict[str, Any]]


class Shots:
    """Shots in the store. `probe` says what a file is; `room` how many bytes may still be taken."""

    def __init__(self, store: Store, roots: Sequence[Path], probe: Probe, room: Callable[[], int] = lambda: 2**60) -> None:
        self.store, self.probe, self.room = store, probe, room
        self.roots = [root.resolve() for root in roots]

    def get(self, name: str) -> Row:
        """One shot, or a problem that says there is none."""
        found = self.store.row("SELECT * FROM shots WHERE id=?", name)
        if found is None:
            raise Problem(404, f"there is no shot {name}")
        return found

    def add_path(self, text: str, owner: str, name: str = "") -> Row:
        """Take a shot where it lies, under one of the roots that the server was given."""
        place = self._within_roots(text)
        fresh = new_id()
        self.store.database.execute(
            "INSERT INTO shots (id, owner, name, place, state, created) VALUES (?,?,?,?,'receiving',?)",
            (fresh, owner, name or place.name, str(place), time.time()),
        )
        return self._judged(fresh)

    def begin(self, name: str, files: Sequence[dict[str, Any]], owner: str) -> Row:
        """Announce an upload: its files with their sizes. Several are the frames of a sequence."""
        files = [{**file, "name": safe_name(file["name"])} for file in files]
        names, total = {file["name"] for file in files}, sum(file["size"] for file in files)
        if not 1 <= len(files) <= MOST_FILES or len(names) < len(files):
            raise Problem(422, f"files: 1 to {MOST_FILES} are taken, each under its own name")
        if total > self.room():
            left = f"the store has room for {max(0, self.room()) / GIB:.1f} GiB more"
            raise Problem(507, f"{left}: delete old jobs and shots, or raise --quota of the server")
        fresh = new_id()
        self.folder(fresh).mkdir(mode=0o700)
        place = self.folder(fresh) / files[0]["name"] if len(files) == 1 else self.folder(fresh)
        self.store.database.execute(
            "INSERT INTO shots (id, owner, name, place, files, bytes, state, created) VALUES (?,?,?,?,?,?,'receiving',?)",
            (fresh, owner, name, str(place), json.dumps(files), total, time.time()),
        )
        return self._judged(fresh) if total == 0 else self.get(fresh)

    def folder(self, name: str) -> Path:
        """Where an upload lies."""
        return self.store.folder / "shots" / name

    def file(self, name: str, file: str) -> Path:
        """One file of a shot, wherever the shot lies."""
        shot = self.get(name)
        place = Path(shot["place"])
        if not json.loads(shot["files"]):  # under a root
            return inside(place, file) if place.is_dir() else inside(place.parent, place.name if file == place.name else "")
        return inside(self.folder(name), self._file(name, file)["name"])

    def received(self, name: str, file: str) -> tuple[int, int]:
        """How much of a file is here, and how large it will be."""
        told = self._file(name, file)
        for path in (self.folder(name) / file, self.folder(name) / (file + PART)):
            if path.exists():
                return path.stat().st_size, told["size"]
        return 0, told["size"]

    @contextmanager
    def appending(self, name: str, file: str, offset: int) -> Iterator[tuple[IO[bytes], int]]:
        """Go on with a file where it stops: a handle to write to, and how many bytes it may take."""
        here, size = self.received(name, file)
        if offset != here or here == size:
            raise Problem(409, f"{file} has {here} of {size} bytes: go on there", headers={"Upload-Offset": str(here)})
        with open(self.folder(name) / (file + PART), "ab") as part:
            try:
                fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Problem(409, f"{file} is being received already") from None
            yield part, size - here
            part.flush()
            os.fsync(part.fileno())

    def settle(self, name: str, file: str) -> Row:
        """Give a file that is all here its name; the last one makes the shot ready."""
        told, part = self._file(name, file), self.folder(name) / (file + PART)
        if part.exists() and part.stat().st_size == told["size"]:
            if told.get("sha256") and not hmac.compare_digest(_digest(part), told["sha256"].lower()):
                part.unlink()
                raise Problem(422, f"{file} is not what was announced (its SHA-256 differs): send it again")
            part.rename(self.folder(name) / file)
            sync(self.folder(name))
        complete = all((self.folder(name) / each["name"]).exists() for each in json.loads(self.get(name)["files"]))
        return self._judged(name) if complete else self.get(name)

    def delete(self, name: str) -> None:
        """Forget a shot; what was uploaded goes, what lies under a root stays."""
        self.get(name)
        self.store.database.execute("DELETE FROM shots WHERE id=?", (name,))
        shutil.rmtree(self.folder(name), ignore_errors=True)

    def path_of(self, reference: str) -> Path:
        """The file or folder that `shot:ID` or `job:ID/FILE` stands for: one in the store, whatever the reference says."""
        found = WHOLE.fullmatch(reference)
        if found is None:
            raise Problem(422, f"'{reference}' is no reference: write shot:ID, or job:ID/FILE")
        (kind, name), rest = found[1].split(":"), found[2]
        if kind == "shot":
            shot = self.get(name)
            if shot["state"] != "ready":
                raise Problem(409, f"shot {name} is {shot['state']}{': ' + shot['fault'] if shot['fault'] else ''}")
            whole = Path(shot["place"])
        else:
            whole = self.store.folder / "jobs" / name / "out"
            if not whole.is_dir():
                raise Problem(404, f"job {name} has no results")
        return inside(whole if not rest or whole.is_dir() else whole.parent, rest) if rest else whole

    def _file(self, name: str, file: str) -> dict[str, Any]:
        found = next((each for each in json.loads(self.get(name)["files"]) if each["name"] == file), None)
        if found is None:
            raise Problem(404, f"shot {name} has no file {file}")
        return dict(found)

    def _judged(self, name: str) -> Row:
        """Look at what has come: it is ready, or it is broken and says why."""
        place, state, fault, info = Path(self.get(name)["place"]), "ready", "", dict[str, Any]()
        if place.suffix.lower() in READERS or is_sequence(place):
            try:
                info = self.probe(place)
            except (ImpastoError, Problem) as error:
                state, fault = "broken", str(error).replace(f"{place}: ", "")
        self.store.database.execute(
            "UPDATE shots SET state=?, fault=?, info=? WHERE id=?", (state, fault, json.dumps(info), name)
        )
        return self.get(name)

    def _within_roots(self, text: str) -> Path:
        """A path under a root, links followed; of a sequence, every file of it."""
        if not self.roots:
            raise Problem(403, "this server takes no paths: start it with --root FOLDER, or upload the shot")
        if not os.path.isabs(text) or "\0" in text:
            raise Problem(422, "path: give the whole path, from /")
        place = Path(text).resolve()
        reach = [place]
        if is_sequence(place):
            folder = place if place.is_dir() else place.parent
            reach += [entry for entry in folder.iterdir() if entry.is_symlink()] if folder.is_dir() else []
        if not all(any(each.resolve().is_relative_to(root) for root in self.roots) for each in reach):
            raise Problem(403, f"{text}: lies under none of the server's roots")
        if place.suffix.lower() not in TAKEN and not is_sequence(place):
            raise Problem(415, f"{place.name}: this kind of file is not taken")
        if not is_sequence(place) and not place.is_file():
            raise Problem(404, f"{text}: there is no such file")
        return place


def safe_name(text: str) -> str:
    """A file's name that holds no path and nothing that a look's or a pattern's text would read as its own."""
    name = re.sub(r"[^\w.-]+", "_", text.replace("\\", "/").rpartition("/")[2])[-100:].lstrip(".-")
    if Path(name).suffix.lower() not in TAKEN:
        raise Problem(415, f"'{text}' is not taken: a shot's files are {', '.join(sorted(TAKEN))}")
    return name


def inside(folder: Path, rest: str) -> Path:
    """A file within a folder, links followed; everything else is not there."""
    wanted = (folder / rest).resolve() if "\0" not in rest else None
    if wanted is None or not wanted.is_relative_to(folder.resolve()) or any(part.startswith(".") for part in Path(rest).parts):
        raise Problem(404, f"there is no file {rest}")
    return wanted


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()
