"""What readers and writers do at the end of a `with`: the same for every format."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from impasto.frame import Frame


class ScopedReader(ABC):
    """Closed at the end of its block."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class OneFrame(ScopedReader):
    """A single picture as a clip of one frame, number 0."""

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]: ...

    def numbers(self) -> Sequence[int]:
        """A still is frame 0."""
        return (0,)

    def read(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """The picture, if it is asked for."""
        return (frame for frame in self if frame.number in numbers)


class ScopedWriter(ABC):
    """Finished at the end of its block, or, where that failed, undone."""

    @abstractmethod
    def close(self) -> None:
        """Finish: sync, verify, and give the file its name."""

    @abstractmethod
    def abort(self) -> None:
        """Leave nothing behind."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is None:
                self.close()
        finally:
            self.abort()
