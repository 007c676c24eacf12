"""pairs: pictures and their drawn counterparts -> whatever turns the one into the other.

The artist draws over some photographs; both have the same name in two places: `learn drawn/ --photos people/ --recipe pairs`.
The critic sees drawing and photograph together, so it asks whether this drawing is right for this photograph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from impasto.errors import InputError
from impasto.job import counted
from impasto.learn.material.data import (
    MOST_SIDE_PX,
    Material,
    Picture,
    Pictures,
    crop,
    gather_photos,
    gather_references,
    random_motion,
    rng_at,
    to_tensor,
)
from impasto.learn.paired import Measure, contest, measured, set_apart
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic
from impasto.models.perception import Perception

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

ASPECT = 0.01  # how far the shapes of a pair may differ
MEASURED_PX = 256
TOLD = 4  # names that are told of many
SEARCH = {"pixels": (2.0, 20.0), "content": (0.3, 6.0), "adversary": (0.05, 1.0), "matching": (0.3, 6.0)}


class Settings(BaseModel):
    """Sizes in pixels, weights of the terms."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    batch: int = Field(4, ge=1)
    crop_px: int = Field(160, ge=128, multiple_of=4)  # below that the broadest critic sees nothing
    photo_side: int = Field(640, ge=96, le=MOST_SIDE_PX)
    pixels: float = Field(8.0, ge=0)
    content: float = Field(2.0, ge=0)  # only with a teacher
    adversary: float = Field(0.3, ge=0)
    adversary_from: float = Field(0.05, ge=0, le=1)  # critic and steadiness join when so much is over
    matching: float = Field(2.0, ge=0)  # of what the critic sees
    steady: float = Field(4.0, ge=0)
    critic_width: int = Field(24, ge=1, le=1024)


@dataclass
class Matched(Material):
    """Photographs and drawings in the same order and of the same sizes, parted into what is learnt from and what is kept."""

    given: tuple[Pictures, Pictures]  # to learn from, to measure on
    drawn: tuple[Pictures, Pictures]


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Matched:
    """Match photographs and drawings by name; who has no partner is listed and left out."""
    if not job.photos:
        raise InputError("recipe pairs learns from two places: the drawings, and with --photos the pictures they were drawn from")
    drawn = gather_references(job.references, settings.photo_side, as_is=True)
    photos = gather_photos(job.photos, settings.photo_side, as_is=True)
    ours, theirs = _by_stem(photos, "--photos"), _by_stem(drawn, "the references")
    stems = sorted(ours.keys() & theirs.keys())
    if not stems:
        some = ", ".join(sorted(ours)[:TOLD]), ", ".join(sorted(theirs)[:TOLD])
        raise InputError(
            f"no drawing has the name of a photograph: photographs are {some[0]}, drawings {some[1]}; rename one side"
        )
    alone = [photos.names[i] for stem, i in ours.items() if stem not in theirs]
    alone += [drawn.names[i] for stem, i in theirs.items() if stem not in ours]
    given, targets = _chosen(photos, [ours[stem] for stem in stems]), _chosen(drawn, [theirs[stem] for stem in stems])
    given.refused = [*photos.refused, *drawn.refused, *(f"{name}: has no partner of that name" for name in sorted(alone))]
    _fit(given, targets)
    return Matched(targets, given, perception, job.seed, device, set_apart(given), set_apart(targets))


def _by_stem(pictures: Pictures, where: str) -> dict[str, int]:
    """Names without their suffix, each with its picture's place."""
    places: dict[str, int] = {}
    for i, name in enumerate(pictures.names):
        stem = name.rpartition(".")[0] or name
        if stem in places:
            raise InputError(f"{name}: {pictures.names[places[stem]]} has the same name in {where}; rename one of them")
        places[stem] = i
    return places


def _chosen(pictures: Pictures, order: list[int]) -> Pictures:
    return Pictures(
        [pictures.images[i] for i in order], [pictures.names[i] for i in order],
        [pictures.sizes[i] for i in order], [pictures.hashes[i] for i in order],
    )  # fmt: skip


def _fit(given: Pictures, drawn: Pictures) -> None:
    """Bring each drawing to its photograph's size; one of another shape shows something else."""
    for i, image in enumerate(given.images):
        (width, height), (across, down) = given.sizes[i], drawn.sizes[i]
        if abs(width / height / (across / down) - 1) > ASPECT:
            raise InputError(
                f"{drawn.names[i]}: is {across}x{down}, and its photograph {given.names[i]} is {width}x{height}: "
                "crop one of them to the other's shape"
            )
        drawn.images[i] = _sized(drawn.images[i], image.shape[1], image.shape[0])


def _sized(image: Picture, width: int, height: int) -> Picture:
    if image.shape[:2] == (height, width):
        return image
    shrinks = image.shape[0] > height
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC), np.uint8)


def check(material: Matched) -> str:
    """Refuse what this recipe cannot learn from; say in a line what it sees."""
    pairs = zip(material.photos.images, material.references.images, strict=True)
    if all(np.abs(photo.astype(int) - drawn).mean() < 1 for photo, drawn in pairs):
        raise InputError("drawings and photographs are the same pictures: give the drawings first, the photographs with --photos")
    count, learnt = len(material.photos.images), len(material.given[0].images)
    apart = f"{count - learnt} of them" if learnt < count else "the right end of each"
    return f"{counted(count, 'pair')}, {apart} kept for measuring"


def networks(settings: Settings, material: Matched, generator: Painter) -> Networks:
    """The critic sees a picture stacked on what it was made from."""
    return Networks(generator, on_device(PatchCritic(settings.critic_width, channels=6), material.device))


def batches(settings: Settings, material: Matched) -> Callable[[int], Batch]:
    """step -> the same crops of photographs and of their drawings, and a motion to hold still under."""
    photos, drawings = material.given[0].images, material.drawn[0].images

    def at(step: int) -> Batch:
        rng = rng_at(material.seed, step, "pairs")
        chosen = rng.integers(len(photos), size=settings.batch)
        sides = [
            to_tensor([crop(side[i], settings.crop_px, rng_at(material.seed, step, f"pair {n}"), (0.7, 1.15))
                       for n, i in enumerate(chosen)])
            for side in (photos, drawings)
        ]  # fmt: skip
        light = torch.from_numpy(rng.uniform(0.93, 1.07, (settings.batch, 1, 1, 1)).astype(np.float32))
        batch = {"given": (sides[0] * light).clamp(0, 1), "target": sides[1]}
        if settings.steady:
            batch |= random_motion(settings.batch, settings.crop_px, rng)
        return {name: on_device(value, material.device) for name, value in batch.items()}

    return at


def step(settings: Settings, material: Matched) -> StepFunction:
    """batch -> losses."""

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            return contest(settings, material, networks, batch, progress)

    return take


def held_out(settings: Settings, material: Matched) -> Measure:
    """Distance to the drawing on pairs, or ends of pairs, that were never learnt from."""
    kept = zip(material.given[1].images, material.drawn[1].images, strict=True)
    return measured([(to_tensor([_middle(photo)]), to_tensor([_middle(drawn)])) for photo, drawn in kept], material)


def _middle(image: Picture) -> Picture:
    """The middle of a picture, its sides multiples of what any generator asks for."""
    height, width = (max(16, min(MEASURED_PX, side) // 16 * 16) for side in image.shape[:2])
    top, left = max(0, (image.shape[0] - height) // 2), max(0, (image.shape[1] - width) // 2)
    return image[top : top + height, left : left + width]
