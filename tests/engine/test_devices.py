"""Several devices paint as one: what may be named, that the bits are the same, and that they work side by side."""
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from impasto import plugins
from impasto.engine import load_engine
from impasto.engine.devices import ANYWHERE, Device, Several, parse_devices, side_by_side
from impasto.errors import InputError
from impasto.frame import Pixels
from tests.fakes import Inverter, noise, tiny_graph, tiny_tier


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("auto", [ANYWHERE]),
        ("cpu", [Device("cpu", 1)]),
        ("cpu:2", [Device("cpu", 2)]),
        ("CUDA:0, cuda:1", [Device("cuda", 0), Device("cuda", 1)]),
    ],
)
def test_devices_are_read(text: str, meant: list[Device]) -> None:
    assert parse_devices(text) == meant


@pytest.mark.parametrize("text", ["", "gpu", "cuda", "cuda:x", "cpu:0", "cpu:-1", "cpu:2x", "cpu:2,", "cuda:0,cuda:0", "cpu,cpu"])
def test_what_is_no_device_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--devices .*(is none|names a device twice)"):
        parse_devices(text)


def test_processor_and_cards_are_not_mixed() -> None:
    with pytest.raises(InputError, match="other last bits"):
        parse_devices("cpu:2,cuda:0")


@pytest.mark.parametrize("name", ["openvino", "onnx"])
@pytest.mark.parametrize("size", [(64, 96), (130, 74)])
def test_a_shared_processor_paints_the_same_bits(name: str, size: tuple[int, int]) -> None:
    module, graph = load_engine(name), tiny_graph()
    for precision in sorted({module.auto_precision(deep) for deep in (True, False)}):
        alone, shared = (module.open(graph, tiny_tier(graph), precision, device) for device in (ANYWHERE, Device("cpu", 2)))
        assert (alone.at_once, shared.at_once) == (1, 2)
        pictures = [noise(*size, seed)[None] for seed in range(6)]
        with ThreadPoolExecutor(4) as pool:  # more ask than are painted at once
            painted = list(pool.map(shared.paint, pictures))
        for picture, found in zip(pictures, painted, strict=True):
            np.testing.assert_array_equal(found, alone.paint(picture))


@pytest.mark.parametrize("name", plugins.names("engines"))
def test_a_card_that_is_not_there_is_refused(name: str) -> None:
    if plugins.load("engines", name).available():  # type: ignore[attr-defined]  # of the contract
        pytest.skip(f"{name} is not installed")
    with pytest.raises(InputError, match=r"alone|knows no graphics cards|no graphics card cuda:97"):
        load_engine(name).open(tiny_graph(), tiny_tier(tiny_graph()), "fp32", Device("cuda", 97))


class Meeting(Inverter):
    """An engine that paints only while another does, so it tells whether two work at the same time."""

    def __init__(self, both: threading.Barrier) -> None:
        super().__init__()
        self.both = both

    def paint(self, batch: Pixels) -> Pixels:
        """The negative, once the other is here."""
        self.both.wait(timeout=20)
        return super().paint(batch)


def test_several_paint_at_the_same_time() -> None:
    both = threading.Barrier(2)
    company = Several([Meeting(both), Meeting(both)])
    assert company.at_once == 2
    pictures = [noise(8, 8, seed)[None] for seed in range(6)]
    with ThreadPoolExecutor(company.at_once) as pool:
        painted = list(pool.map(company.paint, pictures))
    assert all(np.array_equal(found, 255 - picture) for found, picture in zip(painted, pictures, strict=True))


def test_where_nobody_says_a_few_share_the_processor() -> None:
    assert 1 <= side_by_side().share <= 4
