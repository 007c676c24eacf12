"""The figures as a page: what each table says, where its figures come from, and how to make them again."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from impasto.bench.peers import PARAMETERS
from impasto.bench.tables import cells

Kept = dict[str, Any]
MADE_BY = "The tables and the chart are made by"
AGAIN = """and each part alone by `--parts` with its name: it replaces its own table and no other. Times are of one run on one
machine: set them against each other, not against those of another."""
TITLES = {
    "network": "The network alone",
    "peers": "Beside shapes that the field knows",
    "roofline": "How much of the machine is used",
    "start": "From the command to its end",
    "shots": "From file to file",
    "growth": "Cost by length and size",
    "learning": "Learning",
}
TELLS = {
    "network": "Noise of 8 bits in, painted bytes out, again and again; `x peer` is how many of its frames fit into one of "
    "fast-neural-style's at that size.",
    "peers": "Random weights, ONNX Runtime, fp32, in the same run as ours under the engine and precision we take for 8 bits: "
    + ", ".join(f"{name} ({count})" for name, count in PARAMETERS.items())
    + ". A `mini` that the look does not have is a shape too.",
    "roofline": "The peak is the most that stacks of plain 3x3 convolutions reach under OpenVINO in the same precision. What a "
    "network does besides convolutions counts as time, not as work.",
    "start": "A whole command that paints one frame of a movie: the interpreter, the engine, the frame, the file.",
    "shots": "A clip of the procedural plate, h264, decoded, painted and encoded again as h264 with `--quality draft`. `lost` is "
    "the share of the time in which the slowest stage waited for the others.",
    "growth": "The same, at several lengths and sizes: seconds of all cores together, from start to end.",
    "learning": "A look from one picture, the usual settings.",
}


def page(kept: Kept, out: Path) -> str:
    """The whole page, as Markdown."""
    command, chart = f"impasto bench --parts all --style {kept['style']} -o {out.name}", out.with_suffix(".png").name
    lines = ["# Performance", "", f"The look `{kept['style']}` on {kept['machine']}. {MADE_BY}", "", "```sh", command, "```", ""]
    lines += [AGAIN, "", f"![Frames per second of every network]({chart})", ""]
    for part, title in TITLES.items():
        if rows := kept.get(part):
            head, *told = cells(part, rows)
            table = (f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *told))
            lines += [f"## {title}", "", TELLS[part], "", *table, ""]
            lines += [summary, ""] if (summary := grown(rows) if part == "growth" else "") else []
    return "\n".join(lines).rstrip() + "\n"


def grown(rows: list[Kept]) -> str:
    """Whether cost is a straight line over length and memory a flat one, in a sentence."""
    same = [row for row in rows if row["size"] == rows[0]["size"]]
    if len(same) < 3:
        return ""
    (first, middle, last) = same[0], same[len(same) // 2], same[-1]
    slope = (last["cpu_seconds"] - first["cpu_seconds"]) / (last["frames"] - first["frames"])
    expected = first["cpu_seconds"] + slope * (middle["frames"] - first["frames"])
    bend = abs(middle["cpu_seconds"] / expected - 1)
    more = last["peak_mib"] - first["peak_mib"]
    return (
        f"At {first['size']} each further 1,000 frames cost {1000 * slope:.0f} seconds of a core; the middle length lies "
        f"{100 * bend:.1f} % off the line through the others; {last['frames']} frames take {more:+d} MiB beside "
        f"{first['frames']}."
    )
