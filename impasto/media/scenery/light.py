"""The hour of the day: where the sun stands and what colours all takes from it. Colours are linear until `developed`."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.media.scenery.noise import Field, lerp, smoothstep

Colour = NDArray[np.floating[Any]]  # [3], or [...,3] for a field of colours


def linear(code: str) -> Colour:
    """A colour as screens write it ("ffb45e") in linear light."""
    values = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255
    return np.power(values, 2.2).astype(np.float32)


@dataclass(frozen=True)
class Light:
    """One hour: the sun, the sky it makes, and how the land answers."""

    name: str
    zenith: Colour
    middle: Colour
    horizon: Colour
    glow: Colour  # around the sun
    sun: Colour  # strength included
    shade: Colour  # what the sky sends into shadows
    haze: Colour
    haze_reach: float  # metres until things are two thirds haze
    water: Colour
    sun_at: tuple[float, float]  # units from the middle column and above the horizon
    lamps: float  # how brightly windows and lamps burn
    cover: float  # how much of the sky is cloud
    season: str
    stars: float = 0.0
    side: float = 1.0  # +1: the sun lights things from the right

    def toward_sun(self) -> Colour:
        """The direction things are lit from: x right, y up, z to the viewer."""
        direction = np.array([self.side * 0.72, 0.42, 0.45], np.float32)
        return direction / np.float32(np.linalg.norm(direction))

    def shaded(self, albedo: Colour, facing: Field, sky: Field | float = 1.0, sun: Field | float = 1.0) -> Colour:
        """What a matt surface of this colour sends back; `facing` is its cosine to the sun, `sky` and `sun` how open it lies."""
        lit = (np.clip(facing, 0, None) * sun)[..., None] * self.sun
        return np.asarray(albedo * (lit + np.asarray(sky, np.float32)[..., None] * self.shade), np.float32)

    def face(self, code: str, facing: float, sky: float = 1.0) -> Colour:
        """What one flat matt face of a screen colour ("c98a6a") sends back."""
        return np.asarray(self.shaded(linear(code)[None], np.array([facing], np.float32), sky)[0], np.float32)

    def through_air(self, colour: Colour, metres: Field | float) -> Colour:
        """The colour as it looks through so much air."""
        amount = 1 - np.exp(-np.asarray(metres, np.float32) / self.haze_reach)
        return np.asarray(lerp(colour, self.haze, amount[..., None]), np.float32)


def developed(light: Colour) -> Colour:
    """Linear light as values 0..1 for the screen: a soft shoulder as film has, and a little contrast."""
    value = np.power(1 - np.exp(-1.35 * np.clip(light, 0, None)), 1 / 2.2)
    return np.asarray(lerp(value, smoothstep(0, 1, value), 0.38), np.float32)


def _hour(name: str, sky: str, near: str, numbers: tuple[float, ...], sun_at: tuple[float, float], season: str) -> Light:
    """One row of the table below. sky: zenith, middle, horizon, glow; near: sun, shade, haze, water."""
    zenith, middle, horizon, glow = (linear(code) for code in sky.split())
    sun, shade, haze, water = (linear(code) for code in near.split())
    strength, shade_strength, reach, lamps, cover, stars = numbers
    sun, shade = sun * np.float32(strength), shade * np.float32(shade_strength)
    return Light(name, zenith, middle, horizon, glow, sun, shade, haze, reach, water, sun_at, lamps, cover, season, stars)


HOURS = (
    _hour(
        "golden", "35639f 8fb3cd ffdcaa ffba68", "ffb468 7796c8 c6bcc0 14323c",
        (3.4, 0.50, 17000, 0.75, 0.50, 0), (330, 74), "summer",
    ),
    _hour(
        "dusk", "14224f 44578f eaa08c ff9a70", "e88a76 5f76b8 8d83a4 0b1a2e",
        (1.1, 0.42, 11000, 1.6, 0.42, 0.5), (300, 4), "summer",
    ),
    _hour(
        "noon", "2462b4 6ba6de cfe4ee fff6dc", "fff2dc 83aee0 bdd3e2 123f50",
        (2.9, 0.52, 12000, 0.1, 0.46, 0), (420, 520), "spring",
    ),
    _hour(
        "sunset", "33407c b3748c ff9c58 ff7038", "ffa878 8780b4 b98496 1c2238",
        (2.3, 0.52, 13000, 1.1, 0.56, 0), (260, 34), "autumn",
    ),
    _hour(
        "mist", "8fb2cc c6d5dc f3e6d2 fff0d2", "ffe0b2 93a9c0 dfe0dc 2d4a50",
        (2.2, 0.58, 1500, 0.4, 0.30, 0), (380, 130), "autumn",
    ),
    _hour(
        "storm", "313c4a 5f6d7b cdc9a6 ffe9b4", "ffe2a8 68788c 9ba29f 12242a",
        (2.4, 0.42, 6000, 0.7, 0.80, 0), (450, 210), "summer",
    ),
    _hour(
        "morning", "5b8cc4 a6c4dc ffe4d0 ffcfae", "ffcda0 88a6d6 cbcbd8 1a4250",
        (2.8, 0.54, 9000, 0.3, 0.40, 0), (360, 110), "spring",
    ),
    _hour(
        "winter", "4a76ac a9c4dc ffe0cc ffc8a4", "ffcfa2 86a6dc d4d6e0 163444",
        (2.7, 0.60, 14000, 0.9, 0.44, 0), (340, 60), "winter",
    ),
)


def choose(seed: int, rng: np.random.Generator) -> Light:
    """The hour of a scene: neighbouring seeds get different hours, and no two scenes quite the same one."""
    hour = HOURS[seed % len(HOURS)]
    side = -1.0 if rng.random() < 0.5 else 1.0
    warmth = np.array([1, 1, 1], np.float32) + np.array([1, 0, -1], np.float32) * np.float32(rng.uniform(-0.05, 0.05))
    across, up = hour.sun_at
    return replace(
        hour,
        side=side,
        sun_at=(side * across * float(rng.uniform(0.85, 1.15)), up * float(rng.uniform(0.85, 1.15))),
        sun=hour.sun * warmth,
        zenith=hour.zenith * np.float32(rng.uniform(0.85, 1.15)),
        cover=float(np.clip(hour.cover + rng.uniform(-0.1, 0.1), 0.15, 0.9)),
    )
