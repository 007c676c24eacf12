"""`--steady`: calmer paintings, and never a ghost; each frame a function of the frames around it and of nothing else."""
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.job import Done, Progress
from impasto.media import open_writer
from impasto.media.colour import AUTO, open_colour
from impasto.media.exr.planes import write_planes
from impasto.media.flow import carried
from impasto.media.plate import Plate, PlateFrame
from impasto.media.vectors import written
from impasto.render.job import RenderJob
from impasto.render.steady import Steadying, Tie, in_company, mixed
from tests.fakes import Inverter, noise
from tests.render.clips import LOSSLESS, frames_of, write_movie

HEIGHT, WIDTH = 48, 64


def scene(seed: int) -> Pixels:
    """Soft shapes, others for each seed."""
    spots = np.random.default_rng(seed).random((HEIGHT, WIDTH, 3), np.float32)
    soft = cv2.GaussianBlur(spots, (0, 0), 3)
    return np.asarray((soft - soft.min()) / np.ptp(soft) * 200 + 25, np.float32)


def grainy(picture: Pixels, number: int, spread: float = 4) -> Pixels:
    """The picture with a grain of its own for each number."""
    grain = np.random.default_rng(number).normal(0, spread, picture.shape)
    return np.clip(picture + grain, 0, 255).round().astype(np.uint8)


def write(folder: Path, pictures: dict[int, Pixels]) -> Path:
    """Pictures as a sequence; its pattern."""
    folder.mkdir(exist_ok=True)
    for number, pixels in pictures.items():
        like = ClipInfo(pixels.shape[1], pixels.shape[0], depth=str(pixels.dtype), channels=pixels.shape[2])
        with open_writer(folder / f"s.{number:04d}.png", like) as writer:
            writer.write(Frame(pixels, number))
    return folder / "s.####.png"


def job(source: Path, out: Path, look: str, **options: Any) -> RenderJob:
    given = {"style": look, "tier": "live", "engine": "onnx", "steady": "flow", **options}
    return RenderJob.build(inputs=[source], out=out, **given)


def render(source: Path, out: Path, look: str, **options: Any) -> dict[int, Pixels]:
    job(source, out, look, **options).finish()
    return frames_of(out if not out.suffix or "#" not in out.name else out.parent)


def as_planes(frames: dict[int, Pixels]) -> list[Pixels]:
    return [(frames[number] / np.float32(255)).astype(np.float32) for number in sorted(frames)]


def shaking(frames: dict[int, Pixels]) -> float:
    """Mean square of the second difference of the middle three frames."""
    before, now, after = as_planes(frames)[2:5]
    return float(np.square(before - 2 * now + after).mean())


def test_a_still_shot_with_noise_flickers_no_more_than_its_source(tmp_path: Path, look: str) -> None:
    source = {number: grainy(scene(1), number) for number in range(1, 8)}
    shot = write(tmp_path / "in", source)
    off = render(shot, tmp_path / "off" / "p.####.png", look, steady="off")
    calm = render(shot, tmp_path / "calm" / "p.####.png", look)
    assert shaking(calm) <= shaking(source)
    assert shaking(calm) < 0.3 * shaking(off)


@pytest.mark.parametrize("between", [None, 235], ids=["cut", "flash"])
def test_nothing_bleeds_across_a_cut_or_a_flash(tmp_path: Path, look: str, between: int | None) -> None:
    """Each side comes out as if the other were not there."""
    first = {number: grainy(scene(1), number) for number in (1, 2, 3)}
    second = {number: grainy(scene(1 if between else 2), number) for number in (5, 6, 7)}
    middle = {4: grainy(np.minimum(scene(1) + (between or 0), 255) if between else scene(2), 4)}
    whole = render(write(tmp_path / "in", {**first, **middle, **second}), tmp_path / "all" / "p.####.png", look)
    parts = [first, middle, second] if between else [first, {**middle, **second}]
    for place, part in enumerate(parts):
        alone = render(write(tmp_path / f"in{place}", part), tmp_path / f"out{place}" / "p.####.png", look)
        for number in part:
            np.testing.assert_array_equal(whole[number], alone[number], err_msg=str(number))


def test_a_thing_that_appears_leaves_no_ghost(tmp_path: Path, negative: Inverter) -> None:
    """What only one frame shows is in that frame alone, as strong as ever."""
    source = {number: scene(3).round().astype(np.uint8) for number in (1, 2, 3, 4, 5)}
    source[3] = source[3].copy()
    source[3][20:30, 24:40] = 250
    calm = render(write(tmp_path / "in", source), tmp_path / "out" / "p.####.png", "great-wave")
    for number, pixels in source.items():
        assert np.abs(calm[number].astype(int) - (255 - pixels.astype(int))).max() <= 3, number


@pytest.mark.parametrize("window", [0, 2])
def test_a_frame_alone_is_that_frame_of_the_shot(tmp_path: Path, look: str, window: int) -> None:
    source = {number: grainy(np.roll(scene(4), 2 * number, axis=1), number) for number in range(1, 9)}
    shot = write(tmp_path / "in", source)
    whole = render(shot, tmp_path / "all" / "p.####.png", look, steady_window=window)
    job(shot, tmp_path / "few" / "p.####.png", look, steady_window=window, frames="1-8x3").finish()
    for number in (1, 4, 7):
        few = next(iter(frames_of(tmp_path / "few" / f"p.{number:04d}.png").values()))
        np.testing.assert_array_equal(few, whole[number])
    off = render(shot, tmp_path / "off" / "p.####.png", look, steady="off", frames="4")
    assert (off[4] != whole[4]).any()


def test_a_window_of_0_sees_nothing_that_comes_later(tmp_path: Path, look: str) -> None:
    source = {number: grainy(scene(5), number) for number in range(1, 7)}
    whole = render(write(tmp_path / "in", source), tmp_path / "all" / "p.####.png", look, steady_window=0)
    begun = {number: source[number] for number in (1, 2, 3)}
    early = render(write(tmp_path / "part", begun), tmp_path / "early" / "p.####.png", look, steady_window=0)
    for number, pixels in early.items():
        np.testing.assert_array_equal(pixels, whole[number])


def test_a_render_that_goes_on_makes_the_same_frames(tmp_path: Path, look: str) -> None:
    source = {number: grainy(scene(6), number) for number in range(1, 9)}
    shot = write(tmp_path / "in", source)
    calm = render(shot, tmp_path / "calm" / "p.####.png", look)
    steps = job(shot, tmp_path / "out" / "p.####.png", look).run()
    for step in steps:
        if isinstance(step, Progress) and step.stage == "painting" and step.done >= 4:
            break
    steps.close()  # type: ignore[attr-defined]
    with pytest.raises(MediaError, match="differs"):
        render(shot, tmp_path / "out" / "p.####.png", look, steady_window=1)
    done = job(shot, tmp_path / "out" / "p.####.png", look).finish()
    assert done.figures["resumed_frames"] > 0
    for number, pixels in frames_of(tmp_path / "out").items():
        np.testing.assert_array_equal(pixels, calm[number])


def test_a_neighbour_that_changed_is_painted_again_with_those_around_it(tmp_path: Path, look: str) -> None:
    source = {number: grainy(scene(6), number) for number in range(1, 9)}
    shot = write(tmp_path / "in", source)
    steps = job(shot, tmp_path / "out" / "p.####.png", look, steady_window=1).run()
    for step in steps:
        if isinstance(step, Progress) and step.stage == "painting" and step.done >= 7:
            break
    steps.close()  # type: ignore[attr-defined]
    (tmp_path / "in" / "s.0002.png").unlink()
    write(tmp_path / "in", {2: grainy(scene(6), 99)})
    done = job(shot, tmp_path / "out" / "p.####.png", look, steady_window=1).finish()
    fresh = render(shot, tmp_path / "fresh" / "p.####.png", look, steady_window=1)
    assert done.figures["resumed_frames"] > 0
    for number, pixels in frames_of(tmp_path / "out").items():
        np.testing.assert_array_equal(pixels, fresh[number])


def test_alpha_mattes_and_depth_stay_the_frames_own(tmp_path: Path, look: str) -> None:
    source = {n: np.dstack([grainy(scene(7), n), np.full((HEIGHT, WIDTH), 40 * n, np.uint8)]) for n in (1, 2, 3)}
    source = {number: pixels.astype(np.uint16) * 257 for number, pixels in source.items()}
    matte = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    matte[:, :30] = 255
    with open_writer(tmp_path / "m.png", ClipInfo(WIDTH, HEIGHT, channels=1)) as writer:
        writer.write(Frame(matte))
    shot = write(tmp_path / "in", source)
    calm = render(shot, tmp_path / "out" / "p.####.png", f"{look}@{tmp_path / 'm.png'}")
    for number, pixels in source.items():
        assert calm[number].dtype == np.uint16
        np.testing.assert_array_equal(calm[number][..., 3], pixels[..., 3])
        np.testing.assert_array_equal(calm[number][:, 30:], pixels[:, 30:])
        assert (calm[number][:, :28, :3] != pixels[:, :28, :3]).any()


def test_a_movie_and_its_figures(tmp_path: Path, look: str) -> None:
    shot = write_movie(tmp_path / "in.mkv", 6, sound=False, encoding=LOSSLESS)
    done: Done = job(shot, tmp_path / "out.mkv", look).finish()
    assert len(frames_of(tmp_path / "out.mkv")) == 6
    told = done.figures["steadied"]
    assert 0 < told["share"] <= 1
    assert told["warp_after"] < told["warp_before"]
    assert told["seconds"] > 0


# ---- motion vectors


@pytest.fixture(scope="module")
def plate() -> list[PlateFrame]:
    scene = Plate(160, 90)
    return [scene.frame(number, truth=True) for number in range(4)]


def write_plate(folder: Path, frames: list[PlateFrame], convention: str = "nuke", ways: str = "both") -> Path:
    folder.mkdir()
    light = open_colour(AUTO, AUTO, ClipInfo(160, 90), ".png", ".exr")
    for frame in frames:
        assert frame.truth is not None
        channels = written(frame.truth.forward, frame.truth.backward, convention)
        channels = {name: plane for name, plane in channels.items() if ways == "both" or ways in name}
        planes = {name: light.converted(frame.rgb)[..., place] for place, name in enumerate("RGB")}
        write_planes(folder / f"s.{frame.number:04d}.exr", {**planes, **channels}, Fraction(24))
    return folder / "s.####.exr"


def true_error(frames: dict[int, Pixels], plate: list[PlateFrame]) -> float:
    """Warp error along the plate's own motion, wherever it can be seen."""
    pictures, errors = as_planes(frames), []
    for frame in plate[1:]:
        assert frame.truth is not None
        apart = pictures[frame.number] - carried(pictures[frame.number - 1], frame.truth.backward)
        errors.append(np.square(apart)[~frame.truth.hidden_backward].mean())
    return float(np.mean(errors))


def test_vectors_beat_flow_and_flow_beats_none_on_the_plate(tmp_path: Path, look: str, plate: list[PlateFrame]) -> None:
    shot = write_plate(tmp_path / "in", plate)
    errors = []
    for manner in ("off", "flow", "vectors"):
        errors.append(true_error(render(shot, tmp_path / manner / "p.####.png", look, steady=manner), plate))
    assert errors[2] < errors[1] < errors[0], errors


def test_both_conventions_are_one_motion_and_one_way_is_enough(tmp_path: Path, look: str, plate: list[PlateFrame]) -> None:
    shots = [write_plate(tmp_path / "n", plate), write_plate(tmp_path / "b", plate, "blender")]
    nuke, blender = (render(shot, tmp_path / f"{n}o" / "p.####.png", look, steady="vectors") for n, shot in enumerate(shots))
    for number, pixels in nuke.items():
        np.testing.assert_array_equal(pixels, blender[number])
    shot = write_plate(tmp_path / "f", plate, ways="forward")
    one_way = render(shot, tmp_path / "fo" / "p.####.png", look, steady="vectors")
    off = render(shot, tmp_path / "off" / "p.####.png", look, steady="off")
    assert true_error(one_way, plate) < 0.8 * true_error(off, plate)


def test_vectors_of_their_own_go_along_with_pictures(tmp_path: Path, look: str, plate: list[PlateFrame]) -> None:
    vectors = write_plate(tmp_path / "mv", plate)
    shot = write(tmp_path / "in", {frame.number: frame.rgb for frame in plate})
    calm = render(shot, tmp_path / "out" / "p.####.png", look, steady="vectors", vectors=str(vectors))
    off = render(shot, tmp_path / "off" / "p.####.png", look, steady="off")
    assert true_error(calm, plate) < 0.8 * true_error(off, plate)
    half = render(shot, tmp_path / "half" / "p.####.png", look, steady="vectors", vectors=str(vectors), proxy=2)
    none = render(shot, tmp_path / "none" / "p.####.png", look, steady="off", proxy=2)
    assert any((half[number] != none[number]).any() for number in half)


def test_what_vectors_lack_is_said_in_one_line(tmp_path: Path, look: str, plate: list[PlateFrame]) -> None:
    shot = write_plate(tmp_path / "in", plate)
    with pytest.raises(MediaError, match=r"no motion vectors .*Vector.Z.*\(blender\); it has .*forward\.u"):
        render(shot, tmp_path / "a" / "p.####.png", look, steady="vectors", vector_convention="blender")
    pictures = write(tmp_path / "png", {frame.number: frame.rgb for frame in plate})
    with pytest.raises(MediaError, match="only an EXR can"):
        render(pictures, tmp_path / "b" / "p.####.png", look, steady="vectors")
    (tmp_path / "in" / "s.0002.exr").unlink()
    with pytest.raises(MediaError, match="lack frame 2 of the shot"):
        render(pictures, tmp_path / "c" / "p.####.png", look, steady="vectors", vectors=str(shot), frames="0")
    with pytest.raises(InputError, match="--vectors is for --steady vectors"):
        render(pictures, tmp_path / "d" / "p.####.png", look, vectors=str(shot))
    with pytest.raises(InputError, match="--wedge paints one alone"):
        render(pictures, tmp_path / "e.png", look, wedge="strength=.5,1")


# ---- the parts


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_what_does_not_count_keeps_its_bits(kind: type) -> None:
    painted, other = (np.asarray(noise(24, 32, seed=seed), kind) for seed in (1, 2))
    if kind is np.float32:
        painted, other = painted / np.float32(255), other / np.float32(255)
    weight = np.zeros((24, 32), np.float32)
    weight[:, :8] = 1
    result = mixed(painted, [(other, Tie(2, np.zeros((24, 32, 2), np.float32), weight))])
    assert result.dtype == kind
    np.testing.assert_array_equal(result[:, 8:], painted[:, 8:])
    assert (result[:, :8] != painted[:, :8]).any()
    assert mixed(painted, []) is painted


def test_a_mean_keeps_the_fine_detail_that_one_painting_has() -> None:
    paintings = [np.asarray(noise(48, 48, seed=seed) / 255, np.float32) for seed in range(5)]
    whole = np.ones((48, 48), np.float32)
    ties = [(each, Tie(n, np.zeros((48, 48, 2), np.float32), whole)) for n, each in enumerate(paintings[1:])]
    assert mixed(paintings[0], ties).std() > 1.3 * np.mean(paintings, axis=0).std()


def test_no_more_frames_are_held_than_are_wanted() -> None:
    alive = 0

    class Watched(Frame):
        def __init__(self, number: int) -> None:
            nonlocal alive
            alive += 1
            super().__init__(np.zeros((1, 1, 3), np.uint8), number)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def frames() -> Iterator[Frame]:
        for number in range(100):
            yield Watched(number)

    settings, most = Steadying("flow", 2), 0
    wanted = {number: settings.around(range(100), number) for number in range(100)}
    for number, company in in_company(frames(), wanted):
        assert [frame.number for frame in company] == list(range(max(0, number - 2), min(100, number + 3)))
        most = max(most, alive)
    assert most <= 7
