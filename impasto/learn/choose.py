"""Which recipe the references ask for, where the user names none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from impasto.errors import InputError
from impasto.learn.material.places import folders_in
from impasto.learn.onward import STEADY
from impasto.media import MOVIES, is_sequence

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

ARCHIVES = (".bin", ".tar.gz", ".tgz")  # CIFAR-10's binary archive
STYLE = ".style"  # looks that are to share a network
PAINTED_FRAMES = "keyframes"  # what takes --guide and --matte


def choose(job: TrainJob) -> str:
    """The name of the recipe."""
    if job.distil:
        return "distil"
    if job.steady:
        return STEADY
    if not job.references:
        raise InputError("nothing to learn from: name a painting, a folder or a movie, or a look with --distil")
    if any(place.name.endswith(ARCHIVES) for place in job.references):
        return "noise"
    if job.shot and _are_painted_frames(job.references, job.shot):
        return PAINTED_FRAMES
    if any(place.suffix == STYLE for place in job.references):
        return "styles"
    folders = [place for place in job.references if place.is_dir()]
    if any(place.suffix.lower() in MOVIES or (is_sequence(place) and place not in folders) for place in job.references):
        return "style_video"
    if any(folders_in(place) for place in folders):
        return "styles"
    if folders or any(place.suffix == ".txt" for place in job.references):
        return "folder"
    return "one_image" if len(job.references) == 1 else "styles"


def _are_painted_frames(places: list[Path], shot: Path) -> bool:
    """Whether all pictures that were given are named by frames of the shot; some and not others is a fault."""
    from impasto.learn.material.data import open_shot
    from impasto.learn.material.shot import told_by_name

    files = told_by_name(places)
    if any(folders_in(each) for each in places if each.is_dir()):
        return False
    with open_shot(shot) as reader:
        there = set(reader.numbers())
    others = [file for file, number in files if number not in there]
    if others and len(others) < len(files):
        first, rest = others[0], f" and {len(others) - 1} more" if len(others) > 1 else ""
        how = "name painted frames by their frame, or say what is meant with --recipe keyframes, styles or folder"
        raise InputError(f"{first}{rest}: named by no frame of {shot}, and other references are: {how}")
    return bool(files) and not others
