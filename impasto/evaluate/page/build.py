"""The page put together: verdict, means, curves, maps, worst frames, and what to paint next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from impasto.evaluate.figures import OUTPUT, ROOMS, SOURCE
from impasto.evaluate.gallery import WATCHED, Gallery, Worst
from impasto.evaluate.limits import Verdict
from impasto.evaluate.next_key import HALF, Next
from impasto.evaluate.page.curves import curve_of
from impasto.evaluate.page.pictures import greyed, heat, jpeg, scale_of
from impasto.evaluate.page.words import BESIDE, both

MOST_WORST = 8
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
TITLES = {"picture": "As pictures", "moving": "In motion", "set": "All pictures together"}
Row = Mapping[str, float]


@dataclass(frozen=True)
class Findings:
    """All that a page tells."""

    source: Path
    output: Path
    moving: bool
    side: int
    rows: Sequence[Mapping[str, Any]]
    means: Mapping[str, Row]
    gallery: Gallery
    verdicts: Sequence[Verdict] = ()
    next: Next | None = None
    style: str = ""
    flow: str = ""  # where known motion came from
    truth: str = ""


def page(findings: Findings) -> str:
    """The page as one HTML text."""
    worst = findings.gallery.worst()[:MOST_WORST]
    parts = [
        _head(findings),
        _table(findings),
        _next(findings.next),
        _curves(findings),
        _maps(findings),
        _wipe(worst),
        _worst(worst),
    ]
    return bare(f"QC: {findings.output.name}", "\n".join(part for part in [*parts, _meanings(findings)] if part))


def bare(title: str, body: str, own_look: str = "", own_head: str = "", acts: bool = True) -> str:
    """A page about its body: with its look and, if it acts, its script, and forbidden the network."""
    look, act = ((BESIDE / name).read_text("utf-8") for name in ("look.css", "act.js"))
    look, title = look + own_look, escape(title)
    script = f"<script>{act}</script>" if acts else ""
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">{own_head}'
    head += f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>{look}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body><main>\n{body}\n</main>{script}</body></html>\n'


def _head(findings: Findings) -> str:
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    count = both("{n} frames" if findings.moving else "{n} pictures", n=len(findings.rows))
    size = both("measured at {px} px", px=findings.side) if findings.side else both("measured at full size")
    given = {"style {name}": findings.style, "motion from {name}": findings.flow, "truth {name}": findings.truth}
    facts = " · ".join([count, size, *(both(text, name=name) for text, name in given.items() if name), when])
    buttons = '<div class="tools"><button id="language">中文</button><button id="light">◐</button></div>'
    paths = f"<b>{escape(str(findings.output))}</b> {both('against')} {escape(str(findings.source))}"
    title = f"<h1>{both('Quality report')} {_badge(findings)}</h1>"
    return f'<header>{buttons}{title}<p class="paths">{paths}</p><p class="facts">{facts}</p></header>'


def _badge(findings: Findings) -> str:
    if not findings.verdicts:
        return f'<span class="badge none">{both("no limits given")}</span>'
    lost = sum(not verdict.kept for verdict in findings.verdicts)
    if lost:
        return f'<span class="badge fail">{both("failed: {n} of {all} limits", n=lost, all=len(findings.verdicts))}</span>'
    return f'<span class="badge pass">{both("passed: {all} limits kept", all=len(findings.verdicts))}</span>'


# ---- means and limits


def _table(findings: Findings) -> str:
    rows = []
    for room, figures in ROOMS.items():
        means = findings.means.get(room, {})
        named = [
            name
            for name in figures
            if name in means or any((v.limit.room, v.limit.name) == (room, name) for v in findings.verdicts)
        ]
        if named:
            rows.append(f'<tr class="room"><th colspan="5">{both(TITLES[room])}</th></tr>')
        rows += [_mean(room, name, means, findings.verdicts) for name in named]
    names = "".join(f"<th>{both(name)}</th>" for name in ("figure", "painting", "source", "wanted", "limit"))
    return section("Means", f'<table class="means"><thead><tr>{names}</tr></thead><tbody>{"".join(rows)}</tbody></table>')


def _mean(room: str, name: str, means: Row, verdicts: Sequence[Verdict]) -> str:
    figure = ROOMS[room][name]
    ours = f"{means[name]:.{figure.decimals}f}" if name in means else "-"
    against = name + OUTPUT in means
    theirs = f"{means[name + SOURCE]:.{figure.decimals}f}" if name + SOURCE in means and not against else ""
    own = [_limit(verdict) for verdict in verdicts if (verdict.limit.room, verdict.limit.name) == (room, name)]
    words = f"<td>{both(figure.words)} <code>{name}</code></td><td class='n'>{ours}</td><td class='n'>{theirs}</td>"
    return f"<tr>{words}<td class='wanted'>{both(figure.wanted)}</td><td>{''.join(own)}</td></tr>"


def _limit(verdict: Verdict) -> str:
    kind = "pass" if verdict.kept else "fail"
    if verdict.value is None:
        told = both("not measured")
    else:
        word = "worst frame {frame}: {value}" if verdict.limit.worst and verdict.beyond else "{value}"
        place = max(verdict.limit.figure.decimals, 2)
        told = both(word, frame=verdict.beyond[0] if verdict.beyond else "", value=f"{verdict.value:.{place}f}")
    beyond = both("beyond it in {n} frames", n=len(verdict.beyond)) if verdict.beyond else ""
    name = both("kept" if verdict.kept else "not kept")
    limit = f"<b>{name}</b> <code>{escape(verdict.limit.text)}</code>"
    return f'<div class="verdict {kind}">{limit} {told} <small>{beyond}</small></div>'


# ---- what to paint next


def _next(found: Next | None) -> str:
    if found is None:
        return ""
    faults = "".join(
        f"<li>{both(ROOMS[room][name].words)}: {ours:.2f} <small>({both('mean')} {mean:.2f})</small></li>"
        for room, name, ours, mean in found.faults
    )
    far = "It is least like any painted frame: content distance {far} from frame {near}, where the shot's median is {median}."
    why = [both(far, far=f"{found.distance:.3f}", near=found.nearest, median=f"{found.typical:.3f}")]
    if found.badness >= HALF:
        why.append(both("It is painted worse than {share} of the frames.", share=f"{found.badness:.0%}"))
    if found.alike:
        why.append(both("Little would be gained: every frame is like a painted one."))
    then = f"<p>{both('Then: {frames}', frames=', '.join(found.then))}</p>" if found.then else ""
    painted = both("Painted so far: {frames}", frames=", ".join(found.painted))
    text = f"<div><p>{' '.join(why)}</p><ul>{faults}</ul>{then}<p><small>{painted}</small></p></div>"
    number = f'<div class="number">{escape(found.frame)}</div>'
    return section("Paint this frame next", f'<div class="next">{number}{text}</div>')


# ---- curves


def _curves(findings: Findings) -> str:
    drawn: list[str] = []
    data: list[dict[str, Any]] = []
    for room in ("moving", "picture"):
        for name, figure in ROOMS[room].items():
            curve = curve_of(room, name, findings.rows, _bound(room, name, findings))
            if curve is None:
                continue
            worst = f'<span class="now" data-curve="{len(data)}"></span>'
            drawn.append(f'<figure class="card"><figcaption>{both(figure.words)} {worst}</figcaption>{curve.draw()}</figure>')
            data.append(curve.as_json())
    if not drawn:
        return ""
    lines = (("ours", "painting"), ("theirs", "source"), ("limit", "limit"))
    key = f'<p class="key">{"".join(f"""<i class="{kind}"></i>{both(words)} """ for kind, words in lines)}</p>'
    held = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")
    return section(
        "Frame by frame",
        f'{key}<div class="curves">{"".join(drawn)}</div><script type="application/json" id="values">{held}</script>',
    )


def _bound(room: str, name: str, findings: Findings) -> float | None:
    """Where a curve's limit is drawn: flicker and moving detail are drawn as they are, and limited against the source's mean."""
    limits = [verdict for verdict in findings.verdicts if (verdict.limit.room, verdict.limit.name) == (room, name)]
    if not limits or limits[0].limit.figure.better == "one":
        return None
    means = findings.means.get(room, {})
    times = means.get(name + SOURCE, 1.0) if name + OUTPUT in means else 1.0
    return limits[0].limit.bound(means) * times


# ---- pictures


def _maps(findings: Findings) -> str:
    middle, maps = findings.gallery.middle, findings.gallery.maps()
    if middle is None or not maps:
        return ""
    base, cards = jpeg(greyed(middle)), []
    for name in (name for name in WATCHED["moving"] if name in maps):
        figure = ROOMS["moving"][name]
        hottest = scale_of(maps[name], figure.bad)
        legend = f'<div class="ramp"><span>0</span><i></i><span>{hottest:.2g}</span></div>'
        layers = _layers(base, heat(maps[name], hottest), name)
        cards.append(f'<figure class="card"><figcaption>{both(figure.words)}</figcaption>{layers}{legend}</figure>')
    said = both("How much worse than the source each place is, averaged over the shot. Clear places are no worse.")
    return section("Where it is bad", f'<p class="said">{said}</p><div class="maps">{"".join(cards)}</div>')


def _wipe(worst: Sequence[Worst]) -> str:
    if not worst:
        return ""
    one = worst[0]
    shown = (("source", one.source), ("output", one.output))
    pictures = "".join(f'<img id="wipe-{name}" src="{jpeg(picture)}" alt="{name}">' for name, picture in shown)
    slider = '<input type="range" min="0" max="100" value="50" step="0.1" aria-label="wipe">'
    tags = f'<span class="tag left">{both("source")}</span><span class="tag right">{both("painting")}</span><i class="edge"></i>'
    title = (
        f'{both("frame")} <b id="wipe-frame">{escape(one.frame)}</b> <small>{both("click a frame below to see it here")}</small>'
    )
    return section("Wipe", f'<p class="said">{title}</p><div class="wipe" style="--at:50%">{pictures}{tags}{slider}</div>')


def _worst(worst: Sequence[Worst]) -> str:
    if not worst:
        return ""
    return section("Worst frames", "".join(_of_worst(one) for one in worst))


def _of_worst(one: Worst) -> str:
    figure = ROOMS[one.room][one.name]
    title = f"{both('frame')} <b>{escape(one.frame)}</b>: {both(figure.words)} <b>{one.value:.{max(2, figure.decimals)}f}</b>"
    change = "changed beside its motion, x 5" if one.room == "moving" else "difference"
    source, output = jpeg(one.source), jpeg(one.output)
    tiles = [_tile("source", source), _tile("painting", output), _tile(change, jpeg(one.difference))]
    if one.where is not None:
        hot = heat(one.where, scale_of(one.where, figure.bad))
        layers = _layers(jpeg(greyed(one.output)), hot, one.name)
        tiles.append(f"<figure>{layers}<figcaption>{both('where')}</figcaption></figure>")
    inner = f'<h3>{title}</h3><div class="tiles">{"".join(tiles)}</div>'
    return f'<article class="card worst" data-frame="{escape(one.frame)}">{inner}</article>'


def _layers(base: str, hot: str, name: str) -> str:
    """A map over its frame."""
    return f'<div class="layers"><img src="{base}" alt=""><img class="heat" src="{hot}" alt="{name}"></div>'


def _tile(words: str, data: str) -> str:
    return f'<figure><img src="{data}" alt="{words}"><figcaption>{both(words)}</figcaption></figure>'


# ---- words


def _meanings(findings: Findings) -> str:
    told = []
    for room, figures in ROOMS.items():
        there = [figure for name, figure in figures.items() if name in findings.means.get(room, {})]
        told += [f"<dt>{both(figure.words)}</dt><dd>{both(figure.meaning)}</dd>" for figure in there]
    return section(
        "What each figure means", f"<dl>{''.join(told)}</dl><p>{both('No figure is beauty. Read them together, and look.')}</p>"
    )


def section(title: str, inner: str) -> str:
    """A part of a page under its title."""
    return f"<section><h2>{both(title)}</h2>{inner}</section>"
