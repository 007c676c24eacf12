"""`impasto sample`: frames that are there when it says so, the truth beside them, and clear refusals."""
from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from impasto.errors import InputError, MediaError
from impasto.job import Done, Progress
from impasto.media import open_reader
from impasto.media.plate import Plate
from impasto.media.sample import SampleJob, truth_path
from impasto.media.scenery.sound import soundtrack
from impasto.media.vectors import find_vectors, read_vectors

SMALL = {"size": "80x64", "seed": 5}


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Progress | Done]]:
    folder = tmp_path_factory.mktemp("sample") / "shot"
    return folder, list(SampleJob.build(out=folder, frames=3, fps=12, truth=True, **SMALL).run())


def test_frames_are_counted_as_film_does(shot: tuple[Path, list[Progress | Done]]) -> None:
    folder, steps = shot
    assert sorted(path.name for path in folder.glob("*.png")) == ["frame_1001.png", "frame_1002.png", "frame_1003.png"]
    done = steps[-1]
    assert isinstance(done, Done)
    assert done.path == folder
    assert done.figures["frames"] == 3
    assert done.figures["frames_per_second"] > 0
    reports = [step for step in steps if isinstance(step, Progress) and step.total]
    assert [report.done for report in reports] == [1, 2, 3]


def test_frames_are_the_plate(shot: tuple[Path, list[Progress | Done]]) -> None:
    with Image.open(shot[0] / "frame_1003.png") as picture:
        assert np.array_equal(np.asarray(picture), Plate(80, 64, 12, 5).frame(2).rgb)


def test_the_truth_lies_beside_each_frame(shot: tuple[Path, list[Progress | Done]]) -> None:
    path = truth_path(shot[0] / "frame_1002.png")
    with np.load(path) as found:
        assert found["forward"].shape == found["backward"].shape == (64, 80, 2)
        assert found["hidden_forward"].dtype == found["hidden_backward"].dtype == found["steady"].dtype == np.bool_
        assert found["depth"].shape == (64, 80)
        mattes = [found[name].astype(int) for name in found.files if name.startswith("matte_")]
        assert np.abs(sum(mattes) - 255).max() <= len(mattes)
        assert np.abs(found["forward"]).max() > 0.1
    assert len(list(shot[0].glob("*.npz"))) == 3


def test_one_picture(tmp_path: Path) -> None:
    done = SampleJob.build(out=tmp_path / "one.jpg", frames=1, **SMALL).finish()
    assert done.path == tmp_path / "one.jpg"
    assert [path.name for path in tmp_path.iterdir()] == ["one.jpg"]


def test_frames_that_are_there_are_left_alone(shot: tuple[Path, list[Progress | Done]], tmp_path: Path) -> None:
    folder = shot[0]
    before = (folder / "frame_1001.png").read_bytes()
    job = SampleJob.build(out=folder, frames=1, size="64x64", seed=6)
    with pytest.raises(MediaError, match="--overwrite replaces it"):
        job.finish()
    assert (folder / "frame_1001.png").read_bytes() == before
    taken = tmp_path / "frame_1002.png"  # a later frame counts too, before the first is made
    taken.write_bytes(b"mine")
    with pytest.raises(MediaError, match=r"frame_1002\.png: exists already"):
        SampleJob.build(out=tmp_path, frames=2, **SMALL).finish()
    assert [path.name for path in tmp_path.iterdir()] == ["frame_1002.png"]
    SampleJob.build(out=tmp_path, frames=2, overwrite=True, **SMALL).finish()
    assert taken.read_bytes() != b"mine"


def test_a_pattern_numbers_its_frames(tmp_path: Path) -> None:
    SampleJob.build(out=tmp_path / "new" / "shot.####.png", frames=2, **SMALL).finish()
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["shot.1001.png", "shot.1002.png"]
    with pytest.raises(MediaError, match=r"shot\.1001\.png: exists already"):
        SampleJob.build(out=tmp_path / "new" / "shot.$F4.png", frames=2, **SMALL).finish()


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".webm", "opus")])
def test_a_video_is_the_plate_with_its_sound(tmp_path: Path, suffix: str, codec: str) -> None:
    out = tmp_path / f"plate{suffix}"
    assert SampleJob.build(out=out, frames=12, fps=23.976, **SMALL).finish().path == out
    with av.open(str(out)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        timecode = picture.metadata.get("timecode") or container.metadata.get("TIMECODE")
        assert timecode == "01:00:00:00"
        assert abs(float(picture.average_rate or 0) - 24000 / 1001) < 0.1
        assert sound.codec_context.name == codec
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(picture)]
    with av.open(str(out)) as container:
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert len(frames) == 12
    difference = frames[5].astype(int) - Plate(80, 64, 24000 / 1001, 5).frame(5).rgb
    assert np.abs(difference).mean() < 6
    meant = soundtrack(5, 12 * 1001 / 24000).T
    assert abs(heard.shape[1] - meant.shape[1]) <= 1024
    span = min(heard.shape[1], meant.shape[1])
    assert np.corrcoef(heard[:, :span].mean(0), meant[:, :span].mean(0))[0, 1] > 0.9, "not a sample too early or too late"
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_video_without_sound_with_truth_and_grain(tmp_path: Path) -> None:
    SampleJob.build(out=tmp_path / "plate.mkv", frames=2, sound=False, truth=True, grain=8, **SMALL).finish()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plate.1001.truth.npz", "plate.1002.truth.npz", "plate.mkv"]
    with av.open(str(tmp_path / "plate.mkv")) as container:
        assert not container.streams.audio


def test_closing_a_video_leaves_nothing(tmp_path: Path) -> None:
    steps = SampleJob.build(out=tmp_path / "plate.mp4", frames=5, **SMALL).run()
    for step in steps:
        if isinstance(step, Progress) and step.done == 2:
            break
    steps.close()  # type: ignore[attr-defined] # as below
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fps", [0.5, 59.94, 1000])
def test_every_rate_there_is(tmp_path: Path, fps: float) -> None:
    out = tmp_path / "plate.mp4"
    SampleJob.build(out=out, frames=3, fps=fps, sound=fps < 1, **SMALL).finish()
    with av.open(str(out)) as container:
        assert float(container.streams.video[0].average_rate or 0) == pytest.approx(fps, rel=1e-3)


def test_closing_it_leaves_whole_frames_only(tmp_path: Path) -> None:
    steps = SampleJob.build(out=tmp_path / "shot", frames=5, **SMALL).run()
    for step in steps:
        if isinstance(step, Progress) and step.done == 1:
            break
    steps.close()  # type: ignore[attr-defined] # run() is a generator, declared as the iterator its callers need
    assert [path.name for path in (tmp_path / "shot").iterdir()] == ["frame_1001.png"]


@pytest.mark.parametrize(("out", "options", "expected"), [
    ("none/clip.mp4", {}, "create it first"),
    ("shot.####.gif", {}, "'.gif' files cannot be written"),
    ("shot.####.mp4", {}, "a sequence is of pictures"),
    ("none/none/shot.####.png", {}, "create it first"),
    ("clip.gif", {"frames": 1}, "'.gif' files cannot be written"),
    ("one.png", {"frames": 2}, "one picture cannot hold 2 frames"),
    ("none/shot", {}, "create it first"),
    ("none/one.png", {"frames": 1}, "create it first"),
    ("file", {}, "is a file: name a folder"),
])  # fmt: skip
def test_impossible_outputs_are_refused_at_once(tmp_path: Path, out: str, options: dict[str, int], expected: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match=expected):
        next(iter(SampleJob.build(out=tmp_path / out, **options).run()))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("options", "expected"), [
    ({"size": "0x0"}, "64 to 8192"),
    ({"size": "1280"}, "WIDTHxHEIGHT"),
    ({"size": "1280x-720"}, "WIDTHxHEIGHT"),
    ({"size": "٩٩x٩٩"}, "WIDTHxHEIGHT"),
    ({"size": "99999x720"}, "64 to 8192"),
    ({"frames": 0}, "frames"),
    ({"fps": 0}, "fps"),
    ({"fps": float("nan")}, "fps"),
    ({"fps": float("inf")}, "fps"),
    ({"seed": -1}, "seed"),
])  # fmt: skip
def test_bad_options_are_named(options: dict[str, object], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        SampleJob.build(out="shot", **options)


def test_a_job_survives_being_saved(tmp_path: Path) -> None:
    job = SampleJob.build(out=tmp_path / "shot", size="640X360", frames=2)
    assert job.size == "640x360"
    assert SampleJob.from_json(job.to_json()) == job


def test_an_exr_tells_its_motion_and_its_light(tmp_path: Path) -> None:
    SampleJob.build(out=tmp_path / "p.####.exr", frames=1, fps=12, vectors="blender", **SMALL).finish()
    path = tmp_path / "p.1001.exr"
    plate = Plate(80, 64, 12, 5).frame(0, truth=True)
    motion = read_vectors(path, find_vectors(path))
    assert plate.truth is not None
    np.testing.assert_array_equal(motion.ahead, plate.truth.forward)
    np.testing.assert_array_equal(motion.back, plate.truth.backward)
    with open_reader(path) as reader:
        light = next(iter(reader)).pixels
    shown = np.where(light > 0.0031308, 1.055 * light.clip(0) ** (1 / 2.4) - 0.055, 12.92 * light) * 255
    assert np.abs(shown - plate.rgb).max() < 0.6
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(MediaError, match="only an EXR does"):
        SampleJob.build(out=tmp_path / "p.####.png", frames=1, vectors="nuke", **SMALL).finish()
