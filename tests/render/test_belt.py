"""The belt: order is kept, queues are bounded, errors come back, closing never hangs."""
from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from impasto.render.belt import MOST_QUEUED, Ahead, Behind, abreast, queue_depth


def counted(last: int, seen: list[int], closed: list[bool]) -> Generator[int, None, None]:
    try:
        for number in range(last):
            seen.append(number)
            yield number
    finally:
        closed.append(True)


def test_items_come_in_order_from_another_thread() -> None:
    threads: set[str] = set()

    def source() -> Generator[int, None, None]:
        for number in range(50):
            threads.add(threading.current_thread().name)
            yield number

    with Ahead(source(), 3) as ahead:
        assert list(ahead) == list(range(50))
    assert threads == {"impasto-ahead"}


def test_reading_ahead_is_bounded() -> None:
    seen: list[int] = []
    with Ahead(counted(100, seen, []), 2) as ahead:
        next(iter(ahead))
        time.sleep(0.05)
        assert len(seen) <= 4, "one taken, two waiting, one in hand"


def test_closing_early_closes_the_source_and_does_not_hang() -> None:
    closed: list[bool] = []
    with Ahead(counted(10**9, [], closed), 1) as ahead:
        next(iter(ahead))
    assert closed == [True]


def test_an_error_while_reading_is_raised_after_what_came_before_it() -> None:
    def source() -> Generator[int, None, None]:
        yield 1
        raise ValueError("frame 2 is damaged")

    with Ahead(source(), 2) as ahead:
        items = iter(ahead)
        assert next(items) == 1
        with pytest.raises(ValueError, match="frame 2 is damaged"):
            next(items)


def test_one_thread_delivers_in_order() -> None:
    got: list[int] = []
    with Behind(got.append, 2) as behind:
        for number in range(100):
            behind.put(number)
        behind.finish()
    assert got == list(range(100))


def test_several_threads_deliver_everything() -> None:
    got: list[int] = []
    with Behind(got.append, 2, threads=3) as behind:
        for number in range(100):
            behind.put(number)
        behind.finish()
    assert sorted(got) == list(range(100))


def test_an_error_while_delivering_is_raised_and_nothing_hangs() -> None:
    def deliver(number: int) -> None:
        if number == 3:
            raise OSError("disk full")

    def give() -> None:
        with Behind(deliver, 1) as behind:
            for number in range(1000):
                behind.put(number)
            behind.finish()

    with pytest.raises(OSError, match="disk full"):
        give()
    assert not [thread for thread in threading.enumerate() if thread.name == "impasto-behind"]


def test_the_last_item_may_fail_too() -> None:
    def deliver(number: int) -> None:
        raise OSError("disk full")

    with Behind(deliver, 4) as behind:
        behind.put(1)
        with pytest.raises(OSError, match="disk full"):
            behind.finish()


def test_closing_delivers_nothing_more() -> None:
    got: list[int] = []

    def deliver(number: int) -> None:
        time.sleep(0.01)
        got.append(number)

    with Behind(deliver, 50) as behind:
        for number in range(50):
            behind.put(number)
    assert len(got) < 50


def test_large_frames_wait_in_short_queues() -> None:
    assert queue_depth(64 * 64 * 3) == MOST_QUEUED
    assert queue_depth(7680 * 4320 * 3 * 2) == 1


def test_work_abreast_keeps_the_order_and_goes_on_at_the_same_time() -> None:
    both = threading.Barrier(2)

    def work(number: int) -> int:
        both.wait(timeout=20)
        time.sleep(0.01 if number % 2 == 0 else 0)  # the later one is done first
        return number * number

    assert list(abreast(work, range(8), 2)) == [number * number for number in range(8)]


@pytest.mark.parametrize("at_once", [1, 3])
def test_of_an_error_abreast_all_that_came_before_it(at_once: int) -> None:
    def source() -> Generator[int, None, None]:
        yield from range(5)
        raise ValueError("frame 6 is damaged")

    for items, work in [(source(), abs), (iter(range(9)), lambda n: [0, 1, 2, 3, 4][n])]:
        made = abreast(work, items, at_once)
        assert [next(made) for _ in range(5)] == [0, 1, 2, 3, 4]
        with pytest.raises((ValueError, IndexError)):
            next(made)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("impasto-abreast")]
