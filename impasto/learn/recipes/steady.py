"""steady: a look and a shot -> the same look, holding still on that shot. Good for the one shot on which a look still flickers.

The student starts as the look's own network and sees pairs of neighbouring frames. Where the source can be followed from one to
the other, their paintings must agree, in strokes and in broad tones; and the synthetic motion, light and noise of `one_image` go
on. A frozen copy of the network says what the paint is: its features, its mix of textures, how much fine detail lies where, and,
lightly, its pixels; and a critic that sees both keeps the student from going soft, which would be the cheapest way to hold still.
`learn look.style --steady shot.mov -o look-shot.style --minutes 5`
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto.errors import InputError
from impasto.evaluate import where
from impasto.job import counted
from impasto.learn.contest import frozen, outcome, verdicts
from impasto.learn.material.data import Material, Pictures, random_motion, rng_at, to_tensor
from impasto.learn.material.neighbours import GRID_PX, SMALLEST_PX, Neighbours, Pair, pair_squares, read_neighbours
from impasto.learn.material.taught import unfit
from impasto.learn.painters import open_painter
from impasto.learn.paired import both_seen
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.losses import (
    Motion,
    frame_difference,
    gram_style,
    grey,
    hinge_generator,
    perceptual_content,
    pixels,
    steadiness,
    warp_consistency,
)
from impasto.media.flow import Plane
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic
from impasto.models.perception import TAPS, Perception
from impasto.styles.card import TierName

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob
    from impasto.styles.package import StyleFile

NEEDS_PHOTOS = False
EARLY_STOP, LOOK_EVERY = True, 40
SEARCH = {"flow": (5.0, 60.0), "steady": (2.0, 30.0), "features": (1.0, 10.0), "gram": (1.0, 20.0), "detail": (0.5, 8.0)}
MOTION = ("grid", "inside", "gain", "bias", "noise")
BROAD_PX = 9  # flicker of broad tones is seen through a window so wide
HELD_PX = (368, 640)  # of a kept frame, so much is painted to measure
LOST = 2.0  # how much a share of lost detail counts beside flicker


class Settings(BaseModel):
    """Sizes in pixels, weights of the terms."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    batch: int = Field(1, ge=1)  # more steps teach more than larger ones: the frames are much alike
    crop_px: int = Field(160, ge=SMALLEST_PX, le=1024, multiple_of=GRID_PX)
    rate: float = Field(1.0, gt=0, le=1)  # of the rate that looks are learnt at
    flow: float = Field(20.0, ge=0)  # neighbouring frames, along the source's flow
    change: float = Field(1.0, ge=0)  # neighbouring frames, without flow: no more change than the film's own
    steady: float = Field(9.0, ge=0)  # synthetic motion, light and noise
    features: float = Field(3.0, ge=0)  # with perception
    gram: float = Field(4.0, ge=0)  # with perception
    detail: float = Field(2.0, ge=0)
    pixels: float = Field(2.0, ge=0)
    outside: float = Field(1.0, ge=0)  # values that no screen can show
    adversary: float = Field(0.1, ge=0)
    critic_width: int = Field(16, ge=1, le=1024)


@dataclass
class Still(Material):
    """A look's networks as they were, and the frames that they are to hold still on."""

    teachers: dict[TierName, Painter] = field(default_factory=dict)
    neighbours: Neighbours = field(default_factory=lambda: Neighbours("", [], [], False))
    title: str = ""
    left: list[TierName] = field(default_factory=list)  # tiers of the look that are not steadied

    def teacher_of(self, painter: Painter) -> Painter:
        """The network that a student was made from: the one of its kind and size."""
        like = [each for each in self.teachers.values() if type(each) is type(painter) and each.settings == painter.settings]
        return like[0]


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Still:
    """The look's networks, and the shot."""
    from impasto.styles.package import StyleFile

    if job.steady is None:
        raise InputError("recipe steady: which shot is the look to hold still on? Say --steady SHOT")
    style, tiers = StyleFile.open(job.references[0]), job.tiers()
    for tier in tiers:
        check_look(style, tier)
    neighbours = read_neighbours(job.steady)
    teachers = {tier: on_device(open_painter(style, tier), device) for tier in tiers}
    left = [tier for tier in style.card.tiers if tier not in tiers]
    material = Still(Pictures([]), neighbours.frames, perception, job.seed, device, teachers=teachers, neighbours=neighbours)
    material.title, material.left = style.card.title or style.path.name, left
    return material


def check_look(style: StyleFile, tier: TierName) -> None:
    """Refuse what does not paint a plain frame in one look."""
    why = "draws a look anew for every code" if style.card.varies else unfit(style.card.tiers[tier])
    if why:
        raise InputError(f"{style.path}: its {tier} tier {why}; only a look of its own that paints plain frames can be steadied")


def generator(settings: Settings, material: Still, tier: TierName) -> Painter:
    """The look's own network, to go on from."""
    student = copy.deepcopy(material.teachers[tier]).requires_grad_(True).train()
    student.learning_rate = settings.rate * student.learning_rate
    return student


def check(material: Still) -> str:
    """Say in a line what is steadied on what."""
    shot = material.neighbours
    measured = f"{counted(len(shot.kept), 'pair')} of {'other frames' if shot.apart else 'the same frames (the shot is short)'}"
    file = f"; the file leaves out its {material.left[0]} tier, which is not steadied" if material.left else ""
    pairs = f"{counted(len(shot.learnt), 'pair')} of neighbouring frames of {shot.name}"
    return f"{material.title}, {' and '.join(material.teachers)}, on {pairs}, measured on {measured}{file}"


def networks(settings: Settings, material: Still, generator: Painter) -> Networks:
    """The student, and a critic that tells its paint from the look's."""
    return Networks(generator, on_device(PatchCritic(settings.critic_width, 2), material.device), nn.Module())


def batches(settings: Settings, material: Still) -> Callable[[int], Batch]:
    """step -> squares of neighbouring frames with the way between them, and a motion to hold still under."""
    smallest = min(min(pair.now.shape[:2]) for pair in material.neighbours.learnt)
    side = min(settings.crop_px, smallest // GRID_PX * GRID_PX)

    def at(step: int) -> Batch:
        rng = rng_at(material.seed, step, "steady")
        squares = pair_squares(material.neighbours.learnt, settings.batch, side, rng)
        batch = {"photo": squares.pop("now"), **squares, **random_motion(settings.batch, side, rng)}
        return {name: on_device(value, material.device) for name, value in batch.items()}

    return at


def step(settings: Settings, material: Still) -> StepFunction:
    """batch -> losses."""

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            return _losses(settings, material, networks, batch)

    return take


def _losses(settings: Settings, material: Still, networks: Networks, batch: Batch) -> Outcome:
    now, frames = batch["photo"], torch.cat([batch["photo"], batch["before"]])
    motion = Motion(**{name: batch[name] for name in MOTION})
    with torch.no_grad():
        goal = material.teacher_of(networks.generator)(frames).float()
    raw = networks.generator(frames).float()
    moved = networks.generator(on_device(motion.film(now), now.device)).float()
    painted = raw.clamp(0, 1)  # what no screen shows does not flicker
    (ours, previous), wanted = painted.chunk(2), goal.chunk(2)[0]
    losses = {
        "flow": _unrest(ours, previous, batch),
        "change": frame_difference((previous, ours), (batch["before"], now)),
        "steady": steadiness(ours, moved.clamp(0, 1), motion),
        "pixels": pixels(painted, goal),
        "detail": detail_apart(painted, goal),
        "outside": (raw - painted).abs().mean(),
        **_seen(material, ours, wanted),  # of one frame in two: what is dear is not asked twice
    }
    with frozen(networks.critic):
        losses["adversary"] = hinge_generator(networks.critic(ours))
    found = outcome(losses, settings.model_dump(), verdicts(networks.critic, wanted, ours), ours)
    found.reference = wanted
    return found


def _unrest(ours: Tensor, previous: Tensor, batch: Batch) -> Tensor:
    """How far two paintings disagree where the source can be followed: strokes, and thrice the broad tones."""
    broad = [F.avg_pool2d(x, BROAD_PX, 1, BROAD_PX // 2, count_include_pad=False) for x in (ours, previous)]
    fine = warp_consistency(ours, previous, batch["flow"], batch["seen"])
    return fine + 3 * warp_consistency(broad[0], broad[1], batch["flow"], batch["seen"])


def detail_apart(painted: Tensor, goal: Tensor) -> Tensor:
    """How much more or less fine detail there is than in the goal, place by place, as a share of the goal's."""
    ours, theirs = _detail(painted), _detail(goal)
    return (ours - theirs).abs().mean() / theirs.mean().clamp_min(1e-4)


def _detail(x: Tensor) -> Tensor:
    """Mean strength of the Laplacian around each place, whichever way its strokes lie."""
    shade = grey(x)
    ring = F.avg_pool2d(shade, 3, 1)  # [N,1,H-2,W-2]
    return F.avg_pool2d((shade[..., 1:-1, 1:-1] - ring).abs(), BROAD_PX, BROAD_PX // 2)


def _seen(material: Still, painted: Tensor, goal: Tensor) -> dict[str, Tensor]:
    """How far forms and textures are from the look's, as perception sees them."""
    if material.perception is None:
        return {}
    ours, theirs = both_seen(material.perception, painted, goal, TAPS)
    grams = {tap: features.gram() for tap, features in theirs.items()}
    return {"features": perceptual_content(ours, theirs, TAPS), "gram": gram_style(ours, grams)}


def held_out(settings: Settings, material: Still) -> Callable[[Painter], dict[str, float]]:
    """On frames never learnt from: unrest as a share of the look's own, plus what is lost of its paint; then each figure."""
    pairs = [pair.cut_to(*HELD_PX) for pair in material.neighbours.kept]
    pairs = [pair for pair in pairs if pair.step.followed.any()]
    pairs = pairs or [pair.cut_to(*pair.now.shape[:2]) for pair in material.neighbours.kept]  # what moves lies at the edges
    own: dict[int, tuple[list[Plane], dict[str, float]]] = {}  # by teacher: each has its paintings worked out once

    @torch.no_grad()
    def figures(painter: Painter) -> dict[str, float]:
        teacher = material.teacher_of(painter)
        if id(teacher) not in own:
            goal = _painted(teacher, pairs, material.device)
            own[id(teacher)] = goal, _measured(pairs, goal)
        goal, before = own[id(teacher)]
        painted = _painted(painter, pairs, material.device)
        now = _measured(pairs, painted)
        unrest = sum((now[name] + 1e-6) / (before[name] + 1e-6) for name in ("flicker", "warp")) / 2
        lost = max(0.0, 1 - now["detail"] / max(before["detail"], 1e-6))
        apart = float(np.mean([np.abs(ours - theirs).mean() for ours, theirs in zip(painted, goal, strict=True)]))
        return {"unrest": unrest + LOST * lost, **now, "apart": apart * 255}

    return figures


def _painted(painter: Painter, pairs: list[Pair], device: torch.device) -> list[Plane]:
    """Both frames of each pair, painted: before, now, before, now."""
    found = []
    for pair in pairs:
        painted = painter(on_device(to_tensor([pair.before, pair.now]), device)).float().clamp(0, 1)
        found += [np.ascontiguousarray(each) for each in painted.permute(0, 2, 3, 1).cpu().numpy()]
    return found


def _measured(pairs: list[Pair], painted: list[Plane]) -> dict[str, float]:
    """What impasto evaluate calls flicker and short warp error, and how strong fine detail is (in 1/255)."""
    rows = []
    for pair, before, now in zip(pairs, painted[::2], painted[1::2], strict=True):
        step = pair.step
        strength = float(np.abs(where.fine(now)).mean()) * 255
        maps = where.pumped(now, before, step), where.warped(now, before, step)
        rows.append([*(float(np.nanmean(each)) for each in maps), strength])
    flicker, warp, detail = (float(value) for value in np.mean(rows, axis=0))
    return {"flicker": flicker, "warp": warp, "detail": detail}
