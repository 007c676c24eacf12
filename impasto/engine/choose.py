"""The engine to take where the user names none: measured once per machine on a small picture, then remembered."""
from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, cast

import numpy as np

from impasto import plugins
from impasto.engine import Engine, EngineModule, engine_errors, load_engine
from impasto.errors import EngineError, InputError

if TYPE_CHECKING:
    from impasto.styles.package import Tier

Choice = tuple[str, str]  # engine, precision
LIBRARIES = ("impasto", "openvino", "onnxruntime", "torch")
SIZE_PX = 256
RUNS = 4


def fastest(graph: bytes, tier: Tier, precision: str = "auto", deep: bool = False) -> Choice:
    """The engine that paints this tier fastest here, and the precision to run it in."""
    choices = usable_choices(precision, deep)
    if len(choices) == 1:
        return choices[0]
    key = _machine_key(tier, choices)
    remembered = _remembered().get(key)
    if remembered in [list(choice) for choice in choices]:
        return cast(Choice, tuple(remembered))
    best = _measured(graph, tier, choices)
    _remember(key, best)
    return best


def usable_choices(precision: str, deep: bool) -> list[Choice]:
    """Every engine worth trying on this machine with the precision it would run in."""
    modules = {name: cast(EngineModule, plugins.load("engines", name)) for name in plugins.names("engines")}
    reasons = {name: module.available() for name, module in modules.items()}
    here = {name: module for name, module in modules.items() if reasons[name] is None}
    if not here:
        raise EngineError("none can be used here; " + "; ".join(str(reason) for reason in reasons.values()), "auto")
    known = sorted({p for module in here.values() for p in module.PRECISIONS})
    if precision not in ("auto", *known):
        raise InputError(f"no engine here has precision '{precision}': choose one of auto, {', '.join(known)}")
    able = {n: m for n, m in here.items() if precision in ("auto", *m.PRECISIONS)}
    # one that is not worth measuring is still taken when it is the only one
    worth = {n: m for n, m in able.items() if m.contends()} or able
    choices = []
    for name, module in worth.items():
        with suppress(EngineError), engine_errors(name):  # one whose library does not even load drops out
            choices.append((name, module.auto_precision(deep) if precision == "auto" else precision))
    if not choices:
        raise EngineError(f"none of {', '.join(worth)} loads its library; 'impasto doctor' tells more", "auto")
    return choices


def _measured(graph: bytes, tier: Tier, choices: list[Choice]) -> Choice:
    times: dict[Choice, float] = {}
    faults = []
    for name, precision in choices:
        try:
            with engine_errors(name):
                times[name, precision] = _seconds(load_engine(name).open(graph, tier, precision), tier)
        except EngineError as fault:  # one that fails here only drops out of the race
            faults.append(fault)
    if not times:
        raise faults[0]
    return min(times, key=times.__getitem__)


def _seconds(engine: Engine, tier: Tier) -> float:
    planes = 3 + sum(tier.guides.values())
    picture = np.random.default_rng(0).integers(0, 256, (1, SIZE_PX, SIZE_PX, planes), dtype=np.uint8)
    times = []
    for _ in range(RUNS):  # the first run warms up; the least of them is the one nobody disturbed
        start = perf_counter()
        engine.paint(picture)
        times.append(perf_counter() - start)
    return min(times)


def _machine_key(tier: Tier, choices: list[Choice]) -> str:
    versions = [f"{name} {_version(name)}" for name in LIBRARIES]
    shape = f"{tier.generator} {json.dumps(tier.settings, sort_keys=True)}"
    if tier.scale != 1 or tier.guides:
        shape += f" x{tier.scale} +{sum(tier.guides.values())}"
    return " | ".join([*versions, _processor(), shape, " ".join(f"{name}:{precision}" for name, precision in choices)])


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "none"


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} x{os.cpu_count()}"
    return f"{platform.processor() or platform.machine()} x{os.cpu_count()}"


def _cache_file() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("impasto", appauthor=False) / "engines.json"


def _remembered() -> dict[str, object]:
    try:
        found = json.loads(_cache_file().read_text("utf-8"))
    except (OSError, ValueError):  # not there, not ours to read, or damaged: measure again
        return {}
    return found if isinstance(found, dict) else {}


def _remember(key: str, best: Choice) -> None:
    path = _cache_file()
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with suppress(OSError):  # a cache that cannot be written costs a second next time, no more
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(_remembered() | {key: best}, indent=1), "utf-8")
        temporary.replace(path)
