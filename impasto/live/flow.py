"""Between threads that cannot wait for each other: the newest frames, and how late they are. Nothing here grows with time."""
from __future__ import annotations

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

import numpy as np

Item = TypeVar("Item")
BIN_SECONDS, BINS = 0.001, 20_000


class Newest(Generic[Item]):
    """Holds the newest items, few of them; what is pushed out before it was taken is missed. One thread puts, another takes."""

    def __init__(self, depth: int = 1) -> None:
        self.missed = 0
        self._items, self._changed, self._closed = deque[Item](), Condition(), False
        self._depth = depth

    def put(self, item: Item) -> None:
        """Hand an item over; the oldest makes room."""
        with self._changed:
            if len(self._items) == self._depth:
                self._items.popleft()
                self.missed += 1
            self._items.append(item)
            self._changed.notify()

    def take(self, seconds: float | None = None) -> Item | None:
        """The next item; None: there was none in time, or it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, seconds)
            return self._items.popleft() if self._items else None

    def close(self) -> None:
        """No more is put; what waits may still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def over(self) -> bool:
        """Whether it is closed and empty."""
        with self._changed:
            return self._closed and not self._items


class Delays:
    """Delays, counted by the millisecond, so that an hour of them takes no more room than a second."""

    def __init__(self) -> None:
        self._counts = np.zeros(BINS, np.int64)
        self._longest = 0.0

    def add(self, seconds: float) -> None:
        """Count one delay."""
        self._counts[min(max(int(seconds / BIN_SECONDS), 0), BINS - 1)] += 1
        self._longest = max(self._longest, seconds)

    def quantile(self, share: float) -> float | None:
        """The delay, in milliseconds, that this share of them did not exceed; None: there were none."""
        counts = self._counts.cumsum()
        if counts[-1] == 0:
            return None
        place = int(np.searchsorted(counts, share * counts[-1]))
        return round(1000 * min((place + 1) * BIN_SECONDS, self._longest), 1)

    def figures(self) -> dict[str, float | None]:
        """What is told of them."""
        return {"p50_ms": self.quantile(0.5), "p99_ms": self.quantile(0.99)}
