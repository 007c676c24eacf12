"""Keys and lines are read from the standard input, and nothing is taken that is meant for others."""
from __future__ import annotations

import os
import pty
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from impasto.errors import InputError
from impasto.live.control import Lines, chosen, listening


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not what():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.005)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """What is written here comes in at the standard input."""
    inlet, outlet = os.pipe()
    with os.fdopen(inlet) as file:
        monkeypatch.setattr(sys, "stdin", file)
        yield outlet
    os.close(outlet)


def test_auto_never_eats_a_pipe(pipe: int) -> None:
    assert chosen("auto") == "none"
    with pytest.raises(InputError, match="needs a terminal"):
        chosen("keys")
    with listening("none", print, print, print):
        pass


def test_lines_are_orders_however_they_are_cut(pipe: int) -> None:
    orders: list[dict[str, Any]] = []
    notes: list[str] = []
    with listening("json", print, orders.append, notes.append):
        for piece in (b'{"style": "tur', b'ner"}\n\n{"streng', b'th": 0.5}\n[1]\n{no\n'):
            os.write(pipe, piece)
        until(lambda: len(notes) == 2)
    assert orders == [{"style": "turner"}, {"strength": 0.5}]
    assert "an order is an object" in notes[0]
    assert "not JSON" in notes[1]


def test_what_an_order_cannot_do_is_said_and_the_next_is_followed() -> None:
    notes: list[str] = []

    def follow(order: dict[str, Any]) -> None:
        raise InputError("no look of this name")

    Lines(follow, notes.append)(b'{"style": "x"}\n')
    assert notes == ["no look of this name"]


def test_keys_come_one_by_one_and_the_terminal_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    import termios

    ours, theirs = pty.openpty()
    pressed: list[str] = []
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        before = termios.tcgetattr(theirs)
        with listening("keys", pressed.append, print, print):
            os.write(ours, b"n+q")
            until(lambda: len(pressed) == 3)
        assert termios.tcgetattr(theirs) == before
    os.close(ours)
    assert pressed == ["n", "+", "q"]
