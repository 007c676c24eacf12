"""Windows: what is laid over a shot lies where both show the same."""
from __future__ import annotations

import numpy as np
import pytest

from impasto.frame import ClipInfo
from impasto.media.windows import Area, Windows, fits, lying_on, place

SHOWN = (0, 0, 39, 29)
OVERSCAN = Windows((-4, -3, 43, 32), SHOWN)


def of(area: Area) -> Windows:
    """A picture that shows all there is."""
    return Windows(area, area)


@pytest.mark.parametrize(
    ("own", "area"),
    [
        (Windows((5, 6, 9, 9), SHOWN), (5, 6, 9, 9)),
        (Windows((95, 56, 99, 59), (90, 50, 129, 79)), (5, 6, 9, 9)),  # begins elsewhere
        (of(SHOWN), SHOWN),
        (of((0, 0, 79, 59)), SHOWN),  # twice the size
        (Windows((10, 12, 19, 19), (0, 0, 79, 59)), (5, 6, 9, 9)),
        (Windows((2, 3, 4, 4), (0, 0, 19, 14)), (4, 6, 9, 9)),  # half the size
        (of((0, 0, 47, 35)), OVERSCAN.data),  # the size of the data, not of what is shown
    ],
)
def test_display_windows_lie_upon_each_other(own: Windows, area: Area) -> None:
    assert fits(own, OVERSCAN)
    assert lying_on(own, OVERSCAN) == area


def test_another_shape_does_not_fit() -> None:
    assert not fits(of((0, 0, 29, 29)), OVERSCAN)
    assert not fits(Windows(OVERSCAN.data, (0, 0, 29, 29)), OVERSCAN)


def test_a_file_without_windows_shows_all_there_is() -> None:
    assert Windows.of(ClipInfo(4, 3)) == of((0, 0, 3, 2))
    clip = ClipInfo(4, 3, tags={"data_window": (1, 1, 4, 3), "display_window": SHOWN})
    assert Windows.of(clip) == Windows((1, 1, 4, 3), SHOWN)
    assert Windows.of(clip, {"data_window": (2, 2, 5, 4)}) == Windows((2, 2, 5, 4), SHOWN), "a frame's own come first"


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 3, 3)])
def test_what_is_placed_is_0_beyond_its_own(shape: tuple[int, ...]) -> None:
    plane = np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
    assert place(plane, (5, 6, 7, 7), (5, 6, 7, 7)) is plane
    placed = place(plane, (5, 6, 7, 7), (4, 7, 6, 9))
    assert placed.shape == (3, 3, *shape[2:])
    np.testing.assert_array_equal(placed[0, 1:], plane[1, :2])
    assert np.count_nonzero(placed) == plane[1, :2].size
    assert not place(plane, (5, 6, 7, 7), (50, 60, 52, 62)).any()
