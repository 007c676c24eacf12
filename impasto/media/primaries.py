"""What red, green, blue and white a file means: chromaticities, and the matrix from them to Rec.709's."""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Chromaticities = tuple[float, ...]  # x, y of red, green, blue and white
Matrix = NDArray[np.float64]

_D65, _D60 = (0.3127, 0.329), (0.32168, 0.33767)
KNOWN: dict[str, Chromaticities] = {
    "Rec.709": (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65),
    "ACEScg": (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, *_D60),
    "ACES2065-1": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, *_D60),
    "Rec.2020": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    "P3-D65": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def to_rec709(chromaticities: Chromaticities) -> Matrix:
    """Linear RGB of these primaries to linear Rec.709, white to white; what cannot be primaries is taken for Rec.709's."""
    ours = _to_xyz(KNOWN["Rec.709"])
    try:
        theirs = _to_xyz(chromaticities)
        return np.asarray(np.linalg.inv(ours) @ _adapted(theirs.sum(axis=1), ours.sum(axis=1)) @ theirs)
    except np.linalg.LinAlgError:
        return np.eye(3)


def chromaticities_of(matrix: Matrix) -> Chromaticities | None:
    """The known primaries whose matrix to Rec.709 this is."""
    return next((known for known in KNOWN.values() if np.allclose(to_rec709(known), matrix, atol=2e-3)), None)


def _to_xyz(chromaticities: Chromaticities) -> Matrix:
    points = np.asarray(chromaticities, np.float64).reshape(4, 2)
    if not np.isfinite(points).all() or (points[:, 1] == 0).any():
        raise np.linalg.LinAlgError
    whole = np.array([points[:, 0] / points[:, 1], np.ones(4), (1 - points.sum(axis=1)) / points[:, 1]])
    colours, white = whole[:, :3], whole[:, 3]
    return np.asarray(colours * np.linalg.solve(colours, white))


def _adapted(white: Matrix, wanted: Matrix) -> Matrix:
    before, after = _BRADFORD @ white, _BRADFORD @ wanted
    if (before == 0).any():
        raise np.linalg.LinAlgError
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(after / before) @ _BRADFORD)
