"""What keeps a job from being done, gathered before any work begins: outputs that cannot be written, inputs that would be."""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.errors import InputError

if TYPE_CHECKING:
    from impasto.frame import ClipInfo
    from impasto.render.delivery import Manner
    from impasto.render.errands import Errand
    from impasto.render.pipeline import Work


@dataclass
class Faults:
    """Everything wrong with a job, gathered before one error is raised."""

    found: list[InputError] = field(default_factory=list)

    @classmethod
    @contextmanager
    def gathering(cls) -> Iterator[Faults]:
        """Gather faults inside and raise them as one error at the end; a single fault keeps its own kind."""
        faults = cls()
        yield faults
        if len(faults.found) == 1:
            raise faults.found[0]
        if faults.found:
            raise InputError("; ".join(dict.fromkeys(str(fault) for fault in faults.found)))

    def add(self, message: str) -> None:
        """Note one fault."""
        self.found.append(InputError(message))

    @contextmanager
    def noted(self) -> Iterator[None]:
        """An InputError raised inside is noted, and work goes on after the block."""
        try:
            yield
        except InputError as error:
            self.found.append(error)


def check_work(work: Work, inputs: Inputs, manner: Manner, faults: Faults) -> None:
    """Note what keeps results from being written where they should go."""
    from impasto.media.landing import sweep
    from impasto.render.journal import Journal
    from impasto.render.regions import check_fits

    errand = work.errand
    for target in errand.files or [errand.target]:
        if inputs.note(target, faults):
            return
    Journal.tidy(errand.target)
    sweep(errand.target)
    with faults.noted():
        for hand in work.hands:
            check_fits(hand.clip.info, hand.clip.by_rows, hand.clip.source)
            if work.in_bands:
                hand.check_rows(hand.clip.source)
            hand.check_frames()
        if errand.kind == "movie":
            _check_movie(errand, work.like, manner)
        else:
            _check_pictures(errand, work.like, manner)


class Inputs:
    """Every file that a job reads, by what it is on the disk: a name may be spelled in many ways."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._known = {found for file in files if (found := _on_disk(file))}

    def holds(self, path: Path) -> bool:
        """Whether a path is one of them."""
        return _on_disk(path) in self._known

    def note(self, target: Path, faults: Faults) -> bool:
        """Note an output that is one of them; whether it is."""
        if self.holds(target):
            faults.add(f"{target}: is one of the inputs, and inputs are never overwritten; choose another output")
        return self.holds(target)


def _on_disk(path: Path) -> tuple[int, int] | None:
    with suppress(OSError, ValueError):
        found = os.stat(path)
        return found.st_dev, found.st_ino
    return None


def _check_movie(errand: Errand, like: ClipInfo, manner: Manner) -> None:
    from impasto.media.landing import Landing
    from impasto.media.video import codecs
    from impasto.media.video.join import check_sound, check_times
    from impasto.render.delivery import frame_times, takes
    from impasto.render.journal import Journal

    codecs.check(errand.target, like, manner.encoding)
    check_times(frame_times(errand), errand.target, like)
    check_sound(takes(errand), errand.target, manner.sound)
    Landing(errand.target, manner.overwrite or Journal.delivered(errand.target, "joined")).abort()


def _check_pictures(errand: Errand, like: ClipInfo, manner: Manner) -> None:
    """Try a hidden file, so that folder, format and depth are judged. Which files of a sequence exist is looked at later."""
    from impasto.media import open_writer

    place, sequence = errand.files[0], errand.kind == "sequence"
    if sequence and not place.parent.exists():
        place = place.parent.parent / place.name  # its folder is made with the first frame
    open_writer(place, like, manner.overwrite or sequence, manner.encoding).abort()


def check_target(target: Path, sources: Iterable[Path], like: ClipInfo, overwrite: bool, faults: Faults) -> None:
    """Note what keeps such a picture from being written there."""
    from impasto.media import open_writer

    if not Inputs(sources).note(target, faults):
        with faults.noted():
            open_writer(target, like, overwrite).abort()
