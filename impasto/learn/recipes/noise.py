"""noise: a folder of pictures (or CIFAR-10's binary archive) -> new pictures out of noise. Textures, characters, scenes.

The generator is a dreamer: `dcgan`, or `mapped` with its mapping network. It is judged by whole pictures: by a critic on pixels,
held flat at true pictures (R1, every few steps), and, if asked for, by small critics on a teacher's features; those bring the
teacher's statistics soon and true colours late, so they are not the usual choice. Small sets are stretched by changing true and
dreamt pictures alike before they are judged. One picture in ten is held out; how near fresh dreams are to those is what decides.
`impasto generate look.style -o out/` makes pictures from what was learnt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor

from impasto import plugins
from impasto.errors import InputError
from impasto.evaluate.metrics import features_of, fid, kid, precision_recall, standardise
from impasto.learn.contest import frozen, outcome, told
from impasto.learn.material import data
from impasto.learn.material.augment import augmented
from impasto.learn.material.cifar import is_cifar, read_cifar
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.losses import adversarial, gradient_penalty, noise_gradient, r1
from impasto.models.dreamer import Dreamer, is_power_of_two
from impasto.models.judges import Bench, FeatureJudge, PixelJudge, tap_values
from impasto.models.perception import Perception
from impasto.styles.card import TierName

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

NEEDS_PHOTOS = False
FEWEST = 8
SMALL_SET = 5000  # with fewer pictures than this a critic learns them by heart
HELD_SHARE, HELD_LEAST, HELD_MOST = 0.1, 8, 256
FEWEST_TO_HOLD = 40  # with fewer, none is held out
JUDGED_TAPS = ("relu2_1", "relu3_1", "relu4_1")
DREAMS_MEASURED, DREAMS_AT_ONCE = 256, 64
DREAMS_IN_ROW, LEAST_SHOWN_PX = 6, 128  # of a contact sheet
LOOK_EVERY = 250  # steps between measurements: 256 dreams each
WIDTH_OF: dict[TierName, int] = {"live": 16, "full": 24}
SEARCH = {"r1": (0.005, 2.0), "batch": (8, 32)}


class Settings(BaseModel):
    """Which network, how large its pictures are, who judges them, and the weights of the penalties."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    network: Literal["mapped", "dcgan"] = "mapped"
    size: int = Field(64, ge=16, le=256)
    noise: int = Field(64, ge=2, le=1024)
    width: int = Field(0, ge=0, le=1024)  # channels at full size; 0: by tier
    widest: int = Field(128, ge=1, le=1024)
    batch: int = Field(16, ge=2)
    crops: Literal["centre", "random"] = "centre"  # random: any square, for textures
    style_side: int = Field(256, ge=16, le=data.MOST_SIDE_PX)  # for random crops: the pictures' long side
    mirror: bool = True
    only: str = ""  # labels of CIFAR-10, e.g. horse or cat,dog
    family: Literal["bce", "hinge", "lsgan", "wgan", "relativistic"] = "bce"
    judges: Literal["pixels", "features", "both"] = "pixels"  # features: of the teacher
    augment: Literal["auto", "on", "off"] = "auto"  # auto: for small sets
    adversary: float = Field(1.0, ge=0)
    outside: float = Field(1.0, ge=0)  # values that no screen can show
    r1: float = Field(0.05, ge=0)  # at 1, faces of 32 px all came out in one layout
    r1_every: int = Field(16, ge=1)
    rise: float = Field(10.0, ge=0)  # family wgan: gradient penalty, in place of r1
    slope: float = Field(0.0, ge=0)  # on the gradient to the noise: smoother walks
    spread: bool = True  # the critic sees how much pictures differ among each other
    critic_width: int = Field(16, ge=1, le=1024)

    @field_validator("size")
    @classmethod
    def _is_reached_by_doubling(cls, size: int) -> int:
        if not is_power_of_two(size):
            raise ValueError("must be 16, 32, 64, 128 or 256")
        return size


@dataclass
class Gallery(data.Material):
    """References to learn from, and some that are kept from the training to measure it."""

    held: data.Pictures = field(default_factory=lambda: data.Pictures([]))
    squares: bool = False  # any square of a picture counts, so that one picture is many


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Gallery:
    """Read folders, lists and archives; cut to size what is always seen whole."""
    only = [label.strip() for label in settings.only.split(",") if label.strip()]
    archives = [place for place in job.references if is_cifar(place)]
    others = [place for place in job.references if place not in archives]
    if only and not archives:
        raise InputError(f"only={settings.only}: labels belong to CIFAR-10, and no archive of it is among the references")
    side = settings.style_side if settings.crops == "random" else 2 * settings.size
    found = data.gather_references(others, side) if others else data.Pictures([])
    for archive in archives:
        part = read_cifar(archive, only)
        for name in ("images", "names", "sizes", "hashes"):
            getattr(found, name).extend(getattr(part, name))
    if settings.crops == "centre":
        found.images = [centre_square(image, settings.size) for image in found.images]
        return Gallery(found, data.Pictures([]), perception, job.seed, device, held=_held_out(found, job.seed))
    for name, size in zip(found.names, found.sizes, strict=True):
        if min(size) < settings.size:
            how = f"squares of {settings.size} do not fit in it; give a larger one, or a smaller --set size"
            raise InputError(f"{name}: {size[0]}x{size[1]} pixels: {how}")
    if len(found.images) < FEWEST_TO_HOLD:
        found, held = strips(found, settings.size)
        return Gallery(found, data.Pictures([]), perception, job.seed, device, held=held, squares=True)
    return Gallery(found, data.Pictures([]), perception, job.seed, device, held=_held_out(found, job.seed), squares=True)


def strips(found: data.Pictures, size: int) -> tuple[data.Pictures, data.Pictures]:
    """Of few pictures, the right quarter of each where squares still fit in it is kept for measuring."""
    learnt, held = replace(found, images=[]), data.Pictures([])
    for image in found.images:
        cut = image.shape[1] * 3 // 4
        wide = image.shape[1] - cut >= size and cut >= size
        learnt.images.append(image[:, :cut] if wide else image)
        held.images += [image[:, cut:]] if wide else []
    return learnt, held


def _held_out(found: data.Pictures, seed: int) -> data.Pictures:
    """Take one picture in ten out of the lists; an archive's name and hash stay, they stand for all of it."""
    count, held = len(found.images), data.Pictures([])
    if count < FEWEST_TO_HOLD:
        return held
    wanted = int(np.clip(round(count * HELD_SHARE), HELD_LEAST, HELD_MOST))
    chosen = set(np.random.default_rng([seed, *b"held"]).permutation(count)[:wanted].tolist())
    for name in ("images", "names", "sizes", "hashes"):
        values = getattr(found, name)
        if len(values) == count:
            setattr(held, name, [value for i, value in enumerate(values) if i in chosen])
            setattr(found, name, [value for i, value in enumerate(values) if i not in chosen])
    return held


def centre_square(image: data.Picture, size: int) -> data.Picture:
    """The largest square in the middle, at `size` pixels."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(square, (size, size), interpolation=how) if side != size else square, np.uint8)


def check(material: Gallery) -> str:
    """Refuse what this recipe cannot learn from; say in a line what it sees."""
    count, held = len(material.references.images), len(material.held.images)
    if material.squares and count < FEWEST:
        for image, name in zip(material.references.images, material.references.names, strict=True):
            if image.std((0, 1)).max() < 2:
                raise InputError(f"{name}: the picture is one flat colour; there is nothing in it to dream of")
        of = "one picture" if count == 1 else f"{count} pictures"
        return f"any square of {of}, {'a strip of each' if held else 'too small to have any'} held out"
    if count < FEWEST:
        how = f"give a folder of {FEWEST} or more, or learn the texture of these with --set crops=random"
        raise InputError(f"recipe noise learns from many pictures, not {count}: {how}")
    if np.stack([image.mean((0, 1)) for image in material.references.images[:64]]).std(0).max() < 0.5:
        first = material.references.images[0]
        if all(image.shape == first.shape and np.array_equal(image, first) for image in material.references.images[:64]):
            raise InputError("the pictures are all the same: there is nothing between them to dream of")
    return f"{count} pictures to learn from, {held or 'too few to have any'} held out to measure by"


def generator(settings: Settings, material: Gallery, tier: TierName) -> Dreamer:
    """The network that dreams."""
    room = plugins.load("dreamers", settings.network)
    width = settings.width or WIDTH_OF.get(tier, min(WIDTH_OF.values()))
    made = room.Settings(size=settings.size, noise=settings.noise, width=width, widest=settings.widest)
    dreamer: Dreamer = room.Generator(made)
    return dreamer


def networks(settings: Settings, material: Gallery, generator: Dreamer) -> Networks:
    """The judges: on pixels, on features, or on both."""
    judges = settings.judges
    if judges != "pixels" and material.perception is None:
        raise InputError(f"judges={judges}: features are a teacher's, and none is given; add --teacher or set judges=pixels")
    pixels = seen = None
    if judges != "features":
        pixels = PixelJudge(settings.size, settings.critic_width, settings.widest, settings.spread)
    if judges != "pixels":
        assert material.perception is not None, "refused above"
        true = on_device(_true(settings, material, 64, data.rng_at(material.seed, 0, "scale")), material.device)
        with torch.no_grad():
            seen = FeatureJudge(tap_values(material.perception, true, JUDGED_TAPS), 4 * settings.critic_width)
    bench = Bench(pixels, seen, material.perception)
    return Networks(generator, on_device(bench, material.device))


def batches(settings: Settings, material: Gallery) -> Callable[[int], Batch]:
    """step -> true pictures, vectors of noise, and whose turn it is."""

    def at(step: int) -> Batch:
        rng = data.rng_at(material.seed, step, "noise")
        true = _true(settings, material, settings.batch, rng)
        noise = torch.from_numpy(rng.standard_normal((settings.batch, settings.noise), np.float32))
        batch = {"real": true, "noise": noise, "step": torch.tensor(step)}
        return {name: on_device(value, material.device) for name, value in batch.items()}

    return at


def _true(settings: Settings, material: Gallery, count: int, rng: np.random.Generator) -> Tensor:
    return _drawn(settings, material.references, count, rng)


def _drawn(settings: Settings, pictures: data.Pictures, count: int, rng: np.random.Generator) -> Tensor:
    if settings.crops == "random":
        return data.random_crops(pictures, count, settings.size, rng, (0.5, 1.0))
    images = [pictures.images[i] for i in rng.integers(len(pictures.images), size=count)]
    flips = rng.random(count) < (0.5 if settings.mirror else 0.0)
    return data.to_tensor([image[:, ::-1] if flip else image for image, flip in zip(images, flips, strict=True)])


def step(settings: Settings, material: Gallery) -> StepFunction:
    """batch -> losses."""
    small = len(material.references.images) < SMALL_SET
    changed = augmented if settings.augment == "on" or (settings.augment == "auto" and small) else _as_it_is

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            return _losses(settings, networks, batch, changed)

    return take


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _losses(settings: Settings, networks: Networks, batch: Batch, changed: Callable[[Tensor], Tensor]) -> Outcome:
    family, critic, dreamer, noise = adversarial(settings.family), networks.critic, networks.generator, batch["noise"]
    assert isinstance(critic, Bench) and isinstance(dreamer, Dreamer), "this recipe's own networks"
    if settings.slope:
        noise = noise.clone().requires_grad_(True)
    dreamt = dreamer(noise).float()
    true, shown = changed(batch["real"]), changed(dreamt)
    with frozen(critic):
        losses = {
            "adversary": family.generator(critic(shown), critic(true) if family.needs_real else None),
            "outside": (dreamt - dreamt.clamp(0, 1)).abs().mean(),
            "centre": dreamer.off_centre(noise),
        }
    if settings.slope:
        losses["slope"] = noise_gradient(dreamt, noise)
    real, fake = critic(true), critic(shown.detach())
    loss, figures = told(family.critic(real, fake), real, fake, family)
    penalty, name = _penalty(settings, critic, batch, dreamt.detach())
    if penalty is not None:
        loss, figures = loss + penalty, {**figures, name: float(penalty.detach())}
    weights = {"adversary": settings.adversary, "outside": settings.outside, "centre": 1.0, "slope": settings.slope}
    return outcome(losses, weights, (loss, figures), dreamt)


def _penalty(settings: Settings, critic: Bench, batch: Batch, dreamt: Tensor) -> tuple[Tensor | None, str]:
    """What keeps the pixel critic gentle: for Wasserstein an even rise from dreams to pictures, else R1, now and then."""
    judge = critic.pixels
    if judge is None:
        return None, ""
    if settings.family == "wgan":
        even = gradient_penalty(lambda x: [judge(x)], batch["real"], dreamt) if settings.rise else None
        return (None if even is None else settings.rise * even), "gradient_penalty"
    if settings.r1 and int(batch["step"]) % settings.r1_every == 0:
        return settings.r1 * settings.r1_every * r1(lambda x: [judge(x)], batch["real"]), "r1"
    return None, ""


def held_out(settings: Settings, material: Gallery) -> Callable[[Dreamer], dict[str, float]]:
    """How far fresh dreams are from pictures that were never learnt from: KID first."""
    theirs = features_of(on_device(_held(settings, material), material.device), material.perception)

    def measured(dreamer: Dreamer) -> dict[str, float]:
        dreams = _dreams(settings, material, dreamer, DREAMS_MEASURED)
        ours, truth = standardise(features_of(dreams, material.perception), theirs)
        precision, recall = precision_recall(ours, truth)
        return {"kid": kid(ours, truth), "fid": fid(ours, truth), "odd": 1 - precision, "missed": 1 - recall}

    return measured


def judge(settings: Settings, material: Gallery) -> Callable[[Networks, Dreamer], tuple[list[Tensor], list[Tensor]]]:
    """What the critic says of pictures that were held out, and of fresh dreams."""
    real = on_device(_held(settings, material)[:DREAMS_AT_ONCE], material.device)

    def judged(networks: Networks, dreamer: Dreamer) -> tuple[list[Tensor], list[Tensor]]:
        return networks.critic(real), networks.critic(_dreams(settings, material, dreamer, len(real)))

    return judged


def show(settings: Settings, material: Gallery) -> Callable[[Dreamer], dict[str, Tensor]]:
    """The dreams of the same vectors each time, and some pictures that were learnt from; small ones enlarged."""
    times = max(1, LEAST_SHOWN_PX // settings.size)
    learnt = _drawn(settings, material.references, DREAMS_IN_ROW, data.rng_at(0, 0, "shown"))

    def shown(dreamer: Dreamer) -> dict[str, Tensor]:
        rows = torch.split(_dreams(settings, material, dreamer, 4 * DREAMS_IN_ROW), DREAMS_IN_ROW)
        named = {f"dreamt, {number}": row for number, row in enumerate(rows, 1)} | {"learnt from": learnt}
        return {name: F.interpolate(row, scale_factor=float(times)) for name, row in named.items()}

    return shown


def _held(settings: Settings, material: Gallery) -> Tensor:
    """What was held out, each once, or enough random squares of it; all there is where nothing was."""
    held = material.held if material.held.images else material.references
    if settings.crops == "centre":
        return data.to_tensor(held.images)
    return _drawn(settings, held, max(64, len(held.images)), data.rng_at(0, 0, "held out"))


def _dreams(settings: Settings, material: Gallery, dreamer: Dreamer, count: int) -> Tensor:
    """The first dreams [count,3,S,S] of a fixed row of vectors."""
    noise = data.rng_at(0, 0, "dreams").standard_normal((count, settings.noise), np.float32)
    vectors = torch.from_numpy(noise).to(material.device)
    with torch.no_grad(), material.autocast():
        return torch.cat([dreamer(some).float().clamp(0, 1) for some in torch.split(vectors, DREAMS_AT_ONCE)])
