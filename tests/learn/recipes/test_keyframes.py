"""Keyframes: a scene that moves, a rule that paints it, two painted frames. What does not fit is refused in one line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.engine.export import read_weights  # noqa: E402  torch must be known to be there first
from impasto.errors import InputError  # noqa: E402
from impasto.frame import ClipInfo, Frame, exact_rate  # noqa: E402
from impasto.job import Progress  # noqa: E402
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.material.canvas import Keeping, crops  # noqa: E402
from impasto.learn.material.shot import ShotMaterial  # noqa: E402
from impasto.learn.recipes import keyframes  # noqa: E402
from impasto.learn.run.contract import Networks  # noqa: E402
from impasto.media import open_writer  # noqa: E402
from impasto.models.perception import Perception  # noqa: E402
from impasto.styles.package import StyleFile  # noqa: E402
from tests.models.test_perception import write_folded  # noqa: E402

WIDTH, HEIGHT, FRAMES = 96, 72, 9
SMALL = ["crop_px=64", "held_px=16", "critic_width=4", "held=0.1"]
STEPS = 45
Picture = NDArray[np.uint8]


def frame(number: int) -> Picture:
    """Soft coloured spots that wander to the right over a ground that stands still."""
    rng = np.random.default_rng(3)
    ground = cv2.resize(rng.integers(60, 200, (9, 12, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(6):
        x, y, size = (int(v) for v in rng.integers((0, 0, 8), (WIDTH, HEIGHT, 16)))
        colour = [int(v) for v in rng.integers(0, 256, 3)]
        cv2.circle(ground, ((x + 7 * number) % WIDTH, y), size, colour, -1, cv2.LINE_AA)
    return np.asarray(ground, np.uint8)


def paint(picture: Picture) -> Picture:
    """What the artist does: turns light into dark and red into blue."""
    return np.ascontiguousarray(255 - picture[..., ::-1])


def write(path: Path, picture: Picture) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1]))
    return path


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    for number in range(1, FRAMES + 1):
        write(tmp_path / "shot" / f"shot.{number:04d}.png", frame(number))
    return tmp_path / "shot"


@pytest.fixture
def painted(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / "painted" / f"key_{number:04d}.png", paint(frame(number))) for number in (1, FRAMES)]


def job(references: list[Path], shot: Path | None, **more: object) -> TrainJob:
    out = references[0].parent.parent / "x.style"
    values = {"out": out, "recipe": "keyframes", "tier": "live", "steps": 3, "set": SMALL, "seed": 5, "teacher": ["none"]}
    return TrainJob.build(references=references, shot=shot, **{**values, **more})


def material(made: TrainJob, **settings: object) -> tuple[keyframes.Settings, ShotMaterial]:
    values = {"crop_px": 64, "held_px": 16, "critic_width": 4, "held": 0.1, "rate": 3e-3, **settings}
    chosen = keyframes.Settings.model_validate(values)
    return chosen, keyframes.gather(made, chosen, None, torch.device("cpu"))


def learn(settings: keyframes.Settings, found: ShotMaterial, steps: int) -> Networks:
    """The recipe's own pieces under a bare loop, which warms up and cools down as the real one does."""
    torch.manual_seed(0)
    networks = keyframes.networks(settings, found, keyframes.generator(settings, found, "live"))
    batches, take = keyframes.batches(settings, found), keyframes.step(settings, found)
    ours = torch.optim.Adam([*networks.generator.parameters(), *networks.helpers.parameters()], settings.rate)
    theirs = torch.optim.Adam(networks.critic.parameters(), 4e-4)
    for step in range(steps):
        outcome = take(networks, batches(step), step / steps)
        for optimiser, loss in ((ours, outcome.generator), (theirs, outcome.critic)):
            optimiser.zero_grad()
            loss.backward()
        for optimiser in (ours, theirs):
            optimiser.param_groups[0]["lr"] = settings.rate * min(1, (step + 1) / 20) * min(1, 2 - 2 * step / steps)
            torch.nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], 1.0)
            optimiser.step()
    return networks


def test_frames_that_nobody_painted_come_nearer_to_the_truth_than_a_copy(shot: Path, painted: list[Path]) -> None:
    settings, found = material(job(painted, shot))
    figures = keyframes.held_out(settings, found)
    with torch.no_grad():
        before = figures(keyframes.generator(settings, found, "live").eval())
    painter = learn(settings, found, STEPS).generator.eval()
    with torch.no_grad():
        after = figures(painter)
        seen = torch.from_numpy(frame(4).transpose(2, 0, 1).copy())[None].float() / 255
        ours = (painter(seen)[0].permute(1, 2, 0).numpy() * 255).round()
    assert after["pixels"] < 0.5 * before["pixels"]
    truth, copied = paint(frame(4)).astype(np.float32), paint(frame(1)).astype(np.float32)
    assert np.abs(ours - truth).mean() < 0.5 * np.abs(copied - truth).mean()


def test_a_look_is_learnt_from_a_movie_and_says_what_from(shot: Path, painted: list[Path], tmp_path: Path) -> None:
    movie = tmp_path / "shot.mp4"
    with open_writer(movie, ClipInfo(WIDTH, HEIGHT, FRAMES, exact_rate(24))) as writer:
        for number in range(1, FRAMES + 1):
            writer.write(Frame(frame(number), number))
    events = list(job(painted, movie, recipe="auto", steps=1).run())
    notes = [event.note for event in events if isinstance(event, Progress)]
    assert "painted frames 1, 9 of shot.mp4, on 7 frames that nobody painted" in notes
    card = StyleFile.open(tmp_path / "x.style").card
    assert card.training.recipe == "keyframes"
    assert [named.name for named in card.training.references] == ["key_0001.png", "key_0009.png"]
    assert card.training.photos == 7
    assert card.tiers["live"].guides == {}


def test_a_stopped_training_with_guides_resumes_to_the_same_look(shot: Path, painted: list[Path], tmp_path: Path) -> None:
    guide = [f"look={shot}"]
    job(painted, shot, guide=guide).finish()
    stopped = job(painted, shot, guide=guide, out=tmp_path / "z.style")
    events = stopped.run()
    for event in events:
        if isinstance(event, Progress) and event.stage.startswith("learning"):
            break
    events.close()
    assert list((tmp_path / "z.run/live").glob("*.checkpoint"))
    stopped.finish()
    styles = [StyleFile.open(tmp_path / f"{name}.style") for name in "xz"]
    whole, resumed = (read_weights(style.graph("live")) for style in styles)
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)
    assert styles[0].card.tiers["live"].guides == {"look": 3}


def test_a_guide_that_alone_tells_the_paint_is_learnt(shot: Path, painted: list[Path], tmp_path: Path) -> None:
    """The frames are one grey; only the guide knows where the red is."""
    halves = {}
    for number in range(1, FRAMES + 1):
        guide = np.zeros((HEIGHT, WIDTH), np.uint8)
        guide[:, : 8 * number] = 255
        halves[number] = guide
        write(shot / f"shot.{number:04d}.png", np.full((HEIGHT, WIDTH, 3), 128, np.uint8))
        write(tmp_path / "guide" / f"where.{number:04d}.png", guide)
    for path, number in zip(painted, (1, FRAMES), strict=True):
        picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        picture[halves[number] > 0] = (230, 20, 20)
        write(path, picture)
    settings, found = material(job(painted, shot, guide=[f"where={tmp_path / 'guide'}"]), adversary=0, held=0)
    assert found.guides == {"where": 1}
    painter = learn(settings, found, STEPS).generator.eval()
    assert painter.guides == {"where": 1}
    seen = torch.full((1, 4, HEIGHT, WIDTH), 128 / 255)
    seen[:, 3] = torch.from_numpy(halves[5]).float() / 255
    with torch.no_grad():
        red, _, blue = painter(seen)[0]
    inside, outside = slice(8, 32), slice(56, 88)
    assert float((red - blue)[:, inside].mean()) > 0.4
    assert abs(float((red - blue)[:, outside].mean())) < 0.2


def test_only_what_the_matte_covers_is_learnt(shot: Path, painted: list[Path], tmp_path: Path) -> None:
    matte = np.zeros((HEIGHT, WIDTH), np.uint8)
    matte[:, : WIDTH // 2] = 255
    for path, number in zip(painted, (1, FRAMES), strict=True):
        half = np.where(matte[..., None] > 0, paint(frame(number)), 0).astype(np.uint8)  # black where it was not painted
        write(path, half)
    settings, found = material(job(painted, shot, matte=write(tmp_path / "matte.png", matte)))
    canvases = [Keeping(settings.held, settings.held_px, 0).learnt(key) for key in found.keys]
    taken = crops(canvases, 8, 64, np.random.default_rng(0))
    assert float(taken["weight"].max()) == 1
    assert float((taken["painted"] * taken["weight"]).mean()) > 0
    painter = learn(settings, found, STEPS).generator.eval()
    with torch.no_grad():
        ours = painter(torch.from_numpy(frame(5).transpose(2, 0, 1).copy())[None].float() / 255)[0].permute(1, 2, 0).numpy()
    truth = paint(frame(5)) / 255
    assert np.abs(ours - truth)[:, : WIDTH // 2].mean() < 0.1
    assert ours[:, WIDTH * 3 // 4 :].mean() > 0.2, "the black beside the matte was not learnt"


def test_where_a_painting_is_transparent_nothing_is_learnt(shot: Path, painted: list[Path]) -> None:
    half = np.dstack([paint(frame(1)), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    half[:, WIDTH // 2 :] = 0
    Image.fromarray(half).save(painted[0])
    _, found = material(job(painted, shot))
    first, last = found.keys
    assert (first.matte[:, : WIDTH // 2] == 255).all()
    assert not first.matte[:, WIDTH // 2 :].any()
    assert (last.matte == 255).all()
    np.testing.assert_array_equal(first.painted[:, : WIDTH // 2], paint(frame(1))[:, : WIDTH // 2])
    np.testing.assert_array_equal(first.painted[:, WIDTH // 2 :], frame(1)[:, WIDTH // 2 :])


@pytest.mark.parametrize("matte", [False, True])
def test_a_painting_of_which_nothing_can_be_seen_is_refused(
    shot: Path, painted: list[Path], tmp_path: Path, matte: bool
) -> None:
    hidden = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    hidden[:, WIDTH // 2 :, 3] = 255 * matte
    Image.fromarray(hidden).save(painted[0])
    white = np.full((HEIGHT, WIDTH), 255, np.uint8)
    white[:, WIDTH // 2 :] = 0
    told = "transparent where --matte is white" if matte else "transparent all over"
    with pytest.raises(InputError, match=rf"key_0001\.png: is {told}"):
        material(job(painted, shot, **({"matte": write(tmp_path / "matte.png", white)} if matte else {})))


def test_a_sheet_shows_frames_beside_what_was_painted_of_them(shot: Path, painted: list[Path]) -> None:
    settings, found = material(job(painted, shot))
    rows = keyframes.show(settings, found)(keyframes.generator(settings, found, "live").eval())
    kinds = ("painted frames", "other frames")
    assert list(rows) == [kinds[0], f"{kinds[0]}, by the look", f"{kinds[0]}, by hand", kinds[1], f"{kinds[1]}, by the look"]
    assert len({row.shape[1:] for row in rows.values()}) == 1, "the middles of frames, one beside the other"
    height, width = rows[kinds[0]].shape[2:]
    top, left = (found.keys[0].painted.shape[0] - height) // 2, (found.keys[0].painted.shape[1] - width) // 2
    goal = found.keys[0].painted[top : top + height, left : left + width] / np.float32(255)
    np.testing.assert_allclose(rows[f"{kinds[0]}, by hand"][0].permute(1, 2, 0).numpy(), goal, atol=1e-6)


def test_squares_are_kept_from_being_learnt(shot: Path, painted: list[Path]) -> None:
    _, found = material(job(painted, shot))
    keeping = Keeping(0.25, 16, 7)
    key = found.keys[0]
    weight = keeping.learnt(key).weight[0].numpy()
    corners = keeping.corners(key)
    assert len(corners) == 6, "a quarter of 4 x 6 squares"
    for (top, left), square in zip(corners, keeping.squares(key), strict=True):
        assert not weight[top : top + 16, left : left + 16].any()
        goal = torch.from_numpy(key.painted[top : top + 16, left : left + 16].transpose(2, 0, 1).copy()) / 255
        assert torch.equal(square.goal[0], goal)
        here = square.seen[0][:, square.inner[0], square.inner[1]]
        assert torch.equal(here, torch.from_numpy(key.seen[top : top + 16, left : left + 16].transpose(2, 0, 1).copy()) / 255)
    assert weight.mean() == pytest.approx(1 - 6 * 256 / weight.size)


def test_a_teacher_takes_part(shot: Path, painted: list[Path], tmp_path: Path) -> None:
    settings = keyframes.Settings(crop_px=64, held_px=16, critic_width=4)
    teacher = Perception([write_folded(tmp_path / "vgg.safetensors")])
    found = keyframes.gather(job(painted, shot), settings, teacher, torch.device("cpu"))
    networks = keyframes.networks(settings, found, keyframes.generator(settings, found, "live"))
    outcome = keyframes.step(settings, found)(networks, keyframes.batches(settings, found)(0), 0.0)
    assert outcome.parts["features"] > 0
    assert not list(networks.helpers.parameters()), "the teacher sees forms, so no projections are learnt"


def test_everything_may_be_smaller_than_a_crop(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path / "shot" / f"{number}.png", cv2.resize(frame(number), (70, 66)))
    key = write(tmp_path / "1.png", cv2.resize(paint(frame(1)), (140, 132)))
    found = keyframes.gather(job([key], tmp_path / "shot"), keyframes.Settings(), None, torch.device("cpu"))
    assert found.keys[0].painted.shape == (66, 70, 3)
    assert keyframes.batches(keyframes.Settings(), found)(0)["painted"].shape == (2, 3, 64, 64)


def faulty(tmp_path: Path, kind: str) -> dict[str, object]:
    """Jobs that cannot be done, by what is wrong with them."""
    picture, wide = paint(frame(1)), np.zeros((HEIGHT, 2 * WIDTH, 3), np.uint8)
    (tmp_path / "empty").mkdir(exist_ok=True)
    changes: dict[str, dict[str, object]] = {
        "no shot": {"shot": None},
        "no number": {"references": [write(tmp_path / "hero.png", picture)]},
        "other number": {"references": [write(tmp_path / "hero.0044.png", picture)]},
        "twice": {"references": [write(tmp_path / "a.0001.png", picture), write(tmp_path / "b.0001.png", picture)]},
        "nothing": {"references": [tmp_path / "empty"]},
        "gone": {"references": [tmp_path / "gone.0001.png"]},
        "other shape": {"references": [write(tmp_path / "wide.0001.png", wide)]},
        "no such shot": {"shot": tmp_path / "gone.mp4"},
        "shot is text": {"shot": tmp_path / "shot.mp4"},
        "guide without name": {"guide": ["depth.png"]},
        "guide twice": {"guide": ["a=x.png", "a=y.png"]},
        "guide lacks frames": {"guide": [f"depth={tmp_path / 'short'}"]},
        "guide of other shape": {"guide": [f"depth={tmp_path / 'wide'}"]},
        "matte is black": {"matte": write(tmp_path / "black.png", np.zeros((HEIGHT, WIDTH), np.uint8))},
        "matte of other shape": {"matte": write(tmp_path / "wide.png", wide)},
        "matte lacks a key": {"matte": tmp_path / "short"},
    }
    (tmp_path / "shot.mp4").write_text("no movie")
    write(tmp_path / "short/m.0001.png", np.full((HEIGHT, WIDTH), 255, np.uint8))
    write(tmp_path / "short/m.0002.png", np.full((HEIGHT, WIDTH), 255, np.uint8))
    for number in range(1, FRAMES + 1):
        write(tmp_path / f"wide/w.{number:04d}.png", wide)
    return changes[kind]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("no shot", "needs the shot that the painted frames belong to: give it with --shot"),
        ("no number", "hero.png: has no frame number in its name; .* as in hero.0024.png"),
        ("other number", r"hero.0044.png: frame 44 is not in .*shot, which has 1-9"),
        ("twice", "b.0001.png: is frame 1, and so is .*a.0001.png"),
        ("nothing", "empty: no painted frame in there"),
        ("gone", "gone.0001.png: no such picture"),
        ("other shape", "wide.0001.png: is 192x72, and the shot is 96x72"),
        ("no such shot", "gone.mp4: no such shot"),
        ("shot is text", "shot.mp4: "),
        ("guide without name", "depth.png: has no name: write it as depth=depth.####.exr"),
        ("guide twice", "--guide a: is named twice"),
        ("guide lacks frames", "short: has no frame 3-9"),
        ("guide of other shape", "wide: is 192x72, and the shot is 96x72"),
        ("matte is black", "black.png: is black in frame 1"),
        ("matte of other shape", "wide.png: is 192x72, and the shot is 96x72"),
        ("matte lacks a key", "short: has no frame 9"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(shot: Path, painted: list[Path], tmp_path: Path, kind: str, told: str) -> None:
    made = job(**{"references": painted, "shot": shot, **faulty(tmp_path, kind)})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=told) as caught:
        keyframes.gather(made, keyframes.Settings(), None, torch.device("cpu"))
    assert "\n" not in str(caught.value)
