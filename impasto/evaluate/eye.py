"""What a network sees of a painting: is the picture's content still there, is the look the reference's, is any texture strange?

    eye = Eye([reference])            # or Eye() where there is nothing to be like
    eye.judge(source, painted)        # {"content": ..., "style": ..., "style_source": ..., "alien": ...}

The network is the small perception that comes with impasto; features and their statistics are those that looks are learnt with.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from impasto.evaluate.likeness import Palette, colour_distance, fine_detail, lightness, ms_ssim, psnr, ssim, structure
from impasto.evaluate.lines import edges, lines
from impasto.evaluate.metrics import spatial_means
from impasto.losses import gram_style, perceptual_content, sliced_style
from impasto.media.flow import Plane
from impasto.models.perception import TAPS, Features, Perception, distance_to_nearest

CONTENT_TAPS = ("relu3_1", "relu4_1")
CONTENT_PX, CONTENT_GRID = 256, (6, 8)  # long side at which frames are compared for what they show; rows and columns of cells
TEXTURE_TAP = "relu3_1"
OURS, THEIRS = 3000, 6000  # texture samples of a painting, and of all references together
SLICED = 4096  # places of a tap that are compared as one distribution with another
Row = dict[str, float]
Seen = dict[str, Features]


class Eye:
    """Judges paintings, against reference pictures where there are some."""

    def __init__(self, references: Sequence[Plane] = (), perception: Perception | None = None) -> None:
        self._perception = perception or Perception.own()
        self._grams: dict[str, Tensor] = {}
        self.means: tuple[Tensor, Tensor] | None = None  # of the last source and painting: what sets are compared by [D]
        if references:
            self._learn(references)

    @torch.inference_mode()
    def _learn(self, references: Sequence[Plane]) -> None:
        seen = [self._see(picture) for picture in references]
        self._grams = {tap: torch.stack([one[tap].gram()[0] for one in seen]).mean(0) for tap in TAPS}
        self._textures = torch.cat([_columns(one, THEIRS // len(seen)) for one in seen])
        self._spread = {tap: _laid(torch.cat([_rows(one[tap], SLICED // len(seen)) for one in seen])) for tap in TAPS}
        self._palette = Palette(*references)
        self._detail = float(np.mean([fine_detail(picture) for picture in references]))

    @torch.inference_mode()
    def judge(self, source: Plane, output: Plane) -> Row:
        """All figures of one picture and its painting, two [H,W,3] float32 of one size in 0..1."""
        photo, painted = self._see(source), self._see(output)
        self.means = spatial_means(photo)[0], spatial_means(painted)[0]
        row = _likeness(source, output) | {"structure": structure(source, output)} | _drawing(source, output)
        row["content"] = float(perceptual_content(painted, photo, CONTENT_TAPS))
        detail = fine_detail(output)
        row["detail"] = detail / max(fine_detail(source), 1e-6)
        row["colour"] = colour_distance(source, output)
        if not self._grams:
            return row
        for suffix, seen, picture in (("", painted, output), ("_source", photo, source)):
            row[f"style{suffix}"] = float(gram_style(seen, self._grams).sqrt())
            row[f"sliced{suffix}"] = self._sliced(seen)
            row[f"alien{suffix}"] = float(distance_to_nearest(_columns(seen, OURS)[None], self._textures))
            row[f"palette{suffix}"] = self._palette.distance(Palette(picture))
        return row | {"detail_reference": detail / max(self._detail, 1e-6)}

    @torch.inference_mode()
    def against_truth(self, truth: Plane, output: Plane) -> Row:
        """How near a painting is to the picture that it should have become."""
        seen = [self._see(picture) for picture in (output, truth)]
        row = _likeness(truth, output) | {"content": float(perceptual_content(seen[0], seen[1], CONTENT_TAPS))}
        row["colour"] = colour_distance(truth, output)
        return {f"{name}_truth": value for name, value in row.items()}

    def set_means(self, picture: Plane) -> Tensor:
        """A picture as sets of pictures are compared by it [D]."""
        return spatial_means(self._see(picture))[0]

    @torch.inference_mode()
    def content(self, picture: Plane) -> NDArray[np.float32]:
        """What a picture shows and roughly where: a unit vector for each cell of a grid [cells,D]."""
        height, width = picture.shape[:2]
        scale = min(1.0, CONTENT_PX / max(height, width))
        small = cv2.resize(picture, (max(16, round(width * scale)), max(16, round(height * scale))), interpolation=cv2.INTER_AREA)
        seen = self._see(np.asarray(small, np.float32))
        taps = [F.normalize(F.adaptive_avg_pool2d(seen[tap].values.float(), CONTENT_GRID), dim=1) for tap in CONTENT_TAPS]
        cells = torch.cat(taps, 1)[0].flatten(1).T  # [cells,D]
        return np.asarray(F.normalize(cells, dim=1).numpy(), np.float32)

    def _sliced(self, seen: Seen) -> float:
        ours = {tap: _laid(_rows(seen[tap], SLICED)) for tap in TAPS}
        with torch.random.fork_rng(devices=[]):  # along the same directions every time, so that a picture has one figure
            torch.manual_seed(0)
            return float(sliced_style(ours, self._spread))

    @torch.inference_mode()
    def _see(self, picture: Plane) -> Seen:
        seen: Seen = self._perception(torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None], TAPS)
        return seen


def _likeness(wanted: Plane, output: Plane) -> Row:
    return {"psnr": psnr(wanted, output), "ssim": ssim(wanted, output), "ms_ssim": ms_ssim(wanted, output)}


def _drawing(source: Plane, output: Plane) -> Row:
    """What is kept of edges and lines, where the source has some."""
    ours, theirs = lightness(output), lightness(source)
    found = {"edges": edges(theirs, ours), "lines": lines(theirs, ours)}
    return {name: value for name, value in found.items() if value is not None}


def _rows(features: Features, most: int) -> Tensor:
    """Features at places drawn once and for all [n,C]."""
    rows = features.rows()[0]
    return rows[_places(len(rows), most)]


def _laid(rows: Tensor) -> Features:
    """Rows of features [n,C] as a picture of one column."""
    return Features(rows.T[None, :, :, None])


def _places(size: int, most: int) -> Tensor:
    return torch.randperm(size, generator=torch.Generator().manual_seed(0))[:most]


def _columns(seen: Seen, most: int) -> Tensor:
    """Texture samples [m,C] from places drawn once and for all, so that a picture has one figure."""
    features = seen[TEXTURE_TAP]
    size = features.values.shape[2] * features.values.shape[3]
    return features.columns(_places(size, most))[0]
