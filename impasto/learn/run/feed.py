"""Batches made ahead in threads. A batch is a pure function of its number, so who makes it, and when, changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from torch import Tensor

Batch = dict[str, Tensor]
AHEAD = 2  # batches per thread: more only costs memory


class Feed:
    """Hands out batches by number; with threads, the next ones are being made already. Threads, for cv2, numpy and torch let go
    of the interpreter while they work, and pictures stay decoded once."""

    def __init__(self, batch_at: Callable[[int], Batch], workers: int = 0) -> None:
        self.batch_at = batch_at
        self.ahead = AHEAD * workers
        self.pool = ThreadPoolExecutor(workers, "batch") if workers else None
        self.waiting: dict[int, Future[Batch]] = {}

    def take(self, number: int, stride: int = 1) -> Batch:
        """The batch of this number; those at number + stride, + 2 stride, ... are likely to be asked for next."""
        if self.pool is None:
            return self.batch_at(number)
        wanted = [number + stride * i for i in range(self.ahead + 1)]
        for passed in self.waiting.keys() - set(wanted):
            self.waiting.pop(passed).cancel()
        for ahead in wanted:
            if ahead not in self.waiting:
                self.waiting[ahead] = self.pool.submit(self.batch_at, ahead)
        return self.waiting.pop(number).result()

    def close(self) -> None:
        """Let the threads go."""
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)
