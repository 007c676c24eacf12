"""The folder recipe: unpaired works in, their texture and palette out; a tree is one style for each folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn import unpaired  # noqa: E402
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.material.data import to_tensor  # noqa: E402
from impasto.learn.recipes import folder  # noqa: E402
from impasto.losses import structure_lost  # noqa: E402
from impasto.models.perception import Perception  # noqa: E402
from impasto.styles.package import StyleFile  # noqa: E402
from tests.learn.made_art import NIGHT, PAPER, hatched, learn, save, soft, tiny  # noqa: E402
from tests.models.test_perception import write_folded  # noqa: E402

SMALL: dict[str, Any] = {"batch": 1, "crop_px": 128, "style_side": 160, "photo_side": 128, "critic_width": 8}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("photos") / "photos", [soft(50 + i) for i in range(4)])


@pytest.fixture(scope="module")
def art(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("art") / "art", [hatched(i) for i in range(5)])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tree")
    save(place / "night", [hatched(i, NIGHT) for i in range(3)])
    save(place / "paper", [hatched(i, PAPER) for i in range(2)])
    return place


def material(references: list[Path], photos: Path, settings: folder.Settings) -> unpaired.Art:
    job = TrainJob.build(references=references, photos=[photos], out=Path("x.style"), recipe="folder")
    return folder.gather(job, settings, None, CPU)


def test_it_learns_texture_and_palette(art: Path, photos: Path) -> None:
    """Night sheets make paintings darker and bluer, and nearer to a sheet that was never learnt from."""
    settings = folder.Settings(**SMALL, adversary=3, nce=0.1, steady=1, outside=1, turn=1)
    seen, generator = material([art], photos, settings), tiny()
    figures = folder.held_out(settings, seen)
    before = figures(generator.eval())
    parts = learn(folder, settings, seen, generator.train(), 10)
    after = figures(generator)
    assert after["style"] < 0.8 * before["style"]
    photo = to_tensor([image[:96, :96] for image in seen.photos.images])
    with torch.no_grad():
        red, _, blue = generator(photo).mean((0, 2, 3))
    assert red < photo[:, 0].mean() - 0.05
    assert blue > red + 0.05
    assert set(parts[0]) >= {"adversary", "nce", "palette", "steady", "critic", "told_apart"}


def test_works_and_photographs_are_kept_aside_the_same_way_each_time(art: Path, photos: Path) -> None:
    settings = folder.Settings(**SMALL)
    once, again = (material([art], photos, settings) for _ in range(2))
    assert len(once.kept.names) == 1
    assert set(once.kept.names).isdisjoint(once.works.names)
    assert {*once.kept.names, *once.works.names} == set(once.references.names)
    assert set(once.photos_kept.names).isdisjoint(once.photos.names)
    assert (once.kept.names, once.photos.names) == (again.kept.names, again.photos.names)


def test_a_batch_depends_on_seed_and_step_alone(art: Path, photos: Path) -> None:
    settings = folder.Settings(**SMALL)
    at, again = (folder.batches(settings, material([art], photos, settings)) for _ in range(2))
    assert all(torch.equal(at(7)[name], again(7)[name]) for name in at(7))
    assert not torch.equal(at(7)["photo"], at(8)["photo"])


def test_a_tree_is_one_style_for_each_folder(tree: Path, photos: Path) -> None:
    settings = folder.Settings(**SMALL)
    seen = material([tree], photos, settings)
    assert seen.looks == ["night", "paper"]
    assert "2 styles: night (2), paper (1)" in folder.check(seen)
    generator = folder.generator(settings, seen, "live")
    assert generator.settings.code == 2
    assert folder.describe_codes(generator, seen) == {"night": [1, 0], "paper": [0, 1]}
    mixed = material([tree], photos, folder.Settings(**SMALL, by_folder=False))
    assert (mixed.looks, len(mixed.references.names)) == ([""], 5)
    assert folder.describe_codes(generator, mixed) == {}


def test_folders_without_pictures_are_no_styles(photos: Path, tmp_path: Path) -> None:
    settings = folder.Settings(**SMALL)
    save(tmp_path / "night", [hatched(0), hatched(1)])
    (tmp_path / "night/0000.png").rename(tmp_path / "0000.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    assert material([tmp_path], photos, settings).looks == [""]
    save(tmp_path / "paper", [hatched(0, PAPER)])
    (tmp_path / "old.bmp").touch()
    found = material([tmp_path], photos, settings)
    assert found.looks == ["night", "paper"]
    assert [line.rpartition(": ")[0] for line in found.references.refused] == [f"{tmp_path / 'old.bmp'}: .bmp is not read here"]


def test_each_code_paints_its_own_style(tree: Path, photos: Path) -> None:
    settings = folder.Settings(**SMALL | {"batch": 2}, adversary=1, nce=0, steady=0, outside=1, palette=40, turn=1)
    seen, generator = material([tree], photos, settings), tiny(code=2)
    learn(folder, settings, seen, generator, 14)
    photo = to_tensor([image[:96, :96] for image in seen.photos.images])
    with torch.no_grad():
        night, paper = (generator(photo, torch.eye(2)[i].expand(len(photo), 2)).mean((0, 2, 3)) for i in range(2))
        assert torch.equal(generator(photo), generator(photo, torch.eye(2)[0].expand(len(photo), 2))), "the first, unless told"
    assert night[2] - night[0] > paper[2] - paper[0] + 0.02, "night is bluer"


def test_a_tree_becomes_a_style_file_with_codes_by_name(tree: Path, photos: Path, tmp_path: Path) -> None:
    settings = [f"{name}={value}" for name, value in SMALL.items()]
    out = tmp_path / "two.style"
    TrainJob.build(
        references=[tree], photos=[photos], out=out, recipe="folder", tier="live", steps=1, set=settings, teacher=[Path("none")]
    ).finish()
    tier = StyleFile.open(out).card.tiers["live"]
    assert tier.codes == {"night": [1, 0], "paper": [0, 1]}


def test_softening_takes_lines_and_leaves_the_rest() -> None:
    sheet = to_tensor([hatched(1, PAPER)])
    sheet[..., :60] = 0.5
    worn = unpaired.softened(sheet)
    assert torch.equal(worn[..., :50], sheet[..., :50])
    assert worn[..., 80:].std() < 0.8 * sheet[..., 80:].std()
    assert structure_lost(worn.mean(1, keepdim=True), sheet.mean(1, keepdim=True)) < 0.3


def test_what_cannot_be_learnt_from_is_said_in_a_line(tmp_path: Path, photos: Path) -> None:
    settings = folder.Settings(**SMALL)
    flat = np.full((64, 64, 3), 90, np.uint8)
    cases = {"one": ([hatched(0)], "is not a folder of art"), "flat": ([hatched(0), flat], "one flat colour")}
    for name, (pictures, words) in cases.items():
        place = save(tmp_path / name, pictures)
        with pytest.raises(InputError, match=words) as caught:
            folder.check(material([place], photos, settings))
        assert "\n" not in str(caught.value)
    flats = save(tmp_path / "one flat", [hatched(0), flat, hatched(1)])
    assert material([flats], photos, settings).references.names == ["0000.png", "0002.png"], "one does not end it for all"
    small = material([save(tmp_path / "small", [hatched(0), hatched(1)])], photos, settings)
    small.references.sizes[1] = (200, 20)
    with pytest.raises(InputError, match=r"0001.png: 200x20 pixels are too few"):
        folder.check(small)


def test_a_teacher_adds_content_gram_and_the_nearest_texture_in_grey(tree: Path, photos: Path, tmp_path: Path) -> None:
    settings = folder.Settings(**SMALL)
    seen, generator = material([tree], photos, settings), tiny(code=2)
    seen.perception = Perception([write_folded(tmp_path / "vgg.safetensors")])
    lesson = unpaired.Lesson(settings, seen)
    networks, batch = folder.networks(settings, seen, generator), folder.batches(settings, seen)(0)
    painted, losses = lesson.paint(networks, networks.critic, batch)
    assert {"content", "gram", "nearest"} <= set(losses)
    assert losses["gram"] > 0
    assert losses["nearest"] > 0
    tinted = painted.detach() + torch.tensor([0.05, -0.0255, 0.0]).view(1, 3, 1, 1)  # as light in grey as before
    again = lesson._taught(tinted, batch["photo"], batch["look"])
    assert again["content"] == pytest.approx(float(losses["content"].detach()), abs=1e-3), "colour is not the teacher's affair"
    assert lesson.weights(0.0)["gram"] < lesson.weights(0.5)["gram"] == settings.gram


@pytest.mark.parametrize("family", ["lsgan", "bce", "wgan", "relativistic"])
def test_every_family_takes_a_step(family: str, art: Path, photos: Path) -> None:
    settings = folder.Settings(**SMALL, family=family)
    parts = learn(folder, settings, material([art], photos, settings), tiny(), 1)
    assert np.isfinite(list(parts[0].values())).all()
