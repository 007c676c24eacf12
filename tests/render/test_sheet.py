"""Sheets: every look that can paint a picture, any shot, labels that can be read, and what is left out is told."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from impasto.errors import InputError
from impasto.job import Done
from impasto.render import lettering
from impasto.render.lettering import font_for, lines_of, own_font
from impasto.render.sheet import LONGEST_SIDE_PX, MOST_OF_ONE, SheetJob, chosen, lay_out, read_source
from impasto.styles import library
from impasto.styles.package import StyleFile, write_style
from tests.fakes import GREEN, RED, noise, write_coded_style, write_tiny_style


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "looks"
    folder.mkdir()
    for name in ("ash", "birch"):
        write_tiny_style(folder / f"{name}.style", ("live",))
    monkeypatch.setattr(library, "SHIPPED", folder)
    monkeypatch.setenv(library.FOLDER_VARIABLE, str(tmp_path / "mine"))
    return folder


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def sheet_of(shot: Path | str, out: Path, **options: object) -> Done:
    return SheetJob.build(shot=shot, out=out, **options).finish()


def test_every_look_is_shown_and_broken_ones_are_told(tmp_path: Path, looks: Path) -> None:
    (looks / "broken.style").write_text("not a zip")
    (looks / "enlarge.style").write_bytes((Path(library.__file__).parent / "shipped" / "enlarge.style").read_bytes())
    done = sheet_of(save(tmp_path / "in.png", noise(90, 160)), tmp_path / "sheet.png", cell=160, columns=2)
    assert done.figures["looks"] == ["ash", "birch"], "one that enlarges is no look"
    (broken,) = done.figures["left_out"]
    assert "broken.style" in broken
    assert "1 left out" in done.summary
    sheet = np.asarray(Image.open(str(done.path)))
    assert sheet.shape == (2 * (90 + 28 + 19 + 16) + 16, 2 * (160 + 16) + 16, 3)
    assert np.array_equal(sheet[16:106, 16:176], noise(90, 160)), "the source comes first"
    assert not np.array_equal(sheet[16:106, 192:352], noise(90, 160))


def test_where_nothing_can_paint_it_is_said(tmp_path: Path, looks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = save(tmp_path / "in.png", noise(9, 16))
    with pytest.raises(InputError, match="a sheet is a picture"):
        sheet_of(source, tmp_path / "sheet.mp4")
    monkeypatch.setattr(library, "SHIPPED", tmp_path / "none")
    with pytest.raises(InputError, match="no looks are at hand"):
        sheet_of(source, tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()


def test_a_style_of_many_shows_each_of_its_looks_up_to_a_number(looks: Path) -> None:
    write_coded_style(looks / "many.style", red=RED, green=GREEN)
    write_coded_style(looks / "crowd.style", **{f"n{i}": RED for i in range(MOST_OF_ONE + 3)})
    found, left_out = chosen(library.entries(), "live")
    names = [painting.name for painting in found]
    assert [name for name in names if "many" in name] == ["many#red", "many#green"]
    assert sum("crowd#" in name for name in names) == MOST_OF_ONE
    assert left_out == [f"crowd: 3 more of its {MOST_OF_ONE + 3} looks"]
    assert next(p.label for p in found if p.name == "many#red") == "A tiny look: red\nmany#red (full)", "it has no other network"


def test_what_a_look_lacks_is_told(looks: Path) -> None:
    style = StyleFile.open(looks / "ash.style")
    tiers = {tier: held.model_copy(update={"guides": {"depth": 1}}) for tier, held in style.card.tiers.items()}
    entry = library.Entry("ash", looks / "ash.style", True)
    guided = StyleFile(style.path, style.card.model_copy(update={"tiers": tiers}), style.preview, style.hash, style.members)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StyleFile, "open", lambda path: guided)
        assert chosen([entry], "live") == ([], ["ash: paints with guides (depth), and a sheet has the picture alone"])


def test_one_frame_of_a_sequence_the_middle_one_or_the_one_named(tmp_path: Path) -> None:
    for number in (1001, 1002, 1004, 1005, 1007):  # gaps are no matter
        save(tmp_path / "shot" / f"s.{number}.png", np.full((9, 16, 3), number - 1000, np.uint8))
    for shot in (tmp_path / "shot" / "s.####.png", tmp_path / "shot"):
        assert (read_source(shot, None).rgb == 4).all()
        assert (read_source(shot, 1007).rgb == 7).all()
    with pytest.raises(InputError, match="frame 1003 does not exist"):
        read_source(tmp_path / "shot", 1003)


def test_large_and_tall_frames_are_shrunk_by_their_longer_side(tmp_path: Path, looks: Path) -> None:
    done = sheet_of(save(tmp_path / "tall.png", noise(2 * LONGEST_SIDE_PX, 128)), tmp_path / "sheet.png", cell=160, columns=3)
    assert "--scale 2" in done.summary
    sheet = np.asarray(Image.open(str(done.path)))
    assert sheet.shape[0] == 160 + 28 + 19 + 2 * 16


def test_alpha_stays_as_it_is(tmp_path: Path, looks: Path) -> None:
    clear = np.dstack([noise(90, 160), np.zeros((90, 160), np.uint8)])
    done = sheet_of(save(tmp_path / "clear.png", clear), tmp_path / "sheet.png", cell=160, columns=3)
    sheet = np.asarray(Image.open(str(done.path)))
    assert np.array_equal(sheet[16:106, 16:176], sheet[16:106, 192:352]), "both show the checker alone"


def test_a_title_that_no_font_here_has_gives_way_to_the_name(looks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    style = StyleFile.open(looks / "ash.style")
    card = style.card.model_copy(update={"title": "\u795e\u5948\u5ddd"})
    write_style(looks / "ash.style", card, {tier: style.graph(tier) for tier in card.tiers}, style.preview)
    entry = library.Entry("ash", looks / "ash.style", True)
    monkeypatch.setattr(lettering, "FONTS", ("no such font.ttf",))
    assert chosen([entry], "live")[0][0].label == "ash (live)"
    monkeypatch.setattr(lettering, "_has", lambda font, text: True)
    assert chosen([entry], "live")[0][0].label == "\u795e\u5948\u5ddd\nash (live)"


def test_a_font_is_known_by_its_letters() -> None:
    assert font_for("Cafe", 14) is own_font(14)
    assert font_for("\ue123\ue124", 14) is None, "letters of private use are in no font"
    assert lines_of("a b\n\nc") == ["a b", "", "c"]
    assert max(map(len, lines_of("\u795e" * 40))) <= lettering.LONGEST_LINE // 2


def test_labels_stand_under_their_pictures() -> None:
    sheet = np.asarray(lay_out([("left", Image.new("RGB", (90, 60))), ("right\nsecond", Image.new("RGB", (90, 60)))], 2))
    probe = Image.new("L", (90, 20), 0)
    ImageDraw.Draw(probe).text((0, 0), "second", 255, ImageFont.load_default(14))
    below = (sheet[76 + 16 :, sheet.shape[1] // 2 :] < 150).all(axis=2)
    assert below.sum() > (np.asarray(probe) > 128).sum() / 2
    assert not (sheet[76 + 24 :, : sheet.shape[1] // 2] < 150).all(axis=2).any(), "the left one has one line"
