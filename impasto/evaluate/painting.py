"""Where a look was named and no painting: painted on the spot, by `impasto render`, as anyone would get it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from impasto.commands import job_class_of
from impasto.errors import InputError
from impasto.evaluate.pairing import is_shot
from impasto.job import Progress
from impasto.media import list_pictures
from impasto.styles.library import NAME, find
from impasto.styles.package import SUFFIX

if TYPE_CHECKING:
    from impasto.evaluate.job import EvaluateJob


@dataclass(frozen=True)
class Version:
    """A painting that is there, or a look to be painted in."""

    name: str
    place: Path  # a look's as `render --style` takes it
    look: bool


def versions(outputs: Sequence[Path]) -> list[Version]:
    """What was named, each under a name of its own: as much of its path as tells it from the others."""
    found = [Version(name, place, is_look(place)) for name, place in _told_apart(outputs).items()]
    for version in found:
        if version.look:
            look_file(version.place)
    return found


def is_look(place: Path) -> bool:
    """Whether a look is meant: a style file or a name that no file has, and of a style of many STYLE#LOOK."""
    head, _, part = str(place).partition("#")
    is_name = NAME.fullmatch(head) is not None and not set("#.*?%") & set(part) and not place.exists()
    return _is_style(head) or is_name


def look_file(place: Path) -> Path:
    """The style file of a look."""
    head = str(place).partition("#")[0]
    return find(Path(head) if _is_style(head) else head)


def _is_style(text: str) -> bool:
    return text.endswith(SUFFIX)


@contextmanager
def easel() -> Iterator[Path]:
    """A folder for what is painted to be measured and kept by nobody."""
    with TemporaryDirectory(prefix="impasto-evaluate-") as folder:
        yield Path(folder)


def paint(version: Version, job: EvaluateJob, folder: Path) -> Iterator[Progress | Path]:
    """Paint the job's source in a look; the last thing it yields is where the painting lies."""
    if not version.look:
        yield version.place
        return
    source, own = job.source, folder / version.name.replace("/", "-")
    shot = is_shot(source)
    target = own / "painted.####.png" if shot else own if source.is_dir() else own / f"{source.stem}.png"
    own.mkdir()
    heap = source.is_dir() and not shot  # each for itself, though their names may have numbers
    asked = {"inputs": list_pictures(source) if heap else [source], "out": target, "style": [str(version.place)]}
    asked |= {"frames": job.frames, "tier": job.tier}
    for step in job_class_of("render").build(**asked).run():
        if isinstance(step, Progress):
            yield step
        elif step.failed:
            raise step.failed
    yield own if shot else target


def _told_apart(outputs: Sequence[Path]) -> dict[str, Path]:
    """Names for places: their stems, with as many folders before them as it takes."""
    if len(set(outputs)) < len(outputs):
        twice = next(place for place in outputs if list(outputs).count(place) > 1)
        raise InputError(f"{twice}: is named twice: name each version once")
    for depth in range(1, 20):
        names = ["/".join([*place.parts[-depth:-1], place.stem or str(place)]) for place in outputs]
        if len(set(names)) == len(names):
            return dict(zip(names, outputs, strict=True))
    return {str(place): place for place in outputs}
