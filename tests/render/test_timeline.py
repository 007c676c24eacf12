"""An edit comes back with painted media: the right frames, once each, and everything else as it was."""
from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto import cli
from impasto.errors import InputError, MediaError, MissingExtra
from impasto.frame import ClipInfo
from impasto.job import Done, Progress
from impasto.media import open_reader
from impasto.media.encoding import Decoding
from impasto.media.timecode import to_frames
from impasto.render.job import RenderJob
from impasto.render.timeline import edit, edl, sources
from impasto.render.timeline.job import NOTES, TimelineJob
from impasto.render.timeline.wishes import LOOK
from impasto.styles.package import Card, Tier, TrainingRecord, write_style
from tests.fakes import noise
from tests.render.test_enlarge import doubling_graph
from tests.render.test_guides import guided_graph

otio = pytest.importorskip("opentimelineio", reason="timelines need the extra: pip install 'impasto[timeline]'")
FPS = 24.0


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch) -> list[RenderJob]:
    """Movies of a few letters, and a render that only writes down what it was asked for."""
    jobs: list[RenderJob] = []

    class Reader(SimpleNamespace):
        def __enter__(self) -> Reader:
            return self

        def __exit__(self, *_: object) -> None: ...

        def numbers(self) -> range:
            return range(1, self.info.frames + 1)

    def open_reader(path: Path, decoding: Decoding) -> Reader:
        frames, fps, timecode = json.loads(path.read_text())
        return Reader(info=ClipInfo(8, 8, frames, Fraction(fps), tags={"timecode": timecode} if timecode else {}))

    def run(self: RenderJob) -> Iterator[Progress | Done]:
        jobs.append(self)
        first, last = (int(part) for part in self.frames.split("-")) if self.frames != "all" else (0, 0)
        yield Progress("painting", last - first + 1, last - first + 1, "frame", 10.0)
        for target in {Path(str(self.out).replace("####", f"{number:04d}")) for number in range(first, last + 1)}:
            target.parent.mkdir(exist_ok=True)
            assert self.overwrite or not target.exists(), f"{target} exists"
            target.write_text(self.to_json())
        yield Done(self.out, "painted")

    monkeypatch.setattr(sources, "open_reader", open_reader)
    monkeypatch.setattr(RenderJob, "run", run)
    return jobs
    return jobs


@pytest.fixture(autouse=True)
def looks(tiny_style: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The looks tiny and other are at hand."""
    folder = tiny_style.parent
    if not (folder / "other.style").exists():
        (folder / "other.style").write_bytes(tiny_style.read_bytes())
    monkeypatch.setenv("IMPASTO_STYLES", str(folder))


def movie(path: Path, frames: int = 100, timecode: str = "", fps: int = 24) -> Path:
    path.write_text(json.dumps([frames, fps, timecode]))
    return path


def time(value: float, rate: float = FPS) -> Any:
    return otio.opentime.RationalTime(value, rate)


def span(start: float, length: float, rate: float = FPS) -> Any:
    return otio.opentime.TimeRange(time(start, rate), time(length, rate))


def clip(url: str, start: float, length: float, available: Any = None, **more: Any) -> Any:
    reference = otio.schema.ExternalReference(target_url=url, available_range=available)
    return otio.schema.Clip(more.pop("name", Path(url).stem), reference, span(start, length), **more)


def timeline(path: Path, *items: Any, audio: Any = ()) -> Path:
    made = otio.schema.Timeline("edit")
    made.tracks.append(otio.schema.Track("V1", list(items), kind=otio.schema.TrackKind.Video))
    if audio:
        made.tracks.append(otio.schema.Track("A1", list(audio), kind=otio.schema.TrackKind.Audio))
    otio.adapters.write_to_file(made, str(path))
    return path


def conform(path: Path, **options: Any) -> Done:
    options = {"style": "tiny", "handles": 0, "out": path.parent / "painted", **options}
    return TimelineJob.build(timeline=path, **options).finish()


def result(done: Done) -> Any:
    return otio.adapters.read_from_file(str(done.path))


def clips(done: Done) -> list[Any]:
    return list(result(done).find_clips())


# ---- which frames


def test_each_stretch_is_painted_once_with_handles_and_transitions(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    movie(tmp_path / "b.mov")
    dissolve = otio.schema.Transition("SMPTE_Dissolve", in_offset=time(3), out_offset=time(5))
    items = [clip("a.mov", 10, 20), dissolve, clip("b.mov", 30, 20), clip("a.mov", 25, 10), clip("a.mov", 80, 20)]
    done = conform(timeline(tmp_path / "edit.otio", *items), handles=2)
    assert [(job.inputs[0].name, job.frames, job.out.name) for job in renders] == [
        ("a.mov", "9-37", "a.mov"),  # 11-30, five more for the dissolve, joined with 26-35
        ("a.mov", "79-100", "a_79-100.mov"),  # no handles where the media ends
        ("b.mov", "26-52", "b.mov"),
    ]
    assert done.figures["clips"] == 4
    assert done.figures["frames"] == 29 + 22 + 27


@pytest.mark.parametrize(
    ("effect", "frames"),
    [
        (otio.schema.LinearTimeWarp(time_scalar=2), "31-70"),
        (otio.schema.LinearTimeWarp(time_scalar=0.5), "31-40"),
        (otio.schema.LinearTimeWarp(time_scalar=-1), "11-50"),
        (otio.schema.FreezeFrame(), "31-31"),
        (otio.schema.TimeEffect("ramp"), "1-100"),
    ],
    ids=["twice", "half", "backwards", "still", "unknown"],
)
def test_speed_effects_reach_what_they_reach(tmp_path: Path, renders: list[RenderJob], effect: Any, frames: str) -> None:
    movie(tmp_path / "a.mov")
    done = conform(timeline(tmp_path / "edit.otio", clip("a.mov", 30, 20, effects=[effect])))
    assert renders[0].frames == frames
    assert clips(done)[0].effects[0].is_equivalent_to(effect)
    assert clips(done)[0].duration() == time(20)


@pytest.mark.parametrize(
    ("timecode", "available", "start", "frames", "painted_start", "new_start"),
    [
        ("", None, 30, "31-50", 0, 0),  # its file begins at 0, so the painted one does, and the clip counts from there
        ("", span(0, 100), 30, "31-50", 0, 0),
        ("01:00:00:00", span(86400, 100), 86430, "31-50", 86430, 86430),
        ("01:00:00:00", None, 86430, "31-50", 86430, 86430),
        ("01:00:00:00", None, 30, "31-50", 0, 0),
        ("", span(1000, 100), 1030, "31-50", 1000, 1000),
    ],
)
def test_times_are_counted_as_the_edit_counts_them(
    tmp_path: Path,
    renders: list[RenderJob],
    timecode: str,
    available: Any,
    start: int,
    frames: str,
    painted_start: int,
    new_start: int,
) -> None:
    movie(tmp_path / "a.mov", timecode=timecode)
    marker = otio.schema.Marker("here", span(start + 4, 1))
    made = clips(conform(timeline(tmp_path / "edit.otio", clip("a.mov", start, 20, available, markers=[marker]))))[0]
    assert renders[0].frames == frames
    assert made.media_reference.available_range == span(painted_start, 20)
    assert made.source_range == span(new_start, 20)
    assert made.markers[0].marked_range == span(new_start + 4, 1)


def test_film_at_24_and_23976_is_conformed_frame_by_frame(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov", fps=25)
    reference = otio.schema.ExternalReference("a.mov", span(0, 100, 25))
    first = otio.schema.Clip("one", reference, span(24, 24, 24))  # the second second: frames 25-49 of 25 fps
    second = otio.schema.Clip("two", reference.clone(), span(60, 5, 24.975))
    conform(timeline(tmp_path / "edit.otio", first, second))
    assert [job.frames for job in renders] == ["26-50", "61-65"]


def test_image_sequences_keep_their_numbers(tmp_path: Path, renders: list[RenderJob], monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1001, 1049):
        (tmp_path / f"shot.{number}.exr").write_text("")
    files = {number: tmp_path / f"shot.{number}.exr" for number in range(1001, 1049)}
    known = sources.Source(tmp_path / "shot.####.exr", "sequence", list(files), Fraction(0), None, files)
    monkeypatch.setattr(sources.Source, "survey", lambda _: known)
    sequence = otio.schema.ImageSequenceReference(
        tmp_path.as_uri() + "/", "shot.", ".exr", 1001, 1, FPS, 4, available_range=span(86400, 48)
    )
    done = conform(timeline(tmp_path / "edit.otio", otio.schema.Clip("s", sequence, span(86410, 10))), handles=3)
    assert renders[0].frames == "1008-1023"
    assert renders[0].out == tmp_path / "painted" / "shot" / "shot.####.exr"
    assert renders[0].fps == 24
    made = clips(done)[0]
    assert made.source_range == span(86410, 10)
    reference = made.media_reference
    assert reference.frame_range_for_time_range(made.source_range) == (1011, 1020)
    assert reference.target_url_for_image_number(3) == (tmp_path / "painted/shot/shot.1011.exr").as_uri()
    movie_done = conform(tmp_path / "edit.otio", out=tmp_path / "as_movie", medium="movie")
    assert renders[1].out == tmp_path / "as_movie" / "shot.mov"
    assert clips(movie_done)[0].source_range == span(0, 10)


def test_a_movie_becomes_a_sequence_when_asked(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    done = conform(timeline(tmp_path / "edit.otio", clip("a.mov", 30, 20)), medium="sequence")
    assert renders[0].out == tmp_path / "painted/a/a.####.png"
    made = clips(done)[0]
    assert made.source_range == span(30, 20)
    assert made.media_reference.frame_range_for_time_range(made.source_range) == (31, 50)
    assert made.media_reference.target_url_base == "a/"


def test_what_the_media_does_not_have_is_refused(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    with pytest.raises(InputError, match=r"clip 1 'a'.* frames 91-120 of .*a\.mov, which has 1-100"):
        conform(timeline(tmp_path / "edit.otio", clip("a.mov", 90, 30)))
    assert not (tmp_path / "painted").exists()


# ---- what stays


def test_everything_else_stays(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    shown = clip("a.mov", 0, 20, metadata={"grade": {"id": 7}, "impasto": {"style": "other", "keep_colour": 0.5}})
    shown.media_reference.name = "camera"
    shown.media_reference.metadata["reel"] = "A001"
    gap = otio.schema.Gap(source_range=span(0, 12))
    black = otio.schema.Clip("black", otio.schema.GeneratorReference("black"), span(0, 5))
    off = clip("gone.mov", 0, 5)
    off.enabled = False
    fade = otio.schema.Transition("SMPTE_Dissolve", in_offset=time(2), out_offset=time(0))
    path = timeline(tmp_path / "edit.otio", shown, fade, gap, black, off, audio=[clip("a.mov", 0, 20), clip("no.wav", 0, 9)])
    before, after = otio.adapters.read_from_file(str(path)), result(conform(path))
    old, new = next(iter(before.find_clips())), next(iter(after.find_clips()))
    assert new.media_reference.target_url == "a.mov"
    assert new.media_reference.name == "camera"
    assert new.media_reference.metadata["reel"] == "A001"
    made = json.loads(otio.adapters.write_to_string(new.media_reference, "otio_json"))["metadata"]["impasto"]
    assert made == {
        "frames": "1-20", "style": ["other"], "tier": "full", "strength": "1", "keep_colour": 0.5, "source": "a.mov",
    }  # fmt: skip
    new.media_reference, new.source_range = old.media_reference, old.source_range
    assert after.is_equivalent_to(before)


def test_nested_edits_are_painted_too(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    inner = otio.schema.Stack("scene", [otio.schema.Track("V", [clip("a.mov", 5, 10)]), otio.schema.Track("A", kind="Audio")])
    inner[1].append(clip("music.wav", 0, 10))
    done = conform(timeline(tmp_path / "edit.otio", inner))
    assert [job.frames for job in renders] == ["6-15"]
    assert clips(done)[1].media_reference.target_url == "music.wav"


def test_references_are_written_as_they_were(tmp_path: Path, renders: list[RenderJob]) -> None:
    name = "50% #1 é.mov"
    movie(tmp_path / name)
    urls = [name, str(tmp_path / name), (tmp_path / name).as_uri(), f"file://localhost{tmp_path}/{name}"]
    done = conform(timeline(tmp_path / "edit.otio", *(clip(url, 0, 5) for url in urls)))
    assert len(renders) == 1
    target = tmp_path / "painted" / "50_1_é.mov"
    assert renders[0].out == target
    told = [each.media_reference.target_url for each in clips(done)]
    assert told == [target.name, str(target), target.as_uri(), target.as_uri()]


# ---- looks


def test_a_clips_own_look_comes_first(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    own = clip("a.mov", 0, 10, metadata={"impasto": {"style": "other", "strength": 0.5}})
    path = timeline(tmp_path / "edit.otio", own, clip("a.mov", 5, 10))
    made = otio.adapters.read_from_file(str(path))
    made.tracks[0].metadata["impasto"] = {"tier": "live"}
    otio.adapters.write_to_file(made, str(path))
    done = conform(path)
    assert [(job.style, job.strength, job.tier, job.out.name) for job in renders] == [
        (["other"], "0.5", "live", "a.mov"),
        (["tiny"], "1", "live", "a_6-15.mov"),
    ]
    assert [each.media_reference.target_url for each in clips(done)] == ["a.mov", "a_6-15.mov"]


def test_every_fault_is_told_at_once_before_work(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    bad = [
        clip("gone.mov", 0, 10),
        clip("https://example.org/b.mov", 0, 10),
        clip("a.mov", 0, 10, metadata={"impasto": {"style": "nosuch"}}),
        clip("a.mov", 0, 10, metadata={"impasto": {"strength": "much"}}),
        clip("a.mov", 0, 10, metadata={"impasto": {"tier": "mini"}}),
        clip("a.mov", 0, 10, metadata={"impasto": {"stile": "tiny"}}),
        otio.schema.Clip("lost", None, span(0, 5)),
    ]
    with pytest.raises(InputError) as caught:
        conform(timeline(tmp_path / "edit.otio", *bad))
    parts = ("clip 1 'gone': its media gone.mov", "clip 2", "no look has this name", "'much'", "'mini'", "'stile'")
    for part in (*parts, "clip 7 'lost'"):
        assert part in str(caught.value)
    assert not renders
    assert not (tmp_path / "painted").exists()


def test_a_codec_that_a_file_cannot_hold_is_said_before_work(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    with pytest.raises(MediaError, match="cannot hold"):
        conform(timeline(tmp_path / "edit.otio", clip("a.mov", 0, 5)), codec="vp9")
    assert not renders
    assert not (tmp_path / "painted").exists()


def test_offline_clips_can_stay_as_they_are(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    done = conform(timeline(tmp_path / "edit.otio", clip("a.mov", 0, 5), clip("gone.mov", 0, 5)), skip_offline=True)
    assert [each.media_reference.target_url for each in clips(done)] == ["a.mov", "gone.mov"]
    assert done.figures["left_as_they_are"] == ["clip 2 'gone'"]


def test_media_is_found_by_name(tmp_path: Path, renders: list[RenderJob]) -> None:
    deep = tmp_path / "rushes" / "day 1"
    deep.mkdir(parents=True)
    movie(deep / "A001.mov")
    items = [clip("D:\\cards\\a001.MOV", 0, 5), clip("file:///elsewhere/A001.mov", 0, 9)]
    done = conform(timeline(tmp_path / "edit.otio", *items), media=[tmp_path / "rushes"])
    assert renders[0].inputs == [deep / "A001.mov"]
    assert done.figures["stretches"] == 1
    movie(tmp_path / "rushes" / "A001.mov")
    with pytest.raises(InputError, match="2 files could be meant"):
        conform(tmp_path / "edit.otio", media=[tmp_path / "rushes"], out=tmp_path / "other")


# ---- running again


def test_the_same_edit_again_paints_nothing(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    path = timeline(tmp_path / "edit.otio", clip("a.mov", 0, 20))
    first = conform(path)
    written = Path(str(first.path)).stat().st_mtime_ns
    again = conform(path)
    assert len(renders) == 1
    assert again.figures["kept_stretches"] == 1
    assert Path(str(again.path)).stat().st_mtime_ns == written
    assert conform(path, fresh=True, overwrite=True).figures["frames"] == 20


def test_a_recut_edit_paints_only_what_is_new(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    movie(tmp_path / "b.mov")
    conform(timeline(tmp_path / "edit.otio", clip("a.mov", 10, 20)), handles=8)
    path = timeline(tmp_path / "edit.otio", clip("a.mov", 14, 20), clip("b.mov", 0, 5), clip("a.mov", 9, 2))
    with pytest.raises(MediaError, match="another edit"):
        conform(path, handles=2)
    done = conform(path, handles=2, overwrite=True)
    assert [(job.inputs[0].name, job.frames) for job in renders[1:]] == [("b.mov", "1-7")]
    assert clips(done)[0].source_range == span(14 - 2, 20), "counted from the first painted frame, 3"


def test_what_changed_is_named_and_painted_anew_only_when_asked(tmp_path: Path, renders: list[RenderJob]) -> None:
    source = movie(tmp_path / "a.mov")
    path = timeline(tmp_path / "edit.otio", clip("a.mov", 0, 20))
    conform(path)
    with pytest.raises(InputError, match="style tiny instead of other"):
        conform(path, style="other")
    source.write_text(source.read_text() + " ")
    with pytest.raises(MediaError, match="another state of its source"):
        conform(path)
    assert len(renders) == 1
    conform(path, overwrite=True)
    assert renders[1].overwrite
    (tmp_path / "painted" / "a.mov").write_text("cut short")
    conform(path)
    assert len(renders) == 3, "what is damaged is painted anew: it is ours"


def test_a_stopped_run_goes_on(tmp_path: Path, renders: list[RenderJob]) -> None:
    for name in "ab":
        movie(tmp_path / f"{name}.mov")
    path = timeline(tmp_path / "edit.otio", clip("a.mov", 0, 5), clip("b.mov", 0, 5))
    steps = TimelineJob.build(timeline=path, out=tmp_path / "painted", style="tiny").run()
    while len(renders) < 2:
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert not (tmp_path / "painted" / "edit.otio").exists()
    conform(path, handles=8)
    assert [job.inputs[0].name for job in renders] == ["a.mov", "b.mov", "b.mov"]
    assert sorted(file.name for file in (tmp_path / "painted").iterdir()) == [NOTES, "a.mov", "b.mov", "edit.otio"]


def test_foreign_files_and_inputs_stay(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    path = timeline(tmp_path / "edit.otio", clip("a.mov", 0, 5))
    with pytest.raises(MediaError, match="never overwritten"):
        conform(path, out=tmp_path, overwrite=True)
    (tmp_path / "edits").mkdir()
    other = timeline(tmp_path / "edits" / "edit.otio", clip(str(tmp_path / "a.mov"), 0, 5))
    with pytest.raises(MediaError, match="inputs are never overwritten"):
        conform(other, out=tmp_path, overwrite=True)
    (tmp_path / "painted").mkdir()
    (tmp_path / "painted" / "a.mov").write_text("precious")
    with pytest.raises(MediaError, match="exists already"):
        conform(path)
    (tmp_path / "painted" / NOTES).write_text('{"stretches": {"a": []}}')
    with pytest.raises(MediaError, match="damaged"):
        conform(path)
    assert not renders


def test_a_failed_first_render_leaves_no_folder(
    tmp_path: Path, renders: list[RenderJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    movie(tmp_path / "a.mov")

    def fails(self: RenderJob) -> Iterator[Progress]:
        yield Progress("opening")
        raise MediaError("cannot", self.inputs[0])

    monkeypatch.setattr(RenderJob, "run", fails)
    with pytest.raises(MediaError, match="cannot"):
        conform(timeline(tmp_path / "edit.otio", clip("a.mov", 0, 5)))
    assert not (tmp_path / "painted").exists()


def test_progress_counts_all_clips(tmp_path: Path, renders: list[RenderJob]) -> None:
    for name in "ab":
        movie(tmp_path / f"{name}.mov")
    path = timeline(tmp_path / "edit.otio", clip("a.mov", 0, 5), clip("b.mov", 0, 5))
    steps = TimelineJob.build(timeline=path, out=tmp_path / "painted", style="tiny", handles=0).run()
    painting = [(step.done, step.total) for step in steps if isinstance(step, Progress) and step.stage == "painting"]
    assert painting == [(5, 10), (10, 10)]


# ---- EDLs

EDL = """TITLE: reel one
FCM: NON-DROP FRAME

001  SHOTA    V     C        01:00:00:10 01:00:01:10 00:00:00:00 00:00:01:00
* FROM CLIP NAME: shot_a.mov
* IMPASTO STYLE: other
* IMPASTO STRENGTH: 0.5
002  SHOTA    V     C        01:00:01:10 01:00:01:10 00:00:01:00 00:00:01:00
002  SHOTB    V     D    012 00:00:02:00 00:00:03:00 00:00:01:00 00:00:02:00
* FROM CLIP NAME: shot_a.mov
* TO CLIP NAME: shot_b.mov
* FROM CLIP: {folder}/shot_a.mov
* TO CLIP: {folder}/shot_b.mov
003  SHOTB    B     C        00:00:03:00 00:00:05:00 00:00:02:00 00:00:03:00
M2   SHOTB          048.0                00:00:03:00
* FROM CLIP NAME: shot_b.mov
* LOC: 00:00:02:05 RED     LOOK HERE
004  BL       V     C        00:00:00:00 00:00:01:00 00:00:03:00 00:00:04:00
005  SHOTA    A2    C        01:00:00:10 01:00:01:10 00:00:03:00 00:00:04:00
"""


def test_an_edl_keeps_its_lines(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "shot_a.mov", timecode="01:00:00:00")
    movie(tmp_path / "shot_b.mov", frames=200)
    path = tmp_path / "reel.edl"
    path.write_text(EDL.format(folder=tmp_path))
    done = conform(path, handles=2)
    assert [(job.inputs[0].name, job.frames, job.style, job.strength) for job in renders] == [
        ("shot_a.mov", "9-48", ["other"], "0.5"),
        ("shot_b.mov", "47-122", ["tiny"], "1"),
    ]
    painted = tmp_path / "painted"
    assert done.path == painted / "reel.edl"
    shifted = [  # shot_b has no timecode: what is painted begins at 0, 46 frames later than its source
        ("V     D    012 00:00:02:00 00:00:03:00", "V     D    012 00:00:00:02 00:00:01:02"),
        ("B     C        00:00:03:00 00:00:05:00", "B     C        00:00:01:02 00:00:03:02"),
        ("048.0                00:00:03:00", "048.0                00:00:01:02"),
        (f"{tmp_path}/shot", f"{painted}/shot"),
        ("* IMPASTO STRENGTH: 0.5\n", f"* IMPASTO STRENGTH: 0.5\n* FROM CLIP: {painted}/shot_a.mov\n"),
        ("* LOC: 00:00:02:05 RED     LOOK HERE\n", f"* LOC: 00:00:02:05 RED     LOOK HERE\n* FROM CLIP: {painted}/shot_b.mov\n"),
    ]
    expected = path.read_text()
    for old, new in shifted:
        expected = expected.replace(old, new)
    assert Path(str(done.path)).read_text() == expected
    assert conform(path, handles=2).figures["frames"] == 0
    movie(painted / "shot_a.mov", 40, "01:00:00:08")
    movie(painted / "shot_b.mov", 76)
    again = conform(Path(str(done.path)), out=tmp_path / "twice")
    assert [Path(str(job.inputs[0])).parent.name for job in renders[2:]] == ["painted", "painted"], "what is written reads back"
    assert again.figures["clips"] == 3


def test_an_edl_of_drop_frame_counts_in_it(tmp_path: Path, renders: list[RenderJob]) -> None:
    path = tmp_path / "drop.edl"
    path.write_text("TITLE: d\n\n001  A V C 00:01:00;02 00:01:01;02 00:00:00;00 00:00:01;00\n* FROM CLIP NAME: a.mov\n")
    (tmp_path / "a.mov").write_text(json.dumps([3000, "30000/1001", ""]))
    done = conform(path, fps=29.97, handles=10)
    first = to_frames("00:01:00;02", Fraction(30000, 1001)) + 1
    assert renders[0].frames == f"{first - 10}-{first + 39}"
    assert "A V C 00:00:00;10 00:00:01;10 00:00:00;00" in Path(str(done.path)).read_text()


def test_two_lines_after_split_are_two_events() -> None:
    lines = ["SPLIT: AUDIO DELAY= 00:00:00:05", "001 A V C 1 2 3 4", "001 A A C 1 2 3 4", "* A COMMENT", "002 B V C 1 2 3 4"]
    assert [(event.lines, event.tracks) for event in edl._events(lines)] == [([1], ["V"]), ([2], ["A1"]), ([4], ["V"])]


# ---- bad input


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("empty.otio", "", "cannot be read as a timeline"),
        ("text.otio", "hello", "cannot be read as a timeline"),
        ("deep.otio", '{"a":' * 200_000, "nested deeper"),
        ("deep2.otio", "[" * 200_000, "nested deeper"),
        ("cut.otio", '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1"', "cannot be read as a timeline"),
        ("future.otio", '{"OTIO_SCHEMA": "Timeline.99"}', "cannot be read as a timeline"),
        ("clip.otio", '{"OTIO_SCHEMA": "Clip.1"}', "holds a Clip"),
        ("number.otio", "5", "holds a int"),
        ("bare.otio", '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": []}}', "no clip"),
        ("empty.edl", "", "no clip"),
        ("text.edl", "hello", "cannot be read as a timeline"),
        ("bytes.edl", "TITLE: \x00\x01\n\x02", "cannot be read as a timeline"),
        ("time.edl", "001 A V C 99:99:99:99 0 0 0", "cannot be read as a timeline"),
        ("edit.xyz", "hello", "cannot be read as a timeline"),
        ("edit.otioz", "hello", "cannot be read as a timeline"),
    ],
)
def test_bad_timelines_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, part: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert cli.main(["timeline", str(path), "-o", str(tmp_path / "painted"), "--style", "tiny"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"impasto: {path}: ")
    assert part in told
    assert len(told) < len(str(path)) + 300
    assert not (tmp_path / "painted").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e300, 1e18, -7.5, 0.0])
@pytest.mark.parametrize("rate", [24.0, 0.0, -24.0, 1e-9, float("nan")])
def test_nonsense_times_are_one_line_or_harmless(tmp_path: Path, renders: list[RenderJob], value: float, rate: float) -> None:
    movie(tmp_path / "a.mov")
    nonsense = time(value, rate)
    for item in (
        otio.schema.Clip("a", otio.schema.ExternalReference("a.mov"), otio.opentime.TimeRange(nonsense, time(5))),
        otio.schema.Clip("a", otio.schema.ExternalReference("a.mov"), otio.opentime.TimeRange(time(5), nonsense)),
        clip("a.mov", 5, 5, otio.opentime.TimeRange(nonsense, time(50))),
        clip("a.mov", 5, 5, effects=[otio.schema.LinearTimeWarp(time_scalar=value)]),
    ):
        path = tmp_path / "edit.otio"
        with suppress(InputError):  # and nothing else
            conform(timeline(path, item), overwrite=True)
        assert all(1 <= int(number) <= 100 for job in renders for number in job.frames.split("-"))


def test_a_missing_file_and_a_missing_library(tmp_path: Path, renders: list[RenderJob], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaError, match=r"no\.otio: cannot be read: no such file"):
        conform(tmp_path / "no.otio")
    movie(tmp_path / "a.mov")
    path = timeline(tmp_path / "edit.otio", clip("a.mov", 0, 5))
    with pytest.raises(MediaError, match="there is no folder"):
        conform(path, out=tmp_path / "no" / "such")
    with pytest.raises(MediaError, match="is a file"):
        conform(tmp_path / "edit.otio", out=tmp_path / "a.mov")

    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(edit, "import_module", absent)
    with pytest.raises(MissingExtra, match="impasto\\[timeline\\]"):
        conform(tmp_path / "no.otio")


# ---- with nothing faked


def test_stills_from_file_to_file(tmp_path: Path) -> None:
    Image.fromarray(noise(24, 32)).save(tmp_path / "title.png")
    card = otio.schema.Clip("title", otio.schema.ExternalReference("title.png"), span(0, 48))
    done = conform(timeline(tmp_path / "edit.otio", card), strength=0)
    made = clips(done)[0]
    assert made.source_range == span(0, 48)
    with Image.open(tmp_path / "painted" / made.media_reference.target_url) as painted:
        assert np.array_equal(np.asarray(painted), noise(24, 32))


def test_any_setting_of_a_look_can_be_asked_for(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    own = clip("a.mov", 0, 10, metadata={"impasto": {"grain": 1, "strength": "1:0, 10:1", "style": ["tiny", "other@skin"]}})
    path = timeline(tmp_path / "edit.otio", own, clip("a.mov", 50, 5))
    conform(path, set=["keep_colour=0.5", "grain=0.5"], strength=0.50)
    assert [(job.keep_colour, job.grain, job.strength) for job in renders] == [(0.5, 1, "1:0, 10:1"), (0.5, 0.5, "0.5")]
    assert renders[0].style == ["tiny", "other@skin"]
    wrongs = {"grain": "write name=value", "frames=1-2": "no look has a setting 'frames'", "grain=9": "grain is '9'"}
    for wrong, part in wrongs.items():
        with pytest.raises(InputError, match=part):
            conform(path, set=[wrong], out=tmp_path / "other")


def test_what_is_wrong_with_the_job_or_with_many_clips_is_told_once(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov")
    path = timeline(tmp_path / "edit.otio", *(clip("a.mov", start, 5) for start in (0, 20, 40)), clip("gone.mov", 0, 5))
    with pytest.raises(InputError) as caught:
        conform(path, set=["stile=tiny"])
    assert str(caught.value).count("no look has a setting 'stile': known are style, tier") == 1
    assert "clip 4 'gone'" in str(caught.value), "and the rest is told all the same"
    with pytest.raises(InputError) as caught:
        conform(path, style="nosuch")
    assert str(caught.value).startswith("clip 1 'a' and 3 more: nosuch: no look has this name")
    assert str(caught.value).count("nosuch") == 1


def write_look(path: Path, graph: bytes, **tier: Any) -> str:
    told = Tier(generator=path.stem, stride=1, receptive_field=1, parameters=36, **tier)
    record = TrainingRecord(command="made by hand", recipe="none", seed=0, date="2026-01-01", impasto="0")
    card = {"name": path.stem, "title": "A look", "licence": "Apache-2.0", "tiers": {"live": told}, "training": record}
    picture = BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    return str(write_style(path, Card.model_validate(card), {"live": graph}, picture.getvalue()))


def sequence(folder: Path, first: int = 1001, frames: int = 12) -> Any:
    for number in range(first, first + frames):
        Image.fromarray(noise(24, 32, number)).save(folder / f"shot.{number}.png")
    return otio.schema.ImageSequenceReference("", "shot.", ".png", first, 1, FPS, 4, available_range=span(86400, frames))


def test_larger_media_is_counted_as_its_source(tmp_path: Path) -> None:
    doubling = write_look(tmp_path / "doubling.style", doubling_graph(), scale=2)
    path = timeline(tmp_path / "edit.otio", otio.schema.Clip("shot", sequence(tmp_path), span(86404, 3)))
    plain = clips(conform(path, strength=0, handles=2, out=tmp_path / "plain"))[0]
    done = conform(path, strength=0, handles=2, set=[f"super_resolve={doubling}"])
    made = clips(done)[0]
    assert made.source_range == plain.source_range == span(86404, 3)
    assert made.media_reference.available_range == plain.media_reference.available_range == span(86402, 7)
    assert made.media_reference.metadata["impasto"]["super_resolve"] == doubling
    url = made.media_reference.target_url_for_image_number(2)
    np.testing.assert_array_equal(np.asarray(Image.open(done.path.parent / url)), noise(24, 32, 1005).repeat(2, 0).repeat(2, 1))
    assert conform(path, strength=0, handles=2, set=[f"super_resolve={doubling}"]).figures["frames"] == 0
    with pytest.raises(InputError, match=r"super_resolve_hash [0-9a-f]+ instead of its default"):
        conform(path, strength=0, handles=2)
    for look, told in [("tiny", "leaves a picture's size as it is"), ("nosuch", "no look has this name")]:
        with pytest.raises(InputError, match=told):
            conform(path, out=tmp_path / "none", set=[f"super_resolve={look}"])
    with pytest.raises(InputError, match=f"use --super-resolve {doubling}"):
        conform(path, out=tmp_path / "none", style=doubling)


def test_an_edl_of_larger_media_points_at_it(tmp_path: Path, renders: list[RenderJob]) -> None:
    movie(tmp_path / "a.mov", timecode="01:00:00:00")
    doubling = write_look(tmp_path / "doubling.style", doubling_graph(), scale=2)
    event = "001  A  V  C  01:00:01:00 01:00:02:00 00:00:00:00 00:00:01:00"
    lines = ["TITLE: reel", event, "* FROM CLIP NAME: a.mov", "* FROM CLIP: a.mov", f"* IMPASTO SUPER_RESOLVE: {doubling}"]
    (tmp_path / "reel.edl").write_text("\n".join(lines) + "\n")
    done = conform(tmp_path / "reel.edl")
    assert [(job.super_resolve, job.frames) for job in renders] == [(doubling, "25-48")]
    assert done.path.read_text().splitlines()[1] == event
    assert (done.path.parent / "a.mov").exists()


def test_guides_of_a_clip_and_of_all(tmp_path: Path) -> None:
    guided = write_look(tmp_path / "guided.style", guided_graph(), guides={"depth": 1})
    for name, value in (("near", 255), ("far", 0)):
        Image.fromarray(np.full((24, 32), value, np.uint8)).save(tmp_path / f"{name}.png")
    near, far = (f"depth={tmp_path}/{name}.png" for name in ("near", "far"))
    own = otio.schema.Clip("shot", sequence(tmp_path), span(86400, 2), metadata={"impasto": {"guide": far}})
    path = timeline(tmp_path / "edit.otio", own, otio.schema.Clip("shot", own.media_reference.clone(), span(86408, 2)))
    done = conform(path, style=guided, set=[f"guide={near}"])
    seen = []
    for made in clips(done):
        first = made.media_reference.target_url_for_image_number(0)
        seen.append(np.asarray(Image.open(done.path.parent / first)))
    assert not seen[0].any()
    np.testing.assert_array_equal(seen[1], noise(24, 32, 1009))
    assert conform(path, style=guided, set=[f"guide={near}"]).figures["frames"] == 0
    Image.fromarray(np.full((24, 32), 99, np.uint8)).save(tmp_path / "near.png")
    with pytest.raises(InputError, match="guide_contents"):
        conform(path, style=guided, set=[f"guide={near}"])
    wrongs = {"": "give --guide depth=FILE", "guide=depth=gone.png": "gone.png", "guide=gone.png": "has no name"}
    for word, told in wrongs.items():
        with pytest.raises(InputError, match=told):
            conform(path, style=guided, set=[word] if word else [], out=tmp_path / "none")


def test_an_edl_names_a_guide_a_line() -> None:
    comments = ["IMPASTO GUIDE: depth=d.####.exr", "IMPASTO GUIDE: ids=i.png", "IMPASTO TIER: live", "IMPASTO TIER: full"]
    found = edl.settings(SimpleNamespace(metadata={"cmx_3600": {"comments": comments}}))
    assert found == {"guide": ["depth=d.####.exr", "ids=i.png"], "tier": "full"}


def test_what_a_look_may_be_is_what_render_takes() -> None:
    assert set(LOOK) <= set(RenderJob.model_fields)


def test_a_sequence_from_files_to_files(tmp_path: Path) -> None:
    for number in range(1001, 1013):
        Image.fromarray(noise(24, 32, number)).save(tmp_path / f"shot.{number}.png")
    sequence = otio.schema.ImageSequenceReference("", "shot.", ".png", 1001, 1, FPS, 4, available_range=span(86400, 12))
    path = timeline(tmp_path / "edit.otio", otio.schema.Clip("shot", sequence, span(86404, 3)))
    made = clips(conform(path, strength=0, handles=2))[0]
    reference = made.media_reference
    assert sorted(file.name for file in (tmp_path / "painted").iterdir()) == [NOTES, "edit.otio", "shot"]
    assert len(list((tmp_path / "painted" / "shot").iterdir())) == 7
    for moment, number in ((86404, 1005), (86406, 1007)):
        url = reference.target_url_for_image_number(reference.frame_for_time(time(moment)) - reference.start_frame)
        with Image.open(tmp_path / "painted" / url) as painted:
            assert np.array_equal(np.asarray(painted), noise(24, 32, number))
    assert conform(path, strength=0, handles=2).figures["frames"] == 0


def test_a_movie_from_file_to_file(tmp_path: Path) -> None:
    """Every frame is of one grey, so that it says which one it is."""
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "take.mov"), "w") as container:
        container.metadata["timecode"] = "01:00:00:00"
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(40):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 6, np.uint8), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    path = tmp_path / "reel.edl"
    path.write_text("TITLE: r\n\n001  T V C 01:00:00:10 01:00:00:20 00:00:00:00 00:00:00:10\n* FROM CLIP NAME: take.mov\n")
    done = conform(path, strength=0, handles=4, codec="prores")
    with open_reader(tmp_path / "painted" / "take.mov") as reader:
        assert reader.info.tags["timecode"] == "01:00:00:06"
        greys = [float(frame.pixels.mean()) / np.iinfo(frame.pixels.dtype).max * 255 / 6 for frame in reader]
    assert np.allclose(greys, range(6, 24), atol=0.7)
    assert "01:00:00:10 01:00:00:20 00:00:00:00" in Path(str(done.path)).read_text()
    assert clips(done)[0].media_reference.target_url == str(tmp_path / "painted" / "take.mov")
