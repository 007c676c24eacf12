"""From a training to a style file: what the card says where it cannot say everything."""

from __future__ import annotations

from types import ModuleType

import pytest

pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.engine.export import export_graph
from impasto.learn.material.data import Pictures
from impasto.learn.package import alike, describe, listed
from impasto.learn.recipes import base, fusion, one_image
from impasto.models.generators import swift
from impasto.styles.card import Card, Tier, TrainingRecord


def test_more_references_than_a_card_holds_are_told_as_one_list() -> None:
    pictures = Pictures([], names=["a.png", "b.png", "c.png"], hashes=["1" * 64, "2" * 64, "3" * 64])
    assert [named.name for named in listed(pictures, most=3)] == ["a.png", "b.png", "c.png"]
    (one,) = listed(pictures, most=2)
    assert one.name == "3 pictures"
    assert one.sha256 == pictures.list_hash()


def test_a_card_tells_every_setting_of_a_network_so_that_it_can_be_made_again() -> None:
    settings = swift.Settings(width=8, blocks=1, head=4, inks=((1.0, 0.9, 0.8), (0.1, 0.0, 0.0)))
    generator = swift.Generator(settings)
    graph = export_graph(generator)  # which proves that the graph paints as the network does
    told = Tier.model_validate_json(describe(generator, graph).model_dump_json())
    assert swift.Settings(**told.settings) == settings


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
