"""Sequences: every way to name one, frames in order under their own numbers, and one line for what is not one sequence."""
from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto import media
from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame
from impasto.media import is_sequence, open_reader, sequence
from impasto.media.encoding import Decoding
from impasto.media.sequence import Pattern, SequenceReader, SequenceWriter, find_frames

SMALL = ClipInfo(6, 4)


def flat(value: int, size: tuple[int, int] = (4, 6)) -> Image.Image:
    return Image.fromarray(np.full((*size, 3), value % 251, np.uint8))


def lay(folder: Path, names: dict[str, int]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, value in names.items():
        flat(value).save(folder / name)
    return folder


def shot(folder: Path, numbers: range | list[int], name: str = "shot.{:04d}.png") -> Path:
    return lay(folder, {name.format(number): number for number in numbers})


def numbers_and_values(path: Path, missing: str = "error") -> list[tuple[int, int]]:
    with open_reader(path, Decoding(missing)) as reader:  # type: ignore[arg-type] # parametrised
        return [(frame.number, int(frame.pixels[0, 0, 0])) for frame in reader]


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["shot.####.png", "shot.%04d.png", "shot.$F4.png", "shot.@@@@.png", "shot.#.png", "shot.$F.png",
                                  "shot.%d.png", "*.png", "sh?t.*.png", "shot.*"])  # fmt: skip
def test_every_way_to_name_a_sequence(tmp_path: Path, name: str) -> None:
    shot(tmp_path, [8, 9, 10])
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".shot.0011.png").touch()  # unfinished
    assert numbers_and_values(tmp_path / name) == [(8, 8), (9, 9), (10, 10)]


def test_a_folder_is_its_only_sequence(tmp_path: Path) -> None:
    shot(tmp_path, range(1001, 1004), "v2_{}_left.png")
    with open_reader(tmp_path) as reader:
        assert list(reader.numbers()) == [1001, 1002, 1003]
        assert (reader.info.width, reader.info.height, reader.info.frames) == (6, 4, 3)
        assert isinstance(reader, SequenceReader)
        assert reader.path_of(1002) == tmp_path / "v2_1002_left.png"


def test_pictures_without_numbers_are_counted(tmp_path: Path) -> None:
    lay(tmp_path, {"sea.png": 3, "beach.png": 1, "Cliff.png": 2})
    with open_reader(tmp_path) as reader:
        assert [frame.pixels[0, 0, 0] for frame in reader] == [1, 2, 3]
        assert isinstance(reader, SequenceReader)
        assert [reader.path_of(number).name for number in reader.numbers()] == ["beach.png", "Cliff.png", "sea.png"]


@pytest.mark.parametrize(("text", "number", "expected"), [
    ("shot.####.png", 12, "shot.0012.png"),
    ("shot.####.png", 123456, "shot.123456.png"),
    ("shot.#.png", 7, "shot.7.png"),
    ("shot.%04d.png", 12, "shot.0012.png"),
    ("shot.%d.v2.png", 12, "shot.12.v2.png"),
    ("shot.$F5.exr", 12, "shot.00012.exr"),
    ("take2####.png", 12, "take20012.png"),  # not frame 2
    ("shot-####.png", 12, "shot-0012.png"),
    ("@@.png", 7, "07.png"),
    ("shot.####.png", -3, "shot.-003.png"),
])  # fmt: skip
def test_patterns_name_files(text: str, number: int, expected: str) -> None:
    pattern = Pattern.parse(f"a#b/{text}")
    assert pattern.path(number) == Path("a#b") / expected
    assert pattern.number_of(expected) == number
    assert is_sequence(text)


def test_negative_frames_and_dashes_are_told_apart(tmp_path: Path) -> None:
    lay(tmp_path, {"shot-0001.png": 1, "shot--002.png": 2, "shot--001.png": 3, "shot-0000.png": 4})
    expected = [(-2, 2), (-1, 3), (0, 4), (1, 1)]
    assert numbers_and_values(tmp_path / "shot-####.png") == expected
    assert numbers_and_values(tmp_path) == expected


def test_any_padding_is_read_but_no_number_twice(tmp_path: Path) -> None:
    lay(tmp_path, {"a.8.png": 8, "a.09.png": 9, "a.0010.png": 10})
    assert numbers_and_values(tmp_path / "a.####.png") == [(8, 8), (9, 9), (10, 10)]
    lay(tmp_path, {"a.010.png": 10})
    for path in (tmp_path, tmp_path / "a.#.png"):
        with pytest.raises(MediaError, match=r"has frame 10 twice, as a\.0010\.png and a\.010\.png"):
            open_reader(path)


def test_names_that_mean_something_to_other_programs_are_plain_here(tmp_path: Path) -> None:
    shot(tmp_path, [1, 2], "a[1]+(b).{:02d}.png")
    shot(tmp_path, [1, 2], "a1+b.{:02d}.png")
    assert [path.name for path in find_frames(tmp_path / "a[1]+(b).##.png").values()] == ["a[1]+(b).01.png", "a[1]+(b).02.png"]


def test_a_file_may_be_called_like_a_pattern(tmp_path: Path) -> None:
    flat(5).save(tmp_path / "take#1.png")
    assert not is_sequence(tmp_path / "take#1.png")
    assert numbers_and_values(tmp_path / "take#1.png") == [(0, 5)]


@pytest.mark.parametrize(("names", "ask", "expected"), [
    (["a.1.png", "a.2.png", "b.1.png", "b.2.png"], "", r"one sequence \(a\.#\.png, b\.#\.png\): name one by its pattern"),
    (["a.1.png", "a.2.png", "sea.png"], "", r"more than one sequence \(a\.#\.png, sea\.png\)"),
    (["a.1.png", "a.2.jpg"], "", "more than one sequence"),
    ([f"{letter}1.png" for letter in "abcdefghij"], "", "and 4 more"),
    (["a.1.png", "b.2.png"], "*.png", "more than one sequence"),
    ([], "", "holds no pictures"),
    ([], "*.png", "holds no pictures"),
    (["a.1.png"], "b.####.png", "no such frames: is the name spelt right"),
    ([], "none/a.####.png", "no such folder"),
    (["a.1.png"], "a.##.##.png", "more than one place for the frame number"),
])  # fmt: skip
def test_what_is_no_sequence_ends_in_one_line(tmp_path: Path, names: list[str], ask: str, expected: str) -> None:
    lay(tmp_path, dict.fromkeys(names, 1))
    with pytest.raises(MediaError, match=expected) as raised:
        open_reader(tmp_path / ask)
    assert "\n" not in str(raised.value)


# ---------------------------------------------------------------- gaps


def test_gaps_are_named_held_or_skipped(tmp_path: Path) -> None:
    shot(tmp_path, [1, 2, 5, 6, 8])
    with pytest.raises(MediaError, match=r"frames 3-4, 7 are missing: add them, or --missing hold repeats the frame before"):
        open_reader(tmp_path)
    assert numbers_and_values(tmp_path, "skip") == [(1, 1), (2, 2), (5, 5), (6, 6), (8, 8)]
    held = [(1, 1), (2, 2), (3, 2), (4, 2), (5, 5), (6, 6), (7, 6), (8, 8)]
    assert numbers_and_values(tmp_path, "hold") == held
    with open_reader(tmp_path, Decoding("hold")) as reader:
        assert reader.info.frames == 8
        assert [(frame.number, frame.pixels[0, 0, 0]) for frame in reader.read([4, 7, 8])] == [(4, 2), (7, 6), (8, 8)]


def test_one_missing_frame_is_told_as_one(tmp_path: Path) -> None:
    shot(tmp_path, [1, 3])
    with pytest.raises(MediaError, match="frame 2 is missing"):
        open_reader(tmp_path)


# ---------------------------------------------------------------- frames


def test_only_what_is_asked_for_is_opened(tmp_path: Path) -> None:
    shot(tmp_path, range(1, 40))
    for number in range(10, 30):
        (tmp_path / f"shot.{number:04d}.png").write_bytes(b"not a picture")
    with open_reader(tmp_path) as reader:
        assert [frame.number for frame in reader.read([3, 5, 31])] == [3, 5, 31]
        assert [frame.pixels[0, 0, 0] for frame in reader.read([3, 5, 31])] == [3, 5, 31]


def test_few_frames_are_held_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shot(tmp_path, range(1, 31))
    opened: list[Path] = []
    plain = media.open_reader
    with SequenceReader(tmp_path) as reader:
        monkeypatch.setattr(media, "open_reader", lambda path, *rest: opened.append(path) or plain(path, *rest))  # type: ignore[func-returns-value]
        frames = iter(reader)
        next(frames)
        assert len(opened) <= 2 * sequence.THREADS
        frames.close()  # type: ignore[attr-defined] # a generator
        assert len(opened) <= 2 * sequence.THREADS
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("impasto-decode")]


def test_large_frames_are_held_one_by_one() -> None:
    assert sequence._depth(ClipInfo(7680, 4320, depth="uint16", channels=4)) == 1
    assert sequence._depth(ClipInfo(1280, 720)) == 2 * sequence.THREADS


@pytest.mark.parametrize(("spoil", "expected"), [
    (lambda path: flat(1, (5, 6)).save(path), "is 6x5 with 3 channels of 8: a sequence is of one kind, and frame 1 is 6x4"),
    (lambda path: flat(1).convert("RGBA").save(path), "with 4 channels"),
    (lambda path: Image.fromarray(np.zeros((4, 6), np.uint16)).save(path), "with 1 channels of 16"),
    (lambda path: path.write_bytes(path.read_bytes()[:-20]), "cut short"),
    (lambda path: path.write_bytes(b""), "is empty"),
    (lambda path: path.write_text("hello"), "is text"),
])  # fmt: skip
def test_a_frame_that_is_not_like_the_others_is_named(tmp_path: Path, spoil: object, expected: str) -> None:
    shot(tmp_path, range(1, 6))
    assert callable(spoil)
    spoil(tmp_path / "shot.0003.png")
    seen: list[Frame] = []
    with open_reader(tmp_path) as reader, pytest.raises(MediaError, match=expected) as raised:
        seen.extend(reader)
    assert [frame.number for frame in seen] == [1, 2]
    assert raised.value.path == tmp_path / "shot.0003.png"


# ---------------------------------------------------------------- writing


def frames(numbers: range) -> list[Frame]:
    return [Frame(np.full((4, 6, 3), number, np.uint8), number) for number in numbers]


def test_every_frame_gets_its_own_file(tmp_path: Path) -> None:
    out = tmp_path / "out" / "shot.####.png"
    with SequenceWriter(out, SMALL) as writer:
        for frame in frames(range(8, 30)):
            writer.write(frame)
    assert sorted(file.name for file in out.parent.iterdir()) == [f"shot.{number:04d}.png" for number in range(8, 30)]
    assert numbers_and_values(out) == [(number, number) for number in range(8, 30)]


def test_frames_that_are_there_are_left_alone(tmp_path: Path) -> None:
    shot(tmp_path, [3])
    before = (tmp_path / "shot.0003.png").read_bytes()

    def written(overwrite: bool) -> None:
        with SequenceWriter(tmp_path / "shot.####.png", SMALL, overwrite) as writer:
            for frame in frames(range(102, 105)) if not overwrite else frames(range(3, 4)):
                writer.write(frame)
            writer.write(Frame(np.zeros((4, 6, 3), np.uint8), 3))

    with pytest.raises(MediaError, match=r"shot\.0003\.png: exists already"):
        written(overwrite=False)
    assert (tmp_path / "shot.0003.png").read_bytes() == before
    written(overwrite=True)
    assert (tmp_path / "shot.0003.png").read_bytes() != before
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_nothing_unfinished_is_left(tmp_path: Path) -> None:
    def stopped(count: int) -> None:
        with SequenceWriter(tmp_path / "out" / "shot.####.png", SMALL) as writer:
            for frame in frames(range(count)):
                writer.write(frame)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped(0)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt):
        stopped(5)
    assert all(file.name.startswith("shot.") for file in (tmp_path / "out").iterdir())


@pytest.mark.parametrize(("name", "like", "expected"), [
    ("shot.####.jpg", ClipInfo(6, 4, channels=4), "cannot carry the alpha"),
    ("shot.####.mp4", SMALL, "a sequence is of pictures, not of .mp4 files"),
    ("*.png", SMALL, r"has no place for the frame number: write .*\.####\.png"),
    ("none/below/shot.####.png", SMALL, "create it first"),
])  # fmt: skip
def test_impossible_sequences_are_refused_before_work(tmp_path: Path, name: str, like: ClipInfo, expected: str) -> None:
    with pytest.raises(MediaError, match=expected):
        SequenceWriter(tmp_path / name, like)
    assert list(tmp_path.iterdir()) == []
