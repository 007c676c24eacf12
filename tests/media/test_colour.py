"""Colours go from a file to what a look sees and back, by name or by what the file says."""
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import PyOpenColorIO as ocio
import pytest

from impasto.errors import InputError
from impasto.frame import ClipInfo, Pixels
from impasto.media.colour import DEFAULT_CONFIG, SCREEN, Colour, named, open_colour
from impasto.media.primaries import KNOWN, to_rec709

LINEAR_SPACES = {"ACEScg": "ACEScg", "ACES2065-1": "ACES2065-1", "Rec.2020": "Linear Rec.2020", "P3-D65": "Linear P3-D65"}


@pytest.fixture(autouse=True)
def _no_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCIO", raising=False)


def like(**tags: object) -> ClipInfo:
    return ClipInfo(8, 8, tags=dict(tags))


def light(dtype: type = np.float16) -> Pixels:
    return (np.random.default_rng(0).random((16, 16, 3)) ** 2 * 6).astype(dtype)


def by_ocio(values: Pixels, one: str, other: str) -> Pixels:
    processor = ocio.Config.CreateFromFile(DEFAULT_CONFIG).getProcessor(one, other).getDefaultCPUProcessor()
    found = values.astype(np.float32)
    processor.applyRGB(found)
    return found


# ---------------------------------------------------------------- what a file says


@pytest.mark.parametrize(("read", "written"), [(".png", ".png"), (".mp4", ".mov"), (".jpg", ".tif")])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_and_clips_are_not_touched(read: str, written: str, dtype: type) -> None:
    colour = open_colour("auto", "auto", like(), read, written)
    rgb = np.random.default_rng(0).integers(0, 255, (4, 4, 3)).astype(dtype)
    assert colour.plain
    assert colour.to_working(rgb) is rgb
    assert colour.converted(rgb) is rgb
    assert colour.from_working(rgb, rgb) is rgb


@pytest.mark.parametrize("primaries", LINEAR_SPACES)
def test_primaries_of_an_exr_mean_what_ocio_says(primaries: str) -> None:
    colour = open_colour("auto", "auto", like(chromaticities=KNOWN[primaries]), ".exr", ".exr")
    expected = by_ocio(light(), LINEAR_SPACES[primaries], "Linear Rec.709 (sRGB)")
    assert np.allclose(colour.source.to_light(light().astype(np.float32)), expected, atol=1e-5)
    assert not colour.changes
    assert colour.source.chromaticities == KNOWN[primaries]


def test_an_exr_that_says_nothing_is_rec709() -> None:
    colour = open_colour("auto", "auto", like(), ".exr", ".exr")
    assert colour.source.linear
    values = light(np.float32)
    assert np.array_equal(colour.source.to_light(values), values)


@pytest.mark.parametrize("word", ["lin_ap1_scene", "ACEScg"])
def test_a_space_named_in_an_exr_is_known(word: str) -> None:
    assert open_colour("auto", "auto", like(colorspace=word), ".exr", ".exr").source.name == "ACEScg"


def test_a_word_of_somebodys_own_says_nothing() -> None:
    assert open_colour("auto", "auto", like(colorspace="studio_linear_v7"), ".exr", ".exr").source.name == "Linear Rec.709 (sRGB)"


@pytest.mark.parametrize("broken", [(0.0,) * 8, (0.3,) * 8, (float("nan"),) * 8])
def test_primaries_that_are_none_are_taken_for_rec709(broken: tuple[float, ...]) -> None:
    assert np.array_equal(to_rec709(broken), np.eye(3))


def test_log_film_is_light(tmp_path: Path) -> None:
    colour = open_colour("auto", "auto", like(colorspace="KodakLog"), ".dpx", ".dpx")
    codes = np.float32([[[95, 445, 685]]]) / 1023
    assert np.allclose(colour.source.to_light(codes)[0, 0, [0, 2]], [0, 1], atol=1e-6)
    assert np.allclose(colour.source.from_light(colour.source.to_light(codes)), codes, atol=1e-5)


def test_a_clip_of_ten_thousand_nits_is_light() -> None:
    colour = open_colour("auto", "auto", like(colour=SimpleNamespace(transfer=16)), ".mp4", ".mp4")
    assert colour.source.bright
    grey = np.full((1, 1, 3), 33287, np.uint16)  # 100 nits in PQ
    assert colour.source.to_light(grey.astype(np.float32) / 65535)[0, 0, 0] == pytest.approx(1, rel=0.02)
    assert np.allclose(colour.from_working(colour.to_working(grey), grey), grey / 65535, atol=5e-4)
    assert not colour.changes


def video(transfer: int, primaries: int) -> ClipInfo:
    return like(colour=SimpleNamespace(transfer=transfer, primaries=primaries))


WIDE = [(1, 9, "Linear Rec.2020"), (14, 9, "Linear Rec.2020"), (15, 9, "Linear Rec.2020"), (1, 12, "Linear P3-D65")]


@pytest.mark.parametrize(("transfer", "primaries", "linear"), WIDE)
def test_a_clip_of_wide_primaries_is_not_touched_and_becomes_right_light(transfer: int, primaries: int, linear: str) -> None:
    rgb = np.random.default_rng(0).integers(0, 65536, (8, 8, 3)).astype(np.uint16)
    same = open_colour("auto", "auto", video(transfer, primaries), ".mov", ".mp4")
    assert same.plain
    assert same.to_working(rgb) is same.converted(rgb) is same.from_working(rgb, rgb) is rgb
    colour = open_colour("auto", "auto", video(transfer, primaries), ".mov", ".exr")
    expected = by_ocio(SCREEN.to_light(rgb.astype(np.float32) / 65535), linear, "Linear Rec.709 (sRGB)")
    assert colour.target.chromaticities == KNOWN["Rec.709"]
    assert colour.to_working(rgb) is rgb
    for found in (colour.converted(rgb), colour.from_working(rgb, rgb)):
        assert np.abs(found - expected).max() < 2e-4
    assert np.allclose(colour.source.from_light(expected), rgb / 65535, atol=2e-4)


@pytest.mark.parametrize("codes", [(1, 1), (6, 6), (13, 1), (1, 5)])
def test_other_clips_are_as_a_screen_shows_them(codes: tuple[int, int]) -> None:
    assert open_colour("auto", "auto", video(*codes), ".mp4", ".mp4").source is SCREEN


def test_a_wide_clip_becomes_srgb_when_asked_to() -> None:
    colour = open_colour("auto", "srgb", video(1, 12), ".mov", ".mov")
    green = np.uint8([[[50, 200, 60]]])
    expected = by_ocio(green / np.float32(255), "sRGB Encoded P3-D65", "sRGB Encoded Rec.709 (sRGB)").clip(0, 1)
    assert colour.changes
    assert not colour.plain
    assert np.abs(colour.converted(green) - expected).max() < 2e-3


def test_hybrid_log_gamma_is_light() -> None:
    colour = open_colour("auto", "auto", video(18, 9), ".mp4", ".mp4")
    assert colour.source.bright
    assert not colour.plain
    grey = np.float32([0, 0.38, 0.75, 1])[None, :, None].repeat(3, axis=2)
    assert np.allclose(colour.source.to_light(grey)[0, :, 1], [0, 0.26, 2.03, 10], rtol=0.02)  # BT.2408: 26, 203 and 1000 cd/m2
    rgb = np.random.default_rng(0).integers(0, 65536, (32, 32, 3)).astype(np.uint16)
    assert colour.converted(rgb) is rgb
    assert np.abs(colour.from_working(colour.to_working(rgb), rgb) - rgb / 65535).max() < 1 / 1023
    light = open_colour("auto", "auto", video(18, 9), ".mp4", ".exr").converted(np.full((1, 1, 3), 65535, np.uint16))
    assert light[0, 0].tolist() == pytest.approx([10, 10, 10], rel=1e-3)


def test_great_light_of_p3_is_known() -> None:
    assert open_colour("auto", "auto", video(16, 12), ".mov", ".mov").source.name == "ST2084-P3-D65 - Display"
    assert open_colour("auto", "auto", video(16, 1), ".mov", ".mov").source.name == "Rec.2100-PQ - Display"


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize("space", [*LINEAR_SPACES.values(), "ACEScct", "sRGB - Display", "Gamma 2.2 Encoded AdobeRGB"])
def test_unpainted_colour_comes_back_within_a_half(space: str) -> None:
    colour = open_colour(space, space, like(), ".exr", ".exr")
    values = light() if colour.source.linear else np.random.default_rng(1).uniform(0.1, 0.7, (16, 16, 3)).astype(np.float16)
    working = colour.to_working(values)
    assert working.dtype == np.float32
    assert 0 <= working.min() <= working.max() <= 1
    back = colour.from_working(working, values)
    assert np.allclose(back, values.astype(np.float32), rtol=2**-11, atol=2e-5)


@pytest.mark.parametrize("space", ["ACEScg", "ACEScct", "Linear Rec.709 (sRGB)"])
def test_one_space_in_and_out_changes_nothing_unpainted(space: str) -> None:
    colour = open_colour(space, "auto", like(), ".exr", ".exr")
    values = light()
    assert not colour.changes
    assert colour.converted(values) is values


def test_what_is_no_number_stays_itself_and_spoils_no_neighbour() -> None:
    values = np.full((1, 3, 3), 0.5, np.float16)
    values[0, 0, 1], values[0, 1, 0], values[0, 2, 2] = np.nan, np.inf, -np.inf
    colour = open_colour("ACEScg", "ACEScg", like(), ".exr", ".exr")
    working = colour.to_working(values)
    assert np.isfinite(working).all()
    back = colour.from_working(working, values)
    assert np.array_equal(np.isfinite(back), np.isfinite(values))
    assert np.array_equal(back[~np.isfinite(values)], values[~np.isfinite(values)].astype(np.float32), equal_nan=True)


@pytest.mark.parametrize("target", ["ACEScg", "Linear Rec.709 (sRGB)"])
def test_the_finite_channels_of_such_a_pixel_are_not_drawn_along(target: str) -> None:
    values = np.array([[[0.2, np.inf, -np.inf], [0.2, np.nan, 0.3]]], np.float32)
    colour = open_colour("ACEScg", target, like(), ".exr", ".exr")
    alone = colour.converted(np.where(np.isfinite(values), values, 0))
    for found in (colour.converted(values), colour.from_working(colour.to_working(values), values)):
        np.testing.assert_array_equal(found[0, :, 1:][~np.isfinite(values[0, :, 1:])], values[~np.isfinite(values)])
        np.testing.assert_allclose(found[..., 0], alone[..., 0], rtol=1e-4)
    seen = colour.to_working(values)[0, 0]
    assert seen[1] == pytest.approx(1, abs=1e-4)
    assert seen[0] < 0.65
    picture = open_colour("ACEScg", "auto", like(), ".exr", ".png").converted(values)
    assert picture[0, 0, 1] == 1
    assert picture[0, 0, 0] < 0.65


def test_an_exr_and_a_png_of_it_look_the_same_below_the_knee() -> None:
    values = np.random.default_rng(0).random((32, 32, 3)).astype(np.float32) * 0.65
    png = np.rint(SCREEN.from_light(values) * 255).astype(np.uint8)
    seen = open_colour("auto", "auto", like(), ".exr", ".exr").to_working(values)
    assert np.abs(seen * 255 - png).max() < 1


# ---------------------------------------------------------------- from one space to another


def test_an_exr_becomes_a_png_as_ocio_would_have_it() -> None:
    colour = open_colour("auto", "auto", like(chromaticities=KNOWN["ACEScg"]), ".exr", ".png")
    values = light()
    expected = by_ocio(values, "ACEScg", "sRGB Encoded Rec.709 (sRGB)").clip(0, 1)
    assert colour.changes
    assert np.abs(colour.converted(values) - expected).max() < 1e-3
    assert np.abs(colour.from_working(colour.to_working(values), values) - expected).max() < 1e-3


def test_a_png_becomes_an_exr_of_light() -> None:
    colour = open_colour("auto", "auto", like(), ".png", ".exr")
    grey = np.full((2, 2, 3), 128, np.uint8)
    assert colour.converted(grey)[0, 0, 0] == pytest.approx(0.2158, abs=1e-3)
    assert colour.from_working(grey, grey)[0, 0, 0] == pytest.approx(0.2158, abs=1e-3)


def test_a_named_result_is_made_of_any_source() -> None:
    values = light(np.float32) / 8
    colour = open_colour("ACEScg", "ACEScct", like(), ".exr", ".exr")
    assert np.abs(colour.converted(values) - by_ocio(values, "ACEScg", "ACEScct")).max() < 1e-4


# ---------------------------------------------------------------- names


def test_an_unknown_name_is_told_with_its_neighbours() -> None:
    with pytest.raises(InputError, match=r"no colour space is called 'ACEScgg': do you mean 'ACEScg'"):
        open_colour("ACEScgg", "auto", like(), ".exr", ".exr")
    with pytest.raises(InputError, match=r"no colour space is called 'zzz': take one of 'sRGB - Display'"):
        open_colour("auto", "zzz", like(), ".exr", ".exr")


def test_data_is_no_colour() -> None:
    with pytest.raises(InputError, match="holds data, no colours"):
        named("Raw")


def test_names_may_be_aliases_or_plain_srgb() -> None:
    assert named("lin_ap1").name == "ACEScg"
    assert named("srgb") is SCREEN


def test_a_configuration_of_ones_own_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ocio.Config.CreateFromFile(DEFAULT_CONFIG)
    twice = ocio.MatrixTransform(matrix=np.diag([2.0, 2.0, 2.0, 1.0]).ravel())
    config.addColorSpace(ocio.ColorSpace(name="half as bright", toReference=twice))
    (tmp_path / "own.ocio").write_text(config.serialize())
    monkeypatch.setenv("OCIO", str(tmp_path / "own.ocio"))
    space = named("half as bright")
    expected = by_ocio(np.ones((1, 3), np.float32) * 2, "ACES2065-1", "Linear Rec.709 (sRGB)")
    assert np.allclose(space.to_light(np.ones((1, 3), np.float32)), expected, atol=1e-4)


@pytest.mark.parametrize("content", [None, "", "not a configuration\n", "ocio_profile_version: 99\n"])
def test_a_broken_configuration_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None) -> None:
    if content is not None:
        (tmp_path / "own.ocio").write_text(content)
    monkeypatch.setenv("OCIO", str(tmp_path / "own.ocio"))
    with pytest.raises(InputError, match=r"\$OCIO: the colour configuration .* cannot be used") as raised:
        named("ACEScg")
    assert "\n" not in str(raised.value)


def test_the_same_name_gives_the_same_space() -> None:
    assert named("ACEScct") is named("ACEScct")
    assert isinstance(open_colour("ACEScct", "ACEScct", like(), ".dpx", ".dpx"), Colour)
