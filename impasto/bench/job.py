"""BenchJob: how fast this machine paints, part by part, and what that comes to beside what the field knows.

Figures of one run can be set against each other. With --out they are kept in a file, part by part, from which a page and a chart
are drawn; measuring a part again replaces it alone.
"""
from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator

from impasto.bench import tables
from impasto.bench.network import Case, Fresh, Row, Size, measured
from impasto.bench.peers import PARAMETERS, PEER, PEERS, open_peer
from impasto.bench.shot import growth_rows, shot_rows, start_seconds
from impasto.errors import InputError
from impasto.job import Done, Job, Progress, option

if TYPE_CHECKING:
    from impasto.styles.package import StyleFile

PARTS = ("network", "peers", "roofline", "start", "shots", "growth", "learning")
GROWTH_TIER = ("live", "full", "mini")  # the first that a look has


class BenchJob(Job):
    """Measure how fast this machine paints."""

    command: ClassVar[str] = "bench"
    help: ClassVar[str] = "Measure how fast this machine paints and learns: networks alone, from file to file, and beside others."

    parts: str = option(
        "network",
        "what to measure, with commas, or all: network (alone), peers (shapes the field knows), roofline (share of what the "
        "machine can), start (one frame, from command to end), shots (from file to file), growth (cost by length and size), "
        "learning",
    )
    out: Path | None = option(
        None, "keep the figures in this .json, and draw a page (.md) and a chart (.png) beside it", flag="-o/--out"
    )
    style: str = option("", "name of a look, or a style file; the first look at hand if none is named")
    tier: Literal["all", "live", "full", "mini"] = option("all", "which of the look's networks to measure")
    engine: Literal["all", "openvino", "onnx", "pytorch"] = option("all", "which engine; all takes every one that works here")
    precision: Literal["all", "fp32", "bf16", "int8"] = option("all", "number format; all takes every one the engine has here")
    sizes: str = option("640x360,1280x720,1920x1080", "sizes of the picture, as WxH with commas between")
    seconds: float = option(2.0, "how long to repeat each case, in seconds", ge=0, le=600)
    shot: Path | None = option(None, "for the part shots, render this video instead of clips of the plate")
    frames: int = option(48, "how long the clips of the plate are, in frames", ge=2, le=100_000)
    peer: bool = option(True, f"with the networks, measure {PEER} ({PARAMETERS[PEER]} parameters) too, and tell ratios to it")

    @field_validator("sizes")
    @classmethod
    def _sizes_are_known(cls, value: str) -> str:
        for size in value.split(","):
            width, _, height = size.strip().lower().partition("x")
            if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
                raise ValueError(f"'{size}' is not a size: write for instance 1280x720")
        return value

    @field_validator("parts")
    @classmethod
    def _parts_are_known(cls, value: str) -> str:
        unknown = [part for part in value.split(",") if part.strip() not in (*PARTS, "all")]
        if unknown:
            raise ValueError(f"'{unknown[0]}' is no part: choose among {', '.join(PARTS)}, or all")
        return value

    def run(self) -> Iterator[Progress | Done]:
        """Measure part after part; what is measured is kept at once."""
        yield Progress("opening")
        style, kept = _open_style(self.style), _read(self.out)
        wanted = [part.strip() for part in self.parts.split(",")]
        wanted = list(PARTS) if "all" in wanted else ["shots" if self.shot else part for part in wanted]
        told = []
        for part in dict.fromkeys(wanted):
            rows: list[Any] = []
            for row in getattr(self, f"_{part}")(style):
                rows.append(row)
                yield Progress(f"measuring {part}", len(rows), unit="case", note=tables.in_words(part, asdict(row)))
            kept |= {"style": style.card.name, "machine": tables.machine(), part: [asdict(row) for row in rows]}
            told.append(tables.table(part, kept[part]))
            if self.out:
                _write(self.out, kept)
        yield Done(self.out, "\n\n".join([f"{style.card.name} on {kept['machine']}", *told]), kept)

    def _network(self, style: StyleFile) -> Iterator[Row]:
        """Case after case; the peer comes first, so that every later row can tell its ratio."""
        sizes, cases = self._sizes(), self._cases(style)
        peer_ms: dict[str, float] = {}
        if self.peer:
            for row in measured(PEER, open_peer(), sizes, self.seconds):
                peer_ms[row.size] = row.ms
                yield row
        for case in cases:
            for row in measured(case.tier, case.open(), sizes, self.seconds, case.planes):
                row.times_peer = round(peer_ms[row.size] / row.ms, 2) if peer_ms else None
                yield row

    def _peers(self, style: StyleFile) -> Iterator[Row]:
        """Every shape the field knows, and our networks as they run best, at one size; ratios are to the first."""
        size = self._sizes()[:2][-1:]
        base = 0.0
        for name in PEERS:
            for row in measured(name, open_peer(name), size, self.seconds):
                base = base or row.ms
                row.times_peer = round(base / row.ms, 2)
                yield row
        for case in self._best(style):
            for row in measured(case.tier, case.open(), size, self.seconds, case.planes):
                row.times_peer = round(base / row.ms, 2)
                yield row

    def _roofline(self, style: StyleFile) -> Iterator[Any]:
        from impasto.bench.roofline import roof_rows

        cases = [case for case in self._cases(style) if case.engine == "openvino"]
        yield from roof_rows(cases, self._sizes()[:2][-1], self.seconds)

    def _start(self, style: StyleFile) -> Iterator[tables.StartRow]:
        name = self.style or style.card.name
        for tier in self._tiers(style):
            for width, height in self._sizes():
                times = start_seconds(name, tier, (width, height))
                yield tables.StartRow(tier, f"{width}x{height}", min(times), sorted(times)[len(times) // 2])

    def _shots(self, style: StyleFile) -> Iterator[Any]:
        yield from shot_rows(self.style or style.card.name, self._tiers(style), self._sizes(), self.frames, self.shot)

    def _growth(self, style: StyleFile) -> Iterator[Any]:
        tiers = self._tiers(style)
        tier = next(tier for tier in GROWTH_TIER if tier in tiers)
        yield from growth_rows(self.style or style.card.name, tier, self._sizes(), 4 * self.frames)

    def _learning(self, style: StyleFile) -> Iterator[Any]:
        from impasto.bench.learning import learn_rows

        yield from learn_rows()

    def _sizes(self) -> list[Size]:
        found = (text.strip().lower().split("x") for text in self.sizes.split(","))
        return [(int(width), int(height)) for width, height in found]

    def _tiers(self, style: StyleFile) -> list[str]:
        have: list[str] = list(style.card.tiers)
        if self.tier != "all" and self.tier not in have:
            raise InputError(f"style {style.card.name} has no tier '{self.tier}': choose one of {', '.join(have)}")
        return have if self.tier == "all" else [self.tier]

    def _cases(self, style: StyleFile) -> list[Case]:
        """The look's networks in every way; of a mini that it does not have, the shape, where there is torch to make one."""
        from impasto import plugins

        cases = [Case(style, tier, *way) for tier in self._tiers(style) for way in self._ways()]
        torch = plugins.load("engines", "pytorch").available() is None
        if self.tier == "all" and "mini" not in style.card.tiers and torch:
            cases += [Fresh(style, "mini", *way) for way in self._ways()]
        return cases

    def _best(self, style: StyleFile) -> list[Case]:
        """Each network under one engine: the first that is asked for, in the precision it takes for 8 bits."""
        from impasto.engine import load_engine

        cases = self._cases(style)
        engine = "openvino" if any(case.engine == "openvino" for case in cases) else cases[0].engine
        usual = load_engine(engine).auto_precision(False)
        mine = [case for case in cases if case.engine == engine]
        return [case for case in mine if case.precision == usual] or mine

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


def _read(out: Path | None) -> dict[str, Any]:
    """What was measured before."""
    if out is None or not out.exists():
        return {}
    if out.suffix != ".json":
        raise InputError(f"{out}: figures are kept in a .json; name one")
    try:
        kept = json.loads(out.read_text("utf-8"))
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or "machine" not in kept:
        raise InputError(f"{out}: holds no figures of impasto bench; name another file, or remove it")
    return kept


def _write(out: Path, kept: dict[str, Any]) -> None:
    """The figures, and what is drawn from them."""
    from impasto.bench.chart import draw
    from impasto.bench.page import page

    if out.suffix != ".json":
        raise InputError(f"{out}: figures are kept in a .json; name one")
    for path, content in (
        (out, json.dumps(kept, indent=1).encode()),
        (out.with_suffix(".png"), draw(kept)),
        (out.with_suffix(".md"), page(kept, out).encode()),
    ):
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_bytes(content)
        temporary.replace(path)
