"""Which channels of an EXR make a picture, and under which name a person asks for them.

A layer is what stands before the last dot of a channel's name: diffuse.R, diffuse.G, diffuse.B. It is asked for by that name, by
that of its part, or by both ("beauty.diffuse"); a single channel by its whole name.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from impasto.errors import MediaError
from impasto.media.exr.container import Part

_COLOURS = (("r", "g", "b"), ("red", "green", "blue"), ("x", "y", "z"))
_ALPHAS = ("a", "alpha")
_GREYS = ("y", "l", "luminance")
MOST_NAMES = 40  # in a message


@dataclass(frozen=True)
class Layer:
    """Channels of one part that are painted together: grey or three colours, then alpha where there is one."""

    part: int
    prefix: str  # of the channels' names, with its dot
    channels: tuple[str, ...]

    @property
    def colours(self) -> int:
        """How many of the channels are not alpha."""
        return len(self.channels) - (len(self.channels) in (2, 4))

    @property
    def is_picture(self) -> bool:
        """Whether a painting may take its place: three colours or a luminance, not a single channel that means something else."""
        first = self.channels[0]
        return self.colours == 3 or (_suffix(first) in _GREYS and self.prefix != f"{first}.")


def find_layer(parts: Sequence[Part], wanted: str, path: Path, beside: str = "") -> Layer:
    """The layer of that name; without one, the picture: the first part's R, G and B, else the first that has them, else grey.

    `beside`: of a file that goes along with the shot, how its layers are asked for; there the only layer counts as the picture.
    """
    found = list(layers(parts))
    the_only = found[0] if beside and len(found) == 1 else None
    layer = _called(wanted, found, parts) if wanted else _picture_of(found) or the_only
    if layer is None:
        raise MediaError(_unknown(wanted, beside, found, parts), path)
    return layer


def check_place(layer: Layer, parts: Sequence[Part], path: Path) -> None:
    """Refuse to put a painting in the place of a single channel: what others read there would be gone."""
    if layer.is_picture:
        return
    found = [each for each in layers(parts) if each.is_picture]
    ways = ["leave --layer out"] if _picture_of(found) else []
    ways += [f"choose a layer of three colours ({listed})"] if (listed := _listed(_first_names(found, parts))) else []
    ways.append("give --to-layer NAME, which puts the painted picture beside it")
    what = f"{_told(layer.channels[0])} is a single channel, whose place a painting cannot take"
    raise MediaError(f"{what}: {', or '.join(ways)}", path)


def layers(parts: Sequence[Part]) -> Iterator[Layer]:
    """Every group of channels that makes a picture, in the file's order; deep parts have none."""
    for index, part in enumerate(parts):
        groups: dict[str, dict[str, str]] = {}
        for channel in part.channels if not part.deep else ():
            prefix = channel.name[: channel.name.rfind(".") + 1]
            groups.setdefault(prefix, {})[_suffix(channel.name)] = channel.name
        for prefix, group in groups.items():
            if channels := _picture(group):
                yield Layer(index, prefix, channels)


def _picture(group: dict[str, str]) -> tuple[str, ...]:
    colours = next(([group[name] for name in names] for names in _COLOURS if all(name in group for name in names)), None)
    if colours is None:
        colours = [group[name] for name in _GREYS if name in group and not {"ry", "by"} & set(group)][:1]
    if not colours and len(group) == 1:
        colours = list(group.values())
    alphas = [group[name] for name in _ALPHAS if name in group and group[name] not in colours]
    return (*colours, *alphas[:1]) if colours else ()


def _picture_of(found: Sequence[Layer]) -> Layer | None:
    by_worth = sorted(found, key=lambda each: (each.part, each.prefix))
    pictures = [[each for each in by_worth if _suffix(each.channels[0]) in firsts] for firsts in (("r", "red"), _GREYS)]
    return next(chain(*pictures), None)


def _called(wanted: str, found: Sequence[Layer], parts: Sequence[Part]) -> Layer | None:
    """The layer or channel of that name; a channel that is all of a layer is that layer."""
    layer = next((each for each in [*found, *_single_channels(parts)] if wanted in _names(each, parts)), None)
    whole = (each for each in found if layer and (each.part, each.channels) == (layer.part, layer.channels))
    return next(whole, layer)


def _single_channels(parts: Sequence[Part]) -> Iterator[Layer]:
    for index, part in enumerate(parts):
        for channel in part.channels if not part.deep else ():
            yield Layer(index, channel.name + ".", (channel.name,))


def _names(layer: Layer, parts: Sequence[Part]) -> list[str]:
    own, part = layer.prefix[:-1], parts[layer.part].name
    return [name for name in (own, f"{part}.{own}" if own else part) if name]


def _unknown(wanted: str, beside: str, found: Sequence[Layer], parts: Sequence[Part]) -> str:
    """What is said where there is no such layer: which there are, and how to ask for one."""
    singles = list(dict.fromkeys(channel.name for part in parts for channel in part.channels if not part.deep))
    if not singles:
        what = f"has no layer '{_told(wanted)}'" if wanted else "has no R, G and B"
        return f"{what}: nothing but deep data is in it, which is not painted: flatten it first"
    return _unknown_beside(wanted, beside, found, parts, singles) if beside else _unknown_plate(wanted, found, parts, singles)


def _unknown_plate(wanted: str, found: Sequence[Layer], parts: Sequence[Part], singles: Sequence[str]) -> str:
    what = f"has no layer '{_told(wanted)}'" if wanted else "has no R, G and B"
    if names := _first_names([each for each in found if each.is_picture], parts):
        return f"{what}: --layer takes one of {_listed(names)}"
    if _picture_of(found):
        return f"{what}: leave --layer out to paint its picture, the only one in it"
    return f"{what}, only {_listed(singles)}: --layer {_told(singles[0])} --to-layer NAME paints one, as grey, into a new layer"


def _unknown_beside(wanted: str, beside: str, found: Sequence[Layer], parts: Sequence[Part], singles: Sequence[str]) -> str:
    what = f"has no layer or channel '{_told(wanted)}'" if wanted else "has no R, G and B"
    names = _first_names(found, parts)
    there = [f"layers ({_listed(names)})"] if names else []
    there.append(f"channels ({_listed(singles)})")
    known = [*names, *singles]
    meant = (get_close_matches(wanted, known, 1) or known)[0]
    return f"{what}: name one of its {' or '.join(there)}, as in {beside}{_told(meant)}"


def _first_names(found: Sequence[Layer], parts: Sequence[Part]) -> list[str]:
    return list(dict.fromkeys(names[0] for each in found if (names := _names(each, parts))))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(map(_told, names[:MOST_NAMES])) + more


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _told(name: str) -> str:
    """A name fit for one line, whatever is in it."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    return printable if len(printable) <= 60 else printable[:57] + "..."
