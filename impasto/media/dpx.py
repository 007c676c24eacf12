"""One value that OpenImageIO 3.2 misreads: the alpha at the end of each row of a DPX of 10-bit RGBA, if it is alone in its word.

Three values lie in a word; four times a width such as 4096 leaves one over, and that one is taken from the wrong bits.
"""
from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from impasto.errors import MediaError
from impasto.frame import Pixels
from impasto.media.container import DPX

RGBA, FILLED = 51, 1  # descriptor and packing, as the format numbers them


class LastAlpha:
    """Reads those values from the file itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            head = file.read(1024)
        self._order = DPX[head[:4]]
        self.width = struct.unpack_from(f"{self._order}I", head, 772)[0]
        packing, encoding, start, padding = struct.unpack_from(f"{self._order}HHII", head, 804)
        self._start = start if 0 < start < 2**32 - 1 else struct.unpack_from(f"{self._order}I", head, 4)[0]
        self._row = -(-self.width * 4 // 3) * 4 + (padding if padding < 2**32 - 1 else 0)
        self.needed = (head[800], head[803], packing, encoding, self.width % 3) == (RGBA, 10, FILLED, 0, 1)

    def mend(self, pixels: Pixels, top: int) -> None:
        """Set the last alpha of each of these rows, which begin at `top` of the stored picture."""
        ends = self._start + self._row * (top + np.arange(len(pixels))) + -(-self.width * 4 // 3) * 4 - 4
        with self.path.open("rb") as file:
            words = [struct.unpack(f"{self._order}I", self._word(file, int(end)))[0] for end in ends]
        levels = np.array(words, np.uint32) >> 22
        pixels[:, -1, 3] = levels << 6 | levels >> 4

    def _word(self, file: BinaryIO, at: int) -> bytes:
        file.seek(at)
        word = file.read(4)
        if len(word) < 4:
            raise MediaError("is cut short: get the whole file", self.path)
        return word
