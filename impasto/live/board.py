"""Everything of a live job while it runs: the source, the session, the outlets, and who gives orders."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from impasto.errors import InputError, StyleError
from impasto.frame import Frame
from impasto.job import Done, Progress
from impasto.live.control import Control, listening
from impasto.live.easel import Easel
from impasto.live.outlets import Outlet, open_outlet
from impasto.live.session import Session
from impasto.live.setting import KEYS, MATTES, Setting, order_of_key
from impasto.live.sources import Browser, Pump, open_source
from impasto.live.web import Address, Web, read_token
from impasto.styles.library import entries
from impasto.styles.package import StyleFile

if TYPE_CHECKING:
    from impasto.live.job import LiveJob

NOTE_SECONDS = 0.1  # to wait for one
RATE_SECONDS = 2.0  # over which frames are counted
TARGET_FRAMES, TARGET_SECONDS = 2, 0.05  # what a picture may be late: so many frames and so many seconds


class Board:
    """Everything of a live job while it runs: source, session, outlets, and who gives orders."""

    session: Session

    def __init__(self, job: LiveJob) -> None:
        """Open the source, and find out what there is to choose from."""
        self.job, self.outlets, self._web, self._notes = job, list[Outlet](), list[Web](), SimpleQueue[str]()
        self.looks = known_looks([job.style, job.blend_with, *job.looks])
        self.mattes = list(dict.fromkeys([*MATTES, job.matte]))
        self.source = open_source(job.source, job.wanted_size(), job.fps, job.loop, self.say)
        self.fps = min(job.fps or float("inf"), float(self.source.info.fps))
        self._recent = (monotonic(), 0, 0.0)  # when frames were last counted, how many there were, and how many came in a second

    def warm_up(self) -> None:
        """Make the first looks ready."""
        setting = Setting(**{name: getattr(self.job, name) for name in Setting.model_fields})
        easel = Easel(self.job.open_look, self.source.info)
        self.session = Session(easel, setting, self.fps, self._deliver, self.say)

    def begin(self, running: ExitStack, control: Control) -> None:
        """Open the outlets and start; `running` ends it all in the right order: source, painter, outlets."""
        for text in self.job.out:
            page = text.startswith("ws:")
            outlet = self._page(text) if page else open_outlet(text, self.source.info, self.job.overwrite, self.say)
            self.outlets.append(outlet)
            running.callback(outlet.finish)
            outlet.start()
        running.callback(self.session.close)
        self.session.start()
        self._pump = Pump(self.source, self.session.offer, self.fps)
        running.callback(self._pump.stop)
        running.enter_context(listening(control, self._press, self.follow, self.say))

    def _deliver(self, frame: Frame) -> None:
        for outlet in self.outlets:
            outlet.put(frame)

    def say(self, note: str) -> None:
        """Something worth knowing, said once, here and on the page; from any thread."""
        self._notes.put(note)
        for web in self._web:
            web.note(note)

    def next_note(self) -> Progress | None:
        """What was said; None: nothing, for a moment."""
        try:
            return Progress("live", note=self._notes.get(timeout=NOTE_SECONDS))
        except Empty:
            return None

    def last_notes(self) -> Iterator[Progress]:
        """What was said while it came to its end."""
        while not self._notes.empty():
            yield Progress("live", note=self._notes.get())

    @property
    def over(self) -> bool:
        """Whether nothing more comes, or nobody takes it."""
        failed = self.session.error is not None or all(outlet.failed for outlet in self.outlets)
        return failed or self._pump.over

    def follow(self, order: Mapping[str, Any]) -> None:
        """Carry out an order of whoever started us."""
        if order.get("quit") is True:
            self.job.stop()
        else:
            self._tell(self.session.change(order))

    def follow_afar(self, order: Mapping[str, Any]) -> None:
        """Carry out an order that came over the network: it may choose among what is here, and open no file."""
        for name, known in (("style", self.looks), ("blend_with", ["", *self.looks]), ("matte", self.mattes)):
            if name in order and order[name] not in known:
                raise InputError(f"{name} is {order[name]!r}: choose one of {', '.join(each or 'none' for each in known)}")
        self._tell(self.session.change(order))

    def _press(self, key: str) -> None:
        if key == "q":
            self.job.stop()
        elif key == "?":
            self.say(KEYS)
        elif order := order_of_key(key, self.session.setting, self.looks):
            self._tell(self.session.change(order))

    def _tell(self, setting: Setting) -> None:
        mixed = f" and {setting.blend:.0%} of {setting.blend_with}" if setting.blend_with else ""
        where = f" through {setting.matte}" if setting.matte else ""
        self.say(f"{setting.style}{mixed} at {setting.strength:.0%}{where}")

    def _page(self, text: str) -> Outlet:
        """The outlet that is a page."""

        def opened() -> Web:
            address = Address.parse(text)
            catch = self.source.catch if isinstance(self.source, Browser) else None
            web = Web(address, read_token(self.job.token_file, address), state=self.state, follow=self.follow_afar, catch=catch)
            self.say(f"open {web.page}")
            self._web.append(web)
            return web

        return Outlet(text, opened, again=False, say=self.say)

    def state(self) -> dict[str, Any]:
        """What a page shows."""
        info, browser = self.source.info, isinstance(self.source, Browser)
        late = next((outlet.delays.figures() for outlet in self.outlets if outlet.name.startswith("ws:")), {})
        choices = {"looks": self.looks, "mattes": self.mattes, "browser": browser, "size": [info.width, info.height]}
        return {**self.session.state(), **late, **choices, "budget_fps": self.fps, "fps": round(self._recent[2], 1)}

    def progress(self) -> Progress:
        """How it goes at this moment."""
        since, before, _ = self._recent
        now, painted = monotonic(), self.session.painted
        if now - since >= RATE_SECONDS:
            self._recent = now, painted, (painted - before) / (now - since)
        if painted == 0:
            return Progress("waiting for pictures")
        state, delays = self.session.state(), self.outlets[0].delays.figures()
        late = f", {delays['p50_ms']:.0f} ms late" if delays["p50_ms"] is not None else ""
        note = f"{state['scale']:.0%} of the size{late}, {state['dropped']} dropped"
        figures = {name: float(state[name]) for name in ("scale", "dropped", "paint_ms", "budget_ms")}
        figures |= {name: value for name, value in delays.items() if value is not None}
        return Progress("live", painted, rate=self._recent[2], note=note, figures=figures)

    def done(self) -> Done:
        """What came of it; an error on the way is raised now that everything is finished."""
        if error := self.session.error or self._pump.error:
            raise error
        target = round(1000 * (TARGET_FRAMES / self.fps + TARGET_SECONDS), 1)
        outlets = {outlet.name: outlet.figures() for outlet in self.outlets}
        figures = {**self.session.state(), "fps": round(self.fps, 3), "target_ms": target, "outlets": outlets}
        lines = [f"{self.session.painted} frames painted, {self.session.dropped} dropped"]
        for name, each in outlets.items():
            late = f", late by {each['p50_ms']:.0f} ms, 99 % by no more than {each['p99_ms']:.0f} (meant: {target:.0f})"
            lines.append(f"{name}: {each['frames']} frames{late if each['frames'] else ''}")
        path = next((outlet.path for outlet in self.outlets if outlet.path and outlet.written), None)
        failed = next((outlet.failed for outlet in self.outlets if outlet.failed), None)
        return Done(path, "\n".join(lines), figures, failed)


def known_looks(named: list[str]) -> list[str]:
    """The looks that keys and pages choose from: those that were named, then those of the library."""
    found = [name for name in named if name]
    for entry in entries():
        try:
            tiers = StyleFile.open(entry.path).card.tiers.values()
        except StyleError:  # one that is broken is no choice; `styles list` says why
            continue
        if all(tier.scale == 1 and not tier.noise and not tier.guides for tier in tiers):
            codes = next(iter(tiers)).codes
            found += [f"{entry.name}#{code}" for code in codes] or [entry.name]
    return list(dict.fromkeys(found))
