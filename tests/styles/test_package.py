"""A look goes into a file and comes out the same; what is wrong with the input is said before anything is at the final name."""
from __future__ import annotations

import os
import pickle
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from impasto.errors import StyleError
from impasto.styles import card as card_module
from impasto.styles.card import card_bytes, read_card
from impasto.styles.package import StyleFile, write_style
from tests.styles.making import card, entry, inverting_graph, parts, png, style, zip_of


def test_a_look_comes_back_as_it_went_in(tmp_path: Path) -> None:
    path = style(tmp_path, tiers=("full", "live", "mini"))
    opened = StyleFile.open(path)
    assert opened.preview == png()
    assert {tier: opened.graph(tier) for tier in opened.card.tiers} == dict.fromkeys(("full", "live", "mini"), inverting_graph())
    assert opened.card.training == card().training
    assert opened.card.credits == card().credits
    assert opened.card.tiers["full"].graph_sha256 == sha256(inverting_graph()).hexdigest()
    assert opened.card.preview_sha256 == sha256(png()).hexdigest()
    assert os.listdir(tmp_path) == ["inverse.style"]


def test_the_same_look_is_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, other = style(tmp_path), style(tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()
    assert StyleFile.open(one).hash == StyleFile.open(other).hash


def test_the_hash_follows_every_part(tmp_path: Path) -> None:
    hashes = {StyleFile.open(style(tmp_path)).hash}
    hashes.add(StyleFile.open(write_style(tmp_path / "a.style", card(), {"full": inverting_graph()}, png(9, 9))).hash)
    hashes.add(StyleFile.open(write_style(tmp_path / "b.style", card("other"), {"full": inverting_graph()}, png())).hash)
    hashes.add(StyleFile.open(write_style(tmp_path / "c.style", card(tiers=("live",)), {"live": inverting_graph()}, png())).hash)
    assert len(hashes) == 4


def test_plain_zip_tools_read_and_pack_looks(tmp_path: Path) -> None:
    path = style(tmp_path)
    repacked = tmp_path / "again.style"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(repacked, "w", zipfile.ZIP_DEFLATED) as new:
        assert old.testzip() is None
        for name in reversed(old.namelist()):
            new.writestr(name, old.read(name))
    assert StyleFile.open(repacked).check().hash == StyleFile.open(path).hash
    assert StyleFile.open(repacked).graph("full") == inverting_graph()


def test_a_tier_that_is_not_there(tmp_path: Path) -> None:
    opened = StyleFile.open(style(tmp_path, tiers=("full", "mini")))
    with pytest.raises(StyleError, match="no tier 'live': choose one of full, mini"):
        opened.graph("live")


def test_graphs_are_read_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "look.style"
    path.write_bytes(zip_of(parts(graph=b"not a graph")))
    opened = StyleFile.open(path)
    with pytest.raises(StyleError, match="is not an ONNX graph"):
        opened.graph("full")
    path.unlink()
    with pytest.raises(StyleError, match="no such file"):
        opened.graph("full")


def test_an_opened_look_travels_between_processes(tmp_path: Path) -> None:
    opened = StyleFile.open(style(tmp_path))
    assert pickle.loads(pickle.dumps(opened)).graph("full") == inverting_graph()  # noqa: S301  our own object, as Ray sends it


def test_a_bad_graph_never_gets_the_final_name(tmp_path: Path) -> None:
    path = style(tmp_path)
    before = path.read_bytes()
    with pytest.raises(StyleError, match=r"inverse\.style: is not an ONNX graph") as caught:
        write_style(path, card(), {"full": b"\x0bgarbage"}, png())
    assert ".part" not in str(caught.value)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["inverse.style"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = style(tmp_path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StyleError, match="cannot be written: No space left on device"):
        write_style(path, card("other"), {"full": inverting_graph()}, png())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["inverse.style"]


@pytest.mark.parametrize(
    ("name", "tiers", "preview", "fault"),
    [
        ("look.zip", ("full",), png(), "written as a .style file"),
        ("look.style", ("full", "live"), png(), "the card has the tiers full, the graphs are full, live"),
        ("look.style", ("full",), b"GIF89a", "preview.png is not a PNG"),
        ("look.style", ("full",), png() + bytes(9 << 20), r"preview.png has 9\.0 MiB; at most 8"),
        ("nowhere/look.style", ("full",), png(), "cannot be written: No such file"),
    ],
)
def test_what_cannot_be_written_is_said(
    tmp_path: Path, name: str, tiers: tuple[str, ...], preview: bytes, fault: str
) -> None:
    with pytest.raises(StyleError, match=fault):
        write_style(tmp_path / name, card(), dict.fromkeys(tiers, inverting_graph()), preview)
    assert os.listdir(tmp_path) == []


def test_an_older_card_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = card_bytes(card()).replace(b'"style.1"', b'"style.0"').replace(b'"title"', b'"headline"')
    with pytest.raises(StyleError, match=r"schema 'style\.0'"):
        read_card(old, "old.style")

    def step(values: dict[str, object]) -> dict[str, object]:
        return {**{k: v for k, v in values.items() if k != "headline"}, "title": values["headline"], "schema": "style.1"}

    monkeypatch.setitem(card_module.UPGRADES, "style.0", step)
    assert read_card(old, "old.style") == card()


def test_a_newer_card_asks_for_an_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "new.style"
    path.write_bytes(zip_of(parts(schema="style.7")))
    with pytest.raises(StyleError, match=r"has schema 'style\.7', and this impasto knows style\.1: upgrade impasto"):
        StyleFile.open(path)


def test_text_on_a_card_cannot_steer_a_terminal() -> None:
    sly = card().model_copy(update={"title": "\x1b]0;owned\x07 \u202egnp.elif\nline"})
    title = read_card(card_bytes(sly), "sly.style").title
    assert title.isprintable()
    assert "owned" in title


def test_members_may_come_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "look.style"
    stored = parts()
    path.write_bytes(zip_of([entry(p["name"], p["data"], method=8) for p in reversed(stored)]))
    assert StyleFile.open(path).check().card.name == "inverse"
