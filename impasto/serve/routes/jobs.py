"""Jobs: submit them, follow them, change them, fetch what came of them."""
from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from impasto.serve import orders
from impasto.serve.answers import After, Caller, Limit, Studio, check_match, paged, tagged
from impasto.serve.files import files_of, send_file, send_zip
from impasto.serve.shots import inside

router = APIRouter(prefix="/jobs", tags=["jobs"])
SCHEMA = {"requestBody": {"content": {"application/json": {"schema": orders.schema()}}, "required": True}}
MOST_LISTED = 20_000
LOG_BYTES = 256 * 1024
State = Literal["queued", "running", "paused", "done", "failed", "cancelled"]


class Change(BaseModel):
    priority: int | None = Field(None, ge=-100, le=100)
    title: str | None = Field(None, max_length=200)


@router.post("", status_code=201, summary="Submit a job: its fields are those of the command", openapi_extra=SCHEMA)
def submit(
    body: Annotated[dict[str, Any], Body()],
    who: Caller,
    studio: Studio,
    request: Request,
    response: Response,
    title: Annotated[str, Query(max_length=200)] = "",
    priority: Annotated[int, Query(ge=-100, le=100, description="higher ones go first")] = 0,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> dict[str, Any]:
    row, new = studio.queue.submit(studio.order(body, title, priority), who.name, idempotency_key)
    response.headers["Location"] = f"{request.url.path}/{row['id']}"
    if not new:
        response.status_code = 200
        response.headers["Idempotent-Replayed"] = "true"
    return studio.job(row)


@router.get("", summary="All jobs, newest first")
def list_all(
    request: Request, studio: Studio, limit: Limit = 50, after: After = 0, state: State | None = None, mine: bool = False
) -> Response:
    where, values = "(? IS NULL OR state=?) AND (? IS NULL OR owner=?)", [state, state]
    values += [request.state.who.name if mine else None] * 2
    return paged(request, studio.store.page("jobs", after, limit + 1, where, values), limit, studio.job)


@router.get("/{name}", summary="One job")
def get(name: str, request: Request, studio: Studio) -> Response:
    return tagged(request, studio.job(studio.queue.get(name)))


@router.patch("/{name}", summary="Change its priority or title")
def change(name: str, wanted: Change, request: Request, who: Caller, studio: Studio) -> Response:
    row = studio.queue.get(name)
    studio.owned(row, who)
    check_match(request, studio.job(row))
    return tagged(request, studio.job(studio.queue.set(name, wanted.priority, wanted.title)))


@router.post("/{name}/{action}", summary="Stop it, let it go on, or try it again")
def act(
    name: str, action: Literal["cancel", "pause", "resume", "retry"], request: Request, who: Caller, studio: Studio
) -> Response:
    row = studio.queue.get(name)
    studio.owned(row, who)
    check_match(request, studio.job(row))
    return tagged(request, studio.job(getattr(studio.queue, action)(name)))


@router.delete("/{name}", status_code=204, summary="Forget a job that has ended, and its results")
def delete(name: str, who: Caller, studio: Studio) -> None:
    studio.owned(studio.queue.get(name), who)
    studio.queue.delete(name)
    studio.crew.forget(name)


@router.get("/{name}/log", response_class=PlainTextResponse, summary="What its worker printed, from a place on")
def read_log(name: str, studio: Studio, offset: Annotated[int, Query(ge=0)] = 0) -> Response:
    path = studio.results(name).parent / "log.txt"
    text = b""
    if path.exists():
        with path.open("rb") as file:
            file.seek(offset)
            text = file.read(LOG_BYTES)
    headers = {"X-Next-Offset": str(offset + len(text))}
    return Response(studio.veiled(text.decode("utf-8", "replace")), headers=headers, media_type="text/plain")


@router.get("/{name}/results", summary="The files that it wrote")
def results(name: str, request: Request, studio: Studio) -> Response:
    folder = studio.results(name)
    found = [(path, path.stat()) for path in files_of(folder)[:MOST_LISTED]] if folder.exists() else []
    items = [
        {"name": str(path.relative_to(folder)), "bytes": stat.st_size, "changed": stat.st_mtime,
         "reference": f"job:{name}/{path.relative_to(folder)}"}
        for path, stat in found
    ]  # fmt: skip
    return tagged(request, {"items": items, "next": None})


@router.get("/{name}/results.zip", response_class=Response, summary="All of them in one file")
def archive(name: str, studio: Studio) -> Response:
    return send_zip(studio.results(name), name)


@router.head("/{name}/results/{file:path}", include_in_schema=False)
@router.get("/{name}/results/{file:path}", response_class=Response, summary="One of them; ranges are served")
def result(name: str, file: str, studio: Studio, download: bool = False) -> Response:
    return send_file(inside(studio.results(name), file), download)
