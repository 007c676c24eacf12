"""How long and how fast: the limits of a training, the one schedule of all its rates, and when it is looked at.

What hangs on the step alone is the same after a kill. With a limit in minutes, progress and the rates hang on the clock.
"""

from __future__ import annotations

from dataclasses import dataclass

WARM_UP_STEPS = 100  # Adam's first steps are as long as its longest; with a critic that knows nothing yet they only do harm
LAST_SHARE = 0.02
LOOKS, STEPS_BETWEEN_LOOKS = 25, 50  # against a number of steps, against the clock
EVERY_STEP, EVERY_TENTH = 1_000, 20_000  # a curve keeps every step up to here, then every tenth, then every hundredth


def schedule(step: int, progress: float) -> float:
    """The share of its full rate that every optimiser has now: a warm-up, full until half-way, then down in a straight line."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return warm * min(1.0, max(LAST_SHARE, 2 * (1 - progress)))


def is_drawn(step: int) -> bool:
    """Whether the curves keep this step: a function of the step alone, so that two runs keep the same ones."""
    return step <= EVERY_STEP or step % (10 if step <= EVERY_TENTH else 100) == 0


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
    look_every: int = 0  # steps between looks at what was never learnt from; 0: a fitting number
    early_stop: bool = False
    patience: int = 10  # looks without a better held-out figure

    def progress(self, step: int, seconds: float) -> float:
        """0 at the start, 1 at the end."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = seconds / 60 / self.minutes if self.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    def is_look(self, step: int) -> bool:
        """Whether the held-out figures are due after this step: every so many, and after the last."""
        fitting = max(5, self.steps // LOOKS) if self.steps else STEPS_BETWEEN_LOOKS
        return step == self.steps or step % (self.look_every or fitting) == 0
