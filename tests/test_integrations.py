"""The scripts for Nuke and Resolve, with a stand-in for the host and for impasto: ranges, paths, words, answers, stopping."""
from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from impasto import cli

INTEGRATIONS = Path(__file__).parents[1] / "integrations"
NAME = "it's $(a) `shot` 100%"  # what a shell would make something of
FAKE = """#!{python}
import json, os, signal, sys, time
words = sys.argv[1:]
here = os.path.dirname(os.path.abspath(__file__))
with open(here + "/calls.jsonl", "a") as file:
    file.write(json.dumps([words, sorted(os.environ)]) + "\\n")
def stopped(*_):
    open(here + "/stopped", "w").close()
    sys.exit(143)
signal.signal(signal.SIGTERM, stopped)
behaviour = open(here + "/behaviour").read()
print("painting: 12/48 frames, 3 frames/s", file=sys.stderr, flush=True)
if behaviour == "hang":
    time.sleep(60)
if behaviour == "talk":
    print("x" * 200_000, file=sys.stderr)
if behaviour == "die":
    sys.exit(1)
if behaviour == "fail":
    print(json.dumps({{"ok": False, "error": "no look has this name", "exit_code": 2}}))
    sys.exit(2)
figures = {{"styles": [{{"name": "great-wave"}}, {{"name": "broken", "fault": "cut"}}]}}
out = next((word[6:] for word in words if word.startswith("--out=")), None)
path = out + "/edit.otio" if words[0] == "timeline" else out
print(json.dumps({{"ok": True, "path": path, "summary": "painted", "figures": figures}}))
"""


class Program:
    """A stand-in for impasto that writes down how it was called."""

    def __init__(self, folder: Path) -> None:
        self.path, self.folder = folder / "impasto", folder
        self.path.write_text(FAKE.format(python=sys.executable))
        self.path.chmod(0o755)
        self.behave("well")

    def behave(self, how: str) -> None:
        (self.folder / "behaviour").write_text(how)

    @property
    def calls(self) -> list[list[str]]:
        found = self.folder / "calls.jsonl"
        return [json.loads(line)[0] for line in found.read_text().splitlines()] if found.exists() else []

    @property
    def environment(self) -> list[str]:
        names: list[str] = json.loads((self.folder / "calls.jsonl").read_text().splitlines()[-1])[1]
        return names


@pytest.fixture
def program(tmp_path: Path) -> Program:
    folder = tmp_path / "bin"
    folder.mkdir()
    return Program(folder)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def understood(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the real command line makes of these words."""
    where = words.index("--")
    assert cli.main([*words[:where], "--dry-run", *words[where:]]) == 0, capsys.readouterr().err
    job: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])["job"]
    return job


# ---- Nuke


class Knob:
    def __init__(self, value: Any = None) -> None:
        self._value = value

    def value(self) -> Any:
        return self._value

    def setValue(self, value: Any) -> None:  # Nuke's spelling
        self._value = value


class Node:
    def __init__(self, kind: str = "Read", name: str = "Read1", **knobs: Any) -> None:
        self.kind, self._name = kind, name
        self._knobs = {key: Knob(value) for key, value in knobs.items()}

    def __getitem__(self, name: str) -> Knob:
        return self._knobs.setdefault(name, Knob())

    def knobs(self) -> dict[str, Knob]:
        return self._knobs

    def Class(self) -> str:
        return self.kind

    def name(self) -> str:
        return self._name

    def firstFrame(self) -> int:
        return 1001

    def lastFrame(self) -> int:
        return 1010

    def setInput(self, number: int, node: Node) -> None:
        self.input = node

    def xpos(self) -> int:
        return 10

    def ypos(self) -> int:
        return 20

    def setXYpos(self, x: int, y: int) -> None:
        self.position = (x, y)


class Nuke(ModuleType):
    """As much of Nuke as the script uses."""

    def __init__(self) -> None:
        super().__init__("nuke")
        self.selected: list[Node] = []
        self.messages: list[str] = []
        self.asked: list[str] = []
        self.answers: dict[str, str] = {}
        self.shows = self.agrees = True
        self.cancel_after = 10**9
        self.progress: list[int] = []
        self.executed: list[tuple[str, int, int]] = []
        self.deleted: list[Node] = []
        self.commands: list[str] = []
        host = self

        class ProgressTask:
            def __init__(self, title: str) -> None:
                self.looks = 0

            def isCancelled(self) -> bool:
                self.looks += 1
                return self.looks > host.cancel_after

            def setMessage(self, text: str) -> None: ...

            def setProgress(self, percent: int) -> None:
                host.progress.append(percent)

        class Panel:
            def __init__(self, title: str) -> None:
                self.values: dict[str, str] = {}

            def add(self, name: str, value: str) -> None:
                self.values[name] = value.split(" ")[0] if name in ("look", "tier") else value

            addEnumerationPulldown = addSingleLineInput = addFilenameSearch = add

            def show(self) -> bool:
                return host.shows

            def value(self, name: str) -> str:
                return host.answers.get(name, self.values[name])

        def node(kind: str) -> Any:
            return lambda **knobs: Node(kind, f"{kind}2", **knobs)

        self.ProgressTask, self.Panel = ProgressTask, Panel
        self.nodes = SimpleNamespace(Read=node("Read"), Write=node("Write"))

    def selectedNodes(self) -> list[Node]:
        return self.selected

    def message(self, text: str) -> None:
        self.messages.append(text)

    def ask(self, text: str) -> bool:
        self.asked.append(text)
        return self.agrees

    def filename(self, node: Node) -> str:
        return str(node["file"].value() or "")

    def root(self) -> Node:
        return Node("Root", "/shows/comp.nk")

    def execute(self, write: Node, first: int, last: int, step: int) -> None:
        path = str(write["file"].value())
        Path(path.replace("####", str(first))).write_text("picture")
        self.executed.append((path, first, last))

    def delete(self, node: Node) -> None:
        self.deleted.append(node)

    def menu(self, name: str) -> Any:
        add = SimpleNamespace(addCommand=lambda name, command: self.commands.append(command))
        return SimpleNamespace(addMenu=lambda name: add)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, program: Program) -> Nuke:
    fake = Nuke()
    monkeypatch.setitem(sys.modules, "nuke", fake)
    monkeypatch.setenv("IMPASTO", str(program.path))
    monkeypatch.setenv("PYTHONHOME", "/opt/nuke")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/nuke/lib")
    return fake


def script() -> Any:
    return load(INTEGRATIONS / "nuke" / "impasto_nuke.py")


def shot(tmp_path: Path, **knobs: Any) -> Node:
    folder = tmp_path / NAME
    folder.mkdir()
    for number in range(1001, 1011):
        (folder / f"shot.{number}.exr").write_text("picture")
    return Node(file=f"{folder}/shot.%04d.exr", first=1001, last=1010, **knobs)


def test_nuke_paints_a_sequence_and_reads_it_back(
    tmp_path: Path, host: Nuke, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    host.selected = [shot(tmp_path, colorspace="ACEScg", frame_mode="offset", frame="100")]
    host.answers = {"strength": "0.5", "frames": "1003-1006"}
    program.behave("talk")
    read = script().paint_selected()
    assert host.messages == []
    job = understood(program.calls[-1], tmp_path, capsys)
    assert job["inputs"] == [f"{tmp_path}/{NAME}/shot.%04d.exr"]
    assert job["out"] == f"{tmp_path}/{NAME}/shot_painted.%04d.exr"
    assert (job["style"], job["strength"], job["frames"], job["overwrite"]) == (["great-wave"], "0.5", "1003-1006", False)
    assert read["file"].value() == job["out"]
    assert [read[name].value() for name in ("first", "last", "colorspace", "frame_mode", "frame")] == [
        1003, 1006, "ACEScg", "offset", "100",
    ]  # fmt: skip
    assert read.position == (130, 20)
    assert 25 in host.progress
    assert not {"PYTHONHOME", "LD_LIBRARY_PATH"} & set(program.environment), "Nuke's Python stays out of impasto's"


def test_nuke_writes_other_nodes_out_and_cleans_up(
    tmp_path: Path, host: Nuke, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    host.selected = [Node("Blur", "my blur")]
    host.answers = {"result": f"{tmp_path}/result.####.exr"}
    read = script().paint_selected()
    assert host.messages == []
    (path, first, last), job = host.executed[0], understood(program.calls[-1], tmp_path, capsys)
    assert (first, last) == (1001, 1010)
    assert job["inputs"] == [path]
    assert job["frames"] == "1001-1010"
    assert host.deleted[0].input is host.selected[0]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bin"], "what was written for impasto is gone"
    assert read["colorspace"].value() is None


def test_nuke_paints_a_movie_and_asks_before_it_replaces(tmp_path: Path, host: Nuke, program: Program) -> None:
    (tmp_path / "take.mov").write_text("movie")
    (tmp_path / "take_painted.mov").write_text("movie")
    host.selected = [Node(file=f"{tmp_path}/take.mov", first=1, last=48)]
    host.agrees = False
    assert script().paint_selected() is None
    assert host.asked == [f"{tmp_path}/take_painted.mov exists. Replace it?"]
    assert [call[0] for call in program.calls] == ["styles"]
    host.agrees = True
    assert script().paint_selected()
    assert {"--overwrite", "--frames=1-48"} <= set(program.calls[-1])


def test_nuke_stops_impasto_when_cancel_is_pressed(tmp_path: Path, host: Nuke, program: Program) -> None:
    node = shot(tmp_path)
    nuke_script = script()
    program.behave("hang")
    host.cancel_after = 5
    began = time.monotonic()
    with pytest.raises(nuke_script.Stopped):
        nuke_script.paint(node, f"{tmp_path}/out.####.exr", 1001, 1010, "great-wave")
    assert (program.folder / "stopped").exists(), "it was asked, not killed"
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("prepare", "part"),
    [
        (lambda host, node: host.selected.clear(), "0 are selected"),
        (lambda host, node: host.answers.update(strength="much"), "strength is a number"),
        (lambda host, node: host.answers.update(strength="2"), "strength is a number"),
        (lambda host, node: host.answers.update(frames="all"), "frames are FIRST-LAST"),
        (lambda host, node: host.answers.update(result="/no/such/folder/a.####.exr"), "no folder '/no/such/folder'"),
        (lambda host, node: node["file"].setValue("/no/such/shot.####.exr"), "are not there"),
        (lambda host, node: node["file"].setValue("/shows/shot.%V.####.exr"), "one file for each view"),
        (lambda host, node: node["file"].setValue(""), "names no file"),
        (lambda host, node: os.environ.update(IMPASTO="/no/impasto"), "the program is not found"),
    ],
)
def test_nuke_says_what_is_wrong(tmp_path: Path, host: Nuke, program: Program, prepare: Any, part: str) -> None:
    host.selected = [shot(tmp_path)]
    host.answers = {"result": f"{tmp_path}/out.####.exr"}
    prepare(host, host.selected[0])
    assert script().paint_selected() is None
    assert len(host.messages) == 1
    assert part in host.messages[0]
    assert not [call for call in program.calls if call[0] == "render"]


@pytest.mark.parametrize(("behaviour", "part"), [("fail", "no look has this name"), ("die", "an answer: painting: 12/48")])
def test_nuke_passes_impastos_errors_on(tmp_path: Path, host: Nuke, program: Program, behaviour: str, part: str) -> None:
    nuke_script, node = script(), shot(tmp_path)
    program.behave(behaviour)
    with pytest.raises(nuke_script.Problem, match=part):
        nuke_script.paint(node, f"{tmp_path}/out.####.exr", 1001, 1010, "great-wave")


def test_nukes_menu_calls_what_there_is(host: Nuke, monkeypatch: pytest.MonkeyPatch) -> None:
    load(INTEGRATIONS / "nuke" / "menu.py")
    monkeypatch.syspath_prepend(str(INTEGRATIONS / "nuke"))
    exec(compile(host.commands[0], "menu", "exec"), {})  # noqa: S102 - as Nuke does
    sys.modules.pop("impasto_nuke")
    assert "0 are selected" in host.messages[0]


def test_nuke_leaves_when_the_panel_is_cancelled(tmp_path: Path, host: Nuke, program: Program) -> None:
    host.selected, host.shows = [shot(tmp_path)], False
    assert script().paint_selected() is None
    assert [call[0] for call in program.calls] == ["styles"]


# ---- Resolve


class Resolve:
    """As much of Resolve as the script uses: one project, one timeline, one clip."""

    EXPORT_OTIO, EXPORT_NONE = "otio", "none"

    def __init__(self, path: str = "", offset: int = 10, duration: int = 20, frames: str = "100") -> None:
        self.exports = self.imports = True
        self.imported: list[str] = []
        media = SimpleNamespace(GetClipProperty=lambda name: {"File Path": path, "Frames": frames}[name])
        self.item: Any = SimpleNamespace(
            GetMediaPoolItem=lambda: media,
            GetName=lambda: "a clip",
            GetLeftOffset=lambda: offset,
            GetDuration=lambda: duration,
        )
        timeline = SimpleNamespace(GetName=lambda: "cut / 3", GetCurrentVideoItem=lambda: self.item, Export=self.export)
        pool = SimpleNamespace(ImportTimelineFromFile=self.take, ImportMedia=lambda paths: self.take(paths[0], {}))
        self.project: Any = SimpleNamespace(GetCurrentTimeline=lambda: timeline, GetMediaPool=lambda: pool)

    def GetProjectManager(self) -> Any:
        return SimpleNamespace(GetCurrentProject=lambda: self.project)

    def export(self, path: str, kind: str, subtype: str) -> bool:
        assert (kind, subtype) == ("otio", "none")
        Path(path).write_text("{}")
        return self.exports

    def take(self, path: str, options: dict[str, Any]) -> bool:
        self.imported.append(path)
        return self.imports


@pytest.fixture
def menu(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, with a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    module = load(INTEGRATIONS / "resolve" / "Impasto.py")
    module.DEFAULTS.update(program=str(program.path), folder=str(tmp_path / NAME))
    return module


def test_resolve_paints_the_timeline(tmp_path: Path, menu: Any, program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    resolve = Resolve()
    assert menu.main(resolve, strength=0.25)
    said = capsys.readouterr().out
    assert "painting: 12/48 frames" in said
    assert "Impasto: painted" in said
    job = understood(program.calls[-1], tmp_path, capsys)
    assert job["out"] == str(tmp_path / NAME / "cut_3")
    assert Path(job["timeline"]).name == "cut_3_painted.otio"
    assert not Path(job["timeline"]).exists(), "the export was for impasto only"
    assert (job["style"], job["strength"], job["handles"], job["overwrite"]) == (["great-wave"], "0.25", 8, True)
    assert resolve.imported == [f"{job['out']}/edit.otio"]
    assert json.loads((tmp_path / ".impasto-resolve.json").read_text())["what"] == "timeline", "the first run writes the settings"


@pytest.mark.parametrize(
    ("path", "frames", "source", "out", "imported"),
    [
        ("/m/take 1.mov", "3-38", "/m/take 1.mov", "take_1_3-38.mov", "take_1_3-38.mov"),
        ("/m/s.[1001-1100].exr", "1003-1038", "/m/s.####.exr", "s_1003-1038/s_1003-1038.####.exr", "s_1003-1038"),
        ("/m/title.png", "all", "/m/title.png", "title_painted.png", "title_painted.png"),
    ],
)
def test_resolve_paints_a_clip(
    tmp_path: Path, menu: Any, program: Program, capsys: pytest.CaptureFixture[str],
    path: str, frames: str, source: str, out: str, imported: str,
) -> None:  # fmt: skip
    resolve = Resolve(path)
    assert menu.main(resolve, what="clip")
    job = understood(program.calls[-1], tmp_path, capsys)
    assert (job["inputs"], job["frames"], job["out"]) == ([source], frames, str(tmp_path / NAME / out))
    assert resolve.imported == [str(tmp_path / NAME / imported)]


def test_resolve_takes_handles_only_where_there_are_frames(menu: Any) -> None:
    ranges = []
    for offset, duration, frames in ((0, 20, "100"), (90, 10, "100"), (10, 5, "")):
        resolve = Resolve("a.mov", offset, duration, frames)
        ranges.append(menu.frame_range(resolve.item, 8, resolve.item.GetMediaPoolItem()))
    assert ranges == [(0, 27), (82, 99), (2, 22)]


@pytest.mark.parametrize(
    ("prepare", "part"),
    [
        (lambda resolve, home: setattr(resolve, "project", None), "open a project"),
        (lambda resolve, home: setattr(resolve, "exports", False), "did not export"),
        (lambda resolve, home: setattr(resolve, "imports", False), "import it by hand"),
        (lambda resolve, home: (home / ".impasto-resolve.json").write_text("{"), "cannot be read"),
        (lambda resolve, home: (home / ".impasto-resolve.json").write_text("[]"), "nobody knows"),
        (lambda resolve, home: (home / ".impasto-resolve.json").write_text('{"stile": "x"}'), "nobody knows (stile)"),
        (lambda resolve, home: (home / ".impasto-resolve.json").write_text('{"what": "all"}'), "choose timeline or clip"),
        (lambda resolve, home: (home / ".impasto-resolve.json").write_text('{"program": "/no/x"}'), "is not found"),
        (lambda resolve, home: (home / "bin" / "behaviour").write_text("fail"), "no look has this name"),
        (lambda resolve, home: (home / "bin" / "behaviour").write_text("die"), "without an answer"),
        (lambda resolve, home: (home / NAME).write_text("a file"), "cannot be made"),
    ],
)
def test_resolve_says_what_is_wrong(
    tmp_path: Path, menu: Any, capsys: pytest.CaptureFixture[str], prepare: Any, part: str
) -> None:
    resolve = Resolve()
    prepare(resolve, tmp_path)
    assert not menu.main(resolve)
    assert part in capsys.readouterr().out.splitlines()[-1]


def test_resolve_needs_a_clip_with_a_file(menu: Any, capsys: pytest.CaptureFixture[str]) -> None:
    resolve = Resolve("")
    assert not menu.main(resolve, what="clip")
    assert "no file of its own" in capsys.readouterr().out
    resolve.item = None
    assert not menu.main(resolve, what="clip")
    assert "under the playhead" in capsys.readouterr().out


def test_resolve_is_found_inside_and_outside_of_its_menu(menu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("DaVinciResolveScript")
    module.scriptapp = lambda name: f"{name} from its module"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "DaVinciResolveScript", module)
    assert menu.host() == "Resolve from its module"
    menu.resolve = "given"
    assert menu.host() == "given"


@pytest.mark.parametrize("path", sorted(INTEGRATIONS.rglob("*.py")), ids=lambda path: path.name)
def test_no_script_loads_impasto_into_its_host(path: Path) -> None:
    lines = path.read_text().splitlines()
    loads = [line.split()[1] for line in lines if line.strip().startswith(("import ", "from "))]
    standard = {name for name in loads if name.partition(".")[0] in sys.stdlib_module_names}
    assert set(loads) - standard <= {"nuke", "DaVinciResolveScript"}
