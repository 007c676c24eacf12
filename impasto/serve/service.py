"""The studio's parts, put together: store, queue, crew, shots, easel, guard, keeper, events. Routes ask it for them."""
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impasto.job import Job
from impasto.serve import orders
from impasto.serve.crew import Crew, Limits
from impasto.serve.easel import Easel
from impasto.serve.events import Events
from impasto.serve.guard import Guard, Who, hosts_of
from impasto.serve.jobs import Order, Queue
from impasto.serve.keep import Keeper
from impasto.serve.metrics import Metrics
from impasto.serve.problems import Problem
from impasto.serve.shots import Shots
from impasto.serve.store import Row, Store


@dataclass(frozen=True)
class Settings:
    """What a server is started with."""

    token: str
    host: str = "127.0.0.1"
    port: int = 8765
    hosts: tuple[str, ...] = ()
    secure: bool = False  # TLS
    roots: tuple[Path, ...] = ()
    workers: int = 1
    most_jobs: int = 1000
    quota_gib: float = 0.0
    keep_days: float = 0.0
    limits: Limits = field(default_factory=Limits)

    @property
    def url(self) -> str:
        """Where it is."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104  told apart, not bound to
        return f"{'https' if self.secure else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"


class Service:
    """One studio."""

    def __init__(self, store: Store, settings: Settings, easel: Easel | None = None, crew_command: tuple[str, ...] = ()) -> None:
        self.store, self.settings = store, settings
        self.events = Events()
        self.sockets = 0  # that are live
        self.easel = easel or Easel(store.folder / EMPTY)
        self.queue = Queue(store, settings.most_jobs, self._tell)
        self.keeper = Keeper(store, settings.quota_gib, settings.keep_days)
        self.shots = Shots(store, settings.roots, self.easel.probe, self.keeper.room)
        cookie = f"{'__Host-' if settings.secure else ''}impasto_{settings.port}"
        self.guard = Guard(store, settings.token, hosts_of(settings.host, settings.hosts), cookie, settings.secure)
        self.crew = Crew(self.queue, self.build, settings.workers, settings.limits, crew_command)
        self.metrics = Metrics(self.queue, self.keeper, self.events, self.crew)

    def start(self) -> None:
        """Clean up after whoever was here before, and begin to work."""
        self.keeper.start()
        self.crew.start()

    def stop(self) -> None:
        """Stop cleanly: jobs that run go back to the queue."""
        self.events.close()
        self.crew.stop()
        self.keeper.stop()
        self.easel.close()
        self.store.close()

    def build(self, job: Row, out: Path) -> Job:
        """The Job of a row of the queue."""
        return orders.build(job["command"], json.loads(job["asked"]), self.shots.path_of, out)

    def order(self, body: Mapping[str, Any], title: str, priority: int) -> Order:
        """A client's job, judged."""
        return orders.read_order(body, self.shots.path_of, title, priority)

    def results(self, job: str) -> Path:
        """Where a job's results lie."""
        return self.crew.folder(str(self.queue.get(job)["id"])) / "out"

    # ---- what clients see

    def job(self, row: Row) -> dict[str, Any]:
        """A job as clients see it."""
        told = {name: row[name] for name in row.keys() if name not in HIDDEN}  # noqa: SIM118  a Row's own iterator has values
        told |= {"job": row["command"]} | {name: json.loads(row[name]) for name in ("asked", "uses", "progress", "result")}
        veiled: dict[str, Any] = json.loads(self.veiled(json.dumps(told)))
        return veiled

    def shot(self, row: Row) -> dict[str, Any]:
        """A shot as clients see it."""
        told = {name: row[name] for name in ("id", "owner", "name", "bytes", "state", "fault", "created")}
        files = [{**file, "received": self.shots.received(row["id"], file["name"])[0]} for file in json.loads(row["files"])]
        return {**told, "reference": f"shot:{row['id']}", "files": files, "info": json.loads(row["info"])}

    def veiled(self, text: str) -> str:
        """A text with references for the store's paths: where it lies is nobody's business."""
        folder = re.escape(str(self.store.folder))
        text = re.sub(rf"{folder}/jobs/([0-9a-f]{{16}})/out/?", r"job:\1/", text)
        return re.sub(rf"{folder}/shots/([0-9a-f]{{16}})", r"shot:\1", text).replace(str(self.store.folder), "store")

    def owned(self, row: Row, who: Who) -> None:
        """Refuse to let anyone change what is another's; an admin may."""
        if row["owner"] != who.name and not who.may("admin"):
            raise Problem(403, f"{row['id']} belongs to {row['owner']}")

    def _tell(self, job: str) -> None:
        row = self.store.row("SELECT * FROM jobs WHERE id=?", job)
        if row is None:
            self.events.publish("job", {"id": job, "state": "deleted"})
            return
        self.metrics.heard(row)
        self.events.publish("job", self.job(row))
        if row["state"] == "queued":
            self.crew.wake()


EMPTY = "empty"  # a folder without files: where pictures are made
HIDDEN = ("seq", "command", "leased_by", "leased_until", "key", "digest", "not_before", "asked", "uses", "progress", "result")
