"""Draw how near to the painting, and how near to the photograph, several trainings of a look came: the front between the two.

    tools/front.py training/front.json docs/images/front.png

The file holds, look by look, what ../shared/tools/picture.py said of each training on the held-out photographs: its name, style
and content (both distances: lower is nearer), and whether it is the one that is shipped.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

SIDE, RIM, LINE = 620, 70, 16
PAPER, INK, GREY = (250, 249, 246), (30, 30, 34), (190, 188, 182)
COLOURS = {"shipped": (200, 60, 40), "ours": (40, 90, 160), "theirs": (110, 110, 110)}


class Plot:
    """One square plot: content distance to the right, style distance upwards."""

    def __init__(self, draw: ImageDraw.ImageDraw, left: int, title: str, points: list[dict[str, Any]]) -> None:
        self.draw, self.left, self.points = draw, left, points
        self.small, self.large = ImageFont.load_default(15), ImageFont.load_default(20)
        self.ranges = [self._range([point[axis] for point in points]) for axis in ("content", "style")]
        draw.text((left + RIM, 18), title, INK, self.large)

    @staticmethod
    def _range(values: list[float]) -> tuple[float, float]:
        return (int(min(values) * 20 - 0.5) / 20, (int(max(values) * 20 + 1.5)) / 20)

    def place(self, content: float, style: float) -> tuple[float, float]:
        """Where a point lies, in pixels."""
        (low, high), (bottom, top) = self.ranges
        x = (content - low) / (high - low) * (SIDE - 2 * RIM)
        y = (style - bottom) / (top - bottom) * (SIDE - 2 * RIM)
        return self.left + RIM + x, SIDE - RIM - y

    def axes(self) -> None:
        """Lines at round figures, and what they are of."""
        (low, high), (bottom, top) = self.ranges
        for i in range(round((high - low) * 20) + 1):
            (x, y0), (_, y1) = self.place(low + i / 20, bottom), self.place(low + i / 20, top)
            self.draw.line((x, y0, x, y1), GREY)
            self.draw.text((x - 12, y0 + 6), f"{low + i / 20:.2f}", INK, self.small)
        for i in range(round((top - bottom) * 20) + 1):
            (x0, y), (x1, _) = self.place(low, bottom + i / 20), self.place(high, bottom + i / 20)
            self.draw.line((x0, y, x1, y), GREY)
            self.draw.text((x0 - 36, y - 9), f"{bottom + i / 20:.2f}", INK, self.small)
        self.draw.text((self.left + SIDE // 2 - 110, SIDE - 34), "content: what is lost of the photograph", INK, self.small)
        self.draw.text((self.left + 8, RIM - 24), "style: how far from the painting", INK, self.small)

    def dots(self) -> None:
        """Each training by its name; a name that would lie on another goes below it."""
        taken: list[tuple[float, float, float]] = []
        for point in self.points:
            x, y = self.place(point["content"], point["style"])
            colour = COLOURS[point.get("kind", "ours")]
            self.draw.ellipse((x - 6, y - 6, x + 6, y + 6), colour)
            wide = self.draw.textlength(point["name"], self.small)
            begin, line = (x + 10 if x + 10 + wide < self.left + SIDE else x - 10 - wide), y - 9
            while any(abs(line - other) < LINE and begin < end and start < begin + wide for start, end, other in taken):
                line += LINE
            taken.append((begin, begin + wide, line))
            self.draw.text((begin, line), point["name"], colour, self.small)


def main() -> None:
    """Read the figures, draw a plot for each look, side by side."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("figures", type=Path)
    words.add_argument("out", type=Path)
    given = words.parse_args()
    looks: dict[str, list[dict[str, Any]]] = json.loads(given.figures.read_text(encoding="utf-8"))
    sheet = Image.new("RGB", (SIDE * len(looks), SIDE), PAPER)
    for i, (title, points) in enumerate(looks.items()):
        plot = Plot(ImageDraw.Draw(sheet), i * SIDE, title, points)
        plot.axes()
        plot.dots()
    sheet.save(given.out)


if __name__ == "__main__":
    main()
