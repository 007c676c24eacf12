"""The baseline that steadiness is measured against: fast neural style, frame by frame, as the literature has it.

    tools/baseline.py PAINTING -o training/baseline.safetensors --photos training/photos.txt --minutes 120 [--teacher FILE ...]

An encoder, five residual blocks and a decoder with instance norm, taught by Gram and content losses alone: no critic, nothing
that holds it still. Its statistics of each frame are what our generators may not have (tests/test_contracts.py), so it is no
plug-in and no look, and only tools/steadiness.py paints with it. The folder beside the weights resumes a stopped training.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from impasto.errors import ImpastoError
from impasto.job import Progress
from impasto.learn.contest import outcome
from impasto.learn.material.data import Pictures, gather_photos, gather_references, random_crops, resize, rng_at, to_tensor
from impasto.learn.run.devices import is_quick
from impasto.learn.run.loop import Batch, Networks, Outcome, Pace, StepFunction, Training
from impasto.losses import gram_style, perceptual_content
from impasto.media.flow import Plane
from impasto.models.perception import OWN_FILE, TAPS, Perception

WIDTH, BLOCKS = 20, 5  # 0.66M parameters: 1.3 MB as halves
BATCH, CROP_PX, STYLE_SIDE, PHOTO_SIDE = 2, 192, 512, 640
WEIGHTS = {"gram": 10.0, "content": 3.0}
CONTENT_TAP = "relu3_1"


class Layer(nn.Sequential):
    """A convolution and the norm of what it made of this very picture."""

    def __init__(self, enter: int, leave: int, kernel: int, stride: int = 1) -> None:
        around = nn.ReflectionPad2d(kernel // 2)
        super().__init__(around, nn.Conv2d(enter, leave, kernel, stride), nn.InstanceNorm2d(leave, affine=True))


class Residual(nn.Module):
    """x + norm(conv(relu(norm(conv(x)))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(Layer(width, width, 3), nn.ReLU(), Layer(width, width, 3))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.inner(x)
        return out


class Baseline(nn.Module):
    """[N,3,H,W] in 0..1 -> the same, painted; H and W are multiples of four."""

    def __init__(self) -> None:
        super().__init__()
        w = WIDTH
        down = (Layer(3, w, 9), Layer(w, 2 * w, 3, 2), Layer(2 * w, 4 * w, 3, 2))
        self.down = nn.Sequential(*(part for layer in down for part in (layer, nn.ReLU())))
        self.trunk = nn.Sequential(*(Residual(4 * w) for _ in range(BLOCKS)))
        self.to_half, self.to_whole = Layer(4 * w, 2 * w, 3), Layer(2 * w, w, 3)
        self.head = nn.Sequential(nn.ReflectionPad2d(4), nn.Conv2d(w, 3, 9))

    def forward(self, x: Tensor) -> Tensor:
        small = self.trunk(self.down(x))
        half = self.to_half(F.interpolate(small, scale_factor=2)).relu()
        whole = self.to_whole(F.interpolate(half, scale_factor=2)).relu()
        return torch.sigmoid(self.head(whole))


def painter(weights: Path) -> Callable[[Plane], Plane]:
    """The trained baseline as a function of pictures."""
    network = Baseline().eval()
    network.load_state_dict({name: value.float() for name, value in load_file(weights).items()})

    def paint(picture: Plane) -> Plane:
        height, width = picture.shape[:2]
        whole = F.pad(torch.from_numpy(picture.transpose(2, 0, 1))[None], (0, -width % 4, 0, -height % 4), mode="replicate")
        with torch.inference_mode():
            painted = network(whole)[0, :, :height, :width]
        return np.ascontiguousarray(painted.permute(1, 2, 0).numpy())

    return paint


# ---- how it is taught


def batches(photos: Pictures, seed: int) -> Callable[[int], Batch]:
    """step -> crops of photographs."""
    return lambda step: {"photo": random_crops(photos, BATCH, CROP_PX, rng_at(seed, step, "baseline"), (0.4, 1.0))}


def step(painting: Tensor, perception: Perception) -> StepFunction:
    """batch -> losses; the critic that the loop asks for is idle."""
    with torch.no_grad():
        targets = {tap: features.gram()[0] for tap, features in perception(painting, TAPS).items()}

    def take(networks: Networks, batch: Batch, progress: float) -> Outcome:
        with torch.autocast("cpu", torch.bfloat16, enabled=is_quick("auto", painting.device)):
            painted = networks.generator(batch["photo"]).float()
            ours = perception(painted, TAPS)
            with torch.no_grad():
                theirs = perception(batch["photo"], [CONTENT_TAP])
            losses = {"gram": gram_style(ours, targets), "content": perceptual_content(ours, theirs, [CONTENT_TAP])}
        idle = sum(weight.sum() for weight in networks.critic.parameters()) * torch.zeros(())
        return outcome(losses, WEIGHTS, (idle, {}), painted)

    return take


def learn(asked: argparse.Namespace) -> Iterator[Progress]:
    """Train, and keep the averaged weights as halves."""
    torch.manual_seed(asked.seed)
    painting = resize(gather_references([asked.painting], STYLE_SIDE).images[0], STYLE_SIDE)
    perception = Perception(asked.teacher or [OWN_FILE])
    pace = Pace(minutes=asked.minutes, steps=asked.steps, generator_rate=1e-3, critic_rate=1e-3)
    training = Training(
        Networks(Baseline(), nn.Linear(1, 1)),
        batches(gather_photos(asked.photos, PHOTO_SIDE), asked.seed),
        step(to_tensor([painting]), perception),
        pace,
        folder=asked.out.with_suffix(".run"),
        label="baseline",
        seed=asked.seed,
    )
    yield from training.run()
    halves = {name: value.half().contiguous() for name, value in training.average.state_dict().items()}
    save_file(halves, asked.out, {"steps": str(training.step), "minutes": f"{training.seconds / 60:.1f}"})


def main(words: Sequence[str] | None = None) -> None:
    """Train and say how it goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("painting", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("training/baseline.safetensors"))
    parser.add_argument("--photos", type=Path, action="append", default=[], help="folder of photographs, or a list of them")
    parser.add_argument("--teacher", type=Path, action="append", default=[], help="VGG19 weights; else impasto's own perception")
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    for progress in learn(parser.parse_args(words)):
        print(f"{progress.stage} {progress.done}/{progress.total} {progress.note}")


if __name__ == "__main__":
    try:
        main()
    except ImpastoError as error:
        raise SystemExit(f"baseline: {error}") from None
