"""Steady painting passes; noise, grids, pumping and paint that sticks to the screen each fail where they should."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from impasto.evaluate.steadiness import LONG, Row, Steadiness, summary
from tests.evaluate.shots import Frames, gridded, noisy, pan, pumped, recoloured, sticking

SHARED = Path(__file__).parents[3] / "shared"
CLIP = SHARED / "data/video/sintel_mountain_2"
SHOT = pan(resting=True)


def rows(source: Frames, output: Frames) -> list[Row]:
    watch = Steadiness()
    return [watch.take(*pair) for pair in zip(source, output, strict=True)]


@pytest.fixture(scope="module")
def measured() -> Callable[[str], Row]:
    """The means of each painting of the shot, worked out once."""
    paintings = {"itself": SHOT, "recoloured": recoloured(SHOT), "noise": noisy(SHOT), "grid": gridded(SHOT)}
    paintings |= {"flipping grid": gridded(SHOT, flips=True), "pumping": pumped(SHOT), "sticking": sticking(SHOT)}
    known: dict[str, Row] = {}

    def means(name: str) -> Row:
        if name not in known:
            known[name] = summary(rows(SHOT, paintings[name]))
        return known[name]

    return means


def test_the_source_itself_is_as_steady_as_the_source(measured: Any) -> None:
    own = measured("itself")
    assert own["detail"] == pytest.approx(1)
    assert own["flicker"] == pytest.approx(1)
    for name in ("warp_short", "warp_long", "flicker_power", "sticking"):
        assert own[name] == own[f"{name}_source"]


def test_other_colours_are_as_steady_as_the_source(measured: Any) -> None:
    own = measured("recoloured")
    assert own["detail"] == pytest.approx(1, abs=0.01)
    assert own["flicker"] < 1.1
    assert own["warp_short"] <= own["warp_short_source"]
    assert own["flicker_power"] <= own["flicker_power_source"] + 1e-6
    assert abs(own["sticking"] - own["sticking_source"]) < 0.02


@pytest.mark.parametrize(
    ("painting", "figure", "worse_by"),
    [
        ("noise", "detail", -0.4),
        ("noise", "flicker_power", 2),
        ("noise", "warp_short", 2),
        ("grid", "detail", -0.3),
        ("grid", "sticking", 0.3),
        ("grid", "warp_long", 2),
        ("flipping grid", "detail", -0.5),
        ("flipping grid", "flicker_power", 5),
        ("pumping", "flicker", 10),
        ("pumping", "flicker_power", 0.3),
        ("sticking", "sticking", 0.2),
        ("sticking", "detail", -0.2),
    ],
)
def test_what_is_not_steady_is_found_out(measured: Any, painting: str, figure: str, worse_by: float) -> None:
    worse = measured(painting)[figure] - measured("itself")[figure]
    assert worse / worse_by > 1, f"{figure} of {painting} is worse by {worse:.3f} only"


def test_noise_at_rest_has_its_own_variance(measured: Any) -> None:
    assert measured("noise")["flicker_power"] == pytest.approx(1000 * 0.05**2, rel=0.1)


def test_a_frame_says_what_it_can() -> None:
    found = rows(SHOT, SHOT)
    assert found[0] == {}
    assert {"warp_short", "detail", "flicker"} <= set(found[1])
    assert "flicker_power" in found[2]
    assert "flicker_power" not in found[1], "at rest is what three frames say"
    assert "warp_long" in found[LONG]
    assert "warp_long" not in found[LONG - 1]


def test_across_a_cut_nothing_is_judged() -> None:
    after = [np.asarray(frame[::-1, ::-1, ::-1], np.float32) for frame in noisy(pan(3), 0.2)]
    shot = [*pan(3), *(1 - frame for frame in after)]
    found = rows(shot, shot)
    assert "warp_short" in found[2]
    assert "warp_short" not in found[3]
    assert "warp_short" in found[4]


def test_a_blank_shot_has_no_detail_to_move() -> None:
    blank = [np.full((64, 64, 3), 0.5, np.float32)] * 3
    means = summary(rows(blank, blank))
    assert "detail" not in means
    assert means["flicker"] == pytest.approx(1)


def test_the_mean_is_of_frames_that_have_a_figure() -> None:
    means = summary([{}, {"detail_output": 0.5, "detail_source": 1.0}, {"detail_output": 0.2, "detail_source": 0.4}])
    assert means["detail"] == pytest.approx(0.5), "the mean's ratio, not the mean of ratios"
    assert summary([]) == {}


@pytest.mark.skipif(not CLIP.is_dir(), reason="needs the shared yardstick and its Sintel clip beside this checkout")
@pytest.mark.parametrize("paint", [noisy, pumped, recoloured])
def test_a_sintel_clip_measures_as_the_yardstick_has_it(paint: Callable[[Frames], Frames]) -> None:
    spec = importlib.util.spec_from_file_location("yardstick", SHARED / "tools/warp.py")
    assert spec is not None
    assert spec.loader is not None
    yardstick = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(yardstick)
    files = sorted(CLIP.glob("*.jpg"))[:4]
    read = [np.asarray(cv2.imread(str(file))[..., ::-1] / np.float32(255)) for file in files]
    shot = [np.asarray(cv2.resize(frame, (384, 164), interpolation=cv2.INTER_AREA)) for frame in read]
    painted = paint(shot)
    own = summary(rows(shot, painted))
    detail, flicker, source, output = yardstick.score(shot, painted)
    assert own["detail"] == pytest.approx(detail, abs=0.03)
    assert own["flicker"] / flicker == pytest.approx(1, abs=0.7), "a quiet source's own flicker hangs on the pixels that count"
    assert own["warp_short"] == pytest.approx(output, rel=0.25, abs=0.02)
    assert own["warp_short_source"] == pytest.approx(source, rel=0.25, abs=0.02)
