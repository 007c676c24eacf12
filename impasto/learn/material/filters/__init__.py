"""Looks made by rule: each takes a photograph [H,W,3] as float32 in 0..1 and answers with the same in that look.

They are teachers of networks that paint stateless and tile by tile, so none of them knows where on the screen a pixel lies, or
what the rest of the frame holds: a dot screen or a paper grid fixed to the frame could not be learnt. What stands for them is
bound to the picture: lines along its flow, hatching combed out of its own texture, plates printed out of register. They are
smooth, so that nothing jumps when the picture moves by a part of a pixel, and draw no line finer than two pixels, since a
network that thinks at a quarter of the size could not.
"""

from __future__ import annotations

from collections.abc import Callable

from impasto.learn.material.filters.drawn import BLACK, INK_PAPER, LEAD, PENCIL_PAPER, blueprint, comic, halftone, ink, pencil
from impasto.learn.material.filters.graded import film, neon, noir, retro
from impasto.learn.material.filters.tones import LUMA, MARGIN_PX, Light
from impasto.learn.material.filters.washes import flat, oil, watercolour

__all__ = ["FILTERS", "INKS", "LUMA", "MARGIN_PX", "Light"]

FILTERS: dict[str, Callable[[Light], Light]] = {
    "film": film, "retro": retro, "neon": neon, "noir": noir,
    "pencil": pencil, "ink": ink, "comic": comic, "blueprint": blueprint, "halftone": halftone,
    "watercolour": watercolour, "flat": flat, "oil": oil,
}  # fmt: skip
INKS = {  # looks whose colours all lie between two
    "noir": ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), "pencil": (PENCIL_PAPER, LEAD), "ink": (INK_PAPER, BLACK),
}  # fmt: skip
