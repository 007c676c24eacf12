"""What the service answers where something is wrong: problem+json (RFC 9457), one shape for every fault."""
from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from impasto.errors import EngineError, ImpastoError, InputError, MissingExtra

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

STATUS = {MissingExtra: 501, InputError: 422, EngineError: 503}  # the first that fits
KIND = "application/problem+json"
SHAPE = {
    "type": "object",
    "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                   "detail": {"type": "string"}, "instance": {"type": "string"}},
    "required": ["type", "title", "status", "detail", "instance"],
}  # fmt: skip
RESPONSES: dict[int | str, dict[str, Any]] = {  # how the API's description tells of them
    "4XX": {"description": "The request is refused", "content": {KIND: {"schema": SHAPE}}},
    "5XX": {"description": "The service failed", "content": {KIND: {"schema": SHAPE}}},
}
log = logging.getLogger("impasto.serve")


class Problem(Exception):
    """A request that is refused: the status, and what is wrong and how to mend it in one line."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, dict(headers or {}), more

    def body(self, where: str) -> dict[str, Any]:
        """The problem as JSON."""
        told = {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status, "detail": self.detail}
        return {**told, "instance": where, **self.more}


def of_error(error: ImpastoError) -> Problem:
    """Our own errors: what the user gave is refused, what is not installed is named, the rest failed."""
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
    return Problem(status, " ".join(str(error).split()), exit_code=error.exit_code)


def respond(problem: Problem, where: str) -> JSONResponse:
    """The answer to a request that is refused."""
    from fastapi.responses import JSONResponse

    return JSONResponse(problem.body(where), problem.status, problem.headers, KIND)


def install(app: FastAPI) -> None:
    """Let every fault of an app be answered as a problem."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return respond(error, request.url.path)

    def ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ImpastoError)
        return respond(of_error(error), request.url.path)

    def plain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return respond(Problem(error.status_code, str(error.detail), error.headers), request.url.path)

    def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        faults = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
        return respond(Problem(422, "; ".join(faults)), request.url.path)

    def full(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, OSError)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return internal(request, error)
        return respond(Problem(507, "the server's disk is full"), request.url.path)

    def internal(request: Request, error: Exception) -> JSONResponse:
        log.error("internal error", exc_info=error)
        return respond(Problem(500, "an internal error, our bug and not yours: the server's log tells more"), request.url.path)

    app.add_exception_handler(Problem, refused)
    app.add_exception_handler(ImpastoError, ours)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(OSError, full)
    app.add_exception_handler(Exception, internal)
