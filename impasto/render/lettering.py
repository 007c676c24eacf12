"""Letters on sheets: a font that has them, and lines that are not too long."""
from __future__ import annotations

import textwrap
from functools import cache
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont
    from PIL.ImageFont import ImageFont as BitmapFont

LONGEST_LINE = 36
WIDE_FROM = "\u2e80"  # letters from here on are about twice as wide
NO_LETTER = "\U0010ffff"  # what stands for it stands for every letter that a font lacks
# Looked for by name where the system keeps its fonts; the first that has the letters is taken
FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "STHeiti Light.ttc",
    "Arial Unicode.ttf",
    "arial.ttf",
    "DejaVuSans.ttf",
)


def font_for(text: str, size: int) -> FreeTypeFont | BitmapFont | None:
    """A font that has every letter of a text, pillow's own where it will do; None: there is none here."""
    if not text.isascii():
        fonts = (own_font(size), *(font for name in FONTS if (font := _installed(name, size))))
        return next((font for font in fonts if _has(font, text)), None)
    return own_font(size)


@cache
def own_font(size: int) -> FreeTypeFont | BitmapFont:
    """The font that comes with pillow."""
    return ImageFont.load_default(size)


def lines_of(text: str) -> list[str]:
    """A text as it stands under its picture: its own lines, and long ones broken."""
    return [piece for line in text.split("\n") for piece in _broken(line) or [""]]


def _broken(line: str) -> list[str]:
    return textwrap.wrap(line, LONGEST_LINE // (2 if any(letter >= WIDE_FROM for letter in line) else 1))


@cache
def _installed(name: str, size: int) -> FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def _has(font: FreeTypeFont | BitmapFont, text: str) -> bool:
    lacking = _drawn(font, NO_LETTER)
    return all(letter.isspace() or _drawn(font, letter) != lacking for letter in set(text))


def _drawn(font: FreeTypeFont | BitmapFont, letter: str) -> tuple[object, bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)
