"""What every route shares: who asks, the service, and answers with ETags and pages."""
from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from fastapi.requests import HTTPConnection

from impasto.serve.guard import Who
from impasto.serve.problems import Problem
from impasto.serve.service import Service
from impasto.serve.store import Row


def _service(connection: HTTPConnection) -> Service:
    service: Service = connection.app.state.service
    return service


def _who(connection: HTTPConnection) -> Who:
    who: Who = connection.state.who
    return who


def _admin(connection: HTTPConnection) -> Who:
    who = _who(connection)
    if not who.may("admin"):
        raise Problem(403, f"{who.name} is a {who.role}, and this is for an admin")
    return who


Studio = Annotated[Service, Depends(_service)]
Caller = Annotated[Who, Depends(_who)]
Admin = Annotated[Who, Depends(_admin)]
Limit = Annotated[int, Query(ge=1, le=200, description="how many at most")]
After = Annotated[int, Query(ge=0, le=2**63 - 1, description="where the page before ended: its `next`")]


def tagged(request: Request, data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON with an ETag; to one who has it already, only that."""
    body = json.dumps(data, ensure_ascii=False).encode()
    own = {"ETag": etag(body), **(headers or {})}
    if request.method in ("GET", "HEAD") and own["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=own)
    return Response(body, status, own, "application/json")


def check_match(request: Request, data: Any) -> None:
    """Refuse to change what has changed since the client saw it, where the client asks for that."""
    wanted = request.headers.get("if-match")
    if wanted and wanted != "*" and etag(json.dumps(data, ensure_ascii=False).encode()) not in wanted:
        raise Problem(412, "it has changed since you read it: read it again")


def paged(request: Request, rows: Sequence[Row], limit: int, shown: Callable[[Row], dict[str, Any]]) -> Response:
    """A page of a list, newest first, and where the next one begins. One row more than the limit tells that there is one."""
    more = rows[limit - 1]["seq"] if len(rows) > limit else None
    headers = {}
    if more is not None:
        query = {**request.query_params, "after": more}
        headers["Link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
    return tagged(request, {"items": [shown(row) for row in rows[:limit]], "next": more}, headers=headers)


def etag(body: bytes) -> str:
    """What stands for these bytes."""
    return f'"{sha256(body).hexdigest()[:24]}"'
