"""The crew and its worker processes: they end well, badly, too late, or because somebody said so."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from impasto.serve import crew, jobs
from impasto.serve.crew import Limits
from impasto.serve.service import Service
from impasto.serve.store import Row
from tests.serve.studios import service_in

Asked = Callable[..., str]


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(crew, "BEAT_S", 0.05)
    monkeypatch.setattr(jobs, "FIRST_WAIT_S", 0.0)
    service = service_in(tmp_path / "store", workers=1)
    yield service
    service.stop()


def ask(service: Service, does: str) -> str:
    return str(service.queue.submit(jobs.Order("render", {"inputs": ["x.png"], "frames": does}), "ana")[0]["id"])


def until(service: Service, name: str, *states: str) -> Row:
    ends = time.monotonic() + 20
    while (row := service.queue.get(name))["state"] not in states:
        assert time.monotonic() < ends, dict(row)
        time.sleep(0.01)
    return row


def begun(service: Service, name: str) -> None:
    while "pretending" not in service.queue.get(name)["progress"]:
        time.sleep(0.01)


def test_a_job_is_done_and_its_log_kept(studio: Service) -> None:
    name = ask(studio, "done")
    studio.start()
    row = until(studio, name, "done")
    told = studio.job(row)
    assert told["result"]["summary"] == f"painted job:{name}/painted.png"
    assert (studio.results(name) / "painted.png").read_bytes() == b"0123456789"
    log = (studio.results(name).parent / "log.txt").read_text()
    assert "attempt 1" in log
    assert "this is for the log" in log


def test_a_worker_that_dies_is_followed_by_another(studio: Service) -> None:
    name, wrong = ask(studio, "crash"), ask(studio, "wrong")
    studio.start()
    row = until(studio, name, "done")
    assert (row["attempt"], row["failures"]) == (3, 2)
    row = until(studio, wrong, "failed")
    assert (row["attempt"], row["fault"], row["exit_code"]) == (1, "no such thing", 2)


def test_cancel_and_pause_stop_the_worker(studio: Service) -> None:
    name = ask(studio, "slow")
    studio.start()
    begun(studio, name)
    studio.queue.pause(name)
    until(studio, name, "paused")
    studio.queue.resume(name)
    until(studio, name, "done")
    other = ask(studio, "wait")
    begun(studio, other)
    studio.queue.cancel(other)
    until(studio, other, "cancelled")


def test_a_job_has_so_much_time_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "BEAT_S", 0.05)
    service = service_in(tmp_path, workers=1, limits=Limits(hours=0.2 / 3600))
    try:
        name = ask(service, "wait")
        service.start()
        assert "longer than" in until(service, name, "failed")["fault"]
    finally:
        service.stop()


def test_a_server_that_stops_gives_jobs_back_and_the_next_one_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "BEAT_S", 0.05)
    first = service_in(tmp_path, workers=1)
    name = ask(first, "slow")
    first.start()
    begun(first, name)
    first.stop()
    second = service_in(tmp_path, workers=1)
    try:
        assert (second.queue.get(name)["state"], second.queue.get(name)["failures"]) == ("queued", 0)
        second.start()
        assert until(second, name, "done")["attempt"] == 2
    finally:
        second.stop()
