"""How a file gets its name: written beside it under another one, synced, proved readable, then renamed.

Whatever is killed at whatever moment, a file that bears its final name is whole.
"""
from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from impasto.errors import MediaError


def check_output(path: str | Path, overwrite: bool = False) -> None:
    """Refuse a place that cannot be written to, before any work is done for it."""
    path = Path(path)
    # os.path answers False, rather than raising, for names no disk can hold; those fail when the file is made.
    if os.path.isdir(path):
        raise MediaError("is a folder: name a file in it", path)
    if os.path.exists(path) and not overwrite:
        raise MediaError("exists already: --overwrite replaces it", path)
    if not os.path.exists(path.parent):
        raise MediaError(f"cannot be written, there is no folder {path.parent}: create it first", path)
    if not os.path.isdir(path.parent):
        raise MediaError(f"cannot be written, {path.parent} is not a folder: choose another place", path)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise MediaError(f"cannot be written, the folder {path.parent} does not allow it: choose another place", path)


def same_file(one: str | Path, other: str | Path) -> bool:
    """Whether two paths mean one file, through links too; neither needs to exist."""
    one, other = Path(one), Path(other)
    with suppress(OSError):  # one of them does not exist: then only the names can agree
        return one.samefile(other)
    return one.resolve() == other.resolve()


class Landing:
    """A place beside the final one where a file is made; `commit` gives it its name, `abort` removes it."""

    def __init__(self, path: Path, overwrite: bool) -> None:
        check_output(path, overwrite)
        self.path, self.overwrite = path, overwrite
        # Hidden, so that a running render does not show half pictures; the suffix stays because libraries go by it.
        self.temporary = path.with_name(f".{path.stem[:80]}.{os.getpid():x}-{secrets.token_hex(4)}{path.suffix}")
        try:
            os.close(os.open(self.temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except (OSError, ValueError) as error:
            raise MediaError(f"cannot be written: {_reason(error)}", path) from None

    def commit(self, verify: Callable[[Path], None]) -> None:
        """Sync, let `verify` raise if the file is not what was meant, and give it its name."""
        try:
            sync(self.temporary)
            verify(self.temporary)
            check_output(self.path, self.overwrite)
            os.replace(self.temporary, self.path)
            sync(self.path.parent)
        except OSError as error:
            raise MediaError(f"cannot be written: {_reason(error)}", self.path) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Remove the unfinished file; nothing happens if it has its name already."""
        with suppress(OSError):
            self.temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str, overwrite: bool, verify: Callable[[Path], None] = lambda _: None) -> None:
    """Write a text; it gets its name once it is whole, and `verify` has not refused it."""
    landing = Landing(path, overwrite)
    try:
        landing.temporary.write_text(text, "utf-8")
        landing.commit(verify)
    finally:
        landing.abort()


def sweep(path: Path) -> None:
    """Remove what runs that were killed left beside a place."""
    pattern = re.compile(rf"\.{re.escape(path.stem[:80])}\.([0-9a-f]+)-[0-9a-f]{{8}}{re.escape(path.suffix)}")
    with suppress(OSError):
        for name in os.listdir(path.parent):
            found = pattern.fullmatch(name)
            if found and not _lives(int(found[1], 16)):
                path.with_name(name).unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is another user's
        return True
    return True


def sync(path: Path) -> None:
    """Make sure that what was written to a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
