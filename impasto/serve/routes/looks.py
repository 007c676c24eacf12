"""Looks: those at hand, and new ones from results and uploads."""
from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from impasto.errors import StyleError
from impasto.serve.answers import Admin, Caller, Studio, etag, tagged
from impasto.serve.orders import WHOLE
from impasto.serve.problems import Problem
from impasto.styles import library
from impasto.styles.jobs import ListJob, ShowJob
from impasto.styles.package import StyleFile

router = APIRouter(prefix="/looks", tags=["looks"])


class NewLook(BaseModel):
    file: str = Field(max_length=400, pattern=WHOLE.pattern, description="a style file: job:ID/look.style or shot:ID")
    overwrite: bool = False


@router.get("", summary="The looks at hand")
def list_all(request: Request) -> Response:
    return tagged(request, {"items": [_without_path(row) for row in ListJob().finish().figures["styles"]], "next": None})


@router.get("/{name}", summary="What a look's card says")
def get(name: str, request: Request) -> Response:
    _entry(name)
    return tagged(request, _without_path(ShowJob(style=name).finish().figures))


@router.get("/{name}/preview.png", response_class=Response, summary="A look's preview")
def preview(name: str, request: Request) -> Response:
    data = StyleFile.open(_entry(name).path).preview
    if etag(data) in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": etag(data)})
    return Response(data, headers={"ETag": etag(data)}, media_type="image/png")


@router.post("", status_code=201, summary="Install a style file of the store")
def install(new: NewLook, who: Caller, studio: Studio) -> dict[str, Any]:
    if new.overwrite and not who.may("admin"):
        raise Problem(403, f"{who.name} is a {who.role}, and looks are replaced by an admin")
    entry = library.install(studio.shots.path_of(new.file), new.overwrite)
    studio.events.publish("look", {"name": entry.name})
    return {"name": entry.name}


@router.delete("/{name}", status_code=204, summary="Remove an installed look")
def remove(name: str, who: Admin, studio: Studio) -> None:
    _entry(name)
    library.remove(name)
    studio.events.publish("look", {"name": name, "state": "deleted"})


def _without_path(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != "path"}


def _entry(name: str) -> library.Entry:
    """A look by its name and nothing else: never a path."""
    found = {entry.name: entry for entry in library.entries()}.get(name)
    if found is None:
        fault = StyleError("no look has this name", name) if library.NAME.fullmatch(name) else "there is no such look"
        raise Problem(404, str(fault))
    return found
