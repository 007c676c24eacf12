"""Text of the page in both its languages: each is there, and a button says which is seen."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path

BESIDE = Path(__file__).parent


@cache
def chinese() -> dict[str, str]:
    """English text -> Chinese text."""
    found: dict[str, str] = json.loads((BESIDE / "chinese.json").read_text("utf-8"))
    return found


def both(text: str, **values: object) -> str:
    """A text in both languages as HTML; values stand in for its {names}."""
    ours, theirs = (escape(each.format(**values)) for each in (text, chinese()[text]))
    return f'<span class="en">{ours}</span><span class="zh" lang="zh-Hans">{theirs}</span>'
