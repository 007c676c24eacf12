"""What happens, told to whoever listens: a short memory, so that a listener who was cut off goes on where it stopped."""
from __future__ import annotations

import asyncio
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

REMEMBERED = 2000
MOST_UNREAD = 1000
MOST_LISTENERS = 200


@dataclass(frozen=True)
class Event:
    """One thing that happened: `job`, `shot` or `look`, with its name; `reset`: read everything anew."""

    id: str
    kind: str
    data: dict[str, Any]


class Events:
    """Publish from any thread, listen in the server's loop."""

    def __init__(self) -> None:
        self.life = secrets.token_hex(4)  # of this server: numbers begin anew with the next one
        self._number = 0
        self._past: deque[Event] = deque(maxlen=REMEMBERED)
        self._listeners: dict[asyncio.Queue[Event | None], asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()

    def publish(self, kind: str, data: dict[str, Any]) -> None:
        """Tell everyone."""
        with self._lock:
            self._number += 1
            event = Event(f"{self.life}-{self._number}", kind, data)
            self._past.append(event)
            for queue, loop in self._listeners.items():
                loop.call_soon_threadsafe(_put, queue, event)

    async def listen(self, after: str = "") -> AsyncIterator[Event]:
        """What happens from now on, or from after an event that was heard before; ends when the server stops."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(MOST_UNREAD + 1)
        with self._lock:
            missed = self._since(after)
            self._listeners[queue] = asyncio.get_running_loop()
        try:
            for event in missed:
                yield event
            while (heard := await queue.get()) is not None:
                yield heard
        finally:
            with self._lock:
                self._listeners.pop(queue, None)

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def close(self) -> None:
        """Let everyone go."""
        with self._lock:
            for queue, loop in self._listeners.items():
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_put, queue, None)

    def _since(self, after: str) -> list[Event]:
        reset = Event(f"{self.life}-{self._number}", "reset", {})
        if not after:
            return [reset]
        life, _, number = after.partition("-")
        first = self._number - len(self._past)
        if life != self.life or not number.isdecimal() or not first <= int(number) <= self._number:
            return [reset]
        return list(self._past)[int(number) - first :]


def _put(queue: asyncio.Queue[Event | None], event: Event | None) -> None:
    """A listener who does not read is cut off, and comes back with what it heard last."""
    if event is not None and queue.qsize() >= MOST_UNREAD:
        while not queue.empty():
            queue.get_nowait()
        event = None
    queue.put_nowait(event)
