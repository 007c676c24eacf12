"""How a running job is shown: what a line says, how seldom lines come, and that bars carry the same words."""
from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest

from impasto.job import Done, Progress
from impasto.show import describe, follow


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (Progress("opening"), "opening"),
        (Progress("painting", 12, 48, "frame", 8.31), "painting: 12/48 frames, 8.31 frames/s, 0:04 left"),
        (Progress("painting", 1, 1, "picture", 0.5), "painting: 1/1 picture, 0.5 pictures/s"),
        (Progress("learning", 3, 60, "second", note="step 9", seconds_left=3725), "learning: 3/60 seconds, 1:02:05 left, step 9"),
        (Progress("reading", note="one painting"), "reading: one painting"),
        (Progress("counting", 7), "counting: 7 frames"),
    ],
)
def test_a_report_in_words(step: Progress, line: str) -> None:
    assert describe(step) == line


def steps() -> Iterator[Progress | Done]:
    yield Progress("reading", note="[one] painting")
    for number in range(1, 101):
        yield Progress("painting", number, 100, "frame", 50.0)
    yield Done(None, "done", {"frames": 100})


def test_lines_are_sparse_but_say_every_stage_and_the_end() -> None:
    stream = StringIO()
    assert follow(steps(), stream, bars=False).figures == {"frames": 100}
    assert stream.getvalue().splitlines() == [
        "reading: [one] painting",
        "painting: 1/100 frames, 50 frames/s, 0:02 left",
        "painting: 100/100 frames, 50 frames/s",
    ]


def test_bars_show_the_same_and_print_events_as_they_are() -> None:
    stream = StringIO()
    assert follow(steps(), stream, bars=True).summary == "done"
    assert "reading: [one] painting" in stream.getvalue()
    assert "100/100 frames" in stream.getvalue()


def test_a_job_without_an_end_is_our_bug() -> None:
    with pytest.raises(AssertionError, match="without Done"):
        follow(iter([Progress("reading")]), StringIO(), bars=False)
