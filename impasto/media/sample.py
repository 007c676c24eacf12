"""`impasto sample`: frames of the procedural plate, as pictures to paint, as test footage, and as ground truth."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pydantic import field_validator

from impasto.errors import MediaError
from impasto.job import Done, Job, Progress, option

if TYPE_CHECKING:
    from impasto.media.plate import PlateFrame
    from impasto.media.scenery.truth import Truth

FIRST = 1001  # where film counts from
SMALLEST, LARGEST = 64, 8192


class SampleJob(Job):
    """Write frames of a scene made from a seed."""

    command = "sample"
    help = "Write sample frames of a procedural scene."

    out: Path = option(..., "a folder for frame_1001.png and on, or one picture (.png, .jpg) with --frames 1", argument=True)
    size: str = option("1280x720", f"WIDTHxHEIGHT in pixels, {SMALLEST} to {LARGEST} each")
    frames: int = option(48, "how many frames", ge=1, le=1_000_000)
    fps: float = option(24.0, "frames per second of the scene's motion", gt=0, le=1000, allow_inf_nan=False)
    seed: int = option(0, "which scene; every seed is another hour and place", ge=0, lt=2**63)
    truth: bool = option(False, "write what is true of each frame beside it as .npz: motion, occlusion, mattes, depth")
    overwrite: bool = option(False, "replace frames that are there already")

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
        plate = Plate(width, height, self.fps, self.seed)
        if len(targets) > 1 or targets[0] != self.out:
            self._make_folder()
        start, rendering = perf_counter(), 0.0
        for number, target in enumerate(targets):
            began = perf_counter()
            frame = plate.frame(number, truth=self.truth)
            rendering += perf_counter() - began
            self._write(frame, target)
            rate = (number + 1) / (perf_counter() - start)
            left = (len(targets) - number - 1) / rate
            yield Progress("painting the scene", number + 1, len(targets), rate=rate, seconds_left=left)
        seconds, rate = round(perf_counter() - start, 2), round(len(targets) / rendering, 2)
        figures = {"frames": len(targets), "size": self.size, "seed": self.seed, "seconds": seconds, "frames_per_second": rate}
        count = f"{len(targets)} frames" if len(targets) > 1 else "1 frame"
        yield Done(self.out, f"{count} of {self.size} in {self.out}, {rate} frames/s", figures)

    def _targets(self) -> list[Path]:
        """Where each frame goes; every place is looked at before the first frame is made."""
        from impasto.media import WRITERS
        from impasto.media.landing import check_output

        suffix = self.out.suffix.lower()
        if self.out.is_dir() or not suffix:
            self._check_folder()
            targets = [self.out / f"frame_{FIRST + number:04d}.png" for number in range(self.frames)]
        elif suffix not in WRITERS:
            known = ", ".join(WRITERS)
            what = f"'{suffix}' files cannot be written"
            raise MediaError(f"{what}: name a folder, or one picture ({known}) with --frames 1", self.out)
        elif self.frames != 1:
            raise MediaError(f"one picture cannot hold {self.frames} frames: name a folder, or add --frames 1", self.out)
        else:
            targets = [self.out]
        if self.out.is_dir() or targets == [self.out]:
            for path in targets + [truth_path(target) for target in targets if self.truth]:
                check_output(path, self.overwrite)
        return targets

    def _check_folder(self) -> None:
        if self.out.exists() and not self.out.is_dir():
            raise MediaError("is a file: name a folder for the frames", self.out)
        if not self.out.parent.is_dir():
            raise MediaError(f"cannot be made, there is no folder {self.out.parent}: create it first", self.out)

    def _make_folder(self) -> None:
        try:
            self.out.mkdir(exist_ok=True)
        except OSError as error:
            raise MediaError(f"cannot be made: {(error.strerror or str(error)).lower()}", self.out) from None

    def _write(self, frame: PlateFrame, target: Path) -> None:
        from impasto.frame import ClipInfo, Frame
        from impasto.media import open_writer

        height, width = frame.rgb.shape[:2]
        with open_writer(target, ClipInfo(width, height), self.overwrite) as writer:
            writer.write(Frame(frame.rgb, frame.number))
        if frame.truth is not None:
            write_truth(frame.truth, truth_path(target), self.overwrite)


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
