"""The figures of each part in words and columns; one description serves the terminal and the page."""
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]
Column = tuple[str, Callable[[Figures], str]]  # its head, and what stands in it


@dataclass
class StartRow:
    """A command that paints one frame of a movie: from its start to its end."""

    tier: str
    size: str
    best_seconds: float
    seconds: float  # median


def _plain(name: str) -> Callable[[Figures], str]:
    return lambda row: str(row[name])


def _number(name: str, digits: int) -> Callable[[Figures], str]:
    return lambda row: "" if row[name] is None else f"{row[name]:.{digits}f}"


def _share(name: str) -> Callable[[Figures], str]:
    return lambda row: f"{100 * row[name]:.0f} %"


def _lost(row: Figures) -> str:
    return f"{100 * max(0.0, 1 - row['overlap']):.0f} %"


def _per_thousand(row: Figures) -> str:
    return f"{1000 * row['cpu_seconds'] / row['frames']:.0f}"


WHO: list[Column] = [("network", _plain("tier"))]
HOW: list[Column] = [("engine", _plain("engine")), ("precision", _plain("precision")), ("size", _plain("size"))]
NETWORK: list[Column] = [
    *WHO, *HOW, ("ms p50", _number("ms", 1)), ("ms p99", _number("p99_ms", 1)), ("best ms", _number("best_ms", 1)),
    ("fps", _number("fps", 2)), ("peak MiB", _plain("peak_mib")), ("x peer", _number("times_peer", 2)),
]  # fmt: skip
COLUMNS: dict[str, list[Column]] = {
    "network": NETWORK,
    "peers": NETWORK,
    "roofline": [
        *WHO, ("precision", _plain("precision")), ("size", _plain("size")), ("GFLOP a frame", _number("gflop", 1)),
        ("GFLOP/s", _number("gflops", 0)), ("peak GFLOP/s", _number("peak_gflops", 0)), ("share", _share("share")),
    ],
    "start": [*WHO, ("size", _plain("size")), ("best s", _number("best_seconds", 2)), ("median s", _number("seconds", 2))],
    "shots": [
        *WHO, ("engine", _plain("engine")), ("shot", _plain("source")), ("size", _plain("size")), ("frames", _plain("frames")),
        ("fps", _number("fps", 2)), ("read s", _number("read_seconds", 2)), ("paint s", _number("paint_seconds", 2)),
        ("write s", _number("write_seconds", 2)), ("lost", _lost), ("first s", _number("first_frame_seconds", 2)),
        ("peak MiB", _plain("peak_mib")),
    ],
    "growth": [
        *WHO, ("size", _plain("size")), ("frames", _plain("frames")), ("cpu s", _number("cpu_seconds", 1)),
        ("cpu s per 1,000", _per_thousand), ("fps", _number("fps", 2)), ("peak MiB", _plain("peak_mib")),
    ],
    "learning": [
        ("recipe", _plain("recipe")), ("tier", _plain("tier")), ("crops/s", _number("images_per_second", 2)),
        ("steps/s", _number("steps_per_second", 2)), ("peak MiB", _plain("peak_mib")),
    ],
}  # fmt: skip
WORDS = {"network", "engine", "precision", "size", "shot", "recipe", "tier"}  # columns that stand left


def cells(part: str, rows: Sequence[Figures]) -> list[list[str]]:
    """The head and the rows of a part's table."""
    return [[head for head, _ in COLUMNS[part]], *([told(row) for _, told in COLUMNS[part]] for row in rows)]


def table(part: str, rows: Sequence[Figures]) -> str:
    """A part as aligned text."""
    lines = cells(part, rows)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    left = [head in WORDS for head in lines[0]]

    def aligned(line: list[str]) -> str:
        every = zip(line, widths, left, strict=True)
        return "  ".join(text.ljust(width) if word else text.rjust(width) for text, width, word in every).rstrip()

    return "\n".join([f"{part}:", *map(aligned, lines)])


def in_words(part: str, row: Figures) -> str:
    """One row in a line, for whoever waits."""
    head, told = cells(part, [row])
    return ", ".join(text if name in WORDS else f"{text} {name}" for name, text in zip(head, told, strict=True) if text)


def machine() -> str:
    """The processor, and how many of its cores may be used."""
    from impasto.engine.choose import _processor
    from impasto.engine.devices import cores

    return f"{_processor().rpartition(' x')[0]}, {cores()} of {os.cpu_count()} cores"
