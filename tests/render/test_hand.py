"""Everything that happens to a frame between its file and the next, through whole renders: EXR, mattes, knobs, colours."""
from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image

from impasto.errors import InputError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.job import Done
from impasto.media import open_reader, open_writer
from impasto.media.encoding import Decoding
from impasto.render.job import RenderJob
from tests.fakes import Inverter, noise
from tests.media.exr_made import FLOAT, HALF, UINT, Made, exr, light
from tests.media.exr_made import noise as plane
from tests.render.clips import SIZE, frames_of, picture, write_movie, write_sequence


def render(*inputs: Path, out: Path, look: str, **options: Any) -> Done:
    given = {"style": look, "tier": "live", "engine": "onnx", "overwrite": True, **options}
    return RenderJob.build(inputs=list(inputs), out=out, **given).finish()


def write(path: Path, pixels: Pixels) -> Path:
    height, width, channels = pixels.shape
    with open_writer(path, ClipInfo(width, height, depth=str(pixels.dtype), channels=channels)) as writer:
        writer.write(Frame(pixels))
    return path


def pixels_of(path: Path, layer: str = "") -> Pixels:
    with open_reader(path, Decoding(layer=layer)) as reader:
        return next(iter(reader)).pixels


def channels_of(path: Path) -> dict[str, bytes]:
    """Every channel of every part of an EXR, as its bytes."""
    found, source = {}, oiio.ImageInput.open(str(path))
    number = 0
    while source.seek_subimage(number, 0):
        spec = source.spec()
        for index, name in enumerate(spec.channelnames):
            kind = spec.channelformats[index] if spec.channelformats else spec.format
            found[f"{number}:{name}"] = source.read_image(number, 0, index, index + 1, kind).tobytes()
        number += 1
    return found


# ---- EXR


@pytest.mark.parametrize("name", ["R", "depth", "depth.Z"])
def test_a_single_channel_is_painted_beside_itself_only(tmp_path: Path, look: str, name: str) -> None:
    size = (24, 32)
    there = light("RGB", HALF, size) | {"depth.Z": plane(FLOAT, size)}
    (source := tmp_path / "a.exr").write_bytes(exr(Made(there)))
    with pytest.raises(InputError, match=r"a\.exr: .* is a single channel, .* give --to-layer NAME"):
        render(source, out=tmp_path / "b.exr", look=look, layer=name)
    assert not (tmp_path / "b.exr").exists()
    render(source, out=tmp_path / "b.exr", look=look, layer=name, to_layer="paint")
    before, after = channels_of(source), channels_of(tmp_path / "b.exr")
    assert {each: after[each] for each in before} == before
    assert set(after) - set(before) == {"0:paint.R", "0:paint.G", "0:paint.B"}
    render(source, out=tmp_path / "b.png", look=look, layer=name)  # elsewhere it takes nobody's place
    render(source, out=tmp_path / "same.exr", look=look, layer=name, strength=0)
    assert channels_of(tmp_path / "same.exr") == before


def test_only_the_picture_of_an_exr_changes(tmp_path: Path, look: str) -> None:
    size = (40, 56)
    planes = light("RGBA", HALF, size) | {f"diffuse.{c}": plane(HALF, size, 5) for c in "RGB"}
    planes |= {"depth.Z": plane(FLOAT, size, 6), "id": plane(UINT, size, 7)}
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes)))
    render(source, out=tmp_path / "out.exr", look=look)
    before, after = channels_of(source), channels_of(tmp_path / "out.exr")
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"0:R", "0:G", "0:B"}


def test_a_named_layer_or_a_new_one(tmp_path: Path, look: str) -> None:
    planes = light("RGB", HALF, (24, 32)) | {f"diffuse.{c}": plane(HALF, (24, 32), 5) for c in "RGB"}
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes)))
    render(source, out=tmp_path / "layer.exr", look=look, layer="diffuse")
    before, after = channels_of(source), channels_of(tmp_path / "layer.exr")
    assert {name for name in before if before[name] != after[name]} == {f"0:diffuse.{c}" for c in "RGB"}
    render(source, out=tmp_path / "new.exr", look=look, to_layer="paint")
    after = channels_of(tmp_path / "new.exr")
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {f"0:paint.{c}" for c in "RGB"}
    with pytest.raises(InputError, match="diffuse"):
        render(source, out=tmp_path / "x.exr", look=look, layer="specular")
    with pytest.raises(InputError, match="only an EXR has"):
        render(write(tmp_path / "a.png", noise(16, 16)), out=tmp_path / "b.png", look=look, layer="diffuse")


def test_strength_0_gives_an_exr_back_bit_by_bit(tmp_path: Path, look: str) -> None:
    planes = light("RGBA", HALF) | {"Z": plane(FLOAT)}
    planes["R"] = planes["R"].copy()
    planes["R"][0, :4] = [np.nan, np.inf, -np.inf, -3]
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes)))
    render(source, out=tmp_path / "out.exr", look=look, strength=0)
    assert channels_of(tmp_path / "out.exr") == channels_of(source)


def test_what_is_no_number_stays_what_it_was(tmp_path: Path, look: str) -> None:
    planes = {name: np.full((32, 32), 0.25, np.float16) for name in "RGB"}
    planes["G"][3, 4], planes["B"][9, 9] = np.nan, np.inf
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes)))
    render(source, out=tmp_path / "out.exr", look=look)
    found = pixels_of(tmp_path / "out.exr")
    assert np.isnan(found[3, 4, 1])
    assert np.isposinf(found[9, 9, 2])
    found[3, 4, 1] = found[9, 9, 2] = 0
    assert np.isfinite(found).all()
    assert np.abs(found[20:, 20:].astype(np.float32) - 0.25).max() > 0.01, "and the rest is painted"


def test_an_exr_and_a_png_of_one_frame_agree_below_the_knee(tmp_path: Path, look: str) -> None:
    seen = picture(3).clip(5, 200)
    linear = np.where(seen / 255 <= 0.04045, seen / 255 / 12.92, ((seen / 255 + 0.055) / 1.055) ** 2.4).astype(np.float32)
    write(tmp_path / "in.exr", linear)
    write(tmp_path / "in.png", seen)
    render(tmp_path / "in.exr", out=tmp_path / "from_exr.png", look=look, bits="8")
    render(tmp_path / "in.png", out=tmp_path / "from_png.png", look=look, precision="fp32")
    one, other = (pixels_of(tmp_path / name).astype(int) for name in ("from_exr.png", "from_png.png"))
    assert np.abs(one - other).max() <= 3


def test_a_bright_light_comes_back_as_one(tmp_path: Path, look: str) -> None:
    pixels = np.full((48, 48, 3), 0.2, np.float32)
    pixels[16:32, 16:32] = 20.0
    write(tmp_path / "in.exr", pixels)
    render(tmp_path / "in.exr", out=tmp_path / "out.exr", look=look)
    lamp = pixels_of(tmp_path / "out.exr")[18:30, 18:30]
    rest = pixels_of(tmp_path / "out.exr")[:12]
    assert lamp.mean(axis=2).min() > rest.max(), "every pixel of it is brighter than all that is no lamp"
    assert 4 < lamp.mean() < 50


def test_premultiplied_edges_are_painted_as_what_they_are_of(tmp_path: Path, negative: Inverter, look: str) -> None:
    """A white card over nothing: its soft edge is as white as its middle, so the negative has no light rim."""
    alpha = np.clip((np.arange(64) - 20) / 24, 0, 1).astype(np.float16)
    planes = {name: np.tile(alpha, (16, 1)) for name in "RGBA"}
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes)))
    render(source, out=tmp_path / "out.exr", look=look)
    found = pixels_of(tmp_path / "out.exr")
    np.testing.assert_array_equal(found[..., 3], planes["A"])
    assert np.abs(found[:, :, :3].astype(np.float32)[:, alpha > 0]).max() < 0.05


@pytest.mark.parametrize("strength", [0, 1])
def test_an_exrs_alpha_goes_into_a_movie(tmp_path: Path, look: str, strength: int) -> None:
    alpha = np.tile(np.repeat(np.float16([0, 0.5, 1]), 32), (64, 1))
    planes = {name: alpha * np.float16(0.25 if name != "A" else 1) for name in "RGBA"}
    (tmp_path / "in.exr").write_bytes(exr(Made(planes)))
    render(tmp_path / "in.exr", out=tmp_path / "out.mov", look=look, strength=strength)
    found = pixels_of(tmp_path / "out.mov").astype(np.float32)
    found /= np.iinfo(pixels_of(tmp_path / "out.mov").dtype).max
    assert found.shape == (64, 96, 4)
    np.testing.assert_allclose(found[32, [8, 48, 88], 3], [0, 0.5, 1], atol=0.01)
    if strength == 0:
        np.testing.assert_allclose(found[32, [48, 88], :3], 0.537, atol=0.01, err_msg="0.25 as a screen shows it")


def test_only_what_a_screen_shows_goes_into_a_png(tmp_path: Path, look: str) -> None:
    planes = light("RGB", HALF, (20, 30))
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes, origin=(-3, -2), display=(0, 0, 23, 15))))
    render(source, out=tmp_path / "out.png", look=look, strength=0)
    render(source, out=tmp_path / "out.exr", look=look)
    assert pixels_of(tmp_path / "out.png").shape == (16, 24, 3)
    assert pixels_of(tmp_path / "out.exr").shape == (20, 30, 3)


def test_a_sequence_of_exrs_and_a_movie_of_it(tmp_path: Path, look: str) -> None:
    for number in (1001, 1002, 1003):
        planes = light("RGB", HALF, (32, 48)) | {"Z": plane(FLOAT, (32, 48), number)}
        (tmp_path / f"s.{number}.exr").write_bytes(exr(Made(planes)))
    render(tmp_path / "s.####.exr", out=tmp_path / "o" / "s.####.exr", look=look)
    for number in (1001, 1002, 1003):
        before, after = (channels_of(folder / f"s.{number}.exr") for folder in (tmp_path, tmp_path / "o"))
        assert {name for name in before if before[name] != after[name]} == {"0:R", "0:G", "0:B"}
    render(tmp_path / "s.####.exr", out=tmp_path / "o.mov", look=look)
    with open_reader(tmp_path / "o.mov") as reader:
        assert (reader.info.frames, reader.info.depth) == (3, "uint16")


# ---- mattes


def test_a_matte_leaves_the_rest_untouched(tmp_path: Path, negative: Inverter, look: str) -> None:
    source = noise(40, 60)
    matte = np.zeros((40, 60, 1), np.uint8)
    matte[10:20, 20:40] = 255
    write(tmp_path / "in.png", source)
    write(tmp_path / "matte.png", matte)
    render(tmp_path / "in.png", out=tmp_path / "out.png", look=f"{look}@{tmp_path / 'matte.png'}")
    expected = source.copy()
    expected[10:20, 20:40] = 255 - source[10:20, 20:40]
    np.testing.assert_array_equal(pixels_of(tmp_path / "out.png"), expected)
    render(tmp_path / "in.png", out=tmp_path / "out.png", look=f"{look}@{tmp_path / 'matte.png'},invert")
    expected = 255 - source
    expected[10:20, 20:40] = source[10:20, 20:40]
    np.testing.assert_array_equal(pixels_of(tmp_path / "out.png"), expected)


def test_a_matte_in_an_exr_keeps_bits_outside(tmp_path: Path, look: str) -> None:
    size = (40, 60)
    planes = light("RGBA", HALF, size)
    planes["mask.R"] = np.zeros(size, np.float16)
    planes["mask.R"][8:16, 8:24] = 1
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes)))
    render(source, out=tmp_path / "out.exr", look=f"{look}@layer:mask.R")
    before, after = pixels_of(source), pixels_of(tmp_path / "out.exr")
    same = before.view(np.uint16) == after.view(np.uint16)
    outside = np.ones(size, bool)
    outside[8:16, 8:24] = False
    assert same[outside].all()
    assert not same[8:16, 8:24, :3].all()


def test_two_looks_through_two_mattes(tmp_path: Path, negative: Inverter, look: str) -> None:
    source = noise(32, 48)
    write(tmp_path / "in.png", source)
    left = np.zeros((32, 48, 1), np.uint8)
    left[:, :24] = 255
    write(tmp_path / "left.png", left)
    both = [f"{look}@{tmp_path / 'left.png'}", f"{look}@{tmp_path / 'left.png'},invert"]
    RenderJob.build(inputs=[tmp_path / "in.png"], out=tmp_path / "out.png", style=both, tier="live").finish()
    np.testing.assert_array_equal(pixels_of(tmp_path / "out.png"), 255 - source)
    with pytest.raises(InputError, match=r"covers everything below it: give it a matte \(STYLE@MATTE\)"):
        RenderJob.build(inputs=[tmp_path / "in.png"], out=tmp_path / "x.png", style=[look, look], tier="live").finish()


@pytest.mark.parametrize(
    ("matte", "message"),
    [("other.png", "8x8"), ("gone.png", "no such file"), ("alpha", "has no alpha"), ("layer:x", "only an EXR has them")],
)
def test_a_matte_that_does_not_fit_is_said_before_work(tmp_path: Path, look: str, matte: str, message: str) -> None:
    write(tmp_path / "in.png", noise(32, 48))
    write(tmp_path / "other.png", noise(8, 8))
    name = matte if ":" in matte or matte == "alpha" else str(tmp_path / matte)
    with pytest.raises(InputError, match=message):
        render(tmp_path / "in.png", out=tmp_path / "out.png", look=f"{look}@{name}")
    assert not (tmp_path / "out.png").exists()


# ---- knobs


def test_strength_over_time(tmp_path: Path, negative: Inverter, look: str) -> None:
    shot = write_sequence(tmp_path / "in", [1001, 1002, 1003])
    render(shot, out=tmp_path / "out" / "p.####.png", look=look, strength="1001:0, 1003:1")
    found = frames_of(tmp_path / "out")
    np.testing.assert_array_equal(found[1001], picture(1001))
    np.testing.assert_array_equal(found[1003], 255 - picture(1003))
    assert np.abs(found[1002].astype(int) - 127.5).max() <= 1


KNOBS = {"keep_colour": 0.8, "scale": 2, "denoise": 0.5, "enhance": 0.5, "grain": 1.0, "letterbox": True, "palette": "p"}


@pytest.mark.parametrize("knobs", [{name: value} for name, value in KNOBS.items()])
def test_a_frame_alone_is_that_frame_of_the_shot(tmp_path: Path, look: str, knobs: dict[str, Any]) -> None:
    """What is measured is measured for the whole shot, whichever of its frames are rendered."""
    shot = write_movie(tmp_path / "in.mkv", 12, sound=False)
    if "palette" in knobs:
        knobs = {"palette": write(tmp_path / "palette.png", noise(20, 20))}
    render(shot, out=tmp_path / "all" / "p.####.png", look=look, **knobs)
    render(shot, out=tmp_path / "one" / "p.####.png", look=look, frames="7", **knobs)
    plain = render(shot, out=tmp_path / "plain" / "p.####.png", look=look, frames="7")
    assert plain.figures["frames"] == 1
    np.testing.assert_array_equal(frames_of(tmp_path / "one")[7], frames_of(tmp_path / "all")[7])
    if not ({"grain", "letterbox"} & set(knobs)):  # a clip without grain and bars is not changed by them
        assert (frames_of(tmp_path / "one")[7] != frames_of(tmp_path / "plain")[7]).any()


def test_bars_stay_exactly_as_they_were(tmp_path: Path, negative: Inverter, look: str) -> None:
    (tmp_path / "in").mkdir()
    for number in range(1, 6):
        frame = np.zeros((72, 96, 3), np.uint8)
        frame[12:60] = 60 + noise(48, 96, number) // 2
        write(tmp_path / "in" / f"b.{number}.png", frame)
    palette = write(tmp_path / "palette.png", noise(20, 20))
    for extra in ({}, {"enhance": 1.0}, {"palette": palette}, {"keep_colour": 0.5}):
        render(tmp_path / "in", out=tmp_path / "out", look=look, letterbox=True, fresh=True, **extra)
        for pixels in frames_of(tmp_path / "out").values():
            assert not pixels[:12].any()
            assert not pixels[60:].any()
            assert pixels[12:60].any()


def test_a_proxy_is_small(tmp_path: Path, look: str) -> None:
    shot = write_movie(tmp_path / "in.mkv", 4)
    render(shot, out=tmp_path / "out.mp4", look=look, proxy=2, sound="none")
    with open_reader(tmp_path / "out.mp4") as reader:
        assert (reader.info.width, reader.info.height, reader.info.frames) == (SIZE[1] // 2, SIZE[0] // 2, 4)


def test_a_wedge_is_one_labelled_sheet(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", range(1, 6))
    done = render(shot, out=tmp_path / "wedge.png", look=look, wedge="strength=.4,1 scale=.5,1")
    assert len(done.figures["settings"]) == 4
    assert done.figures["frame"] == 3
    with Image.open(tmp_path / "wedge.png") as sheet:
        assert sheet.width > 2 * SIZE[1]
    with pytest.raises(InputError, match="there is no knob 'speed'"):
        render(shot, out=tmp_path / "w.png", look=look, wedge="speed=1,2")
    with pytest.raises(InputError, match="scale"):
        render(shot, out=tmp_path / "w.png", look=look, wedge="scale=1,99")
    with pytest.raises(InputError, match="is one of the inputs"):
        render(shot, out=tmp_path / "in" / "shot.0003.png", look=look, wedge="strength=.4,1")


def test_around_the_world_without_a_seam(tmp_path: Path, look: str) -> None:
    source = noise(64, 128)
    write(tmp_path / "a.png", source)
    write(tmp_path / "b.png", np.roll(source, 40, axis=1))
    for name in "ab":
        render(tmp_path / f"{name}.png", out=tmp_path / f"{name}-painted.png", look=look, projection="equirect", precision="fp32")
    one, other = (pixels_of(tmp_path / f"{name}-painted.png") for name in "ab")
    np.testing.assert_array_equal(np.roll(one, 40, axis=1), other)


def test_two_eyes_do_not_bleed(tmp_path: Path, look: str) -> None:
    one, two = noise(32, 40), noise(32, 40, 1)
    write(tmp_path / "both.png", np.hstack([one, two]))
    write(tmp_path / "one.png", one)
    render(tmp_path / "both.png", out=tmp_path / "o.png", look=look, stereo="side-by-side", precision="fp32")
    render(tmp_path / "one.png", out=tmp_path / "alone.png", look=look, precision="fp32")
    np.testing.assert_array_equal(pixels_of(tmp_path / "o.png")[:, :40], pixels_of(tmp_path / "alone.png"))


# ---- colour


def test_a_colour_space_by_name_there_and_back(tmp_path: Path, negative: Inverter, look: str) -> None:
    pixels = (noise(24, 24) / 255).astype(np.float16)
    write(tmp_path / "in.exr", pixels)
    space = {"colour_in": "ACEScg", "colour_out": "ACEScg"}
    render(tmp_path / "in.exr", out=tmp_path / "out.exr", look=look, strength=0, **space)
    np.testing.assert_array_equal(pixels_of(tmp_path / "out.exr"), pixels)
    other = {"colour_in": "ACEScg", "colour_out": "Linear Rec.709 (sRGB)"}
    render(tmp_path / "in.exr", out=tmp_path / "out.exr", look=look, strength=0, **other)
    assert np.abs(pixels_of(tmp_path / "out.exr").astype(np.float32) - pixels).max() > 0.01
    with pytest.raises(InputError, match="ACEScgg"):
        render(tmp_path / "in.exr", out=tmp_path / "x.exr", look=look, colour_in="ACEScgg")


# ---- what a first review found


def test_where_nothing_is_nothing_is_painted(tmp_path: Path, look: str) -> None:
    planes = {name: np.zeros((32, 48), np.float16) for name in "RGBA"}
    for name in "RGBA":
        planes[name][8:24, 8:32] = 0.5 if name != "A" else 1
    planes["G"][2, 2] = 0.25  # light that covers nothing
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes)))
    render(source, out=tmp_path / "out.exr", look=look)
    found = pixels_of(tmp_path / "out.exr")
    empty = (planes["A"] == 0) & (planes["G"] == 0)
    assert not found[empty].any()
    assert found[8:24, 8:32, :3].any()


def test_windows_that_move_are_followed(tmp_path: Path, look: str) -> None:
    for number, left in ((1, 0), (2, 10), (3, -5)):
        planes = {name: np.full((16, 20), 0.5, np.float16) for name in "RGB"}
        made = Made(planes, origin=(left, 2), display=(0, 0, 39, 23))
        (tmp_path / f"m.{number}.exr").write_bytes(exr(made))
    render(tmp_path / "m.#.exr", out=tmp_path / "o" / "m.#.png", look=look, strength=0)
    for number, left in ((1, 0), (2, 10), (3, -5)):
        shown = pixels_of(tmp_path / "o" / f"m.{number}.png")
        assert shown.shape == (24, 40, 3)
        lit = np.flatnonzero(shown[10, :, 0])
        assert (lit[0], lit[-1]) == (max(left, 0), left + 19)
    for knobs in ({"grain": 1.0}, {"letterbox": True}):
        render(tmp_path / "m.#.exr", out=tmp_path / "k" / "m.#.exr", look=look, fresh=True, **knobs)


def test_a_soft_matte_is_as_soft_in_an_exr_as_in_a_png(tmp_path: Path, look: str) -> None:
    seen = picture(3).clip(5, 200)
    linear = np.where(seen / 255 <= 0.04045, seen / 255 / 12.92, ((seen / 255 + 0.055) / 1.055) ** 2.4).astype(np.float32)
    write(tmp_path / "in.exr", linear)
    write(tmp_path / "in.png", seen)
    write(tmp_path / "half.png", np.full((*SIZE, 1), 128, np.uint8))
    for name, extra in (("exr", {"bits": "8"}), ("png", {"precision": "fp32"})):
        render(tmp_path / f"in.{name}", out=tmp_path / f"{name}.png", look=f"{look}@{tmp_path / 'half.png'}", **extra)
    one, other = (pixels_of(tmp_path / f"{name}.png").astype(int) for name in ("exr", "png"))
    assert np.abs(one - other).max() <= 3


def test_what_a_half_cannot_hold_is_its_largest(tmp_path: Path, look: str) -> None:
    planes = {name: np.full((8, 8), 60000, np.float16) for name in "RGB"}
    planes["B"][:] = 1
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes)))
    spaces = {"colour_in": "ACEScg", "colour_out": "Linear Rec.709 (sRGB)"}
    render(source, out=tmp_path / "out.exr", look=look, strength=0, **spaces)
    assert np.isfinite(pixels_of(tmp_path / "out.exr")).all()


@pytest.mark.parametrize(("name", "extra"), [("out.exr", {}), ("out.png", {"bits": "16"}), ("out.mov", {"codec": "prores"})])
def test_a_deep_result_of_a_shallow_source_is_painted_deep(tmp_path: Path, look: str, name: str, extra: dict[str, Any]) -> None:
    source = write(tmp_path / "in.png", picture(1))
    done = render(source, out=tmp_path / name, look=look, engine="auto", **extra)
    assert "fp32" in done.figures["engine"]
    if name != "out.mov":
        assert len(np.unique(pixels_of(tmp_path / name)[..., 0])) > 256


def test_a_proxy_of_multiplied_colour_stays_multiplied(tmp_path: Path, look: str) -> None:
    planes = {name: np.zeros((16, 16), np.float16) for name in "RGBA"}
    for name in "RGBA":
        planes[name][:, 9:] = 1
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes)))
    render(source, out=tmp_path / "out.exr", look=look, strength=0, proxy=2)
    found = pixels_of(tmp_path / "out.exr")
    np.testing.assert_allclose(found[..., 0], found[..., 3], atol=1e-3)


def test_a_grey_clip_is_colour_in_all_of_its_frames_or_in_none(tmp_path: Path, look: str) -> None:
    (tmp_path / "in").mkdir()
    for number in (1, 2, 3):
        write(tmp_path / "in" / f"g.{number}.png", picture(number)[..., :1])
    render(tmp_path / "in", out=tmp_path / "out", look=look, strength="1:0, 3:1")
    assert [pixels.shape[2] for pixels in frames_of(tmp_path / "out").values()] == [3, 3, 3]
    render(tmp_path / "in", out=tmp_path / "none", look=look, strength=0)
    assert [pixels.shape[2] for pixels in frames_of(tmp_path / "none").values()] == [1, 1, 1]


def test_bars_of_an_exr_keep_their_bits(tmp_path: Path, look: str) -> None:
    (tmp_path / "in").mkdir()
    for number in range(1, 6):
        pixels = np.full((72, 96, 3), 0.001, np.float32)
        pixels[12:60] = 0.1 + noise(48, 96, number) / 400
        write(tmp_path / "in" / f"b.{number}.exr", pixels)
    render(tmp_path / "in", out=tmp_path / "out", look=look, letterbox=True)
    for number in range(1, 6):
        before, after = (pixels_of(tmp_path / folder / f"b.{number}.exr") for folder in ("in", "out"))
        assert before[:12].tobytes() == after[:12].tobytes()
        assert (before[20:50] != after[20:50]).any()


def test_a_layer_to_lay_into_needs_an_exr(tmp_path: Path, look: str) -> None:
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(light("RGB"))))
    with pytest.raises(InputError, match="so --to-layer has no place to go"):
        render(source, out=tmp_path / "out.png", look=look, to_layer="paint")
    source.write_bytes(exr(Made(light("RGB") | {f"diffuse.{c}": plane(HALF) for c in "RGB"})))
    with pytest.raises(InputError, match="has a layer 'diffuse' already: give --to-layer a name of its own"):
        render(source, out=tmp_path / "out.exr", look=look, to_layer="diffuse")


def test_a_matte_that_changed_is_noticed(tmp_path: Path, look: str) -> None:
    shot = write_sequence(tmp_path / "in", range(1, 31))
    matte = write(tmp_path / "m.png", np.full((*SIZE, 1), 255, np.uint8))
    job = RenderJob.build(inputs=[shot], out=tmp_path / "o" / "p.####.png", style=f"{look}@{matte}", tier="live", engine="onnx")
    steps = job.run()
    next(step for step in steps if getattr(step, "done", 0) >= 5)
    steps.close()  # type: ignore[attr-defined]
    matte.unlink()
    write(matte, np.zeros((*SIZE, 1), np.uint8))
    with pytest.raises(InputError, match="unfinished render of it differs"):
        job.finish()


def test_a_brush_sees_no_edge_where_the_picture_ends_in_nothing(tmp_path: Path, look: str) -> None:
    """A card of one colour over nothing is painted as one colour up to its edge: there is no outline against black."""
    planes = {name: np.zeros((96, 96), np.float16) for name in "RGBA"}
    for name, value in zip("RGBA", (0.4, 0.3, 0.2, 1), strict=True):
        planes[name][24:72, 24:72] = value
    source = tmp_path / "in.exr"
    source.write_bytes(exr(Made(planes)))
    render(source, out=tmp_path / "out.exr", look=look)
    card = pixels_of(tmp_path / "out.exr")[24:72, 24:72, :3].astype(np.float32)
    inner = card[20:28, 20:28]
    repeats = np.tile(inner, (6, 6, 1))  # the tiny look has a texture of its own, that repeats with its stride
    assert np.abs(card - repeats).max() < 0.02


def test_the_shape_of_pixels_goes_to_a_movie(tmp_path: Path, look: str) -> None:
    frame = Frame(np.full((16, 64, 3), 0.25, np.float16), 1, {})
    like = ClipInfo(64, 16, 1, Fraction(24), "float16", 3, {"pixel_aspect": Fraction(2)})
    with open_writer(tmp_path / "a.exr", like) as writer:
        writer.write(frame)
    with open_reader(tmp_path / "a.exr") as reader:
        assert reader.info.tags["pixel_aspect"] == 2
    render(tmp_path / "a.exr", out=tmp_path / "b.mov", look=look, strength=0)
    with open_reader(tmp_path / "b.mov") as reader:
        assert reader.info.tags["pixel_aspect"] == 2
