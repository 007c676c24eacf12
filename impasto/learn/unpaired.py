"""Art that shows no photograph of its own: what is gathered of it, what is kept aside, and the losses that teach its look.

Texture and palette are learnt apart. Critics see the art and the paintings in grey, so that lines and brushwork are all they
can judge; colours follow one map from the photographs' palette towards the artist's. Judged in colour, the mixed palette of
many works is chased from region to region and comes out as drifting blotches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from impasto.errors import InputError
from impasto.job import counted
from impasto.learn.contest import frozen, told
from impasto.learn.material.data import (
    MOST_SIDE_PX,
    Material,
    Pictures,
    gather,
    is_flat,
    left_out,
    random_crops,
    random_motion,
    rng_at,
)
from impasto.learn.run.loop import Batch, Networks, on_device
from impasto.losses import (
    Motion,
    Palette,
    adversarial,
    gram_style,
    grey,
    patch_style,
    perceptual_content,
    steadiness,
    structure_lost,
    total_variation,
)
from impasto.models.blocks import Painter
from impasto.models.perception import TAPS, Perception, distance_to_nearest

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

SMALLEST_PX, FEWEST = 32, 2
KEPT_SHARE = 10  # one work in so many is never learnt from
CONTENT_TAPS = ("relu3_1", "relu4_1")
NEAREST_TAP, COLUMNS = "relu3_1", 1024  # what texture is looked up in, and how many places of each picture
STYLE_ZOOM, PHOTO_ZOOM = (0.85, 1.1), (0.7, 1.15)
RAMP = 0.1  # of the training, until texture and steadiness have their full weight: forms and contrast must come first
SCALES = (1, 2, 4)  # at which patches are compared


class Sizes(BaseModel):
    """What is cut from works and photographs, in pixels, for every recipe that learns from unpaired art."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    batch: int = Field(2, ge=1)
    crop_px: int = Field(160, ge=128, multiple_of=4)  # below that the broadest critic sees nothing
    photo_side: int = Field(512, ge=96, le=MOST_SIDE_PX)
    style_side: int = Field(640, ge=96, le=MOST_SIDE_PX)  # larger: broader strokes


class ArtSettings(Sizes):
    """Weights of the terms of a `Lesson`."""

    family: Literal["hinge", "lsgan", "bce", "wgan", "relativistic"] = "hinge"
    adversary: float = Field(1.5, ge=0)
    softened: float = Field(0.4, ge=0, le=1)  # share of the critic's negatives that are art with its edges blurred
    nce: float = Field(1.0, ge=0)
    content: float = Field(0.6, ge=0)  # with a teacher
    gram: float = Field(6.0, ge=0)  # with a teacher; in grey
    nearest: float = Field(4.0, ge=0)  # with a teacher; in grey
    palette: float = Field(10.0, ge=0)
    turn: float = Field(0.5, ge=0, le=1)  # how far colours go from the photograph's towards the artist's
    steady: float = Field(15.0, ge=0)
    outside: float = Field(10.0, ge=0)  # values that no screen can show
    variation: float = Field(0.001, ge=0)
    critic_width: int = Field(24, ge=1, le=1024)


@dataclass(kw_only=True)
class Art(Material):
    """Works and photographs, each parted into what is learnt from and what is kept to measure on."""

    works: Pictures
    kept: Pictures
    photos_kept: Pictures
    palette: Palette  # one for each look
    looks: list[str]  # names of the looks; one without a name when all works are of one
    look_of: dict[str, list[int]]  # "works" and "kept": the look of each

    @classmethod
    def of(cls, material: Material, looks: Sequence[str] = ("",), look_of: Sequence[int] | None = None) -> Art:
        """Part what was gathered, the same way for the same seed."""
        look_of = look_of or [0] * len(material.references.images)
        learnt, aside = _parted(look_of, material.seed)
        photos, photos_aside = _parted([0] * len(material.photos.images), material.seed)
        works, seen = picked(material.references, learnt), picked(material.photos, photos)
        of = {"works": [look_of[i] for i in learnt], "kept": [look_of[i] for i in aside]}
        each = [picked(works, _where(of["works"], look)) for look in range(len(looks))]
        given = {name.name: getattr(material, name.name) for name in fields(Material)}
        return cls(
            **given | {"photos": seen},
            works=works,
            kept=picked(material.references, aside),
            photos_kept=picked(material.photos, photos_aside),
            palette=Palette.side_by_side([_palette(seen, some, material) for some in each]),
            looks=list(looks),
            look_of=of,
        )

    def works_of(self, look: int, side: Literal["works", "kept"] = "works") -> Pictures:
        """The works of one look; where none of it is kept aside, those that are learnt from."""
        chosen = picked(getattr(self, side), _where(self.look_of[side], look))
        return chosen if chosen.images else self.works_of(look)

    def code(self, which: Tensor) -> Tensor | None:
        """The code of each picture's look: 1 at its own place, and what the generator makes of that is learnt. None: one look."""
        return F.one_hot(which, len(self.looks)).float() if len(self.looks) > 1 else None


def gather_art(job: TrainJob, settings: Sizes, perception: Perception | None, device: torch.device) -> Art:
    """The works, as of one look, the photographs, and what is kept aside of both."""
    return Art.of(gather(job, settings, perception, device))


def picked(pictures: Pictures, places: Sequence[int]) -> Pictures:
    """Some of the pictures, by their places."""
    lists = {name: [getattr(pictures, name)[i] for i in places] for name in ("images", "names", "sizes", "hashes")}
    return Pictures(**lists, refused=pictures.refused)


def _where(looks: Sequence[int], look: int) -> list[int]:
    return [i for i, of in enumerate(looks) if of == look]


def _parted(looks: Sequence[int], seed: int) -> tuple[list[int], list[int]]:
    """Which places are learnt from and which are kept: of every look a tenth, at least one where there are two."""
    aside: list[int] = []
    for look in sorted(set(looks)):
        places = _where(looks, look)
        count = max(1, len(places) // KEPT_SHARE) if len(places) > 1 else 0
        aside += list(rng_at(seed, look, "kept aside").permutation(places)[:count])
    return [i for i in range(len(looks)) if i not in aside], sorted(int(i) for i in aside)


def _palette(photos: Pictures, works: Pictures, material: Material) -> Palette:
    rng = rng_at(material.seed, 0, "palette")
    samples = [random_crops(pictures, 48, 64, rng, (0.2, 0.4)) for pictures in (photos, works)]  # small views of large parts
    return Palette.between(*(sample.to(material.device) for sample in samples))


def check_works(art: Art) -> str:
    """Refuse what no look can be seen in; say in a line what there is."""
    pictures = art.references
    if len(pictures.images) < FEWEST:
        how = "use --recipe one_image, or give more works"
        raise InputError(f"{pictures.names[0]}: one picture is not a folder of art{left_out(pictures)}; {how}")
    for name, size, image in zip(pictures.names, pictures.sizes, pictures.images, strict=True):
        if min(size) < SMALLEST_PX:
            raise InputError(f"{name}: {size[0]}x{size[1]} pixels are too few to see a look in; take it out of the references")
        if is_flat(image):
            raise InputError(f"{name}: the picture is one flat colour; there is no look in it to learn; take it out")
    counts = [f"{name} ({art.look_of['works'].count(i)})" for i, name in enumerate(art.looks)]
    styles = f" in {len(counts)} styles: {', '.join(counts)}" if len(counts) > 1 else ""
    kept = f"{len(art.kept.images)} more {'is' if len(art.kept.images) == 1 else 'are'} kept aside to measure on"
    return f"{counted(len(art.works.images), 'work')}{styles}; {kept}"


def art_batch(settings: Sizes, art: Art, step: int, name: str) -> Batch:
    """Crops of photographs and of works, the look of each, and a motion to hold still under."""
    rng = rng_at(art.seed, step, name)
    count, size = settings.batch, settings.crop_px
    which = rng.integers(len(art.looks), size=count)
    photo = random_crops(art.photos, count, size, rng, PHOTO_ZOOM)
    works = torch.cat([random_crops(art.works_of(int(look)), 1, size, rng, STYLE_ZOOM) for look in which])
    light = torch.from_numpy(rng.uniform(0.85, 1.15, (count, 1, 1, 1)).astype(np.float32))
    batch = {
        "photo": (photo * light).clamp(0, 1),
        "style": works,
        "look": torch.from_numpy(which),
        **random_motion(count, size, rng),
    }
    return {name: on_device(value, art.device) for name, value in batch.items()}


def softened(x: Tensor, reach: int = 2) -> Tensor:
    """The pictures [N,C,H,W] with everything near an edge blurred: as good as the art but for its lines."""
    shade = x.mean(1, keepdim=True)
    padded = F.pad(shade, (1, 0, 1, 0), mode="replicate")
    slope = (padded[..., 1:, 1:] - padded[..., 1:, :-1]).abs() + (padded[..., 1:, 1:] - padded[..., :-1, 1:]).abs()
    near = F.max_pool2d((slope > 0.1).float(), 2 * reach + 1, 1, reach)
    blurred = F.avg_pool2d(F.pad(x, (reach,) * 4, mode="replicate"), 2 * reach + 1, 1)
    near = F.avg_pool2d(F.pad(near, (1,) * 4, mode="replicate"), 3, 1)  # no new edge where the blur begins
    return x.lerp(blurred, near)


class Lesson:
    """The losses of unpaired art, with everything that is known of the art worked out once."""

    def __init__(self, settings: ArtSettings, art: Art) -> None:
        self.settings, self.art, self.family = settings, art, adversarial(settings.family)
        self.targets, self.bank = _grey_texture(art, settings) if art.perception else ({}, torch.zeros(0))

    def weights(self, progress: float) -> dict[str, float]:
        """The weight of each term now."""
        weights = {name: float(value) for name, value in self.settings.model_dump().items() if isinstance(value, float | int)}
        for late in ("steady", "gram", "nearest"):
            weights[late] *= min(1.0, 0.1 + progress / RAMP)
        return weights

    def paint(self, networks: Networks, critic: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Paintings of the batch's photographs, and the generator's losses on them."""
        photo, look = batch["photo"], batch["look"]
        code, painter = self.art.code(look), networks.generator
        nce = networks.helpers.get_submodule("nce")
        motion = Motion(batch["grid"], batch["inside"], batch["gain"], batch["bias"], batch["noise"])
        painted = painter(photo, code).float()
        painted_next = painter(on_device(motion.film(photo), photo.device), code).float()
        with frozen(critic):
            real = self.judge(critic, batch["style"], look) if self.family.needs_real else None
            adversary = self.family.generator(self.judge(critic, painted, look), real)
        with torch.no_grad():
            keys = painter.features(photo, code)
        losses = {
            "adversary": adversary,
            "nce": nce(painter.features(painted, code), keys),
            "palette": self.art.palette.of(look).distance(painted, photo, self.settings.turn),
            "steady": steadiness(painted, painted_next, motion),
            "outside": (painted - painted.clamp(0, 1)).abs().mean(),
            "variation": total_variation(painted),
            **self._taught(painted, photo, look),
        }
        return painted, losses

    def judge(self, critic: nn.Module, pictures: Tensor, look: Tensor) -> list[Tensor]:
        """A critic's logits: of texture, and of the look where there are several."""
        seen = grey_and_detail(pictures)
        logits: list[Tensor] = critic(seen, look) if len(self.art.looks) > 1 else critic(seen)
        return logits

    def criticise(self, critic: nn.Module, batch: Batch, painted: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The critic's loss: the works are real, paintings are not, nor are works without their lines."""
        style, look, share = batch["style"], batch["look"], self.settings.softened
        real, fake = self.judge(critic, style, look), self.judge(critic, painted.detach(), look)
        loss = self.family.critic(real, fake)
        if share:
            loss = (1 - share) * loss + share * self.family.critic(real, self.judge(critic, softened(style), look))
        return told(loss, real, fake, self.family)

    def _taught(self, painted: Tensor, photo: Tensor, look: Tensor) -> dict[str, Tensor]:
        """What a teacher says of texture and of what is shown, both in grey: the palette is another term's."""
        if self.art.perception is None:
            return {}
        ours = self.art.perception(as_three(painted), TAPS)
        with torch.no_grad():
            theirs = self.art.perception(as_three(photo), CONTENT_TAPS)
        found = {"content": perceptual_content(ours, theirs, [tap for tap in CONTENT_TAPS if tap in theirs])}
        found["gram"] = gram_style(ours, {tap: grams[look] for tap, grams in self.targets.items()})
        columns = ours[NEAREST_TAP].columns(_some_places(ours[NEAREST_TAP].values[0, 0].numel(), COLUMNS, look.device))
        distances = [distance_to_nearest(columns[i : i + 1], self.bank[look[i]]) for i in range(len(look))]
        found["nearest"] = torch.stack(distances).mean()
        return found


def _some_places(of: int, count: int, device: torch.device) -> Tensor:
    return torch.randperm(of, device=device)[:count]


def grey_and_detail(x: Tensor, window: int = 9) -> Tensor:
    """What critics of texture see [N,2,H,W]: the grey picture, and fine detail alone, enlarged.

    A critic under spectral norm answers small differences with small logits; strokes would be drowned by tones.
    """
    plain = grey(x)
    padded = F.pad(plain, (window // 2,) * 4, mode="reflect")
    return torch.cat([2 * plain - 1, 8 * (plain - F.avg_pool2d(padded, window, 1))], 1)


def as_three(x: Tensor) -> Tensor:
    """A grey copy with three channels, as teachers want them."""
    return grey(x).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def _grey_texture(art: Art, settings: ArtSettings, most: int = 32, batch: int = 4) -> tuple[dict[str, Tensor], Tensor]:
    """Of each look's works in grey the mean Grams {tap: [looks,C,C]} and some columns of texture [looks,n,C].

    They are taken from crops as large as those that are painted.
    """
    assert art.perception is not None
    grams, banks = [], []
    rounds = max(1, most // batch // min(4, len(art.looks)))
    for look in range(len(art.looks)):
        rng, found, columns = rng_at(art.seed, look, "grams"), [], []
        for _ in range(rounds):
            crops = random_crops(art.works_of(look), batch, settings.crop_px, rng, STYLE_ZOOM).to(art.device)
            taps = art.perception(as_three(crops), TAPS)
            found.append({tap: f.gram().mean(0) for tap, f in taps.items()})
            every = taps[NEAREST_TAP].values[0, 0].numel()
            places = torch.from_numpy(rng.permutation(every)[: 2 * COLUMNS // rounds // batch]).to(art.device)
            columns.append(taps[NEAREST_TAP].columns(places).flatten(0, 1))
        grams.append({tap: torch.stack([one[tap] for one in found]).mean(0) for tap in found[0]})
        banks.append(torch.cat(columns))
    return {tap: torch.stack([one[tap] for one in grams]) for tap in grams[0]}, torch.stack(banks)


def measure(art: Art, settings: Sizes, crops: int = 10) -> Callable[[Painter], dict[str, float]]:
    """How far paintings of kept photographs are from kept works, patch by patch in grey, and how much of their forms is lost."""
    rng = rng_at(art.seed, 0, "held out")
    size, looks = settings.crop_px, range(min(8, len(art.looks)))
    photo = random_crops(art.photos_kept if art.photos_kept.images else art.photos, crops, size, rng, PHOTO_ZOOM).to(art.device)
    works = [grey(random_crops(art.works_of(i, "kept"), crops, size, rng, STYLE_ZOOM).to(art.device)) for i in looks]
    directions = F.normalize(torch.from_numpy(rng.normal(size=(49, 32)).astype(np.float32)).to(art.device), dim=0)

    @torch.no_grad()
    def figures(painter: Painter) -> dict[str, float]:
        style, lost = [], []
        for i in looks:
            code = art.code(torch.full((crops,), i, device=art.device))
            painted = grey(painter(photo, code))
            pairs = [(F.avg_pool2d(painted, k), F.avg_pool2d(works[i], k)) for k in SCALES]
            style.append(torch.stack([patch_style(ours, theirs, directions) for ours, theirs in pairs]).mean())
            lost.append(structure_lost(painted, grey(photo)))
        return {"style": float(torch.stack(style).mean()), "structure": float(torch.stack(lost).mean())}

    return figures
