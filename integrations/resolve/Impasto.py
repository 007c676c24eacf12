"""Impasto in DaVinci Resolve: paint the current timeline or the current clip, and bring the result into the media pool.

Copy this file into Resolve's folder Fusion/Scripts/Utility; it is then under Workspace > Scripts. What it does stands in the
settings file ~/.impasto-resolve.json, which the first run writes. Impasto runs as a program of its own, in its own Python.
"""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

SETTINGS_FILE = os.path.join(os.path.expanduser("~"), ".impasto-resolve.json")
DEFAULTS: dict[str, Any] = {
    "what": "timeline",  # or "clip": the one under the playhead
    "program": "impasto",
    "style": "great-wave",
    "tier": "auto",
    "strength": 1.0,
    "handles": 8,
    "folder": os.path.join(os.path.expanduser("~"), "Impasto"),
}
HOSTS_OWN = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # Resolve's, and not for another Python
MOVIES = (".mp4", ".mov", ".mkv", ".webm", ".avi")
BRACKETS = re.compile(r"\[(\d+)-\d+\](?=\.\w+$)")


class Problem(Exception):
    """What went wrong, in words for the artist."""


def main(resolve: Any, **changes: Any) -> bool:
    """Do what the settings say; say what came of it in the console."""
    try:
        wishes = settings(changes)
        timeline = current_timeline(resolve)
        said = (paint_clip if wishes["what"] == "clip" else paint_timeline)(resolve, timeline, wishes)
    except Problem as problem:
        say(f"Impasto: {problem}")
        return False
    say(f"Impasto: {said}")
    return True


def paint_timeline(resolve: Any, timeline: Any, wishes: dict[str, Any]) -> str:
    """Export the timeline, paint its clips, import the painted timeline."""
    name = safe(timeline.GetName())
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        edit = os.path.join(folder, f"{name}_painted.otio")
        if not timeline.Export(edit, resolve.EXPORT_OTIO, resolve.EXPORT_NONE):
            raise Problem("Resolve did not export the timeline as OTIO: this needs Resolve 18.5 or newer")
        out = made(os.path.join(wishes["folder"], name))
        words = ["timeline", f"--out={out}", *look(wishes), f"--handles={wishes['handles']}", "--overwrite", "--", edit]
        answer = run(wishes["program"], words)
    if not media_pool(resolve).ImportTimelineFromFile(answer["path"], {"importSourceClips": True}):
        raise Problem(f"it is painted, but Resolve did not import {answer['path']}: import it by hand (File > Import > Timeline)")
    return str(answer["summary"])


def paint_clip(resolve: Any, timeline: Any, wishes: dict[str, Any]) -> str:
    """Paint what the timeline shows of the clip under the playhead, and import it."""
    item = timeline.GetCurrentVideoItem()
    media = item.GetMediaPoolItem() if item else None
    if not media:
        raise Problem("there is no clip with media under the playhead")
    path = media.GetClipProperty("File Path")
    if not path:
        raise Problem(f"{item.GetName()} has no file of its own (a compound clip or a generator): paint the timeline instead")
    source, words, out = errand(path, frame_range(item, int(wishes["handles"]), media), wishes)
    answer = run(wishes["program"], ["render", f"--out={out}", *look(wishes), *words, "--overwrite", "--", source])
    if not media_pool(resolve).ImportMedia([out if "#" not in out else os.path.dirname(out)]):
        raise Problem(f"it is painted, but Resolve did not import {out}: drag it into the media pool")
    return str(answer["summary"])


def errand(path: str, frames: tuple[int, int], wishes: dict[str, Any]) -> tuple[str, list[str], str]:
    """What to paint, which frames of it, and into what. Resolve writes a sequence as shot.[1001-1100].exr and counts from 0."""
    folder, (stem, suffix) = made(wishes["folder"]), os.path.splitext(os.path.basename(path))
    found = BRACKETS.search(path)
    if not found and suffix.lower() not in MOVIES:
        return path, [], os.path.join(folder, f"{safe(stem)}_painted{suffix}")
    begin = int(found[1]) if found else 1  # impasto counts a movie's frames from 1
    shown = f"{begin + frames[0]}-{begin + frames[1]}"
    name = f"{safe(stem.split('[')[0] if found else stem)}_{shown}"
    if not found:
        return path, [f"--frames={shown}"], os.path.join(folder, f"{name}{suffix}")
    out = os.path.join(made(os.path.join(folder, name)), f"{name}.####{suffix}")
    return BRACKETS.sub("#" * len(found[1]), path), [f"--frames={shown}"], out


def frame_range(item: Any, handles: int, media: Any) -> tuple[int, int]:
    """First and last frame of the media that an item shows, from 0, with handles where the media has them."""
    first = int(item.GetLeftOffset())
    last = first + int(item.GetDuration()) - 1
    length = int(media.GetClipProperty("Frames") or 0)
    end = max(length - 1, 0) if length else last + handles
    return max(0, min(first - handles, end)), min(last + handles, end)


def look(wishes: dict[str, Any]) -> list[str]:
    """The options that say how to paint."""
    return [f"--{name}={wishes[name]}" for name in ("style", "tier", "strength")]


def run(program: str, words: list[str]) -> dict[str, Any]:
    """Run impasto, its progress in the console, and return what it says at the end."""
    found = shutil.which(os.path.expanduser(program))
    if not found:
        raise Problem(f"the program '{program}' is not found: put its full path into {SETTINGS_FILE}")
    own = {name: value for name, value in os.environ.items() if name not in HOSTS_OWN}
    own["PYTHONIOENCODING"] = "utf-8"
    where = words.index("--")
    with subprocess.Popen(  # noqa: S603 - a list of words; no shell reads them
        [found, *words[:where], "--json", *words[where:]],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", env=own,
    ) as process:  # fmt: skip
        last = ""
        for line in process.stdout or ():
            last = line.strip() or last
            if not last.startswith("{"):
                say(last)
    try:
        answer = json.loads(last)
        good = answer["ok"]
    except (LookupError, TypeError, ValueError):
        raise Problem(f"it ended without an answer: {last or 'no reason given'}") from None
    if not good:
        raise Problem(str(answer.get("error", "no reason given")))
    return dict(answer)


def settings(changes: dict[str, Any]) -> dict[str, Any]:
    """The settings file over the defaults; the first run writes it."""
    try:
        with open(SETTINGS_FILE, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        found = {}
        with open(SETTINGS_FILE, "w", encoding="utf-8") as file:
            json.dump(DEFAULTS, file, indent=1)
        say(f"Impasto: the settings are in {SETTINGS_FILE}")
    except (OSError, ValueError) as error:
        raise Problem(f"the settings in {SETTINGS_FILE} cannot be read ({error}): mend or delete the file") from None
    unknown = set(found) - set(DEFAULTS) if isinstance(found, dict) else {"all of it"}
    if unknown:
        names, known = ", ".join(sorted(unknown)), ", ".join(DEFAULTS)
        raise Problem(f"{SETTINGS_FILE} has settings nobody knows ({names}): known are {known}")
    wishes = {**DEFAULTS, **found, **changes}
    if wishes["what"] not in ("timeline", "clip"):
        raise Problem(f"'what' is '{wishes['what']}' in {SETTINGS_FILE}: choose timeline or clip")
    return wishes


def current_timeline(resolve: Any) -> Any:
    """The timeline that is open."""
    project = resolve.GetProjectManager().GetCurrentProject()
    timeline = project.GetCurrentTimeline() if project else None
    if not timeline:
        raise Problem("open a project and a timeline first")
    return timeline


def media_pool(resolve: Any) -> Any:
    """Where results go."""
    return resolve.GetProjectManager().GetCurrentProject().GetMediaPool()


def safe(name: str) -> str:
    """A name that every disk can hold."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._")[:100] or "untitled"


def made(folder: str) -> str:
    """A folder, which is made if it is not there."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise Problem(f"the folder {folder} cannot be made: {error.strerror}") from None
    return folder


def say(text: str) -> None:
    """A line in Resolve's console."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def host() -> Any:
    """Resolve itself: it gives itself to scripts of its menu; others ask its module."""
    given = globals().get("resolve")
    if given is not None:
        return given
    import DaVinciResolveScript

    return DaVinciResolveScript.scriptapp("Resolve")


if __name__ == "__main__":
    main(host())
