"""Files that others made, as answers: ranges are served, and whatever a file holds cannot act in our page's name."""
from __future__ import annotations

import io
import mimetypes
import zipfile
from collections.abc import Iterator
from pathlib import Path

from fastapi import Response
from fastapi.responses import FileResponse, StreamingResponse

from impasto.serve.problems import Problem

# A report is a page with its own script: it may run, but in an origin of its own, from where nothing of ours can be reached.
SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "media-src data:; frame-ancestors 'self'"
)
SHOWN = ("image/png", "image/jpeg", "image/webp", "video/mp4", "video/webm", "video/quicktime", "text/html", "text/plain")
KINDS = {".style": "application/octet-stream", ".mkv": "video/x-matroska", ".mov": "video/quicktime", ".exr": "image/x-exr"}


def send_file(path: Path, download: bool = False) -> Response:
    """A file with ranges, ETag and date."""
    if not path.is_file():
        raise Problem(404, f"there is no file {path.name}")
    kind = KINDS.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    shown = kind in SHOWN and not download
    headers = {"Content-Security-Policy": SANDBOX, "Cache-Control": "private, no-cache"}
    place = "inline" if shown else "attachment"
    return FileResponse(path, media_type=kind, headers=headers, filename=path.name, content_disposition_type=place)


def send_zip(folder: Path, name: str) -> Response:
    """All files of a folder in one, made while it is sent."""
    return StreamingResponse(
        _zipped(folder), media_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}.zip"'}
    )


def files_of(folder: Path) -> list[Path]:
    """The files of a folder that are for others to see, in order."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


class _Pipe(io.RawIOBase):
    """What a zip is written to: it cannot go back, and is emptied as it is filled."""

    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self.held += piece
        return len(piece)

    def taken(self) -> bytes:
        """What has come since it was last asked."""
        taken, self.held = bytes(self.held), bytearray()
        return taken


def _zipped(folder: Path) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for path in files_of(folder):
            about = zipfile.ZipInfo.from_file(path, path.relative_to(folder), strict_timestamps=False)
            with path.open("rb") as source, archive.open(about, "w", force_zip64=True) as target:
                while piece := source.read(1 << 18):
                    target.write(piece)
                    yield pipe.taken()
    yield pipe.taken()
