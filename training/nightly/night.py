"""The night from new files to a published champion, with a record of why."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

import pandas as pd

from features.database import Database
from features.events.live.ingest import count_waiting
from features.home import Home
from training.config import TrainingConfig
from training.errors import QualityGateError, RosterGateError
from training.evaluation.refit import Log
from training.models.artifacts import StoredModel
from training.models.boosting import FORECASTS
from training.nightly.challenger import judge_challenger
from training.nightly.checks import Champion, check_night
from training.nightly.facts import BUSY, Night, find_night
from training.nightly.findings import Finding
from training.nightly.ingest import Inbox, ingest
from training.nightly.prior import install_prior
from training.nightly.profiles import publish, read_champion
from training.nightly.prune import prune, remove_old
from training.nightly.record import REFUSALS, Outcome, Record, find_outcome
from training.nightly.unfinished import Judgement, Unfinished
from training.records.cost import Meter
from training.records.entities import describe_data
from training.records.tracking import Tracking

logger = logging.getLogger("regroup")


def run_nightly(
    home: Home, config: TrainingConfig, as_of: datetime | None = None, again_from: str | None = None
) -> Outcome:
    """Goes from new log files to a published champion, or finds that there is nothing to do.

    Args:
        home: Whose inbox, event log and roster are read, and whose profiles are published.
        config: Every choice of the training.
        as_of: Events at or after this moment, in UTC, do not exist; by default the midnight after the last event.
        again_from: One of `STEPS`, from which a night is done again though it was processed or stopped later.

    Raises:
        BusyError: Another nightly run or ingest holds the lock.
        UnavailableError: The database or MLflow's store is away, a restored back-up holds students who were erased, the
            disk is full, or this user may not write there; files that were not ingested stay in the inbox.
        InputError: A setting, the inbox's mapping or the moment is wrong.
        MissingError: No event was ever ingested.
        DataGateError: Too few students or episodes; the champion has profiles of today.
        QualityGateError: The challenger is above a limit and there is no champion to keep.
        BrokenTrainingError: The training broke off; the champion has profiles of today.
        RosterGateError: The roster has lost too many students; the champion has profiles of today.
    """
    meter = Meter(home)
    with home.work("nightly", busy=BUSY):
        meter.begin("ingest")
        inbox = ingest(home)
        remove_old(home, config.retention)
        night = find_night(home, config, as_of)
        if again_from is not None:
            Unfinished(night).forget(again_from)
        outcome = find_outcome(night, inbox) if again_from is None else None
        outcome = outcome or _run_steps(night, Record(night, inbox, meter))
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
    plan += [("profile", profile), ("validate", "check what came in, profiles and champion against earlier nights")]
    plan += [(step, "was done by a night that was stopped" if done.get(step) else "") for step in steps]
    promoted = "if the challenger is promoted"
    pays = f"{promoted} and that would have paid on past nights"
    after = [("refit", pays), ("register", ""), ("publish", promoted), ("promote", promoted), ("prune", "")]
    return [*plan, ("gate", ""), *after]


def _run_steps(night: Night, record: Record) -> Outcome:
    """Publishes profiles for the champion there is, and then looks for a better one."""
    tracking = Tracking()
    if tracking.needs_prior():
        logger.info("register a prior model, since there is no champion")
        install_prior(night, tracking)
    champion = tracking.champion()
    stored = None if champion is None else read_champion(tracking, champion)
    none = "there is no champion" if champion is None else "the champion cannot be read"
    record.profiles = f"none were published, since {none}"
    if champion and stored:
        record.meter.begin("profile", "as of %s", night.facts["as_of"])
        record.champion, record.replaced = champion, _say_champion(champion, stored["struggle"].kind)
        record.profiles = publish(night, champion, stored["struggle"].statistics)
    try:
        outcome = _conclude(night, tracking, _challenge(night, tracking, champion, stored, record), record)
    except REFUSALS as refusal:
        if not isinstance(refusal, QualityGateError):  # whose record has the figures
            _prune(record)
            record.write(tracking, "No challenger was trained.", [str(refusal)], refusal=refusal)
        raise
    return Outcome(outcome.did, outcome.run_id, outcome.record, record.inbox.refused, tuple(record.findings))


def _challenge(
    night: Night,
    tracking: Tracking,
    champion: str | None,
    stored: Mapping[str, StoredModel] | None,
    record: Record,
) -> Judgement:
    """Checks what came in, trains a challenger, and compares it with the champion.

    What an earlier night of the same key has computed is taken as it is. The events are in memory for no longer than
    this takes.
    """
    record.meter.begin("validate", "as of %s", night.facts["as_of"])
    events, item_skills = night.read_events(), night.read_item_skills()
    record.findings = _check(night, tracking, champion, stored, events, item_skills)
    _require_roster(record.findings)
    work = Unfinished(night)
    work.begin()
    judgement = work.read_judgement()
    if judgement is not None and _still_holds(judgement, champion, tracking):
        return judgement
    # what serves may have learned from tonight's holdout; what was judged has not
    rivals = (read_champion(tracking, champion, judged=True) or stored) if champion and stored else None
    log = Log(events, item_skills, night.config)
    return work.keep_judgement(judge_challenger(night, work, champion, rivals, log, record.meter))


def _check(
    night: Night,
    tracking: Tracking,
    champion: str | None,
    stored: Mapping[str, StoredModel] | None,
    events: pd.DataFrame,
    item_skills: pd.DataFrame,
) -> list[Finding]:
    serving = Champion(champion, stored, partial(read_champion, tracking)) if champion and stored else None
    findings = check_night(night.home, night.as_of, serving, events, item_skills, night.config.checks)
    for each in findings:
        if each.level != "ok":
            logger.warning("check %s, %s: %s; %s", each.name, each.level, each.sentence, each.advice)
    return findings


def _require_roster(findings: Sequence[Finding]) -> None:
    """Raises where a check says that nothing may be learned tonight."""
    stops = [f"{each.sentence}; {each.advice}" for each in findings if each.level == "stop"]
    if stops:
        raise RosterGateError("; ".join(stops))


def _conclude(night: Night, tracking: Tracking, judgement: Judgement, record: Record) -> Outcome:
    """Registers the challenger, publishes profiles for it and moves the alias if it is promoted, and writes why."""
    work, decision, meter = Unfinished(night), judgement.decision, record.meter
    if judgement.champion and judgement.kind:  # the alias may stand on this night's own run already
        record.replaced = _say_champion(judgement.champion, judgement.kind)

    meter.begin("register")
    texts = {"model_card.md": judgement.card, "evaluation.json": judgement.evaluation}
    tags = {**night.facts, "decision": "promoted" if decision.promoted else "kept"}
    if decision.promoted:
        tags["refitted"] = "yes" if judgement.refitted else "no"
    reasons = [*decision.reasons, *([judgement.serves] if judgement.serves else [])]
    evaluation = json.loads(judgement.evaluation)
    run_id = tracking.log_run(
        judgement.night,
        tags,
        _parameters(night),
        judgement.metrics,
        work.models(refitted=judgement.refitted),
        texts,
        name=night.name,
        description="\n".join([decision.verdict, "", *(f"- {reason}" for reason in reasons)]),
        data=describe_data(str(night.home.events), night.facts["data_version"], evaluation["blocks"]),
    )
    tracking.register(run_id, tuple(forecast.name for forecast in FORECASTS))
    refusal = None
    if decision.promoted:
        meter.begin("publish")
        statistics = tracking.fetch_model(run_id, "struggle").statistics
        record.profiles = publish(night, run_id, statistics, after=judgement.champion)
        meter.begin("promote")
        tracking.promote(run_id, f"night: {decision.reasons[-1]}", judgement.at)
        record.champion = run_id
    elif judgement.kind is None:  # a champion that cannot be read can neither be compared nor kept
        why = "; ".join(decision.reasons)
        refusal = QualityGateError(f"the challenger is above a limit and there is no champion to keep: {why}")
    _prune(record)
    meter.begin("record")
    path = record.write(
        tracking,
        decision.verdict,
        reasons,
        run_id=run_id,
        promoted=decision.promoted,
        within_limits=decision.within_limits,
        refusal=refusal,
        evaluation=evaluation,
    )
    if refusal is not None:
        work.end()
        raise refusal
    return Outcome("promoted" if decision.promoted else "kept", run_id, path)


def _prune(record: Record) -> None:
    record.meter.begin("prune")
    record.pruned = prune(record.night.home, record.night.config.retention).sentence


def _still_holds(judgement: Judgement, champion: str | None, tracking: Tracking) -> bool:
    """Whether the champion is the one that was compared with, or the night itself was about to move the alias."""
    if champion == judgement.champion:
        return True
    return judgement.decision.promoted and champion in (None, tracking.find_run(judgement.night))


def _say_champion(run_id: str, kind: str) -> str:
    return f"run {run_id}, {kind}"


def _parameters(night: Night) -> dict[str, object]:
    """The choices that models and their figures rest on, and not how long what is kept or when a check raises alarm."""
    sections = night.config.model_dump(exclude={"status", "checks", "retention"}).items()
    return {f"{section}.{name}": value for section, values in sections for name, value in values.items()}
