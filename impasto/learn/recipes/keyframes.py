"""keyframes: a few painted frames of a shot -> the whole shot. Good for paint that follows what is seen, frame by frame.

Small crops of the painted frames teach pixel by pixel; structure and a critic keep the paint sharp. Now and then crops of frames
that nobody painted take part: the same critic judges them, PatchNCE (or the teacher) keeps their forms, and the paint must move
with the picture. Some squares of the painted frames are never learnt from: they tell when learning has gone far enough.
Guide layers are planes beside RGB; under a matte only what it covers counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto import plugins
from impasto.learn.contest import frozen, outcome, verdicts
from impasto.learn.material.canvas import Canvas, Keeping, canvas_of, crops, unit
from impasto.learn.material.data import random_motion, rng_at
from impasto.learn.material.shot import ShotMaterial, gather_shot
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.losses import Motion, PatchNCE, adversarial, perceptual_content, pixels, ssim, steadiness
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic
from impasto.models.perception import Perception

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob
    from impasto.styles.card import TierName

NEEDS_PHOTOS = False  # the shot is what is painted
EARLY_STOP, PATIENCE, LOOK_EVERY = True, 15, 100  # learnt for too long, two painted frames are learnt by heart; looks, steps
GENERATOR_OF = {"live": "swift", "full": "brush"}
FAMILY = adversarial("lsgan")
FEATURE_TAPS = ("relu1_1", "relu2_1", "relu3_1")
STRUCTURE_TAPS = ("relu3_1",)
CRITIC_SCALES = 1
SSIM_STRIDE = 4  # px: a sixteenth of the windows tells as much, and costs as little
MOST_SQUARES = 24  # that are looked at, over all painted frames
SHOWN, SHOWN_PX = 3, 384  # frames of either kind on a contact sheet, and how much of their middles


class Settings(BaseModel):
    """Sizes in pixels, shares, weights of the terms; the defaults were measured (docs/training/keyframes.md)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    batch: int = Field(2, ge=1)
    crop_px: int = Field(96, ge=64, multiple_of=4)  # small crops, many steps: on a CPU they learn most in a minute
    frames: int = Field(60, ge=0)  # of the shot, that nobody painted
    every: int = Field(8, ge=1)  # steps, of which one looks at them
    others: int = Field(1, ge=1)  # crops of them
    rate: float = Field(2e-3, gt=0)
    held: float = Field(0.06, ge=0, le=0.5)  # of each painted frame, never learnt from
    held_px: int = Field(48, ge=16, multiple_of=4)
    mirror: bool = False  # paint may be mirrored: twice as much to learn from, where strokes have no direction
    grain: float = Field(0.0, ge=0)  # noise on what is seen, never on what is painted
    pixels: float = Field(4.0, ge=0)
    structure: float = Field(0.1, ge=0)
    features: float = Field(0.2, ge=0)  # with a teacher
    adversary: float = Field(0.02, ge=0)
    form: float = Field(0.05, ge=0)
    steady: float = Field(0.25, ge=0)
    outside: float = Field(0.5, ge=0)
    critic_width: int = Field(12, ge=1, le=1024)


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> ShotMaterial:
    """The painted frames, their frames in the shot, and some that nobody painted."""
    return gather_shot(job, settings.frames, perception, device)


def check(material: ShotMaterial) -> str:
    """Say in a line what is learnt from; what does not fit was refused while it was read."""
    numbers = ", ".join(str(key.number) for key in material.keys)
    frames = f"frame {numbers}" if len(material.keys) == 1 else f"frames {numbers}"
    along = "".join(f", {name} ({planes})" for name, planes in material.guides.items())
    return f"painted {frames} of {material.shot.name}{along}, on {len(material.views)} frames that nobody painted"


def generator(settings: Settings, material: ShotMaterial, tier: TierName) -> Painter:
    """The tier's own generator, with planes for the guides, and quicker than with less certain goals."""
    room = plugins.load("generators", GENERATOR_OF[tier])
    made: Painter = room.Generator(room.Settings(guides=sum(material.guides.values())))
    made.guides, made.learning_rate = dict(material.guides), settings.rate
    return made


def networks(settings: Settings, material: ShotMaterial, generator: Painter) -> Networks:
    """The critic, and, without a teacher, the projections that PatchNCE compares."""
    critic = on_device(PatchCritic(settings.critic_width, CRITIC_SCALES), material.device)
    helpers = nn.Module() if material.perception else PatchNCE(generator)
    return Networks(generator, critic, helpers.to(material.device))


def batches(settings: Settings, material: ShotMaterial) -> Callable[[int], Batch]:
    """step -> crops of painted frames; every few steps, crops of others and a motion to hold still under."""
    side = min(settings.crop_px, *(whole // 4 * 4 for whole in material.keys[0].matte.shape))
    keys = [_keeping(settings, material).learnt(key) for key in material.keys]
    views = [canvas_of(view) for view in material.views] or keys

    def at(step: int) -> Batch:
        rng = rng_at(material.seed, step, "keyframes")
        batch = crops(keys, settings.batch, side, rng, mirror=settings.mirror)
        batch["seen"] = _grained(batch["seen"], settings.grain, rng)
        if step % settings.every == 0:
            others = crops(views, settings.others, side, rng, mirror=settings.mirror)
            batch |= {"other": others["seen"], "other_weight": others["weight"]}
            batch |= random_motion(settings.others, side, rng)
        return {name: on_device(value, material.device) for name, value in batch.items()}

    return at


def _keeping(settings: Settings, material: ShotMaterial) -> Keeping:
    return Keeping(settings.held, settings.held_px, material.seed)


def _grained(seen: Tensor, grain: float, rng: np.random.Generator) -> Tensor:
    if not grain:
        return seen
    noise = torch.from_numpy(rng.normal(0, rng.uniform(0, grain), (len(seen), 3, *seen.shape[2:])).astype(np.float32))
    return torch.cat([(seen[:, :3] + noise).clamp(0, 1), seen[:, 3:]], 1)


def step(settings: Settings, material: ShotMaterial) -> StepFunction:
    """batch -> losses."""

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            return _losses(settings, material, networks, batch)

    return take


def _losses(settings: Settings, material: ShotMaterial, networks: Networks, batch: Batch) -> Outcome:
    weight, goal = batch["weight"], batch["painted"] * batch["weight"]
    painted = networks.generator(batch["seen"]).float()
    ours, fakes = painted * weight, [painted * weight]
    losses = {
        "pixels": pixels(painted, batch["painted"], weight=weight),
        "structure": 1 - ssim(ours, goal, SSIM_STRIDE),
        "outside": (painted - painted.clamp(0, 1)).abs().mean(),
    }
    if material.perception is not None:
        losses["features"] = _features(material.perception, ours, goal)
    if "other" in batch:
        other = networks.generator(batch["other"]).float()
        fakes.append(other * batch["other_weight"])
        losses |= _unpainted(material, networks, batch, other)
    fake = on_device(torch.cat(fakes), goal.device)
    with frozen(networks.critic):
        losses["adversary"] = FAMILY.generator(networks.critic(fake))
    critic = verdicts(networks.critic, on_device(goal, goal.device), fake, FAMILY)
    return outcome(losses, settings.model_dump(), critic, painted)


def show(settings: Settings, material: ShotMaterial) -> Callable[[Painter], dict[str, Tensor]]:
    """Middles of painted frames beside their goals, and of frames that nobody painted."""
    others = [material.views[i] for i in np.linspace(0, len(material.views) - 1, min(SHOWN, len(material.views))).astype(int)]
    rows = {"painted frames": material.keys[:SHOWN], "other frames": others}
    middles = {name: [_middle(canvas_of(view)) for view in views] for name, views in rows.items() if views}

    @torch.no_grad()
    def shown(painter: Painter) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for name, squares in middles.items():
            seen = torch.cat([seen for seen, _ in squares])
            found[name] = seen[:, :3]
            with material.autocast():
                found[f"{name}, by the look"] = painter(on_device(seen, material.device)).float().clamp(0, 1).cpu()
            if goals := [goal for _, goal in squares if goal is not None]:
                found[f"{name}, by hand"] = torch.cat(goals)
        return found

    return shown


def _middle(canvas: Canvas) -> tuple[Tensor, Tensor | None]:
    """The middle of a frame, and of its painting where it has one, [1,C,h,w]."""
    sides = [min(SHOWN_PX, whole // 4 * 4) for whole in canvas.weight.shape[1:]]
    starts = [(whole - side) // 2 for whole, side in zip(canvas.weight.shape[1:], sides, strict=True)]
    cut = (slice(None), *(slice(start, start + side) for start, side in zip(starts, sides, strict=True)))
    return unit(canvas.seen[cut])[None], None if canvas.painted is None else unit(canvas.painted[cut])[None]


def _features(perception: Perception, ours: Tensor, goal: Tensor) -> Tensor:
    """How far the painting is from its goal to a teacher, in units of the goal's own features."""
    here = perception(on_device(ours, ours.device), FEATURE_TAPS)
    with torch.no_grad():
        there = perception(on_device(goal, goal.device), FEATURE_TAPS)
    pairs = [(here[tap].values.float(), there[tap].values.float()) for tap in here]
    return torch.stack([(a - b).abs().mean() / b.abs().mean().clamp_min(1e-6) for a, b in pairs]).mean()


def _unpainted(material: ShotMaterial, networks: Networks, batch: Batch, other: Tensor) -> dict[str, Tensor]:
    """What frames without a painting can say: forms stay, and paint moves with the picture."""
    motion = Motion(batch["grid"], batch["inside"], batch["gain"], batch["bias"], batch["noise"])
    seen = batch["other"]
    filmed = torch.cat([motion.film(seen[:, :3]), motion.move(seen[:, 3:])], 1)
    moved = networks.generator(on_device(filmed, seen.device)).float()
    if material.perception is None:
        painter = networks.generator
        assert isinstance(painter, Painter)
        with torch.no_grad():
            places = painter.features(seen)
        form = networks.helpers(painter.features(torch.cat([other, seen[:, 3:]], 1)), places)
    else:
        theirs = material.perception(on_device(seen[:, :3], seen.device), STRUCTURE_TAPS)
        form = perceptual_content(material.perception(on_device(other, seen.device), STRUCTURE_TAPS), theirs, STRUCTURE_TAPS)
    return {"form": form, "steady": steadiness(other, moved, motion)}


def held_out(settings: Settings, material: ShotMaterial) -> Callable[[Painter], dict[str, float]]:
    """How far the painting is from the painted frames in squares that were never learnt from: L1, and 1 - SSIM."""
    found = [square for key in material.keys for square in _keeping(settings, material).squares(key)]
    kept = found[:: -(-len(found) // MOST_SQUARES)] if found else []

    def measure(painter: Painter) -> dict[str, float]:
        if not kept:
            return {}
        errors, unlike = [], []
        for square in kept:
            painted = painter(on_device(square.seen, material.device)).float()[:, :, square.inner[0], square.inner[1]]
            goal = square.goal.to(material.device)
            errors.append(float(pixels(painted, goal)))
            unlike.append(1 - float(ssim(painted, goal)))
        return {"pixels": float(np.mean(errors)), "structure": float(np.mean(unlike))}

    return measure
