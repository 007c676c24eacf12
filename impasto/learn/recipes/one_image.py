"""one_image: one painting -> a look. Good for prints, oils, drawings: whatever one picture shows completely.

The adversary leads: critics at three scales see crops of the painting and crops of painted photographs. The Gram term follows
and brings the mix of inks; the nearest-texture term forbids what the artist never painted (photo grain, grids, dots);
the content term keeps things recognisable; the steadiness term makes the paint move with the picture.
Without a teacher the content term is PatchNCE on the generator's own features and the style term compares raw patches.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto.errors import InputError
from impasto.learn.contest import frozen, outcome, verdicts
from impasto.learn.data import Material, random_crops, random_motion, resize, rng_at, to_tensor
from impasto.learn.loop import Batch, Networks, Outcome, StepFunction, has_bf16, on_device
from impasto.losses import Motion, PatchNCE, gram_style, hinge_generator, patch_style, perceptual_content, steadiness
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic
from impasto.models.perception import TAPS, distance_to_nearest

SMALLEST_PX = 32
CONTENT_TAPS = ("relu3_1", "relu4_1")
NEAREST_TAP = "relu3_1"
STEADY_FROM = 0.1  # full weight from here on: at once, the steadiest look is a flat sheet of paper
TEXTURE_FROM = 0.1  # likewise: at once, it stamps the texture before there are forms to lay it on
TERMS = {"adversary", "outside", "gram", "nearest", "content", "steady", "patches", "nce"}


class Settings(BaseModel):
    """Sizes in pixels, weights of the terms; the defaults made the shipped looks."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    batch: int = Field(2, ge=1)
    crop_px: int = Field(192, ge=128, multiple_of=4)  # below that the broadest critic sees nothing
    photo_side: int = Field(512, ge=96)
    style_side: int = Field(512, ge=96)  # larger: broader strokes
    adversary: float = Field(1.5, ge=0)
    gram: float = Field(12.0, ge=0)
    nearest: float = Field(4.0, ge=0)
    content: float = Field(3.0, ge=0)
    steady: float = Field(18.0, ge=0)
    outside: float = Field(10.0, ge=0)  # values that no screen can show
    patches: float = Field(8.0, ge=0)  # without a teacher
    nce: float = Field(1.0, ge=0)  # without a teacher
    critic_width: int = Field(32, ge=1)
    columns: int = Field(2048, ge=1)


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
    return f"one painting, {names[0]} ({width}x{height}), on {len(material.photos.images)} photographs"


def networks(settings: Settings, material: Material, generator: Painter) -> Networks:
    """The critic, and, without a teacher, the projections that PatchNCE compares."""
    critic = on_device(PatchCritic(settings.critic_width), material.device)
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
    terms = _Taught(settings, material) if material.perception else _Untaught(settings)
    quick = has_bf16(material.device)

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with torch.autocast(material.device.type, torch.bfloat16, enabled=quick):
            return _losses(_weights(settings, progress), networks, batch, terms)

    return take


def _weights(settings: Settings, progress: float) -> dict[str, float]:
    """The weight of each term now: steadiness and the teacher's texture terms come in while the adversary already leads."""
    weights: dict[str, float] = settings.model_dump(include=TERMS)
    weights["steady"] *= min(1.0, progress / STEADY_FROM)
    weights["gram"] *= min(1.0, 0.25 + progress / TEXTURE_FROM)
    weights["nearest"] *= min(1.0, progress / TEXTURE_FROM)
    return weights


def _losses(weights: dict[str, float], networks: Networks, batch: Batch, terms: _Taught | _Untaught) -> Outcome:
    photo, style = batch["photo"], batch["style"]
    motion = Motion(batch["grid"], batch["inside"], batch["gain"], batch["bias"], batch["noise"])
    painted = networks.generator(photo).float()
    painted_next = networks.generator(on_device(motion.film(photo), photo.device)).float()

    with frozen(networks.critic):
        losses = {
            "adversary": hinge_generator(networks.critic(painted)),
            "steady": steadiness(painted, painted_next, motion),
            "outside": (painted - painted.clamp(0, 1)).abs().mean(),
            **terms(networks, painted, photo, style),
        }
    return outcome(losses, weights, verdicts(networks.critic, style, painted), painted)


class _Taught:
    """Style and content as a teacher sees them."""

    def __init__(self, settings: Settings, material: Material) -> None:
        assert material.perception is not None
        self.settings, self.perception = settings, material.perception
        painting = resize(material.references.images[0], settings.style_side)
        with torch.no_grad():
            taps = self.perception(on_device(to_tensor([painting]), material.device), TAPS)
        self.targets = {tap: f.gram()[0] for tap, f in taps.items()}
        self.content_taps = [tap for tap in CONTENT_TAPS if tap in taps]
        height, width = taps[NEAREST_TAP].values.shape[2:]
        self.bank = taps[NEAREST_TAP].columns(torch.arange(height * width, device=material.device))[0]

    def __call__(self, networks: Networks, painted: Tensor, photo: Tensor, style: Tensor) -> dict[str, Tensor]:
        ours = self.perception(on_device(painted, painted.device), TAPS)
        with torch.no_grad():
            theirs = self.perception(photo, self.content_taps)
        some = self.bank[torch.randperm(len(self.bank), device=self.bank.device)[: self.settings.columns]]
        height, width = ours[NEAREST_TAP].values.shape[2:]
        places = torch.randperm(height * width, device=painted.device)[: self.settings.columns // len(painted)]
        return {
            "gram": gram_style(ours, self.targets),
            "nearest": distance_to_nearest(ours[NEAREST_TAP].columns(places), some),
            "content": perceptual_content(ours, theirs, self.content_taps),
        }


class _Untaught:
    """Style as raw patches, content as the generator's own features: no network from elsewhere."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self, networks: Networks, painted: Tensor, photo: Tensor, style: Tensor) -> dict[str, Tensor]:
        directions = F.normalize(torch.randn(147, 64, device=painted.device), dim=0)
        sizes = [(F.avg_pool2d(painted, k), F.avg_pool2d(style, k)) if k > 1 else (painted, style) for k in (1, 2, 4)]
        style_distance = torch.stack([patch_style(ours, theirs, directions) for ours, theirs in sizes]).sum()
        features = networks.generator.features
        with torch.no_grad():
            keys = features(photo)
        return {"patches": style_distance, "nce": networks.helpers(features(painted), keys)}
