"""The automatic choice of an engine: measured once, remembered, and never the reason that nothing is painted."""
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep

import pytest

from impasto.engine import choose
from impasto.errors import EngineError, InputError
from impasto.frame import Pixels
from impasto.styles.package import Tier
from tests.fakes import Inverter, tiny_graph, tiny_tier

GRAPH = tiny_graph()
TIER = tiny_tier(GRAPH)


class Slow(Inverter):
    """An engine that takes its time."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def paint(self, batch: Pixels) -> Pixels:
        """White becomes black, later."""
        sleep(self.seconds)
        return super().paint(batch)


class Room:
    """An engine's module, made up."""

    PRECISIONS: tuple[str, ...] = ("fp32", "bf16")

    def __init__(
        self, seconds: float = 0.0, reason: str | None = None, contends: bool = True, fault: Exception | None = None
    ) -> None:
        self.seconds, self.reason, self.worth, self.fault = seconds, reason, contends, fault
        self.opened = 0

    def available(self) -> str | None:
        return self.reason

    def contends(self) -> bool:
        return self.worth

    def auto_precision(self, deep: bool) -> str:
        return "fp32" if deep else "bf16"

    def open(self, graph: bytes, tier: Tier, precision: str) -> Inverter:
        self.opened += 1
        if self.fault:
            raise self.fault
        return Slow(self.seconds)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "engines.json"
    monkeypatch.setattr(choose, "_cache_file", lambda: path)
    return path


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(**made: Room) -> None:
        monkeypatch.setattr(choose.plugins, "names", lambda room: sorted(made))
        monkeypatch.setattr(choose.plugins, "load", lambda room, name: made[name])

    return install


def test_the_fastest_wins_and_is_measured_once(cache: Path, rooms: Callable[..., None]) -> None:
    hare, snail = Room(), Room(0.02)
    rooms(hare=hare, snail=snail)
    assert [choose.fastest(GRAPH, TIER) for _ in range(3)] == [("hare", "bf16")] * 3
    assert (hare.opened, snail.opened) == (1, 1)
    assert list(json.loads(cache.read_text()).values()) == [["hare", "bf16"]]
    assert [path.name for path in cache.parent.iterdir()] == ["engines.json"], "no temporary file stays"


def test_another_question_is_measured_anew(cache: Path, rooms: Callable[..., None]) -> None:
    hare = Room()
    rooms(hare=hare, snail=Room(0.02))
    assert choose.fastest(GRAPH, TIER) == ("hare", "bf16")
    assert choose.fastest(GRAPH, TIER, deep=True) == ("hare", "fp32")
    assert choose.fastest(GRAPH, TIER.model_copy(update={"generator": "other"})) == ("hare", "bf16")
    assert hare.opened == 3
    assert len(json.loads(cache.read_text())) == 3


@pytest.mark.parametrize("damage", ["", "{", "[]", '"word"', "\x00\xff", '{"key": ["gone"]}'])
def test_a_damaged_cache_is_ignored_and_mended(cache: Path, rooms: Callable[..., None], damage: str) -> None:
    cache.parent.mkdir()
    cache.write_bytes(damage.encode("latin-1"))
    rooms(hare=Room(), snail=Room(0.02))
    assert choose.fastest(GRAPH, TIER) == ("hare", "bf16")
    assert ["hare", "bf16"] in json.loads(cache.read_text()).values()


@pytest.mark.parametrize("lie", [["gone", "fp32"], ["hare", "int8"], "hare", 7, None, ["hare", "bf16", "more"]])
def test_a_remembered_choice_that_is_none_any_more_is_ignored(cache: Path, rooms: Callable[..., None], lie: object) -> None:
    rooms(hare=Room(), snail=Room(0.02))
    choose.fastest(GRAPH, TIER)
    cache.write_text(json.dumps(dict.fromkeys(json.loads(cache.read_text()), lie)))
    assert choose.fastest(GRAPH, TIER) == ("hare", "bf16")


def test_a_cache_that_cannot_be_written_costs_only_time(cache: Path, rooms: Callable[..., None]) -> None:
    cache.parent.write_text("a file where the folder should be")
    rooms(hare=Room(), snail=Room(0.02))
    assert choose.fastest(GRAPH, TIER) == ("hare", "bf16")


def test_one_that_fails_drops_out(cache: Path, rooms: Callable[..., None]) -> None:
    rooms(broken=Room(fault=RuntimeError("boom")), snail=Room(0.01))
    assert choose.fastest(GRAPH, TIER) == ("snail", "bf16")
    rooms(broken=Room(fault=RuntimeError("boom")), worse=Room(fault=OSError("bang")))
    with pytest.raises(EngineError, match="engine broken: RuntimeError: boom"):
        choose.fastest(GRAPH, TIER)


def test_those_that_cannot_or_need_not_run_are_not_tried(cache: Path, rooms: Callable[..., None]) -> None:
    absent, idle = Room(reason="not installed"), Room(contends=False)
    rooms(absent=absent, idle=idle, snail=Room(0.01))
    assert choose.fastest(GRAPH, TIER) == ("snail", "bf16")
    assert (absent.opened, idle.opened) == (0, 0)
    rooms(absent=absent, idle=idle)
    assert choose.fastest(GRAPH, TIER) == ("idle", "bf16"), "the only one there is will do"
    rooms(absent=absent)
    with pytest.raises(EngineError, match="none can be used here; not installed"):
        choose.fastest(GRAPH, TIER)


def test_a_wanted_precision_narrows_the_choice(cache: Path, rooms: Callable[..., None]) -> None:
    plain = Room()
    plain.PRECISIONS = ("fp32",)
    rooms(hare=Room(0.01), plain=plain)
    assert choose.fastest(GRAPH, TIER, "bf16") == ("hare", "bf16")
    with pytest.raises(InputError, match="precision 'int8': choose one of auto, bf16, fp32"):
        choose.fastest(GRAPH, TIER, "int8")


def test_the_real_engines_are_measured_in_two_seconds(cache: Path) -> None:
    start = perf_counter()
    engine, precision = choose.fastest(GRAPH, TIER)
    assert perf_counter() - start < 4, "two seconds, and as much again for a busy machine"
    assert (engine, precision) in choose.usable_choices("auto", deep=False)
