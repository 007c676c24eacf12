"""Looks that grade: the photograph stays a photograph, its light and colours are another film's, decade's or city's."""

from __future__ import annotations

import numpy as np

from impasto.learn.material.filters.strokes import flow_of, lines
from impasto.learn.material.filters.tones import Light, blur, glow, held, luma_of, mix, ramp, s_curve, saturated, screen


def film(photo: Light) -> Light:
    """A print from a modern colour stock: gentle S-curve, teal in the shadows, orange in the lights, a red glow around lamps."""
    lit = screen(photo, glow(photo, 0.76, 7) * (0.34, 0.12, 0.04))
    curved = s_curve(lit, 0.32)
    luma = luma_of(curved)[..., None]
    split = mix(np.array([-0.026, 0.008, 0.030]), np.array([0.026, 0.004, -0.034]), luma)
    shoulder = 0.022 + 0.953 * curved - 0.02 * np.maximum(curved - 0.75, 0)  # lights on skin keep their drawing
    return saturated(shoulder + split * 1.2, 1.10)


def retro(photo: Light) -> Light:
    """A snapshot of the seventies: faded blacks, creamy lights, magenta-brown shadows, little blue, a soft glow over all."""
    lit = screen(photo, glow(photo, 0.6, 9) * (0.30, 0.18, 0.08))
    soft = 0.75 * lit + 0.25 * blur(lit, 1.6)
    pale = saturated(s_curve(soft, 0.35), 0.80)
    floor, top = np.array([0.150, 0.100, 0.115], np.float32), np.array([0.990, 0.930, 0.790], np.float32)
    crossed = np.stack([pale[..., 0] ** 0.86, pale[..., 1] ** 0.96, pale[..., 2] ** 1.06], axis=2)
    return held(floor + (top - floor) * crossed)


def neon(photo: Light) -> Light:
    """Night in a city of signs: shadows go to indigo and teal, lights to magenta and cyan, edges are tubes of light that glow."""
    luma = luma_of(photo)
    dark = s_curve(luma**0.92, 0.35)
    night = ramp(dark, ((0.0, (0.016, 0.012, 0.055)), (0.22, (0.070, 0.045, 0.230)), (0.48, (0.105, 0.235, 0.520)),
                        (0.70, (0.440, 0.255, 0.700)), (0.88, (0.960, 0.500, 0.780)), (1.0, (0.990, 0.900, 0.985))))  # fmt: skip
    warm = np.tanh(3.5 * (photo[..., :1] - 0.5 * (photo[..., 1:2] + photo[..., 2:])))  # these go to magenta, cool ones to cyan
    body = (dark * (1.25 - dark))[..., None] * 1.6
    tinted = night + warm.clip(0, 1) * body * (0.34, -0.10, 0.08) + (-warm).clip(0, 1) * body * (-0.62, 0.46, 0.10)
    flow = flow_of(luma, 2.5)
    tube = lines(luma**0.8, flow, 2.0, 0.012, 0.050)[..., None] * (0.35 + 0.65 * dark[..., None])
    hue = mix(np.array([0.15, 0.80, 0.95]), np.array([1.0, 0.30, 0.75]), 0.5 + 0.5 * np.tanh(4 * warm))
    shining = held(tube * hue)
    return screen(
        screen(held(tinted), 0.75 * shining + 0.80 * blur(shining, 4)), glow(held(tinted), 0.72, 8) * (0.40, 0.18, 0.38)
    )


def noir(photo: Light) -> Light:
    """Black and white of the forties: reds darkened, deep shadows, light that models form, a bloom round lamps. No grain: a
    grain that the network painted would stand still."""
    seen = photo @ np.array([0.16, 0.60, 0.24], np.float32)
    broad = blur(seen, 7)
    modelled = seen + 0.34 * np.tanh(2.5 * (seen - broad)) / 2.5 + 0.12 * (seen - blur(seen, 1.5))  # held, or forms get halos
    curved = s_curve(modelled.clip(0, 1) ** 1.04, 0.80)
    deep = (1.04 * curved - 0.014).clip(0, 1)
    lit = screen(deep, 0.45 * glow(deep[..., None], 0.74, 8)[..., 0])
    return held(np.repeat((lit * 0.965 + 0.010)[..., None], 3, axis=2))
