"""Where painted frames go: each outlet in a thread of its own, so that a slow one holds up neither the painter nor the others."""
from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol

from impasto.errors import ImpastoError
from impasto.frame import ClipInfo, Frame
from impasto.live.flow import Delays, Newest
from impasto.live.session import Say
from impasto.media.video.broadcast import Broadcast, Target
from impasto.media.video.capture import CAUGHT

WAITING_FRAMES = 4  # that a short halt of a disk or a network does not cost
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 5.0  # between tries to reach what was lost


class Sink(Protocol):
    """Takes frames, one after the other."""

    def write(self, frame: Frame) -> None: ...

    def close(self) -> None:
        """Finish."""

    def abort(self) -> None:
        """Let go after a fault."""


class Outlet:
    """A sink at work. One that is lost is opened again if it can be; one that cannot has failed, and the others go on."""

    def __init__(
        self,
        name: str,
        open_sink: Callable[[], Sink],
        *,
        again: bool,
        say: Say = lambda note: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the sink: what is wrong with it is known at once."""
        self.name, self.written, self.delays = name, 0, Delays()
        self.failed: ImpastoError | None = None
        self._open, self._again, self._say, self._now = open_sink, again, say, now
        self._waiting, self._stop = Newest[Frame](WAITING_FRAMES), Event()
        self._sink: Sink | None = open_sink()
        self._thread = Thread(target=self._run, name="impasto-outlet", daemon=True)

    def start(self) -> None:
        """Begin to write what is put."""
        self._thread.start()

    def put(self, frame: Frame) -> None:
        """Hand a frame over; never waits."""
        self._waiting.put(frame)

    @property
    def path(self) -> Path | None:
        """The file it makes, if it makes one."""
        return None if "://" in self.name else Path(self.name)

    def figures(self) -> dict[str, Any]:
        """What it did. The delay is from when a frame was caught to when the outlet had it."""
        return {"frames": self.written, "missed": self._waiting.missed, **self.delays.figures()}

    def finish(self) -> None:
        """Write what waits and close: a movie gets its name."""
        self._waiting.close()
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        sink, self._sink = self._sink, None
        if sink is None:
            return
        try:
            sink.close()
        except ImpastoError as fault:
            self.failed = self.failed or fault
        finally:
            sink.abort()

    def _run(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while not self._waiting.over and self.failed is None:
            try:
                self._sink = self._sink or self._open()
                if (frame := self._waiting.take()) is None:
                    continue
                self._sink.write(frame)
                self.delays.add(self._now() - frame.tags[CAUGHT])
                self.written += 1
                if wait > FIRST_WAIT_SECONDS:
                    self._say(f"{self.name}: there again")
                wait = FIRST_WAIT_SECONDS
            except ImpastoError as fault:
                wait = self._lost(fault, wait)

    def _lost(self, fault: ImpastoError, wait: float) -> float:
        """Try again later, or give up; how long to wait the next time."""
        if self._sink is not None:
            self._sink.abort()
            self._sink = None
        if not self._again:
            self.failed = fault
            self._say(str(fault))
            return wait
        if wait == FIRST_WAIT_SECONDS:
            self._say(f"{fault} Trying again")
        self._stop.wait(wait)
        return min(wait * 2, LONGEST_WAIT_SECONDS)


def open_outlet(text: str, like: ClipInfo, overwrite: bool, say: Say) -> Outlet:
    """An outlet into a movie, a stream, HLS or a virtual camera."""
    target = Target.parse(text)
    return Outlet(target.name, lambda: Broadcast(target, like, overwrite), again=not target.is_file, say=say)
