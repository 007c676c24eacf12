"""A shot as a compositor has it: EXRs with layers, painted through a matte while the strength rises; all else comes back exactly.

    python examples/film.py out/film [--size 640x360] [--frames 8] [--style great-wave]

Writes plate/shot.####.exr (picture, depth, motion and mattes, made by the procedural scene) and painted/shot.####.exr, and says
by hash which channels changed: the picture's three, and no other.
"""
from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
import OpenImageIO as oiio

import impasto
from impasto.errors import ImpastoError, InputError
from impasto.media.plate import Plate
from impasto.media.sample import LARGEST, SMALLEST
from impasto.media.shoulder import decode

FIRST = 1001
MATTE = "walker"  # what the scene calls the figure that walks through it


def main() -> int:
    """Write the plate, paint it, compare; what is wrong with the words is told in one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--frames", default="8")
    parser.add_argument("--style", default="great-wave")
    options = parser.parse_args()
    try:
        width, height = size_of(options.size)
        frames = frames_of(options.frames)
        impasto.open_style(options.style)  # that it is there is known before the plate is made
        return paint_and_compare(options.out, width, height, frames, options.style)
    except (ImpastoError, OSError) as error:
        sys.stderr.write(f"film: {error}\n")
        return 2


def size_of(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and SMALLEST <= int(part) <= LARGEST for part in parts):
        raise InputError(f"--size {text}: write it as in 640x360, {SMALLEST} to {LARGEST} each")
    return int(parts[0]), int(parts[1])


def frames_of(text: str) -> int:
    """How many frames: two or more, for strength rises from the first to the last."""
    if not text.isdecimal() or int(text) < 2:
        raise InputError(f"--frames {text}: take 2 or more, for the strength rises from the first frame to the last")
    return int(text)


def paint_and_compare(out: Path, width: int, height: int, frames: int, style: str) -> int:
    """Write the plate, paint it, and say which channels changed; 0 where only the picture's did."""
    before = write_plate(out / "plate", width, height, frames)
    pattern = out / "painted" / "shot.####.exr"
    impasto.render(
        out / "plate" / "shot.####.exr",
        pattern,
        style=f"{style}@layer:mattes.{MATTE},invert,feather=3",
        strength=f"{FIRST}:0, {FIRST + frames - 1}:1",
        overwrite=True,
    )
    changed = sorted({name for file in before for name in differing(file, pattern.parent / file.name)})
    kept = sorted({name for file in before for name in hashes(file)} - set(changed))
    sys.stdout.write(f"changed: {' '.join(changed)}\nuntouched, by hash: {' '.join(kept)}\n-> {pattern}\n")
    return 0 if changed == ["B", "G", "R"] else 1


def write_plate(folder: Path, width: int, height: int, frames: int) -> list[Path]:
    """The scene as scene-linear EXRs with its truth as layers."""
    folder.mkdir(parents=True, exist_ok=True)
    plate, files = Plate(width, height, 24.0), []
    for number in range(frames):
        frame = plate.frame(number, truth=True)
        assert frame.truth is not None
        layers = dict(zip("RGB", decode(frame.rgb / 255).transpose(2, 0, 1), strict=True))
        layers |= {"depth.Z": frame.truth.depth, "motion.u": frame.truth.forward[..., 0], "motion.v": frame.truth.forward[..., 1]}
        layers |= {f"mattes.{name}": matte for name, matte in frame.truth.mattes.items()}
        spec = oiio.ImageSpec(width, height, len(layers), oiio.HALF)
        spec.channelnames = list(layers)
        files.append(folder / f"shot.{FIRST + number}.exr")
        picture = oiio.ImageBuf(spec)
        picture.set_pixels(oiio.ROI(), np.ascontiguousarray(np.stack(list(layers.values()), axis=2), np.float32))
        picture.write(str(files[-1]))
    return files


def hashes(file: Path) -> dict[str, str]:
    """The content of every channel of an EXR."""
    picture = oiio.ImageBuf(str(file))
    pixels = picture.get_pixels(oiio.HALF)
    assert pixels is not None, f"{file} cannot be read"
    planes = dict(zip(picture.spec().channelnames, np.moveaxis(pixels, 2, 0), strict=True))
    return {name: hashlib.sha256(plane.tobytes()).hexdigest() for name, plane in planes.items()}


def differing(one: Path, other: Path) -> list[str]:
    """The channels whose content differs."""
    ours, theirs = hashes(one), hashes(other)
    return [name for name in ours | theirs if ours.get(name) != theirs.get(name)]


if __name__ == "__main__":
    sys.exit(main())
