"""Events: what changes, as it changes."""
from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from impasto.serve.answers import Studio
from impasto.serve.events import MOST_LISTENERS
from impasto.serve.problems import Problem

router = APIRouter(tags=["events"])


@router.get("/events", response_class=EventSourceResponse, summary="Jobs, shots and looks as they change (server-sent events)")
async def events(
    studio: Studio,
    after: Annotated[str, Query(max_length=40, description="the last event that was heard")] = "",
    last_event_id: Annotated[str, Header(max_length=40)] = "",
) -> AsyncIterable[ServerSentEvent]:
    if studio.events.listeners >= MOST_LISTENERS:
        raise Problem(429, "too many listen already", headers={"Retry-After": "10"})
    async for event in studio.events.listen(last_event_id or after):
        yield ServerSentEvent(data=event.data, event=event.kind, id=event.id)
