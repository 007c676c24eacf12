"""A render from file to file: what is kept, what is painted, and what is refused before any work."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto import cli
from impasto.errors import InputError, MediaError, StyleError
from impasto.frame import ClipInfo, Frame, Pixels
from impasto.job import Done, Progress
from impasto.media import open_reader, open_writer
from impasto.render import brush
from impasto.render.job import RenderJob
from tests.fakes import Inverter, noise, write_tiny_style

DEPTHS = {"uint8": 255, "uint16": 65535}


def picture(path: Path, pixels: Pixels, **tags: Any) -> Path:
    height, width, channels = pixels.shape
    with open_writer(path, ClipInfo(width, height, depth=str(pixels.dtype), channels=channels)) as writer:
        writer.write(Frame(pixels, tags=tags))
    return path


def pixels_of(path: Path | None) -> Pixels:
    assert path is not None
    with open_reader(path) as reader:
        return next(iter(reader)).pixels


def render(*inputs: Path, out: Path, style: Path, **options: Any) -> Done:
    return RenderJob.build(inputs=list(inputs), out=out, style=str(style), **options).finish()


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_strength_0_returns_every_value(tmp_path: Path, tiny_style: Path, depth: str, channels: int) -> None:
    random = np.random.default_rng(channels)
    source = random.integers(0, DEPTHS[depth] + 1, (13, 17, channels)).astype(depth)
    done = render(picture(tmp_path / "in.png", source), out=tmp_path / "out.png", style=tiny_style, strength=0)
    out = pixels_of(done.path)
    assert out.dtype == source.dtype
    assert np.array_equal(out, source)
    assert done.figures["engine"] == "none"


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("strength", [1.0, 0.25])
def test_paint_is_mixed_in_native_values_and_alpha_stays(
    tmp_path: Path, tiny_style: Path, negative: Inverter, depth: str, strength: float
) -> None:
    white = DEPTHS[depth]
    source = np.random.default_rng(0).integers(0, white + 1, (13, 17, 4)).astype(depth)
    done = render(picture(tmp_path / "in.png", source), out=tmp_path / "out.png", style=tiny_style, strength=strength)
    out = pixels_of(done.path)
    assert out.dtype == source.dtype
    assert np.array_equal(out[..., 3], source[..., 3])
    rgb = source[..., :3].astype(float)
    expected = rgb * (1 - strength) + (white - rgb) * strength
    assert np.abs(out[..., :3] - expected).max() <= 0.51 if depth == "uint8" else 1


def test_grey_becomes_colour(tmp_path: Path, tiny_style: Path, negative: Inverter) -> None:
    grey = noise(13, 17)[..., :2]
    out = pixels_of(render(picture(tmp_path / "in.png", grey), out=tmp_path / "out.png", style=tiny_style).path)
    assert np.array_equal(out[..., :3], np.repeat(255 - grey[..., :1], 3, axis=2))
    assert np.array_equal(out[..., 3], grey[..., 1])


def test_the_icc_profile_stays(tmp_path: Path, tiny_style: Path, negative: Inverter) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = picture(tmp_path / "in.png", noise(8, 8), icc=profile)
    done = render(source, out=tmp_path / "out.png", style=tiny_style)
    with Image.open(str(done.path)) as written:
        assert written.info["icc_profile"] == profile


@pytest.mark.parametrize("engine", ["openvino", "onnx"])
def test_a_real_engine_paints_both_depths_alike(tmp_path: Path, tiny_style: Path, engine: str) -> None:
    source = noise(37, 50)
    options: dict[str, Any] = {"style": tiny_style, "tier": "live", "engine": engine, "precision": "fp32"}
    out = render(picture(tmp_path / "8.png", source), out=tmp_path / "8out.png", **options)
    deep = render(picture(tmp_path / "16.png", source.astype(np.uint16) * 257), out=tmp_path / "16out.png", **options)
    painted, painted_deep = pixels_of(out.path), pixels_of(deep.path)
    assert painted_deep.dtype == np.uint16
    assert np.abs(painted_deep / 257 - painted).max() <= 0.51
    assert np.abs(painted.astype(int) - source).mean() > 1, "it paints"
    assert out.figures["engine"].startswith(f"{engine} fp32 on ")


def test_tiles_equal_the_whole(tmp_path: Path, tiny_style: Path) -> None:
    source = picture(tmp_path / "in.png", noise(150, 201))
    options: dict[str, Any] = {"style": tiny_style, "engine": "openvino", "precision": "fp32"}
    whole = render(source, out=tmp_path / "whole.png", tile="off", **options)
    tiled = render(source, out=tmp_path / "tiled.png", tile="48", **options)
    assert np.array_equal(pixels_of(whole.path), pixels_of(tiled.path))


def test_several_pictures_go_into_a_folder(tmp_path: Path, tiny_style: Path, negative: Inverter) -> None:
    sources = [picture(tmp_path / name, noise(8, 9)) for name in ("a.png", "b.jpg", "c.png")]
    done = render(*sources, out=tmp_path / "painted", style=tiny_style)
    assert done.path == tmp_path / "painted"
    assert sorted(os.listdir(done.path)) == ["a.png", "b.jpg", "c.png"]
    assert done.figures["frames"] == 3
    assert np.array_equal(pixels_of(done.path / "c.png"), 255 - pixels_of(sources[2]))


def test_one_picture_goes_into_a_folder_that_is_there(tmp_path: Path, tiny_style: Path, negative: Inverter) -> None:
    Image.fromarray(noise(8, 9)).save(tmp_path / "in.webp")
    (tmp_path / "painted").mkdir()
    done = render(tmp_path / "in.webp", out=tmp_path / "painted", style=tiny_style)
    assert done.path == tmp_path / "painted" / "in.webp"


def test_progress_ends_with_done(tmp_path: Path, tiny_style: Path, negative: Inverter) -> None:
    sources = [picture(tmp_path / f"{name}.png", noise(8, 9)) for name in "ab"]
    steps = list(RenderJob.build(inputs=sources, out=tmp_path / "painted", style=str(tiny_style)).run())
    told = [step for step in steps if isinstance(step, Progress) and step.total]
    assert [(step.done, step.total) for step in told] == [(0, 2), (1, 2), (2, 2)]
    assert isinstance(steps[-1], Done)


def test_a_failure_midway_keeps_what_is_done_and_leaves_no_pieces(
    tmp_path: Path, tiny_style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(Inverter):
        def paint(self, batch: Pixels) -> Pixels:
            if self.shapes:
                raise MemoryError
            return super().paint(batch)

    dying = Dying()
    monkeypatch.setattr(brush, "open_engine", lambda *args, **options: dying)
    sources = [picture(tmp_path / f"{name}.png", noise(8, 9)) for name in "ab"]
    with pytest.raises(MemoryError):
        render(*sources, out=tmp_path / "painted", style=tiny_style)
    assert os.listdir(tmp_path / "painted") == ["a.png"]


def test_closing_a_render_leaves_no_pieces(tmp_path: Path, tiny_style: Path, negative: Inverter) -> None:
    sources = [picture(tmp_path / f"{name}.png", noise(8, 9)) for name in "abc"]
    steps = RenderJob.build(inputs=sources, out=tmp_path / "painted", style=str(tiny_style)).run()
    while not (isinstance(step := next(steps), Progress) and step.done == 1):
        pass
    steps.close()  # type: ignore[attr-defined]  # run() is a generator
    assert os.listdir(tmp_path / "painted") == ["a.png"]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(InputError) as caught:
        render(tmp_path / "none.png", tmp_path / "text.png", out=tmp_path / "out", style=Path("no-such-look"))
    for part in ("none.png", "text.png", "no-such-look"):
        assert part in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["text.png"]


def test_what_a_render_does_not_do_yet_is_said(tmp_path: Path, tiny_style: Path) -> None:
    source = picture(tmp_path / "in.png", noise(8, 9))
    out = tmp_path / "out.png"
    with pytest.raises(InputError, match="covers everything below it"):
        RenderJob.build(inputs=[source], out=out, style=[str(tiny_style)] * 2).finish()
    with pytest.raises(InputError, match="no precision 'int8'"):
        render(source, out=out, style=tiny_style, engine="onnx", precision="int8")
    deep = picture(tmp_path / "deep.png", noise(8, 9).astype(np.uint16))
    with pytest.raises(InputError, match="more than 8 bits"):
        render(deep, out=out, style=tiny_style, precision="bf16")
    with pytest.raises(InputError, match="has no tier 'mini': choose one of live, full"):
        render(source, out=out, style=tiny_style, tier="mini")


def test_inputs_are_never_overwritten(tmp_path: Path, tiny_style: Path) -> None:
    source = picture(tmp_path / "in.png", noise(8, 9))
    (tmp_path / "link.png").symlink_to(source)
    other = picture(tmp_path / "other.png", noise(8, 9))
    before = source.read_bytes()
    for out in (source, tmp_path / "link.png"):
        with pytest.raises(InputError, match="never overwritten"):
            render(source, out=out, style=tiny_style, overwrite=True)
    with pytest.raises(InputError, match="never overwritten"):
        render(source, other, out=tmp_path, style=tiny_style, overwrite=True)
    assert source.read_bytes() == before


def test_two_inputs_never_land_on_each_other(tmp_path: Path, tiny_style: Path) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
        picture(tmp_path / folder / "in.png", noise(8, 9))
    with pytest.raises(InputError, match="would both become"):
        render(tmp_path / "a/in.png", tmp_path / "b/in.png", out=tmp_path / "painted", style=tiny_style)
    assert not (tmp_path / "painted").exists(), "the folder that was made for them is gone again"


def png_of_no_size(path: Path) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">2I5B", 0, 0, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def cut_jpeg(path: Path) -> None:
    Image.fromarray(noise(64, 64)).save(path)
    path.write_bytes(path.read_bytes()[:1500])


BAD: dict[str, tuple[str, Any]] = {
    "missing": ("none.png", None),
    "text": ("text.png", lambda path: path.write_text("not a picture")),
    "empty": ("empty.png", lambda path: path.touch()),
    "cut": ("cut.jpg", cut_jpeg),
    "no size": ("zero.png", png_of_no_size),
    "a folder": ("folder.png", lambda path: path.mkdir()),
    "unknown kind": ("notes.txt", lambda path: path.write_text("x")),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_input_is_one_line_and_exit_2(
    tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    name, make = BAD[kind]
    source, out = tmp_path / name, tmp_path / "out.png"
    if make:
        make(source)
    code = cli.main(["render", str(source), "-o", str(out), "--style", str(tiny_style), "--json"])
    captured = capsys.readouterr()
    assert code == 2, captured.err
    line = captured.err.splitlines()[-1]
    assert line.startswith(f"impasto: {source}: ")
    assert json.loads(captured.out) == {"ok": False, "error": line.removeprefix("impasto: "), "exit_code": 2}
    assert not out.exists()
    assert len(os.listdir(tmp_path)) == (1 if make else 0), "nothing half-written lies about"


@pytest.mark.parametrize(
    ("out", "part"),
    [
        ("there.png", "exists already"),
        ("no/such/out.png", "no folder"),
        ("in.png/out.png", "is not a folder"),
        ("out.xyz", "cannot be written"),
        ("out", "no suffix"),
        ("/proc/out.png", "cannot be written"),  # a folder that not even root can write to
    ],
)
def test_a_bad_output_is_refused_before_work(
    tmp_path: Path, tiny_style: Path, negative: Inverter, capsys: pytest.CaptureFixture[str], out: str, part: str
) -> None:
    source = picture(tmp_path / "in.png", noise(8, 9))
    (tmp_path / "there.png").write_text("precious")
    code = cli.main(["render", str(source), "-o", str(tmp_path / out), "--style", str(tiny_style)])
    err = capsys.readouterr().err.splitlines()
    assert code == 2
    assert part in err[-1]
    assert err[-1].startswith(f"impasto: {tmp_path / out}: ")
    assert not negative.shapes, "nothing was painted"
    assert (tmp_path / "there.png").read_text() == "precious"


def test_a_file_where_a_folder_is_needed(tmp_path: Path, tiny_style: Path) -> None:
    sources = [picture(tmp_path / f"{name}.png", noise(8, 9)) for name in "ab"]
    for out in (tmp_path / "new.png", sources[0]):
        with pytest.raises(InputError, match="need a folder"):
            render(*sources, out=out, style=tiny_style)


def test_alpha_does_not_fit_into_a_jpeg(tmp_path: Path, tiny_style: Path, negative: Inverter) -> None:
    source = picture(tmp_path / "in.png", np.dstack([noise(8, 9), noise(8, 9)[..., :1]]))
    with pytest.raises(MediaError, match="alpha"):
        render(source, out=tmp_path / "out.jpg", style=tiny_style)
    assert not negative.shapes


def test_a_style_that_is_no_style(tmp_path: Path) -> None:
    source = picture(tmp_path / "in.png", noise(8, 9))
    (tmp_path / "bad.style").write_text("not a zip")
    for style, part in ((tmp_path / "bad.style", "bad.style"), (Path("great-wavy"), "no look has this name")):
        with pytest.raises(StyleError, match=part):
            render(source, out=tmp_path / "out.png", style=style)


def test_overwrite_replaces(tmp_path: Path, tiny_style: Path, negative: Inverter) -> None:
    source = picture(tmp_path / "in.png", noise(8, 9))
    out = picture(tmp_path / "out.png", noise(4, 4))
    render(source, out=out, style=tiny_style, overwrite=True)
    assert pixels_of(out).shape == (8, 9, 3)


def test_a_render_that_is_stopped_before_its_first_picture_leaves_no_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Image.fromarray(noise(8, 8)).save(tmp_path / f"{name}.png")
    look = write_tiny_style(tmp_path / "tiny.style")
    job = RenderJob.build(inputs=[tmp_path / "a.png", tmp_path / "b.png"], out=tmp_path / "many", style=str(look))
    steps = job.run()
    while not (tmp_path / "many").exists():
        next(steps)
    steps.close()
    assert not (tmp_path / "many").exists()
