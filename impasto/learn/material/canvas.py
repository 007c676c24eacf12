"""Crops of painted frames and of those that nobody painted, and squares of the painted ones that are never learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.learn.material.data import rng_at
from impasto.learn.material.shot import Key, View

CONTEXT_PX = 32  # around a held-out square, for the generator to see
FEWEST_SQUARES = 4  # that a painting must have, for one of them to be kept back
Weight = NDArray[np.float32]  # [H,W]
Window = tuple[slice, slice]


class Canvas:
    """A frame as tensors to cut crops from, and where crops may lie."""

    def __init__(self, view: View, weight: Weight) -> None:
        self.seen = torch.from_numpy(np.ascontiguousarray(_planes(view).transpose(2, 0, 1)))  # [3+n,H,W]
        self.painted = torch.from_numpy(np.ascontiguousarray(view.painted.transpose(2, 0, 1))) if isinstance(view, Key) else None
        self.weight = torch.from_numpy(weight)[None]  # [1,H,W]
        self.places = np.argwhere(weight[::4, ::4] > 0) * 4  # crops are centred near what counts

    def window(self, side: int, rng: np.random.Generator) -> Window:
        """A square of the frame, about a random place that counts."""
        middle = self.places[int(rng.integers(len(self.places)))] + rng.integers(-side // 4, side // 4 + 1, 2)
        corner = [int(np.clip(m - side // 2, 0, whole - side)) for m, whole in zip(middle, self.weight.shape[1:], strict=True)]
        return slice(corner[0], corner[0] + side), slice(corner[1], corner[1] + side)


def _planes(view: View) -> NDArray[np.uint8] | NDArray[np.float16]:
    """RGB as it is where it is all there is (a quarter of the memory of floats); else in 0..1, with the guides behind it."""
    if not view.guides.shape[2]:
        return view.seen
    return np.concatenate([(view.seen / 255).astype(np.float16), view.guides], axis=2)


def canvas_of(view: View) -> Canvas:
    """A frame of which all counts that its matte covers."""
    return Canvas(view, (view.matte / 255).astype(np.float32))


def crops(
    canvases: Sequence[Canvas], count: int, side: int, rng: np.random.Generator, *, mirror: bool = False
) -> dict[str, Tensor]:
    """Crops `seen` [N,3+n,h,w], `weight` [N,1,h,w] and, of painted frames, `painted` [N,3,h,w]."""
    taken: dict[str, list[Tensor]] = {"seen": [], "weight": [], "painted": []}
    for _ in range(count):
        canvas = canvases[int(rng.integers(len(canvases)))]
        window, turned = canvas.window(side, rng), mirror and rng.random() < 0.5
        for name, crop in taken.items():
            whole: Tensor | None = getattr(canvas, name)
            if whole is not None:
                cut = unit(whole[:, window[0], window[1]])
                crop.append(cut.flip(2) if turned else cut)
    return {name: torch.stack(found) for name, found in taken.items() if found}


def unit(crop: Tensor) -> Tensor:
    """Bytes as 0..1, floats as they are."""
    return crop.float() / 255 if crop.dtype == torch.uint8 else crop.float()


@dataclass(frozen=True)
class Keeping:
    """How much of each painted frame is kept from being learnt, in squares of so many pixels."""

    share: float
    side: int
    seed: int

    def corners(self, key: Key) -> list[tuple[int, int]]:
        """Top left corners of the squares that are kept back; those under the matte only."""
        side, (height, width) = self.side, key.matte.shape
        grid = [(y, x) for y in range(0, height - side + 1, side) for x in range(0, width - side + 1, side)]
        counting = [(y, x) for y, x in grid if key.matte[y : y + side, x : x + side].mean() > 127]
        if not self.share or len(counting) < FEWEST_SQUARES:
            return []
        order = rng_at(self.seed, key.number % 2**32, "held").permutation(len(counting))
        return [counting[int(i)] for i in order[: max(1, round(self.share * len(counting)))]]

    def learnt(self, key: Key) -> Canvas:
        """A painted frame of which only counts what may be learnt from."""
        weight = (key.matte / 255).astype(np.float32)
        for top, left in self.corners(key):
            weight[top : top + self.side, left : left + self.side] = 0
        return Canvas(key, weight)

    def squares(self, key: Key) -> list[Square]:
        """What is kept back of a painted frame."""
        canvas = canvas_of(key)
        return [_square(canvas, corner, self.side) for corner in self.corners(key)]


@dataclass(frozen=True)
class Square:
    """A square that is never learnt from: with its surroundings [1,3+n,h,w], what it should become, where it lies among them."""

    seen: Tensor
    goal: Tensor
    inner: Window


def _square(canvas: Canvas, corner: tuple[int, int], side: int) -> Square:
    assert canvas.painted is not None
    start = [max(0, c - CONTEXT_PX) for c in corner]  # multiples of the stride, as all of them are
    end = [min(whole // 4 * 4, c + side + CONTEXT_PX) for c, whole in zip(corner, canvas.weight.shape[1:], strict=True)]
    seen = unit(canvas.seen[:, start[0] : end[0], start[1] : end[1]])[None]
    goal = unit(canvas.painted[:, corner[0] : corner[0] + side, corner[1] : corner[1] + side])[None]
    inner = [slice(c - s, c - s + side) for c, s in zip(corner, start, strict=True)]
    return Square(seen, goal, (inner[0], inner[1]))
