"""Conforming an edit to its media: everything that can be known before a frame is painted, and every fault told at once."""
from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from impasto.errors import InputError, MediaError
from impasto.media.encoding import Encoding
from impasto.media.landing import same_file, write_text
from impasto.media.video import codecs
from impasto.render.checks import Faults
from impasto.render.timeline.edit import Cut, Edit, mapped, need_of
from impasto.render.timeline.job import NOTES, TimelineJob
from impasto.render.timeline.sources import Shelves, Source
from impasto.render.timeline.stretches import Look, Stretch, Use, kind_of, merged, name_all, use_of
from impasto.render.timeline.wishes import Wishes


@dataclass
class Plan:
    """What is to be painted, what is there already, and what is worth saying of it."""

    result: Path
    notebook: Notebook
    stretches: list[Stretch] = field(default_factory=list)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)  # by a stretch's name
    offline: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unchanged: bool = False  # the new timeline is there, and as it should be


class Conform:
    """Finds what an edit needs; faults are noted, and work goes on to find the next."""

    def __init__(self, job: TimelineJob, faults: Faults) -> None:
        self.job, self.faults = job, faults
        self.shelves = Shelves(job.timeline.parent, job.media)
        self.sources: dict[Path, Source | InputError] = {}
        self.wishes = Wishes(job, faults)

    def plan(self, edit: Edit) -> Plan:
        """Media, looks, frames and names of all clips, and what is there of them already."""
        plan = Plan(self.job.out / edit.result_name, Notebook(self.job.out))
        if same_file(plan.result, self.job.timeline):
            raise MediaError("is the edit that is read, and inputs are never overwritten: choose another folder", plan.result)
        wanted, wrong = [], dict[str, list[str]]()
        for cut in edit.cuts:
            try:
                found = self._wanted(cut, plan)
                wanted += [found] if found else []
            except InputError as error:
                wrong.setdefault(str(error), []).append(cut.place)
        for message, places in wrong.items():
            self.faults.add(_told_of(places, message))
        if self.faults.found:
            return plan
        if not wanted:
            raise MediaError("shows no clip that could be painted", self.job.timeline)
        plan.stretches = merged(wanted)
        self._lay_out(plan)
        with self.faults.noted(), mapped(edit.path):
            for each in plan.stretches:
                each.point({"frames": each.frames, **each.look.options})
            plan.unchanged = self._is_there(plan.result, edit)
        return plan

    def _wanted(self, cut: Cut, plan: Plan) -> tuple[Source, Look, Use] | None:
        place = self.shelves.place_of(cut.url, cut.names)
        if place is None and self.job.skip_offline:
            plan.offline.append(cut.place)
            return None
        look = self.wishes.of(cut)
        if place is None:
            what = f"its media {cut.url} is not there" if cut.url else "it names no media, and nothing bears its name"
            raise InputError(f"{what}: --media FOLDER searches a folder, --skip-offline leaves the clip as it is")
        source = self._source(place)
        with mapped(self.job.timeline):
            need = need_of(cut, source)
        if need.everything and source.kind != "picture":
            plan.notes.append(f"{cut.place}: what it reaches of {place.name} is not told, so all of it is painted")
        use = use_of(cut, need, source, self.job.handles, gaps=self.job.missing != "error")
        if look is None:
            return None
        self.wishes.check(look, source, range(use.low, use.high + 1, cut.step))
        return source, look, use

    def _source(self, place: Path) -> Source:
        if place not in self.sources:
            try:
                self.sources[place] = Source.survey(place)
            except InputError as error:
                self.sources[place] = error
        found = self.sources[place]
        if isinstance(found, InputError):
            raise found
        return found

    def _lay_out(self, plan: Plan) -> None:
        """Keep what is there, name the rest, and see that nobody else's file has the name."""
        if not self.job.fresh:
            for each in plan.stretches:
                plan.notebook.keep(each, self._facts(each))
        name_all(plan.stretches, self.job.out, self.job.medium)
        for each in plan.stretches:
            plan.facts[each.name] = self._facts(each)
            with self.faults.noted():
                if any(same_file(each.target, source) for source in self.sources):
                    raise MediaError("is one of the inputs, and inputs are never overwritten: choose another folder", each.target)
                if not each.kept:
                    self._check_codec(each)
                if not each.kept and not self.job.overwrite:
                    plan.notebook.check_free(each, plan.facts[each.name])

    def _check_codec(self, stretch: Stretch) -> None:
        """Refuse a movie that cannot be written so; one made from pictures is judged by its render."""
        info = stretch.source.info
        if stretch.source.kind == "movie" and kind_of(stretch.target) == "movie" and info is not None:
            scale = self.wishes.scale(stretch.look)
            channels = info.channels + 2 * (info.channels < 3)
            like = replace(info, channels=channels, width=info.width * scale, height=info.height * scale)
            codecs.check(stretch.target, like, Encoding(self.job.codec, self.job.quality))

    def _facts(self, stretch: Stretch) -> dict[str, Any]:
        """What painted frames depend on, besides what the source holds."""
        job = self.job
        written = {"as": job.medium, "codec": job.codec, "quality": job.quality, "missing": job.missing}
        return {
            "source": str(stretch.source.path.resolve()),
            **stretch.look.options,
            **self.wishes.facts(stretch.look),
            **written,
            "frames": [stretch.low, stretch.high, stretch.step],
        }

    def _is_there(self, result: Path, edit: Edit) -> bool:
        if not result.exists():
            return False
        with mapped(result):
            same = result.read_text("utf-8", errors="replace") == edit.told()
        if not same and not self.job.overwrite:
            raise MediaError("exists already and is another edit than this one makes: --overwrite replaces it", result)
        return same


class Notebook:
    """What was begun and what was painted in a folder, and from what."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NOTES
        self._entries: dict[str, dict[str, Any]] = {}
        if self.path.exists():
            try:
                entries = json.loads(self.path.read_bytes())["stretches"]
                self._entries = {str(name): {**entry, "facts": dict(entry["facts"])} for name, entry in entries.items()}
            except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
                raise MediaError("the notes of earlier runs are damaged: delete the file", self.path) from None

    def keep(self, stretch: Stretch, facts: dict[str, Any]) -> None:
        """Mark a stretch as kept if a file that is there holds it."""
        for name, entry in self._entries.items():
            low, high, step = entry["facts"]["frames"]
            holds = low <= stretch.low and stretch.high <= high and (stretch.low - low) % step == 0
            if entry["done"] and holds and _differences(entry["facts"], {**facts, "frames": [low, high, step]}) == []:
                there = Stretch(stretch.source, stretch.look, low, high, step, target=self.path.parent / entry["target"])
                if entry["state"] == stretch.source.state(there.numbers) and entry["bytes"] == _bytes(there.files()):
                    stretch.name, stretch.low, stretch.high, stretch.kept = name, low, high, True
                    return

    def knows(self, stretch: Stretch, facts: dict[str, Any]) -> bool:
        """Whether this very stretch was begun under this name."""
        return stretch.name in self._entries and self._entries[stretch.name]["facts"] == facts

    def check_free(self, stretch: Stretch, facts: dict[str, Any]) -> None:
        """Refuse to paint over what is not this very stretch."""
        there = [file for file in stretch.files() if file.exists()]
        if not there:
            return
        entry = self._entries.get(stretch.name)
        if entry is None:
            raise MediaError("exists already: --overwrite replaces it", there[0])
        differences = _differences(entry["facts"], facts)
        if not differences and entry["done"] and entry["state"] != stretch.source.state(stretch.numbers):
            differences = ["another state of its source"]
        if differences:
            told = ", ".join(differences)
            raise MediaError(f"was painted with {told}: --overwrite paints it anew, or choose another folder", there[0])

    def note(self, stretch: Stretch, facts: dict[str, Any], done: bool) -> None:
        """Write down that a stretch is begun or done."""
        target = str(stretch.target.relative_to(self.path.parent))
        entry: dict[str, Any] = {"done": done, "target": target, "facts": facts}
        entry["state"] = stretch.source.state(stretch.numbers)
        entry["bytes"] = _bytes(stretch.files()) if done else -1
        self._entries[stretch.name] = entry
        write_text(self.path, json.dumps({"stretches": self._entries}, indent=1), overwrite=True)


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return [f"{name} {_told(old.get(name))} instead of {_told(new.get(name))}" for name in names]


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "its default" if value is None else str(value)


def _bytes(files: list[Path]) -> int:
    """How many bytes files hold together; -1 if one is missing."""
    return sum(file.stat().st_size for file in files) if all(file.is_file() for file in files) else -1


def _told_of(places: list[str], message: str) -> str:
    """A fault with the first of the clips that have it; some say themselves which they mean."""
    if message.startswith(places[0]):
        return message
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{places[0]}{more}: {message}"
