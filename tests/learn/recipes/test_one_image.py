"""one_image learns all of a painting, its colours alone, or its brushwork alone; and strokes as broad as they are wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto import plugins  # noqa: E402  torch must be known to be there first
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.run.contract import Networks  # noqa: E402
from impasto.losses import grey, structure_lost, to_lab  # noqa: E402
from impasto.models.perception import Perception  # noqa: E402
from tests.models.test_perception import write_folded  # noqa: E402

RECIPE: Any = plugins.load("recipes", "one_image")
STEPS = 25


@pytest.fixture
def job(tmp_path: Path) -> TrainJob:
    """A painting of orange and black hatching, and photographs of blue-grey shapes."""
    rows = np.arange(128)
    hatch = np.where((rows[:, None] + rows[None]) % 8 < 4, 230, 20)[..., None] * np.array([1.0, 0.6, 0.1])
    Image.fromarray(hatch.astype(np.uint8)).save(tmp_path / "painting.png")
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        rough = rng.integers(60, 200, (6, 6, 1), np.uint8).repeat(3, 2) * np.array([0.7, 0.8, 1.0])
        shapes = Image.fromarray(rough.astype(np.uint8)).resize((144, 144), Image.Resampling.BICUBIC)
        shapes.save(tmp_path / "photos" / f"{i}.png")
    return TrainJob.build(references=[tmp_path / "painting.png"], photos=[tmp_path / "photos"], out=tmp_path / "x.style", seed=3)


def learnt(job: TrainJob, perception: Perception | None = None, steps: int = STEPS, **settings: Any) -> tuple[Any, Any, Any]:
    """The generator after a few steps, a photograph, and the held-out figures before and after."""
    chosen = RECIPE.Settings(
        batch=1, crop_px=128, photo_side=128, style_side=128, critic_width=8, columns=64, **{"steady": 2.0, **settings}
    )
    material = RECIPE.gather(job, chosen, perception, torch.device("cpu"))
    torch.manual_seed(0)
    room: Any = plugins.load("generators", "swift")
    generator = room.Generator(room.Settings(width=16, blocks=2, head=8))
    networks: Networks = RECIPE.networks(chosen, material, generator)
    batches, step, figures = (getattr(RECIPE, name)(chosen, material) for name in ("batches", "step", "held_out"))
    own = [*generator.parameters(), *networks.helpers.parameters()]
    optimisers = torch.optim.Adam(own, lr=4e-3), torch.optim.Adam(networks.critic.parameters(), lr=4e-4)
    before = figures(generator.eval())
    generator.train()
    for number in range(steps):
        outcome = step(networks, batches(number), number / steps)
        for optimiser, loss in zip(optimisers, (outcome.generator, outcome.critic), strict=True):
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    photo = batches(0)["photo"]
    with torch.no_grad():
        return generator.eval()(photo), photo, (before, figures(generator))


def test_all_of_it_comes_nearer_on_photographs_never_learnt_from(job: TrainJob) -> None:
    _, _, (before, after) = learnt(job)
    assert after["style"] < 0.9 * before["style"]


def test_colour_alone_moves_the_palette_and_keeps_the_forms(job: TrainJob) -> None:
    painted, photo, (before, after) = learnt(job, learn="colour", steps=40)
    hue = (to_lab(painted) - to_lab(photo)).mean((0, 2, 3))
    assert hue[2] > 8, "from blue towards orange"
    assert after["style"] < before["style"]
    assert structure_lost(grey(painted), grey(photo)) < 0.25


@pytest.mark.slow
def test_texture_alone_leaves_the_colours(job: TrainJob) -> None:
    painted, photo, (before, after) = learnt(job, learn="texture", steps=40, patches=25.0, nce=0.2)
    assert (to_lab(painted) - to_lab(photo))[:, 1:].abs().mean() < 4, "of the painting's 50 and more"
    assert after["style"] < before["style"]


@pytest.mark.parametrize("learn", ["all", "colour", "texture"])
def test_with_a_teacher_every_part_has_its_terms(job: TrainJob, tmp_path: Path, learn: str) -> None:
    teacher = Perception([write_folded(tmp_path / "vgg.safetensors")])
    painted, photo, (_, after) = learnt(job, teacher, 2, learn=learn)
    assert painted.shape == photo.shape
    assert np.isfinite(list(after.values())).all()


def test_strokes_are_as_broad_as_they_are_wanted(job: TrainJob) -> None:
    sides = []
    for stroke in (0.5, 1.0, 2.0):
        settings = RECIPE.Settings(style_side=128, stroke=stroke, photo_side=128)
        sides.append(RECIPE.gather(job, settings, None, torch.device("cpu")).references.images[0].shape[0])
    assert sides == [64, 128, 256]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"style_side": 100_000}, "less than or equal to 8192"),
        ({"photo_side": 100_000}, "less than or equal to 8192"),
        ({"style_side": 4096, "stroke": 4}, "style_side=4096 and stroke=4 make a painting of 16384 pixels; 8192 are the most"),
    ],
)
def test_no_size_is_beyond_what_memory_holds(values: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        RECIPE.Settings(**values)
