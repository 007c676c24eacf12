"""Neighbouring frames: which are learnt from, which are kept to measure on, and the same square of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn.material import neighbours  # noqa: E402
from impasto.learn.material.clips import Run  # noqa: E402
from impasto.learn.material.neighbours import Pair, pair_squares, parted, read_neighbours  # noqa: E402
from impasto.losses import warp_by_flow  # noqa: E402
from impasto.media.flow import Step  # noqa: E402
from tests.fakes import noise  # noqa: E402


def scene(width: int, height: int = 96) -> np.ndarray:
    rough = Image.fromarray(noise(height // 6, width // 6))
    return np.asarray(rough.resize((width, height), Image.Resampling.BICUBIC))


def test_no_frame_is_both_learnt_from_and_measured_on() -> None:
    frames = [noise(4, 4, i) for i in range(24)]
    learnt, kept = parted([Run(frames, list(range(100, 124)))])
    assert [pair.number for pair in kept] == [104, 112, 120]
    used, aside = ({id(frame) for pair in pairs for frame in (pair.before, pair.now)} for pairs in (learnt, kept))
    assert used
    assert not used & aside


@pytest.mark.parametrize("pan", [2, 12])
def test_squares_go_along_with_what_moves_and_the_flow_joins_them(pan: int) -> None:
    """On a fast pan the square of the frame before lies elsewhere, so that both still show the same."""
    wide = scene(240)
    pair = Pair(wide[:, :200], wide[:, pan : 200 + pan], 1)  # what is here was `pan` pixels further right
    squares = pair_squares([pair], 4, 64, np.random.default_rng(0))
    carried, seen = warp_by_flow(squares["before"], squares["flow"]), squares["seen"]
    assert seen.mean() > 0.5
    assert ((carried - squares["now"]).abs() * seen).sum() / seen.sum() / 3 < 0.02
    assert ((squares["before"] - squares["now"]).abs() * seen).sum() / seen.sum() / 3 > 0.05, "and without the flow they differ"


def test_pairs_never_cross_a_cut_and_a_short_shot_is_measured_on_itself(tmp_path: Path) -> None:
    for i in range(20):
        picture = scene(240, 96)[:, i : i + 160] if i < 10 else 255 - scene(300, 90)[:80, 60 + i : 220 + i]
        Image.fromarray(np.ascontiguousarray(np.resize(picture, (80, 160, 3)) if i >= 10 else picture[:80])).save(
            tmp_path / f"f.{i:04d}.png"
        )
    pairs = read_neighbours(tmp_path)
    assert 10 not in [pair.number for pair in [*pairs.learnt, *pairs.kept]], "frame 10 is another shot than frame 9"
    assert pairs.apart
    assert len(pairs.frames.images) == len(set(pairs.frames.names)) == len(pairs.frames.hashes)
    for path in sorted(tmp_path.iterdir())[3:]:
        path.unlink()
    short = read_neighbours(tmp_path)
    assert (len(short.learnt), short.apart) == (2, False)


def test_frames_that_nothing_joins_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(2):
        Image.fromarray(scene(96)).save(tmp_path / f"f.{i:04d}.png")
    assert read_neighbours(tmp_path).kept
    monkeypatch.setattr(neighbours, "follow", lambda now, _: Step(np.zeros((*now.shape[:2], 2)), np.zeros(now.shape[:2], bool)))
    with pytest.raises(InputError, match="nothing can be followed from one frame to the next"):
        read_neighbours(tmp_path)
