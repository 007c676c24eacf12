"""Single planes of numbers out of an EXR: a matte someone put beside the picture, or what a Cryptomatte is made of.

A plane goes by its channel's whole name (mask.R), in a file of many parts also with its part's before it (mattes.mask.R).
"""
from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.errors import MediaError
from impasto.media.exr.container import Layout, read_layout
from impasto.media.exr.reader import Planes

MOST_NAMES = 12  # that a message lists
REC_709 = np.array([0.2126, 0.7152, 0.0722])


class Plane(NamedTuple):
    """Where a channel lies."""

    part: int
    channel: str  # as the file names it
    kind: str  # uint32 | float16 | float32


def list_planes(path: Path) -> dict[str, Plane]:
    """Every channel of a file by its whole name; where two parts hold the same name it is the first one's."""
    planes: dict[str, Plane] = {}
    for number, part in enumerate(read_layout(path).parts):
        for channel in part.channels:
            plane = Plane(number, channel.name, channel.kind)
            planes.setdefault(channel.name, plane)
            if part.name:
                planes.setdefault(f"{part.name}.{channel.name}", plane)
    return planes


def read_planes(path: Path, wanted: Sequence[Plane]) -> list[NDArray[Any]]:
    """These planes [H,W], bit by bit as they are stored."""
    layout, found = read_layout(path), dict[Plane, NDArray[Any]]()
    for number in sorted({plane.part for plane in wanted}):
        _check(layout, number)
        here = [plane for plane in wanted if plane.part == number]
        with closing(Planes(layout, number)) as planes:
            pixels = planes.read([plane.channel for plane in here], 0, layout.parts[number].height)
        found |= dict(zip(here, pixels, strict=True))
    shapes = {plane.shape for plane in found.values()}
    if len(shapes) > 1:
        sizes = " and ".join(sorted(f"{width}x{height}" for height, width in shapes))
        raise MediaError(f"holds what belongs together in parts of {sizes} pixels: save them with one data window", path)
    return [found[plane] for plane in wanted]


def read_layer(path: Path, name: str) -> NDArray[np.float32]:
    """A channel [H,W], or a layer: by its only channel, by its luminance if it has R, G and B, or else by its A."""
    planes = list_planes(path)
    wanted = [planes[name]] if name in planes else _of_layer(path, name, planes)
    values = np.stack(read_planes(path, wanted), axis=2)
    return luminance(values) if len(wanted) == 3 else values[..., 0].astype(np.float32)


def _of_layer(path: Path, name: str, planes: dict[str, Plane]) -> list[Plane]:
    within = {full[len(name) + 1 :].upper(): plane for full, plane in planes.items() if full.startswith(f"{name}.")}
    if not within:
        raise MediaError(f"has no layer or channel '{some([name])}': {suggest(name, layer_names(planes))}", path)
    if within.keys() >= {"R", "G", "B"}:
        return [within[each] for each in "RGB"]
    if len(within) > 1 and "A" not in within:
        choices = [full for full in planes if full.startswith(f"{name}.")]
        raise MediaError(f"has several channels in layer '{some([name])}': name one of {some(choices)}", path)
    return [within.get("A") or next(iter(within.values()))]


def layer_names(planes: dict[str, Plane]) -> list[str]:
    """What can be asked for: channels that stand alone, and layers."""
    return sorted({name.rpartition(".")[0] or name for name in planes})


def luminance(rgb: NDArray[Any]) -> NDArray[np.float32]:
    """How light a colour [H,W,3] looks, in its own values; a grey keeps its value to the last bit."""
    light: NDArray[np.float32] = (rgb.astype(np.float64) @ REC_709).astype(np.float32)
    return light


def suggest(name: str, choices: Sequence[str]) -> str:
    """The end of a message about a name that is not there: what may have been meant, or what there is."""
    within = [choice for choice in choices if name.lower() in choice.lower()]
    close = within[:3] or get_close_matches(name, choices[:10_000], 3)
    return f"did you mean {some(close, ' or ')}?" if close else f"choose one of {some(choices)}"


def some(names: Sequence[str], join: str = ", ") -> str:
    """Names in one line, the first of them if there are many."""
    told = [name.encode("unicode_escape").decode()[:60] for name in names[:MOST_NAMES]]  # a file may call itself anything
    return join.join(told) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def _check(layout: Layout, number: int) -> None:
    part, total = layout.parts[number], layout.parts[number].first_level_chunks
    if part.deep:
        raise MediaError("is a deep picture, of many values for each pixel: flatten it first", layout.path)
    if any(channel.sampling != (1, 1) for channel in part.channels):
        raise MediaError("stores some channels at a lower resolution: save it without subsampling", layout.path)
    if missing := layout.missing_chunks(number):
        raise MediaError(f"is unfinished ({missing} of its {total} blocks are missing): render or copy it again", layout.path)
