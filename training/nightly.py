"""The night's work: take in events, train, evaluate, gate, promote, publish, and a record of why."""

import hashlib
import json
import logging
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from features.database import Database
from features.errors import InputError
from features.events.ingest import ingest_file
from features.events.live_ingest import ingest_live_events
from features.events.store import DataVersion, data_version, read_events, read_item_skills
from features.home import Home
from features.logs.mapping import read_mapping
from features.profiles.columns import SCHEMA_HASH
from features.profiles.difficulty import Statistics
from training.config import TrainingConfig
from training.data.dataset import Dataset, build_dataset
from training.errors import DataGateError, QualityGateError
from training.evaluation.comparison import audit_models, compare_with_champion, score_model
from training.evaluation.gate import decide
from training.models.artifacts import write_model
from training.models.boosting import FORECASTS, train_model
from training.records.publishing import publish_profiles
from training.records.report import evaluation_json, flat_metrics, write_card, write_decision
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")


@dataclass(frozen=True)
class Outcome:
    """How a night ended.

    Attributes:
        did: `promoted`, `kept`, or `nothing` when the same data, choices and code were already dealt with.
        run_id: The run that the record is about.
        record: Where the readable decision is.
        refused: How many files of the inbox could not be read and were set aside.
    """

    did: str
    run_id: str
    record: Path
    refused: int = 0


@dataclass(frozen=True)
class _Inputs:
    """What decides a night; equal inputs need no second run."""

    events: pd.DataFrame
    item_skills: pd.DataFrame
    as_of: datetime | None
    data_version: str


def run_nightly(home: Home, config: TrainingConfig, as_of: datetime | None = None) -> Outcome:
    """Goes from new log files to a published champion, or finds that there is nothing to do.

    Args:
        home: Whose inbox, event log and roster are read, and whose profiles are published.
        config: Every choice of the training.
        as_of: Events at or after this moment, in UTC, do not exist; by default the midnight after the last event.

    Raises:
        BusyError: Another nightly run or ingest holds the lock.
        UnavailableError: The database or MLflow's store is away, the disk is full, or this user may not write there;
            files that were not ingested stay in the inbox for the next night.
        InputError: A setting, or the inbox's mapping, is wrong; every file stays in the inbox.
        MissingError: No event was ever ingested.
        DataGateError: Too few students or episodes.
        QualityGateError: The challenger breaks a floor and there is no champion to keep.
    """
    with home.work("nightly", busy="another nightly run is at work in this home; wait for it to end"):
        _ingest_live_events(home)
        refused = _ingest_inbox(home)
        return replace(_train(home, config, as_of), refused=refused)


def _train(home: Home, config: TrainingConfig, as_of: datetime | None) -> Outcome:
    data = data_version(home)
    as_of = _moment(home, data) if as_of is None else as_of
    key = _key(data, as_of, config)
    summary = home.decisions / f"{key}.json"
    if summary.is_file():
        done = json.loads(summary.read_text(encoding="utf-8"))
        if done["refused"]:
            raise QualityGateError(f"this data, configuration and code failed before: {done['refused']}")
        return Outcome("nothing", done["run_id"], home.decisions / f"{key}.md")

    inputs = _read_inputs(home, data, as_of)
    tracking = Tracking()
    logger.info("profile: %d events as of %s", len(inputs.events), inputs.as_of or "the end of the log")
    dataset = build_dataset(inputs.events, inputs.item_skills, config)
    _check_data(dataset, config)
    models = {}
    for forecast in FORECASTS:
        blocks = getattr(dataset, forecast.name)
        logger.info("train %s: %d rows", forecast.name, len(blocks["train"]))
        models[forecast.name] = train_model(forecast, blocks["train"], blocks["calibration"], config.boosting)

    logger.info("evaluate: %d bootstrap resamples of students", config.evaluation.bootstrap)
    scores = {name: score_model(name, model, dataset, config) for name, model in models.items()}
    groups = audit_models(home.database_url(), models, dataset, config)
    champion = tracking.champion()
    against = None
    if champion:
        fetch = partial(tracking.fetch_model, champion)
        against = compare_with_champion(fetch, models, dataset, inputs.item_skills, config)
    decision = decide({name: by_name["regroup"] for name, by_name in scores.items()}, against, config.gate, groups)

    facts = {
        "as_of": str(inputs.as_of or "end of log"),
        "data_version": inputs.data_version,
        "config": config.digest,
        "columns": SCHEMA_HASH,
        "code": version("regroup"),
    }
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, model in models.items():
            write_model(folder / name, model, dataset.statistics, config, facts)
        (folder / "model_card.md").write_text(write_card(config, dataset, scores, groups, facts), encoding="utf-8")
        (folder / "evaluation.json").write_text(json.dumps(evaluation_json(scores, groups), indent=1), encoding="utf-8")
        text = write_decision(decision, facts)
        (folder / "decision.md").write_text(text, encoding="utf-8")
        logger.info("log and register")
        tags = {**facts, "decision": "promoted" if decision.promoted else "kept"}
        run_id = tracking.log_run(tags, _parameters(config), flat_metrics(scores), folder)
    tracking.register(run_id, tuple(models))

    # a champion that cannot be compared cannot be read, so the service could not keep it either
    serving = run_id if decision.promoted else champion if against else None
    if serving is None:
        why = "; ".join(decision.reasons)
        _record(home, key, text, run_id, refused=why)
        raise QualityGateError(f"the challenger breaks a floor and there is no champion to keep: {why}")
    _publish(home, tracking, serving, inputs, dataset.statistics if decision.promoted else None)
    if decision.promoted:
        tracking.promote(run_id)
    record = _record(home, key, text, run_id)
    return Outcome("promoted" if decision.promoted else "kept", run_id, record)


def _ingest_live_events(home: Home) -> None:
    with Database(home.database_url()) as database:
        counts = ingest_live_events(home, database)
    if counts is not None:
        logger.info("live events: %d, %d stored", counts.rows_read, counts.events_stored + counts.activities)


def _ingest_inbox(home: Home) -> int:
    """Ingests every file of the inbox and moves it to `done`, or to `refused` where the file itself is wrong.

    A wrong file is set aside so that it does not stop every night to come. What is wrong with the machine or with the
    mapping is no fault of the files, so then they stay.

    Returns:
        How many files were refused.
    """
    try:
        found = sorted(home.inbox.iterdir())
    except FileNotFoundError:
        return 0
    mapping = next((path for path in found if path.name == "mapping.toml"), None)
    if mapping is not None:
        with mapping.open("rb"):  # what this user may not read is no mistake in it
            read_mapping(mapping)
    refused = 0
    for path in found:
        if path == mapping or path.name[0] == "." or not path.is_file():
            continue
        with path.open("rb"):  # nor in a log file
            pass
        try:
            counts = ingest_file(home, path, mapping=mapping)
        except InputError as error:
            logger.warning("refused %s: %s", path.name, error)
            refused += 1
            aside = home.inbox / "refused"
        else:
            logger.info("ingest %s: %d rows, %d stored", path.name, counts.rows_read, counts.events_stored)
            aside = home.inbox / "done"
        aside.mkdir(exist_ok=True)
        path.replace(aside / path.name)
    return refused


def _moment(home: Home, data: DataVersion) -> datetime | None:
    """The midnight after the last event, UTC; None for a log without a clock."""
    times = read_events(home, version=data.events, columns=["occurred_at"])["occurred_at"].dropna()
    return None if times.empty else (times.max().normalize() + timedelta(days=1)).to_pydatetime()


def _key(data: DataVersion, as_of: datetime | None, config: TrainingConfig) -> str:
    parts = (str(data), str(as_of), config.digest, SCHEMA_HASH, version("regroup"))
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _read_inputs(home: Home, data: DataVersion, as_of: datetime | None) -> _Inputs:
    events = read_events(home, version=data.events, before=as_of)
    item_skills = read_item_skills(home, data.item_skills)
    return _Inputs(events, item_skills, as_of, f"{data.events}.{data.item_skills}")


def _check_data(dataset: Dataset, config: TrainingConfig) -> None:
    students, needed = len(dataset.timeline.students), config.gate.min_students
    if students < needed:
        raise DataGateError(f"{students} students are too few to train on; the gate asks for {needed}")
    for name, block in dataset.struggle.items():
        floor = config.gate.min_episodes if name == "train" else 1
        known = len(set(block.episode.tolist()))
        if known < floor or len(set(block.target.tolist())) < 2:  # noqa: PLR2004 - two outcomes
            raise DataGateError(
                f"the {name} block has {known} episodes with a known outcome, and needs {floor} with both outcomes; "
                "ingest a longer log or widen the block"
            )


def _publish(home: Home, tracking: Tracking, run_id: str, inputs: _Inputs, statistics: Statistics | None) -> None:
    logger.info("publish profiles")
    if statistics is None:
        statistics = tracking.fetch_model(run_id, "struggle").statistics
    publish_profiles(home, run_id, inputs.events, inputs.item_skills, statistics, inputs.as_of, inputs.data_version)


def _record(home: Home, key: str, text: str, run_id: str, refused: str | None = None) -> Path:
    home.decisions.mkdir(parents=True, exist_ok=True)
    record = home.decisions / f"{key}.md"
    record.write_text(text, encoding="utf-8")
    # written last: a night counts as dealt with once this file is there
    draft = home.decisions / f".{key}.json"
    draft.write_text(json.dumps({"run_id": run_id, "refused": refused}), encoding="utf-8")
    draft.replace(home.decisions / f"{key}.json")
    return record


def _parameters(config: TrainingConfig) -> dict[str, Any]:
    return {
        f"{section}.{name}": value for section, values in config.model_dump().items() for name, value in values.items()
    }
