"""Keeping house: how much the store may hold, how long results stay, and what nobody owns any more."""
from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

from impasto.serve.jobs import OPEN
from impasto.serve.problems import log
from impasto.serve.store import Store

GIB = 2**30
FREE_BYTES = GIB  # left on the disk, whatever the quota says
UPLOAD_DAYS = 2  # that an upload may stand still
AUDIT_DAYS = 365
SECONDS_BETWEEN = 600.0
DAY_S = 86400


class Keeper:
    """Measures and cleans the store: when it begins, and every ten minutes."""

    def __init__(self, store: Store, quota_gib: float = 0.0, days: float = 0.0) -> None:
        self.store, self.quota, self.days = store, quota_gib * GIB, days
        self.used = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_round, name="keeper", daemon=True)

    def start(self) -> None:
        """Clean now, and go on cleaning."""
        self.clean()
        self._thread.start()

    def stop(self) -> None:
        """No more."""
        self._stop.set()

    def room(self) -> int:
        """How many bytes may still come."""
        left = shutil.disk_usage(self.store.folder).free - FREE_BYTES
        promised = self.store.rows("SELECT coalesce(sum(bytes), 0) FROM shots WHERE state='receiving'")[0][0]
        return int(min(left, self.quota - self.used if self.quota else left) - promised)

    def clean(self, now: float | None = None) -> None:
        """Let go of what is past its time and of what nobody owns, then measure."""
        now = time.time() if now is None else now
        with self.store.change() as database:
            if self.days:
                before = now - self.days * DAY_S
                database.execute(f"DELETE FROM jobs WHERE state NOT IN {OPEN} AND ended<?", (before,))  # noqa: S608  our words
            database.execute("DELETE FROM shots WHERE state='receiving' AND created<?", (now - UPLOAD_DAYS * DAY_S,))
            database.execute("DELETE FROM sessions WHERE expires<?", (now,))
            database.execute("DELETE FROM audit WHERE at<?", (now - AUDIT_DAYS * DAY_S,))
            orphans = self._orphans()  # while nobody can add a row
        for folder in orphans:
            log.info("an orphan goes", extra={"folder": str(folder)})
            shutil.rmtree(folder, ignore_errors=True)
        self.used = sum(size_of(self.store.folder / each) for each in ("shots", "jobs"))

    def _orphans(self) -> list[Path]:
        """Folders without a row. An upload's folder is made a moment before its row: a young one is nobody's yet."""
        found = []
        for table in ("shots", "jobs"):
            known = {row["id"] for row in self.store.rows(f"SELECT id FROM {table}")}  # noqa: S608  our words
            folders = [folder for folder in (self.store.folder / table).iterdir() if folder.name not in known]
            found += [folder for folder in folders if time.time() - folder.stat().st_mtime > 60]
        return found

    def _go_round(self) -> None:
        while not self._stop.wait(SECONDS_BETWEEN):
            self.clean()


def size_of(folder: Path) -> int:
    """What the files of a folder take on the disk."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # gone meanwhile
                continue
    return total
