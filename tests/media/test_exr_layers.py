"""Which layers of an EXR a painting may take the place of, and what is said of those that are not there."""
from __future__ import annotations

from pathlib import Path

import pytest

from impasto.errors import MediaError
from impasto.media.exr import check_place, open_reader
from tests.media.exr_made import FLOAT, Made, light, noise
from tests.media.test_exr import layered, planes, put, read, write


def channels_painted(source: Path, layer: str, to_layer: str = "") -> set[str]:
    """The channels of a copy in which this layer was painted in colour."""
    frame = read(source, layer, to_layer)
    return set(planes(write(source.with_name("painted.exr"), frame.with_rgb(frame.rgb())))[0])


@pytest.mark.parametrize("name", ["R", "Y", "depth", "depth.Z", "N.Y", "diffuse.G"])
def test_a_painting_takes_the_place_of_no_single_channel(tmp_path: Path, name: str) -> None:
    names = [*"RGBY", "diffuse.R", "diffuse.G", "diffuse.B", "N.X", "N.Y", "N.Z"]
    source = put(tmp_path / "a.exr", Made(light(names) | {"depth.Z": noise(FLOAT)}))
    told = r"is a single channel.*: leave --layer out, or choose .* \(N, diffuse\), or give --to-layer NAME"
    with pytest.raises(MediaError, match=told):
        check_place(source, name)
    with pytest.raises(MediaError, match=told):
        channels_painted(source, name)
    assert not (tmp_path / "painted.exr").exists()
    assert channels_painted(source, name, "paint") == {*names, "depth.Z", "paint.R", "paint.G", "paint.B"}


@pytest.mark.parametrize(
    ("names", "layer", "prefix"),
    [("RGB", "", ""), ("Y", "", ""), ("Y", "Y", ""), (["matte.Y"], "matte", "matte."), (["matte.Y"], "matte.Y", "matte.")],
)
def test_a_painting_takes_the_place_of_a_picture_and_of_luminance(
    tmp_path: Path, names: list[str], layer: str, prefix: str
) -> None:
    source = put(tmp_path / "a.exr", Made(light(names)))
    check_place(source, layer)
    assert channels_painted(source, layer) == {f"{prefix}{each}" for each in "RGB"}


def test_only_what_can_be_painted_is_told_as_a_layer(tmp_path: Path) -> None:
    depth = {"depth.Z": noise(FLOAT)}
    layered = put(tmp_path / "a.exr", Made(light(["Y", "diffuse.R", "diffuse.G", "diffuse.B"]) | depth))
    with pytest.raises(MediaError, match=r"has no layer 'x': --layer takes one of diffuse$"):
        open_reader(layered, "x")
    plain = put(tmp_path / "b.exr", Made(light("RGB") | depth))
    with pytest.raises(MediaError, match=r"has no layer 'dept': leave --layer out to paint its picture"):
        open_reader(plain, "dept")


@pytest.mark.parametrize("names", [["Z"], ["depth.Z"], ["N.X", "N.Y", "N.Z"]])
def test_beside_a_shot_the_only_layer_needs_no_name(tmp_path: Path, names: list[str]) -> None:
    with open_reader(put(tmp_path / "a.exr", Made(light(names))), beside="depth=a.exr:") as reader:
        assert reader.layer.channels == tuple(names)


def test_beside_a_shot_layers_and_channels_are_told_as_they_are_asked_for(tmp_path: Path) -> None:
    two = put(tmp_path / "two.exr", Made(light(["Z", "id"])))
    with pytest.raises(MediaError, match=r"has no R, G and B: name one of its channels \(Z, id\), as in depth=two\.exr:Z$"):
        open_reader(two, beside="depth=two.exr:")
    told = r"no layer or channel 'bauty': name one of its layers \(N, .*beauty.*\) or channels \(N\.X, .*, as in @a\.exr:beauty$"
    with pytest.raises(MediaError, match=told):
        open_reader(layered(tmp_path / "a.exr"), "bauty", beside="@a.exr:")
