"""`--super-resolve`: pictures, alpha, HDR and EXR headers come out larger, whole and in tiles."""
from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from impasto.errors import InputError
from impasto.frame import ClipInfo, Frame
from impasto.job import Progress
from impasto.media import open_reader, open_writer
from impasto.render.enlarge import plainly
from impasto.render.job import RenderJob
from impasto.styles.package import Card, Tier, TrainingRecord, write_style
from tests.fakes import noise


def doubling_graph() -> bytes:
    """Every pixel four times: what an enlarging network would be that adds nothing."""
    weight = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)[:, :, None, None]
    nodes = [
        helper.make_node("Conv", ["image", "grow.weight"], ["wide"]),
        helper.make_node("DepthToSpace", ["wide"], ["painted"], blocksize=2, mode="CRD"),
    ]
    ends = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"]),
        helper.make_tensor_value_info("painted", TensorProto.FLOAT, ["n", 3, "H", "W"]),
    ]
    graph = helper.make_graph(nodes, "doubling", ends[:1], ends[1:], [numpy_helper.from_array(weight, "grow.weight")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


@pytest.fixture
def doubling(tmp_path: Path, tiny_style: Path) -> str:
    """A style file that doubles the size."""
    from impasto.styles.package import StyleFile

    card = Card.model_validate(
        {
            "name": "doubling", "title": "Twice", "licence": "Apache-2.0",
            "tiers": {"live": Tier(generator="doubling", stride=1, receptive_field=1, parameters=36, scale=2)},
            "training": TrainingRecord(command="made by hand", recipe="none", seed=0, date="2026-01-01", impasto="0"),
        }
    )  # fmt: skip
    return str(write_style(tmp_path / "doubling.style", card, {"live": doubling_graph()}, StyleFile.open(tiny_style).preview))


def render(source: Path, out: Path, look: str, **options: object) -> None:
    RenderJob.build(inputs=[source], out=out, style=look, engine="onnx", tier="live", **options).finish()


def read(path: Path) -> Frame:
    with open_reader(path) as reader:
        return next(iter(reader))


@pytest.mark.parametrize("tile", ["auto", "16"])
def test_a_picture_comes_out_larger(tmp_path: Path, look: str, doubling: str, tile: str) -> None:
    Image.fromarray(noise(37, 50)).save(tmp_path / "a.png")
    render(tmp_path / "a.png", tmp_path / "small.png", look)
    render(tmp_path / "a.png", tmp_path / "large.png", look, super_resolve=doubling, tile=tile)
    small, large = read(tmp_path / "small.png").pixels, read(tmp_path / "large.png").pixels
    np.testing.assert_array_equal(large, small.repeat(2, 0).repeat(2, 1))


def test_where_nothing_is_painted_it_is_enlarged_all_the_same(tmp_path: Path, look: str, doubling: str) -> None:
    Image.fromarray(noise(20, 30)).save(tmp_path / "a.png")
    render(tmp_path / "a.png", tmp_path / "b.png", look, super_resolve=doubling, strength="0")
    np.testing.assert_array_equal(read(tmp_path / "b.png").pixels, noise(20, 30).repeat(2, 0).repeat(2, 1))


def test_alpha_and_grey_come_along(tmp_path: Path, look: str, doubling: str) -> None:
    alpha = np.zeros((16, 24), np.uint8)
    alpha[:, 12:] = 200
    Image.fromarray(np.dstack([noise(16, 24), alpha])).save(tmp_path / "a.png")
    render(tmp_path / "a.png", tmp_path / "b.png", look, super_resolve=doubling)
    larger = read(tmp_path / "b.png").pixels
    assert larger.shape == (32, 48, 4)
    np.testing.assert_array_equal(larger[:, :22, 3], 0)
    np.testing.assert_array_equal(larger[:, 26:, 3], 200)
    Image.fromarray(noise(16, 24)[..., 0]).save(tmp_path / "grey.png")
    render(tmp_path / "grey.png", tmp_path / "c.png", look, super_resolve=doubling, strength="0")
    assert read(tmp_path / "c.png").pixels.shape == (32, 48, 3)


def test_an_exr_keeps_its_header_its_light_and_what_is_no_number(tmp_path: Path, look: str, doubling: str) -> None:
    pixels = (noise(12, 20) / 425).astype(np.float16)  # below the knee of what a screen shows
    pixels[4:6, 6:8] = 20.0
    pixels[9, 15] = np.nan
    window = {"data_window": (3, 5, 22, 16), "display_window": (0, 0, 31, 23)}
    with open_writer(tmp_path / "a.exr", ClipInfo(20, 12, 1, Fraction(24), "float16", 3)) as writer:
        writer.write(Frame(pixels, 1, {}))
    import OpenImageIO as oiio

    image = oiio.ImageBuf(str(tmp_path / "a.exr"))
    spec = image.specmod()
    spec.x, spec.y, spec.full_width, spec.full_height = *window["data_window"][:2], 32, 24
    spec.attribute("shot", "sc010")
    image.write(str(tmp_path / "b.exr"))
    render(tmp_path / "b.exr", tmp_path / "c.exr", look, super_resolve=doubling, strength="0")
    frame, header = read(tmp_path / "c.exr"), oiio.ImageInput.open(str(tmp_path / "c.exr")).spec()
    assert frame.pixels.shape == (24, 40, 3)
    assert frame.tags["data_window"] == (6, 10, 45, 33)
    assert frame.tags["display_window"] == (0, 0, 63, 47)
    assert header.getattribute("shot") == "sc010"
    assert np.isnan(frame.pixels[18:20, 30:32]).all()
    assert np.isfinite(np.delete(frame.pixels, [30, 31], axis=1)).all()
    assert 15 < float(frame.pixels[9:11, 13:15].max()) < 22, "a light stays as bright"
    plain = np.abs(frame.pixels[:6].astype(float) - pixels[:3].repeat(2, 0).repeat(2, 1).astype(float))
    assert plain.max() < 0.003


def exr_with_nothing_around(path: Path, extra: bool = False) -> np.ndarray:
    """A premultiplied square of light on nothing; `extra` adds a layer beside it. Returns R, G, B, A."""
    import OpenImageIO as oiio

    pixels = np.zeros((24, 32, 4), np.float16)
    pixels[8:16, 10:22] = (0.3, 0.2, 0.1, 0.5)
    names = ["R", "G", "B", "A", *(["depth.Z"] if extra else [])]
    spec = oiio.ImageSpec(32, 24, len(names), oiio.HALF)
    spec.channelnames = names
    image = oiio.ImageBuf(spec)
    image.set_pixels(oiio.ROI(), np.ascontiguousarray(np.dstack([pixels, pixels[..., :1]])[..., : len(names)].astype(np.float32)))
    image.write(str(path))
    return pixels


@pytest.mark.parametrize("strength", ["0", "1"])
def test_where_there_is_nothing_an_enlarged_exr_has_no_light(tmp_path: Path, look: str, doubling: str, strength: str) -> None:
    exr_with_nothing_around(tmp_path / "a.exr")
    render(tmp_path / "a.exr", tmp_path / "b.exr", look, super_resolve=doubling, strength=strength)
    larger = read(tmp_path / "b.exr").pixels.astype(np.float32)
    assert larger[..., 3].max() > 0.4
    assert not larger[larger[..., 3] == 0].any()
    assert larger[20:28, 24:40, :3].min() > 0, "the square is there"
    edge = (larger[..., 3] > 0) & (larger[..., 3] < 0.45)
    assert edge.any()
    if strength == "0":
        np.testing.assert_allclose(larger[edge][:, :3] / larger[edge][:, 3:], [[0.6, 0.4, 0.2]] * edge.sum(), atol=0.02)


def test_what_stays_behind_is_said_and_a_layer_beside_it_refused(tmp_path: Path, look: str, doubling: str) -> None:
    exr_with_nothing_around(tmp_path / "a.exr", extra=True)
    common = {"inputs": [tmp_path / "a.exr"], "out": tmp_path / "b.exr", "style": look, "engine": "onnx", "tier": "live"}
    for size in ({"super_resolve": doubling}, {"proxy": 2}):
        notes = [event.note for event in RenderJob.build(**common, **size, overwrite=True).run() if isinstance(event, Progress)]
        assert any(note.endswith("so these channels stay behind: depth.Z") for note in notes)
        with pytest.raises(InputError, match=f"leave out --{next(iter(size)).replace('_', '-')}, or --to-layer"):
            RenderJob.build(**common, **size, to_layer="paint").finish()
    notes = [event.note for event in RenderJob.build(**common, overwrite=True).run() if isinstance(event, Progress)]
    assert not any("behind" in note for note in notes)


def test_a_movie_comes_out_larger(tmp_path: Path, look: str, doubling: str) -> None:
    with open_writer(tmp_path / "a.mp4", ClipInfo(64, 48, 3, Fraction(24), "uint8", 3)) as writer:
        for number in range(1, 4):
            writer.write(Frame(noise(48, 64, seed=number), number, {}))
    render(tmp_path / "a.mp4", tmp_path / "b.mp4", look, super_resolve=doubling)
    with open_reader(tmp_path / "b.mp4") as reader:
        assert (reader.info.width, reader.info.height, len(reader.numbers())) == (128, 96, 3)


def test_what_cannot_be_is_said(tmp_path: Path, look: str, doubling: str) -> None:
    Image.fromarray(noise(16, 16)).save(tmp_path / "a.png")
    for fault, style, options in (
        (f"use --super-resolve {doubling}", doubling, {}),
        ("leaves a picture's size as it is", look, {"super_resolve": look}),
        ("leave one of them out", look, {"super_resolve": doubling, "proxy": 2}),
    ):
        with pytest.raises(InputError, match=fault):
            render(tmp_path / "a.png", tmp_path / "b.png", style, **options)
    assert not (tmp_path / "b.png").exists()


def test_plain_enlarging_keeps_kinds_and_what_is_infinite() -> None:
    for dtype in (np.uint8, np.uint16, np.float16, np.float32):
        assert plainly(np.full((3, 4, 2), 7, dtype), 4).dtype == dtype
    bright = np.array([[[1.0], [np.inf]]], np.float32)
    np.testing.assert_array_equal(plainly(bright, 2)[0, :, 0], [1.0, 0.75, np.inf, np.inf])
