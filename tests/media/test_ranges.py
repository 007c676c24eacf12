"""Ranges and trims: the frames that are meant, and one line for what no clip has."""
from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.errors import InputError
from impasto.media.ranges import Clock, Frames, chosen, runs, say, seconds

SHOT = range(1001, 1101)
GAPPY = [1001, 1002, 1005, 1006, 1010]
FILM = Fraction(24)
NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(("text", "expected"), [
    ("all", list(SHOT)),
    ("1001", [1001]),
    ("1001-1003", [1001, 1002, 1003]),
    ("1001-1009x4,1100", [1001, 1005, 1009, 1100]),
    (" 1005 - 1006 , 1002 ", [1002, 1005, 1006]),
    ("1003-1005,1004-1006,1004", [1003, 1004, 1005, 1006]),
    ("1098-", [1098, 1099, 1100]),
    ("-1002", [1001, 1002]),
    ("1090-x5", [1090, 1095, 1100]),
    ("-1010x4", [1001, 1005, 1009]),
])  # fmt: skip
def test_ranges(text: str, expected: list[int]) -> None:
    assert Frames.parse(text).chosen(SHOT) == expected


def test_frames_below_zero() -> None:
    numbers = range(-10, 5)
    assert Frames.parse("-5--3").chosen(numbers) == [-5, -4, -3]
    assert Frames.parse("-3--3").chosen(numbers) == [-3]
    assert Frames.parse("-2-1").chosen(numbers) == [-2, -1, 0, 1]
    assert Frames.parse("--9").chosen(numbers) == [-10, -9]
    assert Frames.parse("-1").chosen(numbers) == list(range(-10, 2)), "an open beginning"


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 30), st.integers(1, 7)), min_size=1, max_size=4))
def test_any_ranges_are_each_frame_once_rising(spans: list[tuple[int, int, int]]) -> None:
    text = ",".join(f"{first}-{first + length}x{step}" for first, length, step in spans)
    expected = {number for first, length, step in spans for number in range(first, first + length + 1, step)}
    assert Frames.parse(text).chosen(range(-100, 101)) == sorted(expected)


def test_a_gap_inside_a_range_is_passed_over_but_not_when_named() -> None:
    assert Frames.parse("1001-1006").chosen(GAPPY) == [1001, 1002, 1005, 1006]
    with pytest.raises(InputError, match="frame 1004 does not exist: there are 1001-1002, 1005-1006, 1010"):
        Frames.parse("1002,1004").chosen(GAPPY)


@pytest.mark.parametrize(("text", "expected"), [
    ("", "cannot be read: write 'all' or ranges such as"),
    ("1001,,1002", "cannot be read"),
    ("-", "cannot be read"),
    ("five", "frames 'five' cannot be read"),
    ("1001x2", "cannot be read"),
    ("1.5", "cannot be read"),
    ("١٠٠١", "cannot be read"),
    ("9" * 5000, "cannot be read"),
    ("1100-1001", "run backwards in 1100-1001: write 1001-1100"),
    ("1001-1100x0", "step by 0"),
    ("1-10", "frames 1-10 do not exist: there are 1001-1100"),
    ("1090-1110", "frames 1101-1110 do not exist"),
    ("990-1110", "frames 990-1000, 1101-1110 do not exist"),
    ("1101", "frame 1101 does not exist: there are 1001-1100"),
    ("2000-", "frame 2000 does not exist"),
    ("-7", "frame 7 does not exist"),
    ("1-999999999999", "do not exist"),
])  # fmt: skip
def test_wrong_ranges_end_in_one_clear_line(text: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected) as raised:
        Frames.parse(text).chosen(SHOT)
    assert "\n" not in str(raised.value)


def told(read: Callable[[], object]) -> str:
    """What is said of a text that cannot be read; any other error than InputError is a fault of ours."""
    with suppress(InputError):
        read()
        return ""
    with pytest.raises(InputError) as raised:
        read()
    return str(raised.value)


@given(st.text("0123456789-x, ;:all", max_size=12))
def test_no_text_ends_in_another_error(text: str) -> None:
    for read in (lambda: Frames.parse(text).chosen(SHOT), lambda: Clock(SHOT, FILM, "01:00:00:00").place(text)):
        assert "\n" not in told(read)


# ---------------------------------------------------------------- trims


@pytest.mark.parametrize(("text", "expected"), [
    ("12.5s", Fraction(25, 2)), ("2m3s", Fraction(123)), ("1h", Fraction(3600)), ("0:12.5", Fraction(25, 2)),
    ("00:00:12.500", Fraction(25, 2)), ("90:00", Fraction(5400)), ("1:02:03", Fraction(3723)),
])  # fmt: skip
def test_times(text: str, expected: Fraction) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(("start", "end", "first", "last"), [
    ("1010", "1020", 1010, 1020),
    ("", "1020", 1001, 1020),
    ("1s", "2s", 1025, 1048),  # the end is the first moment that is left out
    ("0s", "0:01", 1001, 1024),
    ("1.01s", "", 1026, 1100),
    ("10:00:01:00", "10:00:01:23", 1025, 1048),  # the end is a frame, and is included
    ("10:00:00:00", "1s", 1001, 1024),
])  # fmt: skip
def test_trims(start: str, end: str, first: int, last: int) -> None:
    kept = chosen(SHOT, start=start, end=end, fps=FILM, timecode="10:00:00:00")
    assert (kept[0], kept[-1]) == (first, last)
    assert len(kept) == last - first + 1


def test_frames_of_a_stretch() -> None:
    assert chosen(SHOT, "1001-1100x10", "1s", "2s", fps=FILM) == [1031, 1041]
    assert chosen(GAPPY, start="1003", end="1009", fps=FILM) == [1005, 1006]


def test_uneven_frames_go_by_their_times() -> None:
    times = [Fraction(0), Fraction(1, 2), Fraction(3), Fraction(31, 10)]
    assert chosen(range(1, 5), start="0.4s", end="3.05s", fps=Fraction(10), times=times) == [2, 3]
    assert chosen(range(1, 5), end="3.2s", fps=Fraction(10), times=times) == [1, 2, 3, 4]


def test_drop_frame_timecode_counts_as_the_clip_does() -> None:
    numbers = range(1, 3001)
    for text in ("01:01:00;02", "01:01:00:02"):
        assert chosen(numbers, start=text, end=text, fps=NTSC, timecode="01:00:00;00") == [1801]
    assert chosen(range(1, 101), start="00:00:00:00", fps=FILM, timecode="23:59:59:00") == list(range(25, 101)), "past midnight"


@pytest.mark.parametrize(("options", "expected"), [
    ({"start": "1200"}, "frame 1200 is not in this clip: it has 1001-1100"),
    ({"end": "5s"}, "time 5s is not in this clip: it lasts 4.167 s"),
    ({"start": "00:00:01:00"}, "timecode 00:00:01:00 is not in this clip: it has 10:00:00:00 to 10:00:04:03"),
    ({"start": "00:00:01:00", "timecode": ""}, "this clip has none: give a frame number or a time"),
    ({"start": "1s", "fps": Fraction(0)}, "needs frames per second"),
    ({"start": "1050", "end": "1040"}, "no frame is left by --frames all --start 1050 --end 1040: there are 1001-1100"),
    ({"frames": "1001-1003", "start": "1050"}, "no frame is left"),
    ({"start": "soon"}, "'soon' is no place in a clip: give a frame number, a time"),
    ({"start": "0:61"}, "is no place"),
    ({"start": "10:00:00:24"}, "does not exist at 24 fps"),
])  # fmt: skip
def test_wrong_trims_end_in_one_clear_line(options: dict[str, str], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        chosen(SHOT, **{"fps": FILM, "timecode": "10:00:00:00", **options})  # type: ignore[arg-type] # options of several types


def test_numbers_in_few_words() -> None:
    assert say(runs([1013, 1014, 1015, 1020])) == "1013-1015, 1020"
    assert say(runs(range(0, 100, 2))).endswith("22 and 38 more")
