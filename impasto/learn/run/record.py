"""What is kept of a training for people to look at: curve.jsonl, TensorBoard, contact sheets.

curve.jsonl is the record that counts: one line per kept step, cut back on resume to the step of the checkpoint, so that a killed
and resumed run leaves the same lines as an undisturbed one (but for `seconds`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from impasto.evaluate.critic import CURVE as CURVE
from impasto.evaluate.critic import read_curve as read_curve  # who reads a record need not know who learns

STEPS_BETWEEN_SCALARS = 10
ACROSS, TALLEST_PX, MARGIN_PX, TITLE_PX = 6, 256, 6, 20
Rows = Mapping[str, Tensor]  # name -> pictures [N,3,H,W] in 0..1


class Record:
    """Writes down what happens, from a step on: what an earlier run wrote beyond it is taken back."""

    def __init__(self, folder: Path, label: str, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.folder, self.label = folder, label
        cut_back(folder / CURVE, step)
        self.lines = (folder / CURVE).open("a", encoding="utf-8")
        self.board = SummaryWriter(str(folder / "curves"), purge_step=step)

    def line(self, step: int, seconds: float, values: Mapping[str, float | str]) -> None:
        """One line of the curve file; out of our hands at once, so that a kill loses none that a checkpoint knows of."""
        self.lines.write(json.dumps({"step": step, "seconds": round(seconds, 2), **values}) + "\n")
        self.lines.flush()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Points of TensorBoard's curves."""
        for name, value in values.items():
            self.board.add_scalar(f"{self.label}/{name}", value, step)

    def sheet(self, step: int, rows: Rows, title: str) -> Path:
        """A contact sheet as PNG, and the same in TensorBoard."""
        picture = draw_sheet(rows, title)
        path = self.folder / f"sheet-{step:06d}.png"
        beside = path.with_suffix(".writing")
        picture.save(beside, "PNG")
        beside.replace(path)
        self.board.add_image(f"{self.label}/sheet", np.asarray(picture), step, dataformats="HWC")
        return path

    def close(self) -> None:
        """Close the files."""
        self.lines.close()
        self.board.close()


def cut_back(path: Path, step: int) -> None:
    """Leave out what lies beyond the step, and a last line that a kill cut short."""
    if not path.is_file():
        return
    kept = [line for line in read_curve(path) if line["step"] <= step]
    beside = path.with_suffix(".writing")
    beside.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    beside.replace(path)


def draw_sheet(rows: Rows, title: str) -> Image.Image:
    """Rows of pictures below one another, the painted under their sources, each row with its name."""
    strips = [(name, [_picture(one) for one in pictures[:ACROSS]]) for name, pictures in rows.items() if len(pictures)]
    widths = [sum(p.width + MARGIN_PX for p in pictures) for _, pictures in strips]
    heights = [max(p.height for p in pictures) + TITLE_PX for _, pictures in strips]
    font = ImageFont.load_default(13)
    width = max([*widths, round(font.getlength(title)) + MARGIN_PX]) + MARGIN_PX
    sheet = Image.new("RGB", (width, sum(heights) + TITLE_PX + MARGIN_PX), (32, 32, 32))
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN_PX, 3), title, (255, 255, 255), font)
    top = TITLE_PX
    for (name, pictures), height in zip(strips, heights, strict=True):
        pen.text((MARGIN_PX, top + 3), name, (190, 190, 190), font)
        left = MARGIN_PX
        for picture in pictures:
            sheet.paste(picture, (left, top + TITLE_PX))
            left += picture.width + MARGIN_PX
        top += height
    return sheet


def _picture(values: Tensor) -> Image.Image:
    """One [C,H,W] tensor as a picture: grey repeated, planes beyond RGB left out, no taller than a row."""
    pixels = (values[:3] if len(values) >= 3 else values[:1].expand(3, -1, -1)).detach().float().clamp(0, 1).cpu()
    picture = Image.fromarray((pixels.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    picture.thumbnail((2 * TALLEST_PX, TALLEST_PX))
    return picture
