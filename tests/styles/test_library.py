"""Looks are found by name, first the user's and then the shipped ones; installing checks them, and names play no tricks."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

from impasto.errors import StyleError
from impasto.styles import library
from impasto.styles.library import Entry, entries, find, install, remove, typed, user_folder
from impasto.styles.package import StyleFile, write_style
from tests.styles.making import card, inverting_graph, parts, png, style, zip_of


@pytest.fixture(autouse=True)
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A user's folder that is not there yet, and a shipped one with great-wave and reed-pen."""
    user, shipped = tmp_path / "user" / "styles", tmp_path / "shipped"
    shipped.mkdir()
    monkeypatch.setenv("IMPASTO_STYLES", str(user))
    monkeypatch.setattr(library, "SHIPPED", shipped)
    style(shipped, "great-wave")
    style(shipped, "reed-pen")
    return user, shipped


def test_shipped_looks_are_found_by_name(shelves: tuple[Path, Path]) -> None:
    assert find("great-wave") == shelves[1] / "great-wave.style"
    assert entries() == [Entry(name, shelves[1] / f"{name}.style", True) for name in ("great-wave", "reed-pen")]


def test_a_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = style(tmp_path, "mine")
    assert find(path) == path
    assert find(str(path)) == path
    monkeypatch.chdir(tmp_path)
    assert find("mine.style").samefile(path)


def test_an_explicit_path_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    own = style(tmp_path / "here", "great-wave")
    monkeypatch.chdir(own.parent)
    assert find("great-wave.style").samefile(own)
    assert not find("great-wave").samefile(own)


def test_an_installed_look_comes_before_a_shipped_one(tmp_path: Path, shelves: tuple[Path, Path]) -> None:
    own = write_style(tmp_path / "x.style", card("great-wave"), {"full": inverting_graph()}, png(9, 9))
    with pytest.raises(StyleError, match="named great-wave is shipped with impasto already; --overwrite"):
        install(own)
    entry = install(own, overwrite=True)
    assert find("great-wave") == entry.path == shelves[0] / "great-wave.style"
    assert [e.shipped for e in entries()] == [False, True]
    assert remove("great-wave") == entry.path
    assert find("great-wave") == shelves[1] / "great-wave.style"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("great-wav", "no look has this name: did you mean great-wave? looks at hand are great-wave, reed-pen"),
        ("Great-Wave", "did you mean great-wave?"),
        ("cubism", "no look has this name: looks at hand are great-wave, reed-pen"),
        ("", "'': no look has this name"),
        ("../shipped/great-wave", "no such file: did you mean great-wave?"),
        ("reedpen.style", "no such file: did you mean reed-pen?"),
        ("a\nb", r"'a\\nb': no look has this name"),
        ("a\0b", "no look has this name"),
        ("a/" + "b" * 5000, "no such file"),
    ],
)
def test_an_unknown_look_names_the_known_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StyleError) as caught:
        find(wanted)
    assert said.replace("\\\\", "\\") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_library_says_so(shelves: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "SHIPPED", shelves[1] / "nowhere")
    assert entries() == []
    with pytest.raises(StyleError, match=r"no looks are installed: give the path of a \.style file"):
        find("great-wave")


def test_a_folder_named_as_a_look_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "folder.style"
    folder.mkdir()
    with pytest.raises(StyleError, match="is a folder"):
        StyleFile.open(find(str(folder)))


def test_only_looks_are_listed(shelves: tuple[Path, Path]) -> None:
    user = shelves[0]
    user.mkdir(parents=True)
    for name in ("notes.txt", "Upper.style", "two words.style", ".hidden.style", "half.style.part"):
        (user / name).write_bytes(b"x")
    (user / "folder.style").mkdir()
    assert [entry.name for entry in entries()] == ["great-wave", "reed-pen"]


def test_installing_copies_under_the_name_on_the_card(tmp_path: Path, shelves: tuple[Path, Path]) -> None:
    path = style(tmp_path, "ink").rename(tmp_path / "download (3).style")
    entry = install(path)
    assert entry == Entry("ink", shelves[0] / "ink.style", False)
    assert entry.path.read_bytes() == path.read_bytes()
    assert os.listdir(shelves[0]) == ["ink.style"]
    with pytest.raises(StyleError, match="named ink is installed already; --overwrite"):
        install(path)
    install(path, overwrite=True)


def test_a_broken_look_is_not_installed(tmp_path: Path, shelves: tuple[Path, Path]) -> None:
    path = tmp_path / "broken.style"
    path.write_bytes(zip_of(parts(graph=b"\x0bgarbage")))
    StyleFile.open(path)  # its card is sound: only the full check finds the fault
    with pytest.raises(StyleError, match="not an ONNX graph"):
        install(path)
    assert not shelves[0].exists()


def test_a_look_that_changes_while_it_is_copied_is_refused(
    tmp_path: Path, shelves: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = style(tmp_path, "ink")
    other = style(tmp_path, "other").read_bytes()
    monkeypatch.setattr(Path, "read_bytes", lambda _: other)
    with pytest.raises(StyleError, match="changed while it was being installed"):
        install(path)
    assert os.listdir(shelves[0]) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, shelves: tuple[Path, Path]) -> None:
    shelves[0].parent.write_bytes(b"a file where a folder should go")
    with pytest.raises(StyleError, match="cannot be installed in"):
        install(style(tmp_path, "ink"))


def test_only_installed_looks_are_removed(shelves: tuple[Path, Path]) -> None:
    with pytest.raises(StyleError, match="is shipped with impasto and stays"):
        remove("great-wave")
    for name in ("nothing", "../shipped/great-wave", "great-wave.style", ""):
        with pytest.raises(StyleError, match="no look has this name"):
            remove(name)
    assert len(os.listdir(shelves[1])) == 2


def test_the_users_folder_follows_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMPASTO_STYLES")
    assert user_folder().name == "styles"
    assert "impasto" in user_folder().parts


def test_what_to_type_for_a_look_is_a_name_only_where_that_finds_it(tmp_path: Path, shelves: tuple[Path, Path]) -> None:
    (tmp_path / "here").mkdir()
    own = style(tmp_path / "here", "great-wave")
    assert typed(StyleFile.open(own)) == str(own)
    assert typed(StyleFile.open(find("great-wave"))) == "great-wave"
    (tmp_path / "there").mkdir()
    other = style(tmp_path / "there", "mine")
    assert typed(StyleFile.open(other)) == str(other)


def test_shipped_looks_are_small() -> None:
    sizes = {file.name: file.stat().st_size for file in (Path(library.__file__).parent / "shipped").glob("*.style")}
    assert sizes, "some are shipped"
    assert max(sizes.values()) <= 4_000_000, "a look with both networks: 3 MB of weights in fp16, and its preview"
    assert sum(sizes.values()) <= 50_000_000


def test_every_family_of_looks_is_shipped_in_both_tiers() -> None:
    families = {
        "oil": {"turner", "starry-night"}, "print": {"great-wave"}, "watercolour": {"watercolour"}, "drawing": {"pencil", "ink"},
        "cartoon": {"comic"}, "dark": {"noir"}, "sci-fi": {"neon"}, "retro": {"retro", "film"}, "brand": {"flat"},
    }  # fmt: skip
    for look in sorted(set().union(*families.values())):
        card = StyleFile.open(Path(library.__file__).parent / "shipped" / f"{look}.style").card
        assert {"live", "full"} <= set(card.tiers), look
        assert card.credits or card.training.references, f"{look}: whom it was learnt from"
        assert card.licence == "Apache-2.0"
        assert card.description
