"""Whether what was written paints what impasto paints: in two sizes, before anything gets its name."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.engine import fit_to_stride, load_engine, without_margin
from impasto.engine.export import Parity, difference
from impasto.engine.int8.pictures import judged_pictures, with_guides
from impasto.errors import EngineError
from impasto.export.network import Network

Paint = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # [1,3+guides,H,W] in 0..1 -> [1,3,scale*H,scale*W]
MOST_STEPS = 2.0  # in 1/255, of fp32
LEAST_DB = {"bf16": 55.0, "int8": 38.0}


class Found(NamedTuple):
    """What the trial found."""

    figures: dict[str, Any]
    summary: str
    told: str  # for the README


def check(network: Network, paint: Paint, target: str) -> Found:
    """Refuse an export whose painting is not near enough to ours in fp32; else say how near it is."""
    ours = load_engine("onnx").open(network.graph, network.told, "fp32")
    rows: dict[str, Parity] = {}
    for picture in with_guides(judged_pictures(), network.planes - 3):
        batch = picture[None].astype(np.float32) / 255
        fitted = fit_to_stride(batch, network.told.stride)
        theirs = paint(np.ascontiguousarray(fitted.transpose(0, 3, 1, 2))).transpose(0, 2, 3, 1)
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        rows[size] = difference(ours.paint(batch), without_margin(theirs, batch, network.told.scale))
    worst = Parity(max(row.steps for row in rows.values()), min(row.psnr_db for row in rows.values()))
    least = LEAST_DB.get(network.precision)
    near = f"{worst.psnr_db:.1f} dB" if least else f"{worst.steps:.2f}/255"
    if not (worst.psnr_db >= least if least else worst.steps <= MOST_STEPS):
        bound = f"{least:g} dB are asked for" if least else f"{MOST_STEPS:g}/255 are allowed"
        more = "" if network.precision == "fp32" else "; choose --precision fp32"
        fault = f"what --to {target} wrote is {near} from fp32 ({bound}), so it is not kept{more}"
        raise EngineError(fault, target, network.look.name)
    lines = [f"| {size} | {row.steps:.2f}/255 | {row.psnr_db:.1f} dB |" for size, row in rows.items()]
    table = "\n".join(["| size | greatest difference | PSNR |", "|---|---|---|", *lines])
    told = f"\n## Checked\n\nAgainst impasto's own painting in fp32, before these files were written:\n\n{table}\n"
    figures = {size: {"steps": round(row.steps, 3), "psnr_db": round(row.psnr_db, 2)} for size, row in rows.items()}
    return Found(figures, f"within {near} of fp32 in {' and '.join(rows)}", told)
