"""Self-made pairs: every task learns within seconds to do better than handing its input on; faults are told in one line."""

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
from impasto.learn.material import chroma  # noqa: E402
from impasto.learn.material.filters import FILTERS  # noqa: E402
from impasto.learn.recipes import restore  # noqa: E402
from impasto.learn.run.loop import Networks  # noqa: E402
from impasto.models.generators import enlarge, mend, tint  # noqa: E402
from impasto.styles.package import StyleFile  # noqa: E402

NO_TEACHER = [Path("none")]
SMALL = {"batch": 2, "crop_px": 128, "critic_width": 4, "style_side": 180}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures of hard-edged forms in one light, so that there is something to learn."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(10):
        luma = np.kron(np.random.default_rng(seed).random((30, 36, 1)), np.ones((5, 5, 1)))
        picture = np.concatenate([luma, luma * 0.7, luma * 0.3], axis=2)  # a lamp lights them all
        Image.fromarray(np.rint(picture.clip(0, 1) * 255).astype(np.uint8)).save(folder / f"{seed}.png")
    return folder


def gathered(photos: Path, **values: Any) -> tuple[restore.Settings, restore.Photographs]:
    settings = restore.Settings(**{**SMALL, **values})
    job: Any = SimpleNamespace(references=[photos], seed=3)
    return settings, restore.gather(job, settings, None, torch.device("cpu"))


def small(settings: restore.Settings) -> Any:
    """The task's network at a size for tests."""
    if settings.task == restore.LARGE:
        return enlarge.Generator(enlarge.Settings(scale=settings.scale, width=16, blocks=1, head=12))
    if settings.task == restore.COLOUR:
        return tint.Generator(tint.Settings(width=8, blocks=1))
    if settings.task == restore.LOOK:
        return restore.generator(settings, None, "live")  # type: ignore[arg-type]  # it does not look at the material
    return mend.Generator(mend.Settings(width=8, blocks=1, hole=int(settings.task == restore.FILLED)))


def learn(settings: restore.Settings, material: restore.Photographs, steps: int, progress: float = 0.0) -> tuple[Any, Networks]:
    """A few steps of both sides, without the loop's care."""
    torch.manual_seed(0)
    painter = small(settings).train()
    networks = restore.networks(settings, material, painter)
    batch_at, step = restore.batches(settings, material), restore.step(settings, material)
    sides = [torch.optim.Adam(net.parameters(), 3e-3, (0.5, 0.99)) for net in (painter, networks.critic)]
    for number in range(steps):
        outcome = step(networks, batch_at(number), progress)
        assert torch.isfinite(outcome.generator)
        for side, loss in zip(sides, (outcome.generator, outcome.critic), strict=True):
            side.zero_grad()
            loss.backward()
            side.step()
    return painter.eval(), networks


CASES: dict[str, tuple[dict[str, Any], int]] = {
    "small->large": ({"task": "small->large", "adversary_from": 1, "batch": 1}, 40),
    "noisy->clean": ({"task": "noisy->clean", "noise": 0.3, "adversary_from": 1}, 15),
    "holes->filled": ({"task": "holes->filled", "adversary_from": 1}, 15),
    "grey->colour": ({"task": "grey->colour", "steady": 0, "adversary_from": 1}, 40),
    "noir": ({"look": "noir", "steady": 0, "adversary_from": 1}, 12),
}


@pytest.mark.parametrize("name", CASES)
def test_a_task_is_learnt_within_seconds(name: str, photos: Path) -> None:
    """On pictures that were kept apart it does better than handing on what it was given."""
    values, steps = CASES[name]
    settings, material = gathered(photos, **values)
    figures = restore.held_out(settings, material)(learn(settings, material, steps)[0])
    idle = figures["error_as_given"] * (2 if settings.task == restore.COLOUR else 1)  # what grey lacks in colour counts again
    assert next(iter(figures)) == "error"
    assert figures["error"] < 0.97 * idle
    assert 0.6 < figures.get("saturation_share", 1) < 1.5, "colours are not dull"


@pytest.mark.parametrize("name", CASES)
def test_the_critic_joins_late_and_every_part_is_finite(name: str, photos: Path) -> None:
    settings, material = gathered(photos, **{**CASES[name][0], "adversary_from": 0.5, "steady": 1})
    painter = small(settings).train()
    networks = restore.networks(settings, material, painter)
    batch = restore.batches(settings, material)(0)
    early, late = (restore.step(settings, material)(networks, batch, progress) for progress in (0.0, 1.0))
    assert {"adversary", "matching", "told_apart", "steady"} <= late.parts.keys() - early.parts.keys()
    assert all(np.isfinite(value) for outcome in (early, late) for value in outcome.parts.values())
    early.critic.backward()
    assert all(weight.grad is None or not weight.grad.any() for weight in networks.critic.parameters()), "it rests"


def test_a_batch_hangs_on_seed_and_step_alone(photos: Path) -> None:
    settings, material = gathered(photos, task="small->large", scale="4")
    one, same, other = (restore.batches(settings, material)(step) for step in (5, 5, 6))
    assert one["given"].shape == (2, 3, 32, 32)
    assert one["target"].shape == (2, 3, 128, 128)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["given"], other["given"])


def test_what_is_measured_on_is_never_learnt_from(photos: Path) -> None:
    _, material = gathered(photos)
    kept, learnt = set(material.kept.names), set(material.learnt.names)
    assert kept
    assert not kept & learnt
    assert kept | learnt == set(material.references.names)


def test_of_few_photographs_the_ends_are_kept(photos: Path) -> None:
    settings = restore.Settings(**SMALL)
    job: Any = SimpleNamespace(references=[photos / "0.png", photos / "1.png"], seed=0)
    material = restore.gather(job, settings, None, torch.device("cpu"))
    widths = [image.shape[1] for side in (material.learnt, material.kept) for image in side.images]
    assert widths == [144, 144, 36, 36]
    assert "right end of each" in restore.check(material)


def test_small_photographs_are_not_enlarged(photos: Path) -> None:
    _, material = gathered(photos, style_side=640)
    assert material.references.images[0].shape == (150, 180, 3)


def test_settings_are_the_tasks_own_unless_given() -> None:
    assert restore.Settings(task="small-to-large").task == "small->large"
    assert restore.Settings(task="small->large").batch == restore.OWN["small->large"]["batch"]
    assert restore.Settings(task="small->large", batch=3).batch == 3
    look = restore.Settings(look="noir")
    assert (look.task, look.steady) == ("look", restore.OWN["look"]["steady"])
    assert restore.Settings.model_validate(look.model_dump()) == look


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("task=small-", "small->large"),
        ("look=disco", "film, retro, neon, noir, pencil, ink, comic, blueprint, halftone, watercolour, flat, oil"),
        ("task=look", "look=film|retro"),
        ("scale=3", "2 or 4"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(setting: str, words: str, photos: Path, tmp_path: Path) -> None:
    job = TrainJob.build(references=[photos], out=tmp_path / "x.style", recipe="restore", set=[setting])
    with pytest.raises(InputError) as told:
        job.finish()
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_one_photograph_is_too_few(photos: Path, tmp_path: Path) -> None:
    job = TrainJob.build(references=[photos / "0.png"], out=tmp_path / "x.style", recipe="restore", steps=1, teacher=NO_TEACHER)
    with pytest.raises(InputError, match="learns from many photographs, not 1: give a folder"):
        job.finish()


def test_each_task_has_its_network_in_both_tiers() -> None:
    for task in ("small->large", "grey->colour", "noisy->clean", "holes->filled"):
        settings = restore.Settings(task=task)
        sizes = [sum(p.numel() for p in restore.generator(settings, None, tier).parameters()) for tier in ("live", "full")]  # type: ignore[arg-type]
        assert sizes[0] < sizes[1]
    assert restore.generator(restore.Settings(task="small->large", scale=4), None, "live").scale == 4  # type: ignore[arg-type]
    drawn, painted = {"pencil", "ink", "comic", "blueprint", "halftone"}, {"watercolour", "flat", "oil"}
    assert set(FILTERS) == {"film", "retro", "neon", "noir"} | drawn | painted


def test_rare_colours_count_for_more_and_the_mean_place_for_one() -> None:
    palette = tint.palette().T[:, :, None, None]
    picture = np.full((64, 64, 3), 120, np.uint8)
    picture[:8, :8] = (220, 40, 40)
    weight = chroma.rarity([picture], palette)
    grey, red = (
        chroma.soft_votes(chroma.chroma(torch.tensor(colour).view(1, 3, 1, 1)), palette).argmax()
        for colour in ([0.47, 0.47, 0.47], [0.86, 0.16, 0.16])
    )
    assert weight[red] > 5 * weight[grey]
    usual = chroma.soft_votes(chroma.chroma(torch.from_numpy(picture).permute(2, 0, 1)[None] / 255), palette).mean((0, 2, 3))
    assert abs(float((usual * weight).sum()) - 1) < 0.02


def test_votes_for_the_true_colours_cost_the_least() -> None:
    palette = tint.palette().T[:, :, None, None]
    target = torch.rand(1, 3, 8, 8)
    wanted = chroma.soft_votes(chroma.chroma(torch.nn.functional.avg_pool2d(target, 2)), palette)
    right, wrong = wanted.clamp_min(1e-9).log(), torch.zeros_like(wanted)
    even = torch.ones(palette.shape[1])
    assert chroma.votes_loss(right, target, palette, even) < chroma.votes_loss(wrong, target, palette, even)


def test_a_style_that_enlarges_comes_out_of_the_command(photos: Path, tmp_path: Path) -> None:
    values = [f"{name}={value}" for name, value in {**SMALL, "task": "small-to-large"}.items()]
    job = TrainJob.build(
        references=[photos], out=tmp_path / "x.style", recipe="restore", tier="live", steps=2, set=values, teacher=NO_TEACHER
    )
    tier = StyleFile.open(job.finish().path).check().card.tiers["live"]
    assert (tier.generator, tier.scale) == ("enlarge", 2)


def test_a_look_by_rule_is_held_to_its_edges(photos: Path) -> None:
    """A step weighs what is left of a texture that the rule takes away, and no other task pays for that."""
    parts = {}
    for name, values in (("look", {"look": "flat"}), ("off", {"look": "flat", "edges": 0.0}), ("task", {"task": "noisy->clean"})):
        settings, material = gathered(photos, **values)
        networks = restore.networks(settings, material, small(settings).train())
        batch = restore.batches(settings, material)(0)
        outcome = restore.step(settings, material)(networks, batch, 0.0)
        parts[name] = outcome.parts
        if name == "look":
            apart = outcome.painted - batch["target"]
            across, down = apart.diff(dim=3).abs().mean(), apart.diff(dim=2).abs().mean()
            assert outcome.parts["edges"] == pytest.approx(float((across + down).detach()), rel=1e-4)
    assert "edges" not in parts["off"]
    assert "edges" not in parts["task"]
