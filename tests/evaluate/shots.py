"""Small shots that move in a known way, and paintings of them that a measure must tell apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Frames = list[NDArray[np.float32]]
HEIGHT, WIDTH = 96, 128
RESTING = slice(0, 30)  # columns of a shot that pans beside something at rest


def texture(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Colourful blotches with detail of every size, in 0.1..0.9."""
    random = np.random.default_rng(seed)
    octaves = [cv2.GaussianBlur(random.normal(0, px, (height, width, 3)), (0, 0), px) for px in (1.2, 2.5, 6, 14)]
    blotches = np.sum([octave / octave.std() * weight for octave, weight in zip(octaves, (0.5, 0.7, 1, 1.4), strict=True)], 0)
    return np.asarray((0.5 + 0.11 * blotches).clip(0.1, 0.9), np.float32)


def pan(count: int = 11, speed: tuple[float, float] = (2.3, 0.8), resting: bool = False) -> Frames:
    """A texture that passes by at so many pixels a frame; with a strip at rest on its left where that is wanted."""
    large, fixed = texture(HEIGHT + 40, WIDTH + 80), texture(HEIGHT, WIDTH, seed=1)
    across, down = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    frames = []
    for number in range(count):
        at = across + np.float32(4 + number * speed[0]), down + np.float32(4 + number * speed[1])
        frame = np.asarray(cv2.remap(large, *at, cv2.INTER_CUBIC), np.float32).clip(0, 1)
        if resting:
            frame[:, RESTING] = fixed[:, RESTING]
        frames.append(frame)
    return frames


def recoloured(source: Frames) -> Frames:
    """Other colours and more contrast; nothing else."""
    return [np.asarray(1 - 0.9 * frame[..., ::-1], np.float32) for frame in source]


def noisy(source: Frames, spread: float = 0.05) -> Frames:
    """Every frame grained anew."""
    random = np.random.default_rng(3)
    return [np.asarray(frame + random.normal(0, spread, frame.shape), np.float32) for frame in source]


def gridded(source: Frames, flips: bool = False) -> Frames:
    """Under a checker that stays on the screen, or changes sides from frame to frame."""
    checker = (np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)) // 2 % 2)[..., None] * 0.16 - 0.08
    return [np.asarray(frame + checker * (-1) ** (number * flips), np.float32) for number, frame in enumerate(source)]


def pumped(source: Frames) -> Frames:
    """A little lighter, a little darker."""
    return [np.asarray(frame * (1 + 0.04 * (-1) ** number), np.float32) for number, frame in enumerate(source)]


def sticking(source: Frames) -> Frames:
    """Under paint that stays where it is while the picture moves."""
    paint = texture(HEIGHT, WIDTH, seed=9)
    paint = paint - cv2.GaussianBlur(paint, (0, 0), 2)
    return [np.asarray(frame + 1.5 * paint, np.float32) for frame in source]


def written(folder: Path, frames: Frames) -> Path:
    """The frames as pictures in a new folder, numbered from 1."""
    folder.mkdir()
    for number, frame in enumerate(frames, 1):
        Image.fromarray(np.rint(frame.clip(0, 1) * 255).astype(np.uint8)).save(folder / f"f.{number:04d}.png")
    return folder
