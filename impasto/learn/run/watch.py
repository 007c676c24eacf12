"""How a training is looked at: the averaged generator on batches that are kept for this and never learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from impasto.evaluate.critic import verdicts
from impasto.learn.run import health
from impasto.learn.run.contract import Logits, Networks, Outcome, StepFunction
from impasto.learn.run.feed import Batch

WATCHED = 1_000_000_000  # batches from this number on are never learnt from
MOST_BATCHES, PICTURES = 4, 4  # so many pictures are enough to see, in so many batches at most
SOURCES = ("photo", "source", "worn", "input", "image")  # what recipes call the pictures that they paint
REFERENCES = ("style", "target", "whole", "reference", "art", "real")  # ... and those that show how


@dataclass(frozen=True)
class Watch:
    """What is looked at: the recipe's own figures and pictures where it has some, and what the report tells besides."""

    held_out: Callable[[Any], dict[str, float]] | None = None  # averaged generator -> figures, lower is better, the first decides
    judge: Callable[[Networks, Any], tuple[Logits, Logits]] | None = None  # real and fake logits on what was held out
    show: Callable[[Any], Mapping[str, Tensor]] | None = None  # averaged generator -> rows of a contact sheet
    sheet_minutes: float = 2.0
    about: Mapping[str, str] = field(default_factory=dict)

    def figures(self, networks: Networks, average: nn.Module, seen: Sight) -> dict[str, float]:
        """The held-out figures, then how the critic judges."""
        found = {}
        if self.held_out is not None:
            with torch.no_grad():
                found = {f"held/{name}": float(value) for name, value in self.held_out(average).items()}
        return found | {f"judged/{name}": value for name, value in self._judged(networks, average, seen).items()}

    def _judged(self, networks: Networks, average: nn.Module, seen: Sight) -> dict[str, float]:
        """By the recipe's own judge, or by the parts of the steps that were not taken."""
        if self.judge is not None:
            with torch.no_grad(), resting(networks):
                real, fake = self.judge(networks, average)
            recall, fooled = health.recall_of(real, fake), health.recall_of(fake, real)
            return verdicts(recall, (recall + 1 - fooled) / 2)
        if "told_apart" not in seen.parts:
            return {}
        if "recall" not in seen.parts:
            return {"accuracy": seen.parts["told_apart"]}
        return verdicts(seen.parts["recall"], seen.parts["told_apart"])


@dataclass(frozen=True)
class Sight:
    """Pictures and parts of the steps that were looked at and not taken."""

    rows: dict[str, Tensor]
    parts: dict[str, float]

    @property
    def alike(self) -> bool:
        """Whether different inputs are all painted as one picture."""
        return health.are_alike(self.rows["painted"], self.rows.get("source"))


def look(
    networks: Networks, average: nn.Module, batch_at: Callable[[int], Batch], take_step: StepFunction, progress: float
) -> Sight:
    """What a step with the averaged generator would come to; nothing is changed by it."""
    watched = Networks(average, networks.critic, networks.helpers)
    rows, parts = [], []
    with resting(networks):
        for number in range(WATCHED, WATCHED + MOST_BATCHES):
            torch.manual_seed(number)
            batch = batch_at(number)
            outcome = take_step(watched, batch, progress)
            rows.append(_rows(batch, outcome))
            parts.append(outcome.parts)
            if sum(len(row["painted"]) for row in rows) >= PICTURES:
                break
    average.requires_grad_(False)
    together = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
    return Sight(together, {name: sum(each.get(name, 0.0) for each in parts) / len(parts) for name in parts[0]})


@contextmanager
def resting(networks: Networks) -> Iterator[None]:
    """Critic and helpers as they are, for the while: no spectral norm is renewed, no batch statistic is taken."""
    nets = [net for net in (networks.critic, networks.helpers) if net.training]
    for net in nets:
        net.eval()
    try:
        yield
    finally:
        for net in nets:
            net.train()


def _rows(batch: Batch, outcome: Outcome) -> dict[str, Tensor]:
    """Source, painted and reference pictures of one batch, by the names that recipes give them."""
    source = outcome.source if outcome.source is not None else _named(batch, SOURCES)
    reference = outcome.reference if outcome.reference is not None else _named(batch, REFERENCES)
    found = {"source": source, "painted": outcome.painted, "reference": reference}
    return {name: pictures.detach() for name, pictures in found.items() if pictures is not None and pictures.dim() == 4}


def _named(batch: Batch, names: Sequence[str]) -> Tensor | None:
    return next((batch[name] for name in names if name in batch), None)
