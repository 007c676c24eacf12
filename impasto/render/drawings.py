"""Which drawing each frame of a clip shows, where drawings are held, and where a screen lies that goes along with what is drawn.

    drawings = Drawings(Comic(step=2), clip)
    yield from drawings.find()            # where shots begin; each begins with a drawing of its own
    drawings.key(1008)                    # 1007: the frame that was drawn

A shot is counted from its own first frame, and that is found in the clip from its beginning, whichever frames are rendered: so
a frame alone shows the drawing that it shows in the shot.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from impasto.job import Progress
from impasto.media import open_reader
from impasto.media.cuts import KNOWN_AFTER, find_cuts
from impasto.media.flow import Plane, carried, enlarged, followed, way
from impasto.render.comic import LAID_FOR, Comic
from impasto.render.steady import Seen, rested

if TYPE_CHECKING:
    from impasto.render.errands import Clip

BROAD = 0.08  # of the height: motion as a screen follows it, so that its marks keep their shape


class Drawings:
    """What is drawn of one clip."""

    def __init__(self, comic: Comic, clip: Clip) -> None:
        self.comic, self._clip = comic, clip
        self.firsts: list[int] = [0]  # where shots begin, as places among all frames

    def find(self) -> Iterator[Progress]:
        """Look for cuts, as far as the last wanted frame; nothing where none matters."""
        everyone, clip = self._clip.everyone, self._clip
        if not self.comic.by_shots or clip.kind == "picture":
            return
        seen = everyone[: self._place(clip.numbers[-1]) + 1 + KNOWN_AFTER]
        yield Progress("looking for cuts", 0, len(seen))
        with open_reader(clip.source, clip.reading) as reader:
            for shot in find_cuts(reader.read(seen)):
                self.firsts.append(self._place(shot.first))
                yield Progress("looking for cuts", self._place(shot.last) + 1, len(seen))
        self.firsts = sorted(set(self.firsts))

    @property
    def holds(self) -> bool:
        """Whether a drawing is shown more than once."""
        return self.comic.step > 1 and self._clip.kind != "picture"

    def identity(self) -> str:
        """All of it that painted values depend on: what is set, and where shots begin."""
        return f"{self.comic}, shots from {', '.join(str(self._clip.everyone[place]) for place in self.firsts)}"

    def key(self, number: int) -> int:
        """The frame whose drawing a frame shows."""
        first, since = self._since(number)
        return self._clip.everyone[first + since * self.comic.step]

    def chain(self, number: int) -> Sequence[int]:
        """The frames that were drawn, from the one on which the screen was laid to the one that is shown."""
        first, since = self._since(number)
        laid = since - since % max(1, LAID_FOR // self.comic.step) if self.comic.screen == "object" else since
        return [self._clip.everyone[first + each * self.comic.step] for each in range(laid, since + 1)]

    def _since(self, number: int) -> tuple[int, int]:
        """The place where a frame's shot begins, and how many drawings there were in it before the one shown."""
        if self._clip.kind == "picture" or not self.comic.by_shots:
            return self._place(number), 0
        place = self._place(number)
        first = self.firsts[bisect_right(self.firsts, place) - 1]
        return first, (place - first) // self.comic.step

    def _place(self, number: int) -> int:
        return bisect_left(self._clip.everyone, number)


class Ground:
    """Where a screen lies under each drawing, moved along with what is drawn; only the last drawing's is kept."""

    def __init__(self) -> None:
        self._chain: tuple[int, ...] = ()
        self._last: tuple[Seen, Plane] | None = None

    def under(self, chain: Sequence[int], see: Callable[[int], Seen]) -> Plane | None:
        """[H,W,2]: from each pixel of the last of these frames to its place on the first; None where they are one."""
        if self._last is None or tuple(chain[: len(self._chain)]) != self._chain:
            first = see(chain[0])
            self._chain, self._last = (chain[0],), (first, np.zeros((*first.quiet.shape[:2], 2), np.float32))
        for number in chain[len(self._chain) :]:
            seen, (before, moved) = see(number), self._last
            step = _broad(before, seen)
            self._last = seen, step + carried(moved, step)
        self._chain = tuple(chain)
        seen, moved = self._last
        height, width = seen.picture.shape[:2]
        return enlarged(moved, (width, height)) if len(chain) > 1 else None


def _broad(before: Seen, now: Seen) -> Plane:
    """The way back from one drawing to the one before, smooth; what cannot be followed goes along with what lies around it."""
    back, ahead = way(now.quiet, before.quiet), way(before.quiet, now.quiet)
    sure, px = followed(back, ahead).astype(np.float32), BROAD * now.quiet.shape[0]
    share = cv2.GaussianBlur(sure, (0, 0), px)
    mean = cv2.GaussianBlur(rested(back) * sure[..., None], (0, 0), px)
    return np.asarray(mean / np.maximum(share, 1e-3)[..., None], np.float32)
