"""Pictures that are not seen flat: 360 degrees all around, and two eyes in one picture.

A 360 degree picture (equirectangular) has no left and right edge, and above its top row comes what lies behind the pole. So it
is painted with as much of its surroundings as the generator sees, and then cut out again: its edges meet as if they were none.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from impasto.errors import InputError

if TYPE_CHECKING:  # the names of the options are wanted by whoever asks for help, and that needs no numpy
    from impasto.frame import Pixels

    Paint = Callable[[Pixels], Pixels]  # [H,W,3] -> [H,W,3]

Projection = Literal["flat", "equirect"]
Stereo = Literal["none", "side-by-side", "top-bottom"]
FADE_STRIDES = 8  # how wide a seam is faded where the width is no multiple of the stride


def projected(paint: Paint, projection: Projection, stereo: Stereo, stride: int, receptive_field: int) -> Paint:
    """A paint function that paints each eye on its own, and all around where the picture goes all around."""
    eye = paint if projection == "flat" else lambda pixels: paint_around(paint, pixels, stride, receptive_field)
    return eye if stereo == "none" else lambda pixels: paint_eyes(eye, pixels, stereo)


def check_stereo(stereo: Stereo, width: int, height: int) -> None:
    """Refuse a picture that cannot be halved into two eyes."""
    side, name = (width, "width") if stereo == "side-by-side" else (height, "height")
    if stereo != "none" and (side % 2 or side < 2):
        raise InputError(f"{stereo} needs an even {name}, this picture is {width}x{height}: crop it, or leave --stereo out")


def paint_eyes(paint: Paint, pixels: Pixels, stereo: Stereo) -> Pixels:
    """Paint the two halves of a picture, neither knowing of the other."""
    import numpy as np

    height, width = pixels.shape[:2]
    check_stereo(stereo, width, height)
    axis = 1 if stereo == "side-by-side" else 0
    painted: Pixels = np.concatenate([paint(np.ascontiguousarray(eye)) for eye in np.split(pixels, 2, axis)], axis)
    return painted


def paint_around(paint: Paint, pixels: Pixels, stride: int, receptive_field: int) -> Pixels:
    """Paint a 360 degree picture without a seam.

    A generator works on a grid of its stride. Where the width is a multiple of it, turning the picture by a multiple turns the
    painting, value for value. Where it is not, the grid meets itself askew: then the columns after the seam are painted once
    more as the continuation of the last ones, and faded over into what follows.
    """
    from impasto.render.tiles import halo_px

    height, width = pixels.shape[:2]
    halo = halo_px(stride, receptive_field)
    fade = min(FADE_STRIDES * stride, width // 2) if width % stride else 0
    wide = paint(surrounded(pixels, halo, halo + fade))[halo : halo + height]
    painted = wide[:, halo : halo + width]
    if fade:
        painted = painted.copy()
        painted[:, :fade] = _faded(wide[:, halo + width : halo + width + fade], painted[:, :fade])
    return painted


def surrounded(pixels: Pixels, before: int, after: int) -> Pixels:
    """A 360 degree picture with `before` pixels more above, below and on the left, and `after` more on the right."""
    import numpy as np

    height, width = pixels.shape[:2]

    def beyond(first: int, last: int) -> Pixels:
        """Rows over the pole: they come back down on the other side."""
        rows = np.arange(first, last) % (2 * height)
        far = rows >= height
        found: Pixels = pixels[np.where(far, 2 * height - 1 - rows, rows)]
        found[far] = np.roll(found[far], -(width // 2), axis=1)
        return found

    tall = np.concatenate([beyond(-before, 0), pixels, beyond(height, height + before)])
    wide: Pixels = tall.take(np.arange(-before, width + after) % width, axis=1)
    return wide


def _faded(one: Pixels, other: Pixels) -> Pixels:
    """From one strip into the other, left to right."""
    import numpy as np

    share = np.arange(one.shape[1], dtype=np.float32)[:, None] / one.shape[1]
    mixed: Pixels = one * (1 - share) + other * share
    return np.rint(mixed).astype(one.dtype) if np.issubdtype(one.dtype, np.integer) else mixed.astype(one.dtype)
