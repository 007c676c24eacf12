"""Motion vectors in EXRs: each convention is read as what it means, whatever stands before the channels' names."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from impasto.errors import MediaError
from impasto.media.exr.planes import write_planes
from impasto.media.vectors import find_vectors, read_vectors, written

SIZE = (6, 8)
AHEAD, BACK = (np.dstack([np.full(SIZE, x, np.float32), np.full(SIZE, y, np.float32)]) for x, y in ((3, -1), (-2, 5)))


def write(path: Path, channels: dict[str, np.ndarray]) -> Path:
    write_planes(path, {"R": np.zeros(SIZE, np.float32), **channels})
    return path


def test_nuke_tells_both_ways_from_here_and_counts_upward(tmp_path: Path) -> None:
    values = {"forward.u": 3, "forward.v": 1, "backward.u": -2, "backward.v": -5}
    path = write(tmp_path / "n.exr", {name: np.full(SIZE, value, np.float32) for name, value in values.items()})
    channels = find_vectors(path)
    motion = read_vectors(path, channels)
    assert channels.convention == "nuke"
    np.testing.assert_array_equal(motion.ahead, AHEAD)
    np.testing.assert_array_equal(motion.back, BACK)


def test_blender_tells_the_way_to_the_frame_before_and_the_way_from_the_next(tmp_path: Path) -> None:
    values = {"Vector.X": -2, "Vector.Y": -5, "Vector.Z": -3, "Vector.W": -1}
    path = write(tmp_path / "b.exr", {f"ViewLayer.{name}": np.full(SIZE, value, np.float32) for name, value in values.items()})
    channels = find_vectors(path)
    motion = read_vectors(path, channels)
    assert channels.convention == "blender"
    np.testing.assert_array_equal(motion.ahead, AHEAD)
    np.testing.assert_array_equal(motion.back, BACK)


@pytest.mark.parametrize("convention", ["nuke", "blender"])
def test_what_is_written_is_read(tmp_path: Path, convention: str) -> None:
    path = write(tmp_path / "w.exr", written(AHEAD, BACK, convention))
    motion = read_vectors(path, find_vectors(path))
    np.testing.assert_array_equal(motion.ahead, AHEAD)
    np.testing.assert_array_equal(motion.back, BACK)


def test_one_way_alone_is_found_and_what_is_no_number_is_no_motion(tmp_path: Path) -> None:
    planes = {"beauty.forward.u": np.full(SIZE, 3, np.float32), "beauty.forward.v": np.full(SIZE, 1, np.float32)}
    planes["beauty.forward.u"][0, 0] = np.inf
    path = write(tmp_path / "f.exr", planes)
    motion = read_vectors(path, find_vectors(path))
    assert motion.back is None
    assert motion.ahead is not None
    assert motion.ahead[0, 0].tolist() == [0, 0]
    np.testing.assert_array_equal(motion.ahead[1:], AHEAD[1:])


def test_a_file_without_motion_says_what_it_has(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", {"depth.Z": np.zeros(SIZE, np.float32)})
    with pytest.raises(MediaError, match=r"forward\.u.*\(nuke\) or Vector\.Z.*\(blender\); it has .*depth\.Z.*--vectors"):
        find_vectors(path)
    other = write(tmp_path / "n.exr", written(AHEAD, BACK, "nuke"))
    with pytest.raises(MediaError, match="lacks the motion vectors that its first frame has"):
        read_vectors(path, find_vectors(other))
    with pytest.raises(MediaError, match="only an EXR can"):
        find_vectors(tmp_path / "a.png")
