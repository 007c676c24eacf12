"""A wedge: one frame painted with every combination of a few settings, as a labelled sheet to choose from."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from impasto.errors import InputError
from impasto.frame import Pixels

if TYPE_CHECKING:
    from PIL import Image

Setting = float | str
NUMBERS = ("strength", "scale", "keep_colour", "enhance", "denoise", "grain", "variation")
WORDS = ("palette", "tier", "style")
KNOBS = (*NUMBERS, *WORDS)
MOST_PAINTINGS = 64


def parse_wedge(text: str) -> list[dict[str, Setting]]:
    """All combinations of 'strength=.4,.7,1 scale=.5,1', the last knob turning fastest; what cannot be read is an InputError."""
    axes: dict[str, list[Setting]] = {}
    for part in _parts(text):
        knob, equals, values = part.partition("=")
        knob = knob.replace("-", "_")
        if not equals or not values.strip(","):
            raise InputError(f"wedge: '{part}' gives no values: write it as in 'strength=.4,.7,1 scale=.5,1'")
        if knob not in KNOBS:
            raise InputError(f"wedge: there is no knob '{knob}': choose from {', '.join(KNOBS)}")
        if knob in axes:
            raise InputError(f"wedge: '{knob}' is given twice: write all its values after one '='")
        axes[knob] = [_value(knob, value) for value in values.split(",") if value]
    combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    if len(combinations) > MOST_PAINTINGS:
        raise InputError(f"wedge: that makes {len(combinations)} paintings, and a sheet takes {MOST_PAINTINGS}: leave some out")
    return combinations


def wedge_sheet(
    source: Pixels, settings: Sequence[dict[str, Setting]], paint_with: Callable[[dict[str, Setting]], Pixels], columns: int = 0
) -> Image.Image:
    """One painting for each of the settings, labelled with what is set, and the source after them."""
    from impasto.render.sheet import as_seen, lay_out  # it stands beside the job that asks for wedges

    cells = [(label(setting), as_seen(paint_with(setting))) for setting in settings]
    return lay_out([*cells, ("source", as_seen(source))], columns or _last_axis(settings))


def place_of_sheet(out: Path, number: int) -> Path:
    """The file of a sheet that shows a frame: a pattern (w.####.png) is named by it."""
    from impasto.media import is_sequence
    from impasto.media.sequence import Pattern
    from impasto.render.sheet import SHEETS

    if out.suffix.lower() not in SHEETS:
        raise InputError(f"{out}: a wedge is a sheet of labelled pictures: write a .png or .jpg")
    return Pattern.parse(out).path(number) if is_sequence(out) and not out.is_dir() else out


def label(setting: dict[str, Setting]) -> str:
    """What is set, a line for each knob: 'strength 0.4', 'scale 1'."""
    return "\n".join(f"{knob.replace('_', ' ')} {_called(value)}" for knob, value in setting.items())


def _parts(text: str) -> Iterable[str]:
    """What stands between blanks; a blank within a value's path follows no comma and is followed by no knob."""
    parts = re.split(r"\s+(?=[\w-]+=)", re.sub(r"\s*([=,])\s*", r"\1", text.strip()))
    if parts == [""]:
        raise InputError("wedge: no knob is given: write it as in 'strength=.4,.7,1 scale=.5,1'")
    return parts


def _value(knob: str, value: str) -> Setting:
    if knob in WORDS:
        return value
    try:
        number = float(value)
    except ValueError:
        raise InputError(f"wedge: '{value}' is no number, and {knob} takes numbers") from None
    if not np.isfinite(number):
        raise InputError(f"wedge: '{value}' cannot be painted: {knob} takes numbers")
    return number


def _called(value: Setting) -> str:
    return f"{value:g}" if isinstance(value, float) else re.split(r"[/\\]", value)[-1]


def _last_axis(settings: Sequence[dict[str, Setting]]) -> int:
    """How many columns give each value of the last knob a column of its own; 0, which is free, where they are many or all."""
    last = len({list(setting.values())[-1] for setting in settings})
    return 0 if len(settings) == last or last > 6 else last
