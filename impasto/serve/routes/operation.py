"""Operation: do we live, are we ready, how are we, who did what."""
from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from impasto import __version__
from impasto.serve.answers import Admin, After, Limit, Studio, paged
from impasto.serve.problems import Problem

pulse = APIRouter(tags=["operation"])
router = APIRouter(tags=["operation"])


@pulse.get("/healthz", summary="The process answers")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@pulse.get("/readyz", summary="The store can be written and the workers work")
def readyz(studio: Studio) -> dict[str, str]:
    with studio.store.change():
        pass
    if not studio.crew.alive:
        raise Problem(503, "not all workers are at their places")
    if studio.keeper.room() <= 0:
        raise Problem(503, "the disk or the quota is full")
    return {"status": "ready"}


@pulse.get("/metrics", response_class=PlainTextResponse, summary="Figures for Prometheus")
def metrics(studio: Studio) -> Response:
    return Response(studio.metrics.text(), media_type="text/plain; version=0.0.4")


@router.get("/about", summary="Version, limits, and what is in use")
def about(studio: Studio) -> dict[str, Any]:
    settings = studio.settings
    return {
        "version": __version__,
        "workers": settings.workers,
        "jobs": studio.queue.counts(),
        "used_bytes": studio.keeper.used,
        "room_bytes": max(0, studio.keeper.room()),
        "takes_paths": bool(settings.roots),
        "keep_days": settings.keep_days,
    }


@router.get("/audit", summary="Who did what (admin)")
def audit(request: Request, who: Admin, studio: Studio, limit: Limit = 50, after: After = 0) -> Response:
    return paged(request, studio.store.page("audit", after, limit + 1), limit, dict)
