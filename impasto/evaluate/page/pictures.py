"""Pictures of the page, as data in it: photographs as JPEG, maps as colours with a few levels."""

from __future__ import annotations

import base64
import io

import cv2
import numpy as np
from PIL import Image

from impasto.evaluate.gallery import Bytes
from impasto.media.flow import LUMA, Plane

QUALITY = 82
LEVELS = 32  # of a map's colours
RAMP = np.array(
    [(255, 214, 10, 0), (255, 214, 10, 120), (255, 106, 31, 190), (205, 0, 105, 235)], np.float32
)  # RGBA, from fine to bad
SOFT = 1 / 90  # of the long side: single pixels of a map are noise
DIMMED = 0.75  # of its light a frame under a map keeps


def jpeg(picture: Bytes) -> str:
    """A picture as data."""
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "JPEG", quality=QUALITY, optimize=True)
    return _data(held, "jpeg")


def greyed(picture: Bytes) -> Bytes:
    """What a map is laid over: the frame without its colours, a little darker."""
    grey = (picture @ LUMA * DIMMED).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, -1)


def scale_of(plane: Plane, bad: float) -> float:
    """What a map shows as hottest: what is plainly seen, or less where nothing comes near that."""
    known = plane[np.isfinite(plane)]
    return float(np.clip(np.percentile(known, 99.5) if known.size else 0, bad / 8, bad))


def heat(plane: Plane, hottest: float) -> str:
    """A map as data: nothing is drawn where the painting is no worse than wanted."""
    share = (softened(plane) / hottest).clip(0, 1)
    held = io.BytesIO()
    image = Image.fromarray(np.rint(share * (LEVELS - 1)).astype(np.uint8), "P")
    colours = np.stack([np.interp(np.linspace(0, 3, LEVELS), range(4), RAMP[:, part]) for part in range(4)], 1).astype(np.uint8)
    image.putpalette(colours[:, :3].tobytes())
    image.save(held, "PNG", optimize=True, transparency=colours[:, 3].tobytes())
    return _data(held, "png")


def softened(plane: Plane) -> Plane:
    """A map without its noise; what is not judged takes no part, and is 0 where nothing near it is."""
    known = np.isfinite(plane).astype(np.float32)
    px = max(plane.shape) * SOFT
    total, count = (cv2.GaussianBlur(each, (0, 0), px) for each in (np.nan_to_num(plane).astype(np.float32) * known, known))
    return np.where(count > 0.05, total / np.maximum(count, 0.05), 0).astype(np.float32)


def _data(held: io.BytesIO, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(held.getvalue()).decode()}"
