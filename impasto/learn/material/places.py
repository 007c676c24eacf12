"""What of a folder is learnt from: its pictures and sub-folders, without what is hidden there and what a training laid there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from impasto.media import list_pictures

PREVIEW, STYLE = ".preview.png", ".style"
SYSTEMS_OWN = ("__MACOSX", "@eaDir")  # folders that unpacking and network disks leave behind
NOT_READ = (".gif", ".bmp", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".tga", ".psd", ".svg")  # pictures in the eyes of users


def pictures_in(folder: Path) -> list[Path]:
    """The pictures that lie in a folder, but for the previews of looks that were written into it."""
    return [path for path in list_pictures(folder) if not _is_preview(path)]


def folders_in(folder: Path) -> list[Path]:
    """The sub-folders that hold a picture, in themselves or further down."""
    return [inner for inner in _inner(folder) if any(pictures_in(each) for each in walk(inner))]


def walk(folder: Path) -> Iterator[Path]:
    """The folder and all folders below it that count; linked ones are not followed further, for they may lead in a circle."""
    yield folder
    for inner in _inner(folder):
        yield from [inner] if inner.is_symlink() else walk(inner)


def overlooked(folder: Path) -> list[str]:
    """A line for each picture, in the folder and below, of a kind that is not read."""
    files = [file for each in walk(folder) for file in sorted(each.iterdir())]
    found = [file for file in files if file.suffix.lower() in NOT_READ and not file.name.startswith(".")]
    return [f"{file}: {file.suffix} is not read here: save it as PNG, JPEG or TIFF" for file in found]


def _inner(folder: Path) -> list[Path]:
    try:
        inner = [path for path in folder.iterdir() if path.is_dir()]
    except OSError:  # whoever lists its pictures says why
        return []
    return sorted(path for path in inner if not path.name.startswith((".", *SYSTEMS_OWN)) and not _is_run(path))


def _is_run(folder: Path) -> bool:
    """Whether a training, or a search of several, keeps its checkpoints and contact sheets here."""
    if (folder / "search.sqlite").is_file():
        return True
    return (folder / "job.json").is_file() and any(any(folder.glob(kept)) for kept in ("*/*.checkpoint", "*/curve.jsonl"))


def _is_preview(path: Path) -> bool:
    return path.name.endswith(PREVIEW) and path.with_name(path.name.removesuffix(PREVIEW) + STYLE).is_file()
