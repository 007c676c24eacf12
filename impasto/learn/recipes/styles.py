"""styles: many looks -> one network, chosen by a code. Good for a library of looks that share a style file, blend and
extend: `learn paintings/*.jpg --recipe styles`, or a tree with a folder for each look.

Every look has a code that is learnt, and an encoder reads a code from any picture; in training each look is painted half by
the one and half by the other, and the two are pulled together, so that either works. Some codes are blends of two looks,
judged against blended statistics, so that the way from one look to another is paved. Some pictures are given other colours,
which only the encoder can know of: so it learns to read colours and not to recognise eight paintings.
The other terms are those of one_image, each look against its own statistics; the critic is told which look it judges.

A style file among the references is a look, too: what its network paints of a photograph is what is to be painted of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto import plugins
from impasto.engine.encode import LONG_SIDE_PX, as_encoders_see
from impasto.errors import InputError
from impasto.job import counted
from impasto.learn.contest import HINGE, eased_in, frozen, outcome, told
from impasto.learn.job import GENERATOR_OF
from impasto.learn.material import looks as looks_of
from impasto.learn.material.data import MOST_SIDE_PX, Picture, crop, left_out, random_crops, random_motion, rng_at, to_tensor
from impasto.learn.material.looks import Judge, Looks
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.losses import Motion, PatchNCE, gram_style, perceptual_content, steadiness
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic
from impasto.models.encoder import StyleEncoder
from impasto.models.perception import TAPS, Features, Perception

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

CONTENT_TAPS = ("relu3_1", "relu4_1")
TERMS = {"adversary", "outside", "gram", "nearest", "content", "steady", "patches", "nce", "pull", "copied"}
HELD_LOOKS = 8  # at most so many are judged on held-out photographs, every other one by the encoder too: it must not take long


class Settings(BaseModel):
    """Sizes in pixels, shares of the kinds of code, weights of the terms."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    code: int = Field(48, ge=1)
    batch: int = Field(2, ge=1)  # photographs per look and step
    looks: int = Field(2, ge=1)  # looks per step
    crop_px: int = Field(160, ge=128, multiple_of=4)  # below that the broadest critic sees nothing
    photo_side: int = Field(512, ge=96, le=MOST_SIDE_PX)
    style_side: int = Field(512, ge=96, le=MOST_SIDE_PX)  # larger: broader strokes
    sight_px: int = Field(160, ge=64, multiple_of=16)  # what the encoder sees of a reference, which is half of its size
    goal_px: int = Field(256, ge=64, multiple_of=16)  # what is taken for the whole of a recoloured reference
    encoded: float = Field(0.5, ge=0, le=1)  # share of codes that the encoder reads
    blended: float = Field(0.15, ge=0, le=1)
    recoloured: float = Field(0.15, ge=0, le=1)
    adversary: float = Field(1.0, ge=0)
    gram: float = Field(20.0, ge=0)
    nearest: float = Field(8.0, ge=0)
    content: float = Field(2.2, ge=0)
    steady: float = Field(18.0, ge=0)
    outside: float = Field(10.0, ge=0)
    pull: float = Field(1.0, ge=0)  # the encoder's code to the learnt one, and a little the other way
    copied: float = Field(12.0, ge=0)  # colour by colour, of looks that come as style files
    patches: float = Field(8.0, ge=0)  # without a teacher
    nce: float = Field(1.0, ge=0)  # without a teacher
    critic_width: int = Field(32, ge=1, le=1024)
    columns: int = Field(2048, ge=1)


class Space(nn.Module):
    """Where the looks lie: a learnt code for each, and the encoder that places any picture among them."""

    def __init__(self, looks: int, length: int) -> None:
        super().__init__()
        self.codes = nn.Parameter(torch.randn(looks, length))
        self.encoder = StyleEncoder(length)

    def read(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Codes [L,k] for the looks of a batch, and how far the encoder is from the learnt ones."""
        read, learnt = self.encoder(batch["seen"]), self.codes[batch["look"]]
        honest = 1 - batch["recoloured"][:, None]  # what was recoloured is no longer the look that has a code
        apart = (read - learnt.detach()).square() + 0.25 * (read.detach() - learnt).square()
        own = torch.where(batch["encoded"][:, None] > 0, read, learnt)
        return torch.lerp(own, self.codes[batch["other"]], batch["mix"][:, None]), (honest * apart).mean()


@dataclass
class Codes(Looks):
    """Looks, and, once the networks are made, the space that their codes lie in: one for all tiers."""

    space: Space | None = None


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Codes:
    """One look per picture or sub-folder."""
    return Codes(**vars(looks_of.gather_looks(job, settings, perception, device)))


def generator(settings: Settings, material: Codes, tier: str) -> Painter:
    """The tier's usual network, with a code."""
    room = plugins.load("generators", GENERATOR_OF[tier])
    painter: Painter = room.Generator(room.Settings(code=settings.code))
    return painter


def check(material: Codes) -> str:
    """Refuse what this recipe cannot learn from; say in a line what it sees."""
    names = material.looks
    if len(names) < 2:
        how = "give more pictures, or folders of them"
        raise InputError(f"recipe styles learns several looks at once, not {len(names)}{left_out(material.references)}: {how}")
    for look, name in enumerate(names):
        if max(float(picture.std((0, 1)).max()) for picture in material.pictures(look)) < 2:
            raise InputError(f"{name}: one flat colour; there is no look in it to learn")
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return f"{len(names)} looks ({shown}) on {counted(len(material.photos.images), 'photograph')}"


def networks(settings: Settings, material: Codes, generator: Painter) -> Networks:
    """A critic that is told the look; the space of codes learns with the first tier and is then fixed for the next."""
    critic = on_device(PatchCritic(settings.critic_width, labels=len(material.looks)), material.device)
    helpers = nn.ModuleDict()
    if material.space is None:
        material.space = Space(len(material.looks), settings.code).to(material.device)
        helpers["space"] = material.space
    if material.perception is None:
        helpers["nce"] = PatchNCE(generator).to(material.device)
    return Networks(generator, critic, helpers)


def batches(settings: Settings, material: Codes) -> Callable[[int], Batch]:
    """step -> some looks, how each one's code is come by, crops of its references, photographs to paint, and a motion."""

    def at(step: int) -> Batch:
        rng = rng_at(material.seed, step, "styles")
        count = settings.looks * settings.batch
        photo = random_crops(material.photos, count, settings.crop_px, rng, (0.7, 1.15))
        light = torch.from_numpy(rng.uniform(0.85, 1.15, (count, 1, 1, 1)).astype(np.float32))
        batch = {"photo": (photo * light).clamp(0, 1), **_drawn(settings, material, rng)}
        batch |= random_motion(count, settings.crop_px, rng)
        return {name: on_device(value, material.device) for name, value in batch.items()}

    return at


def _drawn(settings: Settings, material: Codes, rng: np.random.Generator) -> Batch:
    """The looks of a step. The first is always one that exists, so that the critic always has something to judge."""
    known = len(material.looks)
    order = rng.permutation(known)
    look = [int(order[i % known]) for i in range(settings.looks)]
    other = [int((i + rng.integers(1, known)) % known) for i in look]
    kind = rng.uniform(0, 1, settings.looks)
    kind[0] = 1.0
    share = 0.0 if settings.looks == 1 else settings.looks / (settings.looks - 1)  # the first is never of these kinds
    blended = kind < settings.blended * share
    recoloured = ~blended & (kind < (settings.blended + settings.recoloured) * share)
    encoded = (rng.uniform(0, 1, settings.looks) < settings.encoded) | recoloured
    sight = LONG_SIDE_PX / settings.style_side  # the encoder sees pictures as small as a render will show them to it
    style, seen, goals = [], [], []
    for i, new in zip(look, recoloured, strict=True):
        pictures = material.pictures(i)
        drawn = rng.integers(len(pictures), size=settings.batch + 1)
        style += [crop(pictures[j], settings.crop_px, rng, (0.9, 1.1)) for j in drawn[1:]]
        read = recolour(pictures[drawn[0]], rng) if new else pictures[drawn[0]]
        seen.append(crop(read, settings.sight_px, rng, (0.8 * sight, 1.5 * sight)))
        goals.append(crop(read, settings.goal_px, rng, (0.9, 1.1)))
    numbers = {"mix": np.where(blended, rng.uniform(0, 1, settings.looks), 0), "encoded": encoded, "recoloured": recoloured}
    return {
        "look": torch.tensor(look), "other": torch.tensor(other), "style": to_tensor(style), "seen": to_tensor(seen),
        "goal": to_tensor(goals),
        **{name: torch.from_numpy(value.astype(np.float32)) for name, value in numbers.items()},
    }  # fmt: skip


def recolour(picture: Picture, rng: np.random.Generator) -> Picture:
    """The picture in other colours: turned around the grey axis, stronger or weaker, one time in five dark for light."""
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.4)
    grey = np.full((3, 3), 1 / 3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = grey + strength * (np.cos(angle) * (np.eye(3) - grey) + np.sin(angle) * cross)
    turn *= rng.uniform(0.75, 1.2) * (-1 if rng.random() < 0.2 else 1)
    mixed = (picture.astype(np.float32) - 127.5) @ turn.T.astype(np.float32) + 127.5 + rng.uniform(-15, 15)
    return np.asarray(mixed.clip(0, 255), np.uint8)


def step(settings: Settings, material: Codes) -> StepFunction:
    """batch -> losses, with everything about the looks worked out once."""
    judge = material.judge(settings.style_side)

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            return _losses(settings, material, judge, networks, batch, progress)

    return take


def _losses(
    settings: Settings, material: Codes, judge: Judge, networks: Networks, batch: Batch, progress: float
) -> Outcome:  # fmt: skip
    photo, code, apart = batch["photo"], *_codes(material, networks, batch)
    each = code.repeat_interleave(settings.batch, 0)  # [L*batch,k]
    motion = Motion(batch["grid"], batch["inside"], batch["gain"], batch["bias"], batch["noise"])
    painted = networks.generator(photo, each).float()
    painted_next = networks.generator(on_device(motion.film(photo), photo.device), each).float()

    existing = ((batch["mix"] + batch["recoloured"]) == 0).repeat_interleave(settings.batch)
    labels = batch["look"].repeat_interleave(settings.batch)[existing]
    with frozen(networks.critic):
        losses = {
            "adversary": HINGE.generator(networks.critic(painted[existing], labels)),
            "steady": steadiness(painted, painted_next, motion),
            "outside": (painted - painted.clamp(0, 1)).abs().mean(),
            "pull": apart,
        }
    target, copied = _target(settings, material, batch)
    losses["copied"] = ((painted - target).abs().mean((1, 2, 3)) * copied).mean()
    terms = _unseen if judge.perception is None else _seen
    losses |= terms(settings, judge, networks, {**batch, "target": target, "copied": copied}, painted)
    real = networks.critic(batch["style"][existing], labels)
    fake = networks.critic(painted.detach()[existing], labels)
    return outcome(losses, eased_in(settings, TERMS, progress), told(HINGE.critic(real, fake), real, fake), painted)


def _codes(material: Codes, networks: Networks, batch: Batch) -> tuple[Tensor, Tensor]:
    """The codes to paint with, and how far apart the two ways to them are. A space that has been learnt stays as it is."""
    assert material.space is not None
    assert isinstance(networks.helpers, nn.ModuleDict)
    with torch.set_grad_enabled("space" in networks.helpers):
        code, apart = material.space.read(batch)
    return code, apart


@torch.no_grad()
def _target(settings: Settings, material: Codes, batch: Batch) -> tuple[Tensor, Tensor]:
    """What each painting should hold to: the photograph, or, where a look comes with a network, what that paints of it; and
    1 for each [N] of the latter. A blend and a look in other colours are nobody's."""
    target, copied = batch["photo"].clone(), torch.zeros(len(batch["photo"]), device=batch["photo"].device)
    for i, look in enumerate(batch["look"].tolist()):
        taught = material.taught.get(look)
        if taught and batch["mix"][i] + batch["recoloured"][i] == 0:
            which = slice(i * settings.batch, (i + 1) * settings.batch)
            target[which] = taught.painter(batch["photo"][which]).to(target.dtype)
            copied[which] = 1
    return target, copied


def _seen(settings: Settings, judge: Judge, networks: Networks, batch: Batch, painted: Tensor) -> dict[str, Tensor]:
    """Style and content as a teacher sees them, look by look."""
    ours = judge.see(on_device(painted, painted.device))
    content_taps = [tap for tap in CONTENT_TAPS if tap in ours]
    with torch.no_grad():
        theirs = judge.see(on_device(batch["target"], painted.device), TAPS if batch["copied"].any() else content_taps)
    grams, textures = [], []
    for i in range(settings.looks):
        which = slice(i * settings.batch, (i + 1) * settings.batch)
        taps = looks_of.part(ours, which)
        goal, near = _goal_of(looks_of.part(theirs, which)) if batch["copied"][which].any() else _goal(judge, batch, i)
        distance = gram_style(taps, goal)
        grams.append(distance / distance.detach().clamp_min(1))  # a look far darker than the photograph would drown the others
        textures.append(looks_of.texture(taps, near, settings.columns))
    return {
        "gram": torch.stack(grams).mean(),
        "nearest": torch.stack(textures).mean(),
        "content": perceptual_content(ours, theirs, content_taps),
    }


def _goal_of(target: dict[str, Features]) -> tuple[looks_of.Statistics, Tensor]:
    """What a painting should come to where the painting itself is known."""
    return looks_of.statistics(target), looks_of.bank(target, looks_of.BANK_ROWS)


@torch.no_grad()
def _goal(judge: Judge, batch: Batch, i: int) -> tuple[looks_of.Statistics, Tensor]:
    """What the i-th look of a step should come to: its statistics, its textures; of a blend, what lies between, and both."""
    if batch["recoloured"][i] > 0:
        taps: dict[str, Features] = judge.see(batch["goal"][i : i + 1])
        return looks_of.statistics(taps), looks_of.bank(taps, looks_of.BANK_ROWS)
    look, other, mix = int(batch["look"][i]), int(batch["other"][i]), float(batch["mix"][i])
    if mix == 0:
        return judge.grams[look], judge.banks[look]
    between = {tap: torch.lerp(gram, judge.grams[other][tap], mix) for tap, gram in judge.grams[look].items()}
    return between, torch.cat([judge.banks[look], judge.banks[other]])


def _unseen(settings: Settings, judge: Judge, networks: Networks, batch: Batch, painted: Tensor) -> dict[str, Tensor]:
    """Style as raw patches, content as the generator's own features; only looks that exist have patches to compare."""
    assert isinstance(networks.helpers, nn.ModuleDict)
    distances = []
    for i in range(settings.looks):
        if batch["mix"][i] + batch["recoloured"][i] == 0:
            which = slice(i * settings.batch, (i + 1) * settings.batch)
            distances.append(looks_of.raw_distance(painted[which], batch["style"][which]))
    features = networks.generator.features
    with torch.no_grad():
        keys = features(batch["photo"])
    return {"patches": torch.stack(distances).mean(), "nce": networks.helpers["nce"](features(painted), keys)}


def held_out(settings: Settings, material: Codes) -> Callable[[Painter], dict[str, float]]:
    """Style distance on photographs that were never learnt from, by the learnt codes and by the encoder's."""
    judge = material.judge(settings.style_side)
    chosen = sorted({i * len(material.looks) // HELD_LOOKS for i in range(HELD_LOOKS)})
    photos = on_device(looks_of.middles(material.held.images), material.device)

    @torch.no_grad()
    def judged(painter: Painter) -> dict[str, float]:
        assert material.space is not None
        learnt, read = [], []
        for place, look in enumerate(chosen):
            picture = material.pictures(look)[0]
            reference = on_device(looks_of.middles([picture]), material.device)
            codes = [material.space.codes[look]] + ([code_of(material.space.encoder, picture)] if place % 2 == 0 else [])
            painted = painter(photos[place % len(photos)].expand(len(codes), -1, -1, -1), torch.stack(codes)).clamp(0, 1)
            distances = [judge.distance(one[None], look, reference) for one in painted]
            learnt.append(distances[0])
            read += distances[1:]
        return {"style": sum(learnt) / len(learnt), "style_by_encoder": sum(read) / len(read)}

    return judged


@torch.no_grad()
def code_of(encoder: nn.Module, picture: Picture) -> Tensor:
    """The code [k] that an encoder reads from a whole picture, as a render would."""
    device = next(encoder.parameters()).device
    code: Tensor = encoder(on_device(torch.from_numpy(as_encoders_see(picture)), device))[0]
    return code


def show(settings: Settings, material: Codes) -> Callable[[Painter], dict[str, Tensor]]:
    """Held-out photographs, and below them each look's painting of them."""
    photos = on_device(looks_of.middles(material.held.images), material.device)
    chosen = sorted({i * len(material.looks) // HELD_LOOKS for i in range(HELD_LOOKS)})

    @torch.no_grad()
    def shown(painter: Painter) -> dict[str, Tensor]:
        assert material.space is not None
        codes = material.space.codes
        painted = {material.looks[i]: painter(photos, codes[i].expand(len(photos), -1)).clamp(0, 1) for i in chosen}
        return {"photograph": photos, **painted}

    return shown


def describe_codes(average: Painter, material: Codes) -> dict[str, list[float]]:
    """Each look's code by its name. Whoever names no look gets the first."""
    assert material.space is not None
    codes = material.space.codes.detach().float().cpu()
    average.get_buffer("code").copy_(codes[0])
    return {name: [float(value) for value in code] for name, code in zip(material.looks, codes, strict=True)}


def encoder(helpers: nn.Module, material: Codes) -> nn.Module | None:
    """The network that reads a code from any picture."""
    return material.space.encoder if material.space is not None else None
