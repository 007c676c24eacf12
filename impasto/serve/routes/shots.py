"""Shots: upload them in pieces, or name them where they lie; look at them."""
from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from impasto.serve.answers import After, Caller, Limit, Studio, paged, tagged
from impasto.serve.files import send_file
from impasto.serve.problems import Problem
from impasto.serve.store import Row

router = APIRouter(prefix="/shots", tags=["shots"])


class File(BaseModel):
    name: str = Field(min_length=1, max_length=255)
    size: int = Field(ge=1, le=2**44, description="in bytes")
    sha256: str = Field("", pattern="^([0-9a-fA-F]{64})?$", description="what is received is held to it")


class Upload(BaseModel):
    """The files that will be sent; several are the frames of a sequence."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field("", max_length=200)
    files: list[File] = Field(min_length=1, max_length=20_000)


class Place(BaseModel):
    """A path under one of the server's roots."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field("", max_length=200)
    path: str = Field(min_length=1, max_length=4000)


@router.post("", status_code=201, summary="Announce an upload, or name a shot where it lies")
def add(new: Upload | Place, who: Caller, studio: Studio) -> dict[str, Any]:
    if isinstance(new, Place):
        row = studio.shots.add_path(new.path, who.name, new.name)
    else:
        row = studio.shots.begin(new.name or new.files[0].name, [file.model_dump() for file in new.files], who.name)
    return _told(studio, row)


@router.get("", summary="All shots, newest first")
def list_all(request: Request, studio: Studio, limit: Limit = 50, after: After = 0) -> Response:
    return paged(request, studio.store.page("shots", after, limit + 1), limit, studio.shot)


@router.get("/{name}", summary="One shot: how much of it is here, and what it is")
def get(name: str, request: Request, studio: Studio) -> Response:
    return tagged(request, studio.shot(studio.shots.get(name)))


@router.delete("/{name}", status_code=204, summary="Forget a shot")
def delete(name: str, who: Caller, studio: Studio) -> None:
    row = studio.shots.get(name)
    studio.owned(row, who)
    studio.queue.check_unused(f"shot:{name}")
    studio.shots.delete(name)
    studio.events.publish("shot", {"id": name, "state": "deleted"})


@router.patch("/{name}/files/{file}", summary="The next piece of a file, at Upload-Offset")
async def receive(
    name: str, file: str, request: Request, who: Caller, studio: Studio, upload_offset: Annotated[int, Header(ge=0)]
) -> Response:
    studio.owned(studio.shots.get(name), who)
    with studio.shots.appending(name, file, upload_offset) as (part, most):
        if int(request.headers.get("content-length", 0)) > most:
            raise Problem(413, f"{file} was announced with {upload_offset + most} bytes, and this is more")
        async for piece in request.stream():
            await run_in_threadpool(part.write, piece)
    row = await run_in_threadpool(studio.shots.settle, name, file)
    received = studio.shots.received(name, file)[0]
    return Response(status_code=204, headers={"Upload-Offset": str(received), "X-Shot-State": _told(studio, row)["state"]})


@router.head("/{name}/files/{file}", summary="How much of a file is here")
def received(name: str, file: str, studio: Studio) -> Response:
    here, size = studio.shots.received(name, file)
    return Response(headers={"Upload-Offset": str(here), "Upload-Length": str(size)})


@router.get("/{name}/files/{file}", response_class=Response, summary="The file itself; ranges are served")
def download(name: str, file: str, studio: Studio, download: bool = False) -> Response:
    return send_file(studio.shots.file(name, file), download)


def _told(studio: Studio, row: Row) -> dict[str, Any]:
    told = studio.shot(row)
    studio.events.publish("shot", told)
    return told
