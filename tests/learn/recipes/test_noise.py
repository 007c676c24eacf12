"""Recipe noise from end to end on sets that a tiny network can dream: discs of two colours, a self-made CIFAR-10."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.material.augment import augmented, moved, recoloured, with_hole  # noqa: E402
from impasto.learn.material.cifar import LABELS  # noqa: E402
from impasto.learn.recipes import noise  # noqa: E402
from impasto.make.generate import GenerateJob  # noqa: E402
from impasto.models.perception import Perception  # noqa: E402
from impasto.styles.package import StyleFile  # noqa: E402
from tests.learn.material.test_cifar import records  # noqa: E402
from tests.models.test_perception import write_folded  # noqa: E402

SMALL = {"size": 16, "noise": 8, "width": 8, "widest": 32, "critic_width": 8, "batch": 8}


def disc(rng: np.random.Generator, side: int = 48) -> np.ndarray:
    """A red or a blue disc on white, somewhere near the middle."""
    down, across = np.mgrid[:side, :side] - side / 2 - rng.uniform(-6, 6, (2, 1, 1))
    inside = (down**2 + across**2 < rng.uniform(10, 16) ** 2)[..., None]
    colour = np.array([(220, 30, 30), (30, 60, 210)][rng.integers(2)])
    return np.where(inside, colour, 245).astype(np.uint8)


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("discs"), np.random.default_rng(0)
    for i in range(60):
        Image.fromarray(disc(rng)).save(folder / f"{i}.png")
    return folder


def job(references: list[Path], out: Path, **more: object) -> TrainJob:
    settings = {**SMALL, **more.pop("set", {})}  # type: ignore[dict-item]
    values = {
        "recipe": "noise",
        "tier": "live",
        "seed": 1,
        "teacher": ["none"],
        "set": [f"{k}={v}" for k, v in settings.items()],
        "steps": 3,
    }
    return TrainJob.build(references=references, out=out, **{**values, **more})


def gallery(folder: Path, settings: noise.Settings, perception: Perception | None = None) -> noise.Gallery:
    return noise.gather(job([folder], folder / "x.style"), settings, perception, torch.device("cpu"))


def learn(settings: noise.Settings, material: noise.Gallery, steps: int) -> list[dict[str, float]]:
    """Held-out figures before and after some steps of the recipe, by the loop's own optimisers."""
    from impasto.learn.run.loop import Pace, Training

    torch.manual_seed(0)
    dreamer = noise.generator(settings, material, "live")
    measure = noise.held_out(settings, material)
    before = measure(dreamer.eval())
    dreamer.train()
    networks = noise.networks(settings, material, dreamer)
    folder = Path(material.references.names[0]).name + settings.network + settings.judges
    pace = Pace(steps=steps, generator_rate=2 * dreamer.learning_rate, critic_rate=2e-3, ema=0.9)
    training = Training(
        networks, noise.batches(settings, material), noise.step(settings, material), pace,
        folder=RUNS / folder, label="live",
    )  # fmt: skip
    for _ in training.run():
        pass
    return [before, measure(training.average)]


RUNS = Path()


@pytest.fixture(autouse=True)
def _own_runs(tmp_path: Path) -> None:
    global RUNS
    RUNS = tmp_path


@pytest.mark.parametrize("network", ["dcgan", "mapped"])
def test_dreams_come_nearer_to_pictures_that_were_held_out(discs: Path, network: str) -> None:
    settings = noise.Settings(**SMALL, network=network)
    before, after = learn(settings, gallery(discs, settings), 60)
    assert after["kid"] < 0.35 * before["kid"]
    assert after["fid"] < before["fid"]


def test_features_judge_where_there_is_a_teacher(discs: Path, tmp_path: Path) -> None:
    perception = Perception([write_folded(tmp_path / "vgg.safetensors")])
    settings = noise.Settings(**SMALL, judges="features", family="hinge")
    material = gallery(discs, settings, perception)
    before, after = learn(settings, material, 60)
    assert after["kid"] < 0.7 * before["kid"]
    with pytest.raises(InputError, match="none is given; add --teacher or set judges=pixels"):
        noise.networks(settings, gallery(discs, settings), noise.generator(settings, material, "live"))


@pytest.mark.parametrize("family", ["bce", "hinge", "lsgan", "wgan", "relativistic"])
def test_every_family_and_penalty_takes_a_step(discs: Path, family: str) -> None:
    settings = noise.Settings(**SMALL, family=family, slope=0.1, r1_every=1, crops="random", style_side=24)
    material = gallery(discs, settings)
    dreamer = noise.generator(settings, material, "live")
    networks = noise.networks(settings, material, dreamer)
    outcome = noise.step(settings, material)(networks, noise.batches(settings, material)(0), 0.0)
    assert {"adversary", "slope", "told_apart", "gradient_penalty" if family == "wgan" else "r1"} <= set(outcome.parts)
    (outcome.generator + outcome.critic).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in [*dreamer.parameters(), *networks.critic.parameters()])


def test_a_batch_hangs_on_seed_and_step_alone(discs: Path) -> None:
    settings = noise.Settings(**SMALL)
    material = gallery(discs, settings)
    one, again, next_one = (noise.batches(settings, material)(step) for step in (5, 5, 6))
    assert torch.equal(one["real"], again["real"])
    assert torch.equal(one["noise"], again["noise"])
    assert not torch.equal(one["noise"], next_one["noise"])


def test_one_picture_in_ten_is_held_out_and_never_learnt_from(discs: Path) -> None:
    material = gallery(discs, noise.Settings(**SMALL))
    assert (len(material.references.images), len(material.held.images)) == (52, 8)
    learnt = {image.tobytes() for image in material.references.images}
    assert not learnt & {image.tobytes() for image in material.held.images}
    assert len(set(material.references.names)) == len(material.references.hashes) == 52, "credits name what was learnt from"
    assert "52 pictures to learn from, 8 held out" in noise.check(material)


def test_a_style_is_learnt_packed_and_dreamt_from(discs: Path, tmp_path: Path) -> None:
    done = job([discs], tmp_path / "discs.style", steps=4).finish()
    style = StyleFile.open(done.path)
    assert style.card.tiers["live"].noise == 8
    assert style.card.tiers["live"].generator == "mapped"
    GenerateJob.build(style=str(done.path), out=tmp_path / "out", count=3).finish()
    assert len(list((tmp_path / "out").glob("discs.*.png"))) == 3
    with Image.open(done.figures["preview"]) as preview:
        assert preview.size == (512, 512), "a sheet of dreams, not a painted plate"


def test_the_sheet_shows_the_same_vectors_each_time_and_what_was_learnt_from(discs: Path) -> None:
    settings = noise.Settings(**SMALL)
    material = gallery(discs, settings)
    dreamer = noise.generator(settings, material, "live").eval()
    rows, again = (noise.show(settings, material)(dreamer) for _ in range(2))
    assert [row.shape for row in rows.values()] == [(6, 3, 128, 128)] * 5, "enlarged, so that a person sees them"
    assert all(torch.equal(rows[name], again[name]) for name in rows)
    real, fake = noise.judge(settings, material)(noise.networks(settings, material, dreamer), dreamer)
    assert len(real[0]) == len(fake[0]) == len(material.held.images)


def test_cifar_is_learnt_from_by_label(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1.bin").write_bytes(records([7, 1, 7, 3] * 12)[0])
    one = job([tmp_path / "data_batch_1.bin"], tmp_path / "horse.style", set={"only": "horse"})
    material = noise.gather(one, noise.Settings(**SMALL, only="horse"), None, torch.device("cpu"))
    assert len(material.references.images) + len(material.held.images) == 24
    assert material.references.images[0].shape == (16, 16, 3)
    assert LABELS[7] == "horse"
    style = StyleFile.open(one.model_copy(update={"steps": 1, "recipe": "auto"}).finish().path)
    assert [reference.name for reference in style.card.training.references] == ["data_batch_1.bin"]
    assert style.card.training.recipe == "noise", "what the archive is for"


def test_one_picture_is_many_squares_and_a_strip_of_it_is_held_out(discs: Path, tmp_path: Path) -> None:
    wide = np.hstack([disc(np.random.default_rng(seed), 64) for seed in range(4)])
    Image.fromarray(wide).save(tmp_path / "texture.png")
    one = job([tmp_path / "texture.png"], tmp_path / "x.style")
    settings = noise.Settings(**SMALL, crops="random", style_side=256)
    material = noise.gather(one, settings, None, torch.device("cpu"))
    (learnt,), (held,) = material.references.images, material.held.images
    assert np.array_equal(np.hstack([learnt, held]), wide)
    assert held.shape == (64, 64, 3)
    assert noise.check(material) == "any square of one picture, a strip of each held out"
    flat = np.full((64, 64, 3), 9, np.uint8)
    for name, pixels, told in (("flat", flat, "one flat colour"), ("tiny", wide[:9, :9], "squares of 16 do not")):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        with pytest.raises(InputError, match=told):
            noise.check(noise.gather(job([tmp_path / f"{name}.png"], tmp_path / "x.style"), settings, None, torch.device("cpu")))
    with pytest.raises(InputError, match=r"learns from many pictures, not 1: .* --set crops=random"):
        noise.check(noise.gather(one, noise.Settings(**SMALL), None, torch.device("cpu")))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"set": {"size": 48}}, "must be 16, 32, 64, 128 or 256"),
        ({"set": {"only": "cat"}}, "labels belong to CIFAR-10"),
        ({"set": {"network": "magic"}}, "input should be 'mapped' or 'dcgan'"),
    ],
)
def test_bad_settings_are_one_line(discs: Path, tmp_path: Path, change: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        job([discs], tmp_path / "x.style", **change).finish()
    assert "\n" not in str(caught.value)


def test_too_few_pictures_and_one_picture_many_times_are_refused(discs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="learns from many pictures, not 1"):
        job([discs / "0.png"], tmp_path / "x.style").finish()
    (tmp_path / "same.bin").write_bytes(9 * records([4])[0])
    with pytest.raises(InputError, match="all the same"):
        job([tmp_path / "same.bin"], tmp_path / "x.style").finish()


def test_augmentation_keeps_size_and_lets_gradients_through() -> None:
    torch.manual_seed(0)
    x = torch.rand(6, 3, 16, 16, requires_grad=True)
    out = augmented(x)
    assert out.shape == x.shape
    assert (out - x).abs().mean() > 0.05
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0


def test_what_augmentation_does_by_hand() -> None:
    torch.manual_seed(0)
    ramp = torch.arange(256, dtype=torch.float32).view(1, 1, 16, 16).expand(3, 3, 16, 16) / 256
    shifted = moved(ramp)
    reach = range(-2, 3)
    rolled = [torch.roll(ramp[0], (down, across), (1, 2))[:, 4:12, 4:12] for down in reach for across in reach]
    assert all(any(torch.equal(one[:, 4:12, 4:12], roll) for roll in rolled) for one in shifted), "moved by whole pixels"
    holes = (with_hole(torch.zeros(40, 3, 20, 20)) == 0.5).flatten(1).float().mean(1)
    assert holes.max() <= 0.16 + 1e-6, "a square of 0.4 of the side"
    assert holes.min() >= 0.03, "at least a quarter of it is inside"
    grey = recoloured(torch.full((4, 3, 8, 8), 0.5))
    assert (grey.std((1, 2, 3)) < 1e-6).all(), "one grey stays one grey"
    assert grey.mean((1, 2, 3)).std() > 0.01, "each its own way"


def test_centre_square() -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    assert (noise.centre_square(wide, 10) == 200).all()
    assert noise.centre_square(wide, 16).shape == (16, 16, 3)
