"""At which inner scale to paint so that every frame is ready in time: a function of how long the frames before took.

A picture painted at half its size takes about a quarter of the time. When frames come near their budget the scale goes down at
once, as far as it must; it goes up again one step at a time, when the larger one has had room for a while. A step up that had to
be taken back is tried again twice as late, so a machine at its limit does not swing.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

SCALES = (1.0, 0.84, 0.71, 0.59, 0.5, 0.35)  # of the picture's sides; each step is about 0.7 of the pixels
NEAR = 0.9  # of the budget; frames that take longer count as slow
MEANT = 0.75  # of the budget, what a new scale is expected to take
SLOW_FRAMES = 4  # more slow ones than quick ones before the scale goes down: one hiccup is none
PATIENCE_SECONDS, MOST_PATIENCE_SECONDS = 2.0, 60.0
WEIGHT = 0.25  # of the newest frame in the running mean


@dataclass(frozen=True)
class Pace:
    """How fast frames are painted, and at which of the SCALES they should be."""

    budget: float  # seconds that a frame may take
    level: int = 0
    mean: float = 0.0  # seconds that frames take at this level, the newest counting most; 0: none was painted yet
    slow: int = 0
    roomy: float = 0.0  # seconds for which the next larger scale would have had room
    patience: float = PATIENCE_SECONDS
    risen: float = inf  # seconds since it last went up

    @property
    def scale(self) -> float:
        """Of the picture's sides."""
        return SCALES[self.level]

    def after(self, seconds: float) -> Pace:
        """The pace after one more frame."""
        mean = seconds if self.mean == 0 else self.mean * (1 - WEIGHT) + seconds * WEIGHT
        slow = self.slow + 1 if seconds > NEAR * self.budget else max(self.slow - 1, 0)
        roomy = self.roomy + self.budget if self._has_room_above(mean) else 0.0
        now = replace(self, mean=mean, slow=slow, roomy=roomy, risen=self.risen + self.budget)
        if slow >= SLOW_FRAMES and self.level < len(SCALES) - 1:
            return now._lowered()
        return now._raised() if roomy >= self.patience else now

    def expected(self, level: int, mean: float) -> float:
        """Seconds that a frame would take at another level."""
        return mean * (SCALES[level] / self.scale) ** 2

    def _has_room_above(self, mean: float) -> bool:
        return self.level > 0 and self.expected(self.level - 1, mean) < MEANT * self.budget

    def _lowered(self) -> Pace:
        below = range(self.level + 1, len(SCALES))
        level = next((each for each in below if self.expected(each, self.mean) < MEANT * self.budget), below[-1])
        in_vain = self.risen < 2 * self.patience
        patience = min(self.patience * 2, MOST_PATIENCE_SECONDS) if in_vain else PATIENCE_SECONDS
        return replace(self, level=level, mean=0.0, slow=0, roomy=0.0, risen=inf, patience=patience)

    def _raised(self) -> Pace:
        return replace(self, level=self.level - 1, mean=0.0, slow=0, roomy=0.0, risen=0.0)
