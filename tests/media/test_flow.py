"""Motion is found where it can be, and what cannot be followed is left out: against a pan and against the plate's own truth."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from impasto.evaluate.steadiness import warp_error
from impasto.media.flow import Step, carried, enlarged, follow, followed, leads_home, way
from impasto.media.plate import Plate, PlateFrame
from tests.evaluate.shots import HEIGHT, WIDTH, Frames, pan

Two = tuple[PlateFrame, PlateFrame]


@pytest.fixture(scope="module")
def plate() -> Two:
    scene = Plate(320, 180)
    return scene.frame(5), scene.frame(6, truth=True)


def as_float(frame: PlateFrame) -> np.ndarray:
    return np.asarray(frame.rgb / 255, np.float32)


def test_a_pan_is_found_to_a_tenth_of_a_pixel() -> None:
    frames = pan(2, speed=(2.3, 0.8))
    step = follow(frames[1], frames[0])
    middle = step.flow[16:-16, 16:-16].reshape(-1, 2)
    assert np.median(middle, 0) == pytest.approx([2.3, 0.8], abs=0.1)
    assert step.share > 0.7
    assert np.median(step.speed) == pytest.approx(np.hypot(2.3, 0.8), abs=0.1)


def test_what_left_the_picture_is_not_followed() -> None:
    back = np.full((HEIGHT, WIDTH, 2), 9, np.float32)
    mask = followed(back, -back)
    assert mask[:-9, :-9].all()
    assert not mask[-8:].any()
    assert not mask[:, -8:].any()


def test_a_way_that_does_not_lead_home_is_not_followed() -> None:
    back = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    forward = back.copy()
    forward[20:40, 20:40] = 3
    mask = followed(back, forward)
    assert not mask[22:38, 22:38].any()
    assert mask[60:].all()


def test_an_edge_of_something_moving_is_not_followed() -> None:
    back = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    back[:, 64:, 0] = 4
    mask = followed(back, -back)
    assert not mask[:, 63].any()
    assert mask[:, :60].all()


def test_a_picture_carried_by_no_motion_is_itself() -> None:
    frame: Frames = pan(1)
    assert carried(frame[0], np.zeros((HEIGHT, WIDTH, 2), np.float32)) == pytest.approx(frame[0], abs=1e-6)


def test_the_plates_own_motion_leaves_less_error_than_none(plate: Two) -> None:
    before, now = plate
    truth = now.truth
    assert truth is not None
    seen = ~truth.hidden_backward & truth.steady
    true, none = Step(truth.backward, seen), Step(np.zeros_like(truth.backward), seen)
    assert warp_error(as_float(now), as_float(before), true) < 0.5 * warp_error(as_float(now), as_float(before), none)


def test_what_is_found_on_the_plate_is_its_own_motion(plate: Two) -> None:
    before, now = plate
    truth = now.truth
    assert truth is not None
    step = follow(as_float(now), as_float(before))
    off = np.hypot(*np.moveaxis(step.flow - truth.backward, -1, 0))
    known = step.followed & truth.steady & ~truth.hidden_backward
    assert known.mean() > 0.5
    assert np.median(off[known]) < 0.15
    own, theirs = (warp_error(as_float(now), as_float(before), Step(flow, known)) for flow in (step.flow, truth.backward))
    assert own == pytest.approx(theirs, rel=0.5), "the flow found measures about what the true one does"


def test_known_motion_counts_up_to_its_edges_and_not_where_it_is_covered() -> None:
    there = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    back = there.copy()
    there[20:40, 20:40, 0], back[20:40, 26:46, 0] = 6, -6
    mask = leads_home(there, back)
    assert mask[20:40, 20:40].all()
    assert not mask[20:40, 40:46].any()
    assert mask[:20].all()


def test_a_way_sought_in_a_smaller_picture_is_told_in_pixels_of_the_large_one() -> None:
    frames = pan(2, speed=(4.0, 2.0))
    small = [np.asarray(cv2.resize(frame, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)) for frame in frames]
    found = enlarged(way(small[1], small[0]), (WIDTH, HEIGHT))
    assert found.shape == (HEIGHT, WIDTH, 2)
    assert np.median(found[16:-16, 16:-16].reshape(-1, 2), 0) == pytest.approx([4, 2], abs=0.25)
