"""A shot with overscan: what goes along with it lies in training where it lies in painting."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
import torch
from PIL import Image

from impasto.errors import MediaError
from impasto.frame import Pixels
from impasto.learn.job import TrainJob
from impasto.learn.material.shot import ShotMaterial, gather_shot, read_mattes
from impasto.media import open_reader
from impasto.media.guides import Guide
from impasto.media.windows import Windows
from impasto.render.guides import Guides
from tests.fakes import noise

WIDTH, HEIGHT = 96, 72  # of what is shown; the shot has 8 and 6 pixels more at each side


def write(path: Path, channels: dict[str, Pixels], at: tuple[int, int]) -> Path:
    pixels = np.dstack(list(channels.values())).astype(np.float32)
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], len(channels), "float")
    spec.channelnames, (spec.x, spec.y) = tuple(channels), at
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = 0, 0, WIDTH, HEIGHT
    image = oiio.ImageBuf(spec)
    image.set_pixels(oiio.ROI(), pixels)
    assert image.write(str(path))
    return path


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """Two frames with overscan, the second with another data window, each with a depth of its own window."""
    for number, (at, size) in enumerate([((-8, -6), (84, 112)), ((4, 3), (60, 80))], 1):
        colour = noise(*size, seed=number) / 255
        write(tmp_path / f"shot.{number:04d}.exr", dict(zip("RGB", np.moveaxis(colour, 2, 0), strict=True)), at)
        write(tmp_path / f"d.{number:04d}.exr", {"Z": np.full((30, 40), 2.0 + number)}, (10 + number, 20))
    return tmp_path / "shot.####.exr"


def gathered(shot: Path, **more: object) -> ShotMaterial:
    painted = shot.with_name("painted.0001.png")
    Image.fromarray(noise(HEIGHT, WIDTH, seed=9)).save(painted)
    job = TrainJob.build(references=[painted], shot=shot, recipe="keyframes", out=shot.with_name("x.style"), **more)
    return gather_shot(job, 4, None, torch.device("cpu"))


def test_a_guide_is_learnt_where_it_is_painted(shot: Path, tmp_path: Path) -> None:
    named = f"depth={tmp_path}/d.####.exr"
    learnt = gathered(shot, guide=[named])
    (key,), (view,) = learnt.keys, learnt.views
    assert np.count_nonzero(key.guides) == 30 * 40
    assert key.guides[26, 19] == pytest.approx(np.log2(1 + 3) / 4, abs=1e-3), "11, 20 of what is shown"
    with open_reader(shot) as reader:
        first = next(iter(reader))
        guides = Guides([Guide.parse(named)], reader.info, reader.numbers())
        brush = type("Seeing", (), {"guides": {"depth": 1}})
        painted = guides.beside(brush, first)  # type: ignore[arg-type] # all that is asked of a brush
        guides.close()
    np.testing.assert_allclose(key.guides, painted, atol=1e-3)
    assert view.seen.shape == key.seen.shape == (84, 112, 3), "a window that moves is learnt where it lies"
    assert not view.seen[:9].any()
    assert view.guides[26, 20] == pytest.approx(np.log2(1 + 4) / 4, abs=1e-3)


def test_nothing_is_learnt_of_what_nobody_painted(shot: Path) -> None:
    (key,) = gathered(shot).keys
    np.testing.assert_array_equal(key.painted[6:78, 8:104], noise(HEIGHT, WIDTH, seed=9))
    assert (key.matte[6:78, 8:104] == 255).all()
    assert np.count_nonzero(key.matte) == WIDTH * HEIGHT


def test_a_matte_may_be_a_layer_and_lies_where_its_window_says(tmp_path: Path) -> None:
    layers = {f"roto.{name}": np.full((30, 40), value) for name, value in (("hero", 1.0), ("car", 0.0))}
    path, shot = write(tmp_path / "m.exr", layers, (10, 20)), Windows((-8, -6, 103, 77), (0, 0, WIDTH - 1, HEIGHT - 1))
    matte = read_mattes(Path(f"{path}:roto.hero"), [1], [1], shot)[1]
    assert matte.shape == (84, 112)
    assert (matte[26:56, 18:58] == 255).all()
    assert np.count_nonzero(matte) == 30 * 40
    with pytest.raises(MediaError, match=r"name one of its channels \(roto\.car, roto\.hero\), as in --matte .*m\.exr:roto\.car"):
        read_mattes(path, [1], [1], shot)
