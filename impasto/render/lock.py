"""One run at a time: the lock in the work folder of an output. The system frees a dead run's lock by itself."""
from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from impasto.errors import MediaError

LOCK = "lock"
ATTEMPTS = 100  # at a folder that another run keeps removing


def hold(target: Path, folder: Path) -> int:
    """Take the work folder of an output, which is made if there is none; the handle returned keeps it until it is closed."""
    for _ in range(ATTEMPTS):
        with suppress(FileExistsError):
            folder.mkdir()
        try:
            handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # the run before this one has just finished, and its folder went
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _still_named(handle, folder / LOCK):
                _sign(handle, target)
                return handle
        except BlockingIOError:
            holder = _signature(handle)
            os.close(handle)
            raise MediaError(f"is being rendered by {holder}: wait for it, or stop it", target) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
    raise MediaError(f"cannot be rendered, its work folder {folder.name} cannot be locked: remove it", target)


def _still_named(handle: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), os.stat(path))
    return False


def _sign(handle: int, target: Path) -> None:
    """Say in the lock who holds it."""
    started = datetime.now().strftime("%Y-%m-%d %H:%M")
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "started": started, "output": str(target)})
    os.ftruncate(handle, 0)
    os.pwrite(handle, text.encode(), 0)


def _signature(handle: int) -> str:
    """Who holds a lock, in words."""
    with suppress(ValueError, KeyError, TypeError):  # it may be taken this moment, and not signed yet
        told = json.loads(os.pread(handle, 4096, 0))
        return f"another run (process {told['pid']} on {told['host']}, since {told['started']})"
    return "another run"
