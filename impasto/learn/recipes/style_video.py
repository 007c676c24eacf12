"""style_video: a clip -> its look and how its texture moves. Good for animation, rotoscoped paint, boiling line tests.

Its frames teach what `folder` would learn from them. A second critic sees three of them at a time, one, two and four frames
apart, beside paintings of consecutive frames: of `--shot` where there is one, else of photographs under a smooth camera move.
Only that critic knows of time: the generator paints every frame by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from impasto.errors import InputError
from impasto.learn.contest import frozen, outcome, told
from impasto.learn.material.clips import Clip, Run, clip_crops, moved_stills, read_clip
from impasto.learn.material.data import Material, Pictures, even_numbers, gather_photos, random_crops, rng_at
from impasto.learn.run.loop import Batch, Networks, Outcome, StepFunction, on_device
from impasto.learn.unpaired import PHOTO_ZOOM, Art, ArtSettings, Lesson, art_batch, check_works, measure
from impasto.losses import PatchNCE, grey, patch_style
from impasto.models.blocks import Painter
from impasto.models.discriminators import STACK, STRIDES, PatchCritic, TemporalCritic
from impasto.models.perception import Perception

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

WORKS = 60  # frames that teach texture
KEPT_SHARE = 8  # one frame in so many, at the end, is never learnt from
SEARCH = {"adversary": (0.5, 4.0), "movement": (0.2, 3.0), "nce": (0.3, 4.0), "steady": (2.0, 20.0)}


class Settings(ArtSettings):
    """Those of all unpaired art, with less steadiness, which is the moving texture's opposite, and the critic of movement."""

    steady: float = Field(6.0, ge=0)
    movement: float = Field(1.0, ge=0)
    clip_px: int = Field(96, ge=64, multiple_of=4)


@dataclass(kw_only=True)
class Reel(Art):
    """A clip's frames as works, the runs they come from, and what to paint beside them."""

    clip: Clip
    runs: list[Run]  # what movement is learnt from
    runs_kept: list[Run]  # its end, which is never learnt from; none of a clip that is too short
    strides: tuple[int, ...]
    shot: Clip | None

    @property
    def offsets(self) -> list[int]:
        """Which frames of a stretch the critic of movement looks at."""
        return TemporalCritic(1, self.strides).frames


def gather(job: TrainJob, settings: Settings, perception: Perception | None, device: torch.device) -> Reel:
    """Read the clip, and the shot or the photographs to paint."""
    if len(job.references) != 1:
        raise InputError(f"recipe style_video learns from one clip, not {len(job.references)}: join them, or take recipe folder")
    clip = read_clip(job.references[0], settings.style_side, STACK)
    runs, kept = _parted(clip.runs)
    longest = max(len(run.frames) for run in runs)
    strides = tuple(stride for stride in STRIDES if 2 * stride + 1 <= longest)
    shot = read_clip(job.shot, settings.photo_side, 2 * strides[-1] + 1) if job.shot else None
    works, aside = _pictures(clip, runs), _pictures(clip, kept)
    photos = gather_photos(job.places(), settings.photo_side * 5 // 4)
    art = Art.of(Material(works, photos, perception, job.seed, device))
    given = dict(vars(art)) | {"works": works, "look_of": {"works": [0] * len(works.images), "kept": [0] * len(aside.images)}}
    return Reel(**given | {"kept": aside}, clip=clip, runs=runs, runs_kept=kept, strides=strides, shot=shot)


def _parted(runs: list[Run]) -> tuple[list[Run], list[Run]]:
    """The clip without its end, and its end; all of it and nothing where that leaves too little to learn from."""
    whole = 2 * STRIDES[-1] + 1
    long = [i for i, run in enumerate(runs) if len(run.frames) >= whole]
    if len(long) > 1 and len(runs) > 2:
        return [run for i, run in enumerate(runs) if i != long[-1]], [runs[long[-1]]]
    last = runs[-1]
    count = max(whole, len(last.frames) // KEPT_SHARE)
    if len(last.frames) - count < whole:
        return runs, []
    learnt = Run(last.frames[:-count], last.numbers[:-count])
    return [*runs[:-1], learnt], [Run(last.frames[-count:], last.numbers[-count:])]


def _pictures(clip: Clip, runs: Sequence[Run]) -> Pictures:
    """Frames of the runs as works."""
    every = {number: frame for run in runs for number, frame in zip(run.numbers, run.frames, strict=True)}
    found = Pictures([])
    for number in even_numbers(sorted(every), WORKS):
        found.images.append(every[number])
        found.sizes.append(clip.size)
        found.names.append(f"{clip.name}, frame {number}")
        found.hashes.append(hashlib.sha256(every[number].tobytes()).hexdigest())
    return found


def check(material: Reel) -> str:
    """Refuse what this recipe cannot learn from; say in a line what it sees."""
    check_works(material)
    frames, kept = (sum(len(run.frames) for run in runs) for runs in (material.runs, material.runs_kept))
    beside = "the shot's own frames" if material.shot else "photographs under a smooth camera move"
    seen = f"{frames} frames to learn from, {kept} kept aside, moving {material.clip.speed_px:.1f} px a frame"
    return f"{material.clip.name}: {seen}; beside them, {beside}, at strides of {', '.join(map(str, material.strides))}"


def networks(settings: Settings, material: Reel, generator: Painter) -> Networks:
    """Grey critics of texture and of its movement, and the projections that PatchNCE compares."""
    texture = PatchCritic(settings.critic_width, channels=2)
    critic = nn.ModuleDict({"texture": texture, "movement": TemporalCritic(settings.critic_width, material.strides, channels=1)})
    helpers = nn.ModuleDict({"nce": PatchNCE(generator)}).to(material.device)
    return Networks(generator, on_device(critic, material.device), helpers)


def batches(settings: Settings, material: Reel) -> Callable[[int], Batch]:
    """step -> what `folder` has, and consecutive frames of the clip and of what is painted."""

    def at(step: int) -> Batch:
        rng = rng_at(material.seed, step, "movement")
        real = clip_crops(material.runs, material.offsets, settings.batch, settings.clip_px, rng)
        batch = {"clip": grey(real.transpose(1, 2).flatten(0, 1)).view(settings.batch, 1, *real.shape[2:])}
        batch["filmed"] = _filmed(settings, material, material.photos, settings.batch, rng)
        moving = {name: value.to(material.device) for name, value in batch.items()}
        return art_batch(settings, material, step, "style_video") | moving

    return at


def _filmed(settings: Settings, material: Reel, photos: Pictures, count: int, rng: np.random.Generator) -> Tensor:
    """Consecutive frames to paint, [N,3,T,S,S]."""
    if material.shot:
        return clip_crops(material.shot.runs, material.offsets, count, settings.clip_px, rng)
    stills = random_crops(photos, count, settings.clip_px, rng, PHOTO_ZOOM)
    return moved_stills(stills, material.offsets, material.clip.speed_px, rng)


def step(settings: Settings, material: Reel) -> StepFunction:
    """batch -> losses, with everything about the clip worked out once."""
    lesson = Lesson(settings, material)

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        texture, movement = (networks.critic.get_submodule(name) for name in ("texture", "movement"))
        with material.autocast():
            painted, losses = lesson.paint(networks, texture, batch)
            fake = painted_frames(networks.generator, batch["filmed"])
            with frozen(movement):
                real = movement(batch["clip"]) if lesson.family.needs_real else None
                losses["movement"] = lesson.family.generator(movement(fake), real)
            loss, figures = lesson.criticise(texture, batch, painted)
            found, false = movement(batch["clip"]), movement(fake.detach())
            moving, moving_figures = told(lesson.family.critic(found, false), found, false, lesson.family)
        figures |= {f"{name}_movement": value for name, value in moving_figures.items()}
        return outcome(losses, lesson.weights(progress), (loss + moving, figures), painted)

    return take


def painted_frames(painter: Painter, filmed: Tensor) -> Tensor:
    """Frames [N,3,T,S,S], painted each by itself, in grey [N,1,T,S,S]."""
    count, _, frames = filmed.shape[:3]
    flat = filmed.transpose(1, 2).flatten(0, 1)
    painted = grey(painter(on_device(flat, flat.device)).float())
    return painted.view(count, frames, 1, *filmed.shape[3:]).transpose(1, 2)


def held_out(settings: Settings, material: Reel) -> Callable[[Painter], dict[str, float]]:
    """Style distance and lost structure as in `folder`, and how differently neighbouring frames change; all at the clip's end."""
    still, rng, count = measure(material, settings, crops=6), rng_at(material.seed, 0, "held out movement"), 4
    runs = material.runs_kept or material.runs
    real = clip_crops(runs, material.offsets, count, settings.clip_px, rng).transpose(1, 2)  # [N,T,3,S,S]
    photos = material.photos_kept if material.photos_kept.images else material.photos
    filmed = _filmed(settings, material, photos, count, rng).to(material.device)
    theirs = _changes(grey(real.flatten(0, 1)).view(count, -1, *real.shape[3:]).to(material.device))
    directions = F.normalize(torch.from_numpy(rng.normal(size=(49, 32)).astype(np.float32)).to(material.device), dim=0)

    @torch.no_grad()
    def figures(painter: Painter) -> dict[str, float]:
        ours = _changes(painted_frames(painter, filmed)[:, 0])
        return still(painter) | {"movement": float(patch_style(ours, theirs, directions))}

    return figures


def _changes(frames: Tensor) -> Tensor:
    """Differences of neighbours among frames [N,T,S,S], as pictures [N*(T-1),1,S,S]."""
    return (frames[:, 1:] - frames[:, :-1]).flatten(0, 1)[:, None]
