"""Look at many looks in one network, and measure them, from a checkpoint of a training that may still be running.

    tools/looks.py runs/many-live/live/step-00001000.checkpoint runs/many --sheet sheet.png
    tools/looks.py runs/many-live/live runs/many --figures ../shared/data/weights     (the newest checkpoint of the folder)

The second argument is the folder with one folder per look. Rows of the sheet are looks, columns are held-out photographs, painted
by the learnt code or, with --read, by the code that the encoder reads. Figures are the relative Gram error
over four VGG19 taps (the square root of `losses.gram_style` for one picture at a time), averaged over the held-out photographs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from impasto.learn.material.data import Picture, gather_photos, read_pictures, resize, to_tensor
from impasto.learn.recipes.styles import Space
from impasto.models.generators.swift import Generator, Settings
from impasto.models.perception import TAPS, Perception

HELD_OUT = Path("training/held-out.txt")
COLUMNS, LONG_SIDE = 5, 480


def opened(place: Path) -> tuple[Generator, Space | None]:
    """The averaged generator, and the space of its codes where it has one."""
    path = max(place.glob("step-*.checkpoint")) if place.is_dir() else place
    state = torch.load(path, map_location="cpu", weights_only=True)
    weights, helpers = state["average"], state["helpers"]
    length = len(weights["code"]) if "code" in weights else 0
    generator = Generator(Settings(code=length)).eval()
    generator.load_state_dict(weights)
    if "space.codes" not in helpers:
        return generator, None
    space = Space(len(helpers["space.codes"]), length)
    space.load_state_dict({name.removeprefix("space."): value for name, value in helpers.items() if name.startswith("space.")})
    return generator, space


def whole(picture: Picture) -> torch.Tensor:
    """[1,3,H,W] with sides that the generator takes."""
    return to_tensor([picture[: picture.shape[0] // 4 * 4, : picture.shape[1] // 4 * 4]])


def to_picture(painted: torch.Tensor) -> Picture:
    """[1,3,H,W] -> [H,W,3]."""
    return np.asarray(np.rint(painted[0].permute(1, 2, 0).numpy().clip(0, 1) * 255), np.uint8)


def main() -> None:
    """Paint, lay out, measure."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("checkpoint", type=Path)
    words.add_argument("looks", type=Path)
    words.add_argument("--sheet", type=Path)
    words.add_argument("--figures", type=Path, help="folder of the teachers")
    words.add_argument("--read", action="store_true", help="by the encoder's codes")
    words.add_argument("--only", default="", help="one look: for a network that has only this")
    words.add_argument("--columns", type=int, default=COLUMNS)
    asked = words.parse_args()
    names = sorted(p.name for p in asked.looks.iterdir() if p.is_dir())
    references = [read_pictures(sorted((asked.looks / name).iterdir()), 512).images[0] for name in names]
    photos = gather_photos([HELD_OUT], LONG_SIDE).images
    photos = [photos[i * len(photos) // asked.columns] for i in range(asked.columns)]
    generator, space = opened(asked.checkpoint)
    files = [asked.figures / f"vgg19_{n}.safetensors" for n in ("normalised_relu3_1", "compact_relu5_1")] if asked.figures else []
    perception = Perception(files) if files else None
    rows, total = [[np.full((8, 8, 3), 30, np.uint8), *photos]], []
    with torch.inference_mode():
        for i, (name, reference) in enumerate(zip(names, references, strict=True)):
            if asked.only and name != asked.only:
                continue
            code = None
            if space is not None:
                code = space.encoder(to_tensor([reference])) if asked.read else space.codes[i : i + 1]
            painted = [generator(whole(photo), code) for photo in photos]
            rows.append([reference, *map(to_picture, painted)])
            if perception is not None:
                goal = {tap: f.gram()[0] for tap, f in perception(to_tensor([reference]), TAPS).items()}
                errors = [distance(perception, one, goal) for one in painted]
                total.append(float(np.mean(errors)))
                print(f"{name}: style {total[-1]:.3f}", flush=True)
    if total:
        print(f"mean: style {np.mean(total):.3f}")
    if asked.sheet:
        lay(rows).save(asked.sheet, quality=86)


def distance(perception: Perception, painted: torch.Tensor, goal: dict[str, torch.Tensor]) -> float:
    """The root of the mean over the taps of the relative squared Gram error."""
    taps = perception(painted, TAPS)
    return float(np.sqrt(np.mean([float((taps[t].gram()[0] - g).square().sum() / g.square().sum()) for t, g in goal.items()])))


def lay(rows: list[list[Picture]], across: int = 320, down: int = 214) -> Image.Image:
    """Rows of pictures as one, each picture fitted into its cell."""
    sheet = Image.new("RGB", (across * len(rows[0]), down * len(rows)), (30, 30, 30))
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            cell = Image.fromarray(resize(picture, across))
            cell.thumbnail((across - 4, down - 4))
            sheet.paste(cell, (x * across, y * down))
    return sheet


if __name__ == "__main__":
    main()
