"""CIFAR-10 in its binary form: `cifar-10-binary.tar.gz`, or one of its `data_batch_N.bin`. No pickle is ever opened.

A record is one byte of label and 3072 of picture: 1024 red, 1024 green, 1024 blue, each row by row.
"""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from impasto.errors import InputError
from impasto.learn.material.data import Picture, Pictures

LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
MOST_RECORDS = 100_000  # the whole set has 60,000
ARCHIVES = (".tar.gz", ".tgz", ".tar")


def is_cifar(path: Path) -> bool:
    """Whether a path is named like the archive or one of its parts; what is in it, reading tells."""
    return path.suffix == ".bin" or path.name.endswith(ARCHIVES)


def read_cifar(path: Path, only: Sequence[str] = ()) -> Pictures:
    """The pictures of an archive or a part, all or those of some labels; the file stands in the lists as one name and hash."""
    unknown = [label for label in only if label not in LABELS]
    if unknown:
        raise InputError(f"label '{unknown[0]}' is none of CIFAR-10's: choose from {', '.join(LABELS)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    wanted = [LABELS.index(label) for label in only] or list(range(len(LABELS)))
    images: list[Picture] = []
    for name, data in _parts(path):
        images += _pictures(name, data, wanted)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Pictures(images, names=[path.name], sizes=[(SIDE, SIDE)], hashes=[digest])


def _parts(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every part; the archive's test batch is left for measuring."""
    if path.suffix == ".bin":
        if path.stat().st_size > MOST_RECORDS * RECORD:
            raise InputError(f"{path}: is far larger than all of CIFAR-10: give data_batch_1.bin or the like")
        yield str(path), path.read_bytes()
        return
    found = False
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if not (member.isfile() and name.startswith("data_batch_") and name.endswith(".bin")):
                    continue
                if member.size > MOST_RECORDS * RECORD:
                    raise InputError(f"{path}: its {name} is far larger than all of CIFAR-10: get the archive again")
                opened = archive.extractfile(member)
                assert opened is not None, "a plain file of an archive can be read"
                found = True
                yield f"{path}: its {name}", opened.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read as an archive ({type(error).__name__}): get it again") from None
    if not found:
        raise InputError(f"{path}: holds no data_batch_N.bin: give cifar-10-binary.tar.gz, the binary version of CIFAR-10")


def _pictures(name: str, data: bytes, wanted: Sequence[int]) -> list[NDArray[np.uint8]]:
    if not data or len(data) % RECORD:
        hint = "the file is cut short, or not CIFAR-10's binary version"
        raise InputError(f"{name}: has {len(data)} bytes, no multiple of a record's {RECORD}: {hint}")
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
    labels = records[:, 0]
    if labels.max() >= len(LABELS):
        where = int((labels >= len(LABELS)).argmax())
        raise InputError(f"{name}: record {where} has label {labels[where]}, and CIFAR-10 has 0 to 9: get the file again")
    chosen = records[np.isin(labels, wanted), 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return list(np.ascontiguousarray(chosen))
