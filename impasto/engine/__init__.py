"""Engines run a tier's graph. This is their contract, and the one door through which the house opens them.

An engine is a file of this room. It offers

    PRECISIONS            every precision it can be asked for
    available()           None where it can be used, else the reason and how to get it
    contends()            whether measuring it is worth the time when the user leaves the choice to us
    auto_precision(deep)  the precision to take where the user names none; `deep`: the output has more than 8 bits
    open(graph, tier, precision, device) -> Engine

What a tier takes and gives is on the card: pixels [N,H,W,3+G] with the G planes of its guides after the colour, in the order of
`tier.guides`; painted pixels [N,H*scale,W*scale,3]. The look of a network of many is a code in the graph: engines never see one.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from impasto import plugins
from impasto.engine.devices import ANYWHERE, CUDA, Device, Several
from impasto.engine.graph import with_code
from impasto.errors import EngineError, ImpastoError, InputError
from impasto.frame import Pixels

if TYPE_CHECKING:
    from impasto.styles.package import StyleFile, Tier


class Engine(Protocol):
    """A graph made ready to paint on one device."""

    name: str
    precision: str  # fp32 | bf16 | int8
    device: str
    at_once: int  # how many batches it paints at the same time, when as many threads ask
    bytes_per_pixel: float  # memory that painting takes, per pixel of each batch

    def paint(self, batch: Pixels) -> Pixels:
        """Paint [N,H,W,3+G] of uint8, or float32 in 0..1; the answer is [N,H*scale,W*scale,3] of that type. Any H and W do."""
        ...


class EngineModule(Protocol):
    """What a file of this room must hold."""

    PRECISIONS: tuple[str, ...]

    def available(self) -> str | None: ...

    def contends(self) -> bool: ...

    def auto_precision(self, deep: bool) -> str: ...

    def open(self, graph: bytes, tier: Tier, precision: str, device: Device = ANYWHERE) -> Engine: ...


def open_engine(
    style: StyleFile,
    tier: str,
    engine: str = "auto",
    precision: str = "auto",
    deep: bool = False,
    code: Sequence[float] = (),
    devices: Sequence[Device] = (ANYWHERE,),
) -> Engine:
    """Make one tier of a style ready to paint. `deep`: the output has more than 8 bits, so precision auto means fp32.

    A look whose picture int8 would harm is painted in what auto stands for; the engine says which precision it has.
    `code` chooses among the looks or variations of a network that has several; without one it paints with its own. On several
    `devices` it paints as many batches at the same time.
    """
    if tier not in style.card.tiers:
        raise InputError(f"style {style.card.name} has no tier '{tier}': choose one of {', '.join(style.card.tiers)}")
    described = style.card.tiers[tier]
    if described.noise:
        raise InputError(f"style {style.card.name} draws pictures from noise and paints none: 'impasto generate' runs it")
    graph = coded_graph(style, tier, code)
    if engine == "auto" and devices[0].kind == CUDA:
        engine = _of_cards()
    if engine == "auto":
        from impasto.engine.choose import fastest

        engine, precision = fastest(graph, described, precision, deep)
    module = load_engine(engine)
    with engine_errors(engine, style.card.name):
        precision = module.auto_precision(deep) if precision == "auto" else precision
        if precision not in module.PRECISIONS:
            raise InputError(f"engine {engine} has no precision '{precision}': choose one of {', '.join(module.PRECISIONS)}")
        if precision == "int8":
            from impasto.engine.int8 import as_int8

            found = as_int8(graph, described)  # without a graph it has a fault, and the next best number format paints
            graph, precision = (found.graph, precision) if found.graph else (graph, module.auto_precision(deep))
        engines = [module.open(graph, described, precision, device) for device in devices]
        return engines[0] if len(engines) == 1 else Several(engines)


def coded_graph(style: StyleFile, tier: str, code: Sequence[float] = ()) -> bytes:
    """A tier's graph, with another code as its own where one is given."""
    return with_code(style.graph(tier), code) if code else style.graph(tier)


def _of_cards() -> str:
    """The engine that paints on graphics cards here."""
    modules = {name: cast(EngineModule, plugins.load("engines", name)) for name in ("pytorch", "onnx")}
    return next((name for name, module in modules.items() if module.available() is None), "onnx")


def load_engine(name: str) -> EngineModule:
    """The engine of that name, or an InputError that says why it cannot be used here."""
    module = cast(EngineModule, plugins.load("engines", name))
    reason = module.available()
    if reason:
        raise InputError(f"engine {name} cannot be used here: {reason}")
    return module


@contextmanager
def engine_errors(engine: str, style: str = "") -> Iterator[None]:
    """Whatever a foreign library raises inside becomes an EngineError of one line."""
    try:
        yield
    except ImpastoError:
        raise
    except MemoryError as error:
        raise EngineError("out of memory: paint in smaller tiles, for instance with --tile 512", engine, style) from error
    except Exception as error:  # an engine's library raises what it likes
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise EngineError(f"{type(error).__name__}: {lines[-1] if lines else 'no reason given'}", engine, style) from error


def fit_to_stride(batch: Pixels, stride: int) -> Pixels:
    """Grow [N,H,W,C] to multiples of the stride, to the right and below only, by mirroring; the origin stays in its place."""
    down, across = -batch.shape[1] % stride, -batch.shape[2] % stride
    if down or across:
        batch = np.pad(batch, ((0, 0), (0, down), (0, across), (0, 0)), mode="reflect")
    return np.ascontiguousarray(batch)


def without_margin(painted: Pixels, batch: Pixels, scale: int) -> Pixels:
    """What was painted of [N,H,W,C], without what `fit_to_stride` grew it by."""
    return painted[:, : batch.shape[1] * scale, : batch.shape[2] * scale]
