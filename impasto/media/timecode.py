"""Timecode arithmetic: HH:MM:SS:FF, and HH:MM:SS;FF, the drop-frame count of 29.97 and 59.94 fps.

    to_frames("01:00:00:00", Fraction(24))           # 86400
    to_text(1800, Fraction(30000, 1001), drop=True)  # "00:01:00;02"
    advance("00:00:59;29", 1, Fraction(30000, 1001)) # "00:01:00;02"

Timecode counts whole frames: 23.976 fps counts 24 to the second. Drop-frame leaves out numbers, never frames: the first two
of each minute (four at 59.94) but not of each tenth one, so that the count stays beside the clock.
"""
from __future__ import annotations

import re
from fractions import Fraction

from impasto.errors import InputError

_TIMECODE = re.compile(r"(\d\d?):(\d\d):(\d\d)([:;])(\d{2,3})", re.ASCII)
DAY_HOURS = 24


def is_timecode(text: str) -> bool:
    """Whether a text has the shape of a timecode; "00:00:12.50" has that of a time."""
    return bool(_TIMECODE.fullmatch(text))


def is_drop(text: str) -> bool:
    """Whether a timecode counts in drop-frame."""
    return is_timecode(text) and ";" in text


def to_frames(text: str, fps: Fraction) -> int:
    """How many frames after 00:00:00:00 a timecode stands."""
    found = _TIMECODE.fullmatch(text)
    if not found:
        raise InputError(f"'{text}' is no timecode: write HH:MM:SS:FF, or HH:MM:SS;FF for drop-frame")
    hours, minutes, seconds, frames = (int(found[i]) for i in (1, 2, 3, 5))
    count = counted(fps)
    if hours >= DAY_HOURS or minutes >= 60 or seconds >= 60 or frames >= count:
        raise InputError(f"timecode {text} does not exist at {told(fps)} fps: it ends at 23:59:59:{count - 1:02d}")
    total = ((hours * 60 + minutes) * 60 + seconds) * count + frames
    if found[4] == ":":
        return total
    left_out = _left_out_each_minute(fps)
    if minutes % 10 and seconds == 0 and frames < left_out:
        raise InputError(f"timecode {text} does not exist: in drop-frame that minute begins at {minutes:02d}:00;{left_out:02d}")
    past = hours * 60 + minutes
    return total - left_out * (past - past // 10)


def to_text(frames: int, fps: Fraction, drop: bool = False) -> str:
    """The timecode of a frame counted from 00:00:00:00; a day later the count starts over."""
    count = counted(fps)
    if drop:
        left_out = _left_out_each_minute(fps)
        a_minute, ten = 60 * count - left_out, 600 * count - 9 * left_out
        tens, rest = divmod(frames % (ten * 6 * DAY_HOURS), ten)
        # The first minute of ten is whole; each one after it is `left_out` numbers shorter.
        past = max(0, (rest - left_out) // a_minute)
        frames = tens * 600 * count + rest + left_out * past
    seconds, frame = divmod(frames % (DAY_HOURS * 3600 * count), count)
    minutes, hours = seconds // 60, seconds // 3600
    return f"{hours:02d}:{minutes % 60:02d}:{seconds % 60:02d}{';' if drop else ':'}{frame:02d}"


def advance(text: str, frames: int, fps: Fraction) -> str:
    """The timecode this many frames later (or earlier), in the count it is written in."""
    return to_text(to_frames(text, fps) + frames, fps, is_drop(text))


def counted(fps: Fraction) -> int:
    """How many frames timecode counts to the second."""
    if fps <= 0:
        raise InputError("timecode needs frames per second, and this clip has none")
    return max(1, round(fps))


def told(fps: Fraction) -> str:
    """A rate as people say it: 24, 23.976, 29.97."""
    return f"{float(fps):.3f}".rstrip("0").rstrip(".")


def _left_out_each_minute(fps: Fraction) -> int:
    count = counted(fps)
    if count % 30 or abs(fps - Fraction(count * 1000, 1001)) > Fraction(1, 100):
        raise InputError(f"drop-frame timecode (with ;) is for 29.97 and 59.94 fps, not {told(fps)}: write : before the frames")
    return count // 15
