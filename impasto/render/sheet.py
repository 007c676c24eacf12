"""SheetJob: one picture in every look at hand, as a labelled sheet to choose from; and how pictures are laid out on a sheet."""
from __future__ import annotations

import textwrap
from collections.abc import Iterator
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from impasto.errors import ImpastoError
from impasto.job import Done, Job, Progress, option
from impasto.render.checks import Faults, check_target

if TYPE_CHECKING:
    from PIL import Image

    from impasto.frame import Pixels
    from impasto.styles.card import TierName
    from impasto.styles.library import Entry

PAPER, INK = (250, 248, 243), (40, 40, 40)
GAP_PX = 16
SMALLEST_TEXT_PX, LONGEST_LINE = 14, 36
CHECKER, SQUARE_PX = (112, 128), 8  # what shows through where a picture covers nothing


class SheetJob(Job):
    """Paint one picture in every look and write a labelled sheet."""

    command: ClassVar[str] = "styles sheet"
    help: ClassVar[str] = "Paint one picture in every look and write a labelled sheet."

    picture: Path = option(help="the picture to paint", argument=True)
    out: Path = option(help="the sheet, a PNG or JPEG", flag="-o/--out")
    tier: Literal["auto", "live", "full", "mini"] = option(
        "auto", "which network of each look paints, where it has that one; auto takes the finest"
    )
    cell: int = option(480, "width of each painting on the sheet, in pixels", ge=64, le=4096)
    columns: int = option(0, "paintings side by side; 0 chooses", ge=0, le=64)
    overwrite: bool = option(False, "replace the sheet if it exists")

    def run(self) -> Iterator[Progress | Done]:
        """Shrink the picture to a cell, paint it in each look, lay the cells out."""
        from impasto.frame import ClipInfo
        from impasto.styles.library import entries

        looks = entries()
        with Faults.gathering() as faults:
            with faults.noted():
                source = _shrunk(self.picture, self.cell)
            check_target(self.out, [self.picture], ClipInfo(1, 1), self.overwrite, faults)
            if not looks:
                faults.add("no looks are at hand: add one with 'impasto styles install FILE'")
        cells, broken = [("source", source)], []
        for number, look in enumerate(looks, 1):
            try:
                cells.append((look.name, _painted(source, look, self.tier)))
            except ImpastoError as error:
                broken.append(f"{look.name}: {error}")
                yield Progress("left out", note=broken[-1])
            yield Progress("painting", number, len(looks), "look")
        save_sheet(lay_out(cells, self.columns), self.out, self.overwrite)
        told = f"{len(cells) - 1} looks on {self.out}" + (f"; {len(broken)} left out" if broken else "")
        yield Done(self.out, told, {"looks": [name for name, _ in cells[1:]], "left_out": broken})


def lay_out(cells: list[tuple[str, Image.Image]], columns: int = 0) -> Image.Image:
    """Pictures of one size with their names under them, row by row on paper. A cell is never narrower than its name."""
    from PIL import Image, ImageDraw, ImageFont

    width, height = cells[0][1].size
    size = max(SMALLEST_TEXT_PX, width // 24)
    font, labels = ImageFont.load_default(size), [_lines(name) for name, _ in cells]
    room = max(width, *(4 + ceil(font.getlength(line)) for lines in labels for line in lines))
    below = size * 2 + (max(map(len, labels)) - 1) * _line_px(size)
    columns = min(columns or _columns_for(len(cells), room, height + below), len(cells))
    rows = -(-len(cells) // columns)
    across, down = room + GAP_PX, height + below + GAP_PX
    sheet = Image.new("RGB", (columns * across + GAP_PX, rows * down + GAP_PX), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (_, picture) in enumerate(cells):
        left, top = GAP_PX + number % columns * across, GAP_PX + number // columns * down
        sheet.paste(picture, (left, top))
        for place, line in enumerate(labels[number]):
            draw.text((left + 2, top + height + size + place * _line_px(size)), line, INK, font, anchor="lm")
    return sheet


def as_seen(pixels: Pixels) -> Image.Image:
    """A picture of any storage as a screen shows it; a quiet checker shows where it covers nothing."""
    import numpy as np
    from PIL import Image

    from impasto.frame import Frame
    from impasto.render.stored import from_engine, to_engine, unit

    frame = Frame(pixels)
    seen, alpha = from_engine(to_engine(frame.rgb()), np.dtype(np.uint8)), frame.alpha
    if alpha is not None:
        down, across = np.indices(alpha.shape) // SQUARE_PX
        beneath = np.where((down + across) % 2, *CHECKER)[..., np.newaxis]
        cover = np.nan_to_num(unit(alpha) if alpha.dtype.kind == "u" else alpha.astype(np.float32)).clip(0, 1)[..., np.newaxis]
        seen = np.rint(seen * cover + beneath * (1 - cover)).astype(np.uint8)
    return Image.fromarray(seen)


def _lines(name: str) -> list[str]:
    """A name as it stands under its picture: its own lines, and long ones broken."""
    return [piece for line in name.split("\n") for piece in textwrap.wrap(line, LONGEST_LINE) or [""]]


def _line_px(size: int) -> int:
    return round(size * 1.35)


def _columns_for(count: int, width: int, height: int) -> int:
    """As many as make the sheet about three wide to two high."""
    return max(1, round(sqrt(1.5 * count * height / width)))


def _shrunk(path: Path, width: int) -> Image.Image:
    import numpy as np
    from PIL import Image

    from impasto.render.stored import as_shown, from_engine, to_engine

    picture = Image.fromarray(from_engine(to_engine(as_shown(path)), np.dtype(np.uint8)))
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _painted(source: Image.Image, look: Entry, tier: TierName) -> Image.Image:
    import numpy as np
    from PIL import Image

    from impasto.render.brush import Brush
    from impasto.render.touch import Layer, check_layers
    from impasto.styles.package import StyleFile

    style = StyleFile.open(look.path)
    brush = Brush(style, tier if tier in style.card.tiers else style.card.finest)
    check_layers([Layer(brush)])
    return Image.fromarray(brush.paint(np.asarray(source)))


def save_sheet(sheet: Image.Image, out: Path, overwrite: bool) -> None:
    """Write a sheet as any other picture."""
    import numpy as np

    from impasto.frame import ClipInfo, Frame
    from impasto.media import open_writer

    with open_writer(out, ClipInfo(sheet.width, sheet.height), overwrite) as writer:
        writer.write(Frame(np.asarray(sheet)))
