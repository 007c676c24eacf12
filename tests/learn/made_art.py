"""Art that is made here: hatched sheets in ink on coloured paper, soft photographs, and a clip whose hatching moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from impasto.learn.material.data import Picture
from impasto.models.generators.swift import Generator, Settings

NIGHT, PAPER = (70, 40, 110), (235, 215, 160)  # sheets to hatch on


def soft(seed: int, size: int = 160) -> Picture:
    """A picture of soft coloured forms, as photographs have."""
    rough = np.random.default_rng(seed).integers(30, 226, (5, 5, 3), np.uint8)
    return np.asarray(cv2.resize(rough, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)


def hatched(seed: int, paper: tuple[int, int, int] = NIGHT, size: int = 160, shift: float = 0.0) -> Picture:
    """Dark diagonal lines, broad where the forms are dark, on one colour of paper."""
    light = soft(seed, size).mean(2)
    down, across = np.mgrid[:size, :size]
    line = (down + across + shift) % 8 < 5 - light / 80
    return np.where(line[..., None], np.uint8([25, 15, 40]), np.uint8(paper))


def save(folder: Path, pictures: list[Picture]) -> Path:
    """Pictures as files of a new folder."""
    folder.mkdir(parents=True)
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{i:04d}.png")
    return folder


def tiny(code: int = 0) -> Generator:
    """A generator that learns in seconds."""
    torch.manual_seed(0)
    return Generator(Settings(width=16, blocks=2, head=8, code=code))


def learn(recipe: ModuleType, settings: Any, material: Any, generator: Generator, steps: int) -> list[dict[str, float]]:
    """The recipe's own steps in a loop as plain as can be; what each came to."""
    networks, batch_at, take = (f(settings, material) for f in (_networks(recipe, generator), recipe.batches, recipe.step))
    own = [*networks.generator.parameters(), *networks.helpers.parameters()]
    optimisers = [torch.optim.Adam(own, 6e-3, (0.5, 0.99)), torch.optim.Adam(networks.critic.parameters(), 1e-3, (0.5, 0.99))]
    parts = []
    for i in range(steps):
        torch.manual_seed(i)
        outcome = take(networks, batch_at(i), i / steps)
        for optimiser, loss in zip(optimisers, (outcome.generator, outcome.critic), strict=True):
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        parts.append(outcome.parts)
    generator.eval()
    return parts


def _networks(recipe: ModuleType, generator: Generator) -> Callable[[Any, Any], Any]:
    return lambda settings, material: recipe.networks(settings, material, generator)
