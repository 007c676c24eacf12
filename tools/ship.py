"""Join the tiers of one look, learnt in separate runs, into the style file that is shipped.

python tools/ship.py great-wave runs/great-wave-live-3.style runs/great-wave-full-3.style --figure style_full=0.38
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from pathlib import Path

from impasto.errors import ImpastoError
from impasto.styles.library import SHIPPED
from impasto.styles.package import Card, Credit, StyleFile, write_style


def joined(name: str, styles: list[StyleFile], earlier: list[StyleFile], command: str, figures: dict[str, float]) -> Card:
    """One card for all tiers; steps, minutes and images add up over the stages, the last file's preview and settings stand."""
    last = styles[-1].card
    together: dict[str, Counter[str]] = {field: Counter() for field in ("steps", "minutes", "images")}
    for style in [*earlier, *styles]:
        for field, total in together.items():
            total.update(getattr(style.card.training, field))
    sums = {field: {tier: round(value, 2) for tier, value in total.items()} for field, total in together.items()}
    training = last.training.model_copy(update={**sums, "command": command, "figures": figures})
    tiers = {tier: held for style in styles for tier, held in style.card.tiers.items()}
    return last.model_copy(update={"name": name, "licence": "Apache-2.0", "tiers": tiers, "training": training})


def credited(card: Card, table: Path) -> Card:
    """The card with the licence and origin of each reference, from a table of sources; all must be clean."""
    with table.open(encoding="utf-8", newline="") as file:
        known = {row["sha256_16"]: row for row in csv.DictReader(file, delimiter="\t")}
    credits = []
    for reference in card.training.references:
        row = known.get(reference.sha256[:16])
        if row is None or row["clean"] != "yes":
            raise ValueError(f"{reference.name}: not listed in {table} as clean, so what learnt from it is not shipped")
        origin = f"{row['source_repository']}: {row['source_file']}"
        credits.append(Credit(work=reference.name, licence=row["licence"], source=origin))
    return card.model_copy(update={"credits": credits})


def recorded(name: str, styles: list[StyleFile], earlier: list[StyleFile], command: str) -> str:
    """The trainings a look came from, stage by stage, as JSON: what each was told, what it saw, how long it took."""
    stages = [{"tiers": list(s.card.tiers), "training": s.card.training.model_dump(mode="json")} for s in [*earlier, *styles]]
    return json.dumps({"look": name, "script": command, "stages": stages}, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Read the files, write the shipped one, say where it is."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("name")
    words.add_argument("files", nargs="+", type=Path)
    words.add_argument("--earlier", action="append", default=[], type=Path, help="a file of an earlier stage, for the sums")
    words.add_argument("--sources", type=Path, help="SOURCES.tsv: credit every reference with its licence and origin")
    words.add_argument("--folder", type=Path, default=SHIPPED, help="where the file goes")
    words.add_argument("--figure", action="append", default=[], help="name=value, measured on the finished look")
    words.add_argument("--title", help="instead of the last file's")
    words.add_argument("--description", help="instead of the last file's")
    words.add_argument("--command", help="what trained it; training/NAME.sh when not given")
    words.add_argument("--records", type=Path, help="folder for the record of the trainings, NAME.json")
    given = words.parse_args()
    command = given.command or f"training/{given.name}.sh"
    try:
        styles = [StyleFile.open(file) for file in given.files]
        earlier = [StyleFile.open(file) for file in given.earlier]
        figures = {name: float(value) for name, _, value in (pair.partition("=") for pair in given.figure)}
        card = joined(given.name, styles, earlier, command, figures)
        told = {"title": given.title, "description": given.description}
        card = card.model_copy(update={name: text for name, text in told.items() if text})
        card = credited(card, given.sources) if given.sources else card
        graphs = {tier: style.graph(tier) for style in styles for tier in style.card.tiers}
        print(write_style(given.folder / f"{given.name}.style", card, {str(t): g for t, g in graphs.items()}, styles[-1].preview))
        if given.records:
            given.records.mkdir(exist_ok=True)
            (given.records / f"{given.name}.json").write_text(recorded(given.name, styles, earlier, command), encoding="utf-8")
    except (ImpastoError, ValueError) as error:
        raise SystemExit(f"ship: {error}") from None


if __name__ == "__main__":
    main()
