"""folder: many works of one artist, unpaired -> a look. Good for comics, ink, engravings, a painter's whole hand.

PatchNCE on the generator's own features keeps what is shown; grey patch critics bring lines and brushwork; works with blurred
edges are shown to the critics as fakes, so that crisp lines are what they ask for; one map of colours brings the palette.
A folder of folders is read as one style each: the generator gets a code, and one network learns them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field
from torch import nn

from impasto import plugins
from impasto.job import counted
from impasto.learn.contest import outcome
from impasto.learn.material.data import Material, Pictures, gather_photos, gather_references
from impasto.learn.material.places import folders_in, overlooked
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.learn.unpaired import Art, ArtSettings, Lesson, art_batch, check_works, measure
from impasto.losses import PatchNCE
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic
from impasto.models.perception import Perception

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

GENERATOR_OF = {"live": "swift", "full": "brush"}
SEARCH = {"adversary": (0.5, 4.0), "nce": (0.3, 4.0), "content": (0.2, 2.0), "gram": (0.5, 6.0), "steady": (6.0, 30.0)}


class Settings(ArtSettings):
    """Those of all unpaired art, and how a tree of folders is read."""

    by_folder: bool = Field(True)  # one style for each sub-folder; no: one style altogether


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Art:
    """The works with the names of their styles, the photographs, and what is kept aside of both."""
    works, looks, look_of = _works(job.references, settings)
    photos = gather_photos(job.places(), settings.photo_side * 5 // 4)
    return Art.of(Material(works, photos, perception, job.seed, device), looks, look_of)


def _works(places: Sequence[Path], settings: Settings) -> tuple[Pictures, list[str], list[int]]:
    styles = _styles(places) if settings.by_folder else []
    if len(styles) < 2:
        works = gather_references(places, settings.style_side)
        return works, [""], [0] * len(works.images)
    works, look_of = Pictures([]), []
    for number, style in enumerate(styles):
        found = gather_references([style], settings.style_side)
        look_of += [number] * len(found.images)
        for name in ("images", "names", "sizes", "hashes", "refused"):
            getattr(works, name).extend(getattr(found, name))
    works.refused += overlooked(places[0])
    return works, [style.name for style in styles], look_of


def _styles(places: Sequence[Path]) -> list[Path]:
    """The sub-folders of the one folder that was named, those without pictures left aside."""
    if len(places) != 1 or not places[0].is_dir():
        return []
    return folders_in(places[0])


def generator(settings: Settings, material: Art, tier: str) -> Painter:
    """The tier's generator, with a number for each style where there are several."""
    room: Any = plugins.load("generators", GENERATOR_OF[tier])
    made: Painter = room.Generator(room.Settings(code=len(material.looks) if len(material.looks) > 1 else 0))
    return made


def check(material: Art) -> str:
    """Refuse what this recipe cannot learn from; say in a line what it sees."""
    return f"{check_works(material)}; {counted(len(material.photos.images), 'photograph')} to paint"


def networks(settings: Settings, material: Art, generator: Painter) -> Networks:
    """The grey critic, and the projections that PatchNCE compares."""
    several = len(material.looks) if len(material.looks) > 1 else 0
    critic = on_device(PatchCritic(settings.critic_width, channels=2, labels=several), material.device)
    if several:
        generator.get_buffer("code").copy_(torch.eye(several)[0])  # the first style, until another is chosen
    helpers = nn.ModuleDict({"nce": PatchNCE(generator)}).to(material.device)
    return Networks(generator, critic, helpers)


def batches(settings: Settings, material: Art) -> Callable[[int], Batch]:
    """step -> crops of photographs and works, and a motion to hold still under."""
    return lambda step: art_batch(settings, material, step, "folder")


def step(settings: Settings, material: Art) -> StepFunction:
    """batch -> losses, with everything about the art worked out once."""
    lesson = Lesson(settings, material)

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            painted, losses = lesson.paint(networks, networks.critic, batch)
            critic = lesson.criticise(networks.critic, batch, painted)
        return outcome(losses, lesson.weights(progress), critic, painted)

    return take


def held_out(settings: Settings, material: Art) -> Callable[[Painter], dict[str, float]]:
    """Style distance to works, and lost structure of photographs, that were never learnt from."""
    return measure(material, settings)


def describe_codes(average: Painter, material: Art) -> dict[str, list[float]]:
    """Each style's code, by the name of its folder."""
    return dict(zip(material.looks, torch.eye(len(material.looks)).tolist(), strict=True)) if len(material.looks) > 1 else {}
