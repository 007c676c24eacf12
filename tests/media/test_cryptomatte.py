"""Cryptomatte: hashes as published, mattes by name, and files that mean no good."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from impasto.errors import MediaError
from impasto.media.cryptomatte import choose_objects, matte, murmur3, name_to_id, object_names, window_of

HEIGHT, WIDTH = 6, 9
NAMES = ["/root/hero", "/root/hero/eye", "ground"]


def bits(name: str) -> np.float32:
    return np.uint32(name_to_id(name)).view(np.float32)


def two_ranks() -> NDArray[np.float32]:
    """R, G, B, A: left of column 3 the hero, right of it the ground, in column 3 a quarter hero and 3/4 ground."""
    layer = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    layer[:, :3, :2] = bits("/root/hero"), 1
    layer[:, 3] = bits("ground"), 0.75, bits("/root/hero"), 0.25
    layer[:, 4:, :2] = bits("ground"), 1
    return layer


def write(path: Path, attributes: dict[str, str], channels: dict[str, NDArray[np.float32]], kind: str = "float") -> Path:
    pixels = np.stack(list(channels.values()), axis=2)
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    spec.channelnames = tuple(channels)
    for name, value in attributes.items():
        spec.attribute(name, value)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec)
    assert output.write_image(pixels)
    assert output.close()
    return path


def framed(path: Path, plane: NDArray[np.float32], at: tuple[int, int], shown: tuple[int, int, int, int]) -> Path:
    """An EXR with a layer `mask` and its preview in RGB, whose data lies at x, y of a display window (x, y, width, height)."""
    spec = oiio.ImageSpec(plane.shape[1], plane.shape[0], 4, "float")
    spec.channelnames = ("R", "G", "B", "mask.R")
    spec.x, spec.y = at
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = shown
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec)
    assert output.write_image(np.repeat(plane[..., None], 4, axis=2))
    assert output.close()
    return path


def parted(path: Path, parts: list[tuple[tuple[int, int], dict[str, NDArray[np.float32]]]], about: dict[str, str]) -> Path:
    """An EXR of parts, each with data that begins at its own x, y."""
    specs = []
    for number, ((left, top), channels) in enumerate(parts):
        height, width = next(iter(channels.values())).shape
        spec = oiio.ImageSpec(width, height, len(channels), "float")
        spec.channelnames, spec.x, spec.y = tuple(channels), left, top
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = 0, 0, 2 * WIDTH, 2 * HEIGHT
        spec.attribute("oiio:subimagename", f"part{number}")
        for name, value in about.items():
            spec.attribute(name, value)
        specs.append(spec)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), tuple(specs))
    for number, (_, channels) in enumerate(parts):
        assert number == 0 or output.open(str(path), specs[number], "AppendSubimage")
        assert output.write_image(np.stack(list(channels.values()), axis=2))
    assert output.close()
    return path


def facts(kind: str, names: list[str] | None, key: str = "abc1234", **more: str) -> dict[str, str]:
    told = {"name": kind, "hash": "MurmurHash3_32", "conversion": "uint32_to_float32", **more}
    if names is not None:
        told["manifest"] = json.dumps({name: f"{name_to_id(name):08x}" for name in names})
    return {f"cryptomatte/{key}/{name}": value for name, value in told.items()}


def layer(prefix: str, letters: str = "RGBA") -> dict[str, NDArray[np.float32]]:
    return {f"{prefix}.{letter}": plane for letter, plane in zip(letters, np.moveaxis(two_ranks(), 2, 0), strict=True)}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    colour = {name: np.full((HEIGHT, WIDTH), 0.5, np.float32) for name in "RGB"}
    # The layer without a number is a preview for people, and no matte.
    preview = {f"CryptoObject.{name}": np.ones((HEIGHT, WIDTH), np.float32) for name in "RGB"}
    return write(tmp_path / "shot.exr", facts("CryptoObject", NAMES), colour | preview | layer("CryptoObject00"))


@pytest.mark.parametrize(
    ("data", "seed", "hashed"),
    [
        (b"", 0, 0),
        (b"", 1, 0x514E28B7),
        (b"", 0xFFFFFFFF, 0x81F16F39),
        (b"\xff\xff\xff\xff", 0, 0x76293B50),
        (b"\x21\x43\x65\x87", 0, 0xF55B516B),
        (b"\x21\x43\x65", 0, 0x7E4A8634),
        (b"\x21\x43", 0, 0xA0F7B07A),
        (b"\x21", 0, 0x72661CF4),
        (b"aaaa", 0x9747B28C, 0x5A97808A),
        (b"Hello, world!", 0x9747B28C, 0x24884CBA),
        (b"The quick brown fox jumps over the lazy dog", 0x9747B28C, 0x2FA826CD),
    ],
)
def test_hashes_are_those_published(data: bytes, seed: int, hashed: int) -> None:
    assert murmur3(data, seed) == hashed


@given(st.text())
def test_every_name_becomes_a_float_that_survives(name: str) -> None:
    value = np.uint32(name_to_id(name)).view(np.float32)
    assert np.isfinite(value)
    assert abs(value) >= np.finfo(np.float32).tiny


def test_an_empty_name_is_no_denormal() -> None:
    assert name_to_id("") == 1 << 23, "its hash is 0"


def test_mattes_are_the_coverage(picture: Path) -> None:
    hero = matte(picture, "CryptoObject", ["/root/hero"])
    assert hero.dtype == np.float32
    assert hero.tolist() == [[1, 1, 1, 0.25, 0, 0, 0, 0, 0]] * HEIGHT
    assert (matte(picture, "CryptoObject", ["/root/hero", "ground"]) == 1).all()
    assert (matte(picture, "CryptoObject", ["/root/hero/eye"]) == 0).all(), "known, but not in the picture"


def test_many_objects_at_once(picture: Path) -> None:
    others = [f"leaf {number}" for number in range(200)]
    assert np.array_equal(matte(picture, "CryptoObject", ["ground", *others]), matte(picture, "CryptoObject", ["ground"]))


def test_names_are_listed_by_kind(picture: Path) -> None:
    assert object_names(picture) == {"CryptoObject": sorted(NAMES)}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("ground", ["ground"]),
        ("ground+/root/hero", ["ground", "/root/hero"]),
        ("CryptoObject/ground", ["ground"]),
        ("CryptoObject//root/hero/eye", ["/root/hero/eye"]),
        ("/root/hero", ["/root/hero"]),
    ],
)
def test_objects_are_chosen_by_name(picture: Path, wanted: str, names: list[str]) -> None:
    assert choose_objects(picture, wanted) == ("CryptoObject", names)


def test_an_unknown_object_is_answered_with_those_like_it(picture: Path) -> None:
    with pytest.raises(MediaError, match=r"shot\.exr: Cryptomatte CryptoObject has no 'hero': did you mean /root/hero or "):
        choose_objects(picture, "ground+hero")
    with pytest.raises(MediaError, match="has no 'xyz': choose one of /root/hero, /root/hero/eye, ground"):
        choose_objects(picture, "xyz")
    with pytest.raises(MediaError, match="has no Cryptomatte 'CryptoMat': did you mean CryptoObject"):
        matte(picture, "CryptoMat", ["ground"])


def test_a_name_may_hold_a_plus(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", facts("Crypto", ["a+b", "a"]), layer("Crypto00"))
    assert choose_objects(path, "a+b") == ("Crypto", ["a+b"])
    assert choose_objects(path, "a") == ("Crypto", ["a"])


def test_several_kinds_are_searched_in_turn(tmp_path: Path) -> None:
    about = facts("CryptoObject", NAMES) | facts("CryptoMaterial", ["skin", "ground"], key="def5678")
    path = write(tmp_path / "two.exr", about, layer("CryptoObject00") | layer("CryptoMaterial00"))
    assert choose_objects(path, "skin") == ("CryptoMaterial", ["skin"])
    assert choose_objects(path, "CryptoMaterial/ground") == ("CryptoMaterial", ["ground"])
    with pytest.raises(MediaError, match="CryptoMaterial has no '/root/hero'"):
        choose_objects(path, "CryptoMaterial//root/hero")


@pytest.mark.parametrize("letters", [("r", "g", "b", "a"), ("red", "green", "blue", "alpha")])
def test_spellings_of_channels(tmp_path: Path, letters: tuple[str, ...]) -> None:
    named = dict(zip((f"View.Crypto00.{each}" for each in letters), layer("x").values(), strict=True))
    path = write(tmp_path / "a.exr", facts("View.Crypto", ["ground"]), named)
    assert matte(path, "View.Crypto", ["ground"])[0].tolist() == [0, 0, 0, 0.75, 1, 1, 1, 1, 1]


def test_ranks_of_many_layers_add_up(tmp_path: Path) -> None:
    first, second = two_ranks(), np.zeros((HEIGHT, WIDTH, 4), np.float32)
    first[:, 3, 1] = 0.5
    second[:, 3] = bits("leaf"), 0.25, 0, 0
    planes = {f"C0{n}.{c}": layer[..., i] for n, layer in enumerate((first, second)) for i, c in enumerate("RGBA")}
    path = write(tmp_path / "a.exr", facts("C", ["leaf", "ground"]), planes)
    assert matte(path, "C", ["leaf"])[0, 3] == 0.25
    assert matte(path, "C", ["leaf", "ground"])[0, 3] == 0.75


def test_parts_may_hold_the_layers(tmp_path: Path) -> None:
    path, parts = tmp_path / "parts.exr", []
    for name, channels in (("beauty", "RGB"), ("C00", "RGBA")):
        spec = oiio.ImageSpec(WIDTH, HEIGHT, len(channels), "float")
        spec.channelnames = tuple(channels)
        spec.attribute("oiio:subimagename", name)
        parts.append(spec)
    for name, value in facts("C", ["ground"]).items():
        parts[0].attribute(name, value)
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), tuple(parts))
    assert output.write_image(np.zeros((HEIGHT, WIDTH, 3), np.float32))
    assert output.open(str(path), parts[1], "AppendSubimage")
    assert output.write_image(two_ranks())
    assert output.close()
    assert matte(path, "C", ["ground"])[0].tolist() == [0, 0, 0, 0.75, 1, 1, 1, 1, 1]


def test_without_a_manifest_names_are_hashed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", facts("C", None), layer("C00"))
    assert choose_objects(path, "ground") == ("C", ["ground"])
    assert matte(path, "C", ["ground"]).max() == 1
    assert object_names(path) == {"C": []}


def test_a_manifest_beside_the_file_is_read_and_none_from_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "renders"
    folder.mkdir()
    table = json.dumps({"odd": f"{name_to_id('ground'):08x}"})
    (folder / "names.json").write_text(table)
    (tmp_path / "outside.json").write_text(table)
    (folder / "link.json").symlink_to(tmp_path / "outside.json")
    path = write(folder / "a.exr", facts("C", None, manif_file="names.json"), layer("C00"))
    assert matte(path, "C", ["odd"]).max() == 1
    for name in ("../outside.json", str(tmp_path / "outside.json"), "link.json"):
        write(path, facts("C", None, manif_file=name), layer("C00"))
        with pytest.raises(MediaError, match="outside its own folder"):
            object_names(path)


@pytest.mark.parametrize("manifest", ["{", "[1, 2]", '{"a": 5}', '{"a": "xyz"}', "[" * 100_000])
def test_nonsense_for_a_manifest(tmp_path: Path, manifest: str) -> None:
    about = facts("C", None, manifest=manifest)
    with pytest.raises(MediaError, match="manifest that makes no sense"):
        object_names(write(tmp_path / "a.exr", about, layer("C00")))


def test_a_matte_lies_in_the_window_of_its_part(tmp_path: Path) -> None:
    colour = {name: np.zeros((HEIGHT, WIDTH), np.float32) for name in "RGB"}
    about = facts("C", NAMES)
    path = parted(tmp_path / "a.exr", [((0, 0), colour), ((4, 2), layer("C00"))], about)
    assert window_of(path, "C") == (4, 2, 4 + WIDTH - 1, 2 + HEIGHT - 1)
    with pytest.raises(MediaError, match="has no Cryptomatte 'D': choose one of C"):
        window_of(path, "D")
    first = {name: plane for name, plane in layer("C00").items() if name[-1] in "RG"}
    second = {name: plane for name, plane in layer("C00").items() if name[-1] in "BA"}
    torn = parted(tmp_path / "b.exr", [((0, 0), first), ((1, 0), second)], about)
    with pytest.raises(MediaError, match="in data windows 0,0,8,5 and 1,0,9,5: save it with one"):
        matte(torn, "C", ["ground"])


def test_what_cannot_be_a_cryptomatte(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    cases = [
        ({}, layer("C00"), "float", "has no Cryptomatte"),
        (facts("C", NAMES), layer("D00"), "float", "holds no channels of it"),
        (facts("C", NAMES), layer("C00"), "half", "in halves, which lose its ids"),
        (facts("C", NAMES, hash="md5"), layer("C00"), "float", "made with md5"),
    ]
    for about, channels, kind, message in cases:
        with pytest.raises(MediaError, match=message):
            object_names(write(path, about, channels, kind))


def test_damaged_files_end_in_one_line(picture: Path) -> None:
    data = picture.read_bytes()
    for broken in (b"", b"not an EXR", data[:40], data[: len(data) // 2], data[:-10]):
        picture.write_bytes(broken)
        with pytest.raises(MediaError) as caught:
            matte(picture, "CryptoObject", ["ground"])
        assert "\n" not in str(caught.value)
    with pytest.raises(MediaError, match="no such file"):
        object_names(picture.with_name("absent.exr"))
