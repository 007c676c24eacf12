"""Stills: every value as it was, upright, and one clear line for whatever cannot be read or written."""
from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image, ImageCms

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media import READERS, WRITERS, landing, list_pictures, open_reader, open_writer, stills
from impasto.media.encoding import DEFAULT, Bits, Encoding
from impasto.media.landing import check_output, same_file

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def read(path: Path) -> Frame:
    with open_reader(path) as reader:
        frames = list(reader)
    assert len(frames) == 1
    height, width, channels = frames[0].pixels.shape
    assert (reader.info.width, reader.info.height, reader.info.channels) == (width, height, channels)
    assert reader.info.depth == str(frames[0].pixels.dtype)
    return frames[0]


def write(path: Path, frame: Frame, overwrite: bool = False, bits: object = None, encoding: Encoding = DEFAULT) -> None:
    height, width, channels = frame.pixels.shape
    like = ClipInfo(width, height, depth=str(frame.pixels.dtype), channels=channels, tags={"bits": bits} if bits else {})
    with open_writer(path, like, overwrite, encoding) as writer:
        writer.write(frame)


def bits_of(path: Path) -> object:
    with open_reader(path) as reader:
        return reader.info.tags["bits"]


def noise(channels: int, dtype: type = np.uint8, size: tuple[int, int] = (23, 31)) -> Pixels:
    rng = np.random.default_rng(channels)
    return rng.integers(0, np.iinfo(dtype).max, (*size, channels), dtype, endpoint=True)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def png(width: int = 3, height: int = 2, bits: int = 8, kind: int = 2, rows: bytes | None = None, extra: bytes = b"") -> bytes:
    """A PNG made by hand, so that it can be made wrong."""
    data = zlib.compress(bytes(height * (1 + width * 3)) if rows is None else rows)
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def picture_bytes(form: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(noise(3, size=(64, 96))).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112], made[0x010F], made[0x8298] = orientation, "A maker", "Somebody"
    return made


def empty(folder: Path) -> bool:
    return not list(folder.iterdir())


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_value_survives(tmp_path: Path, channels: int, dtype: type, suffix: str) -> None:
    pixels = noise(channels, dtype)
    if channels in (2, 4):
        pixels[:9, :, -1] = 0  # colour under nothing must survive too
    write(tmp_path / f"one{suffix}", Frame(pixels))
    first = read(tmp_path / f"one{suffix}")
    write(tmp_path / f"two{suffix}", first)
    second = read(tmp_path / f"two{suffix}")
    for found in (first, second):
        assert found.pixels.dtype == dtype
        assert np.array_equal(found.pixels, pixels)


def test_another_reader_sees_the_same(tmp_path: Path) -> None:
    pixels = noise(4)
    write(tmp_path / "a.png", Frame(pixels))
    with Image.open(tmp_path / "a.png") as other:
        assert np.array_equal(np.asarray(other), pixels)


def test_palette_bits_and_transparent_colours_become_plain_values(tmp_path: Path) -> None:
    rgb = Image.fromarray(noise(3))
    palette = rgb.convert("P")
    palette.save(tmp_path / "palette.png")
    palette.save(tmp_path / "clear.png", transparency=5)
    rgb.convert("1").save(tmp_path / "bits.png")
    assert np.array_equal(read(tmp_path / "palette.png").pixels, np.asarray(palette.convert("RGB")))
    clear = read(tmp_path / "clear.png").pixels
    assert clear.shape[2] == 4
    assert np.array_equal(clear[..., 3] == 0, np.asarray(palette) == 5)
    bits = read(tmp_path / "bits.png").pixels
    assert bits.shape[2] == 1
    assert set(np.unique(bits)) == {0, 255}


def test_jpeg_is_written_finely(tmp_path: Path) -> None:
    yy, xx = np.mgrid[:64, :96]
    smooth = np.dstack([xx * 2, yy * 3, 255 - xx]).astype(np.uint8)
    smooth[:, 48:] = (220, 30, 40)
    smooth[:, 49::2] = (30, 40, 220)  # columns of two colours: gone if colour were stored at half size
    write(tmp_path / "a.jpg", Frame(smooth))
    found = read(tmp_path / "a.jpg").pixels
    assert np.abs(found.astype(int) - smooth).mean() < 4
    with Image.open(tmp_path / "a.jpg") as other:
        assert other.layer[0][1:3] == other.layer[1][1:3] == (1, 1)  # sampling factors of luma and chroma


def test_deep_values_in_a_jpeg_are_rounded_not_cut(tmp_path: Path) -> None:
    deep = np.full((16, 16, 3), 257 * 100 + 200, np.uint16)  # nearer to 101
    write(tmp_path / "a.jpg", Frame(deep))
    assert np.abs(read(tmp_path / "a.jpg").pixels.astype(int) - 101).max() <= 1


def test_webp_is_written_without_loss_unless_less_will_do(tmp_path: Path) -> None:
    pixels = noise(4)
    pixels[:9, :, 3] = 0  # colour under nothing
    write(tmp_path / "a.webp", Frame(pixels, tags={"icc": PROFILE}))
    assert np.array_equal(read(tmp_path / "a.webp").pixels, pixels)
    assert read(tmp_path / "a.webp").tags["icc"] == PROFILE
    smooth = np.kron(noise(3, size=(4, 6)), np.ones((16, 16, 1), np.uint8))
    for quality in ("high", "draft"):
        write(tmp_path / f"{quality}.webp", Frame(smooth), encoding=Encoding(quality=quality))
    assert not np.array_equal(read(tmp_path / "draft.webp").pixels, smooth)
    write(tmp_path / "grey.webp", Frame(noise(2)))
    assert np.array_equal(read(tmp_path / "grey.webp").pixels, noise(2)[..., [0, 0, 0, 1]])


def test_the_quality_of_a_jpeg_is_chosen(tmp_path: Path) -> None:
    sizes = []
    for quality in ("lossless", "high", "medium", "draft"):
        write(tmp_path / f"{quality}.jpg", Frame(noise(3, size=(64, 64))), encoding=Encoding(quality=quality))
        sizes.append((tmp_path / f"{quality}.jpg").stat().st_size)
    assert sizes == sorted(sizes, reverse=True)
    write(tmp_path / "half.jpg", Frame(noise(3, size=(64, 64))), encoding=Encoding(chroma="420"))
    with Image.open(tmp_path / "half.jpg") as other:
        assert other.layer[0][1:3] == (2, 2)


@pytest.mark.parametrize("kind", ["half", "float"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_floats_survive_in_a_tiff(tmp_path: Path, kind: str, channels: int) -> None:
    pixels = np.random.default_rng(1).normal(0, 40, (23, 31, channels)).astype("float16" if kind == "half" else "float32")
    pixels[0, :3] = np.array([np.nan, np.inf, -np.inf])[:, None]
    write(tmp_path / "a.tif", Frame(pixels))
    found = read(tmp_path / "a.tif").pixels
    assert found.dtype == pixels.dtype
    assert np.array_equal(found.view(f"u{found.itemsize}"), pixels.view(f"u{found.itemsize}"))
    assert bits_of(tmp_path / "a.tif") == kind


# ---------------------------------------------------------------- DPX


def levels(bits: int, channels: int = 3) -> Pixels:
    """Every level of so many bits, as a decoder gives them."""
    step = 1 if bits <= 12 else 16
    found = np.arange(0, 1 << bits, step, dtype=np.uint32)
    spread = found << (16 - bits) | found >> max(0, 2 * bits - 16)
    return np.repeat(spread.astype(np.uint16).reshape(-1, 64, 1), channels, axis=2)


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_level_of_a_dpx_comes_back(tmp_path: Path, bits: int, channels: int) -> None:
    write(tmp_path / "a.dpx", Frame(levels(bits, channels)), bits=bits)
    assert bits_of(tmp_path / "a.dpx") == bits
    first = read(tmp_path / "a.dpx")
    write(tmp_path / "b.dpx", first, bits=bits)
    assert np.array_equal(first.pixels, levels(bits, channels))
    assert np.array_equal(read(tmp_path / "b.dpx").pixels, first.pixels)


@pytest.mark.parametrize("width", [61, 62, 63, 64])
def test_alpha_at_the_end_of_a_dpx_row(tmp_path: Path, width: int) -> None:
    pixels = np.random.default_rng(3).permutation(levels(10, 4).reshape(-1))[: 16 * width * 4].reshape(16, width, 4)
    write(tmp_path / "a.dpx", Frame(pixels), bits=10)
    with open_reader(tmp_path / "a.dpx") as reader:
        assert isinstance(reader, stills.StillReader)
        assert np.array_equal(reader.rows(5, 11), pixels[5:11])


def test_ten_bits_lie_in_the_file_as_they_should(tmp_path: Path) -> None:
    write(tmp_path / "a.dpx", Frame(levels(10)), bits=10)
    data = (tmp_path / "a.dpx").read_bytes()
    order = ">" if data[:4] == b"SDPX" else "<"
    words = np.frombuffer(data, f"{order}u4", 1024, struct.unpack_from(f"{order}I", data, 4)[0])
    for shift in (22, 12, 2):
        assert np.array_equal(words >> shift & 1023, np.arange(1024))


def test_a_dpx_keeps_its_film_data(tmp_path: Path) -> None:
    attributes = {
        "dpx:TimeCode": ("string", "01:00:10:12"), "dpx:FrameRate": ("float", 23.976), "dpx:FrameId": ("string", "77"),
        "dpx:Transfer": ("string", "Printing density"), "dpx:Colorimetric": ("string", "Printing density"),
        "dpx:InputDevice": ("string", "scanner 3"), "dpx:SlateInfo": ("string", "12A/3"), "dpx:FramePosition": ("uint", 7),
        "PixelAspectRatio": ("float", 2.0),
    }  # fmt: skip
    write(tmp_path / "a.dpx", Frame(levels(10), tags={"attributes": attributes}), bits=10)
    write(tmp_path / "b.dpx", read(tmp_path / "a.dpx"), bits=10)
    for name in ("a.dpx", "b.dpx"):
        found = read(tmp_path / name).tags["attributes"]
        for each, (_, value) in attributes.items():
            assert found[each][1] == (value if isinstance(value, str) else pytest.approx(value))
        with open_reader(tmp_path / name) as reader:
            assert reader.info.fps == Fraction(24000, 1001)
            assert reader.info.tags["timecode"] == "01:00:10:12"
            assert reader.info.tags["transfer"] == "Printing density"
    write(tmp_path / "c.png", read(tmp_path / "a.dpx"), bits=10)
    assert not [name for name in read(tmp_path / "c.png").tags["attributes"] if name.startswith("dpx:")]


# ---------------------------------------------------------------- depths


@pytest.mark.parametrize(("name", "dtype", "told", "expected"), [
    ("a.png", np.uint16, 10, 16), ("a.tif", np.uint16, 12, 16), ("a.dpx", np.uint16, 12, 12), ("a.dpx", np.uint8, None, 8),
    ("a.png", np.float32, "float", 16), ("a.dpx", np.float16, "half", 16), ("a.jpg", np.float32, "float", 8),
    ("a.tif", np.float16, "half", "half"),
])  # fmt: skip
def test_the_depth_of_the_source_is_kept_where_it_can_be(
    tmp_path: Path, name: str, dtype: type, told: object, expected: object
) -> None:
    pixels = np.full((4, 5, 3), 0.5 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max // 2).astype(dtype)
    write(tmp_path / name, Frame(pixels), bits=told)
    assert bits_of(tmp_path / name) == expected


@pytest.mark.parametrize(("name", "bits", "expected"), [
    ("a.png", "16", noise(3).astype(np.uint16) * 257),
    ("a.tif", "8", noise(3)),
    ("a.tif", "float", noise(3).astype(np.float32) / 255),
])  # fmt: skip
def test_a_depth_can_be_chosen(tmp_path: Path, name: str, bits: Bits, expected: Pixels) -> None:
    write(tmp_path / name, Frame(noise(3)), encoding=Encoding(bits=bits))
    found = read(tmp_path / name).pixels
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(("name", "bits", "held"), [
    ("a.png", "10", "8 or 16"), ("a.jpg", "16", "8"), ("a.webp", "16", "8"), ("a.tif", "12", "8 or 16 or half or float"),
    ("a.dpx", "half", "8 or 10 or 12 or 16"),
])  # fmt: skip
def test_a_depth_that_a_format_lacks_is_refused_before_work(tmp_path: Path, name: str, bits: Bits, held: str) -> None:
    with pytest.raises(MediaError, match=f"holds {held} bits, not {bits}: choose one of those"):
        open_writer(tmp_path / name, ClipInfo(4, 4), encoding=Encoding(bits=bits))
    assert empty(tmp_path)


def test_a_picture_too_large_for_its_format_is_refused_before_work(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"a \.webp file is at most 16383 pixels each way, and this is 20000x10: write a \.tif"):
        open_writer(tmp_path / "a.webp", ClipInfo(20000, 10))


# ---------------------------------------------------------------- by rows


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg", ".webp", ".dpx"])
def test_rows_are_those_of_the_whole(tmp_path: Path, suffix: str) -> None:
    whole = noise(3, size=(100, 61))
    write(tmp_path / f"a{suffix}", Frame(whole))
    expected = read(tmp_path / f"a{suffix}")
    with open_reader(tmp_path / f"a{suffix}") as reader:
        assert isinstance(reader, stills.StillReader)
        assert reader.by_rows == (suffix != ".webp")
        for top, bottom in ((0, 40), (25, 70), (70, 100), (3, 4)):
            assert np.array_equal(reader.rows(top, bottom), expected.pixels[top:bottom])
    writer = open_writer(tmp_path / f"b{suffix}", ClipInfo(61, 100))
    assert isinstance(writer, stills.StillWriter)
    with writer:
        for top, bottom in ((0, 1), (1, 64), (64, 100)):
            writer.write_rows(whole[top:bottom], expected.tags)
    assert np.array_equal(read(tmp_path / f"b{suffix}").pixels, expected.pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rows_of_a_picture_that_does_not_stand_upright(tmp_path: Path, orientation: int) -> None:
    Image.fromarray(noise(3)).save(tmp_path / "a.tif", exif=exif(orientation))
    with open_reader(tmp_path / "a.tif") as reader:
        assert isinstance(reader, stills.StillReader)
        whole = np.concatenate([reader.rows(top, min(top + 7, reader.info.height)) for top in range(0, reader.info.height, 7)])
    assert np.array_equal(whole, read(tmp_path / "a.tif").pixels)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("tile", [0, 16])
def test_tiles_and_planes_of_a_tiff(tmp_path: Path, tile: int, planar: str) -> None:
    whole = noise(4, np.uint16, (50, 61))
    spec = oiio.ImageSpec(61, 50, 4, "uint16")
    for name, value in {"planarconfig": planar, "oiio:UnassociatedAlpha": 1, "XPosition": 2.0, "YPosition": 3.0}.items():
        spec.attribute(name, value)
    spec.tile_width = spec.tile_height = tile
    output = oiio.ImageOutput.create("a.tif")
    assert output.open(str(tmp_path / "a.tif"), spec)
    assert output.write_image(whole)
    assert output.close()
    with open_reader(tmp_path / "a.tif") as reader:
        assert isinstance(reader, stills.StillReader)
        for top, bottom in ((0, 50), (5, 33), (31, 32), (33, 50)):
            assert np.array_equal(reader.rows(top, bottom), whole[top:bottom])


def test_a_picture_that_lacks_rows_is_not_delivered(tmp_path: Path) -> None:
    def unfinished() -> None:
        writer = stills.StillWriter(tmp_path / "a.tif", ClipInfo(31, 23))
        with writer:
            writer.write_rows(noise(3)[:9], {})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unfinished()
    assert empty(tmp_path)


# ---------------------------------------------------------------- what is carried along


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_come_upright_and_stay_so(tmp_path: Path, orientation: int, suffix: str) -> None:
    blocks = np.kron(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40, np.ones((16, 16), np.uint8))
    stored = Image.fromarray(np.dstack([blocks] * 3))
    stored.save(tmp_path / f"a{suffix}", exif=exif(orientation), **({"quality": 100} if suffix == ".jpg" else {}))
    from PIL import ImageOps

    with Image.open(tmp_path / f"a{suffix}") as other:
        expected = np.asarray(ImageOps.exif_transpose(other).convert("RGB"))
    frame = read(tmp_path / f"a{suffix}")
    assert frame.pixels.shape == expected.shape
    assert np.abs(frame.pixels.astype(int) - expected).max() <= 3
    write(tmp_path / "again.png", frame)
    assert np.array_equal(read(tmp_path / "again.png").pixels, frame.pixels)
    with Image.open(tmp_path / "again.png") as other:
        assert other.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_profile_resolution_and_exif_are_kept(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(noise(3)).save(tmp_path / f"a{suffix}", icc_profile=PROFILE, dpi=(300, 150), exif=exif(1))
    frame = read(tmp_path / f"a{suffix}")
    assert frame.tags["icc"] == PROFILE
    assert frame.tags["dpi"] == pytest.approx((300, 150), abs=0.1)
    write(tmp_path / f"b{suffix}", frame)
    with Image.open(tmp_path / f"b{suffix}") as other:
        assert other.info["icc_profile"] == PROFILE
        assert other.info["dpi"] == pytest.approx((300, 150), abs=0.1)
        assert other.getexif()[0x8298] == "Somebody"


def test_a_quarter_turn_turns_the_resolution_too(tmp_path: Path) -> None:
    Image.fromarray(noise(3)).save(tmp_path / "a.jpg", dpi=(300, 150), exif=exif(6))
    assert read(tmp_path / "a.jpg").tags["dpi"] == pytest.approx((150, 300), abs=0.1)


def test_a_grey_profile_does_not_describe_colours(tmp_path: Path) -> None:
    grey = PROFILE[:16] + b"GRAY" + PROFILE[20:]
    write(tmp_path / "a.png", Frame(noise(3), tags={"icc": grey}))
    assert "icc" not in read(tmp_path / "a.png").tags


# ---------------------------------------------------------------- bad input


def cut(data: bytes, part: float = 0.5) -> bytes:
    return data[: int(len(data) * part)]


def flipped(data: bytes, at: float = 0.6) -> bytes:
    damaged = bytearray(data)
    damaged[int(len(data) * at)] ^= 0x55
    return bytes(damaged)


def dpx(width: int = 64, height: int = 16, bits: int = 10) -> bytes:
    """A DPX by hand: big-endian RGB, three 10-bit values in each word."""
    header = bytearray(2048)
    header[:16] = struct.pack(">4sI8s", b"SDPX", 2048, b"V2.0")
    header[16:36] = struct.pack(">IIIII", 2048 + 64 * 16 * 4, 1, 1664, 384, 0)
    header[768:780] = struct.pack(">HHII", 0, 1, width, height)
    header[800:812] = struct.pack(">BBBBHHI", 50, 1, 1, bits, 1, 0, 2048)
    return bytes(header) + bytes(64 * 16 * 4)


GREY_JPEG_65500 = bytes.fromhex("ffd8ffc0000b08ffdcffdc01011100ffda0008010100003f00") + b"\x00" * 64 + b"\xff\xd9"
BAD: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty png": ("a.png", lambda: b"", "is empty"),
    "empty jpeg": ("a.jpg", lambda: b"", "is empty"),
    "text as png": ("a.png", lambda: b"hello, I am not a picture\n", "is text"),
    "text as jpeg": ("a.jpeg", lambda: "schön, aber kein Bild\n".encode() * 50, "is text"),
    "svg as png": ("a.png", lambda: b'<?xml version="1.0"?><svg xmlns="x"/>', "SVG"),
    "bare svg": ("a.jpg", lambda: b'<svg width="10"/>', "SVG"),
    "eps as png": ("a.png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n", "EPS"),
    "pdf as jpeg": ("a.jpg", lambda: b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    "gif as png": ("a.png", lambda: picture_bytes("GIF"), "GIF"),
    "bmp as jpeg": ("a.jpg", lambda: picture_bytes("BMP"), "BMP"),
    "zip as png": ("a.png", lambda: b"PK\x03\x04" + bytes(60), "zip"),
    "photoshop as png": ("a.png", lambda: b"8BPS\x00\x01" + bytes(60), "Photoshop"),
    "film as jpeg": ("a.jpg", lambda: b"\x00\x00\x00\x18ftypisom" + bytes(60), "film"),
    "zeros as png": ("a.png", lambda: bytes(1000), "unknown kind"),
    "noise as png": ("a.png", lambda: np.random.default_rng(0).bytes(4000), "unknown kind"),
    "signature alone": ("a.png", lambda: b"\x89PNG\r\n\x1a\n", "cut short"),
    "png cut in a chunk": ("a.png", lambda: cut(picture_bytes("PNG")), "cut short"),
    "png without an end": ("a.png", lambda: picture_bytes("PNG")[:-12], "cut short"),
    "png cut in its header": ("a.png", lambda: picture_bytes("PNG")[:20], "cut short"),
    "png with a flipped bit": ("a.png", lambda: flipped(picture_bytes("PNG")), "checksum"),
    "png chunk that claims 4 GB": ("a.png", lambda: b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR" + bytes(40), "cut short"),
    "png that begins with data": ("a.png", lambda: png()[:8] + chunk(b"IDAT", b"x") + chunk(b"IEND", b""), "no PNG header"),
    "png of 0x0": ("a.png", lambda: png(0, 0), "0x0"),
    "png of no height": ("a.png", lambda: png(5, 0), "5x0"),
    "png bomb": ("a.png", lambda: png(20000, 20000, rows=bytes(4000)), "far too little"),
    "png of 60000x60000": ("a.png", lambda: png(60000, 60000, 1, 0, np.random.default_rng(0).bytes(500_000)), "make it smaller"),
    "png of 2 billion columns": ("a.png", lambda: png(2**31 - 1, 1, rows=bytes(9)), "far too little"),
    "png of a colour type that is none": ("a.png", lambda: png(kind=5), "no PNG header"),
    "png without its palette": ("a.png", lambda: png(kind=3, rows=bytes(8)), "no palette"),
    "png with too few rows": ("a.png", lambda: png(30, 300, rows=bytes(91)), "damaged"),
    "png whose data is no zlib": ("a.png", lambda: png(40, 2).replace(
        chunk(b"IDAT", zlib.compress(bytes(242))), chunk(b"IDAT", b"not compressed at all")), "damaged"),
    "jpeg cut in half": ("a.jpg", lambda: cut(picture_bytes("JPEG")), "damaged"),
    "jpeg cut near its end": ("a.jpg", lambda: cut(picture_bytes("JPEG"), 0.95), "damaged"),
    "jpeg without an end": ("a.jpg", lambda: picture_bytes("JPEG")[:-2], "damaged"),
    "jpeg cut in its header": ("a.jpg", lambda: cut(picture_bytes("JPEG"), 0.02), "a.jpg"),
    "jpeg of a beginning alone": ("a.jpg", lambda: b"\xff\xd8\xff\xe0", "cannot be read"),
    "progressive jpeg cut": ("a.jpg", lambda: cut(picture_bytes("JPEG", progressive=True)), "damaged"),
    "jpeg of 65500x65500": ("a.jpg", lambda: GREY_JPEG_65500, "malicious header"),
    "cmyk jpeg": ("a.jpg", lambda: picture_bytes("JPEG", "CMYK"), "CMYK"),
    "cmyk tiff": ("a.tif", lambda: picture_bytes("TIFF", "CMYK"), "CMYK"),
    "tiff of 32-bit integers": ("a.tif", lambda: picture_bytes("TIFF", "I"), "save it with 8 or 16 bits"),
    "tiff cut": ("a.tif", lambda: cut(picture_bytes("TIFF", compression="tiff_lzw")), "a.tif"),
    "tiff of a header alone": ("a.tif", lambda: b"II*\x00\x08\x00\x00\x00\x00\x00", "a.tif"),
    "tiff whose directory is itself": ("a.tif", lambda: b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00", "a.tif"),
    "dpx cut": ("a.dpx", lambda: cut(dpx()), "get the whole file"),
    "dpx cut near its end": ("a.dpx", lambda: dpx()[:-40], "a.dpx"),
    "dpx of a header alone": ("a.dpx", lambda: dpx()[:1024], "get the whole file"),
    "dpx cut in its header": ("a.dpx", lambda: dpx()[:100], "is cut short"),
    "dpx of 60000x60000": ("a.dpx", lambda: dpx(60000, 60000), "holds too little for that"),
    "dpx of 0x0": ("a.dpx", lambda: dpx(0, 0), "a.dpx"),
    "dpx of 9 bits": ("a.dpx", lambda: dpx(bits=9), "holds 9 bits per value: save it with 8, 10, 12 or 16"),
    "text as dpx": ("a.dpx", lambda: b"hello", "is text"),
    "empty webp": ("a.webp", lambda: b"", "is empty"),
    "webp cut": ("a.webp", lambda: cut(picture_bytes("WEBP")), "a.webp"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_pictures_end_in_one_clear_line(tmp_path: Path, name: str) -> None:
    file, make, expected = BAD[name]
    (tmp_path / file).write_bytes(make())
    with pytest.raises(MediaError) as raised:
        read(tmp_path / file)
    message = str(raised.value)
    assert expected in message
    assert message.startswith(f"{tmp_path / file}: ")
    assert "\n" not in message
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(("make", "expected"), [
    (lambda place: place / "missing.png", "no such file"),
    (lambda place: place, "holds no pictures"),
    (lambda place: place / "picture", "has no suffix"),
    (lambda place: place / "scene.obj", "'.obj' files cannot be read: use one of .png"),
    (lambda place: place / ("x" * 300 + ".png"), "cannot be read"),
    (lambda place: place / "a\0b.png", "cannot be a file's name"),
])  # fmt: skip
def test_what_is_not_there_is_said(tmp_path: Path, make: Callable[[Path], Path], expected: str) -> None:
    with pytest.raises(MediaError, match=expected):
        open_reader(make(tmp_path))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(MediaError, match="is not a file"):
        open_reader(tmp_path / "pipe.png")


def test_harmless_oddities_are_read(tmp_path: Path) -> None:
    (tmp_path / "tail.png").write_bytes(picture_bytes("PNG") + b"appended by some tool")
    (tmp_path / "tail.jpg").write_bytes(picture_bytes("JPEG") + b"appended by some tool")
    (tmp_path / "misnamed.png").write_bytes(picture_bytes("JPEG"))
    (tmp_path / "text.png").write_bytes(png(extra=chunk(b"tEXt", b"Comment\x00hello")))
    for file in tmp_path.iterdir():
        assert read(file).pixels.shape[2] == 3
    Image.fromarray(noise(3)).save(tmp_path / "a.webp", lossless=True)
    assert np.array_equal(read(tmp_path / "a.webp").pixels, noise(3))


# ---------------------------------------------------------------- bad output


def test_outputs_are_refused_before_work(tmp_path: Path) -> None:
    there = tmp_path / "there.png"
    there.write_bytes(b"precious")
    like = ClipInfo(4, 4)
    for path, expected in [
        (there, "exists already: --overwrite replaces it"),
        (tmp_path, "is a folder: name the frames in it by a pattern"),
        (tmp_path / "none" / "a.png", "create it first"),
        (there / "a.png", "is not a folder"),
        (tmp_path / "a.gif", "'.gif' files cannot be written"),
    ]:
        with pytest.raises(MediaError, match=expected):
            open_writer(path, like)
    with pytest.raises(MediaError, match=r"write a \.png"):
        open_writer(tmp_path / "a.jpg", ClipInfo(4, 4, channels=4))
    with pytest.raises(MediaError, match="is a folder"):
        check_output(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["there.png"]
    assert there.read_bytes() == b"precious"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_forbids_writing_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(MediaError, match="does not allow it"):
        open_writer(tmp_path / "a.png", ClipInfo(4, 4))


def test_overwriting_needs_the_word(tmp_path: Path) -> None:
    write(tmp_path / "a.png", Frame(noise(3)))
    other = noise(3)[::-1].copy()
    write(tmp_path / "a.png", Frame(other), overwrite=True)
    assert np.array_equal(read(tmp_path / "a.png").pixels, other)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_name_appears_only_when_all_is_written(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.png", ClipInfo(31, 23)) as writer:
        writer.write(Frame(noise(3)))
        assert not (tmp_path / "a.png").exists()
        assert list_pictures(tmp_path) == []  # the unfinished file is hidden
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_nothing_is_left_of_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped() -> None:
        with open_writer(tmp_path / "a.png", ClipInfo(31, 23)) as writer:
            writer.write(Frame(noise(3)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert empty(tmp_path)
    for fault in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(landing.os, fault, _full_disk)
            with pytest.raises(MediaError, match="no space left"):
                write(tmp_path / "a.png", Frame(noise(3)))
        assert empty(tmp_path)


def _full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_that_does_not_read_back_is_not_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "sync", lambda path: path.write_bytes(cut(path.read_bytes())) if path.is_file() else None)
    with pytest.raises(MediaError, match="was not written rightly: is the disk full"):
        write(tmp_path / "a.png", Frame(noise(3)))
    assert empty(tmp_path)


def test_abort_removes_what_was_begun(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.tif", ClipInfo(31, 23))
    writer.write(Frame(noise(3)))
    writer.abort()
    assert empty(tmp_path)


def test_one_file_under_two_names_is_known(tmp_path: Path) -> None:
    one = tmp_path / "one.png"
    write(one, Frame(noise(3)))
    (tmp_path / "link.png").symlink_to(one)
    assert same_file(one, tmp_path / "link.png")
    assert same_file(one, tmp_path / "x" / ".." / "one.png") or not (tmp_path / "x").exists()
    assert same_file(tmp_path / "new.png", str(tmp_path / "new.png"))
    assert not same_file(one, tmp_path / "new.png")


# ---------------------------------------------------------------- the table


def test_pictures_are_listed_as_people_count(tmp_path: Path) -> None:
    names = ["shot10.png", "Shot2.PNG", "shot1.jpg", "a.tiff", "notes.txt", ".hidden.png", "shot٣.png", "b²1.png"]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    found = [path.name for path in list_pictures(tmp_path)]
    assert found == ["a.tiff", "b²1.png", "shot1.jpg", "Shot2.PNG", "shot٣.png", "shot10.png"]
    with pytest.raises(MediaError, match="no such file or directory"):
        list_pictures(tmp_path / "none")


def test_every_format_that_is_written_is_read() -> None:
    assert set(WRITERS) <= set(READERS)
    assert {WRITERS[suffix] for suffix in stills.JPEG} == {stills.__name__}


def test_the_table_loads_no_library() -> None:
    import subprocess
    import sys

    code = "import sys, impasto.media; sys.exit(bool({'OpenImageIO', 'cv2', 'PIL', 'impasto.media.stills'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
