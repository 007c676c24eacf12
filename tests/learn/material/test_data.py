"""What a look is learnt from: decoded once, cut by seed and step alone, bad files named and left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.learn.material import data  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (40, 60 + i, 3), np.uint8)).save(tmp_path / f"p{i}.png")
    return tmp_path


def test_pictures_are_resized_hashed_and_bad_ones_listed(folder: Path) -> None:
    (folder / "broken.png").write_text("this is no picture")
    photos = data.gather_photos([folder], 32)
    assert [max(i.shape) for i in photos.images] == [32, 32, 32]
    assert photos.names == ["p0.png", "p1.png", "p2.png"]
    assert len(photos.refused) == 1
    assert "broken.png" in photos.refused[0]
    assert len(set(photos.hashes)) == 3


def test_a_list_names_exactly_the_photographs(folder: Path) -> None:
    (folder / "list.txt").write_text(f"# two of them\n{folder / 'p2.png'}\n\n{folder / 'p0.png'}\n")
    assert data.gather_photos([folder / "list.txt"], 32).names == ["p2.png", "p0.png"]


@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_no_photographs_is_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as caught:
        data.gather_photos([tmp_path / place], 32)
    assert place in str(caught.value)


def test_without_a_folder_the_plate_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "PLATE_SCENES", 2)
    monkeypatch.setattr(data, "PLATE_FRAMES", 2)
    photos = data.gather_photos([], 64)
    assert len(photos.images) == 4
    assert len({i.tobytes() for i in photos.images}) == 4


def test_crops_depend_on_seed_and_step_alone(folder: Path) -> None:
    photos = data.gather_photos([folder], 60)

    def crops(seed: int, step: int) -> torch.Tensor:
        return data.random_crops(photos, 3, 16, data.rng_at(seed, step, "x"), (0.7, 1.2))

    assert torch.equal(crops(1, 5), crops(1, 5))
    assert not torch.equal(crops(1, 5), crops(1, 6))
    assert not torch.equal(crops(1, 5), crops(2, 5))


def test_a_crop_larger_than_the_picture_still_has_its_size() -> None:
    small = np.zeros((10, 12, 3), np.uint8)
    assert data.crop(small, 32, np.random.default_rng(0), (1, 1)).shape == (32, 32, 3)


@pytest.mark.parametrize(("dtype", "top"), [(np.uint16, 65535), (np.float32, 1.0), (np.uint8, 255)])
def test_any_depth_becomes_eight_bits(dtype: type, top: float) -> None:
    pixels = np.array([[[0, top / 2, top]]]).astype(dtype)
    assert data.to_uint8(pixels).tolist() in ([[[0, 128, 255]]], [[[0, 127, 255]]])


def saved(path: Path, picture: np.ndarray, **how: object) -> Path:
    Image.fromarray(picture).save(path, **how)
    return path


def test_a_folder_of_all_sorts_is_read_and_what_is_left_out_is_listed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    art = rng.integers(0, 256, (40, 60, 3), np.uint8)
    saved(tmp_path / "a.png", art)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    (tmp_path / "c.jpg").write_bytes(b"no picture at all")
    saved(tmp_path / "d.png", art[:9])
    Image.fromarray(art).convert("CMYK").save(tmp_path / "e.jpg")
    saved(tmp_path / "f.png", art[..., 0])
    turned = Image.Exif()
    turned[0x0112] = 6
    saved(tmp_path / "g.jpg", rng.integers(0, 256, (40, 60, 3), np.uint8), exif=turned)
    found = data.gather_photos([tmp_path], 60)
    assert found.names == ["a.png", "f.png", "g.jpg"]
    assert found.images[1].shape == (40, 60, 3)
    assert found.images[2].shape == (60, 40, 3), "upright, as its EXIF says"
    for name, why in (("b", "is the same picture as a.png"), ("c", "c.jpg"), ("d", "60x9 pixels are too few"), ("e", "is CMYK")):
        assert any(f"{name}." in line and why in line for line in found.refused), name
    assert len(found.refused) == 4


def half_transparent(path: Path) -> np.ndarray:
    """A picture whose left half alone can be seen; what it shows."""
    picture = np.zeros((40, 80, 4), np.uint8)
    picture[:, :40, :3] = np.random.default_rng(3).integers(0, 256, (40, 40, 3))
    picture[:, :40, 3], picture[:, 40:] = 255, (0, 255, 0, 0)
    saved(path, picture)
    return picture[:, :40, :3]


def test_what_alpha_hides_is_not_learnt(tmp_path: Path) -> None:
    shown = half_transparent(tmp_path / "a.png")
    for found in (data.gather_photos([tmp_path], 40), data.gather_references([tmp_path / "a.png"], 40)):
        np.testing.assert_array_equal(found.images[0], shown)
        assert found.sizes == [(40, 40)], "as large as what can be seen"


def test_a_picture_that_must_fit_another_keeps_its_extent(tmp_path: Path) -> None:
    shown = half_transparent(tmp_path / "a.png")
    (whole,) = data.gather_references([tmp_path / "a.png"], 80, as_is=True).images
    np.testing.assert_array_equal(whole[:, :40], shown)
    assert np.ptp(whole[:, 40:], axis=(0, 1)).max() == 0


def test_a_picture_that_shows_nothing_is_left_out(tmp_path: Path) -> None:
    saved(tmp_path / "a.png", np.zeros((40, 40, 4), np.uint8))
    with pytest.raises(InputError, match=r"a\.png: is transparent all over"):
        data.gather_references([tmp_path / "a.png"], 40)


def test_a_flat_work_is_left_out_and_a_flat_photograph_is_not(tmp_path: Path) -> None:
    saved(tmp_path / "a.png", np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
    saved(tmp_path / "b.png", np.full((40, 60, 3), 90, np.uint8))
    works = data.gather_references([tmp_path], 60)
    assert works.names == ["a.png"]
    assert works.refused == [f"{tmp_path / 'b.png'}: is one flat colour; there is no look in it to learn"]
    assert data.gather_photos([tmp_path], 60).names == ["a.png", "b.png"]
    assert data.gather_references([tmp_path], 60, as_is=True).names == ["a.png", "b.png"]


def test_pictures_of_kinds_that_are_not_read_are_listed(folder: Path) -> None:
    with Image.open(folder / "p0.png") as picture:
        picture.save(folder / "p3.bmp")
        picture.save(folder / "p4.GIF")
    (folder / "notes.md").write_text("no picture")
    refused = data.gather_photos([folder], 32).refused
    assert [line.split(": ")[1] for line in refused] == [".bmp is not read here", ".GIF is not read here"]


def test_nearly_the_same_pictures_are_noticed(tmp_path: Path) -> None:
    smooth = Image.fromarray(np.random.default_rng(1).integers(0, 256, (6, 6, 3), np.uint8)).resize((96, 96))
    smooth.save(tmp_path / "a.png")
    smooth.resize((64, 64)).save(tmp_path / "b.jpg", quality=90)
    smooth.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "c.png")
    assert data.alike(data.gather_photos([tmp_path], 96)) == ["b.jpg shows nearly what a.png does; both are learnt from"]


def test_a_folder_with_nothing_usable_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"no readable picture in there \(1 left out, the first: .*a.png"):
        data.gather_photos([tmp_path], 64)


def test_who_has_no_works_is_told_to_give_works(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give a folder of works to learn from"):
        data.gather_references([tmp_path], 64)
