"""PyTorch: for graphics cards, and for machines that learn. It rebuilds the generator by name and reads the graph's weights."""
from __future__ import annotations

import ctypes
import sys
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from impasto import plugins
from impasto.engine import engine_errors, fit_to_stride, without_margin
from impasto.engine.devices import ANYWHERE, CPU, CUDA, Device
from impasto.engine.export import read_weights
from impasto.engine.graph import bytes_per_pixel
from impasto.errors import InputError
from impasto.frame import Pixels

if TYPE_CHECKING:
    import torch

    from impasto.styles.package import Tier

PRECISIONS: tuple[str, ...] = ("fp32", "bf16")


def available() -> str | None:
    """None where PyTorch is installed, else how to get it."""
    return None if find_spec("torch") else "PyTorch is not installed: pip install 'impasto[learn]'"


def contends() -> bool:
    """Only with an NVIDIA driver: on a processor PyTorch is slower than the others, and seconds go by until it is loaded."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def auto_precision(deep: bool) -> str:
    """bf16 for 8-bit output on a card that has it, else fp32."""
    import torch

    able = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16" if able and not deep else "fp32"


def open(graph: bytes, tier: Tier, precision: str, device: Device = ANYWHERE) -> TorchEngine:
    """Rebuild the tier's generator from its name, settings and weights."""
    return TorchEngine(graph, tier, precision, device)


def rebuilt(graph: bytes, tier: Tier) -> torch.nn.Module:
    """The generator of a tier as it was learnt, with the weights of its graph."""
    import torch

    room = plugins.load("generators", tier.generator)
    network: torch.nn.Module = room.Generator(room.Settings(**tier.settings))
    network.load_state_dict({name: torch.from_numpy(value) for name, value in read_weights(graph).items()})
    return network.eval()


class TorchEngine:
    """One generator as a PyTorch module, on a graphics card, the first if none is named, else on the CPU."""

    name = "pytorch"

    def __init__(self, graph: bytes, tier: Tier, precision: str, device: Device = ANYWHERE) -> None:
        import torch

        self.precision = precision
        self.bytes_per_pixel = bytes_per_pixel(graph)
        self._stride, self._scale = tier.stride, tier.scale
        self._where = _place(device)
        self.device = torch.cuda.get_device_name(self._where) if self._where.type == CUDA else CPU
        self.at_once = device.share if self._where.type == CPU else 1
        torch.backends.cudnn.allow_tf32 = False  # it keeps 10 bits of each factor, which is not what fp32 promises
        self._network = rebuilt(graph, tier).to(self._where)

    def paint(self, batch: Pixels) -> Pixels:
        """Paint [N,H,W,3+G] of uint8, or float32 in 0..1."""
        import torch

        with engine_errors(self.name), torch.inference_mode():
            fitted = torch.from_numpy(fit_to_stride(batch, self._stride)).to(self._where)
            as_bytes = fitted.dtype == torch.uint8
            image = fitted.permute(0, 3, 1, 2).float()  # channels stay last in memory, which is what the card likes best
            with self._autocast():
                painted = self._network(image / 255 if as_bytes else image).float()
            if as_bytes:
                painted = (painted * 255).round().clamp(0, 255).to(torch.uint8)
            turned = without_margin(painted.permute(0, 2, 3, 1).cpu().numpy(), batch, self._scale)
            return np.ascontiguousarray(turned)

    def _autocast(self) -> AbstractContextManager[object]:
        import torch

        return torch.autocast(self._where.type, torch.bfloat16) if self.precision == "bf16" else nullcontext()


def _place(device: Device) -> torch.device:
    """A device as PyTorch names it."""
    import torch

    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.kind == CUDA and device.number >= cards:
        have = f"cuda:0 to cuda:{cards - 1}" if cards else "none that PyTorch can use"
        raise InputError(f"there is no graphics card cuda:{device.number} here: there is {have}")
    if device.kind == CUDA:
        return torch.device(CUDA, device.number)
    return torch.device(CUDA if cards and device.kind != CPU else CPU)
