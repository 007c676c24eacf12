"""BenchJob: how fast this machine paints, by the network alone or from file to file.

Figures of one run can be set against each other, and against a shape the field knows (peer.py).
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import field_validator

from impasto.bench.network import Case, Row, Size, measured
from impasto.bench.peer import PEER, PEER_PARAMETERS, open_peer
from impasto.bench.shot import ShotRow, shot_rows
from impasto.errors import InputError
from impasto.job import Done, Job, Progress, option

if TYPE_CHECKING:
    from impasto.styles.package import StyleFile


class BenchJob(Job):
    """Measure how fast this machine paints."""

    command: ClassVar[str] = "bench"
    help: ClassVar[str] = "Measure how fast this machine paints: the network alone, and with --shots from file to file."

    style: str = option("", "name of a look, or a style file; the first look at hand if none is named")
    tier: Literal["all", "live", "full", "mini"] = option("all", "which of the look's networks to measure")
    engine: Literal["all", "openvino", "onnx", "pytorch"] = option("all", "which engine; all takes every one that works here")
    precision: Literal["all", "fp32", "bf16", "int8"] = option("all", "number format; all takes every one the engine has here")
    sizes: str = option("640x360,1280x720,1920x1080", "sizes of the picture, as WxH with commas between")
    seconds: float = option(2.0, "how long to repeat each case, in seconds", ge=0, le=600)
    shots: bool = option(False, "render clips of the procedural plate from file to file instead of measuring the network alone")
    shot: Path | None = option(None, "render this video instead of clips of the plate; means --shots")
    frames: int = option(96, "how long the clips of the plate are, in frames", ge=2, le=100_000)
    peer: bool = option(True, f"measure the {PEER} shape ({PEER_PARAMETERS}) too, and set the others against it")

    @field_validator("sizes")
    @classmethod
    def _sizes_are_known(cls, value: str) -> str:
        for size in value.split(","):
            width, _, height = size.strip().lower().partition("x")
            if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
                raise ValueError(f"'{size}' is not a size: write for instance 1280x720")
        return value

    def run(self) -> Iterator[Progress | Done]:
        """Measure case after case; the peer comes first, so that every later row can tell its ratio."""
        yield Progress("opening")
        style = _open_style(self.style)
        if self.shots or self.shot:
            yield from self._shots(style)
            return
        cases = [Case(style, tier, *way) for tier in self._tiers(style) for way in self._ways()]
        sizes = [_size(text) for text in self.sizes.split(",")]
        total = (len(cases) + self.peer) * len(sizes)
        rows: list[Row] = []
        for row in self._measured(cases, sizes):
            rows.append(row)
            note = f"{row.tier} {row.engine} {row.precision} {row.size}: {row.fps:.1f} fps"
            yield Progress("measuring", len(rows), total, "case", note=note)
        figures = {"style": style.card.name, "rows": [asdict(row) for row in rows]}
        yield Done(None, f"{style.card.name}, the network alone\n{table(rows)}", figures)

    def _shots(self, style: StyleFile) -> Iterator[Progress | Done]:
        tiers, sizes = self._tiers(style), [_size(text) for text in self.sizes.split(",")]
        total, rows = len(tiers) * (1 if self.shot else len(sizes)), []
        yield Progress("making clips", note="of the procedural plate") if not self.shot else Progress("rendering")
        for row in shot_rows(self.style or style.card.name, tiers, sizes, self.frames, self.shot):
            rows.append(row)
            yield Progress("rendering", len(rows), total, "shot", note=f"{row.tier} {row.size}: {row.fps:.1f} fps")
        figures = {"style": style.card.name, "shots": [asdict(row) for row in rows]}
        yield Done(None, f"{style.card.name}, from file to file\n{shot_table(rows)}", figures)

    def _tiers(self, style: StyleFile) -> list[str]:
        have: list[str] = list(style.card.tiers)
        if self.tier != "all" and self.tier not in have:
            raise InputError(f"style {style.card.name} has no tier '{self.tier}': choose one of {', '.join(have)}")
        return have if self.tier == "all" else [self.tier]

    def _ways(self) -> list[tuple[str, str]]:
        """The engines and precisions to measure."""
        from impasto import plugins
        from impasto.engine import load_engine

        every = self.engine == "all"
        ways: list[tuple[str, str]] = []
        for name in plugins.names("engines") if every else [self.engine]:
            with suppress(InputError) if every else nullcontext():  # of all engines, those that are installed
                module = load_engine(name)
                fit_here = {module.auto_precision(deep) for deep in (True, False)}
                wanted = fit_here if self.precision == "all" else {self.precision} & set(module.PRECISIONS)
                ways += [(name, precision) for precision in sorted(wanted)]
        if not ways:
            raise InputError(f"no engine asked for ({self.engine}) has precision {self.precision}: choose another, or all")
        return ways

    def _measured(self, cases: list[Case], sizes: list[Size]) -> Iterator[Row]:
        peer_ms: dict[str, float] = {}
        if self.peer:
            for row in measured(PEER, open_peer(), sizes, self.seconds):
                peer_ms[row.size] = row.ms
                yield row
        for case in cases:
            for row in measured(case.tier, case.open(), sizes, self.seconds, case.planes):
                row.times_peer = round(peer_ms[row.size] / row.ms, 2) if peer_ms else None
                yield row


def table(rows: list[Row]) -> str:
    """The rows of networks as aligned text."""
    head = ("network", "engine", "precision", "size", "ms", "best ms", "fps", "peak MiB", "x peer")
    lines = []
    for row in rows:
        ratio = "" if row.times_peer is None else f"{row.times_peer:.2f}"
        figures = (f"{row.ms:.1f}", f"{row.best_ms:.1f}", f"{row.fps:.2f}", str(row.peak_mib), ratio)
        lines.append((row.tier, row.engine, row.precision, row.size, *figures))
    return _aligned([head, *lines], words=4)


def shot_table(rows: list[ShotRow]) -> str:
    """The rows of shots as aligned text."""
    head: tuple[str, ...] = ("network", "engine", "shot", "size", "frames", "fps")
    head += ("read s", "paint s", "write s", "overlap", "first s", "peak MiB")
    lines = []
    for row in rows:
        stages = (f"{row.read_seconds:.2f}", f"{row.paint_seconds:.2f}", f"{row.write_seconds:.2f}", f"{row.overlap:.2f}")
        figures = (str(row.frames), f"{row.fps:.2f}", *stages, f"{row.first_frame_seconds:.2f}", str(row.peak_mib))
        lines.append((row.tier, row.engine, row.source, row.size, *figures))
    return _aligned([head, *lines], words=4)


def _aligned(lines: list[tuple[str, ...]], words: int) -> str:
    """Columns of one width each: the first ones are words and stand left, the others are figures and stand right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def row(line: tuple[str, ...]) -> str:
        cells = [text.ljust(w) if i < words else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths, strict=True))]
        return "  ".join(cells).rstrip()

    return "\n".join(row(line) for line in lines)


def _open_style(name: str) -> StyleFile:
    from impasto.render.looks import parted
    from impasto.styles.library import entries, find
    from impasto.styles.package import StyleFile

    if name:
        return StyleFile.open(find(parted(name)[0]))
    looks = entries()
    if not looks:
        raise InputError("there is no look to measure with: give one with --style FILE")
    return StyleFile.open(looks[0].path)


def _size(text: str) -> Size:
    width, height = text.strip().lower().split("x")
    return int(width), int(height)
