"""`learn LOOK --steady SHOT`: the look goes on learning until it flickers less on that shot, and keeps its paint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

import torch.nn.functional as F  # noqa: E402  torch must be known to be there first

from impasto.engine.export import export_graph  # noqa: E402
from impasto.errors import InputError  # noqa: E402
from impasto.job import Done, Progress  # noqa: E402
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.package import describe  # noqa: E402
from impasto.learn.painters import open_painter  # noqa: E402
from impasto.learn.recipes import steady  # noqa: E402
from impasto.models.generators import brush, swift  # noqa: E402
from impasto.styles.card import SCHEMA, Card, Credit, TrainingRecord  # noqa: E402
from impasto.styles.package import StyleFile, write_style  # noqa: E402
from tests.fakes import a_preview, lively  # noqa: E402

FRAMES, WIDTH, HEIGHT, PAN_PX = 13, 96, 64, 3
QUICK = ["crop_px=64", "critic_width=4"]
SIZES = {"width": 8, "blocks": 1}


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pan over a rough picture, with fresh grain in each frame: what a look flickers on."""
    folder = tmp_path_factory.mktemp("shot")
    rng = np.random.default_rng(1)
    wide = WIDTH + PAN_PX * FRAMES
    scene = Image.fromarray(rng.integers(0, 256, (12, 24, 3), np.uint8)).resize((wide, HEIGHT), Image.Resampling.BICUBIC)
    for i in range(FRAMES):
        seen = np.asarray(scene, np.float32)[:, PAN_PX * i : PAN_PX * i + WIDTH] + rng.normal(0, 6, (HEIGHT, WIDTH, 3))
        Image.fromarray(seen.clip(0, 255).astype(np.uint8)).save(folder / f"pan.{i:04d}.png")
    return folder


def write_look(path: Path, varies: bool = False, codes: dict[str, list[float]] | None = None, **tiers: torch.nn.Module) -> Path:
    graphs = {tier: export_graph(painter) for tier, painter in tiers.items()}
    held = {tier: describe(painter, graphs[tier], codes) for tier, painter in tiers.items()}
    record = TrainingRecord(
        command="impasto learn", recipe="one_image", seed=0, steps=dict.fromkeys(tiers, 9), date="2026-01-01", impasto="0"
    )
    about = {"title": "Wild", "licence": "CC-BY-4.0", "description": "Learnt from wave.jpg.", "varies": varies}
    credit = Credit(work="wave.jpg", author="A. Painter", licence="CC0-1.0", source="a wall")
    card = Card(schema=SCHEMA, name="wild", tiers=held, credits=[credit], training=record, **about)
    write_style(path, card, graphs, a_preview())
    return path


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    full, live = brush.Generator(brush.Settings(**SIZES)), swift.Generator(swift.Settings(**SIZES, head=8))
    return write_look(tmp_path_factory.mktemp("looks") / "wild.style", live=lively(live, 1), full=lively(full, 2))


def job(look: Path, shot: Path, out: Path, **more: object) -> TrainJob:
    values = {
        "references": [look],
        "steady": shot,
        "out": out,
        "tier": "live",
        "steps": 2,
        "set": QUICK,
        "teacher": [Path("none")],
    }
    return TrainJob.build(**{**values, **more})


def still(look: Path, shot: Path) -> tuple[steady.Settings, steady.Still]:
    settings = steady.Settings(**dict(pair.split("=") for pair in QUICK))  # type: ignore[arg-type]
    return settings, steady.gather(job(look, shot, look.with_name("x.style")), settings, None, torch.device("cpu"))


def test_a_look_flickers_less_on_frames_it_never_saw_and_keeps_its_paint(wild: Path, shot: Path, tmp_path: Path) -> None:
    done = job(wild, shot, tmp_path / "calm.style", steps=50).finish()
    settings, material = still(wild, shot)
    figures = steady.held_out(settings, material)
    before, after = figures(material.teachers["live"]), figures(open_painter(StyleFile.open(done.path), "live"))
    assert before["unrest"] == pytest.approx(1)
    assert after["unrest"] < 0.93
    assert after["flicker"] < before["flicker"]
    assert after["warp"] < 0.93 * before["warp"]
    assert after["detail"] > 0.85 * before["detail"], "grey fog holds still too"
    assert after["apart"] < 8


def test_the_file_is_the_same_look_and_says_what_it_was_steadied_on(wild: Path, shot: Path, tmp_path: Path) -> None:
    events = list(job(wild, shot, tmp_path / "calm.style").run())
    done = events[-1]
    assert isinstance(done, Done)
    notes = [event.note for event in events if isinstance(event, Progress)]
    assert any("Wild, live, on 7 pairs of neighbouring frames" in note and "leaves out its full tier" in note for note in notes)
    before, after = StyleFile.open(wild).card, StyleFile.open(done.path).card
    assert list(after.tiers) == ["live"]
    assert after.tiers["live"].settings == before.tiers["live"].settings
    assert (after.title, after.licence, after.credits) == ("Wild", "CC-BY-4.0", before.credits)
    assert after.description == f"Learnt from wave.jpg. Steadied on 9 frames of {shot.name}."
    record = after.training
    assert (record.recipe, record.steps, record.photos) == ("steady", {"live": 2}, 9)
    assert record.start is not None
    assert record.start.name == "wild.style"
    assert f"wild.style -o calm.style --recipe steady --tier live --steady {shot.name}" in record.command


def test_both_tiers_learn_each_from_its_own(wild: Path, shot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_STYLES", str(wild.parent))
    done = job(Path("wild"), shot, tmp_path / "calm.style", tier="all", steps=1).finish()
    before, after = StyleFile.open(wild), StyleFile.open(done.path)
    assert set(after.card.tiers) == {"live", "full"}
    picture = torch.rand(1, 3, 32, 32)
    for tier in ("live", "full"):
        ours, theirs = (open_painter(style, tier)(picture) for style in (after, before))
        assert 0 < (ours - theirs).abs().mean() < 0.02


def test_the_finest_tier_learns_where_none_is_named(wild: Path, shot: Path) -> None:
    assert job(wild, shot, Path("x.style"), tier="auto").tiers() == ["full"]


def test_soft_paint_is_told_from_the_looks_own() -> None:
    sharp = torch.rand(1, 3, 32, 32)
    soft = F.avg_pool2d(sharp, 3, 1, 1)
    assert float(steady.detail_apart(sharp, sharp)) == 0
    assert float(steady.detail_apart(sharp.roll(1, 3), sharp)) < 0.1 * float(steady.detail_apart(soft, sharp))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"references": []}, "name one look to hold still on it, as in"),
        ({"references": ["wild.style", "other.style"]}, "one look to hold still on it, not 2"),
        ({"references": ["gone"]}, "gone: no look has this name"),
        ({"steady": None}, r"which shot is the look to hold still on\? Say --steady SHOT"),
        ({"steady": Path("gone.mov")}, r"gone\.mov: no such shot"),
        ({"photos": [Path("photos")]}, "--photos does not go along with --steady"),
        ({"start": Path("base.style")}, "--from does not go along with --steady"),
        ({"recipe": "one_image"}, "--recipe one_image knows no --steady"),
    ],
)
def test_bad_words_are_one_line(wild: Path, shot: Path, tmp_path: Path, change: dict[str, object], told: str) -> None:
    recipe = {"recipe": "steady"} if change.get("steady", 0) is None else {}
    with pytest.raises(InputError, match=told) as caught:
        job(wild, shot, tmp_path / "calm.style", **recipe, **change).finish()
    assert "\n" not in str(caught.value)


def test_a_picture_is_no_look(shot: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pan\.0000\.png") as caught:
        job(shot / "pan.0000.png", shot, tmp_path / "calm.style").finish()
    assert "\n" not in str(caught.value)


def test_a_shot_of_one_frame_or_of_small_ones_is_refused(wild: Path, shot: Path, tmp_path: Path) -> None:
    one, small = tmp_path / "one", tmp_path / "small"
    for folder, count, size in ((one, 1, (96, 64)), (small, 3, (96, 48))):
        folder.mkdir()
        for i in range(count):
            Image.open(shot / f"pan.{i:04d}.png").resize(size).save(folder / f"f.{i:04d}.png")
    with pytest.raises(InputError, match="has 1 frame; movement is learnt from 2 or more in a row"):
        job(wild, one, tmp_path / "calm.style").finish()
    with pytest.raises(InputError, match="is 96x48, and steadiness is learnt on 64 pixels each way or more"):
        job(wild, small, tmp_path / "calm.style").finish()


def test_a_tier_that_the_look_has_not_is_refused(shot: Path, tmp_path: Path) -> None:
    look = write_look(tmp_path / "quick.style", live=swift.Generator(swift.Settings(**SIZES)))
    assert job(look, shot, tmp_path / "calm.style", tier="auto").tiers() == ["live"]
    with pytest.raises(InputError, match=r"quick\.style: has no full tier to steady, only live"):
        job(look, shot, tmp_path / "calm.style", tier="full").finish()


def test_a_look_that_varies_or_has_guides_noise_or_codes_is_refused(wild: Path, shot: Path, tmp_path: Path) -> None:
    coded = swift.Generator(swift.Settings(**SIZES, code=2))
    varied = write_look(tmp_path / "varied.style", varies=True, live=coded)
    with pytest.raises(InputError, match=r"varied\.style: its live tier draws a look anew for every code"):
        job(varied, shot, tmp_path / "calm.style").finish()
    many = write_look(tmp_path / "many.style", codes={"ink": [1.0, 0.0], "oil": [0.0, 1.0]}, live=coded)
    with pytest.raises(InputError, match=r"many\.style: its live tier holds 2 looks itself"):
        job(many, shot, tmp_path / "calm.style").finish()
    style = StyleFile.open(wild)
    for change, told in (({"noise": 8}, "out of noise"), ({"scale": 2}, "larger"), ({"guides": {"depth": 1}}, "needs guides")):
        style.card.tiers["live"] = style.card.tiers["live"].model_copy(update=change)
        with pytest.raises(InputError, match=told):
            steady.check_look(style, "live")
        style.card.tiers["live"] = StyleFile.open(wild).card.tiers["live"]
