"""`learn --search 12`: the same training under other settings, drawn from the ranges that the recipe declares; the best is kept.

A trial is a run folder of its own, judged by its best held-out figure. One that does worse than half of the others at the same
look is cut short. What was tried lies in search.sqlite, so a killed search goes on where it was, within the trial it was in.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from impasto.errors import InputError, MissingExtra, TrainingError
from impasto.job import Done, Progress
from impasto.learn.run.record import CURVE, read_curve
from impasto.styles.archive import replace_file
from impasto.styles.package import StyleFile
from impasto.styles.preview import check_preview

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

    from impasto.learn.job import TrainJob

DATABASE = "search.sqlite"
TRIALS_TO_COMPARE, LOOKS_TO_WAIT = 3, 1  # before the first trial may be cut short
LOOK = "look.style"


def search(job: TrainJob, recipe: ModuleType) -> Iterator[Progress | Done]:
    """Try settings until there are as many trials as the job wants, then write the best one's style."""
    ranges = ranges_of(job, recipe)
    folder = job.run_folder
    folder.mkdir(parents=True, exist_ok=True)
    study = _open(job, folder)
    while len(_ended(study)) < job.search:
        trial = study.ask(ranges)
        if "folder" not in trial.user_attrs:
            trial.set_user_attr("folder", f"trial-{trial.number:03d}")
        yield from _try(job, study, trial)
    yield _keep_best(job, study)


def ranges_of(job: TrainJob, recipe: ModuleType) -> dict[str, BaseDistribution]:
    """What may be drawn: the recipe's ranges but for the settings that the job fixes."""
    optuna = _optuna()
    name = recipe.__name__.rsplit(".", 1)[-1]
    declared: Mapping[str, tuple[float, float]] = getattr(recipe, "SEARCH", {})
    if not declared or not hasattr(recipe, "held_out"):
        raise InputError(f"--search: recipe {name} declares no ranges, or has no held-out figure to compare by; use --set")
    if job.tier == "all":
        raise InputError("--search: choose one tier, --tier live or --tier full")
    fixed = {pair.partition("=")[0] for pair in job.set}
    free = {setting: bounds for setting, bounds in declared.items() if setting not in fixed}
    if not free:
        raise InputError(f"--search: --set fixes all that {name} could draw ({', '.join(declared)}); leave one out")
    kinds = {setting: recipe.Settings.model_fields[setting].annotation for setting in free}
    made = {}
    for setting, (low, high) in free.items():
        if kinds[setting] is int:
            made[setting] = optuna.distributions.IntDistribution(int(low), int(high), log=low >= 1)
        else:
            made[setting] = optuna.distributions.FloatDistribution(low, high, log=low > 0)
    return made


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise MissingExtra("a search", "search") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _open(job: TrainJob, folder: Path) -> Study:
    """The study of this folder; what a kill left running is lined up again with its settings and its folder."""
    optuna = _optuna()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries below optuna, about one another
        storage = optuna.storages.RDBStorage(f"sqlite:///{folder / DATABASE}")
        study: Study = optuna.create_study(storage=storage, study_name="learn", load_if_exists=True)
    told = _told(job)
    if study.user_attrs.get("job", told) != told:
        raise InputError(f"{folder}: holds the search of another training; choose another --run folder or remove this one")
    study.set_user_attr("job", told)
    study.sampler = optuna.samplers.TPESampler(seed=job.seed + len(study.trials))
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=TRIALS_TO_COMPARE, n_warmup_steps=LOOKS_TO_WAIT)
    running = optuna.trial.TrialState.RUNNING
    for left in study.get_trials(states=(running,)):
        study.tell(left.number, state=optuna.trial.TrialState.FAIL)
        if left.params:
            study.enqueue_trial(left.params, user_attrs={"folder": left.user_attrs.get("folder", f"trial-{left.number:03d}")})
    return study


def _told(job: TrainJob) -> str:
    """What must be the same for trials to be comparable."""
    from impasto.learn.job import CREDITS, SEEN

    free = CREDITS | SEEN | {"out", "overwrite", "folder"}
    return job.model_dump_json(exclude=free)


def _ended(study: Study) -> list[Any]:
    optuna = _optuna()
    return study.get_trials(states=(optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED))


def _try(job: TrainJob, study: Study, trial: Trial) -> Iterator[Progress]:
    """One training under the trial's settings, cut short when it falls behind."""
    optuna = _optuna()
    own = trial_of(job, trial)
    name = f"trial {len(_ended(study)) + 1}/{job.search}"
    yield Progress(name, note=", ".join(f"{setting} {value:.4g}" for setting, value in trial.params.items()))
    curve = own.run_folder / own.tiers()[0] / CURVE
    reported, run = 0, own.run()
    try:
        for step in run:
            figures = held_out_in(curve)
            for look in range(reported, len(figures)):
                trial.report(figures[look], look)
            reported = len(figures)
            if reported and trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                yield Progress(name, note=f"falls behind at {figures[-1]:.4g} and is cut short")
                return
            if isinstance(step, Progress):
                yield step
    except TrainingError as error:
        yield Progress(name, note=str(error))
    finally:
        run.close()  # type: ignore[attr-defined]  # run() is a generator
    figures = held_out_in(curve)
    if figures and (own.run_folder / LOOK).is_file():
        study.tell(trial, min(figures))
        yield Progress(name, note=f"came to {min(figures):.4g}; the best so far is {study.best_value:.4g}")
    else:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)  # counted, so that a recipe that always fails ends


def trial_of(job: TrainJob, trial: Trial) -> TrainJob:
    """The job of one trial: the same, with other settings, in a folder of its own."""
    folder = job.run_folder / str(trial.user_attrs["folder"])
    folder.mkdir(exist_ok=True)
    drawn = [f"{name}={value:.6g}" if isinstance(value, float) else f"{name}={value}" for name, value in trial.params.items()]
    update = {"search": 0, "folder": folder, "out": folder / LOOK, "overwrite": True, "set": [*job.set, *drawn]}
    return job.model_copy(update=update)


def held_out_in(curve: Path) -> list[float]:
    """The figure that decides, look by look."""
    lines = read_curve(curve) if curve.is_file() else []
    found = [next((value for name, value in line.items() if name.startswith("held/")), None) for line in lines]
    return [float(value) for value in found if value is not None]


def _keep_best(job: TrainJob, study: Study) -> Done:
    trials = [trial for trial in _ended(study) if trial.value is not None and trial.state.name == "COMPLETE"]
    if not trials:
        raise TrainingError(
            f"{job.run_folder}: no trial of the search came to an end; look at the reports in it, or fix settings with --set"
        )
    best = min(trials, key=lambda trial: trial.value)
    folder = job.run_folder / str(best.user_attrs["folder"])
    replace_file(job.out, (folder / LOOK).read_bytes(), lambda path: StyleFile.open(path).check())
    preview = (folder / LOOK).with_suffix(".preview.png").read_bytes()
    replace_file(job.preview, preview, lambda path: check_preview(path.read_bytes(), path))
    pruned = len(_ended(study)) - len(trials)
    settings = ", ".join(f"{name}={value:.4g}" for name, value in best.params.items())
    figures = {"held_out": best.value, "settings": best.params, "trials": len(trials), "cut_short": pruned, "folder": str(folder)}
    told = f"best of {len(trials) + pruned} trials ({pruned} cut short): {settings}, held-out {best.value:.4g}; in {folder}"
    return Done(job.out, told, figures)
