"""How near a look learnt from a few painted frames comes to the truth, beside the two simplest ways to spread paint over a shot.

    python tools/keyframes.py SHOT KEYS TRUTH --look look.style --look ten=runs/ten.style [--tier full] [--out FOLDER]

SHOT and TRUTH are folders, patterns or movies of the same frames, KEYS holds the painted ones, matched by number. Figures are
means over the frames that nobody painted: PSNR in dB and SSIM (11x11 Gaussian window of sigma 1.5, mean of the three colours),
and the worst frame of each. Beside the looks stand `copy` (the nearest painted frame, unchanged) and `flow` (the nearest painted
frame, moved along DIS optical flow between the two source frames). With --out the frames are written as PNG, to be looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.engine import load_engine
from impasto.errors import ImpastoError, InputError
from impasto.learn.material.data import to_uint8
from impasto.learn.material.shot import resize_to
from impasto.media import open_reader
from impasto.media.encoding import Decoding
from impasto.styles.package import StyleFile

Picture = NDArray[np.uint8]  # [H,W,3]
Shot = dict[int, Picture]
WINDOW, SIGMA = 11, 1.5


def psnr(ours: Picture, theirs: Picture) -> float:
    """Peak signal to noise in dB of two 8-bit pictures; infinite where they are the same."""
    error = np.square(ours.astype(np.float64) - theirs).mean()
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def ssim(ours: Picture, theirs: Picture) -> float:
    """Structural similarity of two 8-bit pictures, where the whole window lies inside them."""
    one, two = ours.astype(np.float64), theirs.astype(np.float64)
    edge, c1, c2 = WINDOW // 2, (0.01 * 255) ** 2, (0.03 * 255) ** 2

    def mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(x, (WINDOW, WINDOW), SIGMA)[edge:-edge, edge:-edge], np.float64)

    mean1, mean2 = mean(one), mean(two)
    var1, var2, both = mean(one * one) - mean1**2, mean(two * two) - mean2**2, mean(one * two) - mean1 * mean2
    like = (2 * mean1 * mean2 + c1) * (2 * both + c2) / ((mean1**2 + mean2**2 + c1) * (var1 + var2 + c2))
    return float(like.mean())


def read_shot(path: Path) -> Shot:
    """The frames of a clip by number, 8 bits."""
    with open_reader(path, Decoding(missing="skip")) as reader:
        return {frame.number: to_uint8(frame.rgb()) for frame in reader}


def copied(shot: Shot, keys: Shot) -> Callable[[int], Picture]:
    """The nearest painted frame, as it is."""
    return lambda number: keys[_nearest(number, keys)]


def flowed(shot: Shot, keys: Shot) -> Callable[[int], Picture]:
    """The nearest painted frame, moved to where its things are now."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = {number: cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for number, picture in shot.items()}

    def paint(number: int) -> Picture:
        key = _nearest(number, keys)
        still = np.zeros((*grey[key].shape, 2), np.float32)
        flow = np.asarray(dis.calc(grey[number], grey[key], still))  # [H,W,2]: where in the painted frame each pixel was
        y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
        moved = cv2.remap(keys[key], x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    return paint


def painted(shot: Shot, look: Path, tier: str) -> Callable[[int], Picture]:
    """Each frame as the look paints it."""
    style = StyleFile.open(look)
    name = tier if tier in style.card.tiers else next(iter(style.card.tiers))
    engine = load_engine("onnx").open(style.graph(name), style.card.tiers[name], "fp32")
    return lambda number: engine.paint(_whole(shot[number])[None])[0][: shot[number].shape[0], : shot[number].shape[1]]


def _whole(picture: Picture, stride: int = 4) -> Picture:
    below, beside = (-side % stride for side in picture.shape[:2])
    return np.asarray(cv2.copyMakeBorder(picture, 0, below, 0, beside, cv2.BORDER_REPLICATE), np.uint8)


def _nearest(number: int, keys: Shot) -> int:
    return min(keys, key=lambda key: abs(key - number))


def measured(
    paint: Callable[[int], Picture], truth: Shot, numbers: list[int], out: Path | None
) -> tuple[list[float], list[float]]:
    """PSNR and SSIM of each frame; the frames themselves go to `out`."""
    noise, like = [], []
    for number in numbers:
        picture = paint(number)
        noise.append(psnr(picture, truth[number]))
        like.append(ssim(picture, truth[number]))
        if out:
            out.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(out / f"o.{number:04d}.png"), picture[..., ::-1])
    return noise, like


def main() -> None:
    """Measure every way over the frames that nobody painted, one line each."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("shot", "keys", "truth"):
        words.add_argument(name, type=Path)
    words.add_argument("--look", action="append", default=[], help="a style file, or name=file (repeatable)")
    words.add_argument("--tier", default="full", help="of the looks that have it")
    words.add_argument("--out", type=Path, help="folder for the painted frames, one sub-folder for each way")
    given = words.parse_args()
    try:
        shot, keys, truth = (read_shot(path) for path in (given.shot, given.keys, given.truth))
        if missing := sorted(set(keys) - set(shot)):
            raise InputError(f"{given.keys}: frame {missing[0]} is not in {given.shot}: choose a shot that has it")
        size = next(iter(truth.values())).shape[1::-1]
        keys = {number: resize_to(picture, size) for number, picture in keys.items()}
        ways = {"copy": copied(shot, keys), "flow": flowed(shot, keys)}
        for text in given.look:
            name, _, file = text.rpartition("=")
            ways[name or Path(file).stem] = painted(shot, Path(file), given.tier)
        numbers = [number for number in shot if number in truth and number not in keys]
        print(f"{'':16}  PSNR  worst    SSIM  worst   over {len(numbers)} frames")
        for name, paint in ways.items():
            noise, like = measured(paint, truth, numbers, given.out and given.out / name)
            print(f"{name:16} {np.mean(noise):5.2f}  {min(noise):5.2f}   {np.mean(like):.4f} {min(like):.4f}")
    except ImpastoError as error:
        raise SystemExit(f"keyframes: {error}") from None


if __name__ == "__main__":
    main()
