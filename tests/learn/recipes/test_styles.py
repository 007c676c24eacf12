"""Many looks in one network: codes by name and from pictures, blends, new pictures, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.engine.encode import read_code  # noqa: E402  torch must be known to be there first
from impasto.engine.export import export_graph, read_weights  # noqa: E402
from impasto.errors import InputError  # noqa: E402
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.material.data import Picture, read_pictures  # noqa: E402
from impasto.learn.material.looks import middles, settle  # noqa: E402
from impasto.learn.package import describe  # noqa: E402
from impasto.learn.painters import open_painter  # noqa: E402
from impasto.learn.recipes import styles  # noqa: E402
from impasto.models.blocks import Painter  # noqa: E402
from impasto.models.generators import swift  # noqa: E402
from impasto.models.perception import Perception  # noqa: E402
from impasto.styles.package import Card, Credit, StyleFile, TrainingRecord, write_style  # noqa: E402
from tests.fakes import a_preview, lively  # noqa: E402
from tests.models.test_perception import write_folded  # noqa: E402

SMALL = ["crop_px=128", "batch=1", "photo_side=160", "style_side=160", "sight_px=64", "critic_width=8", "columns=64", "code=6"]
RED, BLUE = (190, 60, 40), (30, 70, 170)


def blots(colour: tuple[int, int, int], seed: int = 0) -> Picture:
    """Soft blots around a colour."""
    rng = np.random.default_rng(seed)
    rough = np.clip(np.array(colour) + rng.integers(-50, 51, (9, 12, 1)), 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(rough).resize((180, 140), Image.Resampling.BICUBIC))


@pytest.fixture
def paintings(tmp_path: Path) -> list[Path]:
    for name, colour in (("Red House", RED), ("blue", BLUE)):
        Image.fromarray(blots(colour)).save(tmp_path / f"{name}.png")
    return [tmp_path / "Red House.png", tmp_path / "blue.png"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        Image.fromarray(blots((120, 120, 120), i + 5)).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    return write_folded(tmp_path / "vgg.safetensors")


def job(references: list[Path], photos: Path, **more: object) -> TrainJob:
    values = {"recipe": "styles", "tier": "live", "steps": 3, "set": SMALL, "seed": 5, "photos": [photos]}
    values["teacher"] = [write_folded(photos.parent / "vgg.safetensors")]
    return TrainJob.build(references=references, out=photos.parent / "many.style", **{**values, **more})


def material_of(made: TrainJob, teacher: Path | None = None) -> tuple[styles.Settings, styles.Codes]:
    settings = styles.Settings(**dict(pair.split("=") for pair in made.set))
    perception = Perception([teacher]) if teacher else None
    return settings, styles.gather(made, settings, perception, torch.device("cpu"))


def small_painter(code: int) -> Painter:
    torch.manual_seed(0)
    return swift.Generator(swift.Settings(width=16, blocks=2, head=8, code=code))


def learn(settings: styles.Settings, material: styles.Codes, painter: Painter, steps: int) -> None:
    """The painting side of the loop alone, at a rate that a real training could not bear."""
    networks = styles.networks(settings, material, painter)
    batch_at, take = styles.batches(settings, material), styles.step(settings, material)
    own = [*painter.parameters(), *networks.helpers.parameters()]
    optimiser = torch.optim.Adam(own, lr=5e-3, betas=(0.5, 0.99))
    for i in range(steps):
        optimiser.zero_grad()
        take(networks, batch_at(i), 0.2).generator.backward()
        torch.nn.utils.clip_grad_norm_(own, 1.0)
        optimiser.step()
    painter.eval()


def warmth(picture: torch.Tensor) -> float:
    """How much redder than blue."""
    return float((picture[:, 0] - picture[:, 2]).mean())


@pytest.fixture
def free() -> list[str]:
    """Settings under which colours come quickly."""
    return [*SMALL, "steady=0", "adversary=0", "nce=0", "patches=20", "pull=4", "blended=0", "recoloured=0"]


def test_two_looks_are_learnt_and_a_blend_lies_between(paintings: list[Path], photos: Path, free: list[str]) -> None:
    settings, material = material_of(job(paintings, photos, set=free))
    painter, judged = small_painter(6), styles.held_out(settings, material)
    material.space = styles.Space(2, 6)
    before = judged(painter.eval())
    material.space = None
    learn(settings, material, painter.train(), 22)
    assert judged(painter)["style"] < 0.7 * before["style"], "what was held out is painted nearer to its look"
    assert material.space is not None
    red, blue = (material.space.codes.detach()[material.looks.index(name)] for name in ("red-house", "blue"))
    photo = middles(material.held.images[:1], 128)
    with torch.inference_mode():
        warm = [warmth(painter(photo, code[None])) for code in (red, (red + blue) / 2, blue)]
        read = [styles.code_of(material.space.encoder, material.pictures(look)[0]) for look in (0, 1)]
        by_encoder = [warmth(painter(photo, code[None])) for code in read]
    assert warm[0] > warmth(photo) + 0.05
    assert warm[2] < warmth(photo) - 0.05
    assert warm[0] - 0.02 > warm[1] > warm[2] + 0.02
    assert by_encoder[0] - by_encoder[1] > 0.6 * (warm[0] - warm[2]), "the encoder's codes paint like the learnt ones"


def test_with_a_teacher_a_blend_is_judged_by_what_lies_between(paintings: list[Path], photos: Path, teacher: Path) -> None:
    settings, material = material_of(job(paintings, photos, set=[*SMALL, "looks=3"]), teacher)
    judge, batch = material.judge(settings.style_side), styles.batches(settings, material)(0)
    batch |= {"look": torch.tensor([0, 1, 0]), "other": torch.tensor([1, 0, 1]), "recoloured": torch.tensor([0.0, 1, 0])}
    batch["mix"] = torch.tensor([0.25, 0.0, 0.0])
    goal, textures = styles._goal(judge, batch, 0)
    for tap, gram in goal.items():
        assert torch.allclose(gram, 0.75 * judge.grams[0][tap] + 0.25 * judge.grams[1][tap])
    assert len(textures) == len(judge.banks[0]) + len(judge.banks[1])
    own, _ = styles._goal(judge, batch, 1)
    seen = judge.see(batch["goal"][1:2])
    assert all(torch.equal(own[tap], seen[tap].gram()[0]) for tap in own), "other colours are judged by themselves"
    made = styles.step(settings, material)(styles.networks(settings, material, small_painter(6)), batch, 0.5)
    made.generator.backward()
    assert torch.isfinite(made.generator)
    assert {"gram", "nearest", "content", "pull", "adversary", "steady"} < set(made.parts)


def test_other_colours_are_other_colours() -> None:
    picture = blots(RED)
    changed = [styles.recolour(picture, np.random.default_rng(i)) for i in range(8)]
    assert all(one.shape == picture.shape and one.dtype == np.uint8 for one in changed)
    assert min(float(np.abs(one.astype(int) - picture).mean()) for one in changed) > 8
    assert np.array_equal(changed[0], styles.recolour(picture, np.random.default_rng(0)))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A style file of two looks after one step."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "photos").mkdir()
    Image.fromarray(blots(RED)).save(folder / "Red House.png")
    Image.fromarray(blots(BLUE)).save(folder / "blue.png")
    Image.fromarray(blots((120, 120, 120))).save(folder / "photos/0.png")
    done = job([folder / "Red House.png", folder / "blue.png"], folder / "photos", steps=1).finish()
    assert done.path is not None
    return done.path


def test_the_style_file_names_its_looks_and_reads_new_ones(many: Path) -> None:
    style = StyleFile.open(many).check()
    codes = style.card.tiers["live"].codes
    assert list(codes) == ["red-house", "blue"]
    assert {len(code) for code in codes.values()} == {6}
    assert style.card.encoder_sha256
    shown = read_weights(style.graph("live"))["code"]
    assert np.allclose(shown, codes["red-house"], atol=2e-3), "who names no look gets the first"


def test_one_look_goes_on_from_many(many: Path, photos: Path, tmp_path: Path) -> None:
    new = tmp_path / "green.png"
    Image.fromarray(blots((60, 150, 70))).save(new)
    small = ["crop_px=128", "batch=1", "photo_side=160", "style_side=160", "critic_width=8", "columns=64"]
    more = {"recipe": "auto", "start": many, "set": small, "steps": 1}
    style = StyleFile.open(job([new], photos, **more).finish().path).check()
    assert style.card.training.recipe == "one_image"
    assert style.card.tiers["live"].codes == {}, "the new look is one look"
    assert style.card.encoder_sha256 == ""
    read = read_code(StyleFile.open(many).encoder(), read_pictures([new], 160).images[0])
    learnt = read_weights(style.graph("live"))["code"]
    assert np.allclose(learnt, read, atol=0.02), "it starts from the code that the encoder reads"


def test_a_settled_code_learns(many: Path) -> None:
    painter = open_painter(StyleFile.open(many), "live")
    settle(painter, StyleFile.open(many), [blots(BLUE)])
    assert "code" in dict(painter.named_parameters())
    assert "code" in painter.state_dict()
    torch.nn.init.normal_(painter.get_parameter("film.weight"), std=0.1)
    painter(torch.rand(1, 3, 16, 16)).sum().backward()
    grown = painter.get_parameter("code").grad
    assert grown is not None
    assert float(grown.abs().sum()) > 0


def test_each_picture_is_a_look_and_each_folder(tmp_path: Path, paintings: list[Path], photos: Path) -> None:
    tree = tmp_path / "tree"
    for name, colours in (("Ink & Wash", 2), ("oils", 1)):
        (tree / name).mkdir(parents=True)
        for i in range(colours):
            Image.fromarray(blots(RED, i)).save(tree / name / f"{i}.png")
    Image.fromarray(blots(BLUE, 9)).save(tree / "alone.png")
    _, material = material_of(job([paintings[1], tree], photos))
    assert material.looks == ["blue", "alone", "ink-wash", "oils"]
    assert material.pictures_of == [[0], [1], [2, 3], [4]]
    assert len(material.references.names) == len(material.references.hashes) == 5
    assert "4 looks (blue, alone, ink-wash, oils) on" in styles.check(material)


def test_what_is_no_look_is_left_out_and_listed(tmp_path: Path, paintings: list[Path], photos: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "empty").mkdir(parents=True)
    for path in paintings:
        (tree / path.name).write_bytes(path.read_bytes())
    (tree / "again.png").write_bytes(paintings[0].read_bytes())
    (tree / "broken.png").write_text("no picture")
    Image.new("RGB", (150, 150), RED).save(tree / "flat.png")
    (tree / "old.gif").touch()
    _, material = material_of(job([tree], photos))
    assert material.looks == ["again", "blue"]
    told = "\n".join(material.references.refused)
    for words in ("is the same picture as", "broken.png: ", "flat.png: is one flat colour", "old.gif: .gif is not read"):
        assert words in told
    assert len(material.references.refused) == 4


def test_a_picture_that_is_there_twice_is_one_look(tmp_path: Path, paintings: list[Path], photos: Path) -> None:
    twin = tmp_path / "twin.png"
    twin.write_bytes(paintings[0].read_bytes())
    _, material = material_of(job([*paintings, twin], photos))
    assert material.looks == ["red-house", "blue"]
    assert material.references.refused == ["twin.png: is the same picture as Red House.png, and one look is made of it"]
    with pytest.raises(InputError, match=r"not 1 \(1 left out, the first: twin\.png: is the same picture"):
        styles.check(material_of(job([paintings[0], twin], photos))[1])


def test_photographs_are_kept_back(paintings: list[Path], photos: Path) -> None:
    _, material = material_of(job(paintings, photos))
    assert len(material.held.images) == 1
    assert sorted([*material.held.names, *material.photos.names]) == ["0.png", "1.png", "2.png"]


def test_what_cannot_be_told_apart_is_refused(tmp_path: Path, paintings: list[Path], photos: Path) -> None:
    with pytest.raises(InputError, match="recipe styles learns several looks at once, not 1: give more"):
        styles.check(material_of(job(paintings[:1], photos))[1])
    (tmp_path / "again").mkdir()
    Image.fromarray(blots(BLUE, 3)).save(tmp_path / "again/blue.png")
    with pytest.raises(InputError, match=r"blue\.png: a second look would be called 'blue'; rename"):
        material_of(job([*paintings, tmp_path / "again/blue.png"], photos))
    Image.new("RGB", (150, 150), RED).save(tmp_path / "flat.png")
    with pytest.raises(InputError, match="flat: one flat colour"):
        styles.check(material_of(job([*paintings, tmp_path / "flat.png"], photos))[1])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds neither pictures nor folders"):
        material_of(job([tmp_path / "empty"], photos))


@pytest.fixture
def look(tmp_path: Path) -> Path:
    """A style file of a small network that paints plainly other colours."""
    painter = lively(small_painter(0)).eval()
    graph = export_graph(painter)
    record = TrainingRecord(command="made by hand", recipe="none", seed=0, date="2026-01-01", impasto="0")
    credit = Credit(work="wave.jpg", author="Hokusai", licence="public domain")
    tiers = {"full": describe(painter, graph)}
    card = Card(schema="style.1", name="wave", title="Wave", licence="Apache-2.0", tiers=tiers, credits=[credit], training=record)
    return write_style(tmp_path / "wave.style", card, {"full": graph}, a_preview())


def test_a_style_file_is_a_look_that_is_painted_after(look: Path, paintings: list[Path], photos: Path, teacher: Path) -> None:
    made = job([paintings[0], look], photos, set=[*SMALL, "looks=2"])
    settings, material = material_of(made, teacher)
    assert material.looks == ["red-house", "wave"]
    batch = styles.batches(settings, material)(0)
    batch |= {"look": torch.tensor([0, 1]), "mix": torch.zeros(2), "recoloured": torch.zeros(2)}
    target, copied = styles._target(settings, material, batch)
    assert copied.tolist() == [0, 1]
    assert torch.equal(target[0], batch["photo"][0]), "a painting says nothing of this photograph"
    painter = open_painter(StyleFile.open(look), "full")
    with torch.inference_mode():
        assert torch.allclose(target[1:], painter(batch["photo"][1:]), atol=1e-5)
    assert float((target[1] - batch["photo"][1]).abs().mean()) > 0.02
    batch["mix"] = torch.tensor([0.0, 0.5])
    assert styles._target(settings, material, batch)[1].tolist() == [0, 0], "a blend is nobody's"


@pytest.mark.slow
def test_what_a_style_file_paints_is_learnt(look: Path, paintings: list[Path], photos: Path, free: list[str]) -> None:
    settings, material = material_of(job([paintings[0], look], photos, set=[*free, "patches=0", "copied=20"]))
    painter, place = small_painter(6), material.looks.index("wave")
    learn(settings, material, painter.train(), 22)
    photo = middles(material.held.images[:1], 128)
    assert material.space is not None
    with torch.inference_mode():
        wanted = material.taught[place].painter(photo)
        apart = float((painter(photo, material.space.codes[place][None]) - wanted).abs().mean())
        before = float((photo - wanted).abs().mean())
    assert apart < 0.6 * before


def test_the_card_names_whom_a_style_files_card_names(look: Path, paintings: list[Path], photos: Path) -> None:
    style = StyleFile.open(job([paintings[0], look], photos, recipe="auto", steps=1, author="Me").finish().path)
    assert [(credit.work, credit.author) for credit in style.card.credits] == [("Red House.png", "Me"), ("wave.jpg", "Hokusai")]
    assert [each.name for each in style.card.training.references] == ["Red House.png", "wave.style"]


def test_a_style_file_that_is_no_single_look_is_refused(many: Path, paintings: list[Path], photos: Path) -> None:
    with pytest.raises(InputError, match=r"many\.style: holds 2 looks itself, so it cannot be one look among others"):
        material_of(job([paintings[0], many], photos))


def test_a_batch_hangs_on_the_seed_and_the_step_alone(paintings: list[Path], photos: Path) -> None:
    settings, material = material_of(job(paintings, photos))
    one, two = styles.batches(settings, material), styles.batches(settings, material)
    assert all(torch.equal(one(7)[name], two(7)[name]) for name in one(7))
    first, second = one(7), one(8)
    assert not torch.equal(first["photo"], second["photo"])


def test_the_kinds_of_codes_come_in_their_shares(paintings: list[Path], photos: Path) -> None:
    settings, material = material_of(job(paintings, photos, set=[*SMALL, "blended=0.25", "recoloured=0.25"]))
    drawn = [styles._drawn(settings, material, np.random.default_rng(i)) for i in range(120)]
    mixes, changed = torch.stack([d["mix"] for d in drawn]), torch.stack([d["recoloured"] for d in drawn])
    assert float(mixes[:, 0].max()) == float(changed[:, 0].max()) == 0, "the critic always has a look that exists"
    assert 0.15 < float((mixes > 0).float().mean()) < 0.35
    assert 0.15 < float(changed.mean()) < 0.35
    assert all(bool((d["other"] != d["look"]).all()) for d in drawn)
    assert all(bool((d["encoded"] >= d["recoloured"]).all()) for d in drawn), "only the encoder knows of new colours"


def test_a_second_tier_learns_in_the_space_of_the_first(paintings: list[Path], photos: Path) -> None:
    settings, material = material_of(job(paintings, photos))
    first = styles.networks(settings, material, small_painter(6))
    space = material.space
    second = styles.networks(settings, material, small_painter(6))
    assert material.space is space
    assert {n for n, _ in first.helpers.named_parameters()} > {n for n, _ in second.helpers.named_parameters()}
    made = styles.step(settings, material)(second, styles.batches(settings, material)(0), 0.5)
    made.generator.backward()
    assert space is not None
    assert all(p.grad is None for p in space.parameters()), "what the first tier's codes mean stays as it is"
    assert made.parts["pull"] > 0
