"""int8: a tier's graph made ready for 8-bit integers, judged against fp32, and kept for the next time.

    found = as_int8(graph, tier)   # found.graph, or "" and found.fault where the picture would suffer

Every convolution that may be quantised is (quantise.py), between bounds found on pictures (ranges.py). If the painting then
differs too much from fp32, sums go back to higher precision, and after them one layer after the other, the worst first.
"""
from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from impasto.engine import load_engine
from impasto.engine.export import difference
from impasto.engine.int8.drift import style_drift
from impasto.engine.int8.pictures import judged_pictures, plate_pictures, with_guides
from impasto.engine.int8.quantise import Bounds, Outline, outlined, quantised
from impasto.engine.int8.ranges import Picture, bounds_of
from impasto.frame import Pixels

if TYPE_CHECKING:
    from impasto.engine import Engine
    from impasto.styles.package import Tier

LEAST_DB = 38.0
# Looks are 0.36 to 0.40 from what they were learnt from (`impasto styles show`): 3% of that. See drift.py
MOST_DRIFT = 0.011
FEWEST_LAYERS = 0.5  # with fewer of them in int8 than this share, bf16 is as fast
HOW = 1  # counts up when graphs are quantised otherwise: older ones are made anew


@dataclass(frozen=True)
class Int8:
    """A graph in 8-bit integers and how near it stays to fp32; without a graph: why there is none."""

    graph: bytes = field(repr=False)
    psnr_db: float  # of the worst of the pictures it is judged by
    drift: float  # likewise: how far its style statistics moved
    kept: tuple[str, ...] = ()  # layers that were left in higher precision, because they hurt
    fault: str = ""

    @property
    def sound(self) -> bool:
        """Whether the painting is near enough."""
        return self.psnr_db >= LEAST_DB and self.drift <= MOST_DRIFT


def as_int8(graph: bytes, tier: Tier, shot: Sequence[Pixels] = ()) -> Int8:
    """A tier's graph in int8, calibrated on the plate, and on frames [H,W,3] of a shot beside it; made once, then remembered."""
    key = _key(graph, shot)
    found = _remembered(key)
    if found is None:
        found = _tried(graph, tier, shot)
        _remember(key, found)
    return found


def _tried(graph: bytes, tier: Tier, shot: Sequence[Pixels]) -> Int8:
    planes = sum(tier.guides.values())
    outline = outlined(graph)
    if not outline.layers:
        return Int8(b"", 0.0, 0.0, fault="it has no convolutions that 8 bits would suit")
    pictures = with_guides([*plate_pictures(), *shot], planes)
    entering = [_entering(picture, tier.stride) for picture in pictures]
    judge = _Judge(graph, tier, with_guides(judged_pictures(), planes))
    nearest: Int8 | None = None
    for made, kept in _less_and_less(outline, bounds_of(outline, entering), judge):
        found = replace(judge.of(made), kept=kept)
        if found.sound:
            return found
        nearest = found if nearest is None or found.psnr_db > nearest.psnr_db else nearest
    assert nearest is not None, "at least one way is tried"
    near = f"{nearest.psnr_db:.1f} dB from fp32 ({LEAST_DB:g} are asked for)"
    if nearest.psnr_db >= LEAST_DB:
        near = f"its style {nearest.drift:.2%} from fp32's (at most {MOST_DRIFT:.1%} are allowed)"
    return replace(nearest, graph=b"", fault=f"its painting is {near}, even with the worst layers left out")


def _less_and_less(outline: Outline, bounds: dict[str, Bounds], judge: _Judge) -> Iterator[tuple[bytes, tuple[str, ...]]]:
    """Ways to quantise a graph, from the fastest on, with what they leave out."""
    layers = list(outline.layers)
    if outline.sums:
        yield quantised(outline, bounds, layers, outline.sums), ()
    yield quantised(outline, bounds, layers, ()), tuple(_plain(name) for name in outline.sums)
    hurt = {name: judge.of(quantised(outline, bounds, [name], ())).psnr_db for name in layers}
    worst = sorted(layers, key=hurt.__getitem__)
    for count in range(1, int(len(layers) * (1 - FEWEST_LAYERS)) + 1):
        kept = (*outline.sums, *worst[:count])
        yield quantised(outline, bounds, worst[count:], ()), tuple(_plain(name) for name in kept)


class _Judge:
    """Sets graphs in int8 against one in fp32, by pictures that they were not calibrated on."""

    def __init__(self, graph: bytes, tier: Tier, pictures: Sequence[Pixels]) -> None:
        self._tier, self._pictures = tier, pictures
        truth = self._open(graph, "fp32")
        self._painted = [truth.paint(picture[None])[0] for picture in pictures]

    def of(self, graph: bytes) -> Int8:
        """How far this graph's paintings are from fp32, at worst."""
        engine = self._open(graph, "int8")
        painted = [engine.paint(picture[None])[0] for picture in self._pictures]
        pairs = list(zip(self._painted, painted, strict=True))
        near = min(difference(truth, ours).psnr_db for truth, ours in pairs)
        return Int8(graph, round(near, 2), round(max(style_drift(truth, ours) for truth, ours in pairs), 5))

    def _open(self, graph: bytes, precision: str) -> Engine:
        return load_engine("openvino").open(graph, self._tier, precision)


def _entering(picture: Pixels, stride: int) -> Picture:
    """As much of a picture as is a multiple of the stride, as it enters a graph."""
    height, width = picture.shape[:2]
    fitted = picture[: height - height % stride, : width - width % stride].transpose(2, 0, 1)[None]
    return np.ascontiguousarray(fitted, np.float32) / np.float32(255)


def _plain(name: str) -> str:
    """What a value is called, without what exporters hang on it."""
    return name.strip("/").removesuffix("_output_0")


def _key(graph: bytes, shot: Sequence[Pixels]) -> str:
    """What an int8 graph depends on."""
    digest = sha256(graph)
    for frame in shot:
        digest.update(str(frame.shape).encode() + np.ascontiguousarray(frame).tobytes())
    return f"{digest.hexdigest()[:40]}-{HOW}"


def _place(key: str) -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("impasto", appauthor=False) / "int8" / f"{key}.json"


def _remembered(key: str) -> Int8 | None:
    try:
        told = json.loads(_place(key).read_text("utf-8"))
        graph = _place(key).with_suffix(".onnx").read_bytes() if told["sha256"] else b""
        if told.pop("sha256") != (sha256(graph).hexdigest() if graph else ""):
            return None
        return Int8(graph, **{**told, "kept": tuple(told["kept"])})
    except (OSError, ValueError, TypeError, KeyError):  # not there, or damaged: it is made anew
        return None


def _remember(key: str, found: Int8) -> None:
    told = {"psnr_db": found.psnr_db, "drift": found.drift, "kept": found.kept, "fault": found.fault}
    told["sha256"] = sha256(found.graph).hexdigest() if found.graph else ""
    parts = {".onnx": found.graph, ".json": json.dumps(told, indent=1).encode()}
    with suppress(OSError):  # a cache that cannot be written costs seconds next time, no more
        _place(key).parent.mkdir(parents=True, exist_ok=True)
        for suffix, data in parts.items():
            temporary = _place(key).with_name(f"{key}.{os.getpid()}.tmp")
            temporary.write_bytes(data)
            temporary.replace(_place(key).with_suffix(suffix))
