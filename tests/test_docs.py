"""The documents tell the truth: every command and option is there, links lead somewhere, the README's commands run."""
from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from impasto import cli
from tests.fakes import noise
from tools.command_docs import TABLE, with_tables

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")


def blocks(page: Path, kind: str) -> Iterator[str]:
    """The fenced blocks of one kind (`sh`, `sh run`, `python`) on a page."""
    return iter(re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE))


def test_every_command_has_its_table() -> None:
    assert set(TABLE.findall(COMMANDS_PAGE)) == set(cli.COMMANDS)


def test_the_tables_say_what_the_commands_take() -> None:
    assert with_tables(COMMANDS_PAGE) == COMMANDS_PAGE, "run `make docs`"


@pytest.mark.parametrize("words", cli.COMMANDS)
def test_every_option_is_on_the_page(words: str) -> None:
    section = COMMANDS_PAGE.partition(f"<!-- options of {words} -->")[2].partition("<!-- end -->")[0]
    for name, field in cli.job_class_of(words).model_fields.items():
        assert field.description
        assert field.description.replace("|", "\\|") in section, f"{words} {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text("utf-8"))
    missing = {link for link in links if "://" not in link and not (page.parent / link).exists()}
    assert not missing


def commands(page: Path) -> list[str]:
    lines = [line for kind in ("sh", "sh run") for block in blocks(page, kind) for line in block.splitlines()]
    return [line for line in lines if line.startswith("impasto ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_in_a_document_can_be_typed(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in commands(page):
        words = shlex.split(line, comments=True)[1:]
        code = cli.main([*words, "--dry-run"])
        assert code == 0, f"{line}: {capsys.readouterr().err}"


def test_readme_shows_the_two_commands() -> None:
    assert any("make demo" in block and "make test" in block for block in blocks(ROOT / "README.md", "sh"))


def test_the_readmes_examples_run(tmp_path: Path) -> None:
    for block in blocks(ROOT / "README.md", "sh run"):
        run(["bash", "-euc", block], tmp_path)
    assert (tmp_path / "painted.mp4").exists()
    assert sorted(file.name for file in tmp_path.glob("frames/*.png")) == [f"shot.000{n}.png" for n in (5, 6, 7, 8)]
    Image.fromarray(noise(32, 48)).save(tmp_path / "photo.jpg")
    for block in blocks(ROOT / "README.md", "python"):
        run([sys.executable, "-c", block], tmp_path)
    assert (tmp_path / "painted.png").exists()


def run(words: list[str], folder: Path) -> None:
    own = {name: str(folder / name.lower()) for name in ("HOME", "XDG_CACHE_HOME")}
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(words, cwd=folder, env={**own, "PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


ROOMS = [path.name for path in (ROOT / "impasto").iterdir() if path.is_dir() and (path / "__init__.py").exists()]


@pytest.mark.parametrize("room", ["cli.py", "commands.py", "doctor.py", *sorted(ROOMS)])
def test_the_architecture_names_every_room(room: str) -> None:
    assert room in (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def test_the_architecture_marks_what_is_planned() -> None:
    """A room marked as planned does not exist yet; one that exists is not marked."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition("```")[2].partition("```")[0]
    for mark, name in re.findall(r"^(○| ) (\w+(?:\.py|/))\s", text, re.MULTILINE):
        path = ROOT / "impasto" / name
        exists = path.is_file() or any(path.glob("[!_]*.py"))
        assert exists == (mark == " "), name


def test_the_changelog_has_this_version_or_unreleased() -> None:
    from impasto import __version__

    assert "## Unreleased" in (text := (ROOT / "CHANGELOG.md").read_text("utf-8")) or f"## {__version__}" in text
