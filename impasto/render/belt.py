"""Two threads around the painter: one reads ahead of it, one delivers behind it, with bounded queues between. The painter
itself may be several threads abreast.

Decoding, painting and encoding release Python's lock while they work, so the three overlap; the bound on the queues keeps
memory constant in a clip's length. An error in either thread is raised in the painter's; closing stops both and waits for them.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import perf_counter
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
LOOK_UP_SECONDS = 0.1  # how often a waiting thread asks whether it should stop
MOST_QUEUED, QUEUED_BYTES = 8, 32 << 20


def queue_depth(frame_bytes: int) -> int:
    """How many frames of this size may wait in a queue."""
    return max(1, min(MOST_QUEUED, QUEUED_BYTES // max(1, frame_bytes)))


class Ahead(Generic[Item]):
    """An iterator that runs in a thread of its own, a few items ahead of whoever takes them."""

    def __init__(self, source: Generator[Item, None, None], depth: int) -> None:
        self.busy_seconds = 0.0
        self._source, self._queue, self._stop = source, Queue[Item | None](depth), Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="impasto-ahead", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            began = perf_counter()
            for item in self._source:
                self.busy_seconds += perf_counter() - began
                if not _put(self._queue, item, self._stop):
                    return
                began = perf_counter()
        except BaseException as error:  # raised again where the items are taken
            self._error = error
        finally:
            _close_here(self._source, self)
            _put(self._queue, None, self._stop)

    def __iter__(self) -> Iterator[Item]:
        while (item := self._queue.get()) is not None:
            yield item
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Stop reading and wait until the thread has let go of its source."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Behind(Generic[Item]):
    """Calls a function on each item in one or more threads of its own, in order where it is one thread."""

    def __init__(self, deliver: Callable[[Item], None], depth: int, threads: int = 1) -> None:
        self.busy_seconds = 0.0  # of one thread, where there are several: the stage is that much faster
        self._deliver, self._queue, self._stop = deliver, Queue[Item | None](depth), Event()
        self._error: BaseException | None = None
        self._threads = [Thread(target=self._run, name="impasto-behind", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while (item := _get(self._queue, self._stop)) is not None:
            began = perf_counter()
            try:
                self._deliver(item)
            except BaseException as error:  # raised again where the items are given
                self._error = self._error or error
                self._stop.set()
            self.busy_seconds += (perf_counter() - began) / len(self._threads)

    def put(self, item: Item) -> None:
        """Hand an item over; waits while the queue is full, raises what went wrong with an earlier one."""
        if not _put(self._queue, item, self._stop) and self._error is not None:
            raise self._error

    def finish(self) -> None:
        """Wait until every item is delivered; raise what went wrong."""
        for _ in self._threads:
            _put(self._queue, None, self._stop)
        for thread in self._threads:
            thread.join()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Stop after the items that are under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def abreast(work: Callable[[Item], Made], items: Iterable[Item], at_once: int) -> Iterator[Made]:
    """What the work makes of each item, in their order, so many made at the same time; of an error all that came before it."""
    if at_once == 1:
        yield from map(work, items)
        return
    source, fault = iter(items), None
    waiting: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(at_once, "impasto-abreast")
    try:
        while True:
            try:
                waiting.append(pool.submit(work, next(source)))
            except StopIteration:
                break
            except Exception as error:  # what came before it is made all the same
                fault = error
                break
            if len(waiting) > at_once:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if fault is not None:
            raise fault
    finally:
        pool.shutdown(cancel_futures=True)


def _close_here(source: Generator[Item, None, None], owner: Ahead[Item]) -> None:
    """A generator's files are closed in the thread that opened them; what that raises must not hide an earlier error."""
    try:
        source.close()
    except BaseException as error:
        owner._error = owner._error or error


def _put(queue: Queue[Item | None], item: Item | None, stop: Event) -> bool:
    """Whether the item was put before the stop."""
    while not stop.is_set():
        try:
            queue.put(item, timeout=LOOK_UP_SECONDS)
            return True
        except Full:
            continue
    return False


def _get(queue: Queue[Item | None], stop: Event) -> Item | None:
    while not stop.is_set():
        try:
            return queue.get(timeout=LOOK_UP_SECONDS)
        except Empty:
            continue
    return None
