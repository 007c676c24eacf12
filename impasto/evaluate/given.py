"""Motion that is known, instead of found: .flo files, a renderer's EXRs, or the truth that `impasto sample --truth` writes.

    flows = open_flows(Path("gt"), numbers)         # numbers: the frames of the source, rising
    step = flows.step(1001, 1002, (before, now))    # None where nothing is known of these two

A .flo tells where each pixel of frame n lies in frame n+1, the truth where it lay in frame n-1, an EXR (media/vectors.py) one of
them or both. What is hidden is known from the truth, from an EXR that tells both ways, and from pictures called as the .flo
in folders `occlusions` and `invalid`, as MPI-Sintel has them; else the way back is sought in the source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from impasto.errors import InputError, MediaError
from impasto.media import open_reader
from impasto.media.flow import Mask, Plane, Step, follow, followed, leads_home, settled
from impasto.media.ranges import runs, say
from impasto.media.sequence import Pattern
from impasto.media.vectors import VectorChannels, find_vectors, read_vectors

MAGIC = b"PIEH"  # what a .flo begins with
UNKNOWN_PX = 1e9  # and what it tells where nothing is known
LONGEST = 1 << 16  # pixels of a side; a header that says more is damaged
WHOLE = 0.999  # of what a pixel covers, for rounding
TRUTH = ".truth.npz"
MASKS = ("occlusions", "invalid")
Size = tuple[int, int]  # width, height
Field = tuple[Plane, Mask | None]  # the flow in pixels of its file, y downward; what of it counts, where the file knows
EXRS = ".exr"
OTHERWISE = "name a folder with the source's motion as --flow, or leave it out"


@dataclass(frozen=True)
class Flows:
    """The known motion of a shot, a file for each step."""

    files: Mapping[int, Path]  # by the number of the frame on whose pixels it lies
    ahead: bool  # they lead to the next frame, else to the one before
    channels: VectorChannels | None = None  # of EXRs

    def step(self, before: int, now: int, pair: tuple[Plane, Plane]) -> Step | None:
        """The step between two frames whose pictures are `pair` (earlier, later); None where none is known."""
        number = before if self.ahead else now
        if number not in self.files or now != before + 1:
            return None
        here, there = pair if self.ahead else pair[::-1]
        flow, known = fitted(*self._field(number), (here.shape[1], here.shape[0]), self.files[number])
        if known is None:
            return Step(flow, followed(flow, follow(there, here).flow), self.ahead)
        return Step(flow, known & settled(flow), self.ahead)

    def _field(self, number: int) -> Field:
        file = self.files[number]
        if self.channels is None:
            return _read_sintel(file) if file.suffix.lower() == ".flo" else _read_truth(file)
        motion, other = read_vectors(file, self.channels), self.files.get(number + (1 if self.ahead else -1))
        flow = motion.ahead if self.ahead else motion.back
        assert flow is not None, "files of one sequence have the channels that its first one has"
        neighbour = read_vectors(other, self.channels) if other and self.channels.ahead and self.channels.back else None
        home = (neighbour.back if self.ahead else neighbour.ahead) if neighbour else None
        return flow, leads_home(flow, home) if home is not None and home.shape == flow.shape else None


def open_flows(folder: Path, numbers: Sequence[int]) -> Flows:
    """The files of a folder, each belonging to one of the frames."""
    if not folder.is_dir():
        raise InputError(f"--flow {folder}: is no folder: name the one that holds the .flo, .exr or {TRUTH} files")
    for suffix in (".flo", TRUTH, EXRS):
        found = [file for file in sorted(folder.iterdir()) if file.name.lower().endswith(suffix)]
        if found:
            files = {number: file for file in found if (number := _number(file, suffix)) is not None}
            channels = find_vectors(found[0], otherwise=OTHERWISE) if suffix == EXRS else None
            # the way back lies on the frame that is judged, so of both it is the nearer
            ahead = suffix == ".flo" or (channels is not None and channels.back is None)
            return Flows(_matched(files, numbers, folder), ahead, channels)
    raise InputError(f"--flow {folder}: holds no .flo, .exr or {TRUTH} files: name the folder that does")


def _matched(files: Mapping[int, Path], numbers: Sequence[int], folder: Path) -> dict[int, Path]:
    """By their numbers; a movie is counted from 1 whatever its frames were called, so there the order may tell."""
    if set(files) & set(numbers):
        return dict(files)
    if len(files) in (len(numbers), len(numbers) - 1):
        return dict(zip(numbers, (files[number] for number in sorted(files)), strict=False))
    there, wanted = say(runs(sorted(files))) or "without a number", say(runs(numbers))
    raise InputError(f"--flow {folder}: its files are {there}, and the source's frames {wanted}: number them alike")


def _number(file: Path, suffix: str) -> int | None:
    bare = Path(file.name[: -len(suffix)] + file.suffix)  # shot.1001.truth.npz counts as shot.1001.npz
    pattern = Pattern.of(bare)
    return pattern.number_of(bare.name) if pattern else None


def read_flo(file: Path) -> Plane:
    """The flow of a .flo [H,W,2]: four letters, width, height, then u and v of every pixel; little-endian."""
    raw = file.read_bytes()
    width, height = (int(n) for n in np.frombuffer(raw[4:12], "<i4")) if len(raw) >= 12 else (0, 0)
    if raw[:4] != MAGIC or not (0 < width <= LONGEST and 0 < height <= LONGEST):
        raise MediaError("is no .flo file: it does not begin like one", file)
    if len(raw) != 12 + width * height * 8:
        raise MediaError(f"is damaged: {width}x{height} need {12 + width * height * 8} bytes, and it has {len(raw)}", file)
    return np.frombuffer(raw[12:], "<f4").reshape(height, width, 2).astype(np.float32)


def write_flo(file: Path, flow: Plane) -> None:
    """Write a flow [H,W,2] as a .flo."""
    size = np.array(flow.shape[1::-1], "<i4").tobytes()
    file.write_bytes(MAGIC + size + np.ascontiguousarray(flow, "<f4").tobytes())


def _read_sintel(file: Path) -> Field:
    flow = read_flo(file)
    masks = [mask for kind in MASKS if (mask := _mask_file(file, kind))]
    known = np.asarray((np.abs(flow) < UNKNOWN_PX).all(-1), np.bool_)
    if not masks and known.all():
        return flow, None
    for mask in masks:
        with open_reader(mask) as reader:
            marked = next(iter(reader)).rgb()[..., 0] > 0
        if marked.shape != known.shape:
            raise MediaError(f"is {marked.shape[1]}x{marked.shape[0]}, and {file.name} is not: give the mask of that flow", mask)
        known &= ~marked
    return np.where(known[..., None], flow, 0).astype(np.float32), known


def _mask_file(file: Path, kind: str) -> Path | None:
    """Beside the flow, or where the whole MPI-Sintel keeps it: training/flow/alley_1 and training/occlusions/alley_1."""
    folder = file.parent
    places = (folder / kind, folder.parent.parent / kind / folder.name)
    return next((place / f"{file.stem}.png" for place in places if (place / f"{file.stem}.png").is_file()), None)


def _read_truth(file: Path) -> Field:
    try:
        with np.load(file) as held:
            flow, hidden, steady = held["backward"], held["hidden_backward"], held["steady"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise MediaError(f"is no truth of a frame ({error}): write it with impasto sample --truth", file) from None
    return np.asarray(flow, np.float32), np.asarray(~hidden & steady, np.bool_)


def fitted(flow: Plane, known: Mask | None, size: Size, file: Path) -> Field:
    """The flow at the size that is measured, in its pixels; a pixel counts if all that it covers does."""
    across, down = size[0] / flow.shape[1], size[1] / flow.shape[0]
    if abs(across / down - 1) > 0.02:
        raise MediaError(f"is {flow.shape[1]}x{flow.shape[0]}, of another shape than the source: give it the source's size", file)
    small = np.asarray(cv2.resize(flow, size, interpolation=cv2.INTER_AREA) * (across, down), np.float32)
    if known is None:
        return small, None
    counts = np.asarray(cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA))
    return small, np.asarray(counts > WHOLE, np.bool_)
