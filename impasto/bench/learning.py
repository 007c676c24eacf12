"""How fast this machine learns: a short while of a look from one picture, in a process of its own."""
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from impasto.bench.shot import run_alone

SECONDS = 20.0
LEARN = "import sys; from impasto.bench.learning import learn; learn(sys.argv[1])"
REFERENCE_SIZE = (640, 480)


@dataclass
class LearnRow:
    """One tier: how many crops it sees in a second, and the largest the process became."""

    recipe: str
    tier: str
    images_per_second: float
    steps_per_second: float
    peak_mib: int


def learn_rows() -> Iterator[LearnRow]:
    """Each tier that is learnt from references."""
    for tier in ("live", "full"):
        ran = run_alone(["-c", LEARN, tier])
        told = json.loads(ran.said.splitlines()[-1])
        yield LearnRow("one_image", tier, told["images"], told["steps"], ran.peak_mib)


def learn(tier: str) -> None:
    """Learn from a frame of the procedural plate, and print how fast it went."""
    from pathlib import Path
    from tempfile import TemporaryDirectory
    from time import perf_counter

    from PIL import Image

    from impasto.job import Progress
    from impasto.learn.job import TrainJob
    from impasto.learn.recipes.one_image import Settings
    from impasto.media.plate import Plate

    with TemporaryDirectory(prefix="impasto-bench-") as folder:
        reference = Path(folder, "reference.png")
        Image.fromarray(Plate(*REFERENCE_SIZE, 24.0).frame(0).rgb).save(reference)
        asked = {"references": [reference], "out": Path(folder, "x.style"), "tier": tier, "recipe": "one_image"}
        job = TrainJob.build(**asked, minutes=SECONDS / 60)
        said = [(event, perf_counter()) for event in job.run() if isinstance(event, Progress) and event.unit == "step"]
    (first, began), (last, ended) = said[0], said[-1]  # the first step prepares, and is told as soon as it is done
    rate = (last.done - first.done) / (ended - began) if last.done > first.done else last.rate
    print(json.dumps({"steps": round(rate, 3), "images": round(rate * Settings.model_fields["batch"].default, 2)}))
