"""`--step`, `--boil`, `--screen`: drawings that hold, hands that sway as much as asked, marks that stay or go along."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impasto.errors import InputError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.job import Done, Progress
from impasto.media import open_reader, open_writer
from impasto.media.flow import Plane
from impasto.media.video import SegmentWriter
from impasto.media.video.join import join
from impasto.render.comic import LAID_FOR, Comic, boiled, screened
from impasto.render.drawings import Drawings, Ground
from impasto.render.errands import Selection, survey
from impasto.render.job import RenderJob
from impasto.render.steady import Seen
from tests.evaluate.shots import pan, texture
from tests.fakes import Inverter
from tests.render.clips import LOSSLESS, frames_of, write_tone

FIRST, CUT, LAST = 1001, 1006, 1011  # a cut after five frames: on twos the sixth begins anew


def shot() -> dict[int, Pixels]:
    """Two pans with a cut between them."""
    other = [np.ascontiguousarray(1 - frame[::-1, ::-1]) for frame in pan(6)]
    return {FIRST + place: np.rint(frame * 255).astype(np.uint8) for place, frame in enumerate([*pan(5), *other])}


@pytest.fixture(scope="module")
def sequence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shot")
    for number, pixels in shot().items():
        with open_writer(folder / f"s.{number}.png", ClipInfo(pixels.shape[1], pixels.shape[0])) as writer:
            writer.write(Frame(pixels, number))
    return folder / "s.####.png"


def render(source: Path, out: Path, look: str = "great-wave", **options: Any) -> dict[int, Pixels]:
    job(source, out, look, **options).finish()
    return frames_of(out.parent if "#" in out.name else out)


def job(source: Path, out: Path, look: str = "great-wave", **options: Any) -> RenderJob:
    return RenderJob.build(inputs=[source], out=out, **{"style": look, "tier": "live", "engine": "onnx", **options})


def assert_same(ours: dict[int, Pixels], theirs: dict[int, Pixels]) -> None:
    for number, pixels in ours.items():
        np.testing.assert_array_equal(pixels, theirs[number], err_msg=str(number))


# ---- on twos and threes


@pytest.mark.parametrize(("step", "drawn"), [
    (1, [1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011]),
    (2, [1001, 1001, 1003, 1003, 1005, 1006, 1006, 1008, 1008, 1010, 1010]),
    (3, [1001, 1001, 1001, 1004, 1004, 1006, 1006, 1006, 1009, 1009, 1009]),
])  # fmt: skip
def test_each_shot_is_counted_from_its_own_beginning(
    tmp_path: Path, sequence: Path, negative: Inverter, step: int, drawn: list[int]
) -> None:
    painted, source = render(sequence, tmp_path / "o" / "p.####.png", step=step), shot()
    assert list(painted) == list(source)
    assert_same(painted, {number: 255 - source[key] for number, key in zip(source, drawn, strict=True)})


def test_a_frame_alone_is_that_frame_of_the_shot(tmp_path: Path, sequence: Path, look: str) -> None:
    options: dict[str, Any] = {"step": 2, "boil": 1.0, "screen": "object", "steady": "flow", "grain": 1.0}
    whole = render(sequence, tmp_path / "all" / "p.####.png", look, **options)
    assert_same(render(sequence, tmp_path / "few" / "p.####.png", look, frames="1007-1009", **options), whole)
    assert (whole[1006] != whole[1007]).any(), "grain goes on where a drawing is held"


def test_a_movie_keeps_its_length_and_its_sound(tmp_path: Path, negative: Inverter) -> None:
    frames, rate = list(shot().values()), Fraction(24)
    like = ClipInfo(frames[0].shape[1], frames[0].shape[0], len(frames), rate)
    piece, tone, movie = tmp_path / "piece.mkv", tmp_path / "t.wav", tmp_path / "in.mkv"
    with SegmentWriter(piece, like, LOSSLESS, target=movie) as writer:
        for number, pixels in enumerate(frames, 1):
            writer.write(Frame(pixels, number))
    times = [Fraction(place) / rate for place in range(len(frames))]
    join([piece], times, [], movie, like, sound=str(write_tone(tone, len(frames) / rate)), overwrite=True)
    painted = render(movie, tmp_path / "out.mkv", step=2, codec="ffv1")
    twice = render(movie, tmp_path / "few.mkv", step=2, codec="ffv1", frames="4-7")
    with open_reader(movie) as before, open_reader(tmp_path / "out.mkv") as after:
        assert (after.info.frames, after.info.fps, after.info.tags.get("sound")) == (
            before.info.frames, before.info.fps, before.info.tags.get("sound"))  # fmt: skip
    np.testing.assert_array_equal(painted[3], painted[4])
    assert (painted[5] != painted[6]).any(), "a cut begins a drawing of its own"
    np.testing.assert_array_equal(painted[6], painted[7])
    assert_same({number + 3: pixels for number, pixels in twice.items()}, painted)


def test_a_drawing_whose_frame_changed_is_made_again(tmp_path: Path, look: str) -> None:
    shots = {number: pixels for number, pixels in shot().items() if number < CUT}
    for number, pixels in shots.items():
        with open_writer(tmp_path / f"s.{number}.png", ClipInfo(pixels.shape[1], pixels.shape[0])) as writer:
            writer.write(Frame(pixels, number))
    out = tmp_path / "o" / "p.####.png"
    steps = job(tmp_path / "s.####.png", out, look, step=2).run()
    for step in steps:
        if isinstance(step, Progress) and step.stage == "painting" and step.done >= 4:
            break
    steps.close()  # type: ignore[attr-defined]
    (tmp_path / "s.1003.png").unlink()
    with open_writer(tmp_path / "s.1003.png", ClipInfo(shots[1001].shape[1], shots[1001].shape[0])) as writer:
        writer.write(Frame(shots[1002], 1003))
    done: Done = job(tmp_path / "s.####.png", out, look, step=2).finish()
    assert done.figures["resumed_frames"] > 0
    np.testing.assert_array_equal(frames_of(tmp_path / "o")[1003], frames_of(tmp_path / "o")[1004])


def test_what_does_not_go_together_is_said(tmp_path: Path, sequence: Path, look: str) -> None:
    for options, told in (
        ({"step": 2, "wedge": "strength=.5,1"}, "--step looks at the frames before"),
        ({"screen": "object", "wedge": "strength=.5,1"}, "--screen object looks at"),
        ({"marks": "hatching"}, "--marks is for a screen"),
        ({"mark_size": 2.0}, "--mark-size is for a screen"),
    ):
        with pytest.raises(InputError, match=told):
            job(sequence, tmp_path / "o.png", look, **options).finish()


# ---- boil


def test_lines_sway_as_much_as_asked_and_only_from_drawing_to_drawing() -> None:
    picture = np.rint(texture(180, 240) * 255).astype(np.uint8)
    assert boiled(picture, 0, 5, 0) is picture
    swayed = [boiled(picture, 1, drawing, seed).astype(float) for drawing, seed in ((5, 0), (5, 0), (7, 0), (-7, 0), (5, 1))]
    np.testing.assert_array_equal(swayed[0], swayed[1])
    assert all(np.abs(swayed[0] - other).mean() > 1 for other in swayed[2:]), "each drawing and each seed has its own hand"
    assert np.abs(swayed[2] - swayed[3]).mean() > 1
    changes = [np.abs(boiled(picture, amount, 5, 0).astype(float) - picture).mean() for amount in (0.25, 0.5, 1.0)]
    assert 0.2 < changes[0] < changes[1] < changes[2]


# ---- screens

GREY = np.full((220, 220, 3), 0.3, np.float32)


@pytest.mark.parametrize("marks", ["dots", "hatching"])
def test_a_tone_keeps_its_place_and_light_and_black_stay_as_they_are(marks: Any) -> None:
    comic = Comic(screen="frame", marks=marks, mark_size=3)
    inked = screened(GREY, comic, None)
    assert inked.std() > 0.08, "it is in marks"
    assert inked.mean() == pytest.approx(0.3, abs=0.03)
    for tone in (0.0, 0.03, 0.7, 1.0):
        np.testing.assert_allclose(screened(np.full_like(GREY, tone), comic, None), tone, atol=1e-6)
    assert screened(GREY, Comic(), None) is GREY


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_screen_stays_within_what_is_stored(kind: type) -> None:
    stored: Pixels = (GREY * np.iinfo(kind).max).astype(kind)
    inked = screened(stored, Comic(screen="frame"), None)
    assert inked.dtype == kind
    assert np.ptp(inked) > np.iinfo(kind).max / 8


def test_a_screen_on_the_frame_stays_and_one_on_the_object_goes_along(tmp_path: Path, sequence: Path, negative: Inverter) -> None:
    """Moved back by the pan, the marks of the later frame are those of the first."""

    def marks(frames: dict[int, Pixels], number: int) -> Plane:
        bare = 255.0 - shot()[number]
        return np.asarray((frames[number] - bare).mean(2), np.float32)

    across, down = round(4 * 2.3), round(4 * 0.8)
    alike = {}
    for screen in ("frame", "object"):
        found = render(sequence, tmp_path / screen / "p.####.png", screen=screen, mark_size=8)
        first, last = marks(found, FIRST), marks(found, FIRST + 4)
        inner = (slice(20, 70), slice(20, 100))
        there = (slice(20 + down, 70 + down), slice(20 + across, 100 + across))
        alike[screen] = [np.corrcoef(last[inner].ravel(), first[place].ravel())[0, 1] for place in (inner, there)]
    assert alike["frame"][0] > alike["frame"][1]
    assert alike["object"][1] > alike["object"][0]
    assert alike["object"][1] > 0.6, alike


def test_what_is_carried_along_is_the_same_from_any_beginning(sequence: Path) -> None:
    source = survey(sequence, Selection())
    seen = {number: Seen(Frame(pixels, number), pixels, None) for number, pixels in shot().items()}
    drawings = Drawings(Comic(screen="object"), source)
    list(drawings.find())
    going = Ground()
    for number in seen:
        moved, alone = (each.under(drawings.chain(number), seen.__getitem__) for each in (going, Ground()))
        assert (moved is None) == (alone is None) == (number in (FIRST, CUT))
        if moved is not None and alone is not None:
            np.testing.assert_array_equal(moved, alone)
    assert moved is not None
    assert np.median(moved, axis=(0, 1)) == pytest.approx((-5 * 2.3, -5 * 0.8), abs=0.7)


@pytest.mark.parametrize("step", [1, 2, 3, 12])
def test_no_frame_is_drawn_from_further_back_than_is_said(step: int, sequence: Path) -> None:
    source = survey(sequence, Selection())
    comic = Comic(step=step, screen="object")
    long = Drawings(comic, type(source)(**{**vars(source), "everyone": range(1, 101), "numbers": range(1, 101)}))
    back = [number - min(long.chain(number)) for number in range(1, 101)]
    assert max(back) <= comic.reach < LAID_FOR + step
