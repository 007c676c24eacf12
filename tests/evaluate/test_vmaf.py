"""VMAF by the ffmpeg that the extra brings; what is missing is said in a line."""

from __future__ import annotations

import sys
from typing import Any

import cv2
import numpy as np
import pytest

from impasto.errors import InputError, MissingExtra
from impasto.evaluate.vmaf import Vmaf, ffmpeg_with_vmaf, judges
from impasto.media.flow import Plane
from tests.evaluate.shots import noisy, pan


def scores(vmaf: Vmaf, wanted: list[Plane], ours: list[Plane]) -> list[float]:
    rows: list[dict[str, Any]] = [{"picture": {}} for _ in wanted]
    for row, pair in zip(rows, zip(wanted, ours, strict=True), strict=True):
        vmaf.take(row, pair)
    vmaf.tell()
    return [row["picture"][vmaf.name] for row in rows]


def test_the_same_is_near_100_and_noise_is_not() -> None:
    pytest.importorskip("imageio_ffmpeg", reason="VMAF comes with ffmpeg (extra 'quality')")
    shot = [np.asarray(cv2.resize(frame, (321, 240)), np.float32) for frame in pan(3)]
    with judges("vmaf") as (vmaf,):
        same, other = scores(vmaf, shot, shot), scores(vmaf, shot, noisy(shot, 0.1))
    assert len(same) == len(other) == 3
    assert min(same) > 95
    assert max(other) < 90


def test_what_is_too_small_is_refused_and_nobody_is_told_of_nothing() -> None:
    pytest.importorskip("imageio_ffmpeg", reason="VMAF comes with ffmpeg (extra 'quality')")
    with judges("vmaf") as (vmaf,):
        vmaf.take({}, None)
        vmaf.tell()
        with pytest.raises(InputError, match="frames of 8x8 are too small"):
            scores(vmaf, [np.zeros((8, 9, 3), np.float32)] * 2, [np.zeros((8, 9, 3), np.float32)] * 2)


def test_without_the_extra_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(MissingExtra, match=r"impasto\[quality\]"):
        ffmpeg_with_vmaf()
