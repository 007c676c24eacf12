"""From a finished training to a style file: graphs, card, preview."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from io import BytesIO
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel
from torch import Tensor

from impasto.engine.export import export_graph
from impasto.job import Done
from impasto.learn.data import Material, to_tensor
from impasto.learn.loop import Training
from impasto.models.blocks import Painter
from impasto.styles.card import SCHEMA, TierName
from impasto.styles.package import Card, Credit, NamedHash, StyleFile, Tier, TrainingRecord, write_style

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

PREVIEW_SIZE = (512, 288)


def pack(job: TrainJob, recipe: ModuleType, settings: BaseModel, material: Material, trained: dict[TierName, Training]) -> Done:
    """Export each tier, fill in the card, paint the preview, write the file."""
    graphs: dict[str, bytes] = {}
    tiers: dict[TierName, Tier] = {}
    if job.start:
        before = StyleFile.open(job.start)
        tiers = {tier: held for tier, held in before.card.tiers.items() if tier not in trained}
        graphs = {tier: before.graph(tier) for tier in tiers}
    for tier, training in trained.items():
        generator = training.average.cpu()
        graphs[tier] = export_graph(generator)
        tiers[tier] = describe(generator, graphs[tier])
    card = Card(
        schema=SCHEMA,
        name=slug(job.out.stem),
        title=job.title or job.out.stem,
        description=f"Learnt from {', '.join(material.references.names)}.",
        tiers=tiers,
        licence="Apache-2.0",
        credits=[Credit(work=n, author=job.author, licence=job.licence, source=job.source) for n in material.references.names],
        training=record(job, recipe, settings, material, trained),
    )
    best = trained["full"] if "full" in trained else next(iter(trained.values()))
    picture = preview(best.average, material)
    write_style(job.out, card, graphs, png(picture))
    beside = job.out.with_suffix(".png")
    beside.write_bytes(png(picture))
    steps = {tier: training.step for tier, training in trained.items()}
    minutes = {tier: round(training.seconds / 60, 2) for tier, training in trained.items()}
    skipped = sum(training.skipped for training in trained.values())
    told = "; ".join(f"{tier}: {steps[tier]} steps in {minutes[tier]:.1f} min" for tier in trained)
    figures = {"steps": steps, "minutes": minutes, "skipped_steps": skipped, "preview": str(beside)}
    return Done(job.out, f"learnt {card.name} ({told}); preview in {beside}", figures)


def describe(generator: Painter, graph: bytes) -> Tier:
    """What the card says of one tier."""
    name = type(generator).__module__.rsplit(".", 1)[-1]
    return Tier(
        generator=name,
        settings=generator.settings.model_dump(),
        stride=generator.stride,
        receptive_field=generator.receptive_field,
        parameters=sum(p.numel() for p in generator.parameters()),
        graph_sha256=sha256(graph).hexdigest(),
    )


def record(
    job: TrainJob, recipe: ModuleType, settings: BaseModel, material: Material, trained: dict[TierName, Training]
) -> TrainingRecord:
    """How the look came to be, well enough to do it again."""
    references = zip(material.references.names, material.references.hashes, strict=True)
    return TrainingRecord(
        command=command_line(job),
        recipe=recipe.__name__.rsplit(".", 1)[-1],
        settings=settings.model_dump(),
        seed=job.seed,
        steps={tier: training.step for tier, training in trained.items()},
        minutes={tier: round(training.seconds / 60, 2) for tier, training in trained.items()},
        images={tier: training.step * getattr(settings, "batch", 1) for tier, training in trained.items()},
        references=[NamedHash(name=n, sha256=h) for n, h in references],
        photos=len(material.photos.images),
        photos_sha256=material.photos.list_hash(),
        teachers=[NamedHash(name=p.name, sha256=sha256(p.read_bytes()).hexdigest()) for p in job.teachers()],
        date=datetime.now(UTC).date().isoformat(),
        impasto=version("impasto"),
        torch=torch.__version__,
    )


def command_line(job: TrainJob) -> str:
    """The command that would learn this look again; folders are named by their last part, so no machine shows through."""
    words = [
        "impasto",
        "learn",
        *(p.name for p in job.references),
        "-o",
        job.out.name,
        "--tier",
        job.tier,
        "--seed",
        str(job.seed),
    ]
    for name, values in (
        ("--photos", [p.name for p in job.photos]),
        ("--teacher", [p.name for p in job.teachers()]),
        ("--set", job.set),
    ):
        for value in values:
            words += [name, value]
    for name, limit in (("--minutes", job.minutes), ("--steps", job.steps), ("--epochs", job.epochs)):
        words += [name, f"{limit:g}"] if limit else []
    return shlex.join(words)


def slug(text: str) -> str:
    """A name that is safe as a file and as a word on the command line."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "look"


@torch.inference_mode()
def preview(generator: Painter, material: Material) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A frame of the procedural plate, painted: the same scene for every look, so looks can be compared."""
    from impasto.media.plate import Plate

    plate = Plate(*PREVIEW_SIZE, 24, 0).frame(0).rgb
    painted: Tensor = generator.eval()(to_tensor([plate]))
    return (painted[0].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy()


def png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """The picture as the bytes of a PNG."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
