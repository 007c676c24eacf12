"""How fast a network alone is, without reading and writing files."""
from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from impasto.engine import Engine
    from impasto.models.blocks import Painter
    from impasto.styles.package import StyleFile

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
    p99_ms: float  # one in a hundred takes longer
    fps: float
    peak_mib: int  # the process at its largest, while this case ran
    times_peer: float | None = None  # how many of our frames in the time of one of the peer's, at this size


@dataclass(frozen=True)
class Case:
    """One way of painting that is to be measured."""

    style: StyleFile
    tier: str
    engine: str
    precision: str

    @property
    def planes(self) -> int:
        """How many planes its pictures have: colour and guides."""
        return 3 + sum(self.style.card.tiers[self.tier].guides.values())

    def graph(self) -> bytes:
        """Its network."""
        return self.style.graph(self.tier)

    def open(self) -> Engine:
        """Its engine, ready to paint."""
        from impasto.engine import open_engine

        return open_engine(self.style, self.tier, self.engine, self.precision)


@dataclass(frozen=True)
class Fresh(Case):
    """The shape of a tier that the look does not have, with random weights: its speed is known before its picture is."""

    def graph(self) -> bytes:
        """A network as it is before it learns."""
        from impasto.engine.export import export_graph

        return export_graph(self._network())

    def open(self) -> Engine:
        """Its engine, ready to paint."""
        from impasto.engine import load_engine
        from impasto.learn.package import describe

        graph = self.graph()
        return load_engine(self.engine).open(graph, describe(self._network(), graph, {}), self.precision)

    @property
    def planes(self) -> int:
        """It sees no guides."""
        return 3

    def _network(self) -> Painter:
        from impasto.learn.recipes.distil import MINI
        from impasto.models.generators import swift

        return swift.Generator(swift.Settings.model_validate(MINI)).eval()


def measured(tier: str, engine: Engine, sizes: list[Size], seconds: float, planes: int = 3) -> Iterator[Row]:
    """A row per size: the engine paints noise again and again for so many seconds."""
    import numpy as np

    for width, height in sizes:
        picture = np.random.default_rng(0).integers(0, 256, (1, height, width, planes), dtype=np.uint8)
        _forget_peak()
        engine.paint(picture)  # prepares the engine for this size
        times = [1000 * taken for taken in _times(engine, picture, seconds)]
        ms, best_ms = median(times), min(times)
        how = (engine.name, engine.precision, engine.device, f"{width}x{height}")
        figures = {"ms": ms, "best_ms": best_ms, "p99_ms": float(np.percentile(times, 99)), "fps": 1000 / ms}
        rounded: dict[str, Any] = {name: round(value, 3) for name, value in figures.items()}
        yield Row(tier, *how, **rounded, peak_mib=_peak_bytes() // MIB)


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
