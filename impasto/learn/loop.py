"""The one training loop. It knows two optimisers, a moving average, a guard and a checkpoint; it knows no recipe by name.

A recipe hands it networks, a function step -> batch, and a function batch -> losses. Generator and critic are updated from
one forward pass. A step whose losses or gradients are not finite changes nothing; several in a row go back to the last
healthy checkpoint; after several such returns the training gives up and keeps that checkpoint.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, overload

import torch
from torch import Tensor, nn

from impasto.errors import InputError, TrainingError
from impasto.job import Progress
from impasto.models.blocks import Painter

SKIPS_BEFORE_RETURN, RETURNS_BEFORE_END = 5, 3
CHECKPOINTS_KEPT = 2
WARM_UP_STEPS = 100  # Adam's first steps are as long as its longest; with a critic that knows nothing yet they only do harm
Batch = dict[str, Tensor]
Module = TypeVar("Module", bound=nn.Module)


@dataclass
class Networks:
    """What learns: the generator, helpers that learn with it, and the critic that learns against it."""

    generator: Painter
    critic: nn.Module
    helpers: nn.Module = field(default_factory=nn.Module)


@dataclass
class Outcome:
    """What one step came to: the two losses, each part for the curves, and pictures to look at."""

    generator: Tensor
    critic: Tensor
    parts: dict[str, float]
    painted: Tensor


@dataclass(frozen=True)
class Pace:
    """How long and how fast: `steps` or `minutes` ends the training, whichever comes first (0: no limit of that kind)."""

    steps: int = 0
    minutes: float = 0.0
    generator_rate: float = 1e-3
    critic_rate: float = 4e-4
    betas: tuple[float, float] = (0.5, 0.99)
    ema: float = 0.995
    clip: float = 1.0
    checkpoint_seconds: float = 120.0

    def progress(self, step: int, seconds: float) -> float:
        """0 at the start, 1 at the end."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = seconds / 60 / self.minutes if self.minutes else 0.0
        return min(1.0, max(by_steps, by_time))


StepFunction = Callable[[Networks, Batch, float], Outcome]


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
    ) -> None:
        self.networks, self.batch_at, self.take_step, self.pace = networks, batch_at, step, pace
        self.folder, self.label, self.seed = folder, label, seed
        self.average = copy.deepcopy(networks.generator).requires_grad_(False).eval()
        own = [*networks.generator.parameters(), *networks.helpers.parameters()]
        self.generator_optimiser = torch.optim.Adam(own, lr=pace.generator_rate, betas=pace.betas)
        self.critic_optimiser = torch.optim.Adam(networks.critic.parameters(), lr=pace.critic_rate, betas=pace.betas)
        self.step, self.seconds, self.skipped, self.returns, self.shift = 0, 0.0, 0, 0, 0
        self.parts: dict[str, float] = {}
        self.passed_over: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def progress(self) -> float:
        """How far the training is, 0..1."""
        return self.pace.progress(self.step, self.seconds)

    def run(self) -> Iterator[Progress]:
        """Train to the end; closing the generator leaves a checkpoint."""
        from torch.utils.tensorboard import SummaryWriter

        self.resume()
        for damaged in self.passed_over:
            yield Progress("passed over a damaged checkpoint", note=damaged)
        curves = SummaryWriter(str(self.folder / "curves"), purge_step=self.step)
        started = saved = time.monotonic()
        began, first_step, last_said, in_a_row = started - self.seconds, self.step, 0.0, 0
        try:
            while self.progress < 1:
                healthy, outcome = self._one()
                in_a_row = 0 if healthy else in_a_row + 1
                if in_a_row >= SKIPS_BEFORE_RETURN:
                    self._return()
                    in_a_row = 0
                now = time.monotonic()
                self.seconds = now - began
                if now - last_said > 1 and outcome is not None:
                    last_said = now
                    self._draw(curves, outcome)
                    yield self._say((self.step - first_step) / max(1e-6, now - started))
                if now - saved > self.pace.checkpoint_seconds and in_a_row == 0:
                    self.save()
                    saved = time.monotonic()
        finally:
            if in_a_row == 0:
                self.save()
            curves.close()

    def _one(self) -> tuple[bool, Outcome | None]:
        """One update of both sides; (False, None) when something was not finite and nothing was changed."""
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        rate = warm * min(1.0, max(0.02, 2 * (1 - self.progress)))
        for optimiser, base in (
            (self.generator_optimiser, self.pace.generator_rate),
            (self.critic_optimiser, self.pace.critic_rate),
        ):
            optimiser.param_groups[0]["lr"] = base * rate
        torch.manual_seed(self.seed * 1_000_003 + self.step + self.shift)
        outcome = self.take_step(self.networks, self.batch_at(self.step + self.shift), self.progress)
        self.step += 1
        if not self._update(outcome):
            self.skipped += 1
            return False, None
        self._follow()
        self.parts = outcome.parts
        return True, outcome

    def _update(self, outcome: Outcome) -> bool:
        """Both sides or neither: nothing moves before all losses and gradients are known to be finite."""
        if not (torch.isfinite(outcome.generator) and torch.isfinite(outcome.critic)):
            return False
        sides = ((self.generator_optimiser, outcome.generator), (self.critic_optimiser, outcome.critic))
        for optimiser, loss in sides:
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
        norms = [nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], self.pace.clip) for optimiser, _ in sides]
        if not all(torch.isfinite(norm) for norm in norms):
            return False
        for optimiser, _ in sides:
            optimiser.step()
        return True

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(self.pace.ema, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.average.parameters(), self.networks.generator.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)

    def _return(self) -> None:
        self.returns += 1
        if self.returns > RETURNS_BEFORE_END:
            raise TrainingError(
                f"learning diverged at step {self.step} and {RETURNS_BEFORE_END} returns did not help; the last healthy "
                f"checkpoint is in {self.folder}: try a lower learning rate, or check the references for constant pictures"
            )
        step, returns = self.step, self.returns
        if not self.resume():
            raise TrainingError(
                f"learning diverged at step {step}, before the first checkpoint: check the references and the photographs"
            )
        self.returns, self.shift = returns, self.shift + 7919 * returns  # other batches than those that broke it

    def _say(self, rate: float) -> Progress:
        note = "  ".join(f"{name} {value:.3f}" for name, value in self.parts.items())
        fraction = max(1e-6, self.progress)
        total = self.pace.steps or round(self.step / fraction)  # against the clock, the steps are what they will come to
        return Progress(f"learning {self.label}", self.step, total, "step", rate, note, self.seconds * (1 - fraction) / fraction)

    def _draw(self, curves: Any, outcome: Outcome) -> None:
        for name, value in outcome.parts.items():
            curves.add_scalar(f"{self.label}/{name}", value, self.step)
        if self.step % 50 < 5:
            curves.add_images(f"{self.label}/painted", outcome.painted[:4].float().clamp(0, 1), self.step)

    # -- checkpoints: written beside, synced, read back, renamed -------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs to go on as if nothing had happened."""
        return {
            "step": self.step, "seconds": self.seconds, "skipped": self.skipped, "returns": self.returns, "shift": self.shift,
            "generator": self.networks.generator.state_dict(), "critic": self.networks.critic.state_dict(),
            "helpers": self.networks.helpers.state_dict(), "average": self.average.state_dict(),
            "generator_optimiser": self.generator_optimiser.state_dict(), "critic_optimiser": self.critic_optimiser.state_dict(),
        }  # fmt: skip

    def save(self) -> Path | None:
        """Write a checkpoint if the weights are healthy; older ones beyond the last two go only after it is safe."""
        nets = (self.networks.generator, self.networks.critic, self.networks.helpers, self.average)
        if not all(torch.isfinite(p).all() for net in nets for p in net.parameters()):
            return None
        path = self.folder / f"step-{self.step:08d}.checkpoint"
        beside = path.with_suffix(".writing")
        with beside.open("wb") as file:
            torch.save(self.state(), file)
            file.flush()
            os.fsync(file.fileno())
        torch.load(beside, weights_only=True)  # a checkpoint that cannot be read back must not replace one that can
        beside.replace(path)
        for old in sorted(self.folder.glob("step-*.checkpoint"))[:-CHECKPOINTS_KEPT]:
            old.unlink()
        return path

    def resume(self) -> bool:
        """Load the newest checkpoint that can be read; False when there is none."""
        for path in sorted(self.folder.glob("step-*.checkpoint"), reverse=True):
            try:
                state = torch.load(path, weights_only=True)
            except Exception as error:  # damaged on disk: the one before it is as good as an earlier kill
                self.passed_over.append(f"{path.name}: {type(error).__name__}")
                continue
            self._load(state, path)
            return True
        return False

    def _load(self, state: dict[str, Any], path: Path) -> None:
        try:
            self.networks.generator.load_state_dict(state["generator"])
            self.networks.critic.load_state_dict(state["critic"])
            self.networks.helpers.load_state_dict(state["helpers"])
            self.average.load_state_dict(state["average"])
            self.generator_optimiser.load_state_dict(state["generator_optimiser"])
            self.critic_optimiser.load_state_dict(state["critic_optimiser"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise InputError(
                f"{path}: belongs to another training ({str(error).splitlines()[0]}); choose another --run folder"
            ) from None
        self.step, self.seconds, self.skipped = state["step"], state["seconds"], state["skipped"]
        self.returns, self.shift = state["returns"], state["shift"]


@overload
def on_device(thing: Tensor, device: torch.device) -> Tensor: ...
@overload
def on_device(thing: Module, device: torch.device) -> Module: ...
def on_device(thing: Tensor | nn.Module, device: torch.device) -> Tensor | nn.Module:
    """The tensor or network where it is wanted; pictures and kernels channels-last, which convolutions like best."""
    if isinstance(thing, nn.Module):
        thing = thing.to(device)
        for parameter in thing.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return thing
    thing = thing.to(device)
    return thing.contiguous(memory_format=torch.channels_last) if thing.dim() == 4 and thing.shape[1] == 3 else thing


def has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 faster than in float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
