"""Stills: every value as it was, upright, and one clear line for whatever cannot be read or written."""
from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media import READERS, WRITERS, landing, list_pictures, open_reader, open_writer, stills
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


def write(path: Path, frame: Frame, overwrite: bool = False) -> None:
    height, width, channels = frame.pixels.shape
    with open_writer(path, ClipInfo(width, height, depth=str(frame.pixels.dtype), channels=channels), overwrite) as writer:
        writer.write(frame)


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
    "tiff of floats": ("a.tif", lambda: picture_bytes("TIFF", "F"), "float"),
    "tiff cut": ("a.tif", lambda: cut(picture_bytes("TIFF", compression="tiff_lzw")), "a.tif"),
    "tiff of a header alone": ("a.tif", lambda: b"II*\x00\x08\x00\x00\x00\x00\x00", "a.tif"),
    "tiff whose directory is itself": ("a.tif", lambda: b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00", "a.tif"),
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
    (lambda place: place, "is a folder"),
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
        (tmp_path, "has no suffix"),
        (tmp_path / "none" / "a.png", "create it first"),
        (there / "a.png", "is not a folder"),
        (tmp_path / "a.webp", "'.webp' files cannot be written"),
        (tmp_path / "a.mp4", "'.mp4' files cannot be written"),
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
    monkeypatch.setattr(landing, "_sync", lambda path: path.write_bytes(cut(path.read_bytes())) if path.is_file() else None)
    with pytest.raises(MediaError, match="cut short"):
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
