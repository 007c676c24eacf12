"""distil: a look -> the same look in a smaller network. Good for a `full` look that must run live, and for slimmer networks.

The teacher is the look's finest tier, of a `mini` the live one. The student paints the same photographs and is held to the
teacher's paintings: pixel by pixel, as perception sees them, and by a critic that sees painting and photograph together. It
starts from the channels of the look's own networks that matter most, where one of its kind is there. Codes of a look with many
are taught along. `learn --distil big.style --to swift -o small.style`; `--set width=32 --set blocks=6` make it slimmer still, and
`--tier mini` is the slimmest: half as deep, and thinking about a picture of half the size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto import plugins
from impasto.errors import InputError
from impasto.job import counted
from impasto.learn.contest import frozen, outcome, told
from impasto.learn.material.data import MOST_SIDE_PX, Material, Pictures, gather_photos, random_crops, rng_at
from impasto.learn.painters import open_painter
from impasto.learn.paired import both_seen, set_apart
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.losses import adversarial, feature_matching, perceptual_content
from impasto.losses import pixels as pixels_apart
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic
from impasto.models.perception import TAPS, Perception
from impasto.models.prune import inherit
from impasto.styles.card import Tier, TierName

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob
    from impasto.styles.package import StyleFile

SEARCH = {"pixels": (4.0, 30.0), "features": (0.5, 6.0), "adversary": (0.02, 1.0), "matching": (0.2, 5.0)}
ZOOM = (0.7, 1.15)
MEASURED = 8
FINEST_FIRST: tuple[TierName, ...] = ("full", "live", "mini")
LIVE_FIRST: tuple[TierName, ...] = ("live", "full", "mini")  # a mini stands in for the live tier, so it is to look like that
SIZES = ("width", "blocks", "head")
MINI = {"width": 32, "blocks": 4, "inner": 2}


class Settings(BaseModel):
    """The student's sizes (0: the usual ones), and the weights of the terms."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    width: int = Field(0, ge=0, le=1024)
    blocks: int = Field(0, ge=0, le=64)
    head: int = Field(0, ge=0, le=1024)
    batch: int = Field(4, ge=1)
    crop_px: int = Field(160, ge=128, multiple_of=4)  # below that the broadest critic sees nothing
    photo_side: int = Field(640, ge=160, le=MOST_SIDE_PX)
    pixels: float = Field(12.0, ge=0)
    features: float = Field(2.0, ge=0)  # with perception
    adversary: float = Field(0.15, ge=0)
    matching: float = Field(1.0, ge=0)  # of what the critic sees
    critic_width: int = Field(24, ge=1, le=1024)


@dataclass
class Lesson(Material):
    """Photographs to paint, the look's networks (the teacher first), and what its codes are."""

    painters: list[Painter] = field(default_factory=list)
    kept: Pictures = field(default_factory=lambda: Pictures([]))  # photographs that are never learnt from
    title: str = ""
    told: str = ""
    to: str = "swift"
    beside: list[TierName] = field(default_factory=list)  # the look's tiers whose place the student does not take
    codes: dict[str, list[float]] = field(default_factory=dict)
    varies: bool = False

    @property
    def teacher(self) -> Painter:
        """The look's finest network."""
        return self.painters[0]

    @property
    def code(self) -> int:
        """How long the student's code is."""
        return getattr(self.teacher.settings, "code", 0) if self.codes or self.varies else 0

    def draw(self, count: int, rng: np.random.Generator) -> Tensor | None:
        """Codes [count,k]: each look, and blends of two of them; or variations; None where there is one look only."""
        if not self.code:
            return None
        if not self.codes:
            return torch.from_numpy(rng.normal(size=(count, self.code)).astype(np.float32))
        named = np.asarray(list(self.codes.values()), np.float32)
        one, other = named[rng.integers(len(named), size=count)], named[rng.integers(len(named), size=count)]
        share = np.where(rng.random((count, 1)) < 0.5, 1.0, rng.random((count, 1)))
        return torch.from_numpy((share * one + (1 - share) * other).astype(np.float32))


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Lesson:
    """The look's networks, and photographs of which some are kept aside."""
    from impasto.styles.package import StyleFile

    if job.distil is None:
        raise InputError("recipe distil: which look is to be distilled? Say --distil LOOK.style")
    if job.references:
        raise InputError(f"{job.references[0]}: a distilled look learns from {job.distil} alone; leave references out")
    style = StyleFile.open(job.distil)
    wanted = LIVE_FIRST if job.tiers() == ["mini"] else FINEST_FIRST
    names = [name for name in wanted if name in style.card.tiers]
    tiers = [style.card.tiers[name] for name in names]
    check_teacher(style, tiers[0])
    painters = [on_device(open_painter(style, name), device) for name in names]
    learnt, kept = set_apart(photos := gather_photos(job.places(), settings.photo_side))
    learnt.refused = photos.refused
    told = f"the {names[0]} tier ({tiers[0].generator})"
    lesson = Lesson(Pictures([]), learnt, perception, job.seed, device, painters=painters, kept=kept)
    lesson.title, lesson.told, lesson.to = style.path.name, told, job.to
    lesson.beside = [name for name in names if name not in job.tiers() and _same_looks(style, name, names[0])]
    lesson.codes, lesson.varies = dict(tiers[0].codes), style.card.varies
    return lesson


def _same_looks(style: StyleFile, one: TierName, other: TierName) -> bool:
    """Whether two tiers know the same looks by name, so that they may stand in one file."""
    return set(style.card.tiers[one].codes) == set(style.card.tiers[other].codes)


def check_teacher(style: StyleFile, tier: Tier) -> None:
    """Refuse what paints no pictures of the size and kind that photographs are."""
    if tier.noise:
        raise InputError(f"{style.path}: draws pictures from noise and paints none; only a look that paints can be distilled")
    if tier.scale != 1:
        raise InputError(
            f"{style.path}: makes pictures {tier.scale} times larger; only a look that keeps their size can be distilled"
        )
    if tier.guides:
        raise InputError(
            f"{style.path}: takes guide layers ({', '.join(tier.guides)}), which photographs have not: it cannot be distilled"
        )


def generator(settings: Settings, material: Lesson, tier: str) -> Painter:
    """The student, with the most important channels of the look's own networks where one is of its kind and no smaller."""
    room: Any = plugins.load("generators", material.to)
    sizes = MINI if tier == "mini" else {}
    sizes = sizes | {name: getattr(settings, name) for name in SIZES if getattr(settings, name)}
    strange = [name for name in [*sizes, "code"] if name not in room.Settings.model_fields]
    if strange:
        raise InputError(f"--to {material.to}: a {material.to} has no {strange[0]}; choose swift or brush")
    student: Painter = room.Generator(room.Settings(**sizes, code=material.code))
    for painter in sorted(material.painters, key=_weights):  # the smallest that is no smaller is the nearest
        if inherit(student, painter):
            break
    if material.code:
        with torch.no_grad():
            student.get_buffer("code").copy_(material.teacher.get_buffer("code"))
    return student


def _weights(painter: Painter) -> int:
    return sum(weight.numel() for weight in painter.parameters())


def check(material: Lesson) -> str:
    """Say in a line what is distilled into what."""
    held = f"{len(material.codes)} looks of " if material.codes else "every variation of " if material.varies else ""
    file = f"keeps its {' and '.join(material.beside)} tier" if material.beside else "holds the student alone"
    photos = f"{counted(len(material.photos.images), 'photograph')} ({len(material.kept.images)} to measure with)"
    return f"{held}{material.told} of {material.title} into a {material.to}, on {photos}; the file {file}"


def networks(settings: Settings, material: Lesson, generator: Painter) -> Networks:
    """The student, and a critic that sees photograph and painting together."""
    return Networks(generator, on_device(PatchCritic(settings.critic_width, channels=6), material.device), nn.Module())


def batches(settings: Settings, material: Lesson) -> Callable[[int], Batch]:
    """step -> crops of photographs in changing light, and codes where the look has several."""

    def at(step: int) -> Batch:
        rng = rng_at(material.seed, step, "distil")
        photo = random_crops(material.photos, settings.batch, settings.crop_px, rng, ZOOM)
        light = torch.from_numpy(rng.uniform(0.8, 1.2, (settings.batch, 1, 1, 1)).astype(np.float32))
        batch = {"photo": (photo * light).clamp(0, 1)}
        code = material.draw(settings.batch, rng)
        batch |= {} if code is None else {"code": code}
        return {name: on_device(value, material.device) for name, value in batch.items()}

    return at


def step(settings: Settings, material: Lesson) -> StepFunction:
    """batch -> losses."""
    family = adversarial("hinge")

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        photo, code = batch["photo"], batch.get("code")
        with material.autocast():
            with torch.no_grad():
                goal = material.teacher(photo, code).float()
            painted = networks.generator(photo, code).float()
            ours, theirs = torch.cat([photo, painted], 1), torch.cat([photo, goal], 1)
            losses = {"pixels": pixels_apart(painted, goal)} | _seen(material, painted, goal)
            with frozen(networks.critic):
                losses["adversary"] = family.generator(networks.critic(ours))
                losses["matching"] = _matched(networks.critic, ours, theirs)
            real, fake = networks.critic(theirs), networks.critic(ours.detach())
            critic = told(family.critic(real, fake), real, fake, family)
        return outcome(losses, settings.model_dump(), critic, painted)

    return take


def _matched(critic: nn.Module, ours: Tensor, theirs: Tensor) -> Tensor:
    """How far the two paintings are apart as the critic sees them."""
    with torch.no_grad():
        goal = critic.features(theirs)  # type: ignore[operator]  # every critic has them
    return feature_matching(critic.features(ours), goal)  # type: ignore[operator]


def _seen(material: Lesson, painted: Tensor, goal: Tensor) -> dict[str, Tensor]:
    """How far the two paintings are apart as perception sees them."""
    if material.perception is None:
        return {}
    return {"features": perceptual_content(*both_seen(material.perception, painted, goal, TAPS), TAPS)}


def held_out(settings: Settings, material: Lesson) -> Callable[[Painter], dict[str, float]]:
    """How far the student's paintings are from the teacher's on photographs that were never learnt from, in 1/255."""
    rng = rng_at(material.seed, 0, "held out")
    photo = on_device(random_crops(material.kept, MEASURED, settings.crop_px, rng, (0.8, 1.0)), material.device)
    code = material.draw(MEASURED, rng)
    code = None if code is None else code.to(material.device)
    with torch.no_grad():
        goal = material.teacher(photo, code)

    @torch.no_grad()
    def figures(painter: Painter) -> dict[str, float]:
        apart = painter(photo, code).float().clamp(0, 1) - goal
        return {"difference": float(apart.abs().mean()) * 255, "rms": float(apart.square().mean()) ** 0.5 * 255}

    return figures


def describe_codes(average: Painter, material: Lesson) -> dict[str, list[float]]:
    """The teacher's looks: the student was taught the same codes."""
    return material.codes
