"""Nothing that calls itself a style file gets past its reader with anything but one line that names the fault."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impasto.errors import StyleError
from impasto.styles.card import card_bytes, read_card
from impasto.styles.graph import check_graph
from impasto.styles.package import StyleFile
from tests.styles.hostile import BOMBS, corpus
from tests.styles.making import card, inverting_graph, parts, zip_of

MOST_SECONDS = 5.0
MOST_EXTRA_BYTES = 512 << 20
FUZZ = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

PROCESS = Path("/proc/self/status")

# Opens the file it is told to, and says how that ended and what it took. Its imports are paid before the count begins.
# The peak is read from /proc: what getrusage calls the peak begins with that of the process which started this one.
OPENER = """
import json, re, sys, time
import onnx, onnx.shape_inference
from impasto.errors import StyleError
from impasto.styles.package import StyleFile
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
before, start, said = peak(), time.process_time(), None
try:
    StyleFile.open(sys.argv[1]).check()
except StyleError as error:
    said = str(error)
print(json.dumps([said, time.process_time() - start, peak() - before]))
"""


@pytest.mark.parametrize(("make", "fault"), [pytest.param(m, f, id=k) for k, m, f in corpus()])
def test_a_hostile_file_is_refused_by_name(tmp_path: Path, make: Callable[[], bytes], fault: str) -> None:
    path = tmp_path / "evil.style"
    path.write_bytes(make())
    start = time.process_time()
    with pytest.raises(StyleError, match=fault) as caught:
        StyleFile.open(path).check()
    message = str(caught.value)
    assert time.process_time() - start < MOST_SECONDS
    assert message.startswith(f"{path}: ")
    assert message.isprintable(), "one line, and nothing in it that steers a terminal"
    assert len(message) < len(str(path)) + 400
    assert os.listdir(tmp_path) == ["evil.style"], "reading writes nothing"


@pytest.mark.skipif(not PROCESS.exists(), reason="only Linux tells a process its own peak of memory in /proc")
def test_the_count_of_memory_counts(tmp_path: Path) -> None:
    """A file of much that is read is seen to take as much; else the next test would prove nothing."""
    path = tmp_path / "large.style"
    path.write_bytes(zip_of(parts(graph=b"\x80\x04" + bytes(40 << 20))))
    ended = subprocess.run([sys.executable, "-c", OPENER, str(path)], capture_output=True, text=True, check=True, timeout=60)
    said, _, extra_bytes = json.loads(ended.stdout)
    assert "holds a pickle" in said
    assert 32 << 20 < extra_bytes < MOST_EXTRA_BYTES  # some of the 40 MiB fit into what the process had already freed


def test_there_are_hostile_files_of_every_sort() -> None:
    assert len(list(corpus())) + len(BOMBS) >= 150


def test_the_corpus_is_hostile_by_one_fault_each(tmp_path: Path) -> None:
    """What the corpus is made from is sound, so it is the fault that is refused."""
    path = tmp_path / "sound.style"
    path.write_bytes(zip_of(parts()))
    assert StyleFile.open(path).check().path == path


@pytest.mark.skipif(not PROCESS.exists(), reason="only Linux tells a process its own peak of memory in /proc")
@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_does_not_go_off(tmp_path: Path, kind: str) -> None:
    make, fault = BOMBS[kind]
    path = tmp_path / "bomb.style"
    path.write_bytes(make())
    ended = subprocess.run([sys.executable, "-c", OPENER, str(path)], capture_output=True, text=True, check=True, timeout=60)
    said, seconds, extra_bytes = json.loads(ended.stdout)
    path.unlink()
    with pytest.raises(StyleError, match=fault):
        raise StyleError(said or "was taken for a sound look", path)
    assert seconds < MOST_SECONDS
    assert extra_bytes < MOST_EXTRA_BYTES


@pytest.mark.parametrize("what", ["folder", "pipe", "no file", "zero byte", "name too long"])
def test_what_is_no_file_at_all(tmp_path: Path, what: str) -> None:
    path = tmp_path / {"zero byte": "a\0b", "name too long": "a" * 5000}.get(what, "evil.style")
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no named pipes")
        os.mkfifo(path)
    with pytest.raises(StyleError, match=r"is a folder|is not a plain file|no such file|cannot be read"):
        StyleFile.open(path)


SOUND = zip_of(parts())


@FUZZ
@given(st.data())
def test_flipped_bytes_give_style_errors_only(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped.style"
    path.write_bytes(data.draw(_damaged(SOUND)))
    assert _refusal(lambda: StyleFile.open(path).check()).isprintable()


@FUZZ
@given(st.data())
def test_flipped_graphs_give_style_errors_only(data: st.DataObject) -> None:
    damaged = data.draw(_damaged(inverting_graph()))
    assert _refusal(lambda: check_graph(damaged, "flipped")).isprintable()


@FUZZ
@given(st.data())
def test_flipped_cards_give_style_errors_only(data: st.DataObject) -> None:
    damaged = data.draw(_damaged(card_bytes(card())))
    assert _refusal(lambda: read_card(damaged, "flipped")).isprintable()


def _refusal(act: Callable[[], object]) -> str:
    """What a StyleError says, or nothing where the damage did no harm; anything else that is raised fails the test."""
    try:
        act()
    except StyleError as error:
        return str(error)
    return ""


@st.composite
def _damaged(draw: st.DrawFn, sound: bytes) -> bytes:
    """Sound bytes with a few overwritten, and sometimes a piece cut out or doubled."""
    data = bytearray(sound)
    for _ in range(draw(st.integers(1, 6))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    if draw(st.integers(0, 3)) == 0:
        start = draw(st.integers(0, len(data) - 1))
        piece = data[start : start + draw(st.integers(1, 64))]
        data[start : start + len(piece)] = draw(st.sampled_from([b"", piece * 2]))
    return bytes(data)
