"""Shots: every cut, fade and dissolve of made clips is found, and nothing that only looks like one."""
from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from impasto.frame import Frame, Pixels
from impasto.media import cuts
from impasto.media.cuts import Shot, find_cuts, goes_on
from impasto.media.plate import Plate

WIDTH, HEIGHT, LENGTH = 128, 72, 20
DATA = Path(__file__).parents[3] / "shared/data/video"
Clip = list[NDArray[np.float32]]


@cache
def _scene(seed: int) -> tuple[NDArray[np.uint8], ...]:
    plate = Plate(WIDTH, HEIGHT, 24, seed)
    return tuple(plate.frame(number).rgb for number in range(LENGTH))


def scene(seed: int, grain: float = 0.0) -> Clip:
    dice = np.random.default_rng(seed)
    noise = [dice.normal(0, grain, (HEIGHT, WIDTH, 1)) if grain else 0 for _ in range(LENGTH)]
    return [(frame + one).astype(np.float32) for frame, one in zip(_scene(seed), noise, strict=True)]


def shots(clip: Clip, first: int = 0) -> list[Shot]:
    pixels = (np.clip(frame, 0, 255).astype(np.uint8) for frame in clip)
    return list(find_cuts(Frame(frame, number) for number, frame in enumerate(pixels, first)))


def fade(clip: Clip, value: float, frames: int, out: bool) -> Clip:
    shares = [(place + 1) / (frames + 1) for place in range(frames)]
    if out:
        return clip[:-frames] + [frame + (value - frame) * share for frame, share in zip(clip[-frames:], shares, strict=True)]
    return [value + (frame - value) * share for frame, share in zip(clip[:frames], shares, strict=True)] + clip[frames:]


@pytest.mark.parametrize("grain", [0.0, 12.0])
def test_every_cut_is_found_and_no_other(grain: float) -> None:
    found = shots([frame for seed in (0, 1, 2, 3) for frame in scene(seed, grain)], first=1001)
    starts = range(1001, 1001 + 4 * LENGTH, LENGTH)
    assert found == [Shot(start, start + LENGTH - 1, "cut" if start > 1001 else "start") for start in starts]


def test_short_shots_count() -> None:
    found = shots(scene(0)[:10] + scene(1)[:3] + scene(2)[:10] + scene(3)[:1])
    assert [(shot.first, shot.last) for shot in found] == [(0, 9), (10, 12), (13, 22), (23, 23)]


@pytest.mark.parametrize("length", [1, 4])
@pytest.mark.parametrize("light", ["white", "bright", "dark"])
def test_a_flash_is_no_cut(length: int, light: str) -> None:
    clip = scene(2)
    for number in range(9, 9 + length):
        clip[number] = {"white": clip[number] * 0 + 255, "bright": clip[number] * 2 + 60, "dark": clip[number] * 0.2}[light]
    assert shots(clip) == [Shot(0, LENGTH - 1, "start")]


def test_someone_passing_close_by_is_no_cut() -> None:
    clip = scene(0)
    for number in range(8, 14):
        left = (number - 8) * 40 - 60
        clip[number][:, max(0, left) : left + 120] = 20 + 5 * (np.arange(HEIGHT) // 12 % 2)[:, None, None]
    assert shots(clip) == [Shot(0, LENGTH - 1, "start")]


@pytest.mark.parametrize("speed", [3, 18])
def test_a_pan_is_no_cut(speed: int) -> None:
    panorama = np.concatenate([Plate(600, HEIGHT, 24, 1).frame(0).rgb] * 2, axis=1)
    clip = [panorama[:, number * speed : number * speed + WIDTH].astype(np.float32) for number in range(LENGTH)]
    assert len(shots(clip)) == 1


def test_a_shaking_camera_and_flicker_are_no_cuts() -> None:
    dice = np.random.default_rng(0)
    large = Plate(WIDTH + 40, HEIGHT + 40, 24, 3)
    clip = []
    for number in range(LENGTH):
        x, y = dice.integers(0, 40, 2) // 3 + 10
        frame = large.frame(number).rgb[y : y + HEIGHT, x : x + WIDTH].astype(np.float32)
        clip.append(frame * dice.uniform(0.7, 1.3) + dice.normal(0, 8, (HEIGHT, WIDTH, 1)).astype(np.float32))
    assert len(shots(clip)) == 1


@pytest.mark.parametrize("value", [0.0, 255.0])
@pytest.mark.parametrize(("frames", "hold"), [(4, 1), (10, 0), (10, 20)])
def test_fades_are_found_once(value: float, frames: int, hold: int) -> None:
    black = [np.full((HEIGHT, WIDTH, 3), value, np.float32)] * hold
    found = shots(fade(scene(0), value, frames, out=True) + black + fade(scene(1), value, frames, out=False))
    assert len(found) == 2
    assert found[1].kind == "fade"
    assert LENGTH - 2 <= found[1].first <= LENGTH + hold + 2
    assert found[0].last == found[1].first - 1


def test_black_at_the_ends_is_no_shot_of_its_own() -> None:
    black = [np.zeros((HEIGHT, WIDTH, 3), np.float32)] * 20
    clip = black + fade(scene(0), 0, 8, out=False)[:16] + fade(scene(0), 0, 8, out=True)[16:] + black
    assert shots(clip) == [Shot(0, len(clip) - 1, "start")]


def test_black_between_hard_cuts_is_one_cut() -> None:
    found = shots(scene(0) + [np.zeros((HEIGHT, WIDTH, 3), np.float32)] * 5 + scene(1))
    assert found == [Shot(0, LENGTH + 4, "start"), Shot(LENGTH + 5, 2 * LENGTH + 4, "cut")]


@pytest.mark.parametrize("length", [6, 10])
@pytest.mark.parametrize("seeds", [(1, 2), (2, 3)])
def test_dissolves_are_found_in_their_middle(length: int, seeds: tuple[int, int]) -> None:
    one, other = scene(seeds[0]), scene(seeds[1])
    shares = [(place + 1) / (length + 1) for place in range(length)]
    mixed = [a * (1 - s) + b * s for a, b, s in zip(one[-length:], other[:length], shares, strict=True)]
    found = shots(one[:-length] + mixed + other[length:])
    assert [shot.kind for shot in found] == ["start", "dissolve"]
    assert abs(found[1].first - (LENGTH - length / 2)) <= 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
@pytest.mark.parametrize("grey", [False, True])
def test_depth_and_grey_do_not_matter(dtype: type, grey: bool) -> None:
    def frames() -> Iterator[Frame]:
        for number, frame in enumerate([*_scene(0)[:12], *_scene(1)[:12]]):
            light = frame.astype(np.float32).mean(axis=2, keepdims=True) if grey else frame.astype(np.float32)
            linear = issubclass(dtype, np.floating)
            pixels: Pixels = np.square(light / 255) if linear else light * (257 if dtype == np.uint16 else 1)
            yield Frame(pixels.astype(dtype), number)

    assert list(find_cuts(frames())) == [Shot(0, 11, "start"), Shot(12, 23, "cut")]


def test_odd_clips() -> None:
    assert shots([]) == []
    assert shots(scene(0)[:1]) == [Shot(0, 0, "start")]
    flat = [np.full((3, 5, 3), 90, np.float32)] * 20
    assert shots(flat) == [Shot(0, 19, "start")]
    assert [shot.first for shot in shots(flat + [np.full((3, 5, 3), 200, np.float32)] * 20)] == [0, 20]
    assert len(shots([np.zeros((HEIGHT, WIDTH, 3), np.float32)] * 50)) == 1
    nothing = (Frame(np.full((8, 8, 3), np.nan, np.float32), number) for number in range(3))
    assert len(list(find_cuts(nothing))) == 1


def test_shots_come_while_frames_stream_and_little_is_kept() -> None:
    asked: list[int] = []

    def frames() -> Iterator[Frame]:
        for number in range(130):
            asked.append(number)
            yield Frame(_scene(number // LENGTH % 2)[number % LENGTH], number)

    watch = cuts._Watch()
    found = find_cuts(frames())
    assert next(found) == Shot(0, LENGTH - 1, "start")
    assert len(asked) <= LENGTH + cuts.AHEAD + 1
    for frame in frames():
        list(watch.take(cuts._Look(frame)))
        assert len(watch._line) <= 80


@pytest.mark.skipif(not (DATA / "bikes.mp4").exists(), reason="needs the clip shared/data/video/bikes.mp4")
def test_a_film_with_five_cuts() -> None:
    import av

    with av.open(str(DATA / "bikes.mp4")) as container:
        frames = (Frame(frame.to_ndarray(format="rgb24"), number) for number, frame in enumerate(container.decode(video=0)))
        found = list(find_cuts(frames))
    assert [shot.first for shot in found] == [0, 30, 76, 137, 187, 242]
    assert {shot.kind for shot in found[1:]} == {"cut"}


def neighbours(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    before, after = (Frame(np.clip(pixels, 0, 255).astype(np.uint8), number) for number, pixels in enumerate((one, other)))
    return goes_on(before, after)


@pytest.mark.parametrize("grain", [0.0, 12.0])
def test_two_neighbours_of_one_shot_go_on_and_those_of_two_do_not(grain: float) -> None:
    first, second = scene(0, grain), scene(1, grain)
    assert all(neighbours(one, other) for one, other in pairwise(first))
    assert not neighbours(first[3], second[3])
    assert not neighbours(second[-1], first[0])


def test_nothing_goes_on_into_a_flash_or_into_black_or_white() -> None:
    frame = scene(2)[0]
    for other in (frame * 1.5 + 40, frame * 0.4, np.zeros_like(frame), np.full_like(frame, 255)):
        assert not neighbours(frame, other)
        assert not neighbours(other, frame)
