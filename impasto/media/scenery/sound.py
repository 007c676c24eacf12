"""What the scene sounds like: wind in the leaves, water at the shore, birds or crickets by the hour, and the walker's steps.

    samples = soundtrack(seed=0, seconds=5)  # [N,2] float32
    write_wav("plate.wav", blocks(seed=0, seconds=5))

A second of it depends on the seed and its number alone, so a track of any length is made block by block.
"""
from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from impasto.media.scenery.figure import SPEED, STRIDE
from impasto.media.scenery.light import choose

Samples = NDArray[np.float32]  # [N,2], left and right
Mono = NDArray[np.floating]  # [N]

RATE = 48000
PEAK = 0.5  # 6 dB below full scale
LOUDNESS = 1.5
BITS_A_SECOND = 192_000
LOOP_SECONDS = 12  # of noise, which closes on itself; swells of other lengths hide that it comes again
LONGEST = 3  # seconds that anything heard once lasts
EDGE_SECONDS = 0.02  # at both ends of a track, so that it neither begins nor ends with a click
STEP_SECONDS = STRIDE / 2 / SPEED  # from one foot on the ground to the other


class Mood(NamedTuple):
    """How loud the steady things are, and how many of the others come in a second."""

    wind: float
    leaves: float
    water: float
    birds: float
    crickets: float
    thunder: float = 0.0


MOODS = {
    "golden": Mood(0.028, 0.010, 0.034, 0.7, 0.2),
    "dusk": Mood(0.022, 0.006, 0.030, 0.1, 1.6),
    "noon": Mood(0.028, 0.012, 0.040, 0.9, 0.0),
    "sunset": Mood(0.034, 0.010, 0.034, 0.3, 0.9),
    "mist": Mood(0.018, 0.004, 0.026, 0.4, 0.0),
    "storm": Mood(0.110, 0.040, 0.090, 0.0, 0.0, 0.12),
    "morning": Mood(0.022, 0.008, 0.034, 1.2, 0.0),
    "winter": Mood(0.060, 0.006, 0.026, 0.15, 0.0),
}


@dataclass(frozen=True)
class Bed:
    """Noise of one colour that never ends, swelling and ebbing."""

    loop: Samples
    loudness: float
    swells: NDArray[np.float64]  # [n,2] seconds and phase
    depth: float

    def between(self, start: int, stop: int, rate: int) -> Samples:
        """The samples from start to stop."""
        places = np.arange(start, stop)
        turns = places[:, None] / rate / self.swells[:, 0] + self.swells[:, 1]
        swell = (0.5 + 0.5 * np.sin(2 * np.pi * turns).mean(axis=1)) ** 2 * 2
        gain = self.loudness * (1 - self.depth + self.depth * swell)
        return np.asarray(self.loop[places % len(self.loop)] * gain[:, None], np.float32)


def soundtrack(seed: int, seconds: float, rate: int = RATE) -> Samples:
    """The sound of the scene of a seed [N,2], -1..1; it stays 6 dB below full scale."""
    return np.concatenate([np.zeros((0, 2), np.float32), *blocks(seed, seconds, rate)])


def blocks(seed: int, seconds: float, rate: int = RATE) -> Iterator[Samples]:
    """The same, second by second."""
    light = choose(seed, np.random.default_rng(seed))
    mood = MOODS[light.name]
    beds = _beds(seed, mood, rate)
    length, edge = round(seconds * rate), round(EDGE_SECONDS * rate)
    for start in range(0, length, rate):
        stop = min(start + rate, length)
        block = sum((bed.between(start, stop, rate) for bed in beds), np.zeros((stop - start, 2), np.float32))
        second = start // rate
        for number in range(max(0, second - LONGEST), second + 1):
            for at, sound in _heard(seed, number, mood, rate):
                _lay(block, sound, at - start)
        places = np.arange(start, stop)
        ends = np.minimum(1, np.minimum(places, length - 1 - places) / edge)
        bent = PEAK * np.tanh(LOUDNESS * block / PEAK)  # loud moments give way before they would break
        yield np.asarray(bent * ends[:, None], np.float32)


def write_wav(path: str | Path, track: Iterable[Samples], rate: int = RATE) -> None:
    """Write blocks of sound as a WAV file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        for block in track:
            file.writeframes(np.rint(block * 32767).astype("<i2").tobytes())


def write_encoded(path: str | Path, track: Iterable[Samples], codec: Literal["aac", "libopus"] = "aac", rate: int = RATE) -> None:
    """Encode blocks of sound into a file that a movie can take them from to the sample."""
    aac = codec == "aac"  # MP4 tells of the silence an encoder puts before by times below 0, Matroska in its header
    with av.open(f"file:{path}", "w", format="mp4" if aac else "matroska") as file:
        stream = file.add_stream(codec, rate=rate, layout="stereo")
        stream.bit_rate = BITS_A_SECOND
        at = 0
        for block in track:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), "fltp", "stereo")
            frame.rate, frame.time_base, frame.pts = rate, Fraction(1, rate), at if aac else None
            at += len(block)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def _beds(seed: int, mood: Mood, rate: int) -> list[Bed]:
    """Wind, leaves and water; the middle of each band in Hz, and how many octaves wide it is."""
    dice = np.random.default_rng([seed, 1])
    made = []
    for loudness, middle, octaves, period, depth in (
        (mood.wind, 220, 1.6, (5.0, 13.0), 0.75),
        (mood.leaves, 3200, 1.1, (3.0, 9.0), 0.9),
        (mood.water, 520, 1.0, (2.1, 3.9), 0.55),
        (mood.water * 0.35, 1900, 0.9, (1.1, 2.6), 0.9),
    ):
        swells = np.stack([dice.uniform(*period, 3), dice.uniform(0, 1, 3)], axis=1)
        made.append(Bed(_noise(dice, LOOP_SECONDS * rate, (middle, octaves), rate), loudness, swells, depth))
    return made


def _noise(dice: np.random.Generator, length: int, band: tuple[float, float], rate: int) -> Samples:
    """Noise of spread 1 that closes on itself, the two sides half alike."""
    pitch = np.fft.rfftfreq(length, 1 / rate)
    shape = np.zeros_like(pitch)
    shape[1:] = np.exp(-0.5 * np.square(np.log2(pitch[1:] / band[0]) / band[1])) / np.sqrt(pitch[1:])
    white = dice.standard_normal((3, length), np.float32)
    sides = np.fft.irfft(np.fft.rfft(white[:2] + white[2]) * shape, length).T
    return np.asarray(sides / sides.std(), np.float32)


def _heard(seed: int, second: int, mood: Mood, rate: int) -> Iterator[tuple[int, Samples]]:
    """What is heard once and begins in this second: its first sample and its sound."""
    dice = np.random.default_rng([seed, 2, second])
    for step in range(int(np.ceil(second / STEP_SECONDS)), int(np.ceil((second + 1) / STEP_SECONDS))):
        yield round(step * STEP_SECONDS * rate), _step(np.random.default_rng([seed, 3, step]), rate)
    singers = np.random.default_rng([seed, 4]).uniform(0, 1, (4, 3))  # the same few birds sing again and again
    for often, make in ((mood.birds, _bird), (mood.crickets, _cricket), (mood.thunder, _thunder)):
        for _ in range(dice.poisson(often)):
            at = round((second + dice.uniform()) * rate)
            yield at, make(dice, singers[dice.integers(len(singers))], rate)


def _step(dice: np.random.Generator, rate: int) -> Samples:
    """A foot on gravel: the heel, then the sole."""
    heel = _puff(dice, (0.004, 0.030), (190, 0.8), rate) * 0.13
    sole = _puff(dice, (0.020, 0.055), (900, 1.2), rate) * 0.08
    return _side(_sum(heel, np.concatenate([np.zeros(round(0.06 * rate)), sole])) * dice.uniform(0.75, 1.1), 0.1)


def _puff(dice: np.random.Generator, times: tuple[float, float], band: tuple[float, float], rate: int) -> Mono:
    """A short breath of noise: how long it rises, how long it falls."""
    rise, fall = times
    clock = np.arange(round((rise + 6 * fall) * rate)) / rate
    noise = _noise(dice, len(clock), band, rate)[:, 0]
    return np.asarray(noise * np.minimum(1, clock / rise) * np.exp(-np.maximum(0, clock - rise) / fall) * _ending(clock))


def _bird(dice: np.random.Generator, singer: NDArray[np.float64], rate: int) -> Samples:
    """A phrase of a few notes, each a glide, in the singer's own register and manner."""
    register, manner, place = singer
    notes, length = dice.integers(2, 7), 0.06 + 0.08 * manner
    phrase: Mono = np.zeros(round(rate * LONGEST * 0.9))
    for note in range(notes):
        clock = np.arange(round(length * dice.uniform(0.7, 1.3) * rate)) / rate
        share = clock / clock[-1]
        low = 2300 + 2000 * register + dice.uniform(-250, 250)
        pitch = low * (1 + (0.25 * manner - 0.08) * np.sin(np.pi * share * dice.uniform(0.6, 2.2)))
        pitch *= 1 + 0.02 * np.sin(2 * np.pi * (24 + 10 * manner) * clock)
        tone = np.sin(2 * np.pi * np.cumsum(pitch) / rate) * np.sin(np.pi * share) ** 2
        at = round(note * length * (1.5 + manner) * rate)
        phrase[at : at + len(tone)] += tone[: len(phrase) - at]
    echo = np.concatenate([np.zeros(round(0.11 * rate)), phrase * 0.18])  # from the other shore
    return _side(_sum(phrase, echo)[: LONGEST * rate] * dice.uniform(0.04, 0.13), 2 * place - 1)


def _cricket(dice: np.random.Generator, singer: NDArray[np.float64], rate: int) -> Samples:
    """A few chirps, each of a few pulses of one high tone."""
    clock = np.arange(round(dice.uniform(0.8, 1.8) * rate)) / rate
    pulses = np.sin(np.pi * 30 * clock) ** 4 * (np.sin(np.pi * (2.2 + singer[1]) * clock) ** 2 > 0.35)
    smooth = np.convolve(pulses, np.hanning(round(0.006 * rate)) / (0.003 * rate), "same")
    tone = np.sin(2 * np.pi * (3900 + 700 * singer[0]) * clock) * smooth * np.sin(np.pi * clock / clock[-1])
    return _side(tone * dice.uniform(0.012, 0.035), 2 * singer[2] - 1)


def _thunder(dice: np.random.Generator, singer: NDArray[np.float64], rate: int) -> Samples:
    """Far away."""
    return _side(_puff(dice, (0.5, 0.4), (55, 0.8), rate) * dice.uniform(0.08, 0.2), singer[2] - 0.5)


def _ending(clock: Mono) -> Mono:
    """1, and down to 0 over the last part."""
    return np.asarray(np.minimum(1, (clock[-1] - clock) / (0.2 * clock[-1])))


def _side(sound: Mono, place: float) -> Samples:
    """Set between left (-1) and right (1), equally loud wherever it is."""
    angle = (place + 1) * np.pi / 4
    return np.asarray(sound[:, None] * np.array([np.cos(angle), np.sin(angle)]), np.float32)


def _sum(one: Mono, other: Mono) -> Mono:
    total: Mono = np.zeros(max(len(one), len(other)))
    total[: len(one)] += one
    total[: len(other)] += other
    return total


def _lay(block: Samples, sound: Samples, at: int) -> None:
    """Add a sound that begins `at` samples after the block does, as far as it lies in it."""
    first, last = max(0, at), min(len(block), at + len(sound))
    if first < last:
        block[first:last] += sound[first - at : last - at]
