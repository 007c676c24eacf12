"""Runs of consecutive frames to learn movement from, and the same smooth motion laid on a still: what a critic of stacks sees.

A run never crosses a cut. Runs lie evenly over the clip, so that a long one is seen from its beginning to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from impasto.errors import InputError, MediaError
from impasto.frame import Frame
from impasto.learn.material.data import Picture, as_seen, open_shot, random_motion, resize, to_tensor, to_uint8
from impasto.losses import Motion
from impasto.media.cuts import find_cuts

RUNS, RUN = 10, 20  # of a long clip, so many runs of so many frames
WIDEST_MOTION_PX = 12.0  # what a `random_motion` comes to on average


@dataclass(frozen=True)
class Run:
    """Consecutive frames of one shot at working size."""

    frames: list[Picture]
    numbers: list[int]


@dataclass(frozen=True)
class Clip:
    """The runs of a clip, its size as it came, and how far its picture moves from frame to frame at working size."""

    name: str
    runs: list[Run]
    size: tuple[int, int]
    speed_px: float


def read_clip(path: Path, long_side: int, fewest: int, most_runs: int = RUNS) -> Clip:
    """Decode runs of at least `fewest` frames, evenly spread; a clip with none such is refused."""
    with open_shot(path) as reader:
        numbers = list(reader.numbers())
        if len(numbers) < fewest:
            many = "frame" if len(numbers) == 1 else "frames"
            raise MediaError(f"has {len(numbers)} {many}; movement is learnt from {fewest} or more in a row", path)
        stretches = _stretches(numbers, most_runs)
        frames = list(reader.read([number for stretch in stretches for number in stretch]))
        seen = {frame.number: resize(to_uint8(as_seen(frame, reader, path)), long_side) for frame in frames}
        size = (reader.info.width, reader.info.height)
    by_number = {frame.number: frame for frame in frames}
    runs = [
        Run([seen[number] for number in run], run)
        for stretch in stretches
        for run in _between_cuts([by_number[number] for number in stretch if number in by_number])
        if len(run) >= fewest
    ]
    if not runs:
        raise InputError(f"{path}: no {fewest} frames in a row without a cut; give a clip with longer shots")
    return Clip(path.name, runs, size, _speed(runs))


def _stretches(numbers: Sequence[int], most: int = RUNS) -> list[list[int]]:
    """All frames of a short clip; of a long one a few stretches from beginning to end."""
    if len(numbers) <= most * RUN:
        return [list(numbers)]
    starts = np.linspace(0, len(numbers) - RUN, most).round().astype(int)
    return [list(numbers[start : start + RUN]) for start in starts]


def _between_cuts(frames: list[Frame]) -> Iterator[list[int]]:
    """The numbers of the frames, parted where a shot begins or a frame is missing."""
    begins = {shot.first for shot in find_cuts(frames)}
    run: list[int] = []
    for number in (frame.number for frame in frames):
        if run and (number in begins or number != run[-1] + 1):
            yield run
            run = []
        run.append(number)
    yield run


def _speed(runs: Sequence[Run], most: int = 12) -> float:
    """Mean length of the optical flow between neighbouring frames, in working pixels."""
    pairs = [(run.frames[i], run.frames[i + 1]) for run in runs for i in range(len(run.frames) - 1)]
    flow, lengths = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST), []
    for place in np.linspace(0, len(pairs) - 1, min(most, len(pairs))).round().astype(int):
        before, after = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in pairs[place])
        moved = np.asarray(flow.calc(before, after, np.zeros((*before.shape, 2), np.float32)))
        lengths.append(float(np.linalg.norm(moved, axis=2).mean()))
    return float(np.mean(lengths))


def clip_crops(runs: Sequence[Run], offsets: Sequence[int], count: int, size: int, rng: np.random.Generator) -> Tensor:
    """[count,3,T,size,size]: the same square of frames at these offsets, from runs drawn at random; half of them mirrored."""
    long_enough = [run for run in runs if len(run.frames) > offsets[-1]]
    crops = []
    for _ in range(count):
        run = long_enough[int(rng.integers(len(long_enough)))]
        height, width = run.frames[0].shape[:2]
        side = min(size, height, width)
        first = int(rng.integers(len(run.frames) - offsets[-1]))
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        squares = [run.frames[first + offset][top : top + side, left : left + side] for offset in offsets]
        if side != size:
            squares = [np.asarray(cv2.resize(s, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8) for s in squares]
        flip = slice(None, None, -1 if rng.random() < 0.5 else 1)
        crops.append(to_tensor([s[:, flip] for s in squares]).transpose(0, 1))
    return torch.stack(crops)


def moved_stills(stills: Tensor, offsets: Sequence[int], speed_px: float, rng: np.random.Generator) -> Tensor:
    """Stills [N,3,S,S] as frames [N,3,T,S,S] of a smooth camera move that goes on at `speed_px`, each with fresh grain."""
    count, size = len(stills), stills.shape[2]
    motion = Motion(**random_motion(count, size, rng))
    axis = (torch.arange(size, dtype=torch.float32) + 0.5) * 2 / size - 1
    still = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
    pace = min(3.0, max(0.1, speed_px)) / WIDEST_MOTION_PX  # faster than three pixels a frame leaves too little of the square
    middle = offsets[len(offsets) // 2]
    grain = motion.noise.std()
    frames = []
    for offset in offsets:
        grid = still + (motion.grid - still) * pace * (offset - middle)
        step = Motion(grid, motion.inside, motion.gain, motion.bias, torch.zeros_like(motion.noise))
        noise = torch.from_numpy(rng.normal(0, 1, stills.shape).astype(np.float32)) * grain
        frames.append((step.film(stills) + noise).clamp(0, 1))
    return torch.stack(frames, 2)
