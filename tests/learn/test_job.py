"""`impasto learn` from end to end on tiny pictures: with and without a teacher, resumed, continued from a look, refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.engine.export import read_weights  # noqa: E402  torch must be known to be there first
from impasto.errors import InputError  # noqa: E402
from impasto.job import Done, Progress  # noqa: E402
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.styles.package import StyleFile  # noqa: E402
from tests.models.test_perception import write_folded  # noqa: E402

SMALL = ["crop_px=128", "batch=2", "photo_side=144", "style_side=144", "critic_width=8", "columns=64"]


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rough = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).resize((160, 120), Image.Resampling.NEAREST)
    rough.save(tmp_path / "painting.png")
    return tmp_path / "painting.png"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    across = np.linspace(0, 255, 100).astype(np.uint8)
    for i in range(3):
        picture = np.stack(
            [np.roll(np.tile(across, (80, 1)), 13 * i, 1), np.tile(across[::-1], (80, 1)), np.full((80, 100), 90 + i)], 2
        )
        Image.fromarray(picture.astype(np.uint8)).save(folder / f"{i}.png")
    return folder


def job(painting: Path, photos: Path, **more: object) -> TrainJob:
    values = {"out": painting.parent / "x.style", "photos": [photos], "tier": "live", "steps": 3, "set": SMALL, "seed": 5}
    return TrainJob.build(references=[painting], **{**values, **more})


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    return write_folded(tmp_path / "vgg.safetensors")


def test_a_look_is_learnt_packed_and_previewed(painting: Path, photos: Path, teacher: Path) -> None:
    events = list(job(painting, photos, teacher=[teacher], author="A. Painter", licence="CC0-1.0").run())
    done = events[-1]
    assert isinstance(done, Done)
    assert any("one painting, painting.png" in e.note for e in events if isinstance(e, Progress))
    style = StyleFile.open(done.path)
    record = style.card.training
    assert (record.recipe, record.seed, record.steps, record.photos) == ("one_image", 5, {"live": 3}, 3)
    assert record.teachers[0].name == "vgg.safetensors"
    assert style.card.credits[0].author == "A. Painter"
    assert str(painting.parent) not in style.card.model_dump_json()
    with Image.open(done.figures["preview"]) as preview:
        assert preview.size == (512, 288)
    assert list((painting.parent / "x.run/live/curves").glob("events*"))


@pytest.mark.slow  # 8 s; that it learns without a teacher is tested recipe by recipe
def test_without_a_teacher_it_learns_too_and_the_same_seed_gives_the_same_look(painting: Path, photos: Path) -> None:
    none = [Path("none")]
    first = job(painting, photos, teacher=none).finish()
    again = job(painting, photos, teacher=none, out=painting.parent / "y.style").finish()
    assert first.path is not None
    assert again.path is not None
    one, two = (read_weights(StyleFile.open(p).graph("live")) for p in (first.path, again.path))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    record = StyleFile.open(first.path).card.training
    assert record.teachers == []
    assert "--teacher none" in record.command


def test_with_no_teacher_named_the_own_perception_judges(painting: Path, photos: Path) -> None:
    done = job(painting, photos, steps=1).finish()
    assert done.path is not None
    record = StyleFile.open(done.path).card.training
    assert [teacher.name for teacher in record.teachers] == ["own_perception.safetensors"]
    assert "--teacher own" in record.command


@pytest.mark.slow  # 8 s; what the loop keeps over a stop is tested in run/test_resume.py
def test_a_stopped_training_resumes_to_the_same_look(painting: Path, photos: Path) -> None:
    job(painting, photos, steps=4).finish()
    whole = read_weights(StyleFile.open(painting.parent / "x.style").graph("live"))
    stopped = job(painting, photos, steps=4, out=painting.parent / "z.style")
    events = stopped.run()
    for event in events:
        if isinstance(event, Progress) and event.stage.startswith("learning"):
            break
    events.close()
    assert not stopped.out.exists()
    assert list((painting.parent / "z.run/live").glob("*.checkpoint"))
    stopped.finish()
    resumed = read_weights(StyleFile.open(stopped.out).graph("live"))
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


def test_a_second_tier_joins_the_first(painting: Path, photos: Path) -> None:
    first = job(painting, photos, steps=1).finish()
    both = job(painting, photos, steps=1, tier="full", start=first.path, out=painting.parent / "both.style").finish()
    assert first.path is not None
    assert both.path is not None
    style = StyleFile.open(both.path)
    assert sorted(style.card.tiers) == ["full", "live"]
    assert style.graph("live") == StyleFile.open(first.path).graph("live")
    record = style.card.training
    assert record.steps == {"live": 1, "full": 1}
    assert record.start is not None
    assert record.start.name == "x.style"
    assert "--from x.style" in record.command


def test_the_run_folder_of_another_training_is_refused_by_name(painting: Path, photos: Path) -> None:
    job(painting, photos, steps=1).finish()
    with pytest.raises(InputError, match="seed was 5 and is 6"):
        job(painting, photos, steps=1, seed=6, overwrite=True).finish()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"references": [Path("gone.png")]}, "gone.png: no such picture"),
        ({"out": Path("x.txt")}, r"\.style"),
        ({"recipe": "magic"}, "choose one of base, .*one_image"),
        ({"set": ["brushes=3"]}, "no such setting"),
        ({"set": ["stroke="]}, "--set stroke: has no value .*write stroke=VALUE"),
        ({"set": ["critic_width=999999", "batch=0"]}, "batch=0: .*critic_width=999999: .*less than or equal to 1024; settings"),
        ({"recipe": "restore", "set": ["task=bend"]}, "--set task=bend: input should be"),
        ({"recipe": "restore", "set": ["task=grey-to-colour", "scale=4"]}, "--set scale is of the task small->large alone"),
        ({"recipe": "restore", "set": ["look=nylon"]}, "--set look=nylon: no such filter"),
        ({"recipe": "restore", "set": ["look=neon", "task=noisy-to-clean"]}, "--set look=neon and task=noisy->clean do not go"),
        ({"start": Path("gone.style")}, r"gone\.style: no such file"),
        ({"start": Path("gone"), "photos": [Path("gone")]}, "gone: no look has this name"),
        ({"teacher": [Path("gone.pth")]}, "no such teacher"),
        ({"photos": [Path("gone")]}, "no such folder"),
        ({"out": Path("no/such/folder/x.style")}, "there is no folder no/such/folder"),
    ],
)
def test_bad_input_is_one_line(painting: Path, photos: Path, change: dict[str, object], told: str) -> None:
    references = change.pop("references", [painting])
    with pytest.raises(InputError, match=told) as caught:
        job(painting, photos).model_copy(update={"references": references, **change}).finish()
    assert "\n" not in str(caught.value)


def test_a_damaged_start_is_refused_before_anything_is_read(painting: Path, photos: Path) -> None:
    broken = painting.with_name("broken.style")
    broken.write_text("no style")
    with pytest.raises(InputError, match=r"broken\.style"):
        next(job(painting, photos, start=broken).run())


def test_a_start_that_was_learnt_with_guides_asks_for_them(
    painting: Path, photos: Path, tiny_style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = StyleFile.open(tiny_style)
    name = next(iter(style.card.tiers))
    guided = {name: style.card.tiers[name].model_copy(update={"guides": {"depth": 1}})}
    held = replace(style, card=style.card.model_copy(update={"tiers": guided}))
    monkeypatch.setattr("impasto.learn.onward.opened", lambda place: held)
    with pytest.raises(InputError, match=r"learnt with guides \(depth\); give them: --guide depth=PATH"):
        next(job(painting, photos, start=tiny_style, tier=name).run())


def test_a_network_too_large_for_the_machine_is_one_line(painting: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainJob, "_training", lambda *_: torch.empty(10**7, 10**7))
    with pytest.raises(InputError, match="needs more memory than there is: take a smaller crop_px, batch or width"):
        job(painting, photos).finish()


def test_a_flat_or_broken_painting_is_refused(painting: Path, photos: Path) -> None:
    Image.new("RGB", (50, 50), (9, 9, 9)).save(painting)
    with pytest.raises(InputError, match="one flat colour"):
        job(painting, photos).finish()
    painting.write_text("no picture")
    with pytest.raises(InputError, match=r"painting\.png"):
        job(painting, photos).finish()


def test_a_coloured_flat_painting_and_a_tiny_one_are_refused(painting: Path, photos: Path) -> None:
    Image.new("RGB", (50, 50), (200, 0, 0)).save(painting)
    with pytest.raises(InputError, match="one flat colour"):
        job(painting, photos).finish()
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3)).save(painting)
    with pytest.raises(InputError, match="2x2 pixels are too few"):
        job(painting, photos).finish()


def test_no_input_is_ever_overwritten_by_the_preview(painting: Path, photos: Path) -> None:
    held = painting.rename(painting.with_name("x.preview.png"))
    before = held.read_bytes()
    with pytest.raises(InputError, match="exists already"):
        job(held, photos).finish()
    with pytest.raises(InputError, match="also an input"):
        job(held, photos, overwrite=True).finish()
    assert held.read_bytes() == before


def test_a_failed_start_does_not_bind_its_run_folder(painting: Path, photos: Path) -> None:
    with pytest.raises(InputError):
        job(painting, photos, set=[*SMALL, "gram=nan"]).finish()
    with pytest.raises(InputError):
        job(painting, photos, set=[*SMALL, "critic_width=0"]).finish()
    (painting.parent / "x.run").mkdir(exist_ok=True)
    (painting.parent / "x.run/job.json").write_text("{ damaged")
    job(painting, photos, steps=1).finish()
    (painting.parent / "x.run/job.json").write_text("{ damaged")
    with pytest.raises(InputError, match="damaged"):
        job(painting, photos, steps=1, overwrite=True).finish()


def test_an_existing_look_is_kept_unless_told(painting: Path, photos: Path) -> None:
    (painting.parent / "x.style").write_text("mine")
    with pytest.raises(InputError, match="--overwrite"):
        job(painting, photos).finish()
    assert (painting.parent / "x.style").read_text() == "mine"


def test_a_training_is_not_resumed_on_another_picture(painting: Path, photos: Path) -> None:
    none = [Path("none")]
    job(painting, photos, steps=1, teacher=none).finish()
    before = painting.read_bytes()
    Image.open(painting).rotate(180).save(painting)
    with pytest.raises(InputError, match=r"other pictures so far \(painting\.png is another picture now\).*another --run"):
        job(painting, photos, steps=2, teacher=none, overwrite=True).finish()
    painting.write_bytes(before)
    kept = photos / "0.png"
    Image.open(kept).rotate(180).save(kept)
    with pytest.raises(InputError, match=r"\(0\.png is another picture now\)"):
        job(painting, photos, steps=3, teacher=none, overwrite=True).finish()
    (painting.parent / "x.run/material.json").unlink()
    job(painting, photos, steps=3, teacher=none, overwrite=True).finish()  # a run folder of before there was such a list


def test_a_look_that_is_written_into_its_own_references_is_none_of_them(photos: Path, tmp_path: Path) -> None:
    art = tmp_path / "art"
    art.mkdir()
    for i in range(3):
        rough = np.random.default_rng(i).integers(0, 256, (12, 16, 3), np.uint8)
        Image.fromarray(rough).resize((160, 120), Image.Resampling.NEAREST).save(art / f"{i}.png")
    values = {"out": art / "inside.style", "teacher": [Path("none")], "set": SMALL[:-1]}
    job(art, photos, steps=1, **values).finish()
    done = job(art, photos, steps=2, overwrite=True, **values).finish()
    assert done.path is not None
    record = StyleFile.open(done.path).card.training
    assert (record.recipe, record.steps) == ("folder", {"live": 2})
    assert [each.name for each in record.references] == ["0.png", "1.png", "2.png"]
