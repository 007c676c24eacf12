"""One helper process of `learn --devices`: the same job from its file, learning along and writing nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from impasto.errors import ImpastoError
from impasto.learn.job import TrainJob


def help_out(file: Path) -> None:
    """Read the job, take its file away and learn along; the first process says what goes wrong."""
    text = file.read_text(encoding="utf-8")
    file.unlink()
    for _ in TrainJob.from_json(text).run():
        pass


if __name__ == "__main__":
    try:
        help_out(Path(sys.argv[1]))
    except ImpastoError:
        sys.exit(1)
