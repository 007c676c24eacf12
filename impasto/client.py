"""The studio's service from Python. It needs nothing but Python itself.

    from impasto import Client

    studio = Client("http://127.0.0.1:8765", token=...)
    shot = studio.upload("shot.mov")
    job = studio.submit("render", inputs=[shot], style="great-wave", tier="live")
    studio.wait(job)
    studio.download(job, "painted/")
"""
from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from impasto.errors import ImpastoError

URL = "http://127.0.0.1:8765"
TOKEN_VARIABLE = "IMPASTO_TOKEN"  # noqa: S105  the name of a variable
PIECE_BYTES = 16 * 2**20
TRIES = 6  # at a server that is away for a moment
ENDED = ("done", "failed", "cancelled")
Told = dict[str, Any]


class ServiceError(ImpastoError):
    """The service refused, or could not be reached: `status` is that of HTTP, 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """A studio's service. A server that is away for a moment, or is started anew, is waited for."""

    def __init__(self, url: str = URL, token: str | None = None, patience_s: float = 60.0, timeout_s: float = 120.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise ServiceError(f"'{url}' is no address of a service: write {URL}")
        self.url, self.patience_s, self.timeout_s = url.rstrip("/"), patience_s, timeout_s
        self._token = token or os.environ.get(TOKEN_VARIABLE, "")

    # ---- material

    def upload(self, path: str | Path | Iterable[str | Path], name: str = "") -> str:
        """Send a file, or the files of a sequence (a list, or their folder); the answer is what jobs call it."""
        files = _files(path)
        told = {"name": name, "files": [{"name": file.name, "size": file.stat().st_size} for file in files]}
        shot = self._json("POST", "/shots", told)
        for file, received in zip(files, shot["files"], strict=True):
            self._send(file, f"/shots/{shot['id']}/files/{quote(received['name'])}")
        shot = self.shot(shot["reference"])
        if shot["state"] == "broken":
            raise ServiceError(f"{files[0]}: {shot['fault']}", 422)
        return str(shot["reference"])

    def add_path(self, path: str) -> str:
        """Take a shot where it lies on the server, under one of its roots."""
        return str(self._json("POST", "/shots", {"path": path})["reference"])

    def shot(self, reference: str) -> Told:
        """What a shot is."""
        return self._json("GET", f"/shots/{reference.removeprefix('shot:')}")

    def shots(self) -> Iterator[Told]:
        """All shots, newest first."""
        return self._all("/shots")

    def looks(self) -> list[Told]:
        """The looks at hand."""
        return list(self._json("GET", "/looks")["items"])

    def install(self, reference: str) -> str:
        """Add a style file of the store to the looks: job:ID/look.style."""
        return str(self._json("POST", "/looks", {"file": reference})["name"])

    def frame(self, of: str, number: int | None = None, **options: Any) -> bytes:
        """A frame of a shot or a result as a JPEG; `width`, `format`."""
        return self._bytes("/frames", {"of": of, "number": number, **options})

    def preview(self, of: str, frame: int | None = None, **options: Any) -> bytes:
        """A frame through a look as a JPEG; the options are those of a render, and `width`, `format`."""
        return self._bytes("/previews", {"of": of, "frame": frame, **options})

    # ---- jobs

    def submit(self, job: str, title: str = "", priority: int = 0, key: str = "", **fields: Any) -> str:
        """Ask for a job; its fields are those of the command. The same key again is the same job, and not a second one."""
        query = urlencode({"title": title, "priority": priority})
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return str(self._json("POST", f"/jobs?{query}", {"job": job, **fields}, headers)["id"])

    def job(self, job: str) -> Told:
        """How a job is."""
        return self._json("GET", f"/jobs/{job}")

    def jobs(self, state: str = "") -> Iterator[Told]:
        """All jobs, newest first."""
        return self._all("/jobs", {"state": state} if state else {})

    def act(self, job: str, action: str) -> Told:
        """cancel, pause, resume or retry."""
        return self._json("POST", f"/jobs/{job}/{action}")

    def wait(self, job: str, watch: Callable[[Told], None] | None = None, timeout_s: float | None = None) -> Told:
        """Wait until a job has ended; one that did not end well is raised. `watch` sees how it goes."""
        ends = None if timeout_s is None else time.monotonic() + timeout_s
        pause = 0.1
        while (told := self.job(job))["state"] not in ENDED:
            if watch:
                watch(told)
            if ends is not None and time.monotonic() > ends:
                raise ServiceError(f"job {job} is {told['state']} after {timeout_s:g} seconds")
            time.sleep(pause)
            pause = min(2.0, pause * 1.3)
        if told["state"] != "done" or told["fault"]:
            raise ServiceError(f"job {job} {told['state']}: {told['fault'] or 'it was stopped'}")
        return told

    def log(self, job: str) -> str:
        """What its worker printed."""
        return self._bytes(f"/jobs/{job}/log").decode()

    def results(self, job: str) -> list[Told]:
        """The files that a job wrote."""
        return list(self._json("GET", f"/jobs/{job}/results")["items"])

    def download(self, job: str, folder: str | Path) -> list[Path]:
        """Fetch them all into a folder, which is made; a file that was cut off goes on where it stopped."""
        return [self._fetch(job, told, Path(folder)) for told in self.results(job)]

    def events(self, after: str = "") -> Iterator[Told]:
        """What changes, as it changes: `kind`, `id` and what is told. Ends when the server goes; give the last id to go on."""
        with self._open("GET", f"/events?{urlencode({'after': after})}") as answer:
            held: Told = {}
            for line in answer:
                name, _, value = line.decode().rstrip("\r\n").partition(": ")
                if name in ("event", "id", "data"):
                    held["kind" if name == "event" else name] = json.loads(value) if name == "data" else value
                elif not name and held:
                    yield held
                    held = {}

    # ---- over the wire

    def _send(self, file: Path, place: str) -> None:
        """A file in pieces; where the line breaks, the server says how much it has."""
        size, offset = file.stat().st_size, 0
        with file.open("rb") as source:
            while offset < size:
                source.seek(offset)
                headers = {"Upload-Offset": str(offset), "Content-Type": "application/octet-stream"}
                try:
                    with self._open("PATCH", place, source.read(PIECE_BYTES), headers) as answer:
                        offset = int(answer.headers["Upload-Offset"])
                except ServiceError as error:
                    if error.status not in (0, 409):
                        raise
                    with self._open("HEAD", place) as answer:
                        here = int(answer.headers["Upload-Offset"])
                    if here == offset and error.status == 409:
                        raise
                    offset = here

    def _fetch(self, job: str, told: Told, folder: Path) -> Path:
        target = folder / str(told["name"])
        if not target.resolve().is_relative_to(folder.resolve()):
            raise ServiceError(f"the service names a result '{told['name']}', which is no place in {folder}")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        part.unlink(missing_ok=True)
        for _ in range(TRIES):
            here = part.stat().st_size if part.exists() else 0
            headers = {"Range": f"bytes={here}-"} if here else {}
            place = f"/jobs/{job}/results/{quote(told['name'])}"
            with suppress(OSError, HTTPException), self._open("GET", place, headers=headers) as answer, part.open("ab") as file:
                while piece := answer.read(1 << 18):
                    file.write(piece)
            if part.exists() and part.stat().st_size == told["bytes"]:
                break
        else:
            raise ServiceError(f"{told['name']} could not be fetched whole: try again")
        part.replace(target)
        return target

    def _all(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Told]:
        after: int | None = 0
        while after is not None:
            page = self._json("GET", f"{path}?{urlencode({**(query or {}), 'after': after, 'limit': 200})}")
            yield from page["items"]
            after = page["next"]

    def _bytes(self, path: str, query: Mapping[str, Any] | None = None) -> bytes:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        with self._open("GET", f"{path}?{urlencode(given, doseq=True)}") as answer:
            return bytes(answer.read())

    def _json(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Told:
        data = None if body is None else json.dumps(body, default=str).encode()
        with self._open(method, path, data, {"Content-Type": "application/json", **(headers or {})}) as answer:
            told: Told = json.loads(answer.read())
        return told

    def _open(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> HTTPResponse:
        """Ask, and ask again while the server is away or busy, as long as patience lasts and nothing is done twice by it."""
        given = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        request = Request(f"{self.url}/api/v1{path}", body, given, method=method)  # noqa: S310  http, see __init__
        again = method in ("GET", "HEAD") or "Idempotency-Key" in given
        ends, pause = time.monotonic() + self.patience_s, 0.1
        while True:
            try:
                answer: HTTPResponse = urlopen(request, timeout=self.timeout_s)  # noqa: S310
                return answer
            except HTTPError as error:
                fault, wait = _refused(error), float(error.headers.get("Retry-After") or pause)
                if error.code not in (429, 503) or time.monotonic() + wait > ends:
                    raise fault from None
            except (URLError, HTTPException, OSError) as error:
                wait, reason = pause, getattr(error, "reason", error)
                if not again or time.monotonic() > ends:
                    raise ServiceError(f"{self.url} does not answer ({reason}): is 'impasto serve' running?") from None
            time.sleep(wait)
            pause = min(2.0, pause * 1.5)


def _refused(error: HTTPError) -> ServiceError:
    with error:
        text = error.read()
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = error.reason
    return ServiceError(str(detail), error.code)


def _files(path: str | Path | Iterable[str | Path]) -> list[Path]:
    if not isinstance(path, str | Path):
        return [Path(each) for each in path]
    whole = Path(path)
    if whole.is_dir():
        return sorted(file for file in whole.iterdir() if file.is_file() and not file.name.startswith("."))
    if not whole.is_file():
        raise ServiceError(f"{whole}: no such file")
    return [whole]
