"""What recipes share that learn from pairs: a picture as given and the picture that should come of it.

A batch holds `given` [N,3+guides,H,W] and `target` [N,3,scale*H,scale*W]. The critic sees both, so it asks not only whether
a picture looks right but whether it is right for what it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from impasto.learn.contest import frozen, outcome, verdicts
from impasto.learn.material.data import Material, Pictures
from impasto.learn.run.loop import Batch, Networks, Outcome, on_device
from impasto.losses import Motion, adversarial, feature_matching, perceptual_content, pixels, steadiness
from impasto.models.blocks import Painter
from impasto.models.perception import Features, Perception

TAPS = ("relu1_1", "relu2_1", "relu3_1")
EVERY = 8  # of so many pictures one is kept for measuring; of fewer, the right end of each
MOST_KEPT = 12
STRIP = 5  # that end is a fifth
Measure = Callable[[Painter], dict[str, float]]


class Weights(Protocol):
    """The settings that say how much each term counts."""

    pixels: float
    content: float
    adversary: float
    matching: float
    steady: float
    adversary_from: float


def set_apart(pictures: Pictures) -> tuple[Pictures, Pictures]:
    """What is learnt from, and what is kept for measuring; only the number of pictures decides which, so pairs stay pairs."""
    count = len(pictures.images)
    if count >= EVERY:
        kept = set(range(EVERY // 2, count, max(EVERY, -(-count // MOST_KEPT))))
        return _some(pictures, [i for i in range(count) if i not in kept]), _some(pictures, sorted(kept))
    cuts = [image.shape[1] - image.shape[1] // STRIP for image in pictures.images]
    left = [image[:, :cut] for image, cut in zip(pictures.images, cuts, strict=True)]
    right = [image[:, cut:] for image, cut in zip(pictures.images, cuts, strict=True)]
    return Pictures(left, pictures.names, pictures.sizes, pictures.hashes), Pictures(right, pictures.names)


def _some(pictures: Pictures, wanted: Sequence[int]) -> Pictures:
    return Pictures(
        [pictures.images[i] for i in wanted], [pictures.names[i] for i in wanted],
        [pictures.sizes[i] for i in wanted], [pictures.hashes[i] for i in wanted],
    )  # fmt: skip


def to_planes(pictures: Sequence[NDArray[np.float32]]) -> Tensor:
    """Float pictures [H,W,C] of one size -> [N,C,H,W]."""
    return torch.from_numpy(np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2)))


@dataclass
class Judged:
    """A step's painting, and the terms with their weights that a recipe brings of its own."""

    painted: Tensor
    losses: dict[str, Tensor]
    shares: dict[str, float]


def contest(
    weights: Weights, material: Material, networks: Networks, batch: Batch, progress: float, begun: Judged | None = None
) -> Outcome:
    """All terms of one step: pixels, features, the critic's verdict and what it sees, steadiness; a recipe may bring more."""
    given, target = batch["given"], batch["target"]
    begun = begun or Judged(networks.generator(given).float(), {}, {})
    painted, losses = begun.painted, dict(begun.losses)
    losses["pixels"] = pixels(painted, target)
    losses["outside"] = (painted - painted.clamp(0, 1)).abs().mean()
    if material.perception is not None and weights.content:
        losses["content"] = _content(material.perception, painted, target)
    late = progress >= weights.adversary_from
    if weights.steady and late:  # at once, the steadiest picture is a grey one
        losses["steady"] = _steady(networks.generator, painted, batch)
    shares = {name: getattr(weights, name) for name in ("pixels", "content", "adversary", "matching", "steady")}
    shares |= {"outside": 10.0, **begun.shares}
    if weights.adversary and late:
        losses |= _opposed(networks, painted, given, target)
        critic = verdicts(networks.critic, beside(target, given), beside(painted, given))
    else:
        critic = next(networks.critic.parameters()).sum() * 0, {}  # it rests
    result = outcome(losses, shares, critic, painted)
    result.source, result.reference = _as_large(given[:, :3], painted), target  # what a person wants to see beside the painting
    return result


def _content(perception: Perception, painted: Tensor, target: Tensor) -> Tensor:
    return perceptual_content(*both_seen(perception, painted, target, TAPS), TAPS)


def both_seen(
    perception: Perception, painted: Tensor, goal: Tensor, taps: Sequence[str]
) -> tuple[dict[str, Features], dict[str, Features]]:  # fmt: skip
    """A painting and what it should be, as perception sees them; the goal gets no gradient."""
    ours = perception(on_device(painted, painted.device), taps)
    with torch.no_grad():
        theirs = perception(on_device(goal, goal.device), taps)
    return ours, theirs


def _opposed(networks: Networks, painted: Tensor, given: Tensor, target: Tensor) -> dict[str, Tensor]:
    with frozen(networks.critic):
        ours = beside(painted, given)
        with torch.no_grad():
            theirs = networks.critic.features(beside(target, given))  # type: ignore[operator]  # every critic has them
        seen = networks.critic.features(ours)  # type: ignore[operator]
        return {"adversary": adversarial("hinge").generator(networks.critic(ours)), "matching": feature_matching(seen, theirs)}


def _steady(generator: Painter, painted: Tensor, batch: Batch) -> Tensor:
    given = batch["given"]
    motion = Motion(batch["grid"], batch["inside"], batch["gain"], batch["bias"], batch["noise"])
    filmed = motion.film(given[:, :3])
    if given.shape[1] > 3:
        filmed = torch.cat([filmed, motion.move(given[:, 3:]).clamp(0, 1)], 1)
    return steadiness(painted, generator(on_device(filmed, given.device)).float(), enlarged(motion, generator.scale))


def enlarged(motion: Motion, scale: int) -> Motion:
    """The same motion over a picture `scale` times larger."""
    if scale == 1:
        return motion
    grid = F.interpolate(motion.grid.permute(0, 3, 1, 2), scale_factor=scale, mode="bilinear").permute(0, 2, 3, 1)
    return Motion(grid, F.interpolate(motion.inside, scale_factor=scale), motion.gain, motion.bias, motion.noise)


def beside(picture: Tensor, given: Tensor) -> Tensor:
    """A picture stacked on what it was made from, [N,6+guides,H,W]; that is brought to its size."""
    return torch.cat([picture, _as_large(given, picture)], 1)


def _as_large(given: Tensor, picture: Tensor) -> Tensor:
    same = given.shape[2:] == picture.shape[2:]
    return given if same else F.interpolate(given, picture.shape[2:], mode="bilinear")


def measured(cases: Sequence[tuple[Tensor, Tensor]], material: Material) -> Measure:
    """A figure for painters on pairs that were never learnt from, beside what handing the given picture on would get."""
    cases = [(given.to(material.device), target.to(material.device)) for given, target in cases]
    idle = [F.interpolate(given[:, :3], target.shape[2:], mode="bicubic").clamp(0, 1) for given, target in cases]
    figures = {f"{name}_as_given": value for name, value in _distances(idle, cases, material).items()}

    def measure(painter: Painter) -> dict[str, float]:
        with torch.inference_mode():
            painted = [painter(given).float().clamp(0, 1) for given, _ in cases]
            return {**_distances(painted, cases, material), **figures}

    return measure


def _distances(painted: Sequence[Tensor], cases: Sequence[tuple[Tensor, Tensor]], material: Material) -> dict[str, float]:
    pairs = [(ours, target) for ours, (_, target) in zip(painted, cases, strict=True)]
    distances = {"error": _mean([pixels(ours, target) for ours, target in pairs])}
    if material.perception is not None:
        with torch.inference_mode():
            distances["content"] = _mean([_content(material.perception, ours, target) for ours, target in pairs])
    return distances


def _mean(values: Sequence[Tensor]) -> float:
    return float(torch.stack(list(values)).mean()) if values else 0.0
