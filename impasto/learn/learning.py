"""A training as Python sees it: progress to iterate over, a style at the end."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.errors import InputError
from impasto.job import Done, Progress

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob
    from impasto.styles.package import StyleFile


class Learning(Iterator[Progress]):
    """A training that goes on while it is iterated over; `style` is what came of it.

    Nothing happens before the first step is asked for. `close()` stops cleanly; the same call with the same `out` resumes.
    """

    def __init__(self, job: TrainJob) -> None:
        self.job = job
        self.done: Done | None = None
        self._steps: Any = job.run()

    def __iter__(self) -> Learning:
        return self

    def __next__(self) -> Progress:
        if self.done is None:
            step = next(self._steps)
            if isinstance(step, Progress):
                return step
            self.done = step
            self.close()
        raise StopIteration(self.style)  # so `style = yield from learning` works too

    def finish(self) -> Done:
        """Learn to the end, without a word."""
        for _ in self:
            pass
        if self.done is None:
            raise InputError("this learning was closed before it was done: the same call with the same `out` goes on from there")
        return self.done

    @property
    def style(self) -> StyleFile:
        """The look that was learnt; learns to the end first, if it has not."""
        from impasto.styles.package import StyleFile

        done = self.done or self.finish()
        assert done.path is not None
        return StyleFile.open(done.path)

    def close(self) -> None:
        """Stop here, leaving a checkpoint."""
        self._steps.close()


def passing_place() -> Path:
    """Where a style goes that nobody gave a place: it is there as long as the program runs."""
    folder = tempfile.TemporaryDirectory(prefix="impasto-")
    atexit.register(folder.cleanup)
    return Path(folder.name) / "look.style"
