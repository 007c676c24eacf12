"""From a training to a style file: what the card says where it cannot say everything."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.learn.material.data import Pictures
from impasto.learn.package import listed


def test_more_references_than_a_card_holds_are_told_as_one_list() -> None:
    pictures = Pictures([], names=["a.png", "b.png", "c.png"], hashes=["1" * 64, "2" * 64, "3" * 64])
    assert [named.name for named in listed(pictures, most=3)] == ["a.png", "b.png", "c.png"]
    (one,) = listed(pictures, most=2)
    assert one.name == "3 pictures"
    assert one.sha256 == pictures.list_hash()
