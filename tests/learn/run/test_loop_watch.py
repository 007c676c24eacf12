"""What one sees of a training, and what it does about it: looks, early stop, collapse, curves, sheets, report."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.job import Progress  # noqa: E402  torch must be known to be there first
from impasto.learn.run.loop import Batch, Networks, Outcome, Pace, Training, Watch  # noqa: E402
from impasto.learn.run.record import CURVE, cut_back, read_curve  # noqa: E402
from tests.learn.run.test_loop import batch_at, invert, networks, training, weights  # noqa: E402


def judged(nets: Networks, batch: Batch, progress: float) -> Outcome:
    outcome = invert(nets, batch, progress)
    return dataclasses.replace(outcome, parts={**outcome.parts, "told_apart": 0.75, "recall": 0.9})


def watched(folder: Path, steps: int, watch: Watch, take=judged, **pace: object) -> Training:
    given = {"steps": steps, "generator_rate": 0.05, "checkpoint_seconds": 1e9, **pace}
    return Training(networks(), batch_at, take, Pace(**given), folder=folder, label="live", watch=watch)


def test_a_run_leaves_curve_sheet_board_and_report(tmp_path: Path) -> None:
    run = watched(tmp_path, 20, Watch(held_out=lambda net: {"miss": 0.5}, about={"setting: <b>": "1 & 2"}))
    events = list(run.run())
    lines = read_curve(tmp_path / CURVE)
    assert [line["step"] for line in lines if "miss" in line] == list(range(1, 21))
    looks = [line for line in lines if "held/miss" in line]
    assert [line["step"] for line in looks] == [5, 10, 15, 20]
    assert looks[0]["judged/precision"] == pytest.approx(0.9 / (0.9 + 0.4))
    with Image.open(tmp_path / "sheet-000020.png") as sheet:
        assert sheet.width > 3 * 8
        assert len({sheet.getpixel((x, y)) for x in range(sheet.width) for y in range(40, sheet.height)}) > 20
    assert list((tmp_path / "curves").glob("events*"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "data:image/jpeg;base64," in page
    assert "<td>&lt;b&gt;</td>" in page
    assert "1 &amp; 2" in page
    assert page.count("<svg") >= 5
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    said = [event for event in events if isinstance(event, Progress) and event.figures]
    assert "images/s" in said[0].note
    assert {"miss", "images_per_second"} <= said[0].figures.keys()


def test_a_run_that_is_stopped_leaves_a_report_too(tmp_path: Path) -> None:
    steps = watched(tmp_path, 10**6, Watch()).run()
    next(steps)
    steps.close()
    assert "the same command resumes it" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_looking_changes_nothing(tmp_path: Path) -> None:
    plain, seen = training(tmp_path / "plain", 30), watched(tmp_path / "seen", 30, Watch(), invert, look_every=1)
    list(plain.run())
    list(seen.run())
    assert all(torch.equal(a, b) for a, b in zip(weights(plain), weights(seen), strict=True))


def test_early_stop_ends_and_keeps_the_best(tmp_path: Path) -> None:
    figures = iter([0.9, 0.5, 0.7, 0.6, 0.8])
    kept = {}

    def held_out(net: torch.nn.Module) -> dict[str, float]:
        value = next(figures)
        kept[value] = [p.clone() for p in net.parameters()]
        return {"distance": value, "other": 0.0}

    run = watched(tmp_path, 1000, Watch(held_out=held_out), look_every=10, early_stop=True, patience=3)
    told = [event.note for event in run.run()]
    assert run.step == 50
    assert any("has not been better than 0.5 since step 20" in note for note in told)
    assert all(torch.equal(a, b) for a, b in zip(kept[0.5], run.average.parameters(), strict=True))
    again = watched(tmp_path, 1000, Watch(held_out=held_out), look_every=10, early_stop=True, patience=3)
    list(again.run())  # it is over, and stays so
    assert again.step == 50
    assert all(torch.equal(a, b) for a, b in zip(kept[0.5], again.average.parameters(), strict=True))


def test_what_comes_after_the_last_look_may_be_the_best(tmp_path: Path) -> None:
    """The clock ends between two looks: one more is taken then, or an early one would be crowned for want of others."""
    seen: list[int] = []

    def held_out(net: torch.nn.Module) -> dict[str, float]:
        seen.append(run.step)
        return {"distance": 1 / run.step}

    run = watched(tmp_path, 0, Watch(held_out=held_out), minutes=0.02, look_every=10**6, early_stop=True)
    list(run.run())
    assert seen == [run.step]
    assert run.health.best_step == run.step


def test_without_early_stop_it_says_so_and_goes_on(tmp_path: Path) -> None:
    run = watched(tmp_path, 100, Watch(held_out=lambda net: {"distance": 1.0}), look_every=10, patience=3)
    told = [event.note for event in run.run() if "--early-stop would end here" in event.note]
    assert len(told) == 1
    assert run.step == 100
    assert not (tmp_path / "best.checkpoint").exists()


def test_a_collapse_is_told_once_and_the_critic_is_eased(tmp_path: Path) -> None:
    def flat(nets: Networks, batch: Batch, progress: float) -> Outcome:
        outcome = judged(nets, batch, progress)
        return dataclasses.replace(outcome, painted=outcome.painted * 0 + 0.5)

    run = watched(tmp_path, 400, Watch(), flat, look_every=20)
    told = [event.note for event in run.run() if "collapse" in event.note]
    assert len(told) == 1
    assert run.health.strength == 0.5
    assert run.critic_optimiser.param_groups[0]["lr"] < run.generator_optimiser.param_groups[0]["lr"] * 0.4 * 0.51
    assert "collapse" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_batch_statistics_of_the_generator_reach_the_average(tmp_path: Path) -> None:
    nets = networks()
    nets.generator = torch.nn.Sequential(nets.generator, torch.nn.BatchNorm2d(3))
    run = Training(nets, batch_at, invert, Pace(steps=5), folder=tmp_path, label="live")
    list(run.run())
    assert torch.equal(run.average[1].running_mean, nets.generator[1].running_mean)
    assert run.average[1].running_mean.abs().sum() > 0


def test_a_curve_is_cut_back_to_a_step_and_loses_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / CURVE
    path.write_text("".join(json.dumps({"step": i, "a": i / 3}) + "\n" for i in range(9)) + '{"step": 9, "a"')
    cut_back(path, 4)
    assert read_curve(path) == [{"step": i, "a": i / 3} for i in range(5)]
