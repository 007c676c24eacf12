"""What readers and writers do at the end of a `with`: the same for every format."""
from __future__ import annotations

from types import TracebackType
from typing import Self


class ScopedReader:
    """Closed at the end of its block."""

    def close(self) -> None:
        """Let go of the file."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class ScopedWriter:
    """Finished at the end of its block, or, where that failed, undone."""

    def close(self) -> None:
        """Finish: sync, verify, and give the file its name."""
        raise NotImplementedError

    def abort(self) -> None:
        """Leave nothing behind."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is None:
                self.close()
        finally:
            self.abort()
