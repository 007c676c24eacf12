"""What was measured, as a table in words: each figure beside the source's own, and what is wanted of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SOURCE = "_source"


@dataclass(frozen=True)
class Figure:
    """How a figure is told: its words, what is wanted, and with how many decimals."""

    words: str
    wanted: str
    decimals: int = 2


PICTURE = {
    "psnr": Figure("PSNR, dB", "higher: nearer to the source", 1),
    "ssim": Figure("SSIM", "1: as the source"),
    "structure": Figure("structure kept", "1: every shape where it was"),
    "content": Figure("content distance", "0: all that was seen is there", 3),
    "style": Figure("style distance", "lower: nearer to the reference", 3),
    "alien": Figure("alien texture", "lower: less that the reference never shows", 3),
    "detail": Figure("fine detail, over the source's", "1: as much"),
    "detail_reference": Figure("fine detail, over the reference's", "1: as much"),
    "colour": Figure("colour distance", "0: the source's colours", 3),
    "palette": Figure("palette distance", "0: the reference's colours", 3),
}
MOVING = {
    "warp_short": Figure("warp error, 1 frame, x 1000", "near the source's"),
    "warp_long": Figure("warp error, 8 frames, x 1000", "near the source's"),
    "detail": Figure("detail moves with the picture", ".9 or more of the source's"),
    "flicker": Figure("flicker of what is smooth", "at most twice the source's", 1),
    "flicker_power": Figure("flicker at rest, x 1000", "near the source's", 3),
    "sticking": Figure("sticks to the screen", "0: not at all; below .1"),
}
ROOMS = {"picture": PICTURE, "moving": MOVING}


def table(means: Mapping[str, Mapping[str, float]]) -> str:
    """The means as aligned text; figures that could not be had are left out."""
    rows: list[tuple[str, ...]] = [("", "painting", "source", "wanted")]
    for room, figures in ROOMS.items():
        found = means.get(room, {})
        rows += [_row(name, figure, found) for name, figure in figures.items() if name in found]
    return aligned(rows)


def _row(name: str, figure: Figure, found: Mapping[str, float]) -> tuple[str, ...]:
    source = f"{found[name + SOURCE]:.{figure.decimals}f}" if name + SOURCE in found and f"{name}_output" not in found else ""
    return figure.words, f"{found[name]:.{figure.decimals}f}", source, figure.wanted


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells in columns: figures to the right, words to the left."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        figures = [cell.rjust(width) for cell, width in zip(row[1:3], widths[1:3], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *figures, row[3]]).rstrip())
    return "\n".join(lines)
