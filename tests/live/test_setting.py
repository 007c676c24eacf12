"""Orders change what they name; what makes no sense is refused in one line."""
from __future__ import annotations

from typing import Any

import pytest

from impasto.errors import InputError
from impasto.live.setting import Setting, order_of_key

WAVE = Setting(style="wave")


def test_an_order_changes_what_it_names() -> None:
    assert WAVE.changed({"blend_with": "sun", "blend": 0.3}) == Setting(style="wave", blend_with="sun", blend=0.3)


@pytest.mark.parametrize(
    ("order", "part"),
    [({"strength": 2}, "strength is 2"), ({"colour": 1}, "unknown field 'colour'"), ({"style": None}, "style is None")],
)
def test_nonsense_is_refused(order: dict[str, Any], part: str) -> None:
    with pytest.raises(InputError, match=part):
        WAVE.changed(order)


@pytest.mark.parametrize(
    ("order", "shares"),
    [
        ({}, {"wave": 1.0}),
        ({"strength": 0}, {}),
        ({"blend_with": "sun", "blend": 0.25}, {"wave": 0.75, "sun": 0.25}),
        ({"blend_with": "sun", "blend": 0}, {"wave": 1.0}),
        ({"blend_with": "sun", "blend": 1}, {"sun": 1.0}),
        ({"blend_with": "wave"}, {"wave": 1.0}),
    ],
)
def test_what_is_not_seen_is_not_painted(order: dict[str, Any], shares: dict[str, float]) -> None:
    assert WAVE.changed(order).shares == shares


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("2", {"style": "sun"}),
        ("9", {}),
        ("n", {"style": "sun"}),
        ("p", {"style": "sea"}),
        ("-", {"strength": 0.9}),
        ("+", {"strength": 1.0}),
        ("]", {"blend": 0.6}),
        ("m", {"matte": "skin"}),
        (" ", {"strength": 0.0}),
        ("\x1b", {}),
    ],
)
def test_keys_are_orders(key: str, order: dict[str, Any]) -> None:
    assert order_of_key(key, WAVE, ["wave", "sun", "sea"]) == order
