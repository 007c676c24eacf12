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
    needs: str = ""  # the option without which there is no such figure
    has_source: bool = False  # whether the source has it too, and can be set beside the painting

    def fault(self, value: float) -> float:
        """How far a value is from what is wanted, so that less is better whichever way the figure goes."""
        return {"lower": value, "higher": -value, "one": abs(value - 1)}[self.better]


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
    "ms_ssim": Figure(
        "SSIM, five scales",
        "1: as the source",
        2,
        "higher",
        "SSIM from fine to broad: forms count beside strokes.",
    ),
    "vmaf": Figure(
        "VMAF",
        "100: viewers see the source",
        1,
        "higher",
        "What viewers would say of it as a copy of the source, 0 to 100. A strong look is no copy.",
        20,
        needs="vmaf",
    ),
    "structure": Figure(
        "structure kept",
        "1: every shape where it was",
        2,
        "higher",
        "Whether shapes are where they were, whatever their tone and contrast. About 0 for another picture.",
    ),
    "edges": Figure(
        "edges kept",
        "1: all of them and no others",
        2,
        "higher",
        "Whether edges are where they were, whatever their contrast; 0 is no more than chance. Strokes are edges, too.",
    ),
    "lines": Figure(
        "straight lines kept",
        "1: all of them",
        2,
        "higher",
        "How much of the source's straight lines the painting still draws. About .2 for another picture.",
    ),
    "content": Figure(
        "perceptual distance (ours)",
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
        needs="style",
        has_source=True,
    ),
    "sliced": Figure(
        "style distance, sliced Wasserstein",
        "lower: nearer to the reference",
        3,
        "lower",
        "The same by all that features do, and not by their strength together alone.",
        needs="style",
        has_source=True,
    ),
    "alien": Figure(
        "alien texture",
        "lower: less that the reference never shows",
        3,
        "lower",
        "How much texture there is that the reference does not have: grids, dots, photographic detail.",
        0.3,
        needs="style",
        has_source=True,
    ),
    "detail": Figure(
        "sharpness: fine detail, over the source's",
        "1: as much",
        2,
        "one",
        "How much fine detail the painting has for each of the source's: below 1 softer, above 1 busier.",
    ),
    "detail_reference": Figure(
        "sharpness: fine detail, over the reference's",
        "1: as much",
        2,
        "one",
        "The same against the reference.",
        needs="style",
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
        needs="style",
        has_source=True,
    ),
    "psnr_truth": Figure(
        "PSNR to the truth, dB",
        "higher: nearer to the truth",
        1,
        "higher",
        "How near the painting's values are to those of the picture that it should have become.",
        20,
        needs="truth",
    ),
    "ssim_truth": Figure(
        "SSIM to the truth",
        "1: the truth",
        3,
        "higher",
        "How alike the luma of painting and truth is in small windows.",
        needs="truth",
    ),
    "ms_ssim_truth": Figure(
        "SSIM to the truth, five scales",
        "1: the truth",
        3,
        "higher",
        "The same from fine to broad.",
        needs="truth",
    ),
    "vmaf_truth": Figure(
        "VMAF to the truth",
        "100: viewers see the truth",
        1,
        "higher",
        "What viewers would say of the painting as a copy of the truth, 0 to 100.",
        20,
        needs="truth",
    ),
    "content_truth": Figure(
        "perceptual distance (ours) to the truth",
        "0: the truth, as a network sees it",
        3,
        "lower",
        "How far what a network sees in the painting is from what it sees in the truth.",
        needs="truth",
    ),
    "colour_truth": Figure(
        "colour distance to the truth",
        "0: the truth's colours",
        3,
        "lower",
        "How far areas of colour are from the truth's. Black to white is 1, .02 is just seen.",
        0.5,
        needs="truth",
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
        has_source=True,
    ),
    "warp_long": Figure(
        "warp error, 8 frames, x 1000",
        "near the source's",
        2,
        "lower",
        "The same, eight frames apart: paint that boils slowly shows here.",
        16,
        has_source=True,
    ),
    "detail": Figure(
        "detail moves with the picture",
        ".9 or more of the source's",
        2,
        "higher",
        "Whether fine detail goes where the picture goes. Noise, boiling and grids that stay on the screen lower it.",
        0.6,
        has_source=True,
    ),
    "flicker": Figure(
        "flicker of what is smooth",
        "at most twice the source's",
        1,
        "lower",
        "How much the light and colour of areas change beside their motion, over the source's. 1 is ideal.",
        0.05,
        has_source=True,
    ),
    "flicker_power": Figure(
        "flicker at rest, x 1000",
        "near the source's",
        3,
        "lower",
        "What shakes from frame to frame where the source rests; of white noise its variance.",
        2,
        has_source=True,
    ),
    "sticking": Figure(
        "sticks to the screen",
        "0: not at all; below .1",
        2,
        "lower",
        "Whether paint stays on the screen while the picture moves: 0 not at all, towards 1 all of it.",
        0.8,
        has_source=True,
    ),
    "warp_found": Figure(
        "warp error by the flow found, x 1000",
        "near the source's",
        2,
        "lower",
        "The warp error over one frame as it is without --flow, by the motion found in the source.",
        8,
        has_source=True,
        needs="flow",
    ),
    "end_point": Figure(
        "the flow found is off by, px",
        "0: the motion given",
        2,
        "lower",
        "How far the motion found in the source leads from the motion given; it says nothing of the painting.",
        8,
        needs="flow",
    ),
}
SET = {
    "fid": Figure(
        "FID (our features)",
        "lower: nearer to the references",
        2,
        "lower",
        "How far all paintings together are from all references, each taken as one cloud. Far too high for few pictures.",
        needs="style",
        has_source=True,
    ),
    "kid": Figure(
        "KID (our features)",
        "lower: nearer to the references",
        3,
        "lower",
        "The same without that bias: the one to read where pictures are few. May fall below 0.",
        needs="style",
        has_source=True,
    ),
    "precision": Figure(
        "precision",
        "1: all could be references",
        2,
        "higher",
        "The share of paintings that lie among the references.",
        needs="style",
        has_source=True,
    ),
    "recall": Figure(
        "recall",
        "1: all that references do is there",
        2,
        "higher",
        "The share of references that lie among the paintings: what the look never does is missing here.",
        needs="style",
        has_source=True,
    ),
}
ROOMS = {"picture": PICTURE, "moving": MOVING, "set": SET}  # of each frame, from frame to frame, of all pictures together


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
