"""Variations of one look: the code is not ignored, held-out figures fall, and a code paints the same way in every frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.material.looks import Looks, middles  # noqa: E402
from impasto.learn.recipes import fusion  # noqa: E402
from impasto.models.blocks import Painter  # noqa: E402
from impasto.models.generators import swift  # noqa: E402
from impasto.models.perception import Perception  # noqa: E402
from impasto.styles.package import StyleFile  # noqa: E402
from tests.learn.recipes.test_styles import RED, blots  # noqa: E402
from tests.models.test_perception import write_folded  # noqa: E402

SMALL = ["crop_px=128", "batch=1", "photo_side=160", "style_side=160", "critic_width=8", "columns=64", "code=4"]


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    Image.fromarray(blots(RED)).save(tmp_path / "red.png")
    return tmp_path / "red.png"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        Image.fromarray(blots((120, 120, 120), i + 5)).save(folder / f"{i}.png")
    return folder


def job(painting: Path, photos: Path, **more: object) -> TrainJob:
    values = {"recipe": "fusion", "tier": "live", "steps": 2, "set": SMALL, "seed": 5, "photos": [photos]}
    return TrainJob.build(references=[painting], out=photos.parent / "many.style", **{**values, **more})


def material_of(made: TrainJob, teacher: Path | None = None) -> tuple[fusion.Settings, Looks]:
    settings = fusion.Settings(**dict(pair.split("=") for pair in made.set))
    return settings, fusion.gather(made, settings, Perception([teacher]) if teacher else None, torch.device("cpu"))


def small_painter(code: int) -> Painter:
    torch.manual_seed(0)
    painter = swift.Generator(swift.Settings(width=16, blocks=2, head=8, code=code))
    torch.nn.init.normal_(painter.get_parameter("film.weight"), std=fusion.FIRST_SPREAD)
    return painter


def learn(settings: fusion.Settings, material: Looks, painter: Painter, steps: int) -> None:
    """The painting side of the loop alone, at a rate that a real training could not bear."""
    networks = fusion.networks(settings, material, painter)
    batch_at, take = fusion.batches(settings, material), fusion.step(settings, material)
    own = [*painter.parameters(), *networks.helpers.parameters()]
    optimiser = torch.optim.Adam(own, lr=5e-3, betas=(0.5, 0.99))
    for i in range(steps):
        optimiser.zero_grad()
        take(networks, batch_at(i), 0.2).generator.backward()
        torch.nn.utils.clip_grad_norm_(own, 1.0)
        optimiser.step()
    painter.eval()


def test_the_look_comes_and_the_code_is_not_ignored(painting: Path, photos: Path) -> None:
    settings, material = material_of(job(painting, photos, set=[*SMALL, "steady=0", "adversary=0", "nce=0", "patches=12"]))
    painter, judged = small_painter(4), fusion.held_out(settings, material)
    before = judged(painter.eval())
    learn(settings, material, painter.train(), 24)
    after = judged(painter)
    assert after["style"] < 0.8 * before["style"]
    assert -before["sameness"] < 0.5 * settings.floor, "at first all variations are nearly one"
    assert -after["sameness"] > 0.8 * settings.floor, "variations are visibly different"
    assert after["style_and_lack"] < before["style_and_lack"]
    photo = middles(material.held.images[:1], 128)
    one, other = torch.tensor([[1.0, 1, -1, 0]]), torch.tensor([[-1.0, 0, 1, 1]])
    with torch.inference_mode():
        assert torch.equal(painter(photo, one), painter(photo, one)), "one code, one hand, in every frame"
        assert float((painter(photo, one) - painter(photo, other)).abs().mean()) > 0.3 * settings.floor


def test_variations_fall_short_of_the_floor_in_proportion_to_their_codes() -> None:
    code = torch.zeros(4, 8)
    code[0], code[2] = 1.0, 0.25  # pairs at distances of 8 ** 0.5 and a quarter of it; usual is 4
    painted = torch.zeros(4, 3, 8, 8)
    painted[0], painted[2] = 0.03, 0.03
    wanted = [0.06 * 8**0.5 / 4, 0.06 * 8**0.5 / 16]
    expected = ((1 - 0.03 / wanted[0]) + 0) / 2
    assert float(fusion.alike(painted, code, 0.06)) == pytest.approx(expected, abs=1e-5)
    assert float(fusion.alike(painted, code, 0.0)) == 0


def test_diversity_is_the_mean_difference_of_all_pairs() -> None:
    variations = torch.tensor([0.0, 0.1, 0.4]).view(3, 1, 1, 1).expand(3, 3, 8, 8)
    assert fusion.diversity(variations) == pytest.approx((0.1 + 0.4 + 0.3) / 3, abs=1e-6)
    grain = torch.tensor([0.0, 1.0]).repeat(4)[None, None, None].expand(1, 3, 8, 8)
    assert fusion.diversity(torch.cat([grain, 1 - grain])) == pytest.approx(0, abs=1e-6), "grain is no variation"


def test_a_style_file_of_variations_says_so(painting: Path, photos: Path, tmp_path: Path) -> None:
    teacher = write_folded(tmp_path / "vgg.safetensors")
    done = job(painting, photos, teacher=[teacher]).finish()
    card = StyleFile.open(done.path).check().card
    assert card.varies
    assert card.tiers["live"].settings["code"] == 4
    assert card.tiers["live"].codes == {}


def test_both_of_a_pair_are_of_one_photograph(painting: Path, photos: Path) -> None:
    settings, material = material_of(job(painting, photos, set=[*SMALL, "batch=2"]))
    batch = fusion.batches(settings, material)(3)
    assert torch.equal(batch["photo"][0::2], batch["photo"][1::2])
    assert not torch.equal(batch["code"][0], batch["code"][1])
    assert np.isfinite(batch["code"].numpy()).all()


def test_one_flat_colour_is_no_look(photos: Path, tmp_path: Path) -> None:
    Image.new("RGB", (150, 150), RED).save(tmp_path / "flat.png")
    with pytest.raises(InputError, match=r"flat\.png: one flat colour"):
        fusion.check(material_of(job(tmp_path / "flat.png", photos))[1])
