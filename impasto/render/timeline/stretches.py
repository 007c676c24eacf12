"""What an edit needs painted: stretches of sources, each painted once however often the edit shows it."""
from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from impasto.errors import InputError
from impasto.media import MOVIES, WRITERS
from impasto.render.timeline.edit import Cut, Need, Painted, point_to
from impasto.render.timeline.sources import Kind, Source

As = Literal["auto", "movie", "sequence"]
LONGEST_NAME = 100


@dataclass(frozen=True)
class Look:
    """How a clip is painted: what it changes of the options of `impasto render`, as JSON, so that equal looks are equal."""

    text: str

    @property
    def options(self) -> dict[str, Any]:
        """The options by name; style, tier and strength are always among them."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def told(self) -> str:
        """Its styles, for people."""
        return ", ".join(self.options["style"])


@dataclass(frozen=True)
class Use:
    """One clip's part in a stretch."""

    cut: Cut
    need: Need
    first: int  # number of the source's frame that the edit counts from
    low: int
    high: int


@dataclass
class Stretch:
    """Frames `low` to `high` of a source in one look, and the clips that show them."""

    source: Source
    look: Look
    low: int
    high: int
    step: int
    uses: list[Use] = field(default_factory=list)
    name: str = ""
    target: Path = Path()
    kept: bool = False  # painted by an earlier run, and as it should be

    @property
    def numbers(self) -> range:
        """The frames that are painted."""
        return range(self.low, self.high + 1, self.step)

    @property
    def frames(self) -> str:
        """The frames as `impasto render --frames` takes them."""
        return f"{self.low}-{self.high}" + (f"x{self.step}" if self.step > 1 else "")

    def files(self) -> list[Path]:
        """The files it is painted into."""
        digits = re.search("#+", self.target.name)
        if not digits:
            return [self.target]
        place, width = digits[0], len(digits[0])
        return [self.target.with_name(self.target.name.replace(place, f"{number:0{width}d}")) for number in self.numbers]

    def point(self, record: dict[str, Any]) -> None:
        """Let every clip that shows this stretch point at what was painted."""
        kind = kind_of(self.target)
        for use in self.uses:
            skipped = self.low - use.first
            if kind == "sequence" or self.source.timecode == round(use.need.origin):
                start = use.need.origin + skipped
            else:  # its file says nothing of where it begins, so hosts count as the edit counted
                start = use.need.origin if self.source.kind == "movie" else 0.0
            length = self.high - self.low + 1
            point_to(use.cut, use.need, Painted(self.target, kind, self.low, skipped, length, start, record))


def kind_of(target: Path) -> Kind:
    """What a painted file is."""
    return "sequence" if "#" in target.name else "movie" if target.suffix.lower() in MOVIES else "picture"


def use_of(cut: Cut, need: Need, source: Source, handles: int, gaps: bool) -> Use:
    """The numbers of the frames a clip needs: its own, which must be there, and those around as far as there are any."""
    there: Collection[int] = source.numbers if isinstance(source.numbers, range) else set(source.numbers)
    bottom, top = source.numbers[0], source.numbers[-1]
    first = bottom if cut.start_frame is None else cut.start_frame
    if need.everything:
        return Use(cut, need, first, bottom, top)
    low, high = first + need.first, first + need.last
    low -= (low - first) % cut.step
    if not bottom <= low <= high <= top:
        raise InputError(f"{cut.place} shows frames {low}-{high} of {source.path}, which has {bottom}-{top}")
    absent = [number for number in range(low, high + 1, cut.step) if number not in there]
    if absent and not gaps:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        what = f"shows frame {absent[0]}{more} of {source.path}, which has a gap there"
        raise InputError(f"{cut.place} {what}: --missing hold repeats the frame before")
    low = _reach(low, need.before + handles, -cut.step, there)
    return Use(cut, need, first, low, _reach(high, need.after + handles, cut.step, there))


def _reach(edge: int, frames: int, step: int, there: Collection[int]) -> int:
    for _ in range(0, frames, abs(step)):
        if edge + step not in there:
            break
        edge += step
    return edge


def merged(wanted: Iterable[tuple[Source, Look, Use]]) -> list[Stretch]:
    """Stretches that hold every use: ranges of one source and look that touch are one."""
    groups: dict[tuple[Path, Look, int, int], list[tuple[Source, Use]]] = {}
    for source, look, use in wanted:
        step = use.cut.step
        groups.setdefault((source.path, look, step, use.low % step), []).append((source, use))
    stretches: list[Stretch] = []
    for (_, look, step, _), group in groups.items():
        last: Stretch | None = None
        for source, use in sorted(group, key=lambda each: each[1].low):
            if last is None or use.low > last.high + step:
                last = Stretch(source, look, use.low, use.high, step)
                stretches.append(last)
            last.high = max(last.high, use.high)
            last.uses.append(use)
    return stretches


def name_all(stretches: list[Stretch], folder: Path, as_: As) -> None:
    """Give every stretch that has no name yet one of its own, from that of its source."""
    used = {each.name.casefold() for each in stretches}
    for each in stretches:
        if not each.name:
            each.name = next(name for name in _names(each) if name.casefold() not in used)
            used.add(each.name.casefold())
        each.target = _target(folder, each, as_)


def _names(stretch: Stretch) -> Iterator[str]:
    stem = re.sub(r"[^\w.-]+", "_", stretch.source.stem)[:LONGEST_NAME].strip("._-") or "clip"
    yield stem
    yield f"{stem}_{stretch.frames}"
    number = 2
    while True:
        yield f"{stem}_{number}"
        number += 1


def _target(folder: Path, stretch: Stretch, as_: As) -> Path:
    source, suffix = stretch.source, stretch.source.suffix
    if source.kind == "picture":
        return folder / f"{stretch.name}{suffix if suffix in WRITERS else '.png'}"
    if as_ == "movie" or (as_ == "auto" and source.kind == "movie"):
        return folder / f"{stretch.name}{suffix if suffix in MOVIES else '.mov'}"
    return folder / stretch.name / f"{stretch.name}.####{suffix if suffix in WRITERS and suffix not in MOVIES else '.png'}"
