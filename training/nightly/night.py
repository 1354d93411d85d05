"""The night from new files to a published champion, with a record of why."""

import json
import logging
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from features.events.copies import find_copies, surely_copied, warn_of_copies
from features.home import Home
from features.retention import forget_old_profiles
from training.config import TrainingConfig
from training.data.dataset import Dataset, build_dataset
from training.errors import BrokenTrainingError, DataGateError, QualityGateError
from training.evaluation.agreement import compare_with_facts
from training.evaluation.comparison import audit_models, compare_with_champion, score_model
from training.evaluation.fairness import GroupFigures
from training.evaluation.gate import Decision, decide
from training.models.artifacts import StoredModel, write_model
from training.models.boosting import FORECASTS, Model, train_model
from training.nightly.facts import Night, find_night
from training.nightly.ingest import Inbox, ingest
from training.nightly.profiles import publish, read_champion
from training.nightly.record import REFUSALS, Outcome, find_outcome, write_record
from training.records.report import Scores, evaluation_json, flat_metrics, write_card, write_decision
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")


def run_nightly(home: Home, config: TrainingConfig, as_of: datetime | None = None) -> Outcome:
    """Goes from new log files to a published champion, or finds that there is nothing to do.

    Args:
        home: Whose inbox, event log and roster are read, and whose profiles are published.
        config: Every choice of the training.
        as_of: Events at or after this moment, in UTC, do not exist; by default the midnight after the last event.

    Raises:
        BusyError: Another nightly run or ingest holds the lock.
        UnavailableError: The database or MLflow's store is away, a restored back-up holds students who were erased, the
            disk is full, or this user may not write there; files that were not ingested stay in the inbox.
        InputError: A setting, the inbox's mapping or the moment is wrong.
        MissingError: No event was ever ingested.
        DataGateError: Too few students or episodes; the champion has profiles of today.
        QualityGateError: The challenger is above a limit and there is no champion to keep.
        BrokenTrainingError: The training broke off; the champion has profiles of today.
    """
    with home.work("nightly", busy="another nightly run is at work in this home; wait for it to end"):
        inbox = ingest(home)
        night = find_night(home, config, as_of)
        return find_outcome(night, inbox) or _run_steps(night, inbox)


def _run_steps(night: Night, inbox: Inbox) -> Outcome:
    """Publishes profiles for the champion there is, and then looks for a better one."""
    tracking = Tracking()
    events, item_skills = night.read_events(night.as_of), night.read_item_skills()
    champion = tracking.champion()
    stored = None if champion is None else read_champion(tracking, champion)
    none = "there is no champion" if champion is None else "the champion cannot be read"
    about = {"inbox": inbox.sentence, "profiles": f"none were published, since {none}"}
    if champion and stored:
        logger.info("profile: %d events as of %s", len(events), night.facts["as_of"])
        about["profiles"] = publish(night, champion, stored["struggle"].statistics, events, item_skills)
    try:
        outcome = _challenge(night, tracking, champion, stored, events, item_skills, about)
    except REFUSALS as refusal:
        if not isinstance(refusal, QualityGateError):  # whose record has the figures
            write_record(night, "No challenger was trained.", [str(refusal)], about, refusal=refusal)
        raise
    finally:
        if champion:
            forget_old_profiles(night.home, champion, datetime.now(UTC))
    return Outcome(outcome.did, outcome.run_id, outcome.record, inbox.refused)


def _challenge(
    night: Night,
    tracking: Tracking,
    champion: str | None,
    stored: Mapping[str, StoredModel] | None,
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
    about: Mapping[str, str],
) -> Outcome:
    """Trains a challenger, compares it with the champion, and publishes profiles for it if it is promoted."""
    config = night.config
    try:
        logger.info("validate: %d events as of %s", len(events), night.facts["as_of"])
        warn_of_copies(surely_copied(find_copies(events)))
        dataset = build_dataset(events, item_skills, config)
        _check_data(dataset, config)
        models = _train(dataset, config)
    except (*REFUSALS, OSError):
        raise
    except Exception as error:
        raise BrokenTrainingError(f"the training broke off: {_place_of(error)}") from error

    logger.info("evaluate: %d bootstrap resamples of students", config.evaluation.bootstrap)
    scores = {name: score_model(name, model, dataset, config) for name, model in models.items()}
    groups = audit_models(night.home.database_url(), models, dataset, config)
    against = compare_with_champion(stored, models, dataset, item_skills, config) if stored else None
    holdout = dataset.struggle["holdout"]
    cells = compare_with_facts(holdout, models["struggle"].predict(holdout.rows), config.gate.min_cell_rows)
    own_scores = {name: by_name["regroup"] for name, by_name in scores.items()}
    decision = decide(own_scores, against, config.gate, groups, cells)

    logger.info("register")
    run_id = _log_run(tracking, models, dataset, config, night.facts, scores, groups, decision, about)
    if not decision.promoted and stored is None:  # a champion that cannot be read can neither be compared nor kept
        why = "; ".join(decision.reasons)
        refusal = QualityGateError(f"the challenger is above a limit and there is no champion to keep: {why}")
        write_record(night, decision.verdict, decision.reasons, about, run_id=run_id, refusal=refusal)
        raise refusal
    if decision.promoted:
        logger.info("publish and promote")
        publish(night, run_id, dataset.statistics, events, item_skills, after=champion)
        tracking.promote(run_id)
        forget_old_profiles(night.home, run_id, datetime.now(UTC))
    record = write_record(night, decision.verdict, decision.reasons, about, run_id=run_id)
    return Outcome("promoted" if decision.promoted else "kept", run_id, record)


def _train(dataset: Dataset, config: TrainingConfig) -> dict[str, Model]:
    models = {}
    for forecast in FORECASTS:
        blocks = getattr(dataset, forecast.name)
        logger.info("train %s: %d rows", forecast.name, len(blocks["train"]))
        models[forecast.name] = train_model(forecast, blocks["train"], blocks["calibration"], config.boosting)
    return models


def _place_of(error: Exception) -> str:
    """The kind of an error and the line that raised it; its text may quote rows of students."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name} line {last.lineno}"


def _check_data(dataset: Dataset, config: TrainingConfig) -> None:
    students, needed = len(dataset.timeline.students), config.gate.min_students
    if students < needed:
        raise DataGateError(f"{students} students are too few to train on; the gate asks for {needed}")
    for name, block in dataset.struggle.items():
        least = config.gate.min_episodes if name == "train" else 1
        episodes = len(set(block.episode.tolist()))
        if episodes < least:
            raise DataGateError(
                f"the {name} block has {episodes} students on skills with a forecast due, and needs {least}; "
                "ingest a longer log or widen the block"
            )
        if block.target.min() == block.target.max():
            raise DataGateError(
                f"all practice in the {name} block ended alike, so that there is nothing to learn; ingest a longer log"
            )


def _log_run(
    tracking: Tracking,
    models: Mapping[str, Model],
    dataset: Dataset,
    config: TrainingConfig,
    facts: Mapping[str, str],
    scores: Scores,
    groups: Mapping[str, Sequence[GroupFigures]],
    decision: Decision,
    about: Mapping[str, str],
) -> str:
    """Registers the models as challenger, with every choice, figure and report of the night, and returns the run."""
    tags = {**facts, "decision": "promoted" if decision.promoted else "kept"}
    parameters = {
        f"{section}.{name}": value for section, values in config.model_dump().items() for name, value in values.items()
    }
    shown = {name: [group for group in figures if group.shown] for name, figures in groups.items()}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, model in models.items():
            write_model(folder / name, model, dataset.statistics, config, facts)
        (folder / "model_card.md").write_text(write_card(config, dataset, scores, shown, facts), encoding="utf-8")
        (folder / "evaluation.json").write_text(json.dumps(evaluation_json(scores, shown), indent=1), encoding="utf-8")
        record = write_decision(decision.verdict, decision.reasons, {**about, **facts})
        (folder / "decision.md").write_text(record, encoding="utf-8")
        run_id = tracking.log_run(tags, parameters, flat_metrics(scores), folder)
    tracking.register(run_id, tuple(models))
    return run_id
