"""The command line: one line per error, the promised exit codes, one line of JSON, and a clean stop."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from impasto import __version__, cli
from impasto.errors import EngineError, ImpastoError, InputError, MissingExtra, TrainingError
from impasto.job import Done, Job, Progress, option


class Probe(Job):
    """Try every kind of field."""

    command = "probe"
    help = "Try every kind of field."

    names: list[str] = option(help="several words", argument=True)
    out: Path = option(Path("here"), "a place", flag="-o/--out")
    start: Path | None = option(None, "where from", flag="--from")
    kind: Literal["a", "b"] = option("a", "a choice")
    count: int = option(3, "a number", ge=1, le=9)
    loud: bool = option(False, "a switch")
    calm: bool = option(True, "a switch that is on")
    several: list[float] = option([], "numbers")
    big_part: float | None = option(None, "a part", gt=0)
    seen: int | Literal["auto"] = option("auto", "a number or a word")

    def run(self) -> Iterator[Progress | Done]:
        yield Progress("thinking", 1, 2, "thought", 4.0)
        yield Done(self.out, "thought about it", {"count": self.count})


class Failing(Job):
    """Fail as told."""

    command = "fail"
    help = "Fail as told."

    def run(self) -> Iterator[Progress | Done]:
        yield Progress("failing")
        raise ERRORS.pop()


ERRORS: list[BaseException] = []


@pytest.fixture(autouse=True)
def _more_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.COMMANDS, "probe", ("", Probe.help))
    monkeypatch.setitem(cli.COMMANDS, "fail", ("", Failing.help))
    monkeypatch.setattr(cli, "job_class_of", lambda words: {"probe": Probe, "fail": Failing}.get(words) or real(words))


real = cli.job_class_of


def answer(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = cli.main(args)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("words", cli.COMMANDS)
def test_the_table_says_what_the_jobs_say(words: str) -> None:
    job_class = real(words)
    assert (job_class.command, job_class.help) == (words, cli.COMMANDS[words][1])
    assert all(field.description for field in job_class.model_fields.values()), "every option has its help"


@pytest.mark.parametrize("words", cli.COMMANDS)
def test_every_command_has_help_json_and_dry_run(capsys: pytest.CaptureFixture[str], words: str) -> None:
    code, out, _ = answer(capsys, *words.split(), "--help")
    assert code == 0
    assert "--json" in out
    assert "--dry-run" in out


def test_fields_become_options(capsys: pytest.CaptureFixture[str]) -> None:
    words = "probe one two -o there --from x --kind b --count 4 --loud --no-calm --several 1 --several 2.5 --big-part .5 --seen 7"
    code, out, _ = answer(capsys, *words.split(), "--dry-run")
    assert code == 0
    assert json.loads(out) == {
        "job": "probe", "names": ["one", "two"], "out": "there", "start": "x", "kind": "b", "count": 4, "loud": True,
        "calm": False, "several": [1.0, 2.5], "big_part": 0.5, "seen": 7,
    }  # fmt: skip


def test_defaults_are_the_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = answer(capsys, "probe", "one", "--dry-run")
    assert Probe.from_json(out) == Probe(names=["one"])


def test_a_word_after_two_dashes_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = answer(capsys, "probe", "--dry-run", "--", "-x.png")
    assert json.loads(out)["names"] == ["-x.png"]


def test_one_line_of_json_is_the_last_of_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = answer(capsys, "probe", "one", "--json")
    assert code == 0
    assert json.loads(out) == {"ok": True, "path": "here", "summary": "thought about it", "figures": {"count": 3}}
    assert out.count("\n") == 1
    assert "thinking: 1/2 thoughts, 4 thoughts/s, 0:00 left" in err
    code, out, err = answer(capsys, "probe", "one", "--json", "--dry-run")
    assert json.loads(out)["job"]["names"] == ["one"]
    assert out.count("\n") == 1
    assert err == ""


def test_without_json_the_summary_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "probe", "one")[:2] == (0, "thought about it\n")


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["probe"], "Missing argument 'NAME'"),
        (["probe", "x", "--count", "12"], "--count"),
        (["probe", "x", "--kind", "c"], "--kind"),
        (["probe", "x", "--big-part", "0"], "big_part is 0.0: input should be greater than 0"),
        (["probe", "x", "--bogus"], "No such option: --bogus"),
        (["prob"], "Did you mean 'probe'?"),
        (["render", "x.png"], "--out"),
        (["render", "x.png", "-o", "y.png", "--strength", "2"], "strength is '2'"),
        (["render", "x.png", "-o", "y.png", "--tile", "3"], "tile is '3': choose auto, off, or a size of"),
    ],
)
def test_a_usage_error_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str], args: list[str], part: str) -> None:
    code, out, err = answer(capsys, *args, "--json")
    assert code == 2
    assert err.startswith("impasto: ")
    assert err.count("\n") == 1
    assert part in err
    assert json.loads(out) == {"ok": False, "error": err.removeprefix("impasto: ").strip(), "exit_code": 2}


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("photo.png: no such file"), 2, "photo.png: no such file"),
        (MissingExtra("learning", "learn"), 2, "learning needs libraries that are not installed: pip install 'impasto[learn]'"),
        (EngineError("it died", "onnx"), 3, "engine onnx: it died"),
        (TrainingError("diverged"), 4, "diverged"),
        (ImpastoError("two\nlines"), 1, "two lines"),
        (MemoryError(), 1, "out of memory: try --tile 512, a smaller picture, or close other programs"),
        (OSError(28, "No space left on device", "out.png"), 1, "out.png: no space left on device"),
        (KeyError("x"), 1, "internal error, our bug and not yours: KeyError: 'x'; IMPASTO_DEBUG=1 shows where"),
    ],
)
def test_every_error_is_one_line(capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str) -> None:
    for flags in ([], ["--json"]):
        ERRORS.append(error)
        got, out, err = answer(capsys, "fail", *flags)
        assert (got, err) == (code, f"failing\nimpasto: {line}\n")
        assert (json.loads(out) if flags else out) == ({"ok": False, "error": line, "exit_code": code} if flags else "")


def test_a_group_alone_says_where_its_commands_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "styles") == (2, "", "impasto: Missing command (see impasto styles --help)\n")


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_DEBUG", "1")
    ERRORS.append(ZeroDivisionError("0/0"))
    assert "Traceback" in answer(capsys, "fail")[2]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "--version")[:2] == (0, f"impasto {__version__}\n")


def test_no_words_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = answer(capsys)
    assert code == 0
    assert "render" in out


WAITING = """
import signal, sys, time
from pathlib import Path
sys.path.insert(0, {folder!r})
from impasto import cli
from impasto.job import Done, Job, Progress

signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it, and so would its children

class Wait(Job):
    command = help = "wait"
    def run(self):
        try:
            for number in range(10_000):
                yield Progress("waiting", number)
                Path({folder!r}, "started").touch()
                time.sleep(0.02)
        finally:
            Path({folder!r}, "closed").touch()
        yield Done(None, "waited")

cli.COMMANDS["wait"] = ("", "wait")
cli.job_class_of = lambda words: Wait
sys.exit(cli.main(["wait", "--json"]))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_closes_the_job_and_says_so_in_one_line(tmp_path: Path, number: signal.Signals, code: int) -> None:
    script = WAITING.format(folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "started").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert process.returncode == code
    assert (tmp_path / "closed").exists()
    assert err.splitlines()[-1] == f"impasto: stopped by {number.name}; nothing half-written is left behind"
    assert "Traceback" not in err
    assert json.loads(out)["exit_code"] == code


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "impasto", "styles", "list"]
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
