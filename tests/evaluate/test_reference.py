"""The pictures a painting should be like are found by what is in them, or the line says what to name."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from impasto.errors import InputError
from impasto.evaluate.reference import find_references, search, why_none
from impasto.styles.card import NamedHash
from impasto.styles.package import Card, StyleFile, write_style
from tests.fakes import noise


def picture(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(16, 16, seed=seed)).save(path)
    return path


def look(tiny: Path, out: Path, *references: NamedHash, recipe: str = "one_image") -> Path:
    """The tiny look, as if learnt from these."""
    style = StyleFile.open(tiny)
    training = style.card.training.model_copy(update={"references": list(references), "recipe": recipe})
    graphs = {str(tier): style.graph(tier) for tier in style.card.tiers}
    return write_style(out / "look.style", style.card.model_copy(update={"training": training}), graphs, style.preview)


def told(path: Path, name: str = "") -> NamedHash:
    return NamedHash(name=name or path.name, sha256=sha256(path.read_bytes()).hexdigest())


def test_a_picture_is_itself_and_a_folder_is_its_pictures(tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{number}.png", number) for number in range(20)]
    assert find_references(str(files[0]), None) == [files[0]]
    found = find_references(str(tmp_path), None)
    assert (len(found), found[0]) == (12, files[0])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: holds no pictures"):
        find_references(str(tmp_path / "empty"), None)


def test_a_looks_pictures_are_found_by_what_is_in_them(tmp_path: Path, tiny_style: Path) -> None:
    right, _ = picture(tmp_path / "art/deep/renamed.png", 1), picture(tmp_path / "art/wave.png", 2)
    style = look(tiny_style, tmp_path, told(right, "wave.png"))
    assert find_references(str(style), tmp_path / "art") == [right]


def test_a_look_says_which_pictures_it_wants(tmp_path: Path, tiny_style: Path) -> None:
    wave = picture(tmp_path / "wave.png")
    style = look(tiny_style, tmp_path, told(wave))
    with pytest.raises(InputError, match=r"learnt from wave\.png: name the folder with --references, or the picture itself"):
        find_references(str(style), None)
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(InputError, match=r"elsewhere: holds nothing that .* learnt from \(wave\.png\)"):
        find_references(str(style), tmp_path / "elsewhere")


def test_a_look_made_by_rule_has_no_picture_to_be_like(tmp_path: Path, tiny_style: Path) -> None:
    style = look(tiny_style, tmp_path, told(picture(tmp_path / "photo.png")), recipe="restore")
    with pytest.raises(InputError, match="by the recipe restore, from no picture"):
        find_references(str(style), tmp_path)


def test_a_look_of_many_is_no_single_one(tiny_style: Path) -> None:
    card = StyleFile.open(tiny_style).card
    tier = card.tiers[card.finest].model_copy(update={"codes": {"one": [0.0], "two": [1.0]}})
    many: Card = card.model_copy(update={"tiers": {card.finest: tier}})
    assert why_none(many) == "holds many looks"


def test_of_many_pictures_some_are_looked_for(tmp_path: Path, tiny_style: Path) -> None:
    files = [picture(tmp_path / "art" / f"{number}.png", number) for number in range(30)]
    style = look(tiny_style, tmp_path, *map(told, files))
    found = search(StyleFile.open(style).card, tmp_path / "art")
    assert (len(found), found[0]) == (12, files[0])
