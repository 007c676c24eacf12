"""From errands to painted files: reader -> engine -> strength -> delivery. It knows nothing of files' formats or of engines.

Reading, painting and writing overlap in threads of their own (belt.py), and an engine on several devices paints as many frames
at the same time; what is finished is noted as it comes (journal.py).
"""
from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from statistics import median
from time import perf_counter
from typing import Any, cast

import numpy as np

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame
from impasto.job import Done, Progress
from impasto.media import open_reader, open_writer
from impasto.render.belt import Ahead, Behind, abreast, queue_depth
from impasto.render.delivery import Delivery, Files, Manner, Movie, Part, left_behind, lessened, silent
from impasto.render.errands import Clip, Errand, facts, size_of
from impasto.render.hand import Hand
from impasto.render.journal import Journal, digest_of_source
from impasto.render.knobs import Curve
from impasto.render.regions import RowReader, RowWriter, needs_regions, paint_by_rows
from impasto.render.steady import in_company


@dataclass(frozen=True)
class Work:
    """An errand, and the hand that paints each of its clips."""

    errand: Errand
    hands: list[Hand]

    @property
    def in_bands(self) -> bool:
        """Whether it is one picture, too large to be held."""
        return self.errand.kind == "picture" and self.errand.clips[0].by_rows and needs_regions(self.errand.info)

    @property
    def like(self) -> ClipInfo:
        """What the painted frames are."""
        return replace(self.hands[0].like, frames=self.errand.length, fps=self.errand.info.fps)


def paint(works: list[Work], manner: Manner, began: float) -> Iterator[Progress | Done]:
    """Do every errand: pictures in one go, then clip after clip. The job `began` when perf_counter() said so."""
    start, tally = perf_counter(), Tally(began)
    errands = [work.errand for work in works]
    pictures = [work for work in works if work.errand.kind == "picture"]
    for work in works:
        if behind := left_behind(work.errand, work.like):
            yield Progress("leaving", note=behind)
    for note in dict.fromkeys(hand.note for work in works for hand in work.hands if hand.note):
        yield Progress("steadying", note=note)
    if pictures:
        yield from paint_pictures(pictures, manner, tally)
    for work in works:
        if work.errand.kind != "picture":
            yield from paint_clip(work, manner, tally)
    seconds = perf_counter() - start
    figures = record([hand for work in works for hand in work.hands])
    figures |= {"pictures": len(pictures), "frames": tally.frames, "seconds": round(seconds, 3)}
    figures |= {"size": size_of(errands[0].info), "fps": round(tally.frames / seconds, 2), "resumed_frames": tally.resumed}
    figures |= tally.stages()
    out = errands[0].target if len(errands) == 1 else errands[0].target.parent
    first = errands[0].clips[0].source.name if len(errands) == 1 else f"{len(errands)} {_called(errands)}"
    kept = f", {tally.resumed} were there" if tally.resumed else ""
    yield Done(out, f"painted {first} in {seconds:.1f} s ({figures['fps']} frames/s{kept}) -> {out}", figures)


def _called(errands: list[Errand]) -> str:
    return "pictures" if all(errand.kind == "picture" for errand in errands) else "clips"


@dataclass
class Tally:
    """What a job came to: frames painted and kept, and how long each stage was busy."""

    began: float
    first_frame_seconds: float = 0.0  # from the beginning of the job to the first painted frame
    frames: int = 0
    resumed: int = 0
    read_seconds: float = 0.0
    paint_seconds: float = 0.0
    write_seconds: float = 0.0
    flow_seconds: float = 0.0  # of the three together, overlapped

    def stages(self) -> dict[str, float]:
        """The figures of the stages; `overlap` is the slowest one's share of the time: 1 when it never waits for another."""
        busy = {"read_seconds": self.read_seconds, "paint_seconds": self.paint_seconds, "write_seconds": self.write_seconds}
        overlap = max(busy.values()) / self.flow_seconds if self.flow_seconds else 1.0
        figures = {**busy, "overlap": overlap, "first_frame_seconds": self.first_frame_seconds}
        return {name: round(value, 3) for name, value in figures.items()}


def paint_pictures(works: list[Work], manner: Manner, tally: Tally) -> Iterator[Progress]:
    """Paint single pictures, each into its file. One that is too large for the memory is painted in bands of rows."""
    small = [work for work in works if not work.in_bands]

    def frames() -> Generator[tuple[int, Frame, list[Frame]], None, None]:
        for place, work in enumerate(small):
            clip = work.errand.clips[0]
            with open_reader(clip.source, clip.reading) as reader:
                for frame in reader.read(clip.numbers):
                    yield place, frame, []

    def deliver(item: tuple[int, Frame]) -> None:
        place, frame = item
        work = small[place]
        with open_writer(work.errand.target, work.like, manner.overwrite, manner.encoding) as writer:
            writer.write(frame)

    largest = max((work.errand.info for work in small), key=_bytes, default=None)
    stages = Stages(frames(), lambda place, frame, _: small[place].hands[0].paint(frame), deliver, 2)
    yield Progress("painting", 0, len(works), "picture")
    for done, rate in flow(stages, largest, tally):
        yield Progress("painting", done, len(works), "picture", rate)
    for number, work in enumerate((work for work in works if work not in small), len(small) + 1):
        clip, info = work.errand.clips[0], work.errand.info
        yield Progress("painting", note=f"{clip.source} is {info.width}x{info.height}: painted in bands of rows")
        yield from paint_in_bands(work, manner)
        tally.frames += 1
        yield Progress("painting", number, len(works), "picture")


def paint_in_bands(work: Work, manner: Manner) -> Iterator[Progress]:
    """Paint one picture without ever holding all of it."""
    clip, hand = work.errand.clips[0], work.hands[0]
    brush = hand.layers[0].brush
    with open_reader(clip.source, clip.reading) as reader:
        tags = cast(RowReader, reader).tags
        with open_writer(work.errand.target, work.like, manner.overwrite, manner.encoding) as writer:
            rows = cast(RowReader, reader), cast(RowWriter, writer)
            painted = paint_by_rows(*rows, lambda band: hand.paint_rows(band, tags), brush.stride, brush.receptive_field)
            start = perf_counter()
            for done in painted:
                yield Progress("painting in bands", done, work.errand.info.height, "row", done / (perf_counter() - start))


def paint_clip(work: Work, manner: Manner, tally: Tally) -> Iterator[Progress]:
    """Paint a clip into its files or its movie, going on where an earlier run was stopped."""
    errand = work.errand
    if errand.files:
        errand.files[0].parent.mkdir(exist_ok=True)
    identity = {**facts(errand), **work.hands[0].identity(), **asdict(manner.encoding), "sound": manner.sound}
    identity["contents"] = [digest_of_source(clip.source) for clip in errand.clips if clip.kind == "movie"]
    with Journal.open(errand.target, identity, fresh=manner.fresh) as journal:
        if errand.kind == "movie" and journal.good("joined", errand.target):  # stopped after the very last step
            journal.finish()
            return
        delivery = _delivery(work, manner, journal)
        _refuse_foreign(delivery, errand, journal, manner.overwrite)
        todo = {place for part in delivery.parts if not _is_good(journal, part) for place in part.places}
        kept = errand.length - len(todo)
        tally.resumed += kept
        if kept:
            yield Progress("resuming", note=f"{kept} of {errand.length} frames of {errand.target} are there already")
        if lost := lessened(work.like, errand.target, manner.encoding) if errand.kind == "movie" else "":
            yield Progress("encoding", note=lost)
        for source in silent(errand):
            yield Progress("without sound", note=f"{source}: frames are left out between, so its sound cannot follow")
        hand_at = [hand for clip, hand in zip(errand.clips, work.hands, strict=True) for _ in clip.numbers]
        stages = Stages(
            _wanted(errand, hand_at, todo),
            lambda place, frame, company: hand_at[place].paint(frame, company),
            lambda item: delivery.take(*item),
            delivery.threads,
            min(hand.at_once for hand in work.hands),
        )
        try:
            for done, rate in flow(stages, errand.info, tally):
                left = (len(todo) - done) / rate if rate else None
                yield Progress("painting", kept + done, errand.length, "frame", rate, seconds_left=left)
            if errand.kind == "movie":
                yield Progress("joining", errand.length, errand.length, "frame")
            delivery.finish()
        finally:
            delivery.abort()
        journal.finish()


def _delivery(work: Work, manner: Manner, journal: Journal) -> Delivery:
    if work.errand.kind == "movie":
        return Movie(work.errand, work.like, manner, journal)
    return Files(work.errand, work.like, manner, journal)


def _is_good(journal: Journal, part: Part) -> bool:
    # The sources of a part that was never made need not be read to know that it is still to do.
    return journal.owns(part.name) and journal.good(part.name, part.path, part.source_digest())


def _refuse_foreign(delivery: Delivery, errand: Errand, journal: Journal, overwrite: bool) -> None:
    """Files that are there and were not made by this render are replaced only when asked to."""
    if errand.kind == "movie" or overwrite:
        return
    there = [part.path for part in delivery.parts if part.path.exists() and not journal.owns(part.name)]
    if there:
        count = f"and {len(there) - 1} more frames exist" if len(there) > 1 else "exists"
        raise MediaError(f"{count} already: --overwrite replaces what is there", there[0])


def _wanted(errand: Errand, hands: list[Hand], todo: set[int]) -> Generator[tuple[int, Frame, list[Frame]], None, None]:
    """The frames of the places that are still to do, each with its place and, if it is steadied, with those around it."""
    for _, each in groupby((each for each in errand.places() if each[0] in todo), key=lambda each: id(each[1])):
        group = list(each)
        clip: Clip = group[0][1]
        places = {number: place for place, _, number in group}
        around = {number: hands[place].around(number) for number, place in places.items()}
        with open_reader(clip.source, clip.reading) as reader:
            for number, company in in_company(reader.read(sorted({n for numbers in around.values() for n in numbers})), around):
                frame = next(frame for frame in company if frame.number == number)
                yield places[number], frame, company if len(company) > 1 else []


@dataclass(frozen=True)
class Stages:
    """What happens to a frame and its place: it is read, painted, delivered by one or more threads each."""

    frames: Generator[tuple[int, Frame, list[Frame]], None, None]  # place, frame, and those around it if it is steadied
    paint: Callable[[int, Frame, list[Frame]], Frame]
    deliver: Callable[[tuple[int, Frame]], None]
    threads: int
    painters: int = 1


def flow(stages: Stages, info: ClipInfo | None, tally: Tally) -> Iterator[tuple[int, float]]:
    """Read ahead, paint, deliver behind, all at once; yield how many frames are painted, and frames per second."""
    depth = queue_depth(_bytes(info)) if info else 1
    start, done = perf_counter(), 0

    def paint(item: tuple[int, Frame, list[Frame]]) -> tuple[int, Frame, float]:
        began = perf_counter()
        return item[0], stages.paint(*item), perf_counter() - began

    with Ahead(stages.frames, depth) as ahead, Behind(stages.deliver, depth, stages.threads) as behind:
        try:
            for place, painted, seconds in abreast(paint, ahead, stages.painters):
                tally.paint_seconds += seconds / stages.painters
                tally.first_frame_seconds = tally.first_frame_seconds or perf_counter() - tally.began
                behind.put((place, painted))
                done += 1
                yield done, done / (perf_counter() - start)
        except BaseException:  # a frame that cannot be read, or a stop: what is painted already is kept
            with suppress(Exception):
                behind.finish()
            raise
        behind.finish()
        tally.frames += done
        tally.read_seconds += ahead.busy_seconds
        tally.write_seconds += behind.busy_seconds
        tally.flow_seconds += perf_counter() - start


def _bytes(info: ClipInfo) -> int:
    return info.width * info.height * info.channels * np.dtype(info.depth).itemsize


def record(hands: Sequence[Hand]) -> dict[str, Any]:
    """What a job painted with, for its figures."""
    layers = hands[0].layers
    last = hands[0].touch.super_resolve
    brushes = [layer.brush for layer in layers] + ([last] if last else [])
    opened = {engine.name + engine.precision: engine for brush in brushes for engine in brush.opened.values()}
    engines = [f"{engine.name} {engine.precision} on {engine.device}" for engine in opened.values()]
    seconds = [taken for hand in hands for taken in hand.seconds]
    after_first = seconds[1:] or seconds  # an engine prepares itself on the first frame of a size
    at_once = 1 if all(hand.clip.kind == "picture" for hand in hands) else min(hand.at_once for hand in hands)
    fps = round(at_once / median(after_first), 2) if after_first and median(after_first) else None
    style = layers[0].brush.style
    made = {"style": ", ".join(layer.brush.name for layer in layers), "style_hash": style.hash}
    touch = {"tier": layers[0].brush.tier, "strength": _number_or_text(hands[0].touch.strength)}
    gain = {"steady": hands[0].touch.steady.manner, "steadied": found} if (found := hands[0].gain) else {}
    return {**made, **touch, "engine": ", ".join(engines) or "none", "paint_fps": fps, **gain}


def _number_or_text(curve: Curve) -> float | str:
    constant = curve.constant
    return str(curve) if constant is None else constant
