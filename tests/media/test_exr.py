"""EXR: one layer is painted, and every other bit comes back."""
from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.encoding import DEFAULT, Encoding
from impasto.media.exr import open_reader, open_writer
from impasto.media.exr.container import read_layout, write_headers
from impasto.media.sequence import SequenceReader
from tests.media.exr_made import FLOAT, HALF, UINT, Made, exr, light, noise, text

DATA = Path(__file__).parents[3] / "shared/data/exr"
SAMPLES = sorted(DATA.glob("*.exr"))
EVERY_HALF = np.arange(65536, dtype=np.uint16).reshape(256, 256).view(np.float16)
TYPES = {HALF: "half", FLOAT: "float", UINT: "uint"}


def put(path: Path, *parts: Made) -> Path:
    path.write_bytes(exr(*parts))
    return path


def store(path: Path, pixels: Pixels, compression: str, names: Sequence[str] = "RGB") -> Path:
    """A file of OpenImageIO's own making."""
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], TYPES[str(pixels.dtype)])
    spec.channelnames = tuple(names)
    spec.attribute("compression", compression)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec), output.geterror()
    assert output.write_image(pixels)
    assert output.close()
    return path


def read(path: Path, layer: str = "", to_layer: str = "") -> Frame:
    with open_reader(path, layer, to_layer) as reader:
        (frame,) = reader
    assert frame.pixels.shape == (reader.info.height, reader.info.width, reader.info.channels)
    assert str(frame.pixels.dtype) == reader.info.depth
    return frame


def write(path: Path, frame: Frame, encoding: Encoding = DEFAULT, overwrite: bool = False) -> Path:
    height, width, channels = frame.pixels.shape
    with open_writer(path, ClipInfo(width, height, channels=channels), overwrite, encoding) as writer:
        writer.write(frame)
    return path


def painted(frame: Frame) -> Frame:
    """Another picture, alpha as it was."""
    return frame.with_rgb(np.flip(frame.rgb(), axis=1).copy() if frame.pixels.shape[2] > 2 else frame.rgb())


def planes(path: Path) -> list[dict[str, Pixels]]:
    """The bits of every channel of every part, by OpenImageIO's reckoning."""
    source = oiio.ImageInput.open(str(path))
    found: list[dict[str, Pixels]] = []
    while source.seek_subimage(len(found), 0):
        spec = source.spec()
        part = {}
        for index, name in enumerate(spec.channelnames):
            pixels = source.read_image(len(found), 0, index, index + 1, spec.channelformat(index))
            assert pixels is not None, source.geterror()
            part[name] = pixels[..., 0].view(f"u{pixels.itemsize}")
        found.append(part)
    return found


def same(one: dict[str, Pixels], other: dict[str, Pixels]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def bits(pixels: Pixels) -> Pixels:
    return pixels.view(f"u{pixels.itemsize}")


# ---------------------------------------------------------------- bits


@pytest.mark.parametrize("compression", ["none", "rle", "zips", "zip", "piz"])
def test_every_half_and_every_attribute_comes_back(tmp_path: Path, compression: str) -> None:
    source = store(tmp_path / "a.exr", np.dstack([EVERY_HALF, EVERY_HALF.T, EVERY_HALF[::-1]]), compression)
    target = write(tmp_path / "b.exr", read(source))
    assert same(planes(source)[0], planes(target)[0])
    assert list(read_layout(target).parts[0].attributes.items()) == list(read_layout(source).parts[0].attributes.items())


@pytest.mark.parametrize("tile", [None, (16, 16), (7, 5), (64, 64)])
def test_only_the_painted_layer_changes(tmp_path: Path, tile: tuple[int, int] | None) -> None:
    kinds = {"Z": FLOAT, "id": UINT, "diffuse.R": HALF, "diffuse.G": HALF, "diffuse.B": HALF, "crypto00.R": FLOAT, "mask": HALF}
    others = {name: noise(kind, seed=seed) for seed, (name, kind) in enumerate(kinds.items())}
    source = put(tmp_path / "a.exr", Made({**light("RGBA"), **others}, tile=tile))
    frame = painted(read(source))
    target = write(tmp_path / "b.exr", frame)
    before, after = planes(source)[0], planes(target)[0]
    assert before.keys() == after.keys()
    for name in others:
        assert np.array_equal(before[name], after[name]), name
    for index, name in enumerate("RGBA"):
        assert np.array_equal(after[name], bits(frame.pixels[..., index])), name
    assert np.array_equal(before["A"], after["A"])
    assert not np.array_equal(before["R"], after["R"])


@pytest.mark.parametrize("compression", ["pxr24", "b44", "b44a", "dwaa", "dwab"])
def test_lossy_layers_lose_nothing_more(tmp_path: Path, compression: str) -> None:
    values = np.dstack([*light("RGBxyz", size=(70, 40)).values()])
    source = store(tmp_path / "a.exr", values, compression, ("R", "G", "B", "n.R", "n.G", "n.B"))
    target = write(tmp_path / "b.exr", read(source))
    assert same(planes(source)[0], planes(target)[0])
    assert read_layout(target).parts[0].compression == "zip"


def test_other_parts_are_copied_as_they_lie(tmp_path: Path) -> None:
    """Lossy and deep ones too."""
    picture = np.random.default_rng(0).random((50, 40, 3), np.float32).astype(np.float16)
    beauty, lossy = (store(tmp_path / f"{name}.exr", picture, name) for name in ("piz", "dwaa"))
    source = joined(tmp_path / "a.exr", {"beauty": beauty, "lossy": lossy, "deep": deep(tmp_path / "deep.exr")})
    target = write(tmp_path / "b.exr", painted(read(source, "beauty")))
    before, after = read_layout(source), read_layout(target)
    assert [part.attributes for part in before.parts] == [part.attributes for part in after.parts]
    with source.open("rb") as one, target.open("rb") as other:
        for part in (1, 2):
            assert list(before.chunks(one, part)) == list(after.chunks(other, part))
        assert list(before.chunks(one, 0)) != list(after.chunks(other, 0))
    with pytest.raises(MediaError, match="has no layer 'deep'"):
        read(source, "deep")


def test_deep_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="nothing but deep data"):
        open_reader(deep(tmp_path / "a.exr"))


def deep(path: Path) -> Path:
    spec = oiio.ImageSpec(40, 50, 2, "float")
    spec.channelnames, spec.deep = ("Z", "A"), True
    samples = oiio.DeepData()
    samples.init(40 * 50, 2, [oiio.TypeDesc("float")] * 2, ["Z", "A"])
    for pixel in range(0, 2000, 3):
        samples.set_samples(pixel, 2)
        samples.set_deep_value(pixel, 0, 1, pixel / 7)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec)
    assert output.write_deep_image(samples)
    assert output.close()
    return path


def joined(path: Path, sources: dict[str, Path]) -> Path:
    """One file of many, whose chunks are those of each."""
    layouts = [read_layout(source) for source in sources.values()]
    parts = []
    for name, layout in zip(sources, layouts, strict=True):
        part = layout.parts[0]
        more = {b"name": (b"string", name.encode()), b"chunkCount": (b"int", struct.pack("<i", part.chunks))}
        kind = (b"string", b"deepscanline" if part.deep else b"scanlineimage")
        parts.append(replace(part, attributes={**part.attributes, **more, b"type": kind}))
    with path.open("wb") as file:
        tables = write_headers(file, parts, 0x1002 | 0x800)
        for number, layout in enumerate(layouts):
            offsets = []
            with layout.path.open("rb") as source:
                for chunk in layout.chunks(source, 0):
                    assert chunk is not None
                    offsets.append(file.tell())
                    file.write(struct.pack("<i", number) + chunk[0] + chunk[1])
            file.seek(tables[number])
            file.write(np.asarray(offsets, "<u8").tobytes())
            file.seek(0, 2)
    return path


@pytest.mark.parametrize("name", [path.name for path in SAMPLES] or ["none"])
def test_film_files_come_back(tmp_path: Path, name: str) -> None:
    if not SAMPLES:
        pytest.skip("the shared EXR files are not beside this checkout")
    target = write(tmp_path / "b.exr", read(DATA / name))
    assert all(same(one, other) for one, other in zip(planes(DATA / name), planes(target), strict=True))
    assert read_layout(target).parts[0].attributes == read_layout(DATA / name).parts[0].attributes


# ---------------------------------------------------------------- what a header says


def test_windows_and_what_nobody_knows_are_kept(tmp_path: Path) -> None:
    attributes = {
        "pixelAspectRatio": ("float", struct.pack("<f", 2)),
        "chromaticities": ("chromaticities", struct.pack("<8f", 0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)),
        "framesPerSecond": ("rational", struct.pack("<iI", 24000, 1001)),
        "timeCode": ("timecode", struct.pack("<II", 0x01234512 | 0x40, 0)),
        "preview": ("preview", struct.pack("<II", 1, 1) + b"abcd"),
        "studioThing": ("ourOwnType", b"\x00\xff any bytes"),
        "comments": text("over\nlines"),
        "multiView": ("stringvector", struct.pack("<i", 4) + b"left" + struct.pack("<i", 5) + b"right"),
    }
    made = Made(light("RGB"), origin=(-13, -7), display=(0, 0, 9, 9), attributes=attributes)
    source = put(tmp_path / "a.exr", made)
    with open_reader(source) as reader:
        info = reader.info
    assert (info.width, info.height, info.fps) == (30, 20, Fraction(24000, 1001))
    assert info.tags["timecode"] == "01:23:45;12"
    assert info.tags["display_window"] == (0, 0, 9, 9)
    assert info.tags["data_window"] == (-13, -7, 16, 12)
    assert info.tags["chromaticities"][0] == pytest.approx(0.713)
    target = write(tmp_path / "b.exr", painted(read(source)))
    assert read_layout(target).parts[0].attributes == read_layout(source).parts[0].attributes


def test_every_frame_has_its_own_windows(tmp_path: Path) -> None:
    for number, origin in enumerate([(2, 3), (40, 5)]):
        put(tmp_path / f"a.{number}.exr", Made(light("RGB"), origin=origin, display=(0, 0, 99, 49)))
    with SequenceReader(tmp_path / "a.#.exr") as reader:
        tags = [frame.tags for frame in reader]
    assert [each["data_window"] for each in tags] == [(2, 3, 31, 22), (40, 5, 69, 24)]
    assert [each["display_window"] for each in tags] == [(0, 0, 99, 49)] * 2
    with open_reader(tmp_path / "a.1.exr") as still:
        assert still.tags["data_window"] == still.info.tags["data_window"]


def test_bottom_up_files_and_halvings_become_plain_ones(tmp_path: Path) -> None:
    upward = put(tmp_path / "up.exr", Made(light("RGB"), attributes={"lineOrder": ("lineOrder", b"\1")}))
    target = write(tmp_path / "b.exr", read(upward))
    assert same(planes(upward)[0], planes(target)[0])
    assert read_layout(target).parts[0].attributes[b"lineOrder"][1] == b"\0"
    picture = oiio.ImageBuf(np.dstack([*light("RGB", FLOAT, (64, 64)).values()]))
    assert oiio.ImageBufAlgo.make_texture(oiio.MakeTxTexture, picture, str(tmp_path / "mip.exr"))
    frame = read(tmp_path / "mip.exr")
    target = write(tmp_path / "c.exr", frame)
    assert np.array_equal(read(target).pixels, frame.pixels)
    assert read_layout(target).parts[0].levels == 0


# ---------------------------------------------------------------- layers


def layered(path: Path) -> Path:
    return put(
        path,
        Made({**light(["diffuse.R", "diffuse.G", "diffuse.B"]), **light(["N.X", "N.Y", "N.Z"], FLOAT), "Z": noise(FLOAT)},
             attributes={"name": text("passes")}),
        Made({**light("RGB"), **light(["A"], FLOAT)}, attributes={"name": text("beauty")}),
        Made(light(["Y"]), attributes={"name": text("matte.holdout")}),
    )  # fmt: skip


@pytest.mark.parametrize(("layer", "part", "channels"), [
    ("", 0, ("diffuse.R", "diffuse.G", "diffuse.B")),
    ("diffuse", 0, ("diffuse.R", "diffuse.G", "diffuse.B")),
    ("passes.diffuse", 0, ("diffuse.R", "diffuse.G", "diffuse.B")),
    ("N", 0, ("N.X", "N.Y", "N.Z")),
    ("Z", 0, ("Z",)),
    ("diffuse.G", 0, ("diffuse.G",)),
    ("beauty", 1, ("R", "G", "B", "A")),
    ("beauty.A", 1, ("A",)),
    ("matte.holdout", 2, ("Y",)),
])  # fmt: skip
def test_layers_are_found_by_name(tmp_path: Path, layer: str, part: int, channels: tuple[str, ...]) -> None:
    source = layered(tmp_path / "a.exr")
    with open_reader(source, layer) as reader:
        assert (reader.layer.part, reader.layer.channels) == (part, channels)
    before, after = planes(source), planes(write(tmp_path / "b.exr", read(source, layer)))
    assert all(same(one, other) for one, other in zip(before, after, strict=True))


def test_an_unknown_layer_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"has no layer 'difuse': --layer takes one of .*diffuse.*beauty"):
        open_reader(layered(tmp_path / "a.exr"), "difuse")
    only_depth = put(tmp_path / "z.exr", Made({"u": noise(FLOAT), "v": noise(FLOAT)}))
    with pytest.raises(MediaError, match=r"has no R, G and B, only u, v: --layer u --to-layer NAME paints one, as grey"):
        open_reader(only_depth)


def test_whole_numbers_are_no_colour(tmp_path: Path) -> None:
    source = put(tmp_path / "a.exr", Made({**light("RGB"), "id": noise(UINT)}))
    with pytest.raises(MediaError, match="holds whole numbers in 'id'"):
        open_reader(source, "id")


def test_a_new_layer_leaves_all_others_alone(tmp_path: Path) -> None:
    source = put(tmp_path / "a.exr", Made({**light("RGBA"), "Z": noise(FLOAT)}))
    frame = painted(read(source, to_layer="impasto"))
    before, after = planes(source)[0], planes(write(tmp_path / "b.exr", frame))[0]
    assert set(after) == {*before, "impasto.R", "impasto.G", "impasto.B", "impasto.A"}
    assert same(before, {name: after[name] for name in before})
    assert np.array_equal(read(tmp_path / "b.exr", "impasto").pixels, frame.pixels)


def test_a_long_name_for_a_new_layer_says_so_in_the_header(tmp_path: Path) -> None:
    name = "a_painting_that_goes_by_a_rather_long_name"
    source = put(tmp_path / "a.exr", Made(light("RGB")))
    target = write(tmp_path / "b.exr", read(source, to_layer=name))
    assert read_layout(target).flags & 0x400
    assert f"{name}.R" in planes(target)[0]


def test_grey_that_was_painted_becomes_colour_in_its_layer(tmp_path: Path) -> None:
    source = put(tmp_path / "a.exr", Made({**light(["matte.Y"]), "Z": noise(FLOAT)}))
    frame = read(source, "matte")
    coloured = frame.with_rgb(frame.rgb())
    after = planes(write(tmp_path / "b.exr", coloured))[0]
    assert set(after) == {"Z", "matte.R", "matte.G", "matte.B"}


def test_no_channel_is_lost_to_a_new_one(tmp_path: Path) -> None:
    source = put(tmp_path / "a.exr", Made({**light("RGB"), **light(["paint.R"])}))
    with pytest.raises(MediaError, match=r"has a layer 'paint' already: give --to-layer a name of its own"):
        write(tmp_path / "b.exr", read(source, to_layer="paint"))
    assert not (tmp_path / "b.exr").exists()


# ---------------------------------------------------------------- by rows


@pytest.mark.parametrize("tile", [None, (16, 16), (7, 5)])
def test_rows_are_those_of_the_whole(tmp_path: Path, tile: tuple[int, int] | None) -> None:
    source = put(tmp_path / "a.exr", Made({**light("RGBA", size=(53, 31)), "Z": noise(FLOAT, (53, 31))}, (5, -9), tile=tile))
    whole = read(source)
    write(tmp_path / "whole.exr", whole)
    with open_reader(source) as reader, open_writer(tmp_path / "rows.exr", reader.info) as writer:
        top = 0
        for count in (1, 16, 3, 32, 1):
            rows = reader.rows(top, top + count)
            assert np.array_equal(rows, whole.pixels[top : top + count])
            writer.write_rows(rows, reader.tags)
            rows[:] = 9  # a caller's memory is its own
            top += count
    assert (tmp_path / "rows.exr").read_bytes() == (tmp_path / "whole.exr").read_bytes()


def test_strips_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = store(tmp_path / "a.exr", np.dstack([EVERY_HALF] * 3), "zip")
    write(tmp_path / "one.exr", read(source))
    monkeypatch.setattr("impasto.media.exr.writer.STRIP_BYTES", 1)
    write(tmp_path / "many.exr", read(source))
    assert (tmp_path / "one.exr").read_bytes() == (tmp_path / "many.exr").read_bytes()


# ---------------------------------------------------------------- from elsewhere


@pytest.mark.parametrize(("dtype", "bits", "kind"), [
    (np.uint8, "auto", HALF), (np.uint16, "auto", HALF), (np.uint16, "float", FLOAT),
    (np.float32, "auto", FLOAT), (np.float32, "half", HALF), (np.float16, "float", FLOAT),
])  # fmt: skip
def test_other_pictures_become_plain_files(tmp_path: Path, dtype: type, bits: str, kind: str) -> None:
    unit = np.random.default_rng(0).random((9, 14, 3))
    pixels = (unit * np.iinfo(dtype).max).astype(dtype) if np.issubdtype(dtype, np.integer) else unit.astype(dtype)
    target = write(tmp_path / "a.exr", Frame(pixels), Encoding(bits=bits))  # type: ignore[arg-type]
    frame = read(target)
    assert str(frame.pixels.dtype) == kind
    assert np.abs(frame.pixels - unit).max() < 5e-3
    part = read_layout(target).parts[0]
    assert part.compression == "zip"
    assert [channel.name for channel in part.channels] == ["B", "G", "R"]


def test_alpha_is_multiplied_in_once(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 4), 255, np.uint8)
    pixels[..., 3] = 51
    frame = read(write(tmp_path / "a.exr", Frame(pixels)))
    assert frame.tags["premultiplied"]
    assert np.allclose(frame.pixels, 0.2, atol=1e-3)
    assert np.array_equal(read(write(tmp_path / "b.exr", frame)).pixels, frame.pixels)


def test_what_a_half_cannot_hold_is_as_bright_as_it_can(tmp_path: Path) -> None:
    pixels = np.float32([[[1e6, -1e6, np.inf]]])
    assert read(write(tmp_path / "a.exr", Frame(pixels), Encoding(bits="half"))).pixels.tolist() == [[[65504, -65504, np.inf]]]


def test_a_new_space_is_told_in_the_header(tmp_path: Path) -> None:
    chromaticities = (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329)
    target = write(tmp_path / "a.exr", Frame(np.zeros((2, 2, 3), np.float16), tags={"chromaticities": chromaticities}))
    with open_reader(target) as reader:
        assert reader.info.tags["chromaticities"] == pytest.approx(chromaticities)


REC2020 = (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329)
AP1 = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
WORDS = ("colorInteropID", "colorSpace", "colorspace", "oiio:ColorSpace")


def coloured(path: Path) -> Path:
    """A file that says in every way that it is ACEScg."""
    told = {"chromaticities": ("chromaticities", struct.pack("<8f", *AP1)), "owner": text("nobody")}
    return put(path, Made(light("RGB"), attributes={**told, **{word: text("ACEScg") for word in WORDS}}))


def said(path: Path) -> set[str]:
    return {name.decode() for name in read_layout(path).parts[0].attributes} & {"chromaticities", "owner", *WORDS}


@pytest.mark.parametrize(("tag", "expected"), [
    ({"chromaticities": None}, {"owner"}),
    ({"chromaticities": REC2020}, {"owner", "chromaticities"}),
    ({"chromaticities": AP1}, {"owner", "chromaticities", *WORDS}),
    ({}, {"owner", "chromaticities", *WORDS}),
])  # fmt: skip
@pytest.mark.parametrize("factor", [1, 2])
def test_the_header_says_no_more_of_colours_than_is_true(
    tmp_path: Path, tag: dict[str, object], expected: set[str], factor: int
) -> None:
    frame = read(coloured(tmp_path / "a.exr"))
    frame = replace(frame, pixels=frame.pixels[::factor, ::factor], tags={**frame.tags, **tag, "resized": factor})
    target = write(tmp_path / "b.exr", frame)
    assert said(target) == expected
    with open_reader(target) as reader:
        told = reader.info.tags.get("chromaticities")
    assert told == (pytest.approx(tag.get("chromaticities", AP1)) if "chromaticities" in expected else None)


def test_a_plain_file_of_no_known_primaries_names_none(tmp_path: Path) -> None:
    assert not said(write(tmp_path / "a.exr", Frame(np.zeros((2, 2, 3), np.float16), tags={"chromaticities": None})))


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_proxy_keeps_the_header_and_its_own_layer(tmp_path: Path, tile: tuple[int, int] | None, parts: int) -> None:
    kept = {
        "chromaticities": ("chromaticities", struct.pack("<8f", *AP1)),
        "pixelAspectRatio": ("float", struct.pack("<f", 2)),
        "timeCode": ("timecode", struct.pack("<II", 0x01234512, 0)),
        "owner": text("nobody"),
    }
    gone = {"preview": ("preview", struct.pack("<II", 1, 1) + b"abcd"), "cryptomatte/123/name": text("asset")}
    made = Made(
        {**light("RGBA", size=(21, 31)), "Z": noise(FLOAT, (21, 31))}, (-7, 5), (0, 0, 99, 50), tile,
        {**kept, **gone, **({"name": text("beauty")} if parts > 1 else {})},
    )  # fmt: skip
    more = [Made(light("RGB"), display=made.display, attributes={**kept, "name": text("more")})] * (parts - 1)
    source = put(tmp_path / "a.exr", made, *more)
    frame = read(source)
    small = replace(frame, pixels=np.ascontiguousarray(frame.pixels[::2, ::2]), tags={**frame.tags, "resized": 2})
    target = write(tmp_path / "b.exr", small)
    found = read_layout(target)
    assert (len(found.parts), found.parts[0].tile, found.flags) == (1, None, 2)
    attributes = {name.decode(): (kind.decode(), value) for name, (kind, value) in found.parts[0].attributes.items()}
    assert {name: attributes[name] for name in kept} == kept
    assert not attributes.keys() & {*gone, "tiles", "chunkCount"}
    assert found.parts[0].window == (-3, 3, 12, 13)
    assert found.parts[0].numbers(b"displayWindow", "4i") == (0, 0, 49, 25)
    again = read(target)
    assert np.array_equal(again.pixels, small.pixels)
    assert planes(target)[0].keys() == set("RGBA")


def test_a_proxy_of_another_size_is_refused(tmp_path: Path) -> None:
    frame = read(put(tmp_path / "a.exr", Made(light("RGB"))))
    with pytest.raises(MediaError, match="is 30x20, its source 10x7 at a proxy of 3"):
        write(tmp_path / "b.exr", replace(frame, tags={**frame.tags, "resized": 3}))


# ---------------------------------------------------------------- bad input


def one(**changes: object) -> bytes:
    return exr(Made(light("RGB"), **changes))  # type: ignore[arg-type]


def unfinished() -> bytes:
    data = bytearray(one())
    start = data.index(b"screenWindowWidth") + len(b"screenWindowWidth\0float\0") + 4 + 4 + 1
    data[start + 8 * 5 : start + 8 * 20] = bytes(8 * 15)
    return bytes(data)


def subsampled() -> bytes:
    return one().replace(struct.pack("<i4xii", 1, 1, 1), struct.pack("<i4xii", 1, 2, 2), 1)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is empty"),
    "text": (lambda: b"this is not a picture\n", "is not an OpenEXR picture"),
    "png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(60), "is not an OpenEXR picture"),
    "magic alone": (lambda: one()[:4], "is not an OpenEXR picture"),
    "version 3": (lambda: one()[:4] + b"\x03" + one()[5:], "version 3"),
    "cut in its header": (lambda: one()[:150], "cut short"),
    "cut in its table": (lambda: one()[:400], "cut short"),
    "cut in its pixels": (lambda: one()[:-900], "unfinished"),
    "unfinished": (unfinished, "unfinished (15 of its 20 blocks are missing)"),
    "no size": (lambda: one(window=(0, 0, -1, -1)), "has no picture of 0x0"),
    "inverted": (lambda: one(window=(9, 9, 0, 0)), "has no picture of -8x-8"),
    "huge": (lambda: one(window=(0, 0, 99999, 99999)), "make it smaller"),
    "wider than numbers": (lambda: one(window=(-(2**31), 0, 2**31 - 1, 0)), "make it smaller"),
    "far away": (lambda: one(window=(2**31 - 30, 0, 2**31 - 1, 19)), "where no picture is"),
    "tall promise": (lambda: one(window=(0, 0, 0, 2**28)), "far too short"),
    "no channels": (lambda: one(attributes={"channels": ("chlist", b"\0")}), "list of channels"),
    "broken channels": (lambda: one(attributes={"channels": ("chlist", b"R\0\1\0")}), "list of channels"),
    "no compression": (lambda: one(attributes={"compression": ("int", b"\0\0\0\0")}), "says nothing of compression"),
    "subsampled": (subsampled, "lower resolution"),
    "no tiles": (lambda: one(tile=(16, 16), attributes={"tiles": ("tiledesc", struct.pack("<IIB", 0, 0, 0))}), "tiles of 0x0"),
    "no parts": (lambda: b"\x76\x2f\x31\x01" + struct.pack("<I", 0x1002) + b"\0", "has no picture in it"),
    "header without end": (lambda: one()[:8] + b"x" * 400, "has no end"),
    "attribute of 2 GB": (lambda: one()[:8] + b"a\0b\0\xff\xff\xff\x7f" + bytes(90), "cut short"),
    "attribute of less than nothing": (lambda: one()[:8] + b"a\0b\0\xff\xff\xff\xff" + bytes(90), "cut short"),
    "unknown compression": (lambda: one(attributes={"compression": ("compression", b"\x63")}), "a.exr"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_end_in_one_clear_line(tmp_path: Path, name: str) -> None:
    make, expected = BAD[name]
    path = tmp_path / "a.exr"
    path.write_bytes(make())
    with pytest.raises(MediaError) as raised:
        read(path)
    message = str(raised.value)
    assert expected in message
    assert message.startswith(f"{path}: ")
    assert "\n" not in message


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no such file"):
        open_reader(tmp_path / "missing.exr")
    with pytest.raises(MediaError, match="is a folder"):
        open_reader(tmp_path)


def test_odd_headers_are_read(tmp_path: Path) -> None:
    many = {f"aov{index:04d}.R": np.full((2, 3), index, np.float16) for index in range(1000)}
    source = put(tmp_path / "many.exr", Made({**many, **light("RGB", size=(2, 3))}))
    assert same(planes(source)[0], planes(write(tmp_path / "b.exr", read(source)))[0])
    hostile = {"a\nb.R": noise(HALF), "x" * 250: noise(HALF), **light("RGB")}
    (tmp_path / "c.exr").write_bytes(exr(Made(hostile), flags=0x400))
    assert same(planes(tmp_path / "c.exr")[0], planes(write(tmp_path / "d.exr", read(tmp_path / "c.exr")))[0])
    with pytest.raises(MediaError) as raised:
        open_reader(tmp_path / "c.exr", "nothing")
    assert "\n" not in str(raised.value)


def test_damage_anywhere_ends_in_one_line_or_in_a_picture(tmp_path: Path) -> None:
    whole = exr(Made({**light("RGBA"), "Z": noise(FLOAT)}, tile=(16, 16)), Made(light("RGB")))
    dice = np.random.default_rng(0)
    path = tmp_path / "a.exr"
    passed = 0
    for _ in range(250):
        data = bytearray(whole[: dice.integers(1, len(whole))] if dice.random() < 0.3 else whole)
        for at in dice.integers(0, min(len(data), 1500), 3):
            data[at] = dice.integers(0, 256)
        path.write_bytes(bytes(data))
        with suppress(MediaError):
            read(path)
            passed += 1
    assert passed < 150


# ---------------------------------------------------------------- bad output


def test_a_source_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    source = put(tmp_path / "a.exr", Made(light("RGB")))
    frame = read(source)
    put(tmp_path / "a.exr", Made({**light("RGB"), **light(["Z"])}))
    with pytest.raises(MediaError, match="was changed while it was painted"):
        write(tmp_path / "b.exr", frame)
    assert [file.name for file in tmp_path.iterdir()] == ["a.exr"]


def test_another_size_cannot_carry_the_other_layers(tmp_path: Path) -> None:
    frame = read(put(tmp_path / "a.exr", Made(light("RGB"))))
    with pytest.raises(MediaError, match="is 15x10, its source 30x20"):
        write(tmp_path / "b.exr", replace(frame, pixels=frame.pixels[::2, ::2]))


def test_a_part_that_cannot_be_copied_leaves_nothing_behind(tmp_path: Path) -> None:
    source = put(tmp_path / "a.exr", *(Made(light("RGB"), attributes={"name": text(name)}) for name in ("one", "other")))
    data = bytearray(source.read_bytes())
    last = int(read_layout(source).offsets[0][0]) - 8  # the table's last entry stands before the first chunk
    data[last : last + 8] = struct.pack("<Q", len(data) - 2)
    source.write_bytes(data)
    with pytest.raises(MediaError, match="a chunk lies outside the file"):
        write(tmp_path / "b.exr", read(tmp_path / "a.exr"))
    assert [file.name for file in tmp_path.iterdir()] == ["a.exr"]


def test_what_exists_is_replaced_only_when_asked_to(tmp_path: Path) -> None:
    target = write(tmp_path / "a.exr", Frame(np.zeros((2, 2, 3), np.float16)))
    with pytest.raises(MediaError, match="exists already"):
        write(target, Frame(np.ones((2, 2, 3), np.float16)))
    write(target, Frame(np.ones((2, 2, 3), np.float16)), overwrite=True)
    assert read(target).pixels.min() == 1


def test_half_a_picture_gets_no_name(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_writer(tmp_path / "a.exr", ClipInfo(4, 4)) as writer:  # noqa: PT012
        writer.write_rows(np.zeros((2, 4, 3), np.float16), {})
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
