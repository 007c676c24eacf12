"""Between a movie's planes and RGB: any matrix, range, depth and subsampling, by the exact formulas.

One matrix does colour, range and depth at once, rounded once. Chroma of 4:2:0 and 4:2:2 lies beside the left pixel of each pair,
as MPEG puts it, and is taken from there. At 8 bits a colour that fits comes back within 1/255 per channel and step.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from impasto.frame import Pixels

Matrix = NDArray[np.floating[Any]]

BT709, UNKNOWN, BT601, BT2020 = 1, 2, 6, 9
LIMITED, FULL = 1, 2
BAND_ROWS = 32  # of chroma, that are made at once: a processor keeps what it needs for them at hand
HD_ROWS = 720  # untagged pictures of fewer rows are taken for BT.601, others for BT.709
# Matrix of H.273 -> what red and blue weigh in luma. 0 is RGB itself.
WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
_SUBSAMPLED = {(1, 1): "444", (2, 1): "422", (2, 2): "420", (1, 2): "440", (4, 1): "411", (4, 4): "410"}
# What makes chroma smaller, as the inverse of what widens it: of (1 1) / 2 across, of (1 3) / 4 down. All sums are exact.
_NARROWING: dict[int, Matrix] = {1: np.ones(1, np.float32), 2: np.array([-1, 2, 6, 2, -1], np.float32) / 8}
_NARROWING_DOWN: dict[int, Matrix] = {1: np.ones(1, np.float32), 2: np.array([-1, 3, 3, -1], np.float32) / 4}
_LIMITED_WHEN_SILENT = ("h264", "hevc", "vp9", "av1", "mpeg")  # grey of other codecs is full unless it says otherwise


@dataclass(frozen=True)
class Signal:
    """What a clip's numbers mean, in the codes of ITU-T H.273 (and of ffmpeg); `full` is range 0..255 rather than 16..235."""

    primaries: int = BT709
    transfer: int = BT709
    matrix: int = BT709
    full: bool = False

    def codes(self, layout: Layout) -> tuple[int, int]:
        """Matrix and range as ffmpeg names them, for frames of this layout."""
        return (0, FULL) if layout.rgb else (self.matrix, FULL if self.full else LIMITED)


@dataclass(frozen=True)
class Layout:
    """How a pixel format lays its values out, as far as it matters here."""

    planar: str  # the name of a format with the same values, each channel in its plane
    bits: int
    channels: int
    rgb: bool
    alpha: bool
    across: int  # pixels that share a chroma value
    down: int

    @property
    def depth(self) -> str:
        """The numpy name of the type that holds a value."""
        return "uint8" if self.bits == 8 else "uint16"

    @property
    def chroma(self) -> str:
        """4:2:0 and its like, as "420"."""
        return _SUBSAMPLED[self.across, self.down]


@lru_cache
def layout_of(name: str) -> Layout | None:
    """The layout of a pixel format; None for those that hold no whole numbers of 8 to 16 bits."""
    form = av.VideoFormat(name)
    parts = form.components
    bits = 8 if form.has_palette else max(part.bits for part in parts)
    alpha, rgb, grey = any(part.is_alpha for part in parts) or form.has_palette, form.is_rgb or form.has_palette, len(parts) <= 2
    if "f16" in name or "f32" in name or not 8 <= bits <= 16 or name.startswith("xyz"):
        return None
    across, down = (1, 1) if rgb or grey else (form.chroma_width(64), form.chroma_height(64))
    across, down = (64 // across, 64 // down) if across > 1 else (1, 1)
    if (across, down) not in _SUBSAMPLED:
        return None
    if rgb or (grey and alpha):
        base = "gbrap" if alpha else "gbrp"
    else:
        base = "gray" if grey else f"yuv{'a' if alpha else ''}{_SUBSAMPLED[across, down]}p"
    planar = base + ("" if bits == 8 else f"{bits}le")
    in_planes = len({part.plane for part in parts}) == len(parts) and not form.is_big_endian and not (grey and alpha)
    channels = 1 if base == "gray" else 3 + alpha
    planar = name if in_planes and not form.has_palette else planar
    return Layout(planar, bits, channels, rgb=base.startswith("gbr"), alpha=alpha, across=across, down=down)


def signal_of(frame: av.VideoFrame, codec: str) -> Signal:
    """What a decoded frame says of its colour, and where it is silent, what is usual for its size."""
    layout = layout_of(frame.format.name)
    assert layout is not None
    usual = BT709 if frame.height >= HD_ROWS or layout.rgb else BT601
    said = (frame.color_primaries, frame.color_trc, frame.colorspace)
    primaries, transfer, matrix = (usual if code in (0, UNKNOWN, 3) else int(code) for code in said)
    full = not layout.rgb and (frame.color_range == FULL or frame.format.name.startswith("yuvj"))
    if frame.color_range not in (LIMITED, FULL) and layout.channels == 1:
        full = not codec.startswith(_LIMITED_WHEN_SILENT)
    return Signal(primaries, transfer, matrix, full)


def to_rgb(frame: av.VideoFrame, signal: Signal) -> Pixels:
    """The frame as RGB, or RGBA where it has alpha: uint8 from 8 bits, else uint16 with white at 65535."""
    layout = layout_of(frame.format.name)
    assert layout is not None
    if frame.format.name != layout.planar:
        frame = frame.reformat(format=layout.planar, src_color_range=FULL, dst_color_range=FULL, threads=1)
    planes = [_view(plane, layout.depth) for plane in frame.planes]
    if layout.rgb:
        merged = cv2.merge([planes[2], planes[0], planes[1], *planes[3:]])
        return merged if layout.bits in (8, 16) else _transform(merged, _decoding(layout, signal))
    if layout.channels > 1:
        size = frame.width, frame.height
        planes[1:3] = (widen(plane, size, layout.across, layout.down) for plane in planes[1:3])
    return _transform(cv2.merge(planes) if len(planes) > 1 else planes[0], _decoding(layout, signal))


def from_rgb(pixels: Pixels, name: str, signal: Signal) -> av.VideoFrame:
    """A frame of the named pixel format. Alpha it lacks is left out; alpha that pixels lack is opaque."""
    layout = layout_of(name)
    assert layout is not None
    height, width = pixels.shape[:2]
    frame = av.VideoFrame(width, height, name)
    pixels = _prepared(pixels, layout)
    if name in ("bgr0", "bgra"):
        view = _values(frame.planes[0], "uint8")[:, : width * 4].reshape(height, width, 4)
        np.copyto(view, cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA if layout.alpha else cv2.COLOR_RGB2BGRA))
    else:
        most = float(np.iinfo(pixels.dtype).max)
        coded = pixels if layout.rgb and layout.bits in (8, 16) else _transform(pixels, _encoding(layout, signal, most))
        if signal.full and layout.bits not in (8, 16):
            coded = np.minimum(coded, 2**layout.bits - 1)  # the purest blue lies half a step beyond
        order = (1, 2, 0, 3) if layout.rgb else (0, 1, 2, 3)
        for place, plane in enumerate(frame.planes):
            target, channel = _view(plane, layout.depth), order[place]
            if not layout.rgb and place in (1, 2) and layout.across * layout.down > 1:
                narrow_into(target, cv2.extractChannel(coded, channel), layout)
            elif coded.dtype == target.dtype:
                cv2.extractChannel(coded, channel, dst=target)  # straight to where the encoder finds it
            else:
                np.copyto(target, cv2.extractChannel(coded, channel), casting="unsafe")
    frame.colorspace, frame.color_range = signal.codes(layout)
    frame.color_primaries, frame.color_trc = signal.primaries, signal.transfer
    return frame


def widen(plane: Pixels, size: tuple[int, int], across: int, down: int) -> Pixels:
    """A chroma plane at the size of luma."""
    width, height = size
    if across == 4:
        return cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)
    if down == 2:
        plane = cv2.resize(plane, (plane.shape[1], plane.shape[0] * 2), interpolation=cv2.INTER_LINEAR)[:height]
    if across == 2:  # each value stands at a left pixel; the right one is halfway to the next value
        following = np.concatenate([plane[:, 1:], plane[:, -1:]], axis=1)
        pairs = cv2.merge([plane, cv2.addWeighted(plane, 0.5, following, 0.5, 0)])
        plane = pairs.reshape(len(plane), -1)[:, :width]
    return plane


def narrow_into(target: Pixels, plane: Pixels, layout: Layout) -> None:
    """`narrow` in bands of rows: the numbers on the way are floats, and a whole 4K plane of those is hundreds of megabytes."""
    for top in range(0, len(target), BAND_ROWS):
        bottom = min(top + BAND_ROWS, len(target))
        first = max(top - 1, 0)  # a row looks at the one before it and the one after it
        rows = plane[first * layout.down : (bottom + 1) * layout.down]
        narrowed = narrow(rows, layout.across, layout.down, layout.bits)
        np.copyto(target[top:bottom], narrowed[top - first : bottom - first], casting="unsafe")


def narrow(plane: Pixels, across: int, down: int, bits: int) -> Pixels:
    """A chroma plane of luma's size at its own size: what `widen` made comes back as it was, and what is finer does not alias."""
    if across == 1 and down == 1:
        return plane
    height, width = plane.shape
    plane = cv2.copyMakeBorder(plane, 0, -height % down, 0, -width % across, cv2.BORDER_REPLICATE)
    if across == 4:
        return cv2.resize(plane, (plane.shape[1] // across, plane.shape[0] // down), interpolation=cv2.INTER_AREA)
    # At the border each filter meets the mirror image, but on the left, where the first pixel is its own neighbour's neighbour.
    edged = cv2.copyMakeBorder(plane, 0, 0, 2, 0, cv2.BORDER_REFLECT_101)
    edged[:, 0] = plane[:, 0]
    over, below = _NARROWING[across], _NARROWING_DOWN[down]
    anchor = ((len(over) - 1) // 2, (len(below) - 1) // 2)
    fine = cv2.sepFilter2D(edged, cv2.CV_32F, over, below, anchor=anchor, borderType=cv2.BORDER_REFLECT_101)
    values = np.ascontiguousarray(fine[::down, 2::across])
    kind = cv2.CV_8U if plane.dtype == np.uint8 else cv2.CV_16U
    values = cv2.addWeighted(values, 1, values, 0, 0, dtype=kind)  # rounds, and clips to the type
    return values if bits in (8, 16) else np.minimum(values, 2**bits - 1)


def _view(plane: VideoPlane, depth: str) -> Pixels:
    return _values(plane, depth)[:, : plane.width]


def _values(plane: VideoPlane, depth: str) -> Pixels:
    return np.frombuffer(memoryview(plane), depth).reshape(plane.height, -1)


def _prepared(pixels: Pixels, layout: Layout) -> Pixels:
    """RGB or RGBA as the format has it, in whole numbers of at least its depth."""
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = np.rint(pixels.astype(np.float32).clip(0, 1) * 65535).astype(np.uint16)
    if pixels.dtype == np.uint8 and layout.bits > 8:
        pixels = pixels.astype(np.uint16) * 257
    elif pixels.dtype == np.uint16 and layout.bits == 8 and layout.rgb:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    channels = pixels.shape[2]
    if channels <= 2:
        pixels = np.repeat(pixels, (3, 1)[:channels], axis=2)
    if layout.alpha and pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype)])
    return np.ascontiguousarray(pixels if layout.alpha else pixels[..., :3])


def _transform(values: Pixels, matrix: Matrix) -> Pixels:
    return cv2.transform(values, matrix)


@lru_cache
def _decoding(layout: Layout, signal: Signal) -> Matrix:
    """From coded values to RGB(A) of the whole 8 or 16 bits."""
    most = 255.0 if layout.bits == 8 else 65535.0
    if layout.channels == 1:
        scale, base = _luma(layout.bits, signal.full)
        return np.array([[most / scale, -most * base / scale]] * 3)
    square: Matrix = np.linalg.inv(_square(layout, signal, most))
    return square[: layout.channels]


@lru_cache
def _encoding(layout: Layout, signal: Signal, most: float) -> Matrix:
    """From RGB(A), where `most` is white, to coded values."""
    if layout.channels == 1:
        red, blue = WEIGHTS[signal.matrix]
        scale, base = _luma(layout.bits, signal.full)
        return np.array([[red, 1 - red - blue, blue, base * most / scale]], np.float64) * (scale / most)
    return _square(layout, signal, most)[: layout.channels]


def _square(layout: Layout, signal: Signal, most: float) -> Matrix:
    """The affine map from RGB(A) to coded values as a square matrix, so that it can be turned round."""
    full_scale = 2.0**layout.bits - 1
    size = layout.channels + 1
    square = np.eye(size) * (full_scale / most)  # alpha and RGB have no foot- and headroom
    square[-1, -1] = 1
    if not layout.rgb:
        red, blue = WEIGHTS[signal.matrix]
        luma = np.array([red, 1 - red - blue, blue])
        scale, base = _luma(layout.bits, signal.full)
        chroma_scale = full_scale if signal.full else 224.0 * 2 ** (layout.bits - 8)
        rows: Sequence[Matrix] = (
            luma * scale,
            (np.array([0, 0, 1]) - luma) / (2 * (1 - blue)) * chroma_scale,
            (np.array([1, 0, 0]) - luma) / (2 * (1 - red)) * chroma_scale,
        )
        square[:3, :3] = np.array(rows) / most
        square[:3, -1] = base, 2.0 ** (layout.bits - 1), 2.0 ** (layout.bits - 1)
    return square


def _luma(bits: int, full: bool) -> tuple[float, float]:
    """How far luma reaches from black to white, and where black is."""
    return (2.0**bits - 1, 0.0) if full else (219.0 * 2 ** (bits - 8), 16.0 * 2 ** (bits - 8))
