"""A page to look at what is painted and to change looks, and the WebSocket behind it, for programs too.

    ws://127.0.0.1:8766/ws?token=...
        out   binary: a frame as JPEG                       text: {"type": "state", ...}, {"type": "answer", ...}
        in    binary: a frame as JPEG, where the source is `browser`      text: an order, {"style": "turner"}

Whoever reads slowly gets the newest frame when he is ready for it. A token is always needed. A page of another origin is refused,
and so is a Host that is not ours: a name that leads here by a trick of the DNS.
"""
from __future__ import annotations

import json
import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from hmac import compare_digest
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np

from impasto.errors import ImpastoError, InputError, MissingExtra
from impasto.frame import Frame, Pixels
from impasto.live.flow import Newest

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

SCHEME, PORT = "ws", 8766
STATE_SECONDS = 1.0  # between two reports of the state
NOTES = 5  # the latest that a state tells
JPEG_QUALITY = 82
MOST_VIEWERS = 20
MOST_BYTES = 4 << 20  # of a message
MOST_PIXELS = 4096 * 2304  # of a frame that is sent in
PING_SECONDS, CLOSING_SECONDS, OPENING_SECONDS = 15.0, 2.0, 5.0
LEAST_TOKEN = 16  # characters
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self)",
}

Order = Mapping[str, Any]


class Address(NamedTuple):
    """Where it listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ws://HOST:PORT."""
        try:
            found = urlsplit(text)
            port = found.port
        except ValueError:
            raise InputError(f"'{text}' is no address: write ws://127.0.0.1:{PORT}") from None
        if found.scheme != SCHEME or not found.hostname or found.path.strip("/") or found.query or found.username:
            raise InputError(f"'{text}' is no address: write ws://127.0.0.1:{PORT}")
        return cls(found.hostname, PORT if port is None else port)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host == "localhost" or (_is_ip(self.host) and ip_address(self.host).is_loopback)


def read_token(file: Path | None, address: Address) -> str:
    """The token of a file; without one a fresh one, if nobody else's machine can reach us."""
    if file is None:
        if not address.is_loopback:
            how = "head -c 24 /dev/urandom | base64 > token && chmod 600 token"
            raise InputError(f"{address.host} is open to other machines: make a token ({how}) and add --token-file token")
        return secrets.token_urlsafe(24)
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: the token cannot be read ({getattr(error, 'strerror', None) or 'not text'})") from None
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable():
        raise InputError(f"{file}: a token has {LEAST_TOKEN} plain characters or more in one line; this has {len(token)}")
    return token


class Viewer:
    """One connection."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection, self.newest = connection, Newest[bytes]()


class Web:
    """The server, as an outlet: it takes painted frames and shows them to whoever is there."""

    def __init__(
        self,
        address: Address,
        token: str,
        *,
        state: Callable[[], dict[str, Any]],
        follow: Callable[[Order], None],
        catch: Callable[[Pixels], None] | None = None,
    ) -> None:
        """`state` tells what is going on, `follow` carries an order out or refuses it, `catch` takes frames that are sent in."""
        self._token, self._state, self._follow, self._catch = token.encode(), state, follow, catch
        self._notes = deque[str](maxlen=NOTES)
        self._viewers: set[Viewer] = set()
        self._lock = Lock()
        self._host = address.host
        self._server = _serve(address, self._judge, self._attend)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = Thread(target=self._server.serve_forever, name="impasto-web", daemon=True)
        self._thread.start()

    @property
    def page(self) -> str:
        """The address to open in a browser."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}/?token={self._token.decode()}"

    def write(self, frame: Frame) -> None:
        """Show a frame; encoded once, and not at all while nobody looks."""
        with self._lock:
            viewers = list(self._viewers)
        if viewers:
            jpeg = to_jpeg(frame.pixels)
            for viewer in viewers:
                viewer.newest.put(jpeg)

    def note(self, text: str) -> None:
        """Something worth knowing, for the next states."""
        self._notes.append(text)

    def close(self) -> None:
        """Say goodbye to everybody."""
        with self._lock:
            viewers = list(self._viewers)
        for viewer in viewers:
            viewer.newest.close()
        self._server.shutdown()
        self._thread.join()

    def abort(self) -> None:
        """Nothing is left behind."""

    # ---- who may

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        """The page, a refusal, or None: a WebSocket may be opened."""
        asked = urlsplit(request.path)
        host, origin = (request.headers.get_all(name) for name in ("Host", "Origin"))
        if len(host) != 1 or not self._is_ours(host[0]):
            return connection.respond(403, "This Host is not served here.\n")
        if origin and origin != [f"http://{host[0]}"]:
            return connection.respond(403, "Pages of another origin may not come in.\n")
        given = parse_qs(asked.query).get("token", [""])[0]
        if not compare_digest(given.encode(), self._token):
            return connection.respond(401, "A token is needed: open the address that impasto live printed.\n")
        if asked.path == "/":
            return _page()
        if asked.path != "/ws":
            return connection.respond(404, "There is / and /ws.\n")
        if len(self._viewers) >= MOST_VIEWERS:
            refused = connection.respond(503, f"{MOST_VIEWERS} are looking already.\n")
            refused.headers["Retry-After"] = "5"
            return refused
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        open_to_all = _is_ip(self._host) and ip_address(self._host).is_unspecified
        return name in ("localhost", "127.0.0.1", "::1", self._host) or (open_to_all and _is_ip(name))

    # ---- what one connection gets and asks for

    def _attend(self, connection: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        viewer = Viewer(connection)
        with self._lock:
            self._viewers.add(viewer)
        sender = Thread(target=self._send_all, args=(viewer,), name="impasto-viewer", daemon=True)
        sender.start()
        try:
            for message in connection:
                if isinstance(message, str):
                    connection.send(json.dumps({"type": "answer", **self._answer(message)}, ensure_ascii=False))
                else:
                    self._take_in(message)
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                self._viewers.discard(viewer)
            viewer.newest.close()
            sender.join()

    def _send_all(self, viewer: Viewer) -> None:
        """Frames as they come, and the state between them."""
        from time import monotonic

        from websockets.exceptions import ConnectionClosed

        told = -STATE_SECONDS
        try:
            while not viewer.newest.over:
                if monotonic() - told >= STATE_SECONDS:
                    told = monotonic()
                    state = {"type": "state", **self._state(), "notes": list(self._notes)}
                    viewer.connection.send(json.dumps(state, ensure_ascii=False))
                if jpeg := viewer.newest.take(STATE_SECONDS):
                    viewer.connection.send(jpeg)
        except ConnectionClosed:
            pass

    def _answer(self, text: str) -> dict[str, Any]:
        try:
            order = json.loads(text)
            if not isinstance(order, dict):
                raise InputError('an order is an object, as in {"style": "turner"}')
            self._follow(order)
            return {"ok": True, "setting": self._state()["setting"]}
        except (ValueError, RecursionError) as error:
            return {"ok": False, "error": f"this is not JSON: {error}"}
        except ImpastoError as error:
            return {"ok": False, "error": str(error)}

    def _take_in(self, data: bytes) -> None:
        if self._catch is not None and (pixels := from_jpeg(data)) is not None:
            self._catch(pixels)


def _serve(address: Address, judge: Callable[..., Any], attend: Callable[..., None]) -> Any:
    try:
        from websockets.sync.server import serve
    except ImportError:
        raise MissingExtra("a page for looking (ws://)", "live") from None
    quiet = logging.getLogger("impasto.live.web")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False  # what strangers send is answered, and not our log's business
    try:
        return serve(
            attend,
            address.host,
            address.port,
            process_request=judge,
            compression=None,  # a JPEG does not get smaller
            server_header=None,
            max_size=MOST_BYTES,
            max_queue=2,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            open_timeout=OPENING_SECONDS,
            close_timeout=CLOSING_SECONDS,
            logger=quiet,
        )
    except OSError as error:
        what = (error.strerror or str(error)).lower()
        raise InputError(f"ws://{address.host}:{address.port} cannot be listened on ({what}): choose another port") from None


def _page() -> Response:
    """The page, its own script and style allowed by a word that is used once."""
    from websockets.datastructures import Headers
    from websockets.http11 import Response

    nonce = secrets.token_urlsafe(16)
    body = files("impasto.live").joinpath("page/index.html").read_text("utf-8").replace("{nonce}", nonce).encode()
    only = f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'"
    allowed = f"{only}; base-uri 'none'; form-action 'none'"
    headers = Headers({**_HEADERS, "Content-Security-Policy": allowed, "Content-Length": str(len(body)), "Connection": "close"})
    return Response(200, "OK", headers, body)


def to_jpeg(pixels: Pixels) -> bytes:
    """A picture [H,W,3] as JPEG."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done, "a picture of bytes can be a JPEG"
    return bytes(data)


def from_jpeg(data: bytes) -> Pixels | None:
    """The picture of a JPEG that was sent in; None: it is none, or too large to be a camera's."""
    size = _size_of(data)
    if size is None or size[0] * size[1] > MOST_PIXELS:
        return None
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return None if found is None else np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB))


def _size_of(data: bytes) -> tuple[int, int] | None:
    """Height and width by a JPEG's header, so that a bomb is known before it is unpacked."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + length
    return None


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
