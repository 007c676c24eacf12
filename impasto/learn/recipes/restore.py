"""restore: photographs -> a network that undoes what befell a picture, or lays a filter's look on it. It makes its own pairs.

`task` names what befalls them: `small->large`, `grey->colour`, `noisy->clean`, `holes->filled`; with `look` a filter makes the
targets instead. Words of a task may also be joined by -to-, which no shell takes for an arrow. The references are the
photographs: `learn photos/ --recipe restore --set task=small-to-large --set scale=2`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from torch import Tensor

from impasto import plugins
from impasto.errors import InputError
from impasto.learn.material.chroma import chroma, rarity, saturation, votes_loss
from impasto.learn.material.data import (
    MOST_SIDE_PX,
    Material,
    Picture,
    Pictures,
    crop,
    gather_references,
    random_motion,
    resize,
    rng_at,
)
from impasto.learn.material.filters import FILTERS, INKS, MARGIN_PX
from impasto.learn.material.wear import Light, grainy, holed, shrunk, uncoloured
from impasto.learn.paired import Judged, Measure, contest, measured, set_apart, to_planes
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.losses import total_variation
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic
from impasto.models.generators import tint
from impasto.models.perception import Perception
from impasto.styles.card import TierName

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

FEWEST = 2
NEEDS_PHOTOS = False  # the references are the photographs
SEARCH = {"pixels": (2.0, 20.0), "content": (0.2, 5.0), "adversary": (0.01, 1.0), "matching": (0.1, 4.0)}
MEASURED, MEASURED_PX = 12, 192
LARGE, COLOUR, CLEAN, FILLED, LOOK = "small->large", "grey->colour", "noisy->clean", "holes->filled", "look"
# What each task does best with; what is not said here is as in Settings. Steadiness costs half the speed, so it is only where
# a network decides something (a colour, a line) that could be decided otherwise in the next frame.
OWN: dict[str, dict[str, Any]] = {
    LARGE: {"batch": 8, "crop_px": 128, "adversary": 0.02, "matching": 0.4, "content": 0.6},
    CLEAN: {"crop_px": 128, "adversary": 0.01, "matching": 0.2, "content": 0.5},
    FILLED: {"adversary": 0.1, "matching": 1.0, "content": 1.5},
    COLOUR: {"batch": 8, "crop_px": 128, "pixels": 0.3, "content": 0.3, "adversary": 0.3, "steady": 1.0},
    LOOK: {"pixels": 8.0, "edges": 12.0, "content": 2.0, "adversary": 0.2, "matching": 1.5, "steady": 5.0, "adversary_from": 0.1},
}
OF_TASK = {"scale": LARGE, "noise": CLEAN, "votes": COLOUR}  # settings that one task alone knows
ZOOM = {LARGE: (0.5, 1.0), COLOUR: (0.3, 1.0), CLEAN: (0.5, 1.0), FILLED: (0.4, 1.0), LOOK: (0.6, 1.1)}


class Settings(BaseModel):
    """What befalls the pictures, and the weights of the terms; those not given are the task's own."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    task: Literal["small->large", "grey->colour", "noisy->clean", "holes->filled", "look"] = "noisy->clean"
    look: str = Field("", validate_default=True)
    scale: Literal[2, 4] = 2  # of small->large
    noise: float = Field(0.12, gt=0)  # of noisy->clean: the strongest
    batch: int = Field(4, ge=1)
    crop_px: int = Field(160, ge=128, multiple_of=16)  # of the whole picture; below that the broadest critic sees nothing
    style_side: int = Field(768, ge=96, le=MOST_SIDE_PX)  # photographs that are smaller stay as they are
    pixels: float = Field(10.0, ge=0)
    edges: float = Field(0.0, ge=0)  # where tones change: a rule that takes texture away is hardly seen by tones alone
    content: float = Field(0.5, ge=0)  # only with a teacher
    adversary: float = Field(0.02, ge=0)
    adversary_from: float = Field(0.4, ge=0, le=1)  # critic and steadiness join when so much is over
    matching: float = Field(0.3, ge=0)  # of what the critic sees
    steady: float = Field(0.0, ge=0)
    votes: float = Field(1.0, ge=0)  # of grey->colour: that the right colours are named
    critic_width: int = Field(24, ge=1, le=1024)

    @field_validator("task", mode="before")
    @classmethod
    def _arrow(cls, value: object) -> object:
        return value.replace("-to-", "->") if isinstance(value, str) else value

    @field_validator("scale", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @field_validator("look")
    @classmethod
    def _listed(cls, value: str, others: ValidationInfo) -> str:
        if value and value not in FILTERS:
            raise ValueError(f"no such filter; there are {', '.join(FILTERS)}")
        if others.data.get("task") == LOOK and not value:
            raise ValueError(f"say which look: look={'|'.join(FILTERS)}")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        """A look is a task of its own; what was not given becomes the task's own, and what another task takes is refused."""
        given = set(self.model_fields_set)
        if self.look and "task" in given and self.task != LOOK:
            raise ValueError(f"look={self.look} and task={self.task} do not go together: leave one of them out")
        for name, task in OF_TASK.items():
            if getattr(self, name) != type(self).model_fields[name].default and (self.look or self.task != task):
                raise ValueError(f"{name} is of the task {task} alone: add task={_typed(task)}, or leave {name} out")
        values = OWN[LOOK if self.look else self.task] | ({"task": LOOK} if self.look else {})
        for name, value in values.items():
            if name not in given or name == "task":
                self.__dict__[name] = value
        return self


def _typed(task: str) -> str:
    """A task as no shell takes it for an arrow."""
    return task.replace("->", "-to-")


@dataclass
class Photographs(Material):
    """The references, parted into what is learnt from and what is kept for measuring."""

    learnt: Pictures
    kept: Pictures


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Photographs:
    """The photographs, none of them enlarged: what was enlarged once is no truth to learn sharpness from."""
    references = gather_references(job.references, settings.style_side)
    for i, size in enumerate(references.sizes):
        if max(size) < settings.style_side:
            references.images[i] = resize(references.images[i], max(size))
    learnt, kept = set_apart(references)
    none = Pictures([], refused=references.refused)
    return Photographs(references, none, perception, job.seed, device, learnt, kept)


def check(material: Photographs) -> str:
    """Refuse what this recipe cannot learn from; say in a line what it sees."""
    count = len(material.references.images)
    if count < FEWEST:
        raise InputError(f"recipe restore learns from many photographs, not {count}: give a folder or a .txt list of them")
    apart = f"{len(material.kept.images)} of them" if len(material.learnt.images) < count else "the right end of each"
    return f"{count} photographs; {apart} kept for measuring"


def generator(settings: Settings, material: Photographs, tier: TierName) -> Painter:
    """The task's own network; a look's is the one that all looks have."""
    full = tier == "full"
    sizes: dict[str, tuple[str, dict[str, object]]] = {
        LARGE: ("enlarge", {"scale": settings.scale, **({"width": 64, "blocks": 10, "head": 24} if full else {})}),
        COLOUR: ("tint", {"width": 40, "blocks": 10} if full else {}),
        CLEAN: ("mend", {"width": 20, "blocks": 8} if full else {}),
        FILLED: ("mend", {"hole": 1, **({"width": 20, "blocks": 8} if full else {})}),
        LOOK: ("brush" if full else "swift", {"inks": INKS.get(settings.look)}),
    }
    name, values = sizes[settings.task]
    room = plugins.load("generators", name)
    painter: Painter = room.Generator(room.Settings(**values))
    return painter


def networks(settings: Settings, material: Photographs, generator: Painter) -> Networks:
    """The critic sees a picture stacked on what it was made from."""
    planes = 6 + sum(generator.guides.values())
    return Networks(generator, on_device(PatchCritic(settings.critic_width, channels=planes), material.device))


def batches(settings: Settings, material: Photographs) -> Callable[[int], Batch]:
    """step -> crops of photographs as they should be, the same as they are given, and a motion to hold still under."""

    def at(step: int) -> Batch:
        rng = rng_at(material.seed, step, "restore")
        given, target = zip(*(_pair(settings, material.learnt, rng) for _ in range(settings.batch)), strict=True)
        batch = {"given": to_planes(given), "target": to_planes(target)}
        if settings.steady:
            batch |= random_motion(settings.batch, batch["given"].shape[-1], rng)
        return {name: on_device(value, material.device) for name, value in batch.items()}

    return at


def _pair(settings: Settings, pictures: Pictures, rng: np.random.Generator) -> tuple[Light, Light]:
    """A crop of a picture as it is given, and as it should become."""
    margin = MARGIN_PX if settings.look else 0
    image = pictures.images[rng.integers(len(pictures.images))]
    return spoilt(settings, to_light(crop(image, settings.crop_px + 2 * margin, rng, ZOOM[settings.task])), rng)


def to_light(image: Picture) -> Light:
    """Bytes as float32 in 0..1."""
    return np.asarray(image, np.float32) / np.float32(255)


def spoilt(settings: Settings, whole: Light, rng: np.random.Generator) -> tuple[Light, Light]:
    """A picture as it is given, and as it should become; a look takes the margin off, where its filter saw too little."""
    if settings.task == LARGE:
        return shrunk(whole, settings.scale, rng), whole
    if settings.task == CLEAN:
        return grainy(whole, settings.noise, rng), whole
    if settings.task == FILLED:
        return holed(whole, rng), whole
    if settings.task == COLOUR:
        return uncoloured(whole, rng), whole
    middle = slice(MARGIN_PX, -MARGIN_PX)
    return whole[middle, middle], FILTERS[settings.look](whole)[middle, middle]


def step(settings: Settings, material: Photographs) -> StepFunction:
    """batch -> losses."""
    take = _colour(settings, material) if settings.task == COLOUR else _plain(settings, material)

    def precisely(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            return take(networks, batch, progress)

    return precisely


def _plain(settings: Settings, material: Photographs) -> StepFunction:
    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        painted = networks.generator(batch["given"]).float()
        apart = {"edges": total_variation(painted - batch["target"])} if settings.edges else {}
        begun = Judged(painted, apart, {"edges": settings.edges})
        return contest(settings, material, networks, batch, progress, begun)

    return take


def _colour(settings: Settings, material: Photographs) -> StepFunction:
    """Colours are voted for, and the truth is laid on the luma that was given: a tone curve is not for colours to explain."""
    palette = tint.palette().T[:, :, None, None].contiguous()
    weight = rarity(material.learnt.images, palette).to(material.device)
    palette = palette.to(material.device)

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        painter, given = networks.generator, batch["given"]
        assert isinstance(painter, tint.Generator), "colour is learnt by tint"
        votes = painter.votes(given)
        named = votes_loss(votes, batch["target"], palette, weight)
        begun = Judged(painter.coloured(given, votes).float(), {"votes": named}, {"votes": settings.votes})
        on_luma = tint.with_chroma(tint.luma(given), chroma(batch["target"]))
        return contest(settings, material, networks, {**batch, "target": on_luma}, progress, begun)

    return take


def held_out(settings: Settings, material: Photographs) -> Measure:
    """Distance to the truth on pictures that were never learnt from; of colours, also how colourful they are beside it."""
    cases = _cases(settings, material)
    measure = measured(cases, material)
    if settings.task != COLOUR:
        return measure
    real = torch.stack([saturation(target) for _, target in cases]).mean()

    def in_colour(painter: Painter) -> dict[str, float]:
        with torch.inference_mode():
            ours = torch.stack([saturation(painter(given.to(material.device)).float().cpu()) for given, _ in cases]).mean()
        figures = measure(painter)
        share = float(ours / real)
        # a mean of all colours has the least error and no colour: what is missing of it (or too much) is an error too
        return {"error": figures["error"] + float((ours - real).abs()), "saturation_share": share, **_but(figures, "error")}

    return in_colour


def _but(figures: dict[str, float], name: str) -> dict[str, float]:
    return {"pixels" if key == name else key: value for key, value in figures.items()}


def _cases(settings: Settings, material: Photographs) -> list[tuple[Tensor, Tensor]]:
    """The same squares of the kept pictures each time, spoilt the same way, as batches of one."""
    cases = []
    for i, image in enumerate(material.kept.images[:MEASURED]):
        rng = rng_at(0, i, "kept")
        margin = MARGIN_PX if settings.look else 0
        side = min(MEASURED_PX, *image.shape[:2]) // 16 * 16
        whole = to_light(crop(image, max(16, side) + 2 * margin, rng, (1.0, 1.0)))
        given, target = spoilt(settings, whole, rng)
        if settings.task == COLOUR:
            shown, truth = to_planes([given]), to_planes([target])
            cases.append((shown, tint.with_chroma(tint.luma(shown), chroma(truth))))
        else:
            cases.append((to_planes([given]), to_planes([target])))
    return cases
