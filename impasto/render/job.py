"""RenderJob: pictures in, painted pictures out. Everything that can be known to be wrong is said before any work begins."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
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
        from impasto.render.pipeline import Brush, paint

        with Faults.gathering() as faults:
            self._check_words(faults)
            with faults.noted():
                style = self._style()
            infos = self._infos(faults)
        brush = Brush(style, self.tier, self.engine, self.precision, self.tile, self.strength)
        with self._folder():
            with Faults.gathering() as faults:
                targets = self._targets(faults)
                for source, target in zip(self.inputs, targets, strict=True):
                    check_target(target, self.inputs, brush.like(infos[source]), self.overwrite, faults)
                    with faults.noted():
                        brush.prepare(infos[source].depth != "uint8", str(source))
            yield from paint(list(zip(self.inputs, targets, strict=True)), brush, self.overwrite)

    def _check_words(self, faults: Faults) -> None:
        if len(self.style) > 1:
            faults.add(f"--style names {len(self.style)} looks ({', '.join(self.style)}): a render takes one")
        if self.frames != "all":
            faults.add(f"--frames {self.frames} picks frames of a sequence; these are single pictures: leave it out")

    def _style(self) -> StyleFile:
        from impasto.styles.library import find
        from impasto.styles.package import StyleFile

        style = StyleFile.open(find(self.style[0]))
        if self.tier not in style.card.tiers:
            raise InputError(f"style {style.card.name} has no tier '{self.tier}': choose one of {', '.join(style.card.tiers)}")
        return style

    def _infos(self, faults: Faults) -> dict[Path, ClipInfo]:
        from impasto.media import open_reader

        infos = {}
        for source in self.inputs:
            with faults.noted(), open_reader(source) as reader:
                infos[source] = reader.info
        return infos

    @contextmanager
    def _folder(self) -> Iterator[None]:
        """Several pictures get a folder; one that is made for them goes again if nothing came into it."""
        makes = len(self.inputs) > 1 and not self.out.is_dir()
        if makes:
            from impasto.media.landing import check_output

            if self.out.exists() or self.out.suffix:
                raise InputError(f"{self.out}: {len(self.inputs)} pictures need a folder to go into; name one")
            check_output(self.out)  # that its parent takes it
            self.out.mkdir()
        try:
            yield
        except BaseException:  # stopped or failed: an empty folder is no result; one that holds pictures stays
            if makes:
                with suppress(OSError):
                    self.out.rmdir()
            raise

    def _targets(self, faults: Faults) -> list[Path]:
        """Where each input's picture goes; inputs that would land on each other are a fault."""
        from impasto.media import WRITERS

        if not self.out.is_dir():
            return [self.out]
        targets = [self.out / (s.name if s.suffix.lower() in WRITERS else f"{s.stem}.png") for s in self.inputs]
        for number, target in enumerate(targets):
            if target in targets[:number]:
                first = self.inputs[targets.index(target)]
                faults.add(f"{first} and {self.inputs[number]} would both become {target}: render them into two folders")
        return targets


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


def check_target(target: Path, sources: Iterable[Path], like: ClipInfo, overwrite: bool, faults: Faults) -> None:
    """Note what keeps such a picture from being written there."""
    from impasto.media import open_writer
    from impasto.media.landing import same_file

    if any(same_file(target, source) for source in sources):
        faults.add(f"{target}: is one of the inputs, and inputs are never overwritten; choose another output")
    else:
        with faults.noted():
            open_writer(target, like, overwrite).abort()
