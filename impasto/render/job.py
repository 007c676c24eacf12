"""RenderJob: pictures in, painted pictures out. Everything that can be known to be wrong is said before any work begins."""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator

from impasto.errors import InputError
from impasto.job import Done, Job, Progress, option

if TYPE_CHECKING:
    from impasto.frame import ClipInfo
    from impasto.styles.package import StyleFile

DEFAULT_STYLE = "great-wave"


@dataclass(frozen=True)
class Errand:
    """One source, where its painted picture goes, and what is known of it."""

    source: Path
    target: Path
    info: ClipInfo


class RenderJob(Job):
    """Paint pictures in a style."""

    command: ClassVar[str] = "render"
    help: ClassVar[str] = "Paint pictures in a style."

    inputs: list[Path] = option(help="the pictures to paint", argument=True, min_length=1)
    out: Path = option(help="the painted picture; for several inputs a folder, which is made", flag="-o/--out")
    style: list[str] = option([DEFAULT_STYLE], "name of a look, or a style file", min_length=1)
    tier: Literal["live", "full", "mini"] = option("full", "which of the look's networks paints: live is fast, full is finer")
    strength: float = option(1.0, "how much paint: 0 gives the picture back unchanged, 1 is all of it", ge=0, le=1)
    frames: str = option("all", "which frames of a sequence, as A-BxS,C; single pictures have only 'all'")
    tile: str = option("auto", "paint in tiles: auto (where memory asks for it), off, or their size in pixels")
    engine: Literal["auto", "openvino", "onnx", "pytorch"] = option("auto", "what runs the network; auto measures once")
    precision: Literal["auto", "fp32", "bf16", "int8"] = option("auto", "number format; auto is the fastest that keeps the depth")
    overwrite: bool = option(False, "replace outputs that exist")
    fresh: bool = option(False, "start over and resume nothing; single pictures always do")

    @field_validator("inputs", "style", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str | Path) else value

    @field_validator("tile")
    @classmethod
    def _tile_is_known(cls, value: str) -> str:
        if value in ("auto", "off"):
            return value
        from impasto.render.tiles import SMALLEST_TILE_PX

        if not value.isdecimal() or int(value) < SMALLEST_TILE_PX:
            raise ValueError(f"choose auto, off, or a size of {SMALLEST_TILE_PX} pixels or more")
        return value

    def run(self) -> Iterator[Progress | Done]:
        """Check everything, open the engine, paint picture after picture."""
        yield Progress("opening")
        faults = Faults()
        style = self._style(faults)
        errands = self._errands(faults)
        faults.raise_if_any()
        from impasto.render.pipeline import Brush, paint

        brush = Brush(style, self.tier, self.engine, self.precision, self.tile, self.strength)
        for errand in errands:
            with faults.gathered():
                brush.prepare(errand.info.depth != "uint8", str(errand.source))
        faults.raise_if_any()
        if len(errands) > 1 or self.out.is_dir():
            self.out.mkdir(exist_ok=True)
        yield from paint([(errand.source, errand.target) for errand in errands], brush, self.overwrite)

    def _style(self, faults: Faults) -> StyleFile:
        from impasto.styles.library import find
        from impasto.styles.package import StyleFile

        if len(self.style) > 1:
            faults.add(f"--style names {len(self.style)} looks ({', '.join(self.style)}): a render takes one")
        with faults.gathered():
            style = StyleFile.open(find(self.style[0]))
            if self.tier not in style.card.tiers:
                have = ", ".join(style.card.tiers)
                faults.add(f"style {style.card.name} has no tier '{self.tier}': choose one of {have}")
            return style
        faults.raise_if_any()
        raise AssertionError("a fault was gathered but not raised")

    def _errands(self, faults: Faults) -> list[Errand]:
        from impasto.media import open_reader

        if self.frames != "all":
            faults.add(f"--frames {self.frames} picks frames of a sequence; these are single pictures: leave it out")
        targets = self._targets(faults)
        errands = []
        for source, target in zip(self.inputs, targets, strict=True):
            with faults.gathered(), open_reader(source) as reader:
                errands.append(Errand(source, target, reader.info))
            check_target(target, self.inputs, self.overwrite, faults)
        return errands

    def _targets(self, faults: Faults) -> list[Path]:
        """Where each input's picture goes; the faults of the places themselves are added."""
        if len(self.inputs) == 1 and not self.out.is_dir():
            _check_folder(self.out.parent, faults)
            return [self.out]
        if self.out.exists() and not self.out.is_dir():
            faults.add(f"{self.out}: {len(self.inputs)} pictures need a folder to go into, and this is a file")
        elif not self.out.exists() and self.out.suffix:
            faults.add(f"{self.out}: {len(self.inputs)} pictures need a folder to go into, and this names a file")
        else:
            _check_folder(self.out if self.out.is_dir() else self.out.parent, faults)
        targets = [self.out / _name_of(source) for source in self.inputs]
        for number, target in enumerate(targets):
            if target in targets[:number]:
                first = self.inputs[targets.index(target)]
                faults.add(f"{first} and {self.inputs[number]} would both become {target}: render them into two folders")
        return targets


@dataclass
class Faults:
    """Everything wrong with a job, gathered before one error is raised."""

    found: list[InputError] = field(default_factory=list)

    def add(self, message: str) -> None:
        """Note one fault."""
        self.found.append(InputError(message))

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """An InputError raised inside is noted and work goes on after the block."""
        try:
            yield
        except InputError as error:
            self.found.append(error)

    def raise_if_any(self) -> None:
        """Raise what was noted as one error; a single fault keeps its own kind."""
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            raise InputError("; ".join(dict.fromkeys(str(fault) for fault in self.found)))


def _name_of(source: Path) -> str:
    from impasto.media import WRITERS

    return source.name if source.suffix.lower() in WRITERS else f"{source.stem}.png"


def check_target(target: Path, sources: Iterable[Path], overwrite: bool, faults: Faults) -> None:
    """Note what keeps a picture from being written there."""
    from impasto.media import writer_for

    if any(_same(target, source) for source in sources):
        faults.add(f"{target}: is one of the inputs, and inputs are never overwritten; choose another output")
    elif target.is_dir():
        faults.add(f"{target}: is a folder; name a file in it")
    elif target.exists() and not overwrite:
        faults.add(f"{target}: exists already; --overwrite replaces it")
    else:
        with faults.gathered():
            writer_for(target)


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def _check_folder(folder: Path, faults: Faults) -> None:
    if not folder.is_dir():
        faults.add(f"{folder}: no such folder to write into")
    elif not os.access(folder, os.W_OK):
        faults.add(f"{folder}: cannot be written to; choose another folder")
