"""Pictures at once: a frame as it is, and through a look."""
from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from impasto.serve.answers import Studio, etag
from impasto.serve.easel import Knobs
from impasto.serve.orders import build

router = APIRouter(tags=["pictures"])
Of = Annotated[str, Query(max_length=400, description="shot:ID or job:ID/FILE")]
Number = Annotated[int | None, Query(ge=0, description="which frame; else the one in the middle")]
Width = Annotated[int, Query(ge=0, le=8192, description="no wider than that; 0: as it is")]
Format = Annotated[Literal["jpeg", "png"], Query(alias="format")]


class PreviewQuery(Knobs):  # type: ignore[misc]  # the fields of a render
    of: str
    frame: int | None = None
    width: int = 0
    format: Literal["jpeg", "png"] = "jpeg"


@router.get("/frames", response_class=Response, summary="One frame as a screen shows it")
def frame(request: Request, studio: Studio, of: Of, number: Number = None, width: Width = 0, kind: Format = "jpeg") -> Response:
    return _sent(request, studio.easel.frame(studio.shots.path_of(of), number, width, kind), kind)


@router.get("/previews", response_class=Response, summary="One frame through a look, with a render's options")
def preview(request: Request, studio: Studio, wanted: Annotated[PreviewQuery, Query()]) -> Response:
    path = studio.shots.path_of(wanted.of)
    given = wanted.model_dump(exclude={"of", "frame", "width", "format"}, exclude_unset=True)
    job = build("render", {"inputs": [wanted.of], **given}, studio.shots.path_of, path.parent)
    knobs = {name: getattr(job, name) for name in given}
    return _sent(request, studio.easel.preview(path, wanted.frame, wanted.width, wanted.format, knobs), wanted.format)


def _sent(request: Request, picture: bytes, kind: str) -> Response:
    headers = {"ETag": etag(picture), "Cache-Control": "private, max-age=0"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(picture, headers=headers, media_type=f"image/{kind}")
