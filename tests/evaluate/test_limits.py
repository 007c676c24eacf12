"""Limits are read as they are written, kept or not in the direction of their figure, and told."""

from __future__ import annotations

import pytest

from impasto.errors import InputError
from impasto.evaluate.figures import ROOMS
from impasto.evaluate.limits import Limit, Verdict, judged, parse_limits

ROWS = [
    {"frame": "1", "picture": {"structure": 0.9, "detail": 1.2, "style": 0.4, "style_source": 0.8}, "moving": {}},
    {"frame": "2", "moving": {"followed": 0.9, "flicker": 1.5, "warp_short": 3.0, "warp_short_source": 1.0}},
    {"frame": "3", "moving": {"followed": 0.9, "flicker": 6.0, "warp_short": 1.0, "warp_short_source": 1.0}},
]
MEANS = {
    "picture": {"structure": 0.9, "detail": 1.2, "style": 0.4, "style_source": 0.8},
    "moving": {"followed": 0.9, "flicker": 3.0, "warp_short": 2.0, "warp_short_source": 1.0, "detail": 0.8},
}


def verdict(text: str) -> Verdict:
    return judged([Limit.parse(text)], MEANS, ROWS)[0]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("flicker=3", True),
        ("flicker=2.9", False),
        ("structure=.9", True),
        ("structure=.91", False),
        ("moving.detail=.8", True),
        ("moving.detail=.9", False),
        ("picture.detail=.2", True),
        ("picture.detail=.1", False),
        ("warp_short=2x", True),
        ("warp_short=1.9x", False),
        ("style=.5x", True),
        ("flicker.worst=6", True),
        ("flicker.worst=5", False),
        ("warp_short.worst=2x", False),
    ],
)
def test_a_limit_knows_its_direction(text: str, kept: bool) -> None:
    assert verdict(text).kept is kept


def test_frames_beyond_it_are_named() -> None:
    found = verdict("flicker=2")
    assert found.beyond == ("3",)
    assert found.told == "flicker=2: flicker of what is smooth is 3.0, wanted at most 2.0; beyond it in frame 3"
    assert verdict("warp_short.worst=2x").told.startswith("warp_short.worst=2x: warp error, 1 frame, x 1000 in frame 2 is 3.00")
    assert found.as_json() == {
        "limit": "flicker=2", "figure": "moving.flicker", "value": 3.0, "bound": 2.0, "kept": False, "frames_beyond": ["3"],
    }  # fmt: skip


def test_what_no_frame_has_passes_unless_nothing_could_be_followed() -> None:
    limits = [Limit.parse("sticking=.1")]
    assert judged(limits, MEANS, ROWS)[0].kept, "nothing in the shot is fast: nothing can stick"
    lost = judged(limits, {"moving": {}}, [{"frame": "1", "moving": {}}])[0]
    assert not lost.kept
    assert lost.told == "sticking=.1: could not be measured"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("flicker", "cannot be read: write a figure and a number, as flicker=2"),
        ("flicker=much", "cannot be read"),
        ("beauty=1", "no figure is called so: there are psnr, ssim, .*picture.detail, .*moving.detail, flicker"),
        ("detail=1", "pictures and shots both have a detail: write picture.detail= or moving.detail="),
        ("flicker=2x", "is against the source already: write flicker=2"),
        ("ssim=2x", "the source has no ssim of its own"),
        ("picture.flicker=2", "no figure is called so"),
    ],
)
def test_what_cannot_be_meant_is_said(text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        Limit.parse(text)


def test_what_will_not_be_measured_is_refused_at_once() -> None:
    for text, fault in (
        ("flicker=2", "is of shots, and these are pictures"),
        ("style=1", "--style"),
        ("end_point=1", "--flow|shots"),
    ):
        with pytest.raises(InputError, match=fault):
            parse_limits([text], moving=False, given=())
    assert len(parse_limits(["flicker=2", "style=1", "end_point=1"], moving=True, given=("style", "flow"))) == 3


def test_every_figure_can_be_limited() -> None:
    for room, figures in ROOMS.items():
        for name in figures:
            assert Limit.parse(f"{room}.{name}=1").name == name
