"""How a job's options become the loop's: how long, on what, seen how."""

from __future__ import annotations

import shlex
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from pydantic import BaseModel
from torch import nn

from impasto.learn.job import DEFAULT_MINUTES
from impasto.learn.material.data import Material
from impasto.learn.robust import check_grain, robust
from impasto.learn.run.contract import Networks, StepFunction
from impasto.learn.run.devices import named_device, place_critic, quicken
from impasto.learn.run.pace import Pace
from impasto.learn.run.watch import Watch

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob
    from impasto.learn.run.loop import Training

PATIENCE = 10
STEPS_WORTH_COMPILING, MINUTES_WORTH_COMPILING = 2_000, 5  # compiling costs about a minute
WORKERS_FOR_GPU = 4  # a processor that learns has no core to spare; one that feeds a GPU has


def pace_of(job: TrainJob, recipe: ModuleType, settings: BaseModel, material: Material, generator: nn.Module) -> Pace:
    """How long and how fast, by the job's limits and the recipe's habits."""
    pictures = material.photos.images or material.references.images
    per_epoch = max(1, len(pictures) // getattr(settings, "batch", 1))
    steps = job.steps or (max(1, round(job.epochs * per_epoch)) if job.epochs else 0)
    patience = getattr(recipe, "PATIENCE", PATIENCE) if job.patience is None else job.patience
    wanted = job.early_stop or getattr(recipe, "EARLY_STOP", False)
    return Pace(
        steps=steps,
        minutes=job.minutes or (0.0 if steps else DEFAULT_MINUTES),
        generator_rate=getattr(generator, "learning_rate", Pace.generator_rate),
        look_every=getattr(recipe, "LOOK_EVERY", 0),
        early_stop=bool(wanted and patience and hasattr(recipe, "held_out")),
        patience=patience or PATIENCE,
    )


def step_of(job: TrainJob, recipe: ModuleType, settings: BaseModel, material: Material) -> StepFunction:
    """What happens in a step: the recipe's own, under attack where the job asks for it."""
    take: StepFunction = recipe.step(settings, material)
    if not job.robust:
        return take
    check_grain(recipe.__name__.rpartition(".")[2], recipe.batches(settings, material)(0))
    return robust(take)


def watch_of(job: TrainJob, recipe: ModuleType, settings: BaseModel, material: Material) -> Watch:
    """What the recipe has to look at, and what the report tells of the job."""
    own = {name: getattr(recipe, name)(settings, material) for name in ("held_out", "judge", "show") if hasattr(recipe, name)}
    words = ["impasto", "learn", *(path.name for path in job.references), "-o", job.out.name, "--recipe", job.recipe]
    teachers = ", ".join(path.name for path in job.teachers())
    about = {
        "command": f"{shlex.join(words)} ... (the whole job lies in job.json)",
        "recipe": recipe.__name__.rsplit(".", 1)[-1],
        "references": ", ".join(material.references.names[:20]),
        "photographs": str(len(material.photos.images)),
        "teachers": teachers or "none",
        "precision": "bf16 where it may" if material.quick else "fp32",
        "seed": str(job.seed),
        **{f"setting: {name}": str(value) for name, value in settings.model_dump().items()},
    }
    return Watch(**own, sheet_minutes=job.sheet_minutes, about=about)


def placed(job: TrainJob, networks: Networks, material: Material) -> Networks:
    """The networks, the critic on a device of its own where the job names one."""
    if job.critic_device:
        place_critic(networks.critic, named_device(job.critic_device), material.device)
    return networks


def quickened(training: Training, recipe: ModuleType) -> Training:
    """The training, its generator compiled on a GPU where it is to paint long enough.

    The generator alone: critics are asked for slopes of slopes, which compiled networks do not have; a recipe that asks the same
    of its generator says COMPILES = False.
    """
    if getattr(recipe, "COMPILES", True):
        long_enough = training.pace.steps >= STEPS_WORTH_COMPILING or training.pace.minutes >= MINUTES_WORTH_COMPILING
        if long_enough:
            quicken(training.networks.generator, training.device)
    return training


def workers_of(job: TrainJob, device: torch.device) -> int:
    """How many threads make batches ahead."""
    return (WORKERS_FOR_GPU if device.type == "cuda" else 0) if job.workers is None else job.workers
