"""`--steady SHOT`: a look that is there goes on learning. Which look is meant, and which of its tiers learn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from impasto.errors import InputError
from impasto.styles.archive import GRAPHS
from impasto.styles.card import TierName

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob
    from impasto.styles.package import StyleFile

STEADY = "steady"  # the recipe


def opened(place: Path) -> StyleFile:
    """A look by its file or its name, sound to its last weight."""
    from impasto.styles.library import find
    from impasto.styles.package import StyleFile

    return StyleFile.open(place if place.is_file() else find(str(place))).check()


def look_to_steady(job: TrainJob) -> Path:
    """The file of the one look that `--steady` goes along with."""
    if len(job.references) != 1:
        many = f", not {len(job.references)}" if job.references else ""
        raise InputError(f"--steady {job.steady}: name one look to hold still on it{many}, as in learn look.style --steady SHOT")
    others = {"--distil": job.distil, "--from": job.start, "--shot": job.shot, "--photos": job.photos}
    given = [name for name, value in others.items() if value]
    if given:
        why = "a look is steadied from its own networks, on the frames of that shot alone"
        raise InputError(f"{given[0]} does not go along with --steady: {why}; leave {given[0]} out")
    if job.recipe not in ("auto", STEADY):
        raise InputError(f"--recipe {job.recipe} knows no --steady: leave one of them out")
    return opened(job.references[0]).path


def steadied_tiers(job: TrainJob) -> list[TierName]:
    """Which tiers learn: the one that is named, all that the look has, or its finest."""
    from impasto.styles.package import StyleFile

    look = job.references[0]
    there = [tier for tier in GRAPHS if tier in StyleFile.open(look).card.tiers]
    if job.tier == "all":
        return there
    if job.tier != "auto" and job.tier not in there:
        raise InputError(f"{look}: has no {job.tier} tier to steady, only {', '.join(there)}; leave --tier out")
    return [there[0] if job.tier == "auto" else job.tier]
