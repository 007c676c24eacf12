"""How steady the shipped looks are: beside their source, a frame-by-frame baseline, and --steady flow and vectors.

    tools/steadiness.py                       every look that was not measured as it is now, both tiers
    tools/steadiness.py --only great-wave --tier live
    tools/steadiness.py --table               measure nothing, print the table for docs/steady.md

On twelve frames, 512 pixels long, of the plate, two Sintel clips and a clip with people; painted by `impasto render`, so as users
get them. Figures are those of `impasto evaluate` (warp error in thousandths; flicker and the movement of detail over the
source's), `sharp` is fine detail over the source's, and `yardstick` what the script --yardstick says, where it is there. The
baseline (tools/baseline.py) is laid beside the look that it was taught. `promises` are what each network does to a picture that
moves by a few pixels and to grain (tests/styles/test_shipped.py holds looks to them). Figures go to training/steadiness.json,
look by look: a stopped run goes on.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from impasto.errors import ImpastoError
from impasto.evaluate.likeness import fine_detail, psnr
from impasto.evaluate.pairing import fitted
from impasto.evaluate.steadiness import Steadiness, summary
from impasto.frame import ClipInfo, Frame
from impasto.media import open_reader, open_writer
from impasto.media.flow import Plane
from impasto.media.oklab import as_float
from impasto.media.sample import SampleJob
from impasto.render.job import RenderJob
from impasto.styles.library import SHIPPED
from impasto.styles.package import StyleFile
from tools.library import looks_in, painter

SIDE, FRAMES = 512, 12
CLIPS = {  # the plate is made
    "plate": "",
    "mountain": "video/sintel_mountain_2",
    "ambush": "video/sintel_ambush_3",
    "people": "video/05_default_juggle.mp4",
}
WAYS = ("off", "flow", "vectors")  # the last where the motion is known
TOLD = {"off": "as it is", "flow": "--steady flow", "vectors": "--steady vectors"}
BASELINE_OF = "great-wave"
SHOWN = {"warp_short": 2, "warp_long": 2, "flicker": 1, "detail": 2, "sharp": 2}
STILL_SIZE, TEXTURE = (336, 208), 0.25  # what promises are tried on
GRAIN, MARGIN_PX = 1 / 255, 64  # beyond the margin no edge is seen
Frames = list[Plane]
Figures = dict[str, Any]
Score = Callable[[Frames, Frames], tuple[float, ...]]


# ---- what a network promises of any picture


def still() -> Plane:
    """A picture to move and to lay grain on: discs of all sizes over each other, with edges and tones as in photographs, on which
    lies a fine texture, for leaves and gravel are harder to follow than walls."""
    random, picture = np.random.default_rng(0), np.full((*STILL_SIZE[::-1], 3), 0.5, np.float32)
    for radius in 3 + 5 * random.pareto(1.5, 800):
        centre, colour = random.uniform((0, 0), STILL_SIZE), random.uniform(0.05, 0.95, 3)
        cv2.circle(picture, (int(centre[0]), int(centre[1])), int(radius), (0.5 + 0.6 * (colour - 0.5)).tolist(), -1)
    texture = random.normal(0, TEXTURE, (*STILL_SIZE[::-1], 1)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(picture + texture, (0, 0), 0.8).clip(0, 1), np.float32)


def shifted(paint: Callable[[Plane], Plane], picture: Plane, px: int) -> float:
    """How near the painting of the picture moved by so many pixels, both ways, is to the painting moved: dB, away from edges."""
    here, there = paint(picture[:-px, :-px]), paint(picture[px:, px:])
    return psnr(_inner(here[px:, px:]), _inner(there[:-px, :-px]))


def amplified(paint: Callable[[Plane], Plane], picture: Plane) -> float:
    """How much stronger grain is in the painting than it was in the picture: spread of what changes over its own."""
    spread = [np.random.default_rng(seed).normal(0, GRAIN, picture.shape).astype(np.float32) for seed in (0, 1)]
    one, other = (paint(np.clip(picture + grain, 0, 1)) for grain in spread)
    return float(_inner(one - other).std() / _inner(spread[0] - spread[1]).std())


def promises(paint: Callable[[Plane], Plane], picture: Plane) -> dict[str, float]:
    """Both, of a look as a function of pictures; shifts by 1, 2 and 3 pixels and by the stride of 4."""
    return {f"shift_{px}": round(shifted(paint, picture, px), 2) for px in (1, 2, 3, 4)} | {"grain": amplified(paint, picture)}


def _inner(picture: Plane) -> Plane:
    return picture[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]


# ---- clips


def write_clips(data: Path, folder: Path) -> None:
    """The frames of each clip as pictures, and the plate's motion."""
    plate = folder / "plate"
    sample = {"size": f"{SIDE}x{SIDE * 9 // 16}", "frames": FRAMES}
    SampleJob.build(out=plate / "s.####.png", **sample).finish()
    SampleJob.build(out=folder / "vectors" / "s.####.exr", vectors="nuke", **sample).finish()
    for name, place in CLIPS.items():
        if place:
            with open_reader(data / place) as reader:
                frames = [fitted(as_float(frame.rgb()), SIDE) for frame in reader.read(list(reader.numbers())[:FRAMES])]
            (folder / name).mkdir()
            write(frames, folder / name)


def write(frames: Frames, folder: Path) -> None:
    """As the pictures that are painted."""
    for number, frame in enumerate(frames):
        height, width = frame.shape[:2]
        with open_writer(folder / f"s.{number:04d}.png", ClipInfo(width, height)) as writer:
            writer.write(Frame(np.rint(frame.clip(0, 1) * 255).astype(np.uint8), number))


def read(folder: Path) -> Frames:
    """Pictures in 0..1."""
    with open_reader(folder) as reader:
        return [np.asarray(as_float(frame.rgb()), np.float32) for frame in reader]


def rendered(style: Path, tier: str, name: str, way: str, folder: Path) -> Frames:
    """A clip as `impasto render` paints it."""
    vectors = {"vectors": str(folder / "vectors" / "s.####.exr")} if way == "vectors" else {}
    with TemporaryDirectory() as out:
        painted = Path(out) / "p"
        made = {"inputs": [folder / name / "s.####.png"], "out": painted / "s.####.png", "style": [str(style)], "tier": tier}
        RenderJob.build(**made, engine="onnx", steady=way, **vectors).finish()
        return read(painted)


# ---- what is measured


def measured(source: Frames, painted: Frames, score: Score | None) -> Figures:
    """The figures of a painted clip; what is missing was not to be seen in it."""
    watch = Steadiness()
    row = summary([watch.take(*pair) for pair in zip(source, painted, strict=True)])
    row["sharp"] = float(np.mean([fine_detail(ours) / fine_detail(theirs) for ours, theirs in zip(painted, source, strict=True)]))
    kept: Figures = {name: round(value, 4) for name, value in row.items() if name.removesuffix("_source") in SHOWN}
    if score is not None:
        detail, flicker, *_ = score(source, painted)
        kept["yardstick"] = {"detail": round(float(detail), 3), "flicker": round(float(flicker), 3)}
    return kept


def of_look(style: StyleFile, tier: str, folder: Path, score: Score | None, baseline: Path | None) -> Figures:
    """All clips in all ways."""
    clips: Figures = {}
    for name in CLIPS:
        source = read(folder / name)
        ways = {way: rendered(style.path, tier, name, way, folder) for way in WAYS if way != "vectors" or name == "plate"}
        if baseline is not None:
            from tools.baseline import painter as baseline_painter

            ways["baseline"] = [baseline_painter(baseline)(frame) for frame in source]
        clips[name] = {way: measured(source, painted, score) for way, painted in ways.items()}
        say(f"{style.card.name} {tier} {name}: " + " ".join(cells(clips[name]["off"])))
    return {"clips": clips, "promises": promises(painter(style, tier), read(folder / "plate")[0])}


def yardstick(file: Path) -> Score | None:
    """The score of a script outside the project, if it is there."""
    if not file.exists():
        return None
    spec = importlib.util.spec_from_file_location("yardstick", file)
    assert spec is not None, file
    assert spec.loader is not None, file
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    score: Score = module.score
    return score


# ---- how it is told

HEAD = ("clip", "look", "", "warp error, 1 frame", "8 frames", "flicker", "detail moves", "sharpness")


def table(looks: Mapping[str, Figures]) -> str:
    """Rows by clip and look as Markdown, the source and the baseline once for each clip."""
    rows = [HEAD, ("---",) * len(HEAD)]
    for clip in CLIPS:
        held = [(name, tier, found["clips"][clip]) for name, look in looks.items() for tier, found in look.items()]
        for row in (_source(ways["off"]) for _, _, ways in held[:1]):
            rows.append((clip, "source", "", *cells(row)))
        for ways in [ways for name, _, ways in held if "baseline" in ways][:1]:
            rows.append((clip, BASELINE_OF, "baseline", *cells(ways["baseline"])))
        for name, tier, ways in held:
            rows += [(clip, f"{name} {tier}", TOLD[way], *cells(ways[way])) for way in WAYS if way in ways]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def table_of_promises(looks: Mapping[str, Figures]) -> str:
    """What each network does to shifts and to grain."""
    head = ("look", "shift by 1 px, dB", "2 px", "3 px", "4 px", "grain, times")
    rows = [head, ("---",) * len(head)]
    for name, look in looks.items():
        for tier, found in look.items():
            rows.append((f"{name} {tier}", *(f"{found['promises'][f'shift_{px}']:.1f}" for px in (1, 2, 3, 4)),
                         f"{found['promises']['grain']:.2f}"))  # fmt: skip
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _source(row: Mapping[str, float]) -> Figures:
    own = {name: row[f"{name}_source"] for name in ("warp_short", "warp_long") if f"{name}_source" in row}
    return own | {"flicker": 1.0, "detail": 1.0, "sharp": 1.0}


def cells(row: Mapping[str, float]) -> list[str]:
    """The figures of a row."""
    return [f"{row[name]:.{decimals}f}" if name in row else "" for name, decimals in SHOWN.items()]


def say(text: str) -> None:
    """A line to whoever waits."""
    sys.stderr.write(f"{text}\n")


def main(words: Sequence[str] | None = None) -> None:
    """Measure what is not known yet, keep it, print the tables."""
    asked = _asked(words)
    looks: dict[str, Figures] = json.loads(asked.figures.read_text("utf-8"))["looks"] if asked.figures.exists() else {}
    styles = [style for style in looks_in(asked.styles) if not asked.only or style.card.name in asked.only]
    todo = [(style, str(tier)) for style in styles for tier in style.card.tiers if asked.tier in ("all", tier)]
    todo = [(style, tier) for style, tier in todo if _hash(looks, style, tier) != style.card.tiers[tier].graph_sha256]
    with TemporaryDirectory() as place:
        if todo and not asked.table:
            write_clips(asked.data, Path(place))
        for style, tier in [] if asked.table else todo:
            baseline = asked.baseline if style.card.name == BASELINE_OF and asked.baseline.exists() else None
            found = of_look(style, tier, Path(place), yardstick(asked.yardstick), baseline)
            looks.setdefault(style.card.name, {})[tier] = {"graph_sha256": style.card.tiers[tier].graph_sha256} | found
            told = {"side": SIDE, "frames": FRAMES, "clips": CLIPS, "looks": dict(sorted(looks.items()))}
            asked.figures.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    print(f"{table(looks)}\n\n{table_of_promises(looks)}")


def _hash(looks: Mapping[str, Figures], style: StyleFile, tier: str) -> str:
    """What was measured of a tier; nothing if it was not."""
    return str(looks.get(style.card.name, {}).get(tier, {}).get("graph_sha256", ""))


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="measure this look alone; may be repeated")
    parser.add_argument("--tier", choices=("all", "live", "full"), default="all")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the clips")
    parser.add_argument("--yardstick", type=Path, default=Path("../shared/tools/warp.py"))
    parser.add_argument("--baseline", type=Path, default=Path("training/baseline.safetensors"), help="of tools/baseline.py")
    parser.add_argument("--styles", type=Path, default=SHIPPED, help="folder of the looks")
    parser.add_argument("--figures", type=Path, default=Path("training/steadiness.json"), help="where the figures go")
    return parser.parse_args(words)


if __name__ == "__main__":
    try:
        main()
    except ImpastoError as error:
        raise SystemExit(f"steadiness: {error}") from None
