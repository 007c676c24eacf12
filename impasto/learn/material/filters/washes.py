"""Looks that lay patches of colour: washes, flat areas, thick paint."""

from __future__ import annotations

import numpy as np

from impasto.learn.material.filters.strokes import along, calmed, dabs, flow_of, kept, lines, moved, texture
from impasto.learn.material.filters.tones import Light, blur, held, luma_of, repainted, s_curve, smooth_step, stepped


def watercolour(photo: Light) -> Light:
    """Transparent washes on paper: flat, darker where they end, a little granulated, the lights left to the paper."""
    luma = luma_of(photo)
    flow = flow_of(luma, 2.5)
    wander = blur(texture(luma, 3.0, 0.02), 1.2)
    bent = moved(photo, 2.2 * wander, -2.2 * wander)
    calm = kept(dabs(dabs(bent, flow, 2.6), flow, 3.4), bent, 0.035, 0.10)
    lit = luma_of(calm) ** 0.66
    washed = 0.5 * lit + 0.5 * stepped(lit, 5, 0.5)
    tone = held(0.17 + 0.86 * washed)
    colour = repainted(calm, tone, 1.6)
    shadow = (1 - smooth_step(washed, 0.0, 0.55))[..., None] * np.array([0.0, 0.012, 0.060], np.float32)  # darks are never black
    rim = smooth_step(blur(washed, 1.8) - washed, 0.006, 0.075) * smooth_step(washed, 0.98, 0.80)
    grain = blur(texture(luma, 2.2, 0.012), 0.9)
    sketch = lines(luma, flow, 1.6, 0.008, 0.030)  # a drawing under the washes
    pigment = 1 + 0.55 * rim + 0.16 * grain + 0.70 * sketch
    paper = np.array([0.990, 0.980, 0.955], np.float32)
    return held(paper * np.clip(colour + shadow, 1e-3, 1) ** pigment[..., None])


def flat(photo: Light) -> Light:
    """An illustration for a brand: big even areas, few tones, no lines, no texture; a palette may be laid on it."""
    flow = flow_of(luma_of(photo), 3)
    areas = dabs(calmed(photo, 2.5, 0.06), flow, 3.0, 0.4, 1e-3)
    areas = dabs(areas, flow, 4.2, 0.4, 1e-3)
    areas = kept(areas, photo, 0.045, 0.10, 2.2)
    lit = luma_of(areas) ** 0.80
    tone = 0.20 * lit + 0.80 * (0.06 + 0.92 * stepped(lit, 5, 0.25))
    return repainted(areas, held(tone), 1.5)


def oil(photo: Light) -> Light:
    """Thick paint: dabs along the forms, their ridges lit from the upper left."""
    luma = luma_of(photo)
    flow = flow_of(luma, 3)
    calm = kept(dabs(dabs(photo, flow, 2.6, 1.0), flow, 3.8, 1.2), photo, 0.06, 0.14)
    ridges = along(texture(luma, 1.8, 0.012), flow, 3, 0.6)
    away = np.full_like(luma, 1.2)
    relief = 0.11 * (ridges - moved(ridges, -away, -away))
    tone = s_curve(held(luma_of(calm) ** 0.92), 0.25)
    return held(repainted(calm, tone, 1.5) + relief[..., None] * (0.35 + 0.65 * tone[..., None]))
