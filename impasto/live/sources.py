"""Where frames come from: a file that is played at its own pace, or a camera or stream that is opened again when it is lost."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import count
from math import inf
from pathlib import Path
from threading import Event, Thread
from typing import Protocol, cast

import numpy as np

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.live.easel import resized
from impasto.live.flow import Newest
from impasto.live.outlets import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS
from impasto.live.session import LOOK_UP_SECONDS, Say
from impasto.media import MOVIES, is_sequence, open_reader
from impasto.media.video import VideoReader
from impasto.media.video.capture import CAUGHT, SILENT_SECONDS, Capture, Feed
from impasto.render.stored import from_engine, to_engine

USUAL_RATE = Fraction(24)  # of pictures that do not say
BROWSER, BROWSER_SIZE, BROWSER_RATE = "browser", (1280, 720), 25
LATE_SECONDS = 0.5  # a file that is read so much too slowly is played later rather than in a hurry
Size = tuple[int, int]  # width and height


class Clock(Protocol):
    """Time that can be told and waited for."""

    def now(self) -> float: ...

    def wait(self, seconds: float, stop: Event) -> bool:
        """Let time pass; whether it was cut short by a stop."""
        ...


class WallClock:
    """The one on the wall."""

    now = staticmethod(time.monotonic)

    def wait(self, seconds: float, stop: Event) -> bool:
        """Let time pass."""
        return stop.wait(max(seconds, 0.0))


class Source(Protocol):
    """Frames of one size, 8 bits of RGB, each with the moment it was caught."""

    info: ClipInfo

    def frames(self, stop: Event) -> Iterator[Frame]:
        """Frames as they come, until the source is over or `stop` is set."""
        ...


class File:
    """A movie, a sequence or a picture in place of a camera: every frame is there when it would be shown, and not before."""

    def __init__(self, path: Path, size: Size | None = None, loop: bool = False, clock: Clock | None = None) -> None:
        self.path, self._clock, self._loop = path, clock or WallClock(), loop
        self._still = not is_sequence(path) and path.suffix.lower() not in MOVIES
        with open_reader(path) as reader:
            info = reader.info
        self._rate = info.fps or USUAL_RATE
        width, height = even(size or (info.width, info.height))
        self.info = ClipInfo(width, height, 0, self._rate)

    def frames(self, stop: Event) -> Iterator[Frame]:
        """Play it, over and over where it loops; a picture is held."""
        start, numbers = self._clock.now(), count(1)
        while not stop.is_set():
            ended = start
            for time_shown, frame in self._once():
                due = start + time_shown
                if self._clock.wait(due - self._clock.now(), stop):
                    return
                late = self._clock.now() - due
                start += late if late > LATE_SECONDS else 0.0
                at = self._clock.now()
                yield Frame(fitted(frame().rgb(), self.info), next(numbers), {CAUGHT: at})
                ended = start + time_shown + float(1 / self._rate)
            start = ended
            if not self._loop and not self._still:
                return

    def _once(self) -> Iterator[tuple[float, Callable[[], Frame]]]:
        """When each frame is shown, and how to get it: it is decoded when its time has come, as a camera's is."""
        with open_reader(self.path) as reader:
            frames = reader.read(reader.numbers())
            moving = self.path.suffix.lower() in MOVIES and not is_sequence(self.path)
            times = cast(VideoReader, reader).times() if moving else [n / self._rate for n in range(len(reader.numbers()))]
            for shown in times:
                yield float(shown), lambda: next(frames)


class Camera:
    """A camera or a stream. The first time it must be there; when it is lost later, it is tried again and again."""

    def __init__(
        self,
        feed: Feed,
        *,
        size: Size | None = None,
        fps: float | None = None,
        say: Say = lambda note: None,
        open_feed: Callable[[Feed, Size | None, float | None], Capture] = Capture,
        clock: Clock | None = None,
    ) -> None:
        self.feed, self._size, self._fps, self._say, self._open = feed, size, fps, say, open_feed
        self._clock = clock or WallClock()
        self._capture: Capture | None = open_feed(feed, size, fps)
        width, height = even(size or (self._capture.info.width, self._capture.info.height))
        self.info = replace(self._capture.info, width=width, height=height)

    def frames(self, stop: Event) -> Iterator[Frame]:
        """Frames as they come."""
        wait, numbers = FIRST_WAIT_SECONDS, count(1)
        while not stop.is_set():
            try:
                with self._capture or self._open(self.feed, self._size, self._fps) as capture:
                    self._capture = None
                    for frame in capture:
                        if wait > FIRST_WAIT_SECONDS:
                            self._say(f"{self.feed.name}: there again")
                        wait = FIRST_WAIT_SECONDS
                        yield replace(frame, pixels=fitted(frame.pixels, self.info), number=next(numbers))
                        if stop.is_set():
                            return
                raise MediaError("has ended.", self.feed.name)
            except MediaError as lost:
                if wait == FIRST_WAIT_SECONDS:
                    self._say(f"{lost} Trying again")
                self._clock.wait(wait, stop)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)


class Browser:
    """The camera of whoever opens the page: frames that are sent in, the newest counting."""

    def __init__(self, size: Size | None = None, fps: float | None = None, clock: Clock | None = None) -> None:
        self._clock, self._newest = clock or WallClock(), Newest[Frame]()
        width, height = even(size or BROWSER_SIZE)
        self.info = ClipInfo(width, height, 0, Fraction(fps or BROWSER_RATE).limit_denominator(1001))

    def catch(self, pixels: Pixels) -> None:
        """Take in what was sent."""
        self._newest.put(Frame(pixels, 0, {CAUGHT: self._clock.now()}))

    def frames(self, stop: Event) -> Iterator[Frame]:
        """Frames as they come."""
        numbers = count(1)
        while not stop.is_set():
            if (frame := self._newest.take(LOOK_UP_SECONDS)) is not None:
                yield replace(frame, pixels=fitted(frame.pixels, self.info), number=next(numbers))


class Pump:
    """Moves frames from a source to whoever takes them, in a thread of its own."""

    def __init__(self, source: Source, offer: Callable[[Frame], None], fps: float) -> None:
        self.error: BaseException | None = None
        self._stop = Event()
        self._thread = Thread(target=self._run, args=(source, offer, fps), name="impasto-pump", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether the source has ended."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Take no more. A stream that hangs is not waited for longer than it may be silent."""
        self._stop.set()
        self._thread.join(SILENT_SECONDS + 1)

    def _run(self, source: Source, offer: Callable[[Frame], None], fps: float) -> None:
        try:
            frames = source.frames(self._stop)
            for frame in thinned(frames, fps) if fps < source.info.fps else frames:
                offer(frame)
        except BaseException as error:  # raised again where the session is watched
            self.error = error


def thinned(frames: Iterator[Frame], fps: float) -> Iterator[Frame]:
    """No more frames than so many in a second, evenly; of fewer, all."""
    due = -inf
    for frame in frames:
        at: float = frame.tags[CAUGHT]
        if at >= due - 0.5 / fps:
            due = (due if at - due < 1 / fps else at) + 1 / fps  # after a halt it begins anew
            yield frame


def open_source(text: str, size: Size | None, fps: float | None, loop: bool, say: Say) -> Source:
    """The source that is meant: a camera, a stream, whoever opens the page, or a file."""
    if text == BROWSER:
        return Browser(size, fps)
    feed = Feed.parse(text)
    return File(Path(text), size, loop) if feed is None else Camera(feed, size=size, fps=fps, say=say)


def even(size: Size) -> Size:
    """The size without an odd last column or row: streams and cameras share a colour between two pixels."""
    return max(size[0] // 2 * 2, 2), max(size[1] // 2 * 2, 2)


def fitted(rgb: Pixels, info: ClipInfo) -> Pixels:
    """A picture as 8 bits in the size that everything was made ready for."""
    seen = rgb if rgb.dtype == "uint8" else from_engine(to_engine(rgb), np.dtype(np.uint8))
    if 0 <= seen.shape[0] - info.height < 2 and 0 <= seen.shape[1] - info.width < 2:
        return seen[: info.height, : info.width]
    return resized(seen, info.height, info.width)
