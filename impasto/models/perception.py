"""Features of a picture as a trained classifier sees them, and their statistics: what "looks like" is measured with.

The weights come from the package (`Perception.own()`: a small network distilled by `training/perception.py`) or from a file
that the user has (never a download). Four layouts are known by their tensor names: our own, VGG19 with its normalisation
folded into a first 1x1 layer, the same compressed (with `*_aux` maps back to full width), and torchvision's VGG19.
Every layout answers with the same taps at the same widths, so a loss need not know which it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.errors import InputError

TAPS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
POOL = "pool"
Weights = dict[str, Tensor]
Layer = tuple[str, str]  # (name of the weights or POOL, tap after it or "")

FOLDED: list[Layer] = [("2", "relu1_1"), ("5", ""), (POOL, ""), ("9", "relu2_1"), ("12", ""), (POOL, ""), ("16", "relu3_1")]
COMPACT: list[Layer] = [
    ("conv11", "relu1_1"), ("conv12", ""), (POOL, ""), ("conv21", "relu2_1"), ("conv22", ""), (POOL, ""),
    ("conv31", "relu3_1"), ("conv32", ""), ("conv33", ""), ("conv34", ""), (POOL, ""), ("conv41", "relu4_1"),
]  # fmt: skip
TORCHVISION: list[Layer] = [
    ("features.0", "relu1_1"), ("features.2", ""), (POOL, ""), ("features.5", "relu2_1"), ("features.7", ""), (POOL, ""),
    ("features.10", "relu3_1"), ("features.12", ""), ("features.14", ""), ("features.16", ""), (POOL, ""),
    ("features.19", "relu4_1"),
]  # fmt: skip
OWN: list[Layer] = [
    ("own11", "relu1_1"), ("own12", ""), (POOL, ""), ("own21", "relu2_1"), ("own22", ""), (POOL, ""),
    ("own31", "relu3_1"), ("own32", ""), ("own33", ""), ("own34", ""), (POOL, ""), ("own41", "relu4_1"),
]  # fmt: skip
OWN_FILE = Path(__file__).with_name("own_perception.safetensors")


@dataclass(frozen=True)
class Features:
    """One tap. A compressed teacher's features are few; `widen` is the linear map back to the full teacher's width.

    Statistics are taken on the few and mapped afterwards, which is exact for them and many times cheaper.
    """

    values: Tensor  # [N,C,h,w]
    widen: tuple[Tensor, Tensor] | None = None  # weight [wide,C], bias [wide]

    def rows(self) -> Tensor:
        """[N,h*w,C]; no copy when the memory is channels-last."""
        return self.values.permute(0, 2, 3, 1).flatten(1, 2)

    def gram(self) -> Tensor:
        """[N,wide,wide]: how strongly each two features appear together, per element."""
        rows = self.rows()
        second = (rows.transpose(1, 2) @ rows).float() / rows.shape[1]  # [N,C,C]
        if self.widen is None:
            return second / rows.shape[2]
        weight, bias = self.widen
        first = rows.float().mean(1)  # [N,C]
        with torch.autocast(rows.device.type, enabled=False):  # small, and differences of large numbers
            cross = (first @ weight.T)[:, :, None] * bias
            return (weight @ second @ weight.T + cross + cross.transpose(1, 2) + bias[:, None] * bias) / len(bias)

    def columns(self, places: Tensor) -> Tensor:
        """[N,n,wide] unit vectors at the given places."""
        rows = self.rows()[:, places].float()
        if self.widen is not None:
            rows = F.linear(rows, *self.widen)
        return F.normalize(rows.float(), dim=2)


class Perception(nn.Module):
    """Pictures [N,3,H,W] in 0..1 -> {tap: Features}. Frozen. Each tap comes from the first file that has it."""

    def __init__(self, files: Sequence[Path]) -> None:
        super().__init__()
        self.teachers = nn.ModuleList([_Teacher(read_weights(f), f) for f in files])
        self.requires_grad_(False)

    @classmethod
    def own(cls) -> Perception:
        """The perception that comes with the package: nothing to download, all taps."""
        return cls([OWN_FILE])

    def forward(self, x: Tensor, wanted: Sequence[str] = TAPS) -> dict[str, Features]:
        found: dict[str, Features] = {}
        for teacher in self.teachers:
            missing = [t for t in wanted if t not in found]
            if missing:
                found |= teacher(x, missing)
        return found


class _Teacher(nn.Module):
    def __init__(self, weights: Weights, path: Path) -> None:
        super().__init__()
        layers, first = _layout(weights, path)
        held = [i for i in range(len(layers)) if layers[i][1] and _has(weights, layers[: i + 1])]
        if not held:
            raise InputError(f"{path}: the first layers of the network are missing")
        self.layers = layers[: held[-1] + 1]
        self.register_buffer("first_weight", first[0])
        self.register_buffer("first_bias", first[1])
        for i, (name, _) in enumerate(self.layers):
            if name == POOL:
                continue
            self.register_buffer(f"w{i}", weights[f"{name}.weight"].to(memory_format=torch.channels_last))
            self.register_buffer(f"b{i}", weights[f"{name}.bias"])
            if f"{name}_aux.weight" in weights:
                self.register_buffer(f"aux_w{i}", weights[f"{name}_aux.weight"].flatten(1))
                self.register_buffer(f"aux_b{i}", weights[f"{name}_aux.bias"])

    def forward(self, x: Tensor, wanted: Sequence[str]) -> dict[str, Features]:
        h = F.conv2d(x, self.get_buffer("first_weight"), self.get_buffer("first_bias"))
        taps: dict[str, Features] = {}
        last = max((i for i, (_, tap) in enumerate(self.layers) if tap in wanted), default=-1)
        for i, (name, tap) in enumerate(self.layers[: last + 1]):
            if name == POOL:
                h = F.max_pool2d(h, 2)
                continue
            h = F.relu(F.conv2d(h, self.get_buffer(f"w{i}"), self.get_buffer(f"b{i}"), padding=1))
            if tap in wanted:
                wide = hasattr(self, f"aux_w{i}")
                taps[tap] = Features(h, (self.get_buffer(f"aux_w{i}"), self.get_buffer(f"aux_b{i}")) if wide else None)
        return taps


def _has(weights: Weights, layers: list[Layer]) -> bool:
    return all(name == POOL or f"{name}.weight" in weights for name, _ in layers)


def centred() -> tuple[Tensor, Tensor]:
    """The 1x1 layer (weight, bias) that takes 0..1 to about -2..2, as classifiers of photographs are used to."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return torch.diag(1 / std)[:, :, None, None], -mean / std


def _layout(weights: Weights, path: Path) -> tuple[list[Layer], tuple[Tensor, Tensor]]:
    if "own11.weight" in weights:
        return list(OWN), centred()
    if "features.0.weight" in weights:
        return list(TORCHVISION), centred()
    if "conv11.weight" in weights and "conv0.weight" in weights:
        return list(COMPACT), (weights["conv0.weight"], weights["conv0.bias"])
    if "0.weight" in weights and "2.weight" in weights:
        return list(FOLDED), (weights["0.weight"], weights["0.bias"])
    raise InputError(f"{path}: not a VGG19 that is known here; use torchvision's names (features.0.weight ...) or a folded VGG19")


def read_weights(path: Path) -> Weights:
    """Read a weights file (.safetensors, or a .pth that holds tensors only); never runs code from it."""
    if not path.is_file():
        raise InputError(f"{path}: no such teacher file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return {name: value.float() for name, value in load_file(path).items()}
        loaded = torch.load(path, map_location="cpu", weights_only=True)
        return {name: value.float() for name, value in loaded.items()}
    except Exception as error:  # a foreign file: whatever its reader stumbles over is a fault of the file
        raise InputError(
            f"{path}: not a readable weights file ({type(error).__name__}); give .safetensors or a plain .pth"
        ) from None


def distance_to_nearest(ours: Tensor, theirs: Tensor) -> Tensor:
    """Mean cosine distance of each of our columns [N,n,C] to the nearest of theirs [m,C]: texture the artist never painted."""
    return (1 - (ours @ theirs.T).amax(2).float()).mean()


def sliced_wasserstein(ours: Tensor, theirs: Tensor, directions: Tensor) -> Tensor:
    """Distance of two sets of vectors [n,C] and [n,C] along random directions [C,k]: sort each projection, compare."""
    return ((ours @ directions).sort(0).values - (theirs @ directions).sort(0).values).abs().mean()
