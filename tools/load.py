"""Load on a studio: many clients, sockets and jobs on one machine while a render runs; prints what it measured as JSON.

    python tools/load.py                                   # 50 clients, 20 sockets, 1,000 jobs, 30 seconds
    python tools/load.py --clients 10 --sockets 4 --jobs 100 --seconds 5

A server of its own is started on a store of its own. The jobs of the queue are sheets of one small picture that do not get their
turn while the render runs, so the queue is full: what it refuses must come with Retry-After.
"""
from __future__ import annotations

import argparse
import io
import json
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import impasto
from impasto.client import Client

LIVE_SIZE = (320, 180)
PAUSE_S = 0.2  # that a client of the API looks at what it got: one page polls no faster
Figures = dict[str, Any]


def main() -> int:
    """Start a server, load it, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--sockets", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    with TemporaryDirectory() as folder, Server(Path(folder), options.jobs) as server:
        figures = measure(server, options, Path(folder))
    print(json.dumps(figures, indent=1))
    return 0 if figures["queue"]["lost"] == 0 else 1


class Server:
    """`impasto serve` with room for so many jobs."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self.store, self.port = folder / "store", _free_port()
        words = ["serve", "--no-browser", "--port", str(self.port), "--store", str(self.store), "--queue", str(jobs)]
        self.log = (folder / "log.txt").open("w")
        self.process = subprocess.Popen([sys.executable, "-m", "impasto", *words], stderr=self.log)  # noqa: S603  our own

    def __enter__(self) -> Server:
        while not (self.store / "token").exists():
            time.sleep(0.1)
        self.token = (self.store / "token").read_text().strip()
        self.client().looks()
        return self

    def __exit__(self, *error: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()

    def client(self) -> Client:
        """A client of it."""
        return Client(f"http://127.0.0.1:{self.port}", self.token)

    @property
    def memory_mib(self) -> float:
        """What the server's own process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def measure(server: Server, options: argparse.Namespace, folder: Path) -> Figures:
    """Everything at once, while a render runs."""
    client = server.client()
    impasto.sample(folder / "shot.mp4", size="1280x720", frames=48)
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(folder / "small.png")
    shot, small = client.upload(folder / "shot.mp4"), client.upload(folder / "small.png")
    render = client.submit("render", priority=100, inputs=[shot] * 8, out="long.mp4", tier="live")
    _warm(client, shot)
    figures: Figures = {"preview_720p_ms": _spread([_timed(lambda: client.preview(shot, 5, tier="live")) for _ in range(10)])}
    submitted, queue = fill(server, small, options.jobs)
    before = server.memory_mib
    ends = time.monotonic() + options.seconds
    with ThreadPoolExecutor(options.clients + options.sockets) as pool:
        asking = [pool.submit(ask, server, ends) for _ in range(options.clients)]
        watching = [pool.submit(watch, server, ends) for _ in range(options.sockets)]
        times = [each for future in asking for each in future.result()]
        frames = [future.result() for future in watching]
    figures["api"] = {"clients": options.clients, "requests": len(times), **_spread(times)}
    figures["live"] = {"sockets": options.sockets, "frames": sum(frames), "least": min(frames), "most": max(frames)}
    figures["memory_mib"] = {"before": round(before), "after": round(server.memory_mib)}
    known = {job["id"] for job in client.jobs()} - {render}
    figures["queue"] = {**queue, "lost": len(submitted - known), "unknown": len(known - submitted)}
    figures["render"] = client.job(render)["state"]
    return figures


def fill(server: Server, picture: str, jobs: int) -> tuple[set[str], Figures]:
    """Submit until the queue is full, and once more: who asks too much is told when to come again."""
    client, submitted = server.client(), set[str]()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(client.submit, "styles sheet", shot=picture, cell=64) for _ in range(jobs)]
        submitted |= {future.result() for future in asked}
    body = json.dumps({"job": "styles sheet", "shot": picture}).encode()
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    request = Request(f"http://127.0.0.1:{server.port}/api/v1/jobs", body, headers)
    try:
        urlopen(request)  # noqa: S310  our own
    except HTTPError as refused:
        with refused:
            return submitted, {"accepted": len(submitted), "refused": refused.code, "retry_after": refused.headers["Retry-After"]}
    return submitted, {"accepted": len(submitted), "refused": None}


def ask(server: Server, ends: float) -> list[float]:
    """One client of the API, as a page is: lists, a job, figures."""
    client, times = server.client(), list[float]()
    asks: list[Callable[[], object]] = [
        lambda: client._json("GET", "/jobs?limit=20"),
        lambda: client._json("GET", "/about"),
        lambda: client._json("GET", "/shots?limit=20"),
        client.looks,
    ]
    while time.monotonic() < ends:
        times.append(_timed(asks[len(times) % len(asks)]))
        time.sleep(PAUSE_S)
    return times


def watch(server: Server, ends: float) -> int:
    """One live socket: how many frames came back."""
    jpeg, count = io.BytesIO(), 0
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (*LIVE_SIZE[::-1], 3), np.uint8)).save(jpeg, "JPEG")
    headers = {"Authorization": f"Bearer {server.token}"}
    with connect(f"ws://127.0.0.1:{server.port}/api/v1/live", additional_headers=headers) as wire:
        wire.send(json.dumps({"tier": "live", "fps": 10}))
        while time.monotonic() < ends:
            wire.send(jpeg.getvalue())
            while time.monotonic() < ends:
                try:
                    answer = wire.recv(timeout=max(0.1, ends - time.monotonic()))
                except (TimeoutError, ConnectionClosed):
                    return count
                if isinstance(answer, bytes):
                    count += 1
                    break
    return count


def _warm(client: Client, shot: str) -> None:
    threads = [threading.Thread(target=client.preview, args=(shot, 5), kwargs={"tier": "live"}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _timed(task: Callable[[], object]) -> float:
    began = time.perf_counter()
    task()
    return time.perf_counter() - began


def _spread(seconds: list[float]) -> Figures:
    ordered = sorted(seconds)
    return {
        "p50_ms": round(1000 * statistics.median(ordered), 1),
        "p95_ms": round(1000 * ordered[max(0, -(-95 * len(ordered) // 100) - 1)], 1),
        "most_ms": round(1000 * ordered[-1], 1),
    }


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
