"""Wedges: every combination once, what cannot be read is told, the sheet carries a label for each."""
from __future__ import annotations

import numpy as np
import pytest

from impasto.errors import InputError
from impasto.frame import Pixels
from impasto.render.wedge import KNOBS, Setting, label, parse_wedge, wedge_sheet


def test_all_combinations_the_last_knob_fastest() -> None:
    assert parse_wedge("strength=.4,1 scale=.5,1") == [
        {"strength": 0.4, "scale": 0.5},
        {"strength": 0.4, "scale": 1.0},
        {"strength": 1.0, "scale": 0.5},
        {"strength": 1.0, "scale": 1.0},
    ]


def test_paths_may_hold_blanks_and_blanks_may_stand_anywhere() -> None:
    assert parse_wedge(" palette = my pictures/a b.png , c.png   tier=live ") == [
        {"palette": "my pictures/a b.png", "tier": "live"},
        {"palette": "c.png", "tier": "live"},
    ]


def test_a_dash_is_as_good_as_an_underscore() -> None:
    assert parse_wedge("keep-colour=1") == [{"keep_colour": 1.0}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no knob is given"),
        ("strength", "gives no values"),
        ("strength=", "gives no values"),
        ("strength=,", "gives no values"),
        ("brightness=1", f"choose from {', '.join(KNOBS)}"),
        ("strength=a lot", "'a lot' is no number"),
        ("strength=nan", "'nan' cannot be painted"),
        ("strength=1 strength=0", "given twice"),
        ("strength=.1,.2,.3,.4,.5,.6,.7,.8,.9 scale=.5,.6,.7,.8,.9,1,1.5,2", "72 paintings"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_wedge(text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_labels_are_short() -> None:
    assert label({"keep_colour": 0.5, "palette": "a/long/way/wave.png"}) == "keep colour 0.5  palette wave.png"


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_sheet_shows_every_painting(dtype: str) -> None:
    source, asked = np.zeros((90, 120, 3), dtype), []

    def paint_with(setting: dict[str, Setting]) -> Pixels:
        asked.append(setting)
        most = 1 if dtype == "float32" else np.iinfo(dtype).max
        return np.full_like(source, most * float(setting["strength"]))

    settings = parse_wedge("strength=.2,.6,1")
    sheet = np.asarray(wedge_sheet(source, settings, paint_with))
    assert asked == settings
    for value in (0, 51, 153, 255):
        assert (sheet == value).all(axis=2).sum() >= 90 * 120
