"""Timelines in and out, through OpenTimelineIO: the clips of the picture, what the edit needs of each, and where they point.

A clip's times are those of its media as the edit counts them: `origin` is what it calls the first frame. A speed effect reaches
further (or less far) than the clip is long, a transition shows frames beyond the cut.
"""
from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from impasto.errors import ImpastoError, MediaError, MissingExtra
from impasto.frame import exact_rate
from impasto.media.landing import write_text
from impasto.render.timeline import edl
from impasto.render.timeline.sources import Kind, Source, is_relative

KEY = "impasto"  # of our metadata, in a clip, a track or the timeline
DEEPEST = 500  # brackets in brackets; OpenTimelineIO's own reader follows them until the stack ends
LARGEST_BYTES = 512 * 2**20
SLACK = 1e-6  # of a frame: what rounding leaves


@dataclass
class Cut:
    """One clip of the picture, as the edit uses it."""

    clip: Any  # an OpenTimelineIO clip
    place: str  # for messages
    url: str
    names: list[str]  # what its media may be called, best first
    settings: dict[str, Any]
    start_frame: int | None = None  # of an image sequence: the number its first picture bears
    step: int = 1
    rate: float = 0.0  # of an image sequence


@dataclass(frozen=True)
class Need:
    """What the edit needs of a clip's media, in frames from its first: these in any case, those around them if they exist."""

    first: int
    last: int
    before: int = 0
    after: int = 0
    origin: float = 0.0  # what the edit calls the first frame
    rate: float = 24.0
    everything: bool = False  # the whole source: nothing says which part, or a speed effect whose reach is not known


@dataclass(frozen=True)
class Painted:
    """The painted media of a clip."""

    target: Path
    kind: Kind
    first: int  # number of its first frame
    skipped: int  # how many frames of the source come before it
    length: int
    start: float  # what a host takes its first frame for, in the clip's count
    record: dict[str, Any]


@dataclass
class Edit:
    """A timeline that was read, its file's text where it is an EDL, and the clips of its picture."""

    timeline: Any
    path: Path
    text: str = ""
    cuts: list[Cut] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path, fps: float | None = None) -> Edit:
        """Read an .otio or .edl, or whatever an installed adapter knows."""
        otio = library()
        with mapped(path):
            suffix = path.suffix.lower()
            text = _text(path) if suffix in (".otio", ".edl") else ""
            if suffix == ".edl":
                timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(exact_rate(fps or 24.0)))
                edl.mend(timeline)
            elif suffix == ".otio":
                timeline = otio.adapters.read_from_string(text, "otio_json")
            else:
                timeline = otio.adapters.read_from_file(str(path))
            if not isinstance(timeline, otio.schema.Timeline):
                raise MediaError(f"holds a {type(timeline).__name__}, not a timeline: export the timeline itself", path)
            return cls(timeline, path, text if suffix == ".edl" else "", list(_cuts(timeline)))

    @property
    def result_name(self) -> str:
        """What the new timeline is called: as the old one, where that format can be written."""
        return self.path.name if self.path.suffix.lower() in (".otio", ".edl") else f"{self.path.stem}.otio"

    def told(self) -> str:
        """The timeline as its file holds it."""
        with mapped(self.path):
            return edl.rewritten(self.text, self.timeline, KEY) if self.text else str(self.timeline.to_json_string()) + "\n"

    def write(self, path: Path, overwrite: bool) -> None:
        """Write the timeline; it has its name when it has been read back."""
        write_text(path, self.told(), overwrite, self._verify)

    def _verify(self, temporary: Path) -> None:
        rate = self.cuts[0].clip.trimmed_range().start_time.rate if self.text and self.cuts else None
        if len(Edit.read(temporary, rate).cuts) != len(self.cuts):
            raise MediaError("reads back with other clips than were written; this is our bug", self.path)


def library() -> Any:
    """OpenTimelineIO, which the extra `timeline` brings."""
    try:
        return import_module("opentimelineio")
    except ImportError:
        raise MissingExtra("reading timelines", "timeline") from None


def need_of(cut: Cut, source: Source) -> Need:
    """Which frames of its media a clip needs."""
    otio, clip = library(), cut.clip
    if source.kind == "picture":
        return Need(0, 0, everything=True)
    rate = float(source.fps) or cut.rate or 24.0
    if not _has_range(cut):
        return Need(0, 0, rate=rate, everything=True)
    trimmed, visible = clip.trimmed_range(), clip.visible_range()
    if not source.fps and not cut.rate:
        rate = trimmed.start_time.rate
    start, length = _frames(trimmed.start_time, rate), _frames(trimmed.duration, rate)
    head = start - _frames(visible.start_time, rate)
    tail = _frames(visible.duration, rate) - length - head
    origin = _origin(cut, source, start, rate)
    first = math.floor(start - origin + SLACK)
    effects = [each for each in clip.effects if isinstance(each, otio.schema.TimeEffect) and getattr(each, "enabled", True)]
    if any(not isinstance(each, otio.schema.LinearTimeWarp) for each in effects):
        return Need(0, 0, origin=origin, rate=rate, everything=True)
    if effects:
        speed = math.prod(each.time_scalar for each in effects)
        # Programs do not agree on where a reversed clip begins, so both sides are painted.
        back, forth = (head, length + tail) if speed >= 0 else (length + tail, length + tail)
        end = _up(start - origin - first + forth * abs(speed))
        return Need(first, first, _up(back * abs(speed)), max(0, end - 1), origin, rate)
    last = max(first, _up(start - origin + length) - 1)
    return Need(first, last, _up(head), _up(tail), origin, rate)


def point_to(cut: Cut, need: Need, painted: Painted) -> None:
    """Let a clip point at its painted media; everything else about it stays."""
    otio, clip, old = library(), cut.clip, cut.clip.media_reference
    time, span = otio.opentime.RationalTime, otio.opentime.TimeRange
    if painted.kind == "sequence":
        new = _sequence_reference(cut, need, painted)
    else:
        new = otio.schema.ExternalReference(target_url=_url(cut.url, painted.target))
    if painted.kind == "picture":
        new.available_range = old.available_range
    else:
        trimmed = clip.trimmed_range() if _has_range(cut) else None
        rate = trimmed.start_time.rate if trimmed is not None and _alike(trimmed.start_time.rate, need.rate) else need.rate
        new.available_range = span(time(painted.start, rate), time(painted.length, rate))
        if trimmed is not None:
            _shift(clip, trimmed, time(painted.start - need.origin - painted.skipped, rate))
    new.name, new.available_image_bounds = old.name, old.available_image_bounds
    new.metadata.update(old.metadata)
    new.metadata[KEY] = {**painted.record, "source": cut.url or cut.names[0]}
    clip.media_reference = new


def _sequence_reference(cut: Cut, need: Need, painted: Painted) -> Any:
    prefix, padding, suffix = re.fullmatch(r"([^#]*)(#+)([^#]*)", painted.target.name).groups()  # type: ignore[union-attr]
    return library().schema.ImageSequenceReference(
        target_url_base=_url(cut.url, painted.target.parent) + "/",
        name_prefix=prefix,
        name_suffix=suffix,
        start_frame=painted.first,
        frame_step=cut.step,
        rate=need.rate,
        frame_zero_padding=len(padding),
    )


def _shift(clip: Any, trimmed: Any, shift: Any) -> None:
    """Count a clip and its markers from where its new media begins."""
    clip.source_range = trimmed
    if shift.value:
        clip.source_range = type(trimmed)(trimmed.start_time + shift, trimmed.duration)
        for marker in clip.markers:
            marked = marker.marked_range
            marker.marked_range = type(marked)(marked.start_time + shift, marked.duration)


def _url(old: str, target: Path) -> str:
    """Where painted media lies, written as the old reference was: relative to the timeline, as a URL, or as a path."""
    if is_relative(old):
        return target.name if "#" not in target.name else target.parent.name
    return target.resolve().as_uri() if old.lower().startswith("file:") else str(target.resolve())


def _cuts(timeline: Any) -> Iterator[Cut]:
    """The clips that are seen and have media; black and bars are made by the host."""
    otio = library()
    for number, clip in enumerate(timeline.find_clips(), 1):
        above = list(_above(clip))
        tracks = [each for each in above if isinstance(each, otio.schema.Track)]
        if any(track.kind != otio.schema.TrackKind.Video for track in tracks) or not clip.enabled:
            continue
        old = clip.media_reference
        if isinstance(old, otio.schema.GeneratorReference):
            continue
        settings: dict[str, Any] = {}
        for each in [timeline, *reversed(above), clip]:
            found = dict(each.metadata.get(KEY) or {})
            settings |= {name: list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
                         for name, value in found.items()}  # fmt: skip
        reel = str(clip.metadata.get("cmx_3600", {}).get("reel", ""))
        names = [name for name in (clip.name, reel) if name]
        cut = Cut(clip, f"clip {number} '{clip.name}'", "", names, settings | edl.settings(clip))
        if isinstance(old, otio.schema.ImageSequenceReference):
            cut.url = old.abstract_target_url("#" * max(1, old.frame_zero_padding))
            cut.start_frame, cut.step, cut.rate = old.start_frame, max(1, old.frame_step), old.rate
        elif isinstance(old, otio.schema.ExternalReference):
            cut.url = old.target_url or ""
        yield cut


def _above(item: Any) -> Iterator[Any]:
    while (item := item.parent()) is not None:
        yield item


def _has_range(cut: Cut) -> bool:
    return cut.clip.source_range is not None or cut.clip.media_reference.available_range is not None


def _origin(cut: Cut, source: Source, start: float, rate: float) -> float:
    """What the edit calls the first frame: it says so, or it counts timecode, file numbers, or from 0."""
    available = cut.clip.media_reference.available_range
    if available is not None:
        return _frames(available.start_time, rate)
    first = source.numbers[0] if source.kind == "sequence" else 0
    return next((each for each in (source.timecode, first) if each is not None and each <= start < each + len(source.numbers)), 0)


def _frames(time: Any, rate: float) -> float:
    """A time in frames. Film at 24 and 23.976 is conformed frame by frame, not second by second."""
    return float(time.value if _alike(time.rate, rate) else time.value_rescaled_to(rate))


def _alike(one: float, other: float) -> bool:
    return round(one) == round(other)


def _up(frames: float) -> int:
    return max(0, math.ceil(frames - SLACK))


def _text(path: Path) -> str:
    """A timeline's text, if a reader can be trusted with it."""
    if path.stat().st_size > LARGEST_BYTES:
        raise MediaError(f"is larger than {LARGEST_BYTES >> 20} MB: that is no timeline", path)
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    depth = 0
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text) if path.suffix.lower() == ".otio" else ():
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > DEEPEST:
            raise MediaError(f"is nested deeper than {DEEPEST} levels: that is no timeline", path)
    return text


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Whatever OpenTimelineIO and its adapters raise (adapters are anyone's, and raise anything) becomes one line."""
    try:
        yield
    except ImpastoError:
        raise
    except OSError as error:
        raise MediaError(f"cannot be read: {(error.strerror or str(error)).lower()}", path) from None
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise MediaError(f"cannot be read as a timeline: {reason}", path) from None
