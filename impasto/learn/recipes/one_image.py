"""one_image: one painting -> a look. Good for prints, oils, drawings: whatever one picture shows completely.

The adversary leads: critics at three scales see crops of the painting and crops of painted photographs. The Gram term follows
and brings the mix of inks; the nearest-texture term forbids what the artist never painted (photo grain, grids, dots);
the content term keeps things recognisable; the steadiness term makes the paint move with the picture.

`learn=texture` takes the brushwork and leaves the shot its colours: style is seen in grey. `learn=colour` takes the palette and
the mix of tones and leaves every form alone: style is seen too coarsely to have strokes. `stroke=2` paints with strokes twice
as broad.
Without a teacher the content term is PatchNCE on the generator's own features and the style term compares raw patches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from impasto.errors import InputError
from impasto.job import counted
from impasto.learn.contest import eased_in, frozen, outcome, settled, verdicts
from impasto.learn.material.data import (
    MOST_SIDE_PX,
    Material,
    Pictures,
    gather_photos,
    gather_references,
    random_crops,
    random_motion,
    resize,
    rng_at,
    to_tensor,
)
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.learn.unpaired import picked
from impasto.losses import (
    Motion,
    Palette,
    PatchNCE,
    gram_style,
    grey,
    hinge_generator,
    lab_colour,
    patch_style,
    perceptual_content,
    steadiness,
    structure_lost,
)
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic
from impasto.models.perception import TAPS, Perception, distance_to_nearest

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

SEARCH = {"adversary": (0.5, 4.0), "gram": (4.0, 40.0), "content": (1.0, 6.0), "nearest": (1.0, 12.0), "steady": (8.0, 40.0)}
KEPT_SHARE, HELD_PX, HELD = 12, 256, 4  # one photograph in so many is never learnt from; squares that are painted to measure
COARSE = 4  # times smaller, no stroke is left of a painting, and its colours are
SMALLEST_PX = 32
CONTENT_TAPS = ("relu3_1", "relu4_1")
NEAREST_TAP = "relu3_1"
TERMS = {"adversary", "outside", "gram", "nearest", "content", "steady", "patches", "nce", "tied"}


class Settings(BaseModel):
    """Sizes in pixels, weights of the terms; the defaults made the shipped looks."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    learn: Literal["all", "colour", "texture"] = "all"
    stroke: float = Field(1.0, ge=0.25, le=4)  # how broad the strokes are, beside those of the painting at style_side
    batch: int = Field(2, ge=1)
    crop_px: int = Field(192, ge=128, multiple_of=4)  # below that the broadest critic sees nothing
    photo_side: int = Field(512, ge=96, le=MOST_SIDE_PX)
    style_side: int = Field(512, ge=96, le=MOST_SIDE_PX)  # long side of the painting as it is shown to the critics
    adversary: float = Field(1.5, ge=0)
    gram: float = Field(12.0, ge=0)
    nearest: float = Field(4.0, ge=0)
    content: float = Field(3.0, ge=0)
    steady: float = Field(18.0, ge=0)
    outside: float = Field(10.0, ge=0)  # values that no screen can show
    patches: float = Field(8.0, ge=0)  # without a teacher
    nce: float = Field(1.0, ge=0)  # without a teacher
    settle: float = Field(1.0, ge=1, le=10)  # in the second half forms count so many times more, and the texture so much less
    tied: float = Field(8.0, ge=0)  # colours to the shot's (texture), or to the shot's in the painting's palette (colour)
    critic_width: int = Field(32, ge=1, le=1024)
    columns: int = Field(2048, ge=1)

    @model_validator(mode="after")
    def _is_of_a_size_that_can_be_seen(self) -> Settings:
        side = round(self.style_side * self.stroke)
        if side > MOST_SIDE_PX:
            told = f"style_side={self.style_side} and stroke={self.stroke:g} make a painting of {side} pixels"
            raise ValueError(f"{told}; {MOST_SIDE_PX} are the most: lower one of them")
        return self


@dataclass(kw_only=True)
class Painted(Material):
    """A painting, photographs to learn on, and photographs that are kept to measure on."""

    kept: Pictures


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Painted:
    """The painting in the size that its strokes are wanted in, and the photographs."""
    painting = gather_references(job.references, round(settings.style_side * settings.stroke))
    photos = gather_photos(job.places(), settings.photo_side * 5 // 4)
    count = len(photos.images)
    aside = [int(i) for i in rng_at(job.seed, 0, "kept aside").permutation(count)[: count // KEPT_SHARE]]
    learnt = picked(photos, [i for i in range(count) if i not in aside])
    return Painted(painting, learnt, perception, job.seed, device, kept=picked(photos, aside) if aside else learnt)


def check(material: Material) -> str:
    """Refuse what this recipe cannot learn from; say in a line what it sees."""
    names = material.references.names
    if len(names) != 1:
        raise InputError(f"recipe one_image learns from exactly one painting, not {len(names)}: {', '.join(names[:4]) or 'none'}")
    painting = material.references.images[0]
    if min(material.references.sizes[0]) < SMALLEST_PX:
        size = "x".join(map(str, material.references.sizes[0]))
        raise InputError(f"{names[0]}: {size} pixels are too few to see a look in; give {SMALLEST_PX} each way or more")
    if painting.std((0, 1)).max() < 2:
        raise InputError(f"{names[0]}: the picture is one flat colour; there is no look in it to learn")
    width, height = material.references.sizes[0]
    return f"one painting, {names[0]} ({width}x{height}), on {counted(len(material.photos.images), 'photograph')}"


def networks(settings: Settings, material: Material, generator: Painter) -> Networks:
    """The critic, and, without a teacher, the projections that PatchNCE compares."""
    channels, scales = (1 if settings.learn == "texture" else 3), (1 if settings.learn == "colour" else 3)
    critic = on_device(PatchCritic(settings.critic_width, scales, channels), material.device)
    helpers = nn.Module() if material.perception else PatchNCE(generator)
    return Networks(generator, critic, helpers.to(material.device))


def batches(settings: Settings, material: Material) -> Callable[[int], Batch]:
    """step -> crops of photographs and of the painting, and a motion to hold still under."""

    def at(step: int) -> Batch:
        rng = rng_at(material.seed, step, "one_image")
        photo = random_crops(material.photos, settings.batch, settings.crop_px, rng, (0.7, 1.15))
        style = random_crops(material.references, settings.batch, settings.crop_px, rng, (0.9, 1.1))
        light = torch.from_numpy(rng.uniform(0.85, 1.15, (settings.batch, 1, 1, 1)).astype(np.float32))
        batch = {"photo": (photo * light).clamp(0, 1), "style": style, **random_motion(settings.batch, settings.crop_px, rng)}
        return {name: on_device(value, material.device) for name, value in batch.items()}

    return at


def step(settings: Settings, material: Material) -> StepFunction:
    """batch -> losses, with everything about the painting worked out once."""
    terms = _Taught(settings, material) if material.perception else _Untaught(settings, material)

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            weights = settled(eased_in(settings, TERMS, progress), settings.settle, progress)
            return _losses(weights, networks, batch, terms)

    return take


def seen(x: Tensor, settings: Settings) -> Tensor:
    """What of a picture [N,3,H,W] style is told by: all of it, its greys, or its colours without any stroke."""
    if settings.learn == "texture":
        return grey(x)
    return F.avg_pool2d(x, COARSE) if settings.learn == "colour" else x


def held_out(settings: Settings, material: Painted) -> Callable[[Painter], dict[str, float]]:
    """Style distance of photographs that were never learnt from, and how much of their forms is lost."""
    rng = rng_at(material.seed, 0, "held out")
    photo = random_crops(material.kept, HELD, HELD_PX, rng, (0.7, 1.15)).to(material.device)
    style = random_crops(material.references, HELD, HELD_PX, rng, (0.9, 1.1)).to(material.device)
    directions = F.normalize(torch.from_numpy(rng.normal(size=(147, 64)).astype(np.float32)).to(material.device), dim=0)
    taught = _Taught(settings, material) if material.perception else None

    @torch.no_grad()
    def figures(painter: Painter) -> dict[str, float]:
        painted = painter(photo)
        if taught is not None and settings.learn != "colour":
            ours = taught.perception(on_device(_three(seen(painted, settings)), painted.device), TAPS)
            distance = gram_style(ours, taught.targets)
        else:
            distance = _patches(seen(painted, settings), seen(style, settings), directions)
        return {"style": float(distance), "structure": float(structure_lost(grey(painted), grey(photo)))}

    return figures


def _three(x: Tensor) -> Tensor:
    return x.expand(-1, 3, -1, -1)


def _patches(painted: Tensor, style: Tensor, directions: Tensor) -> Tensor:
    """Raw patches compared at three sizes."""
    painted, style = _three(painted), _three(style)
    sizes = [(F.avg_pool2d(painted, k), F.avg_pool2d(style, k)) if k > 1 else (painted, style) for k in (1, 2, 4)]
    return torch.stack([patch_style(ours, theirs, directions) for ours, theirs in sizes]).sum()


def _losses(weights: dict[str, float], networks: Networks, batch: Batch, terms: _Taught | _Untaught) -> Outcome:
    photo, style = batch["photo"], batch["style"]
    motion = Motion(batch["grid"], batch["inside"], batch["gain"], batch["bias"], batch["noise"])
    painted = networks.generator(photo).float()
    painted_next = networks.generator(on_device(motion.film(photo), photo.device)).float()

    with frozen(networks.critic):
        losses = {
            "adversary": hinge_generator(networks.critic(seen(painted, terms.settings))),
            "steady": steadiness(painted, painted_next, motion),
            "outside": (painted - painted.clamp(0, 1)).abs().mean(),
            **terms(networks, painted, photo, style),
        }
    critic = verdicts(networks.critic, seen(style, terms.settings), seen(painted, terms.settings))
    return outcome(losses, weights, critic, painted)


class _Tied:
    """What colour-only and texture-only looks are held to: the shot's own colours, or those in the painting's palette."""

    def __init__(self, settings: Settings, material: Material) -> None:
        self.settings = settings
        if settings.learn == "colour":
            rng = rng_at(material.seed, 0, "palette")
            views = [random_crops(pictures, 48, 64, rng, (0.2, 0.4)) for pictures in (material.photos, material.references)]
            self.palette = Palette.between(*(view.to(material.device) for view in views))

    def tied(self, painted: Tensor, photo: Tensor) -> dict[str, Tensor]:
        """No term where all of the look is learnt."""
        if self.settings.learn == "all":
            return {}
        if self.settings.learn == "colour":
            return {"tied": self.palette.distance(painted, photo, 1.0, 1, lightness=1.0)}
        return {"tied": lab_colour(painted, photo, 0.0, 4) + lab_colour(painted, photo, 1.0, 16)}


class _Taught(_Tied):
    """Style and content as a teacher sees them."""

    def __init__(self, settings: Settings, material: Material) -> None:
        super().__init__(settings, material)
        assert material.perception is not None
        self.perception = material.perception
        painting = to_tensor([resize(material.references.images[0], round(settings.style_side * settings.stroke))])
        shown = _three(grey(painting)) if settings.learn == "texture" else painting
        with torch.no_grad():
            taps = self.perception(on_device(shown.contiguous(), material.device), TAPS)
        self.targets = {tap: f.gram()[0] for tap, f in taps.items()}
        self.content_taps = [tap for tap in CONTENT_TAPS if tap in taps]
        height, width = taps[NEAREST_TAP].values.shape[2:]
        self.bank = taps[NEAREST_TAP].columns(torch.arange(height * width, device=material.device))[0]

    def __call__(self, networks: Networks, painted: Tensor, photo: Tensor, style: Tensor) -> dict[str, Tensor]:
        shown, kept = (painted, photo) if self.settings.learn != "texture" else (_three(grey(painted)), _three(grey(photo)))
        ours = self.perception(on_device(shown.contiguous(), painted.device), TAPS)
        with torch.no_grad():
            theirs = self.perception(on_device(kept.contiguous(), photo.device), self.content_taps)
        content = {"content": perceptual_content(ours, theirs, self.content_taps), **self.tied(painted, photo)}
        if self.settings.learn == "colour":
            return content
        some = self.bank[torch.randperm(len(self.bank), device=self.bank.device)[: self.settings.columns]]
        height, width = ours[NEAREST_TAP].values.shape[2:]
        places = torch.randperm(height * width, device=painted.device)[: self.settings.columns // len(painted)]
        return {
            "gram": gram_style(ours, self.targets),
            "nearest": distance_to_nearest(ours[NEAREST_TAP].columns(places), some),
            **content,
        }


class _Untaught(_Tied):
    """Style as raw patches, content as the generator's own features: no network from elsewhere."""

    def __call__(self, networks: Networks, painted: Tensor, photo: Tensor, style: Tensor) -> dict[str, Tensor]:
        directions = F.normalize(torch.randn(147, 64, device=painted.device), dim=0)
        distance = _patches(seen(painted, self.settings), seen(style, self.settings), directions)
        features = networks.generator.features
        with torch.no_grad():
            keys = features(photo)
        return {"patches": distance, "nce": networks.helpers(features(painted), keys), **self.tied(painted, photo)}
