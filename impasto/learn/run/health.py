"""How a training fares: how well the critic judges, whether paintings are all alike, whether it still gets better.

All of it is a function of the steps taken, and travels in the checkpoint: a resumed run eases, warns and stops where the
undisturbed one does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

FOLLOW = 0.02  # how quickly the mean of told_apart follows
EASE_FROM, EASE_TO, LEAST = 0.92, 1.0, 0.2  # a critic that names more than 92% rightly learns more slowly, down to a fifth
RELIEF = 0.5  # on top of it, while the painter has collapsed or the critic has made no mistake for long
ALIKE_SHARE, ALIKE_FLOOR = 0.1, 0.01  # of the spread of what was painted from; of 0..1 where nothing was
FLAWLESS, LOOKS_TO_WARN = 0.995, 3
STEPS_TO_BEGIN = 300  # earlier, a painter has not come to paint anything yet


def critic_strength(told_apart: float) -> float:
    """The share of its rate that a critic has which names so much rightly: 1, falling once it hardly ever errs."""
    above = (told_apart - EASE_FROM) / (EASE_TO - EASE_FROM)
    return 1 - (1 - LEAST) * min(1.0, max(0.0, above))


@torch.no_grad()
def recall_of(real: Sequence[Tensor], fake: Sequence[Tensor], middle: float | None = 0.0) -> float:
    """The share of real patches that lie above the middle: a given logit, or half-way between both sides' means."""
    shares = []
    for r, f in zip(real, fake, strict=True):
        cut = (r.float().mean() + f.float().mean()) / 2 if middle is None else middle
        shares.append((r.float() > cut).float().mean())
    return float(torch.stack(shares).mean())


@torch.no_grad()
def spread(pictures: Tensor) -> float | None:
    """How much pictures [N,C,H,W] differ from one another, in 0..1: the mean L1 over pairs at 8x8; None for a single one."""
    if len(pictures) < 2:
        return None
    small = F.adaptive_avg_pool2d(pictures.float(), 8).flatten(1)
    return float(torch.stack([(small[i] - small[j]).abs().mean() for i, j in combinations(range(len(small)), 2)]).mean())


def are_alike(painted: Tensor, source: Tensor | None) -> bool:
    """Whether different inputs are all painted as one picture."""
    ours = spread(painted)
    theirs = spread(source) if source is not None and source.dim() == 4 else None
    if ours is None or (theirs is not None and theirs < ALIKE_FLOOR):
        return False  # what is alike to begin with may be painted alike
    return ours < (ALIKE_FLOOR if theirs is None else ALIKE_SHARE * theirs)


@dataclass
class Health:
    """What is remembered from step to step and from look to look."""

    told_apart: float = 0.5  # its slow mean
    alike: int = 0  # looks in a row
    flawless: int = 0  # likewise
    best: float = math.inf
    best_step: int = 0
    waited: int = 0  # looks since the best
    ended: str = ""

    @property
    def strength(self) -> float:
        """The share of its rate that the critic has now."""
        eased = self.alike >= LOOKS_TO_WARN or self.flawless >= LOOKS_TO_WARN
        return critic_strength(self.told_apart) * (RELIEF if eased else 1.0)

    def follow(self, told_apart: float) -> None:
        """Take in what the critic named rightly in one step."""
        self.told_apart += FOLLOW * (told_apart - self.told_apart)

    def judge(self, step: int, figures: Mapping[str, float], alike: bool) -> list[str]:
        """Take in one look at batches that were never learnt from; what is to be said of it."""
        if step < STEPS_TO_BEGIN:
            return []
        self.alike = self.alike + 1 if alike else 0
        self.flawless = self.flawless + 1 if figures.get("judged/f1", 0.0) >= FLAWLESS else 0
        told = []
        if self.alike == LOOKS_TO_WARN:
            told.append(f"collapse: at step {step} different pictures are painted nearly alike; the critic is eased")
        if self.flawless == LOOKS_TO_WARN:
            told.append(f"the critic has made no mistake for {LOOKS_TO_WARN} looks (F1 {FLAWLESS:g} at step {step}); it is eased")
        return told

    def compare(self, step: int, name: str, value: float, patience: int, stop: bool) -> tuple[bool, list[str]]:
        """Take in the figure that decides; whether it is the best so far, and what is to be said of it."""
        if math.isfinite(value) and value < self.best:
            self.best, self.best_step, self.waited = value, step, 0
            return True, []
        self.waited += 1
        if self.waited < patience:
            return False, []
        since = f"held-out {name} has not been better than {self.best:.4g} since step {self.best_step}"
        if stop:
            self.ended = f"{since}: stopped early, the weights of that step are kept"
            return False, [self.ended]
        return False, [f"{since}: more learning may not help (--early-stop would end here)"] if self.waited == patience else []

    def state(self) -> dict[str, Any]:
        """As plain numbers for the checkpoint."""
        return asdict(self)
