"""Grain: how much of it a shot has, at which brightness and how coarse, measured once; and laid on the painting anew."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import ceil
from typing import Self

import numpy as np

from impasto.frame import Pixels
from impasto.media.oklab import as_float, as_stored, in_bands
from impasto.render.post import Letterbox

BLOCK_PX = 16  # places are judged in pairs of blocks of this size
LEVELS = 8  # of brightness
REACH_PX = 4  # how far apart grains may be and still know of each other
QUIET = 0.2  # the share of places, of one brightness, that is taken to be flat
MOST_BLOCKS = 4096  # of one frame
MOST_CUT = 0.01  # of a block: more pixels at black or white would make grain look smaller than it is
MOST_UNLIKE = 1.3  # grain is everywhere the same, texture is not: where quiet blocks differ more than that they hold texture
STEEP = 1.6  # grain changes slowly with brightness: by no more than this, in variance, from level to level
SMALL_PX = 8  # between fine details only small blocks are flat; these tell whether there is grain at all
LEAST_SMALL, MOST_SMALL, SHARE_SMALL = 16, 32, 0.02  # how many of the quietest of them do
MOST_LOUD = 9  # how much more variance a channel may have than the quietest
FAINT = (0.7 / 255) ** 2  # variance: a channel quieter than that somewhere has no grain that anyone would see
# How fine grain of a blur of 1.2 to 0 px looks in small blocks, and how much more of it there is than they show: found by trying.
COARSE = ((0.28, 0.33, 0.40, 0.52, 0.65, 0.82, 0.97, 1.05), (2.37, 1.93, 1.67, 1.45, 1.32, 1.22, 1.16, 1.14))
FLAT = 0.05  # the share of blocks that tells how grain clumps
FAINTEST = 1e-9  # variance: below it there is nothing but rounding
FEWEST = 32  # blocks that say anything about a level
SHEET_PX = 1024  # of grain that is made once and laid each time at another place
STEPS = 1024  # of brightness, between which grain does not change

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Grain:
    """The grain of a shot: its spread by brightness for each channel, how it clumps, and how alike the channels' grain is."""

    spread: Rows  # [3][LEVELS], of 0..1
    clump: Rows  # [2 REACH_PX + 1] squared: correlation of a grain with those around it
    alike: Rows  # [3][3]: correlation between the channels

    @classmethod
    def measure(cls, frames: Sequence[Pixels]) -> Self:
        """Measure the grain in the flat places of a few frames from all over a shot.

        A place is taken for flat because the block beside it is quiet: choosing the quiet blocks themselves would find less
        grain than there is.
        """
        assert frames, "grain is measured in samples of the shot"
        box = Letterbox.find(frames)  # bars have none
        pictures = [box.of(frame) for frame in frames]
        means, rest, trust = _all_blocks(pictures, BLOCK_PX)
        variance = np.square(rest).mean(axis=(1, 2))  # [N,3]
        least = _least(pictures)
        if least.min() < FAINT:
            levels = np.full((3, LEVELS), least.min())
        else:
            joint = np.where(np.isfinite(trust), _joint(trust)[:, None], np.inf)
            levels = np.stack([_by_level(*channel) for channel in zip(means.T, variance.T, joint.T, least, strict=True)])
        clump, alike = _correlations(rest[_flat(means, variance, trust, levels)])
        rounding = 1 / (12 * np.iinfo(frames[0].dtype).max ** 2) if np.issubdtype(frames[0].dtype, np.integer) else 0.0
        return cls(_rows(np.sqrt((levels - rounding).clip(0))), _rows(clump), _rows(alike))

    def lay(self, pixels: Pixels, number: int, seed: int = 0, amount: float = 1.0) -> Pixels:
        """The pixels with this grain on them, another for each frame number and seed. 0 hands them back.

        Towards black and white it fades, as there grain would be cut on one side and lift or dim the picture.
        """
        if amount == 0 or not np.any(self.spread):
            return pixels
        noise = self._placed((pixels.shape[0], pixels.shape[1]), number, seed)
        spreads = self._table() * np.float32(amount)

        def grainy(pixels: Pixels, noise: Pixels) -> Pixels:
            values = as_float(pixels)
            steps = np.clip(values * np.float32(STEPS - 1) + np.float32(0.5), 0, STEPS - 1).astype(np.int32)
            room = np.maximum(np.minimum(values, 1 - values), 0) / 2
            here = np.stack([spreads[channel].take(steps[..., channel]) for channel in range(3)], axis=2)
            return as_stored(values + noise * np.minimum(here, room), pixels.dtype)

        return in_bands(grainy, pixels, noise)

    def _table(self) -> Pixels:
        """Spread for each step of brightness, [3,STEPS]."""
        centres, steps = (np.arange(LEVELS) + 0.5) / LEVELS, np.linspace(0, 1, STEPS)
        return np.array([np.interp(steps, centres, row) for row in self.spread], np.float32)

    def _placed(self, size: tuple[int, int], number: int, seed: int) -> Pixels:
        """The sheet of grain, laid at a place of this frame's own and turned its own way."""
        random = np.random.default_rng([abs(seed), abs(number), seed < 0, number < 0])
        sheet = _sheet(self.clump, self.alike, seed)
        down, across, turns = random.integers(0, (SHEET_PX, SHEET_PX, 4)).tolist()
        sheet = sheet[:: 1 - 2 * (turns & 1), :: 1 - (turns & 2)]
        rows, columns = (np.arange(length) for length in size)
        return np.asarray(sheet[(rows + down)[:, None] % SHEET_PX, (columns + across) % SHEET_PX])


def _all_blocks(frames: Sequence[Pixels], size: int) -> tuple[Pixels, Pixels, Pixels]:
    means, rest, trust = (np.concatenate(each) for each in zip(*(_blocks(frame, size) for frame in frames), strict=True))
    return means, rest, trust


def _blocks(frame: Pixels, size: int) -> tuple[Pixels, Pixels, Pixels]:
    """Blocks from all over a frame: their means [N,3], what is left of them when flattened [N,B,B,3], and how loud it is beside
    each, [N,3]; that is infinite where values are cut.
    """
    height, width = frame.shape[0] // size, frame.shape[1] // (2 * size) * 2
    grid = frame[: height * size, : width * size].reshape(height, size, width, size, 3).swapaxes(1, 2)
    some = np.ascontiguousarray(grid[:: max(1, height * width // MOST_BLOCKS)])
    blocks = as_float(some).reshape(-1, size, size, 3)
    rest = _flattened(blocks)
    is_cut = ((blocks <= 0) | (blocks >= 1)).mean(axis=(1, 2)) > MOST_CUT
    loud = np.where(is_cut, np.inf, np.square(rest).mean(axis=(1, 2)))
    beside = loud.reshape(-1, 2, 3)[:, ::-1].reshape(-1, 3)
    return blocks.mean(axis=(1, 2)), rest, np.where(is_cut, np.inf, beside)


def _flattened(blocks: Pixels) -> Pixels:
    """Blocks [N,B,B,3] without their mean and their slope."""
    ramp = np.linspace(-1, 1, blocks.shape[1], dtype=np.float32)
    level = blocks - blocks.mean(axis=(1, 2), keepdims=True)
    for along in (ramp[:, None, None], ramp[None, :, None]):
        level = level - along * (level * along).mean(axis=(1, 2), keepdims=True) / np.square(ramp).mean()
    return np.asarray(level)


def _joint(trust: Pixels) -> Pixels:
    """How loud it is beside each block in the loudest of its channels that are not cut; infinite where all are."""
    return np.where(np.isfinite(trust).any(axis=1), np.where(np.isfinite(trust), trust, 0).max(axis=1), np.inf)


def _least(frames: Sequence[Pixels]) -> Pixels:
    """The variance of each channel, [3], where the picture is quietest in all: as grain is everywhere, it is that loud."""
    _, rest, trust = _all_blocks(frames, SMALL_PX)
    joint = _joint(trust)
    order = np.argsort(joint, kind="stable")[: np.isfinite(joint).sum()]
    found, more = np.zeros(3), np.ones(3)
    for channel in range(3):
        here = order[np.isfinite(trust[order, channel])]
        quiet = rest[here[: int(np.clip(SHARE_SMALL * len(here), LEAST_SMALL, MOST_SMALL))], ..., channel]
        if len(quiet) >= LEAST_SMALL:
            variance = np.square(quiet).mean(axis=(1, 2))
            fineness = np.median(np.square(np.diff(quiet, axis=2)).mean(axis=(1, 2)) / np.maximum(2 * variance, 1e-12))
            found[channel], more[channel] = np.quantile(variance, 0.35), _lost(float(fineness))
    seen = found > 0
    quietest = found[seen].min() if seen.any() else 0.0
    if quietest < FAINT:
        return np.full(3, quietest)
    return np.where(seen, np.minimum(found, MOST_LOUD * quietest), quietest) * more


def _lost(fineness: float) -> float:
    """How much more grain there is than small flattened blocks show: of coarse grain, much goes with their slopes."""
    return float(np.interp(fineness, *COARSE))


def _by_level(means: Pixels, variance: Pixels, trust: Pixels, least: float) -> Pixels:
    """The variance of grain at each level of brightness in one channel; between and beyond what was seen, what is likely."""
    level = np.minimum(means * LEVELS, LEVELS - 1).astype(int)
    even: dict[int, float] = {}
    for number in range(LEVELS):
        here = np.flatnonzero((level == number) & np.isfinite(trust))
        if len(here) >= FEWEST:
            quiet = here[np.argsort(trust[here], kind="stable")[: max(FEWEST, round(QUIET * len(here)))]]
            low, likely, middle = np.quantile(variance[quiet], [0.2, 0.35, 0.5]).tolist()
            if middle <= MOST_UNLIKE * low:
                even[number] = likely
    alike = [number for number in even if 1 / STEEP < even[number] / least < STEEP]
    if len(even) < 2 or not alike:  # nothing but texture: grain is what the quietest places hold
        return np.full(LEVELS, least)
    first = min(alike, key=lambda number: abs(np.log(even[number] / least)))
    taken = [first]
    for number in sorted(even, key=lambda number: abs(number - first)):
        near = min(taken, key=lambda other: abs(other - number))
        most = STEEP ** abs(near - number)
        if number != near and 1 / most < even[number] / even[near] < most:
            taken.append(number)
    taken.sort()
    return np.asarray(np.interp(range(LEVELS), taken, [even[number] for number in taken]))


def _flat(means: Pixels, variance: Pixels, trust: Pixels, levels: Pixels) -> Pixels:
    """The blocks that are flat if any are: they, and those beside them, hold what grain makes at that brightness."""
    level = np.minimum(means * LEVELS, LEVELS - 1).astype(int)
    expected = np.maximum(np.take_along_axis(levels.T, level, axis=0), 1e-12)  # [N,3]
    unlike = np.maximum(trust / expected, expected / np.maximum(trust, 1e-12))
    unlike = np.maximum(unlike, np.maximum(variance / expected, expected / np.maximum(variance, 1e-12))).max(axis=1)
    return np.asarray(np.argsort(unlike, kind="stable")[: ceil(FLAT * np.isfinite(unlike).sum())])


def _correlations(rest: Pixels) -> tuple[Pixels, Pixels]:
    """How grain in flat blocks [N,B,B,3] goes with the grain around it, and from channel to channel."""
    clump, span = np.zeros((2 * REACH_PX + 1, 2 * REACH_PX + 1)), range(-REACH_PX, REACH_PX + 1)
    clump[REACH_PX, REACH_PX] = 1
    power = np.square(rest).mean(axis=(0, 1, 2)) if len(rest) else np.zeros(3)
    if power.min() < FAINTEST:  # no flat place, or no grain
        return clump, np.eye(3)
    rest = rest / np.sqrt(power)
    for down, across in product(range(REACH_PX + 1), span):
        one = rest[:, down:, max(across, 0) : BLOCK_PX + min(across, 0)]
        other = rest[:, : BLOCK_PX - down, max(-across, 0) : BLOCK_PX + min(-across, 0)]
        value = float((one * other).mean())
        clump[REACH_PX + down, REACH_PX + across] = clump[REACH_PX - down, REACH_PX - across] = value
    flat = rest.reshape(-1, 3).astype(np.float64)
    return clump, flat.T @ flat / len(flat)


@lru_cache(maxsize=2)
def _sheet(clump: Rows, alike: Rows, seed: int) -> Pixels:
    """A large piece of grain of spread 1, [SHEET_PX,SHEET_PX,3], that goes on seamlessly where it ends."""
    around = np.zeros((SHEET_PX, SHEET_PX), np.float32)
    around[: len(clump), : len(clump)] = clump
    strength = np.sqrt(np.fft.rfft2(np.roll(around, (-REACH_PX, -REACH_PX), axis=(0, 1))).real.clip(0))
    random = np.random.default_rng([abs(seed), seed < 0])
    planes = []
    for _ in range(3):
        white = random.standard_normal((SHEET_PX, SHEET_PX), np.float32)
        plane = np.fft.irfft2(np.fft.rfft2(white) * strength, s=white.shape)
        planes.append(plane / plane.std())
    values, axes = np.linalg.eigh(np.array(alike))
    mixing = axes * np.sqrt(values.clip(0)) @ axes.T
    return np.asarray(np.stack(planes, axis=2) @ mixing, np.float32)


def _rows(table: Pixels) -> Rows:
    return tuple(tuple(row) for row in table.tolist())
