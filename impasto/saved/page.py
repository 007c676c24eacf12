"""The page of a batch: every shot before and after, how it was painted, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import ImpastoError
from impasto.evaluate.page.build import bare
from impasto.evaluate.page.pictures import jpeg
from impasto.evaluate.pairing import open_pairs
from impasto.job import Done
from impasto.media.landing import write_text
from impasto.saved.table import Shot

SIDE = 480
AGAIN = '<meta http-equiv="refresh" content="10">'  # while shots wait, a page that is open fills by itself
LOOK = """
.shots { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1rem }
.shots img { width: 50%; display: inline-block; vertical-align: top } .shots .pair { font-size: 0; margin: 0 0 .6rem }
.shots h3 { display: flex; justify-content: space-between; gap: .6rem } .shots .card { overflow-wrap: anywhere }
"""


@dataclass(frozen=True)
class Ended:
    """A shot of the table, and what came of it."""

    shot: Shot
    done: Done | None = None
    before: str = ""  # the middle frame and its painting, as pictures in text
    after: str = ""
    fault: ImpastoError | None = None
    again: bool = True  # rendered now, not by an earlier run

    def figures(self) -> dict[str, Any]:
        """What a program wants to know of it."""
        if self.done is None:
            return {"error": str(self.fault)}
        return {"path": str(self.done.path), "rendered": self.again, **self.done.figures}


def seen(shot: Shot, done: Done) -> tuple[str, str]:
    """The middle frame of a shot and its painting; nothing where they cannot be laid side by side."""
    if done.path is None:
        return "", ""
    try:
        pairs = open_pairs(shot.job.inputs[0], done.path, shot.job.frames, SIDE)
        middle = len(pairs) // 2
        pairs = replace(pairs, numbers=pairs.numbers[middle : middle + 1], files=pairs.files[middle : middle + 1])
        _, photo, painted = next(pairs.read())
    except ImpastoError:  # cut by --start, another size: the page is no place to fail for that
        return "", ""
    before, after = (jpeg(np.rint(plane * 255).astype(np.uint8)) for plane in (photo, painted))
    return before, after


def write_page(path: Path, table: Path, ended: Sequence[Ended], shots: Sequence[Shot]) -> None:
    """The page as it is now; shots that still wait are named."""
    write_text(path, page(table, ended, shots), overwrite=True)


def page(table: Path, ended: Sequence[Ended], shots: Sequence[Shot]) -> str:
    """The page as one HTML text, with its pictures in it."""
    failed, waiting = sum(each.fault is not None for each in ended), len(shots) - len(ended)
    facts = [f"{len(ended) - failed} of {len(shots)} shots painted", *([f"{failed} failed"] if failed else [])]
    cards = [
        *map(_card, ended),
        *(f'<div class="card"><h3>{escape(shot.name)}</h3><small>waiting</small></div>' for shot in shots[len(ended) :]),
    ]
    head = f'<header><h1>{escape(table.name)}</h1><p class="facts">{" · ".join(facts)}</p></header>'
    body = f'{head}<section class="shots">{"".join(cards)}</section>'
    return bare(table.name, body, LOOK, AGAIN if waiting else "", acts=False)


def _card(ended: Ended) -> str:
    job = ended.shot.job
    badge = '<span class="badge fail">failed</span>' if ended.fault else '<span class="badge pass">painted</span>'
    pair = (
        f'<p class="pair"><img src="{ended.before}" alt="source"><img src="{ended.after}" alt="painted"></p>'
        if ended.after
        else ""
    )
    told = str(ended.fault) if ended.done is None else ended.done.summary
    how = f"<b>{escape(' + '.join(job.style))}</b> · {escape(str(job.inputs[0]))}"
    return f'<div class="card"><h3>{escape(ended.shot.name)} {badge}</h3>{pair}<p>{how}</p><small>{escape(told)}</small></div>'
