"""Frames find their paintings: by order, number or name; sizes must fit; what does not is said in a line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import InputError
from impasto.evaluate.pairing import check_sizes, is_shot, open_pairs
from impasto.frame import ClipInfo, Frame
from impasto.media import open_writer


def picture(path: Path, value: int = 100, size: tuple[int, int] = (48, 32)) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)
    return path


def frames(folder: Path, numbers: range, size: tuple[int, int] = (48, 32)) -> Path:
    for number in numbers:
        picture(folder / f"f.{number:04d}.png", number, size)
    return folder


def movie(path: Path, values: range) -> Path:
    with open_writer(path, ClipInfo(64, 48, len(values), Fraction(24))) as writer:
        for number, value in enumerate(values):
            writer.write(Frame(np.full((48, 64, 3), value * 8, np.uint8), number))
    return path


def values(source: Path, output: Path, wanted: str = "all") -> list[tuple[str, int, int]]:
    """Each pair by its name and the grey that is in it."""
    pairs = open_pairs(source, output, wanted).read()
    return [(name, round(float(one.mean()) * 255), round(float(other.mean()) * 255)) for name, one, other in pairs]


def test_two_pictures_are_one_pair(tmp_path: Path) -> None:
    pairs = open_pairs(picture(tmp_path / "a.png", 10), picture(tmp_path / "b.png", 20))
    assert (len(pairs), pairs.moving) == (1, False)
    assert values(tmp_path / "a.png", tmp_path / "b.png") == [("a.png", 10, 20)]


def test_as_many_frames_are_paired_in_order(tmp_path: Path) -> None:
    source, output = frames(tmp_path / "s", range(1001, 1004)), frames(tmp_path / "o", range(1, 4))
    assert open_pairs(source, output).moving
    assert [name for name, _, _ in values(source, output)] == ["1001", "1002", "1003"]


def test_fewer_frames_are_paired_by_number(tmp_path: Path) -> None:
    source, output = frames(tmp_path / "s", range(1, 9)), frames(tmp_path / "o", range(4, 7))
    assert values(source, output) == [("4", 4, 4), ("5", 5, 5), ("6", 6, 6)]
    assert values(source, tmp_path / "o" / "f.####.png", "5-6") == [("5", 5, 5), ("6", 6, 6)]


def test_a_movie_that_was_cut_must_say_where(tmp_path: Path) -> None:
    source, output = movie(tmp_path / "s.mkv", range(1, 7)), movie(tmp_path / "o.mkv", range(3, 6))
    with pytest.raises(InputError, match=r"o\.mkv: has 3 frames, and of .*s\.mkv 6 are wanted: .*--frames 24-48"):
        open_pairs(source, output)
    found = values(source, output, "3-5")
    assert [name for name, _, _ in found] == ["3", "4", "5"]
    assert all(abs(one - other) <= 2 for _, one, other in found)


def test_folders_of_pictures_are_paired_by_name(tmp_path: Path) -> None:
    for name, value in (("cat", 1), ("dog", 2), ("owl", 3)):
        picture(tmp_path / "s" / f"{name}.png", value)
    picture(tmp_path / "o" / "owl.tif", 30)
    picture(tmp_path / "o" / "cat.png", 10)
    pairs = open_pairs(tmp_path / "s", tmp_path / "o")
    assert (len(pairs), pairs.moving, pairs.unpainted) == (2, False, 1)
    assert values(tmp_path / "s", tmp_path / "o") == [("cat.png", 1, 10), ("owl.png", 3, 30)]


def test_a_painting_of_nothing_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "s" / "cat.png")
    picture(tmp_path / "o" / "bat.png")
    with pytest.raises(InputError, match=r"bat\.png is called like no picture in .*s: "):
        open_pairs(tmp_path / "s", tmp_path / "o")
    (tmp_path / "o" / "bat.png").unlink()
    with pytest.raises(InputError, match="holds no painting of any"):
        open_pairs(tmp_path / "s", tmp_path / "o")


def test_a_folder_is_a_shot_if_it_is_numbered_without_gaps_and_of_one_size(tmp_path: Path) -> None:
    assert is_shot(frames(tmp_path / "shot", range(5, 9)))
    assert not is_shot(frames(tmp_path / "gap", range(1, 9, 2)))
    picture(frames(tmp_path / "sizes", range(1, 3)) / "f.0003.png", size=(32, 48))
    assert not is_shot(tmp_path / "sizes")
    picture(tmp_path / "names" / "cat.png")
    assert not is_shot(tmp_path / "names")


def test_one_against_many_is_refused(tmp_path: Path) -> None:
    one, many = picture(tmp_path / "a.png"), frames(tmp_path / "o", range(1, 4))
    with pytest.raises(InputError, match=r"a\.png: is one picture, and .*o is several"):
        open_pairs(one, many)
    with pytest.raises(InputError, match=r"a\.png: is one picture, and .*o is several"):
        open_pairs(many, one)


@pytest.mark.parametrize(
    ("ours", "theirs", "factor"),
    [
        ((48, 32), (48, 32), 1),
        ((48, 32), (96, 64), 2),
        ((48, 32), (24, 16), -2),
        ((49, 33), (25, 17), -2),
        ((1001, 501), (250, 125), -4),
    ],
)
def test_whole_factors_fit(ours: tuple[int, int], theirs: tuple[int, int], factor: int) -> None:
    assert check_sizes(ours, theirs, Path("s.png"), Path("o.png")) == factor


@pytest.mark.parametrize("theirs", [(48, 33), (72, 48), (32, 48), (50, 32)])
def test_other_sizes_are_refused(theirs: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=rf"o\.png: is {theirs[0]}x{theirs[1]}, and s\.png 48x32: give a painting of the source"):
        check_sizes((48, 32), theirs, Path("s.png"), Path("o.png"))


def test_both_are_measured_at_the_smaller_size_and_no_longer_than_asked(tmp_path: Path) -> None:
    source, output = picture(tmp_path / "a.png"), picture(tmp_path / "b.png", size=(96, 64))
    (_, one, other), *_ = open_pairs(source, output).read()
    assert one.shape == other.shape == (32, 48, 3)
    (_, one, other), *_ = open_pairs(source, output, side=24).read()
    assert one.shape == other.shape == (16, 24, 3)
    assert one.dtype == np.float32
