"""Mattes: what is said is what is meant, what they leave out keeps its bits, and their window is enough."""
from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.engine import load_engine
from impasto.errors import InputError, MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media import open_reader, open_writer
from impasto.render import alongside
from impasto.render.compose import bounds, compose, finish, paint_within
from impasto.render.mattes import Matte, MatteSpec, StyleUse, open_matte
from impasto.render.post import proxy
from impasto.render.tiles import halo_px
from tests.fakes import TINY_FIELD, TINY_STRIDE, noise, tiny_graph, tiny_tier
from tests.media.test_cryptomatte import HEIGHT, WIDTH, facts, framed, layer, parted, write

SOURCE = Path("shot.png")


def picture(path: Path, pixels: Pixels) -> Path:
    height, width, channels = pixels.shape
    with open_writer(path, ClipInfo(width, height, depth=str(pixels.dtype), channels=channels), overwrite=True) as writer:
        writer.write(Frame(pixels))
    return path


def opened(text: str, info: ClipInfo, source: Path = SOURCE, numbers: Sequence[int] = (0,)) -> Matte:
    return open_matte(MatteSpec.parse(text), info, source, numbers)


def ramp(height: int = 4, width: int = 256) -> Pixels:
    return np.tile(np.arange(width, dtype=np.uint8)[:, np.newaxis], (height, 1, 1))


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("skin", MatteSpec("skin")),
        ("alpha,invert", MatteSpec("alpha", invert=True)),
        ("skin,invert,feather=8", MatteSpec("skin", invert=True, feather_px=8)),
        ("skin,feather=0.5, invert", MatteSpec("skin", invert=True, feather_px=0.5)),
        ("layer:mask.R", MatteSpec("layer", "mask.R")),
        ("crypto:hero+ground", MatteSpec("crypto", "hero+ground")),
        ("crypto:CryptoMaterial/a, b,feather=2", MatteSpec("crypto", "CryptoMaterial/a, b", feather_px=2)),
        ("matte.png", MatteSpec("file", "matte.png")),
        ("m/shot.####.exr:mask.R,invert", MatteSpec("file", "m/shot.####.exr", "mask.R", invert=True)),
        ("m/shot.@@@@.png", MatteSpec("file", "m/shot.@@@@.png")),
        ("clip.mov", MatteSpec("file", "clip.mov")),
        ("C:\\m.png", MatteSpec("file", "C:\\m.png")),
    ],
)
def test_mattes_in_words(text: str, spec: MatteSpec) -> None:
    assert MatteSpec.parse(text) == spec
    assert StyleUse.parse(f"great-wave@{text}") == StyleUse("great-wave", spec)


def test_a_style_without_a_matte_is_everywhere() -> None:
    assert StyleUse.parse("great-wave") == StyleUse("great-wave", None)


def test_a_style_file_may_have_an_at_in_its_name(tmp_path: Path) -> None:
    style = tmp_path / "wave@2.style"
    style.write_bytes(b"a look")
    assert StyleUse.parse(str(style)) == StyleUse(str(style), None)
    assert StyleUse.parse(f"{style}@skin") == StyleUse(str(style), MatteSpec("skin"))
    assert StyleUse.parse(f"{style}@{tmp_path}/m@1.png").matte == MatteSpec("file", f"{tmp_path}/m@1.png")


def test_a_folder_is_a_sequence_and_may_have_a_channel(tmp_path: Path) -> None:
    assert MatteSpec.parse(str(tmp_path)) == MatteSpec("file", str(tmp_path))
    assert MatteSpec.parse(f"{tmp_path}:mask.R") == MatteSpec("file", str(tmp_path), "mask.R")


@pytest.mark.parametrize("text", ["skn", "", "layer:", "crypto:", "crypt:hero", "skin,blur=3", "matte,invert", "skin@alpha"])
def test_unknown_words_are_answered_with_the_choices(text: str) -> None:
    with pytest.raises(InputError, match=r"is no matte: give a picture, .*, alpha, layer:NAME, crypto:OBJECT or skin"):
        StyleUse.parse(f"great-wave@{text}")


@pytest.mark.parametrize("feather", ["", "-1", "nan", "inf", "1001", "soft"])
def test_a_feather_is_a_number_of_pixels(feather: str) -> None:
    with pytest.raises(InputError, match="number of pixels from 0 to 1000"):
        MatteSpec.parse(f"skin,feather={feather}")


def test_a_matte_needs_a_style() -> None:
    with pytest.raises(InputError, match="names no style"):
        StyleUse.parse("@skin")


@settings(max_examples=300)
@given(st.text(alphabet="ab@:,=/.\0é#invertfeather0", max_size=30))
def test_no_text_brings_more_than_an_input_error(text: str) -> None:
    try:
        use = StyleUse.parse(text)
    except InputError:
        return
    assert text.startswith(use.style)


@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_a_still_is_held_with_its_depth(tmp_path: Path, depth: str) -> None:
    values = np.linspace(0, np.iinfo(depth).max, 64, dtype=depth)
    grey = np.broadcast_to(values[:, np.newaxis], (4, 64, 1)).copy()
    path = picture(tmp_path / "m.png", grey)
    matte = opened(str(path), ClipInfo(64, 4))
    for number in (5, 1001):
        plane = matte.at(Frame(np.zeros((4, 64, 3), np.uint8), number))
        assert plane.dtype == np.float32
        assert np.array_equal(plane[0], values.astype(np.float32) / np.float32(np.iinfo(depth).max))
    assert plane[0, 0] == 0
    assert plane[0, -1] == 1
    matte.close()


def test_alpha_is_taken_where_it_tells_something(tmp_path: Path) -> None:
    grey, alpha = ramp(), 255 - ramp()
    info, frame = ClipInfo(256, 4), Frame(np.zeros((4, 256, 3), np.uint8))
    telling = str(picture(tmp_path / "a.png", np.dstack([grey] * 3 + [alpha])))
    full = str(picture(tmp_path / "b.png", np.dstack([grey] * 3 + [np.full_like(alpha, 255)])))
    plain = grey[..., 0] / np.float32(255)
    assert np.array_equal(opened(telling, info).at(frame), alpha[..., 0] / np.float32(255))
    assert np.array_equal(opened(full, info).at(frame), plain)
    assert np.array_equal(opened(f"{telling}:Y", info).at(frame), plain)
    assert np.array_equal(opened(f"{telling}:G", info).at(frame), plain)
    with pytest.raises(MediaError, match="has no channel 'Z': choose one of R, G, B, Y, A"):
        opened(f"{telling}:Z", info)
    with pytest.raises(MediaError, match=r"has no channel 'A': choose one of R, G, B, Y$"):
        opened(f"{picture(tmp_path / 'c.png', grey)}:A", info)


def test_the_pictures_own_alpha() -> None:
    frame = Frame(np.dstack([ramp()] * 4), 3)
    assert np.array_equal(opened("alpha,invert", ClipInfo(256, 4, channels=4)).at(frame), 1 - ramp()[..., 0] / np.float32(255))
    with pytest.raises(MediaError, match=r"shot\.png: has no alpha"):
        opened("alpha", ClipInfo(256, 4))


def test_another_size_is_told_before_any_work(tmp_path: Path) -> None:
    path = picture(tmp_path / "m.png", ramp())
    with pytest.raises(MediaError, match=r"m\.png: this matte is 256x4, but the picture is 128x4"):
        opened(str(path), ClipInfo(128, 4))
    with pytest.raises(MediaError, match="no such file"):
        opened(str(tmp_path / "absent.png"), ClipInfo(128, 4))


def test_a_proxy_has_the_matte_of_its_shot(tmp_path: Path) -> None:
    plane = np.zeros((80, 160, 1), np.uint8)
    plane[:, 81:] = 255
    matte = opened(f"{picture(tmp_path / 'm.png', plane)},feather=8", ClipInfo(160, 80))
    whole = matte.at(Frame(np.zeros((80, 160, 3), np.uint8)))
    small = opened(f"{tmp_path / 'm.png'},feather=8", ClipInfo(160, 80)).at(Frame(np.zeros((40, 80, 3), np.uint8)))
    assert small.shape == (40, 80)
    assert np.abs(small - whole.reshape(40, 2, 80, 2).mean((1, 3))).max() < 0.04, "shrunk, its feather too"


@dataclass
class Clip:
    """A reader of frames that hold their own number, which counts how often it is asked to begin."""

    there: Sequence[int]
    alpha: bool = False
    begun: int = 0

    def __post_init__(self) -> None:
        self.info = ClipInfo(2, 2, len(self.there), channels=4 if self.alpha else 3)

    def numbers(self) -> Sequence[int]:
        return self.there

    def read(self, numbers: Sequence[int]) -> Iterator[Frame]:
        self.begun += 1
        for number in numbers:
            pixels = np.full((2, 2, self.info.channels), number % 256, np.uint8)
            if self.alpha:
                pixels[..., 3] = 255
                pixels[0, 0, 3] = 255 - number  # changes in the last frame only
            yield Frame(pixels, number)

    def close(self) -> None: ...


def along(monkeypatch: pytest.MonkeyPatch, name: str, clip: Clip, shot: Sequence[int]) -> Matte:
    monkeypatch.setattr(alongside, "open_reader", lambda *_: clip)
    return opened(name, ClipInfo(2, 2), numbers=shot)


def value(matte: Matte, number: int) -> float:
    return float(matte.at(Frame(np.zeros((2, 2, 3), np.uint8), number))[1, 1] * 255)


def test_a_sequence_goes_by_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Clip(range(10, 20))
    matte = along(monkeypatch, "m.####.png", clip, range(8, 20))
    assert [round(value(matte, number)) for number in (12, 13, 15, 15, 19)] == [12, 13, 15, 15, 19]
    assert clip.begun == 1, "it goes on where it is"
    assert round(value(matte, 11)) == 11, "and back if need be"
    with pytest.raises(MediaError, match=r"m\.####\.png, frame 8: this matte has 10 frames from 10 to 19, not this one"):
        value(matte, 8)


def test_a_sequence_on_the_disk_with_a_gap(tmp_path: Path) -> None:
    for number in (1001, 1002, 1004):
        picture(tmp_path / f"m.{number}.png", np.full((2, 2, 1), number - 1000, np.uint8))
    for name in (tmp_path, tmp_path / "m.####.png", tmp_path / "m.%04d.png"):
        matte = opened(str(name), ClipInfo(2, 2), numbers=range(1001, 1005))
        assert [round(value(matte, number)) for number in (1001, 1002, 1004)] == [1, 2, 4]
        with pytest.raises(MediaError, match="frame 1003: this matte has 3 frames from 1001 to 1004, not this one"):
            value(matte, 1003)
        with pytest.raises(MediaError, match="this matte lacks frames 1003, 1005-1006 of the shot: make what is missing"):
            matte.check_frames(range(1001, 1007))
        matte.check_frames([1001, 1004])
        matte.close()


def test_a_sequence_of_layers(tmp_path: Path) -> None:
    for number in (5, 6):
        write(tmp_path / f"m.{number:04d}.exr", {}, {"mask.R": np.full((2, 2), number / 255, np.float32)})
    for name in (tmp_path, tmp_path / "m.####.exr"):
        matte = opened(f"{name}:mask", ClipInfo(2, 2), numbers=(5, 6))
        assert [round(value(matte, number)) for number in (5, 6)] == [5, 6]


def test_a_video_goes_by_places(monkeypatch: pytest.MonkeyPatch) -> None:
    matte = along(monkeypatch, "m.mov", Clip(range(1, 4)), [1001, 1003, 1004, 1005])
    assert [round(value(matte, number)) for number in (1001, 1003, 1004)] == [1, 2, 3]
    with pytest.raises(MediaError, match="frame 1005: this matte ends after 3 frames"):
        value(matte, 1005)
    with pytest.raises(MediaError, match="frame 1005: this matte ends after 3 frames"):
        matte.check_frames([1001, 1005])


def test_a_far_frame_is_jumped_to(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Clip(range(1, 200))
    matte = along(monkeypatch, "m.mov", clip, range(1, 200))
    assert round(value(matte, 1)) == 1
    assert round(value(matte, 190)) == 190
    assert clip.begun == 2


def test_one_channel_for_the_whole_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    matte = along(monkeypatch, "m.####.png", Clip([0, 5, 9], alpha=True), [0, 5, 9])
    assert value(matte, 0) == 255, "alpha is full in this frame, and still it is the alpha"


def test_layers_and_objects_of_the_exr(tmp_path: Path) -> None:
    mask = {"mask.R": np.tile(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, 1))}
    path = write(tmp_path / "shot.0007.exr", facts("CryptoObject", ["hero", "ground"]), layer("CryptoObject00") | mask)
    info = ClipInfo(WIDTH, HEIGHT, depth="float32")
    frame = Frame(np.zeros((HEIGHT, WIDTH, 3), np.float32), 7, {"exr": SimpleNamespace(path=path)})
    pattern = tmp_path / "shot.####.exr"
    assert np.array_equal(opened("layer:mask.R", info, pattern).at(frame), mask["mask.R"])
    assert opened("crypto:ground", info, pattern).at(frame)[0].tolist() == [0, 0, 0, 0.75, 1, 1, 1, 1, 1]
    with pytest.raises(MediaError, match=r"shot\.0007\.exr: has no layer or channel 'masc': .*mask.*, as in @layer:mask"):
        opened("layer:masc", info, pattern)
    with pytest.raises(MediaError, match=r"has no 'heroine': did you mean hero"):
        opened("crypto:heroine", info, pattern)
    with pytest.raises(MediaError, match=r"has no 'nobody': choose one of"):
        opened("crypto:nobody", info, path)
    with pytest.raises(MediaError, match="only an EXR has them"):
        opened("crypto:hero", info, SOURCE)


def test_layers_and_channels_of_an_exr(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, 1))
    key = {f"key.{name}": ramp for name in "RGB"}
    path = write(tmp_path / "mattes.exr", {}, key | {"holdout.A": 1 - ramp, "uv.U": ramp, "uv.V": 1 - ramp})
    for name, plane in (("key", ramp), ("key.G", ramp), ("holdout", 1 - ramp), ("uv.V", 1 - ramp)):
        matte = opened(f"{path}:{name}", ClipInfo(WIDTH, HEIGHT))
        first, later = (matte.at(Frame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), number)) for number in (3, 4))
        assert np.array_equal(first, plane), name
        assert later is first, "it is held"
    with pytest.raises(MediaError, match="this matte is 9x6, but the picture is 8x6"):
        opened(f"{path}:key", ClipInfo(8, 6))
    with pytest.raises(MediaError, match=r"mattes\.exr: has no layer or channel 'masc': .*holdout, key.* uv\.U, .*, as in @.*:"):
        opened(f"{path}:masc", ClipInfo(WIDTH, HEIGHT))


def test_an_object_that_left_the_shot_covers_nothing(tmp_path: Path) -> None:
    info, frames = ClipInfo(WIDTH, HEIGHT), []
    for number, names in enumerate((["hero", "ground"], ["hero"])):
        path = write(tmp_path / f"{number}.exr", facts("C", names), layer("C00") if number == 0 else layer("C00", "RGBA"))
        frames.append(Frame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), number, {"exr": SimpleNamespace(path=path)}))
    matte = opened("crypto:ground", info, tmp_path / "#.exr")
    assert np.array_equal(matte.at(frames[0]), matte.at(frames[1])), "its id is that of its name, manifest or not"


def planes_of(text: str, source: Path, factor: int = 1) -> list[Pixels]:
    """The matte of every frame of a shot."""
    with open_reader(source) as reader:
        matte = opened(text, reader.info, source, reader.numbers())
        planes = [matte.at(proxy(frame, factor)) for frame in reader]
    matte.close()
    return planes


def blob(height: int, width: int) -> Pixels:
    return np.random.default_rng(5).random((height, width), np.float32)


def test_a_tight_matte_lies_where_its_data_window_says(tmp_path: Path) -> None:
    shown, mask = (0, 0, 40, 30), blob(6, 8)
    wanted = np.zeros((30, 40), np.float32)
    wanted[10:16, 5:13] = mask
    matte = framed(tmp_path / "m.exr", mask, (5, 10), shown)
    shot = framed(tmp_path / "shot.exr", blob(30, 40), (0, 0), shown)
    plain = picture(tmp_path / "shot.png", np.zeros((30, 40, 3), np.uint8))
    for source in (shot, plain):
        assert np.array_equal(planes_of(f"{matte}:mask", source)[0], wanted)
        assert np.array_equal(planes_of(f"{matte}:mask,invert", source)[0], 1 - wanted), "what is beyond it is 0, so 1 inverted"
    far = framed(tmp_path / "far.exr", mask, (50, 10), shown)
    assert not planes_of(f"{far}:mask", shot)[0].any(), "wholly outside"


def test_display_windows_are_laid_over_each_other_wherever_they_begin(tmp_path: Path) -> None:
    mask = blob(6, 8)
    matte = framed(tmp_path / "m.exr", mask, (95, 60), (90, 50, 40, 30))
    for source in (
        framed(tmp_path / "a.exr", blob(30, 40), (-20, -15), (-20, -15, 40, 30)),
        picture(tmp_path / "a.png", np.zeros((30, 40, 3), np.uint8)),
    ):
        found = planes_of(f"{matte}:mask", source)[0]
        assert np.array_equal(found[10:16, 5:13], mask)
        assert np.count_nonzero(found) == np.count_nonzero(mask)


def test_an_overscan_plate_takes_mattes_of_its_display_window(tmp_path: Path) -> None:
    shot = framed(tmp_path / "shot.exr", blob(38, 50), (-2, -3), (0, 0, 40, 30))
    grey = np.random.default_rng(1).integers(1, 255, (30, 40, 1), np.uint8)
    still = picture(tmp_path / "m.png", grey)
    for matte in (still, framed(tmp_path / "m.exr", grey[..., 0] / np.float32(255), (0, 0), (0, 0, 40, 30))):
        found = planes_of(f"{matte}", shot)[0]
        assert found.shape == (38, 50)
        assert np.allclose(found[3:33, 2:42], grey[..., 0] / 255, atol=1e-6)
        assert np.count_nonzero(found) == 30 * 40
    other = picture(tmp_path / "o.png", np.zeros((38, 50, 1), np.uint8))
    with pytest.raises(MediaError, match=r"o\.png: this matte is 50x38, but the picture is 40x30"):
        planes_of(f"{other}", shot)


@pytest.mark.parametrize("feather", ["", ",feather=4", ",invert,feather=4"])
def test_a_still_matte_stays_where_the_pictures_window_moves(tmp_path: Path, feather: str) -> None:
    grey = np.random.default_rng(2).integers(0, 255, (60, 80, 1), np.uint8)
    matte = picture(tmp_path / "m.png", grey)
    windows = [(10, 12, 30, 20), (22, 5, 30, 20), (40, 30, 40, 30)]
    for number, (left, top, width, height) in enumerate(windows):
        framed(tmp_path / f"shot.{number:04d}.exr", blob(height, width), (left, top), (0, 0, 80, 60))
    whole = planes_of(f"{matte}{feather}", picture(tmp_path / "still.png", np.zeros((60, 80, 3), np.uint8)))[0]
    found = planes_of(f"{matte}{feather}", tmp_path / "shot.####.exr")
    for (left, top, width, height), plane in zip(windows, found, strict=True):
        wanted = whole[top : top + height, left : left + width]
        assert np.allclose(plane, wanted, atol=1e-6), "softened as if the window were not there"


def test_mattes_whose_own_windows_move(tmp_path: Path) -> None:
    for number, left in enumerate((3, 20)):
        framed(tmp_path / f"m.{number:04d}.exr", np.ones((6, 8 + number), np.float32), (left, 10), (0, 0, 40, 30))
        picture(tmp_path / f"shot.{number:04d}.png", np.zeros((30, 40, 3), np.uint8))
    for plane, left, width in zip(planes_of(f"{tmp_path}/m.####.exr", tmp_path / "shot.####.png"), (3, 20), (8, 9), strict=True):
        assert plane[10:16, left : left + width].all()
        assert np.count_nonzero(plane) == 6 * width


def test_a_proxy_of_a_window_has_its_matte(tmp_path: Path) -> None:
    shot = framed(tmp_path / "shot.exr", blob(40, 60), (8, 4), (0, 0, 80, 60))
    matte = framed(tmp_path / "m.exr", blob(22, 30), (20, 10), (0, 0, 80, 60))
    for text in (f"{matte}:mask", f"{matte}:mask,feather=6", "layer:mask"):
        whole, small = (planes_of(text, shot, factor)[0] for factor in (1, 2))
        assert small.shape == (20, 30)
        assert np.allclose(small, whole.reshape(20, 2, 30, 2).mean((1, 3)), atol=1e-5)
    assert planes_of(f"{matte}:mask", shot, 7)[0].shape == (6, 9)


def test_layers_and_objects_of_parts_with_windows_of_their_own(tmp_path: Path) -> None:
    colour = {name: np.zeros((2 * HEIGHT, 2 * WIDTH), np.float32) for name in "RGB"}
    mask, about = np.ones((2, 3), np.float32), facts("C", ["ground"])
    parts = [((0, 0), colour), ((5, 7), {"mask.R": mask}), ((4, 2), layer("C00"))]
    shot = parted(tmp_path / "shot.exr", parts, about)
    found = planes_of("layer:mask.R", shot)[0]
    assert found[7:9, 5:8].all()
    assert np.count_nonzero(found) == 6
    ground = planes_of("crypto:ground", shot)[0]
    assert ground[2].tolist() == [0] * 7 + [0.75, 1, 1, 1, 1, 1] + [0] * 5
    assert np.count_nonzero(ground) == HEIGHT * 6


def test_content_tells_a_changed_matte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        picture(tmp_path / f"m.{number:04d}.png", np.full((2, 2, 1), number, np.uint8))
    specs = [MatteSpec.parse(f"{tmp_path}/{name}") for name in ("m.0002.png", "m.####.png", "")]
    seen = [[spec.content() for spec in specs]]
    os.utime(tmp_path / "m.0002.png", (1, 1))
    assert [spec.content() for spec in specs] == seen[0], "time is no content"
    picture(tmp_path / "m.0002.png", np.full((2, 2, 1), 7, np.uint8))
    seen.append([spec.content() for spec in specs])
    picture(tmp_path / "m.0003.png", np.full((2, 2, 1), 7, np.uint8))
    seen.append([seen[0][0], *(spec.content() for spec in specs[1:])])
    assert all(len({each[place] for each in seen[:3]}) == wanted for place, wanted in ((0, 2), (1, 3), (2, 3)))
    monkeypatch.setattr(alongside, "WHOLE_BYTES", 10)
    large = specs[1].content()
    os.utime(tmp_path / "m.0002.png", (1, 1))
    assert specs[1].content() != large, "of much, sizes and times are taken"
    assert [MatteSpec.parse(text).content() for text in ("alpha", "skin", "layer:a", "crypto:a")] == [""] * 4
    with pytest.raises(MediaError, match="cannot be read: no such file"):
        MatteSpec.parse(f"{tmp_path}/absent.png").content()


def test_inverted_then_feathered() -> None:
    plane = np.zeros((40, 60), np.float32)
    plane[:, 30:] = 1
    soft = finish(plane, invert=True, feather_px=8)
    assert (soft[:, :18] == 1).all(), "flat parts stay exact, to the border of the picture"
    assert (soft[:, -18:] == 0).all()
    edge = soft[20]
    assert edge[29] == pytest.approx(0.55, abs=0.04)
    assert (np.diff(edge) <= 0).all()
    assert (np.diff(edge) < 0).sum() >= 12
    assert np.array_equal(finish(plane, False, 0), plane)


def test_no_value_leaves_the_range() -> None:
    wild = np.array([[np.nan, np.inf, -np.inf, -3, 7, 0.25]], np.float32)
    assert finish(wild, False, 0).tolist() == [[0, 1, 0, 0, 1, 0.25]]


@settings(max_examples=40, deadline=None)
@given(data=st.data(), dtype=st.sampled_from(["uint8", "uint16", "float16", "float32"]))
def test_bits_come_back_where_nothing_is_painted(data: st.DataObject, dtype: str) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 999)))
    raw = random.integers(0, 2**16, (3, 9, 11, 3), np.uint16)  # as halves: NaN, infinities, denormals, -0 among them
    layers = raw.astype(dtype) if dtype.startswith("u") else raw.view(np.float16).astype(dtype)
    one, two = (random.choice(np.float32([0, 0.3, 1]), (9, 11)) for _ in range(2))
    result = compose(layers[0], [(layers[1], one), (layers[2], two)])
    assert result.dtype == dtype
    as_bits = {1: np.uint8, 2: np.uint16, 4: np.uint32}[result.itemsize]
    below, middle, above, got = (np.ascontiguousarray(each).view(as_bits) for each in (*layers, result))
    assert np.array_equal(got[(one == 0) & (two == 0)], below[(one == 0) & (two == 0)])
    assert np.array_equal(got[(one == 1) & (two == 0)], middle[(one == 1) & (two == 0)])
    assert np.array_equal(got[two == 1], above[two == 1])


def test_between_it_is_mixed_and_the_source_is_let_alone() -> None:
    source, painted = np.full((2, 2, 3), 100, np.uint8), np.full((2, 2, 3), 201, np.uint8)
    matte = np.float32([[0, 0.25], [0.5, 1]])
    assert compose(source, [(painted, matte)])[..., 0].tolist() == [[100, 125], [151, 201]]
    assert (source == 100).all()
    assert compose(source, [(painted, np.zeros((2, 2), np.float32))]) is source, "nothing to do, nothing copied"


def test_no_matte_no_window() -> None:
    assert bounds(np.zeros((8, 8), np.float32), 4, 4) is None


@settings(max_examples=60, deadline=None)
@given(data=st.data(), height=st.integers(1, 90), width=st.integers(1, 90))
def test_painting_the_window_is_enough(data: st.DataObject, height: int, width: int) -> None:
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    matte = np.zeros((height, width), np.float32)
    matte[top : top + data.draw(st.integers(1, 20)), left : left + data.draw(st.integers(1, 20))] = 0.5
    engine, pixels = _tiny(), noise(height, width, 1)
    window = bounds(matte, halo_px(TINY_STRIDE, TINY_FIELD), TINY_STRIDE)
    assert window is not None
    assert window.rows.start % TINY_STRIDE == 0 == window.columns.start % TINY_STRIDE
    whole = engine.paint(pixels[None])[0]
    within = paint_within(lambda part: engine.paint(part[None])[0], pixels, window)
    assert np.array_equal(within[matte > 0], whole[matte > 0])
    assert np.array_equal(compose(pixels, [(within, matte)]), compose(pixels, [(whole, matte)]))


def test_a_small_matte_needs_a_small_window_and_a_moving_one_few_sizes() -> None:
    sizes = set()
    for place in range(0, 700, 7):
        matte = np.zeros((720, 1280), np.float32)
        matte[200:400, place : place + 460] = 1  # a tenth of the picture
        rows, columns = bounds(matte, 24, 4) or (slice(0), slice(0))
        assert (rows.stop - rows.start) * (columns.stop - columns.start) < 0.17 * matte.size
        sizes.add((rows.stop - rows.start, columns.stop - columns.start))
    assert len(sizes) <= 3


def _tiny() -> Any:
    graph = tiny_graph()
    return load_engine("onnx").open(graph, tiny_tier(graph), "fp32")
