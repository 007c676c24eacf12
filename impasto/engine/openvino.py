"""The CPU engine of choice: OpenVINO, in fp32, in bf16 where the processor computes in it, or in int8 (a graph of the room int8).

The pixel format is folded into the graph, so a batch of bytes goes in and a batch of bytes comes out. A model is compiled
for each shape (a fifth faster than one model for all shapes); the latest few are kept.
"""
from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from queue import Queue
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from impasto.engine import engine_errors, fit_to_stride, without_margin
from impasto.engine.devices import ANYWHERE, CUDA, Device
from impasto.engine.graph import bytes_per_pixel, fold_pixels
from impasto.errors import InputError
from impasto.frame import Pixels

if TYPE_CHECKING:
    from impasto.styles.package import Tier

PRECISIONS: tuple[str, ...] = ("fp32", "bf16", "int8")
Model = Any  # openvino.Model and, below, InferRequest: the library tells its types only in part
Request = Any
HINTS = {"fp32": "f32", "bf16": "bf16"}
SHAPES_KEPT = 4
LOADING = Lock()
_begun: set[str] = set()  # the kinds of values that were painted once in this process
_beginning = Lock()
PIXELS_KEPT = 4 * 1920 * 1080  # a compiled shape holds its buffers: big pictures push the others out


def available() -> str | None:
    """None where OpenVINO is installed, else how to get it."""
    return None if find_spec("openvino") else "OpenVINO is not installed: pip install openvino"


def contends() -> bool:
    """Always worth measuring."""
    return True


def auto_precision(deep: bool) -> str:
    """bf16 for 8-bit output where the processor has it, else fp32."""
    return "bf16" if not deep and _has_bf16() else "fp32"


def open(graph: bytes, tier: Tier, precision: str, device: Device = ANYWHERE) -> OpenVinoEngine:
    """Make a graph ready to paint on this machine's processor."""
    if device.kind == CUDA:
        raise InputError("it runs on the processor alone: for graphics cards choose --engine pytorch or onnx")
    if precision == "bf16" and not _has_bf16():
        raise InputError("this processor does not compute in bf16: choose precision fp32")
    return OpenVinoEngine(graph, tier, precision, device.share)


class OpenVinoEngine:
    """One graph on the CPU; safe to share between threads: `at_once` of them paint side by side, more take turns."""

    name = "openvino"

    def __init__(self, graph: bytes, tier: Tier, precision: str, at_once: int = 1) -> None:
        self.precision, self.at_once = precision, at_once
        self.bytes_per_pixel = bytes_per_pixel(graph)
        self._graph, self._stride, self._scale = graph, tier.stride, tier.scale
        self._core = library().Core()
        self.device = str(self._core.get_property("CPU", "FULL_DEVICE_NAME"))
        self._models: dict[str, Model] = {}
        self._requests: OrderedDict[tuple[str, tuple[int, ...]], Queue[Request]] = OrderedDict()  # those that are free
        self._turn = Lock()
        self._model("uint8")  # a graph that OpenVINO cannot read is refused now, not at the first frame

    def paint(self, batch: Pixels) -> Pixels:
        """Paint [N,H,W,3+G] of uint8, or float32 in 0..1."""
        with engine_errors(self.name):
            fitted = fit_to_stride(batch, self._stride)
            with self._turn:
                free = self._free(str(fitted.dtype), fitted.shape)
            request = free.get()
            try:
                with _first_alone(str(fitted.dtype)):
                    request.infer([fitted], share_inputs=True)
                    painted = without_margin(request.get_output_tensor(0).data, batch, self._scale)
                    return np.array(painted)  # a copy: the next batch overwrites this one
            finally:
                free.put(request)

    def _free(self, dtype: str, shape: tuple[int, ...]) -> Queue[Request]:
        """The requests for a shape that nobody is using."""
        key = (dtype, shape)
        if key in self._requests:
            self._requests.move_to_end(key)
            return self._requests[key]
        self._make_room(shape)
        model = self._model(dtype).clone()
        model.reshape(list(shape))
        streams = {"PERFORMANCE_HINT": "LATENCY"} if self.at_once == 1 else {"NUM_STREAMS": self.at_once}
        hint = HINTS[auto_precision(deep=False) if self.precision == "int8" else self.precision]  # int8 is in the graph itself
        compiled = self._core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": hint, **streams})
        free: Queue[Request] = Queue()
        for _ in range(self.at_once):
            free.put(compiled.create_infer_request())
        self._requests[key] = free
        return free

    def _make_room(self, shape: tuple[int, ...]) -> None:
        def pixels() -> int:
            return sum(int(np.prod(kept[:3])) for _, kept in self._requests) + int(np.prod(shape[:3]))

        while self._requests and (len(self._requests) >= SHAPES_KEPT or pixels() > PIXELS_KEPT):
            self._requests.popitem(last=False)

    def _model(self, dtype: str) -> Model:
        if dtype not in self._models:
            self._models[dtype] = self._core.read_model(fold_pixels(self._graph, dtype))
        return self._models[dtype]


@contextmanager
def _first_alone(dtype: str) -> Iterator[None]:
    """The library's binding prepares itself at its first call; two threads that make it at the same time wait for ever."""
    if dtype in _begun:
        yield
        return
    with _beginning:
        yield
        _begun.add(dtype)


def library() -> ModuleType:
    """OpenVINO, silenced: importing it sends a usage event wherever its telemetry package is found, so that one is hidden."""
    name = "openvino_telemetry"
    with LOADING:
        if "openvino" not in sys.modules and name not in sys.modules:
            sys.modules[name] = ModuleType(name)  # not a package, so OpenVINO falls back to its own silent stand-in
            try:
                import_module("openvino")
            finally:
                del sys.modules[name]
        found = import_module("openvino")
        found.Type.u8.to_dtype()  # fills a table when first called; two painters that came to it at once would wait for ever
    return found


def _has_bf16() -> bool:
    return "BF16" in library().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
