"""How near an enlarger comes to the truth on photographs that never train, beside plain cubic enlargement.

    python training/enlarge_figures.py impasto/styles/shipped/enlarge.style

Each photograph of training/held-out.txt is shrunk twice: by plain averaging, and as in training (soft, noisy, often JPEG).
PSNR and SSIM are of the luma; `content` is the distance in the features of impasto's own perception, or of --teacher.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from impasto.engine import open_engine
from impasto.learn.material.data import Picture, gather_photos, rng_at, to_tensor
from impasto.learn.material.wear import shrunk
from impasto.losses import perceptual_content, ssim
from impasto.models.perception import OWN_FILE, Perception
from impasto.models.pyramid import Cubic
from impasto.styles.package import StyleFile

TAPS = ("relu1_1", "relu2_1", "relu3_1")
LONG_SIDE = 512
LUMA = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


def small_ones(truth: Picture, scale: int, number: int) -> Iterator[tuple[str, Picture]]:
    """The picture shrunk by averaging, and as cameras and the web would."""
    light = truth.astype(np.float32) / np.float32(255)
    size = truth.shape[1] // scale, truth.shape[0] // scale
    for name, small in (
        ("averaged", cv2.resize(light, size, interpolation=cv2.INTER_AREA)),
        ("worn", shrunk(light, scale, rng_at(0, number, "figures"))),
    ):
        yield name, np.rint(small * 255).astype(np.uint8)


def figures(painted: Tensor, truth: Tensor, perception: Perception) -> list[float]:
    """PSNR in dB, SSIM, and the distance in features."""
    ours, theirs = ((x * LUMA).sum(1, keepdim=True) for x in (painted, truth))
    psnr = -10 * torch.log10((ours - theirs).square().mean())
    content = perceptual_content(perception(painted, TAPS), perception(truth, TAPS), TAPS)
    return [float(value) for value in (psnr, ssim(ours, theirs), content)]


def main() -> None:
    """Print one line for each way of shrinking and of enlarging: means over the photographs."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("style", type=Path)
    words.add_argument("--tier", default="live")
    words.add_argument("--teacher", type=Path, default=OWN_FILE)
    given = words.parse_args()
    style, perception = StyleFile.open(given.style), Perception([given.teacher])
    scale = style.card.tiers[given.tier].scale
    engine, cubic = open_engine(style, given.tier, "onnx", "fp32"), Cubic(3, scale)
    table: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    with torch.inference_mode():
        for number, photo in enumerate(gather_photos([Path("training/held-out.txt")], LONG_SIDE).images):
            truth = photo[: photo.shape[0] // scale * scale, : photo.shape[1] // scale * scale]
            for name, small in small_ones(truth, scale, number):
                plain = (cubic(to_tensor([small])).clamp(0, 1) * 255).round() / 255
                for way, painted in (("cubic", plain), ("learnt", to_tensor(list(engine.paint(small[None]))))):
                    table[name, way].append(figures(painted, to_tensor([truth]), perception))
    for (name, way), rows in table.items():
        psnr, likeness, content = np.mean(rows, 0)
        print(f"{name:9}{way:8}PSNR {psnr:.2f} dB  SSIM {likeness:.4f}  content {content:.4f}")


if __name__ == "__main__":
    main()
