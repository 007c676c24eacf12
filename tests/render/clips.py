"""Small clips for tests of rendering: a sequence, a movie with sound, and what is in them."""
from __future__ import annotations

import hashlib
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np

from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media import open_reader, open_writer
from impasto.media.encoding import Encoding
from impasto.media.video import SegmentWriter
from impasto.media.video.join import join

FPS = Fraction(24)
SIZE = (48, 64)  # height and width
LOSSLESS = Encoding(codec="ffv1", quality="lossless")


def picture(number: int, size: tuple[int, int] = SIZE) -> Pixels:
    """A soft picture that is another for every number: codecs keep it well."""
    down, across = np.mgrid[: size[0], : size[1]]
    waves = [np.sin(across / 9 + number / 3 + k) + np.cos(down / 7 - number / 5 + 2 * k) for k in range(3)]
    return np.clip(128 + 50 * np.stack(waves, axis=2), 0, 255).astype(np.uint8)


def write_sequence(folder: Path, numbers: range | list[int], suffix: str = ".png") -> Path:
    """A sequence shot.1001.png ... in a new folder; its pattern."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        with open_writer(folder / f"shot.{number:04d}{suffix}", ClipInfo(SIZE[1], SIZE[0])) as writer:
            writer.write(Frame(picture(number), number))
    return folder / f"shot.####{suffix}"


def write_movie(path: Path, frames: int, sound: bool = True, encoding: Encoding = LOSSLESS) -> Path:
    """A movie of `picture(1)`, `picture(2)` ... with a tone."""
    like = ClipInfo(SIZE[1], SIZE[0], frames, FPS, tags={"timecode": "01:00:00:00"})
    piece, tone = path.with_name(f"{path.stem}.piece.mkv"), path.with_name(f"{path.stem}.wav")
    with SegmentWriter(piece, like, encoding, target=path) as writer:
        for number in range(1, frames + 1):
            writer.write(Frame(picture(number), number))
    track = str(write_tone(tone, frames / FPS)) if sound else "none"
    join([piece], [Fraction(k) / FPS for k in range(frames)], [], path, like, sound=track, overwrite=True)
    piece.unlink()
    tone.unlink(missing_ok=True)
    return path


def write_tone(path: Path, seconds: Fraction, rate: int = 48000) -> Path:
    """A tone that slides, so that every stretch of it is another."""
    t = np.arange(int(seconds * rate)) / rate
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((9000 * np.sin(2 * np.pi * (300 + 40 * t) * t)).astype("<i2").tobytes())
    return path


def frames_of(path: Path) -> dict[int, Pixels]:
    """Every frame of a clip by its number."""
    with open_reader(path) as reader:
        return {frame.number: frame.pixels for frame in reader}


def hashes(path: Path) -> dict[int, str]:
    """The content of every frame as a hash."""
    return {number: hashlib.sha256(pixels.tobytes()).hexdigest() for number, pixels in frames_of(path).items()}


def left_over(folder: Path) -> list[str]:
    """Whatever is hidden in a folder, or below it."""
    return sorted(str(file.relative_to(folder)) for file in folder.rglob(".*"))
