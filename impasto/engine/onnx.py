"""The portable engine: ONNX Runtime in fp32, on an NVIDIA card where its GPU build is installed, else on the CPU."""
from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from impasto.engine import engine_errors, fit_to_stride, without_margin
from impasto.engine.devices import ANYWHERE, CPU, CUDA, Device
from impasto.engine.graph import PIXELS, bytes_per_pixel, fold_pixels
from impasto.errors import InputError
from impasto.frame import Pixels

if TYPE_CHECKING:
    from impasto.styles.package import Tier

PRECISIONS: tuple[str, ...] = ("fp32",)
Session = Any  # an onnxruntime.InferenceSession: the library does not tell its types
ONLY_ERRORS = 3
# TF32 keeps 10 bits of each factor, which is not what fp32 promises
PROVIDERS: dict[str, dict[str, str]] = {
    "CUDAExecutionProvider": {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
    "CPUExecutionProvider": {},
}


def available() -> str | None:
    """None where ONNX Runtime is installed, else how to get it."""
    return None if find_spec("onnxruntime") else "ONNX Runtime is not installed: pip install onnxruntime"


def contends() -> bool:
    """Always worth measuring."""
    return True


def auto_precision(deep: bool) -> str:
    """fp32, the only one."""
    return "fp32"


def open(graph: bytes, tier: Tier, precision: str, device: Device = ANYWHERE) -> OnnxEngine:
    """Make a graph ready to paint."""
    return OnnxEngine(graph, tier.stride, tier.scale, device)


class OnnxEngine:
    """One graph under ONNX Runtime."""

    name = "onnx"
    precision = "fp32"

    def __init__(self, graph: bytes, stride: int, scale: int = 1, device: Device = ANYWHERE) -> None:
        self.bytes_per_pixel = bytes_per_pixel(graph)
        self._graph, self._stride, self._scale, self._where = graph, stride, scale, device
        self._sessions: dict[str, Session] = {}
        self.device = self._session("uint8").get_providers()[0].removesuffix("ExecutionProvider").lower()
        self.at_once = device.share if self.device == CPU else 1

    def paint(self, batch: Pixels) -> Pixels:
        """Paint [N,H,W,3+G] of uint8, or float32 in 0..1."""
        with engine_errors(self.name):
            fitted = fit_to_stride(batch, self._stride)
            (painted,) = self._session(str(fitted.dtype)).run(None, {PIXELS: fitted})
            return np.asarray(without_margin(painted, batch, self._scale))

    def _session(self, dtype: str) -> Session:
        if dtype not in self._sessions:
            self._sessions[dtype] = open_session(fold_pixels(self._graph, dtype), self._where)
        return self._sessions[dtype]


def open_session(graph: bytes, device: Device = ANYWHERE) -> Session:
    """A quiet session of ONNX Runtime on a device; anywhere is the best it has here."""
    runtime = import_module("onnxruntime")
    runtime.disable_telemetry_events()
    options = runtime.SessionOptions()
    options.log_severity_level = ONLY_ERRORS
    options.intra_op_num_threads = device.threads
    here = runtime.get_available_providers()
    if device.kind == CUDA and "CUDAExecutionProvider" not in here:
        raise InputError("ONNX Runtime as it is installed here knows no graphics cards: pip install onnxruntime-gpu in its place")
    providers = {name: how for name, how in PROVIDERS.items() if name in here and (device.kind != CPU or "CPU" in name)}
    if device.kind == CUDA:
        providers["CUDAExecutionProvider"] = providers["CUDAExecutionProvider"] | {"device_id": str(device.number)}
    return runtime.InferenceSession(graph, options, providers=list(providers.items()))
