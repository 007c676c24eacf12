"""Jobs as TOML: what is written is what is read, what is wrong is told all at once, and steps go on where they stopped."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from impasto import cli, commands
from impasto.errors import ImpastoError, InputError, LimitError
from impasto.job import Done, Job, Progress, option
from impasto.media.sample import SampleJob
from impasto.render.job import RenderJob
from impasto.saved.files import as_toml, read_jobs, save_jobs
from impasto.saved.run import RunJob

RENDER = RenderJob.build(
    inputs=["a b.mov", 'q"uo\\te\x7f.png'], out="out", style=["ü:0.5", "x#y:0.5"], strength="1:0, 9:1", scale=0.5, letterbox=True
)


def test_a_job_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    save_jobs(tmp_path / "job.toml", [RENDER], note="why\n\nso")
    assert read_jobs(tmp_path / "job.toml") == [RENDER]
    assert "tier" not in (tmp_path / "job.toml").read_text("utf-8")  # it was not said, so it goes without saying


def test_several_jobs_are_steps_in_order(tmp_path: Path) -> None:
    jobs = [SampleJob.build(out="s.mp4", frames=3), RENDER]
    save_jobs(tmp_path / "plan.toml", jobs)
    assert read_jobs(tmp_path / "plan.toml") == jobs
    assert [step["job"] for step in tomllib.loads(as_toml(jobs))["steps"]] == ["sample", "render"]


def test_a_number_stands_for_a_text_as_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text('job = "render"\ninputs = "a.png"\nout = "b.png"\nstrength = 0.5\ntile = 512\n')
    (job,) = read_jobs(tmp_path / "job.toml")
    assert isinstance(job, RenderJob)
    assert (job.strength, job.tile, job.inputs) == ("0.5", "512", [Path("a.png")])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[[steps]]\njob = "rendr"\n[[steps]]\njob = "render"\nout = 3\n',
            ["step 1: 'rendr' is no job", "step 2: inputs is missing", "out is 3"],
        ),
        ('inputs = "a"\n', ["a job needs its name"]),
        ("job = render\n", ["is not TOML", "line 1"]),
        ('x = 1\n[[steps]]\njob = "render"\n', ["x stand before the first"]),
        ("steps = []\n", ["steps are written as [[steps]]"]),
    ],
)
def test_all_faults_are_told_at_once(tmp_path: Path, text: str, told: list[str]) -> None:
    (tmp_path / "job.toml").write_text(text)
    with pytest.raises(InputError) as fault:
        read_jobs(tmp_path / "job.toml")
    assert all(each in str(fault.value) for each in ["job.toml", *told])


def test_what_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("job.toml", "none.toml"):
        with pytest.raises(InputError, match=name):
            read_jobs(tmp_path / name)


def test_the_command_line_saves_a_job_and_replaces_a_file_only_when_asked_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "job.toml"
    words = ["sample", str(tmp_path / "s.png"), "--frames", "1", "--size", "64x64", "--save", str(place), "--dry-run"]
    assert cli.main(words) == 0
    assert read_jobs(place) == [SampleJob.build(out=tmp_path / "s.png", frames=1, size="64x64")]
    assert cli.main(words) == 2
    assert cli.main([*words, "--overwrite"]) == 0
    assert not (tmp_path / "s.png").exists()
    assert cli.main(["run", str(place), "--json"]) == 0
    assert (tmp_path / "s.png").exists()
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["path"] == str(tmp_path / "s.png")


class Noted(Job):
    """Writes its word into a file and counts how often it ran."""

    command: ClassVar[str] = "noted"
    ran: ClassVar[list[str]] = []
    out: Path = option()
    fails: ImpastoError | None = None
    model_config: ClassVar[Any] = {"arbitrary_types_allowed": True}

    def run(self) -> Iterator[Progress | Done]:
        """Note it."""
        self.ran.append(self.out.name)
        yield Progress("noting")
        if self.out.name == "broken":
            raise InputError("broken")
        self.out.write_text("x")
        yield Done(self.out, f"noted {self.out.name}", failed=LimitError("beyond") if self.out.name == "beyond" else None)


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> type[Noted]:
    monkeypatch.setitem(commands.COMMANDS, "noted", (f"{__name__}:Noted", ""))
    monkeypatch.setattr("impasto.saved.files.job_class_of", lambda _: Noted)
    Noted.ran.clear()
    return Noted


def steps(folder: Path, *names: str) -> Path:
    (folder / "plan.toml").write_text("".join(f'[[steps]]\njob = "noted"\nout = "{folder / name}"\n' for name in names))
    return folder / "plan.toml"


def test_a_run_that_was_stopped_goes_on_with_the_step_it_was_at(tmp_path: Path, noted: type[Noted]) -> None:
    plan = steps(tmp_path, "one", "broken", "three")
    with pytest.raises(InputError, match="broken"):
        RunJob.build(file=plan).finish()
    plan = steps(tmp_path, "one", "two", "three")
    done = RunJob.build(file=plan).finish()
    assert noted.ran == ["one", "broken", "two", "three"]
    assert done.path == tmp_path / "three"
    assert "noted one" in done.summary
    (tmp_path / "two").unlink()  # a result that is gone is made again
    RunJob.build(file=plan).finish()
    assert noted.ran[4:] == ["two"]
    RunJob.build(file=plan, fresh=True).finish()
    assert noted.ran[5:] == ["one", "two", "three"]


def test_a_step_beyond_a_limit_ends_the_run_and_is_not_taken_as_done(tmp_path: Path, noted: type[Noted]) -> None:
    plan = steps(tmp_path, "one", "beyond", "three")
    for _ in range(2):
        done = RunJob.build(file=plan).finish()
        assert isinstance(done.failed, LimitError)
    assert noted.ran == ["one", "beyond", "beyond"]


def test_a_job_file_runs_no_job_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(f'job = "run"\nfile = "{tmp_path / "a.toml"}"\n')
    with pytest.raises(InputError, match="cannot run another"):
        RunJob.build(file=tmp_path / "a.toml").finish()
