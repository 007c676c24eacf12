"""`--guide`: what a look learnt with, it is given when it paints; frame by frame, in any order, at any size."""
from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from impasto.errors import ImpastoError
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
    import OpenImageIO as oiio

    spec = oiio.ImageSpec(20, 16, 4, "float")
    spec.channelnames = ("R", "G", "B", "depth.Z")
    image = oiio.ImageBuf(spec)
    image.set_pixels(oiio.ROI(), np.dstack([pixels, np.full((16, 20), 15, np.float32)]))
    image.write(str(tmp_path / "b.exr"))
    render(tmp_path / "b.exr", tmp_path / "c.exr", guided, guide=[f"depth={tmp_path}/b.exr:depth"])
    np.testing.assert_allclose(read(tmp_path / "c.exr")[..., :3], pixels, atol=0.004)


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
        ("not this one", guided, [depth]),
    ):
        with pytest.raises(ImpastoError, match=fault):
            render(shot, tmp_path / "o.####.png", style, guide=guides, overwrite=True)
