"""Pictures at once: what a shot is, one of its frames, and that frame through a look. Brushes stay warm between two requests.

All of it happens in a process of its own, beside the server: a file that brings a decoder down takes no server with it, and
painting holds up no answer.
"""
from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, create_model

from impasto.errors import ImpastoError, StyleError
from impasto.render.job import Brushes, RenderJob
from impasto.serve.problems import Problem

if TYPE_CHECKING:
    from impasto.frame import Frame, Pixels
    from impasto.render.errands import Clip

SECONDS = 60.0
MOST_WAITING = 48
MOST_FRAMES, MOST_BRUSHES, READ_AHEAD = 24, 12, 8
MOST_LIVE_PX = 4_000_000
SEEN = (
    "style", "variation", "tier", "strength", "keep_colour", "scale", "guide", "palette", "denoise", "enhance", "grain", "seed",
    "letterbox", "projection", "stereo", "layer", "colour_in", "colour_out",
)  # fmt: skip  # options of a render that one frame can show
QUICK = ("openvino", "onnx")  # engines in the order in which they show a first picture; none is measured
_fields: dict[str, Any] = {name: (RenderJob.model_fields[name].annotation, RenderJob.model_fields[name]) for name in SEEN}
Knobs = create_model("Knobs", __config__=ConfigDict(extra="forbid"), **_fields)


class Easel:
    """The process that looks and paints, started anew when it dies. Requests wait in line, but not too many of them."""

    def __init__(self, folder: Path, start: Callable[[], Executor] | None = None) -> None:
        self._start = start or (lambda: ProcessPoolExecutor(1, get_context("spawn"), _settle, (folder,)))
        self._pool: Executor | None = None
        self._waiting = 0
        self._lock = threading.Lock()

    def probe(self, path: Path) -> dict[str, Any]:
        """What a shot is."""
        return dict(self._ask(probe, path))

    def frame(self, path: Path, number: int | None, width: int, suffix: str) -> bytes:
        """One of its frames as a screen shows it."""
        return bytes(self._ask(frame, path, number, width, suffix))

    def preview(self, path: Path, number: int | None, width: int, suffix: str, knobs: dict[str, Any]) -> bytes:
        """One of its frames, painted."""
        return bytes(self._ask(preview, path, number, width, suffix, knobs))

    async def live(self, picture: bytes, scale: float, knobs: dict[str, Any]) -> bytes:
        """A picture that came as a JPEG, painted; its sides so many times as long."""
        with self._minded(live, picture, scale, knobs) as painted:
            return bytes(await asyncio.wait_for(asyncio.wrap_future(painted), SECONDS))

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            _end(self._pool)
            self._pool = None

    def _ask(self, task: Callable[..., Any], *values: Any) -> Any:
        with self._minded(task, *values) as answer:
            return answer.result(SECONDS)

    @contextmanager
    def _minded(self, task: Callable[..., Any], *values: Any) -> Iterator[Future[Any]]:
        """What a task will come to; a process that dies over it, or does not come to an end, is replaced."""
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise Problem(429, "too many pictures are being made: try again in a moment", headers={"Retry-After": "1"})
            self._waiting += 1
            self._pool = pool = self._pool or self._start()
        try:
            yield pool.submit(task, *values)
        except (BrokenProcessPool, TimeoutError):
            with self._lock:
                if self._pool is pool:
                    _end(pool)
                    self._pool = None
            raise Problem(422, "this cannot be shown: what reads it failed, or took too long") from None
        finally:
            with self._lock:
                self._waiting -= 1


def _end(pool: Executor) -> None:
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.kill()
    pool.shutdown(wait=True, cancel_futures=True)


# ---- in the process of its own


def _settle(folder: Path) -> None:
    """Work where no file has a name that a client could guess, and end when the server ends; Ctrl-C is the server's to hear."""
    import os
    import signal

    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = parent_process()
    assert server is not None

    def follow() -> None:
        server.join()
        os._exit(0)

    threading.Thread(target=follow, daemon=True).start()


def probe(path: Path) -> dict[str, Any]:
    """Size, frames, rate and depth of a shot."""
    clip = _clip(path, None)
    numbers, info = clip.everyone, clip.info
    told = {"kind": clip.kind, "width": info.width, "height": info.height, "frames": len(numbers), "depth": info.depth}
    return {**told, "first": numbers[0], "last": numbers[-1], "fps": round(float(info.fps), 3)}


def frame(path: Path, number: int | None, width: int, suffix: str) -> bytes:
    """One frame as a screen shows it, no wider than that."""
    clip = _clip(path, number)
    job = RenderJob.build(inputs=[path], out="frame.png", proxy=_proxy(clip, width))
    return _encoded(job.painted(clip, _frame(path, clip, number), _brushes, plain=True), width, suffix)


def preview(path: Path, number: int | None, width: int, suffix: str, knobs: dict[str, Any]) -> bytes:
    """One frame through a look, no wider than that."""
    clip = _clip(path, number)
    job = _job(knobs, proxy=_proxy(clip, width))
    return _encoded(job.painted(clip, _frame(path, clip, number), _brushes), width, suffix)


def live(picture: bytes, scale: float, knobs: dict[str, Any]) -> bytes:
    """A picture that is in no file, painted."""
    import numpy as np
    from PIL import Image

    from impasto.errors import InputError
    from impasto.frame import ClipInfo, Frame
    from impasto.render.errands import Clip

    try:
        with Image.open(BytesIO(picture), formats=("JPEG",)) as opened:
            if opened.width * opened.height > MOST_LIVE_PX:
                raise InputError(f"a live picture has {MOST_LIVE_PX // 10**6} million pixels at most")
            width, height = (max(1, round(side * scale)) for side in opened.size)
            pixels = np.asarray(opened.convert("RGB").resize((width, height), reducing_gap=2.0))
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"this is no JPEG: {error}") from None
    info = ClipInfo(pixels.shape[1], pixels.shape[0])
    clip = Clip(Path("live.jpg"), "picture", info, [0], [0])
    return _encoded(_job(knobs).painted(clip, Frame(pixels), _brushes), 0, "jpeg")


def _job(knobs: dict[str, Any], proxy: int = 1) -> RenderJob:
    """A render that shows its first picture soon."""
    _let_go()
    return RenderJob.build(inputs=["frame.png"], out="frame.png", proxy=proxy, engine=_quick_engine(), **_with_tier(knobs))


@cache
def _quick_engine() -> str:
    from impasto import plugins

    return next((name for name in QUICK if plugins.load("engines", name).available() is None), "auto")


_brushes: Brushes = {}
_stamps: dict[tuple[str, str, int], tuple[Path, int]] = {}
_frames: OrderedDict[tuple[Path, int, int], Frame] = OrderedDict()


def _clip(path: Path, number: int | None) -> Clip:
    from impasto.media.encoding import Decoding
    from impasto.render.errands import Selection, survey

    return survey(path, Selection("all" if number is None else str(number), reading=Decoding("skip")))


def _frame(path: Path, clip: Clip, number: int | None) -> Frame:
    """The frame, the middle one where none is named; those seen last are remembered, and who plays gets some ahead."""
    from impasto.media import open_reader

    number = clip.numbers[len(clip.numbers) // 2] if number is None else number
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    key = path, stamp, number
    if key not in _frames:
        playing = (path, stamp, number - 1) in _frames
        numbers = [each for each in clip.everyone if number <= each < number + READ_AHEAD] if playing else [number]
        try:
            with open_reader(clip.source, clip.reading) as reader:
                for each, read in zip(numbers, reader.read(numbers), strict=True):
                    _frames[(path, stamp, each)] = read
        except ImpastoError:
            if key not in _frames:  # else one further on is damaged: that is said when it is wanted
                raise
    _frames.move_to_end(key)
    while len(_frames) > MOST_FRAMES:
        _frames.popitem(last=False)
    return _frames[key]


def _let_go() -> None:
    """Forget brushes whose look is another by now, and the oldest ones."""
    for key, brush in list(_brushes.items()):
        stamp = brush.style.path, brush.style.path.stat().st_mtime_ns if brush.style.path.exists() else 0
        if _stamps.setdefault(key, stamp) != stamp or _found(key[0]) != brush.style.path:
            del _brushes[key], _stamps[key]
    while len(_brushes) > MOST_BRUSHES:
        oldest = next(iter(_brushes))
        del _brushes[oldest], _stamps[oldest]


def _found(style: str) -> Path | None:
    """Where a look lies by now; nowhere, if it was removed."""
    from impasto.render.looks import parted
    from impasto.styles.library import find

    try:
        return find(parted(style)[0])
    except StyleError:
        return None


def _with_tier(knobs: dict[str, Any]) -> dict[str, Any]:
    """The fast network where every look has it and nobody chose; else the finest."""
    from impasto.render.looks import parted
    from impasto.render.mattes import read_uses
    from impasto.styles.library import find
    from impasto.styles.package import StyleFile

    style = knobs.get("style") or RenderJob.model_fields["style"].default
    if "tier" in knobs:
        return knobs
    cards = [StyleFile.open(find(parted(use.style)[0])).card for use in read_uses(style)[0]]
    return {**knobs, "tier": "live" if all("live" in card.tiers for card in cards) else "auto"}


def _proxy(clip: Clip, width: int) -> int:
    """By how much a frame is shrunk before it is painted, to be had at once."""
    return min(16, max(1, clip.info.width // width)) if width else 1


def _encoded(pixels: Pixels, width: int, suffix: str) -> bytes:
    from PIL import Image

    from impasto.render.sheet import as_seen

    picture, file = as_seen(pixels), BytesIO()
    if width and picture.width > width:
        picture = picture.resize((width, max(1, round(picture.height * width / picture.width))), Image.Resampling.LANCZOS)
    picture.save(file, "PNG" if suffix == "png" else "JPEG", quality=92, compress_level=1)
    return file.getvalue()
