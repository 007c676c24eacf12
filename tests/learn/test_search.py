"""A search: settings drawn from declared ranges, the bad cut short, the best kept, a kill survived."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest
from pydantic import BaseModel

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")
pytest.importorskip("optuna", reason="a search needs the extra 'search'")

from impasto.errors import InputError  # noqa: E402  torch must be known to be there first
from impasto.job import Done, Progress  # noqa: E402
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.run.record import CURVE  # noqa: E402
from impasto.learn.search import held_out_in, ranges_of, search  # noqa: E402
from impasto.styles.package import StyleFile  # noqa: E402

LOOKS = 6


class Settings(BaseModel):
    strength: float = 1.0
    width: int = 8
    other: float = 1.0


def recipe(**more: object) -> ModuleType:
    given = {"__name__": "recipes.toy", "Settings": Settings, "held_out": lambda s, m: dict, **more}
    return SimpleNamespace(**{"SEARCH": {"strength": (0.1, 10.0), "width": (4, 16)}, **given})  # type: ignore[return-value]


class Quick(TrainJob):
    """A training that takes no time: its held-out figure is best where strength is 1, and falls from look to look."""

    style: ClassVar[Path]
    began: ClassVar[list[str]] = []

    def run(self) -> Iterator[Progress | Done]:
        values = dict(pair.split("=") for pair in self.set)
        miss = 1 + abs(math.log(float(values["strength"])))
        folder = self.run_folder / self.tier
        folder.mkdir(exist_ok=True)
        Quick.began.append(f"{self.run_folder.name} {values['strength']}")
        (folder / CURVE).write_text("")
        for look in range(LOOKS):
            with (folder / CURVE).open("a") as file:
                file.write(json.dumps({"step": look, "held/miss": miss * (2 - look / LOOKS)}) + "\n")
            yield Progress("learning", look, LOOKS)
        shutil.copy(self.style, self.out)
        self.preview.write_bytes(StyleFile.open(self.style).preview)
        yield Done(self.out, "learnt")


def job(folder: Path, style: Path, trials: int, **more: object) -> Quick:
    Quick.style, Quick.began = style, []
    values = {"tier": "live", "steps": 9, "seed": 2, "search": trials, **more}
    return Quick.build(references=[folder / "painting.png"], out=folder / "best.style", **values)


def test_the_best_is_kept_and_the_bad_are_cut_short(tmp_path: Path, tiny_style: Path) -> None:
    events = list(search(job(tmp_path, tiny_style, 12), recipe()))
    done = events[-1]
    assert isinstance(done, Done)
    assert done.figures["trials"] + done.figures["cut_short"] == 12
    assert done.figures["cut_short"] > 0
    best = abs(math.log(done.figures["settings"]["strength"]))
    assert all(best <= abs(math.log(float(line.split()[1]))) + 1e-5 for line in Quick.began)
    assert StyleFile.open(tmp_path / "best.style").check()
    assert (tmp_path / "best.preview.png").is_file()
    assert (tmp_path / "best.run/search.sqlite").is_file()
    assert any("is cut short" in event.note for event in events if isinstance(event, Progress))


def test_a_search_that_was_stopped_goes_on_with_the_trial_it_was_in(tmp_path: Path, tiny_style: Path) -> None:
    wanted = job(tmp_path, tiny_style, 4)
    steps = search(wanted, recipe())
    for event in steps:
        if len(Quick.began) == 2 and isinstance(event, Progress) and event.stage == "learning" and event.done == 2:
            break
    steps.close()
    left = Quick.began[-1]
    *_, done = search(job(tmp_path, tiny_style, 4), recipe())
    assert Quick.began[0] == left
    assert isinstance(done, Done)
    assert done.figures["trials"] + done.figures["cut_short"] == 4
    *_, again = search(job(tmp_path, tiny_style, 4), recipe())  # nothing is left to do
    assert Quick.began == []
    assert again == done


def test_the_search_of_another_training_is_refused(tmp_path: Path, tiny_style: Path) -> None:
    list(search(job(tmp_path, tiny_style, 1), recipe()))
    with pytest.raises(InputError, match="search of another training"):
        list(search(job(tmp_path, tiny_style, 1, seed=3), recipe()))


def test_what_is_set_is_not_drawn(tmp_path: Path, tiny_style: Path) -> None:
    ranges = ranges_of(job(tmp_path, tiny_style, 1, set=["strength=2"]), recipe())
    assert list(ranges) == ["width"]
    assert type(ranges["width"]).__name__ == "IntDistribution"


@pytest.mark.parametrize(
    ("changes", "more", "told"),
    [
        ({"SEARCH": {}}, {}, "recipe toy declares no ranges"),
        ({}, {"tier": "all"}, "choose one tier"),
        ({}, {"set": ["strength=1", "width=8"]}, "fixes all"),
    ],
)
def test_what_cannot_be_searched_is_one_line(
    tmp_path: Path, tiny_style: Path, changes: dict[str, object], more: dict[str, object], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        ranges_of(job(tmp_path, tiny_style, 1, **more), recipe(**changes))


def test_held_out_figures_are_read_look_by_look(tmp_path: Path) -> None:
    (tmp_path / CURVE).write_text('{"step": 1, "a": 3}\n{"step": 5, "held/x": 2.5, "held/y": 0}\n{"step": 9, "held/x": 2}\n{"st')
    assert held_out_in(tmp_path / CURVE) == [2.5, 2]
    assert held_out_in(tmp_path / "none") == []
