"""base: photographs -> a generator that repairs them. Not a look, but what every look starts from (`learn --from`).

It learns to give a picture back from one that was blurred, darkened, made coarse and grainy, so that the trunk, and not the
generator's own copy of its input, comes to carry forms and colours. Looks that start here start near the picture, learn
sooner, and can be blended, for their weights are about the same things. Its references are photographs:
`learn photos/ --recipe base`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto.errors import InputError
from impasto.job import counted
from impasto.learn.contest import frozen, outcome, verdicts
from impasto.learn.material.data import MOST_SIDE_PX, Material, Pictures, gather_references, random_crops, random_motion, rng_at
from impasto.learn.paired import set_apart
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.losses import Motion, hinge_generator, perceptual_content, pixels, steadiness
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob
    from impasto.models.perception import Perception

FEWEST, HELD = 2, 8
TAPS = ("relu1_1", "relu2_1", "relu3_1")
NEEDS_PHOTOS = False  # the references are the photographs


class Settings(BaseModel):
    """How badly the pictures are treated, and the weights of the terms."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    batch: int = Field(4, ge=1)
    crop_px: int = Field(160, ge=128, multiple_of=4)  # below that the broadest critic sees nothing
    style_side: int = Field(640, ge=96, le=MOST_SIDE_PX)
    blur_px: float = Field(2.0, ge=0)
    grain: float = Field(0.12, ge=0)
    light: float = Field(0.25, ge=0, lt=1)
    pixels: float = Field(6.0, ge=0)
    content: float = Field(1.5, ge=0)
    adversary: float = Field(0.1, ge=0)
    steady: float = Field(4.0, ge=0)
    outside: float = Field(10.0, ge=0)
    critic_width: int = Field(24, ge=1, le=1024)


@dataclass(kw_only=True)
class Whole(Material):
    """Photographs to learn to repair, and others, or parts of them, to measure it on."""

    kept: Pictures


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Whole:
    """The references are the photographs; some of them are set apart."""
    learnt, kept = set_apart(gather_references(job.references, settings.style_side))
    return Whole(learnt, Pictures([]), perception, job.seed, device, kept=kept)


def check(material: Material) -> str:
    """Refuse what this recipe cannot learn from; say in a line what it sees."""
    count = len(material.references.images)
    if count < FEWEST:
        raise InputError(f"recipe base learns from many photographs, not {count}: give a folder or a .txt list of them")
    return f"{counted(count, 'photograph')} to be repaired"


def networks(settings: Settings, material: Material, generator: Painter) -> Networks:
    """The critic keeps repaired pictures from being soft."""
    return Networks(generator, on_device(PatchCritic(settings.critic_width), material.device), nn.Module())


def batches(settings: Settings, material: Material) -> Callable[[int], Batch]:
    """step -> crops, the same treated badly, and a motion to hold still under."""

    def at(step: int) -> Batch:
        rng = rng_at(material.seed, step, "base")
        whole = random_crops(material.references, settings.batch, settings.crop_px, rng, (0.6, 1.2))
        other = random_crops(material.references, settings.batch, settings.crop_px, rng, (0.6, 1.2))
        motion = random_motion(settings.batch, settings.crop_px, rng)
        batch = {"whole": whole, "other": other, "worn": worn(whole, settings, rng), **motion}
        return {name: on_device(value, material.device) for name, value in batch.items()}

    return at


def held_out(settings: Settings, material: Whole) -> Callable[[Painter], dict[str, float]]:
    """How far repaired pictures are from whole ones that were never learnt from, 0..1, and how far the worn ones were."""
    rng = rng_at(material.seed, 0, "held out")
    whole = random_crops(material.kept, HELD, settings.crop_px, rng, (0.6, 1.2))
    spoilt = worn(whole, settings, rng).to(material.device)
    whole = whole.to(material.device)

    def measured(painter: Painter) -> dict[str, float]:
        with torch.no_grad():
            return {"error": float(pixels(painter(spoilt).float(), whole)), "error_as_given": float(pixels(spoilt, whole))}

    return measured


def worn(whole: Tensor, settings: Settings, rng: np.random.Generator) -> Tensor:
    """Pictures [N,3,H,W] as a poor camera would leave them, each its own way: blurred, coarse, too dark or too light, grainy."""
    treated = []
    for picture in whole[:, None]:
        sigma = rng.uniform(0, settings.blur_px)
        if sigma > 0.3:
            picture = _blurred(picture, sigma)
        if rng.random() < 0.3:
            factor = int(rng.integers(2, 5))
            picture = F.interpolate(F.avg_pool2d(picture, factor), whole.shape[2:], mode="bilinear", align_corners=False)
        gain = torch.from_numpy(rng.uniform(1 - settings.light, 1 + settings.light, (1, 3, 1, 1)).astype(np.float32))
        noise = torch.from_numpy(rng.normal(0, rng.uniform(0, settings.grain), picture.shape).astype(np.float32))
        treated.append((picture * gain + noise).clamp(0, 1))
    return torch.cat(treated)


def _blurred(picture: Tensor, sigma: float) -> Tensor:
    reach = int(3 * sigma + 0.5)
    line = torch.exp(-torch.arange(-reach, reach + 1, dtype=torch.float32).square() / (2 * sigma**2))
    line = (line / line.sum()).expand(3, 1, -1)
    padded = F.pad(picture, (reach,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, line[:, :, None], groups=3), line[..., None], groups=3)


def step(settings: Settings, material: Material) -> StepFunction:
    """batch -> losses."""

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            return _losses(settings, material, networks, batch)

    return take


def _losses(settings: Settings, material: Material, networks: Networks, batch: Batch) -> Outcome:
    whole, worn_ones = batch["whole"], batch["worn"]
    motion = Motion(batch["grid"], batch["inside"], batch["gain"], batch["bias"], batch["noise"])
    painted = networks.generator(worn_ones).float()
    painted_next = networks.generator(on_device(motion.film(worn_ones), whole.device)).float()

    with frozen(networks.critic):
        losses = {
            "pixels": pixels(painted, whole),
            "adversary": hinge_generator(networks.critic(painted)),
            "steady": steadiness(painted, painted_next, motion),
            "outside": (painted - painted.clamp(0, 1)).abs().mean(),
        }
    if material.perception is not None:
        ours = material.perception(on_device(painted, whole.device), TAPS)
        with torch.no_grad():
            theirs = material.perception(whole, TAPS)
        losses["content"] = perceptual_content(ours, theirs, TAPS)
    weights = settings.model_dump(include=set(losses))
    return outcome(losses, weights, verdicts(networks.critic, batch["other"], painted), painted)
