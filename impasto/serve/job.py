"""ServeJob: the studio's server in one process tree on an embedded store; it runs until it is stopped."""
from __future__ import annotations

import json
import logging
import os
import sys
import threading
import webbrowser
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import PrivateAttr

from impasto.errors import InputError, MissingExtra
from impasto.job import Done, Job, Progress, option

if TYPE_CHECKING:
    import uvicorn

    from impasto.serve.service import Service, Settings
    from impasto.serve.store import Store

NEEDED = ("fastapi", "uvicorn", "prometheus_client", "websockets")
GRACE_S = 5
MOST_CONNECTIONS = 1000
LARGEST_MESSAGE = 8 * 2**20  # of a WebSocket


class ServeJob(Job):
    """Run the studio: a service with a page, on this machine or for a network."""

    command: ClassVar[str] = "serve"
    help: ClassVar[str] = "Run the studio: a service with a page, on this machine or for a network."

    host: str = option("127.0.0.1", "address to answer at; one that other machines reach needs a token file or users")
    port: int = option(8765, "port to answer at", ge=1, le=65535)
    browser: bool = option(True, "open the page in the browser")
    token_file: Path | None = option(None, "file with the owner's token (default: one is made in the store)")
    store: Path | None = option(None, "folder for shots, jobs and results (default: the system's place for a user's data)")
    root: list[Path] = option([], "folder whose shots may be named by path instead of being uploaded (repeatable)")
    workers: int = option(1, "jobs at once", ge=1, le=64)
    queue: int = option(1000, "jobs that may wait; more are refused for a while", ge=1, le=1_000_000)
    quota: float = option(0.0, "GiB that shots and results may take; 0: what the disk has", ge=0)
    keep_days: float = option(0.0, "days after which results go; 0: they stay", ge=0)
    memory: float = option(0.0, "GiB of memory that one job may take; 0: no limit", ge=0)
    hours: float = option(0.0, "hours that one job may take; 0: no limit", ge=0)
    allow_host: list[str] = option([], "another name that the server is reached by (repeatable)")
    tls_cert: Path | None = option(None, "certificate, for https")
    tls_key: Path | None = option(None, "its key")
    log: Literal["text", "json"] = option("text", "how the log on stderr is written")
    _asked: threading.Event = PrivateAttr(default_factory=threading.Event)

    def stop(self) -> bool:
        """End cleanly: jobs that run go back to the queue, and go on with the next server."""
        self._asked.set()
        return True

    def run(self) -> Iterator[Progress | Done]:
        """Check who may come, start, and stop cleanly when told to."""
        if any(find_spec(name) is None for name in NEEDED):
            raise MissingExtra("the studio", "studio")
        self._check()
        from impasto.serve.service import Service
        from impasto.serve.store import Store, default_folder

        _write_log(self.log)
        store = Store(self.store or default_folder())
        self._check_open(store)
        handle = store.lock()
        try:
            service = Service(store, self._settings(store))
            server = self._server(service)
            thread = threading.Thread(target=server.run, name="server")
            thread.start()
            try:
                yield from self._wait(server, thread, service)
            finally:
                service.events.close()  # streams that are open would hold up the end
                server.should_exit = True
                thread.join()
        finally:
            os.close(handle)

    def _wait(self, server: uvicorn.Server, thread: threading.Thread, service: Service) -> Iterator[Progress | Done]:
        while thread.is_alive() and not server.started:
            thread.join(0.05)
        if not server.started:
            raise InputError(f"cannot answer at {self.host}:{self.port}: another program may be there; choose another --port")
        settings = service.settings
        token = f"/#token={settings.token}" if sys.stderr.isatty() else ""  # a log is no place for it
        place = self._token_place(service.store)
        yield Progress("serving", note=f"{settings.url}{token} (Ctrl-C stops; the token is in {place})")
        if self.browser and (Path(__file__).parent / "studio" / "index.html").exists():
            webbrowser.open(f"{settings.url}/#token={service.guard.ticket()}")
        while thread.is_alive() and not self._asked.wait(1.0):
            pass
        yield Done(None, "the server has stopped")

    def _check(self) -> None:
        for root in self.root:
            if not root.is_dir():
                raise InputError(f"--root {root}: there is no such folder")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise InputError("https takes both, --tls-cert and --tls-key")
        for file in (self.tls_cert, self.tls_key):
            if file and not file.is_file():
                raise InputError(f"{file}: no such file")

    def _check_open(self, store: Store) -> None:
        """An address that others reach needs somebody who may come in."""
        from impasto.serve.guard import MAKE_TOKEN, is_loopback

        if is_loopback(self.host) or self.token_file or store.row("SELECT name FROM users"):
            return
        how = f"give someone a key (impasto users add NAME), or make a token ({MAKE_TOKEN}) and add --token-file token"
        raise InputError(f"{self.host} is reached from other machines, and nobody has a key: {how}")

    def _token_place(self, store: Store) -> Path:
        return self.token_file or store.folder / "token"

    def _settings(self, store: Store) -> Settings:
        from impasto.serve.crew import Limits
        from impasto.serve.guard import read_token
        from impasto.serve.service import Settings

        token = read_token(self._token_place(store), made=self.token_file is None)
        return Settings(
            token, self.host, self.port, tuple(self.allow_host), self.tls_cert is not None, tuple(self.root), self.workers,
            self.queue, self.quota, self.keep_days, Limits(self.memory, self.hours),
        )  # fmt: skip

    def _server(self, service: Service) -> uvicorn.Server:
        import uvicorn

        from impasto.serve.app import create_app

        return uvicorn.Server(
            uvicorn.Config(
                create_app(service), self.host, self.port, log_config=None, access_log=False, server_header=False,
                proxy_headers=False, timeout_graceful_shutdown=GRACE_S, limit_concurrency=MOST_CONNECTIONS,
                ws="websockets-sansio", ws_max_size=LARGEST_MESSAGE, lifespan="on",
                ssl_certfile=self.tls_cert, ssl_keyfile=self.tls_key,
            )
        )  # fmt: skip


def _write_log(form: str) -> None:
    """The log goes to stderr, one line for each thing that happens."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines("%(asctime)s %(message)s"))
    for name in ("impasto.serve", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    logging.getLogger("impasto.serve").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in OWN and name != "color_message"}


class TextLines(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The message and what goes with it."""
        told = " ".join(f"{name}={value}" for name, value in _extras(record).items())
        return f"{super().format(record)} {told}".rstrip()


class JsonLines(logging.Formatter):
    """A line for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Everything as one object."""
        line = {"at": round(record.created, 3), "level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps({**line, **_extras(record)}, default=str, ensure_ascii=False)
