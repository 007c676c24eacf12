"""`impasto sample`: the procedural plate as pictures to paint, as test footage with sound, and as ground truth."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from pydantic import field_validator

from impasto.errors import MediaError
from impasto.job import Done, Job, Progress, option
from impasto.media import MOVIES, WRITERS, is_sequence
from impasto.media.encoding import DEFAULT

if TYPE_CHECKING:
    from impasto.frame import ClipInfo
    from impasto.media.plate import PlateFrame
    from impasto.media.scenery.truth import Truth
    from impasto.media.video import SegmentWriter

FIRST = 1001  # where film counts from
SMALLEST, LARGEST = 64, 8192
TIMECODE, FASTEST_COUNTED = "01:00:00:00", 120  # of a movie's first frame, and the frames per second that such counts go to


class SampleJob(Job):
    """Write frames of a scene made from a seed."""

    command = "sample"
    help = "Write sample frames of a procedural scene."

    out: Path = option(..., "a video (.mp4), a folder, a pattern (shot.####.png), or one picture with --frames 1", argument=True)
    size: str = option("1280x720", f"WIDTHxHEIGHT in pixels, {SMALLEST} to {LARGEST} each")
    frames: int = option(48, "how many frames", ge=1, le=1_000_000)
    fps: float = option(24.0, "frames per second", gt=0, le=1000, allow_inf_nan=False)
    seed: int = option(0, "which scene; every seed is another hour and place", ge=0, lt=2**63)
    grain: float = option(0.0, "spread of film grain in 8-bit steps", ge=0, le=64, allow_inf_nan=False)
    sound: bool = option(True, "give a video the sound of its scene: wind, water, birds, steps")
    truth: bool = option(False, "write what is true of each frame beside it as .npz: motion, occlusion, mattes, depth")
    vectors: Literal["none", "nuke", "blender"] = option("none", "write the scene's motion into EXRs too, as this program would")
    overwrite: bool = option(False, "replace files that are there already")

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: str) -> str:
        parts = size.lower().split("x")
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
            raise ValueError("write it as WIDTHxHEIGHT, as in 1280x720")
        if not all(SMALLEST <= int(part) <= LARGEST for part in parts):
            raise ValueError(f"width and height are {SMALLEST} to {LARGEST} pixels")
        return size.lower()

    def run(self) -> Iterator[Progress | Done]:
        """Make the scene and write its frames."""
        targets = self._targets()
        yield Progress("making the scene", 0, 0)
        from impasto.media.plate import Plate

        width, height = (int(part) for part in self.size.split("x"))
        plate = Plate(width, height, self.fps, self.seed, grain=self.grain)
        start, rendering = perf_counter(), 0.0
        with self._writing() as write:
            for number, target in enumerate(targets):
                began = perf_counter()
                frame = plate.frame(number, truth=self.truth or self.vectors != "none")
                rendering += perf_counter() - began
                write(frame, target)
                rate = (number + 1) / (perf_counter() - start)
                left = (len(targets) - number - 1) / rate
                yield Progress("painting the scene", number + 1, len(targets), rate=rate, seconds_left=left)
        seconds, rate = round(perf_counter() - start, 2), round(len(targets) / rendering, 2)
        figures = {"frames": len(targets), "size": self.size, "seed": self.seed, "seconds": seconds, "frames_per_second": rate}
        count = f"{len(targets)} frames" if len(targets) > 1 else "1 frame"
        yield Done(self.out, f"{count} of {self.size} in {self.out}, {rate} frames/s", figures)

    @property
    def _is_movie(self) -> bool:
        return self.out.suffix.lower() in MOVIES and not is_sequence(self.out)

    def _like(self) -> ClipInfo:
        """What the frames are."""
        from impasto.frame import ClipInfo, exact_rate

        width, height = (int(part) for part in self.size.split("x"))
        counted = 1 <= self.fps <= FASTEST_COUNTED
        return ClipInfo(width, height, self.frames, exact_rate(self.fps), tags={"timecode": TIMECODE} if counted else {})

    def _targets(self) -> list[Path]:
        """A path for each frame; every place is looked at before the first frame is made."""
        from impasto.media.landing import check_output

        places = range(FIRST, FIRST + self.frames)
        suffix = self.out.suffix.lower()
        if suffix and suffix not in WRITERS and not self.out.is_dir():
            raise MediaError(f"'{suffix}' files cannot be written: name a folder or use one of {', '.join(WRITERS)}", self.out)
        if self._is_movie:
            from impasto.media.video import codecs

            check_output(self.out, self.overwrite)
            codecs.check(self.out, self._like(), DEFAULT)
            targets = [self.out.with_name(f"{self.out.stem}.{place}{suffix}") for place in places]  # the truth is named by these
        elif is_sequence(self.out) and not self.out.is_dir():
            from impasto.media.sequence import Pattern

            if suffix in MOVIES:
                raise MediaError(f"a sequence is of pictures, not of {suffix} files: name a .png, or one video", self.out)
            pattern = Pattern.parse(self.out)
            targets = [pattern.path(place) for place in places]
        elif self.out.is_dir() or not suffix:
            targets = [self.out / f"frame_{place:04d}.png" for place in places]
        elif self.frames == 1:
            targets = [self.out]
        else:
            how = f"name a folder, a pattern ({self.out.stem}.####{suffix}) or a video, or add --frames 1"
            raise MediaError(f"one picture cannot hold {self.frames} frames: {how}", self.out)
        if self.vectors != "none" and (self._is_movie or targets[0].suffix.lower() != ".exr"):
            raise MediaError("holds no motion vectors, only an EXR does: name shot.####.exr, or leave out --vectors", self.out)
        self._check(targets)
        return targets

    def _check(self, targets: list[Path]) -> None:
        """Refuse a folder that cannot be made, and files that are there."""
        from impasto.media.landing import check_output

        folder = targets[0].parent
        if not folder.is_dir() and not self._is_movie and targets != [self.out]:
            _check_folder(folder)
            return
        files = [] if self._is_movie else targets
        for path in [*files, *(truth_path(target) for target in targets if self.truth)]:
            check_output(path, self.overwrite)

    @contextmanager
    def _writing(self) -> Iterator[Callable[[PlateFrame, Path], None]]:
        """What takes each frame and its path."""
        from impasto.frame import Frame
        from impasto.media import open_writer

        like = self._like()

        def picture(frame: PlateFrame, target: Path) -> None:
            _make_folder(target.parent)
            if self.vectors != "none":
                self._write_moving(frame, target, like)
            else:
                with open_writer(target, like, self.overwrite) as writer:
                    writer.write(Frame(frame.rgb, frame.number))
            self._note_truth(frame, target)

        if not self._is_movie:
            yield picture
            return
        with movie(self.out, like, self.seed if self.sound else None, self.overwrite) as writer:

            def moving(frame: PlateFrame, target: Path) -> None:
                writer.write(Frame(frame.rgb, frame.number))
                self._note_truth(frame, target)

            yield moving

    def _write_moving(self, frame: PlateFrame, target: Path, like: ClipInfo) -> None:
        """An EXR with light as a renderer writes it, and beside it where everything goes."""
        from impasto.media.colour import AUTO, open_colour
        from impasto.media.exr.planes import write_planes
        from impasto.media.vectors import written

        assert frame.truth is not None, "a frame that is to tell its motion was made with its truth"
        light = open_colour(AUTO, AUTO, like, ".png", ".exr").converted(frame.rgb)
        planes = {name: light[..., place] for place, name in enumerate("RGB")}
        planes |= written(frame.truth.forward, frame.truth.backward, self.vectors)
        write_planes(target, planes, like.fps, self.overwrite)

    def _note_truth(self, frame: PlateFrame, target: Path) -> None:
        if self.truth and frame.truth is not None:
            write_truth(frame.truth, truth_path(target), self.overwrite)


def _check_folder(folder: Path) -> None:
    if folder.exists():
        raise MediaError("is a file: name a folder for the frames", folder)
    if not folder.parent.is_dir():
        raise MediaError(f"cannot be made, there is no folder {folder.parent}: create it first", folder)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise MediaError(f"cannot be made: {(error.strerror or str(error)).lower()}", folder) from None


@contextmanager
def movie(out: Path, like: ClipInfo, seed: int | None, overwrite: bool) -> Iterator[SegmentWriter]:
    """A video under the hand, with the sound of a seed's scene unless that is None; it has its name once all is well."""
    from impasto.media.video import SegmentWriter
    from impasto.media.video.join import join

    folder = Path(mkdtemp(prefix=f".{out.stem[:80]}.", dir=out.parent))
    try:
        piece = folder / "piece.mkv"
        with SegmentWriter(piece, like, target=out) as writer:
            yield writer
        times = [number / like.fps for number in range(like.frames)]
        sound = "none" if seed is None else str(_soundtrack(folder, out.suffix.lower(), seed, float(like.frames / like.fps)))
        join([piece], times, [], out, like, sound=sound, overwrite=overwrite)
    finally:
        rmtree(folder, ignore_errors=True)


def _soundtrack(folder: Path, suffix: str, seed: int, seconds: float) -> Path:
    from impasto.media.scenery import sound
    from impasto.media.video.container import faults

    path = folder / "sound"
    with faults(path, "written"):
        sound.write_encoded(path, sound.blocks(seed, seconds), "libopus" if suffix == ".webm" else "aac")
    return path


def truth_path(target: Path) -> Path:
    """Where the truth of a frame lies: beside it, under its name."""
    return target.with_name(f"{target.stem}.truth.npz")


def write_truth(truth: Truth, path: Path, overwrite: bool = False) -> None:
    """Write what is true of a frame as arrays named as in Truth; each matte is a matte_NAME of 0..255."""
    import numpy as np

    from impasto.media.landing import Landing

    names = ("forward", "backward", "hidden_forward", "hidden_backward", "steady", "depth")
    arrays: dict[str, Any] = {name: getattr(truth, name) for name in names}
    for name, matte in truth.mattes.items():
        arrays[f"matte_{name}"] = np.rint(matte * 255).clip(0, 255).astype(np.uint8)
    landing = Landing(path, overwrite)
    try:
        np.savez_compressed(landing.temporary, **arrays)
        landing.commit(_verify)
    except OSError as error:
        raise MediaError(f"cannot be written: {(error.strerror or str(error)).lower()}", path) from None
    finally:
        landing.abort()


def _verify(path: Path) -> None:
    import numpy as np

    with np.load(path) as found:  # a zip without its directory, or without this member, raises
        assert found["forward"].ndim == 3, f"{path} holds no motion"
