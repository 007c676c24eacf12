"""The plate: the same frame however it is come by, and a truth that holds when it is put to the test."""
from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from impasto.media.plate import Plate
from impasto.media.scenery.light import HOURS, choose
from impasto.media.scenery.sky import PERIOD
from impasto.media.scenery.stage import Camera, View
from impasto.media.scenery.truth import Truth

WIDTH, HEIGHT, FRAME, RATE = 480, 270, 2, 8


@cache
def plate(seed: int = 0) -> Plate:
    return Plate(WIDTH, HEIGHT, RATE, seed)


@cache
def truth(number: int = FRAME) -> Truth:
    found = plate().frame(number, truth=True).truth
    assert found is not None
    return found


def soft(number: int) -> NDArray[np.float32]:
    """A frame, a little softened: fetching between pixels softens as well, and that is not what is tested."""
    return cv2.GaussianBlur(plate().frame(number).rgb.astype(np.float32), (0, 0), 1.0)


def moved_by(picture: NDArray[np.generic], flow: NDArray[np.floating]) -> NDArray[np.float32]:
    """What lies where the flow points."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    at = (x + flow[..., 0]).astype(np.float32), (y + flow[..., 1]).astype(np.float32)
    return cv2.remap(np.asarray(picture, np.float32), *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def test_a_frame_alone_is_the_frame_in_the_sequence_and_only_the_moment_counts() -> None:
    one, other = Plate(96, 64, 24, 4), Plate(96, 64, 12, 4, grain=4)
    in_order = [one.frame(number).rgb for number in range(3)]
    grainy, other.grain = other.frame(1).rgb, 0.0
    assert np.array_equal(other.frame(1).rgb, in_order[2])
    assert not np.array_equal(in_order[1], in_order[2])
    # Film grain is there only when asked for.
    assert 2.5 < (grainy.astype(float) - in_order[2]).std() < 5


def test_truth_does_not_change_the_picture() -> None:
    assert np.array_equal(plate().frame(FRAME, truth=True).rgb, plate().frame(FRAME).rgb)
    assert plate().frame(FRAME).truth is None


def test_seeds_are_different_scenes_and_a_seed_is_one_at_every_size() -> None:
    def at(seed: int, width: int, height: int) -> NDArray[np.float32]:
        return cv2.resize(Plate(width, height, 24, seed).frame(0).rgb, (96, 54), interpolation=cv2.INTER_AREA).astype(np.float32)

    small, large, other = at(0, 128, 72), cv2.resize(soft(0), (96, 54), interpolation=cv2.INTER_AREA), at(1, 128, 72)
    assert np.abs(small - large).mean() < 14
    assert np.abs(small - other).mean() > 25


def test_every_hour_has_its_turn() -> None:
    assert {choose(seed, np.random.default_rng(seed)).name for seed in range(len(HOURS))} == {hour.name for hour in HOURS}


@pytest.mark.parametrize("size", [(64, 150), (331, 90)])
def test_every_shape_of_frame_is_filled(size: tuple[int, int]) -> None:
    rgb = Plate(*size, 24, 7).frame(40).rgb
    assert rgb.shape == (size[1], size[0], 3)
    assert rgb.dtype == np.uint8
    assert (rgb.max(axis=2) == 0).mean() < 0.01  # a hole would be black


@pytest.mark.parametrize("ahead", [True, False])
def test_the_flow_takes_every_pixel_where_it_goes(ahead: bool) -> None:
    now, there = soft(FRAME), soft(FRAME + (1 if ahead else -1))
    flow, hidden = (truth().forward, truth().hidden_forward) if ahead else (truth().backward, truth().hidden_backward)
    seen = ~hidden & truth().steady
    assert seen.mean() > 0.7
    with_flow, without = np.abs(moved_by(there, flow) - now).mean(axis=2)[seen], np.abs(there - now).mean(axis=2)[seen]
    assert with_flow.mean() < 2.5
    assert with_flow.mean() < without.mean() / 2.5
    assert np.percentile(with_flow, 95) < np.percentile(without, 95) / 2.5


@pytest.mark.parametrize("name", ["bank", "walker", "tree", "lamp"])
def test_near_things_move_and_their_flow_explains_it(name: str) -> None:
    now, after = soft(FRAME), soft(FRAME + 1)
    inside = cv2.erode(truth().mattes[name], np.ones((3, 3))) > 0.97
    inside &= ~truth().hidden_forward & truth().steady
    assert inside.sum() > 20
    with_flow, without = np.abs(moved_by(after, truth().forward) - now)[inside], np.abs(after - now)[inside]
    assert with_flow.mean() < without.mean() / 2
    assert np.hypot(*truth().forward[inside].T).mean() > 0.15


def test_there_and_back_again() -> None:
    after = truth(FRAME + 1)
    seen = ~truth().hidden_forward & truth().steady
    seen &= moved_by(after.hidden_backward.astype(np.float32), truth().forward) < 0.01
    stray = np.hypot(*(truth().forward + moved_by(after.backward, truth().forward)).transpose(2, 0, 1))[seen]
    assert np.median(stray) < 0.01
    assert np.percentile(stray, 98) < 0.35


def test_what_is_hidden_is_really_gone() -> None:
    """Following the flow to a hidden pixel finds something else there, so the error is much larger than elsewhere."""
    now, after = soft(FRAME), soft(FRAME + 1)
    wrong = np.abs(moved_by(after, truth().forward) - now).mean(axis=2)
    hidden = truth().hidden_forward & truth().steady
    assert 0.001 < hidden.mean() < 0.1
    assert wrong[hidden].mean() > 5 * wrong[~hidden & truth().steady].mean()


def test_pixels_that_leave_the_frame_are_hidden() -> None:
    x = np.arange(WIDTH)[None] + truth().forward[..., 0]
    assert truth().hidden_forward[(x < 0) | (x > WIDTH - 1)].all()


def test_mattes_add_up_to_one_and_name_what_is_there() -> None:
    mattes = truth().mattes
    assert {"sky", "clouds", "hills", "village", "water", "boat", "bank", "tree", "walker", "houses"} <= set(mattes)
    assert np.abs(sum(mattes.values()) - 1).max() < 1e-4
    assert min(matte.min() for matte in mattes.values()) >= -1e-6
    assert 0.005 < mattes["walker"].mean() < 0.05
    assert mattes["sky"][-20:].max() == 0


def test_nearer_things_lie_in_front() -> None:
    depth, mattes = truth().depth, truth().mattes
    metres = {name: float(np.median(depth[matte > 0.9])) for name, matte in mattes.items() if (matte > 0.9).any()}
    assert metres["walker"] < metres["bank"] < metres["boat"] < metres["houses"] < metres["village"] < metres["hills"] + 2000
    assert np.isinf(metres["sky"])
    water = np.where(mattes["water"] > 0.9, depth, np.nan)
    rows = [np.nanmean(row) for row in water if np.isfinite(row).any()]
    assert all(upper > lower for upper, lower in zip(rows[:-1:8], rows[8::8], strict=False))


def test_some_water_is_steady_and_the_rest_says_so() -> None:
    water = truth().mattes["water"] > 0.9
    assert 0.1 < truth().steady[water].mean() < 0.9
    for name in ("mountains", "boat", "tree"):
        assert truth().steady[truth().mattes[name] > 0.9].all()


def test_clouds_that_start_over_are_followed_through() -> None:
    """Where the drifting picture repeats, its motion must not jump by a whole period."""
    scene = plate()._scene
    period_at = next(n for n in range(1, 9000) if any(
        abs(card.motion(n / RATE)[0, 2] - card.motion((n - 1) / RATE)[0, 2]) > PERIOD / 2 for card in scene.far))
    found = plate().frame(period_at - 1, truth=True).truth
    assert found is not None
    clouds = found.mattes["clouds"] > 0.9
    assert np.abs(found.forward[clouds]).max() < 2


def test_the_walker_turns_out_of_sight_and_never_jumps() -> None:
    walker = plate()._scene.walker
    places = np.array([walker.at(n / RATE)[:2] for n in range(RATE * 60)])
    steps, turns = np.abs(np.diff(places[:, 0])), np.flatnonzero(np.diff(places[:, 1]))
    assert steps.max() < 1.2 / RATE
    assert len(turns) >= 2
    assert np.abs(places[turns, 0]).min() > 6


def test_a_foot_on_the_ground_stays_where_it_stands() -> None:
    """Of two feet the lower one does not slide: the stride fits the speed."""
    walker = plate()._scene.walker
    slides = []
    for n in range(40):
        feet = []
        for seconds in (n / RATE, (n + 1) / RATE):
            soles = {part.name: (to_metres @ np.linalg.inv(part.to_metres))[:2, 2] for part, to_metres in walker.posed(seconds)
                     if part.name.endswith("shoe")}
            feet.append(soles)
        lower = max(feet[0], key=lambda name: feet[0][name][1])
        slides.append(abs(feet[1][lower][0] - feet[0][lower][0]))
    assert np.median(slides) < 0.1 * walker.at(1 / RATE)[2]


def test_the_camera_maps_cards_and_mirrors_alike_at_the_waterline() -> None:
    view = View(640, 360, Camera.at(3.0, 1.0), 350)
    from impasto.media.scenery.stage import EYE, FOCAL

    for metres in (40.0, 300.0):
        at_the_water = np.array([25.0, FOCAL * EYE / metres, 1])
        assert np.allclose(view.place(metres) @ at_the_water, view.place(metres, mirrored=True) @ at_the_water)


@pytest.mark.slow
def test_three_frames_a_second_at_720p() -> None:
    from time import process_time

    big = Plate(1280, 720, 24, 0)
    big.frame(0)
    start = process_time()
    for number in range(6):
        big.frame(number)
    assert (process_time() - start) / 6 < 1 / 3
