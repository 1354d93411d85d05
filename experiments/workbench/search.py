"""Searches a space for choices that the night can take: Optuna over folds of students, pruned by fold.

What is chosen by is never what it is judged by. A fifth of the students, or what the file reserves, is in no fold; the
best is scored on them once, if it is asked for. And of a home's own events those are left out that the next night's
holdout begins with, unless the file says `as_of`.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
import pandas as pd
from filelock import FileLock, Timeout
from optuna.trial import FrozenTrial, TrialState

from experiments.workbench.comparison.statistics import Gain, resample_gain
from experiments.workbench.runs.experiment import Experiment, Range
from experiments.workbench.runs.folds import Fold, Rows, build_rows, list_folds, reserved_fold
from experiments.workbench.runs.parts import hash_parts, name_part, train_parts
from experiments.workbench.runs.run import CODE, write_training
from experiments.workbench.runs.source import Source, read_source
from experiments.workbench.runs.store import Part, Shelf
from features.errors import BusyError, InputError
from features.home import read_home
from training.config import MasteryRule
from training.evaluation.metrics import log_losses
from training.nightly.facts import hash_code
from training.records.entities import SOURCE_NAME
from training.records.tracking import EXPERIMENTS, Tracking

logger = logging.getLogger("regroup")

RESERVED = 0.2
"""Share of the students in no fold, where the file reserves none."""

STARTUP = 8
"""Trials that are drawn at random, and before which none is pruned."""

MOST_BYTES = 2_000_000_000
"""Of rows that are kept from trial to trial; what is beyond is built again."""

ENDED = TrialState.COMPLETE, TrialState.PRUNED


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        name: Of the experiment.
        best: The experiment with the best values.
        chosen: These values, by key.
        trials: One row per trial: `trial`, `state`, `log_loss` (of the folds that were scored), `folds` and the values.
        holdout: By how much the best is better than the file's own choices in log-loss on the reserved students; null
            where nobody asked.
        run_id: MLflow's id of it; empty where nothing was logged.
    """

    name: str
    best: Experiment
    chosen: Mapping[str, float]
    trials: pd.DataFrame
    holdout: Gain | None
    run_id: str

    @property
    def file(self) -> str:
        """What `python -m training nightly --config` takes."""
        return write_training(self.best.choices()["training"])


class _Scorer:
    """Trains and scores an experiment on a fold, with what an earlier search has trained and rows that are kept."""

    def __init__(self, source: Source, shelf: Shelf, threads: int) -> None:
        self.source, self.shelf, self.threads, self.code = source, shelf, threads, hash_code(CODE)
        self._rows: dict[tuple[Fold, MasteryRule], Rows] = {}

    def score(self, experiment: Experiment, fold: Fold) -> list[Part]:
        seeds = experiment.runs_of_seeds
        names = {seed: name_part(experiment, self.source, self.code, fold, seed) for seed in seeds}
        missing = {seed: name for seed, name in names.items() if self.shelf.read_part(name) is None}
        if missing:
            train_parts(self._build(experiment, fold), experiment, self.shelf, missing, self.threads)
        parts = [part for name in names.values() if (part := self.shelf.read_part(name)) is not None]
        if len(parts) < len(names):
            raise BusyError("what was computed is gone: an erasure removed it meanwhile; search again")
        return parts

    def _build(self, experiment: Experiment, fold: Fold) -> Rows:
        at = fold, experiment.training.mastery_rule
        if at not in self._rows:
            rows = build_rows(self.source, experiment, fold, self.threads)
            if sum(map(_size, [*self._rows.values(), rows])) > MOST_BYTES:
                self._rows.clear()
            self._rows[at] = rows
        return self._rows[at]


def search_experiment(
    experiment: Experiment, *, workers: int | None = None, holdout: bool = False, tracking: bool = True
) -> Found:
    """Tries values of an experiment's space on folds of students, on from where an earlier search of it stopped.

    The first trial is the file's own choices, so that the best is never worse than these on the folds. A trial is
    pruned after a fold if its mean log-loss so far is above the median of the others after as many folds.

    Args:
        experiment: Choices with a space.
        workers: Cores to use; all of them unless given.
        holdout: Whether the best is scored on the reserved students; that is possible once.
        tracking: Whether MLflow gets a run.

    Raises:
        InputError: There is no space, the split is by time, or the reserved students were scored before.
        MissingError: Nothing was ingested.
        DataGateError: There is too little in a fold to learn from or to be scored.
        BusyError: The same search is under way in another process.

    Source: Bergstra et al. (2011), "Algorithms for hyper-parameter optimization"; Akiba et al. (2019), "Optuna".
    """
    space = _require_space(experiment)
    home = read_home()
    home.make()
    logger.info("%s: read %s", experiment.name, experiment.data.log or f"the events of {home.root}")
    source = read_source(experiment.data, experiment.split.salt)
    experiment = _set_aside(experiment, source)
    scorer = _Scorer(source, Shelf(home), workers or os.cpu_count() or 1)
    chosen = experiment.model_copy(update={"name": ""}).choices()
    key = hash_parts(chosen, space, experiment.search and experiment.search.seed, source.digest, scorer.code)
    folder = home.experiments / "searches"
    folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with FileLock(folder / f"{key}.lock", timeout=0):
            study = optuna.create_study(
                storage=f"sqlite:///{folder / key}.db",
                study_name=key,
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=0),
            )
            _try_values(study, experiment, scorer)
            best = experiment.lay(study.best_params)
            gain = _score_holdout(study, experiment, best, scorer) if holdout else None
    except Timeout:
        raise BusyError(f"another process searches {experiment.name}; wait for it") from None
    trials = pd.DataFrame([_describe(trial) for trial in _ended(study)])
    found = Found(experiment.name, best, study.best_params, trials, gain, "")
    return Found(**{**vars(found), "run_id": _log(found, key, source)}) if tracking else found


def _require_space(experiment: Experiment) -> dict[str, Any]:
    if experiment.search is None:
        raise InputError(
            f"{experiment.name} has no space to search; name one, such as [search.space] with "
            '"training.boosting.leaves" = { low = 15, high = 127 }'
        )
    if experiment.split.by == "time":
        raise InputError(
            'a search takes folds of students; leave out split.by = "time", and name data.as_of to keep what came '
            "later for a comparison"
        )
    if experiment.model != "boosting":
        raise InputError(f"model is {experiment.model!r}; the night takes over choices of boosting only")
    space: dict[str, Any] = experiment.search.model_dump(mode="json")["space"]
    return space


def _set_aside(experiment: Experiment, source: Source) -> Experiment:
    """The experiment without the reserved students, and without what the next night judges by."""
    data, split = experiment.data, experiment.split
    if not split.reserved:
        split = split.model_copy(update={"reserved": RESERVED})
    times = source.events["occurred_at"].dropna()
    if source.kept is not None and not data.as_of and not times.empty:
        shares = experiment.training.split
        last = pd.Timestamp(times.quantile(shares.train_share + shares.calibration_share))  # type: ignore[arg-type] # a time
        moment = last.floor("s").to_pydatetime()
        data = data.model_copy(update={"as_of": (moment,)})
        logger.info("%s: answers from %s UTC on are left to the night", experiment.name, f"{moment:%Y-%m-%d %H:%M}")
    return experiment.model_copy(update={"data": data, "split": split, "curve": ()})


def _try_values(study: optuna.Study, experiment: Experiment, scorer: _Scorer) -> None:
    """Runs the trials that are missing; each is drawn from those before it alone, so a killed search goes on alike."""
    assert experiment.search is not None, "it was required"
    space, trials = experiment.search.space, experiment.search.trials
    ended, folds = len(_ended(study)), list_folds(experiment)  # one that was killed has not ended, and counts for none
    logger.info("%s: %d trials to run, %d are there already", experiment.name, max(trials - ended, 0), ended)
    if ended == 0 and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        own = _own_values(experiment, space)
        if all(_holds(values, own[key]) for key, values in space.items()):
            study.enqueue_trial(own)

    def score(trial: optuna.Trial) -> float:
        chosen = experiment.lay({key: _suggest(trial, key, values) for key, values in space.items()})
        losses: list[float] = []
        for step, fold in enumerate(folds):
            losses.append(_mean_loss(scorer.score(chosen, fold)))
            trial.report(float(np.mean(losses)), step)
            if len(losses) < len(folds) and trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(losses))

    for number in range(ended, trials):
        seed = np.random.SeedSequence([experiment.search.seed, number]).generate_state(1)
        study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=STARTUP,
            seed=int(seed[0]),
            constant_liar=False,  # else a trial that was killed, which never ends, has a say
        )
        study.optimize(score, n_trials=1)
        last = _describe(_ended(study)[-1])
        logger.info(
            "%s: trial %d of %d: log-loss %.4f after %d of %d folds; best %.4f", experiment.name, number + 1, trials,
            last["log_loss"], last["folds"], len(folds), study.best_value,
        )  # fmt: skip


def _suggest(trial: optuna.Trial, key: str, values: Range | tuple[float, ...]) -> float:
    if not isinstance(values, Range):
        chosen: float = trial.suggest_categorical(key, values)
        return chosen
    if isinstance(values.low, int) and isinstance(values.high, int):
        return trial.suggest_int(key, values.low, values.high, log=values.log)
    return trial.suggest_float(key, values.low, values.high, log=values.log)


def _holds(values: Range | tuple[float, ...], value: float) -> bool:
    return values.low <= value <= values.high if isinstance(values, Range) else value in values


def _score_holdout(study: optuna.Study, own: Experiment, best: Experiment, scorer: _Scorer) -> Gain:
    """Scores the best and the file's own choices on the reserved students; later trials may not be scored on them."""
    kept = study.user_attrs.get("holdout")
    if kept is None:
        fold = reserved_fold(own)
        ours, theirs = scorer.score(best, fold), scorer.score(own, fold)
        target = ours[0].target.astype(np.float64)
        gain = resample_gain("log_loss", target, _forecasts(ours), _forecasts(theirs), ours[0].student)
        study.set_user_attr("holdout", {"values": study.best_params, "gain": vars(gain)})
        return gain
    if kept["values"] != study.best_params:
        raise InputError(
            "the reserved students were scored before, for other values than those that are best now; what is chosen "
            "after a look at them they cannot judge. Search with another split.salt"
        )
    return Gain(**kept["gain"])


def _forecasts(parts: Sequence[Part]) -> "list[np.ndarray[tuple[int], np.dtype[np.float64]]]":
    return [part.probability.astype(np.float64) for part in parts]


def _mean_loss(parts: Sequence[Part]) -> float:
    return float(
        np.mean([log_losses(part.target.astype(np.float64), part.probability.astype(np.float64)) for part in parts])
    )


def _size(rows: Rows) -> int:
    return sum(np.asarray(values).nbytes for block in rows.blocks.values() for values in vars(block).values())


def _ended(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=ENDED)


def _own_values(experiment: Experiment, space: Mapping[str, object]) -> dict[str, float]:
    sections = {"label": experiment.training.mastery_rule, "training.boosting": experiment.training.boosting}
    return {key: getattr(sections[key.rpartition(".")[0]], key.rpartition(".")[2]) for key in space}


def _describe(trial: FrozenTrial) -> dict[str, Any]:
    scored = trial.intermediate_values
    loss = trial.value if trial.state == ENDED[0] else scored[max(scored)]
    state = "complete" if trial.state == ENDED[0] else "pruned"
    return {"trial": trial.number, "state": state, "log_loss": loss, "folds": len(scored), **trial.params}


def _log(found: Found, key: str, source: Source) -> str:
    """Logs a search as one run with its trials as a table, and returns MLflow's id of it."""
    complete = found.trials["state"] == "complete"
    metrics = {"log_loss": float(found.trials.loc[complete, "log_loss"].min()), "trials": float(len(found.trials))}
    metrics |= {"pruned": float((~complete).sum())}
    if found.holdout is not None:
        about = found.holdout
        metrics |= {"holdout_gain": about.value, "holdout_gain_low": about.low, "holdout_gain_high": about.high}
    texts = {
        "trials.csv": found.trials.to_csv(index=False),
        "best.toml": found.file,
        "experiment.json": json.dumps(found.best.choices(), indent=1, ensure_ascii=False),
    }
    tags = {"kind": "search", "name": found.name, "data": f"{source.said} ({source.digest})"}
    tags[SOURCE_NAME] = "python -m experiments search"
    once = f"search {key} {len(found.trials)} {found.holdout is not None}"  # more trials are another run
    return Tracking().log_run(once, tags, found.chosen, metrics, {}, texts, found.name, experiment=EXPERIMENTS)
