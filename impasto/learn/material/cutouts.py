"""Pictures with transparent parts: what they show is learnt from; what they hide could be anything and is not."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # [H,W,3]
Cover = NDArray[np.uint8]  # [H,W]
SEEN = 128  # from here on a pixel counts as there


def box(cover: Cover) -> tuple[slice, slice]:
    """The smallest rectangle with all that can be seen; something must be."""
    down, across = (np.flatnonzero((cover >= SEEN).any(axis)) for axis in (1, 0))
    return slice(int(down[0]), int(down[-1]) + 1), slice(int(across[0]), int(across[-1]) + 1)


def filled(picture: Picture, cover: Cover) -> Picture:
    """The picture with its own mirror image, across the nearest edge, where nothing can be seen.

    A flat colour there would be learnt as part of the look, and a blur as well; this is the artist's own texture.
    """
    seen = cover >= SEEN
    if seen.all():
        return picture
    hidden = (~seen).astype(np.uint8)
    labels = cv2.distanceTransformWithLabels(hidden, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)[1]
    place_of = np.zeros((int(labels.max()) + 1, 2), np.int32)
    place_of[labels[seen]] = np.argwhere(seen)
    near = place_of[labels]  # [H,W,2]: of each pixel the nearest that can be seen
    here = np.moveaxis(np.indices(seen.shape, np.int32), 0, 2)
    mirrored = (2 * near - here).clip(0, np.array(seen.shape, np.int32) - 1)
    source = near[mirrored[..., 0], mirrored[..., 1]]
    return np.ascontiguousarray(picture[source[..., 0], source[..., 1]])


def flattened(picture: Picture, cover: Cover) -> Picture:
    """The picture at its full size with the mean of what can be seen behind it, for pictures that must fit others."""
    share = cover[..., None].astype(np.float32) / 255
    values = picture.astype(np.float32)
    mean = (values * share).sum((0, 1)) / share.sum()
    return np.asarray(np.rint(values * share + mean * (1 - share)), np.uint8)
