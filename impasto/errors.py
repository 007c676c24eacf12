"""Everything that can go wrong, in one tree.

    ImpastoError              exit 1
    ├── InputError            exit 2   what the user gave cannot be used
    │   ├── MediaError        exit 2   a picture, clip or sequence: names the path, the frame where known
    │   ├── StyleError        exit 2   a style file or a style's name
    │   └── MissingExtra      exit 2   a feature whose libraries are not installed
    ├── EngineError           exit 3   an inference engine refused a graph or died
    ├── TrainingError         exit 4   learning diverged past repair
    └── LimitError            exit 5   what was measured is beyond a limit; the figures are told all the same

A message says what is wrong, where, and how to mend it, in one line. Foreign exceptions are mapped at the edge room that
calls the foreign library, in one context manager; nothing above it knows that library.
"""
from __future__ import annotations

from pathlib import Path


class ImpastoError(Exception):
    """Anything impasto raises on purpose."""

    exit_code = 1


class InputError(ImpastoError):
    """What the user gave cannot be used as it is."""

    exit_code = 2


class MediaError(InputError):
    """A picture, clip or sequence cannot be read or written."""

    def __init__(self, message: str, path: str | Path, frame: int | None = None) -> None:
        where = f"{path}" if frame is None else f"{path}, frame {frame}"
        super().__init__(f"{where}: {message}")
        self.path = Path(path)
        self.frame = frame


class StyleError(InputError):
    """A style file is broken or hostile, or no style has that name."""

    def __init__(self, message: str, path: str | Path) -> None:
        super().__init__(f"{path}: {message}")
        self.path = Path(path)


class MissingExtra(InputError):
    """A feature needs libraries that are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs libraries that are not installed: pip install 'impasto[{extra}]'")
        self.extra = extra


class EngineError(ImpastoError):
    """An inference engine refused a graph or failed while running it."""

    exit_code = 3

    def __init__(self, message: str, engine: str, style: str = "") -> None:
        super().__init__(f"engine {engine}{f' with style {style}' if style else ''}: {message}")
        self.engine = engine
        self.style = style


class TrainingError(ImpastoError):
    """Learning diverged past repair; the last healthy checkpoint is kept."""

    exit_code = 4


class LimitError(ImpastoError):
    """What was measured is beyond a limit that was given."""

    exit_code = 5
