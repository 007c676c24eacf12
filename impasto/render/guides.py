"""What a look wants to see beside the colour (depth, normals, motion ...), frame by frame: `--guide NAME=PATH`."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from impasto.errors import InputError, MediaError
from impasto.frame import Pixels
from impasto.media.guides import Guide, Planes, fitted, plane
from impasto.render.alongside import Alongside, content
from impasto.render.brush import Brush


class Guides:
    """The guide layers of one shot."""

    def __init__(self, guides: Sequence[Guide], numbers: Sequence[int]) -> None:
        self.guides = guides
        self._files = {guide.name: Alongside(guide.path, guide.layer, numbers, "guide") for guide in guides}

    def check(self, brushes: Sequence[Brush]) -> None:
        """Refuse what a look misses, what no look asks for, and a layer of another kind than the look learnt with."""
        for brush in brushes:
            check_given(brush, list(self._files))
        for name, file in self._files.items():
            planes = {brush.guides[name] for brush in brushes if name in brush.guides}
            has = 1 if file.info.channels <= 2 else 3
            if not planes:
                wanted = ", ".join(sorted({each for brush in brushes for each in brush.guides})) or "none"
                raise InputError(f"--guide {name}: no look here asks for it (asked for: {wanted}); leave it out")
            if planes != {has}:
                told = f"{name} was learnt from {planes.pop()} planes and this has {has}: give the layer it was learnt from"
                raise MediaError(told, file.path)

    def beside(self, brush: Brush, number: int, width: int, height: int) -> Planes | None:
        """What a brush wants beside a frame of the shot, [H,W,n]; None: nothing."""
        if not brush.guides:
            return None
        seen = (self._files[name] for name in brush.guides)
        return np.concatenate([fitted(plane(file.frame(number)), width, height, file.path) for file in seen], axis=2)

    def identity(self) -> dict[str, str]:
        """What they hold, by name."""
        return {guide.name: f"{guide.layer}:{content(guide.path)}" for guide in self.guides}

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()


def check_given(brush: Brush, names: Sequence[str]) -> None:
    """Refuse to paint with a look that wants to see more than it is given."""
    missing = [name for name in brush.guides if name not in names]
    if missing:
        told = " ".join(f"--guide {name}=FILE" for name in missing)
        raise InputError(f"{brush.name} was learnt with guides, which it needs to paint: give {told}")


def joined(colour: Pixels, beside: Planes | None) -> Pixels:
    """Colour and what a brush sees beside it, as it takes the two: float32; colour alone as it is."""
    if beside is None:
        return colour
    white = np.iinfo(colour.dtype).max if np.issubdtype(colour.dtype, np.integer) else 1
    return np.dstack([colour.astype(np.float32) / np.float32(white), beside])
