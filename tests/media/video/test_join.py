"""Joins: pictures as they were encoded, at their times, and sound, subtitles, chapters and timecode beside them bit for bit."""
from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from impasto.errors import MediaError
from impasto.frame import Pixels
from impasto.media import open_reader
from impasto.media.encoding import Encoding
from impasto.media.video.container import timeline
from impasto.media.video.join import Take, check_sound, join
from tests.media.video.movies import RATE, like, movie, moving, packets, piece, read

END = Fraction(99)
SECOND = Fraction(1)


def even(count: int) -> list[Fraction]:
    return [k / RATE for k in range(count)]


def joined(target: Path, takes: list[Take], frames: list[Pixels], **options: Any) -> Path:
    """The frames in two pieces, joined."""
    cut = len(frames) * 2 // 3
    tags = options.pop("tags", {})
    parts = [frames[:cut], frames[cut:]] if cut else [frames]
    pieces = [piece(target.with_name(f"{n}.nut"), part, target, overwrite=True, **tags) for n, part in enumerate(parts)]
    join(pieces, options.pop("times", even(len(frames))), takes, target, like(frames, **tags), **options)
    for each in pieces:
        each.unlink()
    return target


@pytest.mark.parametrize("codec", ["h264", "h265", "prores", "dnxhr", "ffv1", "vp9", "av1"])
def test_pictures_are_those_of_the_pieces(tmp_path: Path, codec: Any) -> None:
    target = tmp_path / ("out.mov" if codec in ("prores", "dnxhr") else "out.mkv")
    frames = moving(21, 256, 128)
    parts = frames[:9], frames[9:10], frames[10:]
    pieces = [piece(tmp_path / f"{n}.mkv", part, target, Encoding(codec)) for n, part in enumerate(parts)]
    join(pieces, even(21), [], target, like(frames))
    before = [frame.pixels for each in pieces for frame in read(each)]
    for one, other in zip(before, read(target), strict=True):
        np.testing.assert_array_equal(one, other.pixels)
    stored = [data for each in pieces for _, data in packets(each, "video")]
    assert stored == [data for _, data in packets(target, "video")]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_times_are_those_given(tmp_path: Path, suffix: str) -> None:
    times = [Fraction(k, 90000) for k in (0, 3000, 9000, 9100, 20000, 20007, 99999, 180000)]
    joined(tmp_path / f"out{suffix}", [], moving(8), times=times)
    finest = Fraction(1, 1000) if suffix == ".mkv" else Fraction(0)
    for frame, time in zip(read(tmp_path / f"out{suffix}"), times, strict=True):
        assert abs(frame.tags["time"] - time) <= finest


def test_an_avi_is_even(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"equally long, and these are not: write a \.mkv or \.mp4"):
        joined(tmp_path / "out.avi", [], moving(3), times=[Fraction(0), Fraction(1), Fraction(9)])
    assert not list(tmp_path.glob("*.avi"))


SOUNDS = [(".mp4", "aac"), (".mp4", "flac"), (".mov", "pcm_s16le"), (".mkv", "aac"), (".mkv", "pcm_s24le"), (".mkv", "libopus"),
          (".webm", "libopus"), (".avi", "libmp3lame"), (".avi", "pcm_s16le")]  # fmt: skip


@pytest.mark.parametrize(("suffix", "codec"), SOUNDS)
@pytest.mark.parametrize("late", [Fraction(0), Fraction(1, 4)])
def test_sound_is_copied_bit_for_bit(tmp_path: Path, suffix: str, codec: str, late: Fraction) -> None:
    if suffix == ".avi" and late:
        pytest.skip("an AVI stores no times")
    video = "libvpx-vp9" if suffix == ".webm" else "libx264"
    options = {"bf": "0"} if suffix == ".avi" else {}
    source = movie(tmp_path / f"in{suffix}", moving(24), video, options=options, audio=codec, late=late)
    frames = [frame.pixels for frame in read(source)]
    joined(tmp_path / f"out{suffix}", [Take(source, Fraction(0), END, Fraction(0))], frames)
    before, after = packets(source), packets(tmp_path / f"out{suffix}")
    assert b"".join(data for _, data in before) == b"".join(data for _, data in after)
    if "pcm" not in codec:
        assert len(before) == len(after)
    begin = [timeline(path).begin for path in (source, tmp_path / f"out{suffix}")]
    offsets = before[0][0] - begin[0], after[0][0] - begin[1]
    assert abs(offsets[0] - offsets[1]) <= (Fraction(1, 500) if suffix in (".mkv", ".webm") else Fraction(1, 48000))


@pytest.mark.parametrize(("suffix", "other"), [(".mp4", ".mkv"), (".mkv", ".mp4"), (".mov", ".mkv"), (".mp4", ".mov")])
def test_sound_moves_between_containers(tmp_path: Path, suffix: str, other: str) -> None:
    source = movie(tmp_path / f"in{suffix}", moving(24), audio="aac")
    joined(tmp_path / f"out{other}", [Take(source, Fraction(0), END, Fraction(0))], moving(24))
    assert [data for _, data in packets(source)] == [data for _, data in packets(tmp_path / f"out{other}")]


def test_a_trim_takes_the_sound_along(tmp_path: Path) -> None:
    source = movie(tmp_path / "in.mp4", moving(72), audio="aac")
    start, end = 24 / RATE, 48 / RATE
    joined(tmp_path / "out.mp4", [Take(source, start, end, Fraction(0))], moving(24))
    inside = [(time, data) for time, data in packets(source) if start <= time < end]
    found = packets(tmp_path / "out.mp4")
    assert [data for _, data in found] == [data for _, data in inside]
    assert all(abs(time - (was - start)) < Fraction(1, 40000) for (time, _), (was, _) in zip(found, inside, strict=True))


def test_takes_follow_one_another(tmp_path: Path) -> None:
    one = movie(tmp_path / "one.mp4", moving(24), audio="aac")
    two = movie(tmp_path / "two.mp4", moving(48), audio="aac")
    takes = [Take(one, Fraction(0), SECOND, Fraction(0)), Take(two, SECOND / 2, END, SECOND)]
    joined(tmp_path / "out.mp4", takes, moving(60))
    found = packets(tmp_path / "out.mp4")
    first = [data for time, data in packets(one) if time < 1]
    second = [data for time, data in packets(two) if time >= SECOND / 2]
    assert [data for _, data in found] == first + second
    assert abs(found[len(first)][0] - 1) < Fraction(1, 40)
    assert all(a[0] < b[0] for a, b in pairwise(found))


def test_sound_that_differs_cannot_follow(tmp_path: Path) -> None:
    one, two = movie(tmp_path / "one.mkv", moving(6), audio="aac"), movie(tmp_path / "two.mkv", moving(6), audio="flac")
    takes = [Take(one, Fraction(0), 6 / RATE, Fraction(0)), Take(two, Fraction(0), 6 / RATE, 6 / RATE)]
    with pytest.raises(MediaError, match=r"two\.mkv: its sound differs from what goes before .* use --sound encode or none"):
        check_sound(takes, tmp_path / "out.mkv")
    joined(tmp_path / "out.mkv", takes, moving(12), sound="encode")
    joined(tmp_path / "mute.mkv", takes, moving(12), sound="none")
    with av.open(str(tmp_path / "out.mkv")) as container:
        decoded = [frame.to_ndarray() for frame in container.decode(audio=0)]
    assert abs(sum(each.shape[1] for each in decoded) - 24000) <= 2048
    with av.open(str(tmp_path / "mute.mkv")) as container:
        assert not container.streams.audio


def test_sound_that_does_not_fit_is_refused_with_a_remedy(tmp_path: Path) -> None:
    source = movie(tmp_path / "in.mkv", moving(6), audio="pcm_s16le")
    take = Take(source, Fraction(0), END, Fraction(0))
    with pytest.raises(MediaError, match=r"sound \(pcm_s16le\) does not fit into a \.webm: use --sound encode, or write a \.mkv"):
        check_sound([take], tmp_path / "out.webm")
    check_sound([take], tmp_path / "out.webm", "encode")
    check_sound([take], tmp_path / "out.webm", "none")


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_encoded_sound_sounds_the_same_and_stays_in_step(tmp_path: Path, suffix: str) -> None:
    source = movie(tmp_path / "in.mkv", moving(48), audio="pcm_s16le")
    joined(tmp_path / f"out{suffix}", [Take(source, SECOND, END, Fraction(0))], moving(24), sound="encode")
    wave = []
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        for frame in container.decode(audio=0):
            wave.append((frame.pts * frame.time_base, frame.to_ndarray()[0]))
    tone = np.concatenate([samples for _, samples in wave])
    start = round(wave[0][0] * 48000)
    sought = np.sin(2 * np.pi * 440 * (np.arange(len(tone)) + start) / 48000)
    middle = slice(12000, 36000)
    assert np.corrcoef(tone[middle], sought[middle])[0, 1] > 0.98
    assert 40000 < len(tone) + start < 52000


def test_sound_of_another_file(tmp_path: Path) -> None:
    silent = movie(tmp_path / "in.mp4", moving(24))
    song = movie(tmp_path / "song.mkv", moving(48), audio="aac")
    take = Take(silent, Fraction(0), SECOND, Fraction(0))
    joined(tmp_path / "out.mp4", [take], moving(24), sound=str(song))
    assert [data for _, data in packets(tmp_path / "out.mp4")] == [data for time, data in packets(song) if 0 <= time < 1]
    for path, line in ((silent, "holds no sound"), (tmp_path / "no.wav", "no such file")):
        with pytest.raises(MediaError, match=line):
            check_sound([take], tmp_path / "x.mp4", str(path))


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "subrip"), (".mp4", "mov_text")])
def test_subtitles_are_copied(tmp_path: Path, suffix: str, codec: str) -> None:
    source = movie(tmp_path / f"in{suffix}", moving(30), subtitles=codec, audio="aac")
    joined(tmp_path / f"out{suffix}", [Take(source, Fraction(0), END, Fraction(0))], moving(30))
    words = [(time, data) for time, data in packets(source, "subtitle") if len(data) > 2]
    assert len(words) == 3
    assert words == [each for each in packets(tmp_path / f"out{suffix}", "subtitle") if len(each[1]) > 2]
    other = ".mp4" if suffix == ".mkv" else ".mkv"
    with pytest.raises(MediaError, match=r"its subtitles .* do not fit into a"):
        check_sound([Take(source, Fraction(0), END, Fraction(0))], tmp_path / f"x{other}")


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_chapters_follow_and_are_cut(tmp_path: Path, suffix: str) -> None:
    source = movie(tmp_path / f"in{suffix}", moving(48), chapters=[(0, 0.5, "one"), (0.5, 1.5, "two"), (1.5, 2, "three")])
    joined(tmp_path / f"out{suffix}", [Take(source, SECOND, END, Fraction(0))], moving(24))
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        found = [(c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]["title"]) for c in container.chapters()]
    assert [(float(a), title) for a, _, title in found] == [(0.0, "two"), (0.5, "three")]
    assert float(found[0][1]) == 0.5


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
@pytest.mark.parametrize(("timecode", "wanted"), [("01:00:00:00", "01:00:00:12"), ("00:00:59:20", "00:01:00:08")])
def test_timecode_is_kept_and_advanced(tmp_path: Path, suffix: str, timecode: str, wanted: str) -> None:
    first = joined(tmp_path / f"first{suffix}", [], moving(24), tags={"timecode": timecode})
    with open_reader(first) as reader:
        assert reader.info.tags["timecode"] == timecode
        info = reader.info
    part = piece(tmp_path / "p.nut", moving(12), first)
    join([part], even(12), [Take(first, SECOND / 2, SECOND, Fraction(0))], tmp_path / f"out{suffix}", info)
    with open_reader(tmp_path / f"out{suffix}") as reader:
        assert reader.info.tags["timecode"] == wanted


def test_drop_frame_is_counted_right(tmp_path: Path) -> None:
    fps = Fraction(30000, 1001)
    frames = moving(4)
    part = piece(tmp_path / "p.nut", frames, tmp_path / "x.mov")
    join([part], [k / fps for k in range(4)], [], tmp_path / "a.mov", like(frames, fps, timecode="00:00:59;28"))
    with open_reader(tmp_path / "a.mov") as reader:
        assert (reader.info.tags["timecode"], reader.info.fps) == ("00:00:59;28", fps)
        take = Take(tmp_path / "a.mov", 2 / fps, END, Fraction(0))
        join([part], [k / fps for k in range(4)], [take], tmp_path / "b.mov", reader.info)
    with open_reader(tmp_path / "b.mov") as reader:
        assert reader.info.tags["timecode"] == "00:01:00;02"


def test_names_languages_and_attachments_are_kept(tmp_path: Path) -> None:
    source = movie(tmp_path / "in.mkv", moving(6), audio="aac", metadata={"language": "fra", "title": "shot"})
    with av.open(str(tmp_path / "more.mkv"), "w") as output, av.open(str(source)) as container:
        tracks = {stream.index: output.add_stream_from_template(stream) for stream in container.streams}
        output.metadata["title"] = "film"
        output.add_attachment("font.ttf", "font/ttf", b"letters")
        for packet in container.demux():
            if packet.size:
                packet.stream = tracks[packet.stream_index]
                output.mux(packet)
    joined(tmp_path / "out.mkv", [Take(tmp_path / "more.mkv", Fraction(0), END, Fraction(0))], moving(6))
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.metadata["title"] == "film"
        attachment = container.streams.attachments[0]
        assert (attachment.metadata["filename"], bytes(attachment.data)) == ("font.ttf", b"letters")


def test_a_piece_too_many_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    one = piece(tmp_path / "1.nut", moving(3), tmp_path / "x.mp4")
    two = piece(tmp_path / "2.nut", moving(3), tmp_path / "x.mp4", Encoding(quality="draft"))
    with pytest.raises(MediaError, match="has 4 frames to hold, and its pieces have 3"):
        join([one], even(4), [], tmp_path / "x.mp4", like(moving(3)))
    with pytest.raises(MediaError, match="was encoded otherwise"):
        join([one, two], even(6), [], tmp_path / "x.mp4", like(moving(3)))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1.nut", "2.nut"]


def test_an_apple_player_finds_h265(tmp_path: Path) -> None:
    frames = moving(3)
    part = piece(tmp_path / "p.nut", frames, tmp_path / "x.mp4", Encoding("h265"))
    join([part], even(3), [], tmp_path / "x.mp4", like(frames))
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"
    assert (tmp_path / "x.mp4").read_bytes().index(b"moov") < (tmp_path / "x.mp4").read_bytes().index(b"mdat")
