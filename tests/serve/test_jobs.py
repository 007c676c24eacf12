"""The queue: nothing is lost, nothing is done twice, whoever dies."""
from __future__ import annotations

import threading
from pathlib import Path

import pytest

from impasto.serve.jobs import LEASE_S, MOST_ATTEMPTS, Order, Queue
from impasto.serve.problems import Problem
from impasto.serve.store import Store


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: Path, clock: Clock) -> Queue:
    return Queue(Store(tmp_path), most=5, clock=clock)


def order(number: int = 0, priority: int = 0) -> Order:
    return Order("render", {"inputs": [str(number)]}, (), "", priority)


def submit(queue: Queue, number: int = 0, priority: int = 0) -> str:
    return str(queue.submit(order(number, priority), "ana")[0]["id"])


def test_a_doubled_submit_is_one_job(queue: Queue) -> None:
    first, new = queue.submit(order(), "ana", "key")
    again, newer = queue.submit(order(), "ana", "key")
    assert (first["id"], new, newer) == (again["id"], True, False)
    assert queue.submit(order(), "bob", "key")[1], "another's key is another key"
    with pytest.raises(Problem, match="with another job"):
        queue.submit(order(1), "ana", "key")


def test_a_full_queue_says_when_to_come_again(queue: Queue) -> None:
    for number in range(5):
        submit(queue, number)
    with pytest.raises(Problem) as refused:
        submit(queue, 6)
    assert refused.value.status == 429
    assert int(refused.value.headers["Retry-After"]) > 0
    queue.claim("w")
    submit(queue, 6)


def test_the_highest_priority_goes_first_then_the_oldest(queue: Queue) -> None:
    low, first, second = submit(queue, 1, -1), submit(queue, 2), submit(queue, 3)
    queue.set(second, priority=7)
    assert [row["id"] for _ in range(3) if (row := queue.claim("w"))] == [second, first, low]
    assert queue.claim("w") is None


def test_a_lease_that_is_not_renewed_runs_out(queue: Queue, clock: Clock) -> None:
    name = submit(queue)
    queue.claim("one")
    clock.now += LEASE_S / 2
    assert queue.renew(name, "one") == ""
    clock.now += LEASE_S * 0.9
    assert queue.claim("two") is None, "it was renewed"
    clock.now += LEASE_S
    taken = queue.claim("two")
    assert taken is not None
    assert (taken["id"], taken["attempt"]) == (name, 2)
    assert queue.renew(name, "one") == "lost"
    queue.finish(name, "one", {})
    assert queue.get(name)["state"] == "running", "who lost it has no say"


def test_what_may_pass_is_tried_three_times_later_and_later(queue: Queue, clock: Clock) -> None:
    name = submit(queue)
    for number, wait in enumerate((2, 4), 1):
        assert queue.claim("w")
        queue.fail(name, "w", "the machine", 1)
        assert queue.get(name)["state"] == "queued"
        clock.now += wait - 0.1
        assert queue.claim("w") is None, f"try {number} comes later"
        clock.now += 0.2
    assert queue.claim("w")
    queue.fail(name, "w", "the machine", -9)
    assert (queue.get(name)["state"], queue.get(name)["failures"]) == ("failed", 3)
    queue.retry(name)
    assert queue.claim("w")


@pytest.mark.parametrize("code", [2, 4, 5])
def test_what_will_not_pass_is_final(queue: Queue, code: int) -> None:
    name = submit(queue)
    queue.claim("w")
    queue.fail(name, "w", "your input", code)
    assert (queue.get(name)["state"], queue.get(name)["fault"]) == ("failed", "your input")


def test_a_job_that_takes_its_server_down_is_not_tried_for_ever(queue: Queue) -> None:
    name = submit(queue)
    for _ in range(MOST_ATTEMPTS):
        assert queue.claim("w")
        queue.free_lost()
    assert queue.get(name)["state"] == "failed"
    assert "lost" in queue.get(name)["fault"]


def test_what_owners_want(queue: Queue) -> None:
    name = submit(queue)
    assert queue.pause(name)["state"] == "paused"
    assert queue.claim("w") is None
    assert queue.resume(name)["state"] == "queued"
    queue.claim("w")
    assert queue.pause(name)["wanted"] == "pause"
    assert queue.renew(name, "w") == "pause"
    queue.release(name, "w")
    assert queue.get(name)["state"] == "paused"
    queue.resume(name)
    queue.claim("w")
    queue.cancel(name)
    queue.release(name, "w")
    assert queue.get(name)["state"] == "cancelled"
    with pytest.raises(Problem, match="only a paused one"):
        queue.resume(name)
    queue.delete(name)
    with pytest.raises(Problem, match="no job"):
        queue.get(name)


def test_a_server_that_begins_takes_back_what_was_running(tmp_path: Path) -> None:
    queue = Queue(Store(tmp_path))
    name, other = submit(queue), submit(queue, 2)
    queue.claim("dead")
    again = Queue(Store(tmp_path))
    assert again.free_lost() == [name]
    assert [row["id"] for _ in range(2) if (row := again.claim("w"))] == [name, other]


def test_what_another_job_needs_stays(queue: Queue) -> None:
    name = submit(queue)
    queue.claim("w")
    queue.finish(name, "w", {})
    queue.submit(Order("render", {}, (f"job:{name}",)), "ana")
    with pytest.raises(Problem, match="needs it"):
        queue.delete(name)


def test_many_workers_share_many_jobs_and_lose_none(tmp_path: Path) -> None:
    queue = Queue(Store(tmp_path), most=1000)
    queue.store.database.execute("PRAGMA synchronous=OFF")
    asked = [submit(queue, number) for number in range(120)]
    done: list[str] = []

    def work(worker: str) -> None:
        queue.store.database.execute("PRAGMA synchronous=OFF")
        while job := queue.claim(worker):
            queue.finish(job["id"], worker, {})
            done.append(job["id"])

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(asked)
    assert queue.counts() == {"done": 120}
    queue.store.close()
