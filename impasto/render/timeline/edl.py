"""What an EDL says in comments, and an EDL with other media. Lines are changed where they must be; all others stay as they are.

    002  SHOTB    V     C        01:00:04:00 01:00:06:00 00:00:02:00 00:00:04:00
    * FROM CLIP NAME: shot_b.mov
    * FROM CLIP: /media/shot_b.mov
    * IMPASTO STYLE: great-wave

An event of two lines is a transition: the first tells of the clip before the cut (FROM), the second of the one after it (TO).
"""
from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from impasto.frame import exact_rate
from impasto.media import READERS
from impasto.media.timecode import advance

_EVENT = re.compile(r"\s*(\d+)\s+\S+\s+(\S+)\s.*")
_TIME = re.compile(r"\b\d\d:\d\d:\d\d[:;]\d\d\b")
_SETTING = re.compile(r"IMPASTO ([A-Z_]+):\s*(.*\S)")
_NAME = re.compile(r"(\W*(FROM|TO) CLIP NAME:?\s*)(.*\S)\s*")
_PATH = re.compile(r"(\W*(?:OTIO REFERENCE )?(FROM|TO)(?: CLIP| FILE)?:\s*)(.*\S)\s*")
_RANGE = re.compile(r"(.*)\[(\d+)-\d+\](\.\w+)")
SEVERAL = ("style", "guide")  # settings that a look may have several of: a line for each
_TRACKS = {"A": ["A1"], "AA": ["A1", "A2"], "B": ["V", "A1"], "A2/V": ["V", "A2"], "AA/V": ["V", "A1", "A2"]}


@dataclass
class Event:
    """The lines of an event, by their place in the text: what happens, and what is said of it."""

    lines: list[int]
    tracks: list[str]
    comments: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Moved:
    """What a clip's comments and times become; an empty url: they stay."""

    url: str = ""
    shift: int = 0  # frames
    rate: float = 24.0

    def times(self, line: str, count: int) -> str:
        """A line with its first timecodes counted from where the new media begins."""
        if not self.shift:
            return line
        return _TIME.sub(lambda found: advance(found[0], self.shift, exact_rate(self.rate)), line, count=count)

    def comment(self, line: str) -> str:
        """A comment that tells of the new media."""
        if found := _NAME.fullmatch(line):
            name = re.sub(r"\.?(?:#+|\[\d+-\d+\])(?=\.)", "", Path(self.url).name)
            return found[1] + (name if Path(found[3]).suffix.lower() in READERS else Path(name).stem)
        return f"{found[1]}{self.url}" if (found := _PATH.fullmatch(line)) else line


def settings(clip: Any) -> dict[str, Any]:
    """What comments such as `* IMPASTO STYLE: great-wave` ask for."""
    asked: dict[str, Any] = {}
    for found in filter(None, (_SETTING.fullmatch(comment.strip()) for comment in _comments(clip))):
        name = found[1].lower()
        asked[name] = [*asked.get(name, []), found[2]] if name in SEVERAL else found[2]
    return asked


def mend(timeline: Any) -> None:
    """Give each clip after a transition its own media: the adapter gives it what is said of the clip before."""
    for track in timeline.tracks:
        before: Any = None
        for place, clip in enumerate(track):
            if not hasattr(clip, "media_reference"):
                continue
            if before is not None and hasattr(track[place - 1], "transition_type"):
                told = (found for comment in _comments(clip) if (found := _PATH.fullmatch(comment)))
                own = next((found[3] for found in told if found[2] == "TO"), "")
                same = getattr(clip.media_reference, "target_url", 0) == getattr(before.media_reference, "target_url", 1)
                if own or (same and clip.name != before.name):
                    clip.media_reference = _reference(own, clip)
            before = clip


def rewritten(text: str, timeline: Any, key: str) -> str:
    """The text of an EDL, its painted clips (their references bear metadata under `key`) pointing at what was painted."""
    lines = text.splitlines()
    clips = {track.name: deque(each for each in track if hasattr(each, "media_reference")) for track in timeline.tracks}
    before: dict[str, Moved] = {}
    for event in _events(lines):
        here = [(name, clips[name].popleft()) for name in event.tracks if clips.get(name)]
        clip = next((clip for _, clip in here if key in clip.media_reference.metadata), None)
        moved = Moved() if clip is None else _moved(clip, lines[event.lines[-1]])
        old = next((before[name] for name, _ in here if name in before), Moved())
        _rewrite(lines, event, moved, old)
        before |= dict.fromkeys((name for name, _ in here), moved)
    return "\n".join(lines) + "\n"


def _rewrite(lines: list[str], event: Event, moved: Moved, before: Moved) -> None:
    sides = {"FROM": before, "TO": moved} if len(event.lines) > 1 else {"FROM": moved}
    for line, who in zip(event.lines, sides.values(), strict=False):
        lines[line] = who.times(lines[line], 2)
    has_path = False
    for line in event.comments:
        found = _NAME.fullmatch(lines[line]) or _PATH.fullmatch(lines[line])
        who = sides.get(found[2], Moved()) if found else moved
        has_path |= bool(found and who is moved and not _NAME.fullmatch(lines[line]))
        if found and who.url:
            lines[line] = who.comment(lines[line])
        elif lines[line].lstrip().startswith("M2"):
            lines[line] = who.times(lines[line], 1)
    if moved.url and not has_path:
        last = max(event.lines + [line for line in event.comments if lines[line].strip()])
        lines[last] += f"\n* {'TO' if len(event.lines) > 1 else 'FROM'} CLIP: {moved.url}"


def _moved(clip: Any, line: str) -> Moved:
    otio, reference = import_module("opentimelineio"), clip.media_reference
    start = clip.source_range.start_time
    told = otio.opentime.from_timecode(_TIME.findall(line)[0], start.rate)
    shift = round((start - told).value)
    if hasattr(reference, "target_url"):
        return Moved(reference.target_url, shift, start.rate)
    first = reference.frame_for_time(start)
    return Moved(reference.abstract_target_url(f"[{first}-{first + round(clip.duration().value) - 1}]"), shift, start.rate)


def _events(lines: list[str]) -> Iterator[Event]:
    """The events in their order; two lines of one number are one event, but for those after SPLIT."""
    event, number, apart = None, "", 0
    for place, line in enumerate(lines):
        found = _EVENT.fullmatch(line)
        if not found:
            apart = 2 if line.lstrip().startswith("SPLIT") else apart
            if event is not None:
                event.comments.append(place)
        elif event is not None and int(found[1]) == int(number) and not apart:
            event.lines.append(place)
            event.tracks = _TRACKS.get(found[2], [found[2]])
        else:
            if event is not None:
                yield event
            event, number, apart = Event([place], _TRACKS.get(found[2], [found[2]])), found[1], max(0, apart - 1)
    if event is not None:
        yield event


def _reference(path: str, clip: Any) -> Any:
    otio = import_module("opentimelineio")
    found = _RANGE.fullmatch(path)
    if not found:
        return otio.schema.ExternalReference(target_url=path)
    folder, slash, prefix = found[1].rpartition("/")
    return otio.schema.ImageSequenceReference(
        target_url_base=folder + slash,
        name_prefix=prefix,
        name_suffix=found[3],
        start_frame=int(found[2]),
        frame_zero_padding=len(found[2]),
        rate=clip.source_range.start_time.rate,
        available_range=clip.source_range,
    )


def _comments(clip: Any) -> list[str]:
    found = clip.metadata.get("cmx_3600", {}).get("comments", [])
    return [str(comment) for comment in found]
