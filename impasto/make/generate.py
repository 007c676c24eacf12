"""GenerateJob: pictures out of noise from a look that dreams, and walks between them as a movie or numbered frames."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from impasto.errors import InputError
from impasto.job import Done, Job, Progress, counted, option

if TYPE_CHECKING:
    from impasto.engine.dream import Dream, Vectors
    from impasto.frame import Pixels
    from impasto.styles.package import StyleFile

GRID = "grid.png"
LARGEST_GRID_PX = 16384


class GenerateJob(Job):
    """Make new pictures out of noise in a look that was learnt for it."""

    command: ClassVar[str] = "generate"
    help: ClassVar[str] = "Make new pictures out of noise in a look that was learnt for it (recipe noise)."

    style: str = option(help="name of a look that dreams, or a style file", argument=True)
    out: Path = option(
        help="a folder for pictures, or for the frames of a walk; a walk also goes to a movie or a pattern (w.####.png)",
        flag="-o/--out",
    )
    count: int = option(16, "how many pictures", ge=1, le=100_000)
    seed: int = option(0, "the same seed gives the same pictures", ge=0)
    first: int = option(1, "number of the first picture; 17 goes on after 16", ge=1)
    truncation: float = option(1.0, "below 1: pictures nearer to the average one, safer and more alike", ge=0, le=2)
    grid: bool = option(True, "also write grid.png, all pictures side by side")
    walk: int = option(0, "instead of single pictures: so many frames of a walk from picture to picture and back", ge=0)
    stops: int = option(4, "how many pictures a walk passes", ge=2, le=1000)
    fps: float = option(24.0, "frames per second of a walk that is a movie", gt=0, le=240)
    scale: int = option(1, "enlarge so many times, by whole pixels smoothed", ge=1, le=8)
    tier: Literal["auto", "live", "full", "mini"] = option("auto", "which network of the look; auto takes the finest")
    engine: Literal["onnx", "openvino"] = option("onnx", "what runs the network; both make the same pictures to 1/255")
    overwrite: bool = option(False, "replace files that exist")

    def run(self) -> Iterator[Progress | Done]:
        """Open the look, draw vectors, make pictures, write them."""
        from impasto.engine.dream import open_dream, vectors_of
        from impasto.styles.library import find
        from impasto.styles.package import StyleFile

        style = StyleFile.open(find(self.style))
        tier = self._tier(style)
        target = self._target(style)
        self._check(style.path, target)
        dream = open_dream(style, tier, self.engine, self.truncation)
        length = style.card.tiers[tier].noise
        if self.walk:
            yield from self._walk(dream, vectors_of(self.seed, self._numbers(self.stops), length), target)
        else:
            yield from self._pictures(dream, vectors_of(self.seed, self._numbers(self.count), length), target)

    def _numbers(self, count: int) -> range:
        return range(self.first, self.first + count)

    def _tier(self, style: StyleFile) -> str:
        return style.card.finest if self.tier == "auto" else self.tier

    # ---- where it goes

    def _target(self, style: StyleFile) -> Path:
        """The movie, or the pattern of the numbered files."""
        from impasto.media import WRITERS

        if self.out.suffix.lower() in WRITERS and not self.out.is_dir():
            return self.out
        return self.out / (f"{style.card.name}.walk.####.png" if self.walk else f"{style.card.name}.####.png")

    def _check(self, source: Path, target: Path) -> None:
        """Refuse what cannot be written, before anything is made."""
        from impasto.media import MOVIES, is_sequence
        from impasto.media.landing import check_output, same_file

        movie = target.suffix.lower() in MOVIES
        if movie and not self.walk:
            raise InputError(f"{target}: single pictures are no movie; name a folder, or ask for a walk with --walk 120")
        if not movie and not is_sequence(target):
            raise InputError(f"{target}: would be one file for many pictures; name a folder, or a pattern as in dream.####.png")
        if movie:
            check_output(target, self.overwrite)
        for file in [] if movie else self._files(target):
            if file.parent.exists():
                check_output(file, self.overwrite)
            if same_file(file, source):
                raise InputError(f"{file}: is the style file, which is never overwritten: choose another place")

    def _files(self, target: Path) -> list[Path]:
        from impasto.media.sequence import Pattern

        pattern = Pattern.parse(target)
        numbers = range(1, self.walk + 1) if self.walk else self._numbers(self.count)
        return [pattern.path(number) for number in numbers] + ([target.parent / GRID] if self._wants_grid else [])

    @property
    def _wants_grid(self) -> bool:
        return self.grid and not self.walk

    # ---- making

    def _pictures(self, dream: Dream, vectors: Vectors, target: Path) -> Iterator[Progress | Done]:
        import numpy as np

        from impasto.engine.dream import grid_of
        from impasto.frame import ClipInfo, Frame
        from impasto.media import open_writer

        made: list[Pixels] = []
        yield from self._written(dream, vectors, target, self._numbers(self.count), made)
        figures = {"count": self.count, "seed": self.seed, "size": [made[0].shape[1], made[0].shape[0]]}
        columns = ceil(sqrt(self.count))
        fits = columns * max(made[0].shape[:2]) <= LARGEST_GRID_PX
        if self._wants_grid and fits:
            sheet = grid_of(np.stack(made), columns)
            with open_writer(target.parent / GRID, ClipInfo(sheet.shape[1], sheet.shape[0]), self.overwrite) as writer:
                writer.write(Frame(sheet))
        told = f"made {counted(self.count, 'picture')}, {target}" + ("" if fits or not self.grid else "; too many for one grid")
        yield Done(target.parent, told, figures)

    def _walk(self, dream: Dream, stops: Vectors, target: Path) -> Iterator[Progress | Done]:
        import numpy as np

        from impasto.engine.dream import walk

        vectors = np.concatenate(list(walk(stops, self.walk)))
        yield from self._written(dream, vectors, target, range(1, self.walk + 1), [])
        figures = {"frames": self.walk, "stops": self.stops, "seed": self.seed}
        frames = counted(self.walk, "frame")
        short = f"walked {frames}, too few to show each of the {self.stops} pictures on the way"
        told = f"walked past {self.stops} pictures in {frames}" if self.walk >= self.stops else short
        yield Done(target, f"{told}: {target}", figures)

    def _written(
        self, dream: Dream, vectors: Vectors, target: Path, numbers: range, made: list[Pixels]
    ) -> Iterator[Progress | Done]:
        """Make and write picture by picture; those of single pictures are kept for the grid."""
        from impasto.frame import ClipInfo, Frame, exact_rate
        from impasto.media import open_writer

        picture = self._enlarged(dream(vectors[:1])[0])
        rate = exact_rate(self.fps) if self.walk else Fraction(0)
        like = ClipInfo(picture.shape[1], picture.shape[0], len(vectors), rate)
        target.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with open_writer(target, like, self.overwrite) as writer:
            for done, (number, vector) in enumerate(zip(numbers, vectors, strict=True), 1):
                picture = self._enlarged(dream(vector[None])[0])
                writer.write(Frame(picture, number))
                if self._wants_grid or not made:
                    made.append(picture)
                yield Progress("dreaming", done, len(vectors), "picture", done / max(1e-6, time.monotonic() - began))

    def _enlarged(self, picture: Pixels) -> Pixels:
        import numpy as np

        if self.scale == 1:
            return picture
        from PIL import Image

        size = (picture.shape[1] * self.scale, picture.shape[0] * self.scale)
        return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
