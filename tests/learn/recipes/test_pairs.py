"""Pairs given by the user: matched by name, fitted in size, learnt from; what does not match is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.paired import EVERY, set_apart  # noqa: E402
from impasto.learn.recipes import pairs  # noqa: E402
from impasto.models.generators import swift  # noqa: E402
from impasto.styles.package import StyleFile  # noqa: E402
from tests.learn.material.test_filters import scene  # noqa: E402

NO_TEACHER = [Path("none")]
SMALL = {"batch": 2, "crop_px": 128, "critic_width": 4, "photo_side": 180}


def save(picture: Any, path: Path) -> None:
    Image.fromarray(np.rint(np.asarray(picture).clip(0, 1) * 255).astype(np.uint8)).save(path, quality=95)


def drawn(photo: Any) -> Any:
    """What our artist makes of a photograph: flat red and white."""
    ink = photo.mean(axis=2, keepdims=True) > 0.4
    return np.where(ink, np.array([0.95, 0.9, 0.85]), np.array([0.7, 0.1, 0.15]))


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Photographs and their drawings in two folders; the drawings are of another format and half as large."""
    folder = tmp_path_factory.mktemp("studio")
    people, comics = folder / "people", folder / "comics"
    people.mkdir()
    comics.mkdir()
    for seed in range(9):
        photo = scene(seed, 144, 180)
        save(photo, people / f"{seed}.png")
        save(drawn(photo)[::2, ::2], comics / f"{seed}.jpg")
    return people, comics


def gathered(people: Path, comics: Path, **values: Any) -> tuple[pairs.Settings, pairs.Matched]:
    settings = pairs.Settings(**{**SMALL, **values})
    job: Any = SimpleNamespace(references=[comics], photos=[people], seed=3)
    return settings, pairs.gather(job, settings, None, torch.device("cpu"))


def test_names_match_without_their_suffix_and_sizes_are_fitted(studio: tuple[Path, Path]) -> None:
    _, material = gathered(*studio)
    assert [name.split(".")[0] for name in material.photos.names] == [name.split(".")[0] for name in material.references.names]
    assert all(a.shape == b.shape for a, b in zip(material.photos.images, material.references.images, strict=True))
    assert pairs.check(material) == "9 pairs, 1 of them kept for measuring"


def test_crops_of_a_pair_show_the_same_place(studio: tuple[Path, Path]) -> None:
    settings, material = gathered(*studio, steady=0)
    batch = pairs.batches(settings, material)(4)
    right = torch.from_numpy(drawn(batch["given"].permute(0, 2, 3, 1).numpy()[0])).permute(2, 0, 1)
    wrong = right.flip(2)
    apart = [(batch["target"][0] - other).abs().mean() for other in (right, wrong)]
    assert apart[0] < 0.5 * apart[1]
    again = pairs.batches(settings, material)(4)
    assert all(torch.equal(batch[name], again[name]) for name in batch)


def test_pairs_are_learnt_within_seconds(studio: tuple[Path, Path]) -> None:
    settings, material = gathered(*studio, steady=0)
    torch.manual_seed(0)
    painter = swift.Generator(swift.Settings(width=16, blocks=1)).train()
    networks = pairs.networks(settings, material, painter)
    batch_at, step = pairs.batches(settings, material), pairs.step(settings, material)
    sides = [torch.optim.Adam(net.parameters(), 3e-3, (0.5, 0.99)) for net in (painter, networks.critic)]
    for number in range(16):
        outcome = step(networks, batch_at(number), 1.0)
        for side, loss in zip(sides, (outcome.generator, outcome.critic), strict=True):
            side.zero_grad()
            loss.backward()
            side.step()
    assert {"pixels", "adversary", "matching", "told_apart"} <= outcome.parts.keys()
    figures = pairs.held_out(settings, material)(painter.eval())
    assert figures["error"] < 0.8 * figures["error_as_given"]


def test_who_has_no_partner_is_listed_and_left_out(studio: tuple[Path, Path], tmp_path: Path) -> None:
    people, comics = studio
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    save(scene(20, 144, 180), lonely / "stranger.png")
    settings = pairs.Settings(**SMALL)
    job: Any = SimpleNamespace(references=[comics], photos=[people, lonely], seed=0)
    material = pairs.gather(job, settings, None, torch.device("cpu"))
    assert material.photos.refused == ["stranger.png: has no partner of that name"]
    assert len(material.photos.images) == 9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("shape", r"7\.jpg: is 90x50, and its photograph 7\.png is 180x144: crop one"),
        ("names", r"no drawing has the name of a photograph: photographs are 0, 1"),
        ("double", r"7\.png: 7\.jpg has the same name in the references; rename"),
        ("photos", r"two places: the drawings, and with --photos"),
        ("same", r"are the same pictures: give the drawings first"),
    ],
)
def test_what_cannot_be_paired_is_told_in_one_line(change: str, words: str, studio: tuple[Path, Path], tmp_path: Path) -> None:
    people, comics = studio
    art = tmp_path / "art"
    art.mkdir()
    name = {"names": "other.jpg", "same": "7.png"}.get(change, "7.jpg")
    source = people / "7.png" if change == "same" else comics / "7.jpg"
    picture = Image.open(source)
    (picture.crop((0, 0, 90, 50)) if change == "shape" else picture).save(art / name)
    if change == "double":
        picture.save(art / "7.png")
    photos = [] if change == "photos" else [people]
    job = TrainJob.build(
        references=[art],
        photos=photos,
        out=tmp_path / "x.style",
        recipe="pairs",
        set=["photo_side=180"],
        steps=1,
        teacher=NO_TEACHER,
    )
    with pytest.raises(InputError, match=words) as told:
        job.finish()
    assert "\n" not in str(told.value)


def test_few_pairs_keep_their_ends_and_many_keep_whole_ones(studio: tuple[Path, Path]) -> None:
    _, material = gathered(*studio)
    photos = material.photos
    few = type(photos)(photos.images[: EVERY - 1], photos.names[: EVERY - 1])
    learnt, kept = set_apart(few)
    for whole, left, right in zip(few.images, learnt.images, kept.images, strict=True):
        assert np.array_equal(np.concatenate([left, right], axis=1), whole)
    learnt, kept = set_apart(photos)
    assert len(learnt.images) + len(kept.images) == len(photos.images)
    assert not set(learnt.names) & set(kept.names)


def test_a_style_comes_out_of_the_command(studio: tuple[Path, Path], tmp_path: Path) -> None:
    people, comics = studio
    values = [f"{name}={value}" for name, value in SMALL.items()]
    job = TrainJob.build(
        references=[comics],
        photos=[people],
        out=tmp_path / "comic.style",
        recipe="pairs",
        tier="live",
        steps=2,
        set=values,
        teacher=NO_TEACHER,
    )
    card = StyleFile.open(job.finish().path).check().card
    assert card.training.recipe == "pairs"
    assert len(card.training.references) == card.training.photos == 9
