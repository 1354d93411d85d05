"""Trains a challenger, holds it against the champion, and refits it where it is promoted and that pays."""

import json
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from features.errors import RegroupError
from features.events.identity.copies import find_copies, surely_copied, warn_of_copies
from training.config import TrainingConfig
from training.data.dataset import Dataset, build_dataset
from training.data.enough import require_enough
from training.errors import BrokenTrainingError
from training.evaluation.comparison import read_audit, score_model
from training.evaluation.figures import gather_figures
from training.evaluation.gate import decide
from training.evaluation.refit import Log, refit
from training.evaluation.reliability import find_points
from training.models.artifacts import StoredModel
from training.models.boosting import FORECASTS, Forecast, Model, train_model
from training.nightly.facts import Night
from training.nightly.unfinished import Judgement, Unfinished
from training.records.cost import Meter
from training.records.report import evaluation_json, flat_metrics, write_card


def judge_challenger(
    night: Night,
    work: Unfinished,
    champion: str | None,
    rivals: Mapping[str, StoredModel] | None,
    log: Log,
    meter: Meter,
) -> Judgement:
    """Trains what is not trained yet, decides what comes of it, and refits what is promoted.

    Args:
        night: The night.
        work: What it keeps until it is over.
        champion: The run that is champion; None without one.
        rivals: The models of that run that were judged, by forecast; None where they cannot be read.
        log: What the challenger learns from, and every choice.
        meter: Times the steps.

    Raises:
        DataGateError: There is too little to learn from, or to judge by.
        BrokenTrainingError: The training broke off.
    """
    config = log.config
    try:
        meter.begin("dataset", "%d events as of %s", len(log.events), night.facts["as_of"])
        warn_of_copies(surely_copied(find_copies(log.events)))
        dataset = build_dataset(log.events, log.item_skills, config)
        require_enough(dataset, config.gate)
        models = {forecast.name: _train(forecast, work, dataset, config, meter) for forecast in FORECASTS}
    except (RegroupError, OSError):
        raise
    except Exception as error:
        raise BrokenTrainingError(f"the training broke off: {_place_of(error)}") from error

    meter.begin("evaluate", "%d bootstrap resamples of students", config.evaluation.bootstrap)
    scores = {name: score_model(name, model, dataset, config) for name, model in models.items()}
    own_scores = {name: by_name["regroup"] for name, by_name in scores.items()}
    audit = read_audit(night.home.database_url())
    figures = gather_figures(models, work.size, rivals, dataset, log.item_skills, audit, own_scores, config)
    meter.begin("gate")
    decision = decide(figures, config.gate)
    groups = figures.groups or {}
    shown = {name: [group for group in found if group.shown] for name, found in groups.items()}
    card = write_card(config, dataset, scores, shown, night.facts)
    points = {
        name: find_points(block, model.predict(block.rows))
        for name, model in models.items()
        for block in (getattr(dataset, name)["holdout"],)
    }
    evaluation = json.dumps(evaluation_json(scores, shown, points, dataset))
    kind = rivals["struggle"].kind if rivals else None
    judgement = Judgement(champion, kind, decision, flat_metrics(scores), card, evaluation)
    if not decision.promoted:
        return judgement
    meter.begin("refit", "where newer answers would have helped on past nights")
    dataset = dataset.keep_holdout()
    try:
        refitted, why = refit(models, dataset, log, work.keep_refitted)
    except (RegroupError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - the models that were judged can serve
        refitted, why = False, f"not refitted, since that broke off: {_place_of(error)}"
    return replace(
        judgement, refitted=refitted, serves=f"what serves is {why}", card=f"{card}\nWhat serves is {why}.\n"
    )


def _train(forecast: Forecast, work: Unfinished, dataset: Dataset, config: TrainingConfig, meter: Meter) -> Model:
    stored = work.read_model(forecast.name)
    if stored is None:
        blocks = getattr(dataset, forecast.name)
        meter.begin(f"train {forecast.name}", "%d rows", len(blocks["train"]))
        model = train_model(forecast, blocks["train"], blocks["calibration"], config.boosting)
        stored = work.keep_model(model, dataset)
    return stored.model


def _place_of(error: Exception) -> str:
    """The kind of an error and the line that raised it; its text may quote rows of students."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name} line {last.lineno}"
