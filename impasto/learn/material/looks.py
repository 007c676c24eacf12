"""Many looks at once: which picture belongs to which look, what each look is like, and photographs kept back to judge by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.errors import InputError
from impasto.learn.material.data import (
    SMALLEST_PX,
    Material,
    Picture,
    Pictures,
    gather_photos,
    gather_references,
    read_pictures,
    resize,
    to_tensor,
)
from impasto.learn.material.places import folders_in, overlooked, pictures_in
from impasto.learn.material.taught import SUFFIX, Taught, open_taught
from impasto.learn.run.loop import on_device
from impasto.losses import gram_style, patch_style
from impasto.models.perception import TAPS, Features, Perception, distance_to_nearest

if TYPE_CHECKING:
    from pydantic import BaseModel

    from impasto.learn.job import TrainJob
    from impasto.models.blocks import Painter
    from impasto.styles.package import StyleFile

NEAREST_TAP = "relu3_1"
MOST_PICTURES = 12  # of a look, to work out what it is like
BANK_ROWS = 16384  # texture samples kept per look
HELD_OUT, HELD_SHARE = 4, 8  # at most so many photographs are kept back, and no more than one in so many
HELD_PX = 160
LISTS = ("images", "names", "sizes", "hashes")
Statistics = dict[str, Tensor]


@dataclass
class Looks(Material):
    """Material of several looks; `pictures_of` says which references are whose."""

    looks: list[str] = field(default_factory=list)
    pictures_of: list[list[int]] = field(default_factory=list)
    held: Pictures = field(default_factory=lambda: Pictures([]))  # photographs that are never learnt from
    taught: dict[int, Taught] = field(default_factory=dict)  # looks that come with a network that paints them
    known: dict[int, Judge] = field(default_factory=dict)

    def judge(self, side: int) -> Judge:
        """What each look is like with its pictures' long side at so many pixels; worked out once."""
        if side not in self.known:
            self.known[side] = Judge(self, side)
        return self.known[side]

    def pictures(self, look: int) -> list[Picture]:
        """What a look is learnt from."""
        return [self.references.images[i] for i in self.pictures_of[look]]


def gather_looks(job: TrainJob, settings: BaseModel, perception: Perception | None, device: torch.device) -> Looks:
    """One look per picture, called by its file; one per sub-folder of a folder, called by the sub-folder; one per style file."""
    side = getattr(settings, "style_side", 512)
    found = Looks(Pictures([]), Pictures([]), perception, job.seed, device)
    alone: dict[str, str] = {}  # of looks of one picture, its hash and name
    _keep_back(found, gather_photos(job.places(), getattr(settings, "photo_side", 512) * 5 // 4))
    for place in job.references:
        if place.suffix == SUFFIX:
            taught = open_taught(place, device)
            _join(found, called(taught.name), taught.pictures(_spread(found.photos.images, MOST_PICTURES), side))
            found.taught[len(found.looks) - 1] = taught
            continue
        looks, refused = _looks_of(place, side)
        found.references.refused.extend(refused)
        for name, pictures in looks:
            same = alone.get(pictures.hashes[0]) if len(pictures.hashes) == 1 else None
            if same:
                found.references.refused.append(f"{pictures.names[0]}: is the same picture as {same}, and one look is made of it")
                continue
            if len(pictures.hashes) == 1:
                alone[pictures.hashes[0]] = pictures.names[0]
            _join(found, name, pictures)
    return found


def gather_one_look(job: TrainJob, settings: BaseModel, perception: Perception | None, device: torch.device) -> Looks:
    """All references as one look."""
    references = gather_references(job.references, getattr(settings, "style_side", 512))
    found = Looks(Pictures([]), Pictures([]), perception, job.seed, device)
    _join(found, "look", references)
    found.references.refused = references.refused
    _keep_back(found, gather_photos(job.places(), getattr(settings, "photo_side", 512) * 5 // 4))
    return found


def _looks_of(place: Path, side: int) -> tuple[list[tuple[str, Pictures]], list[str]]:
    """The looks of one reference by name, and what was left out of it."""
    if not place.is_dir():
        return _one_each(gather_references([place], side))
    folders, loose = folders_in(place), pictures_in(place)
    if not folders and not loose:
        raise InputError(f"{place}: holds neither pictures nor folders of pictures to learn looks from")
    looks, refused = _one_each(read_pictures(loose, side, SMALLEST_PX, flat=False))
    refused += overlooked(place)
    for inner in folders:
        pictures = gather_references([inner], side)
        looks.append((called(inner.name), pictures))
        refused += pictures.refused
    return looks, refused


def _one_each(pictures: Pictures) -> tuple[list[tuple[str, Pictures]], list[str]]:
    each = zip(pictures.images, pictures.names, pictures.sizes, pictures.hashes, strict=True)
    looks = [(called(Path(name).stem), Pictures([image], [name], [size], [told])) for image, name, size, told in each]
    return looks, list(pictures.refused)


def _join(found: Looks, name: str, pictures: Pictures) -> None:
    if name in found.looks:
        raise InputError(f"{', '.join(pictures.names[:2])}: a second look would be called '{name}'; rename its file or folder")
    first = len(found.references.images)
    for part in LISTS:
        getattr(found.references, part).extend(getattr(pictures, part))
    found.looks.append(name)
    found.pictures_of.append(list(range(first, first + len(pictures.images))))


def _keep_back(found: Looks, photos: Pictures) -> None:
    """Put a few photographs aside, spread over the list; a lone photograph must serve for both."""
    count = len(photos.images)
    kept = max(1, min(HELD_OUT, count // HELD_SHARE))
    held = {round((i + 0.5) * count / kept - 0.5) for i in range(kept)}
    found.held = _some(photos, sorted(held))
    found.photos = _some(photos, [i for i in range(count) if i not in held] or [0])
    found.photos.refused.extend(photos.refused)


def _some(pictures: Pictures, chosen: Sequence[int]) -> Pictures:
    some = Pictures([])
    for kept in LISTS:
        setattr(some, kept, [getattr(pictures, kept)[i] for i in chosen])
    return some


def called(text: str) -> str:
    """A look's name as one word that can be typed behind a `#`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "look"


def settle(painter: Painter, style: StyleFile, pictures: Sequence[Picture]) -> None:
    """Let a network of many looks become one of one: its code starts as its encoder reads the pictures, and then learns too."""
    if "code" not in dict(painter.named_buffers()):
        return
    code = painter.get_buffer("code").clone()
    if style.card.encoder_sha256 and pictures:
        from impasto.engine.encode import read_code

        read = [read_code(style.encoder(), picture) for picture in _spread(pictures, MOST_PICTURES)]
        code.copy_(torch.tensor(read).mean(0))
    del painter.code
    painter.code = nn.Parameter(code)


class Judge:
    """What each look is like: as a teacher sees it, or, without one, as raw patches."""

    def __init__(self, material: Looks, side: int) -> None:
        self.perception, self.device = material.perception, material.device
        self.grams: list[Statistics] = []
        self.banks: list[Tensor] = []  # [m,wide] unit columns
        if self.perception is not None:
            for look in range(len(material.looks)):
                pictures = _spread(material.pictures(look), MOST_PICTURES)
                self._learn([on_device(to_tensor([resize(picture, side)]), self.device) for picture in pictures])

    @torch.no_grad()
    def _learn(self, pictures: Sequence[Tensor]) -> None:
        seen = [self.see(picture) for picture in pictures]
        grams = [statistics(taps) for taps in seen]
        self.grams.append({tap: torch.stack([gram[tap] for gram in grams]).mean(0) for tap in grams[0]})
        self.banks.append(torch.cat([bank(taps, BANK_ROWS // len(seen)) for taps in seen]))

    def see(self, pictures: Tensor, taps: Sequence[str] = TAPS) -> dict[str, Features]:
        """Features of pictures [N,3,H,W]."""
        assert self.perception is not None, "nobody sees without a teacher"
        seen: dict[str, Features] = self.perception(pictures, taps)
        return seen

    @torch.no_grad()
    def distance(self, painted: Tensor, look: int, reference: Tensor) -> float:
        """How far paintings are from a look: the root of the relative Gram error; of raw patches where there is no teacher."""
        if self.perception is None:
            return float(raw_distance(painted, reference))
        return float(gram_style(self.see(painted), self.grams[look]).sqrt())


def statistics(taps: dict[str, Features]) -> Statistics:
    """The mean Gram matrix of some pictures, per tap."""
    return {tap: features.gram().mean(0) for tap, features in taps.items()}


def bank(taps: dict[str, Features], rows: int) -> Tensor:
    """Up to so many texture samples [m,wide], evenly from all over the pictures."""
    features = taps[NEAREST_TAP]
    size = features.values.shape[2] * features.values.shape[3]
    places = torch.arange(0, size, max(1, -(-size // max(1, rows))), device=features.values.device)
    return features.columns(places).flatten(0, 1)


def texture(taps: dict[str, Features], theirs: Tensor, columns: int) -> Tensor:
    """How far the painting's texture is from the nearest that the artist painted, at places drawn at random."""
    features = taps[NEAREST_TAP]
    some = theirs[torch.randperm(len(theirs), device=theirs.device)[:columns]]
    size = features.values.shape[2] * features.values.shape[3]
    places = torch.randperm(size, device=theirs.device)[: max(1, columns // len(features.values))]
    return distance_to_nearest(features.columns(places), some)


def part(taps: dict[str, Features], which: slice) -> dict[str, Features]:
    """The features of some of the pictures."""
    return {tap: Features(features.values[which], features.widen) for tap, features in taps.items()}


def raw_distance(painted: Tensor, reference: Tensor) -> Tensor:
    """Sliced distance of raw patches at three sizes, for two batches of one shape."""
    directions = F.normalize(torch.randn(147, 64, device=painted.device), dim=0)
    sizes = [(painted, reference), *((F.avg_pool2d(painted, k), F.avg_pool2d(reference, k)) for k in (2, 4))]
    return torch.stack([patch_style(ours, theirs, directions) for ours, theirs in sizes]).sum()


def middles(pictures: Sequence[Picture], size: int = HELD_PX) -> Tensor:
    """[N,3,size,size]: the middle square of each picture, for figures that must not depend on chance."""
    squares = []
    for picture in pictures:
        side = min(picture.shape[:2])
        top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
        square = picture[top : top + side, left : left + side]
        squares.append(square if side == size else resize(np.ascontiguousarray(square), size))
    return to_tensor(squares)


def _spread(pictures: Sequence[Picture], most: int) -> list[Picture]:
    """At most so many of them, evenly from the whole list."""
    if len(pictures) <= most:
        return list(pictures)
    return [pictures[i * len(pictures) // most] for i in range(most)]
