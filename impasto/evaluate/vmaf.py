"""VMAF: how good viewers would call a clip beside the one it was made from, 0 to 100, as ffmpeg's libvmaf works it out.

It needs an ffmpeg with that filter, which the extra `quality` brings along; frames go to it as raw video in a folder that passes.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from impasto.errors import ImpastoError, InputError, MissingExtra
from impasto.media.flow import Plane

LOG, WANTED, OURS = "vmaf.json", "wanted.yuv", "ours.yuv"
SMALLEST_PX = 16  # what is smaller has not all the scales that VMAF looks at


class Vmaf:
    """Takes frames one after the other, has them judged together, and tells each one's row under its name."""

    def __init__(self, name: str, folder: Path, ffmpeg: str) -> None:
        self.name = name
        self._folder, self._ffmpeg = folder, ffmpeg
        self._size = (0, 0)
        self._rows: list[dict[str, Any]] = []

    def take(self, row: dict[str, Any], pair: tuple[Plane, Plane] | None) -> None:
        """The next frame's row, and what the frame should be like with what it is, both [H,W,3] of one size; None: not known."""
        if pair is None:
            return
        height, width = (side // 2 * 2 for side in pair[0].shape[:2])
        self._size = width, height
        self._rows.append(row)
        for name, picture in zip((WANTED, OURS), pair, strict=True):
            as_bytes = np.rint(picture[:height, :width].clip(0, 1) * 255).astype(np.uint8)
            with (self._folder / name).open("ab") as file:
                file.write(cv2.cvtColor(as_bytes, cv2.COLOR_RGB2YUV_I420).tobytes())

    def tell(self) -> None:
        """Put the score of each frame taken since the last time into its row, if that has figures of a picture."""
        for row, score in zip(self._rows, self._scores() if self._rows else [], strict=True):
            if "picture" in row:
                row["picture"][self.name] = score
        self._rows = []

    def _scores(self) -> list[float]:
        if min(self._size) < SMALLEST_PX:
            raise InputError(f"VMAF: frames of {self._size[0]}x{self._size[1]} are too small for it: leave --vmaf out")
        raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{self._size[0]}x{self._size[1]}", "-r", "24"]
        words = [self._ffmpeg, "-v", "error", "-nostdin", *raw, "-i", OURS, *raw, "-i", WANTED]
        words += ["-lavfi", f"libvmaf=log_fmt=json:log_path={LOG}:n_threads=1", "-f", "null", "-"]
        ended = subprocess.run(words, cwd=self._folder, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
        if ended.returncode:
            said = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
            raise ImpastoError(f"VMAF: ffmpeg cannot work it out ({said[-1]}): leave --vmaf out")
        told = json.loads((self._folder / LOG).read_text("utf-8"))
        for name in (WANTED, OURS, LOG):
            (self._folder / name).unlink()
        return [float(frame["metrics"]["vmaf"]) for frame in told["frames"]]


def ffmpeg_with_vmaf() -> str:
    """Where the ffmpeg is that knows VMAF."""
    try:
        return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except ImportError:
        raise MissingExtra("VMAF", "quality") from None


@contextmanager
def judges(*names: str) -> Iterator[list[Vmaf]]:
    """A judge of each name, with a folder for as long as it is asked."""
    ffmpeg = ffmpeg_with_vmaf() if names else ""
    with TemporaryDirectory(prefix="impasto-vmaf-") as place:
        folders = [Path(place) / name for name in names]
        for folder in folders:
            folder.mkdir()
        yield [Vmaf(folder.name, folder, ffmpeg) for folder in folders]
