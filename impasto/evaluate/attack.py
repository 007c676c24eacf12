"""How far a change of the picture that nobody sees moves its painting: a test of a look, not of a painting.

Two attacks look for the worst change within reach (`eps`, in 1/255 of each value): `fgsm` goes one step uphill, `pgd` eight.
Beside them stand changes that happen by themselves: `noise` of the same reach, `compression` (JPEG), `gamma`. Each frame is
changed by itself, as grain is, so what a change does to a shot shows in the figures of motion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from impasto.engine import coded_graph
from impasto.engine.pytorch import rebuilt
from impasto.errors import InputError
from impasto.evaluate.pairing import Pairs, open_pairs
from impasto.evaluate.report import in_columns
from impasto.evaluate.steadiness import Row, Steadiness, summary
from impasto.job import Progress, counted
from impasto.media.flow import Plane
from impasto.styles.card import TierName
from impasto.styles.package import StyleFile

if TYPE_CHECKING:
    from impasto.evaluate.job import EvaluateJob

PGD_STEPS, PGD_STRIDE = 8, 0.25  # how often pgd steps uphill, and how far each time, as a share of its reach
QUALITY, GAMMA = 60, 1.1  # of `compression` and `gamma`: what a web upload, and another screen, do
UNTOUCHED = "untouched"
MOVING = ("warp_short", "detail", "flicker")  # figures of a shot that are told of each change
NAMES = {"moved_by": "input, 1/255", "moves": "painting, 1/255", "worst": "worst 1%, 1/255", "gain": "gain"}


@dataclass
class Under:
    """A look's network and what may be done to a picture."""

    network: nn.Module
    eps: float  # in 0..1
    random: torch.Generator

    def paint(self, picture: Tensor) -> Tensor:
        """The painting of [1,3,H,W], as a screen shows it."""
        painted: Tensor = self.network(picture).float().clamp(0, 1)
        return painted

    def uphill(self, picture: Tensor, steps: int, stride: float) -> Tensor:
        """The picture after so many steps against the painting, never further than its reach from where it began."""
        with torch.no_grad():
            goal = self.paint(picture)
        moved = self.jittered(picture, self.eps / 2)  # where nothing has moved yet, there is no way up
        for _ in range(steps):
            moved = moved.detach().requires_grad_()
            with torch.enable_grad():
                (slope,) = torch.autograd.grad((self.network(moved).float() - goal).square().mean(), moved)
            moved = moved.detach() + stride * slope.sign()
            moved = torch.minimum(torch.maximum(moved, picture - self.eps), picture + self.eps).clamp(0, 1)
        return moved

    def jittered(self, picture: Tensor, reach: float) -> Tensor:
        """Every value a reach higher or lower, by chance."""
        signs = torch.randint(0, 2, picture.shape, generator=self.random) * 2 - 1
        return (picture + reach * signs).clamp(0, 1)


def _compressed(under: Under, picture: Tensor) -> Tensor:
    as_bytes = np.rint(picture[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    held = BytesIO()
    Image.fromarray(as_bytes).save(held, "JPEG", quality=QUALITY)
    return _tensor(np.asarray(Image.open(held), np.float32) / np.float32(255))


ATTACKS: dict[str, Callable[[Under, Tensor], Tensor]] = {
    "fgsm": lambda under, picture: under.uphill(picture, 1, 2 * under.eps),
    "pgd": lambda under, picture: under.uphill(picture, PGD_STEPS, PGD_STRIDE * under.eps),
    "noise": lambda under, picture: under.jittered(picture, under.eps),
    "compression": _compressed,
    "gamma": lambda under, picture: picture**GAMMA,
}


class Siege:
    """A look under every change that was asked for, frame by frame."""

    def __init__(self, job: EvaluateJob, look: Path) -> None:
        self._attacks = list(dict.fromkeys(job.attack))
        self._look = look
        self.pairs: Pairs = open_pairs(job.source, job.source, job.frames, job.side)
        network, self._stride, self.tier = open_network(look, job.tier)
        eps, pairs = job.eps, self.pairs
        self._under = Under(network, eps / 255, torch.Generator().manual_seed(0))
        self._rows: dict[str, list[Row]] = {name: [] for name in self._attacks}
        self._watches = {name: Steadiness() for name in (UNTOUCHED, *self._attacks)} if pairs.moving else {}
        self._moving: dict[str, list[Row]] = {name: [] for name in self._watches}

    def run(self) -> Iterator[Progress]:
        """Change and paint every frame."""
        for number, (_, source, _) in enumerate(self.pairs.read(), 1):
            height, width = (side // self._stride * self._stride for side in source.shape[:2])
            if not height or not width:
                raise InputError(f"{self.pairs.source}: is smaller than {self._stride} pixels: measure it larger, with --side")
            self._take(np.ascontiguousarray(source[:height, :width]))
            yield Progress("attacking", number, len(self.pairs), "frame" if self.pairs.moving else "picture")

    def _take(self, source: Plane) -> None:
        picture = _tensor(source)
        with torch.no_grad():
            goal = self._under.paint(picture)
        self._watch(UNTOUCHED, source, goal)
        for name in self._attacks:
            changed = ATTACKS[name](self._under, picture).detach()
            with torch.no_grad():
                painted = self._under.paint(changed)
            self._rows[name].append(moved(picture, changed, goal, painted))
            self._watch(name, source, painted)

    def _watch(self, name: str, source: Plane, painted: Tensor) -> None:
        if self._watches:
            self._moving[name].append(self._watches[name].take(source, np.asarray(painted[0].permute(1, 2, 0).numpy())))

    def told(self) -> tuple[dict[str, Any], str]:
        """The figures of each change, and what is said of them."""
        found: dict[str, Row] = {UNTOUCHED: {}} | {name: summary(rows) for name, rows in self._rows.items()}
        for name, rows in self._moving.items():
            means = summary(rows)
            found[name] |= {figure: means[figure] for figure in MOVING if figure in means}
        columns = [name for name in (*NAMES, *MOVING) if any(name in row for row in found.values())]
        words = NAMES | {"warp_short": "warp error x 1000", "detail": "detail moves along", "flicker": "flicker"}
        table = [["", *(words[name] for name in columns), ""]]
        for name, row in found.items():
            table.append([name, *(f"{row[figure]:.2f}" if figure in row else "" for figure in columns), ""])
        count = counted(len(self.pairs), "frame" if self.pairs.moving else "picture")
        said = f"{self._look.stem} ({self.tier}), {count} of {self.pairs.source} changed by up to {self._under.eps * 255:g}/255"
        return {"changes": found, "eps": self._under.eps * 255, "tier": self.tier}, f"{said}\n{in_columns(table)}"


def moved(picture: Tensor, changed: Tensor, goal: Tensor, painted: Tensor) -> Row:
    """How far a picture was changed and how far its painting moved, both in 1/255; gain is the ratio of their powers' roots."""
    before, after = (changed - picture) * 255, (painted - goal) * 255
    return {
        "moved_by": float(before.abs().mean()),
        "moves": float(after.abs().mean()),
        "worst": float(np.percentile(after.abs().numpy(), 99)),
        "gain": float(after.square().mean().sqrt() / before.square().mean().sqrt().clamp_min(1e-6)),
    }


def open_network(look: Path, tier: TierName) -> tuple[nn.Module, int, str]:
    """A look's network as it was learnt, its stride, and which of its tiers it is; refused where it sees more than a picture."""
    style = StyleFile.open(look)
    name = style.card.finest if tier == "auto" else tier
    if name not in style.card.tiers:
        raise InputError(f"{style.card.name}: has no tier '{name}': choose one of {', '.join(style.card.tiers)}")
    described = style.card.tiers[name]
    if described.noise or described.guides:
        why = "draws from noise" if described.noise else f"wants guides ({', '.join(described.guides)})"
        raise InputError(f"{style.card.name}: {why}: only a look that paints plain pictures can be attacked")
    return rebuilt(coded_graph(style, name), described).requires_grad_(False), described.stride, name


def _tensor(picture: Plane) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
