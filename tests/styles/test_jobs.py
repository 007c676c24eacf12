"""The commands about looks: what they tell people, what they tell programs, and that listing loads nothing heavy."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from impasto.errors import InputError, StyleError
from impasto.styles import library
from impasto.styles.jobs import InstallJob, ListJob, RemoveJob, ShowJob
from impasto.styles.package import write_style
from tests.styles.making import card, inverting_graph, png, style


@pytest.fixture(autouse=True)
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """An empty user's folder, and a shipped one with great-wave in two tiers."""
    user, shipped = tmp_path / "user", tmp_path / "shipped"
    shipped.mkdir()
    user.mkdir()
    monkeypatch.setenv("IMPASTO_STYLES", str(user))
    monkeypatch.setattr(library, "SHIPPED", shipped)
    style(shipped, "great-wave", ("full", "live"))
    return user, shipped


def test_list_is_a_table(tmp_path: Path) -> None:
    InstallJob(file=style(tmp_path, "ink")).finish()
    done = ListJob().finish()
    head, *rows = done.summary.splitlines()
    assert head.split() == ["NAME", "TITLE", "TIERS", "SIZE", "LICENCE", "FROM"]
    assert [row.split()[0] for row in rows] == ["great-wave", "ink"]
    assert [row.split()[-1] for row in rows] == ["impasto", "you"]
    assert {row.index("Inverse") for row in rows} == {head.index("TITLE")}
    looks = done.figures["styles"]
    assert [(look["name"], look["tiers"], look["shipped"]) for look in looks] == [
        ("great-wave", ["full", "live"], True),
        ("ink", ["full"], False),
    ]
    assert all(look["bytes"] == Path(look["path"]).stat().st_size for look in looks)
    json.dumps(done.figures)


def test_list_tells_a_broken_look_and_goes_on(shelves: tuple[Path, Path]) -> None:
    (shelves[0] / "broken.style").write_bytes(b"PK")
    done = ListJob().finish()
    assert [look["name"] for look in done.figures["styles"]] == ["broken", "great-wave"]
    assert "was cut short" in done.figures["styles"][0]["fault"]
    assert "fault" not in done.figures["styles"][1]
    assert "broken: " in done.summary.splitlines()[-1]


def test_list_of_nothing_says_how_to_get_some(shelves: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "SHIPPED", shelves[0])
    done = ListJob().finish()
    assert done.figures == {"styles": []}
    assert "impasto styles install" in done.summary


def test_show_tells_all_of_the_card(shelves: tuple[Path, Path]) -> None:
    done = ShowJob(style="great-wave").finish()
    for said in (
        "Inverse (great-wave)", "White is black.", "CC0-1.0", "brush", "96 px", "The Great Wave, by Hokusai, public domain",
        "impasto learn wave.jpg -o inverse.style", "one_image", "100 steps in 1.5 minutes", "2025-01-31", "torch 2.13.0",
        "vgg19 (CC-BY-4.0)", "0.375",
    ):  # fmt: skip
        assert said in done.summary
    assert done.path == shelves[1] / "great-wave.style"
    assert done.figures["card"]["schema"] == "style.1"
    assert done.figures["members"]["graph.live.onnx"] == len(inverting_graph())
    json.dumps(done.figures)


def test_show_keeps_long_lists_short(tmp_path: Path) -> None:
    many = card("many").model_copy(update={"credits": card().credits * 30})
    write_style(tmp_path / "many.style", many, {"full": inverting_graph()}, png())
    summary = ShowJob(style=str(tmp_path / "many.style")).finish().summary
    assert summary.count("Hokusai") == 8
    assert "and 22 more" in summary


def test_install_and_remove(tmp_path: Path, shelves: tuple[Path, Path]) -> None:
    path = style(tmp_path, "ink")
    done = InstallJob(file=path).finish()
    assert done.path == shelves[0] / "ink.style"
    assert "--style ink" in done.summary
    with pytest.raises(StyleError, match="--overwrite"):
        InstallJob(file=path).finish()
    InstallJob(file=path, overwrite=True).finish()
    removed = RemoveJob(name="ink").finish()
    assert removed.figures == {"name": "ink", "path": str(shelves[0] / "ink.style")}
    assert not (shelves[0] / "ink.style").exists()


def test_removing_one_that_hid_a_shipped_one_says_so(tmp_path: Path) -> None:
    InstallJob(file=style(tmp_path, "great-wave"), overwrite=True).finish()
    assert "shipped with impasto has its place again" in RemoveJob(name="great-wave").finish().summary


def test_unknown_names_are_input_errors() -> None:
    for job in (ShowJob(style="grate-wave"), RemoveJob(name="grate-wave")):
        with pytest.raises(InputError, match="did you mean great-wave"):
            job.finish()


def test_looks_are_listed_without_heavy_libraries(shelves: tuple[Path, Path]) -> None:
    """Cards are told without numpy, onnx, PIL or torch; the jobs' module alone does not even load the package."""
    script = (
        "import sys; from impasto.styles.jobs import ListJob, ShowJob; light = 'impasto.styles.package' not in sys.modules\n"
        f"from impasto.styles import library; from pathlib import Path; library.SHIPPED = Path({str(shelves[1])!r})\n"
        "ListJob().finish(); ShowJob(style='great-wave').finish()\n"
        "print(light, sorted({'numpy', 'onnx', 'PIL', 'torch', 'cv2'} & sys.modules.keys()))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.split(maxsplit=1) == ["True", "[]\n"]
