"""The frame to paint next is the one least like those that are painted, and worst in what was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import InputError
from impasto.evaluate.next_key import find_next, painted_frames

NAMES = [str(number) for number in range(1, 13)]


def turning(angles: list[float]) -> dict[str, NDArray[np.float32]]:
    """Frames whose content turns: two cells, of which one stays."""
    cells = [np.array([[1, 0], [np.cos(angle), np.sin(angle)]], np.float32) for angle in angles]
    return dict(zip(NAMES, cells, strict=False))


def rows(structure: list[float]) -> list[dict[str, object]]:
    return [{"frame": name, "picture": {"structure": value}} for name, value in zip(NAMES, structure, strict=False)]


STEADY = [0.8] * 12


def test_it_is_the_farthest_from_all_that_is_painted() -> None:
    contents = turning([n / 12 for n in range(12)])
    found = find_next(rows(STEADY), contents, ["1"])
    assert (found.frame, found.nearest) == ("12", "1")
    assert find_next(rows(STEADY), contents, ["1", "12"]).frame in ("6", "7")
    assert find_next(rows(STEADY), contents, ["1"]).then[0] in ("5", "6", "7"), "as if 12 were painted by then"


def test_of_frames_as_far_the_worst_painted_is_named() -> None:
    contents = turning([0] * 6 + [1] * 6)
    bad = [0.8] * 9 + [0.3, 0.3, 0.3]
    found = find_next(rows(bad), contents, ["1"])
    assert int(found.frame) >= 10
    assert found.faults[0][:2] == ("picture", "structure")
    assert "with structure kept 0.30 (mean" in found.told
    assert f"paint frame {found.frame} next: least like any painted frame" in found.told


def test_a_painted_frame_is_never_named_however_bad() -> None:
    found = find_next(rows([0.1] + [0.9] * 11), turning([0] + [0.001] * 11), ["1"])
    assert found.frame != "1"
    assert found.alike
    assert "little would be gained" in found.told
    assert found.as_json()["words"] == found.told


def test_painted_frames_are_ranges_or_a_folder(tmp_path: Path) -> None:
    assert painted_frames("1,3-4", NAMES) == ["1", "3", "4"]
    for name in ("key_0002.png", "key_0011.png", "key_0099.png", "notes.txt"):
        if name.endswith("png"):
            Image.new("RGB", (4, 4)).save(tmp_path / name)
    assert painted_frames(str(tmp_path), NAMES) == ["2", "11"]
    with pytest.raises(InputError, match="holds no frame of 20-21: its pictures are 2, 11, 99"):
        painted_frames(str(tmp_path), ["20", "21"])
    with pytest.raises(InputError, match="frame 40 does not exist"):
        painted_frames("40", NAMES)


def test_what_was_not_measured_cannot_be_compared() -> None:
    contents = turning([0] * 12)
    with pytest.raises(InputError, match="names every frame"):
        find_next(rows(STEADY), contents, NAMES)
    del contents["2"]
    with pytest.raises(InputError, match=r"1 frame \(2\) not among those measured: leave out --every"):
        find_next(rows(STEADY), contents, ["2"])
