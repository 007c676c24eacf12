"""Codecs: what auto means, what each takes, and one line with a remedy for what cannot be."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.encoding import Encoding
from impasto.media.video import open_reader, open_writer
from impasto.media.video.codecs import KINDS, check, choose
from impasto.media.video.yuv import Signal
from tests.media.video.movies import apart, chart, like, psnr, read

CASES = [
    (codec, kind.suffixes[0], bits, chroma)
    for codec, kind in KINDS.items()
    for bits in kind.bits
    for chroma in kind.chroma
    if (codec, bits, chroma) != ("dnxhr", 8, "444")
] + [(codec, suffix, kind.bits[0], kind.chroma[0]) for codec, kind in KINDS.items() for suffix in kind.suffixes[1:]]
CASES.remove(("ffv1", ".avi", 8, "420"))  # it is RGB there


def written(path: Path, picture: Pixels, encoding: Encoding, count: int = 3, **tags: Any) -> list[Pixels]:
    """Write a still shot, and read it again."""
    with open_writer(path, like([picture], **tags), encoding=encoding) as writer:
        for number in range(count):
            writer.write(Frame(picture, number))
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    frames = [frame.pixels for frame in read(path)]
    assert len(frames) == count
    return frames


@pytest.mark.parametrize(("codec", "suffix", "bits", "chroma"), CASES)
def test_every_codec_in_its_containers(tmp_path: Path, codec: Any, suffix: str, bits: int, chroma: Any) -> None:
    picture = chart(256, 128, np.uint8 if bits == 8 else np.uint16, patch=64)
    encoding = Encoding(codec, "high", chroma, str(bits))  # type: ignore[arg-type]
    frames = written(tmp_path / f"out{suffix}", picture, encoding)
    with open_reader(tmp_path / f"out{suffix}") as reader:
        tags = reader.info.tags
    assert (tags["bits"] >= bits, tags["chroma"], tags["colour"]) == (True, chroma, Signal())
    assert frames[0].dtype == picture.dtype
    inner = np.zeros((128, 256), bool)
    for row in range(8, 80, 64):
        for column in range(8, 256, 64):
            inner[row : row + 40, column : column + 48] = True
    assert apart(frames[-1][inner], picture[inner])[0] < 1.5  # the patches; at their rims chroma mixes


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "ffv1"])
def test_lossless_keeps_a_chart(tmp_path: Path, codec: Any) -> None:
    picture = chart(192, 128)
    mean, most = apart(written(tmp_path / "out.mkv", picture, Encoding(codec, "lossless"))[1], picture)
    assert (mean, most) == (0, 0) if codec == "ffv1" else (mean <= 1 and most <= 3)


def test_sixteen_bits_survive_ffv1(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 65536, (40, 50, 3), np.uint16)
    np.testing.assert_array_equal(written(tmp_path / "out.mkv", picture, Encoding("ffv1", "lossless"))[2], picture)


def test_the_default_is_without_visible_loss(tmp_path: Path) -> None:
    source = written(tmp_path / "source.mkv", chart(320, 240, patch=40), Encoding("ffv1", "high"), chroma="420")[0]
    (tmp_path / "source.mkv").unlink()
    assert psnr(written(tmp_path / "out.mp4", source, Encoding(), count=8)[4], source) > 42


@pytest.mark.parametrize("suffix", [".mov", ".webm", ".mkv", ".avi"])
def test_alpha_is_kept(tmp_path: Path, suffix: str) -> None:
    alpha = np.linspace(0, 255, 96).round().astype(np.uint8)[None].repeat(64, 0)
    picture = np.dstack([np.full((64, 96, 3), (200, 40, 90), np.uint8), alpha])
    frame = written(tmp_path / f"out{suffix}", picture, Encoding())[1]
    eight = (frame >> 8).astype(np.uint8) if frame.dtype == np.uint16 else frame
    assert frame.shape[2] == 4
    assert apart(eight[..., 3], alpha)[1] <= (3 if suffix == ".webm" else 1)
    assert apart(eight[..., :3], picture[..., :3])[1] <= 5


@pytest.mark.parametrize(("width", "height"), [(33, 25), (32, 25), (33, 24), (16, 16)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm", ".avi"])
def test_odd_sizes_come_back(tmp_path: Path, width: int, height: int, suffix: str) -> None:
    picture = chart(width, height, patch=8)
    frames = written(tmp_path / f"out{suffix}", picture, Encoding(), chroma="420")
    assert frames[0].shape == picture.shape


AUTO = [
    (".mp4", "uint8", 3, {}, "high", ("libx264", "yuv420p")),
    (".mp4", "uint8", 3, {"chroma": "422"}, "high", ("libx264", "yuv422p")),
    (".mp4", "uint16", 3, {"bits": 10, "chroma": "422"}, "high", ("libx265", "yuv422p10le")),
    (".mov", "uint16", 3, {"bits": 12, "chroma": "444"}, "high", ("libx265", "yuv444p12le")),
    (".mov", "uint16", 3, {}, "high", ("libx265", "yuv420p10le")),
    (".mov", "float16", 3, {}, "high", ("libx265", "yuv420p10le")),
    (".webm", "uint8", 3, {}, "high", ("libvpx-vp9", "yuv420p")),
    (".webm", "uint16", 3, {"bits": 10}, "high", ("libsvtav1", "yuv420p10le")),
    (".avi", "uint16", 3, {"bits": 10}, "high", ("ffv1", "gbrp10le")),
    (".mkv", "uint8", 3, {}, "lossless", ("ffv1", "bgr0")),
    (".mkv", "uint16", 3, {"bits": 10}, "lossless", ("ffv1", "gbrp16le")),
    (".mov", "uint8", 4, {}, "high", ("prores_ks", "yuva444p10le")),
    (".webm", "uint8", 4, {}, "high", ("libvpx-vp9", "yuva420p")),
    (".mkv", "uint16", 2, {}, "lossless", ("ffv1", "gbrap16le")),
]


@pytest.mark.parametrize(("suffix", "depth", "channels", "tags", "quality", "wanted"), AUTO)
def test_what_auto_means(suffix: str, depth: str, channels: int, tags: Any, quality: Any, wanted: tuple[str, str]) -> None:
    choice = choose(Path(f"x{suffix}"), ClipInfo(64, 64, depth=depth, channels=channels, tags=tags), Encoding(quality=quality))
    assert (choice.encoder, choice.pix_fmt) == wanted


def test_what_is_too_narrow_for_h265_becomes_h264() -> None:
    assert choose(Path("x.mov"), ClipInfo(62, 64, depth="uint16")).encoder == "libx264"
    with pytest.raises(MediaError, match=r"H\.265 begins at 64x16, and this is 62x64"):
        check(Path("x.mov"), ClipInfo(62, 64), Encoding("h265"))


FAULTS = [
    (".mp4", ClipInfo(64, 64, channels=4), Encoding(), "H.264 cannot carry the alpha .* write .mov"),
    (".mov", ClipInfo(64, 64, channels=4), Encoding("prores"), "ProRes 422 cannot carry the alpha"),
    (".mp4", ClipInfo(64, 64), Encoding("prores"), "a .mp4 cannot hold ProRes 422: write .mov or .mkv"),
    (".webm", ClipInfo(64, 64), Encoding("h264"), "a .webm cannot hold H.264"),
    (".mp4", ClipInfo(63, 64), Encoding(chroma="420"), "H.264 in 420 needs even sizes, and this is 63x64: choose chroma 444"),
    (".mov", ClipInfo(64, 64), Encoding("prores", bits="12"), "written with 10 bits, not 12"),
    (".webm", ClipInfo(64, 64), Encoding("vp9", bits="10"), "VP9 is written with 8 bits, not 10"),
    (".mov", ClipInfo(64, 64), Encoding("prores", chroma="420"), "written with chroma 422, not 420"),
    (".mov", ClipInfo(64, 64), Encoding("prores", quality="lossless"), "never lossless: choose codec ffv1"),
    (".mov", ClipInfo(64, 64), Encoding("dnxhr"), "DNxHR begins at 256x120, and this is 64x64"),
    (".mp4", ClipInfo(20000, 64), Encoding(), "ends at 16384 pixels a side"),
    (".mp4", ClipInfo(64, 64), Encoding(bits="half"), "whole numbers, not half"),
]


@pytest.mark.parametrize(("suffix", "info", "encoding", "line"), FAULTS)
def test_what_cannot_be_is_said_before_work(suffix: str, info: ClipInfo, encoding: Encoding, line: str) -> None:
    with pytest.raises(MediaError, match=line) as told:
        check(Path(f"x{suffix}"), info, encoding)
    assert "\n" not in str(told.value)
