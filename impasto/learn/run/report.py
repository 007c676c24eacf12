"""report.html of a training: one file that needs no other. Curves as drawings, contact sheets as data, settings and machine."""

from __future__ import annotations

import base64
import html
import io
import math
import os
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from impasto.learn.run.pace import Pace, schedule
from impasto.learn.run.record import CURVE, read_curve

REPORT = "report.html"
SETTING = "setting: "  # begins the names of facts that belong at the end
SHEETS_SHOWN, SHEET_WIDTH_PX = 6, 1400
WIDTH, HEIGHT, LEFT, BELOW = 420, 170, 52, 18  # of one drawing
POINTS, BINS = 400, 60
Line = Sequence[tuple[float, float]]
LOOK = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 92rem; padding: 0 1rem; background: #fafafa }
table { border-collapse: collapse } td { padding: .15rem 1rem .15rem 0; vertical-align: top } td:first-child { color: #666 }
figure { display: inline-block; margin: .5rem 1rem .5rem 0 } figcaption { font-size: 13px; color: #444 }
svg { background: #fff; border: 1px solid #ddd } img { max-width: 100% } .raw { stroke: #b9cbe4 } .mean { stroke: #1c5fb0 }
path { fill: none; stroke-width: 1.3 } text { font-size: 11px; fill: #666 } .grid { stroke: #eee } pre { white-space: pre-wrap }
"""


def write_report(folder: Path, label: str, facts: Mapping[str, str], pace: Pace) -> Path:
    """Write the report of the training in a folder from what lies in it."""
    path = folder / REPORT
    beside = path.with_suffix(".writing")
    beside.write_text(report(folder, label, facts, pace), encoding="utf-8")
    beside.replace(path)
    return path


def report(folder: Path, label: str, facts: Mapping[str, str], pace: Pace) -> str:
    """The report as one HTML text."""
    lines = read_curve(folder / CURVE) if (folder / CURVE).is_file() else []
    told = [f"step {line['step']}: {line['event']}" for line in lines if "event" in line]
    parts = [
        f"<h1>Training of {html.escape(label)}</h1>",
        _table({**{name: value for name, value in facts.items() if not name.startswith(SETTING)}, "machine": machine()}),
        *(["<h2>What was noticed</h2>", "<pre>", html.escape("\n".join(told)), "</pre>"] if told else []),
        "<h2>Pictures</h2>",
        *(_sheet(path) for path in chosen(sorted(folder.glob("sheet-*.png")))),
        "<h2>Curves</h2>",
        *(drawing(name, line) for name, line in curves(lines).items()),
        drawing("schedule: share of the full rate, as planned", planned(pace)),
        "<h2>Settings of the recipe</h2>",
        _table({name.removeprefix(SETTING): value for name, value in facts.items() if name.startswith(SETTING)}),
    ]
    body = "\n".join(parts)
    head = f'<meta charset="utf-8"><title>{html.escape(label)}</title><style>{LOOK}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def machine() -> str:
    """The machine in words."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    processor = found[1] if found else platform.processor() or platform.machine()
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads used"
    return ", ".join([processor, cores, *gpus, f"{platform.system()} {platform.release()}", f"torch {torch.__version__}"])


def curves(lines: Sequence[Mapping[str, Any]]) -> dict[str, Line]:
    """Each figure of the curve file over the steps; held-out figures first."""
    found: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        for name, value in line.items():
            if name not in ("step", "seconds", "event") and isinstance(value, int | float) and math.isfinite(value):
                found.setdefault(name, []).append((line["step"], value))
    return dict(sorted(found.items(), key=lambda item: (not item[0].startswith("held/"), not item[0].startswith("judged/"))))


def planned(pace: Pace) -> Line:
    """The schedule over the steps, or, where only the clock ends the training, over its share."""
    if pace.steps:
        return [(step, schedule(step, step / pace.steps)) for step in range(0, pace.steps + 1, max(1, pace.steps // POINTS))]
    return [(i / POINTS, schedule(10**6, i / POINTS)) for i in range(POINTS + 1)]


def chosen(paths: Sequence[Path]) -> list[Path]:
    """A few of many, evenly spread, the last among them."""
    if len(paths) <= SHEETS_SHOWN:
        return list(paths)
    return [paths[round(i * (len(paths) - 1) / (SHEETS_SHOWN - 1))] for i in range(SHEETS_SHOWN)]


def drawing(name: str, line: Line) -> str:
    """One curve as SVG: every point pale, the mean of its neighbourhood strong."""
    mean = smoothed(line)
    raw = line[:: max(1, len(line) // POINTS)]
    low, high = min(y for _, y in raw), max(y for _, y in raw)
    first, last = line[0][0], line[-1][0]
    high, last = (high if high > low else low + 1e-9), (last if last > first else first + 1)

    def path(points: Line, kind: str) -> str:
        places = [
            (LEFT + (x - first) / (last - first) * (WIDTH - LEFT - 6), 6 + (high - y) / (high - low) * (HEIGHT - BELOW - 12))
            for x, y in points
        ]
        if len(places) == 1:
            places = [(places[0][0] - 2, places[0][1]), (places[0][0] + 2, places[0][1])]
        return f'<path class="{kind}" d="M' + "L".join(f"{x:.1f} {y:.1f}" for x, y in places) + '"/>'

    bottom = HEIGHT - BELOW - 6
    words = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 6}" y1="{bottom}" y2="{bottom}"/>',
        f'<text x="4" y="14">{high:.4g}</text><text x="4" y="{bottom}">{low:.4g}</text>',
        f'<text x="{LEFT}" y="{HEIGHT - 5}">{first:g}</text>',
        f'<text x="{WIDTH - 8}" y="{HEIGHT - 5}" text-anchor="end">{line[-1][0]:g}</text>',
    ]
    inner = "".join([*words, path(raw, "raw"), path(mean, "mean")])
    caption = f"<figcaption>{html.escape(name)}: {line[-1][1]:.4g} at the end</figcaption>"
    return f'<figure><svg width="{WIDTH}" height="{HEIGHT}" role="img">{inner}</svg>{caption}</figure>'


def smoothed(line: Line) -> Line:
    """The means of up to 60 equal parts of the line."""
    size = max(1, math.ceil(len(line) / BINS))
    parts = [line[i : i + size] for i in range(0, len(line), size)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]


def _table(facts: Mapping[str, str]) -> str:
    rows = "".join(f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>" for name, value in facts.items())
    return f"<table>{rows}</table>"


def _sheet(path: Path) -> str:
    with Image.open(path) as picture:
        picture.thumbnail((SHEET_WIDTH_PX, 4 * SHEET_WIDTH_PX))
        held = io.BytesIO()
        picture.convert("RGB").save(held, "JPEG", quality=85)
    data = base64.b64encode(held.getvalue()).decode()
    return f'<figure><img alt="{path.name}" src="data:image/jpeg;base64,{data}"><figcaption>{path.name}</figcaption></figure>'
