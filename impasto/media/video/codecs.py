"""How movies are encoded: one table of codecs, and the choice of one for a source, a suffix and what was asked.

`auto` is H.264 without visible loss; H.265 for more than 8 bits; ProRes 4444, VP9 or FFV1, by suffix, where there is alpha.
Chroma, bits and alpha of the source are kept where the codec has them. Sizes are kept too: 4:2:0 of H.264 and H.265 needs even
ones, so an odd picture is stored as 4:4:4, which comes back at its very size.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from impasto.errors import MediaError
from impasto.frame import ClipInfo
from impasto.media.encoding import DEFAULT, Codec, Encoding, Quality
from impasto.media.video.yuv import BT709, Signal

MP4, MOV, MKV, WEBM, AVI = SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi")
Options = dict[str, str]
_CHROMA = ("420", "422", "444")


@dataclass(frozen=True)
class Kind:
    """What there is to know of a codec."""

    name: str
    encoder: str
    suffixes: tuple[str, ...]
    chroma: tuple[str, ...]
    bits: tuple[int, ...]
    options: dict[Quality, Options]
    alpha: tuple[str, ...] = ()  # pixel formats
    rgb: bool = False  # takes RGB itself, so that lossless is bit-exact
    limited: bool = False  # knows no full range
    matrices: tuple[int, ...] = ()  # those it can say; none: all
    even: bool = False  # subsampled pictures must have even sizes
    least: tuple[int, int] = (1, 1)
    most: int = 16384


def _crf(
    marks: tuple[int, int, int], preset: str, quick: str, lossless: Options | None = None, **more: str
) -> dict[Quality, Options]:
    """Options by constant rate factor, for high, medium and draft."""
    high, medium, draft = map(str, marks)
    options: dict[Quality, Options] = {
        "high": {"crf": high, "preset": preset, **more},
        "medium": {"crf": medium, "preset": preset, **more},
        "draft": {"crf": draft, "preset": quick, **more},
    }
    return options if lossless is None else {"lossless": lossless, **options}


_FFV1: Options = {"level": "3", "g": "1", "slices": "4", "slicecrc": "1"}
_VP9: Options = {"deadline": "good", "cpu-used": "4", "row-mt": "1", "b": "0"}
_QUIET = "log-level=none"

KINDS: dict[str, Kind] = {
    "h264": Kind("H.264", "libx264", (MP4, MOV, MKV, AVI), _CHROMA, (8, 10),
                 _crf((14, 20, 26), "veryfast", "ultrafast", {"qp": "0", "preset": "veryfast"}), even=True),
    "h265": Kind("H.265", "libx265", (MP4, MOV, MKV), _CHROMA, (8, 10, 12),
                 _crf((16, 21, 28), "veryfast", "ultrafast", {"preset": "veryfast", "x265-params": f"lossless=1:{_QUIET}"},
                      **{"x265-params": _QUIET}),
                 even=True, least=(64, 16)),  # narrower pictures make x265 write where it must not
    "prores": Kind("ProRes 422", "prores_ks", (MOV, MKV), ("422",), (10,),
                   {"high": {"profile": "hq"}, "medium": {"profile": "standard"}, "draft": {"profile": "proxy"}},
                   limited=True),
    "prores4444": Kind("ProRes 4444", "prores_ks", (MOV, MKV), ("444",), (10,),
                       {quality: {"profile": "4444", "alpha_bits": "16"} for quality in ("high", "medium", "draft")},
                       alpha=("yuva444p10le",), limited=True),
    "dnxhr": Kind("DNxHR", "dnxhd", (MOV,), ("422", "444"), (8, 10),
                  {"high": {"profile": "dnxhr_hq"}, "medium": {"profile": "dnxhr_sq"}, "draft": {"profile": "dnxhr_lb"}},
                  limited=True, matrices=(BT709,), least=(256, 120)),
    "ffv1": Kind("FFV1", "ffv1", (MKV, AVI), _CHROMA, (8, 10, 12, 16),
                 dict.fromkeys(("lossless", "high", "medium", "draft"), _FFV1),
                 alpha=("bgra", "gbrap10le", "gbrap12le", "gbrap16le"), rgb=True, even=True, least=(4, 4)),
    "vp9": Kind("VP9", "libvpx-vp9", (WEBM, MKV, MP4), _CHROMA, (8,),
                {"lossless": _VP9 | {"lossless": "1"}, "high": _VP9 | {"crf": "14"}, "medium": _VP9 | {"crf": "24"},
                 "draft": _VP9 | {"crf": "34", "deadline": "realtime", "cpu-used": "8"}}, alpha=("yuva420p",)),
    "av1": Kind("AV1", "libsvtav1", (MP4, MKV, WEBM), ("420",), (8, 10), _crf((16, 24, 35), "8", "12"),
                least=(64, 64), most=8192),
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """An encoder with everything it is told."""

    codec: Codec
    encoder: str
    pix_fmt: str
    options: Options
    bits: int
    chroma: str  # "420", "422", "444"
    alpha: bool
    container: str  # ffmpeg's name of one that keeps everything this encoder makes, for pieces
    signal: Signal


def check(path: Path, like: ClipInfo, encoding: Encoding) -> None:
    """Refuse what cannot be written, before any work is done for it."""
    choose(path, like, encoding)


def choose(path: Path, like: ClipInfo, encoding: Encoding = DEFAULT) -> Choice:
    """Decide how a clip is encoded into this movie."""
    suffix = path.suffix.lower()
    alpha = like.channels in (2, 4)
    wanted = _bits_of(path, like, encoding)
    codec = encoding.codec if encoding.codec != "auto" else _usual(suffix, wanted, alpha, encoding.quality)
    if encoding.codec == "auto" and codec == "h265" and like.width < KINDS["h265"].least[0]:
        codec = "h264"
    kind = KINDS[codec]
    if suffix in SUFFIXES and suffix not in kind.suffixes:
        raise MediaError(f"a {suffix} cannot hold {kind.name}: write {_either(kind.suffixes)}", path)
    if alpha and not kind.alpha:
        raise MediaError(f"{kind.name} cannot carry the alpha of this picture: write .mov (ProRes 4444) or .webm (VP9)", path)
    if encoding.quality not in kind.options:
        raise MediaError(f"{kind.name} is never lossless: choose codec ffv1 in a .mkv", path)
    bits = _fitting(path, kind, wanted, exact=encoding.bits != "auto")
    if kind.rgb and encoding.quality == "lossless" and encoding.bits == "auto":
        bits = 8 if like.depth == "uint8" else 16  # RGB made from 10 bits of YUV fills 16
    chroma = _chroma_of(path, like, encoding, kind)
    as_rgb = kind.rgb and (encoding.quality == "lossless" or suffix == AVI)  # an AVI does not say by which matrix
    if alpha:
        pix_fmt = next((name for name in kind.alpha if str(bits) in name), kind.alpha[0])
        chroma = "420" if "420" in pix_fmt else "444"
    elif as_rgb:
        pix_fmt, chroma = "bgr0" if bits == 8 else f"gbrp{bits}le", "444"
    else:
        pix_fmt = f"yuv{chroma}p" + ("" if bits == 8 else f"{bits}le")
    _check_size(path, like, kind, chroma)
    options = dict(kind.options[encoding.quality])
    if codec == "dnxhr" and (bits == 10 or chroma == "444"):
        options["profile"] = "dnxhr_444" if chroma == "444" else "dnxhr_hqx"
        bits, pix_fmt = 10, f"yuv{chroma}p10le"
    if codec == "h264" and suffix == AVI:
        # An AVI stores no times, so pictures lie in the order they are shown; and it has no place for headers but among them.
        options |= {"bf": "0", "x264-params": "repeat-headers=1"}
    # Matroska keeps colour and alpha of all but DNxHR, and rounds times to milliseconds, which join() sets anew.
    container = "mov" if codec == "dnxhr" else "nut" if codec == "h264" and suffix == AVI else "matroska"
    return Choice(cast(Codec, codec), kind.encoder, pix_fmt, options, bits, chroma, alpha, container, _signal_of(like, kind))


def _signal_of(like: ClipInfo, kind: Kind) -> Signal:
    """The source's colour, as far as this codec can say what it is."""
    signal: Signal = like.tags.get("colour", Signal())
    matrix = signal.matrix if not kind.matrices or signal.matrix in kind.matrices else kind.matrices[0]
    return replace(signal, matrix=matrix, full=signal.full and not kind.limited)


def _usual(suffix: str, bits: int, alpha: bool, quality: Quality) -> str:
    """The codec that `auto` means."""
    if alpha:
        return {MOV: "prores4444", WEBM: "vp9", MKV: "ffv1", AVI: "ffv1"}.get(suffix, "h264")
    if suffix == WEBM:
        return "av1" if bits > 8 else "vp9"
    if suffix in (MKV, AVI) and (quality == "lossless" or (suffix == AVI and bits > 8)):
        return "ffv1"
    return "h265" if bits > 8 else "h264"


def _bits_of(path: Path, like: ClipInfo, encoding: Encoding) -> int:
    if encoding.bits in ("half", "float"):
        raise MediaError(f"a movie holds whole numbers, not {encoding.bits}: write 8, 10 or 12 bits, or a sequence of .exr", path)
    if encoding.bits != "auto":
        return int(encoding.bits)
    lossless = encoding.quality == "lossless" or encoding.codec == "ffv1"
    usual = 8 if like.depth == "uint8" else 16 if lossless else 10
    told = like.tags.get("bits", usual)  # what fills 16 bits was finer than any eye, and players know 10 best
    return int(told) if like.depth in ("uint8", "uint16") and (lossless or told != 16) else usual


def _fitting(path: Path, kind: Kind, wanted: int, exact: bool) -> int:
    """The bits this codec stores `wanted` bits in."""
    if exact and wanted not in kind.bits:
        raise MediaError(f"{kind.name} is written with {_either(kind.bits)} bits, not {wanted}: choose another codec", path)
    return next((bits for bits in kind.bits if bits >= wanted), kind.bits[-1])


def _chroma_of(path: Path, like: ClipInfo, encoding: Encoding, kind: Kind) -> str:
    odd = kind.even and (like.width % 2 or like.height % 2)
    if encoding.chroma != "auto":
        if encoding.chroma not in kind.chroma:
            have = f"{kind.name} is written with chroma {_either(kind.chroma)}"
            raise MediaError(f"{have}, not {encoding.chroma}: choose another codec", path)
        if odd and encoding.chroma != "444":
            size = f"{like.width}x{like.height}"
            raise MediaError(f"{kind.name} in {encoding.chroma} needs even sizes, and this is {size}: choose chroma 444", path)
        return encoding.chroma
    usual = "444" if encoding.quality == "lossless" else "420"
    source = str(like.tags.get("chroma", usual))
    if odd or source not in _CHROMA:
        source = "444" if odd or source == "440" else "420"
    return next((chroma for chroma in kind.chroma if chroma >= source), kind.chroma[-1])


def _check_size(path: Path, like: ClipInfo, kind: Kind, chroma: str) -> None:
    size = f"{like.width}x{like.height}"
    if like.width < kind.least[0] or like.height < kind.least[1]:
        least = f"{kind.least[0]}x{kind.least[1]}"
        raise MediaError(f"{kind.name} begins at {least}, and this is {size}: choose codec h264", path)
    if max(like.width, like.height) > kind.most:
        raise MediaError(f"{kind.name} ends at {kind.most} pixels a side, and this is {size}: write a sequence", path)


def _either(choices: Sequence[object]) -> str:
    *most, last = (str(choice) for choice in choices)
    return f"{', '.join(most)} or {last}" if most else last
