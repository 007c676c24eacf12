"""Sound encoded anew: decoded sound of one stretch after another, laid on one time line to the sample."""
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from numpy.typing import NDArray

Samples = NDArray[Any]  # [channels, samples] of float32
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)  # that AAC knows
OPUS_RATE = 48000
USUAL = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
BITS_PER_CHANNEL = 128_000  # a second
JITTER = Fraction(1, 20)  # seconds that a container's rounding and gaps of decoders may amount to


def _layout_of(template: AudioStream) -> str:
    """Which speakers the channels are for; where a file only counts them, the usual ones."""
    count, name = template.layout.nb_channels, template.layout.name
    return name if count <= 8 and "channels" not in name else USUAL.get(count, "stereo")


class Recoder:
    """One track of sound, as AAC, or as Opus in WebM."""

    def __init__(self, output: OutputContainer, template: AudioStream, suffix: str) -> None:
        opus = suffix == ".webm"
        self.rate = OPUS_RATE if opus else template.rate if template.rate in RATES else 48000
        self.layout = _layout_of(template)
        self.track = output.add_stream("libopus" if opus else "aac", rate=self.rate, layout=self.layout)
        self.track.bit_rate = BITS_PER_CHANNEL * template.layout.nb_channels
        self._next: int | None = None  # the sample that comes next, counted in the movie's time
        self._read = Fraction(0)

    def begin(self, shift: Fraction, first: Fraction | None, last: Fraction | None) -> None:
        """A new stretch: its times are moved by `shift`, and what lies outside of first and last is cut off."""
        self._shift, self._first, self._last = shift, first, last
        self._resampler = av.AudioResampler("fltp", self.layout, self.rate)
        self._here: int | None = None  # where in the movie the stretch's next sample belongs

    def take(self, frame: av.AudioFrame) -> Iterator[tuple[Fraction, Packet[Stream]]]:
        """Encode what was decoded."""
        if frame.pts is not None and frame.time_base:
            due = round((frame.pts * frame.time_base + self._shift) * self.rate)
            if self._here is None or abs(due - self._here) > JITTER * self.rate:
                self._here = due
        frame.pts = None
        yield from self._lay(self._resampler.resample(frame))

    def pause(self) -> Iterator[tuple[Fraction, Packet[Stream]]]:
        """The stretch is over."""
        if self._here is not None:
            yield from self._lay(self._resampler.resample(None))

    def finish(self) -> Iterator[tuple[Fraction, Packet[Stream]]]:
        """No stretch follows."""
        if self._next is not None:
            yield from self._out(self.track.encode(None))

    def _lay(self, frames: list[av.AudioFrame]) -> Iterator[tuple[Fraction, Packet[Stream]]]:
        for frame in frames:
            samples, start = frame.to_ndarray(), self._here or 0
            self._here = start + samples.shape[1]
            first = start if self._first is None else round(self._first * self.rate)
            last = self._here if self._last is None else round(self._last * self.rate)
            begin = max(start, first, start if self._next is None else self._next)
            samples = samples[:, begin - start : max(last - start, 0)]
            if samples.shape[1]:
                yield from self._silence(begin)
                yield from self._encode(samples, begin)

    def _silence(self, until: int) -> Iterator[tuple[Fraction, Packet[Stream]]]:
        """Fill a gap, so that what follows comes at its time."""
        while self._next is not None and self._next < until:
            length = min(until - self._next, self.rate)
            yield from self._encode(np.zeros((self.track.layout.nb_channels, length), np.float32), self._next)

    def _encode(self, samples: Samples, start: int) -> Iterator[tuple[Fraction, Packet[Stream]]]:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", self.layout)
        frame.sample_rate, frame.pts, frame.time_base = self.rate, start, Fraction(1, self.rate)
        self._next = start + samples.shape[1]
        yield from self._out(self.track.encode(frame))

    def _out(self, packets: list[Packet[Any]]) -> Iterator[tuple[Fraction, Packet[Stream]]]:
        for packet in packets:
            yield (packet.pts or 0) * packet.time_base, packet
