"""SheetJob: one frame in every look at hand, as a labelled sheet to choose from; and how pictures are laid out on a sheet."""
from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from impasto.errors import ImpastoError, InputError
from impasto.job import Done, Job, Progress, counted, option
from impasto.render.checks import Faults, check_target

if TYPE_CHECKING:
    from PIL import Image

    from impasto.frame import Pixels
    from impasto.render.looks import Look
    from impasto.styles.card import TierName
    from impasto.styles.library import Entry
    from impasto.styles.package import StyleFile

SHEETS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
PAPER, INK = (250, 248, 243), (40, 40, 40)
GAP_PX = 16
SMALLEST_TEXT_PX = 14
LONGEST_TITLE = 60
CHECKER, SQUARE_PX = (112, 128), 8  # what shows through where a picture covers nothing
LONGEST_SIDE_PX = 1280  # larger frames are shrunk to this before they are painted: a sheet is to be had in seconds
MOST_OF_ONE = 12  # looks of one style that are shown
QUICK = ("openvino", "onnx")  # engines in the order in which they show a first picture; none is measured


class SheetJob(Job):
    """Paint one frame in every look and write a labelled sheet."""

    command: ClassVar[str] = "styles sheet"
    help: ClassVar[str] = "Paint one frame in every look and write a labelled sheet."

    shot: Path = option(help="a picture, a video, or a sequence (a folder, or a pattern such as 'shot.####.png')", argument=True)
    out: Path = option(help="the sheet, a PNG or JPEG", flag="-o/--out")
    frame: int | None = option(None, "which frame of a video or sequence; else the one in the middle", ge=0)
    tier: Literal["auto", "live", "full", "mini"] = option(
        "live", "which network of each look paints, where it has that one; auto takes the finest"
    )
    cell: int = option(640, "longer side of each painting on the sheet, in pixels", ge=64, le=4096)
    columns: int = option(0, "paintings side by side; 0 chooses", ge=0, le=64)
    overwrite: bool = option(False, "replace the sheet if it exists")

    def run(self) -> Iterator[Progress | Done]:
        """Read the frame, paint it in each look, lay the cells out."""
        from impasto.frame import ClipInfo
        from impasto.styles.library import entries

        with Faults.gathering() as faults:
            with faults.noted():
                source = read_source(self.shot, self.frame)
            if self.out.suffix.lower() not in SHEETS:
                raise InputError(f"{self.out}: a sheet is a picture: write a .png or .jpg")
            check_target(self.out, [self.shot], ClipInfo(1, 1), self.overwrite, faults)
        looks, left_out = chosen(entries(), self.tier)
        for fault in left_out:
            yield Progress("left out", note=fault)
        cells, names = [(source.told, source.cell(source.rgb, self.cell))], list[str]()
        for number, look in enumerate(looks, 1):
            try:
                cells.append((look.label, _painted(source, look, self.cell)))
                names.append(look.name)
            except ImpastoError as error:
                left_out.append(f"{look.name}: {error}")
                yield Progress("left out", note=left_out[-1])
            yield Progress("painting", number, len(looks), "look")
        if not names:
            raise InputError("no looks are at hand that could paint it: add one with 'impasto styles install FILE'")
        save_sheet(lay_out(cells, self.columns), self.out, self.overwrite)
        told = f"{source.told} in {counted(len(names), 'look')} on {self.out}"
        told += f"; {len(left_out)} left out" if left_out else ""
        if source.shrunk > 1:
            told += f"; painted at {LONGEST_SIDE_PX} pixels, which --scale {min(source.shrunk, 4):.3g} does in its own size"
        yield Done(self.out, told, {"looks": names, "left_out": left_out, "frame": source.number})


@dataclass(frozen=True)
class Source:
    """The frame that is painted, as a screen shows it."""

    rgb: Pixels  # bytes
    alpha: Pixels | None
    told: str  # which it is
    number: int
    shrunk: float  # by how much, to be painted in a moment

    def cell(self, rgb: Pixels, longest: int) -> Image.Image:
        """A painting of it as it stands on the sheet."""
        import numpy as np

        picture = as_seen(rgb if self.alpha is None else np.dstack([rgb, self.alpha]))
        return _shrunk(picture, longest)


@dataclass(frozen=True)
class Painting:
    """One look that is to be on the sheet."""

    look: Look
    tier: TierName
    name: str  # what to type
    label: str


def read_source(shot: Path, number: int | None) -> Source:
    """One frame of a shot, the middle one where none is named, no larger than a sheet needs."""
    import numpy as np
    from PIL import Image

    from impasto.frame import Frame
    from impasto.media import open_reader
    from impasto.media.encoding import Decoding
    from impasto.render.errands import Selection, survey
    from impasto.render.hand import Hand
    from impasto.render.knobs import Curve
    from impasto.render.stored import from_engine, to_engine
    from impasto.render.touch import Touch

    wanted = "all" if number is None else str(number)
    clip = survey(shot, Selection(wanted, reading=Decoding("skip" if number is None else "error")))
    with open_reader(clip.source, clip.reading) as reader:
        frame = next(reader.read([clip.numbers[len(clip.numbers) // 2]]))
    shown = Hand(clip, [], Touch(strength=Curve(((0, 0.0),))), Path("sheet.png")).paint(frame)
    seen = Frame(from_engine(to_engine(shown.pixels), np.dtype(np.uint8)))
    rgb, alpha = Image.fromarray(seen.rgb()), seen.alpha
    shrunk = max(rgb.size) / LONGEST_SIDE_PX
    told = f"{shot.name}" if clip.kind == "picture" else f"frame {frame.number} of {shot.name}"
    if shrunk > 1:
        cover = None if alpha is None else np.asarray(_shrunk(Image.fromarray(alpha), LONGEST_SIDE_PX))
        rgb, alpha = _shrunk(rgb, LONGEST_SIDE_PX), cover
    return Source(np.asarray(rgb), alpha, told, frame.number, max(shrunk, 1.0))


def chosen(entries: Sequence[Entry], tier: str) -> tuple[list[Painting], list[str]]:
    """The looks that a sheet shows, and why others are left out; what enlarges or draws from noise is no look for a picture."""
    from impasto.styles.package import StyleFile

    found, left_out = list[Painting](), list[str]()
    for entry in entries:
        try:
            style = StyleFile.open(entry.path)
        except ImpastoError as error:
            left_out.append(f"{entry.name}: {error}")
            continue
        held = tier if tier in style.card.tiers else style.card.finest
        told = style.card.tiers[held]
        if told.guides:
            left_out.append(f"{entry.name}: paints with guides ({', '.join(told.guides)}), and a sheet has the picture alone")
        elif not told.noise and told.scale == 1:
            found += _looks_of(style, held, entry.name)
            if len(told.codes) > MOST_OF_ONE:
                left_out.append(f"{entry.name}: {len(told.codes) - MOST_OF_ONE} more of its {len(told.codes)} looks")
    return found, left_out


def _looks_of(style: StyleFile, tier: TierName, name: str) -> list[Painting]:
    """The look of a style, or the first of its many."""
    from impasto.render.lettering import font_for
    from impasto.render.looks import Look

    title = textwrap.shorten(style.card.title, LONGEST_TITLE, placeholder=" ...")
    codes = list(style.card.tiers[tier].codes.items())[:MOST_OF_ONE]
    looks = [(Look(style, word, tuple(code)), f"{name}#{word}", f"{title}: {word}") for word, code in codes]
    made = []
    for look, typed, called in looks or [(Look(style), name, title)]:
        legible = called != typed and font_for(called, SMALLEST_TEXT_PX) is not None
        made.append(Painting(look, tier, typed, f"{called}\n{typed} ({tier})" if legible else f"{typed} ({tier})"))
    return made


def _painted(source: Source, painting: Painting, longest: int) -> Image.Image:
    from impasto import plugins
    from impasto.render.brush import Brush

    engine = next((name for name in QUICK if plugins.load("engines", name).available() is None), "auto")
    return source.cell(Brush(painting.look, painting.tier, engine).paint(source.rgb), longest)


def lay_out(cells: list[tuple[str, Image.Image]], columns: int = 0) -> Image.Image:
    """Pictures of one size with their names under them, row by row on paper. A cell is never narrower than its name."""
    from PIL import Image, ImageDraw

    from impasto.render.lettering import font_for, lines_of, own_font

    width, height = cells[0][1].size
    size = max(SMALLEST_TEXT_PX, max(width, height) // 24)
    labels = [[(line, font_for(line, size) or own_font(size)) for line in lines_of(name)] for name, _ in cells]
    room = max(width, *(4 + ceil(font.getlength(line)) for lines in labels for line, font in lines))
    below = size * 2 + (max(map(len, labels)) - 1) * _line_px(size)
    columns = min(columns or _columns_for(len(cells), room, height + below), len(cells))
    rows = -(-len(cells) // columns)
    across, down = room + GAP_PX, height + below + GAP_PX
    sheet = Image.new("RGB", (columns * across + GAP_PX, rows * down + GAP_PX), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (_, picture) in enumerate(cells):
        left, top = GAP_PX + number % columns * across, GAP_PX + number // columns * down
        sheet.paste(picture, (left, top))
        for place, (line, font) in enumerate(labels[number]):
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


def _line_px(size: int) -> int:
    return round(size * 1.35)


def _columns_for(count: int, width: int, height: int) -> int:
    """As many as make the sheet about three wide to two high."""
    return max(1, round(sqrt(1.5 * count * height / width)))


def _shrunk(picture: Image.Image, longest: int) -> Image.Image:
    """The picture with its longer side as long as that; a smaller one is made larger only for its cell."""
    from PIL import Image

    factor = longest / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    return picture if picture.size == (width, height) else picture.resize((width, height), Image.Resampling.LANCZOS)


def save_sheet(sheet: Image.Image, out: Path, overwrite: bool) -> None:
    """Write a sheet as any other picture."""
    import numpy as np

    from impasto.frame import ClipInfo, Frame
    from impasto.media import open_writer

    with open_writer(out, ClipInfo(sheet.width, sheet.height), overwrite) as writer:
        writer.write(Frame(np.asarray(sheet)))
