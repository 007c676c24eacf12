"""impasto: learn a look, paint a shot.

    import impasto
    impasto.learn("painting.jpg", "look.style", minutes=10)
    impasto.render("photo.jpg", "painted.png", style="look.style")

Names load when they are first used: `import impasto` alone brings in no library.
"""
from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, overload

__version__ = "0.1.0.dev0"

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from impasto.client import Client, ServiceError
    from impasto.errors import EngineError, ImpastoError, InputError, MediaError, MissingExtra, StyleError, TrainingError
    from impasto.job import Done, Job, Progress
    from impasto.learn.learning import Learning
    from impasto.styles.package import StyleFile

ERRORS = ("EngineError", "ImpastoError", "InputError", "MediaError", "MissingExtra", "StyleError", "TrainingError")
LAZY = {
    **dict.fromkeys(ERRORS, "impasto.errors"),
    **dict.fromkeys(("Done", "Job", "Progress"), "impasto.job"),
    "StyleFile": "impasto.styles.package",
    **dict.fromkeys(("Client", "ServiceError"), "impasto.client"),
}

__all__ = [
    "Client",
    "Done",
    "EngineError",
    "ImpastoError",
    "InputError",
    "Job",
    "MediaError",
    "MissingExtra",
    "Progress",
    "ServiceError",
    "StyleError",
    "StyleFile",
    "TrainingError",
    "__version__",
    "evaluate",
    "learn",
    "learning",
    "live",
    "open_style",
    "render",
    "sample",
]


def render(inputs: str | Path | Iterable[str | Path], out: str | Path, **options: Any) -> Done:
    """Paint pictures in a style; the options are those of `impasto render`."""
    from impasto.render.job import RenderJob

    return RenderJob.build(inputs=_listed(inputs), out=out, **options).finish()


def live(source: str | Path, out: str | Path | Iterable[str | Path], **options: Any) -> Done:
    """Paint a camera, a stream or a file while it runs, until it ends; the options are those of `impasto live`."""
    from impasto.live.job import LiveJob

    return LiveJob.build(source=str(source), out=[str(each) for each in _listed(out)], **options).finish()


@overload
def learn(references: str | Path | Iterable[str | Path], out: str | Path, **options: Any) -> Done: ...
@overload
def learn(references: str | Path | Iterable[str | Path], out: None = None, **options: Any) -> Learning: ...
def learn(references: str | Path | Iterable[str | Path], out: str | Path | None = None, **options: Any) -> Done | Learning:
    """Learn a look from references and write a style file; the options are those of `impasto learn`.

    With no place to write to, the look itself is the result, and the call is for iterating over: see `learning`.
    """
    begun = learning(references, out, **options)
    return begun if out is None else begun.finish()


def learning(references: str | Path | Iterable[str | Path], out: str | Path | None = None, **options: Any) -> Learning:
    """A training to iterate over: it yields Progress, and its `style` is the look that was learnt."""
    from impasto.learn.job import TrainJob
    from impasto.learn.learning import Learning, passing_place

    return Learning(TrainJob.build(references=_listed(references), out=out or passing_place(), **options))


def evaluate(source: str | Path, output: str | Path | Iterable[str | Path] = (), **options: Any) -> Done:
    """Measure a painting, or several, against its source; options as of `impasto evaluate`, the figures are in the result."""
    from impasto.evaluate.job import EvaluateJob

    return EvaluateJob.build(source=source, output=_listed(output), **options).finish()


def sample(out: str | Path, **options: Any) -> Done:
    """Write sample frames of a procedural scene; the options are those of `impasto sample`."""
    from impasto.media.sample import SampleJob

    return SampleJob.build(out=out, **options).finish()


def open_style(name_or_path: str | Path) -> StyleFile:
    """Open a look by name or path."""
    from impasto.styles.library import find
    from impasto.styles.package import StyleFile

    return StyleFile.open(find(name_or_path))


def _listed(paths: str | Path | Iterable[str | Path]) -> list[str | Path]:
    return [paths] if isinstance(paths, str | Path) else list(paths)


def __getattr__(name: str) -> Any:
    if name in LAZY:
        return getattr(import_module(LAZY[name]), name)
    raise AttributeError(f"module 'impasto' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__


class _House(ModuleType):
    """Importing anything from a room lays the room's module over the verb of the same name: so that module can be called too."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and name in VERBS:
            value.__class__ = type("Room", (ModuleType,), {"__call__": staticmethod(VERBS[name])})
        super().__setattr__(name, value)


VERBS: dict[str, Callable[..., Any]] = {"evaluate": evaluate, "learn": learn, "live": live, "render": render}
sys.modules[__name__].__class__ = _House
