"""Renders that are killed again and again, each in a process of its own: python killed.py SEED KILLS WORDS...

Everything is imported once and every run is a fork of that, so that kills fall into the work and not into the start.
"""
from __future__ import annotations

import os
import random
import signal
import sys
import time

from impasto import cli
from impasto.media import sequence, stills, video
from impasto.render import delivery, job, pipeline

assert all((sequence, stills, video, job, pipeline))
delivery.PIECE_FRAMES = 10  # so that a short movie has several pieces


def run(words: list[str]) -> int:
    """One run, in a fork."""
    child = os.fork()
    if child == 0:
        with open(os.devnull, "w") as nowhere:
            sys.stdout = nowhere
            os._exit(cli.main(words))
    return child


def main(seed: int, kills: int, words: list[str]) -> int:
    """Kill as often as asked for, then let one run come to its end; prints how many runs were killed while they worked."""
    chance, killed = random.Random(seed), 0
    for _ in range(kills):
        child = run(words)
        time.sleep(chance.uniform(0.02, 0.4))
        done, _ = os.waitpid(child, os.WNOHANG)
        if done == 0:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            killed += 1
        else:
            break
    _, status = os.waitpid(run(words), 0) if killed == kills else (0, 0)
    print(killed)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
