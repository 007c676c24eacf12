"""Blending: the ends are the looks themselves, the middle lies between, by weights as by codes; strangers are refused."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from impasto.engine.export import read_weights
from impasto.engine.trial import left, trial_picture
from impasto.errors import InputError
from impasto.job import Progress
from impasto.render.blend import BlendJob, likeness
from impasto.styles.card import Card
from impasto.styles.package import StyleFile, write_style
from tests.fakes import BLUE, GREEN, RED, colour_reader, tiny_graph, write_coded_style, write_tiny_style


def grown(path: Path, from_: Path, seed: int, **changes: object) -> Path:
    """A look that went on from another: its weights have moved a little, those of each tier in their own way."""
    style = StyleFile.open(from_)
    graphs = {tier: moved(style.graph(tier), seed) for tier in style.card.tiers}
    card = Card.model_validate({**style.card.model_dump(by_alias=True), "name": path.stem, "title": path.stem, **changes})
    return write_style(path, card, graphs, style.preview)


def moved(graph: bytes, seed: int) -> bytes:
    model, random = onnx.load_from_string(graph), np.random.default_rng(seed)
    for held in model.graph.initializer:
        value = numpy_helper.to_array(held)
        step = random.normal(0, 0.3 * float(value.std()), value.shape)
        held.CopyFrom(numpy_helper.from_array((value + step).astype(value.dtype), held.name))
    return model.SerializeToString()


@pytest.fixture
def looks(tmp_path: Path) -> tuple[Path, Path]:
    """Two looks of one start."""
    start = write_tiny_style(tmp_path / "start.style")
    return grown(tmp_path / "one.style", start, 1), grown(tmp_path / "two.style", start, 2, licence="MIT OR ISC")


def blend(out: Path, *words: str, notes: list[str] | None = None) -> StyleFile:
    told = list(BlendJob(looks=list(words), out=out).run())
    if notes is not None:
        notes += [step.note if isinstance(step, Progress) else step.summary for step in told]
    return StyleFile.open(out).check()


@pytest.mark.parametrize("end", [0, 1])
def test_the_ends_are_the_looks_themselves(looks: tuple[Path, Path], tmp_path: Path, end: int) -> None:
    ours = read_weights(blend(tmp_path / "x.style", f"{looks[0]}:{1 - end}", f"{looks[1]}:{end}").graph("live"))
    theirs = read_weights(StyleFile.open(looks[end]).graph("live"))
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_shares_are_made_to_add_up_and_told(looks: tuple[Path, Path], tmp_path: Path) -> None:
    notes: list[str] = []
    style = blend(tmp_path / "My mix.style", f"{looks[0]}:3", f"{looks[1]}:1", notes=notes)
    for tier in ("live", "full"):
        ours, one, two = (read_weights(s.graph(tier)) for s in (style, *map(StyleFile.open, looks)))
        for name, value in ours.items():
            assert np.allclose(value, 0.75 * one[name] + 0.25 * two[name], atol=1e-5), name
    assert "the shares add up to 4, so they are taken as 0.75, 0.25" in notes
    assert "75% one and 25% two by weights (live, full)" in notes[-1]
    assert (style.card.name, style.card.licence) == ("my-mix", "Apache-2.0 AND (MIT OR ISC)")
    assert "one:0.75 two:0.25" in style.card.training.command


def test_three_looks_without_shares_are_equal_parts(looks: tuple[Path, Path], tmp_path: Path) -> None:
    three = [*looks, tmp_path / "start.style"]
    ours = read_weights(blend(tmp_path / "x.style", *map(str, three)).graph("full"))
    theirs = [read_weights(StyleFile.open(look).graph("full")) for look in three]
    assert all(np.allclose(value, sum(each[name] for each in theirs) / 3, atol=1e-5) for name, value in ours.items())


def test_looks_of_one_network_are_mixed_by_their_codes(tmp_path: Path) -> None:
    many = write_coded_style(tmp_path / "many.style", colour_reader(), varies=True, red=RED, green=GREEN, blue=BLUE)
    notes: list[str] = []
    for words in ([f"{many}#red:0.25", f"{many}#green:0.75"], [f"{many}#red:0.25,green:0.75"]):
        style = blend(tmp_path / f"x{len(words)}.style", *words, notes=notes)
        assert "by codes (full)" in notes[-1]
        ours = read_weights(style.graph("full"))["code"]
        assert np.allclose(ours, [0.25 * a + 0.75 * b for a, b in zip(RED, GREEN, strict=True)])
        assert not style.card.tiers["full"].codes, "it holds one look"
        assert not style.card.varies
        assert style.card.encoder_sha256 == "", "it would read codes for a network that is not there"


def test_a_tier_that_only_one_has_is_left_out_and_told(looks: tuple[Path, Path], tmp_path: Path) -> None:
    live = grown(tmp_path / "live.style", write_tiny_style(tmp_path / "start-live.style", ("live",)), 3)
    notes: list[str] = []
    assert list(blend(tmp_path / "x.style", str(looks[0]), str(live), notes=notes).card.tiers) == ["live"]
    assert "full is left out: live has no such network" in notes


def test_strangers_are_refused_with_the_way_that_works(looks: tuple[Path, Path], tmp_path: Path) -> None:
    stranger = write_tiny_style(tmp_path / "stranger.style", ("full", "live"))  # the same shapes, the weights of other seeds
    with pytest.raises(InputError, match=r"not grow from one start.*render SHOT -o OUT --style .*one.style:0.6 --style .*:0.4"):
        blend(tmp_path / "x.style", f"{looks[0]}:0.6", f"{stranger}:0.4")
    with pytest.raises(InputError, match="no network of one kind"):
        blend(tmp_path / "x.style", str(looks[0]), str(write_tiny_style(tmp_path / "other.style", ("mini",))))
    with pytest.raises(InputError, match="is one look"):
        blend(tmp_path / "x.style", str(looks[0]))
    (tmp_path / "y.style").write_text("mine")
    with pytest.raises(InputError, match="--overwrite"):
        blend(tmp_path / "y.style", *map(str, looks))
    assert (tmp_path / "y.style").read_text() == "mine"


def test_likeness_tells_kin_from_strangers_whatever_a_look_does_to_the_picture() -> None:
    graph = tiny_graph(1)
    kin = moved(graph, 2)
    assert likeness(graph, graph) == pytest.approx(1)
    assert likeness(graph, kin) > 0.9 > 0.1 > abs(likeness(graph, tiny_graph(2)))
    assert np.abs(left(graph, trial_picture()) - left(kin, trial_picture())).max() > 0.1, "they paint differently"
