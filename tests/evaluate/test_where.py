"""A map's mean is its figure, and it shows the place where the painting is bad."""

from __future__ import annotations

import numpy as np
import pytest

from impasto.evaluate.figures import MOVING
from impasto.evaluate.gallery import WATCHED
from impasto.evaluate.steadiness import LONG, Row, Steadiness
from impasto.media.flow import Plane
from tests.evaluate.shots import HEIGHT, WIDTH, Frames, gridded, noisy, pan, pumped, sticking

BAD = (slice(40, 88), slice(72, 120))  # where a painting is spoilt
SHOT = pan(LONG + 1, resting=True)


def spoilt(painted: Frames) -> Frames:
    """The source, with the painting in one place."""
    frames = [frame.copy() for frame in SHOT]
    for frame, paint in zip(frames, painted, strict=True):
        frame[BAD] = paint[BAD]
    return frames


def last(output: Frames) -> tuple[Row, dict[str, Plane]]:
    watch = Steadiness(maps=True)
    rows = [watch.take(*pair) for pair in zip(SHOT, output, strict=True)]
    return rows[-1], watch.where


def test_every_watched_figure_has_a_map_whose_mean_it_is() -> None:
    row, where = last(noisy(SHOT))
    assert set(where) == set(WATCHED["moving"])
    for name, plane in where.items():
        assert plane.shape == (HEIGHT, WIDTH)
        ours, theirs = row.get(f"{name}_output", row[name]), row[f"{name}_source"]
        worse = theirs - ours if MOVING[name].better == "higher" else ours - theirs
        assert np.nanmean(plane) == pytest.approx(worse, abs=2e-3 * max(abs(ours), abs(theirs)) + 1e-6), name


@pytest.mark.parametrize(
    ("paint", "names"),
    [
        (noisy, ("detail", "warp_short", "warp_long")),
        (pumped, ("flicker", "warp_short")),
        (sticking, ("sticking", "detail")),
        (gridded, ("sticking", "warp_long")),
    ],
)
def test_a_map_shows_the_place(paint: object, names: tuple[str, ...]) -> None:
    assert callable(paint)
    _, where = last(spoilt(paint(SHOT)))
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[BAD] = True
    for name in names:
        here, there = np.nanmean(where[name][inside]), np.nanmean(np.abs(where[name][~inside]))
        assert here > 4 * there, f"{name}: {here} against {there}"


def test_the_source_itself_is_nowhere_worse() -> None:
    _, where = last(SHOT)
    assert all(np.nanmax(np.abs(plane)) < 1e-6 for plane in where.values())


def test_maps_are_made_only_for_who_wants_them() -> None:
    watch = Steadiness()
    for frame in SHOT[:3]:
        watch.take(frame, frame)
    assert watch.where == {}
    assert watch.changed is None
