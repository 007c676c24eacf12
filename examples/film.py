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
from impasto.media.plate import Plate
from impasto.media.shoulder import decode

FIRST = 1001
MATTE = "walker"  # what the scene calls the figure that walks through it


def main() -> int:
    """Write the plate, paint it, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--style", default="great-wave")
    options = parser.parse_args()
    width, height = (int(part) for part in options.size.split("x"))
    before = write_plate(options.out / "plate", width, height, options.frames)
    pattern = options.out / "painted" / "shot.####.exr"
    impasto.render(
        options.out / "plate" / "shot.####.exr",
        pattern,
        style=f"{options.style}@layer:mattes.{MATTE},invert,feather=3",
        tier="live",
        strength=f"{FIRST}:0, {FIRST + options.frames - 1}:1",
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
