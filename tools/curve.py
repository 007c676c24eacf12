"""Print how the held-out figures of a training went, as a Markdown table: `python tools/curve.py look.run/live --rows 8`."""

from __future__ import annotations

import argparse
from pathlib import Path

from impasto.learn.run.record import read_curve

CURVE = "curve.jsonl"


def table(folder: Path, rows: int) -> str:
    """The held-out figures over time: the first look, the last, and some between them."""
    looks = [line for line in read_curve(folder / CURVE) if any(name.startswith("held/") for name in line)]
    if not looks:
        return "no held-out figures yet"
    names = [name for name in looks[0] if name.startswith("held/")]
    chosen = sorted({round(i * (len(looks) - 1) / max(1, rows - 1)) for i in range(rows)})
    lines = [["step", "minutes", *(name.removeprefix("held/") for name in names)], ["---:"] * (2 + len(names))]
    for i in chosen:
        figures = [f"{looks[i].get(name, float('nan')):.3g}" for name in names]
        lines.append([str(looks[i]["step"]), f"{looks[i]['seconds'] / 60:.1f}", *figures])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Read the words of the command line and print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path, help="the folder of one tier of a run")
    words.add_argument("--rows", type=int, default=8, help="how many rows at most")
    chosen = words.parse_args()
    print(table(chosen.folder, chosen.rows))


if __name__ == "__main__":
    main()
