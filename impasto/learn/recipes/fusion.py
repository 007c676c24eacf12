"""fusion: one look -> as many variations as you like. Good where a shot should be offered in several hands: another seed, another
variation of the same look, and each holds still over a clip, for its code is drawn once.

A code drawn from a unit normal is fused with what the network sees of the picture (a gain and a shift per channel). Left alone, a
network ignores such a code, for one good answer pleases every other term. So two things keep it alive: a reader must be able to
tell the code from the painting, and two codes must paint visibly different pictures, in proportion to how different they
are. The critic and the statistics see to it that every variation is still the look.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto import plugins
from impasto.errors import InputError
from impasto.job import counted
from impasto.learn.contest import eased_in, frozen, outcome, verdicts
from impasto.learn.job import GENERATOR_OF
from impasto.learn.material import looks as looks_of
from impasto.learn.material.data import MOST_SIDE_PX, random_crops, random_motion, rng_at
from impasto.learn.material.looks import Judge, Looks
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.losses import Motion, PatchNCE, gram_style, hinge_generator, perceptual_content, steadiness
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic
from impasto.models.encoder import StyleEncoder
from impasto.models.perception import Perception

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

VARIES = True  # any code is a variation of the look
CONTENT_TAPS = ("relu3_1", "relu4_1")
TERMS = {"adversary", "outside", "gram", "nearest", "content", "steady", "patches", "nce", "read", "diverse"}
PAIR = 2  # variations of each photograph per step
PLAIN = 0.1  # share of the codes that are zeros: what a render without a seed shows
FIRST_SPREAD = 0.02  # of the code's weights: from nought, two codes paint one picture, and no term says which way to part
SEEN_PX = 4  # differences are judged on averages of so many pixels: grain does not count, nor does a hidden message
HELD_CODES = 4


class Settings(BaseModel):
    """Sizes in pixels, length of the code, how different variations must be, weights of the terms."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    code: int = Field(8, ge=1)
    floor: float = Field(0.06, ge=0)  # mean difference of two variations, where black to white is 1
    batch: int = Field(2, ge=1)  # photographs per step, each painted twice
    crop_px: int = Field(160, ge=128, multiple_of=4)  # below that the broadest critic sees nothing
    photo_side: int = Field(512, ge=96, le=MOST_SIDE_PX)
    style_side: int = Field(512, ge=96, le=MOST_SIDE_PX)  # larger: broader strokes
    adversary: float = Field(1.5, ge=0)
    gram: float = Field(12.0, ge=0)
    nearest: float = Field(4.0, ge=0)
    content: float = Field(3.0, ge=0)
    steady: float = Field(18.0, ge=0)
    outside: float = Field(10.0, ge=0)
    read: float = Field(0.5, ge=0)
    diverse: float = Field(3.0, ge=0)
    patches: float = Field(8.0, ge=0)  # without a teacher
    nce: float = Field(1.0, ge=0)  # without a teacher
    critic_width: int = Field(32, ge=1, le=1024)
    columns: int = Field(2048, ge=1)


SEARCH = {"floor": (0.03, 0.12), "gram": (4.0, 30.0), "diverse": (1.0, 10.0)}


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Looks:
    """One painting, or several that are one look."""
    return looks_of.gather_one_look(job, settings, perception, device)


def generator(settings: Settings, material: Looks, tier: str) -> Painter:
    """The tier's usual network, with a code that has a little effect from the start."""
    room = plugins.load("generators", GENERATOR_OF[tier])
    painter: Painter = room.Generator(room.Settings(code=settings.code))
    nn.init.normal_(painter.get_parameter("film.weight"), std=FIRST_SPREAD)
    return painter


def check(material: Looks) -> str:
    """Refuse what this recipe cannot learn from; say in a line what it sees."""
    paintings = material.references.images
    if not paintings or max(float(picture.std((0, 1)).max()) for picture in paintings) < 2:
        raise InputError(f"{', '.join(material.references.names[:2])}: one flat colour; there is no look in it to learn")
    count = f"{len(paintings)} paintings" if len(paintings) > 1 else f"one painting, {material.references.names[0]},"
    return f"{count} on {counted(len(material.photos.images), 'photograph')}, in variations"


def networks(settings: Settings, material: Looks, generator: Painter) -> Networks:
    """The critic, the reader of codes, and, without a teacher, what PatchNCE compares."""
    helpers = nn.ModuleDict({"reader": StyleEncoder(settings.code, width=16, bounded=False)})
    if material.perception is None:
        helpers["nce"] = PatchNCE(generator)
    return Networks(generator, on_device(PatchCritic(settings.critic_width), material.device), helpers.to(material.device))


def batches(settings: Settings, material: Looks) -> Callable[[int], Batch]:
    """step -> photographs, each twice with two codes, crops of the paintings, and a motion to hold still under."""

    def at(step: int) -> Batch:
        rng = rng_at(material.seed, step, "fusion")
        count = PAIR * settings.batch
        photo = random_crops(material.photos, settings.batch, settings.crop_px, rng, (0.7, 1.15))
        light = torch.from_numpy(rng.uniform(0.85, 1.15, (settings.batch, 1, 1, 1)).astype(np.float32))
        style = random_crops(material.references, count, settings.crop_px, rng, (0.9, 1.1))
        code = rng.normal(0, 1, (count, settings.code)) * (rng.uniform(0, 1, (count, 1)) >= PLAIN)
        batch = {
            "photo": (photo * light).clamp(0, 1).repeat_interleave(PAIR, 0),
            "style": style,
            "code": torch.from_numpy(code.astype(np.float32)),
            **random_motion(count, settings.crop_px, rng),
        }
        return {name: on_device(value, material.device) for name, value in batch.items()}

    return at


def step(settings: Settings, material: Looks) -> StepFunction:
    """batch -> losses, with everything about the look worked out once."""
    judge = material.judge(settings.style_side)

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            return _losses(settings, judge, networks, batch, progress)

    return take


def _losses(settings: Settings, judge: Judge, networks: Networks, batch: Batch, progress: float) -> Outcome:
    photo, code = batch["photo"], batch["code"]
    motion = Motion(batch["grid"], batch["inside"], batch["gain"], batch["bias"], batch["noise"])
    painted = networks.generator(photo, code).float()
    painted_next = networks.generator(on_device(motion.film(photo), photo.device), code).float()
    assert isinstance(networks.helpers, nn.ModuleDict)
    visible = F.avg_pool2d(painted, SEEN_PX)
    with frozen(networks.critic):
        losses = {
            "adversary": hinge_generator(networks.critic(painted)),
            "steady": steadiness(painted, painted_next, motion),
            "outside": (painted - painted.clamp(0, 1)).abs().mean(),
            "read": (networks.helpers["reader"](visible).float() - code).square().mean(),
            "diverse": alike(visible, code, settings.floor),
        }
    terms = _untaught if judge.perception is None else _taught
    losses |= terms(settings, judge, networks, batch, painted)
    return outcome(losses, eased_in(settings, TERMS, progress), verdicts(networks.critic, batch["style"], painted), painted)


def alike(painted: Tensor, code: Tensor, floor: float) -> Tensor:
    """How far pairs of variations [2N,3,h,w] fall short of the floor, in shares of it; near codes may paint nearly alike."""
    apart = (painted[0::PAIR] - painted[1::PAIR]).abs().mean((1, 2, 3))
    usual = (2 * code.shape[1]) ** 0.5  # the distance of two codes of a unit normal
    wanted = floor * (code[0::PAIR] - code[1::PAIR]).norm(dim=1) / usual
    return F.relu(1 - apart / wanted.clamp_min(1e-6)).mean() if floor else apart.sum() * 0


def _taught(settings: Settings, judge: Judge, networks: Networks, batch: Batch, painted: Tensor) -> dict[str, Tensor]:
    """Style and content as a teacher sees them."""
    ours = judge.see(on_device(painted, painted.device))
    content_taps = [tap for tap in CONTENT_TAPS if tap in ours]
    with torch.no_grad():
        theirs = judge.see(batch["photo"], content_taps)
    return {
        "gram": gram_style(ours, judge.grams[0]),
        "nearest": looks_of.texture(ours, judge.banks[0], settings.columns),
        "content": perceptual_content(ours, theirs, content_taps),
    }


def _untaught(settings: Settings, judge: Judge, networks: Networks, batch: Batch, painted: Tensor) -> dict[str, Tensor]:
    """Style as raw patches, content as the generator's own features: no network from elsewhere."""
    features = networks.generator.features
    assert isinstance(networks.helpers, nn.ModuleDict)
    with torch.no_grad():
        keys = features(batch["photo"])
    distance = looks_of.raw_distance(painted, batch["style"])
    return {"patches": distance, "nce": networks.helpers["nce"](features(painted), keys)}


def held_out(settings: Settings, material: Looks) -> Callable[[Painter], dict[str, float]]:
    """On photographs that were never learnt from: the style distance with what diversity lacks, each alone, and how alike."""
    judge = material.judge(settings.style_side)
    photos = on_device(looks_of.middles(material.held.images[:2]), material.device)
    reference = on_device(looks_of.middles(material.references.images[:1]), material.device).expand(HELD_CODES, -1, -1, -1)
    drawn = rng_at(material.seed, 0, "fusion held out").normal(0, 1, (HELD_CODES, settings.code)).astype(np.float32)
    codes = torch.from_numpy(drawn).to(material.device)

    @torch.no_grad()
    def judged(painter: Painter) -> dict[str, float]:
        styles, apart = [], []
        for photo in photos[:, None]:
            painted = painter(photo.expand(HELD_CODES, -1, -1, -1), codes).clamp(0, 1)
            styles.append(judge.distance(painted, 0, reference))
            apart.append(diversity(painted))
        style, diverse = sum(styles) / len(styles), sum(apart) / len(apart)
        lacking = max(0.0, 1 - diverse / settings.floor) if settings.floor else 0.0
        return {"style_and_lack": style + lacking, "style": style, "sameness": -diverse}

    return judged


def show(settings: Settings, material: Looks) -> Callable[[Painter], dict[str, Tensor]]:
    """Held-out photographs, and below them three variations of the look."""
    photos = on_device(looks_of.middles(material.held.images), material.device)
    drawn = rng_at(material.seed, 0, "fusion held out").normal(0, 1, (3, settings.code)).astype(np.float32)
    codes = torch.from_numpy(drawn).to(material.device)

    @torch.no_grad()
    def shown(painter: Painter) -> dict[str, Tensor]:
        painted = {
            f"variation {i + 1}": painter(photos, code.expand(len(photos), -1)).clamp(0, 1) for i, code in enumerate(codes)
        }
        return {"photograph": photos, **painted}

    return shown


def diversity(variations: Tensor) -> float:
    """Mean difference of variations [V,3,H,W] of one picture, pair by pair, on averages of a few pixels."""
    visible = F.avg_pool2d(variations.float(), SEEN_PX)
    pairs = [float((one - other).abs().mean()) for one, other in combinations(visible, 2)]
    return sum(pairs) / len(pairs)
