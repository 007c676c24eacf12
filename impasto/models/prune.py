"""Channel pruning: a narrower network that starts as the part of a wider one that matters most.

A channel matters as much as what comes into it (L1 of its incoming weights) times what goes out. Channels that are added to
each other (a residual stream, both ends of a skip) are one group, kept or dropped together. Of residual blocks, too, those
that add most are kept, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.models.blocks import Painter

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Layer:
    """A convolution: its name, the groups of channels that enter and leave ("": fixed, such as RGB), 4 if it doubles the size."""

    name: str
    enter: str
    leave: str
    times: int = 1  # a pixel shuffle makes one channel of four


BLOCK = [Layer("trunk.{}.enter", "stream", "inner{}"), Layer("trunk.{}.leave", "inner{}", "stream")]
WIRING: dict[str, list[Layer]] = {
    "swift": [
        Layer("stem", "", "stream"), Layer("guide_stem", "", "stream"), *BLOCK,
        Layer("to_half.conv", "stream", "half", 4), Layer("to_whole.conv", "half", ""),
    ],
    "brush": [
        Layer("whole_in", "", "whole"), Layer("guide_in", "", "whole"), Layer("half_in", "whole", "half"),
        Layer("quarter_in", "half", "stream"), *BLOCK, Layer("half_out.conv", "stream", "half", 4),
        Layer("whole_out.conv", "half", "whole", 4), Layer("head", "whole", ""),
    ],
}  # fmt: skip
TINTED = {"swift": ["half"], "brush": ["half", "whole"]}  # groups that a code tints, after those inside the blocks


@torch.no_grad()
def inherit(student: Painter, teacher: Painter) -> bool:
    """Give the student the teacher's most important channels; False, and no change, where it is no smaller one of that kind."""
    kind = _kind(teacher)
    if _kind(student) != kind or kind not in WIRING:
        return False
    ours, theirs = student.state_dict(), {name: value.float() for name, value in teacher.state_dict().items()}
    blocks = _kept_blocks(theirs, _count(ours))
    wide = _spelt(kind, theirs, list(range(_count(theirs))))
    slim = _spelt(kind, ours, range(_count(ours)))
    if len(slim) != len(_spelt(kind, theirs, blocks)):  # more blocks, or guides that the teacher has not
        return False
    pairs = list(zip(slim, _spelt(kind, theirs, blocks), strict=True))
    sizes = {mine.leave: len(ours[f"{mine.name}.weight"]) // mine.times for mine, _ in pairs if mine.leave}
    source = {mine.leave: held.leave for mine, held in pairs if mine.leave}
    worth = _importance(theirs, wide)
    if any(size > len(worth[source[group]]) for group, size in sizes.items()):
        return False
    kept = {group: worth[source[group]].topk(size).indices.sort().values for group, size in sizes.items()}
    new = dict(ours)
    for mine, held in pairs:
        new |= _cut(theirs, mine, held, kept)
    if "film.weight" in ours and "film.weight" in theirs and ours["code"].shape == theirs["code"].shape:
        new |= {"code": theirs["code"], "film.weight": _cut_film(kind, theirs, blocks, kept, worth)}
    student.load_state_dict(new)
    return True


def _kind(painter: Painter) -> str:
    return type(painter).__module__.rsplit(".", 1)[-1]


def _count(weights: Weights) -> int:
    return len({name.split(".")[1] for name in weights if name.startswith("trunk.")})


def _kept_blocks(weights: Weights, count: int) -> list[int]:
    """Which blocks of the wider network stay: those whose two convolutions weigh most."""
    worth = [
        float(weights[f"trunk.{i}.enter.weight"].abs().mean() * weights[f"trunk.{i}.leave.weight"].abs().mean())
        for i in range(_count(weights))
    ]
    return sorted(sorted(range(len(worth)), key=lambda i: -worth[i])[:count])


def _spelt(kind: str, weights: Weights, blocks: list[int] | range) -> list[Layer]:
    """The layers that a network has, with the given blocks in place of {}."""
    every = [layer for layer in WIRING[kind] if "{}" not in layer.name]
    inside = [Layer(layer.name.format(i), layer.enter.format(i), layer.leave.format(i)) for i in blocks for layer in BLOCK]
    return [layer for layer in [*every, *inside] if f"{layer.name}.weight" in weights]


def _importance(weights: Weights, layers: list[Layer]) -> dict[str, Tensor]:
    """{group: [channels]}: L1 of what comes in times L1 of what goes out."""
    into: dict[str, Tensor] = {}
    out: dict[str, Tensor] = {}
    for layer in layers:
        weight = weights[f"{layer.name}.weight"].abs()
        if layer.leave:
            rows = weight.sum((1, 2, 3)).view(-1, layer.times).sum(1)
            into[layer.leave] = into.get(layer.leave, torch.zeros(())) + rows
        if layer.enter:
            out[layer.enter] = out.get(layer.enter, torch.zeros(())) + weight.sum((0, 2, 3))
    return {group: into[group] * out[group] for group in into}


def _cut(weights: Weights, mine: Layer, held: Layer, kept: dict[str, Tensor]) -> Weights:
    """One layer with the kept channels only."""
    weight, bias = weights[f"{held.name}.weight"], weights[f"{held.name}.bias"]
    if mine.enter:
        weight = weight[:, kept[mine.enter]]
    if mine.leave:
        rows = (kept[mine.leave][:, None] * mine.times + torch.arange(mine.times)).flatten()
        weight, bias = weight[rows], bias[rows]
    return {f"{mine.name}.weight": weight, f"{mine.name}.bias": bias}


def _cut_film(kind: str, weights: Weights, blocks: list[int], kept: dict[str, Tensor], worth: dict[str, Tensor]) -> Tensor:
    """The code's gains and shifts of the kept channels."""
    groups = [f"inner{i}" for i in range(_count(weights))] + TINTED[kind]
    parts = dict(zip(groups, torch.split(weights["film.weight"], [2 * len(worth[group]) for group in groups]), strict=True))
    wanted = [(f"inner{mine}", f"inner{held}") for mine, held in enumerate(blocks)] + [(g, g) for g in TINTED[kind]]
    cut = []
    for mine, held in wanted:
        gains, shifts = parts[held].chunk(2)
        cut += [gains[kept[mine]], shifts[kept[mine]]]
    return torch.cat(cut)
