"""Write the option tables of docs/commands.md from the commands themselves: `make docs`. The prose around them is by hand.

A table stands between `<!-- options of render -->` and `<!-- end -->`.
"""
from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from impasto.cli import spelling_of
from impasto.commands import COMMANDS, job_class_of

TABLE = re.compile(r"<!-- options of ([\w ]+) -->\n.*?<!-- end -->", re.DOTALL)
PAGE = Path(__file__).parents[1] / "docs" / "commands.md"


def with_tables(text: str) -> str:
    """The page with every table made anew."""
    return TABLE.sub(lambda found: f"<!-- options of {found[1]} -->\n{table(found[1])}\n<!-- end -->", text)


def table(words: str) -> str:
    """The options of one command as a Markdown table."""
    fields = job_class_of(words).model_fields
    if not fields:
        return "No options of its own."
    rows = [("option", "default", "what it does"), ("---",) * 3]
    rows += [(_spelled(name, field), _default(field), _cell(field.description or "")) for name, field in fields.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _spelled(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and extra.get("argument"):
        return f"`{name.upper().removesuffix('S')}{'...' if get_origin(field.annotation) is list else ''}`"
    words = ", ".join(f"`{spelling}`" for spelling in spelling_of(name, field))
    choices = _choices(field.annotation)
    return f"{words} {_cell('|'.join(choices))}" if choices else words


def _choices(annotation: Any) -> list[str]:
    return [str(choice) for choice in get_args(annotation)] if get_origin(annotation) is Literal else []


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, list):
        return " ".join(f"`{item}`" for item in default) or "none"
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"`{default}`" if default not in (None, "") else "none"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Rewrite the page; say which commands it does not yet have."""
    text = PAGE.read_text("utf-8")
    PAGE.write_text(with_tables(text), "utf-8")
    missing = set(COMMANDS) - set(TABLE.findall(text))
    if missing:
        sys.stderr.write(f"{PAGE}: no table for {', '.join(sorted(missing))}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
