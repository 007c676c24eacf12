"""Bands of rows: a picture that was never held whole is the very picture that was."""
from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impasto.engine import Engine, load_engine
from impasto.errors import MediaError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.media import open_reader, open_writer
from impasto.media.stills import StillReader, StillWriter
from impasto.render import regions
from impasto.render.brush import Brush
from impasto.render.job import DEFAULT_STYLE
from impasto.render.regions import check_fits, memory_needed, needs_regions, paint_by_rows
from impasto.styles.library import find
from impasto.styles.package import StyleFile
from tests.fakes import TINY_FIELD, TINY_STRIDE, noise, tiny_graph, tiny_tier


@cache
def tiny() -> Engine:
    graph = tiny_graph()
    return load_engine("onnx").open(graph, tiny_tier(graph), "fp32")


class Rows:
    """A picture in memory, read and written by rows, that watches how it is asked."""

    def __init__(self, pixels: Pixels) -> None:
        height, width, channels = pixels.shape
        self.info = ClipInfo(width, height, depth=str(pixels.dtype), channels=channels)
        self.tags: dict[str, Any] = {"icc": b"kept"}
        self.pixels, self.asked, self.written = pixels, [(0, 0)], []

    def rows(self, top: int, bottom: int) -> Pixels:
        """Rows, which must follow one another."""
        assert top == self.asked[-1][1], "every row is read once, from the top down"
        self.asked.append((top, bottom))
        return self.pixels[top:bottom]

    def write_rows(self, pixels: Pixels, tags: dict[str, Any]) -> None:
        """Keep rows."""
        assert tags == self.tags
        self.written.append(pixels.copy())


@pytest.mark.parametrize("height", [1, 4, 50, 131, 200])
@pytest.mark.parametrize("band", [4, 30, 64])
def test_bands_are_the_whole_to_the_last_bit(height: int, band: int) -> None:
    picture = Rows(noise(height, 77))
    list(paint_by_rows(picture, picture, lambda rows: tiny().paint(rows[None])[0], TINY_STRIDE, TINY_FIELD, band))
    assert np.array_equal(np.concatenate(picture.written), tiny().paint(picture.pixels[None])[0])


def test_few_rows_are_held_at_once() -> None:
    picture, seen = Rows(noise(600, 20)), []

    def paint(rows: Pixels) -> Pixels:
        seen.append(len(rows))
        return rows

    list(paint_by_rows(picture, picture, paint, TINY_STRIDE, TINY_FIELD, 40))
    assert max(seen) <= 40 + 2 * 12
    assert len(set(seen)) == 1, "an engine prepares for one size"
    assert np.array_equal(np.concatenate(picture.written), picture.pixels)


@pytest.mark.parametrize("tier", ["live", "full"])
def test_the_shipped_look_in_bands(tier: str) -> None:
    brush = Brush(StyleFile.open(find(DEFAULT_STYLE)), tier, "onnx", "fp32")  # type: ignore[arg-type] # parametrised
    brush.prepare(deep=False)
    picture = Rows(np.repeat(np.repeat(noise(90, 12), 4, axis=0), 4, axis=1))
    list(paint_by_rows(picture, picture, brush.paint, brush.stride, brush.receptive_field, 64))
    assert len(picture.written) > 2
    difference = np.abs(np.concatenate(picture.written).astype(int) - brush.paint(picture.pixels))
    assert difference.max() == 0


def from_file_to_file(source: Path, target: Path, paint: Callable[[Pixels], Pixels]) -> None:
    with open_reader(source) as reader, open_writer(target, reader.info) as writer:
        assert isinstance(reader, StillReader)
        assert isinstance(writer, StillWriter)
        list(paint_by_rows(reader, writer, paint, 4, 20, 16))


@pytest.mark.parametrize(("name", "dtype"), [("a.tif", "uint8"), ("a.tif", "uint16"), ("a.tif", "float32"), ("a.png", "uint16")])
def test_from_file_to_file_with_alpha_and_tags(tmp_path: Path, name: str, dtype: str) -> None:
    alpha = noise(150, 40)[..., :1]
    pixels = np.concatenate([noise(150, 40, 1), alpha], axis=2)
    pixels = (pixels / 255).astype(dtype) if dtype == "float32" else pixels.astype(dtype)
    like = ClipInfo(40, 150, depth=dtype, channels=4)
    with open_writer(tmp_path / name, like) as writer:
        writer.write(Frame(pixels, tags={"dpi": (300.0, 300.0)}))
    from_file_to_file(tmp_path / name, tmp_path / f"out{name}", lambda rows: rows)
    with open_reader(tmp_path / f"out{name}") as reader:
        found = next(iter(reader))
    assert np.array_equal(found.pixels, pixels)
    assert found.tags["dpi"] == pytest.approx((300, 300))


def test_what_breaks_half_way_leaves_nothing(tmp_path: Path) -> None:
    with open_writer(tmp_path / "a.tif", ClipInfo(40, 150)) as writer:
        writer.write(Frame(noise(150, 40)))
    bands = iter([True, True, False])

    def paint(rows: Pixels) -> Pixels:
        if not next(bands):
            raise MediaError("broke", "a")
        return rows

    with pytest.raises(MediaError, match="broke"):
        from_file_to_file(tmp_path / "a.tif", tmp_path / "b.tif", paint)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tif"]


def test_large_pictures_need_regions_and_8k_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "free_memory", lambda: 16 << 30)
    assert needs_regions(ClipInfo(16384, 16384))
    assert needs_regions(ClipInfo(8192, 8192, depth="float32"))
    assert not needs_regions(ClipInfo(7680, 4320, depth="float32", channels=4))
    monkeypatch.setattr(regions, "free_memory", lambda: 1 << 29)
    assert needs_regions(ClipInfo(7680, 4320))
    assert not needs_regions(ClipInfo(1920, 1080, depth="float32", channels=4))


def test_what_cannot_be_held_or_read_by_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    info, path = ClipInfo(16000, 16000, depth="uint16"), Path("a.webp")
    monkeypatch.setattr(regions, "free_memory", lambda: 3 << 30)
    assert memory_needed(info) > 3 << 30
    with pytest.raises(MediaError, match=r"needs about 10\.0 GiB of memory, and 3\.0 are free"):
        check_fits(info, by_rows=False, path=path)
    check_fits(info, by_rows=True, path=path)
    monkeypatch.setattr(regions, "free_memory", lambda: 30 << 30)
    check_fits(info, by_rows=False, path=path)
