"""Sound graphs of every kind pass, come back as they went in, and leave the bytes of plain looks alone."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from impasto.errors import StyleError
from impasto.styles.archive import read_member, read_members
from impasto.styles.card import card_bytes, code_name, read_card
from impasto.styles.ends import ENCODER_ENDS, Ends
from impasto.styles.graph import check_graph
from impasto.styles.package import StyleFile, write_style
from tests.fakes import RED, coded_graph, colour_reader, write_coded_style
from tests.styles.hostile_ends import doubling, drawing, guided, look
from tests.styles.making import card, inverting_graph, png, style


def test_ends_of_every_kind_are_sound() -> None:
    assert check_graph(inverting_graph(), "plain") == 0
    assert check_graph(coded_graph(), "coded") == 3
    assert check_graph(colour_reader(), "encoder", ENCODER_ENDS) == 3
    assert check_graph(drawing(), "noise", Ends("noise", planes=4)) == 0
    for scale in (2, 3, 4):
        check_graph(doubling(scale), "scale", Ends(scale=scale))
    check_graph(guided(7), "guides", Ends(planes=7))


def test_what_a_tier_says_is_what_is_checked(tmp_path: Path) -> None:
    kinds = {
        "noise": (drawing(), {"noise": 4}), "scale": (doubling(), {"scale": 2}),
        "guides": (guided(6), {"guides": {"depth": 1, "motion": 2}}), "codes": (coded_graph(), {"codes": {"Été_2.b": [0, 1, 2]}}),
    }  # fmt: skip
    for name, (graph, told) in kinds.items():
        path = tmp_path / f"{name}.style"
        path.write_bytes(look(graph, tier=told))
        opened = StyleFile.open(path).check()
        assert {key: getattr(opened.card.tiers["full"], key) for key in told} == told
        assert opened.graph("full") == graph
        assert list(opened.card.tiers["full"].guides) == list(told.get("guides", {}))


def test_an_encoder_comes_back_as_it_went_in(tmp_path: Path) -> None:
    path = write_coded_style(tmp_path / "many.style", colour_reader(), varies=True, red=RED)
    opened = StyleFile.open(path).check()
    assert opened.encoder() == colour_reader()
    assert opened.code_length("full") == 3
    assert opened.card.varies
    assert opened.card.tiers["full"].codes == {"red": RED}
    again = write_style(tmp_path / "again.style", opened.card, {"full": opened.graph("full")}, opened.preview, opened.encoder())
    assert again.read_bytes() == path.read_bytes()


def test_a_look_without_an_encoder_says_so(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="reads no looks from pictures"):
        StyleFile.open(style(tmp_path)).encoder()
    # a card that came from a look with an encoder does not keep its hash
    before = StyleFile.open(write_coded_style(tmp_path / "many.style", colour_reader()))
    after = write_style(tmp_path / "none.style", before.card, {"full": before.graph("full")}, before.preview)
    assert StyleFile.open(after).check().card.encoder_sha256 == ""


def test_the_encoder_is_part_of_the_hash(tmp_path: Path) -> None:
    one, other = write_coded_style(tmp_path / "a.style", colour_reader()), write_coded_style(tmp_path / "b.style")
    assert StyleFile.open(one).hash != StyleFile.open(other).hash


def test_a_card_that_says_nothing_new_has_the_bytes_it_had(tmp_path: Path) -> None:
    told = json.loads(card_bytes(card()))
    assert set(told["tiers"]["full"]) == {"generator", "settings", "stride", "receptive_field", "parameters", "graph_sha256"}
    assert not {"varies", "encoder_sha256"} & set(told)
    plain = write_style(tmp_path / "plain.style", card(), {"full": inverting_graph()}, png())
    assert list(read_members(plain)) == ["card.json", "graph.full.onnx", "preview.png"]


def test_shipped_looks_keep_their_bytes() -> None:
    for path in (Path(__file__).parents[2] / "impasto/styles/shipped").glob("*.style"):
        opened = StyleFile.open(path)
        assert card_bytes(opened.card) == read_member(path, opened.members["card.json"])


def test_what_is_said_is_stored() -> None:
    values = json.loads(card_bytes(card()))
    values["tiers"]["full"] |= {"scale": 2, "guides": {"hole": 1, "depth": 1}}
    stored = json.loads(card_bytes(read_card(json.dumps(values).encode(), "card")))
    assert stored["tiers"]["full"]["scale"] == 2
    assert list(stored["tiers"]["full"]["guides"]) == ["hole", "depth"]
    assert "noise" not in stored["tiers"]["full"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("monet", "monet"), ("Van Gogh, late", "Van Gogh- late"), ("a#b@c:1", "a-b-c-1"), ("..", "look"), ("北斎 2.b", "北斎 2.b"),
     ("x" * 300, "x" * 100), ("../../etc", "etc"), ("a\x1b[2J", "a-2J")],
)  # fmt: skip
def test_any_file_name_makes_a_name_for_a_look(text: str, name: str) -> None:
    assert code_name(text) == name
    values = json.loads(card_bytes(card()))
    values["tiers"]["full"]["codes"] = {name: [0.0]}
    assert read_card(json.dumps(values).encode(), "card").tiers["full"].codes == {name: [0.0]}


def test_noise_is_checked_for_any_count() -> None:
    with pytest.raises(StyleError, match=r"\[n,4\] with n left open"):
        check_graph(drawing(entering=[2, 4]), "noise", Ends("noise", planes=4))
    two = drawing(shape=np.array([2, 3, 8, 8], np.int64))
    with pytest.raises(StyleError):
        check_graph(two, "noise", Ends("noise", planes=4))
