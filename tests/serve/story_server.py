"""`impasto serve` as it is, but with workers that only pretend, and pictures made in its own process: a server in a blink."""
from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from impasto import cli
from impasto.serve import crew, jobs, service
from impasto.serve.easel import Easel

if __name__ == "__main__":
    crew.COMMAND = (sys.executable, "-S", str(Path(__file__).with_name("fake_worker.py")))
    crew.BEAT_S, jobs.FIRST_WAIT_S = 0.05, 0.1
    service.Easel = lambda folder: Easel(folder, lambda: ThreadPoolExecutor(1))  # type: ignore[misc, assignment]
    sys.exit(cli.main(sys.argv[1:]))
