"""From a training to a style file: what the card says where it cannot say everything."""

from __future__ import annotations

from types import ModuleType

import pytest

pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.learn.material.data import Pictures
from impasto.learn.package import alike, listed
from impasto.learn.recipes import base, fusion, one_image
from impasto.styles.card import Card, TrainingRecord


def test_more_references_than_a_card_holds_are_told_as_one_list() -> None:
    pictures = Pictures([], names=["a.png", "b.png", "c.png"], hashes=["1" * 64, "2" * 64, "3" * 64])
    assert [named.name for named in listed(pictures, most=3)] == ["a.png", "b.png", "c.png"]
    (one,) = listed(pictures, most=2)
    assert one.name == "3 pictures"
    assert one.sha256 == pictures.list_hash()


@pytest.mark.parametrize(
    ("start", "varies", "recipe", "stays"),
    [
        ("one_image", False, one_image, True),
        ("base", False, base, True),
        ("base", False, one_image, False),
        ("one_image", False, base, False),
        ("one_image", False, fusion, False),
        ("fusion", True, fusion, True),
        ("fusion", True, one_image, False),
    ],
)
def test_tiers_of_the_start_come_along_where_they_are_the_same_kind_of_look(
    start: str, varies: bool, recipe: ModuleType, stays: bool
) -> None:
    training = TrainingRecord(command="impasto learn", recipe=start, seed=0, date="2026-01-01", impasto="0")
    card = Card.model_construct(training=training, varies=varies)
    assert alike(card, recipe) == stays
