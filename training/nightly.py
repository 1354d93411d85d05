"""The nightly job: ingest events, train, evaluate, gate, promote, publish, and record why.

`run_nightly` is the whole of it; what it calls stands below it in the order of the night.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path

from features.database import Database
from features.errors import InputError
from features.events.copies import find_copies, surely_copied, warn_of_copies
from features.events.evidence import forget_evidence
from features.events.ingest import ingest_file
from features.events.live_ingest import ingest_live_events
from features.events.store import DataVersion, data_version, read_events, read_item_skills
from features.home import MAPPING, Home
from features.logs.mapping import read_mapping
from features.logs.sections import File
from features.profiles.columns import SCHEMA_HASH
from features.restore import require_erased
from features.retention import forget_old_events, forget_old_profiles, read_events_kept
from training.config import TrainingConfig
from training.data.dataset import Dataset, build_dataset
from training.errors import DataGateError, QualityGateError
from training.evaluation.agreement import compare_with_facts
from training.evaluation.comparison import audit_models, compare_with_champion, score_model
from training.evaluation.fairness import GroupFigures
from training.evaluation.gate import Decision, decide
from training.models.artifacts import write_model
from training.models.boosting import FORECASTS, Model, train_model
from training.records.publishing import publish_profiles
from training.records.report import Scores, evaluation_json, flat_metrics, write_card, write_decision
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")


@dataclass(frozen=True)
class Outcome:
    """How a night ended.

    Attributes:
        did: `promoted`, `kept`, or `nothing` when the same data, choices and code were already processed.
        run_id: The run that the record is about.
        record: Where the readable decision is.
        refused: How many files of the inbox could not be read and were set aside.
    """

    did: str
    run_id: str
    record: Path
    refused: int = 0


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
        InputError: A setting, or the inbox's mapping, is wrong; every file stays in the inbox.
        MissingError: No event was ever ingested.
        DataGateError: Too few students or episodes.
        QualityGateError: The challenger is above a limit and there is no champion to keep.
    """
    with home.work("nightly", busy="another nightly run is at work in this home; wait for it to end"):
        _require_erased(home)
        _ingest_live_events(home)
        refused = _ingest_inbox(home)
        _forget_old_events(home)
        data = data_version(home)
        as_of = as_of or _midnight_after_last_event(home, data)
        facts = {
            "as_of": str(as_of or "end of log"),
            "data_version": f"{data.events}.{data.item_skills}",
            "config": config.digest,
            "columns": SCHEMA_HASH,
            "code": version("regroup"),
        }
        outcome = _find_outcome(home, facts) or _train_and_decide(home, config, data, as_of, facts)
        return replace(outcome, refused=refused)


def _require_erased(home: Home) -> None:
    if home.erasures.exists():
        with Database(home.database_url()) as database, database.changing(alone=True) as connection:
            require_erased(home, connection)


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
    folders = home.inbox_folders()
    _require_clear_mappings(home, folders)
    return sum(_ingest_folder(home, folder, home.inbox_mapping(folder)) for folder in folders)


def _require_clear_mappings(home: Home, folders: Sequence[Path]) -> None:
    """Refuses mappings that are wrong, or of which nobody knows whose files they are of."""
    nameless = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            if path.name != MAPPING:
                raise InputError(
                    f"{path.relative_to(home.root)} is no log file; a mapping is named {MAPPING}, and is that of all "
                    "files beside it: right would be a folder for each source"
                )
            with path.open("rb"):  # what this user may not read is no mistake in it
                source = read_mapping(path).file.source
            if source == File().source:
                nameless.append(str(path.relative_to(home.root)))
    if len(nameless) > 1:
        raise InputError(
            f"{' and '.join(nameless)} name no source, so that their answers could not be told apart; right would be "
            'such as source = "practice-app" in [file] of each'
        )


def _ingest_folder(home: Home, folder: Path, mapping: Path | None) -> int:
    """Ingests the files of the inbox or of a source in it; how many were refused."""
    refused = 0
    for path in sorted(folder.iterdir()):
        if path.name == MAPPING or path.name[0] == "." or not path.is_file():
            continue
        with path.open("rb"):  # nor in a log file
            pass
        try:
            counts = ingest_file(home, path, mapping=mapping)
        except InputError as error:
            logger.warning("refused %s: %s", path.name, error)
            refused += 1
            aside = folder / "refused"
        else:
            logger.info("ingest %s: %d rows, %d stored", path.name, counts.rows_read, counts.events_stored)
            for note in counts.notes:
                logger.info("ingest %s: %s", path.name, note)
            aside = folder / "done"
        aside.mkdir(exist_ok=True)
        path.rename(aside / _free_name(path, aside))
    return refused


def _forget_old_events(home: Home) -> None:
    kept = read_events_kept()
    now = datetime.now(UTC)
    with home.work("ingest", busy="another ingest is at work in this home; wait for it to end"):
        forgotten = forget_old_events(home, kept, now)
    if forgotten.events or forgotten.files:
        logger.info(
            "older than %d days: %d events and %d files are removed", kept.days, forgotten.events, forgotten.files
        )
    with Database(home.database_url()) as database, database.changing() as connection:
        if totals := forget_evidence(connection, now - kept):
            logger.info("older than %d days: %d totals are removed", kept.days, totals)


def _free_name(path: Path, folder: Path) -> str:
    """Returns the file's name, numbered where the folder holds an earlier file of that name."""
    name, number = path.name, 1
    while (folder / name).exists():
        number += 1
        name = f"{path.stem}-{number}{path.suffix}"
    return name


def _midnight_after_last_event(home: Home, data: DataVersion) -> datetime | None:
    """Finds the midnight after the last event, UTC; None for a log without a clock."""
    times = read_events(home, version=data.events, columns=["occurred_at"])["occurred_at"].dropna()
    return None if times.empty else (times.max().normalize() + timedelta(days=1)).to_pydatetime()


def _find_outcome(home: Home, facts: Mapping[str, str]) -> Outcome | None:
    """Finds the record of an earlier night that had the same facts; None where there was none.

    Raises:
        QualityGateError: That night left nothing to serve.
    """
    record = _record_path(home, facts)
    summary = record.with_suffix(".json")
    if not summary.is_file():
        return None
    earlier = json.loads(summary.read_text(encoding="utf-8"))
    if earlier["refused"]:
        raise QualityGateError(f"this data, configuration and code failed before: {earlier['refused']}")
    return Outcome("nothing", earlier["run_id"], record)


def _train_and_decide(
    home: Home, config: TrainingConfig, data: DataVersion, as_of: datetime | None, facts: Mapping[str, str]
) -> Outcome:
    """Trains a challenger, compares it with the champion, and publishes profiles for the one that serves."""
    events = read_events(home, version=data.events, before=as_of)
    item_skills = read_item_skills(home, data.item_skills)
    tracking = Tracking()
    logger.info("profile: %d events as of %s", len(events), facts["as_of"])
    warn_of_copies(surely_copied(find_copies(events)))
    dataset = build_dataset(events, item_skills, config)
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
        against = compare_with_champion(fetch, models, dataset, item_skills, config)
    holdout = dataset.struggle["holdout"]
    cells = compare_with_facts(holdout, models["struggle"].predict(holdout.rows), config.gate.min_cell_rows)
    own_scores = {name: by_name["regroup"] for name, by_name in scores.items()}
    decision = decide(own_scores, against, config.gate, groups, cells)

    logger.info("log and register")
    run_id = _log_run(tracking, models, dataset, config, facts, scores, groups, decision)
    # a champion that cannot be compared cannot be read, so the service could not keep it either
    serving = run_id if decision.promoted else champion if against else None
    if serving is None:
        why = "; ".join(decision.reasons)
        _write_record(home, decision, facts, run_id, refused=why)
        raise QualityGateError(f"the challenger is above a limit and there is no champion to keep: {why}")

    logger.info("publish profiles")
    own = dataset.statistics
    statistics = own if decision.promoted else tracking.fetch_model(serving, "struggle").statistics
    publish_profiles(home, serving, events, item_skills, statistics, as_of, facts["data_version"])
    if decision.promoted:
        tracking.promote(run_id)
    record = _write_record(home, decision, facts, run_id)
    forget_old_profiles(home, serving, datetime.now(UTC))
    return Outcome("promoted" if decision.promoted else "kept", run_id, record)


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
        (folder / "decision.md").write_text(write_decision(decision, facts), encoding="utf-8")
        run_id = tracking.log_run(tags, parameters, flat_metrics(scores), folder)
    tracking.register(run_id, tuple(models))
    return run_id


def _write_record(
    home: Home, decision: Decision, facts: Mapping[str, str], run_id: str, refused: str | None = None
) -> Path:
    record = _record_path(home, facts)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(write_decision(decision, facts), encoding="utf-8")
    # written last: data, choices and code count as processed once this file is there
    draft = record.with_name(f".{record.stem}.json")
    draft.write_text(json.dumps({"run_id": run_id, "refused": refused}), encoding="utf-8")
    draft.replace(record.with_suffix(".json"))
    return record


def _record_path(home: Home, facts: Mapping[str, str]) -> Path:
    """Returns where the decision of a night with these facts is; equal facts need no second run."""
    return home.decisions / f"{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]}.md"
