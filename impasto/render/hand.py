"""The hand that leads the brushes over one clip: colours, mattes, knobs, and what is measured once for the whole of it.

    stored colour -> as a screen shows it -> less noise -> painted -> knobs -> grain -> strength -> stored again -> through mattes
        -> larger

Every step that is off hands its input on untouched. What no brush touched keeps its very bits. A frame's painting depends on the
frame and on the clip it belongs to, never on which other frames are rendered. With --steady what was painted is mixed with the
paintings of the frames around it (company.py), before grain and strength. With --step a frame shows another one's drawing
(drawings.py); --boil and --screen are laid on what was painted (comic.py).
"""
from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from impasto import __version__
from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.job import Progress
from impasto.media import MOVIES, open_reader
from impasto.media.alpha import premultiplied, spread, unpremultiplied
from impasto.media.colour import AUTO, Colour, open_colour
from impasto.media.encoding import DEFAULT, Encoding
from impasto.media.guides import Planes
from impasto.render.brush import Brush, Paint
from impasto.render.comic import PLAIN, boiled, screened
from impasto.render.company import Canvas, Company
from impasto.render.compose import bounds, compose, paint_within
from impasto.render.drawings import Drawings, Ground
from impasto.render.enlarge import Enlarger
from impasto.render.grain import Grain
from impasto.render.guides import Guides, joined
from impasto.render.journal import digest
from impasto.render.knobs import Palette, keep_colour, scaled
from impasto.render.mattes import Matte, open_matte
from impasto.render.post import Box, Letterbox, denoise, enhance, proxy, proxy_info, sample_numbers, samples
from impasto.render.projection import check_stereo
from impasto.render.steady import Motions, Steady
from impasto.render.stored import Window, as_shown, from_engine, held_as, is_deep, unit, windowed, with_colour
from impasto.render.tiles import halo_px
from impasto.render.touch import Layer, Touch
from impasto.render.vectors import FileMotions

if TYPE_CHECKING:
    from impasto.render.errands import Clip

IN_BANDS = "in_bands"  # a tag of rows that are painted on their own: what reaches beyond them is left alone


@dataclass
class Measured:
    """What is found once, in samples of the whole clip."""

    letterbox: Letterbox | None = None
    grain: Grain | None = None
    palettes: list[Palette] = field(default_factory=list)  # one per layer


class Hand:
    """Paints the frames of one clip."""

    def __init__(self, clip: Clip, layers: Sequence[Layer], touch: Touch, target: Path, encoding: Encoding = DEFAULT) -> None:
        self.clip, self.layers, self.touch = clip, list(layers), touch
        self.seconds: list[float] = []  # of each frame, painting alone
        self.info = proxy_info(clip.info, touch.proxy)
        self._to_exr, self._to_movie = target.suffix.lower() == ".exr", target.suffix.lower() in MOVIES
        if clip.reading.to_layer and not self._to_exr:
            raise MediaError("has no layers, so --to-layer has no place to go: write an .exr, or leave it out", target)
        check_stereo(touch.stereo, self.info.width, self.info.height)
        self.colour: Colour = open_colour(touch.colour_in, touch.colour_out, clip.info, clip.suffix, target.suffix.lower())
        self.deep = clip.info.depth != "uint8" or not self.colour.plain or is_deep(target, clip.info, encoding)
        self._paints = touch.strength.constant != 0
        self._mattes: list[Matte | None] = []
        self._palette: Pixels | None = None
        self._measured: Measured | None = None
        self._guides: Guides | None = None
        self._motions = Motions()
        self._company: Company | None = None
        self._drawings, self._ground = Drawings(touch.comic, clip), Ground()
        self._held: tuple[int, Frame] | None = None  # the drawing that was made last, by its frame
        self._larger = Enlarger(touch.super_resolve, self.colour) if touch.super_resolve else None
        if self._to_exr and clip.suffix == ".exr" and not clip.reading.to_layer and (self._paints or self._larger):
            from impasto.media import exr

            exr.check_place(clip.files[0] if clip.files else clip.source, clip.reading.layer)

    def prepare(self) -> None:
        """Open engines, mattes and the palette, so that what is wrong with them is known before work begins."""
        if self._paints:
            self._guides = Guides(self.touch.guides, self.clip.info, self.clip.everyone)
            self._guides.check([layer.brush for layer in self.layers])
        for brush in [layer.brush for layer in self.layers if self._paints] + ([self._larger.brush] if self._larger else []):
            brush.prepare(self.deep or bool(brush.guides), str(self.clip.source))
        self._mattes = [
            open_matte(layer.matte, self.clip.info, self.clip.source, self.clip.everyone) if layer.matte else None
            for layer in self.layers
        ]
        if self.touch.palette:
            self._palette = as_shown(self.touch.palette)
        if self._paints and self.touch.steady.manner != "off" and self.clip.kind != "picture":
            if self.touch.steady.manner == "vectors":
                self._motions = FileMotions(self.touch.steady, self.clip)
            steady = Steady(self.touch.steady, self.clip.everyone, self._motions)
            self._company = Company(steady, self._canvas, self._alone_painted)

    def find_shots(self) -> Iterator[Progress]:
        """Look where shots begin, if drawings are counted from there."""
        if self._paints:
            yield from self._drawings.find()

    @property
    def note(self) -> str:
        """What is worth saying of how its clip is painted."""
        notes = [layer.brush.note for layer in self.layers]
        if self.touch.steady.manner != "off" and self._paints and self.clip.kind == "picture":
            notes.append(f"{self.clip.source}: one picture has no neighbours, so --steady leaves it as it is")
        elif isinstance(self._motions, FileMotions):
            notes.append(f"following {self._motions}")
        return "; ".join(note for note in dict.fromkeys(notes) if note)

    @property
    def gain(self) -> dict[str, float]:
        """What steadying came to; nothing where it is off."""
        return self._company.gain.figures() if self._company else {}

    @property
    def at_once(self) -> int:
        """How many frames it may paint at the same time; one by one where a frame leans on others, or on files beside it."""
        leaning = self.touch.guides or self._company or any(self._mattes) or self.touch.comic != PLAIN
        if leaning or not self._paints:
            return 1
        self._measure()  # before several ask for it
        return min(layer.brush.at_once for layer in self.layers)

    def around(self, number: int) -> Sequence[int]:
        """The frames that a frame is painted from, itself among them."""
        key = self._drawings.key(number) if self._paints else number
        if self.touch.strength.at(key) == 0:
            return sorted({key, number})
        return sorted({*self._neighbours(key), *self._drawings.chain(number), number})

    def _neighbours(self, number: int) -> Sequence[int]:
        """The frames that steady a frame, itself among them."""
        return self.touch.steady.around(self.clip.everyone, number) if self._company is not None else [number]

    def check_frames(self) -> None:
        """Refuse mattes and guides that lack a frame that is to be painted, or sampled for a palette."""
        drawn = sorted({self._drawings.key(number) for number in self.clip.numbers})
        painted = [number for number in drawn if self.touch.strength.at(number) != 0]
        for matte in self._mattes:
            if matte is not None:
                matte.check_frames(painted)
        around = sorted({each for number in painted for each in self._neighbours(number)})
        if self._guides is not None and painted:
            sampled = sample_numbers(self.clip.everyone) if self.touch.palette else []
            self._guides.check_frames(sorted({*around, *sampled}))
        if isinstance(self._motions, FileMotions):
            self._motions.check(around)

    @property
    def like(self) -> ClipInfo:
        """What its painted frames are: grey becomes colour, an EXR's display window is what others show."""
        info, shown = self.info, self.clip.info.tags.get("display_window")
        if shown and not self._to_exr:
            factor = self.touch.proxy
            info = replace(info, width=-(-(shown[2] + 1 - shown[0]) // factor), height=-(-(shown[3] + 1 - shown[1]) // factor))
        if self._paints and info.channels < 3:
            info = replace(info, channels=info.channels + 2)
        info = self._larger.info(info) if self._larger else info
        depth = str(self._storage)
        return info if depth == info.depth else replace(info, depth=depth, tags={**info.tags, "bits": 10})

    @property
    def _storage(self) -> np.dtype[Any]:
        """How painted values are held: as the source holds them, unless the result is to be finer, or holds no floats."""
        native = np.dtype(self.clip.info.depth)
        if native.kind == "f":
            return np.dtype(np.uint16) if self._to_movie else native
        if self._to_exr and not self.colour.plain:
            return np.dtype(np.float32)
        return np.dtype(np.uint16) if self.deep else native

    def paint(self, frame: Frame, company: Sequence[Frame] = ()) -> Frame:
        """The frame, painted; number, alpha and tags stay. Where nothing is to be done, it is handed back as it is.

        `company` are the frames that it is painted from, and itself, if there are others (`around`).
        """
        start = perf_counter()
        key = self._drawings.key(frame.number) if self._paints else frame.number
        if self._held is None or self._held[0] != key or self.touch.grain:  # grain goes on where a drawing is held
            drawn = next((each for each in company if each.number == key), frame)
            written = self._made(drawn, company, frame.number)
        else:
            written = replace(self._held[1], number=frame.number)
        if self._paints and self._drawings.holds:
            self._held = key, written
        self.seconds.append(perf_counter() - start)
        return written

    def _made(self, frame: Frame, company: Sequence[Frame], shown: int) -> Frame:
        """The frame, painted, as it is shown under a number."""
        frame = proxy(frame, self.touch.proxy)
        strength = self.touch.strength.at(frame.number)
        rgb = frame.rgb()
        stored = self._unpainted(frame, rgb) if strength == 0 else self._painted(frame, rgb, strength, company, shown)
        grey = frame.pixels.shape[2] < 3
        if stored is not rgb or (grey and self._paints):  # a grey clip is colour in all of its frames, if in one
            frame = with_colour(frame, stored[..., :1] if grey and not self._paints else stored)
        written = self._as_written(frame if frame.number == shown else replace(frame, number=shown))
        return self._larger.frame(written) if self._larger else written

    def _as_written(self, frame: Frame) -> Frame:
        """The frame as its file wants it: an EXR takes its windows and header along, others show the display window."""
        tags = dict(frame.tags)
        if self._to_exr:
            if "exr" not in tags or self.colour.changes:
                tags["chromaticities"] = self.colour.target.chromaticities
            if "exr" in tags and self.touch.proxy > 1:
                tags["resized"] = self.touch.proxy
            return replace(frame, tags=tags)
        window = self._shown(frame)
        for name in ("exr", "premultiplied", "data_window", "display_window"):
            tags.pop(name, None)
        return replace(frame, pixels=frame.pixels if window is None else windowed(frame.pixels, window), tags=tags)

    def _shown(self, frame: Frame) -> Window | None:
        """What of a frame's data window a screen shows, in its own pixels; None: all of it."""
        data, shown = frame.tags.get("data_window"), frame.tags.get("display_window")
        if not data or not shown or data == shown:
            return None
        left, top = shown[0] - data[0], shown[1] - data[1]
        factor = self.touch.proxy
        width, height = (-(-(shown[i + 2] + 1 - shown[i]) // factor) for i in (0, 1))
        return left // factor, top // factor, left // factor + width, top // factor + height

    def _painted(self, frame: Frame, rgb: Pixels, strength: float, company: Sequence[Frame], shown: int) -> Pixels:
        """The layers over the frame's own colour, in the target's storage; what none of them touches keeps its bits."""
        near = [each for each in company if each.number in self._neighbours(frame.number)]
        steadied = self._company if len(near) > 1 else None
        canvas = steadied.gather(near, frame.number) if steadied else self._canvas_of(frame, rgb)
        ground = self._moved(company, canvas) if self.touch.comic.screen == "object" else None
        picture, result = canvas.picture, canvas.picture
        quiet = None if steadied else denoise(picture, self.touch.denoise)
        touched = np.zeros(picture.shape[:2], bool)
        for number, layer in enumerate(self.layers):
            matte = None if (opened := self._mattes[number]) is None else opened.at(frame, canvas.whole)
            if matte is not None and canvas.box is not None:
                matte = np.ascontiguousarray(canvas.box.of(matte))
            if steadied:
                painted = steadied.painted(number) if matte is None or matte.any() else None
            else:
                assert quiet is not None
                beside = self._beside(layer.brush, frame, canvas.box)
                painted = self._layer(number, layer.brush, picture, joined(quiet, beside), matte)
            if painted is None:
                continue
            painted = boiled(painted, self.touch.comic.boil, frame.number, self.touch.seed)
            painted = screened(painted, self.touch.comic, ground)
            if (grain := self._measure().grain) is not None:
                painted = grain.lay(painted, shown, self.touch.seed, self.touch.grain)
            if strength < 1:
                painted = mix(picture, painted, strength)
            result = painted if matte is None else compose(result, [(painted, matte)])
            touched |= True if matte is None else matte > 0
        return self._laid_back(canvas, result, touched)

    def _moved(self, company: Sequence[Frame], canvas: Canvas) -> Planes | None:
        """Where a screen that goes along with what is drawn lies under this drawing; None: as it was laid."""
        frames = {each.number: each for each in company}
        chain = [number for number in self._drawings.chain(canvas.number) if number in frames or number == canvas.number]
        return self._ground.under(chain, lambda number: canvas if number == canvas.number else self._canvas(frames[number]))

    def _canvas(self, frame: Frame) -> Canvas:
        """A frame as it was read, as the brushes see it."""
        frame = proxy(frame, self.touch.proxy)
        return self._canvas_of(frame, frame.rgb())

    def _canvas_of(self, frame: Frame, rgb: Pixels) -> Canvas:
        alone, alpha = self._alone(frame, rgb), frame.alpha
        if frame.tags.get("premultiplied") and alpha is not None and IN_BANDS not in frame.tags:
            seen = self.colour.to_working(spread(alone, alpha))
        else:
            seen = self.colour.to_working(alone)
        if self.deep and seen.dtype == np.uint8:
            seen = unit(seen)
        box = self._box(frame)
        return Canvas(frame, seen if box is None else np.ascontiguousarray(box.of(seen)), box, alone, seen)

    def _alone_painted(self, number: int, canvas: Canvas) -> Pixels:
        """All of a frame by one layer's brush, whatever its matte: what lies beside a matte may move into it."""
        brush, picture = self.layers[number].brush, canvas.picture
        beside = self._beside(brush, canvas.frame, canvas.box)
        painted = self._layer(number, brush, picture, joined(denoise(picture, self.touch.denoise), beside), None)
        assert painted is not None, "only a matte can leave nothing to paint"
        return painted

    def _laid_back(self, canvas: Canvas, result: Pixels, touched: NDArray[np.bool_]) -> Pixels:
        """What was painted as the target stores it, where anything was painted, and the frame's own colour elsewhere."""
        frame, alone = canvas.frame, canvas.alone
        if canvas.box is not None:
            whole, inside = canvas.whole.copy(), np.zeros(canvas.whole.shape[:2], bool)
            canvas.box.of(whole)[:], canvas.box.of(inside)[:] = result, touched
            result, touched = whole, inside
        alpha, rgb = frame.alpha, frame.rgb()
        if frame.tags.get("premultiplied") and alpha is not None and alpha.any():
            touched = touched & ~((alpha == 0) & (rgb == 0).all(axis=2))  # where nothing is, nothing is painted
        stored = self._back(self.colour.from_working(result, alone), frame)
        return stored if touched.all() else np.where(touched[..., None], stored, self._unpainted(frame, rgb))

    def _layer(self, number: int, brush: Brush, seen: Pixels, quiet: Pixels, matte: Pixels | None) -> Pixels | None:
        """One brush's painting of what is seen; None where its matte leaves nothing to paint."""
        touch, measured = self.touch, self._measure()
        paint: Paint = scaled(brush.projected(touch.projection, touch.stereo), touch.scale)
        if brush.guides:
            paint = _stored_as(paint, seen.dtype)
        if matte is not None:
            window = bounds(matte, halo_px(brush.stride, brush.receptive_field), brush.stride)
            if window is None:
                return None
            if touch.alone:  # else a window's painting is not the whole's
                paint = _within(paint, window)
        painted = keep_colour(seen, paint(quiet), touch.keep_colour)
        if measured.palettes:
            painted = measured.palettes[number].apply(painted)
        return enhance(painted, touch.enhance)

    def _beside(self, brush: Brush, frame: Frame, box: Box | None) -> Planes | None:
        """What a brush sees beside the colour of a frame."""
        if self._guides is None:
            return None
        planes = self._guides.beside(brush, frame)
        return planes if planes is None or box is None else np.ascontiguousarray(box.of(planes))

    def _box(self, frame: Frame) -> Box | None:
        """Where the picture is between the bars, in a frame's own pixels; None: everywhere."""
        box, window = self._measure().letterbox, self._shown(frame)
        height, width = frame.pixels.shape[:2]
        if box is None:
            return None
        left, top = (0, 0) if window is None else window[:2]  # it was found in the display window
        rows = range(height)[max(top + box.top, 0) : max(top + box.top + box.height, 0)]
        columns = range(width)[max(left + box.left, 0) : max(left + box.left + box.width, 0)]
        return Box(rows.start, columns.start, len(rows), len(columns)) if rows and columns else None

    def _unpainted(self, frame: Frame, rgb: Pixels) -> Pixels:
        """The frame's own colour in the target's storage; the very array where that is its own."""
        as_it_is = self._to_exr or not frame.tags.get("premultiplied")
        if as_it_is and not self.colour.changes and rgb.dtype == self._storage:
            return rgb
        return self._back(self.colour.converted(self._alone(frame, rgb)), frame)

    def _measure(self) -> Measured:
        if self._measured is None:
            self._measured = self._found()
        return self._measured

    def _found(self) -> Measured:
        touch, found = self.touch, Measured()
        if not (touch.letterbox or touch.grain or touch.palette):
            return found
        with open_reader(self.clip.source, self.clip.reading) as reader:
            frames = samples(reader)
        taken = [self._sampled(frame) for frame in frames]
        if touch.letterbox:
            found.letterbox = Letterbox.find(taken)
            taken = [np.ascontiguousarray(found.letterbox.of(each)) for each in taken]
        if touch.grain:
            found.grain = Grain.measure(taken)
        if self._palette is not None:
            for layer in self.layers:
                painted = [self._tried(layer.brush, *each, found.letterbox) for each in zip(frames, taken, strict=True)]
                found.palettes.append(Palette.measure(painted, self._palette))
        return found

    def _tried(self, brush: Brush, frame: Frame, seen: Pixels, box: Box | None) -> Pixels:
        """A sample as a brush paints it, before its colours are moved."""
        paint, touch = scaled(brush.paint, self.touch.scale), self.touch
        sized = proxy(frame, touch.proxy)
        beside, window = self._beside(brush, sized, None), self._shown(sized)
        if beside is not None:  # it goes along with the whole data window, and samples are what a screen shows
            beside = beside if window is None else windowed(beside, window)
            beside = beside if box is None else np.ascontiguousarray(box.of(beside))
        painted = paint(joined(denoise(seen, touch.denoise), beside))
        return keep_colour(seen, from_engine(painted, seen.dtype), touch.keep_colour)

    def _sampled(self, frame: Frame) -> Pixels:
        """What a screen shows of a frame, as the brushes see it."""
        frame = proxy(frame, self.touch.proxy)
        seen, window = self.colour.to_working(self._alone(frame, frame.rgb())), self._shown(frame)
        seen = seen if window is None else windowed(seen, window)
        return unit(seen) if self.deep and seen.dtype == np.uint8 else seen

    def _alone(self, frame: Frame, rgb: Pixels) -> Pixels:
        """Colour without the alpha that is multiplied into it."""
        if frame.tags.get("premultiplied") and frame.alpha is not None:
            return unpremultiplied(rgb, frame.alpha)
        return rgb

    def _back(self, colour: Pixels, frame: Frame) -> Pixels:
        """Colour in the target's storage, multiplied by alpha again where it was."""
        if frame.tags.get("premultiplied") and frame.alpha is not None and self._to_exr:
            colour = premultiplied(colour, frame.alpha)
        return held_as(colour, self._storage)

    def paint_rows(self, rows: Pixels, tags: dict[str, Any]) -> Pixels:
        """Rows [rows,W,C] of a picture too large to be painted at once."""
        return self.paint(Frame(rows, self.clip.numbers[0], {**tags, IN_BANDS: True})).pixels

    def check_rows(self, path: Path) -> None:
        """Refuse what cannot be done in bands."""
        if not self.touch.alone or len(self.layers) > 1 or self.layers[0].matte or self._crops():
            knobs = "--scale, --palette, --guide, --denoise, --enhance, --grain, --letterbox, --proxy, --super-resolve"
            what = f"mattes, {knobs}, --boil, --screen and projections"
            raise MediaError(f"is so large that it is painted in bands of rows, where {what} do not work: leave them out", path)

    def _crops(self) -> bool:
        tags = self.clip.info.tags
        return not self._to_exr and tags.get("data_window") != tags.get("display_window")

    def identity(self) -> dict[str, Any]:
        """All that the values of painted frames depend on, besides the frames."""
        own = ("super_resolve", "guides", "steady", "comic")
        touch = {name: str(value) for name, value in vars(self.touch).items() if name not in own}
        made = {"impasto": __version__, **touch, **(self._larger.identity(self.deep) if self._larger else {})}
        if self.touch.palette:
            made["palette_content"] = digest(self.touch.palette)
        if config := os.environ.get("OCIO", "") if (self.touch.colour_in, self.touch.colour_out) != (AUTO, AUTO) else "":
            made["ocio"] = digest(config) if os.path.isfile(config) else config
        if not self._paints:
            return made
        if self._guides is not None and self.touch.guides:
            made["guides"] = self._guides.identity()
        if self._company is not None:
            made["steady"] = f"{self.touch.steady.manner}, {self.touch.steady.window} frames"
        if isinstance(self._motions, FileMotions):
            made["vectors"] = self._motions.identity()
        if self.touch.comic != PLAIN:
            made["comic"] = self._drawings.identity()
        looks = [layer.brush.identity(self.deep) for layer in self.layers]
        for layer, look in zip(self.layers, looks, strict=True):
            if layer.matte:
                look["matte"] = {**asdict(layer.matte), "content": layer.matte.content()}
        return {**made, **looks[0]} if len(looks) == 1 else {**made, "looks": looks, **_engine_of(looks)}

    def close(self) -> None:
        """Let go of the mattes' files."""
        for matte in self._mattes:
            if matte is not None:
                matte.close()
        if self._guides is not None:
            self._guides.close()


def mix(rgb: Pixels, painted: Pixels, strength: float) -> Pixels:
    """Between the picture (0) and the painting (1), in native values."""
    between = rgb.astype(np.float32) * (1 - strength) + painted.astype(np.float32) * strength
    return np.rint(between).astype(rgb.dtype) if np.issubdtype(rgb.dtype, np.integer) else between.astype(rgb.dtype)


def _stored_as(paint: Paint, dtype: np.dtype[Any]) -> Paint:
    """A painter that sees guides, and so floats, whose paintings are stored as the picture is."""
    return lambda pixels: from_engine(paint(pixels), dtype)


def _within(paint: Paint, window: Any) -> Paint:
    return lambda pixels: paint_within(paint, pixels, window)


def _engine_of(looks: list[dict[str, Any]]) -> dict[str, Any]:
    """One engine for all, so that a render that goes on finds what it was begun with."""
    return {name: looks[0][name] for name in ("engine", "precision")}
