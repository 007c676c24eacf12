"""`impasto generate` from end to end on a network of three layers: pictures, grids, walks, what repeats and what is refused."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from impasto import cli
from impasto.engine.dream import dream_of, grid_of, paint_grid, truncated, vectors_of, walk
from impasto.errors import InputError
from impasto.job import Done
from impasto.make.generate import GenerateJob
from impasto.media import open_reader
from impasto.styles.package import Card, Tier, TrainingRecord, write_style

LENGTH, SIDE = 6, 16


def dreaming_graph(truncation: bool = True) -> bytes:
    """noise [n,6] -> a picture of 16x16: one matrix, and a sigmoid."""
    random = np.random.default_rng(0)
    weights = {"weight": random.normal(0, 0.6, (LENGTH, 3 * 16)).astype(np.float32), "shape": np.array([-1, 3, 4, 4])}
    if truncation:
        weights["truncation"] = np.ones(1, np.float16)
    nodes = [
        *([helper.make_node("Cast", ["truncation"], ["share"], to=TensorProto.FLOAT)] if truncation else []),
        helper.make_node("Mul", ["noise", "share"], ["pulled"])
        if truncation
        else helper.make_node("Identity", ["noise"], ["pulled"]),
        helper.make_node("MatMul", ["pulled", "weight"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["small"]),
        helper.make_node("Constant", [], ["times"], value=numpy_helper.from_array(np.array([1, 1, 4, 4], np.float32))),
        helper.make_node("Resize", ["small", "", "times"], ["large"], mode="linear"),
        helper.make_node("Sigmoid", ["large"], ["painted"]),
    ]
    ends = [
        helper.make_tensor_value_info("noise", TensorProto.FLOAT, ["n", LENGTH]),
        helper.make_tensor_value_info("painted", TensorProto.FLOAT, ["n", 3, SIDE, SIDE]),
    ]
    stored = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "dreaming", ends[:1], ends[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("looks") / "blobs.style"
    graph = dreaming_graph()
    tier = Tier(
        generator="dcgan", stride=1, receptive_field=SIDE, parameters=288, noise=LENGTH, graph_sha256=sha256(graph).hexdigest()
    )
    record = TrainingRecord(command="made by hand", recipe="noise", seed=0, date="2026-01-01", impasto="0")
    card = Card.model_validate(
        {"name": "blobs", "title": "Blobs", "licence": "CC0-1.0", "tiers": {"live": tier}, "training": record}
    )
    return write_style(path, card, {"live": graph}, paint_grid(graph, tier))


def made(look: Path, out: Path, **more: object) -> Done:
    return GenerateJob.build(style=str(look), out=out, **{"count": 4, **more}).finish()


def pictures(folder: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(file)) for file in sorted(folder.glob("blobs.*.png"))]


def test_pictures_and_a_grid(look: Path, tmp_path: Path) -> None:
    done = made(look, tmp_path / "out", count=5, seed=7)
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names == [*(f"blobs.000{i}.png" for i in range(1, 6)), "grid.png"], "and nothing half-made beside them"
    found = pictures(tmp_path / "out")
    assert {picture.shape for picture in found} == {(SIDE, SIDE, 3)}
    assert len({picture.tobytes() for picture in found}) == 5, "five vectors, five pictures"
    grid = np.asarray(Image.open(tmp_path / "out/grid.png"))
    assert grid.shape == (2 * SIDE, 3 * SIDE, 3)
    assert np.array_equal(grid[:SIDE, SIDE : 2 * SIDE], found[1])
    assert (grid[SIDE:, 2 * SIDE :] == 255).all(), "no sixth picture"
    assert done.figures["size"] == [SIDE, SIDE]


def test_the_same_seed_gives_the_same_pictures_however_many(look: Path, tmp_path: Path) -> None:
    for name, more in {"a": {"seed": 3}, "b": {"seed": 3, "count": 6}, "c": {"seed": 4}}.items():
        made(look, tmp_path / name, **more)
    a, b, c = (pictures(tmp_path / name) for name in "abc")
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=False))
    assert not np.array_equal(a[0], c[0])
    made(look, tmp_path / "d", seed=3, first=5, count=2)
    assert all(np.array_equal(x, y) for x, y in zip(pictures(tmp_path / "d"), b[4:], strict=True)), "--first goes on"


def test_both_engines_make_the_same_pictures(look: Path, tmp_path: Path) -> None:
    for engine in ("onnx", "openvino"):
        made(look, tmp_path / engine, engine=engine)
    for one, other in zip(pictures(tmp_path / "onnx"), pictures(tmp_path / "openvino"), strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1


def test_truncation_draws_pictures_together(look: Path, tmp_path: Path) -> None:
    spread = {}
    for truncation in (1.0, 0.5, 0.0):
        made(look, tmp_path / str(truncation), truncation=truncation)
        spread[truncation] = np.stack(pictures(tmp_path / str(truncation))).std(0).mean()
    assert spread[1.0] > spread[0.5] > spread[0.0] == 0
    with pytest.raises(InputError, match="knows no truncation"):
        truncated(dreaming_graph(truncation=False), 0.5, "x")


def test_a_walk_as_frames_comes_back_to_its_start_in_even_steps(look: Path, tmp_path: Path) -> None:
    assert made(look, tmp_path / "w", walk=24, stops=3).summary.startswith("walked past 3 pictures in 24 frames: ")
    frames = [np.asarray(Image.open(file)).astype(int) for file in sorted((tmp_path / "w").glob("blobs.walk.*.png"))]
    assert len(frames) == 24
    assert not (tmp_path / "w/grid.png").exists()
    steps = [np.abs(one - other).mean() for one, other in zip(frames, [*frames[1:], frames[0]], strict=True)]
    assert max(steps) < 4 * np.mean(steps), "no jump, not even from the last to the first"
    assert min(steps) > 0


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"walk": 3, "stops": 10}, "walked 3 frames, too few to show each of the 10 pictures on the way: "),
        ({"walk": 1, "stops": 4}, "walked 1 frame, too few to show each of the 4 pictures on the way: "),
        ({"count": 1}, "made 1 picture, "),
    ],
)
def test_what_was_made_is_told_as_it_is(look: Path, tmp_path: Path, more: dict[str, int], told: str) -> None:
    assert made(look, tmp_path / "w", **more).summary.startswith(told)


def test_a_walk_keeps_its_speed_on_the_sphere() -> None:
    stops = vectors_of(0, range(4), 64)
    way = np.concatenate(list(walk(stops, 40)))
    unit = way / np.linalg.norm(way, axis=1, keepdims=True)
    angles = np.arccos((unit * np.roll(unit, -1, 0)).sum(1).clip(-1, 1))
    at_stops = np.sort(angles)[:4]  # a step around a corner is a little shorter
    assert np.ptp(np.sort(angles)[4:]) < 0.02 * angles.max()
    assert at_stops.min() > 0.5 * angles.max()
    lengths = np.linalg.norm(way, axis=1)
    assert lengths.min() > 0.95 * np.linalg.norm(stops, axis=1).min(), "a straight line would cut through the middle"
    assert np.allclose(way[0], stops[0], atol=1e-5)


def test_a_walk_as_a_movie(look: Path, tmp_path: Path) -> None:
    made(look, tmp_path / "walk.mp4", walk=6, fps=12, scale=4)
    with open_reader(tmp_path / "walk.mp4") as reader:
        assert (reader.info.width, reader.info.height, float(reader.info.fps)) == (64, 64, 12)
        assert len(list(reader)) == 6


@pytest.mark.parametrize(
    ("out", "more", "told"),
    [
        ("x.mp4", {}, "single pictures are no movie"),
        ("x.png", {}, "one file for many pictures"),
        ("out", {"tier": "full"}, "has no tier 'full': choose one of live"),
        ("no/such/w.mp4", {"walk": 3}, "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_one_line(look: Path, tmp_path: Path, out: str, more: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        made(look, tmp_path / out, **more)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_look_that_paints_is_refused(tiny_style: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dreams none: use it with 'impasto render'"):
        made(tiny_style, tmp_path / "out")


def test_files_that_exist_are_kept_unless_told(look: Path, tmp_path: Path) -> None:
    made(look, tmp_path)
    before = (tmp_path / "blobs.0001.png").read_bytes()
    with pytest.raises(InputError, match="--overwrite"):
        made(look, tmp_path, seed=1)
    assert (tmp_path / "blobs.0001.png").read_bytes() == before
    made(look, tmp_path, seed=1, overwrite=True)
    assert (tmp_path / "blobs.0001.png").read_bytes() != before


def test_the_command_line(look: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", str(look), "-o", str(tmp_path / "out"), "--count", "2", "--seed", "7", "--no-grid"]
    assert cli.main(words) == 0, capsys.readouterr().err
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_picture_does_not_hang_on_others() -> None:
    dream, vectors = dream_of(dreaming_graph()), vectors_of(1, range(3), LENGTH)
    assert np.array_equal(dream(vectors)[2], dream(vectors[2:])[0])


def test_the_preview_is_a_sheet_of_dreams(look: Path) -> None:
    from impasto.styles.package import StyleFile

    with Image.open(BytesIO(StyleFile.open(look).preview)) as preview:
        assert preview.size == (512, 512)
        assert len(preview.getcolors(1 << 20) or []) > 100


def test_a_grid_by_hand() -> None:
    three = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 3), np.uint8)
    assert grid_of(three, 2)[..., 0].tolist() == [[0, 0, 1, 1], [2, 2, 255, 255]]
