"""Which pictures a run folder was learnt from, so that a training is not resumed on others by mistake."""

from __future__ import annotations

import json
from pathlib import Path

from impasto.errors import InputError
from impasto.learn.material.data import Material, Pictures

FILE = "material.json"  # name -> hashes; several pictures of a folder tree may share a name
MOST_TOLD = 3
Hashes = dict[str, list[str]]


def remember(folder: Path, material: Material) -> None:
    """Lay the names and hashes of all pictures beside the checkpoints."""
    beside = folder / f".{FILE}"
    beside.write_text(json.dumps(hashes_of(material), indent=0), encoding="utf-8")
    beside.replace(folder / FILE)


def check_known(folder: Path, material: Material) -> None:
    """Refuse to go on with other pictures. A folder without checkpoints, or of before there was such a list, binds nobody."""
    kept = folder / FILE
    if not kept.is_file() or not any(folder.glob("*/*.checkpoint")):
        return
    try:
        before: Hashes = json.loads(kept.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{kept}: is damaged; remove it to go on from the checkpoints beside it") from None
    changed = _changes(before, hashes_of(material))
    if changed:
        more = f" and {len(changed) - MOST_TOLD} more" if len(changed) > MOST_TOLD else ""
        told = ", ".join(changed[:MOST_TOLD]) + more
        how = "put the pictures back as they were, or learn anew with another --run folder"
        raise InputError(f"{folder}: was learnt from other pictures so far ({told}); {how}")


def hashes_of(material: Material) -> Hashes:
    """Every picture that has a hash: references, photographs, and those that are kept to measure on."""
    found: dict[str, set[str]] = {}
    for pictures in vars(material).values():
        if isinstance(pictures, Pictures):
            for name, told in zip(pictures.names, pictures.hashes, strict=False):  # some that are kept aside have no hashes
                found.setdefault(name, set()).add(told)
    return {name: sorted(found[name]) for name in sorted(found)}


def _changes(before: Hashes, now: Hashes) -> list[str]:
    changed = [f"{name} is another picture now" for name in before if name in now and before[name] != now[name]]
    gone = [f"{name} is missing" for name in before if name not in now]
    return changed + gone + [f"{name} is new" for name in now if name not in before]
