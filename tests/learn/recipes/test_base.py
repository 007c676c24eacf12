"""The base recipe: photographs in, a generator that repairs them out, as a file that looks start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.engine.export import read_weights  # noqa: E402  torch must be known to be there first
from impasto.errors import InputError  # noqa: E402
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.material.data import gather_references  # noqa: E402
from impasto.learn.recipes import base  # noqa: E402
from impasto.styles.package import StyleFile  # noqa: E402
from tests.learn.made_art import learn, tiny  # noqa: E402

SMALL = ["crop_px=128", "batch=2", "style_side=144", "critic_width=8"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        rough = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8))
        rough.resize((160, 130), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return folder


def job(references: list[Path], out: Path, **more: object) -> TrainJob:
    values = {"recipe": "base", "tier": "live", "steps": 3, "set": SMALL, "seed": 5}
    return TrainJob.build(references=references, out=out, **{**values, **more})


@pytest.mark.slow  # 8 s: two trainings to their ends
def test_a_base_is_learnt_and_a_look_starts_from_it(photos: Path, tmp_path: Path) -> None:
    done = job([photos], tmp_path / "base.style").finish()
    card = StyleFile.open(done.path).card
    assert card.training.recipe == "base"
    assert [named.name for named in card.training.references] == ["0.png", "1.png", "2.png"]
    look = TrainJob.build(
        references=[photos / "0.png"], photos=[photos], out=tmp_path / "look.style", start=tmp_path / "base.style", tier="live",
        steps=1, set=["crop_px=128", "batch=2", "photo_side=144", "style_side=144", "critic_width=8", "columns=64"],
    ).finish()  # fmt: skip
    start, end = (read_weights(StyleFile.open(path).graph("live")) for path in (done.path, look.path))
    moved = max(float(np.abs(start[name].astype(np.float32) - end[name].astype(np.float32)).max()) for name in start)
    assert 0 < moved < 0.01, "one step away from the base"


@pytest.mark.slow
def test_it_learns_to_repair(photos: Path, tmp_path: Path) -> None:
    """By learning, worn crops that were never learnt from come closer to the whole ones than they were given."""
    settings = base.Settings(crop_px=128, batch=2, style_side=144, critic_width=8, grain=0.2, blur_px=0, light=0, steady=0)
    material = base.gather(job([photos], tmp_path / "base.style"), settings, None, torch.device("cpu"))
    measured, generator = base.held_out(settings, material), tiny()
    before = measured(generator.eval())
    learn(base, settings, material, generator.train(), 30)
    after = measured(generator)
    assert after["error"] < 0.97 * before["error"]
    assert after["error"] < after["error_as_given"] == before["error_as_given"]


def test_worn_pictures_differ_and_stay_pictures() -> None:
    whole = torch.rand(4, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    worn = base.worn(whole, base.Settings(), np.random.default_rng(0))
    assert worn.shape == whole.shape
    assert float(worn.min()) >= 0
    assert float(worn.max()) <= 1
    assert float((worn - whole).abs().mean()) > 0.02
    assert torch.equal(worn, base.worn(whole, base.Settings(), np.random.default_rng(0))), "the same seed, the same wear"


def test_one_photograph_is_too_few(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="learns from many photographs, not 1: give a folder"):
        job([photos / "0.png"], tmp_path / "base.style").finish()


def test_references_come_from_files_folders_and_lists(photos: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"# two\n{photos / '1.png'}\n{photos / '2.png'}\n", "utf-8")
    found = gather_references([photos / "0.png", listed], 96)
    assert found.names == ["0.png", "1.png", "2.png"]
    assert len(found.hashes) == len(found.images) == len(found.sizes) == 3
    with pytest.raises(InputError, match=r"gone\.png: no such picture"):
        gather_references([tmp_path / "gone.png"], 96)
    (photos / "broken.png").write_bytes(b"no picture")
    assert len(gather_references([photos], 96).refused) == 1, "in a folder one bad file is told, not fatal"
    with pytest.raises(InputError, match=r"broken\.png"):
        gather_references([photos / "broken.png"], 96)
