"""`impasto evaluate`: from files to figures, as words and as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from impasto import cli
from impasto.evaluate import job as evaluate_job
from impasto.evaluate.figures import MOVING, PICTURE, ROOMS
from impasto.evaluate.given import write_flo
from impasto.evaluate.report import table
from tests.evaluate.shots import noisy, pan, recoloured, texture, written

pytest.importorskip("torch", reason="the network runs in torch (extra 'learn')")
PAGE = Path(__file__).parents[2] / "docs/evaluating.md"


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    code = cli.main(["evaluate", *words, "--json"])
    answer: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["ok"] is (code == 0)
    return answer


def test_a_shot_has_figures_for_each_frame_and_their_means(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shot = pan(3)
    source, output = written(tmp_path / "s", shot), written(tmp_path / "o", noisy(recoloured(shot)))
    figures = told([str(source), str(output), "--style", str(source / "f.0001.png"), "--every", "2"], capsys)["figures"]
    assert isinstance(figures, dict)
    rows, means = figures["per_frame"], figures["mean"]
    assert [row["frame"] for row in rows] == ["1", "2", "3"]
    assert [("picture" in row) for row in rows] == [True, False, True]
    assert {name for name, figure in PICTURE.items() if figure.needs in ("", "style")} <= set(means["picture"])
    assert means["picture"]["psnr"] == pytest.approx(np.mean([rows[n]["picture"]["psnr"] for n in (0, 2)]))
    assert rows[0]["moving"] == {}
    assert means["moving"]["detail"] < 0.8, "noise does not move with the picture"
    assert means["moving"]["warp_short"] > 2 * means["moving"]["warp_short_source"]


def test_a_picture_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "s", pan(2))
    assert cli.main(["evaluate", str(folder / "f.0001.png"), str(folder / "f.0002.png")]) == 0
    said = capsys.readouterr().out
    assert "1 picture against" in said
    assert PICTURE["structure"].words in said
    assert MOVING["flicker"].words not in said
    assert PICTURE["style"].words not in said, "without a reference there is no style"


def test_limits_and_what_to_paint_next_and_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shot = pan(4)
    source, output, page = written(tmp_path / "s", shot), written(tmp_path / "o", noisy(shot)), tmp_path / "qc.html"
    (tmp_path / "flow").mkdir()
    for number in range(1, 4):
        write_flo(tmp_path / "flow" / f"f.{number:04d}.flo", np.full((*shot[0].shape[:2], 2), (-2.3, -0.8), np.float32))
    words = [str(source), str(output), "--report", str(page), "--painted", "1", "--flow", str(tmp_path / "flow")]
    answer = told([*words, "--limit", "moving.detail=.9", "--limit", "structure=.1"], capsys)
    assert answer["exit_code"] == 5
    assert re.match(r"1 of 2 limits not kept: moving\.detail=\.9 \(0\.\d+\)", str(answer["error"]))
    figures = answer["figures"]
    assert isinstance(figures, dict)
    assert [limit["kept"] for limit in figures["limits"]] == [False, True]
    assert figures["next"]["frame"] in ("3", "4")
    assert figures["mean"]["moving"]["end_point"] < 0.5
    assert "motion from" in str(answer["summary"])
    assert "failed: 1 of 2 limits" in page.read_text("utf-8")
    again = told(words, capsys)
    assert again["exit_code"] == 2
    assert "qc.html: exists already: --overwrite replaces it" in str(again["error"])


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--limit", "beauty=1"], "--limit beauty=1: no figure is called so"),
        (["--report", "qc.pdf"], "--report qc.pdf: is written as a page: name it .html"),
        (["--flow", "."], "--flow: is for shots, and these are pictures"),
        (["--painted", "1"], "--painted: is for shots, and these are pictures"),
        (["--compare"], "--compare: name two paintings or looks, or more"),
        (["--attack", "pgd"], "f.0001.png is no look by itself"),
        (["--attack", "luck"], "--attack luck: there is none of that name: choose among fgsm, pgd, noise, compression, gamma"),
        (["--limit", "fid.worst=3", "--style", "x.png"], "is of all pictures together, and has no worst"),
        (["--limit", "psnr_truth=30"], "compares with the truth: name it with --truth"),
    ],
)
def test_what_cannot_be_asked_of_a_picture_is_said_at_once(
    words: list[str], fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(written(tmp_path / "s", pan(1)) / "f.0001.png")
    answer = told([file, file, *words], capsys)
    assert fault in str(answer["error"])
    assert answer["exit_code"] == 2


def test_pictures_of_different_things_are_said_to_be_no_shot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = written(tmp_path / "s", [texture(192, 256, seed) for seed in range(3)])
    assert cli.main(["evaluate", str(source), str(source)]) == 0
    assert "are these pictures of one shot?" in capsys.readouterr().out


def test_what_is_missing_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluate_job, "find_spec", lambda name: None)
    answer = told([str(tmp_path), str(tmp_path)], capsys)
    assert answer["error"] == "evaluating needs libraries that are not installed: pip install 'impasto[learn]'"
    assert answer["exit_code"] == 2


def test_the_table_sets_the_source_beside_the_painting() -> None:
    said = table(
        {"moving": {"warp_short": 2.0, "warp_short_source": 0.5, "detail": 0.93, "detail_output": 0.8, "detail_source": 0.86}}
    )
    head, warp, detail = said.splitlines()
    assert head.split() == ["painting", "source", "wanted"]
    assert warp.split()[-5:] == ["2.00", "0.50", "near", "the", "source's"]
    assert " 0.93 " in detail
    assert "0.86" not in detail, "what stands in the table is already against the source"


@pytest.mark.parametrize(("room", "name"), [(room, name) for room, figures in ROOMS.items() for name in figures])
def test_every_figure_is_explained(room: str, name: str) -> None:
    title = {"picture": "Pictures", "moving": "Shots", "set": "Sets"}[room]
    section = PAGE.read_text("utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert f"`{name}`" in section
    assert ROOMS[room][name].words in section
