"""Movies: every frame, upright, with its colour and its time, and one clear line for whatever cannot be read."""
from __future__ import annotations

import struct
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from impasto.errors import MediaError
from impasto.frame import Frame
from impasto.media import READERS, open_reader, open_writer
from impasto.media.encoding import Encoding
from impasto.media.video import SegmentWriter, VideoReader, decode, files
from impasto.media.video.container import timeline
from impasto.media.video.yuv import Signal
from tests.media.video.movies import RATE, apart, chart, like, movie, moving, packets, psnr, read

CLIPS = Path(__file__).parents[3] / "shared" / "data" / "video"


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames with B-frames and a key frame every 12."""
    options = {"preset": "veryfast", "g": "12", "bf": "3", "crf": "10"}
    return movie(tmp_path_factory.mktemp("clips") / "long.mp4", moving(60), options=options, audio="aac")


def test_frames_are_numbered_and_timed(long_clip: Path) -> None:
    frames = read(long_clip)
    assert [frame.number for frame in frames] == list(range(1, 61))
    assert [frame.tags["time"] for frame in frames] == [Fraction(k, 24) for k in range(60)]
    with open_reader(long_clip) as reader:
        info = reader.info
    assert (info.width, info.height, info.fps, info.depth, info.channels) == (96, 64, RATE, "uint8", 3)
    assert (info.tags["bits"], info.tags["chroma"], info.tags["colour"]) == (8, "420", Signal(6, 6, 6))


@pytest.mark.parametrize("numbers", [[1], [60], [13, 14], [12, 13, 40, 59], [5, 6, 7, 30], list(range(2, 60, 9))])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".avi", ".webm"])
def test_chosen_frames_are_those_of_the_whole(tmp_path: Path, long_clip: Path, numbers: list[int], suffix: str) -> None:
    path = long_clip
    if suffix != ".mp4":
        codec, options = ("libvpx-vp9", {"g": "12", "deadline": "realtime"}) if suffix == ".webm" else ("libx264", {"g": "12"})
        if suffix == ".avi":
            options |= {"bf": "0"}
        path = movie(tmp_path / f"long{suffix}", moving(60), codec, options=options)
    everyone = read(path)
    with open_reader(path) as reader:
        chosen = list(reader.read(numbers))
        assert [frame.number for frame in list(reader.read(numbers))] == numbers  # a second time too
    assert [frame.number for frame in chosen] == numbers
    for frame in chosen:
        np.testing.assert_array_equal(frame.pixels, everyone[frame.number - 1].pixels)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize(("across", "down"), [(False, False), (True, False), (False, True)])
def test_frames_are_upright(tmp_path: Path, degrees: int, across: bool, down: bool) -> None:
    picture = chart()
    path = movie(tmp_path / "turned.mp4", [picture], "libx264", "yuv444p", options={"qp": "0"}, turned=(degrees, across, down))
    wanted = np.rot90(picture, degrees // 90)  # the matrix turns against the clock, and mirrors afterwards
    wanted = wanted[::-1] if down else wanted
    wanted = wanted[:, ::-1] if across else wanted
    assert apart(read(path)[0].pixels, wanted)[1] <= 3
    with open_writer(tmp_path / "out.mp4", like([read(path)[0].pixels])) as writer:
        writer.write(read(path)[0])
    assert psnr(read(tmp_path / "out.mp4")[0].pixels, wanted) > 20  # and is not turned again


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_uneven_times_are_kept(tmp_path: Path, suffix: str) -> None:
    times = [Fraction(k, 1000) for k in (0, 40, 90, 100, 300, 333, 1400)]
    path = movie(tmp_path / f"vfr{suffix}", moving(7), times=times, options={"bf": "2"})
    frames = read(path)
    assert [round(frame.tags["time"], 3) for frame in frames] == [round(time, 3) for time in times]
    with open_reader(path) as reader, open_writer(tmp_path / f"out{suffix}", reader.info) as writer:
        for frame in frames:
            writer.write(frame)
    assert [round(frame.tags["time"], 3) for frame in read(tmp_path / f"out{suffix}")] == [round(time, 3) for time in times]


DEEP = [("yuv420p10le", "libx265"), ("yuv422p10le", "prores_ks"), ("yuv444p12le", "libx265")]


@pytest.mark.parametrize(("pix_fmt", "codec"), DEEP)
def test_ten_bits_come_back_as_ten(tmp_path: Path, pix_fmt: str, codec: str) -> None:
    options = {"x265-params": "lossless=1:bframes=0:log-level=none"} if codec == "libx265" else {"profile": "hq"}
    path = movie(tmp_path / "deep.mov", [chart(dtype=np.uint16)] * 2, codec, pix_fmt, options=options)
    source = read(path)
    bits = 12 if "12" in pix_fmt else 10
    with open_reader(path) as reader:
        assert (reader.info.depth, reader.info.tags["bits"]) == ("uint16", bits)
        encoding = Encoding("h265", "lossless") if codec == "libx265" else Encoding("prores")
        info = reader.info
    with open_writer(tmp_path / "out.mov", info, encoding=encoding) as writer:
        for frame in source:
            writer.write(frame)
    copy = read(tmp_path / "out.mov")
    rim = 0.5 if "444" not in pix_fmt else 0.02  # of 255; subsampled chroma is filtered at the rims of patches
    assert apart(copy[1].pixels, source[1].pixels)[0] < rim


@pytest.mark.parametrize("signal", [Signal(1, 1, 1), Signal(6, 6, 6), Signal(9, 16, 9), Signal(1, 1, 1, full=True)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_colour_is_read_and_written_as_tagged(tmp_path: Path, signal: Signal, suffix: str) -> None:
    picture = chart()
    path = movie(tmp_path / f"in{suffix}", [picture], "libx264", "yuv444p", signal=signal, options={"qp": "0"})
    frame = read(path)[0]
    assert apart(frame.pixels, picture)[1] <= 3
    with open_reader(path) as reader:
        assert reader.info.tags["colour"] == signal
        info = reader.info
    with open_writer(tmp_path / f"out{suffix}", info, encoding=Encoding(quality="lossless", codec="h264")) as writer:
        writer.write(frame)
    mean, most = apart(read(tmp_path / f"out{suffix}")[0].pixels, picture)
    assert (mean <= 1, most <= 3) == (True, True)
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        context = container.streams.video[0].codec_context
        told = context.color_primaries, context.color_trc, context.colorspace
    assert told == (signal.primaries, signal.transfer, signal.matrix)


@pytest.mark.parametrize("codec", ["prores", "dnxhr", "vp9", "av1", "h265", "ffv1"])
@pytest.mark.parametrize("full", [False, True])
def test_every_codec_carries_its_colour_or_is_given_another(tmp_path: Path, codec: Any, full: bool) -> None:
    path = tmp_path / ("out.mov" if codec in ("prores", "dnxhr") else "out.mkv")
    picture = np.full((128, 256, 3), (200, 40, 30), np.uint8)
    with open_writer(path, like([picture], colour=Signal(9, 16, 9, full)), encoding=Encoding(codec)) as writer:
        writer.write(Frame(picture))
    frame = read(path)[0].pixels
    eight = frame if frame.dtype == np.uint8 else (frame >> 8).astype(np.uint8)
    assert apart(eight, picture)[1] <= 3
    with open_reader(path) as reader:
        signal = reader.info.tags["colour"]
    assert (signal.primaries, signal.transfer) == (9, 16)
    assert signal.matrix == (1 if codec == "dnxhr" else 9)  # whose decoders read no other
    assert signal.full == (full and codec not in ("prores", "dnxhr"))


def test_untagged_is_taken_as_players_take_it(tmp_path: Path) -> None:
    for height, matrix in ((64, 6), (720, 1)):
        path = movie(tmp_path / f"{height}.mp4", [np.full((height, 16, 3), 128, np.uint8)])
        with open_reader(path) as reader:
            assert reader.info.tags["colour"].matrix == matrix


KINDS = [("gray", 3, "uint8"), ("gray10le", 3, "uint16"), ("gbrap16le", 4, "uint16")]


@pytest.mark.parametrize(("pix_fmt", "channels", "depth"), KINDS)
def test_grey_and_alpha(tmp_path: Path, pix_fmt: str, channels: int, depth: str) -> None:
    picture = chart()
    source = np.dstack([picture, picture[..., 1]]) if channels == 4 else picture
    path = movie(tmp_path / "in.mkv", [source], "ffv1", pix_fmt)
    frame = read(path)[0]
    assert (frame.pixels.shape[2], str(frame.pixels.dtype)) == (channels, depth)
    if channels == 4:
        np.testing.assert_array_equal(frame.pixels, source.astype(np.uint16) * 257)
    else:
        assert np.ptp(frame.pixels, axis=2).max() == 0


def test_pixel_aspect_and_interlacing_are_told(tmp_path: Path) -> None:
    path = tmp_path / "dv.mov"
    with open_writer(path, like([chart()], pixel_aspect=Fraction(16, 11)), encoding=Encoding("prores")) as writer:
        writer.write(Frame(chart()))
    with open_reader(path) as reader:
        assert reader.info.tags["pixel_aspect"] == Fraction(16, 11)
        assert reader.info.tags["interlaced"] is False


def test_a_cover_is_not_the_picture(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.mp4"), "w") as output:
        cover = output.add_stream("png", rate=1)
        cover.width = cover.height = 16
        cover.pix_fmt = "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        output.mux(cover.encode(av.VideoFrame(16, 16, "rgb24")))
        output.mux(cover.encode(None))
    with pytest.raises(MediaError, match="no video track"):
        open_reader(tmp_path / "song.mp4")


def test_pieces_are_the_same_every_time(tmp_path: Path) -> None:
    for codec in ("h264", "h265", "vp9"):
        pictures = moving(9)
        for name in "ab":
            with SegmentWriter(tmp_path / f"{name}.nut", like(pictures), Encoding(codec), True) as writer:  # type: ignore[arg-type]
                for pixels in pictures:
                    writer.write(Frame(pixels))
        one, other = (packets(tmp_path / f"{name}.nut", "video") for name in "ab")
        assert one == other


def test_a_frame_of_another_size_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "x.mp4", like([chart()]))
    writer.write(Frame(chart(), 6))
    with pytest.raises(MediaError, match="is 96x64, and frame 7 is 32x32"), writer:
        writer.write(Frame(chart(32, 32), 7))
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_kept_unless_told(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"dear")
    with pytest.raises(MediaError, match="exists already"):
        open_writer(tmp_path / "x.mp4", like([chart()]))
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("x.mp4", b"dear")]


def test_nothing_is_left_of_an_aborted_movie(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "x.mp4", like([chart()]))
    writer.write(Frame(chart()))
    writer.abort()
    assert list(tmp_path.iterdir()) == []


def whole(tmp_path: Path, suffix: str = ".mp4") -> bytes:
    return movie(tmp_path / f"whole{suffix}", moving(30), options={"g": "10"}, audio="aac").read_bytes()


def bad(tmp_path: Path, data: bytes, suffix: str = ".mp4") -> str:
    """The line that is told when such a file is opened and read."""
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(data)
    with pytest.raises(MediaError) as told, open_reader(path) as reader:
        list(reader)
    line = str(told.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    return line


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi"])
@pytest.mark.parametrize(("data", "line"), [
    (b"", "is empty"), (b"#EXTM3U\nfile:///etc/passwd\n", "is text, not a movie"), (b"ffconcat version 1.0\nfile x\n", "is text"),
    (b"\x00" * 5000, "not a movie"), (bytes(range(256)) * 40, "not a movie"),
])  # fmt: skip
def test_what_is_no_movie(tmp_path: Path, suffix: str, data: bytes, line: str) -> None:
    assert line in bad(tmp_path, data, suffix)


def test_a_playlist_in_disguise_reaches_nothing(tmp_path: Path) -> None:
    whole(tmp_path)
    playlist = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n{tmp_path / 'whole.mp4'}\n#EXT-X-ENDLIST\n".encode()
    assert "is text" in bad(tmp_path, playlist)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path, line in ((tmp_path / "no.mp4", "no such file"), (tmp_path / "a\0b.mp4", "cannot be a file's name")):
        with pytest.raises(MediaError, match=line):
            VideoReader(path)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(MediaError, match="is a folder"):
        VideoReader(tmp_path / "folder.mp4")


def test_a_cut_movie_says_so(tmp_path: Path) -> None:
    data = whole(tmp_path)
    assert "is cut short" in bad(tmp_path, data[: len(data) * 2 // 3])
    for suffix in (".mkv", ".avi"):
        data_of_other = movie(tmp_path / f"x{suffix}", moving(30), options={"bf": "0"}).read_bytes()
        assert "is cut short" in bad(tmp_path, data_of_other[: len(data_of_other) * 2 // 3], suffix)
    unfinished = data[: data.index(b"moov") - 4] + struct.pack(">I4s", 1008, b"mdat") + bytes(1000)
    assert "has no index" in bad(tmp_path, unfinished)


def test_damage_within_ends_in_frames_or_in_one_line(tmp_path: Path) -> None:
    data = bytearray(whole(tmp_path))
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    data[middle : middle + 300] = bytes(300)
    (tmp_path / "hurt.mp4").write_bytes(bytes(data))
    with suppress(MediaError):  # or the decoder conceals it
        assert len(read(tmp_path / "hurt.mp4")) == 30


def test_sound_alone_is_no_movie(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as output:
        track = output.add_stream("aac", rate=48000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 4800), np.float32), "fltp", "stereo")
        frame.sample_rate = 48000
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    with pytest.raises(MediaError, match="holds sound but no picture"):
        open_reader(path)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MAX_PIXELS", 96 * 64 - 1)
    with pytest.raises(MediaError, match="is 96x64 pixels, more than 6,143"):
        open_reader(movie(tmp_path / "x.mkv", moving(1)))


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_end_in_frames_or_in_one_line(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    suffix = (".mp4", ".mkv", ".avi")[seed % 3]
    data = bytearray(movie(tmp_path / f"x{suffix}", moving(6), options={"bf": "0"}).read_bytes())
    for at in rng.integers(0, len(data), 12):
        data[at] = rng.integers(0, 256)
    path = tmp_path / f"y{suffix}"
    path.write_bytes(bytes(data))
    with suppress(MediaError), open_reader(path) as reader:
        for frame in reader:
            assert frame.pixels.shape[:2] == (reader.info.height, reader.info.width)


def test_a_change_of_size_is_told_with_its_frame(tmp_path: Path) -> None:
    options = {"bf": "0", "x264-params": "repeat-headers=1"}
    parts = [movie(tmp_path / "a.avi", moving(3), options=options), movie(tmp_path / "b.avi", moving(3, 64, 48), options=options)]
    with av.open(str(tmp_path / "c.avi"), "w") as output, av.open(str(parts[0])) as first, av.open(str(parts[1])) as second:
        track = output.add_stream_from_template(first.streams.video[0])
        found = [packet for container in (first, second) for packet in container.demux(video=0) if packet.size]
        for number, packet in enumerate(found):
            packet.stream, packet.pts, packet.dts = track, number, number
            output.mux(packet)
    with pytest.raises(MediaError, match="frame 4: changes from 96x64 yuv420p to 64x48 yuv420p here: split it"):
        read(tmp_path / "c.avi")


def test_every_suffix_of_movies_has_a_reader() -> None:
    assert [suffix for suffix, module in READERS.items() if module.endswith("video")] == [".mp4", ".mov", ".mkv", ".webm", ".avi"]


@pytest.mark.skipif(not CLIPS.is_dir(), reason="the shared clips are not on this machine")
def test_the_shared_clips_are_read_whole() -> None:
    for path in sorted(CLIPS.glob("*.mp4")):
        with open_reader(path) as reader:
            count = len(timeline(path))
            last = list(reader.read([1, count]))
        assert [frame.number for frame in last] == [1, count]


def test_a_movie_shorter_than_the_encoder_looks_ahead_has_times_it_can_be_decoded_by() -> None:
    packets = []
    for shown, told in ((0, 178735965965254956), (2, 178735965965254957), (1, -4757657)):  # what x265 has been seen to say
        packet = av.Packet(b"picture")
        packet.pts, packet.dts = shown, told
        packets.append(packet)
    assert [(packet.pts, packet.dts) for packet in files._decodable(packets)] == [(0, -1), (2, 0), (1, 1)]
