"""TrainJob: from references to a style file. Gathers what to learn from, runs the loop once per tier, packs the result."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from impasto.errors import InputError, MissingExtra
from impasto.job import Done, Job, Progress, counted, option
from impasto.learn import onward
from impasto.styles.card import TierName

if TYPE_CHECKING:
    from types import ModuleType

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from impasto.learn.material.data import Material, Pictures
    from impasto.learn.run.company import Company
    from impasto.learn.run.loop import Training
    from impasto.models.blocks import Painter
    from impasto.styles.card import Tier

GENERATOR_OF: dict[TierName, str] = {"live": "swift", "full": "brush", "mini": "swift"}
USUAL_TIERS: list[TierName] = ["live", "full"]
DEFAULT_MINUTES = 10.0
MOST_COMPARED, MOST_TOLD = 3000, 5  # pictures that are compared with each other; pairs that are named
SILENT_AT_START = {"code", "film", "guide_stem", "guide_in"}  # weights that a start without them may leave as they are
TEACHERS_VARIABLE = "IMPASTO_TEACHERS"
JOB = "job.json"
CREDITS = {"title", "author", "licence", "look_licence", "source"}
SEEN = {"workers", "early_stop", "patience", "sheet_minutes", "search"}  # how it is watched, not what is learnt
LIMITS = {"minutes", "steps", "epochs", "out", "overwrite", "folder", "tier"}
MAY_CHANGE = LIMITS | CREDITS | SEEN  # between a run and its resumption


class TrainJob(Job):
    """Learn a look from references and write a style file."""

    command: ClassVar[str] = "learn"
    help: ClassVar[str] = "Learn a look from references and write a style file."

    references: list[Path] = option(
        [],
        help="what to learn from: a painting, several, a folder of art, painted frames, a movie, looks to bring together",
        argument=True,
    )
    out: Path = option(help="the style file to write", flag="-o/--out")
    recipe: str = option("auto", "how to learn; auto chooses by what the references are")
    photos: list[Path] = option(
        [], "folder of photographs, or a text file that lists some (repeatable); none: the procedural plate"
    )
    shot: Path | None = option(
        None, "the shot that the look is for: a movie, a folder, or a pattern; its frames join the photographs"
    )
    guide: list[str] = option(
        [], "with painted frames of a shot, a layer that goes along: name=path, or name=path.exr:LAYER (repeatable)"
    )
    matte: Path | None = option(None, "with painted frames of a shot, where they are painted; only that is learnt from")
    start: Path | None = option(
        None, "start from this look or base, a name or a style file; a look's other tiers are kept", flag="--from"
    )
    distil: Path | None = option(
        None, "no references: teach this look (name or style file) to a smaller network; its other tier is kept"
    )
    steady: Path | None = option(
        None, "the one reference is a look (name or style file): teach it to hold still on this shot; movie, folder or pattern"
    )
    to: Literal["swift", "brush"] = option("swift", "with --distil, the network that learns; --set width=32 makes it slimmer")
    minutes: float | None = option(None, f"how long to learn, per tier ({DEFAULT_MINUTES:g} when no limit is given)", gt=0)
    steps: int | None = option(None, "stop after so many steps; the same seed and steps give the same look", ge=1)
    epochs: float | None = option(None, "stop after so many passes over the photographs", gt=0)
    tier: Literal["auto", "live", "full", "mini", "all"] = option(
        "auto",
        "which generator learns: live is small and fast, full paints finer; mini, with --distil alone, is smaller than live; "
        "all is live and full; auto is full, or that of --to",
    )
    seed: int = option(0, "seed of all randomness", ge=0)
    folder: Path | None = option(
        None, "checkpoints and curves; the same folder resumes (default: beside the style file)", flag="--run"
    )
    teacher: list[Path] = option(
        [],
        f"what judges style: own (with impasto), none, or VGG19 weights (repeatable; default: ${TEACHERS_VARIABLE}, else own)",
    )
    set: list[str] = option([], "a setting of the recipe as name=value, e.g. style_side=768 for broader strokes (repeatable)")
    robust: bool = option(
        False, "hold still under tiny changes that would move the paint most, not only under chance; takes half as long again"
    )
    precision: Literal["auto", "fp32", "bf16"] = option("auto", "auto learns in bf16 where the machine is faster with it")
    workers: int | None = option(None, "threads that make batches ahead (default: 4 with a GPU, else 0)", ge=0, le=64)
    devices: int = option(1, "learn on so many GPUs, or processes, at once; each takes a batch of its own", ge=1, le=64)
    critic_device: str = option("", "put the critic on a device of its own, e.g. cuda:1")
    early_stop: bool = option(
        False, "end when the held-out figure no longer gets better, and keep the best (some recipes do anyway)"
    )
    patience: int | None = option(None, "looks without a better figure before an early stop; 0: never stop early", ge=0)
    sheet_minutes: float = option(2.0, "minutes between contact sheets in the run folder", gt=0)
    search: int = option(0, "try so many settings from the recipe's ranges, each within the limits, and keep the best", ge=0)
    title: str = option("", "the look's title on its card")
    author: str = option("", "who made the reference, for the credits")
    licence: str = option("", "the reference's licence, for the credits")
    look_licence: str = option("LicenseRef-unstated", "the licence you give the look itself, an SPDX expression")
    source: str = option("", "where the reference comes from, for the credits")
    overwrite: bool = option(False, "replace the style file if it exists")

    def run(self) -> Iterator[Progress | Done]:
        """Learn tier by tier, then pack and preview."""
        self._find_looks()
        self._check_out()
        recipe = self._recipe()
        settings = self._settings(recipe)
        folder = self.run_folder
        self._check_folder(folder)
        _need_torch()
        from impasto.learn.run.company import join
        from impasto.learn.run.memory import enough_memory

        if self.search:
            from impasto.learn.search import search

            yield from search(self, recipe)
            return
        company = join(self.devices, self.to_json())
        try:
            with enough_memory():
                yield from self._learn(recipe, settings, folder, company)
        finally:
            company.leave()

    def _learn(self, recipe: ModuleType, settings: BaseModel, folder: Path, company: Company) -> Iterator[Progress | Done]:
        from impasto.learn import package
        from impasto.learn.material.known import check_known, remember

        needs = getattr(recipe, "NEEDS_PHOTOS", True) and not self.places()
        plate = "; no photographs given, so frames of the procedural plate are painted first" if needs else ""
        name = recipe.__name__.rpartition(".")[2]
        yield Progress("reading", note=f"{counted(len(self.references), 'reference')} for recipe {name}{plate}")
        material = self._material(recipe, settings, company.rank)
        yield Progress("reading", note=recipe.check(material))
        check_known(folder, material)
        for refused in dict.fromkeys([*material.references.refused, *material.photos.refused]):
            yield Progress("left out", note=refused)
        for note in self._noticed(material.references):
            yield Progress("noticed", note=note)
        trained = {tier: self._training(tier, recipe, settings, material, company) for tier in self.tiers()}
        if not company.first:
            for training in trained.values():
                deque(training.run(), maxlen=0)
            yield Done(None, "helped to learn")
            return
        self._remember(folder)
        remember(folder, material)
        for training in trained.values():
            yield from training.run()
        yield Progress("packing")
        yield package.pack(self, recipe, settings, material, trained)

    def _noticed(self, references: Pictures) -> list[str]:
        """What of many references may not be as it was meant."""
        from impasto.learn.material.data import alike

        one_by_one = all(place.is_dir() or place.suffix == ".txt" for place in self.references)
        if not one_by_one or not 1 < len(references.images) <= MOST_COMPARED:
            return []
        found = alike(references)
        return found[:MOST_TOLD] + ([f"and {len(found) - MOST_TOLD} more such pairs"] if len(found) > MOST_TOLD else [])

    def tiers(self) -> list[TierName]:
        """Which tiers learn; a student's is that of its kind."""
        if self.distil:
            own, *others = (tier for tier, kind in GENERATOR_OF.items() if kind == self.to)
            if self.tier not in ("auto", own, *others):
                raise InputError(f"--tier {self.tier}: a {self.to} is the {own} tier of a look; leave --tier out, or change --to")
            return [own if self.tier == "auto" else self.tier]
        if self.steady:
            return onward.steadied_tiers(self)
        if self.tier == "mini":
            raise InputError("--tier mini: is distilled from a look that is learnt; say learn --distil LOOK.style --tier mini")
        if self.tier == "all":
            return USUAL_TIERS
        return ["full" if self.tier == "auto" else self.tier]

    def _find_looks(self) -> None:
        """Looks that were named become their files; one that cannot serve is refused before anything is read."""
        self.references = [onward.look_to_steady(self)] if self.steady else self.references
        tiers = self.tiers()
        self.distil = onward.opened(self.distil).path if self.distil else None
        if self.start is None:
            return
        style = onward.opened(self.start)
        self.start = style.path
        given = {text.partition("=")[0] for text in self.guide}
        for tier in tiers:
            guides = style.card.tiers[tier].guides if tier in style.card.tiers else {}
            missing = [name for name in guides if name not in given]
            if missing:
                give = " ".join(f"--guide {name}=PATH" for name in missing)
                raise InputError(f"{self.start}: its {tier} tier was learnt with guides ({', '.join(guides)}); give them: {give}")

    @property
    def known(self) -> Path | None:
        """The look that this one goes on from, if it goes on from one."""
        return self.distil or (self.references[0] if self.steady else self.start)

    def _recipe(self) -> ModuleType:
        from impasto import plugins
        from impasto.learn.choose import PAINTED_FRAMES, choose

        name = choose(self) if self.recipe == "auto" else self.recipe
        if name != PAINTED_FRAMES and (self.guide or self.matte):
            which = "--guide" if self.guide else "--matte"
            how = "paint over frames of a shot and give it with --shot, or leave it out"
            raise InputError(f"{which} goes along with painted frames of a shot, and recipe {name} has none: {how}")
        return plugins.load("recipes", name)

    def _settings(self, recipe: ModuleType) -> BaseModel:
        from pydantic import ValidationError

        values = dict(pair.partition("=")[::2] for pair in self.set)
        try:
            settings: BaseModel = recipe.Settings(**values)
        except ValidationError as error:
            known = ", ".join(recipe.Settings.model_fields)
            faults = "; ".join(_setting_fault(fault) for fault in error.errors())
            raise InputError(f"{faults}; settings are {known}") from None
        return settings

    @property
    def preview(self) -> Path:
        """Where the preview goes: beside the style file, under a name that no painting has."""
        return self.out.with_suffix(".preview.png")

    def _check_out(self) -> None:
        from impasto.media.landing import check_output, same_file

        if self.out.suffix != ".style":
            raise InputError(f"{self.out}: a look is written as a .style file")
        for target in (self.out, self.preview):
            check_output(target, self.overwrite)
            for source in [*self.references, *(place for place in (self.start, self.distil, self.steady) if place)]:
                if same_file(target, source):
                    raise InputError(f"{target}: is also an input, which is never overwritten: choose another name")

    def _material(self, recipe: ModuleType, settings: BaseModel, rank: int = 0) -> Material:
        from impasto.learn.material import data
        from impasto.learn.run.devices import device_for
        from impasto.models.perception import Perception

        teachers = self.teachers()
        device = device_for(rank)
        perception = Perception(teachers).to(device) if teachers else None
        gather = getattr(recipe, "gather", None) or partial(data.gather, photographs=getattr(recipe, "NEEDS_PHOTOS", True))
        material: Material = gather(self, settings, perception, device)
        material.precision = self.precision
        return material

    @property
    def run_folder(self) -> Path:
        """Where checkpoints and curves go."""
        return self.folder or self.out.with_suffix(".run")

    def places(self) -> list[Path]:
        """Where photographs are to be found."""
        return [*self.photos, *([self.shot] if self.shot else [])]

    def teachers(self) -> list[Path]:
        """The files that judge style: those named by option or by environment, else our own; none where `none` is said."""
        from impasto.models.perception import OWN_FILE

        named = self.teacher or [Path(part) for part in os.environ.get(TEACHERS_VARIABLE, "").split(os.pathsep) if part]
        if named == [Path("none")]:
            return []
        found: list[Path] = []
        for path in [OWN_FILE if path == Path("own") else path for path in named or [OWN_FILE]]:
            if not path.exists():
                raise InputError(f"{path}: no such teacher; give a VGG19 weights file, or leave --teacher out for impasto's own")
            found += sorted(p for p in path.iterdir() if p.stem.startswith("vgg")) if path.is_dir() else [path]
        return found

    def _training(
        self, tier: TierName, recipe: ModuleType, settings: BaseModel, material: Material, company: Company
    ) -> Training:
        import torch

        from impasto.learn import means
        from impasto.learn.run.loop import Training, on_device

        torch.manual_seed(self.seed)
        generator = on_device(self._generator(tier, recipe, settings, material), material.device)
        networks = means.placed(self, recipe.networks(settings, material, generator), material)
        training = Training(
            networks,
            recipe.batches(settings, material),
            means.step_of(self, recipe, settings, material),
            means.pace_of(self, recipe, settings, material, generator),
            folder=self.run_folder / tier,
            label=tier,
            seed=self.seed,
            watch=means.watch_of(self, recipe, settings, material),
            company=company,
            workers=means.workers_of(self, material.device),
        )
        return means.quickened(training, recipe)

    def _generator(self, tier: TierName, recipe: ModuleType, settings: BaseModel, material: Material) -> Painter:
        """The network that learns: the recipe's own, else one like the start's, else the tier's usual one."""
        from impasto import plugins

        start = self._start_tier(tier)
        if hasattr(recipe, "generator"):
            generator: Painter = recipe.generator(settings, material, tier)
        else:
            room = plugins.load("generators", start.generator if start else GENERATOR_OF[tier])
            generator = room.Generator(room.Settings(**(start.settings if start else {})))
        if start:
            self._load_start(generator, tier)
            self._settle(generator, recipe, material)
        return generator

    def _settle(self, generator: Painter, recipe: ModuleType, material: Material) -> None:
        """A recipe that knows no codes learns one look: the start's look that is nearest to the references, by its encoder."""
        from impasto.learn.material.looks import settle
        from impasto.styles.package import StyleFile

        assert self.start is not None
        if not hasattr(recipe, "generator"):
            settle(generator, StyleFile.open(self.start), material.references.images)

    def _start_tier(self, tier: TierName) -> Tier | None:
        """What the style file to start from says of this tier; None: the tier is learnt afresh and joins the others."""
        from impasto.styles.package import StyleFile

        return StyleFile.open(self.start).card.tiers.get(tier) if self.start else None

    def _load_start(self, generator: Painter, tier: TierName) -> None:
        import torch

        from impasto.engine.export import read_weights
        from impasto.learn.painters import open_painter
        from impasto.models.prune import inherit
        from impasto.styles.package import StyleFile

        assert self.start is not None
        style = StyleFile.open(self.start)
        weights = {name: torch.from_numpy(value.copy()) for name, value in read_weights(style.graph(tier)).items()}
        try:
            missing, unexpected = generator.load_state_dict(weights, strict=False)
            fits = not unexpected and all(name.split(".")[0] in SILENT_AT_START for name in missing)
        except RuntimeError:
            fits = False
        if not fits and not inherit(generator, open_painter(style, tier)):
            held = style.card.tiers[tier]
            guides = f"{held.generator} learnt with guides ({', '.join(held.guides)})" if held.guides else held.generator
            raise InputError(f"{self.start}: its {tier} tier is a {guides} of another make; start without --from")

    def _check_folder(self, folder: Path) -> None:
        """Refuse to mix two trainings in one folder. A job that never came to a checkpoint binds nobody."""
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder}: is not a folder; name another with --run")
        kept = folder / JOB
        if not kept.is_file() or not any(folder.glob("*/*.checkpoint")):
            return
        try:
            before = json.loads(kept.read_text(encoding="utf-8"))
        except ValueError:
            raise InputError(f"{kept}: is damaged; remove it to go on from the checkpoints beside it") from None
        now = json.loads(self.to_json())
        known = [name for name in now if name in before and name not in MAY_CHANGE]  # an older job knows fewer options
        changed = [name for name in known if before[name] != now[name]]
        if changed:
            faults = ", ".join(f"{name} was {before.get(name)!r} and is {now[name]!r}" for name in changed)
            raise InputError(f"{folder}: holds another training ({faults}); choose another --run folder or remove this one")

    def _remember(self, folder: Path) -> None:
        """Lay the job beside its checkpoints."""
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{JOB}"
        beside.write_text(self.to_json(), encoding="utf-8")
        beside.replace(folder / JOB)


def _setting_fault(fault: ErrorDetails) -> str:
    """What is wrong with one setting, or with several that do not go together."""
    own = fault["type"] == "value_error"
    why = fault["msg"].removeprefix("Value error, ") if own else fault["msg"].lower()
    if not fault["loc"]:
        return f"--set {why}"
    name = fault["loc"][0]
    if fault["type"] == "extra_forbidden":
        why = "no such setting"
    elif fault["input"] == "" and not own:
        return f"--set {name}: has no value ({why}); write {name}=VALUE"
    return f"--set {name}={fault['input']}: {why}" if fault["input"] != "" else f"--set {name}: {why}"


def _need_torch() -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None or find_spec("safetensors") is None or find_spec("tensorboard") is None:
        raise MissingExtra("learning", "learn")
