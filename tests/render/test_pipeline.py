"""Clips through the whole house: sequences and movies, parts of them, joined, with sound, in order, and no leftovers."""
from __future__ import annotations

import hashlib
import json
import os
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from impasto.errors import ImpastoError, InputError
from impasto.job import Done, Progress
from impasto.media import open_reader
from impasto.media.encoding import Encoding
from impasto.render.job import RenderJob
from tests.render.clips import FPS, frames_of, left_over, picture, write_movie, write_sequence

EXACT = {"codec": "ffv1", "quality": "lossless"}


def render(*inputs: Path, out: Path, look: str, **options: Any) -> Done:
    given = {"style": look, "tier": "live", "engine": "onnx", **options}
    return RenderJob.build(inputs=list(inputs), out=out, **given).finish()


def packets(path: Path, kind: str = "audio") -> list[str]:
    with av.open(str(path)) as container:
        stream = container.streams.get(**{kind: 0})[0]
        return [hashlib.sha256(bytes(packet)).hexdigest() for packet in container.demux(stream) if packet.size]


def test_a_sequence_keeps_numbers_and_names(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", [1001, 1002, 1003])
    done = render(shot, out=tmp_path / "out" / "p.####.png", look=look)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["p.1001.png", "p.1002.png", "p.1003.png"]
    assert done.figures["frames"] == 3
    assert left_over(tmp_path) == []


def test_frame_n_alone_is_frame_n_of_the_sequence(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", range(1001, 1007))
    render(shot, out=tmp_path / "all" / "p.####.png", look=look)
    render(shot, out=tmp_path / "one.png", look=look, frames="1004")
    render(tmp_path / "in" / "shot.1004.png", out=tmp_path / "still.png", look=look)
    wanted = frames_of(tmp_path / "all")[1004]
    for name in ("one.png", "still.png"):
        np.testing.assert_array_equal(next(iter(frames_of(tmp_path / name).values())), wanted)


def test_a_folder_goes_into_a_folder(tmp_path: Path, look: str) -> None:
    write_sequence(tmp_path / "in", [7, 8, 9])
    render(tmp_path / "in", out=tmp_path / "out", look=look)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["shot.0007.png", "shot.0008.png", "shot.0009.png"]


def test_a_movie_keeps_sound_times_and_timecode(tmp_path: Path, look: str) -> None:
    shot = write_movie(tmp_path / "in.mkv", 30)
    render(shot, out=tmp_path / "out.mkv", look=look)
    assert packets(tmp_path / "out.mkv") == packets(shot)
    with open_reader(tmp_path / "out.mkv") as reader, open_reader(shot) as source:
        assert (reader.info.frames, reader.info.fps) == (30, FPS)
        assert reader.info.tags["timecode"] == "01:00:00:00"
        assert reader.times() == source.times()  # type: ignore[attr-defined]
    assert left_over(tmp_path) == []


def test_a_movie_of_strength_0_is_what_it_was(tmp_path: Path, look: str) -> None:
    shot = write_movie(tmp_path / "in.mkv", 12)
    render(shot, out=tmp_path / "out.mkv", look=look, strength=0, **EXACT)
    before, after = frames_of(shot), frames_of(tmp_path / "out.mkv")
    assert list(before) == list(after) == list(range(1, 13))
    for number in before:
        np.testing.assert_array_equal(before[number], after[number])


def test_pieces_are_joined_without_a_seam(tmp_path: Path, look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A movie in many pieces shows the frames of one in one piece, in their order; with an encoder that looks ahead, too."""
    shot = write_movie(tmp_path / "in.mkv", 25)
    render(shot, out=tmp_path / "one.mkv", look=look, **EXACT)
    monkeypatch.setattr("impasto.render.delivery.PIECE_FRAMES", 7)
    render(shot, out=tmp_path / "many.mkv", look=look, **EXACT)
    one, many = frames_of(tmp_path / "one.mkv"), frames_of(tmp_path / "many.mkv")
    for number in one:
        np.testing.assert_array_equal(one[number], many[number])
    render(shot, out=tmp_path / "many.mp4", look=look, strength=0, sound="encode")
    shown = frames_of(tmp_path / "many.mp4")
    assert list(shown) == list(range(1, 26))
    for number, pixels in shown.items():
        nearest = min(range(1, 26), key=lambda k: float(np.abs(picture(k).astype(float) - pixels).mean()))
        assert nearest == number


def test_a_video_becomes_a_sequence_and_a_video_again(tmp_path: Path, look: str) -> None:
    shot = write_movie(tmp_path / "in.mkv", 6)
    render(shot, out=tmp_path / "frames" / "f.%04d.png", look=look, strength=0)
    assert sorted(frames_of(tmp_path / "frames")) == [1, 2, 3, 4, 5, 6]
    render(
        tmp_path / "frames", out=tmp_path / "back.mkv", look=look, strength=0, fps=24, sound=str(shot), **EXACT
    )
    before, after = frames_of(shot), frames_of(tmp_path / "back.mkv")
    for number in before:
        np.testing.assert_array_equal(before[number], after[number])
    assert packets(tmp_path / "back.mkv") == packets(shot)


def test_trims_take_their_sound_along(tmp_path: Path, look: str) -> None:
    shot = write_movie(tmp_path / "in.mkv", 48)
    for start, end in (("13", "24"), ("0.5s", "1s"), ("01:00:00:12", "01:00:00:23")):
        render(shot, out=tmp_path / "part.mkv", look=look, strength=0, start=start, end=end, overwrite=True, **EXACT)
        shown = frames_of(tmp_path / "part.mkv")
        assert len(shown) == 12, (start, end)
        np.testing.assert_array_equal(shown[1], frames_of(shot)[13])
        with av.open(str(tmp_path / "part.mkv")) as part:
            seconds = sum(packet.duration * packet.time_base for packet in part.demux(audio=0) if packet.size)
        assert seconds == pytest.approx(0.5, abs=0.05)
        with open_reader(tmp_path / "part.mkv") as reader:
            assert reader.info.tags["timecode"] == "01:00:00:12"


def test_frames_left_out_between_leave_the_sound_out_and_say_so(tmp_path: Path, look: str) -> None:
    shot = write_movie(tmp_path / "in.mkv", 20)
    job = RenderJob.build(inputs=[shot], out=tmp_path / "o.mkv", style=look, tier="live", engine="onnx", frames="1-20x2")
    notes = [step.note for step in job.run() if isinstance(step, Progress) and step.note]
    assert any("its sound cannot follow" in note for note in notes)
    with av.open(str(tmp_path / "o.mkv")) as container:
        assert not container.streams.audio
        assert sum(1 for _ in container.decode(video=0)) == 10


def test_several_inputs_become_one_movie(tmp_path: Path, look: str) -> None:
    one, two = write_movie(tmp_path / "one.mkv", 10), write_movie(tmp_path / "two.mkv", 14)
    render(one, two, out=tmp_path / "both.mkv", look=look, strength=0, **EXACT)
    shown = frames_of(tmp_path / "both.mkv")
    assert len(shown) == 24
    np.testing.assert_array_equal(shown[11], frames_of(two)[1])
    assert packets(tmp_path / "both.mkv") == packets(one) + packets(two)


def test_inputs_that_differ_are_not_joined(tmp_path: Path, look: str) -> None:
    one = write_movie(tmp_path / "one.mkv", 4)
    other = tmp_path / "other.png"
    from impasto.frame import ClipInfo, Frame
    from impasto.media import open_writer

    with open_writer(other, ClipInfo(10, 8)) as writer:
        writer.write(Frame(np.zeros((8, 10, 3), np.uint8)))
    with pytest.raises(InputError, match=r"other\.png: cannot follow .*one\.mkv: its size is 10x8, there it is 64x48"):
        render(one, other, out=tmp_path / "both.mkv", look=look)


def test_gaps_are_told_held_or_skipped(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", [1, 2, 5])
    with pytest.raises(InputError, match="frames 3-4 are missing"):
        render(shot, out=tmp_path / "o" / "p.##.png", look=look)
    assert not (tmp_path / "o").exists()
    render(shot, out=tmp_path / "held" / "p.##.png", look=look, missing="hold")
    held = frames_of(tmp_path / "held")
    assert list(held) == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(held[4], held[2])
    render(shot, out=tmp_path / "skipped" / "p.##.png", look=look, missing="skip")
    assert sorted(file.name for file in (tmp_path / "skipped").iterdir()) == ["p.01.png", "p.02.png", "p.05.png"]


def test_a_damaged_frame_ends_in_one_line_and_what_is_done_stays(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", range(1, 9))
    whole = (tmp_path / "in" / "shot.0006.png").read_bytes()
    (tmp_path / "in" / "shot.0006.png").write_bytes(whole[:200])
    with pytest.raises(InputError, match=r"shot\.0006\.png: is cut short"):
        render(shot, out=tmp_path / "out" / "p.####.png", look=look)
    (tmp_path / "in" / "shot.0006.png").write_bytes(whole)
    done = render(shot, out=tmp_path / "out" / "p.####.png", look=look)
    assert done.figures["resumed_frames"] >= 3
    assert len(frames_of(tmp_path / "out")) == 8
    assert left_over(tmp_path) == []


def test_closing_early_stops_cleanly_and_goes_on_later(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", range(1, 31))
    job = RenderJob.build(inputs=[shot], out=tmp_path / "out" / "p.####.png", style=look, tier="live", engine="onnx")
    steps = job.run()
    for step in steps:
        if isinstance(step, Progress) and step.done >= 5:
            break
    steps.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("impasto")]
    there = {file.name for file in (tmp_path / "out").iterdir() if not file.name.startswith(".")}
    assert 1 <= len(there) < 30
    done = job.finish()
    assert done.figures["resumed_frames"] == len(there)
    assert len(frames_of(tmp_path / "out")) == 30


def test_frames_that_are_there_are_not_overwritten_unasked(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", [1, 2, 3])
    (tmp_path / "out").mkdir()
    mine = tmp_path / "out" / "p.0002.png"
    mine.write_bytes(b"mine")
    with pytest.raises(InputError, match=r"p\.0002\.png: exists already: --overwrite"):
        render(shot, out=tmp_path / "out" / "p.####.png", look=look)
    assert mine.read_bytes() == b"mine"
    assert left_over(tmp_path) == []
    render(shot, out=tmp_path / "out" / "p.####.png", look=look, overwrite=True)
    assert len(frames_of(tmp_path / "out")) == 3


def test_a_frame_of_the_source_is_never_overwritten(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", [1, 2, 3])
    for out in (shot, tmp_path / "in", tmp_path / "in" / "shot.%04d.png"):
        with pytest.raises(InputError, match="is one of the inputs"):
            render(shot, out=out, look=look, overwrite=True)


def test_the_rate_of_a_movie_from_frames(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", [1, 2, 3])
    for fps, rate in ((None, Fraction(24)), (23.976, Fraction(24000, 1001)), (25, Fraction(25))):
        render(shot, out=tmp_path / "m.mov", look=look, fps=fps, overwrite=True)
        with open_reader(tmp_path / "m.mov") as reader:
            assert reader.info.fps == rate
    with pytest.raises(InputError, match="has a rate of its own"):
        render(tmp_path / "m.mov", out=tmp_path / "n.mov", look=look, fps=25)


def test_stages_are_told_and_the_line_has_speed_and_time_left(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", range(1, 13))
    steps = list(RenderJob.build(inputs=[shot], out=tmp_path / "o.mkv", style=look, tier="live", engine="onnx").run())
    painting = [step for step in steps if isinstance(step, Progress) and step.stage == "painting" and step.done]
    assert [step.done for step in painting] == list(range(1, 13))
    assert all(step.total == 12 and step.rate and step.seconds_left is not None for step in painting)
    done = steps[-1]
    assert isinstance(done, Done)
    figures = json.loads(json.dumps(done.figures))
    assert 0 < figures["overlap"] <= 1.01
    assert all(figures[f"{stage}_seconds"] > 0 for stage in ("read", "paint", "write"))
    assert 0 < figures["first_frame_seconds"] <= figures["seconds"] + 5


def test_many_clips_into_a_folder(tmp_path: Path, look: str) -> None:
    one = write_movie(tmp_path / "one.mkv", 4)
    two = write_sequence(tmp_path / "two", [1, 2])
    render(one, two, tmp_path / "two" / "shot.0001.png", out=tmp_path / "out", look=look)
    found = sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.*"))
    assert found == ["one.mkv", "shot.0001.png", "shot/shot.0001.png", "shot/shot.0002.png"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": "99"}, "frame 99 does not exist"),
        ({"start": "9s"}, "9s"),
        ({"codec": "prores"}, "cannot hold ProRes"),
        ({"sound": "gone.wav"}, "gone.wav"),
        ({"precision": "int8", "engine": "onnx"}, "int8"),
    ],
)
def test_what_cannot_be_done_is_said_before_work(tmp_path: Path, look: str, options: dict[str, Any], message: str) -> None:
    shot = write_movie(tmp_path / "in.mkv", 8)
    with pytest.raises(ImpastoError, match=message):
        render(shot, out=tmp_path / "out.mp4", look=look, **options)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.mkv"]


# ---- what a first review found


def test_an_input_by_another_name_is_still_an_input(tmp_path: Path, look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sequence(tmp_path / "in", [1, 2, 3])
    before = {file.name: file.read_bytes() for file in (tmp_path / "in").iterdir()}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "in")
    outs = [(Path("in/shot.####.png"), tmp_path / "in" / "shot.####.png"), (Path("in"), tmp_path / "link")]
    for source, out in outs:
        with pytest.raises(InputError, match="is one of the inputs"):
            render(source, out=out, look=look, overwrite=True)
    with pytest.raises(InputError, match="is one of the inputs"):  # a frame that is not wanted is an input too
        render(Path("in"), out=tmp_path / "in" / "shot.0001.png", look=look, frames="2", overwrite=True)
    shot = write_movie(tmp_path / "music.mkv", 6)
    with pytest.raises(InputError, match="is one of the inputs"):
        render(Path("in"), out=shot, look=look, sound="music.mkv", overwrite=True)
    assert {file.name: file.read_bytes() for file in (tmp_path / "in").iterdir()} == before


def test_gaps_are_held_in_a_folder_too(tmp_path: Path, look: str) -> None:
    write_sequence(tmp_path / "in", [1, 2, 5])
    render(tmp_path / "in", out=tmp_path / "out", look=look, missing="hold")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [f"shot.000{n}.png" for n in (1, 2, 3, 4, 5)]


def test_a_gap_outside_of_what_is_wanted_is_no_matter(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", [1, 2, 3, 7, 8])
    render(shot, out=tmp_path / "out" / "p.#.png", look=look, frames="1-3")
    assert len(frames_of(tmp_path / "out")) == 3
    with pytest.raises(InputError, match="frames 4-6 are missing"):
        render(shot, out=tmp_path / "o" / "p.#.png", look=look, frames="2-8")


def test_one_output_by_two_spellings_is_one_output(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", range(1, 30))
    job = RenderJob.build(inputs=[shot], out=tmp_path / "out", style=look, tier="live", engine="onnx")
    steps = job.run()
    next(step for step in steps if isinstance(step, Progress) and step.done >= 2)
    try:
        with pytest.raises(InputError, match="is being rendered by"):
            render(shot, out=tmp_path / "out" / "shot.####.png", look=look, overwrite=True)
    finally:
        steps.close()  # type: ignore[attr-defined]


def test_an_avi_that_cannot_be_is_refused_before_work(tmp_path: Path, look: str) -> None:
    one, two = write_movie(tmp_path / "one.mkv", 4), write_sequence(tmp_path / "two", [1, 2, 3, 4])
    render(two, out=tmp_path / "slow.mkv", look=look, fps=10, **EXACT)
    with pytest.raises(InputError, match=r"out\.avi: an AVI shows all frames equally long"):
        render(one, tmp_path / "slow.mkv", out=tmp_path / "out.avi", look=look, sound="none")
    assert left_over(tmp_path) == []


def test_sound_from_a_file_ends_with_the_picture(tmp_path: Path, look: str) -> None:
    music, shot = write_movie(tmp_path / "long.mkv", 96), write_sequence(tmp_path / "in", range(1, 13))
    render(shot, out=tmp_path / "out.mkv", look=look, sound=str(music))
    with av.open(str(tmp_path / "out.mkv")) as container:
        seconds = sum(packet.duration * packet.time_base for packet in container.demux(audio=0) if packet.size)
    assert seconds == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", ["odd.mkv", "odd.mov", "odd.webm"])
def test_odd_sizes_come_back_at_their_size(tmp_path: Path, look: str, name: str) -> None:
    from impasto.frame import ClipInfo, Frame
    from impasto.media import open_writer

    (tmp_path / "in").mkdir()
    for number in (1, 2):
        with open_writer(tmp_path / "in" / f"o.{number}.png", ClipInfo(301, 151)) as writer:
            writer.write(Frame(picture(number, (151, 301)), number))
    codec = {"codec": "ffv1"} if name.endswith("mkv") else {}
    render(tmp_path / "in", out=tmp_path / name, look=look, strength=0, **codec)
    with open_reader(tmp_path / name) as reader:
        assert (reader.info.width, reader.info.height, reader.info.frames) == (301, 151, 2)


def test_what_a_killed_run_left_beside_a_picture_goes_with_the_next(tmp_path: Path, look: str) -> None:
    from impasto.frame import ClipInfo, Frame
    from impasto.media import open_writer

    with open_writer(tmp_path / "in.png", ClipInfo(64, 48)) as writer:
        writer.write(Frame(picture(1)))
    dead, alive = tmp_path / ".out.3ffff0-0123abcd.png", tmp_path / f".out.{os.getpid():x}-0123abcd.png"
    dead.touch()
    alive.touch()
    render(tmp_path / "in.png", out=tmp_path / "out.png", look=look)
    assert not dead.exists()
    assert alive.exists()


def test_what_a_codec_does_not_keep_is_said(tmp_path: Path, look: str) -> None:
    shot = write_movie(tmp_path / "in.mkv", 4, encoding=Encoding(codec="ffv1", quality="high", chroma="444"))
    given = {"style": look, "tier": "live", "engine": "onnx", "sound": "none"}
    job = RenderJob.build(inputs=[shot], out=tmp_path / "o.mov", codec="prores", **given)
    assert any("prores keeps chroma 422 of 444" in step.note for step in job.run() if isinstance(step, Progress))
    job = RenderJob.build(inputs=[shot], out=tmp_path / "p.mkv", **given)
    assert not any(" keeps " in step.note for step in job.run() if isinstance(step, Progress))


def test_frames_shared_out_are_the_same_bits_in_the_same_order(tmp_path: Path, look: str) -> None:
    shot = write_movie(tmp_path / "in.mkv", 9, sound=False)
    ways: list[dict[str, str]] = [{"devices": "cpu:1"}, {"devices": "cpu:3"}, {}, {"devices": "cpu:2", "tile": "32"}]
    painted = []
    for number, way in enumerate(ways):
        render(shot, out=tmp_path / f"{number}.mkv", look=look, engine="openvino", **way, **EXACT)
        painted.append(frames_of(tmp_path / f"{number}.mkv"))
    assert len({frame.tobytes() for frame in painted[0].values()}) == 9, "frames that differ, so that their order shows"
    for other in painted[1:]:
        assert list(other) == list(range(1, 10))
        assert all(np.array_equal(painted[0][number], other[number]) for number in other)


def test_devices_that_are_none_are_refused_at_once(tmp_path: Path, look: str) -> None:
    with pytest.raises(InputError, match=r"'gpu' is none; write auto, cpu:2 or cuda:0,cuda:1"):
        render(tmp_path / "in.mkv", out=tmp_path / "out.mkv", look=look, devices="gpu")
