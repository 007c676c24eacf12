"""SheetJob: one picture in every look at hand, as a labelled sheet to choose from."""
from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from impasto.errors import ImpastoError
from impasto.job import Done, Job, Progress, option
from impasto.render.checks import Faults, check_target

if TYPE_CHECKING:
    from PIL import Image

    from impasto.styles.card import TierName
    from impasto.styles.library import Entry

PAPER, INK = (250, 248, 243), (40, 40, 40)
GAP_PX = 16


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
    """Pictures of one size with their names under them, row by row on paper."""
    from PIL import Image, ImageDraw, ImageFont

    width, height = cells[0][1].size
    columns = min(columns or _columns_for(len(cells), width, height), len(cells))
    rows = -(-len(cells) // columns)
    size = max(14, width // 24)
    font, line = ImageFont.load_default(size), size * 2
    across, down = width + GAP_PX, height + line + GAP_PX
    sheet = Image.new("RGB", (columns * across + GAP_PX, rows * down + GAP_PX), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (name, picture) in enumerate(cells):
        left, top = GAP_PX + number % columns * across, GAP_PX + number // columns * down
        sheet.paste(picture, (left, top))
        draw.text((left + 2, top + height + line // 2), name, INK, font, anchor="lm")
    return sheet


def _columns_for(count: int, width: int, height: int) -> int:
    """As many as make the sheet about three wide to two high."""
    return max(1, round(sqrt(1.5 * count * height / width)))


def _shrunk(path: Path, width: int) -> Image.Image:
    import numpy as np
    from PIL import Image

    from impasto.media import open_reader
    from impasto.render.stored import from_engine, to_engine

    with open_reader(path) as reader:
        frame = next(iter(reader))
    picture = Image.fromarray(from_engine(to_engine(frame.rgb()), np.dtype(np.uint8)))
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _painted(source: Image.Image, look: Entry, tier: TierName) -> Image.Image:
    import numpy as np
    from PIL import Image

    from impasto.render.brush import Brush
    from impasto.styles.package import StyleFile

    style = StyleFile.open(look.path)
    brush = Brush(style, tier if tier in style.card.tiers else style.card.finest)
    return Image.fromarray(brush.paint(np.asarray(source)))


def save_sheet(sheet: Image.Image, out: Path, overwrite: bool) -> None:
    """Write a sheet as any other picture."""
    import numpy as np

    from impasto.frame import ClipInfo, Frame
    from impasto.media import open_writer

    with open_writer(out, ClipInfo(sheet.width, sheet.height), overwrite) as writer:
        writer.write(Frame(np.asarray(sheet)))
