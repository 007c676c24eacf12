"""What every figure is called, what is wanted of it and what it means, for tables, limits and pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "one"]  # "one": as near to 1 as can be
SOURCE, OUTPUT = "_source", "_output"


@dataclass(frozen=True)
class Figure:
    """How a figure is told: its words, what is wanted, and with how many decimals."""

    words: str
    wanted: str
    decimals: int = 2
    better: Better = "lower"
    meaning: str = ""
    bad: float = 1.0  # so much worse than wanted, or than the source, is plainly seen: what maps show as hot


PICTURE = {
    "psnr": Figure(
        "PSNR, dB",
        "higher: nearer to the source",
        1,
        "higher",
        "How near the painting's values are to the source's. Low for any strong look.",
        20,
    ),
    "ssim": Figure(
        "SSIM",
        "1: as the source",
        2,
        "higher",
        "How alike the luma is in small windows. Strokes lower it; that alone is no fault.",
    ),
    "structure": Figure(
        "structure kept",
        "1: every shape where it was",
        2,
        "higher",
        "Whether shapes are where they were, whatever their tone and contrast. About 0 for another picture.",
    ),
    "content": Figure(
        "content distance",
        "0: all that was seen is there",
        3,
        "lower",
        "How far the painting's content is from the source's, as a network sees it.",
    ),
    "style": Figure(
        "style distance",
        "lower: nearer to the reference",
        3,
        "lower",
        "How far the texture and colour statistics are from the reference's.",
    ),
    "alien": Figure(
        "alien texture",
        "lower: less that the reference never shows",
        3,
        "lower",
        "How much texture there is that the reference does not have: grids, dots, photographic detail.",
        0.3,
    ),
    "detail": Figure(
        "fine detail, over the source's",
        "1: as much",
        2,
        "one",
        "How much fine detail the painting has for each of the source's: below 1 softer, above 1 busier.",
    ),
    "detail_reference": Figure(
        "fine detail, over the reference's",
        "1: as much",
        2,
        "one",
        "The same against the reference.",
    ),
    "colour": Figure(
        "colour distance",
        "0: the source's colours",
        3,
        "lower",
        "How far areas of colour are from the source's. Black to white is 1, .02 is just seen.",
        0.5,
    ),
    "palette": Figure(
        "palette distance",
        "0: the reference's colours",
        3,
        "lower",
        "How far the painting's colours, wherever they lie, are from the reference's.",
        0.5,
    ),
}
MOVING = {
    "warp_short": Figure(
        "warp error, 1 frame, x 1000",
        "near the source's",
        2,
        "lower",
        "How far a frame is from the one before, moved along the source's motion. It hangs on contrast; a blur lowers it.",
        8,
    ),
    "warp_long": Figure(
        "warp error, 8 frames, x 1000",
        "near the source's",
        2,
        "lower",
        "The same, eight frames apart: paint that boils slowly shows here.",
        16,
    ),
    "detail": Figure(
        "detail moves with the picture",
        ".9 or more of the source's",
        2,
        "higher",
        "Whether fine detail goes where the picture goes. Noise, boiling and grids that stay on the screen lower it.",
        0.6,
    ),
    "flicker": Figure(
        "flicker of what is smooth",
        "at most twice the source's",
        1,
        "lower",
        "How much the light and colour of areas change beside their motion, over the source's. 1 is ideal.",
        0.05,
    ),
    "flicker_power": Figure(
        "flicker at rest, x 1000",
        "near the source's",
        3,
        "lower",
        "What shakes from frame to frame where the source rests; of white noise its variance.",
        2,
    ),
    "sticking": Figure(
        "sticks to the screen",
        "0: not at all; below .1",
        2,
        "lower",
        "Whether paint stays on the screen while the picture moves: 0 not at all, towards 1 all of it.",
        0.8,
    ),
    "warp_found": Figure(
        "warp error by the flow found, x 1000",
        "near the source's",
        2,
        "lower",
        "The warp error over one frame as it is without --flow, by the motion found in the source.",
        8,
    ),
    "end_point": Figure(
        "the flow found is off by, px",
        "0: the motion given",
        2,
        "lower",
        "How far the motion found in the source leads from the motion given; it says nothing of the painting.",
        8,
    ),
}
ROOMS = {"picture": PICTURE, "moving": MOVING}


def excess(room: str, name: str, row: dict[str, float]) -> float | None:
    """How much worse one frame is than wanted, or than the source where that has the figure; None where it has no such figure."""
    figure = ROOMS[room][name]
    ours = row.get(name + OUTPUT, row.get(name))
    if ours is None:
        return None
    theirs = row.get(name + SOURCE, 0.0 if figure.better == "lower" else 1.0)
    if figure.better == "one":
        return abs(ours - 1)
    return ours - theirs if figure.better == "lower" else theirs - ours
