"""The journal: a killed render goes on where it was, nothing good is made twice, and one run holds an output at a time."""
from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from impasto.errors import InputError, MediaError
from impasto.render import journal as journals
from impasto.render import lock
from impasto.render.journal import NOTES, Journal, digest, digest_of_source, work_folder

IDENTITY: dict[str, Any] = {"style": "a" * 64, "strength": 1.0, "inputs": ["shot.mov"], "frames": ["1-40"]}
PARTS = 40

# A render in small: parts with names of their own (as of a sequence), and pieces that stay in the work folder (as of a movie).
WORKER = """
import os, sys, time
from pathlib import Path
from impasto.render.journal import Journal, digest
target, parts, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
with Journal.open(target, {"style": "x"}) as journal:
    print("ready", flush=True)
    for number in range(parts):
        piece = number % 4 == 0
        final = (journal.folder if piece else target.parent) / f"part_{number:03d}.bin"
        if journal.good(final.stem, final):
            continue
        staged = journal.folder / f".part_{number:03d}.half"
        with open(staged, "wb") as file:
            for _ in range(3):
                file.write(b"%d " % number * 2000)
                time.sleep(pause)
        journal.promise(final.stem, digest(staged), frames=[number])
        os.replace(staged, final)
        with open(target.parent / "made.log", "a") as log:
            log.write(f"{final.stem}\\n")
    pieces = [path.read_bytes() for path in sorted(journal.folder.glob("part_*"))]
    (target.parent / "pieces").write_bytes(b"".join(pieces))
    journal.finish()
"""


def start(target: Path, parts: int = PARTS, pause: float = 0.0005) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(target), str(parts), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def make(journal: Journal, target: Path, name: str, content: bytes = b"paint") -> Path:
    """A part as the pipeline makes it."""
    staged, final = journal.folder / name, target.parent / name
    staged.write_bytes(content)
    journal.promise(name, digest(staged))
    os.replace(staged, final)
    return final


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "shot.####.png"


def test_ten_kills_cost_nothing_that_was_finished(tmp_path: Path) -> None:
    target, dice = tmp_path / "out.mov", random.Random(7)
    for _ in range(10):
        with start(target) as run:
            assert run.stdout is not None
            assert run.stdout.readline() == "ready\n"
            time.sleep(dice.uniform(0, 0.02))
            run.send_signal(signal.SIGKILL)
    killed_at = len((tmp_path / "made.log").read_text().split())
    assert 0 < killed_at < PARTS, "kills came in the midst of the work"
    with start(target) as run:
        assert run.wait() == 0
    made = (tmp_path / "made.log").read_text().split()
    assert len(made) == len(set(made)), "no part that had its name was made again"
    for number in range(PARTS):
        if number % 4:
            assert (tmp_path / f"part_{number:03d}.bin").read_bytes() == b"%d " % number * 6000
    assert (tmp_path / "pieces").read_bytes() == b"".join(b"%d " % number * 6000 for number in range(0, PARTS, 4))
    assert not list(tmp_path.glob(".*")), "nothing temporary is left"


def test_the_second_run_names_the_first(tmp_path: Path) -> None:
    target = tmp_path / "out.mov"
    with start(target, pause=1) as run:
        assert run.stdout is not None
        run.stdout.readline()
        with pytest.raises(MediaError, match=rf"out\.mov: is being rendered by another run \(process {run.pid} on .*, since 20"):
            Journal.open(target, IDENTITY)
        run.kill()
    with Journal.open(target, {"style": "x"}) as journal:  # a dead run's lock is nobody's
        journal.finish()
    assert list(tmp_path.iterdir()) == []


def test_two_runs_at_once_are_one_and_a_refusal(tmp_path: Path) -> None:
    runs = [start(tmp_path / "out.mov", parts=12) for _ in range(3)]
    ends = [(run.wait(), *run.communicate()) for run in runs]
    assert any(code == 0 for code, _, _ in ends)
    assert all(code == 0 or "is being rendered by another run" in errors for code, _, errors in ends)
    assert not list(tmp_path.glob(".*"))


def test_a_lock_whose_folder_went_is_not_taken_for_one(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run finishes between the second's opening of the lock and its taking it."""
    first, taken = Journal.open(target, IDENTITY), []

    def flock(handle: int, how: int) -> None:
        if not taken:
            first.finish()
        taken.append(os.fstat(handle).st_ino)

    monkeypatch.setattr(lock.fcntl, "flock", flock)
    with Journal.open(target, IDENTITY) as second:
        assert len(taken) == 2, "it began again with a new folder"
        assert (second.folder / lock.LOCK).stat().st_ino == taken[-1]


def test_parts_are_kept_by_their_content(target: Path) -> None:
    with Journal.open(target, IDENTITY) as journal:
        for name in ("a.png", "b.png", "c.png"):
            make(journal, target, name)
    (target.parent / "b.png").write_bytes(b"pain!")
    (target.parent / "c.png").unlink()
    with Journal.open(target, IDENTITY) as journal:
        assert [journal.good(name, target.parent / name) for name in ("a.png", "b.png", "c.png", "d.png")] == [True, *[False] * 3]
        (target.parent / "b.png").write_bytes(b"paint")
        assert not journal.good("b.png", target.parent / "b.png"), "what was found damaged is made again"
        assert [journal.owns(name) for name in ("a.png", "b.png", "d.png")] == [True, True, False]


def test_a_part_of_another_source_is_made_again(target: Path) -> None:
    with Journal.open(target, IDENTITY) as journal:
        staged = target.parent / "a.png"
        staged.write_bytes(b"paint")
        journal.promise("a.png", digest(staged), source="1234", times=[0.5])
        assert journal.facts("a.png") == {"source": "1234", "times": [0.5]}
        assert journal.facts("b.png") == {}
    with Journal.open(target, IDENTITY) as journal:
        assert journal.good("a.png", staged, "1234")
        assert journal.facts("a.png")["times"] == [0.5]
        assert not journal.good("a.png", staged, "5678")


def test_a_promise_without_its_file_is_made_again(target: Path) -> None:
    with Journal.open(target, IDENTITY) as journal:
        journal.promise("a.png", "0" * 32)
    with Journal.open(target, IDENTITY) as journal:
        assert not journal.good("a.png", target.parent / "a.png")


def test_what_differs_is_said_in_words(target: Path) -> None:
    with Journal.open(target, IDENTITY) as journal:
        make(journal, target, "a.png")
    other = {**IDENTITY, "strength": 0.5, "style": "b" * 64, "engine": "onnx", "inputs": ["shot.mov", "more.mov"]}
    with pytest.raises(InputError) as caught:
        Journal.open(target, other)
    told = str(caught.value)
    assert "strength was 1.0, is 0.5" in told
    assert "style was aaaaaaaa, is bbbbbbbb" in told
    assert "engine was none, is onnx" in told
    assert "inputs was shot.mov, is shot.mov, more.mov" in told
    assert "frames" not in told
    assert "--fresh" in told
    assert "\n" not in told
    assert (target.parent / "a.png").exists()
    assert Journal.identity_before(target) == IDENTITY, "a refusal changes nothing"
    with Journal.open(target, IDENTITY) as journal:
        assert journal.good("a.png", target.parent / "a.png")


def test_fresh_forgets_what_was_made_but_not_whose_it_is(target: Path) -> None:
    with Journal.open(target, IDENTITY) as journal:
        final = make(journal, target, "a.png")
        piece = journal.folder / "piece-1.nut"
        piece.write_bytes(b"frames")
        journal.promise("piece-1", digest(piece))
    with Journal.open(target, {**IDENTITY, "strength": 0.5}, fresh=True) as journal:
        assert not journal.good("a.png", final)
        assert journal.owns("a.png")
        assert not piece.exists()
    assert Journal.identity_before(target) == {**IDENTITY, "strength": 0.5}
    with Journal.open(target, {**IDENTITY, "strength": 0.5}) as journal:  # killed right after: still its own
        assert journal.owns("a.png")
        assert not journal.good("a.png", final)
        journal.finish()
    assert Journal.identity_before(target) is None
    assert [path.name for path in target.parent.iterdir()] == ["a.png"]


def test_what_a_kill_left_half_done_goes(target: Path) -> None:
    with Journal.open(target, IDENTITY) as journal:
        piece = journal.folder / "piece-1.nut"
        piece.write_bytes(b"frames")
        journal.promise("piece-1", digest(piece))
        (journal.folder / ".piece-2.1f-77.nut").write_bytes(b"fra")
        (journal.folder / "frame_1002.png").write_bytes(b"half")
        (journal.folder / "odd").mkdir()
    with Journal.open(target, IDENTITY) as journal:
        assert sorted(path.name for path in journal.folder.iterdir()) == [NOTES, "lock", "piece-1.nut"]
        assert journal.good("piece-1", piece)


def test_a_run_that_made_nothing_leaves_nothing(target: Path) -> None:
    with Journal.open(target, IDENTITY) as journal:
        (journal.folder / "half").touch()
    assert list(target.parent.iterdir()) == []


TAILS = [b'{"part": "b.p', b"\0" * 50, b"{}", b"garbage\n", b'{"part": 3}\n[]\n', b'{"part": "x", "digest": 1}\n']


@pytest.mark.parametrize("tail", TAILS)
def test_a_torn_or_damaged_line_costs_its_part_alone(target: Path, tail: bytes) -> None:
    with Journal.open(target, IDENTITY) as journal:
        make(journal, target, "a.png")
    notes = work_folder(target) / NOTES
    notes.write_bytes(notes.read_bytes() + tail)
    with Journal.open(target, IDENTITY) as journal:
        assert journal.good("a.png", target.parent / "a.png")
        make(journal, target, "b.png")
    with Journal.open(target, IDENTITY) as journal:
        assert all(journal.good(name, target.parent / name) for name in ("a.png", "b.png"))


@pytest.mark.parametrize("content", [b"", b'{"format": 1, "iden', b"not json\n", b"[]\n", b"\0\0\n"])
def test_a_torn_header_is_a_beginning(target: Path, content: bytes) -> None:
    work_folder(target).mkdir()
    (work_folder(target) / NOTES).write_bytes(content)
    assert Journal.identity_before(target) is None
    with Journal.open(target, IDENTITY) as journal:
        make(journal, target, "a.png")
    assert Journal.identity_before(target) == IDENTITY


def test_notes_of_another_format_are_left_alone(target: Path) -> None:
    work_folder(target).mkdir()
    before = json.dumps({"format": 99, "identity": IDENTITY}).encode() + b'\n{"part": "a"}\n'
    (work_folder(target) / NOTES).write_bytes(before)
    with pytest.raises(MediaError, match="another version of impasto: --fresh"):
        Journal.open(target, IDENTITY)
    assert (work_folder(target) / NOTES).read_bytes() == before


def test_a_full_disk_is_one_line_and_the_notes_stay_whole(target: Path) -> None:
    with Journal.open(target, IDENTITY) as journal:
        make(journal, target, "a.png")
        notes = journal.folder / NOTES
        before = notes.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, hard))  # as a disk that takes ten bytes more
        try:
            with pytest.raises(MediaError, match=r"its progress cannot be noted: .*; mend that and run again"):
                journal.promise("b.png", "0" * 32)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert notes.read_bytes() == before
        assert not journal.owns("b.png")
        make(journal, target, "b.png")
    with Journal.open(target, IDENTITY) as journal:
        assert all(journal.good(name, target.parent / name) for name in ("a.png", "b.png"))


def test_threads_note_their_parts_side_by_side(target: Path) -> None:
    with Journal.open(target, IDENTITY) as journal:
        threads = [Thread(target=lambda n=n: [journal.promise(f"{n}-{i}", "0" * 32) for i in range(20)]) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with Journal.open(target, IDENTITY) as journal:
        assert all(journal.owns(f"{n}-{i}") for n in range(4) for i in range(20))


def test_every_spelling_of_a_pattern_has_one_work_folder(tmp_path: Path) -> None:
    names = ["shot.####.png", "shot.%04d.png", "shot.$F4.png", "shot.@@@@.png", "shot.#.png"]
    assert {work_folder(tmp_path / name) for name in names} == {tmp_path / ".shot._.png.impasto"}
    assert work_folder(tmp_path / "folder") == work_folder(tmp_path / "folder/")
    assert work_folder(tmp_path / "x" / ".." / "a.mov") == tmp_path / ".a.mov.impasto"
    long = [work_folder(tmp_path / f"{'漫' * 80}{n}.mov") for n in range(2)]
    assert long[0] != long[1]
    long[0].mkdir()


def test_places_that_take_no_notes_are_named(tmp_path: Path) -> None:
    for place in (tmp_path / "none" / "a.mov", Path("/proc/a.mov")):
        with pytest.raises(MediaError, match=r"a\.mov: its progress cannot be noted"):
            Journal.open(place, IDENTITY)
    work_folder(tmp_path / "a.mov").write_bytes(b"a file")
    with pytest.raises(MediaError, match="not a directory"):
        Journal.open(tmp_path / "a.mov", IDENTITY)
    work_folder(tmp_path / "b.mov").symlink_to(tmp_path / "nowhere")
    with pytest.raises(MediaError, match="cannot be locked: remove it"):
        Journal.open(tmp_path / "b.mov", IDENTITY)


def test_a_long_source_is_told_by_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, content = tmp_path / "source.mov", bytearray(random.Random(0).randbytes(5000))
    path.write_bytes(content)
    assert digest_of_source(path) == digest(path)
    monkeypatch.setattr(journals, "WHOLE_BYTES", 100)
    monkeypatch.setattr(journals, "BLOCK_BYTES", 10)
    before = digest_of_source(path)
    for place in (0, 4999):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        assert digest_of_source(path) != before
    path.write_bytes(content + b"\0")
    assert digest_of_source(path) != before
    path.write_bytes(content)
    assert digest_of_source(path) == before
    with pytest.raises(MediaError, match="none: cannot be read"):
        digest_of_source(tmp_path / "none")
