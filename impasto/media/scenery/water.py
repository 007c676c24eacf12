"""The lake: waves made from a spectrum, the scene mirrored through them, and where each reflection goes."""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.media.scenery.light import Light, developed
from impasto.media.scenery.noise import Field, lerp, smoothstep
from impasto.media.scenery.stage import EYE, FOCAL, View

TILE = 256  # cells of a wave field
GRAVITY = 9.81
SWELLS = ((83.0, 0.30), (23.0, 0.60), (6.1, 0.80))  # metres a field spans, and its share of the slope


@dataclass(frozen=True)
class Surface:
    """What the water does at each pixel of the rows it fills: its slopes, and where its reflection is fetched from."""

    top: int  # the first row
    slope: Field  # [h,W] along the view
    offset: Field  # [h,W,2] pixels from a pixel to the mirrored scene it shows
    metres: Field  # [h,W]
    across: Field  # [h,W] units from the middle column, camera undone
    down: Field  # [h,W] units below the horizon


class Lake:
    """Waves that depend on the seed and the moment alone."""

    def __init__(self, rng: np.random.Generator, light: Light, wind: float) -> None:
        self.light, self.wind = light, wind
        self._fields = [_spectrum(rng, span) for span, _ in SWELLS]

    def surface(self, view: View, seconds: float, top: int, bottom: int) -> Surface:
        """The water between two rows of the frame."""
        back = np.linalg.inv(view.lens())
        columns = np.arange(view.width, dtype=np.float32)
        rows = np.arange(top, bottom, dtype=np.float32)[:, None]
        across = (back[0, 0] * columns + back[0, 1] * rows + back[0, 2]).astype(np.float32)
        down = np.maximum(back[1, 0] * columns + back[1, 1] * rows + back[1, 2], 1.5).astype(np.float32)
        metres = FOCAL * (EYE + view.camera.up) / down
        slopes = self._slopes(metres, across * metres / FOCAL + view.camera.right, view, seconds)
        # A tilted facet mirrors what stands twice its tilt higher; sideways tilt counts by how flat the view is.
        lift = np.clip(2 * FOCAL * slopes[1], -70, 70) * 0.55
        shift = 2 * FOCAL * slopes[0] * np.clip(down / FOCAL * 2.2, 0.05, 1)
        offset = np.dstack([shift, lift]) * np.float32(view.scale)
        return Surface(top, slopes[1], offset.astype(np.float32), metres, across, down)

    def _slopes(self, metres: Field, right: Field, view: View, seconds: float) -> tuple[Field, Field]:
        """Slopes to the right and along the view; waves too far off to be seen apart are left out."""
        total = [np.zeros_like(metres), np.zeros_like(metres)]
        away = metres + view.camera.forward
        for (span, share), (amount, speed, wave) in zip(SWELLS, self._fields, strict=True):
            cells = np.float32(TILE / span)
            at = [np.mod(right * cells, TILE).astype(np.float32), np.mod(away * cells, TILE).astype(np.float32)]
            step = metres**2 / (FOCAL * EYE * view.scale)  # metres of water from row to row
            fade = smoothstep(span / 14, span / 60, step) * share * self.wind
            for axis, field in enumerate(_at(amount, speed, wave, seconds)):
                padded = np.pad(field, ((0, 1), (0, 1)), mode="wrap")
                total[axis] += fade * cv2.remap(padded, at[0], at[1], cv2.INTER_LINEAR)
        return total[0], total[1]

    def painted(self, surface: Surface, mirror: Field) -> Field:
        """The water's colour for the screen [h,W,3]; `mirror` is the upside-down scene in the same rows."""
        height, width = surface.slope.shape
        xs = np.arange(width, dtype=np.float32) + surface.offset[..., 0]
        ys = np.arange(height, dtype=np.float32)[:, None] + surface.offset[..., 1]
        fetched = cv2.remap(mirror, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        steep = np.clip(surface.down / FOCAL * 1.25 + 1.6 * surface.slope, 0.0, 1.0)
        mirrored = 0.07 + 0.93 * (1 - steep) ** 4.2
        body = developed(self.light.water * 0.8 + self.light.shade * 0.05)
        colour = lerp(body, fetched * 0.93, mirrored[..., None])
        return np.asarray(colour + self._glitter(surface)[..., None] * developed(self.light.sun * 0.8), np.float32)

    def _glitter(self, surface: Surface) -> Field:
        """The sun's path: facets that throw its disc at us, more of them the nearer its column."""
        wide = 16 + 0.34 * surface.down
        column = np.exp(-np.square((surface.across - self.light.sun_at[0]) / wide))
        low = float(smoothstep(330, 80, self.light.sun_at[1])) if self.light.stars == 0 else 0.0
        facet = smoothstep(0.35, 1.3, surface.slope / (0.006 + 0.016 * self.wind))
        return np.asarray(column * facet * low * 0.8, np.float32)


def _spectrum(rng: np.random.Generator, span: float) -> tuple[NDArray[np.complex64], Field, NDArray[np.float64]]:
    """Random waves of one field: amplitudes, angular speeds, and the wave numbers."""
    k = np.fft.fftfreq(TILE, 1 / TILE) * 2 * np.pi / span
    kx, kz = np.meshgrid(k, k)
    size = np.hypot(kx, kz)
    size[0, 0] = 1
    heading = np.square(kz / size) * 0.9 + 0.1  # crests lie across the view
    index = size * span / (2 * np.pi)
    energy = np.exp(-np.square(np.log(index / 9) / 0.6)) * heading
    energy[0, 0] = 0
    amount = (rng.standard_normal((TILE, TILE)) + 1j * rng.standard_normal((TILE, TILE))) * np.sqrt(energy) / size
    slopes = np.fft.ifft2(1j * kz * amount).real
    amount = amount / slopes.std() * 0.016
    return amount.astype(np.complex64), np.sqrt(GRAVITY * size).astype(np.float32), np.stack([kx, kz])


def _at(amount: NDArray[np.complex64], speed: Field, wave: NDArray[np.float64], seconds: float) -> tuple[Field, Field]:
    """Both slopes of a field at a moment: every wave runs at its own speed."""
    now = amount * np.exp(1j * speed.astype(np.float64) * seconds)
    across, away = (np.fft.ifft2(1j * axis * now).real for axis in wave)
    return across.astype(np.float32), away.astype(np.float32)
