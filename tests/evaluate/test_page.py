"""The page holds all it shows, asks the network for nothing, and says everything in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import impasto.evaluate.page as room
from impasto.evaluate.figures import ROOMS
from impasto.evaluate.gallery import Gallery, Worst
from impasto.evaluate.limits import Limit, judged
from impasto.evaluate.next_key import Next
from impasto.evaluate.page import compare
from impasto.evaluate.page.build import TITLES, Findings, page
from impasto.evaluate.page.curves import Curve, curve_of
from impasto.evaluate.page.pictures import heat, jpeg, scale_of, softened
from impasto.evaluate.page.words import both, chinese
from impasto.evaluate.steadiness import Steadiness, summary
from tests.evaluate.shots import noisy, pan

FOLDER = Path(room.__file__).parent
SAID_BY_NAME = {
    "painting",
    "wanted",
    "limit",
    "difference",
    "changed beside its motion, x 5",
    "style {name}",
    "motion from {name}",
    "truth {name}",
    *TITLES.values(),
}
COMPARED_WITH = {"room", "picture", "painted", "", "frames"}  # constants in such calls that nobody reads
SHOT = pan(10)
OUTPUT = [*SHOT[:4], *noisy(SHOT[4:6]), *SHOT[6:]]


@pytest.fixture(scope="module")
def findings() -> Findings:
    watch, gallery, rows = Steadiness(maps=True), Gallery(), []
    for number, pair in enumerate(zip(SHOT, OUTPUT, strict=True), 1):
        row = {"frame": str(number), "moving": watch.take(*pair), "picture": {"structure": 0.9, "psnr": 30.0 + number}}
        gallery.take(row, pair, watch.where, watch.changed)
        rows.append(row)
    means = {name: summary([row[name] for row in rows]) for name in ("picture", "moving")}
    verdicts = judged([Limit.parse("flicker=1.1"), Limit.parse("structure=.5")], means, rows)
    following = Next("5", "1", 0.3, 0.1, 0.9, (("picture", "structure", 0.5, 0.9),), ("7",), ("1",))
    return Findings(Path("<shot>.mov"), Path("painted.mov"), True, 512, rows, means, gallery, verdicts, following, "wave", "gt")


def test_it_needs_nothing_but_itself(findings: Findings) -> None:
    text = page(findings)
    assert len(text) < 2_000_000
    assert "default-src 'none'" in text
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!data:)", text)
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text
    assert "<shot>" not in text, "names of files are text, not HTML"
    assert text.count("data:image/jpeg") > 10


def test_it_shows_the_worst_frames_and_what_became_of_the_limits(findings: Findings) -> None:
    text = page(findings)
    worst = findings.gallery.worst()
    assert {one.frame for one in worst[:2]} <= {"5", "6", "7"}, "5 and 6 are grained, and 7 differs from 6"
    assert f'data-frame="{worst[0].frame}"' in text
    assert "failed: 1 of 2 limits" in text
    assert text.count('class="verdict fail"') == text.count('class="verdict pass"') == 1
    assert '<div class="number">5</div>' in text


def test_without_limits_or_motion_it_is_a_page_too(findings: Findings) -> None:
    gallery = Gallery()
    gallery.take({"frame": "a.png", "picture": {"structure": 0.4}}, (SHOT[0], OUTPUT[5]), {}, None)
    rows = [{"frame": "a.png", "picture": {"structure": 0.4}}]
    text = page(Findings(Path("a.png"), Path("b.png"), False, 0, rows, {"picture": {"structure": 0.4}}, gallery))
    assert "no limits given" in text
    assert "<svg" not in text
    assert 'data-frame="a.png"' in text


def test_a_comparison_shows_every_version_and_marks_the_best(findings: Findings) -> None:
    blank = np.zeros((4, 6, 3), np.uint8)
    means = {"<a>": {"picture": {"structure": 0.9}}, "b": {"picture": {"structure": 0.4}}}
    places = {("picture", "structure"): {"<a>": 1, "b": 2}}
    shown = [compare.Shown("7", blank, {"<a>": blank, "b": blank})]
    rows = dict.fromkeys(means, findings.rows)
    text = compare.page(compare.Standings(Path("s.mov"), 512, means, places, {"<a>": 1.0, "b": 2.0}, rows, shown))
    assert text.count('class="n best"') == 1
    assert "<a>" not in text, "names of files are text, not HTML"
    assert text.count("data:image/jpeg") == 3
    assert 'class="v1"' in text, "curves of both lie in one drawing"
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!data:)", text)


def texts() -> set[str]:
    """Everything that is said in both languages: the figures' words, and what stands in calls of both() and section()."""
    found = {text for figures in ROOMS.values() for one in figures.values() for text in (one.words, one.wanted, one.meaning)}
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("both", "section", "_tile"):
                found |= {
                    one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    return found - COMPARED_WITH | SAID_BY_NAME


def test_every_text_is_there_in_chinese() -> None:
    wanted, places = texts(), re.compile(r"{\w+}")
    assert len(wanted) > 80
    assert wanted <= set(chinese()), wanted - set(chinese())
    assert all(sorted(places.findall(text)) == sorted(places.findall(chinese()[text])) for text in wanted)


def test_both_languages_are_there_and_escaped() -> None:
    said = both("worst frame {frame}: {value}", frame="<3>", value="1")
    assert "&lt;3&gt;" in said
    assert "最差帧" in said


def test_a_curve_has_gaps_where_a_figure_is_missing() -> None:
    curve = Curve("moving", "flicker", list("abcdef"), [1, 2, None, 3, 4, None], [None] * 6, 2.5)
    drawn = curve.draw()
    line = re.search(r'class="ours" d="([^"]*)"', drawn)
    assert line is not None
    assert line[1].count("M") == 2
    assert 'class="limit"' in drawn
    assert curve_of("moving", "flicker", [{"frame": "1", "moving": {}}, {"frame": "2", "moving": {"flicker": 1}}], None) is None


def test_a_flat_curve_looks_flat() -> None:
    box = Curve("picture", "ssim", list("ab"), [0.800, 0.802], [None, None]).as_json()["box"]
    assert box["high"] - box["low"] > 0.15


def test_a_map_keeps_clear_of_what_is_not_judged() -> None:
    plane = np.full((60, 80), np.nan, np.float32)
    plane[20:40, 20:40] = 4
    soft = softened(plane)
    assert soft[30, 30] == pytest.approx(4)
    assert soft[5, 70] == 0
    assert scale_of(plane, 1.0) == 1
    assert scale_of(plane * 0, 1.0) == 1 / 8
    assert heat(plane, 4).startswith("data:image/png;base64,")
    assert jpeg(np.zeros((4, 4, 3), np.uint8)).startswith("data:image/jpeg;base64,")


def test_the_mean_map_is_of_the_frames_that_were_judged() -> None:
    gallery, nothing = Gallery(), np.full((8, 8), np.nan, np.float32)
    first = nothing.copy()
    first[2, 2], first[3, 3] = 2, 1
    second = nothing.copy()
    second[2, 2] = 4
    for plane in (first, second, nothing):
        gallery.take({"frame": "1"}, (SHOT[0], SHOT[0]), {"flicker": plane}, None)
    mean = gallery.maps()["flicker"]
    assert (mean[2, 2], mean[3, 3]) == (3, 1)
    assert np.isnan(mean[0, 0])


def test_neighbours_are_one_worst_frame() -> None:
    gallery = Gallery()
    for number, value in enumerate((0.0, 5.0, 6.0, 1.0, 0.0, 0.0, 0.0, 3.0)):
        row = {"frame": str(number), "moving": {"flicker": value}}
        gallery.take(row, (SHOT[0], SHOT[0]), {}, None)
    found: list[Worst] = gallery.worst()
    assert [one.frame for one in found] == ["2", "7"]
