"""CIFAR-10's binary form, on self-made archives of that form; nothing of it is a pickle, and what is wrong is told in a line."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError
from impasto.learn.material.cifar import LABELS, RECORD, is_cifar, read_cifar


def records(labels: list[int], seed: int = 0) -> tuple[bytes, np.ndarray]:
    """Records of these labels, and the pictures [n,32,32,3] in them."""
    pictures = np.random.default_rng(seed).integers(0, 256, (len(labels), 32, 32, 3), np.uint8)
    parts = [bytes([label]) + picture.transpose(2, 0, 1).tobytes() for label, picture in zip(labels, pictures, strict=True)]
    return b"".join(parts), pictures


def archive(path: Path, parts: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for name, data in parts.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    return path


def test_a_part_is_read_to_the_pixel(tmp_path: Path) -> None:
    data, pictures = records([3, 5, 9])
    (tmp_path / "data_batch_1.bin").write_bytes(data)
    found = read_cifar(tmp_path / "data_batch_1.bin")
    assert np.array_equal(np.stack(found.images), pictures)
    assert found.names == ["data_batch_1.bin"]
    assert len(found.hashes[0]) == 64


def test_an_archive_gives_all_its_parts_and_leaves_the_test_batch(tmp_path: Path) -> None:
    one, first = records([0, 1], 1)
    two, second = records([7], 2)
    parts = {
        "batches.meta.txt": b"airplane\n",
        "data_batch_1.bin": one,
        "data_batch_2.bin": two,
        "test_batch.bin": records([2])[0],
    }
    found = read_cifar(archive(tmp_path / "cifar-10-binary.tar.gz", parts))
    assert np.array_equal(np.stack(found.images), np.concatenate([first, second]))


def test_labels_choose(tmp_path: Path) -> None:
    data, pictures = records([7, 0, 7, 3])
    (tmp_path / "a.bin").write_bytes(data)
    assert np.array_equal(np.stack(read_cifar(tmp_path / "a.bin", ["horse"]).images), pictures[[0, 2]])
    assert len(read_cifar(tmp_path / "a.bin", ["horse", "airplane"]).images) == 3
    with pytest.raises(InputError, match="'zebra' is none of CIFAR-10's: choose from airplane"):
        read_cifar(tmp_path / "a.bin", ["zebra"])
    assert len(LABELS) == 10


def test_what_is_no_cifar_is_told_in_one_line(tmp_path: Path) -> None:
    data, _ = records([1, 2])
    cut, odd, empty = tmp_path / "cut.bin", tmp_path / "odd.bin", tmp_path / "empty.bin"
    cut.write_bytes(data[:-1])
    odd.write_bytes(data[:RECORD] + b"\x0a" + data[RECORD + 1 :])
    empty.write_bytes(b"")
    (tmp_path / "no.tar.gz").write_bytes(b"\x1f\x8b not really")
    whole = archive(tmp_path / "whole.tar.gz", {"data_batch_1.bin": data}).read_bytes()
    (tmp_path / "half.tar.gz").write_bytes(whole[: len(whole) // 2])
    archive(tmp_path / "python.tar.gz", {"data_batch_1": b"\x80\x04a pickle"})
    archive(tmp_path / "short.tar.gz", {"data_batch_1.bin": data[:100]})
    told = {
        "cut.bin": f"has {len(data) - 1} bytes, no multiple of a record's 3073",
        "odd.bin": "record 1 has label 10, and CIFAR-10 has 0 to 9",
        "empty.bin": "has 0 bytes",
        "no.tar.gz": "cannot be read as an archive",
        "half.tar.gz": "cannot be read as an archive",
        "python.tar.gz": r"holds no data_batch_N\.bin: give cifar-10-binary\.tar\.gz",
        "short.tar.gz": r"its data_batch_1\.bin: has 100 bytes",
        "gone.bin": "no such file",
    }
    for name, fault in told.items():
        with pytest.raises(InputError, match=fault) as caught:
            read_cifar(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert name in str(caught.value)


def test_names_tell() -> None:
    assert is_cifar(Path("cifar-10-binary.tar.gz"))
    assert is_cifar(Path("data_batch_4.bin"))
    assert not is_cifar(Path("art"))
    assert not is_cifar(Path("art.png"))
