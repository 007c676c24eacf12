"""All paintings together beside all references: what one picture cannot say, FID, KID, precision and recall (metrics.py)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from impasto.evaluate.eye import Eye, Row
from impasto.evaluate.metrics import set_figures
from impasto.evaluate.pairing import as_shown, fitted

FEWEST = 8  # pictures that make a set, on either side
MOST = 512  # references that are looked at


class Crowd:
    """Paintings and their sources as they pass, by what an eye saw of them last."""

    def __init__(self, references: Sequence[Path], side: int) -> None:
        self._files, self._side = references, side
        self._sources: list[Tensor] = []
        self._paintings: list[Tensor] = []

    def take(self, eye: Eye) -> None:
        """The pair that was judged last."""
        assert eye.means is not None, "nothing has been judged yet"
        source, painting = eye.means
        self._sources.append(source)
        self._paintings.append(painting)

    def figures(self, eye: Eye) -> Row:
        """The figures of the paintings, and of their sources; none where either side has too few pictures."""
        if min(len(self._files), len(self._paintings)) < FEWEST:
            return {}
        theirs = torch.stack([eye.set_means(fitted(as_shown(file), self._side)) for file in self._files])
        ours, before = (set_figures(torch.stack(many), theirs) for many in (self._paintings, self._sources))
        return ours | {f"{name}_source": value for name, value in before.items()}
