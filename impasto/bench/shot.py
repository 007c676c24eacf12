"""How fast a shot is painted from file to file, and in how much memory: the command itself, as a process of its own."""
from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from time import perf_counter
from typing import Any

from impasto.errors import EngineError

KIB_PER_MIB = 1024
SCENE_FRAMES = 12  # made once and shown to and fro: making them takes longer than painting them
FPS = 24
STARTS = 3
# In a process of its own too: a child's peak counts what its parent held when it was made.
MAKE = "import sys; from impasto.bench.shot import make_clip; make_clip(sys.argv[1], *map(int, sys.argv[2:]))"


@dataclass
class ShotRow:
    """One shot: how fast it went in all, how busy each stage was, and the largest the process became."""

    tier: str
    engine: str
    source: str
    size: str
    frames: int
    fps: float
    read_seconds: float
    paint_seconds: float
    write_seconds: float
    overlap: float  # the slowest stage's share of the time: 1 when it never waits for another
    first_frame_seconds: float
    cpu_seconds: float  # of all cores together, from the start of the process to its end
    wall_seconds: float
    peak_mib: int

    @property
    def lost(self) -> float:
        """Which share of the time the slowest stage waited for the others."""
        return max(0.0, 1 - self.overlap)


def make_clip(path: str, width: int, height: int, frames: int) -> None:
    """Write a clip of the procedural plate as a video, as a camera would leave it: h264, 8 bits, no sound."""
    from fractions import Fraction

    from impasto.frame import ClipInfo, Frame
    from impasto.media import open_writer
    from impasto.media.plate import Plate

    plate = Plate(width, height, float(FPS))
    scene = [plate.frame(number).rgb for number in range(min(frames, SCENE_FRAMES))]
    there_and_back = [*scene, *scene[-2:0:-1]] or scene
    with open_writer(path, ClipInfo(width, height, frames, Fraction(FPS))) as writer:
        for number, rgb in enumerate(islice(cycle(there_and_back), frames)):
            writer.write(Frame(rgb, number + 1))


def shot_rows(style: str, tiers: list[str], sizes: list[tuple[int, int]], frames: int, shot: Path | None) -> Iterator[ShotRow]:
    """Render a clip per size (or the given shot) with each tier, and tell what it took."""
    with TemporaryDirectory(prefix="impasto-bench-") as folder:
        sources = [shot] if shot else []
        for width, height in [] if shot else sizes:
            sources.append(Path(folder, f"plate-{width}x{height}.mp4"))
            run_alone(["-c", MAKE, str(sources[-1]), str(width), str(height), str(frames)])
        for tier in tiers:
            for source in sources:
                yield rendered(style, tier, source, Path(folder, f"painted-{tier}-{source.stem}.mp4"))


def growth_rows(style: str, tier: str, sizes: list[tuple[int, int]], frames: int) -> Iterator[ShotRow]:
    """The first size at a quarter, half and all of the frames, then the other sizes at a quarter."""
    least = max(2, frames // 4)
    cases = [(sizes[0], count) for count in (least, max(3, frames // 2), frames)] + [(size, least) for size in sizes[1:]]
    with TemporaryDirectory(prefix="impasto-bench-") as folder:
        for (width, height), count in cases:
            source = Path(folder, f"plate-{width}x{height}-{count}.mp4")
            run_alone(["-c", MAKE, str(source), str(width), str(height), str(count)])
            yield rendered(style, tier, source, source.with_name(f"painted-{source.name}"))


def start_seconds(style: str, tier: str, size: tuple[int, int]) -> list[float]:
    """How long a whole command takes that paints one frame of a movie, from its start to its end, a few times."""
    with TemporaryDirectory(prefix="impasto-bench-") as folder:
        source = Path(folder, "one.mp4")
        run_alone(["-c", MAKE, str(source), str(size[0]), str(size[1]), "2"])
        words = ["-m", "impasto", "render", str(source), "--frames", "1", "--style", style, "--tier", tier, "--quality", "draft"]
        return [run_alone([*words, "-o", str(Path(folder, f"{time}.mp4"))]).wall_seconds for time in range(STARTS)]


def rendered(style: str, tier: str, source: Path, out: Path) -> ShotRow:
    """One render in a process of its own."""
    how = ["--style", style, "--tier", tier, "--quality", "draft", "--json"]
    ran = run_alone(["-m", "impasto", "render", str(source), "-o", str(out), *how])
    figures = json.loads(ran.said.splitlines()[-1])["figures"]
    picked = {name: figures[name] for name in ("engine", "frames", "fps", "overlap", "first_frame_seconds")}
    seconds = {name: figures[name] for name in ("read_seconds", "paint_seconds", "write_seconds")}
    whole: dict[str, Any] = {"cpu_seconds": ran.cpu_seconds, "wall_seconds": ran.wall_seconds, "peak_mib": ran.peak_mib}
    return ShotRow(tier=tier, source=source.name, size=figures["size"], **whole, **picked, **seconds)


@dataclass(frozen=True)
class Ran:
    """What a process said and what it took."""

    said: str
    peak_mib: int  # the most memory it ever held
    cpu_seconds: float
    wall_seconds: float


def run_alone(words: list[str]) -> Ran:
    """Run Python in a process of its own."""
    began = perf_counter()
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        streams = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)]
        process = os.posix_spawn(sys.executable, [sys.executable, *words], os.environ, file_actions=streams)
        _, status, usage = os.wait4(process, 0)  # the same count that `/usr/bin/time -v` shows
        wall = perf_counter() - began
        out.seek(0)
        err.seek(0)
        said, told = out.read().strip(), err.read().strip()
    if os.waitstatus_to_exitcode(status) != 0:
        raise EngineError(f"a render failed: {(told.splitlines() or ['it said nothing'])[-1]}", "bench")
    peak = usage.ru_maxrss * (1 if sys.platform != "darwin" else 1 / KIB_PER_MIB)  # a Mac counts bytes
    return Ran(said, round(peak / KIB_PER_MIB), round(usage.ru_utime + usage.ru_stime, 3), round(wall, 3))
