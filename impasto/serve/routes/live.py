"""Live: pictures in, paintings out, over a WebSocket. Only the newest picture counts, and all sockets take turns.

Each socket keeps to the rate it asked for: where its turns take longer, its pictures are painted smaller.
"""
from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from impasto.errors import ImpastoError
from impasto.live.pace import Pace
from impasto.serve.answers import Studio
from impasto.serve.easel import Knobs
from impasto.serve.orders import build
from impasto.serve.problems import Problem
from impasto.serve.service import Service

router = APIRouter(tags=["live"])
MOST_SOCKETS = 32
TOO_MANY = 1013
FPS = 12.0


class LiveKnobs(Knobs):  # type: ignore[misc]  # the fields of a render
    fps: float = Field(FPS, gt=0, le=60)


@router.websocket("/live")
async def live(socket: WebSocket, studio: Studio) -> None:
    """Binary messages are JPEGs to be painted; texts are JSON with a render's options, for what comes after them."""
    if studio.sockets >= MOST_SOCKETS:
        await socket.close(TOO_MANY, "too many watch already")
        return
    await socket.accept()
    studio.sockets += 1
    sitting = Sitting(socket, studio)
    try:
        async with asyncio.TaskGroup() as tasks:
            painting = tasks.create_task(sitting.paint())
            await sitting.listen()
            painting.cancel()
    finally:
        studio.sockets -= 1


class Sitting:
    """One socket: the newest picture that waits, and the options that hold."""

    def __init__(self, socket: WebSocket, studio: Service) -> None:
        self.socket, self.studio = socket, studio
        self.knobs: dict[str, Any] = {}
        self.pace = Pace(1 / FPS)
        self.newest: bytes | None = None
        self.dropped = 0
        self._there = asyncio.Event()

    async def listen(self) -> None:
        """Take what comes until the other side leaves."""
        while True:
            try:
                message = await self.socket.receive()
            except WebSocketDisconnect:
                return
            if message["type"] == "websocket.disconnect":
                return
            if message.get("bytes"):
                self.dropped += self.newest is not None
                self.newest = message["bytes"]
                self._there.set()
            elif message.get("text"):
                await self._turn(message["text"])

    async def paint(self) -> None:
        """Paint whatever is newest, one picture at a time: so no socket has more than one of all turns."""
        while True:
            await self._there.wait()
            self._there.clear()
            picture, self.newest = self.newest, None
            if picture is None:
                continue
            began = time.perf_counter()
            try:
                painted = await self.studio.easel.live(picture, self.pace.scale, self.knobs)
            except (ImpastoError, Problem) as error:
                await self._say({"fault": str(error)})
                continue
            seconds = time.perf_counter() - began
            self.pace = self.pace.after(seconds)
            await self.socket.send_bytes(painted)
            await self._say({"seconds": round(seconds, 4), "scale": self.pace.scale, "dropped": self.dropped})

    async def _turn(self, text: str) -> None:
        """Other options."""
        try:
            wanted = LiveKnobs.model_validate(json.loads(text))
            given = wanted.model_dump(exclude={"fps"}, exclude_unset=True)
            path_of = self.studio.shots.path_of
            job = await run_in_threadpool(build, "render", {"inputs": ["live.png"], **given}, path_of, self.studio.store.folder)
        except (ValueError, ImpastoError, Problem) as error:
            await self._say({"fault": " ".join(str(error).split())})
            return
        self.knobs = {name: getattr(job, name) for name in given}
        self.pace = Pace(1 / wanted.fps)
        await self._say({"knobs": given, "fps": wanted.fps})

    async def _say(self, message: dict[str, Any]) -> None:
        await self.socket.send_text(json.dumps(message))
