"""Impasto in Nuke: paint what the selected node shows, and read the result back.

Put this folder on NUKE_PATH; `menu.py` beside this file adds the menu entry. Impasto runs as a program of its own, in its own
Python: nothing of it is loaded into Nuke. The environment variable IMPASTO names the program if it is not on PATH.

A Read node is painted from its files, frame numbers as the files have them. Any other node is first written to half-float EXRs
beside the result, which go again when it is painted.
"""
from __future__ import annotations

import glob
import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable
from typing import Any

import nuke

PROGRAM = "IMPASTO"  # environment variable
HOSTS_OWN = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # Nuke's, and not for another Python
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_TO_STOP = 30  # asked to stop, impasto ends the frame in hand and leaves nothing half-written
COUNT = re.compile(r"(\d+)/(\d+) ")
FRAMES = re.compile(r"\s*(-?\d+)\s*(?:-\s*(-?\d+)\s*)?")
PATTERN = re.compile(r"#+|%0?\d*d")
KEPT_KNOBS = ("frame_mode", "frame", "colorspace", "raw", "premultiplied", "before", "after", "on_error")


class Problem(Exception):
    """What went wrong, in words for the artist."""


class Stopped(Exception):
    """The artist pressed Cancel."""


def paint_selected() -> Any:
    """Ask, paint, and make a Read node; what goes wrong is said in a dialog."""
    try:
        nodes = nuke.selectedNodes()
        if len(nodes) != 1:
            raise Problem(f"select the one node to paint ({len(nodes)} are selected)")
        wishes = ask(nodes[0])
        return paint(nodes[0], **wishes) if wishes else None
    except Stopped:
        return None
    except Problem as problem:
        nuke.message(f"Impasto: {problem}")
        return None


def ask(node: Any) -> dict[str, Any]:
    """The artist's wishes; none if the panel or the question was cancelled."""
    panel = nuke.Panel("Paint with Impasto")
    panel.addEnumerationPulldown("look", " ".join(looks()))
    panel.addEnumerationPulldown("tier", "auto full live")
    panel.addSingleLineInput("strength", "1")
    panel.addSingleLineInput("frames", "{}-{}".format(*frame_range(node)))
    panel.addFilenameSearch("result", suggested(node))
    if not panel.show():
        return {}
    found = FRAMES.fullmatch(panel.value("frames"))
    try:
        strength = float(panel.value("strength"))
    except ValueError:
        strength = -1.0
    if not found or not 0 <= strength <= 1:
        raise Problem("strength is a number from 0 to 1, frames are FIRST-LAST, such as 1001-1100")
    out, first = panel.value("result"), int(found[1])
    exists = bool(glob.glob(PATTERN.sub("\0", glob.escape(out)).replace("\0", "*")))
    if exists and not nuke.ask(f"{out} exists. Replace it?"):
        return {}
    wishes = {"out": out, "first": first, "last": int(found[2] or first), "overwrite": exists}
    return {**wishes, "style": panel.value("look"), "tier": panel.value("tier"), "strength": strength}


def paint(
    node: Any, out: str, first: int, last: int, style: str, *, tier: str = "auto", strength: float = 1.0, overwrite: bool = False
) -> Any:
    """Paint frames of a node into a file or sequence, and make a Read node of it."""
    folder = os.path.dirname(os.path.abspath(out))
    if not os.path.isdir(folder):
        raise Problem(f"there is no folder '{folder}' for the result: create it or choose another")
    wishes = [f"--out={os.path.abspath(out)}", f"--style={style}", f"--tier={tier}", f"--strength={strength:g}"]
    wishes += ["--overwrite"] if overwrite else []
    temporary = ""
    try:
        source = media_of(node)
        if not source:
            temporary = tempfile.mkdtemp(prefix=".impasto-", dir=folder)
            source = write_out(node, temporary, first, last)
        frames = [] if is_still(source) else [f"--frames={first}-{last}"]
        run(["render", *wishes, *frames, "--", os.path.abspath(source)], f"Impasto: {style}")
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
    return read_back(node, out, first, last)


def media_of(node: Any) -> str:
    """The files of a Read node; nothing for any other node."""
    if node.Class() != "Read":
        return ""
    path = nuke.filename(node) or ""
    if not path:
        raise Problem(f"{node.name()} names no file")
    if re.search(r"%[vV]", path):
        raise Problem(f"{node.name()} has one file for each view (%v): paint a view at a time, behind a OneView node")
    if not glob.glob(PATTERN.sub("\0", glob.escape(path)).replace("\0", "*")):
        raise Problem(f"the files of {node.name()} are not there: {path}")
    return path


def is_still(path: str) -> bool:
    """Whether a file is one picture."""
    return not PATTERN.search(os.path.basename(path)) and not path.lower().endswith((".mp4", ".mov", ".mkv", ".webm", ".avi"))


def frame_range(node: Any) -> tuple[int, int]:
    """The frames of a node: those of a Read node's files, or what the tree gives."""
    if node.Class() == "Read":
        return int(node["first"].value()), int(node["last"].value())
    return int(node.firstFrame()), int(node.lastFrame())


def suggested(node: Any) -> str:
    """A place for the result: beside the source, or beside the script."""
    path = nuke.filename(node) if node.Class() == "Read" else ""
    if not path:
        script = nuke.root().name()
        folder = os.path.dirname(script) if os.path.isabs(script) else os.path.expanduser("~")
        return f"{folder}/{node.name()}_painted.####.exr"
    stem, suffix = os.path.splitext(path)
    found = PATTERN.search(os.path.basename(stem))
    if not found:
        return f"{stem}_painted{suffix}"
    head = stem[: len(stem) - len(os.path.basename(stem)) + found.start()]
    return f"{head.rstrip('._-')}_painted.{stem[len(head):]}{suffix}"


def write_out(node: Any, folder: str, first: int, last: int) -> str:
    """Write what a node shows as half-float EXRs, scene-linear."""
    path = f"{folder}/{re.sub(r'[^A-Za-z0-9_]+', '_', node.name())}.####.exr"
    write = nuke.nodes.Write(file=path, file_type="exr", datatype="16 bit half", channels="rgba")
    try:
        write.setInput(0, node)
        nuke.execute(write, first, last, 1)
    except RuntimeError as error:
        if "cancel" in str(error).lower():
            raise Stopped from None
        raise Problem(f"Nuke could not write {node.name()}: {error}") from None
    finally:
        nuke.delete(write)
    return path


def read_back(node: Any, out: str, first: int, last: int) -> Any:
    """A Read node of the result, with the timing and colour of the node it was painted from."""
    read = nuke.nodes.Read(file=out)
    for name, value in (("first", first), ("last", last), ("origfirst", first), ("origlast", last)):
        read[name].setValue(value)
    alike = os.path.splitext(out)[1].lower() == os.path.splitext(media_path(node))[1].lower()
    for name in KEPT_KNOBS if alike else KEPT_KNOBS[:2]:
        if name in node.knobs() and node.Class() == "Read":
            read[name].setValue(node[name].value())
    read.setXYpos(node.xpos() + 120, node.ypos())
    return read


def media_path(node: Any) -> str:
    """The path of a Read node; nothing for any other node."""
    return (nuke.filename(node) or "") if node.Class() == "Read" else ""


def looks() -> list[str]:
    """The looks at hand."""
    found = [look["name"] for look in run(["styles", "list"], "Impasto")["figures"]["styles"] if "fault" not in look]
    if not found:
        raise Problem("no looks are at hand: 'impasto styles install FILE' adds one")
    return found


def run(words: list[str], title: str) -> dict[str, Any]:
    """Run impasto, show its progress, stop it when Cancel is pressed, and return what it says at the end."""
    program = shutil.which(os.environ.get(PROGRAM, "impasto"))
    if not program:
        raise Problem(f"the program is not found: put impasto on PATH, or its full path into the variable {PROGRAM}")
    own = {name: value for name, value in os.environ.items() if name not in HOSTS_OWN}
    where, options = words.index("--") if "--" in words else len(words), ["--json"]
    process = subprocess.Popen(  # noqa: S603 - a list of words; no shell reads them
        [program, *words[:where], *options, *words[where:]],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace", env=own,
    )  # fmt: skip
    told: queue.Queue[str] = queue.Queue()
    answer: list[str] = []
    readers = ((told.put, process.stderr), (answer.append, process.stdout))
    threads = [threading.Thread(target=hand_on, args=reader, daemon=True) for reader in readers]
    for thread in threads:
        thread.start()
    with process:
        try:
            last = follow(process, told, title)
        finally:
            stop(process)
            for thread in threads:
                thread.join(SECONDS_TO_STOP)
    return judged(answer, last or "no reason given")


def hand_on(take: Callable[[str], None], lines: Iterable[str]) -> None:
    """Take every line as it comes, so that the program never waits for a reader."""
    for line in lines:
        take(line)


def follow(process: Any, told: queue.Queue[str], title: str) -> str:
    """Show progress until the program ends; the last line it said."""
    task, last = nuke.ProgressTask(title), ""
    while True:
        if task.isCancelled():
            raise Stopped
        try:
            last = told.get(timeout=SECONDS_BETWEEN_LOOKS).strip() or last
        except queue.Empty:
            if process.poll() is not None:
                return last
            continue
        task.setMessage(last)
        found = COUNT.search(last)
        if found and int(found[2]):
            task.setProgress(min(100, 100 * int(found[1]) // int(found[2])))


def stop(process: Any) -> None:
    """End the program if it still runs: it is asked first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def judged(answer: list[str], last: str) -> dict[str, Any]:
    """What the program's last line says; its error is the artist's to read."""
    try:
        found = json.loads(answer[-1])
        good = found["ok"]
    except (LookupError, TypeError, ValueError):
        raise Problem(f"it ended without an answer: {last}") from None
    if not good:
        raise Problem(str(found.get("error", last)))
    return dict(found)
