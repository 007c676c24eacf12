"""Timecode: there and back again at every rate, and the frames a drop-frame minute leaves out."""
from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.errors import InputError
from impasto.media.timecode import advance, is_drop, is_timecode, to_frames, to_text

NTSC, NTSC_60, FILM = Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24)
RATES = [FILM, Fraction(24000, 1001), Fraction(25), NTSC, Fraction(30), Fraction(50), NTSC_60, Fraction(120)]


@pytest.mark.parametrize(("text", "fps", "frames"), [
    ("00:00:00:00", FILM, 0),
    ("01:00:00:00", FILM, 86400),
    ("01:00:10:12", Fraction(24000, 1001), 86652),
    ("00:00:59;29", NTSC, 1799),
    ("00:01:00;02", NTSC, 1800),
    ("00:10:00;00", NTSC, 17982),
    ("01:00:00;00", NTSC, 107892),
    ("00:01:00;04", NTSC_60, 3600),
    ("01:00:00;00", NTSC_60, 215784),
    ("23:59:59;29", NTSC, 2589407),
])  # fmt: skip
def test_known_counts(text: str, fps: Fraction, frames: int) -> None:
    assert to_frames(text, fps) == frames
    assert to_text(frames, fps, drop=";" in text) == text


@given(frames=st.integers(0, 2_000_000), fps=st.sampled_from(RATES), drop=st.booleans())
def test_there_and_back_again(frames: int, fps: Fraction, drop: bool) -> None:
    drop = drop and fps in (NTSC, NTSC_60)
    text = to_text(frames, fps, drop)
    assert is_timecode(text)
    assert is_drop(text) == drop
    assert to_frames(text, fps) == frames


def test_drop_frame_stays_beside_the_clock() -> None:
    for minutes in range(0, 24 * 60, 7):
        frames = to_frames(f"{minutes // 60:02d}:{minutes % 60:02d}:30;00", NTSC)
        assert abs(frames / NTSC - (minutes * 60 + 30)) < 0.13


def test_a_step_keeps_the_count_and_a_day_wraps() -> None:
    assert advance("00:00:59;29", 1, NTSC) == "00:01:00;02"
    assert advance("00:00:59:29", 1, NTSC) == "00:01:00:00"
    assert advance("00:01:00;02", -1, NTSC) == "00:00:59;29"
    assert advance("23:59:59:23", 1, FILM) == "00:00:00:00"
    assert advance("00:00:00;00", -1, NTSC) == "23:59:59;29"


@pytest.mark.parametrize(("text", "fps", "expected"), [
    ("1010", FILM, "is no timecode: write HH:MM:SS:FF"),
    ("٠1:00:00:00", FILM, "is no timecode"),
    ("01:00:00:24", FILM, "does not exist at 24 fps: it ends at 23:59:59:23"),
    ("24:00:00:00", FILM, "does not exist"),
    ("00:60:00:00", Fraction(24000, 1001), "does not exist at 23.976 fps"),
    ("00:01:00;01", NTSC, "in drop-frame that minute begins at 01:00;02"),
    ("00:01:00;04", Fraction(25), "is for 29.97 and 59.94 fps, not 25"),
    ("00:01:00:04", Fraction(0), "needs frames per second"),
])  # fmt: skip
def test_what_does_not_exist_is_refused_in_one_line(text: str, fps: Fraction, expected: str) -> None:
    with pytest.raises(InputError, match=expected) as raised:
        to_frames(text, fps)
    assert "\n" not in str(raised.value)


def test_a_time_is_no_timecode() -> None:
    assert not is_timecode("00:00:12.500")
    assert not is_timecode("00:00:12.05")
    assert is_timecode("1:00:00:00")
