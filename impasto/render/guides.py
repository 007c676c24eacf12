"""What a look wants to see beside the colour (depth, normals, motion ...), frame by frame: `--guide NAME=PATH`."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.guides import Guide, Planes, check_fits, fitted, plane
from impasto.media.windows import Windows
from impasto.render.alongside import Alongside, content
from impasto.render.brush import Brush


class Guides:
    """The guide layers of one shot."""

    def __init__(self, guides: Sequence[Guide], info: ClipInfo, numbers: Sequence[int]) -> None:
        self.guides, self._info = guides, info
        self._files = {guide.name: Alongside(guide.path, guide.decoding, numbers, "guide") for guide in guides}

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
                as_in = f", as in --guide {name}={file.path}:LAYER" if file.path.suffix.lower() == ".exr" else ""
                raise MediaError(told + as_in, file.path)
            check_fits(Windows.of(file.info), Windows.of(self._info), file.path)

    def check_frames(self, numbers: Sequence[int]) -> None:
        """Refuse guides that lack one of these frames."""
        for file in self._files.values():
            file.check(numbers)

    def beside(self, brush: Brush, frame: Frame) -> Planes | None:
        """What a brush wants beside a frame of the shot, or beside a proxy of it, [H,W,n]; None: nothing."""
        if not brush.guides:
            return None
        return np.concatenate([self._laid(self._files[name], frame) for name in brush.guides], axis=2)

    def _laid(self, file: Alongside, frame: Frame) -> Planes:
        found, (height, width) = file.frame(frame.number), frame.pixels.shape[:2]
        own, shot = Windows.of(file.info, found.tags), Windows.of(self._info, frame.tags)
        return fitted(plane(found), own, shot, (width, height), file.path)

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
