"""From a file's colours to those that looks were learnt on, and into the colours of the file that is written.

    colour = open_colour("auto", "auto", reader.info, ".exr", ".exr")
    seen = colour.to_working(rgb)             # float32 0..1, as a screen shows it
    rgb = colour.from_working(painted, rgb)   # light as bright as it was, in the file's own primaries

Looks see sRGB. Pictures and clips are taken as they are, no value touched; what a clip's tags say of its primaries counts once it
becomes something else. Clips of more light than a screen has (PQ, HLG) and EXR are light: that is scene-linear with the primaries
its header names, else Rec.709. Everything else has a name in an OpenColorIO configuration: $OCIO, or the library's own.
"""
from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import InputError
from impasto.frame import ClipInfo, Pixels
from impasto.media.primaries import KNOWN, Chromaticities, chromaticities_of, to_rec709
from impasto.media.shoulder import BRIGHTEST, KNEE, Light, decode, encode, from_display, to_display

if TYPE_CHECKING:
    import PyOpenColorIO as ocio

AUTO = "auto"
DEFAULT_CONFIG = "ocio://cg-config-latest"
LINEAR = "Linear Rec.709 (sRGB)"  # in the default configuration: where all spaces meet
PQ_CODE, HLG_CODE, BT2020_CODE, P3_CODE = 16, 18, 9, 12  # transfers and primaries, as a video's tags have them (ITU-T H.273)
PQ, PQ_OF_P3 = "Rec.2100-PQ - Display", "ST2084-P3-D65 - Display"  # in the default configuration
_HLG = (0.17883277, 0.28466892, 0.55991073)  # a, b and c of its curve
_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)
_LOG_FILM = ("kodaklog", "cineon", "printing density")

Change = Callable[[Light], Light]


@dataclass(frozen=True)
class Space:
    """How stored values and light (linear, Rec.709 primaries, 1.0 is white) become each other."""

    name: str
    to_light: Change
    from_light: Change
    bright: bool = True  # it holds more light than a screen's white
    linear: bool = False
    screen: bool = False  # looks see its values as they are stored
    chromaticities: Chromaticities | None = None  # of a linear space that has well-known ones


@dataclass(frozen=True)
class Colour:
    """The way from one file's colours to the looks' and on to another file's."""

    source: Space
    target: Space

    @property
    def plain(self) -> bool:
        """Whether looks see the values as they are stored, and nothing is to be done."""
        return self.source is self.target and self.source.screen

    @property
    def changes(self) -> bool:
        """Whether values change even where nothing is painted."""
        return self.source.name != self.target.name

    def to_working(self, rgb: Pixels) -> Pixels:
        """Stored colour [H,W,3] as looks see it: float32 in 0..1; the very array where it is that already."""
        if self.source.screen:
            return rgb
        stored = _unit(rgb)
        return to_display(_lit(self._light(stored), stored), KNEE if self.source.bright else 1)

    def from_working(self, painted: Pixels, rgb: Pixels) -> Pixels:
        """What was painted over `rgb` as the target stores it, in floats; what was no finite number stays what it was."""
        if self.plain:
            return painted
        if self.source.screen:
            return self.target.from_light(self.source.to_light(_unit(painted)))
        stored = _unit(rgb)
        light = self._light(stored)
        shown = light if not self.target.screen else _lit(light, stored)
        return self._stored(from_display(_unit(painted), shown, KNEE if self.source.bright else 1), light, stored)

    def converted(self, rgb: Pixels) -> Pixels:
        """Stored colour as the target stores it, unpainted: the very array where the two agree, else floats."""
        if not self.changes:
            return rgb
        stored = _unit(rgb)
        light = self._light(stored)
        return self._stored(light if not self.target.screen else _lit(light, stored), light, stored)

    def _light(self, stored: Light) -> Light:
        """Stored colour as light. A matrix mixes a pixel's channels: what is no finite number counts as 0 in the others."""
        finite = np.isfinite(stored)
        return self.source.to_light(stored if finite.all() else np.where(finite, stored, np.float32(0)))

    def _stored(self, light: Light, before: Light, stored: Light) -> Light:
        """Light as the target stores it; `before` is the light it was made of, `stored` how that was stored."""
        if self.target.screen or (finite := np.isfinite(stored)).all():
            return self.target.from_light(light)
        return np.where(finite, self.target.from_light(np.where(finite, light, before)), stored)


def open_colour(colour_in: str, colour_out: str, like: ClipInfo, read: str, written: str) -> Colour:
    """The way between the colours of a source and those of a result; `read` and `written` are the suffixes of their files.

    Named spaces are taken at their word. On its own, a result has the source's space; an EXR is linear, and what is made of one
    for a screen is sRGB.
    """
    source = _told_by(like, read) if colour_in == AUTO else named(colour_in)
    if colour_out != AUTO:
        return Colour(source, source if colour_out == colour_in else named(colour_out))
    if (read == ".exr") == (written == ".exr"):
        return Colour(source, source)
    if written == ".exr":
        return Colour(source, source if source.linear else _linear(None))
    return Colour(source, SCREEN)


def named(name: str) -> Space:
    """A colour space by its name or alias in the configuration."""
    return _named(name, os.environ.get("OCIO") or DEFAULT_CONFIG)


@cache
def _named(name: str, configuration: str) -> Space:
    config = _config(configuration)
    space = config.getColorSpace(name)
    if space is None:
        if name.lower() == SCREEN.name.lower():
            return SCREEN
        raise InputError(_unknown(name, config))
    if space.isData():
        raise InputError(f"colour space '{name}' holds data, no colours: name the space that the values are in")
    to_light, from_light = (partial(_apply, _processor(config, space.getName(), forward=way)) for way in (True, False))
    # Linear spaces are a matrix: found by trying, whatever a configuration says of itself, and faster without the library.
    probe = np.vstack([np.eye(3), np.eye(3) * 8, np.zeros((1, 3))]).astype(np.float32)
    there = to_light(probe)
    if np.allclose(there[3:6], there[:3] * 8, rtol=1e-3, atol=1e-3) and np.allclose(there[6], 0, atol=1e-4):
        matrix = there[:3].T.astype(np.float64)
        return _by_matrix(space.getName(), matrix, chromaticities_of(matrix))
    white = to_light(np.ones((1, 3), np.float32)).max()
    return Space(space.getName(), to_light, from_light, bright=bool(white > 1.05))


def _told_by(like: ClipInfo, suffix: str) -> Space:
    """What a file says of its own colours."""
    told = str(like.tags.get("colorspace", ""))
    if told.lower() in _LOG_FILM:
        return LOG_FILM
    if suffix != ".exr":
        signal = like.tags.get("colour")
        return _of_video(getattr(signal, "transfer", 0), getattr(signal, "primaries", 0))
    if chromaticities := like.tags.get("chromaticities"):
        return _linear(tuple(chromaticities))
    with suppress(InputError):  # a name of somebody's own says nothing here
        if told and (space := named(told)).linear:
            return space
    return _linear(None)


@cache
def _of_video(transfer: int, primaries: int) -> Space:
    """What the codes of a clip mean. PQ and HLG have BT.2020's primaries, whatever is told of a clip that is silent of them."""
    if transfer == PQ_CODE:
        return _named(PQ_OF_P3 if primaries == P3_CODE else PQ, DEFAULT_CONFIG)
    if transfer == HLG_CODE:
        return _through("Rec.2100-HLG", _linear(KNOWN["Rec.2020"]), _hlg_to_light, _light_to_hlg, bright=True)
    if primaries not in (BT2020_CODE, P3_CODE):
        return SCREEN
    name = "Rec.2020" if primaries == BT2020_CODE else "P3-D65"
    return _through(f"{name} as a screen shows it", _linear(KNOWN[name]), decode, _light_to_screen, bright=False)


def _through(name: str, linear: Space, down: Change, up: Change, bright: bool) -> Space:
    """A curve of a video over linear primaries; looks see those as they are that are no brighter than a screen."""

    def to_light(stored: Light) -> Light:
        return linear.to_light(down(stored))

    def from_light(light: Light) -> Light:
        return up(linear.from_light(light))

    return Space(name, to_light, from_light, bright=bright, screen=not bright)


@cache
def _linear(chromaticities: Chromaticities | None) -> Space:
    if chromaticities is None:
        return _by_matrix(LINEAR, np.eye(3), KNOWN["Rec.709"])
    matrix = to_rec709(chromaticities)
    told = " ".join(f"{value:.4g}" for value in chromaticities)
    name = LINEAR if chromaticities_of(matrix) == KNOWN["Rec.709"] else f"linear, primaries {told}"
    return _by_matrix(name, matrix, chromaticities)


def _by_matrix(name: str, matrix: NDArray[np.float64], chromaticities: Chromaticities | None) -> Space:
    if np.allclose(matrix, np.eye(3), atol=2e-4):
        return Space(name, _same, _same, linear=True, chromaticities=chromaticities)
    there, back = (each.T.astype(np.float32) for each in (matrix, np.linalg.inv(matrix)))
    return Space(name, lambda rgb: rgb @ there, lambda light: light @ back, linear=True, chromaticities=chromaticities)


def _same(values: Light) -> Light:
    return values


def _unit(values: Pixels) -> Light:
    """Stored values as float32; integers as fractions of their greatest."""
    if np.issubdtype(values.dtype, np.integer):
        return values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    return values.astype(np.float32, copy=False)


def _lit(light: Light, stored: Light) -> Light:
    """The light as an eye would see it: an infinite channel as bright as any, and only that one."""
    endless = np.isposinf(stored)
    return np.where(endless, np.float32(BRIGHTEST), light) if endless.any() else light


def _film_to_light(stored: Light) -> Light:
    black = 10 ** ((95 - 685) / 300)
    light: Light = (np.power(np.float32(10), (stored * 1023 - 685) / 300) - np.float32(black)) / np.float32(1 - black)
    return light


def _light_to_film(light: Light) -> Light:
    black = 10 ** ((95 - 685) / 300)
    stored: Light = (np.log10(np.maximum(light * np.float32(1 - black) + np.float32(black), np.float32(1e-6))) * 300 + 685) / 1023
    return stored


def _hlg_to_light(stored: Light) -> Light:
    """ITU-R BT.2100's hybrid log-gamma on a display of 1000 cd/m2; as in PQ, 1.0 is 100 of them."""
    a, b, c = _HLG
    scene = np.where(stored <= 0.5, stored * stored / 3, (np.exp((np.maximum(stored, 0.5) - c) / a) + b) / 12).astype(np.float32)
    bright = np.maximum(scene @ _LUMA_2020, np.float32(1e-12))[..., np.newaxis]
    return np.asarray(10 * scene * bright ** np.float32(0.2), np.float32)


def _light_to_hlg(light: Light) -> Light:
    a, b, c = _HLG
    shown = np.maximum(light, 0) / np.float32(10)
    bright = np.maximum(shown @ _LUMA_2020, np.float32(1e-12))[..., np.newaxis]
    scene = shown * bright ** np.float32(-1 / 6)
    stored = np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(12 * np.maximum(scene, 1 / 12) - b) + c)
    return np.minimum(stored, 1).astype(np.float32)


def _light_to_screen(light: Light) -> Light:
    return np.minimum(encode(light), np.float32(1))


SCREEN = Space("sRGB", decode, _light_to_screen, bright=False, screen=True)
LOG_FILM = Space("log film", _film_to_light, _light_to_film)  # Cineon: 10-bit printing density, 95 is black and 685 white


def _apply(processor: ocio.CPUProcessor, values: Light) -> Light:
    found = np.array(values, np.float32, order="C")
    processor.applyRGB(found)
    return found


@cache
def _config(name: str) -> ocio.Config:
    import PyOpenColorIO as ocio

    try:
        config = ocio.Config.CreateFromFile(name)
        config.validate()
    except (ocio.Exception, ocio.ExceptionMissingFile) as error:
        what = "$OCIO" if name != DEFAULT_CONFIG else "OpenColorIO"
        raise InputError(f"{what}: the colour configuration {name} cannot be used: {_first_line(error)}") from None
    return config


def _processor(config: ocio.Config, name: str, forward: bool) -> ocio.CPUProcessor:
    import PyOpenColorIO as ocio

    ours = _config(DEFAULT_CONFIG)
    ends: list[Any] = [config, name, ours, LINEAR] if forward else [ours, LINEAR, config, name]
    try:
        return ocio.Config.GetProcessorFromConfigs(*ends).getDefaultCPUProcessor()
    except (ocio.Exception, ocio.ExceptionMissingFile) as error:
        raise InputError(f"colour space '{name}' cannot be converted: {_first_line(error)}") from None


def _unknown(name: str, config: ocio.Config) -> str:
    names = list(config.getColorSpaceNames())
    by_alias = {alias.lower(): found for found in names for alias in (found, *config.getColorSpace(found).getAliases())}
    close = dict.fromkeys(by_alias[match] for match in difflib.get_close_matches(name.lower(), by_alias, n=6, cutoff=0.5))
    choices = list(close)[:3] or names
    listed = ", ".join(f"'{choice}'" for choice in choices)
    return f"no colour space is called '{name}': {'do you mean' if close else 'take one of'} {listed}{'?' if close else ''}"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]
