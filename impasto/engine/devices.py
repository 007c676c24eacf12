"""Where engines run: `--devices cpu:2 | cuda:0,cuda:1`, and several engines that paint as one.

    auto      the best this machine has, all of it for one picture at a time
    auto:2    likewise, but two at a time where it is the processor
    cpu:2     two painters that share the processor: each takes half its cores
    cuda:1    the second graphics card

A processor is faster at several pictures side by side than at one after the other: its cores need not wait for each other.
"""
from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Queue
from typing import TYPE_CHECKING

from impasto.errors import InputError
from impasto.frame import Pixels

if TYPE_CHECKING:
    from impasto.engine import Engine

MOST_SIDE_BY_SIDE = 4  # beyond that each holds a frame in memory and gains little
AUTO, CPU, CUDA = "auto", "cpu", "cuda"


@dataclass(frozen=True)
class Device:
    """What a graph is made ready for: a kind, and which card, or how many share the processor."""

    kind: str = AUTO
    number: int = 1

    @property
    def share(self) -> int:
        """How many painters share the processor."""
        return 1 if self.kind == CUDA else self.number

    @property
    def threads(self) -> int:
        """How many threads each of those who share the processor may take; 0: as many as there are."""
        return 0 if self.share == 1 else max(1, cores() // self.share)


ANYWHERE = Device()


def parse_devices(text: str) -> list[Device]:
    """`cpu:2`, `cuda:0,cuda:1` or `auto` as devices; of one kind, so that a frame is the same bits wherever it is painted."""
    devices = [_device(word.strip().lower(), text) for word in text.split(",")]
    if len({device.kind for device in devices}) > 1:
        raise InputError(f"--devices {text}: processor and cards paint with other last bits; name devices of one kind")
    if len(set(devices)) < len(devices) or (len(devices) > 1 and devices[0].kind != CUDA):
        raise InputError(f"--devices {text}: names a device twice; write cpu:2 for two painters on the processor")
    return devices


def _device(word: str, text: str) -> Device:
    kind, _, number = word.partition(":")
    counts = re.fullmatch(r"\d{1,2}" if kind == CUDA else r"[1-9]\d?", number or ("" if kind == CUDA else "1"))
    if kind not in (AUTO, CPU, CUDA) or not counts:
        raise InputError(f"--devices {text}: '{word}' is none; write auto, cpu:2 or cuda:0,cuda:1")
    return Device(kind, int(number or 1))


def cores() -> int:
    """How many cores this process may use."""
    with suppress(AttributeError):  # not on Windows and Macs
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def side_by_side() -> Device:
    """How the frames of a clip are best painted where nobody says: as many at a time as there are cores, up to a few."""
    return Device(AUTO, min(cores(), MOST_SIDE_BY_SIDE))


class Several:
    """Engines for the same graph on several devices, which paint as one; batches go to whichever is free."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        first = engines[0]
        self.name, self.precision, self.bytes_per_pixel = first.name, first.precision, first.bytes_per_pixel
        self.device = ", ".join(engine.device for engine in engines)
        self.at_once = sum(engine.at_once for engine in engines)
        self._free: Queue[Engine] = Queue()
        for turn in range(max(engine.at_once for engine in engines)):  # one each, before any has its second
            for engine in engines:
                if turn < engine.at_once:
                    self._free.put(engine)

    def paint(self, batch: Pixels) -> Pixels:
        """Paint a batch as each of them would."""
        engine = self._free.get()
        try:
            return engine.paint(batch)
        finally:
            self._free.put(engine)
