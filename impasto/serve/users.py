"""The commands about a server's users: `impasto users add | list | remove`. A key is shown once and kept as a hash."""
from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from impasto.errors import InputError
from impasto.job import Done, Job, Progress, option
from impasto.serve.store import Store, default_folder

NAME = re.compile(r"[\w][\w.@-]{0,63}")


class _UsersJob(Job):
    store: Path | None = option(None, "the studio's folder (default: where impasto serve keeps it)")

    def _open(self) -> Store:
        return Store(self.store or default_folder())


class AddUserJob(_UsersJob):
    """Give someone a key to the studio; a new one if they have one."""

    command: ClassVar[str] = "users add"
    help: ClassVar[str] = "Give someone a key to the studio; a new one if they have one."

    name: str = option(help="who it is for", argument=True)
    role: Literal["viewer", "artist", "admin"] = option("artist", "viewer looks, artist makes, admin may everything")

    def run(self) -> Iterator[Progress | Done]:
        """Make the key, keep its hash, show it."""
        from impasto.serve.guard import OWNER, new_key

        if not NAME.fullmatch(self.name) or self.name == OWNER:
            told = f"letters, digits, . _ @ - are taken, and '{OWNER}' is the server's own"
            raise InputError(f"'{self.name}' is no user's name: {told}")
        key, key_id, digest = new_key()
        with self._open().change() as database:
            row = (self.name, self.role, key_id, digest, time.time())
            database.execute("INSERT OR REPLACE INTO users VALUES (?,?,?,?,?)", row)
            database.execute("DELETE FROM sessions WHERE name=?", (self.name,))
        summary = f"{self.name} ({self.role}): {key}\nIt is shown this once. As a header: Authorization: Bearer KEY"
        yield Done(None, summary, {"name": self.name, "role": self.role, "key": key})


class ListUsersJob(_UsersJob):
    """List who has a key to the studio."""

    command: ClassVar[str] = "users list"
    help: ClassVar[str] = "List who has a key to the studio."

    def run(self) -> Iterator[Progress | Done]:
        """Names, roles and the beginnings of keys."""
        rows = [dict(row) for row in self._open().rows("SELECT name, role, key_id FROM users ORDER BY name")]
        told = "\n".join(f"{row['name']:20} {row['role']:8} imp_{row['key_id']}_..." for row in rows)
        yield Done(None, told or "nobody has a key: impasto users add NAME", {"users": rows})


class RemoveUserJob(_UsersJob):
    """Take someone's key to the studio away."""

    command: ClassVar[str] = "users remove"
    help: ClassVar[str] = "Take someone's key to the studio away."

    name: str = option(help="whose", argument=True)

    def run(self) -> Iterator[Progress | Done]:
        """Forget the key and end the sessions."""
        with self._open().change() as database:
            if not database.execute("DELETE FROM users WHERE name=?", (self.name,)).rowcount:
                raise InputError(f"nobody called '{self.name}' has a key: impasto users list")
            database.execute("DELETE FROM sessions WHERE name=?", (self.name,))
        yield Done(None, f"{self.name} has no key any more", {"name": self.name})
