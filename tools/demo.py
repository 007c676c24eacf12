"""The demo: paint sample pictures with both tiers of a shipped look and lay them side by side.

    python tools/demo.py out/demo.png [--style great-wave] [--picture photo.jpg]
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import impasto
from impasto.render.job import DEFAULT_STYLE

SIZE = "960x540"
FRAMES = 3
TIERS = ("live", "full")


def main() -> int:
    """Make the pictures, paint them, write the side-by-side and say what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--style", default=DEFAULT_STYLE)
    parser.add_argument("--picture", type=Path, action="append", help="paint this instead of sample frames (repeatable)")
    options = parser.parse_args()
    start = perf_counter()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory() as folder:
            figures = make(options.out, options.style, options.picture or [], Path(folder))
    except impasto.ImpastoError as error:
        sys.stderr.write(f"demo: {error}\n")
        return int(error.exit_code)
    for tier, speed in figures.items():
        sys.stdout.write(f"{tier}: {speed['paint_fps']} frames/s at {SIZE} ({speed['engine']})\n")
    sys.stdout.write(f"source | {' | '.join(TIERS)} -> {options.out.resolve()} ({perf_counter() - start:.1f} s)\n")
    return 0


def make(out: Path, style: str, pictures: list[Path], folder: Path) -> dict[str, dict[str, object]]:
    """Write the side-by-side; return each tier's figures."""
    from PIL import Image

    from impasto.render.sheet import lay_out

    impasto.open_style(style)  # an unknown look is said before any work
    if not pictures:
        impasto.sample(folder / "sample", size=SIZE, frames=FRAMES)
        pictures = sorted((folder / "sample").glob("*.png"))
    figures, cells = {}, []
    for tier in TIERS:
        done = impasto.render(pictures, folder / tier, style=style, tier=tier)
        figures[tier] = done.figures
    for picture in pictures:
        row = [("source", picture), *((f"{style}, {tier}", next((folder / tier).glob(f"{picture.stem}.*"))) for tier in TIERS)]
        cells += [(label, Image.open(path).convert("RGB")) for label, path in row]
    lay_out(cells, columns=len(TIERS) + 1).save(out)
    return figures


if __name__ == "__main__":
    sys.exit(main())
