"""Before and after the paint: denoise, enhance, black bars left alone, a smaller proxy, samples of a shot.

Each is off by default, and off is exact: the same object comes back. None knows of other frames. Grain: grain.py.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np

from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media import Reader
from impasto.media.oklab import as_float, as_stored, extremes

SPLINE = np.array([1, 4, 6, 4, 1]) / 16
NOISE_SHARE = (0.889, 0.2, 0.086, 0.041)  # of white noise, what each level of detail holds
DENOISED = 0.03  # the spread of noise, of 0..1, that an amount of 1 takes for noise
CHROMA_MORE = 1.5  # the eye misses noise there more than it misses detail
FADING = 1.6  # above 1: what is hardly more than noise goes too
BOOST = (1.6, 1.2, 0.9, 0.8)  # of each level of detail, fine to coarse, at an amount of 1
STRONG = 0.06  # detail larger than this is an edge, and edges that are boosted ring
DARK, EVEN = 0.12, 0.02  # a bar is no lighter, and its values are no further apart, of 0..1
EDGE_ROWS, EDGE_SHARE = 4, 0.5  # right beside a bar the picture shows, this far in, along this much of the edge
MOST_BAR = 0.45  # of the height or width


def denoise(pixels: Pixels, amount: float) -> Pixels:
    """The pixels with less noise and with their edges, colour noise taken out more; before the paint. 0 hands them back."""
    if amount == 0:
        return pixels
    planes = list(cv2.split(_luma_chroma(pixels)))
    for number, plane in enumerate(planes):
        noise = DENOISED * amount * (CHROMA_MORE if number else 1)
        details, rest = _split(np.asarray(plane))
        for detail, share in zip(details, NOISE_SHARE, strict=True):
            rest += _without(detail, share * noise)
        planes[number] = rest
    return as_stored(np.asarray(cv2.cvtColor(cv2.merge(planes), cv2.COLOR_YCrCb2RGB)), pixels.dtype)


def enhance(pixels: Pixels, amount: float) -> Pixels:
    """The pixels crisper and with more local contrast, without halos; after the paint. 0 hands them back."""
    if amount == 0:
        return pixels
    luma = np.ascontiguousarray(_luma_chroma(pixels)[..., 0])
    details, _ = _split(luma)
    more = np.zeros_like(luma)
    for detail, boost in zip(details, BOOST, strict=True):
        more += np.float32(boost * amount) * detail / (1 + np.square(detail * np.float32(1 / STRONG)))
    more *= np.clip(4 * luma * (1 - luma), 0, 1)  # there is no room beyond black and white
    return as_stored(as_float(pixels) + more[..., None], pixels.dtype)


def _luma_chroma(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(as_float(pixels)), cv2.COLOR_RGB2YCrCb))


def _split(plane: Pixels) -> tuple[list[Pixels], Pixels]:
    """A plane as levels of detail, each twice as coarse as the one before, and what is left; together they are the plane."""
    details = []
    for level in range(len(NOISE_SHARE)):
        kernel = np.zeros(4 * 2**level + 1, np.float32)
        kernel[:: 2**level] = SPLINE
        soft = np.asarray(cv2.sepFilter2D(plane, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT))
        details.append(plane - soft)
        plane = soft
    return details, plane


def _without(detail: Pixels, noise: float) -> Pixels:
    """Detail where there is more of it around than noise alone would make (a Wiener filter)."""
    energy = np.asarray(cv2.sqrBoxFilter(detail, cv2.CV_32F, (5, 5), borderType=cv2.BORDER_REFLECT))
    return np.asarray(detail * np.maximum(1 - np.float32(FADING * noise**2) / np.maximum(energy, 1e-12), 0), np.float32)


@dataclass(frozen=True)
class Box:
    """Where the picture is in a frame that may have bars around it."""

    top: int
    left: int
    height: int
    width: int

    def of(self, pixels: Pixels) -> Pixels:
        """The picture, as a view."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True)
class Letterbox(Box):
    """The picture between black bars, above and below or at the sides."""

    @classmethod
    def find(cls, frames: Sequence[Pixels]) -> Self:
        """Where the picture is, judged by samples of a whole shot; everywhere, unless there are bars beyond doubt.

        Bars are dark, even, the same in all samples, and end in a straight edge: a night sky has roofs and stars in it.
        """
        assert frames, "bars are found in samples of the shot"
        height, width = frames[0].shape[:2]
        darkest, lightest = extremes(frames[0])
        for frame in frames[1:]:
            least, most = extremes(frame)
            darkest, lightest = np.minimum(darkest, least), np.maximum(lightest, most)
        darkest, lightest = as_float(darkest), as_float(lightest)
        top, bottom = _bars(darkest, lightest)
        inner = slice(top, height - bottom)
        left, right = _bars(darkest[inner].T, lightest[inner].T)
        return cls(top, left, height - top - bottom, width - left - right)


def _bars(darkest: Pixels, lightest: Pixels) -> tuple[int, int]:
    """How many rows at the first and at the last edge are bars."""
    return _bar(darkest, lightest), _bar(darkest[::-1], lightest[::-1])


def _bar(darkest: Pixels, lightest: Pixels) -> int:
    level = darkest[0].min()
    is_bar = (lightest.max(axis=1) <= min(level + EVEN, DARK)) & (darkest.min(axis=1) >= level - EVEN)
    rows = int(np.argmin(is_bar))  # 0 as well if all of it is dark: then there is no picture to keep bars from
    shown = lightest[rows : rows + EDGE_ROWS].max(axis=0) > level + EVEN
    return rows if rows <= MOST_BAR * len(is_bar) and shown.mean() >= EDGE_SHARE else 0


def samples(reader: Reader, count: int = 5) -> list[Frame]:
    """A few frames, evenly from all over a clip, whichever of them are to be rendered."""
    return list(reader.read(sample_numbers(reader.numbers(), count)))


def sample_numbers(numbers: Sequence[int], count: int = 5) -> list[int]:
    """The frames that are taken as samples."""
    places = sorted({len(numbers) * (2 * place + 1) // (2 * count) for place in range(count)})
    return [numbers[place] for place in places]


def proxy_info(info: ClipInfo, factor: int) -> ClipInfo:
    """What a clip is when its frames are shrunk by a whole number."""
    return replace(info, width=-(-info.width // factor), height=-(-info.height // factor))


def proxy(frame: Frame, factor: int) -> Frame:
    """A frame shrunk by a whole number, for a quick look; 1 hands it back. What alpha hides does not bleed into the colours."""
    if factor == 1:
        return frame
    values = as_float(frame.pixels)
    if (alpha := frame.alpha) is None or frame.tags.get("premultiplied"):
        return replace(frame, pixels=as_stored(_shrunk(values, factor), frame.pixels.dtype))
    weight = as_float(alpha)[..., None]
    colour, cover = _shrunk(values[..., :-1] * weight, factor), _shrunk(weight, factor)
    plain = _shrunk(values[..., :-1], factor)  # of what is hidden wholly
    seen = np.divide(colour, cover, out=plain, where=cover > 0)
    return replace(frame, pixels=as_stored(np.concatenate([seen, cover], axis=2), frame.pixels.dtype))


def _shrunk(values: Pixels, factor: int) -> Pixels:
    height, width = values.shape[:2]
    size = -(-width // factor), -(-height // factor)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA)).reshape(size[1], size[0], -1)
