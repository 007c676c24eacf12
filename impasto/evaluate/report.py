"""What was measured, as a table in words: each figure beside the source's own, and what is wanted of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from impasto.evaluate.figures import OUTPUT, ROOMS, SOURCE, Figure


def table(means: Mapping[str, Mapping[str, float]]) -> str:
    """The means as aligned text; figures that could not be had are left out."""
    rows: list[tuple[str, ...]] = [("", "painting", "source", "wanted")]
    for room, figures in ROOMS.items():
        found = means.get(room, {})
        rows += [_row(name, figure, found) for name, figure in figures.items() if name in found]
    return in_columns(rows)


def _row(name: str, figure: Figure, found: Mapping[str, float]) -> tuple[str, ...]:
    source = f"{found[name + SOURCE]:.{figure.decimals}f}" if name + SOURCE in found and name + OUTPUT not in found else ""
    return figure.words, f"{found[name]:.{figure.decimals}f}", source, figure.wanted


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells in columns: words to the left in the first and the last, figures between them to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        figures = [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *figures, row[-1]]).rstrip())
    return "\n".join(lines)
