"""Frames in, frames out, on a time budget: the heart of `impasto live`, which knows no camera and no screen.

    session = Session(easel, setting, fps, deliver, say)
    session.offer(frame)                      # from any thread; if the one before still waits, it is dropped
    session.change({"style": "turner"})       # from any thread; painted so once it is warm, and as before until then
    session.close()

The newest frame is painted and handed to `deliver`. Frames that take too long bring the inner scale down; room brings it up.
"""
from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Event, Lock, Thread, get_native_id
from typing import Any

from impasto.errors import ImpastoError
from impasto.frame import Frame
from impasto.live.easel import Easel
from impasto.live.flow import Newest
from impasto.live.pace import SCALES, Pace
from impasto.live.setting import Setting

LOOK_UP_SECONDS = 0.1  # how often a waiting thread asks whether it should stop
WINDOW_SECONDS = 2.0  # dropping frames has begun, and ended, when it went on for so long
WARMING_SHARE = 0.7  # of a frame's time that is its own while another look is made ready beside it
WARMING_NICE = 10  # the priority at which that happens
SHARE_DROPPED, FEW_DROPPED = 0.05, 2  # of the frames of a window; fewer are hiccups, which the figures tell

Say = Callable[[str], None]


class Session:
    """One stream of pictures through looks that may change while it runs."""

    def __init__(
        self,
        easel: Easel,
        setting: Setting,
        fps: float,
        deliver: Callable[[Frame], None],
        say: Say = lambda note: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the setting ready, which takes a moment; nothing runs until `start`."""
        self.fps, self.painted = fps, 0
        self.error: BaseException | None = None
        self._easel, self._deliver, self._say, self._now = easel, deliver, say, now
        self._pace = Pace(1 / fps)
        self._wanted = setting
        self._shown, self._level = setting, 0
        self._lock, self._stop, self._awake = Lock(), Event(), Event()
        self._waiting = Newest[Frame]()
        self._window, self._dropping = (now(), 0, 0), False
        easel.make_ready(setting, 0)
        self._threads = [Thread(target=each, name="impasto-live", daemon=True) for each in (self._paint_all, self._warm_all)]

    # ---- what others ask of it

    def start(self) -> None:
        """Begin to paint what is offered."""
        self._window = self._now(), self.painted, self.dropped
        self._awake.set()  # the next smaller scale is made ready before it is needed
        for thread in self._threads:
            thread.start()

    def offer(self, frame: Frame) -> None:
        """Hand a frame over; it is painted unless a newer one comes first."""
        self._waiting.put(frame)

    def change(self, order: Mapping[str, Any]) -> Setting:
        """Change what is painted with, as soon as that is warm; an order that makes no sense is refused and nothing changes."""
        with self._lock:
            self._wanted = self._wanted.changed(order)
        self._awake.set()
        return self._wanted

    @property
    def setting(self) -> Setting:
        """What is wanted, shown or about to be."""
        return self._wanted

    @property
    def dropped(self) -> int:
        """How many frames were offered and never painted."""
        return self._waiting.missed

    def state(self) -> dict[str, Any]:
        """All that a page or a program wants to know."""
        settled = self._shown == self._wanted
        return {
            "setting": self._wanted.model_dump(),
            "warming": not settled,
            "scale": SCALES[self._level],
            "painted": self.painted,
            "dropped": self.dropped,
            "paint_ms": round(1000 * self._pace.mean, 1),
            "budget_ms": round(1000 * self._pace.budget, 1),
        }

    def close(self) -> None:
        """Paint what waits, and stop."""
        self._waiting.close()
        self._stop.set()
        self._awake.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    # ---- the painter's thread

    def _paint_all(self) -> None:
        try:
            while not self._waiting.over:
                frame = self._waiting.take(LOOK_UP_SECONDS)
                if frame is not None:
                    self.step(frame)
        except BaseException as error:  # told where the session is watched
            self.error = error

    def step(self, frame: Frame) -> None:
        """Paint one frame and hand it on; take up what got warm; judge the pace."""
        settled = self._take_up()
        began = self._now()
        painted = self._easel.paint(frame, self._shown, self._level)
        seconds = self._now() - began
        self._deliver(replace(frame, pixels=painted))
        self.painted += 1
        if self._pace.level == self._level and self._shown.shares:  # without paint, and once decided, times tell nothing
            self._pace = self._pace.after(seconds if settled else seconds * WARMING_SHARE)
            if self._pace.level != self._level:
                self._awake.set()
        self._watch_drops()

    def _take_up(self) -> bool:
        """Paint with what is wanted from now on if it is ready; whether nothing is being made ready."""
        with self._lock:
            wanted, level, before = self._wanted, self._pace.level, self._level
            if (wanted, level) == (self._shown, before):
                return not self._awake.is_set()
            on_the_way = range(level, before, -1) if level > before else [level]  # on the way down, the smallest that is ready
            ready = next((each for each in on_the_way if self._easel.is_ready(wanted, each)), None)
            if ready is None:
                return False
            self._shown, self._level = wanted, ready
            self._awake.set()  # what is no longer needed goes, and the next smaller scale is made ready
        if ready != before:
            self._say(self._scale_in_words(before))
        return False

    def _scale_in_words(self, before: int) -> str:
        budget = f"{1000 * self._pace.budget:.0f} ms"
        why = f"a frame takes longer than {budget}" if self._level > before else f"there is room again in {budget}"
        return f"painting at {SCALES[self._level]:.0%} of the size: {why}"

    def _watch_drops(self) -> None:
        """Say when frames begin to be dropped, and when no more are: once each."""
        since, painted, dropped = self._window
        if self._now() - since < WINDOW_SECONDS:
            return
        lost, done = self.dropped - dropped, self.painted - painted
        dropping = lost > max(SHARE_DROPPED * (lost + done), FEW_DROPPED)
        if dropping != self._dropping:
            began = f"frames come faster than they are painted: {lost} of {lost + done} dropped"
            self._say(began if dropping else "no frame is dropped any more")
        self._window, self._dropping = (self._now(), self.painted, self.dropped), dropping

    # ---- the thread that makes ready

    def _warm_all(self) -> None:
        if sys.platform == "linux":  # which gives each thread a priority of its own; elsewhere it would be the whole process's
            os.setpriority(os.PRIO_PROCESS, get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + WARMING_NICE)
        while not self._stop.is_set():
            self._awake.wait()
            if not self._stop.is_set():
                self.warm()

    def warm(self) -> None:
        """Make ready what is wanted, then the next smaller scale of what is shown, and let the rest go."""
        with self._lock:
            known = wanted, level, shown, shown_level = self._wanted, self._pace.level, self._shown, self._level
        try:
            self._easel.make_ready(wanted, level)
            if (wanted, level) == (shown, shown_level):
                self._easel.make_ready(*_smaller(shown, level))
        except (ImpastoError, OSError) as error:
            self._give_up(wanted, error)
        with self._lock:  # the painter takes up what is ready under the same lock, so nothing goes that it is about to take
            shown, shown_level, wanted, level = self._shown, self._level, self._wanted, self._pace.level
            self._easel.keep([(shown, shown_level), _smaller(shown, shown_level), (wanted, level)])
            if (wanted, level, shown, shown_level) == known:
                self._awake.clear()

    def _give_up(self, wanted: Setting, error: Exception) -> None:
        """Go on with what is painted."""
        with self._lock:
            if self._wanted == wanted:
                self._wanted = self._shown
        self._say(f"{error}; going on with {' and '.join(self._shown.looks)}")


def _smaller(setting: Setting, level: int) -> tuple[Setting, int]:
    return setting, min(level + 1, len(SCALES) - 1)
