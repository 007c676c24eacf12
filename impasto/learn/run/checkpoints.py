"""Checkpoints: written beside, synced, read back, renamed. A kill at any moment leaves the ones before."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

KEPT = 2
PATTERN = "step-*.checkpoint"
BEST = "best.checkpoint"
State = dict[str, Any]


def is_healthy(state: object) -> bool:
    """Whether every number in weights, buffers and optimisers is finite."""
    if isinstance(state, Tensor):
        return bool(torch.isfinite(state).all()) if state.is_floating_point() else True
    if isinstance(state, dict):
        return all(is_healthy(part) for part in state.values())
    return all(is_healthy(part) for part in state) if isinstance(state, list | tuple) else True


def write(folder: Path, step: int, state: State) -> Path | None:
    """Write a checkpoint, unless it is sick; older ones beyond the last two go only after it is safe."""
    if not is_healthy(state):
        return None
    path = _write(folder / f"step-{step:08d}.checkpoint", state)
    for old in sorted(folder.glob(PATTERN))[:-KEPT]:
        old.unlink()
    return path


def write_best(folder: Path, state: State) -> Path | None:
    """Keep the best weights so far beside the newest."""
    return _write(folder / BEST, state) if is_healthy(state) else None


def _write(path: Path, state: State) -> Path:
    beside = path.with_suffix(".writing")
    with beside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    torch.load(beside, weights_only=True)  # a checkpoint that cannot be read back must not replace one that can
    beside.replace(path)
    return path


def read_newest(folder: Path, device: torch.device) -> tuple[State | None, Path | None, list[str]]:
    """The newest checkpoint that can be read, its path, and what was passed over on the way to it."""
    return _read(sorted(folder.glob(PATTERN), reverse=True), device)


def read_best(folder: Path, device: torch.device) -> State | None:
    """The best weights, if any were kept and can be read."""
    return _read(folder.glob(BEST), device)[0]


def _read(paths: Iterable[Path], device: torch.device) -> tuple[State | None, Path | None, list[str]]:
    passed_over: list[str] = []
    for path in paths:
        try:
            state: State = torch.load(path, weights_only=True, map_location=device)
        except Exception as error:  # damaged on disk: the one before it is as good as an earlier kill
            passed_over.append(f"{path.name}: {type(error).__name__}")
            continue
        return state, path, passed_over
    return None, None, passed_over
