"""The door that every request goes through: guard, sizes, headers of safety, log, figures, audit."""
from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders

from impasto.serve.guard import SAFE, Who
from impasto.serve.problems import Problem, log, respond

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from impasto.serve.service import Service

API = "/api/"
METHODS = (*SAFE, "POST", "PATCH", "DELETE")
SESSION = "/api/v1/session"
MIB = 2**20
MOST_JSON, MOST_CHUNK = MIB, 64 * MIB
WATCHED = ("/api/", "/metrics")  # all else is the page itself, and whether we live: neither holds a secret
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
SAFETY = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}
HSTS = "max-age=31536000"


class Door:
    """Lets in who may come in, and writes down who did."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        visit = Visit(scope)

        async def sending(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                visit.status = message.get("status", 101)
                self._dress(MutableHeaders(raw=message.setdefault("headers", [])), visit)
            await send(message)

        try:
            visit.who = self._admit(scope, visit)
            scope.setdefault("state", {})["who"] = visit.who
            await self.app(scope, receive, sending)
        except Problem as problem:
            visit.status = problem.status
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": problem.detail[:100]})
            else:
                await respond(problem, visit.path)(scope, receive, sending)
        finally:
            self._note(scope, visit)

    def _admit(self, scope: Scope, visit: Visit) -> Who | None:
        """Host, origin, size, and who it is; a page's files and our pulse are for everyone."""
        guard, headers = self.service.guard, visit.headers
        guard.check_host(headers)
        if not visit.path.startswith(WATCHED):
            if visit.method not in SAFE:
                raise Problem(405, "this is for reading", headers={"Allow": ", ".join(SAFE)})
            return None
        if visit.method not in SAFE or scope["type"] == "websocket" or "cookie" in headers:
            guard.check_origin(headers)
        self._check_size(visit)
        if (visit.path, visit.method) == (SESSION, "POST"):
            return None  # brings its token along
        return guard.admit(visit.method, headers, visit.address)

    def _check_size(self, visit: Visit) -> None:
        """Refuse bodies that are too large; one that does not say how large it is, too: the server holds it to what it says."""
        if "transfer-encoding" in visit.headers:
            raise Problem(411, "say how long the body is: Content-Length")
        length = visit.headers.get("content-length", "0")
        most = MOST_CHUNK if visit.method == "PATCH" and visit.path.startswith("/api/v1/shots/") else MOST_JSON
        if not length.isdecimal() or int(length) > most:
            raise Problem(413, f"a body may have {most // MIB} MiB here; send a file in pieces")

    def _dress(self, headers: MutableHeaders, visit: Visit) -> None:
        for name, value in SAFETY.items():
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "private, no-cache" if visit.path.startswith(API) else "no-cache")
        headers["x-request-id"] = visit.id
        if self.service.settings.secure:
            headers["strict-transport-security"] = HSTS

    def _note(self, scope: Scope, visit: Visit) -> None:
        route = getattr(scope.get("route"), "path", "") or "other"
        seconds, who = time.perf_counter() - visit.began, visit.who.name if visit.who else "-"
        metrics = self.service.metrics
        metrics.requests.labels(visit.method if visit.method in METHODS else "OTHER", route, visit.status).inc()
        metrics.seconds.labels(route).observe(seconds)
        told: dict[str, Any] = {"id": visit.id, "who": who, "address": visit.address, "method": visit.method, "path": visit.path}
        log.info("request", extra={**told, "status": visit.status, "ms": round(1000 * seconds, 1)})
        changed = visit.method not in SAFE and "/files/" not in visit.path
        known = visit.who is not None or not self.service.guard.noted.take(visit.address)
        if known and visit.path.startswith(WATCHED) and (changed or visit.status in (401, 403, 421)):
            self.service.store.note(who, visit.address, visit.method, visit.path[:200], visit.status)


class Visit:
    """What is known of one request."""

    def __init__(self, scope: Scope) -> None:
        self.began, self.id = time.perf_counter(), uuid.uuid4().hex[:16]
        self.headers = Headers(scope=scope)
        self.path: str = scope["path"]
        self.method: str = scope.get("method", "GET")  # a WebSocket begins with one
        self.address = (scope.get("client") or ("?", 0))[0]
        self.status = 500
        self.who: Who | None = None
