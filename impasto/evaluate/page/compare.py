"""The page of a comparison: who is best in what, the same frames side by side, two versions under one wipe, curves together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from impasto.evaluate.figures import OUTPUT, ROOMS, SOURCE
from impasto.evaluate.gallery import Bytes
from impasto.evaluate.page.build import bare, section
from impasto.evaluate.page.curves import overlaid
from impasto.evaluate.page.pictures import jpeg
from impasto.evaluate.page.words import BESIDE, both

Row = Mapping[str, float]
Places = Mapping[tuple[str, str], Mapping[str, int]]
COLOURS = 6


@dataclass(frozen=True)
class Shown:
    """One frame of the source and of every version."""

    frame: str
    source: Bytes
    versions: Mapping[str, Bytes]


@dataclass(frozen=True)
class Standings:
    """All that the page of a comparison tells."""

    source: Path
    side: int
    means: Mapping[str, Mapping[str, Row]]
    places: Places
    mean_places: Mapping[str, float]
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    shown: Sequence[Shown]
    style: str = ""


def page(found: Standings) -> str:
    """The page as one HTML text."""
    parts = [_head(found), section("Ranks", _ranks(found)), _frames(found), _wipe(found), _curves(found), _meanings(found)]
    title, look = f"{found.source.name}: {', '.join(found.means)}", (BESIDE / "compare.css").read_text("utf-8")
    return bare(title, "\n".join(part for part in parts if part), look)


def _head(found: Standings) -> str:
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    count = both("{n} versions", n=len(found.means))
    size = both("measured at {px} px", px=found.side) if found.side else both("measured at full size")
    style = [both("style {name}", name=found.style)] if found.style else []
    buttons = '<div class="tools"><button id="language">中文</button><button id="light">◐</button></div>'
    names = " · ".join(f"<b>{escape(name)}</b>" for name in found.means)
    paths = f'<p class="paths">{names} {both("of")} {escape(str(found.source))}</p>'
    facts = " · ".join([count, size, *style, when])
    return f'<header>{buttons}<h1>{both("Comparison")}</h1>{paths}<p class="facts">{facts}</p></header>'


def _ranks(found: Standings) -> str:
    versions = list(found.means)
    names = "".join(f'<th class="n">{escape(name)}</th>' for name in versions)
    rows = []
    for room, figures in ROOMS.items():
        for name, figure in figures.items():
            ours = [means.get(room, {}).get(name) for means in found.means.values()]
            if all(value is None for value in ours):
                continue
            of_source = next(iter(found.means.values())).get(room, {})
            theirs = None if name + OUTPUT in of_source else of_source.get(name + SOURCE)
            best = [found.places.get((room, name), {}).get(version) == 1 for version in versions]
            cells = "".join(_cell(value, figure.decimals, first) for value, first in zip(ours, best, strict=True))
            words = f"<td>{both(figure.words)}</td>{cells}{_cell(theirs, figure.decimals, False)}"
            rows.append(f"<tr>{words}<td class='wanted'>{both(figure.wanted)}</td></tr>")
    standing = "".join(_cell(found.mean_places.get(version), 1, False) for version in versions)
    last = f'<td></td><td class="wanted">{both("1: best in all")}</td>'
    rows.append(f'<tr class="standing"><td>{both("mean place")}</td>{standing}{last}</tr>')
    head = f'<tr><th>{both("figure")}</th>{names}<th class="n">{both("source")}</th><th>{both("wanted")}</th></tr>'
    return f'<div class="columns"><table class="means ranks"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'


def _cell(value: float | None, decimals: int, best: bool) -> str:
    return f'<td class="n{" best" if best else ""}">{"" if value is None else f"{value:.{decimals}f}"}</td>'


def _frames(found: Standings) -> str:
    rows = []
    for shown in found.shown:
        tiles = [_tile(both("source"), "source", shown.source)]
        tiles += [_tile(escape(name), name, picture) for name, picture in shown.versions.items()]
        title = f"<h3>{both('frame')} <b>{escape(shown.frame)}</b></h3>"
        rows.append(f'{title}<div class="tiles" style="--many:{len(tiles)}">{"".join(tiles)}</div>')
    return section("Side by side", f'<div class="columns">{"".join(rows)}</div>') if rows else ""


def _tile(words: str, name: str, picture: Bytes) -> str:
    return f'<figure><img src="{jpeg(picture)}" alt="{escape(name)}"><figcaption>{words}</figcaption></figure>'


def _wipe(found: Standings) -> str:
    """Any two of a frame under one wipe; the page's script takes the pictures from the tiles above."""
    if not found.shown:
        return ""
    names = ["source", *found.means]
    options = "".join(f"<option>{escape(name)}</option>" for name in names)
    frames = "".join(f"<option>{escape(shown.frame)}</option>" for shown in found.shown)
    chosen = f'<select id="left">{options}</select> | <select id="right">{options}</select>'
    chosen += f' {both("frame")} <select id="shown">{frames}</select>'
    pictures = '<img id="wipe-source" alt=""><img id="wipe-output" alt="">'
    slider = '<input type="range" min="0" max="100" value="50" step="0.1" aria-label="wipe">'
    wipe = f'<div class="wipe" style="--at:50%">{pictures}<i class="edge"></i>{slider}</div>'
    return section("Wipe", f'<p class="said">{chosen}</p>{wipe}')


def _curves(found: Standings) -> str:
    names = list(found.means)[:COLOURS]
    drawn = []
    for room in ("moving", "picture"):
        for name, figure in ROOMS[room].items():
            lines = overlaid(room, name, {version: found.rows[version] for version in names})
            if lines:
                drawn.append(f'<figure class="card"><figcaption>{both(figure.words)}</figcaption>{lines}</figure>')
    if not drawn:
        return ""
    key = "".join(f'<i class="v{number}"></i>{escape(name)} ' for number, name in enumerate(names))
    return section("Frame by frame", f'<p class="key">{key}</p><div class="curves">{"".join(drawn)}</div>')


def _meanings(found: Standings) -> str:
    there = {(room, name) for means in found.means.values() for room, row in means.items() for name in row}
    told = [
        f"<dt>{both(figure.words)}</dt><dd>{both(figure.meaning)}</dd>"
        for room, figures in ROOMS.items()
        for name, figure in figures.items()
        if (room, name) in there
    ]
    last = both("No figure is beauty. Read them together, and look.")
    return section("What each figure means", f"<dl>{''.join(told)}</dl><p>{last}</p>")
