"""Measure the shipped looks, for docs/looks.md, and lay their paintings out on one sheet.

    tools/library.py                        every look, both tiers
    tools/library.py --only great-wave      this look alone; the figures of the others stay as they are
    tools/library.py --sheet-only           no figures, the sheet alone

Figures are those of `impasto evaluate`: on eight photographs that no look learnt from, at 512 pixels on the long side, and on
three clips of twelve frames. They go to training/library.json; the table for docs/looks.md is printed. A look's reference is
found under --data by what the look's card says it learnt from; a look made by rule has none, and no figure of style.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from impasto.errors import ImpastoError
from impasto.evaluate.eye import Eye
from impasto.evaluate.pairing import as_shown, fitted
from impasto.evaluate.reference import search, why_none
from impasto.evaluate.steadiness import AGAINST, Steadiness, summary
from impasto.media import open_reader
from impasto.media.flow import Plane
from impasto.media.oklab import as_float
from impasto.media.plate import Plate
from impasto.render.brush import Brush
from impasto.styles.library import SHIPPED
from impasto.styles.package import Card, StyleFile

SIDE = 512
PHOTOGRAPHS = {  # of training/held-out.txt, by what they show
    "portrait": "photos/portraits_acani/picture_12.jpg",
    "indoors": "photos/immich/craft-beer.jpg",
    "street": "photos/openimages_packt/assorted__bus.jpg",
    "night": "photos/immich/japanese-shop.jpg",
    "landscape": "photos/immich/tanners_ridge.jpg",
    "animal": "photos/mdn_cc0/Tiger--1280x1025.jpg",
    "text": "photos/immich/book-beside-flowers.jpg",
    "lamp light": "photos/coco_val2017/000000403353.jpg",
}
SHOWN = {  # on the sheet, which is published: others of that list, whose licences allow it (credits: docs/looks.md)
    "portrait": "photos/portraits_acani/picture_12.jpg",
    "people": "photos/kodak/kodim18.png",
    "sky": "photos/kodak/kodim03.png",
    "beach": "photos/kodak/kodim12.png",
    "animal": "photos/mdn_cc0/Tiger--1280x1025.jpg",
    "library": "photos/nextcloud_ccby/Library.jpg",
    "lamp light": "photos/coco_val2017/000000403353.jpg",
    "street": "photos/coco_val2017/000000525891.jpg",
}
FRAMES, PLATE_STEP = 12, 2  # of each clip; the plate's camera is slow, so every other frame of it is taken
CLIPS = {"plate": "", "mountain": "video/sintel_mountain_2", "people": "video/05_default_juggle.mp4"}
CELL, GAP, LABEL, MOST_BYTES = (240, 180), 4, 150, 900_000
PAPER, INK = (250, 248, 243), (40, 40, 40)
Frames = list[Plane]
Figures = dict[str, Any]


# ---- what is painted


def photographs(data: Path, places: Mapping[str, str]) -> dict[str, Plane]:
    """Photographs at the size they are measured at."""
    return {name: fitted(as_shown(data / place), SIDE) for name, place in places.items()}


def clip(name: str, data: Path) -> Frames:
    """The first frames of a clip, likewise."""
    if name == "plate":
        scene = Plate(SIDE, SIDE * 9 // 16)
        return [as_float(scene.frame(number * PLATE_STEP).rgb) for number in range(FRAMES)]
    with open_reader(data / CLIPS[name]) as reader:
        return [fitted(as_float(frame.rgb()), SIDE) for frame in reader.read(list(reader.numbers())[:FRAMES])]


def paints(card: Card) -> bool:
    """Whether a look paints a picture at its own size, from nothing but that picture."""
    return all(tier.scale == 1 and not tier.guides and not tier.noise for tier in card.tiers.values())


def looks_in(folder: Path) -> list[StyleFile]:
    """The looks of a folder that paint, by their names."""
    styles = [StyleFile.open(path) for path in sorted(folder.glob("*.style"))]
    return [style for style in styles if paints(style.card)]


def painter(style: StyleFile, tier: str) -> Callable[[Plane], Plane]:
    """A tier as a function of pictures: 8 bits in and out, fp32 between, as stills are painted."""
    brush = Brush(style, tier, "onnx", "fp32")
    return lambda picture: as_float(brush.paint(np.rint(picture * 255).astype(np.uint8)))


# ---- what is measured


def eye_for(card: Card, data: Path) -> Eye:
    """Who judges a look: with its reference, if it has one and it is there."""
    fault = why_none(card)
    found = [] if fault else search(card, data)
    if not found:
        say(f"{card.name}: {fault or 'its reference was not found, so there is no figure of style'}")
    return Eye([fitted(as_shown(file), SIDE) for file in found])


def measured(style: StyleFile, photos: Mapping[str, Plane], clips: Mapping[str, Frames], data: Path) -> Figures:
    """All figures of one look."""
    card, eye, tiers = style.card, eye_for(style.card, data), {}
    for tier, held in card.tiers.items():
        paint = painter(style, tier)
        rows = {name: eye.judge(photo, paint(photo)) for name, photo in photos.items()}
        moving = {name: steadiness(frames, [paint(frame) for frame in frames]) for name, frames in clips.items()}
        means = {"picture": summary(rows.values()), "moving": over_clips(list(moving.values()))}
        tiers[str(tier)] = {"graph_sha256": held.graph_sha256, "mean": means, "photographs": rows, "clips": moving}
        say(f"{card.name} {tier}: " + " ".join(row_of("", "", means)[2:]))
    return {"title": card.title, "recipe": card.training.recipe, "tiers": tiers}


def steadiness(source: Frames, painted: Frames) -> dict[str, float]:
    """The means of one clip."""
    watch = Steadiness()
    return summary([watch.take(*pair) for pair in zip(source, painted, strict=True)])


def over_clips(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over the clips; of what is told over the source's, the geometric one, for a quiet clip's ratio may be anything."""
    means = {name: float(np.mean([row[name] for row in found if name in row])) for name in {n: 0 for row in found for n in row}}
    ratios = {name: [max(row[name], 1e-3) for row in found if name in row] for name in AGAINST}
    return means | {name: float(np.exp(np.mean(np.log(values)))) for name, values in ratios.items() if values}


# ---- how it is told

HEAD = (
    "look", "tier", "style (photograph's)", "alien", "content", "structure", "detail", "colour",
    "warp error, 1 frame (source's)", "8 frames (source's)", "detail moves", "flicker",
)  # fmt: skip


def row_of(look: str, tier: str, means: Mapping[str, Mapping[str, float]]) -> tuple[str, ...]:
    """One row of the table; what a look has no figure for stays empty."""
    picture, moving = means["picture"], means["moving"]

    def beside(found: Mapping[str, float], name: str, decimals: int) -> str:
        return f"{found[name]:.{decimals}f} ({found[name + '_source']:.{decimals}f})" if name in found else ""

    alone = [f"{picture[name]:.{n}f}" if name in picture else "" for name, n in (("alien", 3), ("content", 3), ("structure", 2))]
    alone += [f"{picture['detail']:.2f}", f"{picture['colour']:.3f}"]
    steady = [beside(moving, "warp_short", 2), beside(moving, "warp_long", 2)]
    steady += [f"{moving[name]:.{n}f}" if name in moving else "" for name, n in (("detail", 2), ("flicker", 1))]
    return (look, tier, beside(picture, "style", 3), *alone, *steady)


def table(looks: Mapping[str, Figures]) -> str:
    """The rows of all looks as Markdown."""
    rows = [row_of(name, tier, found["mean"]) for name, look in looks.items() for tier, found in look["tiers"].items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in [HEAD, ("---",) * len(HEAD), *rows])


def kept(file: Path, styles: Sequence[StyleFile]) -> dict[str, Figures]:
    """Figures of an earlier run, of looks that are still there; those of a look that has changed since are told and left out."""
    before = json.loads(file.read_text("utf-8"))["looks"] if file.exists() else {}
    found = {}
    for style in styles:
        look = before.get(style.card.name)
        if look is None:
            continue
        if all(look["tiers"].get(tier, {}).get("graph_sha256") == held.graph_sha256 for tier, held in style.card.tiers.items()):
            found[style.card.name] = look
        else:
            say(f"{style.card.name}: has changed since it was measured, and its figures are left out: --only {style.card.name}")
    return found


def say(text: str) -> None:
    """A line to whoever waits."""
    sys.stderr.write(f"{text}\n")


# ---- the sheet


def sheet(styles: Sequence[StyleFile], photos: Mapping[str, Plane]) -> Image.Image:
    """Rows of looks, columns of photographs, the photographs themselves on top."""
    width, height = LABEL + len(photos) * (CELL[0] + GAP) + GAP, (len(styles) + 1) * (CELL[1] + GAP) + GAP
    drawn = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(drawn)
    for down, (title, name, cells) in enumerate(_rows(styles, photos)):
        top = GAP + down * (CELL[1] + GAP)
        at = top + 50
        for text, size in ((title, 18), (name, 14)):
            lines = _broken(text, size)
            pen.multiline_text((10, at), lines, INK, ImageFont.load_default(size), spacing=2)
            at += (lines.count("\n") + 1) * (size + 6) + 8
        for across, cell in enumerate(cells):
            drawn.paste(_cell(cell), (LABEL + across * (CELL[0] + GAP), top))
    return drawn


def _rows(styles: Sequence[StyleFile], photos: Mapping[str, Plane]) -> Iterator[tuple[str, str, Frames]]:
    yield "Photographs", "", list(photos.values())
    for style in styles:
        paint = painter(style, style.card.finest)
        yield style.card.title, f"{style.card.name}\n{style.card.finest}", [paint(photo) for photo in photos.values()]


def _broken(text: str, size: int) -> str:
    """A text in lines that fit beside the pictures."""
    font, lines = ImageFont.load_default(size), [""]
    for word in text.replace("\n", " \n ").split(" "):
        longer = f"{lines[-1]} {word}".strip(" ")
        if word == "\n" or font.getlength(longer) > LABEL - 16:
            lines.append("" if word == "\n" else word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def _cell(picture: Plane) -> Image.Image:
    """A picture cut to a cell's shape, a little above its middle, where heads are."""
    height, width = picture.shape[:2]
    scale = max(CELL[0] / width, CELL[1] / height)
    size = max(CELL[0], round(width * scale)), max(CELL[1], round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    left, top = (size[0] - CELL[0]) // 2, (size[1] - CELL[1]) // 3
    return Image.fromarray(np.rint(small[top : top + CELL[1], left : left + CELL[0]].clip(0, 1) * 255).astype(np.uint8))


def save_sheet(drawn: Image.Image, out: Path) -> None:
    """As good a JPEG as fits into the bytes a page may weigh."""
    for quality in range(90, 30, -4):
        drawn.save(out, quality=quality, optimize=True, progressive=True)
        if out.stat().st_size <= MOST_BYTES:
            return


def main(words: Sequence[str] | None = None) -> None:
    """Measure, write, print, lay out."""
    asked = _asked(words)
    styles = looks_in(asked.styles)
    unknown = set(asked.only) - {style.card.name for style in styles}
    if unknown:
        raise SystemExit(f"library: no look that paints is called {', '.join(sorted(unknown))} in {asked.styles}")
    if not asked.sheet_only:
        looks = kept(asked.figures, [style for style in styles if asked.only and style.card.name not in asked.only])
        photos = photographs(asked.data, PHOTOGRAPHS)
        clips = {name: clip(name, asked.data) for name in CLIPS}
        for style in styles:
            if not asked.only or style.card.name in asked.only:
                looks[style.card.name] = measured(style, photos, clips, asked.data)
        looks = dict(sorted(looks.items()))
        told = {"side": SIDE, "frames": FRAMES, "photographs": PHOTOGRAPHS, "clips": CLIPS, "looks": looks}
        asked.figures.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
        print(table(looks))
    save_sheet(sheet(styles, photographs(asked.data, SHOWN)), asked.sheet)


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="measure this look alone; may be repeated")
    parser.add_argument("--sheet-only", action="store_true", help="measure nothing")
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder of the photographs, clips and references"
    )
    parser.add_argument("--styles", type=Path, default=SHIPPED, help="folder of the looks")
    parser.add_argument("--figures", type=Path, default=Path("training/library.json"), help="where the figures go")
    parser.add_argument("--sheet", type=Path, default=Path("docs/images/looks.jpg"), help="where the sheet goes")
    return parser.parse_args(words)


if __name__ == "__main__":
    try:
        main()
    except ImpastoError as error:
        raise SystemExit(f"library: {error}") from None
