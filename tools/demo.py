"""The demo: paint a shot with sound in a shipped look, and lay one of its frames beside the source in both tiers.

    python tools/demo.py out [--style great-wave]                 # out/demo.mp4 and out/demo.png
    python tools/demo.py docs/images --still --small              # the picture in the README
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import impasto
from impasto.render.job import DEFAULT_STYLE

SIZE, FRAMES = "960x540", 72
SEEDS = (0, 2)  # two places at two hours; the shot is of the first
SMALL_WIDTH_PX, SMALL_COLOURS = 1320, 256
TIERS = ("live", "full")


def main() -> int:
    """Make the sample footage, paint it, and say where the results lie and what they cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the folder for demo.mp4 and demo.png")
    parser.add_argument("--style", default=DEFAULT_STYLE)
    parser.add_argument("--still", action="store_true", help="only the side-by-side picture")
    parser.add_argument("--small", action="store_true", help="only its first row, shrunk, in few colours: for a document")
    options = parser.parse_args()
    start = perf_counter()
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        impasto.open_style(options.style)  # an unknown look is said before any work
        with TemporaryDirectory() as folder:
            if not options.still:
                say("live", paint_shot(options.out / "demo.mp4", options.style, Path(folder)))
            for tier, figures in lay_side_by_side(options.out / "demo.png", options.style, Path(folder), options.small).items():
                say(tier, figures)
    except impasto.ImpastoError as error:
        sys.stderr.write(f"demo: {error}\n")
        return int(error.exit_code)
    sys.stdout.write(f"done in {perf_counter() - start:.1f} s\n")
    return 0


def say(tier: str, figures: dict[str, Any]) -> None:
    """One line about one result."""
    speed = f"{figures['paint_fps']} frames/s painting, {figures['fps']} from file to file"
    sys.stdout.write(f"{tier}, {figures['size']}: {speed} ({figures['engine']}) -> {figures['out']}\n")
    sys.stdout.flush()


def paint_shot(out: Path, style: str, folder: Path) -> dict[str, Any]:
    """Write a sample shot with sound and paint it; return the figures."""
    shot = folder / "plate.mp4"
    impasto.sample(shot, size=SIZE, frames=FRAMES, seed=SEEDS[0])
    done = impasto.render(shot, out, style=style, tier="live", overwrite=True, fresh=True)
    return {**done.figures, "out": out.resolve()}


def lay_side_by_side(out: Path, style: str, folder: Path, small: bool) -> dict[str, dict[str, Any]]:
    """Write the side-by-side: source and tiers, a row per scene; return each tier's figures."""
    from PIL import Image

    from impasto.render.sheet import lay_out

    pictures = [folder / f"seed-{seed}.png" for seed in SEEDS]
    for seed, picture in zip(SEEDS, pictures, strict=True):
        impasto.sample(picture, size=SIZE, frames=1, seed=seed)
    figures = {tier: impasto.render(pictures, folder / tier, style=style, tier=tier).figures for tier in TIERS}
    cells = []
    for picture in pictures[:1] if small else pictures:
        row = [("source", picture), *((f"{style}, {tier}", folder / tier / picture.name) for tier in TIERS)]
        cells += [(label, Image.open(path).convert("RGB")) for label, path in row]
    sheet = lay_out(cells, columns=len(TIERS) + 1)
    if small:
        height = round(sheet.height * SMALL_WIDTH_PX / sheet.width)
        sheet = sheet.resize((SMALL_WIDTH_PX, height), Image.Resampling.LANCZOS).quantize(SMALL_COLOURS)
    sheet.save(out, optimize=small)
    return {tier: {**each, "out": out.resolve()} for tier, each in figures.items()}


if __name__ == "__main__":
    sys.exit(main())
