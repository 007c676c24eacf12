"""A code worked into the weights paints what the code painted, in a network like those that never had one."""
from __future__ import annotations

import numpy as np
import pytest

from impasto.engine.graph import with_code
from tests.fakes import coded_graph, lively

torch = pytest.importorskip("torch", reason="torch is not installed (pip install 'impasto[learn]')")

from impasto import plugins  # noqa: E402  torch must be known to be there first
from impasto.engine.export import export_graph, read_weights  # noqa: E402
from impasto.engine.fold import without_code  # noqa: E402
from impasto.engine.trial import left, trial_picture  # noqa: E402
from impasto.styles.ends import Ends  # noqa: E402
from impasto.styles.graph import check_graph  # noqa: E402


@pytest.mark.parametrize("name", ["swift", "brush"])
def test_the_plain_network_paints_the_same(name: str) -> None:
    room = plugins.load("generators", name)
    network = lively(room.Generator(room.Settings(width=8, blocks=2, code=3)))
    with torch.no_grad():
        network.film.weight.copy_(torch.randn(network.film.weight.shape, generator=torch.Generator().manual_seed(5)) * 0.3)
    graph = export_graph(network)
    coded = with_code(graph, [0.8, -0.5, 1.1])
    plain = without_code(coded)
    check_graph(plain, "plain", Ends())
    weights = read_weights(plain)
    assert list(weights) == list(room.Generator(room.Settings(width=8, blocks=2)).state_dict())
    assert np.abs(left(plain, trial_picture()) - left(coded, trial_picture())).max() * 255 < 1
    assert np.abs(left(graph, trial_picture()) - left(coded, trial_picture())).max() * 255 > 5, "the code does something"


def test_a_network_without_a_code_or_that_uses_it_otherwise_is_left_alone() -> None:
    coded = with_code(coded_graph(), [1.0, 2.0, 3.0])  # added to the picture itself: no convolution could do it
    assert without_code(coded) == coded
    room = plugins.load("generators", "swift")
    plain = export_graph(lively(room.Generator(room.Settings(width=8, blocks=1))))
    assert without_code(plain) == plain
