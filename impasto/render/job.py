"""RenderJob: shots in, painted shots out. Everything that can be known to be wrong is said before any work begins."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator

from impasto.errors import InputError
from impasto.job import Done, Job, Progress, option
from impasto.media.encoding import Bits, Chroma, Codec, Decoding, Encoding, Missing, Quality
from impasto.render.checks import Faults, Inputs, check_work
from impasto.render.projection import Projection, Stereo

if TYPE_CHECKING:
    from impasto.frame import Frame, Pixels
    from impasto.render.brush import Brush
    from impasto.render.comic import Comic
    from impasto.render.errands import Clip, Errand
    from impasto.render.steady import Steadying
    from impasto.render.touch import Layer, Touch

DEFAULT_STYLE = "great-wave"
Brushes = dict[tuple[str, str, int], "Brush"]  # by style as it was asked for, tier and variation


class RenderJob(Job):
    """Paint pictures, sequences and videos in a style."""

    command: ClassVar[str] = "render"
    help: ClassVar[str] = "Paint pictures, sequences and videos in a style."

    inputs: list[Path] = option(
        help="pictures, videos, sequences (a folder, or a pattern such as 'shot.####.png')", argument=True, min_length=1
    )
    out: Path = option(
        help="a movie or a pattern takes all inputs, one after the other; a folder takes each; a picture takes one",
        flag="-o/--out",
    )
    style: list[str] = option(
        [DEFAULT_STYLE],
        "name of a look, or a style file; of a style of many, STYLE#LOOK, STYLE#LOOK:0.3,LOOK:0.7 or STYLE#PICTURE; "
        "several: with STYLE@MATTE one over the other, with STYLE:0.6 mixed by their shares",
        min_length=1,
    )
    variation: int = option(0, "another variation of a look that varies: any number; 0 is the look itself", ge=0)
    tier: Literal["auto", "live", "full", "mini"] = option(
        "auto", "which of the look's networks paint: live is fast, full is finer; auto takes the finest it has"
    )
    strength: str = option("1", "how much paint, 0 (none) to 1 (all); over time as '1001:0, 1024:1'")
    keep_colour: float = option(0.0, "how far the painting keeps the source's colours", ge=0, le=1)
    scale: float = option(1.0, "size of the brush: 2 paints with strokes twice as big", ge=0.25, le=4)
    guide: list[str] = option([], "what a look learnt with guides sees beside the colour, as depth=depth.####.exr (repeatable)")
    palette: Path | None = option(None, "a picture whose colours the painted shot takes on")
    denoise: float = option(0.0, "take noise out before painting", ge=0, le=1)
    enhance: float = option(0.0, "more local contrast and sharpness after painting", ge=0, le=1)
    grain: float = option(0.0, "lay the source's grain back on the painting: 1 is as much as was there", ge=0, le=4)
    seed: int = option(0, "seed of the grain", ge=0)
    steady: Literal["off", "flow", "vectors"] = option(
        "off", "mix each painting with those around it, moved by the source's motion: flow finds it, vectors are read from EXRs"
    )
    steady_window: int = option(2, "frames on each side that steady a frame; 0 takes the two before it alone", ge=0, le=8)
    vectors: str = option("", "EXRs with the motion for --steady vectors, as mv.####.exr; else the shot's own channels")
    vector_convention: Literal["auto", "nuke", "blender"] = option("auto", "whose vectors they are; auto goes by their names")
    step: int = option(1, "frames that show one drawing, 2 is on twos; each shot begins with a drawing of its own", ge=1, le=12)
    boil: float = option(0.0, "how much lines sway from drawing to drawing, as if each was drawn by hand", ge=0, le=1)
    screen: Literal["off", "frame", "object"] = option(
        "off", "lay darker tones in marks: frame keeps them in place, object moves them along with what is drawn"
    )
    marks: Literal["dots", "hatching"] = option("dots", "what the marks of --screen are")
    mark_size: float = option(1.0, "size of those marks: 2 is twice as coarse", ge=0.5, le=8)
    super_resolve: str = option("", "name or file of a look that enlarges: what was painted comes out two or four times larger")
    letterbox: bool = option(False, "find black bars and leave them alone")
    proxy: int = option(1, "shrink by this first, for a quick look", ge=1, le=16)
    projection: Projection = option("flat", "equirect: a 360 degree picture, painted without a seam")
    stereo: Stereo = option("none", "two eyes in one picture, painted each on its own")
    frames: str = option("all", "which frames, as 1001-1100x2,1150; a video counts from 1")
    start: str = option("", "first frame: a number, a time (12.5s, 0:12.5) or a timecode (01:00:10:12)")
    end: str = option("", "last frame, likewise; a time is the first moment that is left out")
    missing: Missing = option("error", "gaps of a sequence: error names them, hold repeats the frame before, skip passes over")
    fps: float | None = option(None, "frames per second of a movie made from pictures (24 if they do not say)", gt=0, le=1000)
    layer: str = option("", "which layer of an EXR is painted; else its picture")
    to_layer: str = option("", "lay the painting into a new layer of the EXR, beside everything that was there")
    colour_in: str = option("auto", "colour space of the source, by its OpenColorIO name; auto goes by the file's own tags")
    colour_out: str = option("auto", "colour space of the result, likewise; auto is that of the source")
    codec: Codec = option("auto", "of a movie: auto is h264, for more than 8 bits h265, in webm vp9, for alpha prores4444")
    quality: Quality = option("high", "of a movie, JPEG or WebP: high shows no difference, draft is quick")
    chroma: Chroma = option("auto", "colour resolution of a movie; auto keeps the source's where the codec can")
    bits: Bits = option("auto", "depth of the values; auto keeps the source's")
    sound: str = option("copy", "copy it as it is, encode it anew, none, or a file to take it from")
    wedge: str | None = option(
        None, "paint one frame with every combination, as 'strength=.4,.7,1 scale=.5,1', onto a labelled sheet"
    )
    tile: str = option("auto", "paint in tiles: auto (where memory asks for it), off, or their size in pixels")
    engine: Literal["auto", "openvino", "onnx", "pytorch"] = option("auto", "what runs the network; auto measures once")
    precision: Literal["auto", "fp32", "bf16", "int8"] = option("auto", "number format; auto: fp32, for movies what is fastest")
    devices: str = option(
        "auto", "where the looks run: cpu:2 is two painters on the processor, cuda:0,cuda:1 two cards; frames, or the tiles of a "
        "huge one, are shared out among them"
    )
    overwrite: bool = option(False, "replace outputs that exist")
    fresh: bool = option(False, "start over instead of going on where an earlier run of this render was stopped")

    @field_validator("tile")
    @classmethod
    def _tile_is_known(cls, value: str) -> str:
        if value in ("auto", "off"):
            return value
        from impasto.render.tiles import SMALLEST_TILE_PX

        if not value.isdecimal() or int(value) < SMALLEST_TILE_PX:
            raise ValueError(f"choose auto, off, or a size of {SMALLEST_TILE_PX} pixels or more")
        return value

    @field_validator("devices")
    @classmethod
    def _devices_are_known(cls, value: str) -> str:
        if value != "auto":
            from impasto.engine.devices import parse_devices

            parse_devices(value)
        return value

    @field_validator("strength", mode="before")
    @classmethod
    def _strength_is_a_curve(cls, value: Any) -> str:
        from impasto.render.knobs import Curve

        Curve.parse(str(value))
        return str(value)

    def run(self) -> Iterator[Progress | Done]:
        """Check everything, open the engines, paint."""
        began = perf_counter()
        yield Progress("opening")
        from impasto.render.delivery import Manner
        from impasto.render.errands import plan
        from impasto.render.hand import Hand
        from impasto.render.mattes import read_uses
        from impasto.render.pipeline import Work, paint

        clips, layers = self.surveyed()
        if note := read_uses(self.style)[1]:
            yield Progress("mixing looks", note=note)
        for layer in layers:
            if layer.brush.look.note:
                yield Progress("choosing a look", note=f"{layer.brush.style.card.name}: {layer.brush.look.note}")
        if self.wedge is not None:
            yield from self._wedge(clips, layers)
            return
        errands = plan(clips, self.out)
        self._pin_engine(layers, errands)
        self._share_out(layers, errands)
        manner = Manner(Encoding(self.codec, self.quality, self.chroma, self.bits), self.sound, self.overwrite, self.fresh)
        touch, works, inputs = self._touch(), list[Work](), self._inputs(clips, layers)
        with self._folder(errands):
            with Faults.gathering() as faults:
                for errand in errands:
                    with faults.noted():
                        place = (errand.files or [errand.target])[0]
                        hands = [Hand(clip, layers, touch, place, manner.encoding) for clip in errand.clips]
                        for hand in hands:
                            hand.prepare()
                            yield from hand.find_shots()
                        works.append(Work(errand, hands))
                        check_work(works[-1], inputs, manner, faults)
            try:
                yield from paint(works, manner, began)
            finally:
                for hand in (hand for work in works for hand in work.hands):
                    hand.close()

    def _wedge(self, clips: list[Clip], layers: list[Layer]) -> Iterator[Progress | Done]:
        """One frame, the middle one of those wanted, with every combination of settings on one sheet."""
        from impasto.media import open_reader
        from impasto.media.landing import check_output
        from impasto.render.sheet import save_sheet
        from impasto.render.wedge import parse_wedge, place_of_sheet, wedge_sheet

        settings = parse_wedge(self.wedge or "")
        if len(clips) > 1:
            raise InputError(f"--wedge paints one frame of one input, and these are {len(clips)}: name one")
        if self.to_layer:
            raise InputError("--to-layer lays a painting into an EXR, and --wedge makes a sheet to look at: leave one out")
        clip, given = clips[0], self.model_dump(exclude={"wedge"})
        middle = clip.numbers[len(clip.numbers) // 2]
        out = place_of_sheet(self.out, middle)
        with Faults.gathering() as faults:
            self._inputs(clips, layers).note(out, faults)
        check_output(out, self.overwrite)
        varied = [RenderJob.build(**{**given, **setting}) for setting in settings]  # a value out of range is said before work
        with open_reader(clip.source, clip.reading) as reader:
            frame = next(reader.read([middle]))
        brushes: Brushes = {}
        painted = []
        for number, job in enumerate(varied, 1):
            yield Progress("painting", number - 1, len(varied), "setting")
            painted.append(job.painted(clip, frame, brushes))
        waiting = iter(painted)
        sheet = wedge_sheet(self.painted(clip, frame, brushes, plain=True), settings, lambda _: next(waiting))
        save_sheet(sheet, out, self.overwrite)
        figures = {"settings": settings, "frame": frame.number}
        yield Done(out, f"{len(settings)} settings of frame {frame.number} on {out}", figures)

    def painted(self, clip: Clip, frame: Frame, brushes: Brushes, plain: bool = False) -> Pixels:
        """A frame as this job would paint it, or not, as a screen shows it; alpha comes along."""
        from impasto.render.hand import Hand
        from impasto.render.knobs import Curve

        touch = replace(self._touch(), strength=Curve(((0, 0.0),))) if plain else self._touch()
        hand = Hand(clip, self._layers(brushes), touch, Path("sheet.png"))
        try:
            hand.prepare()
            return hand.paint(frame).pixels
        finally:
            hand.close()

    def surveyed(self) -> tuple[list[Clip], list[Layer]]:
        """What is painted, and with which looks: read and judged, all faults at once, and no engine runs yet."""
        with Faults.gathering() as faults:
            clips = self._clips(faults)
            layers: list[Layer] = []
            with faults.noted():
                layers = self._layers()
        return clips, layers

    def opened(self) -> tuple[list[Layer], Brush | None]:
        """The looks, and the one that enlarges: read and judged, and no engine runs yet."""
        return self._layers(), self._larger()

    def _layers(self, brushes: Brushes | None = None) -> list[Layer]:
        """Looks and where they go; one that is there already, or named twice, is opened once."""
        from impasto.render.brush import Brush
        from impasto.render.looks import check_variation, find_look
        from impasto.render.mattes import read_uses
        from impasto.render.touch import Layer, check_layers

        brushes = {} if brushes is None else brushes
        layers = []
        for use in read_uses(self.style)[0]:
            key = use.style, self.tier, self.variation
            if key not in brushes:
                look = find_look(use.style, self.tier, self.variation)
                brushes[key] = Brush(look, self.tier, self.engine, self.precision, self.tile)
            layers.append(Layer(brushes[key], use.matte))
        check_variation([layer.brush.look for layer in layers], self.variation)
        check_layers(layers)
        return layers

    def _touch(self) -> Touch:
        from impasto.media.guides import parse_guides
        from impasto.render.knobs import Curve
        from impasto.render.touch import Touch

        read: dict[str, Any] = {"strength": Curve.parse(self.strength), "super_resolve": self._larger()}
        read["guides"] = tuple(parse_guides(self.guide))
        read["steady"], read["comic"] = self._steadying(), self._comic()
        same = {name: getattr(self, name) for name in Touch.__dataclass_fields__ if name not in read}
        return Touch(**read, **same)

    def _steadying(self) -> Steadying:
        from impasto.render.steady import Steadying

        if self.steady != "vectors" and (self.vectors or self.vector_convention != "auto"):
            which = "--vectors" if self.vectors else "--vector-convention"
            raise InputError(f"{which} is for --steady vectors, and this is --steady {self.steady}: add it, or leave {which} out")
        if self.steady != "off" and self.wedge is not None:
            raise InputError("--steady looks at the frames around each, and --wedge paints one alone: leave one out")
        return Steadying(self.steady, self.steady_window, self.vectors, self.vector_convention)

    def _comic(self) -> Comic:
        from impasto.render.comic import Comic

        comic = Comic(self.step, self.boil, self.screen, self.marks, self.mark_size)
        if comic.by_shots and self.wedge is not None:
            which = "--step" if self.step > 1 else "--screen object"
            raise InputError(f"{which} looks at the frames before each, and --wedge paints one alone: leave one out")
        if self.screen == "off" and (self.marks, self.mark_size) != ("dots", 1.0):
            which = "--marks" if self.marks != "dots" else "--mark-size"
            raise InputError(f"{which} is for a screen, and there is none: add --screen frame or object, or leave {which} out")
        return comic

    def _larger(self) -> Brush | None:
        """The brush that enlarges what was painted; of a look without the tier that paints, the one it has."""
        if self.to_layer and (self.super_resolve or self.proxy > 1):
            which = "--super-resolve" if self.super_resolve else "--proxy"
            raise InputError(f"--to-layer lays the painting beside layers that keep their size: leave out {which}, or --to-layer")
        from impasto.render.brush import Brush
        from impasto.render.enlarge import check_enlarges
        from impasto.styles.library import find
        from impasto.styles.package import StyleFile

        if not self.super_resolve:
            return None
        if self.proxy > 1:
            raise InputError("--proxy makes the picture smaller and --super-resolve larger: leave one of them out")
        style = StyleFile.open(find(self.super_resolve))
        tier = self.tier if self.tier in style.card.tiers else style.card.finest
        brush = Brush(style, tier, self.engine, self.precision, self.tile)
        check_enlarges(brush)
        return brush

    def _clips(self, faults: Faults) -> list[Clip]:
        from fractions import Fraction

        from impasto.frame import exact_rate
        from impasto.render.errands import Selection, survey

        rate = exact_rate(self.fps) if self.fps else Fraction(0)
        reading = Decoding(self.missing, self.layer, self.to_layer)
        selection, clips = Selection(self.frames, self.start, self.end, reading, rate, self._steadying(), self._comic().reach), []
        for source in self.inputs:
            with faults.noted():
                clips.append(survey(source, selection))
        return clips

    def _inputs(self, clips: list[Clip], layers: list[Layer]) -> Inputs:
        """Every file that is read."""
        from impasto.media.guides import parse_guides
        from impasto.render.alongside import files_of
        from impasto.render.vectors import vector_files

        files = [file for clip in clips for file in clip.inputs]
        for matte in (layer.matte for layer in layers if layer.matte and layer.matte.origin == "file"):
            files += files_of(Path(matte.name))
        for guide in parse_guides(self.guide):
            files += files_of(guide.path)
        files += vector_files(self._steadying())
        files += [self.palette] if self.palette else []
        files += [file for layer in layers for file in layer.brush.look.files]
        return Inputs([*files, Path(self.sound), Path(self.super_resolve)])

    def _pin_engine(self, layers: list[Layer], errands: list[Errand]) -> None:
        """Where the choice is ours, stills are painted exactly, and a render that goes on keeps what it was begun with."""
        from impasto.render.journal import Journal

        if self.precision == "auto" and any(errand.kind != "movie" for errand in errands):
            for layer in layers:
                layer.brush.precision = "fp32"  # a codec hides what bf16 rounds; a still does not, and is set beside its EXR
        if self.engine != "auto" or self.fresh:
            return
        for errand in errands:
            before = Journal.identity_before(errand.target) if errand.kind != "picture" else None
            if before and "engine" in before:
                for layer in layers:
                    layer.brush.engine = before["engine"]
                    layer.brush.precision = before["precision"] if self.precision == "auto" else self.precision
                return

    def _share_out(self, layers: list[Layer], errands: list[Errand]) -> None:
        """The looks run where they were told to; where the choice is ours, clips are painted several frames at a time."""
        from impasto.engine.devices import ANYWHERE, parse_devices, side_by_side

        alone = all(errand.kind == "picture" for errand in errands)
        told = parse_devices(self.devices) if self.devices != "auto" else [ANYWHERE if alone else side_by_side()]
        for layer in layers:
            layer.brush.devices = told

    @contextmanager
    def _folder(self, errands: list[Errand]) -> Iterator[None]:
        """A folder that results go into is made; one that was made for them goes again if nothing came into it."""
        from impasto.media.landing import check_output
        from impasto.render.errands import folder_of

        folder = folder_of(errands, self.out)
        if folder is None or folder.is_dir():
            yield
            return
        if folder.exists():
            raise InputError(f"{folder}: {len(errands)} results need a folder to go into, and this is a file; name another")
        check_output(folder)  # that its parent takes it
        folder.mkdir()
        try:
            yield
        except BaseException:  # stopped or failed: an empty folder is no result; one that holds pictures stays
            with suppress(OSError):
                folder.rmdir()
            raise
