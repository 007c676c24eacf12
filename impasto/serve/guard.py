"""Who may: hosts, origins, tokens, keys, sessions, roles, rates. All of it is decided here, before a route is asked.

    a token or key      Authorization: Bearer ...; programs
    a session           a cookie that a page gets for a token; HttpOnly, SameSite=Strict

What a session sends to change something needs X-CSRF-Token as well: a value that is bound to the session, which only a page of
our own origin can read (the synchronizer token pattern). Origin and Sec-Fetch-Site are checked beside it.

Keys and tokens have 256 random bits, so what is stored of a key is its SHA-256: there is nothing that slowness would protect.
"""
from __future__ import annotations

import hmac
import ipaddress
import os
import re
import secrets
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

from impasto.errors import InputError
from impasto.serve.problems import Problem
from impasto.serve.store import Store

ROLES = ("viewer", "artist", "admin")  # each may what those before it may
SAFE = ("GET", "HEAD", "OPTIONS")
SHORTEST_TOKEN = 32
SESSION_DAYS = 30
TICKET_S = 120.0
KEY = re.compile(r"imp_([0-9a-f]{12})_([\w-]{43})")
OWNER = "owner"
MAKE_TOKEN = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))' > token; chmod 600 token"  # noqa: S105  how to make one


@dataclass(frozen=True)
class Who:
    """Who asks, what they may, and how we know."""

    name: str
    role: str
    session: str = ""  # the hash of a session; empty: a token or a key

    def may(self, role: str) -> bool:
        """Whether this is enough for what that role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Rate:
    """So many at once and so many a second, for each name."""

    def __init__(self, burst: float, per_s: float, clock: Callable[[], float] = time.monotonic, names: int = 10_000) -> None:
        self.burst, self.per_s, self.clock, self.names = burst, per_s, clock, names
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, count: float = 1) -> float:
        """Take from what is left; else how many seconds to wait. 0: granted."""
        with self._lock:
            now = self.clock()
            left, then = self._left.pop(name, (self.burst, now))
            left = min(self.burst, left + (now - then) * self.per_s)
            wait = 0.0 if left >= count else (count - left) / self.per_s
            self._left[name] = left - (count if not wait else 0), now
            while len(self._left) > self.names:
                self._left.popitem(last=False)
            return wait


class Guard:
    """The rules of one server."""

    def __init__(
        self, store: Store, token: str, hosts: Iterable[str], cookie: str, secure: bool, rate: Rate | None = None
    ) -> None:
        self.store, self.hosts, self.cookie, self.secure = store, set(hosts), cookie, secure
        self._token = _hash(token)
        self.rate = rate or Rate(burst=600, per_s=300)
        self.failures = Rate(burst=10, per_s=1 / 6)  # wrong tokens, by address
        self.noted = Rate(burst=60, per_s=0.1)  # what strangers may leave in the audit, by address
        self._tickets: dict[str, float] = {}

    # ---- at the door

    def check_host(self, headers: Mapping[str, str]) -> None:
        """Refuse names that are not ours: a page elsewhere may have had its own name lead here."""
        try:
            name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        except ValueError:
            name = ""
        if name not in self.hosts and not ("*" in self.hosts and _is_address(name)):
            raise Problem(421, "this name is not the server's: --allow-host adds one")

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Refuse what a page of another origin sends."""
        origin = headers.get("origin")
        if origin is not None:
            if origin not in (f"http://{headers.get('host')}", f"https://{headers.get('host')}"):
                raise Problem(403, "requests from other origins are refused")
        elif headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise Problem(403, "requests from other sites are refused")

    def admit(self, method: str, headers: Mapping[str, str], address: str) -> Who:
        """Who asks, or a problem."""
        who = self._known(headers, address)
        wait = self.rate.take(who.name)
        if wait:
            raise Problem(429, "too many requests", headers={"Retry-After": str(max(1, round(wait)))})
        if method in SAFE:
            return who
        if who.session and not hmac.compare_digest(headers.get("x-csrf-token", "").encode(), self.csrf(who.session).encode()):
            raise Problem(403, "X-CSRF-Token is missing or wrong: GET /api/v1/session tells it")
        if not who.may("artist"):
            raise Problem(403, f"{who.name} is a {who.role}, and this is for an artist")
        return who

    def _known(self, headers: Mapping[str, str], address: str) -> Who:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.check_token(given.strip(), address)
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            cookie = None
        if cookie is None:
            raise Problem(401, "say who you are: Authorization: Bearer TOKEN", headers={"WWW-Authenticate": "Bearer"})
        digest = _hash(cookie.value)
        found = self.store.row("SELECT * FROM sessions WHERE hash=? AND expires>?", digest, time.time())
        if found is None:
            raise Problem(401, "this session has ended: log in again", headers={"WWW-Authenticate": "Bearer"})
        return Who(found["name"], found["role"], digest)

    def check_token(self, given: str, address: str) -> Who:
        """Whose token or key this is."""
        if hmac.compare_digest(_hash(given), self._token):
            return Who(OWNER, "admin")
        found = KEY.fullmatch(given)
        user = self.store.row("SELECT * FROM users WHERE key_id=?", found[1]) if found else None
        if user is not None and hmac.compare_digest(_hash(given), user["hash"]):
            return Who(user["name"], user["role"])
        wait = self.failures.take(address)
        if wait:
            raise Problem(429, "too many wrong tokens", headers={"Retry-After": str(max(1, round(wait)))})
        raise Problem(401, "the token is wrong", headers={"WWW-Authenticate": "Bearer"})

    # ---- sessions

    def ticket(self) -> str:
        """A word that opens one session within two minutes: what a browser is started with, where others may see its words."""
        made = secrets.token_urlsafe(32)
        self._tickets[_hash(made)] = time.monotonic() + TICKET_S
        return made

    def open_session(self, given: str, address: str) -> tuple[Who, str]:
        """A session for a token, a key or a ticket: who it is, and the cookie's value."""
        ends = self._tickets.pop(_hash(given), 0.0)
        who = Who(OWNER, "admin") if ends > time.monotonic() else self.check_token(given, address)
        secret, now = secrets.token_urlsafe(32), time.time()
        with self.store.change() as database:
            database.execute("DELETE FROM sessions WHERE expires<?", (now,))
            told = (_hash(secret), who.name, who.role, now + SESSION_DAYS * 86400)
            database.execute("INSERT INTO sessions VALUES (?,?,?,?)", told)
        return Who(who.name, who.role, _hash(secret)), secret

    def close_session(self, who: Who) -> None:
        """Log out."""
        self.store.database.execute("DELETE FROM sessions WHERE hash=?", (who.session,))

    def csrf(self, session: str) -> str:
        """The word that a page must send along with a session's changes."""
        return _hash(f"csrf {session} {self._token}")[:43]


def new_key() -> tuple[str, str, str]:
    """A key for a user: the key itself, by what it is found, and what is kept of it."""
    name, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = f"imp_{name}_{secret}"
    return key, name, _hash(key)


def read_token(path: Path, made: bool = False) -> str:
    """The token in a file; `made`: one is made where there is none."""
    if made and not path.exists():
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not text"
        raise InputError(f"{path}: cannot be read as a token ({str(why).lower()}): make one with {MAKE_TOKEN}") from None
    if len(token) < SHORTEST_TOKEN:
        raise InputError(f"{path}: a token has {SHORTEST_TOKEN} letters or more: make one with {MAKE_TOKEN}")
    if path.stat().st_mode & 0o077:
        raise InputError(f"{path}: others on this machine can read the token: chmod 600 {path}")
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hosts_of(host: str, more: Iterable[str]) -> set[str]:
    """The names that a server at an address answers to; `*`: addresses in numbers, to which no name of others can lead."""
    names = {"localhost", "127.0.0.1", "::1", host, *more}
    return names if is_loopback(host) else names | {"*", socket.gethostname(), socket.getfqdn()}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
