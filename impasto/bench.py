"""BenchJob: how fast this machine paints, by the network alone, without reading and writing files.

Figures of one run can be set against each other, and against a shape the field knows: the feed-forward network of Johnson et
al. (2016) with instance norm, which runs here under ONNX Runtime with random weights, because only its speed is asked.
"""
from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import field_validator

from impasto.errors import InputError
from impasto.job import Done, Job, Progress, option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import NodeProto, TensorProto

    from impasto.engine import Engine
    from impasto.styles.package import StyleFile

PEER = "fast-neural-style"
PEER_PARAMETERS = "1.68M parameters"
MIB = 1 << 20
Size = tuple[int, int]  # width, height


@dataclass
class Row:
    """One case: what painted, on what size, how fast, and in how much memory."""

    tier: str
    engine: str
    precision: str
    device: str
    size: str  # WxH
    ms: float  # median
    best_ms: float  # what the machine does when nobody disturbs it
    fps: float
    peak_mib: int  # the process at its largest, while this case ran
    times_peer: float | None = None  # how many of our frames in the time of one of the peer's, at this size


class BenchJob(Job):
    """Measure how fast this machine paints."""

    command: ClassVar[str] = "bench"
    help: ClassVar[str] = "Measure how fast this machine paints: the network alone, without reading and writing files."

    style: str = option("", "name of a look, or a style file; the first look at hand if none is named")
    tier: Literal["all", "live", "full", "mini"] = option("all", "which of the look's networks to measure")
    engine: Literal["all", "openvino", "onnx", "pytorch"] = option("all", "which engine; all takes every one that works here")
    precision: Literal["all", "fp32", "bf16", "int8"] = option("all", "number format; all takes every one the engine has here")
    sizes: str = option("640x360,1280x720,1920x1080", "sizes of the picture, as WxH with commas between")
    seconds: float = option(2.0, "how long to repeat each case, in seconds", ge=0, le=600)
    peer: bool = option(True, f"measure the {PEER} shape ({PEER_PARAMETERS}) too, and set the others against it")

    @field_validator("sizes")
    @classmethod
    def _sizes_are_known(cls, value: str) -> str:
        for size in value.split(","):
            width, _, height = size.strip().lower().partition("x")
            if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
                raise ValueError(f"'{size}' is not a size: write for instance 1280x720")
        return value

    def run(self) -> Iterator[Progress | Done]:
        """Measure case after case; the peer comes first, so that every later row can tell its ratio."""
        yield Progress("opening")
        style = _open_style(self.style)
        cases = [Case(style, tier, *way) for tier in self._tiers(style) for way in self._ways()]
        sizes = [_size(text) for text in self.sizes.split(",")]
        total = (len(cases) + self.peer) * len(sizes)
        rows: list[Row] = []
        for row in self._measured(cases, sizes):
            rows.append(row)
            note = f"{row.tier} {row.engine} {row.precision} {row.size}: {row.fps:.1f} fps"
            yield Progress("measuring", len(rows), total, "case", note=note)
        figures = {"style": style.card.name, "rows": [asdict(row) for row in rows]}
        yield Done(None, f"{style.card.name}, the network alone\n{table(rows)}", figures)

    def _tiers(self, style: StyleFile) -> list[str]:
        have: list[str] = list(style.card.tiers)
        if self.tier != "all" and self.tier not in have:
            raise InputError(f"style {style.card.name} has no tier '{self.tier}': choose one of {', '.join(have)}")
        return have if self.tier == "all" else [self.tier]

    def _ways(self) -> list[tuple[str, str]]:
        """The engines and precisions to measure."""
        from impasto import plugins
        from impasto.engine import load_engine

        every = self.engine == "all"
        ways: list[tuple[str, str]] = []
        for name in plugins.names("engines") if every else [self.engine]:
            with suppress(InputError) if every else nullcontext():  # of all engines, those that are installed
                module = load_engine(name)
                fit_here = {module.auto_precision(deep) for deep in (True, False)}
                wanted = fit_here if self.precision == "all" else {self.precision} & set(module.PRECISIONS)
                ways += [(name, precision) for precision in sorted(wanted)]
        if not ways:
            raise InputError(f"no engine asked for ({self.engine}) has precision {self.precision}: choose another, or all")
        return ways

    def _measured(self, cases: list[Case], sizes: list[Size]) -> Iterator[Row]:
        peer_ms: dict[str, float] = {}
        if self.peer:
            for row in _rows(PEER, open_peer(), sizes, self.seconds):
                peer_ms[row.size] = row.ms
                yield row
        for case in cases:
            for row in _rows(case.tier, case.open(), sizes, self.seconds):
                row.times_peer = round(peer_ms[row.size] / row.ms, 2) if peer_ms else None
                yield row


@dataclass(frozen=True)
class Case:
    """One way of painting that is to be measured."""

    style: StyleFile
    tier: str
    engine: str
    precision: str

    def open(self) -> Engine:
        """Its engine, ready to paint."""
        from impasto.engine import open_engine

        return open_engine(self.style, self.tier, self.engine, self.precision)


def table(rows: list[Row]) -> str:
    """The rows as aligned text."""
    head = ("network", "engine", "precision", "size", "ms", "best ms", "fps", "peak MiB", "x peer")
    lines = [head]
    for row in rows:
        ratio = "" if row.times_peer is None else f"{row.times_peer:.2f}"
        figures = (f"{row.ms:.1f}", f"{row.best_ms:.1f}", f"{row.fps:.2f}", str(row.peak_mib), ratio)
        lines.append((row.tier, row.engine, row.precision, row.size, *figures))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    words = 4  # the first columns are words and stand left, the others are figures and stand right

    def aligned(line: tuple[str, ...]) -> str:
        cells = [text.ljust(w) if i < words else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths, strict=True))]
        return "  ".join(cells).rstrip()

    return "\n".join(aligned(line) for line in lines)


def open_peer() -> Engine:
    """The peer's network with random weights under ONNX Runtime: only its speed is asked."""
    from impasto.engine.onnx import OnnxEngine

    return OnnxEngine(peer_graph(), stride=4)


def peer_graph() -> bytes:
    """The peer's network: stride-2 convolutions, five residual blocks, nearest-neighbour doubling, instance norm throughout."""
    from onnx import helper

    layers = _Layers()
    x = layers.conv("image", 3, 32, 9)
    x = layers.conv(x, 32, 64, 3, stride=2)
    x = layers.conv(x, 64, 128, 3, stride=2)
    for _ in range(5):
        inner = layers.conv(layers.conv(x, 128, 128, 3), 128, 128, 3, relu=False)
        x = layers.add("Add", [x, inner])
    x = layers.conv(layers.doubled(x), 128, 64, 3)
    x = layers.conv(layers.doubled(x), 64, 32, 3)
    x = layers.conv(x, 32, 3, 9, norm=False, relu=False)
    layers.nodes.append(helper.make_node("Sigmoid", [x], ["painted"]))
    ends = [helper.make_tensor_value_info(name, 1, ["n", 3, "h", "w"]) for name in ("image", "painted")]
    graph = helper.make_graph(layers.nodes, PEER, ends[:1], ends[1:], layers.weights)
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())


class _Layers:
    """Collects a graph's nodes and random weights."""

    def __init__(self) -> None:
        import numpy as np

        self.random = np.random.default_rng(0)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        from onnx import helper

        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(self, value: NDArray[np.generic]) -> str:
        from onnx import numpy_helper

        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def conv(self, x: str, enter: int, leave: int, kernel: int, stride: int = 1, norm: bool = True, relu: bool = True) -> str:
        import numpy as np

        edge = kernel // 2
        x = self.add("Pad", [x, self.weight(np.array([0, 0, edge, edge] * 2, np.int64))], mode="reflect")
        spread = (2 / (enter * kernel**2)) ** 0.5
        kernels = self.random.normal(0, spread, (leave, enter, kernel, kernel)).astype(np.float32)
        bias, gain = (np.full(leave, value, np.float32) for value in (0, 1))
        x = self.add("Conv", [x, self.weight(kernels), self.weight(bias)], strides=[stride, stride])
        if norm:
            x = self.add("InstanceNormalization", [x, self.weight(gain), self.weight(bias)])
        return self.add("Relu", [x]) if relu else x

    def doubled(self, x: str) -> str:
        import numpy as np

        return self.add("Resize", [x, "", self.weight(np.array([1, 1, 2, 2], np.float32))], mode="nearest")


def _open_style(name: str) -> StyleFile:
    from impasto.styles.library import entries, find
    from impasto.styles.package import StyleFile

    if name:
        return StyleFile.open(find(name))
    looks = entries()
    if not looks:
        raise InputError("there is no look to measure with: give one with --style FILE")
    return StyleFile.open(looks[0].path)


def _size(text: str) -> Size:
    width, height = text.strip().lower().split("x")
    return int(width), int(height)


def _rows(tier: str, engine: Engine, sizes: list[Size], seconds: float) -> Iterator[Row]:
    import numpy as np

    for width, height in sizes:
        picture = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
        _forget_peak()
        engine.paint(picture)  # prepares the engine for this size
        times = [1000 * taken for taken in _times(engine, picture, seconds)]
        ms, best_ms = median(times), min(times)
        how = (engine.name, engine.precision, engine.device)
        yield Row(tier, *how, f"{width}x{height}", round(ms, 3), round(best_ms, 3), round(1000 / ms, 3), _peak_bytes() // MIB)


def _times(engine: Engine, picture: NDArray[np.uint8], seconds: float) -> list[float]:
    times: list[float] = []
    while not times or sum(times) < seconds:
        start = perf_counter()
        engine.paint(picture)
        times.append(perf_counter() - start)
    return times


def _forget_peak() -> None:
    """Let the system count this process's peak memory anew; where it cannot, the peak is that of all cases so far."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    with suppress(ImportError):  # not on Windows
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return 0
