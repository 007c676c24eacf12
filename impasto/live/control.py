"""Orders from whoever sits before it: keys of a terminal, or lines of JSON on the standard input."""
from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, Literal

from impasto.errors import ImpastoError, InputError
from impasto.live.session import Say

Control = Literal["auto", "keys", "json", "none"]
Follow = Callable[[dict[str, Any]], None]
LOOK_UP_SECONDS = 0.1
MOST_LINE = 1 << 16  # bytes


def chosen(control: Control) -> Control:
    """What `auto` means: keys where a terminal is before us, else nothing. Input that is meant for others is never eaten."""
    if control == "auto":
        return "keys" if _at_a_terminal() else "none"
    if control == "keys" and not _at_a_terminal():
        raise InputError("--control keys needs a terminal, and the standard input is none: use json or none")
    return control


def _at_a_terminal() -> bool:
    try:
        own = sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()  # and not in the background
    except (AttributeError, OSError, ValueError):
        return False
    return own


@contextmanager
def listening(control: Control, press: Callable[[str], None], follow: Follow, say: Say) -> Iterator[None]:
    """Carry out what is typed for as long as the block lasts."""
    if control == "none":
        yield
        return
    with _unbuffered() if control == "keys" else _as_it_is():
        stop = Event()
        take = Keys(press) if control == "keys" else Lines(follow, say)
        thread = Thread(target=_read, args=(take, stop), name="impasto-control", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


class Keys:
    """Bytes as they come, each a key."""

    def __init__(self, press: Callable[[str], None]) -> None:
        self._press = press

    def __call__(self, data: bytes) -> None:
        """Press them."""
        for key in data.decode("utf-8", "ignore"):
            self._press(key)


class Lines:
    """Bytes as they come, put together to lines, each an order."""

    def __init__(self, follow: Follow, say: Say) -> None:
        self._follow, self._say, self._rest = follow, say, b""

    def __call__(self, data: bytes) -> None:
        """Follow every order that is complete."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[:MOST_LINE]
        for line in lines:
            if line.strip():
                self._one(line)

    def _one(self, line: bytes) -> None:
        try:
            order = json.loads(line)
            if not isinstance(order, dict):
                raise InputError('an order is an object, as in {"style": "turner"}')
            self._follow(order)
        except (ValueError, RecursionError) as error:
            self._say(f"an order is not JSON: {error}")
        except ImpastoError as error:
            self._say(str(error))


def _read(take: Callable[[bytes], None], stop: Event) -> None:
    handle = sys.stdin.fileno()
    while not stop.is_set():
        if not select.select([handle], [], [], LOOK_UP_SECONDS)[0]:
            continue
        data = os.read(handle, 4096)
        if not data:  # nobody is there any more; what runs goes on
            return
        take(data)


@contextmanager
def _unbuffered() -> Iterator[None]:
    """Keys come one by one and are not echoed; Ctrl-C still stops."""
    import termios
    import tty

    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    tty.setcbreak(handle)
    try:
        yield
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield
