"""How well the critic of a training told real pictures from painted ones, by the record that the training left in its run folder.

    impasto evaluate wave.run

A critic that is always right teaches nothing any more, and one that guesses has nothing to teach: a good contest lies between.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import InputError
from impasto.evaluate.report import in_columns

CURVE = "curve.jsonl"
JUDGED = {
    "accuracy": ".5 guesses, .6 to .9 teaches",
    "precision": "of what it calls real, so much is",
    "recall": "of what is real, so much is called so",
    "f1": "1: never wrong",
}
LOOKED, STEPS = "judged/", 100  # figures of a look begin so; without a look, so many last lines stand in
Line = dict[str, Any]


def is_run(place: Path) -> bool:
    """Whether a folder is what `learn` leaves: a record of at least one tier."""
    return place.is_dir() and bool(records(place))


def records(place: Path) -> list[Path]:
    """The records of a run's tiers, or of the one tier whose folder was named."""
    return [place / CURVE] if (place / CURVE).is_file() else sorted(place.glob(f"*/{CURVE}"))


def told_of(run: Path) -> tuple[str, dict[str, Any]]:
    """What is said of a run, and its figures for each tier."""
    found = {record.parent.name: judged(read_curve(record), record) for record in records(run)}
    rows: list[tuple[str, ...]] = [("", "tier", "value", "wanted")]
    for tier, figures in found.items():
        rows += [(f"critic's {name}", tier, f"{figures[name]:.3f}", JUDGED[name]) for name in JUDGED if name in figures]
    by = {tier: "held-out pictures" if figures["looks"] else "pictures it learnt from" for tier, figures in found.items()}
    seen = ", ".join(f"{tier} at step {found[tier]['step']} on {what}" for tier, what in by.items())
    return f"{run}: the critic, {seen}\n{in_columns(rows)}", found


def judged(lines: Sequence[Line], record: Path) -> dict[str, Any]:
    """A critic's figures at the last look; where there was none, over the last steps."""
    looks = [line for line in lines if f"{LOOKED}accuracy" in line]
    if looks:
        last = looks[-1]
        found = {name: last[LOOKED + name] for name in JUDGED if LOOKED + name in last}
        return {"step": last["step"], "looks": len(looks), **found}
    steps = [line for line in lines if "told_apart" in line][-STEPS:]
    if not steps:
        raise InputError(f"{record}: no critic judged anything in this run; a recipe without one has none of these figures")
    right = float(np.mean([line["told_apart"] for line in steps]))
    recalls = [line["recall"] for line in steps if "recall" in line]
    found = verdicts(float(np.mean(recalls)), right) if recalls else {"accuracy": right}
    return {"step": steps[-1]["step"], "looks": 0, **found}


def verdicts(recall: float, told_apart: float) -> dict[str, float]:
    """Accuracy, precision, recall and F1 of a critic, "real" being what it looks for; real and painted ones weigh the same."""
    fooled = 1 - (2 * told_apart - recall)  # the share of painted ones it takes for real
    precision = recall / (recall + fooled) if recall + fooled else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"accuracy": told_apart, "precision": precision, "recall": recall, "f1": f1}


def read_curve(path: Path) -> list[Line]:
    """The lines of a curve file, without a damaged one at the end."""
    lines = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            break
        if not isinstance(line, dict) or "step" not in line:
            break
        lines.append(line)
    return lines
