"""The commands about looks: `impasto styles list | show | install | remove`."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from impasto.errors import StyleError
from impasto.job import Done, Job, Progress, counted, option

if TYPE_CHECKING:
    from impasto.styles.card import Card, Credit, TrainingRecord
    from impasto.styles.library import Entry
    from impasto.styles.package import StyleFile

MOST_TOLD = 8
MOST_LOOKS_TOLD = 40


class ListJob(Job):
    """List the looks at hand."""

    command: ClassVar[str] = "styles list"
    help: ClassVar[str] = "List the looks at hand."

    def run(self) -> Iterator[Progress | Done]:
        """Open every look's card; a broken one is listed with its fault."""
        from impasto.styles.library import entries, user_folder

        rows = [_listed(entry) for entry in entries()]
        if not rows:
            yield Done(None, f"no looks at hand; `impasto styles install FILE` puts them in {user_folder()}", {"styles": []})
            return
        table: list[tuple[str, ...]] = [("NAME", "TITLE", "TIERS", "SIZE", "LICENCE", "FROM", "CHOICES")]
        for row in rows:
            told = row.get("title", ""), ", ".join(row.get("tiers", ())), _size(row["bytes"]), row.get("licence", "")
            table.append((row["name"], *told, "impasto" if row["shipped"] else "you", row.get("choices", "")))
        if not any(row[-1] for row in table[1:]):
            table = [row[:-1] for row in table]
        faults = [f"broken: {row['fault']}" for row in rows if "fault" in row]
        yield Done(None, "\n".join([*_aligned(table), *faults]), {"styles": rows})


class ShowJob(Job):
    """Show what a look's card says."""

    command: ClassVar[str] = "styles show"
    help: ClassVar[str] = "Show what a look's card says."

    style: str = option(help="name of a look, or a style file", argument=True)

    def run(self) -> Iterator[Progress | Done]:
        """Tell the card: what it is, who to credit, how it was trained."""
        from impasto.styles.library import find
        from impasto.styles.package import StyleFile

        opened = StyleFile.open(find(self.style))
        figures = {
            "path": str(opened.path),
            "bytes": opened.path.stat().st_size,
            "hash": opened.hash,
            "members": {name: member.size for name, member in opened.members.items()},
            "card": opened.card.model_dump(mode="json", by_alias=True),
        }
        yield Done(opened.path, "\n".join(_told(opened)), figures)


class InstallJob(Job):
    """Add a style file to the library."""

    command: ClassVar[str] = "styles install"
    help: ClassVar[str] = "Add a style file to the library."

    file: Path = option(help="the style file to add", argument=True)
    overwrite: bool = option(False, "replace a look of the same name")

    def run(self) -> Iterator[Progress | Done]:
        """Check the file and copy it into the user's folder."""
        from impasto.styles.library import install

        yield Progress("checking the style file")
        entry = install(self.file, self.overwrite)
        summary = f"installed {entry.name}: impasto render photo.jpg -o out.png --style {entry.name}"
        yield Done(entry.path, summary, {"name": entry.name, "path": str(entry.path)})


class RemoveJob(Job):
    """Remove a look from the library."""

    command: ClassVar[str] = "styles remove"
    help: ClassVar[str] = "Remove a look from the library."

    name: str = option(help="name of an installed look", argument=True)

    def run(self) -> Iterator[Progress | Done]:
        """Delete an installed look."""
        from impasto.styles.library import entries, remove

        path = remove(self.name)
        still = any(entry.name == self.name for entry in entries())
        more = "; the one shipped with impasto has its place again" if still else ""
        yield Done(None, f"removed {self.name} ({path}){more}", {"name": self.name, "path": str(path)})


def _listed(entry: Entry) -> dict[str, Any]:
    from impasto.styles.package import StyleFile

    row: dict[str, Any] = {"name": entry.name, "path": str(entry.path), "shipped": entry.shipped, "bytes": 0}
    try:
        row["bytes"] = entry.path.stat().st_size
        card = StyleFile.open(entry.path).card
    except (StyleError, OSError) as error:
        return {**row, "fault": str(error)}
    told = {"title": card.title, "tiers": list(card.tiers), "licence": card.licence}
    return {**row, **told, "choices": _choices(card)}


def _choices(card: Card) -> str:
    """What must or may be said with a look, in a few words; nothing for most."""
    tiers = card.tiers.values()
    guides = dict.fromkeys(guide for tier in tiers for guide in tier.guides)
    scales, looks = max(tier.scale for tier in tiers), max(len(tier.codes) for tier in tiers)
    words = [f"{looks} looks"] * (looks > 0) + ["any picture"] * bool(card.encoder_sha256) + ["varies"] * card.varies
    words += [f"guides {'+'.join(guides)}"] * bool(guides) + [f"x{scales}"] * (scales > 1)
    return ", ".join(words + ["from noise"] * any(tier.noise for tier in tiers))


def _told(style: StyleFile) -> list[str]:
    """The card as text: facts first, then tiers, credits, training."""
    card = style.card
    facts = [("licence", card.licence), ("file", f"{style.path} ({_size(style.path.stat().st_size)})"), ("hash", style.hash)]
    head = [f"{card.title} ({card.name})", *([card.description] if card.description else []), "", *_aligned(facts)]
    told = [*_told_tiers(style), *_told_choices(card), *_told_credits(card.credits)]
    return [*head, "", *told, "", *_told_training(card.training, card)]


def _told_tiers(style: StyleFile) -> list[str]:
    from impasto.styles.archive import GRAPHS

    rows = [("TIER", "GENERATOR", "PARAMETERS", "STRIDE", "FIELD", "SIZE")]
    for name, tier in style.card.tiers.items():
        size = _size(style.members[GRAPHS[name]].size)
        rows.append((name, tier.generator, f"{tier.parameters:,}", f"{tier.stride} px", f"{tier.receptive_field} px", size))
    return _aligned(rows)


def _told_choices(card: Card) -> list[str]:
    """What else there is to know before it paints: looks to choose from, guides it needs, what it makes of a size."""
    lines = []
    for name, tier in card.tiers.items():
        if tier.codes:
            looks = _first(tier.codes, MOST_LOOKS_TOLD)
            lines.append(f"  {name} has {len(tier.codes)} looks (--style {card.name}#LOOK): {looks}")
        if tier.guides:
            told = ", ".join(f"{guide} ({counted(count, 'plane')})" for guide, count in tier.guides.items())
            lines.append(f"  {name} needs guides: {told}")
        if tier.scale > 1:
            lines.append(f"  {name} makes pictures {tier.scale} times larger (--super-resolve {card.name})")
        if tier.noise:
            lines.append(f"  {name} draws pictures from {tier.noise} numbers of noise (impasto generate)")
    if card.varies:
        lines.append("  it varies (--variation 1, 2, 3 ...)")
    if card.encoder_sha256:
        lines.append(f"  it reads looks from pictures (--style {card.name}#PICTURE)")
    return ["", "To choose and to give", *lines] if lines else []


def _first(names: Iterable[str], most: int) -> str:
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def _told_credits(credits: Sequence[Credit]) -> list[str]:
    lines = ["", "Learnt from"] if credits else []
    for credit in credits[:MOST_TOLD]:
        parts = [credit.work, f"by {credit.author}" if credit.author else "", credit.licence, credit.source]
        lines.append("  " + ", ".join(part for part in parts if part))
    return [*lines, *_more(len(credits))]


def _told_training(record: TrainingRecord, card: Card) -> list[str]:
    with_torch = f" and torch {record.torch}" if record.torch else ""
    facts = [("  command", record.command), ("  recipe", record.recipe), ("  seed", str(record.seed))]
    for tier in card.tiers:
        if tier in record.steps or tier in record.minutes:
            facts.append((f"  {tier}", f"{record.steps.get(tier, 0):,} steps in {record.minutes.get(tier, 0.0):.1f} minutes"))
    facts.append(("  photos", f"{record.photos:,}" if record.photos else "none; the procedural plate"))
    facts += [("  teacher", f"{t.name}{f' ({t.licence})' if t.licence else ''}") for t in record.teachers[:MOST_TOLD]]
    facts += [(f"  {name}", f"{value:.4g}") for name, value in record.figures.items()]
    return [f"Trained on {record.date} with impasto {record.impasto}{with_torch}", *_aligned(facts)]


def _more(count: int) -> list[str]:
    return [f"  and {count - MOST_TOLD} more"] if count > MOST_TOLD else []


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines whose columns stand under each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
