"""The service as an ASGI app: every group of routes is a file of `routes/`, and all of it is behind one door."""
from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer
from starlette.staticfiles import StaticFiles

from impasto import __version__
from impasto.serve import problems
from impasto.serve.door import Door
from impasto.serve.routes import events, jobs, live, looks, operation, pictures, session, shots
from impasto.serve.service import Service

PREFIX = "/api/v1"
PAGE = Path(__file__).parent / "studio"
BEARER = HTTPBearer(auto_error=False, description="the server's token, or a user's key")  # described here, judged at the door
ABOUT = "Paint shots in looks, and learn looks. A job's fields are those of the command line."


def create_app(service: Service) -> FastAPI:
    """The app of a service, which starts and stops with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(service.start)
        yield
        await run_in_threadpool(service.stop)

    app = FastAPI(
        title="impasto", version=__version__, description=ABOUT, lifespan=lifespan, openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None, redoc_url=None,  # their pages load scripts from elsewhere
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )  # fmt: skip
    app.state.service = service
    problems.install(app)
    for group in (session, shots, looks, jobs, pictures, events, live, operation):
        app.include_router(group.router, prefix=PREFIX, responses=problems.RESPONSES, dependencies=[Security(BEARER)])
    app.include_router(operation.pulse, responses=problems.RESPONSES)
    if PAGE.is_dir():
        app.mount("/", StaticFiles(directory=PAGE, html=True), name="page")
    app.add_middleware(Door, service=service)
    return app
