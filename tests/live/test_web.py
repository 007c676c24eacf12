"""The page and its WebSocket: who may come in, what they see, what they may order, and that none of them slows the painter."""
from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impasto.errors import InputError
from impasto.frame import Frame, Pixels
from impasto.live.web import Address, Web, from_jpeg, read_token, to_jpeg
from impasto.media.video.capture import CAUGHT
from tests.fakes import noise

pytest.importorskip("websockets", reason="the page needs websockets (extra 'live')")

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

TOKEN, WRONG = "a-token-for-these-tests", "another"
PICTURE = np.full((36, 64, 3), (200, 40, 30), np.uint8)


class House:
    """What a page is shown, and what it asked for."""

    def __init__(self) -> None:
        self.orders: list[Mapping[str, Any]] = []
        self.caught: list[Pixels] = []
        address = Address("127.0.0.1", 0)
        self.web = Web(address, TOKEN, state=self.state, follow=self.follow, catch=self.caught.append)

    def state(self) -> dict[str, Any]:
        return {"setting": {"style": "wave"}}

    def follow(self, order: Mapping[str, Any]) -> None:
        if "style" not in order:
            raise InputError("an order names a style")
        self.orders.append(order)

    def visit(self, path: str = "/ws", token: str = TOKEN, **more: Any) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.web.port}{path}?token={token}", **more)

    def ask(self, path: str, **headers: str) -> tuple[int, Mapping[str, str], str]:
        line = HTTPConnection("127.0.0.1", self.web.port, timeout=5)
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        found = answer.status, dict(answer.headers), answer.read().decode()
        line.close()
        return found


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.web.close()


def frame(pixels: Pixels = PICTURE) -> Frame:
    return Frame(pixels, 1, {CAUGHT: 0.0})


def test_the_page_comes_with_its_own_script_and_no_other(house: House) -> None:
    status, headers, body = house.ask(house.web.page.partition(str(house.web.port))[2])
    assert status == 200
    nonce = headers["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
    assert f'<script nonce="{nonce}">' in body
    assert "{nonce}" not in body
    assert "http" not in body.replace("http-equiv", "")  # nothing comes from elsewhere
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 401),
        ("/?token=wrong", {}, 401),
        ("/ws?token=", {}, 401),
        (f"/?token={TOKEN}", {"Host": "evil.example"}, 403),
        (f"/?token={TOKEN}", {"Origin": "http://evil.example"}, 403),
        (f"/?token={TOKEN}", {"Origin": "null"}, 403),
        (f"/../etc/passwd?token={TOKEN}", {}, 404),
        (f"/ws?token={TOKEN}", {}, 426),
    ],
)
def test_who_may_not_come_in_is_told_so(house: House, path: str, headers: dict[str, str], status: int) -> None:
    assert house.ask(path, **headers)[0] == status


def test_a_foreign_page_cannot_open_the_socket(house: House) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        house.visit(origin="http://evil.example")  # type: ignore[arg-type]
    with pytest.raises(InvalidStatus, match="401"):
        house.visit(token=WRONG)
    with house.visit(origin=f"http://127.0.0.1:{house.web.port}") as viewer:  # type: ignore[arg-type]
        assert viewer.recv(5)


def test_frames_and_the_state_go_out_and_orders_come_in(house: House) -> None:
    with house.visit() as viewer:
        state = json.loads(viewer.recv(5))
        assert state == {"type": "state", "setting": {"style": "wave"}, "notes": []}
        house.web.write(frame())
        picture = from_jpeg(bytes(viewer.recv(5)))  # type: ignore[arg-type]
        assert picture is not None
        assert np.abs(picture.astype(int) - PICTURE).mean() < 3
        answers = []
        for order in ('{"style": "sun"}', '{"size": 1}', "[]", "{", "[" * 100_000):
            viewer.send(order)
            answer = json.loads(viewer.recv(5))
            while answer["type"] == "state":
                answer = json.loads(viewer.recv(5))
            answers.append(answer["ok"])
    assert answers == [True, False, False, False, False]
    assert house.orders == [{"style": "sun"}]


def test_frames_that_are_sent_in_are_caught_and_bombs_are_not(house: House) -> None:
    bomb = bytearray(to_jpeg(PICTURE))
    at = bomb.index(b"\xff\xc0")
    bomb[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    assert from_jpeg(bytes(bomb)) is None
    with house.visit() as viewer:
        for data in (b"", b"\xff\xd8", bytes(bomb), b"GIF89a" * 10, to_jpeg(PICTURE)):
            viewer.send(data)
        end = time.monotonic() + 5
        while not house.caught and time.monotonic() < end:
            time.sleep(0.01)
    assert [pixels.shape for pixels in house.caught] == [(36, 64, 3)]


def test_what_is_too_large_ends_the_connection(house: House) -> None:
    with house.visit() as viewer, pytest.raises(ConnectionClosed):
        deque((viewer.send(b"x" * (5 << 20)) for _ in range(9)), 0)


def test_who_reads_slowly_holds_up_nobody_and_gets_the_newest(house: House) -> None:
    large = noise(720, 1280)
    with house.visit(max_queue=1) as slow:
        slow.recv(5)  # the state: now it is there
        began = time.monotonic()
        for _ in range(20):
            house.web.write(frame(large))
        house.web.write(frame())
        taken = time.monotonic() - began
        assert taken < 20 * 0.5
        sizes = []
        while not sizes or sizes[-1] != (36, 64):
            message = slow.recv(5)
            if isinstance(message, bytes) and (picture := from_jpeg(message)) is not None:
                sizes.append(picture.shape[:2])
        assert len(sizes) < 21


def test_only_so_many_look_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.live.web.MOST_VIEWERS", 2)
    with house.visit() as first, house.visit() as second:
        assert first.recv(5)
        assert second.recv(5)
        status, headers, _ = house.ask(f"/ws?token={TOKEN}")
        assert (status, headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize(
    ("text", "address"),
    [("ws://127.0.0.1", ("127.0.0.1", 8766)), ("ws://localhost:0", ("localhost", 0)), ("ws://[::1]:9", ("::1", 9))],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    found = Address.parse(text)
    assert tuple(found) == address
    assert found.is_loopback


@pytest.mark.parametrize("text", ["ws://", "ws://x:99999", "ws:8766", "ws://a/b", "ws://u:p@127.0.0.1:1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InputError, match="write ws://127"):
        Address.parse(text)


def test_tokens(tmp_path: Path) -> None:
    here, everywhere = Address("127.0.0.1", 1), Address("0.0.0.0", 1)  # noqa: S104  that it is refused is the test
    assert read_token(None, here) != read_token(None, here)
    with pytest.raises(InputError, match="make a token"):
        read_token(None, everywhere)
    (tmp_path / "token").write_text("short\n")
    with pytest.raises(InputError, match="16 plain characters"):
        read_token(tmp_path / "token", everywhere)
    (tmp_path / "token").write_text("0123456789abcdef\n")
    assert read_token(tmp_path / "token", everywhere) == "0123456789abcdef"
    with pytest.raises(InputError, match="cannot be read"):
        read_token(tmp_path / "none", here)


def test_a_port_that_is_taken_is_said(house: House) -> None:
    with pytest.raises(InputError, match="choose another port"):
        Web(Address("127.0.0.1", house.web.port), TOKEN, state=house.state, follow=house.follow)
