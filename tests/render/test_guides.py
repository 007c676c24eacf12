"""`--guide`: what a look learnt with, it is given when it paints; frame by frame, in any order, at any size."""
from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from impasto.errors import ImpastoError, MediaError
from impasto.frame import ClipInfo, Frame
from impasto.media import open_reader, open_writer
from impasto.render.job import RenderJob
from impasto.styles.package import Card, StyleFile, Tier, TrainingRecord, write_style
from tests.fakes import noise


def guided_graph() -> bytes:
    """The picture times its one plane of depth."""
    colour = np.concatenate([np.eye(3), np.zeros((3, 1))], axis=1, dtype=np.float32)[:, :, None, None]
    depth = np.concatenate([np.zeros((3, 3)), np.ones((3, 1))], axis=1, dtype=np.float32)[:, :, None, None]
    nodes = [
        helper.make_node("Conv", ["image", "colour"], ["rgb"]),
        helper.make_node("Conv", ["image", "depth"], ["far"]),
        helper.make_node("Mul", ["rgb", "far"], ["product"]),
        helper.make_node("Clip", ["product", "black", "white"], ["painted"]),
    ]
    ends = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 4, "h", "w"]),
        helper.make_tensor_value_info("painted", TensorProto.FLOAT, ["n", 3, "h", "w"]),
    ]
    held = {"colour": colour, "depth": depth, "black": np.float32(0), "white": np.float32(1)}
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in held.items()]
    graph = helper.make_graph(nodes, "guided", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


@pytest.fixture
def guided(tmp_path: Path, tiny_style: Path) -> str:
    """A look that wants to see depth."""
    tier = Tier(generator="guided", stride=1, receptive_field=1, parameters=24, guides={"depth": 1})
    record = TrainingRecord(command="made by hand", recipe="none", seed=0, date="2026-01-01", impasto="0")
    values = {"name": "guided", "title": "Guided", "licence": "Apache-2.0", "tiers": {"live": tier}, "training": record}
    preview = StyleFile.open(tiny_style).preview
    return str(write_style(tmp_path / "guided.style", Card.model_validate(values), {"live": guided_graph()}, preview))


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """Three frames of noise, and their depth, another for each."""
    for number in (1, 2, 3):
        Image.fromarray(noise(24, 40, seed=number)).save(tmp_path / f"shot.{number:04d}.png")
        Image.fromarray(np.full((24, 40), 60 * number, np.uint8)).save(tmp_path / f"depth.{number:04d}.png")
    return tmp_path / "shot.####.png"


def render(source: Path, out: Path, look: str, **options: object) -> None:
    RenderJob.build(inputs=[source], out=out, style=look, engine="onnx", tier="live", **options).finish()


def read(path: Path) -> np.ndarray:
    with open_reader(path) as reader:
        return next(iter(reader)).pixels


def wanted(number: int, pixels: np.ndarray) -> np.ndarray:
    return np.rint(pixels.astype(np.float32) * (60 * number / 255))


@pytest.mark.parametrize("tile", ["auto", "16"])
def test_each_frame_sees_its_own_guide(tmp_path: Path, shot: Path, guided: str, tile: str) -> None:
    guide = f"depth={tmp_path}/depth.####.png"
    render(shot, tmp_path / "o.####.png", guided, guide=[guide], tile=tile)
    for number in (1, 2, 3):
        painted = read(tmp_path / f"o.{number:04d}.png")
        assert np.abs(painted - wanted(number, noise(24, 40, seed=number))).max() <= 1
    render(shot, tmp_path / "alone.####.png", guided, guide=[guide], frames="3", tile=tile)
    np.testing.assert_array_equal(read(tmp_path / "alone.0003.png"), painted)


def test_guides_go_with_mattes_scales_proxies_palettes_and_bars(tmp_path: Path, shot: Path, guided: str) -> None:
    guide, half = f"depth={tmp_path}/depth.####.png", np.zeros((24, 40), np.uint8)
    half[:, 20:] = 255
    Image.fromarray(half).save(tmp_path / "half.png")
    render(shot, tmp_path / "m.####.png", f"{guided}@{tmp_path}/half.png", guide=[guide])
    painted, source = read(tmp_path / "m.0002.png"), noise(24, 40, seed=2)
    np.testing.assert_array_equal(painted[:, :20], source[:, :20])
    assert np.abs(painted[:, 20:] - wanted(2, source[:, 20:])).max() <= 1
    for name, options in {"s": {"scale": 2.0}, "l": {"scale": 0.5}, "p": {"proxy": 2}, "e": {"projection": "equirect"}}.items():
        render(shot, tmp_path / f"{name}.####.png", guided, guide=[guide], **options)
        darker = read(tmp_path / f"{name}.0001.png").mean() / read(tmp_path / f"{name}.0003.png").mean()
        assert 0.28 < darker < 0.39, name
    Image.fromarray(noise(8, 8)).save(tmp_path / "palette.png")
    render(shot, tmp_path / "c.####.png", guided, guide=[guide], palette=tmp_path / "palette.png", letterbox=True)
    assert read(tmp_path / "c.0001.png").shape == (24, 40, 3)


def test_a_layer_of_an_exr_guides(tmp_path: Path, guided: str) -> None:
    pixels = np.dstack([(noise(16, 20) / 255).astype(np.float32)] * 1)
    with open_writer(tmp_path / "a.exr", ClipInfo(20, 16, 1, Fraction(24), "float32", 3)) as writer:
        writer.write(Frame(pixels, 1, {}))
    spec = oiio.ImageSpec(20, 16, 4, "float")
    spec.channelnames = ("R", "G", "B", "depth.Z")
    image = oiio.ImageBuf(spec)
    image.set_pixels(oiio.ROI(), np.dstack([pixels, np.full((16, 20), 15, np.float32)]))
    image.write(str(tmp_path / "b.exr"))
    render(tmp_path / "b.exr", tmp_path / "c.exr", guided, guide=[f"depth={tmp_path}/b.exr:depth"])
    np.testing.assert_allclose(read(tmp_path / "c.exr")[..., :3], pixels, atol=0.004)


def overscan(path: Path) -> Path:
    """Grey, with four pixels of overscan at the sides and two above and below what is shown: 20x16."""
    return windowed(path, {name: np.full((20, 28), 0.25, np.float32) for name in "RGB"}, (-4, -2))


def windowed(path: Path, channels: dict[str, np.ndarray], at: tuple[int, int]) -> Path:
    pixels = np.dstack(list(channels.values()))
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], len(channels), "float")
    spec.channelnames, (spec.x, spec.y) = tuple(channels), at
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = 0, 0, 20, 16
    image = oiio.ImageBuf(spec)
    image.set_pixels(oiio.ROI(), pixels)
    assert image.write(str(path))
    return path


@pytest.mark.parametrize(("kind", "rows", "columns"), [
    ("the same", (0, 20), (0, 28)),
    ("what is shown", (2, 18), (4, 24)),
    ("smaller", (5, 11), (10, 17)),
    ("picture", (2, 18), (4, 24)),
    ("picture of half the size", (2, 18), (4, 24)),
    ("picture of all", (0, 20), (0, 28)),
])  # fmt: skip
def test_a_guide_lies_where_its_windows_say(
    tmp_path: Path, guided: str, kind: str, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    depth = np.zeros((20, 28), np.float32)
    depth[:, ::2], depth[::4] = 3, 1  # seen as 0.5 and 0.25
    if kind.startswith("picture of half"):
        depth[:] = 3
    taken, at = depth[slice(*rows), slice(*columns)], (columns[0] - 4, rows[0] - 2)
    if kind.startswith("picture"):
        seen = np.rint(np.log2(1 + taken) / 4 * 255).astype(np.uint8)
        Image.fromarray(seen[::2, ::2] if "half" in kind else seen).save(tmp_path / "d.png")
        guide = f"depth={tmp_path}/d.png"
    else:
        guide = f"depth={windowed(tmp_path / 'd.exr', {'Z': taken}, at)}"
    render(overscan(tmp_path / "a.exr"), tmp_path / "b.exr", guided, guide=[guide])
    wanted = np.zeros((20, 28), np.float32)
    wanted[slice(*rows), slice(*columns)] = np.log2(1 + taken) / 4
    found = read(tmp_path / "b.exr")[..., 0]
    assert (found[wanted == 0] == 0).all(), "where it has no pixels it is 0"
    whole = windowed(tmp_path / "z.exr", {"Z": depth}, (-4, -2))
    render(tmp_path / "a.exr", tmp_path / "all.exr", guided, guide=[f"depth={whole}"])
    everywhere = read(tmp_path / "all.exr")[..., 0]
    np.testing.assert_allclose(found[wanted > 0], everywhere[wanted > 0], atol=0.01)


def test_a_guide_of_what_is_shown_goes_with_palettes_and_proxies_of_overscan(tmp_path: Path, guided: str) -> None:
    Image.fromarray(noise(8, 8)).save(tmp_path / "palette.png")
    guide = [f"depth={windowed(tmp_path / 'd.exr', {'Z': np.full((16, 20), 3, np.float32)}, (0, 0))}"]
    render(overscan(tmp_path / "a.exr"), tmp_path / "p.exr", guided, guide=guide, palette=tmp_path / "palette.png")
    render(overscan(tmp_path / "a.exr"), tmp_path / "half.exr", guided, guide=guide, proxy=2)
    painted = read(tmp_path / "half.exr")[..., 0]
    assert painted.shape == (10, 14)
    assert (painted[1:9, 2:12] > 0.01).all()
    assert not painted[0].any()


def test_a_gap_is_told_before_a_frame_is_painted(tmp_path: Path, guided: str) -> None:
    for number in range(1, 12):
        Image.fromarray(noise(8, 8)).save(tmp_path / f"shot.{number:04d}.png")
        if number in (1, 2, 4, 8):
            Image.fromarray(np.full((8, 8), 99, np.uint8)).save(tmp_path / f"d.{number:04d}.png")
    guide, out = [f"depth={tmp_path}/d.####.png"], tmp_path / "o.####.png"
    with pytest.raises(MediaError, match=r"d\.####\.png: this guide lacks frames 3, 5-7, 9-11 of the shot: make what is missing"):
        render(tmp_path / "shot.####.png", out, guided, guide=guide)
    assert not list(tmp_path.glob("o.*"))
    render(tmp_path / "shot.####.png", out, guided, guide=guide, frames="1,2,4")
    assert len(list(tmp_path.glob("o.*.png"))) == 3
    bare = "1:1, 2:1, 3:0, 4:0, 5:0, 6:0, 7:0"  # what is not painted needs no guide
    render(tmp_path / "shot.####.png", out, guided, guide=guide, frames="1-7", strength=bare, overwrite=True)
    palette = {"palette": tmp_path / "shot.0001.png", "frames": "1-2", "overwrite": True}
    with pytest.raises(MediaError, match="lacks frames 6, 10 of the shot"):  # of which the palette takes samples
        render(tmp_path / "shot.####.png", out, guided, guide=guide, **palette)


def test_what_is_missing_or_odd_is_said(tmp_path: Path, shot: Path, look: str, guided: str) -> None:
    colour = tmp_path / "colour.png"
    Image.fromarray(noise(24, 40)).save(colour)
    Image.fromarray(np.zeros((30, 30), np.uint8)).save(tmp_path / "square.png")
    (tmp_path / "depth.0003.png").rename(tmp_path / "depth.0009.png")
    depth = f"depth={tmp_path}/depth.####.png"
    for fault, style, guides in (
        ("give --guide depth=FILE", guided, []),
        ("no look here asks for it", look, [depth]),
        ("asked for: depth", guided, [depth, f"motion={colour}"]),
        ("learnt from 1 planes and this has 3", guided, [f"depth={colour}"]),
        ("is named twice", guided, [depth, depth]),
        ("has no name", guided, ["depth.png"]),
        ("is 30x30, and the shot is 40x24", guided, [f"depth={tmp_path}/square.png"]),
        ("lacks frame 3 of the shot", guided, [depth]),
    ):
        with pytest.raises(ImpastoError, match=fault):
            render(shot, tmp_path / "o.####.png", style, guide=guides, overwrite=True)
