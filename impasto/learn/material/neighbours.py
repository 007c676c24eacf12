"""Neighbouring frames of one shot, and the same square of both: what a look must hold still on.

Frames keep their size, and squares begin where the networks' own grids do, so that a look sees them just as it will when the shot
is painted. A pair never crosses a cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from impasto.errors import InputError, MediaError
from impasto.learn.material.clips import RUN, RUNS, Run, read_clip
from impasto.learn.material.data import Picture, Pictures, even_numbers, open_shot, to_tensor
from impasto.media.flow import Plane, Step, follow

GRID_PX = 16  # a multiple of every painter's stride
SMALLEST_PX = 64
MOST_BYTES = 1 << 29  # of decoded frames; the flow between them takes thrice as much
EVERY = 8  # of so many frames in a row two neighbours are never learnt from
MOST_KEPT = 4  # pairs that are painted at each look
LEAST_FOLLOWED = 0.15  # of a frame; less tells nothing of steadiness


@dataclass(frozen=True)
class Pair:
    """A frame and the one before it."""

    before: Picture
    now: Picture
    number: int

    @cached_property
    def step(self) -> Step:
        """How the one came from the other; found when it is first asked for."""
        return follow(to_plane(self.now), to_plane(self.before))

    def cut_to(self, height: int, width: int) -> Pair:
        """The middle of both, where it begins on the grid."""
        tall, wide = self.now.shape[:2]
        height, width = (min(side, most) // GRID_PX * GRID_PX for side, most in ((height, tall), (width, wide)))
        top, left = ((there - side) // 2 // GRID_PX * GRID_PX for there, side in ((tall, height), (wide, width)))
        window = slice(top, top + height), slice(left, left + width)
        return Pair(self.before[window], self.now[window], self.number)


@dataclass(frozen=True)
class Neighbours:
    """The pairs of a shot that are learnt from, and those that are kept to measure on."""

    name: str
    learnt: list[Pair]
    kept: list[Pair]
    apart: bool  # whether no frame is in both

    @property
    def frames(self) -> Pictures:
        """Every frame that is learnt from, once, under its number."""
        found = {pair.number - 1: pair.before for pair in self.learnt} | {pair.number: pair.now for pair in self.learnt}
        numbers = sorted(found)
        images = [found[number] for number in numbers]
        names = [f"{self.name}, frame {number}" for number in numbers]
        hashes = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
        return Pictures(images, names, [(image.shape[1], image.shape[0]) for image in images], hashes)


def read_neighbours(path: Path) -> Neighbours:
    """Decode a shot in its own size, a long or large one in a few stretches from beginning to end."""
    with open_shot(path) as reader:
        width, height = reader.info.width, reader.info.height
    if min(width, height) < SMALLEST_PX:
        raise MediaError(f"is {width}x{height}, and steadiness is learnt on {SMALLEST_PX} pixels each way or more", path)
    most = min(RUNS, max(1, MOST_BYTES // (width * height * 3) // RUN))
    clip = read_clip(path, max(width, height), 2, most)
    learnt, kept = parted(clip.runs)
    told = [pair for pair in kept if pair.step.share >= LEAST_FOLLOWED]
    some = told or [pair for pair in learnt[:: max(1, len(learnt) // MOST_KEPT)] if pair.step.share >= LEAST_FOLLOWED]
    if not some:
        raise InputError(f"{path}: nothing can be followed from one frame to the next, so there is nothing to hold still on")
    chosen = [some[i] for i in even_numbers(range(len(some)), MOST_KEPT)]
    return Neighbours(clip.name, learnt, chosen, bool(told))


def parted(runs: Sequence[Run]) -> tuple[list[Pair], list[Pair]]:
    """Pairs to learn from, and others, of frames that are in none of those, to measure on."""
    learnt: list[Pair] = []
    kept: list[Pair] = []
    for run in runs:
        for i in range(1, len(run.frames)):
            pair = Pair(run.frames[i - 1], run.frames[i], run.numbers[i])
            away = abs(i % EVERY - EVERY // 2)  # the next to a kept pair share a frame with it, and are left out
            if away != 1:
                (learnt if away else kept).append(pair)
    return learnt, kept


def pair_squares(pairs: Sequence[Pair], count: int, side: int, rng: np.random.Generator) -> dict[str, Tensor]:
    """The same squares of both frames: `now`, `before` [N,3,S,S], the `flow` [N,2,S,S], and where it is `seen` [N,1,S,S]."""
    squares = [_square(pairs[int(rng.integers(len(pairs)))], side, rng) for _ in range(count)]
    now, before, flow, seen = zip(*squares, strict=True)
    flows = torch.from_numpy(np.stack(flow).transpose(0, 3, 1, 2).copy())
    return {"now": to_tensor(now), "before": to_tensor(before), "flow": flows, "seen": torch.from_numpy(np.stack(seen))[:, None]}


def _square(pair: Pair, side: int, rng: np.random.Generator) -> tuple[Picture, Picture, Plane, Plane]:
    height, width = pair.now.shape[:2]
    top, left = (GRID_PX * int(rng.integers((there - side) // GRID_PX + 1)) for there in (height, width))
    window = slice(top, top + side), slice(left, left + side)
    flow, followed = pair.step.flow[window], pair.step.followed[window]
    middle = np.median(flow[followed], axis=0) if followed.any() else np.zeros(2)
    above, beside = _beside(top, middle[1], height - side), _beside(left, middle[0], width - side)
    flow = flow - np.array([beside - left, above - top], np.float32)
    axis = np.arange(side, dtype=np.float32)
    to = flow + np.stack(np.meshgrid(axis, axis), axis=-1)
    seen = followed & (to >= 0).all(-1) & (to <= side - 1).all(-1)
    earlier = pair.before[above : above + side, beside : beside + side]
    return pair.now[window], earlier, flow, seen.astype(np.float32)


def _beside(start: int, moved: float, last: int) -> int:
    """Where the square of the frame before begins: on the grid, along with what moves."""
    wanted = start + round(float(moved) / GRID_PX) * GRID_PX
    return min(max(wanted, 0), last // GRID_PX * GRID_PX)


def to_plane(picture: Picture) -> Plane:
    """[H,W,3] in 0..1."""
    return np.asarray(picture / 255, np.float32)
