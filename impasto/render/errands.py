"""What a render is asked to do, worked out before any work: which frames of which inputs become which files.

Where results go follows from what `out` is. A movie or a pattern (shot.####.png) takes all inputs, one after the other; a folder
takes each input under its own name; a picture takes one picture.
"""
from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from impasto.errors import InputError, MediaError
from impasto.media import MOVIES, is_sequence, open_reader
from impasto.media.encoding import PLAIN, Decoding
from impasto.media.ranges import chosen
from impasto.media.sequence import Pattern, SequenceReader
from impasto.render.steady import OFF, Steadying

if TYPE_CHECKING:
    from impasto.frame import ClipInfo
    from impasto.media import Reader
    from impasto.media.video import VideoReader

DEFAULT_FPS = Fraction(24)
FIRST_FRAME = 1001  # of a sequence that is joined from several inputs: where film counts from
Kind = Literal["picture", "sequence", "movie"]


@dataclass(frozen=True)
class Selection:
    """Which frames of each input are wanted, as the user wrote it."""

    frames: str = "all"
    start: str = ""
    end: str = ""
    reading: Decoding = PLAIN
    fps: Fraction = Fraction(0)  # for inputs that have no rate of their own; 0: 24
    steady: Steadying = OFF  # which frames each is painted from
    reach: int = 0  # and how many before it, one of which it may show

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.frames == "all" and not self.start and not self.end

    def around(self, everyone: Sequence[int], number: int) -> Sequence[int]:
        """All frames that one may be painted from."""
        place = bisect_left(everyone, number)
        shown = everyone[max(0, place - self.reach) : place + 1]
        return sorted({each for one in shown for each in self.steady.around(everyone, one)})


@dataclass(frozen=True)
class Clip:
    """The wanted frames of one input."""

    source: Path
    kind: Kind
    info: ClipInfo
    numbers: Sequence[int]
    everyone: Sequence[int]  # the numbers of all its frames, wanted or not
    reading: Decoding = PLAIN
    files: Sequence[Path] = ()  # of a sequence, one per wanted frame
    around: Sequence[tuple[Path, ...]] = ()  # of a sequence, the files that each wanted frame is painted from
    inputs: Sequence[Path] = ()  # every file that belongs to it, wanted or not
    times: Sequence[Fraction] = ()  # of a movie: seconds from its first frame, per wanted frame
    by_rows: bool = True  # it can be read in bands of rows
    whole: bool = True  # no frame is left out between the first and the last: sound can follow

    @property
    def suffix(self) -> str:
        """Which format it has."""
        return (self.files[0] if self.files else self.source).suffix.lower()

    @property
    def rate(self) -> Fraction:
        """Frames per second."""
        return self.info.fps or DEFAULT_FPS


@dataclass(frozen=True)
class Errand:
    """Clips, one after the other, and what becomes of them."""

    clips: list[Clip]
    kind: Kind
    target: Path
    files: list[Path] = field(default_factory=list)  # one per frame; none for a movie

    @property
    def length(self) -> int:
        """How many frames come out."""
        return sum(len(clip.numbers) for clip in self.clips)

    @property
    def info(self) -> ClipInfo:
        """What the sources are: that of the first, with a rate, as long as all."""
        first = self.clips[0]
        return replace(first.info, frames=self.length, fps=first.rate)

    def places(self) -> Iterator[tuple[int, Clip, int]]:
        """Every frame that comes out: its place, and the clip and number it comes from."""
        place = 0
        for clip in self.clips:
            for number in clip.numbers:
                yield place, clip, number
                place += 1


def survey(source: Path, selection: Selection) -> Clip:
    """Open an input, see what it is, and choose the wanted frames."""
    reading = selection.reading
    narrowed = not selection.everything and reading.missing == "error"
    if narrowed:  # then only gaps between the wanted frames matter
        reading = replace(reading, missing="skip")
    with open_reader(source, reading) as reader:
        info, everyone, times = reader.info, reader.numbers(), list[Fraction]()
        if not is_sequence(source) and source.suffix.lower() in MOVIES:
            times = cast("VideoReader", reader).times()
        if selection.fps:
            if times:
                raise MediaError(f"has a rate of its own ({float(info.fps):g}): --fps is for sequences and pictures", source)
            info = replace(info, fps=selection.fps)
        numbers = _wanted(source, reader, selection, info.fps or DEFAULT_FPS, times)
        by_rows = bool(getattr(reader, "by_rows", hasattr(reader, "rows")))
        files, around, inputs = list[Path](), list[tuple[Path, ...]](), [source]
        if isinstance(reader, SequenceReader):
            files, inputs = [reader.path_of(number) for number in numbers], reader.files()
            companies = (selection.around(everyone, number) for number in numbers)
            around = [tuple(reader.path_of(each) for each in company) for company in companies]
            if narrowed and not re.search(r"x|,", selection.frames):
                reader.check_gaps(numbers[0], numbers[-1])
    step = min((after - before for before, after in pairwise(everyone)), default=1)
    whole = all(after - before == step for before, after in pairwise(numbers))
    kind: Kind = "movie" if times else "sequence" if files else "picture"
    shown = [times[number - 1] for number in numbers] if times else []
    return Clip(source, kind, info, numbers, everyone, reading, files, around, inputs, shown, by_rows, whole)


def _wanted(
    source: Path, reader: Reader, selection: Selection, fps: Fraction, times: Sequence[Fraction]
) -> Sequence[int]:
    everyone = reader.numbers()
    if selection.everything:
        return everyone
    timecode = reader.info.tags.get("timecode", "")
    try:
        return chosen(everyone, selection.frames, selection.start, selection.end, fps=fps, timecode=timecode, times=times)
    except MediaError:
        raise
    except InputError as error:
        raise MediaError(str(error), source) from None


def plan(clips: list[Clip], out: Path) -> list[Errand]:
    """Turn clips and a place for them into errands."""
    suffix = out.suffix.lower()
    if out.is_dir() or _means_folder(clips, out):
        return _into_folder(clips, out)
    if is_sequence(out):
        return [_into_pattern(clips, out)]
    if suffix in MOVIES:
        return [_joined(clips, out)]
    if len(clips) > 1:
        raise InputError(f"{out}: {len(clips)} pictures need a folder to go into; name one")
    if len(clips[0].numbers) != 1:
        how = f"name a pattern ({out.stem}.####{out.suffix}), a folder or a movie"
        raise MediaError(f"is one picture and cannot hold {len(clips[0].numbers)} frames: {how}", out)
    return [Errand(clips, "picture", out, [out])]


def folder_of(errands: list[Errand], out: Path) -> Path | None:
    """The folder that is made for results where it is missing; None: what is written needs one that is there."""
    if errands[0].target != out:
        return out
    return errands[0].files[0].parent if errands[0].kind == "sequence" else None


def _means_folder(clips: list[Clip], out: Path) -> bool:
    return not out.suffix and not is_sequence(out) and (len(clips) > 1 or clips[0].kind != "picture")


def _into_folder(clips: list[Clip], folder: Path) -> list[Errand]:
    errands = []
    for clip in clips:
        name = clip.source.name
        if clip.kind == "sequence":
            place = folder if len(clips) == 1 else folder / (name if clip.source.is_dir() else Pattern.parse(clip.source).stem)
            errands.append(_alike_named(clip, place))
        elif clip.kind == "movie":
            errands.append(Errand([clip], "movie", folder / name))
        else:
            errands.append(Errand([clip], "picture", folder / name, [folder / name]))
    for number, errand in enumerate(errands):
        for other in errands[:number]:
            if other.target == errand.target:
                first, second = other.clips[0].source, errand.clips[0].source
                raise InputError(f"{first} and {second} would both become {errand.target}: render them into two folders")
    return errands


def _alike_named(clip: Clip, place: Path) -> Errand:
    """A sequence in another folder, its files called as they were."""
    pattern = Pattern.of(place / clip.files[0].name)
    if pattern is None or clip.numbers[0] != pattern.number_of(clip.files[0].name):  # pictures that have no numbers
        return Errand([clip], "sequence", place, [place / file.name for file in clip.files])
    return Errand([clip], "sequence", pattern.text, [pattern.path(number) for number in clip.numbers])


def _into_pattern(clips: list[Clip], out: Path) -> Errand:
    _check_alike(clips)
    pattern = Pattern.parse(out)
    if len(clips) == 1:
        numbers = list(clips[0].numbers)
    else:  # their own numbers would meet
        first = clips[0].numbers[0] if clips[0].kind == "sequence" else FIRST_FRAME
        numbers = list(range(first, first + sum(len(clip.numbers) for clip in clips)))
    return Errand(clips, "sequence", out, [pattern.path(number) for number in numbers])


def _joined(clips: list[Clip], out: Path) -> Errand:
    _check_alike(clips)
    return Errand(clips, "movie", out)


def _check_alike(clips: list[Clip]) -> None:
    """Clips that are joined have one size and one kind of pixels."""
    first = clips[0]
    for clip in clips[1:]:
        for what, have, want in (
            ("size", size_of(clip.info), size_of(first.info)),
            ("depth", clip.info.depth, first.info.depth),
            ("channels", clip.info.channels, first.info.channels),
        ):
            if have != want:
                raise MediaError(f"cannot follow {first.source}: its {what} is {have}, there it is {want}", clip.source)


def size_of(info: ClipInfo) -> str:
    """Width and height as people write them."""
    return f"{info.width}x{info.height}"


def facts(errand: Errand) -> dict[str, Any]:
    """What of an errand a result depends on, besides the contents of its inputs."""
    return {
        "inputs": [clip.source.name for clip in errand.clips],
        "frames": [_compact(clip.numbers) for clip in errand.clips],
        "size": size_of(errand.info),
        "fps": str(errand.info.fps),
        "layer": errand.clips[0].reading.layer,
        "to_layer": errand.clips[0].reading.to_layer,
    }


def _compact(numbers: Sequence[int]) -> str:
    """Frame numbers in few words: 1001-1100, 1200-1300x2."""
    runs: list[list[int]] = []  # first, last, step
    for number in numbers:
        if runs and (runs[-1][2] == 0 or number - runs[-1][1] == runs[-1][2]):
            runs[-1][1:] = [number, number - runs[-1][1]]
        else:
            runs.append([number, number, 0])
    return ",".join(f"{a}-{b}" + (f"x{step}" if step > 1 else "") if a != b else f"{a}" for a, b, step in runs)
