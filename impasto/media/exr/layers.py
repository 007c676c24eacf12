"""Which channels of an EXR make a picture, and under which name a person asks for them.

A layer is what stands before the last dot of a channel's name: diffuse.R, diffuse.G, diffuse.B. It is asked for by that name, by
that of its part, or by both ("beauty.diffuse"); a single channel by its whole name.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


def find_layer(parts: Sequence[Part], wanted: str, path: Path) -> Layer:
    """The layer of that name; without one, the picture: the first part's R, G and B, else the first that has them, else grey."""
    found = list(layers(parts))
    if wanted:
        layer = next((each for each in [*found, *_single_channels(parts)] if wanted in _names(each, parts)), None)
    else:
        by_worth = sorted(found, key=lambda each: (each.part, each.prefix))
        pictures = [[each for each in by_worth if _suffix(each.channels[0]) in firsts] for firsts in (("r", "red"), _GREYS)]
        layer = next(chain(*pictures), None)
    if layer is None:
        what = f"has no layer '{_told(wanted)}'" if wanted else "has no R, G and B"
        raise MediaError(f"{what}: {_choices(found, parts)}", path)
    return layer


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


def _single_channels(parts: Sequence[Part]) -> Iterator[Layer]:
    for index, part in enumerate(parts):
        for channel in part.channels if not part.deep else ():
            yield Layer(index, channel.name + ".", (channel.name,))


def _names(layer: Layer, parts: Sequence[Part]) -> list[str]:
    own, part = layer.prefix[:-1], parts[layer.part].name
    return [name for name in (own, f"{part}.{own}" if own else part) if name]


def _choices(found: list[Layer], parts: Sequence[Part]) -> str:
    names = list(dict.fromkeys(_told(_names(each, parts)[0]) for each in found if _names(each, parts)))
    singles = [_told(channel.name) for part in parts for channel in part.channels if not part.deep]
    if not names and not singles:
        return "nothing but deep data is in it, which is not painted: flatten it first"
    listed = names or list(dict.fromkeys(singles))
    more = f" and {len(listed) - MOST_NAMES} more" if len(listed) > MOST_NAMES else ""
    return f"--layer takes one of {', '.join(listed[:MOST_NAMES])}{more}"


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _told(name: str) -> str:
    """A name fit for one line, whatever is in it."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    return printable if len(printable) <= 60 else printable[:57] + "..."
