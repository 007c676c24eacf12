"""`learn --distil`: a look is taught to a smaller network, from its own best channels, and the file carries both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra 'learn'")

from impasto.engine.export import export_graph  # noqa: E402  torch must be known to be there first
from impasto.errors import InputError  # noqa: E402
from impasto.job import Done, Progress  # noqa: E402
from impasto.learn.job import TrainJob  # noqa: E402
from impasto.learn.material.data import Pictures  # noqa: E402
from impasto.learn.package import describe  # noqa: E402
from impasto.learn.painters import open_painter  # noqa: E402
from impasto.learn.recipes import distil  # noqa: E402
from impasto.models.generators import brush, swift  # noqa: E402
from impasto.styles.card import SCHEMA, Card, Credit, TrainingRecord  # noqa: E402
from impasto.styles.package import StyleFile, write_style  # noqa: E402

QUICK = ["crop_px=128", "batch=2", "photo_side=160", "critic_width=4"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(1)
    for i in range(9):
        rough = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).resize((192, 144), Image.Resampling.BICUBIC)
        rough.save(folder / f"{i}.png")
    return folder


def strong(painter: torch.nn.Module, code: bool = False) -> torch.nn.Module:
    """A network with a look of its own: much paint, little photograph."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, value in painter.state_dict().items():
            value += torch.randn(value.shape, generator=generator) * (0.05 if value.dim() > 1 else 0.02)
            if name.split(".")[0] in ("to_whole", "head") and value.dim() == 1:
                value[3 * len(value) // 4 :] = -1.0
    return painter.eval()


def write_look(path: Path, codes: dict[str, list[float]] | None = None, **tiers: torch.nn.Module) -> Path:
    graphs = {tier: export_graph(painter) for tier, painter in tiers.items()}
    held = {tier: describe(painter, graphs[tier], codes) for tier, painter in tiers.items()}
    record = TrainingRecord(
        command="impasto learn", recipe="one_image", seed=0, steps=dict.fromkeys(tiers, 9), date="2026-01-01", impasto="0"
    )
    preview = Image.new("RGB", (512, 288), (40, 90, 120))
    preview.save(path.with_suffix(".png"))
    credit = Credit(work="wave.jpg", author="A. Painter", licence="CC0-1.0", source="a wall")
    card = Card(schema=SCHEMA, name="big", title="Big", tiers=held, licence="CC-BY-4.0", credits=[credit], training=record)
    write_style(path, card, graphs, path.with_suffix(".png").read_bytes())
    return path


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    full = strong(brush.Generator(brush.Settings(width=8, blocks=1)))
    return write_look(tmp_path_factory.mktemp("looks") / "big.style", full=full)


def job(big: Path, photos: Path, out: Path, **more: object) -> TrainJob:
    values = {"distil": big, "out": out, "photos": [photos], "steps": 2, "set": QUICK, "seed": 3, "teacher": [Path("none")]}
    return TrainJob.build(**{**values, **more})


def lesson(big: Path, photos: Path, **settings: object) -> tuple[distil.Settings, distil.Lesson]:
    asked = distil.Settings(**{**dict(pair.split("=") for pair in QUICK), **settings})  # type: ignore[arg-type]
    made = distil.gather(job(big, photos, big.with_name("x.style")), asked, None, torch.device("cpu"))
    return asked, made


@pytest.mark.slow
def test_a_small_network_comes_nearer_to_the_look_on_photographs_it_never_saw(big: Path, photos: Path, tmp_path: Path) -> None:
    done = job(big, photos, tmp_path / "small.style", steps=60, set=[*QUICK, "width=12", "blocks=1", "head=4"]).finish()
    assert done.path is not None
    settings, material = lesson(big, photos, width=12, blocks=1, head=4)
    torch.manual_seed(3)
    figures = distil.held_out(settings, material)
    fresh = figures(distil.generator(settings, material, "live").eval())
    learnt = figures(open_painter(StyleFile.open(done.path), "live"))
    assert learnt["difference"] < 0.8 * fresh["difference"]
    assert learnt["rms"] < fresh["rms"]


def test_the_file_carries_both_tiers_and_whose_look_it_is(big: Path, photos: Path, tmp_path: Path) -> None:
    events = list(job(big, photos, tmp_path / "small.style", set=[*QUICK, "width=8", "blocks=1", "head=4"]).run())
    done = events[-1]
    assert isinstance(done, Done)
    assert any("the full tier (brush) of big.style into a swift" in e.note for e in events if isinstance(e, Progress))
    assert any("the file keeps its full tier" in e.note for e in events if isinstance(e, Progress))
    assert "the look's full tier as it was" in done.summary
    before, after = StyleFile.open(big), StyleFile.open(done.path)
    assert {tier: held.generator for tier, held in after.card.tiers.items()} == {"full": "brush", "live": "swift"}
    assert after.graph("full") == before.graph("full")
    assert after.card.credits == before.card.credits
    assert (after.card.licence, after.card.description) == ("CC-BY-4.0", "Distilled from Big.")
    record = after.card.training
    assert (record.recipe, record.steps, record.photos) == ("distil", {"full": 9, "live": 2}, 8)
    assert record.start is not None
    assert record.start.name == "big.style"
    assert "--distil big.style --to swift" in record.command


def test_a_pruned_start_is_nearer_than_a_random_one(photos: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    look = write_look(tmp_path / "live.style", live=strong(swift.Generator(swift.Settings(width=16, blocks=2, head=8))))
    settings, material = lesson(look, photos, width=12, blocks=2, head=8)
    figures = distil.held_out(settings, material)
    pruned = distil.generator(settings, material, "live").eval()
    random = swift.Generator(swift.Settings(width=12, blocks=2, head=8)).eval()
    assert figures(pruned)["difference"] < 0.9 * figures(random)["difference"]


def test_a_slim_network_takes_the_place_of_the_only_tier(photos: Path, tmp_path: Path) -> None:
    look = write_look(tmp_path / "live.style", live=swift.Generator(swift.Settings(width=16, blocks=2, head=8)))
    slim = job(look, photos, tmp_path / "slim.style", steps=1, set=[*QUICK, "width=8", "blocks=1", "head=4"]).finish()
    assert slim.path is not None
    card = StyleFile.open(slim.path).card
    assert slim.summary.count("the file holds this network alone") == 1
    assert list(card.tiers) == ["live"]
    assert card.tiers["live"].settings["width"] == 8
    assert card.tiers["live"].parameters < StyleFile.open(look).card.tiers["live"].parameters


def test_a_mini_is_taught_by_the_live_tier_and_stands_beside_it(photos: Path, tmp_path: Path) -> None:
    tiers = {"full": brush.Generator(brush.Settings(width=4, blocks=1)), "live": swift.Generator(swift.Settings(head=8))}
    look = write_look(tmp_path / "both.style", **tiers)
    events = list(job(look, photos, tmp_path / "mini.style", tier="mini", steps=1, set=[*QUICK, "width=8", "blocks=2"]).run())
    assert any("the live tier (swift) of both.style into a swift" in e.note for e in events if isinstance(e, Progress))
    card = StyleFile.open(tmp_path / "mini.style").card
    assert {name: tier.settings.get("inner") for name, tier in card.tiers.items()} == {"full": None, "live": 1, "mini": 2}
    assert (card.tiers["mini"].stride, card.tiers["mini"].settings["width"]) == (8, 8)
    assert "--to swift --tier mini" in card.training.command


def test_a_brush_becomes_the_full_tier(big: Path, photos: Path, tmp_path: Path) -> None:
    events = list(job(big, photos, tmp_path / "slim.style", to="brush", steps=1, set=[*QUICK, "width=4", "blocks=1"]).run())
    assert any("the file holds the student alone" in e.note for e in events if isinstance(e, Progress))
    card = StyleFile.open(tmp_path / "slim.style").card
    assert {tier: held.generator for tier, held in card.tiers.items()} == {"full": "brush"}
    assert card.tiers["full"].settings["width"] == 4


def test_a_look_is_found_by_its_name(big: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_STYLES", str(big.parent))
    named = job(Path("big"), photos, tmp_path / "small.style", steps=1, set=[*QUICK, "width=4", "blocks=1", "head=4"])
    assert named.finish().path == tmp_path / "small.style"
    assert StyleFile.open(tmp_path / "small.style").card.title == "Big"


def test_the_looks_of_a_network_of_many_are_taught_along(photos: Path, tmp_path: Path) -> None:
    codes = {"ink": [1.0, 0.0], "oil": [0.0, 1.0]}
    many = strong(brush.Generator(brush.Settings(width=4, blocks=1, code=2)))
    look = write_look(tmp_path / "many.style", codes, full=many)
    _, material = lesson(look, photos)
    assert material.draw(4, np.random.default_rng(0)).shape == (4, 2)
    done = job(look, photos, tmp_path / "small.style", steps=1, set=[*QUICK, "width=8", "blocks=1"]).finish()
    card = StyleFile.open(done.path).card
    assert {name: tier.codes for name, tier in card.tiers.items()} == {"full": codes, "live": codes}
    assert card.tiers["live"].settings["code"] == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"references": [Path("wave.jpg")]}, r"wave\.jpg: a distilled look learns from .*big\.style alone"),
        ({"to": "dreamer"}, "to is 'dreamer'"),
        ({"set": ["wide=3"]}, "no such setting"),
        ({"distil": Path("gone.style")}, r"gone\.style"),
        ({"distil": None}, "nothing to learn from"),
        ({"distil": None, "recipe": "distil"}, "which look is to be distilled"),
        ({"to": "brush", "set": ["head=8"]}, "a brush has no head"),
        ({"to": "brush", "tier": "live"}, "--tier live: a brush is the full tier"),
        ({"tier": "full"}, "--tier full: a swift is the live tier"),
        ({"tier": "all"}, "--tier all: a swift is the live tier"),
        ({"tier": "mini", "to": "brush"}, "--tier mini: a brush is the full tier"),
        ({"distil": None, "references": [Path("wave.jpg")], "tier": "mini"}, "--tier mini: is distilled from a look"),
        ({"distil": Path("gone")}, "gone: no look has this name.*looks at hand are"),
        ({"set": ["width=999999"]}, "width=999999: input should be less than or equal to 1024"),
    ],
)
def test_bad_words_are_one_line(big: Path, photos: Path, tmp_path: Path, change: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        job(big, photos, tmp_path / "small.style", **change).finish()
    assert "\n" not in str(caught.value)


def test_a_look_that_draws_enlarges_or_takes_guides_is_refused(big: Path, photos: Path) -> None:
    style = StyleFile.open(big)
    for change, told in (({"noise": 8}, "from noise"), ({"scale": 2}, "2 times larger"), ({"guides": {"depth": 1}}, "depth")):
        with pytest.raises(InputError, match=told):
            distil.check_teacher(style, style.card.tiers["full"].model_copy(update=change))


def test_a_lesson_needs_no_references(big: Path, photos: Path) -> None:
    assert lesson(big, photos)[1].references == Pictures([])
