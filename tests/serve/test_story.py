"""The whole story with real processes: workers and servers are killed, and all is done; the document's examples run."""
from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import impasto
from impasto.client import Client, ServiceError
from impasto.media import open_reader

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "service.md"
FAKE = (sys.executable, str(HERE / "story_server.py"))
REAL = (sys.executable, "-m", "impasto")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """A server in a process of its own, that may be killed and started again."""

    def __init__(self, store: Path, command: tuple[str, ...], *options: str) -> None:
        self.store, self.port = store, free_port()
        words = [*command, "serve", "--no-browser", "--port", str(self.port), "--store", str(store), "--log", "json", *options]
        self.words, self.log = words, store.with_suffix(".log")
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:  # a pipe that nobody reads would fill up, and the server wait for ever
            self.process = subprocess.Popen(self.words, stderr=log)

    def client(self) -> Client:
        ends = time.monotonic() + 30
        while not (self.store / "token").exists() or not (self.store / "token").read_text().strip():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < ends
            time.sleep(0.02)
        client = Client(f"http://127.0.0.1:{self.port}", (self.store / "token").read_text().strip())
        client._json("GET", "/about")
        return client

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> str:
        """Stop it cleanly; what it wrote into its log."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return self.log.read_text()


@contextmanager
def serving(store: Path, command: tuple[str, ...] = FAKE, *options: str) -> Iterator[Server]:
    server = Server(store, command, *options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def running(client: Client, job: str) -> int:
    """The process that works on a job."""
    ends = time.monotonic() + 30
    while not (told := client.job(job))["progress"].get("pid") or told["state"] != "running":
        assert time.monotonic() < ends, told
        time.sleep(0.02)
    return int(told["progress"]["pid"])


def ended(process: int) -> bool:
    """Whether a process is no more, or only waits for whoever inherited it to take note."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_kill_the_worker_kill_the_server_and_the_jobs_are_done(tmp_path: Path, tiny_style: Path) -> None:
    with serving(tmp_path / "store") as server:
        client = server.client()
        material = client.upload(tiny_style)
        first = client.submit("render", inputs=[material], frames="slow")
        os.kill(running(client, first), signal.SIGKILL)
        assert client.wait(first, timeout_s=20)["failures"] == 1
        second, waiting = (client.submit("render", inputs=[material], frames=does) for does in ("slow", "done"))
        orphan = running(client, second)
        server.kill()
        server.start()
        told = client.wait(second, timeout_s=30)
        assert (told["attempt"], told["failures"]) == (2, 0)
        client.wait(waiting, timeout_s=20)
        assert [path.name for path in client.download(waiting, tmp_path / "out")] == ["painted.png", "try0"]
        assert ended(orphan)
        text = server.end()
        assert server.process.returncode == 0
        assert all(json.loads(line) for line in text.splitlines() if line.startswith("{"))


@pytest.mark.slow
def test_the_examples_of_the_document_run(tmp_path: Path) -> None:
    blocks = re.findall(r"^```(sh|python) service\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert {kind for kind, _ in blocks} == {"sh", "python"}
    impasto.sample(tmp_path / "shot.mp4", size="96x64", frames=4)
    with serving(tmp_path / "store") as server:
        token = server.client()._token
        given = {**os.environ, "TOKEN": token, "IMPASTO_TOKEN": token, "STUDIO": f"http://127.0.0.1:{server.port}"}
        for kind, text in blocks:
            text = text.replace("http://127.0.0.1:8765", given["STUDIO"])
            words = ["bash", "-euo", "pipefail", "-c", text] if kind == "sh" else [sys.executable, "-c", text]
            done = subprocess.run(words, cwd=tmp_path, env=given, capture_output=True, text=True, check=False, timeout=60)
            assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        assert "--no-browser" in server.words
    assert (tmp_path / "preview.jpg").read_bytes().startswith(b"\xff\xd8")
    assert (tmp_path / "painted" / "painted.png").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--host", "0.0.0.0"], "impasto users add NAME"),  # noqa: S104  refused
        (["--host", "192.0.2.1"], "nobody has a key"),
        (["--tls-cert", "cert.pem"], "--tls-key"),
        (["--root", "/no/such/folder"], "no such folder"),
        (["--token-file", "/no/such/token"], "make one with"),
    ],
)
def test_what_is_not_safe_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], part: str
) -> None:
    from impasto import cli

    assert cli.main(["serve", "--no-browser", "--store", str(tmp_path), *words]) == 2
    assert part in capsys.readouterr().err


def test_a_store_has_one_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from impasto import cli
    from impasto.serve.store import Store

    handle = Store(tmp_path).lock()
    assert cli.main(["serve", "--no-browser", "--store", str(tmp_path)]) == 2
    assert "another server" in capsys.readouterr().err
    os.close(handle)


def test_without_its_libraries_it_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from impasto import cli
    from impasto.serve import job

    monkeypatch.setattr(job, "NEEDED", ("no_such_library",))
    assert cli.main(["serve"]) == 2
    assert "pip install 'impasto[studio]'" in capsys.readouterr().err


def test_the_client_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="is 'impasto serve' running"):
        Client(f"http://127.0.0.1:{free_port()}", "x", patience_s=0.1).looks()
    with pytest.raises(ServiceError, match="no address"):
        Client("file:///etc/passwd")
    with pytest.raises(ServiceError, match="no such file"):
        Client().upload(tmp_path / "none.mov")


@pytest.mark.slow
def test_a_render_through_two_kills_is_the_command_lines(tmp_path: Path) -> None:
    shot, wanted = tmp_path / "shot.mkv", tmp_path / "wanted.mkv"
    impasto.sample(shot, size="320x180", frames=72)
    options: dict[str, Any] = {"style": "great-wave", "tier": "live", "codec": "ffv1", "engine": "onnx"}
    impasto.render(shot, wanted, **options)
    with serving(tmp_path / "store", REAL) as server:
        client = server.client()
        job = client.submit("render", inputs=[client.upload(shot)], **options)

        def painted(count: int) -> None:
            while (told := client.job(job))["progress"].get("done", 0) < count or told["state"] != "running":
                assert told["state"] in ("queued", "running"), told
                time.sleep(0.05)

        painted(10)
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        mine = [int(pid) for thread in children.parents[1].iterdir() for pid in (thread / "children").read_text().split()]
        worker = next(pid for pid in mine if b"serve.worker" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(worker, signal.SIGKILL)
        painted(30)
        server.kill()
        server.start()
        told = client.wait(job, timeout_s=300)
        assert told["attempt"] == 3
        (result,) = client.download(job, tmp_path / "out")
        server.end()
    with open_reader(result) as ours, open_reader(wanted) as theirs:
        pairs = list(zip(ours, theirs, strict=True))
    assert len(pairs) == 72
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in pairs)
