"""The crew: as many threads as there may be jobs at once, each of them leading one worker process after the other."""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from impasto.errors import ImpastoError
from impasto.job import Job
from impasto.serve.jobs import LEASE_S, Queue
from impasto.serve.problems import Problem
from impasto.serve.store import Row, new_id

BEAT_S = 1.0  # how often a worker's lease is renewed and its owner's wish is read
GRACE_S = 20.0  # that a worker has to stop cleanly
LOG_BYTES = 4 * 2**20
COMMAND = (sys.executable, "-m", "impasto.serve.worker")
assert BEAT_S * 4 < LEASE_S


@dataclass
class Leash:
    """A running worker, and why it was told to stop."""

    worker: subprocess.Popen[bytes]
    began: float
    told: float = 0.0  # when it was told; 0: it was not
    late: bool = False


@dataclass(frozen=True)
class Limits:
    """What one job may take."""

    memory_gib: float = 0.0  # 0: no limit
    hours: float = 0.0


class Crew:
    """Workers for a queue. `build` makes the Job of a row, whose results go into a folder."""

    def __init__(
        self,
        queue: Queue,
        build: Callable[[Row, Path], Job],
        workers: int = 1,
        limits: Limits = Limits(),
        command: Sequence[str] = (),
    ) -> None:
        self.queue, self.build, self.limits, self.command = queue, build, limits, list(command or COMMAND)
        self.name = new_id()
        self.stopping = threading.Event()
        self._wake = threading.Condition()
        self._threads = [threading.Thread(target=self._lead, name=f"worker {number}") for number in range(workers)]

    def start(self) -> None:
        """Take back what an earlier server left, and begin."""
        self.queue.free_lost()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        with self._wake:
            self._wake.notify_all()

    def stop(self) -> None:
        """Stop all workers cleanly; their jobs go back to the queue and go on with the next server."""
        self.stopping.set()
        self.wake()
        for thread in self._threads:
            if thread.ident:
                thread.join()

    @property
    def alive(self) -> bool:
        """Whether all of the crew are at their places."""
        return all(thread.is_alive() for thread in self._threads)

    def folder(self, job: str) -> Path:
        """Where a job's log and results lie."""
        return self.queue.store.folder / "jobs" / job

    def forget(self, job: str) -> None:
        """Remove what is there of a job."""
        shutil.rmtree(self.folder(job), ignore_errors=True)

    def _lead(self) -> None:
        while not self.stopping.is_set():
            job = self.queue.claim(self.name)
            if job is None:
                with self._wake:
                    self._wake.wait(BEAT_S)
            else:
                self._run(job)

    def _run(self, job: Row) -> None:
        out = self.folder(job["id"]) / "out"
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            built = self.build(job, out)
        except (ImpastoError, Problem) as error:  # a shot is gone, say
            self.queue.fail(job["id"], self.name, str(error), 2)
            return
        with open(self.folder(job["id"]) / "log.txt", "ab") as log:
            log.write(f"-- attempt {job['attempt']}, {time.strftime('%Y-%m-%d %H:%M:%S')}\n".encode())
            log.flush()
            self._attend(job, built, out, log)

    def _attend(self, job: Row, built: Job, out: Path, log: IO[bytes]) -> None:
        """Start the worker, listen to it, and write down how it ended."""
        order = {"command": job["command"], "job": json.loads(built.to_json()), "memory_gib": self.limits.memory_gib}
        pipe = subprocess.PIPE
        last: dict[str, Any] = {}
        with subprocess.Popen(  # noqa: S603  our own words
            self.command, cwd=out, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        ) as worker:
            assert worker.stdin and worker.stdout and worker.stderr
            with suppress(BrokenPipeError):
                worker.stdin.write(json.dumps(order).encode() + b"\n")
                worker.stdin.flush()
            leash = Leash(worker, time.monotonic())
            beside = [
                threading.Thread(target=self._mind, args=(job["id"], leash)),
                threading.Thread(target=_copy, args=(worker.stderr, log)),
            ]
            for thread in beside:
                thread.start()
            for line in worker.stdout:
                last |= self._heard(job["id"], line)
            for thread in beside:
                thread.join()
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)  # helpers that a worker left
        self._settle(job["id"], last, worker.returncode, leash.late)

    def _heard(self, job: str, line: bytes) -> dict[str, Any]:
        try:
            message: dict[str, Any] = json.loads(line)
        except ValueError:  # it was killed while it spoke
            return {}
        if "progress" in message:
            self.queue.progress(job, self.name, message["progress"])
        return message

    def _mind(self, job: str, leash: Leash) -> None:
        """Renew the lease while the worker lives; end it where it is to stop, or has had its time."""
        while leash.worker.poll() is None:
            now = time.monotonic()
            leash.late |= bool(self.limits.hours) and now - leash.began > self.limits.hours * 3600
            wanted = self.queue.renew(job, self.name)
            if leash.told and now - leash.told > GRACE_S:
                with suppress(ProcessLookupError):
                    os.killpg(leash.worker.pid, signal.SIGKILL)
            elif not leash.told and (wanted or leash.late or self.stopping.is_set()):
                leash.told = now
                leash.worker.terminate()
            with suppress(subprocess.TimeoutExpired):
                leash.worker.wait(BEAT_S)

    def _settle(self, job: str, last: dict[str, Any], code: int, late: bool) -> None:
        """Write down how a worker ended."""
        if "done" in last:
            self.queue.finish(job, self.name, last["done"], last.get("fault", ""), last.get("exit_code", 0))
        elif "fault" in last:
            self.queue.fail(job, self.name, last["fault"], last["exit_code"])
        elif late:
            told = f"took longer than the {self.limits.hours:g} hours that one job may take (--hours of the server)"
            self.queue.fail(job, self.name, told, 2)
        elif self.stopping.is_set() or self.queue.get(job)["wanted"]:
            self.queue.release(job, self.name)
        else:
            died = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
            self.queue.fail(job, self.name, f"its worker ended {died}: the job's log may tell more", code if code < 0 else 1)


def _copy(source: IO[bytes], log: IO[bytes]) -> None:
    """What a worker prints, into the job's log as long as that has room."""
    for line in source:
        if log.tell() < LOG_BYTES:
            log.write(line)
            log.flush()
