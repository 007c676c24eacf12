"""Wedges: every combination once, what cannot be read is told, the sheet carries a label for each."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import InputError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media import open_writer
from impasto.render.job import RenderJob
from impasto.render.sheet import CHECKER, GAP_PX
from impasto.render.wedge import KNOBS, Setting, label, parse_wedge, wedge_sheet
from tests.fakes import write_tiny_style
from tests.render.clips import write_sequence


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
    assert label({"keep_colour": 0.5, "palette": "a/long/way/wave.png"}) == "keep colour 0.5\npalette wave.png"


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


def test_what_covers_nothing_shows_a_checker(tmp_path: Path) -> None:
    """A disc of red light in an EXR, its colour multiplied by alpha: what is hidden stays hidden, and the edge is soft."""
    down, across = np.mgrid[:48, :64]
    alpha = np.clip((16 - np.hypot(across - 32, down - 24)) / 8 + 0.5, 0, 1).astype(np.float32)
    pixels = np.dstack([alpha, 0 * alpha, 0 * alpha, alpha])
    with open_writer(tmp_path / "disc.exr", ClipInfo(64, 48, depth="float32", channels=4)) as writer:
        writer.write(Frame(pixels, 1, {"premultiplied": True}))
    hidden = np.dstack([np.full((48, 64, 3), (255, 0, 0), np.uint8), np.rint(alpha * 255).astype(np.uint8)])
    Image.fromarray(hidden).save(tmp_path / "disc.png")
    look = write_tiny_style(tmp_path / "tiny.style")
    for name in ("disc.exr", "disc.png"):
        out = tmp_path / f"{name}.sheet.png"
        RenderJob.build(inputs=[tmp_path / name], out=out, style=str(look), wedge="strength=0").finish()
        cell = np.asarray(Image.open(out)).astype(int)[16 : 16 + 48, 16 : 16 + 64]
        assert set(np.unique(cell[alpha == 0])) == set(CHECKER), name
        assert np.abs(cell[24, 32] - (255, 0, 0)).max() <= 1
        soft = np.abs(alpha - 0.5) < 0.2
        assert ((cell[soft][:, 0] > 150) & (cell[soft][:, 0] < 230)).all(), name


def test_every_knob_of_a_label_can_be_read(tmp_path: Path) -> None:
    """Labels wider than the pictures: each knob has its line, and the cells make room for it."""
    tiny = np.full((20, 30, 3), 200, np.uint8)
    long = "a_picture_with_a_name_that_is_too_long_for_one_line.jpg"
    settings = parse_wedge(f"keep_colour=0,1 strength=.5 enhance=0.125 palette={long}")
    sheet = np.asarray(wedge_sheet(tiny, settings, lambda _: tiny, columns=2))
    ink = (sheet < 150).all(axis=2)
    assert not ink[:, -GAP_PX:].any(), "no label is cut off"
    rows = ink[:, : sheet.shape[1] // 2].any(axis=1)
    lines = int((rows[1:] & ~rows[:-1]).sum())
    assert lines >= 5 + 1, "four knobs, one of them broken in two; and 'source'"
    gaps = ~ink.any(axis=0)
    between = sheet.shape[1] // 2
    assert gaps[between - 4 : between + 4].all(), "labels do not run into each other"


def test_output_options_of_the_same_command_line(tmp_path: Path) -> None:
    shot, look = write_sequence(tmp_path / "in", range(1003, 1006)), str(write_tiny_style(tmp_path / "tiny.style"))
    done = RenderJob.build(inputs=[shot], out=tmp_path / "w.####.png", style=look, wedge="strength=1").finish()
    assert done.path == tmp_path / "w.1004.png"
    assert done.path.exists()
    assert str(done.path) in done.summary
    for options, told in [({"to_layer": "x", "wedge": "strength=1"}, "--to-layer"), ({"wedge": ""}, "no knob is given")]:
        with pytest.raises(InputError, match=told):
            RenderJob.build(inputs=[shot], out=tmp_path / "w.png", style=look, **options).finish()
    with pytest.raises(InputError, match="exists already"):
        RenderJob.build(inputs=[shot], out=tmp_path / "w.####.png", style=look, wedge="strength=1").finish()
