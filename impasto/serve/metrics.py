"""What Prometheus reads: requests, jobs, disk. Gauges are read from the store when they are asked for."""
from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from impasto.serve.jobs import OPEN

if TYPE_CHECKING:
    from impasto.serve.crew import Crew
    from impasto.serve.events import Events
    from impasto.serve.jobs import Queue
    from impasto.serve.keep import Keeper
    from impasto.serve.store import Row

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 15, 60)


class Metrics:
    """The figures of one server."""

    def __init__(self, queue: Queue, keeper: Keeper, events: Events, crew: Crew) -> None:
        self.queue, own = queue, CollectorRegistry()
        self._registry = own
        self.requests = Counter("impasto_requests", "Requests answered", ("method", "route", "status"), registry=own)
        self.seconds = Histogram("impasto_request_seconds", "Time to answer", ("route",), registry=own, buckets=BUCKETS)
        self.ended = Counter("impasto_jobs_ended", "Jobs that ended", ("job", "state"), registry=own)
        self._jobs = Gauge("impasto_jobs", "Jobs by state", ("state",), registry=own)
        Gauge("impasto_store_bytes", "What shots and results take", registry=own).set_function(lambda: keeper.used)
        Gauge("impasto_store_room_bytes", "What may still come", registry=own).set_function(keeper.room)
        Gauge("impasto_listeners", "Open event streams", registry=own).set_function(lambda: events.listeners)
        Gauge("impasto_crew_alive", "Whether all workers are at their places", registry=own).set_function(lambda: crew.alive)

    def heard(self, job: Row) -> None:
        """A job has changed."""
        if job["state"] not in OPEN:
            self.ended.labels(job["command"], job["state"]).inc()

    def text(self) -> bytes:
        """All of it, as Prometheus wants it."""
        counts = self.queue.counts()
        for state in (*OPEN, "done", "failed", "cancelled"):
            self._jobs.labels(state).set(counts.get(state, 0))
        return generate_latest(self._registry)
