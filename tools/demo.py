"""The demo: paint sample pictures with both tiers of a shipped look and lay them side by side.

    python tools/demo.py out/demo.png [--style great-wave] [--picture photo.jpg]
    python tools/demo.py docs/images/demo.png --small        # the picture in the README
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
SEEDS = (0, 2)  # two places at two hours
SMALL_WIDTH_PX, SMALL_COLOURS = 1320, 256
TIERS = ("live", "full")


def main() -> int:
    """Make the pictures, paint them, write the side-by-side and say what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--style", default=DEFAULT_STYLE)
    parser.add_argument("--picture", type=Path, action="append", help="paint this instead of sample frames (repeatable)")
    parser.add_argument("--small", action="store_true", help="only the first row, shrunk, in few colours: for a document")
    options = parser.parse_args()
    start = perf_counter()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory() as folder:
            figures = make(options.out, options.style, options.picture or [], Path(folder), options.small)
    except impasto.ImpastoError as error:
        sys.stderr.write(f"demo: {error}\n")
        return int(error.exit_code)
    for tier, speed in figures.items():
        sys.stdout.write(f"{tier}: {speed['paint_fps']} frames/s at {SIZE} ({speed['engine']})\n")
    sys.stdout.write(f"source | {' | '.join(TIERS)} -> {options.out.resolve()} ({perf_counter() - start:.1f} s)\n")
    return 0


def make(out: Path, style: str, pictures: list[Path], folder: Path, small: bool) -> dict[str, dict[str, object]]:
    """Write the side-by-side; return each tier's figures."""
    from PIL import Image

    from impasto.render.sheet import lay_out

    impasto.open_style(style)  # an unknown look is said before any work
    if not pictures:
        pictures = [folder / f"seed-{seed}.png" for seed in SEEDS]
        for seed, picture in zip(SEEDS, pictures, strict=True):
            impasto.sample(picture, size=SIZE, frames=1, seed=seed)
    figures = {tier: impasto.render(pictures, folder / tier, style=style, tier=tier, overwrite=True).figures for tier in TIERS}
    cells = []
    for picture in pictures[:1] if small else pictures:
        row = [("source", picture), *((f"{style}, {tier}", next((folder / tier).glob(f"{picture.stem}.*"))) for tier in TIERS)]
        cells += [(label, Image.open(path).convert("RGB")) for label, path in row]
    sheet = lay_out(cells, columns=len(TIERS) + 1)
    if small:
        height = round(sheet.height * SMALL_WIDTH_PX / sheet.width)
        sheet = sheet.resize((SMALL_WIDTH_PX, height), Image.Resampling.LANCZOS).quantize(SMALL_COLOURS)
    sheet.save(out, optimize=small)
    return figures


if __name__ == "__main__":
    sys.exit(main())
