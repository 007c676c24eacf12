"""The one training loop. It knows two optimisers, a moving average, a guard and a checkpoint; it knows no recipe by name.

A recipe hands it networks, a function step -> batch, and a function batch -> losses. Generator and critic are updated from
one forward pass. A step whose losses or gradients are not finite changes nothing; several in a row go back to the last
healthy checkpoint; after several such returns the training gives up and keeps that checkpoint.

What it does at a step depends on the step alone, so that a killed run goes on as if nothing had happened. Only limits in minutes
depend on the clock, and with them progress and the rates.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from impasto.errors import InputError, TrainingError
from impasto.job import Progress
from impasto.learn.run import checkpoints
from impasto.learn.run.company import Company
from impasto.learn.run.contract import Networks, Outcome, StepFunction
from impasto.learn.run.devices import on_device
from impasto.learn.run.feed import Batch, Feed
from impasto.learn.run.health import Health
from impasto.learn.run.pace import Pace, is_drawn, schedule
from impasto.learn.run.record import STEPS_BETWEEN_SCALARS, Record
from impasto.learn.run.report import write_report
from impasto.learn.run.unbroken import unbroken
from impasto.learn.run.watch import Sight, Watch, look

__all__ = ["Batch", "Networks", "Outcome", "Pace", "StepFunction", "Training", "Watch", "on_device"]

SKIPS_BEFORE_RETURN, RETURNS_BEFORE_END = 5, 3
STEPS_TO_FORGET_RETURNS = 1_000
LOOK_SHARE = 0.1  # of the time, against the clock


class Training:
    """One run of the loop, resumable from its folder."""

    def __init__(
        self,
        networks: Networks,
        batch_at: Callable[[int], Batch],
        step: StepFunction,
        pace: Pace,
        *,
        folder: Path,
        label: str,
        seed: int = 0,
        watch: Watch | None = None,
        company: Company | None = None,
        workers: int = 0,
    ) -> None:
        self.networks, self.batch_at, self.take_step, self.pace = networks, batch_at, step, pace
        self.folder, self.label, self.seed = folder, label, seed
        self.watch, self.company, self.workers = watch or Watch(), company or Company(), workers
        self.average = copy.deepcopy(networks.generator).requires_grad_(False).eval()
        own = [*networks.generator.parameters(), *networks.helpers.parameters()]
        self.device = own[0].device
        self.generator_optimiser = torch.optim.Adam(own, lr=pace.generator_rate, betas=pace.betas)
        self.critic_optimiser = torch.optim.Adam(networks.critic.parameters(), lr=pace.critic_rate, betas=pace.betas)
        self.step, self.seconds, self.skipped, self.returns, self.shift, self.returned_at = 0, 0.0, 0, 0, 0, 0
        self.images, self.images_per_second, self.looking = 0, 0.0, 0.0
        self.parts: dict[str, float] = {}
        self.figures: dict[str, float] = {}  # of the last look
        self.seen: tuple[int, Sight] | None = None  # at which step, and what
        self.health = Health()
        self.feed = Feed(batch_at)
        self.passed_over: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def progress(self) -> float:
        """How far the training is, 0..1."""
        return self.pace.progress(self.step, self.seconds)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return bool(self.health.ended) or self.progress >= 1

    # -- the run ------------------------------------------------------------------------------------------------------------

    def run(self) -> Iterator[Progress]:
        """Train to the end; closing the generator leaves a checkpoint and a report."""
        self.resume()
        yield from (Progress("passed over a damaged checkpoint", note=damaged) for damaged in self.passed_over)
        self.company.first_says(0.0)  # all have read their checkpoint before the first may prune one
        record = Record(self.folder, self.label, self.step) if self.company.first else None
        self.feed = Feed(self.batch_at, self.workers)
        try:
            yield from self._learn(record)
        finally:
            self.feed.close()
            if record:
                self._write_down(record)
        self._crown()

    def _learn(self, record: Record | None) -> Iterator[Progress]:
        started = saved = time.monotonic()
        began, images, last_said, last_sheet, in_a_row = started - self.seconds, self.images, 0.0, started, 0
        first_step, looked = self.step, -1
        try:
            while not self.over:
                with unbroken():
                    healthy, outcome = self._one()
                    in_a_row = 0 if healthy else in_a_row + 1
                    if in_a_row >= SKIPS_BEFORE_RETURN:
                        self._return(record)
                        in_a_row = 0
                    (self.seconds,) = self.company.first_says(time.monotonic() - began)
                    self.images_per_second = (self.images - images) / max(1e-6, time.monotonic() - started)
                    self._draw(record, outcome)
                    due = outcome is not None and self._is_look_due()
                    told, looked = (self._take_look(record), self.step) if due else ([], looked)
                yield from (Progress("noticed", note=f"{self.label}: {note}") for note in told)
                now = time.monotonic()
                if record and now - last_sheet > 60 * self.watch.sheet_minutes:
                    self._sheet(record)
                    last_sheet = time.monotonic()
                if now - last_said > 1 and outcome is not None:
                    last_said = now
                    yield self._say((self.step - first_step) / max(1e-6, now - started))
                if now - saved > self.pace.checkpoint_seconds and in_a_row == 0:
                    self.save()
                    saved = time.monotonic()
            if self.pace.early_stop and not self.health.ended and self.step not in (looked, self.pace.steps):
                self._take_look(record)  # the clock ends between two looks: what came after the last one may be the best
        finally:
            if in_a_row == 0:
                self.save()

    def _one(self) -> tuple[bool, Outcome | None]:
        """One update of both sides; (False, None) when something was not finite and nothing was changed."""
        share = schedule(self.step, self.progress)
        rates = (self.pace.generator_rate * share, self.pace.critic_rate * share * self.health.strength)
        for optimiser, rate in zip((self.generator_optimiser, self.critic_optimiser), rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate
        turn = self.step + self.shift
        torch.manual_seed(self.seed * 1_000_003 + turn + 500_009 * self.company.rank)
        batch = self.feed.take(turn * self.company.size + self.company.rank, self.company.size)
        outcome = self.take_step(self.networks, batch, self.progress)
        self.step += 1
        if not self._update(outcome):
            self.skipped += 1
            return False, None
        self._follow(outcome)
        return True, outcome

    def _update(self, outcome: Outcome) -> bool:
        """Both sides or neither: nothing moves before all losses and gradients are known to be finite."""
        losses = (outcome.generator, outcome.critic)
        if min(self.company.mean(float(all(bool(torch.isfinite(loss)) for loss in losses)))) < 1:
            return False
        sides = ((self.generator_optimiser, outcome.generator), (self.critic_optimiser, outcome.critic))
        for optimiser, loss in sides:
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
        for optimiser, _ in sides:
            self.company.share(optimiser.param_groups[0]["params"])
        norms = [nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], self.pace.clip) for optimiser, _ in sides]
        if not all(torch.isfinite(norm) for norm in norms):
            return False
        for optimiser, _ in sides:
            optimiser.step()
        return True

    @torch.no_grad()
    def _follow(self, outcome: Outcome) -> None:
        """The average and the memory of the critic's success follow a step that was taken."""
        decay = min(self.pace.ema, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.average.parameters(), self.networks.generator.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
        for held, buffer in zip(self.average.buffers(), self.networks.generator.buffers(), strict=True):
            held.copy_(buffer)
        self.parts = outcome.parts
        self.images += len(outcome.painted) * self.company.size
        if "told_apart" in outcome.parts:
            self.health.follow(*self.company.mean(outcome.parts["told_apart"]))
        if self.returns and self.step - self.returned_at > STEPS_TO_FORGET_RETURNS:
            self.returns = 0

    def _return(self, record: Record | None) -> None:
        self.returns += 1
        if self.returns > RETURNS_BEFORE_END:
            raise TrainingError(
                f"learning diverged at step {self.step} and {RETURNS_BEFORE_END} returns did not help; the last healthy "
                f"checkpoint is in {self.folder}: leave out weights given with --set, or check the references for "
                "constant pictures"
            )
        step, returns = self.step, self.returns
        if not self.resume():
            raise TrainingError(
                f"learning diverged at step {step}, before the first checkpoint: leave out weights given with --set, "
                "or check the pictures"
            )
        self.returns, self.returned_at = returns, self.step
        self.shift += 7919 * returns  # other batches than those that broke it
        if record:
            record.line(self.step, self.seconds, {"event": f"went back from step {step}, where learning was no longer finite"})

    # -- looks: figures and pictures of what was never learnt from ----------------------------------------------------------

    def _is_look_due(self) -> bool:
        """By the step alone; against the clock, looks that are dear are taken more seldom."""
        if not self.pace.is_look(self.step):
            return False
        dear = self.pace.minutes > 0 and self.looking > LOOK_SHARE * self.seconds
        return not self.company.first_says(float(dear))[0]

    def _take_look(self, record: Record | None) -> list[str]:
        began = time.monotonic()
        told = self._look() if self.company.first else []
        self.looking += time.monotonic() - began
        self._agree_on_health()
        if record:
            record.line(self.step, self.seconds, self.figures)
            record.scalars(self.step, self.figures)
            for note in told:
                record.line(self.step, self.seconds, {"event": note})
        return told

    def _look(self) -> list[str]:
        """Take the figures and let the health of the training follow them; what is to be said of it."""
        seen = self._see()
        self.figures = self.watch.figures(self.networks, self.average, seen)
        told = self.health.judge(self.step, self.figures, seen.alike)
        if not self._held():
            return told
        name, value = self._held()[0]
        best, more = self.health.compare(self.step, name, value, self.pace.patience, self.pace.early_stop)
        if best and self.pace.early_stop:
            nets = {"average": self.average.state_dict(), "helpers": self.networks.helpers.state_dict()}
            checkpoints.write_best(self.folder, {"step": self.step, "figure": value, **nets})
        return told + more

    def _see(self) -> Sight:
        if self.seen is None or self.seen[0] != self.step:
            self.seen = (self.step, look(self.networks, self.average, self.batch_at, self.take_step, self.progress))
        return self.seen[1]

    def _agree_on_health(self) -> None:
        """The first process looked; the others take over what came of it."""
        held = self.health
        facts = (held.alike, held.flawless, held.best, held.best_step, held.waited, bool(held.ended))
        alike, flawless, held.best, best_step, waited, ended = self.company.first_says(*facts)
        held.alike, held.flawless, held.best_step, held.waited = int(alike), int(flawless), int(best_step), int(waited)
        held.ended = held.ended or ("stopped early" if ended else "")

    def _crown(self) -> None:
        """Where the best weights were kept, they are the result; so are the helpers of that step, which may hold codes."""
        best = checkpoints.read_best(self.folder, self.device) if self.pace.early_stop else None
        if best is not None and self.health.best < math.inf:
            self.average.load_state_dict(best["average"])
            self.networks.helpers.load_state_dict(best["helpers"])

    # -- what is said and kept of it ----------------------------------------------------------------------------------------

    def _say(self, rate: float) -> Progress:
        notes = [f"{name} {value:.3f}" for name, value in self.parts.items()]
        notes += [f"held-out {name} {value:.4g}" for name, value in self._held()]
        notes.append(f"{self.images_per_second:.3g} images/s")
        fraction = max(1e-6, self.progress)
        total = self.pace.steps or round(self.step / fraction)  # against the clock, the steps are what they will come to
        left = self.seconds * (1 - fraction) / fraction
        figures = {**self.parts, **self.figures, "images_per_second": self.images_per_second}
        return Progress(f"learning {self.label}", self.step, total, "step", rate, "  ".join(notes), left, figures)

    def _held(self) -> list[tuple[str, float]]:
        """The held-out figure that decides, if there is one."""
        held = [(name.removeprefix("held/"), value) for name, value in self.figures.items() if name.startswith("held/")]
        return held[:1]

    def _draw(self, record: Record | None, outcome: Outcome | None) -> None:
        if record is None or not is_drawn(self.step):
            return
        if outcome is None:
            record.line(self.step, self.seconds, {"event": "skipped: not finite"})
            return
        record.line(self.step, self.seconds, outcome.parts)
        if self.step % STEPS_BETWEEN_SCALARS == 0 or self.step == 1:
            rates = {
                "schedule/generator_rate": self.generator_optimiser.param_groups[0]["lr"],
                "schedule/critic_rate": self.critic_optimiser.param_groups[0]["lr"],
                "schedule/critic_strength": self.health.strength,
                "images_per_second": self.images_per_second,
            }
            record.scalars(self.step, {**outcome.parts, **rates})

    def _sheet(self, record: Record) -> None:
        if self.watch.show is not None:
            with torch.no_grad():
                rows: Mapping[str, Tensor] = self.watch.show(self.average)
        else:
            rows = self._see().rows
        held = "".join(f", held-out {name} {value:.4g}" for name, value in self._held())
        record.sheet(self.step, rows, f"{self.label}: step {self.step}, {self.seconds / 60:.1f} min{held}")

    def _write_down(self, record: Record) -> None:
        """The last sheet and the report, however the training ended."""
        if self.step and checkpoints.is_healthy(self.average.state_dict()):
            self._sheet(record)
        record.close()
        write_report(self.folder, self.label, self.facts(), self.pace)

    def facts(self) -> dict[str, str]:
        """What the report tells of the training in words."""
        ended = self.health.ended or ("finished" if self.progress >= 1 else "stopped; the same command resumes it")
        skips = f"{self.skipped} steps skipped, {self.returns} returns to a checkpoint"
        best = f"{self.health.best:.5g} at step {self.health.best_step}" if self.health.best < math.inf else ""
        return {
            "how it ended": ended,
            "steps": f"{self.step} in {self.seconds / 60:.2f} min, {self.images} images, {self.images_per_second:.3g} images/s",
            "health": f"{skips}; critic at {self.health.strength:.0%} of its rate",
            **({"best held-out figure": best} if best else {}),
            **{f"last look: {name}": f"{value:.5g}" for name, value in self.figures.items()},
            "device": f"{self.device}, {self.company.size} process{'es' * (self.company.size > 1)}, {self.workers} batch threads",
            **self.watch.about,
        }

    # -- checkpoints --------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs to go on as if nothing had happened."""
        counted = ("step", "seconds", "skipped", "returns", "shift", "returned_at", "images", "looking")
        nets = {name: getattr(self.networks, name).state_dict() for name in ("generator", "critic", "helpers")}
        optimisers = {name: getattr(self, name).state_dict() for name in ("generator_optimiser", "critic_optimiser")}
        return {**{n: getattr(self, n) for n in counted}, **nets, **optimisers,
                "average": self.average.state_dict(), "health": self.health.state(), "figures": self.figures}  # fmt: skip

    def save(self) -> Path | None:
        """Write a checkpoint if everything in it is healthy; the first process does so for all."""
        return checkpoints.write(self.folder, self.step, self.state()) if self.company.first else None

    def resume(self) -> bool:
        """Load the newest checkpoint that can be read; False when there is none."""
        state, path, passed_over = checkpoints.read_newest(self.folder, self.device)
        self.passed_over += passed_over
        if state is None or path is None:
            return False
        self._load(state, path)
        return True

    def _load(self, state: dict[str, Any], path: Path) -> None:
        try:
            for name in ("generator", "critic", "helpers"):
                getattr(self.networks, name).load_state_dict(state[name])
            self.average.load_state_dict(state["average"])
            self.generator_optimiser.load_state_dict(state["generator_optimiser"])
            self.critic_optimiser.load_state_dict(state["critic_optimiser"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise InputError(
                f"{path}: belongs to another training ({str(error).splitlines()[0]}); choose another --run folder"
            ) from None
        for name in ("step", "seconds", "skipped", "returns", "shift"):
            setattr(self, name, state[name])
        self.returned_at, self.images, self.looking = (state.get(n, 0) for n in ("returned_at", "images", "looking"))
        self.health, self.figures = Health(**state.get("health", {})), state.get("figures", {})
