"""The process that carries one job out: reads it from stdin, tells what happens as lines of JSON, ends when its server does.

    python -m impasto.serve.worker    < {"command": ..., "job": {...}, "memory_gib": ...}

It holds its stdin open as long as the server lives: an end of it means that the server is gone, and then nothing may go on here,
because the next server will start the same job again.
"""
from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
from typing import Any

from impasto.commands import job_class_of
from impasto.errors import ImpastoError
from impasto.job import Done, Job, Progress

BEHIND = 5  # nicer than the server, so that previews and answers come first
GRACE_S = 10.0
SECONDS_BETWEEN, SECONDS_BETWEEN_LINES = 0.25, 30.0  # of what the server hears, of what the log keeps


class Stopped(BaseException):
    """The server asked to stop, or is gone."""


def main() -> int:
    """Read the job, run it, say how it ended."""
    tell = _mouth()
    order = json.loads(sys.stdin.readline())
    _limit(order["memory_gib"])
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the server says when to stop
    threading.Thread(target=_watch_the_server, daemon=True).start()
    try:
        job = job_class_of(order["command"]).from_json(json.dumps(order["job"]))
        tell(_carry_out(job, tell))
        return 0
    except Stopped:
        return 128 + signal.SIGTERM
    except Exception as error:
        fault, code = _explained(error)
        _log(fault)
        tell({"fault": fault, "exit_code": code})
        return code


def _mouth() -> Any:
    """Our own way to the server; whatever else prints goes to the log."""
    own = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def tell(message: dict[str, Any]) -> None:
        own.write(json.dumps(message, default=str) + "\n")

    return tell


def _carry_out(job: Job, tell: Any) -> dict[str, Any]:
    """Run the job to its end; the last message says what came of it."""
    steps, last, logged, stage = job.run(), 0.0, 0.0, ""
    try:
        for step in steps:
            if isinstance(step, Done):
                _log(step.summary)
                return _ended(step)
            now, ended = time.monotonic(), step.done == step.total
            if step.stage != stage or step.note or ended or now - last >= SECONDS_BETWEEN:
                tell({"progress": _told(step)})
                last = now
            if step.stage != stage or now - logged >= SECONDS_BETWEEN_LINES or (step.note and not step.done):
                _log(f"{step.stage} {f'{step.done}/{step.total}' if step.total else ''} {step.note}")
                logged = now
            stage = step.stage
    finally:
        if hasattr(steps, "close"):
            steps.close()
    raise AssertionError("a job ended without Done")


def _log(line: str) -> None:
    """A line into the job's log, which is where stderr leads."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line.strip()}\n")
    sys.stderr.flush()


def _told(step: Progress) -> dict[str, Any]:
    left = step.seconds_left
    if left is None and step.rate and step.total > step.done:
        left = (step.total - step.done) / step.rate
    return {**vars(step), "seconds_left": left}


def _ended(done: Done) -> dict[str, Any]:
    message: dict[str, Any] = {"done": {"path": done.path, "summary": done.summary, "figures": done.figures}}
    if done.failed is not None:
        message |= {"fault": str(done.failed), "exit_code": done.failed.exit_code}
    return message


def _explained(error: Exception) -> tuple[str, int]:
    if isinstance(error, ImpastoError):
        return " ".join(str(error).split()), error.exit_code
    if isinstance(error, MemoryError):
        return "out of the memory that one job may take: a smaller picture, --tile 512, or a larger --memory of the server", 1
    import traceback

    traceback.print_exc()
    return f"{type(error).__name__}: {error}; the job's log tells more", 1


def _limit(memory_gib: float) -> None:
    os.nice(BEHIND)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_gib:
        most = round(memory_gib * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))  # what is written to; address space is reserved far beyond it


def _stop(number: int, frame: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


def _watch_the_server() -> None:
    """Stop cleanly when the server is gone, and at all costs a little later, with every process that we started."""
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
