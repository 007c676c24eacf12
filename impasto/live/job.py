"""LiveJob: pictures in from a camera, a stream or a file; painted pictures out, while it runs."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PrivateAttr, field_validator

from impasto.errors import InputError
from impasto.job import Done, Job, Progress, option

if TYPE_CHECKING:
    from impasto.live.board import Board
    from impasto.live.easel import Paints
    from impasto.live.sources import Size

REPORT_SECONDS = 0.5


class LiveJob(Job):
    """Paint a camera, a stream or a file while it runs."""

    command: ClassVar[str] = "live"
    help: ClassVar[str] = (
        "Paint a camera, a stream or a file while it runs. Keys: 1 to 9 a look, n and p the next and the previous one, "
        "+ and - strength, [ and ] share of the second look, m matte, space paint off and on, q end."
    )

    source: str = option(
        help="camera, camera:1, /dev/video0, rtsp://..., rtmp://..., udp://..., a movie or pictures, "
        "or browser: the camera of whoever opens the page",
        argument=True,
    )
    out: list[str] = option(
        help="a movie (.mp4 .mov .mkv), HLS (.m3u8), rtmp:// rtsp:// udp:// srt://, a virtual camera (/dev/video10), "
        "or a page to look at (ws://127.0.0.1:8766); repeatable",
        flag="-o/--out",
        min_length=1,
    )
    style: str = option("great-wave", "name of a look, or a style file; STYLE#LOOK of a style of many")
    blend_with: str = option("", "a second look to mix in")
    blend: float = option(0.5, "share of the second look", ge=0, le=1)
    strength: float = option(1.0, "how much paint, 0 (none) to 1 (all)", ge=0, le=1)
    matte: str = option("", "where paint goes: skin, skin,invert, or a picture in the source's size")
    looks: list[str] = option([], "more looks to change to than those of the library: style files, STYLE#LOOK (repeatable)")
    tier: Literal["auto", "live", "full", "mini"] = option("auto", "which of a look's networks paint; auto takes live if it can")
    size: str = option("", "WIDTHxHEIGHT to ask of a camera, or to bring other sources to")
    fps: float | None = option(None, "frames per second to keep up with; else the source's own", ge=1, le=240)
    loop: bool = option(False, "play a movie over and over")
    seconds: float | None = option(None, "end after so long; else when the source does, or on q or Ctrl-C", gt=0)
    control: Literal["auto", "keys", "json", "none"] = option(
        "auto", "orders while it runs: keys of a terminal, or lines of JSON on the standard input; auto: keys, where there is one"
    )
    token_file: Path | None = option(None, "a file with the token that ws:// asks for; else one is made and printed")
    engine: Literal["auto", "openvino", "onnx", "pytorch"] = option("auto", "what runs the network; auto measures once")
    precision: Literal["auto", "fp32", "bf16", "int8"] = option("auto", "number format; auto takes what is fastest")
    overwrite: bool = option(False, "replace outputs that exist")

    _ended: Event = PrivateAttr(default_factory=Event)

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: str) -> str:
        parts = size.lower().split("x")
        if size and (len(parts) != 2 or not all(part.isascii() and part.isdigit() and 16 <= int(part) <= 8192 for part in parts)):
            raise ValueError("write it as WIDTHxHEIGHT, as in 1280x720, 16 to 8192 each")
        return size.lower()

    def stop(self) -> bool:
        """Come to an end: what is under way is finished, files get their names."""
        self._ended.set()
        return True

    def run(self) -> Iterator[Progress | Done]:
        """Check, open, warm up, and paint until the end."""
        yield Progress("opening")
        from impasto.live.board import Board
        from impasto.live.control import chosen

        control = chosen(self.control)
        self._check_outputs()
        board = Board(self)
        yield Progress("warming up")
        board.warm_up()
        with ExitStack() as running:
            board.begin(running, control)
            yield from self._watch(board)
        yield from board.last_notes()
        yield board.done()

    def _watch(self, board: Board) -> Iterator[Progress]:
        """Tell what goes on until the end comes."""
        began = told = monotonic()
        while not (self._ended.is_set() or board.over or (self.seconds and monotonic() - began >= self.seconds)):
            if note := board.next_note():
                yield note
            elif monotonic() - told >= REPORT_SECONDS:
                told = monotonic()
                yield board.progress()

    def _check_outputs(self) -> None:
        """Refuse outputs that cannot be written, before anything is opened."""
        from impasto.live.sources import BROWSER
        from impasto.live.web import Address, read_token
        from impasto.media.video.broadcast import Target
        from impasto.render.checks import Faults

        with Faults.gathering() as faults:
            pages = [text for text in self.out if text.startswith("ws:")]
            for text in self.out:
                with faults.noted():
                    if text in pages:
                        read_token(self.token_file, Address.parse(text))
                    else:
                        Target.parse(text).check(self.overwrite)
                    if text == self.source:
                        raise InputError(f"{text}: is the source, and sources are never overwritten; choose another output")
            if self.source == BROWSER and not pages:
                faults.add("the source browser needs a page to send from: add -o ws://127.0.0.1:8766")
            if len(pages) > 1 or len(set(self.out)) < len(self.out):
                faults.add("one page is served, and each output is named once: leave the others out")

    def wanted_size(self) -> Size | None:
        """What to ask of a camera, or to bring other sources to."""
        width, _, height = self.size.partition("x")
        return (int(width), int(height)) if self.size else None

    def open_look(self, text: str) -> Paints:
        """A look, ready to be warmed up."""
        from impasto.render.brush import Brush
        from impasto.render.guides import check_given
        from impasto.render.looks import find_look, parted
        from impasto.render.touch import Layer, check_layers
        from impasto.styles.library import find
        from impasto.styles.package import StyleFile

        tiers = StyleFile.open(find(parted(text)[0])).card.tiers
        tier = self.tier if self.tier != "auto" else "live" if "live" in tiers else "auto"
        brush = Brush(find_look(text, tier), tier, self.engine, self.precision)
        check_layers([Layer(brush)])
        check_given(brush, [])
        return brush
