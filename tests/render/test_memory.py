"""What a render holds does not grow with the length of its clip."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from impasto.frame import ClipInfo, Frame
from impasto.media import open_writer
from impasto.media.encoding import Encoding
from tests.fakes import write_tiny_style
from tests.render.clips import FPS

SIZE = (180, 320)
MAY_GROW_MIB = 24  # a clip of ten times the length that were held would be 75 MiB more, three times over
# A child's peak counts what its parent held when it was made, so renders are measured from a small process and not from here.
MEASURE = """
import json, sys
from impasto.bench.shot import run_alone
print(json.dumps([run_alone(["-m", "impasto", "render", *words]).peak_mib for words in json.loads(sys.argv[1])]))
"""


def write_noise(path: Path, frames: int) -> Path:
    random, like = np.random.default_rng(0), ClipInfo(SIZE[1], SIZE[0], frames, FPS)
    picture = random.integers(0, 256, (SIZE[0], SIZE[1] + 64, 3), dtype=np.uint8)
    with open_writer(path, like, encoding=Encoding(quality="draft")) as writer:
        for number in range(frames):
            writer.write(Frame(np.ascontiguousarray(picture[:, number % 64 : number % 64 + SIZE[1]]), number + 1))
    return path


def test_memory_is_flat_over_50_and_500_frames(tmp_path: Path) -> None:
    look = str(write_tiny_style(tmp_path / "tiny.style"))
    runs = []
    for frames in (50, 500):
        clip = write_noise(tmp_path / f"{frames}.mp4", frames)
        options = ["--style", look, "--tier", "live", "--engine", "onnx", "--quality", "draft"]
        runs.append([str(clip), "-o", str(tmp_path / f"{frames}-painted.mp4"), *options])
    command = [sys.executable, "-c", MEASURE, json.dumps(runs)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]).stdout
    short, long = json.loads(told)
    assert long - short < MAY_GROW_MIB, f"{short} MiB for 50 frames, {long} MiB for 500"
