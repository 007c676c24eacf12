"""A chart of the networks: frames per second at one size, as bars on a scale of powers of ten."""
from __future__ import annotations

from io import BytesIO
from math import ceil, floor, log10
from typing import Any

from PIL import Image, ImageDraw, ImageFont

WIDTH, LEFT, RIGHT, TOP, BAR, GAP = 1040, 300, 90, 74, 20, 8
PAPER, INK, GREY = (250, 249, 246), (30, 30, 34), (206, 204, 198)
COLOURS = {"live": (200, 60, 40), "full": (160, 90, 160), "mini": (224, 140, 40)}
THEIRS = (120, 130, 150)
REAL_TIME = 24


def draw(kept: dict[str, Any]) -> bytes:
    """The chart as a PNG; of what was not measured nothing is shown."""
    bars = _bars(kept)
    speeds = [fps for _, fps, _ in bars] + [REAL_TIME]
    low, high = floor(log10(min(speeds))), ceil(log10(max(speeds)) + 0.05)
    height = TOP + len(bars) * (BAR + GAP) + 46
    picture = Image.new("RGB", (WIDTH, height), PAPER)
    pen, small, large = ImageDraw.Draw(picture), ImageFont.load_default(15), ImageFont.load_default(20)

    def across(fps: float) -> float:
        return LEFT + (log10(fps) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    size = _size(kept)
    pen.text((24, 18), f"Frames per second at {size}, the network alone" if size else "Nothing is measured yet", INK, large)
    for power in range(low, high + 1):
        pen.line((across(10.0**power), TOP - 8, across(10.0**power), height - 38), GREY)
        pen.text((across(10.0**power), height - 32), f"{10.0**power:g}", INK, small, anchor="ma")
    for number, (name, fps, colour) in enumerate(bars):
        y = TOP + number * (BAR + GAP)
        pen.text((LEFT - 12, y + BAR / 2), name, INK, small, anchor="rm")
        pen.rectangle((LEFT, y, max(across(fps), LEFT + 1), y + BAR), colour)
        pen.text((across(fps) + 8, y + BAR / 2), f"{fps:.3g}", INK, small, anchor="lm")
    pen.line((across(REAL_TIME), TOP - 8, across(REAL_TIME), height - 38), INK)
    pen.text((across(REAL_TIME), TOP - 26), f"{REAL_TIME} fps", INK, small, anchor="ma")
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _size(kept: dict[str, Any]) -> str:
    """The size of the picture that both parts were measured at."""
    rows = kept.get("peers") or kept.get("network") or []
    sizes = list(dict.fromkeys(row["size"] for row in rows))
    return str(sizes[:2][-1]) if sizes else ""


def _bars(kept: dict[str, Any]) -> list[tuple[str, float, tuple[int, int, int]]]:
    """Name, frames per second and colour of each network, engine and precision, the slowest first."""
    bars: dict[str, tuple[str, float, tuple[int, int, int]]] = {}
    for row in [*kept.get("peers", []), *kept.get("network", [])]:
        if row["size"] == _size(kept):
            name = f"{row['tier']}  {row['engine']} {row['precision']}"
            bars.setdefault(name, (name, row["fps"], COLOURS.get(row["tier"], THEIRS)))
    return sorted(bars.values(), key=lambda bar: bar[1])
