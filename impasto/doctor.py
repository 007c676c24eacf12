"""DoctorJob: what works on this machine, what does not, and how to get it."""
from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from impasto import __version__
from impasto.errors import ImpastoError
from impasto.job import Done, Job, Progress

CPU_FEATURES = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8", "asimd", "bf16")
MEDIA = {
    "OpenImageIO": "pictures in and out",
    "av": "videos and sound",
    "opencolorio": "colour spaces by name",
    "fileseq": "names of sequences",
    "opencv-python-headless": "resizing and motion",
    "pillow": "previews and sheets",
}
Figures = dict[str, Any]


class DoctorJob(Job):
    """Say which engines, formats and devices work here, and how to get the others."""

    command: ClassVar[str] = "doctor"
    help: ClassVar[str] = "Say which engines, formats and devices work here, and how to get the others."

    def run(self) -> Iterator[Progress | Done]:
        """Ask each room what it can do here."""
        figures: Figures = {"impasto": __version__, "python": platform.python_version(), "system": platform.platform()}
        parts = {"machine": machine, "engines": engines, "media": media, "extras": extras, "styles": styles}
        for number, (name, ask) in enumerate(parts.items(), 1):
            yield Progress("looking", number, len(parts), "room")
            figures[name] = ask()
        yield Done(None, report(figures), figures)


def machine() -> Figures:
    """Processor, its number formats, memory, and GPUs that an installed library can use."""
    text = _read("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    flags = set(" ".join(re.findall(r"^(?:flags|Features)\s*: (.*)$", text, re.MULTILINE)[:1]).split())
    memory = re.search(r"^MemTotal:\s*(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    return {
        "processor": model[1].strip() if model else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "features": [feature for feature in CPU_FEATURES if feature in flags],
        "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else None,
        "gpus": _gpus(),
    }


def engines() -> Figures:
    """Each engine: its precisions where it works, else why not and how to get it."""
    from impasto import plugins
    from impasto.engine import load_engine

    found: Figures = {}
    for name in plugins.names("engines"):
        try:
            module = load_engine(name)
            found[name] = {"works": True, "precisions": list(module.PRECISIONS), "auto": module.auto_precision(deep=False)}
        except ImpastoError as error:
            found[name] = {"works": False, "reason": str(error).removeprefix(f"engine {name} cannot be used here: ")}
        except Exception as error:  # a broken library must not keep the doctor from his report
            found[name] = {"works": False, "reason": f"{type(error).__name__}: {error}"}
    return found


def media() -> Figures:
    """The formats that are read and written, the libraries behind them, and the cameras that are plugged in."""
    from impasto.media import READERS, WRITERS

    libraries = {name: {"version": _version(name), "for": use} for name, use in MEDIA.items()}
    return {"reads": sorted(READERS), "writes": sorted(WRITERS), "libraries": libraries, "cameras": _cameras()}


def extras() -> Figures:
    """Each extra of the package: complete, or what it lacks and the command that adds it."""
    wanted: dict[str, list[str]] = {}
    for line in metadata.requires("impasto") or []:
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        name = re.match(r"[\w.-]+", line)
        if extra and name and extra[1] not in ("all", "dev"):
            wanted.setdefault(extra[1], []).append(name[0])
    missing = {extra: [name for name in names if _version(name) is None] for extra, names in wanted.items()}
    return {
        extra: {"works": not lacks, "lacks": lacks, **({"get": f"pip install 'impasto[{extra}]'"} if lacks else {})}
        for extra, lacks in sorted(missing.items())
    }


def styles() -> list[str]:
    """The names of the looks at hand."""
    from impasto.styles.library import entries

    return [entry.name for entry in entries()]


def report(figures: Figures) -> str:
    """The figures as a page to read."""
    here = figures["machine"]
    lines = [f"impasto {figures['impasto']}, Python {figures['python']}, {figures['system']}", ""]
    lines += ["machine", f"  {here['processor']}, {here['cores']} cores, {here['memory_gib'] or '?'} GiB"]
    lines += [f"  number formats: {', '.join(here['features']) or 'none that speed anything up'}"]
    lines += [f"  GPUs: {', '.join(here['gpus']) or 'none that an installed library can use'}", "", "engines"]
    for name, engine in figures["engines"].items():
        told = f"{', '.join(engine['precisions'])} (auto: {engine['auto']})" if engine["works"] else engine["reason"]
        lines.append(f"  {_mark(engine['works'])} {name:9} {told}")
    formats = figures["media"]
    lines += ["", "media", f"  reads  {' '.join(formats['reads'])}", f"  writes {' '.join(formats['writes'])}"]
    for name, library in formats["libraries"].items():
        told = library["version"] or f"is missing: pip install {name}"
        lines.append(f"  {_mark(library['version'])} {name} {told} ({library['for']})")
    if formats["cameras"] is not None:
        told = ", ".join(f"{path} ({name})" for path, name in formats["cameras"].items())
        lines.append(f"  cameras for 'impasto live': {told or 'none is plugged in'}")
    lines += ["", "extras"]
    for name, extra in figures["extras"].items():
        lines.append(f"  {_mark(extra['works'])} {name:9} {'installed' if extra['works'] else extra['get']}")
    lines += ["", f"looks: {', '.join(figures['styles']) or 'none; add one with: impasto styles install FILE'}"]
    return "\n".join(lines)


def _cameras() -> dict[str, str] | None:
    """Cameras by path; None where the system or a missing library does not tell."""
    if sys.platform != "linux" or not find_spec("av"):
        return None
    from impasto.media.video.capture import cameras

    return cameras()


def _mark(good: object) -> str:
    return "+" if good else "-"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _gpus() -> list[str]:
    found = []
    if find_spec("onnxruntime"):
        import onnxruntime

        providers = set(onnxruntime.get_available_providers()) - {"CPUExecutionProvider", "AzureExecutionProvider"}
        found += [f"onnxruntime {provider.removesuffix('ExecutionProvider')}" for provider in sorted(providers)]
    if find_spec("torch"):
        import torch

        found += [f"torch {torch.cuda.get_device_name(number)}" for number in range(torch.cuda.device_count())]
    return found


def _read(path: str) -> str:
    return Path(path).read_text("utf-8", "replace") if sys.platform == "linux" and Path(path).is_file() else ""
