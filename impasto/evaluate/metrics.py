"""Figures that say how near one set of pictures is to another: FID, KID, precision and recall, on features of any network.

Each is a pure function of two sets of feature vectors [N,D]. FID and KID are distances (lower is better). FID needs many more
pictures than features and is far too high for small sets; KID is unbiased, so it is the one to trust there (and may be a little
below 0). Precision is how many of our pictures lie among theirs, recall how many of theirs lie among ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from impasto.models.perception import Features, Perception

TAPS = ("relu2_1", "relu3_1", "relu4_1")
AT_ONCE = 64
GRID = 8  # without a network: colours and contrasts on a grid of so many cells each way


@torch.no_grad()
def features_of(pictures: Tensor, perception: Perception | None, taps: Sequence[str] = TAPS) -> Tensor:
    """[N,3,H,W] in 0..1 -> [N,D]: spatial means of the taps; float64 on the CPU.

    Without a perception, colours and contrasts on a coarse grid stand in: enough to see whether learning goes the right way.
    """
    if perception is None:
        return _plain_features(pictures)
    found = []
    for some in torch.split(pictures, AT_ONCE):
        found.append(spatial_means(perception(some, taps), taps))
    return torch.cat(found)


def spatial_means(seen: Mapping[str, Features], taps: Sequence[str] = TAPS) -> Tensor:
    """What a network saw of pictures -> [N,D]: the mean of every feature over the picture; float64 on the CPU."""
    means = []
    for tap in (tap for tap in taps if tap in seen):  # a teacher of the user's may end earlier
        values, widen = seen[tap].values.float().mean((2, 3)), seen[tap].widen
        means.append(values if widen is None else F.linear(values, *widen))
    return torch.cat(means, 1).double().cpu()


def _plain_features(pictures: Tensor) -> Tensor:
    colours = F.adaptive_avg_pool2d(pictures.double().cpu(), GRID)
    squares = F.adaptive_avg_pool2d(pictures.double().cpu().square(), GRID)
    contrasts = (squares - colours.square()).clamp_min(0).sqrt()
    return torch.cat([colours.flatten(1), contrasts.flatten(1)], 1)


def fid(ours: Tensor, theirs: Tensor) -> float:
    """Fréchet distance of two sets [N,D] and [M,D], each taken as one normal distribution."""
    ours, theirs = ours.double(), theirs.double()
    between = (ours.mean(0) - theirs.mean(0)).square().sum()
    one, other = (torch.cov(side.T).reshape(side.shape[1], side.shape[1]) for side in (ours, theirs))
    root = _square_root(one)
    # the trace of the square root of one@other, through a symmetric matrix with the same eigenvalues
    shared = torch.linalg.eigvalsh(root @ other @ root).clamp_min(0).sqrt().sum()
    return float((between + one.trace() + other.trace() - 2 * shared).clamp_min(0))


def _square_root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root


def kid(ours: Tensor, theirs: Tensor) -> float:
    """Kernel distance of two sets [N,D] and [M,D]: unbiased squared MMD under (x.y/D + 1)^3, over all pairs."""
    ours, theirs = ours.double(), theirs.double()
    n, m = len(ours), len(theirs)
    within = _off_diagonal(_kernel(ours, ours)) / (n * (n - 1)) + _off_diagonal(_kernel(theirs, theirs)) / (m * (m - 1))
    return float(within - 2 * _kernel(ours, theirs).mean())


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    return (one @ other.T / one.shape[1] + 1) ** 3


def _off_diagonal(matrix: Tensor) -> Tensor:
    return matrix.sum() - matrix.diagonal().sum()


def precision_recall(ours: Tensor, theirs: Tensor, neighbours: int = 3) -> tuple[float, float]:
    """(precision, recall): the share of each set that lies within reach of the other's pictures.

    A picture's reach is the distance to its k-th nearest neighbour in its own set.
    """
    apart = torch.cdist(ours.double(), theirs.double())  # [N,M]
    precision = (apart <= _reach(theirs, neighbours)).any(1).double().mean()
    recall = (_reach(ours, neighbours) >= apart.T).any(1).double().mean()
    return float(precision), float(recall)


def _reach(points: Tensor, neighbours: int) -> Tensor:
    apart = torch.cdist(points.double(), points.double())
    return apart.kthvalue(min(neighbours + 1, len(points)), dim=1).values  # the nearest of all is the point itself


def standardise(ours: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    """Both sets about the middle of theirs, in units of their overall spread: a figure must not hang on a network's loudness."""
    mean = theirs.mean(0)
    spread = (theirs - mean).square().mean().sqrt().clamp_min(1e-12)
    return (ours - mean) / spread, (theirs - mean) / spread


def set_figures(ours: Tensor, theirs: Tensor) -> dict[str, float]:
    """All of them, in units of their spread."""
    ours, theirs = standardise(ours, theirs)
    precision, recall = precision_recall(ours, theirs)
    return {"fid": fid(ours, theirs), "kid": kid(ours, theirs), "precision": precision, "recall": recall}
