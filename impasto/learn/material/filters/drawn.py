"""Looks that draw: lines that follow the picture's flow, and few tones."""

from __future__ import annotations

import numpy as np

from impasto.learn.material.filters.strokes import Flow, along, calmed, combed, dabs, flow_of, kept, lines, texture
from impasto.learn.material.filters.tones import (
    Light,
    blur,
    held,
    luma_of,
    mix,
    most,
    ramp,
    repainted,
    saturated,
    smooth_step,
    stepped,
)

PEN = np.array([-0.15, 0.95, 0.20], np.float32)
PENCIL_PAPER, LEAD = (0.972, 0.964, 0.944), (0.10, 0.10, 0.115)
INK_PAPER, BLACK = (0.978, 0.966, 0.938), (0.050, 0.048, 0.062)


def pencil(photo: Light) -> Light:
    """Graphite on paper: contours with the weight of their contrast, layered shading, hatching that clings to form."""
    seen = _seen(photo)
    flow = flow_of(seen, 2.5)
    calm = kept(dabs(photo, flow, 2.2), photo, 0.02, 0.08)
    tone = 0.6 * luma_of(calm) + 0.4 * _seen(calm)
    shade = 0.94 * smooth_step(1 - tone**0.78, 0.06, 1.04)
    shade = 0.75 * shade + 0.25 * stepped(shade, 5, 0.6)
    strokes = _hatching(seen, flow)
    shade = shade * (1 + 0.60 * strokes * (1 - shade) - 0.06)
    line = np.maximum(0.95 * lines(_seen(calm), flow, 2.2, 0.010, 0.050), 0.80 * lines(seen, flow, 1.5, 0.008, 0.040))
    density = held(1 - (1 - held(shade)) * (1 - 0.90 * line * (1 - 0.15 * strokes)))
    return held(mix(np.array(PENCIL_PAPER, np.float32), np.array(LEAD, np.float32), density[..., None]))


def _seen(photo: Light) -> Light:
    """What lines are drawn after: reds are darker than they look, so lips and a red coat in the grass have outlines."""
    return held(photo @ PEN)


def _hatching(seen: Light, flow: Flow) -> Light:
    """Strokes -1..1 made of its own texture, so that they move with it: slanted, or along forms where there are any."""
    grain = texture(seen, 1.8, 0.008)
    slanted = np.tanh(3.2 * combed(grain, 0.85, -1, 8))
    clinging = np.tanh(2.0 * along(grain, flow, 3, 0.6))
    return np.asarray(mix(slanted, clinging, 0.6 * smooth_step(flow.sure, 0.25, 0.75)), np.float32)


def ink(photo: Light) -> Light:
    """Brush and pen: black lines that swell with contrast, blacks spotted in, two washes of grey."""
    seen = _seen(photo)
    flow = flow_of(seen, 2.5)
    clean = kept(dabs(photo, flow, 2.6), photo, 0.03, 0.09)
    calm = luma_of(clean)
    tone = held(calm**0.70 + 0.9 * np.tanh(1.5 * (calm - blur(calm, 6))) / 1.5)
    dry = 0.05 * _hatching(seen, flow)  # where a brush runs dry
    line = np.maximum(lines(_seen(clean), flow, 2.4, 0.009, 0.028), 0.85 * lines(seen, flow, 1.6, 0.012, 0.034))
    spots = smooth_step(along(tone, flow, 2) + dry, 0.33, 0.22)
    broad = luma_of(calmed(photo, 4.0, 0.10)) ** 0.70 + 0.5 * dry
    wash = 0.17 * smooth_step(broad, 0.70, 0.60) + 0.25 * smooth_step(broad, 0.50, 0.40)
    density = 1 - (1 - wash) * (1 - spots) * (1 - line)
    return held(mix(np.array(INK_PAPER, np.float32), np.array(BLACK, np.float32), held(density)[..., None]))


def comic(photo: Light) -> Light:
    """A European colour comic: clear ink lines, light in four soft steps, strong colours, black where shadows are deep."""
    seen = _seen(photo)
    flow = flow_of(seen, 2.5)
    calm = dabs(dabs(photo, flow, 2.2), flow, 3.2)
    light = luma_of(calm)
    lit = light**0.78
    cel = 0.35 * lit + 0.65 * (0.08 + 0.92 * stepped(lit, 4, 0.35))
    colour = repainted(kept(calm, photo, 0.06, 0.14), held(cel), 1.7)
    clean = _seen(kept(calm, photo, 0.025, 0.08))
    line = np.maximum(lines(clean, flow, 2.4, 0.011, 0.030), 0.9 * lines(seen, flow, 1.6, 0.020, 0.045))
    spots = smooth_step(along(light, flow, 2), 0.11, 0.06)
    black = np.array([0.055, 0.045, 0.085], np.float32)
    return held(mix(colour, black, held(np.maximum(line, spots))[..., None]))


def blueprint(photo: Light) -> Light:
    """A cyanotype drawing: white lines where forms end, light hatching in the lights, on blue paper that tone washes over."""
    seen = _seen(photo)
    flow = flow_of(seen, 2.5)
    clean = kept(dabs(photo, flow, 2.4), photo, 0.025, 0.08)
    calm = luma_of(clean) ** 0.8
    outline = np.maximum(lines(_seen(clean) ** 0.8, flow, 2.2, 0.008, 0.030), 0.75 * lines(seen**0.7, flow, 1.5, 0.009, 0.034))
    hatching = smooth_step(_hatching(seen, flow), 0.0, 0.9) * smooth_step(calm, 0.25, 0.95) * 0.36
    wash = ramp(0.5 * calm + 0.5 * stepped(calm, 4, 0.5), (
        (0.0, (0.015, 0.080, 0.235)), (0.35, (0.030, 0.150, 0.385)), (0.7, (0.095, 0.285, 0.560)), (1.0, (0.300, 0.520, 0.760)),
    ))  # fmt: skip
    chalk = np.array([0.95, 0.975, 1.0], np.float32)
    return held(mix(wash, chalk, (1 - (1 - outline) * (1 - hatching))[..., None]))


def halftone(photo: Light) -> Light:
    """A cheap colour print: three inks and black in few tones on warm paper, plates out of register, stippled by the picture's
    own texture where a screen of dots would be."""
    seen = _seen(photo)
    flow = flow_of(seen, 2.5)
    calm = kept(dabs(photo, flow, 2.4), photo, 0.03, 0.09)
    inks = 1 - saturated(calm**0.80, 1.6)  # cyan, magenta, yellow; lighter than life, as such prints were
    grey = -most(-inks)
    inks = (inks - 0.85 * grey[..., None] ** 1.25).clip(0, 1)
    grain = texture(seen, 1.8, 0.020)
    angles = ((0.97, -0.26), (0.26, -0.97), (0.7, 0.7))  # each ink has its own, as screens have
    plates = [_plate(inks[..., i], combed(grain, *angles[i], 5)) for i in range(3)]
    plates = [np.roll(plates[i], shift, axis=(0, 1)) for i, shift in enumerate(((0, 1), (1, -1), (0, 0)))]
    key = np.maximum(
        _plate(smooth_step(grey, 0.30, 1.05), combed(grain, 0.7, -0.7, 5)), 0.9 * lines(_seen(calm), flow, 2.0, 0.012, 0.036)
    )
    sheet = np.array([0.970, 0.945, 0.880], np.float32)
    through = np.array([[0.05, 0.62, 0.84], [0.93, 0.16, 0.46], [0.99, 0.84, 0.10], [0.10, 0.09, 0.14]], np.float32)
    for colour, amount in zip(through, [*plates, key], strict=True):
        sheet = sheet * (1 - amount[..., None] * (1 - colour))
    return held(sheet)


def _plate(ink: Light, grain: Light) -> Light:
    """An ink in few tones; where one tone goes over into the next, grain parts them."""
    return held(0.25 * ink + 0.75 * stepped(ink + 0.06 * grain, 4, 0.45))
