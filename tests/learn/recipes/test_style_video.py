"""The style_video recipe: a clip's look, and a critic that sees how its texture moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.material import clips  # noqa: E402
from impasto.learn.material.data import to_tensor  # noqa: E402
from impasto.learn.recipes import style_video  # noqa: E402
from impasto.models.discriminators import STACK  # noqa: E402
from tests.learn.made_art import PAPER, hatched, learn, save, soft, tiny  # noqa: E402

SMALL: dict[str, Any] = {"batch": 1, "crop_px": 128, "style_side": 160, "photo_side": 128, "critic_width": 8, "clip_px": 64}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("clips")
    save(place / "photos", [soft(50 + i) for i in range(3)])
    save(place / "clip", [hatched(3, shift=2 * i) for i in range(24)])
    save(place / "shot", [np.ascontiguousarray(soft(9, 200)[:160, 2 * i : 2 * i + 160]) for i in range(12)])
    return place


def reel(place: Path, settings: style_video.Settings, clip: str = "clip", shot: str = "") -> style_video.Reel:
    job = TrainJob.build(
        references=[place / clip], photos=[place / "photos"], out=Path("x.style"), recipe="style_video",
        shot=place / shot if shot else None,
    )  # fmt: skip
    return style_video.gather(job, settings, None, torch.device("cpu"))


def test_it_learns_the_look_of_a_clip(place: Path) -> None:
    settings = style_video.Settings(**SMALL, adversary=2, nce=0.1, steady=1, turn=1)
    material, generator = reel(place, settings), tiny()
    assert "15 frames to learn from, 9 kept aside" in style_video.check(material)
    figures = style_video.held_out(settings, material)
    before = figures(generator.eval())
    parts = learn(style_video, settings, material, generator.train(), 10)
    assert figures(generator)["style"] < 0.8 * before["style"]
    photo = to_tensor([image[:96, :96] for image in material.photos.images])
    with torch.no_grad():
        red, _, blue = generator(photo).mean((0, 2, 3))
    assert blue > red, "the sheets are violet"
    assert set(parts[0]) >= {"movement", "critic_movement", "told_apart_movement", "adversary", "nce", "palette"}


def test_the_critic_of_movement_teaches_the_generator_and_learns(place: Path) -> None:
    quiet = {"adversary": 0, "nce": 0, "palette": 0, "steady": 0, "outside": 0, "variation": 0}
    settings = style_video.Settings(**SMALL, **quiet, movement=1)
    material, generator = reel(place, settings), tiny()
    networks = style_video.networks(settings, material, generator)
    outcome = style_video.step(settings, material)(networks, style_video.batches(settings, material)(0), 0.5)
    outcome.generator.backward()
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in generator.parameters())
    outcome.critic.backward()
    assert all(p.grad is not None for p in networks.critic.get_submodule("movement").parameters())


def test_the_generator_paints_every_frame_by_itself() -> None:
    generator, filmed = tiny().eval(), torch.rand(1, 3, 5, 64, 64)
    with torch.no_grad():
        together = style_video.painted_frames(generator, filmed)
        alone = style_video.painted_frames(generator, filmed[:, :, 2:3])
    assert together.shape == (1, 1, 5, 64, 64)
    assert torch.allclose(together[:, :, 2:3], alone, atol=1e-5)


def test_the_end_of_a_clip_is_never_learnt_from(place: Path) -> None:
    material = reel(place, style_video.Settings(**SMALL))
    learnt, kept = ([n for run in runs for n in run.numbers] for runs in (material.runs, material.runs_kept))
    assert max(learnt) < min(kept)
    assert len(material.works.images) == len(learnt)
    assert len(material.kept.images) == len(kept)


@pytest.mark.parametrize(
    ("lengths", "kept"), [([200], [25]), ([10], []), ([20, 20, 8], [20]), ([9, 4, 4], []), ([12, 30], [9]), ([30, 12], [])]
)
def test_what_is_kept_leaves_enough_to_learn_from(lengths: list[int], kept: list[int]) -> None:
    runs = [clips.Run([soft(0, 32)] * n, list(range(n))) for n in lengths]
    learnt, aside = style_video._parted(runs)
    assert [len(run.frames) for run in aside] == kept
    assert sum(len(run.frames) for run in learnt) == sum(lengths) - sum(kept)


def test_a_shot_is_painted_as_it_is(place: Path) -> None:
    settings = style_video.Settings(**SMALL)
    material = reel(place, settings, shot="shot")
    assert "the shot's own frames" in style_video.check(material)
    filmed = style_video.batches(settings, material)(0)["filmed"]
    assert filmed.shape == (1, 3, 7, 64, 64)
    assert material.shot is not None
    assert material.shot.speed_px == pytest.approx(2, abs=1)


def test_batches_depend_on_seed_and_step_alone(place: Path) -> None:
    settings = style_video.Settings(**SMALL)
    at, again = (style_video.batches(settings, reel(place, settings)) for _ in range(2))
    assert all(torch.equal(at(4)[name], again(4)[name]) for name in at(4))
    assert not torch.equal(at(4)["clip"], at(5)["clip"])


def test_a_short_clip_is_seen_at_fewer_strides(place: Path) -> None:
    save(place / "short", [hatched(3, shift=2 * i) for i in range(5)])
    assert reel(place, style_video.Settings(**SMALL), "short").strides == (1, 2)


def test_a_run_never_crosses_a_cut(place: Path) -> None:
    pictures = [soft(1)] * 12 + [hatched(2, PAPER)] * 12
    runs = clips.read_clip(save(place / "cut", pictures), 160, STACK).runs
    assert [len(run.frames) for run in runs] == [12, 12]


def test_a_long_clip_is_read_in_stretches_from_beginning_to_end() -> None:
    stretches = clips._stretches(list(range(1, 2001)))
    assert (stretches[0][0], stretches[-1][-1], len(stretches)) == (1, 2000, clips.RUNS)
    assert all(stretch == list(range(stretch[0], stretch[0] + clips.RUN)) for stretch in stretches)


def test_a_still_moves_at_the_clips_pace() -> None:
    import cv2

    still = to_tensor([soft(5, 96)])
    frames = clips.moved_stills(still, [0, 2, 3, 4, 5, 6, 8], 1.5, np.random.default_rng(0))
    assert frames.shape == (1, 3, 7, 96, 96)
    assert (frames[:, :, 3] - still).abs().mean() < 0.06, "the middle frame is the still, but for light and grain"
    grey = [(frame.mean(0).numpy() * 255).astype(np.uint8) for frame in frames[0].unbind(1)]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    moved = [np.linalg.norm(flow.calc(grey[i], grey[i + 1], np.zeros((96, 96, 2), np.float32)), axis=2).mean() for i in (2, 3)]
    assert 0.1 < moved[0] < 4
    assert moved[0] == pytest.approx(moved[1], rel=0.6), "it goes on as it began"


@pytest.mark.parametrize("frames", [1, 2])
def test_too_few_frames_are_one_line(frames: int, place: Path, tmp_path: Path) -> None:
    save(tmp_path / "few", [hatched(i) for i in range(frames)])
    with pytest.raises(InputError, match=f"has {frames} frame.*3 or more in a row") as caught:
        clips.read_clip(tmp_path / "few", 160, STACK)
    assert "\n" not in str(caught.value)


def test_an_unreadable_clip_is_one_line(place: Path, tmp_path: Path) -> None:
    broken = tmp_path / "clip.mp4"
    broken.write_bytes(b"no movie")
    for path in (broken, tmp_path / "missing.mp4"):
        with pytest.raises(InputError) as caught:
            clips.read_clip(path, 160, STACK)
        assert path.name in str(caught.value)
        assert "\n" not in str(caught.value)
