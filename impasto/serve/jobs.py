"""The queue: what was asked for, who works on it, and what came of it. Nothing that was accepted is lost.

    queued -> running -> done | failed | cancelled
                 ^  |
                 |  v
                paused

A worker holds a job by a lease, which it renews while it works; a lease that runs out gives the job back. What fails for a reason
that may pass is tried again, three times, later and later. A job that is stopped goes on where it was: renders and trainings keep
journals of their own.
"""
from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from impasto.serve.problems import Problem
from impasto.serve.store import Row, Store, new_id

LEASE_S = 30.0
MOST_FAILURES = 3
MOST_ATTEMPTS = 10  # whatever ended them: a job that takes the server down with it is not tried for ever
FIRST_WAIT_S = 2.0  # before the second try; doubled for the third
OPEN = ("queued", "running", "paused")
PASSING = (1, 3)  # exit codes that another try may not see again: the machine, an engine. Negative ones are signals
FULL_RETRY_S = 30
REFUSED = {"cancel": "can be stopped no more", "pause": "can be paused no more", "": "only a paused one is resumed"}


@dataclass(frozen=True)
class Order:
    """A job as it was asked for: the command's fields, and what of the store it uses."""

    command: str
    asked: dict[str, Any]
    uses: tuple[str, ...] = ()
    title: str = ""
    priority: int = 0

    @property
    def digest(self) -> str:
        """What two requests for the same have in common."""
        return sha256(json.dumps([self.command, self.asked, self.title, self.priority], sort_keys=True).encode()).hexdigest()


class Queue:
    """Jobs in the store. `tell` hears of every job that has changed."""

    def __init__(
        self,
        store: Store,
        most: int = 1000,
        tell: Callable[[str], None] = lambda job: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store, self.most, self.tell, self.clock = store, most, tell, clock

    def submit(self, order: Order, owner: str, key: str | None = None) -> tuple[Row, bool]:
        """Take a job, or find the one that came with the same key; whether it is new."""
        with self.store.change() as database:
            if key and (known := self.store.row("SELECT * FROM jobs WHERE owner=? AND key=?", owner, key)):
                if known["digest"] != order.digest:
                    raise Problem(422, "this Idempotency-Key came with another job before: use a new key for a new job")
                return known, False
            if self.waiting() >= self.most:
                detail = f"{self.most} jobs are waiting, and that is all the queue holds: try again later"
                raise Problem(429, detail, headers={"Retry-After": str(FULL_RETRY_S)})
            name = new_id()
            database.execute(
                "INSERT INTO jobs (id, owner, command, title, asked, uses, state, priority, created, key, digest)"
                " VALUES (?,?,?,?,?,?,'queued',?,?,?,?)",
                (name, owner, order.command, order.title, json.dumps(order.asked), json.dumps(order.uses), order.priority,
                 self.clock(), key, order.digest),
            )  # fmt: skip
        self.tell(name)
        return self.get(name), True

    def waiting(self) -> int:
        """How many jobs wait for a worker."""
        return int(self.store.rows("SELECT count(*) FROM jobs WHERE state IN ('queued', 'paused')")[0][0])

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        return {row[0]: row[1] for row in self.store.rows("SELECT state, count(*) FROM jobs GROUP BY state")}

    def get(self, name: str) -> Row:
        """One job, or a problem that says there is none."""
        found = self.store.row("SELECT * FROM jobs WHERE id=?", name)
        if found is None:
            raise Problem(404, f"there is no job {name}")
        return found

    # ---- for workers

    def claim(self, worker: str) -> Row | None:
        """The next job, leased to this worker; None where nothing waits."""
        now = self.clock()
        self.free_lost(now)
        with self.store.change() as database:
            found = self.store.row(
                "SELECT id FROM jobs WHERE state='queued' AND not_before<=? ORDER BY priority DESC, seq LIMIT 1", now
            )
            if found is None:
                return None
            database.execute(
                "UPDATE jobs SET state='running', wanted='', attempt=attempt+1, begun=coalesce(begun, ?), progress='{}',"
                " fault='', leased_by=?, leased_until=? WHERE id=?",
                (now, worker, now + LEASE_S, found["id"]),
            )
        self.tell(found["id"])
        return self.get(found["id"])

    def renew(self, name: str, worker: str) -> str:
        """Go on holding a job. What its owner wants of it by now: nothing, cancel or pause; `lost` if it is another's."""
        self._held("UPDATE jobs SET leased_until=? WHERE id=?", name, worker, self.clock() + LEASE_S)
        found = self.store.row("SELECT wanted FROM jobs WHERE id=? AND leased_by=?", name, worker)
        return str(found["wanted"]) if found else "lost"

    def progress(self, name: str, worker: str, told: dict[str, Any]) -> None:
        """Note how far it is."""
        if self._held("UPDATE jobs SET progress=? WHERE id=?", name, worker, json.dumps(told)):
            self.tell(name)

    def finish(self, name: str, worker: str, result: dict[str, Any], fault: str = "", exit_code: int = 0) -> None:
        """It came to its end; with a fault if it is not as it was asked for (a limit, say)."""
        query = "UPDATE jobs SET state='done', leased_by=NULL, ended=?, result=?, fault=?, exit_code=? WHERE id=?"
        self._held(query, name, worker, self.clock(), json.dumps(result), fault, exit_code)
        self.tell(name)

    def fail(self, name: str, worker: str, fault: str, exit_code: int) -> None:
        """It failed: what may pass is tried again later, the rest is final."""
        job, now = self.get(name), self.clock()
        failures = job["failures"] + 1
        again = (exit_code in PASSING or exit_code < 0) and failures < MOST_FAILURES and job["attempt"] < MOST_ATTEMPTS
        later = now + FIRST_WAIT_S * 2 ** (failures - 1)
        query = "UPDATE jobs SET state=?, leased_by=NULL, failures=?, not_before=?, ended=?, fault=?, exit_code=? WHERE id=?"
        state, ended = ("queued", None) if again else ("failed", now)
        self._held(query, name, worker, state, failures, later, ended, fault, exit_code)
        self.tell(name)

    def release(self, name: str, worker: str) -> None:
        """Give a job back unfinished: to whoever stopped it, else to the queue."""
        wanted = self.get(name)["wanted"]
        state = {"cancel": "cancelled", "pause": "paused"}.get(wanted, "queued")
        ended = self.clock() if state == "cancelled" else None
        self._held("UPDATE jobs SET state=?, wanted='', leased_by=NULL, ended=? WHERE id=?", name, worker, state, ended)
        self.tell(name)

    def free_lost(self, now: float | None = None) -> list[str]:
        """Take back jobs whose worker is gone: those with leases from before a moment, or, where this server begins, all."""
        before = float("inf") if now is None else now
        lost = self.store.rows("SELECT id, leased_by, attempt FROM jobs WHERE state='running' AND leased_until<?", before)
        for row in lost:
            if row["attempt"] < MOST_ATTEMPTS:
                self.release(row["id"], row["leased_by"])
            else:
                self._held(
                    "UPDATE jobs SET state='failed', leased_by=NULL, ended=?, fault=? WHERE id=?", row["id"], row["leased_by"],
                    self.clock(), f"its worker was lost {MOST_ATTEMPTS} times",
                )  # fmt: skip
        return [row["id"] for row in lost]

    # ---- for owners

    def cancel(self, name: str) -> Row:
        """Stop it for good."""
        return self._want(name, "cancel", {"queued": "cancelled", "paused": "cancelled"})

    def pause(self, name: str) -> Row:
        """Stop it until it is resumed."""
        return self._want(name, "pause", {"queued": "paused", "paused": "paused"})

    def resume(self, name: str) -> Row:
        """Let a paused job go on."""
        return self._want(name, "", {"paused": "queued", "queued": "queued"})

    def retry(self, name: str) -> Row:
        """Try a job again that failed or was cancelled, with all its tries before it."""
        with self.store.change() as database:
            job = self.get(name)
            if job["state"] not in ("failed", "cancelled"):
                raise Problem(409, f"job {name} is {job['state']}: only one that failed or was cancelled is tried again")
            database.execute(
                "UPDATE jobs SET state='queued', failures=0, attempt=0, not_before=0, ended=NULL, fault='', exit_code=NULL"
                " WHERE id=?",
                (name,),
            )
        self.tell(name)
        return self.get(name)

    def set(self, name: str, priority: int | None = None, title: str | None = None) -> Row:
        """Change what may change of a job that is there."""
        self.store.database.execute(
            "UPDATE jobs SET priority=coalesce(?, priority), title=coalesce(?, title) WHERE id=?", (priority, title, name)
        )
        self.tell(name)
        return self.get(name)

    def delete(self, name: str) -> None:
        """Forget a job that has ended."""
        with self.store.change() as database:
            job = self.get(name)
            if job["state"] in OPEN:
                raise Problem(409, f"job {name} is {job['state']}: cancel it first")
            self.check_unused(f"job:{name}")
            database.execute("DELETE FROM jobs WHERE id=?", (name,))
        self.tell(name)

    def check_unused(self, reference: str) -> None:
        """Refuse to take away what an open job needs."""
        for row in self.store.rows(f"SELECT id, uses FROM jobs WHERE state IN {OPEN}"):  # noqa: S608  our own words
            if reference in json.loads(row["uses"]):
                raise Problem(409, f"job {row['id']} needs it: cancel that first")

    def _want(self, name: str, wanted: str, at_once: dict[str, str]) -> Row:
        """A running job is asked to stop, and its worker hears of it; others change at once."""
        with self.store.change() as database:
            state = self.get(name)["state"]
            if state == "running" and wanted:
                database.execute("UPDATE jobs SET wanted=? WHERE id=?", (wanted, name))
            elif state in at_once:
                ended = self.clock() if at_once[state] == "cancelled" else None
                database.execute("UPDATE jobs SET state=?, ended=? WHERE id=?", (at_once[state], ended, name))
            else:
                raise Problem(409, f"job {name} is {state}, and {REFUSED[wanted]}")
        self.tell(name)
        return self.get(name)

    def _held(self, query: str, name: str, worker: str, *values: Any) -> bool:
        """Change a job if this worker still holds it: one that lost its lease has no say any more."""
        changed: sqlite3.Cursor = self.store.database.execute(f"{query} AND leased_by=?", (*values, name, worker))
        return changed.rowcount > 0
