"""The motion that a renderer wrote, between frames of a shot: `--steady vectors`."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from impasto.errors import MediaError
from impasto.frame import ClipInfo
from impasto.media.flow import Plane, nearest
from impasto.media.guides import fitted
from impasto.media.ranges import runs, say
from impasto.media.vectors import Motion, VectorChannels, find_vectors, read_vectors
from impasto.media.windows import Windows, extent, lying_on
from impasto.render.alongside import content, files_of
from impasto.render.steady import Motions, Seen, Steadying

if TYPE_CHECKING:
    from impasto.render.errands import Clip

TURNS = 4  # a way back is sought so often from where the last try came out
Ways = tuple[Plane | None, Plane | None]  # ahead and back, over the picture that is painted


class FileMotions(Motions):
    """Reads each frame's motion from its own channels, or from the frame of that number in another sequence."""

    exact = True

    def __init__(self, settings: Steadying, clip: Clip) -> None:
        super().__init__()
        self._info: ClipInfo = clip.info
        self._files: dict[int, Path] | None = None  # None: each frame's own
        self._path = Path(settings.vectors) if settings.vectors else clip.source
        if settings.vectors:
            self._files = _numbered(self._path)
        first = next(iter(self._files.values())) if self._files else (clip.files or [clip.source])[0]
        self.channels: VectorChannels = find_vectors(first, settings.convention)
        self._known: dict[int, Ways] = {}

    def __str__(self) -> str:
        """Which motion is followed, as it is said to the user."""
        return f"{self.channels} of {self._path}"

    def check(self, numbers: Iterable[int]) -> None:
        """Refuse motion that lacks one of these frames."""
        if self._files is None:
            return
        if missing := [number for number in numbers if number not in self._files]:
            lacks = f"these vectors lack {'frame' if len(missing) == 1 else 'frames'} {say(runs(missing))} of the shot"
            told = "which are painted or stand beside painted ones: render what is missing, or choose other frames with --frames"
            raise MediaError(f"{lacks}, {told}", self._path)

    def identity(self) -> str:
        """What they hold; a frame's own motion is known with the frame."""
        return f"{self.channels} {content(self._path) if self._files else ''}".strip()

    def between(self, chain: Sequence[Seen]) -> Plane | None:
        """Step by step, each from where the one before came out."""
        whole: Plane | None = None
        for here, there in pairwise(chain):
            step = self._step(here, there)
            if step is None:
                return None
            whole = step if whole is None else whole + nearest(step, whole)
        return whole

    def forget(self, numbers: Iterable[int]) -> None:
        """Motion of frames that went by is let go."""
        for number in set(self._known) - set(numbers):
            del self._known[number]

    def _step(self, here: Seen, there: Seen) -> Plane | None:
        ahead = there.number > here.number
        told, other = self._ways(here)[not ahead], self._ways(there)[ahead]
        flow = told if told is not None else _reversed(other)
        if flow is None:
            return None
        return flow + self._moved(here, there)

    def _moved(self, here: Seen, there: Seen) -> Plane:
        """How far the frame's own pixels moved because its data window did."""
        one, other = (Windows.of(self._info, seen.frame.tags) for seen in (here, there))
        size = here.frame.pixels.shape[1::-1]
        return np.array([(one.data[i] - other.data[i]) * size[i] / extent(one.data)[i] for i in (0, 1)], np.float32)

    def _ways(self, seen: Seen) -> Ways:
        if seen.number not in self._known:
            path = self._files[seen.number] if self._files else seen.frame.tags["exr"].path
            motion = read_vectors(path, self.channels)
            self._known[seen.number] = self._laid(motion.ahead, motion, seen, path), self._laid(motion.back, motion, seen, path)
        return self._known[seen.number]

    def _laid(self, flow: Plane | None, motion: Motion, seen: Seen, path: Path) -> Plane | None:
        """Motion over the picture that is painted, in its pixels."""
        if flow is None:
            return None
        shot, (height, width) = Windows.of(self._info, seen.frame.tags), seen.frame.pixels.shape[:2]
        area, own = extent(lying_on(motion.windows, shot)), extent(motion.windows.data)
        data = extent(shot.data)
        scale = np.array([area[0] / own[0] * width / data[0], area[1] / own[1] * height / data[1]], np.float32)
        laid = fitted(flow, motion.windows, shot, (width, height), path) * scale
        return laid if seen.box is None else np.ascontiguousarray(seen.box.of(laid))


def _reversed(flow: Plane | None) -> Plane | None:
    """The way back along a motion that lies on the other frame; where no pixel comes from, it does not lead home."""
    if flow is None:
        return None
    back = -flow
    for _ in range(TURNS):
        back = -nearest(flow, back)
    return back


def _numbered(path: Path) -> dict[int, Path]:
    """The files of a sequence by their numbers."""
    from impasto.media import is_sequence
    from impasto.media.sequence import find_frames

    if not is_sequence(path):
        how = "name a sequence, as mv.####.exr, numbered as the shot is"
        raise MediaError(f"is one picture, and every frame has its own motion: {how}", path)
    return find_frames(path)


def vector_files(settings: Steadying) -> Sequence[Path]:
    """The files that hold the motion, where they are not the shot's own."""
    return files_of(Path(settings.vectors)) if settings.vectors else []
