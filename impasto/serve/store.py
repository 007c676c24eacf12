"""Where the studio keeps everything: one folder, one SQLite database in it. No other server is needed.

    store/
      studio.db      shots, jobs, users, sessions, what was done by whom
      token          of this store's owner, made once
      shots/ID/      what was uploaded
      jobs/ID/       out/ (results), log.txt
      lock           held by the one server that works here

What is accepted is on the disk before the answer goes out: the database is in WAL mode and syncs at every commit.
"""
from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from impasto.errors import InputError

Row = sqlite3.Row
STEPS = [  # a database of version n has had the first n of these; what is there stays as it is, changes are added below
    """
    CREATE TABLE shots (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
        place TEXT NOT NULL DEFAULT '', files TEXT NOT NULL DEFAULT '[]', bytes INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL, fault TEXT NOT NULL DEFAULT '', info TEXT NOT NULL DEFAULT '{}', created REAL NOT NULL);
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL, command TEXT NOT NULL,
        title TEXT NOT NULL, asked TEXT NOT NULL, uses TEXT NOT NULL, state TEXT NOT NULL, wanted TEXT NOT NULL DEFAULT '',
        priority INTEGER NOT NULL, created REAL NOT NULL, begun REAL, ended REAL, not_before REAL NOT NULL DEFAULT 0,
        attempt INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, leased_by TEXT, leased_until REAL,
        progress TEXT NOT NULL DEFAULT '{}', result TEXT NOT NULL DEFAULT '{}', fault TEXT NOT NULL DEFAULT '', exit_code INTEGER,
        key TEXT, digest TEXT NOT NULL, UNIQUE (owner, key));
    CREATE INDEX jobs_by_state ON jobs (state, priority DESC, seq);
    CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT NOT NULL, key_id TEXT UNIQUE NOT NULL, hash TEXT NOT NULL, created REAL);
    CREATE TABLE sessions (hash TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, expires REAL NOT NULL);
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL,
        action TEXT NOT NULL, target TEXT NOT NULL, status INTEGER NOT NULL);
    """,
]


def default_folder() -> Path:
    """The system's place for a user's data."""
    from platformdirs import user_data_path

    return user_data_path("impasto", appauthor=False) / "studio"


def new_id() -> str:
    """A name that nobody can guess and every file system takes."""
    return secrets.token_hex(8)


class Store:
    """The folder and its database; every thread has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        try:
            for each in (self.folder, self.folder / "shots", self.folder / "jobs"):
                each.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise InputError(f"{folder}: cannot hold the studio's store: {(error.strerror or str(error)).lower()}") from None
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._upgrade()

    @property
    def database(self) -> sqlite3.Connection:
        """This thread's connection."""
        if not hasattr(self._own, "connection"):
            connection = sqlite3.connect(self.folder / "studio.db", timeout=30, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            self._own.connection = connection
            self._connections.append(connection)
        found: sqlite3.Connection = self._own.connection
        return found

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes: all of it happens, or nothing."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield self.database
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def rows(self, query: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        return self.database.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> Row | None:
        """The first row, if there is one."""
        found: Row | None = self.database.execute(query, values).fetchone()
        return found

    def page(self, table: str, after: int, limit: int, where: str = "1", values: Sequence[Any] = ()) -> list[Row]:
        """Newest first: so many rows that come after a place in the list (0: from its top). Table and condition are ours."""
        query = f"SELECT * FROM {table} WHERE {where} AND (? = 0 OR seq < ?) ORDER BY seq DESC LIMIT ?"  # noqa: S608
        return self.rows(query, *values, after, after, limit)

    def note(self, who: str, address: str, action: str, target: str, status: int) -> None:
        """Write down who did what."""
        told = (time.time(), who, address, action, target, status)
        self.database.execute("INSERT INTO audit (at, who, address, action, target, status) VALUES (?,?,?,?,?,?)", told)

    def lock(self) -> int:
        """Be the one server that works here, until the handle is closed; the system frees a dead server's lock by itself."""
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            told = "another server works in this store: stop it, or give this one its own --store"
            raise InputError(f"{self.folder}: {told}") from None
        return handle

    def close(self) -> None:
        """Let go of the database."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._own = threading.local()

    def _upgrade(self) -> None:
        version = self.database.execute("PRAGMA user_version").fetchone()[0]
        if version > len(STEPS):
            raise InputError(f"{self.folder}: was written by a newer impasto: update this one, or name another --store")
        for number, step in enumerate(STEPS[version:], version + 1):
            self.database.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version={number}; COMMIT;")
