"""cycle: many works, unpaired -> a look, by going there and back (CycleGAN). Here to compare `folder` with.

A second generator learns to make photographs of paintings; what went there must come back. Both critics see colour, so the
palette comes by itself, and with it the blotches that `folder` was made to avoid. Twice the networks, about half the steps.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from impasto.job import counted
from impasto.learn.contest import frozen, outcome, told
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.learn.unpaired import Art, Sizes, art_batch, check_works, gather_art, measure
from impasto.losses import Family, Motion, adversarial, cycle, identity, steadiness
from impasto.models.blocks import Painter
from impasto.models.discriminators import PatchCritic

SEARCH = {"there_and_back": (3.0, 20.0), "identity": (1.0, 10.0), "adversary": (0.5, 2.0)}
gather = gather_art


class Settings(Sizes):
    """Weights of the terms; those of the paper, and steadiness, without which no look is fit for film."""

    family: Literal["hinge", "lsgan", "bce", "wgan"] = "lsgan"
    adversary: float = Field(1.0, ge=0)
    there_and_back: float = Field(10.0, ge=0)
    identity: float = Field(5.0, ge=0)
    steady: float = Field(6.0, ge=0)
    outside: float = Field(10.0, ge=0)
    critic_width: int = Field(24, ge=1, le=1024)
    pool: int = Field(50, ge=1)  # earlier paintings that a critic must still know for what they are


def check(material: Art) -> str:
    """Refuse what this recipe cannot learn from; say in a line what it sees."""
    return f"{check_works(material)}; {counted(len(material.photos.images), 'photograph')} to go to and come back from"


def networks(settings: Settings, material: Art, generator: Painter) -> Networks:
    """A critic of each side with its pool, and the generator that goes back, which starts as the one that goes."""
    sides = {"art": PatchCritic(settings.critic_width), "photo": PatchCritic(settings.critic_width)}
    pools = {f"{side}_pool": Pool(settings.pool, settings.crop_px) for side in sides}
    critic = on_device(nn.ModuleDict({**sides, **pools}), material.device)
    helpers = on_device(nn.ModuleDict({"back": copy.deepcopy(generator)}), material.device)
    return Networks(generator, critic, helpers)


def batches(settings: Settings, material: Art) -> Callable[[int], Batch]:
    """step -> crops of photographs and works, and a motion to hold still under."""
    return lambda step: art_batch(settings, material, step, "cycle")


def step(settings: Settings, material: Art) -> StepFunction:
    """batch -> losses."""
    family = adversarial(settings.family)

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with material.autocast():
            return _losses(settings, family, networks, batch)

    return take


def held_out(settings: Settings, material: Art) -> Callable[[Painter], dict[str, float]]:
    """Style distance to works, and lost structure of photographs, that were never learnt from."""
    return measure(material, settings)


def _losses(settings: Settings, family: Family, networks: Networks, batch: Batch) -> Outcome:
    photo, style = batch["photo"], batch["style"]
    there, back, critic = networks.generator, networks.helpers.get_submodule("back"), networks.critic
    motion = Motion(batch["grid"], batch["inside"], batch["gain"], batch["bias"], batch["noise"])
    painted, bared = there(photo).float(), back(style).float()
    steady = steadiness(painted, there(on_device(motion.film(photo), photo.device)).float(), motion)
    judges = {side: critic.get_submodule(side) for side in ("art", "photo")}
    with frozen(critic):
        fooled = [family.generator(judges["art"](painted)), family.generator(judges["photo"](bared))]
    losses = {
        "adversary": torch.stack(fooled).sum(),
        "there_and_back": cycle(back(painted), photo) + cycle(there(bared), style),
        "identity": identity(there(style), style) + identity(back(photo), photo),
        "steady": steady,
        "outside": sum(((x - x.clamp(0, 1)).abs().mean() for x in (painted, bared)), torch.zeros(())),
    }
    sides = [_judged(family, critic, side, real, fake) for side, real, fake in (("art", style, painted), ("photo", photo, bared))]
    figures = sides[0][1] | {"critic_of_photos": sides[1][1]["critic"]}
    return outcome(losses, settings.model_dump(include=set(losses)), (sides[0][0] + sides[1][0], figures), painted)


def _judged(family: Family, critic: nn.Module, side: str, real: Tensor, fake: Tensor) -> tuple[Tensor, dict[str, float]]:
    """One side's critic on real pictures and on fakes of which half are earlier ones."""
    judge, pool = critic.get_submodule(side), critic.get_submodule(f"{side}_pool")
    found, false = judge(real), judge(pool(fake.detach()))
    return told(family.critic(found, false), found, false, family)


class Pool(nn.Module):
    """Earlier paintings. They lie in buffers, so a checkpoint holds them; chance comes from the step's own seed."""

    def __init__(self, size: int, side: int) -> None:
        super().__init__()
        self.register_buffer("pictures", torch.zeros(size, 3, side, side, dtype=torch.uint8))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def forward(self, fresh: Tensor) -> Tensor:
        """As many as came: half of them fresh, half earlier ones that the fresh then take the place of."""
        held, given = self.get_buffer("pictures"), []
        for picture in fresh:
            kept = (picture.nan_to_num().clamp(0, 1) * 255).round().to(torch.uint8)
            place = int(self.get_buffer("filled"))
            if place < len(held):
                held[place] = kept
                self.get_buffer("filled").add_(1)
                given.append(picture)
                continue
            place = int(torch.randint(len(held), ()))
            earlier = held[place].to(picture.dtype) / 255
            swap = bool(torch.rand(()) < 0.5)
            given.append(earlier if swap else picture)
            if swap:
                held[place] = kept
        return torch.stack(given)
