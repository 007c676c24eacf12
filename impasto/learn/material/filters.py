"""Looks made by rule: each takes a photograph [H,W,3] as float32 in 0..1 and answers with the same in that look.

They are teachers of networks that paint stateless and tile by tile, so none of them knows where on the screen a pixel lies, or
what the rest of the frame holds: a dot screen or a paper grid fixed to the frame could not be learnt. What stands for them is
bound to the picture: contour lines, stipple that grows from its own texture, plates printed out of register.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]  # [H,W,3] or [H,W], 0..1
MARGIN_PX = 24  # how far a filter looks; that far from an edge it sees too little
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def film(photo: Light) -> Light:
    """A print from a modern colour stock: gentle S-curve, teal in the shadows, orange in the lights, a red glow around lamps."""
    lit = _screen(photo, _glow(photo, 0.72, 7) * (0.42, 0.13, 0.04))
    curved = _s_curve(lit, 0.45)
    luma = _luma(curved)[..., None]
    split = _mix(np.array([-0.030, 0.008, 0.028]), np.array([0.030, 0.004, -0.034]), luma)
    return _saturated(0.018 + 0.972 * curved + split * 1.2, 1.08)


def retro(photo: Light) -> Light:
    """A snapshot of the seventies: faded blacks, creamy lights, magenta-brown shadows, little blue, a soft glow over all."""
    lit = _screen(photo, _glow(photo, 0.6, 9) * (0.34, 0.19, 0.08))
    soft = 0.75 * lit + 0.25 * _blur(lit, 1.6)
    pale = _saturated(_s_curve(soft, 0.25), 0.72)
    floor, top = np.array([0.155, 0.105, 0.115], np.float32), np.array([0.985, 0.925, 0.780], np.float32)
    crossed = np.stack([pale[..., 0] ** 0.90, pale[..., 1] ** 0.98, pale[..., 2] ** 1.10], axis=2)
    return _held(floor + (top - floor) * crossed)


def neon(photo: Light) -> Light:
    """Night in a city of signs: the day is put out, shadows go to indigo and teal, lights to magenta and cyan, and they glow."""
    luma = _luma(photo)
    dark = _s_curve(luma**0.85, 0.5) ** 1.5
    ramp = _ramp(dark, ((0.0, (0.012, 0.012, 0.045)), (0.25, (0.06, 0.05, 0.22)), (0.5, (0.10, 0.28, 0.46)),
                        (0.72, (0.72, 0.16, 0.62)), (0.9, (1.0, 0.55, 0.80)), (1.0, (0.92, 0.98, 1.0))))  # fmt: skip
    warm = (photo[..., :1] - photo[..., 2:]).clip(-0.5, 0.5)  # warm things go to magenta, cool ones to cyan
    tinted = ramp + warm * dark[..., None] * (0.9, -0.45, 0.25) + (-warm).clip(0, 1) * dark[..., None] * (-0.3, 0.7, 0.5)
    edges = _edges(luma, 1.2)[..., None] * dark[..., None] * (0.35, 0.55, 0.75)
    return _screen(_held(tinted + edges), _glow(_held(tinted), 0.6, 8) * 0.6)


def blueprint(photo: Light) -> Light:
    """A cyanotype drawing: white lines where forms end, thin contour lines through tones, on blue paper that tone washes over."""
    luma = _luma(photo)
    smooth = _blur(luma, 2.2)
    outline = np.maximum(_pen(luma, 0.8), 0.9 * _pen(luma, 1.6))
    contours = _contours(smooth, 9, 0.85) * 0.30
    line = np.maximum(outline, contours * (1 - outline))[..., None]
    wash = _ramp(smooth, ((0.0, (0.020, 0.095, 0.270)), (0.5, (0.045, 0.190, 0.440)), (1.0, (0.110, 0.310, 0.590))))
    return _held(wash + (np.array([0.94, 0.97, 1.0], np.float32) - wash) * line)


def halftone(photo: Light) -> Light:
    """A cheap colour print: three inks and black in few tones on warm paper, plates out of register, stippled by the picture's
    own texture where a screen of dots would be."""
    flat = cv2.bilateralFilter(photo, 7, 0.12, 3) ** 0.8  # lighter than life, as such prints were, or dark scenes become mud
    inks = 1 - _saturated(_s_curve(flat, 0.3), 1.5)  # cyan, magenta, yellow
    grey = inks.min(axis=2)
    black = ((grey - 0.35) / 0.65).clip(0, 1) ** 1.1
    inks = (inks - 0.75 * grey[..., None] ** 1.5).clip(0, 1)
    texture = _texture(_luma(photo))
    plates = [_stepped(inks[..., i] + 0.12 * texture, 3) for i in range(3)]
    plates = [np.roll(plates[i], shift, axis=(0, 1)) for i, shift in enumerate(((0, 1), (1, -1), (0, 0)))]
    key = np.maximum(_stepped(black + 0.16 * texture, 3), 0.9 * _pen(_luma(photo), 1.0))
    paper = np.array([0.965, 0.940, 0.870], np.float32)
    through = np.array([[0.02, 0.60, 0.86], [0.91, 0.06, 0.50], [0.99, 0.87, 0.04], [0.09, 0.08, 0.10]], np.float32)
    for ink, amount in zip(through, [*plates, key], strict=True):
        paper = paper * (1 - amount[..., None] * (1 - ink))
    return _held(paper)


def noir(photo: Light) -> Light:
    """Black and white of the forties: reds darkened, deep shadows, light that models form, a bloom round lamps. No grain: a
    grain that the network painted would stand still."""
    seen = photo @ np.array([0.16, 0.60, 0.24], np.float32)
    broad = _blur(seen, 7)
    modelled = seen + 0.38 * np.tanh(2.5 * (seen - broad)) / 2.5 + 0.25 * (seen - _blur(seen, 1.5))  # held, or forms get halos
    curved = _s_curve(modelled.clip(0, 1) ** 1.15, 0.9)
    deep = (1.07 * curved - 0.035).clip(0, 1)
    lit = _screen(deep, 0.5 * _glow(deep[..., None], 0.70, 8)[..., 0])
    return _held(np.repeat((lit * 0.975 + 0.008)[..., None], 3, axis=2))


FILTERS: dict[str, Callable[[Light], Light]] = {
    "film": film, "retro": retro, "neon": neon, "blueprint": blueprint, "halftone": halftone, "noir": noir,
}  # fmt: skip


# ---- what they are made of


def _held(x: NDArray[np.floating]) -> Light:
    return np.asarray(x, np.float32).clip(0, 1)


def _luma(x: Light) -> Light:
    return np.asarray(x @ LUMA, np.float32)


def _blur(x: Light, sigma: float) -> Light:
    side = 2 * min(MARGIN_PX // 2, int(2.5 * sigma + 0.5)) + 1  # never further than the margin
    blurred = cv2.GaussianBlur(x, (side, side), sigma, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float32).reshape(x.shape)


def _screen(x: Light, light: NDArray[np.floating]) -> Light:
    """Light upon light, as on film: it never passes white."""
    return _held(1 - (1 - x) * (1 - np.clip(light, 0, 1)))


def _glow(x: Light, above: float, sigma: float) -> Light:
    """What is brighter than a level, scattered around: [H,W,1] as a factor for the colour of the glow."""
    bright = x.max(axis=2)
    return _blur(((bright - above) / (1 - above)).clip(0, 1) ** 1.5, sigma)[..., None]


def _s_curve(x: Light, amount: float) -> Light:
    """More contrast in the middle, black and white as they were."""
    x = x.clip(0, 1)
    return np.asarray(x + amount * (x * x * (3 - 2 * x) - x), np.float32)


def _saturated(x: NDArray[np.floating], gain: float) -> Light:
    luma = np.asarray(x @ LUMA)[..., None]
    return _held(luma + gain * (x - luma))


def _mix(low: NDArray[np.floating], high: NDArray[np.floating], share: Light) -> NDArray[np.floating]:
    return low * (1 - share) + high * share


def _ramp(x: Light, stops: tuple[tuple[float, tuple[float, float, float]], ...]) -> Light:
    """A tone [H,W] as colour, by stops along it."""
    places = [place for place, _ in stops]
    return np.stack([np.interp(x, places, [colour[i] for _, colour in stops]) for i in range(3)], axis=2).astype(np.float32)


def _edges(luma: Light, sigma: float) -> Light:
    """Where forms end, 0..1, as a line of about two sigma: the slope over a level that texture does not reach."""
    soft = _blur(luma, sigma)
    slope = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=0.125))
    return _smooth_step(slope * sigma, 0.030, 0.085)


def _pen(luma: Light, sigma: float) -> Light:
    """A line of about sigma along the dark side of edges, 0..1, as a pen would draw them."""
    difference = _blur(luma, 1.7 * sigma) - _blur(luma, sigma)
    return _smooth_step(difference, 0.010, 0.040)


def _contours(tone: Light, levels: int, width_px: float) -> Light:
    """Lines along which a tone has one of some levels: hatching that clings to form, as on a map."""
    slope = np.hypot(cv2.Sobel(tone, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(tone, cv2.CV_32F, 0, 1, scale=0.125))
    phase = tone * levels
    away = np.abs(phase - np.rint(phase)) / np.maximum(slope * levels, 0.035)  # in pixels; flat places have none
    return np.asarray(1 - _smooth_step(away, 0.4 * width_px, 1.4 * width_px), np.float32) * _smooth_step(slope, 0.002, 0.006)


def _texture(luma: Light) -> Light:
    """The picture's own fine texture, lifted to one strength everywhere, about -1..1: nothing where there is none."""
    fine = luma - _blur(luma, 1.6)
    return np.asarray(np.tanh(fine / (0.010 + 1.5 * _blur(np.abs(fine), 4))), np.float32)


def _stepped(x: Light, steps: int) -> Light:
    """A tone in a few steps with soft risers, so that film grain does not make it boil."""
    scaled = x.clip(0, 1) * steps
    base = np.floor(scaled)
    return np.asarray((base + _smooth_step(scaled - base, 0.35, 0.65)) / steps, np.float32).clip(0, 1)


def _smooth_step(x: NDArray[np.floating], low: float, high: float) -> Light:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
