"""From a finished training to a style file: graphs, card, preview."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from pydantic import BaseModel
from torch import nn

from impasto.engine.dream import paint_grid
from impasto.engine.export import export_encoder, export_graph, paint_preview
from impasto.job import Done, counted
from impasto.learn.material.data import Material, Pictures
from impasto.learn.run.loop import Training
from impasto.models.perception import OWN_FILE
from impasto.styles.archive import replace_file
from impasto.styles.card import SCHEMA, TierName, code_name, slug
from impasto.styles.package import Card, Credit, NamedHash, StyleFile, Tier, TrainingRecord, write_style
from impasto.styles.preview import check_preview

if TYPE_CHECKING:
    from impasto.learn.job import TrainJob

BASE = "base"  # the recipe whose networks paint nothing yet: looks start from them


def pack(job: TrainJob, recipe: ModuleType, settings: BaseModel, material: Material, trained: dict[TierName, Training]) -> Done:
    """Export each tier, fill in the card, paint the preview, write the file."""
    graphs: dict[str, bytes] = {}
    tiers: dict[TierName, Tier] = {}
    before = StyleFile.open(job.known) if job.known else None
    for tier, training in trained.items():
        generator = training.average.cpu()
        codes = recipe.describe_codes(generator, material) if hasattr(recipe, "describe_codes") else {}
        graphs[tier] = export_graph(generator)
        tiers[tier] = describe(generator, graphs[tier], codes)
    if before:
        stays = not job.steady and (job.distil or alike(before.card, recipe))  # a tier that does not hold still is left out
        kept = _kept(before, tiers) if stays else {}
        tiers, graphs = {**kept, **tiers}, {**{tier: before.graph(tier) for tier in kept}, **graphs}
    credit = {"author": job.author, "licence": job.licence, "source": job.source}
    card = Card(
        schema=SCHEMA,
        name=slug(job.out.stem),
        title=job.title or job.out.stem,
        description=f"Learnt from {_few(material.references.names)}.",
        tiers=tiers,
        licence=job.look_licence,
        credits=_credits(material, Credit(work="", **credit)),
        training=with_kept(record(job, recipe, settings, material, trained), before, tiers),
        varies=getattr(recipe, "VARIES", False),
    )
    encoder = _encoder(recipe, material, trained)
    if before and job.distil:
        card = _still(card, before, job, f"Distilled from {before.card.title}.")
        encoder = before.encoder() if before.card.encoder_sha256 else None
    if before and job.steady:
        told = f"Steadied on {counted(len(material.photos.images), 'frame')} of {job.steady.name}."
        card = _still(card, before, job, f"{before.card.description} {told}".strip())
    best = "full" if "full" in trained else next(iter(trained))
    draw = paint_grid if tiers[best].noise else paint_preview
    picture = draw(graphs[best], tiers[best])
    write_style(job.out, card, graphs, picture, encoder)
    replace_file(job.preview, picture, lambda path: check_preview(path.read_bytes(), path))
    steps = {tier: training.step for tier, training in trained.items()}
    minutes = {tier: round(training.seconds / 60, 2) for tier, training in trained.items()}
    skipped = sum(training.skipped for training in trained.values())
    told = "; ".join(f"{tier}: {steps[tier]} steps in {minutes[tier]:.1f} min" for tier in trained)
    if job.distil:
        beside = [tier for tier in tiers if tier not in trained]
        held = f"beside it the look's {' and '.join(beside)} tier as it was" if beside else "the file holds this network alone"
        told += f"; {held}"
    figures = {"steps": steps, "minutes": minutes, "skipped_steps": skipped, "preview": str(job.preview)}
    return Done(job.out, f"learnt {card.name} ({told}); preview in {job.preview}", figures)


def _still(card: Card, before: StyleFile, job: TrainJob, description: str) -> Card:
    """The card of a look that goes on: it is the same look, by the same artists, under the same terms unless others are given."""
    stated = job.look_licence != type(job).model_fields["look_licence"].default
    same = {"credits": before.card.credits, "varies": before.card.varies, "description": description}
    own = {"title": job.title or before.card.title, "licence": job.look_licence if stated else before.card.licence}
    return card.model_copy(update={**same, **own})


def _kept(before: StyleFile, tiers: Mapping[TierName, Tier]) -> dict[TierName, Tier]:
    """The tiers that come along from the start: those not learnt anew, as far as they hold the same looks."""
    looks = {frozenset(tier.codes) for tier in tiers.values()}
    return {name: tier for name, tier in before.card.tiers.items() if name not in tiers and frozenset(tier.codes) in looks}


def alike(before: Card, recipe: ModuleType) -> bool:
    """Whether what was learnt can stand beside the start: a base is no look, and a look that varies is no look that does not."""
    bases = before.training.recipe == BASE, recipe.__name__.rsplit(".", 1)[-1] == BASE
    return bases[0] == bases[1] and before.varies == getattr(recipe, "VARIES", False)


def _encoder(recipe: ModuleType, material: Material, trained: Mapping[TierName, Training]) -> bytes | None:
    """The network that reads a look from any picture, for recipes that learn one."""
    if not hasattr(recipe, "encoder"):
        return None
    network = recipe.encoder(next(iter(trained.values())).networks.helpers, material)
    return None if network is None else export_encoder(network)


def describe(generator: nn.Module, graph: bytes, codes: dict[str, list[float]] | None = None) -> Tier:
    """What the card says of one tier."""
    name = type(generator).__module__.rsplit(".", 1)[-1]
    return Tier(
        generator=name,
        settings=generator.settings.model_dump(mode="json"),  # type: ignore[union-attr,operator]  # every listed generator has them
        stride=getattr(generator, "stride", 1),  # what draws from noise has none
        receptive_field=getattr(generator, "receptive_field", 1),
        parameters=sum(p.numel() for p in generator.parameters()),
        graph_sha256=sha256(graph).hexdigest(),
        scale=getattr(generator, "scale", 1),
        guides=dict(getattr(generator, "guides", {})),
        codes=_named(codes or {}),
        noise=getattr(generator, "noise", 0),
    )


def _named(codes: dict[str, list[float]]) -> dict[str, list[float]]:
    """Codes under names that can be typed after a style's; a second look of the same name gets a number."""
    named: dict[str, list[float]] = {}
    for look, code in codes.items():
        name = code_name(look)
        same = sum(code_name(other) == name for other in list(codes)[: list(codes).index(look)])
        named[f"{name}-{same + 1}" if same else name] = code
    return named


def record(
    job: TrainJob, recipe: ModuleType, settings: BaseModel, material: Material, trained: dict[TierName, Training]
) -> TrainingRecord:
    """How the look came to be, well enough to do it again."""
    return TrainingRecord(
        command=command_line(job, recipe, trained),
        recipe=recipe.__name__.rsplit(".", 1)[-1],
        settings=settings.model_dump(),
        seed=job.seed,
        steps={tier: training.step for tier, training in trained.items()},
        minutes={tier: round(training.seconds / 60, 2) for tier, training in trained.items()},
        images={tier: training.step * getattr(settings, "batch", 1) for tier, training in trained.items()},
        references=listed(material.references),
        photos=len(material.photos.images),
        photos_sha256=material.photos.list_hash(),
        teachers=[NamedHash(name=p.name, sha256=sha256(p.read_bytes()).hexdigest()) for p in job.teachers()],
        date=datetime.now(UTC).date().isoformat(),
        impasto=version("impasto"),
        torch=torch.__version__,
    )


def listed(pictures: Pictures, most: int = 10_000) -> list[NamedHash]:
    """Each picture by name and hash; more of them than a card holds are told as one list."""
    if len(pictures.names) > most:
        return [NamedHash(name=f"{len(pictures.names)} pictures", sha256=pictures.list_hash())]
    each = dict.fromkeys(zip(pictures.names, pictures.hashes, strict=True))  # a look that is given as a file paints several
    return [NamedHash(name=name, sha256=told) for name, told in each]


def _credits(material: Material, given: Credit) -> list[Credit]:
    """Whom to name: for pictures what was said with the job, for looks that came as files what their own cards say."""
    taught = getattr(material, "taught", {}).values()
    files = {look.hash for look in taught}
    own = [given.model_copy(update={"work": each.name}) for each in listed(material.references) if each.sha256 not in files]
    inherited = dict.fromkeys(credit.model_dump_json() for look in taught for credit in look.credits)
    return [*own, *(Credit.model_validate_json(text) for text in inherited)]


def with_kept(record: TrainingRecord, before: StyleFile | None, tiers: Mapping[TierName, Tier]) -> TrainingRecord:
    """The record, with the steps, minutes and images of tiers that came along from the look it started from."""
    if before is None:
        return record
    known = before.card.training
    together = {
        field: {**{t: v for t, v in getattr(known, field).items() if t in tiers}, **getattr(record, field)}
        for field in ("steps", "minutes", "images")
    }
    start = NamedHash(name=before.path.name, sha256=sha256(before.path.read_bytes()).hexdigest())
    return record.model_copy(update={**together, "start": start})


def command_line(job: TrainJob, recipe: ModuleType, trained: dict[TierName, Training]) -> str:
    """The command that would learn this look again; paths are told by their last part, so that no machine shows through."""
    words = ["impasto", "learn", *(p.name for p in job.references), "-o", job.out.name]
    tier = "all" if len(trained) > 1 else next(iter(trained))
    how = ["--distil", job.distil.name, "--to", job.to] if job.distil else []
    how += ["--tier", tier] if not job.distil or tier == "mini" else []
    how += ["--steady", job.steady.name] if job.steady else []
    words += ["--recipe", recipe.__name__.rsplit(".", 1)[-1], *how, "--seed", str(job.seed)]
    repeated = {
        "--photos": [p.name for p in job.photos],
        "--teacher": ["own" if p == OWN_FILE else p.name for p in job.teachers()] or ["none"],
        "--set": job.set,
        "--shot": [job.shot.name] if job.shot else [],
        "--guide": [f"{text.partition('=')[0]}={Path(text.partition('=')[2]).name}" for text in job.guide],
        "--matte": [job.matte.name] if job.matte else [],
        "--from": [job.start.name] if job.start else [],
    }
    for name, values in repeated.items():
        for value in values:
            words += [name, value]
    if job.steps or job.epochs:
        return shlex.join([*words, *(["--steps", str(job.steps)] if job.steps else ["--epochs", f"{job.epochs:g}"])])
    longest = max(training.seconds for training in trained.values()) / 60  # a resumed run took longer than its last limit says
    return shlex.join([*words, "--minutes", f"{longest:.3g}"])


def _few(names: list[str], most: int = 4) -> str:
    """A few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
