"""The worker itself, as its server starts it: a job on stdin, JSON on stdout, words on stderr; it ends with its server."""
from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.fakes import noise

WORKER = (sys.executable, "-m", "impasto.serve.worker")


def begun(folder: Path, job: dict[str, object], memory_gib: float = 0.0) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    worker = subprocess.Popen(WORKER, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    assert worker.stdin
    worker.stdin.write(json.dumps({"command": job["job"], "job": job, "memory_gib": memory_gib}) + "\n")
    worker.stdin.flush()
    return worker


def test_it_tells_how_it_goes_and_what_came_of_it(tmp_path: Path, tiny_style: Path) -> None:
    Image.fromarray(noise(16, 24)).save(tmp_path / "in.png")
    job = {"job": "render", "inputs": ["in.png"], "out": "out.png", "style": [str(tiny_style)], "engine": "onnx"}
    worker = begun(tmp_path, job)
    assert worker.stdout
    assert worker.stderr
    told = [json.loads(line) for line in worker.stdout]
    log = worker.stderr.read()
    assert worker.wait() == 0
    assert told[0]["progress"]["stage"] == "opening"
    assert told[-1]["done"]["summary"] in log
    assert (tmp_path / "out.png").exists()
    worker.communicate()


@pytest.mark.slow
def test_it_ends_when_its_server_is_gone(tmp_path: Path) -> None:
    worker = begun(tmp_path, {"job": "generate", "style": "no-such-look", "out": "x"})
    assert worker.stdout
    assert json.loads(worker.stdout.readlines()[-1])["exit_code"] == 2
    worker.communicate()
    Image.fromarray(noise(1200, 1600)).save(tmp_path / "in.png")
    files = [tmp_path / f"in{number}.png" for number in range(40)]
    for file in files:
        file.hardlink_to(tmp_path / "in.png")
    worker = begun(tmp_path, {"job": "render", "inputs": [str(file) for file in files], "out": "painted", "tier": "full"})
    assert worker.stdin
    assert worker.stdout
    assert worker.stderr
    while '"painting"' not in worker.stdout.readline():
        time.sleep(0.01)
    worker.stdin.close()
    began = time.monotonic()
    assert worker.wait(timeout=60) == 143
    assert time.monotonic() - began < 30
    assert not list((tmp_path / "painted").glob(".*.png")), "it stopped cleanly"
    worker.stdout.close()
    worker.stderr.close()
