"""How frames are to be read and stored where a format leaves the choice. Each format takes what concerns it."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Codec = Literal["auto", "h264", "h265", "prores", "prores4444", "dnxhr", "ffv1", "vp9", "av1"]
Quality = Literal["lossless", "high", "medium", "draft"]
Chroma = Literal["auto", "420", "422", "444"]
Bits = Literal["auto", "8", "10", "12", "16", "half", "float"]
Missing = Literal["error", "hold", "skip"]


@dataclass(frozen=True)
class Encoding:
    """`auto` takes the format's own default, or keeps what the source had."""

    codec: Codec = "auto"
    quality: Quality = "high"  # high: no difference to be seen; draft: quick, for looking at
    chroma: Chroma = "auto"
    bits: Bits = "auto"


@dataclass(frozen=True)
class Decoding:
    """What is read of a source."""

    missing: Missing = "error"  # gaps of a sequence: a fault, a repetition of the frame before, or left out
    layer: str = ""  # of an EXR; empty: its picture
    to_layer: str = ""  # of an EXR: where its painting goes; empty: in the place of what was painted
    beside: str = ""  # of a file that goes along with the shot: how a user asks for a layer of it, as in "depth=FILE:"


DEFAULT = Encoding()
PLAIN = Decoding()
