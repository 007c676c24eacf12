"""The scene's sound: the same every time, quiet enough, without clicks, and in step with the walker."""
from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from impasto.media.scenery import sound
from impasto.media.scenery.figure import SPEED, STRIDE
from impasto.media.scenery.light import HOURS
from impasto.media.scenery.sound import EDGE_SECONDS, MOODS, PEAK, RATE, Samples, blocks, soundtrack, write_wav


@pytest.fixture(scope="module")
def golden() -> Samples:
    return soundtrack(0, 4.5)


def test_every_hour_has_a_mood() -> None:
    assert set(MOODS) == {hour.name for hour in HOURS}


def test_it_is_the_same_every_time_and_another_for_another_seed(golden: Samples) -> None:
    assert golden.shape == (round(4.5 * RATE), 2)
    assert golden.dtype == np.float32
    assert np.array_equal(np.concatenate(list(blocks(0, 4.5))), golden)
    edge = round(EDGE_SECONDS * RATE)
    assert np.array_equal(soundtrack(0, 2)[:-edge], golden[: 2 * RATE - edge]), "a longer track begins as a shorter one does"
    assert np.corrcoef(golden[:RATE, 0], soundtrack(8, 1)[:, 0])[0, 1] < 0.1, "the same hour, another day"


@pytest.mark.parametrize("seed", [0, 5])
def test_it_is_heard_and_hurts_nobody(golden: Samples, seed: int) -> None:
    track = golden if seed == 0 else soundtrack(seed, 3)
    assert np.abs(track).max() <= PEAK
    assert 0.02 < track.std() < 0.25
    assert np.abs(track.mean(axis=0)).max() < 0.002
    assert np.abs(np.diff(track, axis=0)).max() < 0.3, "a click"
    assert not track[0].any()
    assert not track[-1].any()
    assert np.corrcoef(track.T)[0, 1] < 0.95, "two sides"


def test_a_block_ends_where_the_next_begins(golden: Samples) -> None:
    steps = np.abs(np.diff(golden, axis=0)).max(axis=1)
    for second in range(1, 5):
        assert steps[second * RATE - 1] <= np.percentile(steps, 99.9)


def test_feet_are_heard_when_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    silence = sound.Mood(0, 0, 0, 0, 0)
    monkeypatch.setattr(sound, "MOODS", dict.fromkeys(MOODS, silence))
    loud = np.abs(soundtrack(0, 4)).max(axis=1) > 0.02
    starts = np.flatnonzero(loud)[np.diff(np.flatnonzero(loud), prepend=-RATE) > RATE // 4] / RATE
    meant = np.arange(len(starts)) * STRIDE / 2 / SPEED
    assert len(starts) >= 7
    assert np.abs(starts - meant).max() < 0.03


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.02, 1.0])
def test_short_tracks(seconds: float) -> None:
    track = soundtrack(0, seconds)
    assert len(track) == round(seconds * RATE)
    assert np.isfinite(track).all()


def test_a_wav_holds_it(golden: Samples, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", blocks(0, 1))
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth(), file.getnframes()) == (2, RATE, 2, RATE)
        read = np.frombuffer(file.readframes(RATE), "<i2").reshape(-1, 2) / 32767
    assert np.abs(read[: RATE // 2] - golden[: RATE // 2]).max() < 1e-4
