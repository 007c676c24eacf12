"""Movies made for tests, packet by packet, so that they can be made odd; and what lies in a movie."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media.encoding import DEFAULT, Encoding
from impasto.media.video import SegmentWriter, open_reader
from impasto.media.video.yuv import Signal, from_rgb

RATE = Fraction(24)


def chart(width: int = 96, height: int = 64, dtype: type = np.uint8, patch: int = 16) -> Pixels:
    """Flat patches, saturated ones among them, above a ramp."""
    rng = np.random.default_rng(7)
    rows, columns = -(-height // patch), -(-width // patch)
    patches = rng.integers(0, 256, (rows, columns, 3), np.uint8)
    pure = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [255, 255, 0]], np.uint8)
    patches.reshape(-1, 3)[: len(pure)] = pure[: patches.size // 3]
    picture = np.kron(patches, np.ones((patch, patch, 1), np.uint8))[:height, :width]
    picture[-height // 4 :] = np.linspace(0, 255, width).round().astype(np.uint8)[None, :, None]
    return picture if dtype is np.uint8 else picture.astype(np.uint16) * 257


def moving(count: int, width: int = 96, height: int = 64) -> list[Pixels]:
    """Frames that all differ: a square walks over noise, which the encoder cannot forget."""
    rng = np.random.default_rng(3)
    ground = np.kron(rng.integers(60, 190, (height // 8 + 1, width // 8 + 1, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
    frames = []
    for number in range(count):
        picture = ground[:height, :width].copy()
        picture[10:26, 4 + number * 3 % (width - 20) :][:, :16] = (250, 240, 20 + number * 9 % 200)
        frames.append(picture)
    return frames


def like(frames: Sequence[Pixels], fps: Fraction = RATE, **tags: Any) -> ClipInfo:
    """The description of such frames."""
    height, width, channels = frames[0].shape
    return ClipInfo(width, height, len(frames), fps, str(frames[0].dtype), channels, tags)


def piece(
    path: Path, frames: Sequence[Pixels], target: Path, encoding: Encoding = DEFAULT, overwrite: bool = False, **tags: Any
) -> Path:
    """A piece of a movie."""
    with SegmentWriter(path, like(frames, **tags), encoding, overwrite, target=target) as writer:
        for number, pixels in enumerate(frames):
            writer.write(Frame(pixels, number))
    return path


def movie(
    path: Path,
    frames: Sequence[Pixels],
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    *,
    times: Sequence[Fraction] | None = None,
    signal: Signal | None = None,
    options: dict[str, str] | None = None,
    turned: tuple[int, bool, bool] | None = None,
    metadata: dict[str, str] | None = None,
    rate: Fraction = RATE,
    audio: str = "",
    subtitles: str = "",
    chapters: Sequence[tuple[float, float, str]] = (),
    late: Fraction = Fraction(0),
) -> Path:
    """A movie as others make them: with sound (starting `late`), subtitles, chapters, a display matrix, uneven times."""
    height, width = frames[0].shape[:2]
    tick = Fraction(1, 90000)
    with av.open(str(path), "w", options={"movflags": "+faststart"} if path.suffix in (".mp4", ".mov") else {}) as output:
        video = output.add_stream(codec, rate=rate, options=options or ({"preset": "veryfast"} if codec == "libx264" else {}))
        video.width, video.height, video.pix_fmt = width, height, pix_fmt
        video.codec_context.time_base = tick if times else 1 / rate
        if signal:
            context = video.codec_context
            context.color_primaries, context.color_trc, context.colorspace = signal.primaries, signal.transfer, signal.matrix
            context.color_range = 2 if signal.full else 1
        if turned:
            video.set_display_rotation(*turned)
        video.metadata.update(metadata or {})
        sound = output.add_stream(audio, rate=48000, layout="stereo") if audio else None
        text = output.add_mux_stream(subtitles) if subtitles else None
        if chapters:
            output.set_chapters([_chapter(number, *each) for number, each in enumerate(chapters)])
        packets: list[Any] = []
        for number, pixels in enumerate(frames):
            coded = from_rgb(pixels, pix_fmt, signal or Signal(6, 6, 6))
            coded.pts = round(times[number] / tick) if times else number
            coded.time_base = tick if times else 1 / rate
            packets += video.encode(coded)
        packets += video.encode(None)
        if sound:
            packets += list(_tones(sound, Fraction(len(frames)) / rate, late))
        output.start_encoding()
        if text:
            packets += list(_words(text, subtitles))
        for packet in sorted(packets, key=lambda each: (each.dts or 0) * each.time_base):
            output.mux(packet)
    return path


def _tones(track: Any, seconds: Fraction, late: Fraction) -> Iterator[Any]:
    rng = np.random.default_rng(1)
    total, at = int(seconds * 48000), 0
    form = track.codec_context.format.name
    while at < total:
        count = min(4800, total - at)
        phase = (np.arange(at, at + count) / 48000 * 2 * np.pi)[None]
        wave = np.concatenate([np.sin(440 * phase), np.sin(660 * phase)]) * 0.4 + rng.normal(0, 0.01, (2, count))
        frame = av.AudioFrame.from_ndarray(wave.astype(np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, at + int(late * 48000), Fraction(1, 48000)
        if form != "fltp":
            frame = next(iter(av.AudioResampler(form, "stereo", 48000).resample(frame)))
            frame.pts = at + int(late * 48000)
        yield from track.encode(frame)
        at += count
    yield from track.encode(None)


def _words(track: Any, codec: str) -> Iterator[Any]:
    for number, word in enumerate(("one", "two", "three")):
        text = word.encode()
        packet = av.Packet(len(text).to_bytes(2, "big") + text if codec == "mov_text" else text)
        packet.time_base, packet.stream = Fraction(1, 1000), track
        packet.pts = packet.dts = number * 300 + 50
        packet.duration = 200
        yield packet


def _chapter(number: int, start: float, end: float, title: str) -> Any:
    base = Fraction(1, 1000)
    return {"id": number + 1, "start": int(start * 1000), "end": int(end * 1000), "time_base": base, "metadata": {"title": title}}


def read(path: Path) -> list[Frame]:
    """All frames, which must be as many and of the kind that was said."""
    with open_reader(path) as reader:
        frames = list(reader)
        info = reader.info
    assert len(frames) == info.frames == len(reader.numbers()) == len(reader.times())
    for frame in frames:
        assert frame.pixels.shape == (info.height, info.width, info.channels)
        assert str(frame.pixels.dtype) == info.depth
    return frames


def packets(path: Path, kind: str = "audio") -> list[tuple[Fraction, bytes]]:
    """Time and bytes of every packet of the first track of a kind."""
    with av.open(str(path)) as container:
        track = next(stream for stream in container.streams if stream.type == kind)
        found = [packet for packet in container.demux(track) if packet.size and packet.pts is not None]
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in found]


def apart(one: Pixels, other: Pixels) -> tuple[float, float]:
    """Mean and largest difference, as of 255."""
    scale = 255 / np.iinfo(one.dtype).max
    difference = np.abs(one.astype(np.float64) - other) * scale
    return float(difference.mean()), float(difference.max())


def psnr(one: Pixels, other: Pixels) -> float:
    """How near two pictures are, in dB."""
    most = np.iinfo(one.dtype).max
    return float(10 * np.log10(most**2 / max(np.mean((one.astype(np.float64) - other) ** 2), 1e-9)))
