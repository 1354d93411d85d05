"""The night from new files to a published champion, with a record of why."""

import json
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from features.database import Database
from features.errors import RegroupError
from features.events.copies import find_copies, surely_copied, warn_of_copies
from features.events.live_ingest import count_waiting
from features.home import Home
from features.retention import forget_old_profiles
from training.config import TrainingConfig
from training.data.dataset import Dataset, build_dataset
from training.data.enough import require_enough
from training.errors import BrokenTrainingError, QualityGateError
from training.evaluation.agreement import compare_with_facts
from training.evaluation.comparison import audit_models, compare_with_champion, score_model
from training.evaluation.gate import decide
from training.models.artifacts import StoredModel
from training.models.boosting import FORECASTS, Forecast, Model, train_model
from training.nightly.facts import Night, find_night
from training.nightly.ingest import Inbox, ingest
from training.nightly.prior import install_prior
from training.nightly.profiles import publish, read_champion
from training.nightly.record import REFUSALS, Outcome, find_outcome, write_record
from training.nightly.unfinished import Judgement, Unfinished
from training.records.report import evaluation_json, flat_metrics, write_card, write_decision
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")

BUSY = "another nightly run is at work in this home; wait for it to end"


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
    with home.work("nightly", busy=BUSY):
        inbox = ingest(home)
        night = find_night(home, config, as_of)
        outcome = find_outcome(night, inbox) or _run_steps(night, inbox)
        Unfinished(night).end()
        return outcome


def plan_nightly(home: Home, config: TrainingConfig, as_of: datetime | None = None) -> list[tuple[str, str]]:
    """The steps that a night would take now, and what each would do; nothing is changed.

    The arguments and errors are those of `run_nightly`.
    """
    files = len(home.inbox_files())
    with Database(home.database_url()) as database:
        live = count_waiting(database)
    plan = [("ingest", f"{files} {'file' if files == 1 else 'files'} of the inbox, {live} live events")]
    steps = [*(f"train {forecast.name}" for forecast in FORECASTS), "evaluate"]
    done: dict[str, bool] = {}
    if files == live == 0:
        night = find_night(home, config, as_of)
        try:
            if find_outcome(night, Inbox()) is not None:
                return [*plan, ("nothing more", "this data, configuration and code were already processed")]
        except REFUSALS as refusal:
            return [*plan, ("nothing more", str(refusal))]
        done = Unfinished(night).find_done()
    profile = "publish profiles of today for the champion; without one, make a prior model champion first"
    plan += [("profile", profile), ("validate", "")]
    plan += [(step, "was done by a night that was stopped" if done.get(step) else "") for step in steps]
    promoted = "if the challenger is promoted"
    return [*plan, ("gate", ""), ("register", ""), ("publish", promoted), ("promote", promoted), ("prune", "")]


def _run_steps(night: Night, inbox: Inbox) -> Outcome:
    """Publishes profiles for the champion there is, and then looks for a better one."""
    tracking = Tracking()
    events, item_skills = night.read_events(night.as_of), night.read_item_skills()
    if tracking.needs_prior():
        logger.info("register a prior model, since there is no champion")
        install_prior(night, tracking)
    champion = tracking.champion()
    stored = None if champion is None else read_champion(tracking, champion)
    none = "there is no champion" if champion is None else "the champion cannot be read"
    about = {"inbox": inbox.sentence, "profiles": f"none were published, since {none}"}
    if champion and stored:
        logger.info("profile: as of %s", night.facts["as_of"])
        about["champion until now"] = _say_champion(champion, stored["struggle"].kind)
        about["profiles"] = publish(night, champion, stored["struggle"].statistics)
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
    """Trains a challenger, compares it with the champion, and publishes profiles for it if it is promoted.

    What an earlier night of the same key has computed is taken as it is.
    """
    work = Unfinished(night)
    work.begin()
    judgement = work.read_judgement()
    if judgement is None or not _still_holds(judgement, champion, tracking):
        judgement = work.keep_judgement(_judge(night, work, champion, stored, events, item_skills))
    decision = judgement.decision
    if judgement.champion and judgement.kind:  # the alias may stand on this night's own run already
        about = {**about, "champion until now": _say_champion(judgement.champion, judgement.kind)}

    logger.info("register")
    record = write_decision(decision.verdict, decision.reasons, {**about, **night.facts})
    texts = {"model_card.md": judgement.card, "evaluation.json": judgement.evaluation, "decision.md": record}
    tags = {**night.facts, "decision": "promoted" if decision.promoted else "kept"}
    run_id = tracking.log_run(judgement.night, tags, _parameters(night), judgement.metrics, work.models, texts)
    tracking.register(run_id, tuple(forecast.name for forecast in FORECASTS))
    refusal = None
    if decision.promoted:
        logger.info("publish")
        statistics = tracking.fetch_model(run_id, "struggle").statistics
        publish(night, run_id, statistics, after=judgement.champion)
        logger.info("promote")
        tracking.promote(run_id, f"night: {decision.reasons[-1]}", judgement.at)
    elif judgement.kind is None:  # a champion that cannot be read can neither be compared nor kept
        why = "; ".join(decision.reasons)
        refusal = QualityGateError(f"the challenger is above a limit and there is no champion to keep: {why}")
    logger.info("record")
    path = write_record(night, decision.verdict, decision.reasons, about, run_id=run_id, refusal=refusal)
    if refusal is not None:
        work.end()
        raise refusal
    return Outcome("promoted" if decision.promoted else "kept", run_id, path)


def _still_holds(judgement: Judgement, champion: str | None, tracking: Tracking) -> bool:
    """Whether the champion is the one that was compared with, or the night itself was about to move the alias."""
    if champion == judgement.champion:
        return True
    return judgement.decision.promoted and champion in (None, tracking.find_run(judgement.night))


def _judge(
    night: Night,
    work: Unfinished,
    champion: str | None,
    stored: Mapping[str, StoredModel] | None,
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
) -> Judgement:
    """Trains what is not trained yet, and decides what comes of it."""
    config = night.config
    try:
        logger.info("validate: %d events as of %s", len(events), night.facts["as_of"])
        warn_of_copies(surely_copied(find_copies(events)))
        dataset = build_dataset(events, item_skills, config)
        require_enough(dataset, config.gate)
        models = {forecast.name: _train(forecast, work, dataset, config) for forecast in FORECASTS}
    except (RegroupError, OSError):
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
    logger.info("gate")
    decision = decide(own_scores, against, config.gate, groups, cells)
    shown = {name: [group for group in figures if group.shown] for name, figures in groups.items()}
    card = write_card(config, dataset, scores, shown, night.facts)
    evaluation = json.dumps(evaluation_json(scores, shown), indent=1)
    kind = stored["struggle"].kind if stored else None
    return Judgement(champion, kind, decision, flat_metrics(scores), card, evaluation)


def _say_champion(run_id: str, kind: str) -> str:
    return f"run {run_id}, {kind}"


def _train(forecast: Forecast, work: Unfinished, dataset: Dataset, config: TrainingConfig) -> Model:
    stored = work.read_model(forecast.name)
    if stored is None:
        blocks = getattr(dataset, forecast.name)
        logger.info("train %s: %d rows", forecast.name, len(blocks["train"]))
        model = train_model(forecast, blocks["train"], blocks["calibration"], config.boosting)
        stored = work.keep_model(model, dataset)
    return stored.model


def _parameters(night: Night) -> dict[str, object]:
    sections = night.config.model_dump().items()
    return {f"{section}.{name}": value for section, values in sections for name, value in values.items()}


def _place_of(error: Exception) -> str:
    """The kind of an error and the line that raised it; its text may quote rows of students."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name} line {last.lineno}"
